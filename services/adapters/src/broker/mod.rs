//! Brokers: queues that confirm what they hold and deliver it at least once.
//!
//! Both brokers promise: confirmed means on disk; at least once; order per queue for one consumer,
//! but for what is delivered again; acknowledge and requeue per delivery; unacknowledged deliveries
//! return after a crash; prefetch; maximum length with refusal; unroutable publications reported; a
//! redelivered flag; a size limit. What only RabbitMQ has (users, TLS, blocking, cancellation)
//! shows here as errors, never as behaviour. This module decides nothing about declarations.

mod batch;
pub mod embedded;
pub mod rabbit;
pub mod topology;

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use samenloop_domain::identifiers::PartyId;

/// A broker. The set is closed: tests use [`Broker::Embedded`] in memory.
#[derive(Clone, Debug)]
pub enum Broker {
    /// RabbitMQ, quorum queues.
    Rabbit(rabbit::RabbitBroker),
    /// Durable queue tables in SQLite, in process.
    Embedded(embedded::EmbeddedBroker),
}

/// A queue, and where one publishes to reach it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Queue {
    /// From senders to validation: exchange and queue `declarations`.
    Declarations,
    /// From validation to detection: exchange and queue `validated`.
    Validated,
    /// From operators and the command line to detection: exchange and queue `commands`.
    Commands,
    /// To a party: exchange `outcomes`, routing key the party id, queue `outcomes.<party id>`.
    Outcomes(PartyId),
}

impl Queue {
    /// Name of the queue.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Declarations => "declarations".to_owned(),
            Self::Validated => "validated".to_owned(),
            Self::Commands => "commands".to_owned(),
            Self::Outcomes(party) => format!("outcomes.{party}"),
        }
    }

    /// Name of the exchange that leads to it.
    #[must_use]
    pub fn exchange(&self) -> &'static str {
        match self {
            Self::Declarations => "declarations",
            Self::Validated => "validated",
            Self::Commands => "commands",
            Self::Outcomes(_) => "outcomes",
        }
    }

    /// Routing key on that exchange.
    #[must_use]
    pub fn routing_key(&self) -> &str {
        match self {
            Self::Declarations | Self::Validated | Self::Commands => "",
            Self::Outcomes(party) => party.as_str(),
        }
    }
}

/// A message as a broker carries it. Nothing personal stands in headers: they appear in logs and
/// consoles.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Message {
    /// Property `message_id`.
    pub message_id: String,
    /// Property `correlation_id`: the message that this one answers.
    pub correlation_id: Option<String>,
    /// Property `type`: `nl.samenloop.declaration.submitted.v1`, ...
    pub message_type: String,
    /// Property `content_type`: `application/json` or `application/x-protobuf`.
    pub content_type: String,
    /// Property `user_id`, checked by the broker on receipt; set by the adapter on publishing.
    pub user: Option<String>,
    /// Text headers: `traceparent`, CloudEvents attributes, `x-party`, ...
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Bytes,
}

/// What became of a publication.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Published {
    /// On disk in the queue.
    Confirmed,
    /// No queue takes it.
    Unroutable,
    /// The queue is full, or the message is over a size limit.
    Refused,
}

/// Identifies a delivery to its consumer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DeliveryTag(pub u64);

/// A message handed to a consumer, until it is settled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// To settle it by.
    pub tag: DeliveryTag,
    /// Whether it may have been handed out before.
    pub redelivered: bool,
    /// The message.
    pub message: Message,
}

/// How a delivery is settled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settle {
    /// Its effect is durable: it is gone.
    Ack,
    /// It goes back to its queue.
    Requeue,
}

/// Bounds of a consumer and its batches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchLimits {
    /// Most unsettled deliveries.
    pub prefetch: u16,
    /// Most messages of a batch.
    pub messages_max: usize,
    /// A batch ends once its bodies reach this.
    pub bytes_max: usize,
    /// A batch ends this long after its first message.
    pub wait: Duration,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self {
            prefetch: 64,
            messages_max: 64,
            bytes_max: 4 << 20,
            wait: Duration::from_millis(10),
        }
    }
}

/// Largest body of a message on any queue.
pub const BODY_BYTES_MAX: usize = 1 << 20;

/// Longest property or name of a header: AMQP writes its length in a byte.
pub const PROPERTY_BYTES_MAX: usize = 255;

/// Most bytes of all headers together: AMQP sends them in one frame.
pub const HEADERS_BYTES_MAX: usize = 16 << 10;

/// Most messages of a queue; more are refused.
pub const QUEUE_LENGTH_MAX: u64 = 1_000_000;

impl Message {
    /// Whether it is over a size limit, and so refused by every broker.
    #[must_use]
    pub fn is_over_limit(&self) -> bool {
        let properties = [
            &self.message_id,
            self.correlation_id.as_ref().unwrap_or(&self.message_id),
            &self.message_type,
            &self.content_type,
        ];
        let names = self.headers.keys();
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.len());
        self.body.len() > BODY_BYTES_MAX
            || properties
                .into_iter()
                .chain(names)
                .any(|text| text.len() > PROPERTY_BYTES_MAX)
            || headers.sum::<usize>() > HEADERS_BYTES_MAX
    }
}

/// State of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Depth {
    /// Waiting for a consumer.
    pub ready: u64,
    /// Handed out and not settled; absent where the broker does not say.
    pub unacked: Option<u64>,
    /// Consumers; absent where the broker does not say.
    pub consumers: Option<u64>,
}

/// The world is wrong: the broker.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The connection or channel is gone, a confirm did not come in time, or the consumer was
    /// cancelled. What was not confirmed or settled comes again.
    #[error("the connection to the broker is lost: {0}")]
    Connection(String),
    /// A queue or exchange is missing or differs from `deploy/rabbitmq/definitions.json`.
    #[error("the topology differs: {0}")]
    Topology(String),
    /// The embedded queue's database failed.
    #[error("the embedded queue failed: {0}")]
    Storage(String),
    /// A test asked for it.
    #[error(transparent)]
    Injected(#[from] crate::fault_plan::InjectedFault),
}

impl BrokerError {
    /// Whether trying again may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        !matches!(self, Self::Topology(_))
    }
}

/// A consumer of one queue. Dropping it returns what is not settled.
#[derive(Debug)]
pub enum Consumer {
    /// On RabbitMQ.
    Rabbit(rabbit::RabbitConsumer),
    /// On the embedded queue.
    Embedded(embedded::EmbeddedConsumer),
}

impl Broker {
    /// Publishes, and waits until each publication is confirmed, returned or refused; results in
    /// order.
    ///
    /// # Errors
    /// [`BrokerError`] where the fate of any publication is unknown: all of them are to be sent
    /// again.
    pub async fn publish(
        &self,
        messages: Vec<(Queue, Message)>,
    ) -> Result<Vec<Published>, BrokerError> {
        match self {
            Self::Rabbit(broker) => broker.publish(messages).await,
            Self::Embedded(broker) => broker.publish(messages).await,
        }
    }

    /// Starts to consume a queue.
    ///
    /// # Errors
    /// [`BrokerError`] where the broker is away or the queue is missing.
    pub async fn consume(
        &self,
        queue: Queue,
        limits: BatchLimits,
    ) -> Result<Consumer, BrokerError> {
        match self {
            Self::Rabbit(broker) => broker.consume(queue, limits).await.map(Consumer::Rabbit),
            Self::Embedded(broker) => broker.consume(queue, limits).await.map(Consumer::Embedded),
        }
    }

    /// State of a queue.
    ///
    /// # Errors
    /// [`BrokerError`] where the broker is away or the queue is missing.
    pub async fn depth(&self, queue: &Queue) -> Result<Depth, BrokerError> {
        match self {
            Self::Rabbit(broker) => broker.depth(queue).await,
            Self::Embedded(broker) => broker.depth(queue).await,
        }
    }

    /// Checks that every queue and exchange exists as published, and makes what is missing where
    /// the broker is ours (embedded); on RabbitMQ nothing is made.
    ///
    /// # Errors
    /// [`BrokerError::Topology`] names the difference.
    pub async fn check_topology(&self, queues: &[Queue]) -> Result<(), BrokerError> {
        match self {
            Self::Rabbit(broker) => broker.check_topology(queues).await,
            Self::Embedded(broker) => broker.check_topology(queues).await,
        }
    }
}

impl Consumer {
    /// The next batch: at least one delivery. Waits for the first one without limit.
    ///
    /// Cancel-safe: a delivery that was taken is part of the next batch.
    ///
    /// # Errors
    /// [`BrokerError`] where the consumer is lost; consume anew.
    pub async fn next_batch(&mut self) -> Result<Vec<Delivery>, BrokerError> {
        match self {
            Self::Rabbit(consumer) => consumer.next_batch().await,
            Self::Embedded(consumer) => consumer.next_batch().await,
        }
    }

    /// Settles deliveries of this consumer, each once.
    ///
    /// # Errors
    /// [`BrokerError`] where the broker did not take it: the deliveries come again.
    pub async fn settle(
        &mut self,
        deliveries: Vec<(DeliveryTag, Settle)>,
    ) -> Result<(), BrokerError> {
        match self {
            Self::Rabbit(consumer) => consumer.settle(deliveries).await,
            Self::Embedded(consumer) => consumer.settle(deliveries).await,
        }
    }
}
