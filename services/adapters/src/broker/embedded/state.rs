//! What the embedded queue keeps in memory: which messages are handed out, to whom, and who waits.
//! It knows no database; it ends with the process, and then everything counts as handed out before.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::sync::Notify;

use crate::broker::{BrokerError, Depth};

/// All queues by name.
#[derive(Debug, Default)]
pub(super) struct Queues {
    by_name: BTreeMap<String, QueueState>,
    consumer_last: u64,
}

/// One queue. Messages are known by their ids; a lower id was published earlier.
#[derive(Debug)]
pub(super) struct QueueState {
    /// Its row in the database.
    pub(super) row: i64,
    /// Messages that nobody holds.
    ready: u64,
    /// The last message that was read for the first time.
    read_up_to: i64,
    /// Messages up to here were there at the start of this process, which may have handed them out
    /// before.
    from_before: i64,
    /// Handed out, given back, and to be handed out before anything else.
    returned: BTreeSet<i64>,
    /// Handed out, with the consumer that holds them.
    held: BTreeMap<i64, u64>,
    consumers: BTreeSet<u64>,
    /// Wakes the consumers when something is ready.
    arrived: Arc<Notify>,
}

/// What a consumer is to be handed next.
pub(super) struct Next {
    pub(super) row: i64,
    pub(super) returned: Vec<i64>,
    pub(super) read_up_to: i64,
    pub(super) from_before: i64,
}

impl Queues {
    /// Adds a queue unless it is known.
    pub(super) fn add(&mut self, name: &str, row: i64, ready: u64, from_before: i64) {
        self.by_name
            .entry(name.to_owned())
            .or_insert_with(|| QueueState {
                row,
                ready,
                read_up_to: 0,
                from_before,
                returned: BTreeSet::new(),
                held: BTreeMap::new(),
                consumers: BTreeSet::new(),
                arrived: Arc::default(),
            });
    }

    pub(super) fn queue(&self, name: &str) -> Option<&QueueState> {
        self.by_name.get(name)
    }

    fn known(&mut self, name: &str) -> Result<&mut QueueState, BrokerError> {
        let missing = || BrokerError::Topology(format!("there is no queue {name}"));
        self.by_name.get_mut(name).ok_or_else(missing)
    }

    /// A new consumer, and what wakes it.
    pub(super) fn register(&mut self, name: &str) -> Result<(u64, Arc<Notify>), BrokerError> {
        let consumer = self.consumer_last + 1;
        let queue = self.known(name)?;
        queue.consumers.insert(consumer);
        let arrived = Arc::clone(&queue.arrived);
        self.consumer_last = consumer;
        Ok((consumer, arrived))
    }

    /// Ends a consumer; what it holds goes back.
    pub(super) fn release(&mut self, name: &str, consumer: u64) {
        let Some(queue) = self.by_name.get_mut(name) else {
            return;
        };
        queue.consumers.remove(&consumer);
        let of_consumer = |(_, holder): &(&i64, &u64)| **holder == consumer;
        let held = queue.held.iter().filter(of_consumer);
        let ids: Vec<i64> = held.map(|(id, _)| *id).collect();
        queue.give_back(&ids);
    }

    /// Puts messages back that a consumer holds.
    pub(super) fn requeue(&mut self, name: &str, ids: &[i64]) {
        if let Some(queue) = self.by_name.get_mut(name) {
            queue.give_back(ids);
        }
    }

    pub(super) fn depth(&mut self, name: &str) -> Result<Depth, BrokerError> {
        let queue = self.known(name)?;
        Ok(Depth {
            ready: queue.ready,
            unacked: Some(queue.held.len() as u64),
            consumers: Some(queue.consumers.len() as u64),
        })
    }

    /// Messages were committed.
    pub(super) fn published(&mut self, name: &str, count: u64) {
        if let Some(queue) = self.by_name.get_mut(name) {
            queue.ready += count;
            queue.arrived.notify_waiters();
        }
    }

    /// Messages were deleted. A consumer that ended meanwhile gave them back: then they are taken
    /// out again.
    pub(super) fn acked(&mut self, name: &str, ids: &[i64]) {
        let Some(queue) = self.by_name.get_mut(name) else {
            return;
        };
        for id in ids {
            if queue.held.remove(id).is_none() && queue.returned.remove(id) {
                queue.ready -= 1;
            }
        }
    }

    /// What is next in a queue for one of its consumers; nothing for one that has ended.
    pub(super) fn next(&self, name: &str, consumer: u64, messages_max: usize) -> Option<Next> {
        let queue = self.by_name.get(name)?;
        queue.consumers.contains(&consumer).then(|| Next {
            row: queue.row,
            returned: queue.returned.iter().take(messages_max).copied().collect(),
            read_up_to: queue.read_up_to,
            from_before: queue.from_before,
        })
    }

    /// Hands messages to a consumer; false where it has ended, and then nothing changes.
    #[must_use]
    pub(super) fn hand_out(&mut self, name: &str, consumer: u64, ids: &[i64]) -> bool {
        let queue = self.by_name.get_mut(name);
        let Some(queue) = queue.filter(|queue| queue.consumers.contains(&consumer)) else {
            return false;
        };
        for id in ids {
            queue.returned.remove(id);
            queue.held.insert(*id, consumer);
            queue.read_up_to = queue.read_up_to.max(*id);
        }
        queue.ready -= ids.len() as u64;
        true
    }
}

impl QueueState {
    pub(super) fn is_ready(&self) -> bool {
        self.ready > 0
    }

    /// Messages in the queue, handed out or not.
    pub(super) fn length(&self) -> u64 {
        self.ready + self.held.len() as u64
    }

    fn give_back(&mut self, ids: &[i64]) {
        for id in ids {
            if self.held.remove(id).is_some() {
                self.returned.insert(*id);
                self.ready += 1;
            }
        }
        self.arrived.notify_waiters();
    }
}
