//! Outcomes and refusals as their parties receive them: one consumer per party, gathered into one stream.

use std::collections::BTreeMap;

use anyhow::bail;
use samenloop_adapters::{
    broker::{BatchLimits, Broker, Queue, Settle},
    outbox::{OUTCOME_TYPE, REFUSAL_TYPE},
    shutdown::Shutdown,
};
use samenloop_domain::identifiers::PartyId;
use samenloop_proto::declaration::v1 as wire;
use tokio::sync::mpsc;

/// What a party receives.
#[derive(Clone, PartialEq, Debug)]
pub enum Reply {
    /// The answer to a declaration.
    Outcome(Box<wire::Outcome>),
    /// The answer to a delivery that is none, or that reuses a message id.
    Refusal(Box<wire::DeliveryRefusal>),
}

/// Replies of all parties, in the order of arrival.
#[derive(Debug)]
pub struct Mailbox {
    replies: mpsc::Receiver<(PartyId, Reply)>,
    stop: Shutdown,
}

/// Replies that wait to be taken.
const REPLIES_MAX: usize = 4_096;

impl Mailbox {
    /// Consumes the outcome queue of every party, each on its own broker connection.
    #[must_use]
    pub fn open(brokers: &BTreeMap<PartyId, Broker>) -> Self {
        let (sender, replies) = mpsc::channel(REPLIES_MAX);
        let stop = Shutdown::new();
        for (party, broker) in brokers {
            let consumer = PartyConsumer {
                party: party.clone(),
                broker: broker.clone(),
                sender: sender.clone(),
                stop: stop.clone(),
            };
            tokio::spawn(consumer.run());
        }
        Self { replies, stop }
    }

    /// The next reply.
    ///
    /// # Errors
    /// Where all consumers have ended.
    pub async fn next(&mut self) -> anyhow::Result<(PartyId, Reply)> {
        match self.replies.recv().await {
            Some(reply) => Ok(reply),
            None => bail!("the consumers of outcomes have ended"),
        }
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct PartyConsumer {
    party: PartyId,
    broker: Broker,
    sender: mpsc::Sender<(PartyId, Reply)>,
    stop: Shutdown,
}

impl PartyConsumer {
    async fn run(self) {
        while !self.stop.is_cancelled() {
            if let Err(error) = self.consume().await {
                tracing::warn!(party = %self.party, %error, "outcomes are consumed anew");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }

    async fn consume(&self) -> anyhow::Result<()> {
        let limits = BatchLimits {
            prefetch: 256,
            messages_max: 256,
            ..BatchLimits::default()
        };
        let mut consumer = self
            .broker
            .consume(Queue::Outcomes(self.party.clone()), limits)
            .await?;
        loop {
            let batch = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                batch = consumer.next_batch() => batch?,
            };
            let mut acks = Vec::with_capacity(batch.len());
            for delivery in batch {
                let message = &delivery.message;
                let reply = match message.message_type.as_str() {
                    OUTCOME_TYPE => Reply::Outcome(serde_json::from_slice(&message.body)?),
                    REFUSAL_TYPE => Reply::Refusal(serde_json::from_slice(&message.body)?),
                    other => bail!("a reply of type {other} is not known"),
                };
                if self.sender.send((self.party.clone(), reply)).await.is_err() {
                    return Ok(());
                }
                acks.push((delivery.tag, Settle::Ack));
            }
            consumer.settle(acks).await?;
        }
    }
}
