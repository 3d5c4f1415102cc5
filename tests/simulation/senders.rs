//! The senders: they publish in any order, some messages more than once, and take every reply.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use samenloop::{
    mailbox::{Mailbox, Reply},
    scenarios::declaration_message,
};
use samenloop_adapters::{
    broker::{Broker, Message, Published, Queue},
    clock::{SCENARIO_HEADER, noon},
};
use samenloop_domain::period::Day;
use samenloop_proto::declaration::v1 as wire;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::random::Random;

/// Far longer than any reply takes, with all that goes wrong; it passes at once where nothing else is to be done.
const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) struct Senders {
    pub(crate) broker: Broker,
    pub(crate) mailbox: Mailbox,
    pub(crate) random: Random,
    /// Each version of each outcome as it first came.
    pub(crate) outcomes: BTreeMap<(String, u32), wire::Outcome>,
    /// Every reply in its order.
    pub(crate) replies: Vec<String>,
    pub(crate) duplicates: u64,
}

/// A declaration as one user sends it.
pub(crate) fn message(id: Uuid, body: Vec<u8>, user: &str, received_on: Day) -> Message {
    let mut message = declaration_message(id, body, user);
    let received = noon(received_on).to_string();
    message.headers.insert(SCENARIO_HEADER.to_owned(), received);
    message
}

impl Senders {
    /// Publishes messages, a third of them more than once, and waits until each has its outcome.
    pub(crate) async fn send(&mut self, messages: Vec<Message>) {
        let mut awaited: BTreeSet<String> =
            messages.iter().map(|it| it.message_id.clone()).collect();
        let mut copies = Vec::new();
        for message in messages {
            let more = self.random.below(6).saturating_sub(3);
            copies.extend((0..more).map(|_| message.clone()));
            copies.push(message);
        }
        self.random.shuffle(&mut copies);
        while !copies.is_empty() {
            let count = usize::try_from(1 + self.random.below(8)).expect("small");
            let group = copies.split_off(copies.len().saturating_sub(count));
            let group: Vec<_> = group
                .into_iter()
                .map(|it| (Queue::Declarations, it))
                .collect();
            let published = self
                .broker
                .publish(group)
                .await
                .expect("the queue is in memory");
            assert!(published.iter().all(|it| *it == Published::Confirmed));
            sleep(Duration::from_millis(self.random.below(60))).await;
        }
        awaited.retain(|id| !self.outcomes.contains_key(&(id.clone(), 1)));
        while !awaited.is_empty() {
            let id = self.take_reply(&awaited).await;
            awaited.remove(&id);
        }
    }

    /// Publishes commands, each twice, and waits until each has its version of an outcome.
    pub(crate) async fn command(&mut self, commands: Vec<(Message, (String, u32))>) {
        for (command, awaited) in commands {
            for _ in 0..2 {
                let copy = vec![(Queue::Commands, command.clone())];
                let published = self.broker.publish(copy).await.expect("it is in memory");
                assert!(published.iter().all(|it| *it == Published::Confirmed));
                sleep(Duration::from_millis(self.random.below(60))).await;
            }
            let ids = BTreeSet::from([awaited.0.clone()]);
            while !self.outcomes.contains_key(&awaited) {
                self.take_reply(&ids).await;
            }
        }
    }

    async fn take_reply(&mut self, awaited: &BTreeSet<String>) -> String {
        let reply = timeout(PATIENCE, self.mailbox.next()).await;
        let reply = reply.unwrap_or_else(|_| panic!("no outcome for {awaited:?}"));
        let (party, reply) = reply.expect("the mailbox is open");
        self.keep(&format!("{party}: {reply:?}"), reply)
    }

    fn keep(&mut self, text: &str, reply: Reply) -> String {
        self.replies.push(text.to_owned());
        let Reply::Outcome(outcome) = reply else {
            panic!("a good declaration was refused: {text}")
        };
        let key = (outcome.message_id.clone(), outcome.version);
        match self.outcomes.get(&key) {
            Some(first) => {
                assert_eq!(*first, *outcome, "an outcome never changes");
                self.duplicates += 1;
            }
            None => {
                self.outcomes.insert(key.clone(), *outcome);
            }
        }
        key.0
    }

    /// Takes what still comes until nothing does for a while.
    pub(crate) async fn take_the_rest(&mut self) {
        while let Ok(reply) = timeout(Duration::from_secs(30), self.mailbox.next()).await {
            let (party, reply) = reply.expect("the mailbox is open");
            self.keep(&format!("{party}: {reply:?}"), reply);
        }
    }
}
