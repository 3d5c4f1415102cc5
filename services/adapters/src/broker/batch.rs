//! A batch that is being collected, and what a consumer has not settled. Knows no broker.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::{BatchLimits, Delivery, DeliveryTag, Settle};

/// Collects deliveries between calls of `next_batch`, so that a cancelled call loses none.
#[derive(Debug)]
pub(super) struct Batch {
    limits: BatchLimits,
    collected: Vec<Delivery>,
    collected_bytes: usize,
    deadline: Option<Instant>,
    unsettled: BTreeSet<DeliveryTag>,
}

/// How deliveries are settled, in this order.
#[derive(PartialEq, Eq, Debug, Default)]
pub(super) struct SettlePlan {
    /// Requeued one by one, first: what is acknowledged up to a tag must not include them.
    pub(super) requeued: Vec<DeliveryTag>,
    /// Acknowledged with all before it that are not settled yet.
    pub(super) acked_up_to: Option<DeliveryTag>,
    /// Acknowledged one by one, because something before them is still in work.
    pub(super) acked: Vec<DeliveryTag>,
}

impl Batch {
    pub(super) fn new(limits: BatchLimits) -> Self {
        assert!(limits.prefetch > 0, "a prefetch of 0 would be no bound");
        assert!(limits.messages_max > 0, "a batch holds at least a message");
        Self {
            limits,
            collected: Vec::new(),
            collected_bytes: 0,
            deadline: None,
            unsettled: BTreeSet::new(),
        }
    }

    /// Takes a delivery. The wait for others is counted from the first.
    pub(super) fn push(&mut self, delivery: Delivery) {
        if self.collected.is_empty() {
            self.deadline = Some(Instant::now() + self.limits.wait);
        }
        self.collected_bytes += delivery.message.body.len();
        self.unsettled.insert(delivery.tag);
        self.collected.push(delivery);
    }

    /// Whether nothing more is to be waited for: a bound is reached, or nothing can come before
    /// something is settled.
    pub(super) fn is_full(&self) -> bool {
        !self.collected.is_empty()
            && (self.messages_left() == 0 || self.collected_bytes >= self.limits.bytes_max)
    }

    /// How many deliveries may still be taken.
    pub(super) fn messages_left(&self) -> usize {
        let in_batch = self.limits.messages_max - self.collected.len();
        let prefetch = usize::from(self.limits.prefetch);
        in_batch.min(prefetch.saturating_sub(self.unsettled.len()))
    }

    /// How many bytes of bodies may still be taken; the last body may go over it.
    pub(super) fn bytes_left(&self) -> usize {
        self.limits.bytes_max.saturating_sub(self.collected_bytes)
    }

    /// When the batch ends, once it has a message.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Ends the batch.
    pub(super) fn take(&mut self) -> Vec<Delivery> {
        self.deadline = None;
        self.collected_bytes = 0;
        std::mem::take(&mut self.collected)
    }

    /// Plans how to settle, and holds the deliveries for settled.
    pub(super) fn plan_settle(&mut self, deliveries: Vec<(DeliveryTag, Settle)>) -> SettlePlan {
        let mut plan = SettlePlan::default();
        let mut acked = BTreeSet::new();
        for (tag, settle) in deliveries {
            let known = self.unsettled.contains(&tag) && !acked.contains(&tag);
            assert!(
                known,
                "{tag:?} was settled before, or is not of this consumer"
            );
            match settle {
                Settle::Ack => {
                    acked.insert(tag);
                }
                Settle::Requeue => {
                    self.unsettled.remove(&tag);
                    plan.requeued.push(tag);
                }
            }
        }
        while let Some(first) = self
            .unsettled
            .first()
            .copied()
            .filter(|tag| acked.remove(tag))
        {
            self.unsettled.remove(&first);
            plan.acked_up_to = Some(first);
        }
        for tag in acked {
            self.unsettled.remove(&tag);
            plan.acked.push(tag);
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::Message;

    fn batch_of(tags: std::ops::RangeInclusive<u64>) -> Batch {
        let mut batch = Batch::new(BatchLimits::default());
        for tag in tags {
            batch.push(Delivery {
                tag: DeliveryTag(tag),
                redelivered: false,
                message: Message::default(),
            });
        }
        batch
    }

    fn check(
        batch: &mut Batch,
        settled: &[(u64, Settle)],
        expected: (&[u64], Option<u64>, &[u64]),
    ) {
        let settled = settled
            .iter()
            .map(|(tag, settle)| (DeliveryTag(*tag), *settle));
        let tags = |tags: &[u64]| tags.iter().copied().map(DeliveryTag).collect();
        let expected = SettlePlan {
            requeued: tags(expected.0),
            acked_up_to: expected.1.map(DeliveryTag),
            acked: tags(expected.2),
        };
        assert_eq!(batch.plan_settle(settled.collect()), expected);
    }

    #[test]
    fn only_what_is_finished_up_to_a_tag_is_settled_together() {
        use Settle::{Ack, Requeue};
        let batch = &mut batch_of(1..=9);
        // requeued one by one, acknowledged up to, acknowledged one by one
        check(batch, &[(3, Ack)], (&[], None, &[3]));
        check(batch, &[(2, Ack), (1, Ack)], (&[], Some(2), &[]));
        check(
            batch,
            &[(5, Ack), (4, Requeue), (7, Ack)],
            (&[4], Some(5), &[7]),
        );
        check(batch, &[(6, Requeue)], (&[6], None, &[]));
        check(batch, &[(8, Ack), (9, Ack)], (&[], Some(9), &[]));
    }

    #[test]
    #[should_panic(expected = "settled before")]
    fn settling_twice_is_our_mistake() {
        let batch = &mut batch_of(1..=2);
        check(batch, &[(2, Settle::Ack)], (&[], None, &[2]));
        check(batch, &[(2, Settle::Ack)], (&[], None, &[2]));
    }
}
