//! RabbitMQ through lapin: two connections, one to publish and one to consume, because an alarm of
//! the broker stops everything on a connection that publishes. Nothing is declared here but
//! passively.
//!
//! Caution: lapin logs each returned message whole, as WARN of the target
//! `lapin::returned_messages`. Whoever sets up logging turns that target off, since a body may hold
//! a BSN.

mod consumer;
mod link;
mod properties;
mod publisher;

use std::{sync::Arc, time::Duration};

use lapin::{
    ExchangeKind,
    options::{ExchangeDeclareOptions, QueueDeclareOptions},
    types::FieldTable,
    uri::AMQPUri,
};

pub use self::consumer::RabbitConsumer;
use self::{link::Link, publisher::Publisher};
use super::{BatchLimits, BrokerError, Depth, Message, Published, Queue};
use crate::ids::Ids;

/// Bounds and times of the connections.
#[derive(Clone, Debug)]
pub struct RabbitOptions {
    /// Name shown in the broker's console.
    pub connection_name: String,
    /// A connection without a sign of life is given up after twice this. Whole seconds.
    pub heartbeat: Duration,
    /// Time to make a connection.
    pub connect_timeout: Duration,
    /// Time for each answer of the broker, confirms included; longer than two heartbeats.
    pub answer_timeout: Duration,
    /// Publishing channels: calls of `publish` that run together.
    pub publish_channels_max: usize,
    /// Publications of a channel that are not confirmed.
    pub window_messages_max: usize,
    /// Bytes of the bodies of these.
    pub window_bytes_max: usize,
    /// Pause after the first failure to connect; doubled after each further one.
    pub backoff_first: Duration,
    /// Longest pause.
    pub backoff_max: Duration,
    /// Certificates (PEM) to trust for `amqps`, beside those of the machine.
    pub ca_pem: Option<String>,
    /// Randomness of the pauses.
    pub ids: Ids,
}

impl Default for RabbitOptions {
    fn default() -> Self {
        Self {
            connection_name: "samenloop".to_owned(),
            heartbeat: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
            publish_channels_max: 4,
            window_messages_max: 256,
            window_bytes_max: 8 << 20,
            backoff_first: Duration::from_millis(100),
            backoff_max: Duration::from_secs(5),
            ca_pem: None,
            ids: Ids::System,
        }
    }
}

/// Connections to RabbitMQ, made when first used. Clones share them.
#[derive(Clone, Debug)]
pub struct RabbitBroker {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    settings: Settings,
    publisher: Publisher,
    consuming: Link,
}

/// What a connection is made from.
struct Settings {
    uri: AMQPUri,
    login: String,
    options: RabbitOptions,
}

impl RabbitBroker {
    /// Prepares connections to `url` (`amqp://user:password@host:port/vhost`, or `amqps`); makes
    /// none.
    ///
    /// # Errors
    /// [`BrokerError::Connection`] where `url` is no such URL.
    pub fn new(url: &str, options: RabbitOptions) -> Result<Self, BrokerError> {
        let mut uri: AMQPUri = url.parse().map_err(|reason| {
            BrokerError::Connection(format!("its address is no AMQP URL: {reason}"))
        })?;
        let seconds = u16::try_from(options.heartbeat.as_secs()).unwrap_or(u16::MAX);
        uri.query.heartbeat = Some(seconds.max(1));
        let shared = Shared {
            publisher: Publisher::new(options.publish_channels_max),
            consuming: Link::new("consume"),
            settings: Settings {
                login: uri.authority.userinfo.username.clone(),
                uri,
                options,
            },
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Makes both connections now, to fail early.
    ///
    /// # Errors
    /// [`BrokerError::Connection`] where the broker is away or refuses the login.
    pub async fn connect(&self) -> Result<(), BrokerError> {
        let shared = &self.shared;
        shared.publisher.connect(&shared.settings).await?;
        shared
            .consuming
            .connection(&shared.settings)
            .await
            .map(|_| ())
    }

    pub(super) async fn publish(
        &self,
        messages: Vec<(Queue, Message)>,
    ) -> Result<Vec<Published>, BrokerError> {
        let shared = &self.shared;
        shared.publisher.publish(&shared.settings, &messages).await
    }

    pub(super) async fn consume(
        &self,
        queue: Queue,
        limits: BatchLimits,
    ) -> Result<RabbitConsumer, BrokerError> {
        RabbitConsumer::start(Arc::clone(&self.shared), &queue, limits).await
    }

    pub(super) async fn depth(&self, queue: &Queue) -> Result<Depth, BrokerError> {
        let declared = self.shared.check_queue(queue).await?;
        Ok(Depth {
            ready: declared.message_count().into(),
            unacked: None,
            consumers: Some(declared.consumer_count().into()),
        })
    }

    pub(super) async fn check_topology(&self, queues: &[Queue]) -> Result<(), BrokerError> {
        let mut differences = Vec::new();
        for queue in queues {
            let exchange = self.shared.check_exchange(queue.exchange()).await;
            let queue = self.shared.check_queue(queue).await.map(|_| ());
            for checked in [exchange, queue] {
                match checked {
                    Ok(()) => {}
                    Err(BrokerError::Topology(difference)) => differences.push(difference),
                    Err(error) => return Err(error),
                }
            }
        }
        differences.dedup();
        if differences.is_empty() {
            Ok(())
        } else {
            Err(BrokerError::Topology(differences.join("; ")))
        }
    }
}

impl Shared {
    /// On a channel of its own: the broker closes the channel where something is missing.
    async fn check_queue(&self, queue: &Queue) -> Result<lapin::Queue, BrokerError> {
        let lane = self.consuming.lane(&self.settings).await?;
        let options = QueueDeclareOptions::durable().passive();
        let name = queue.name().into();
        let declared = lane
            .channel
            .queue_declare(name, options, FieldTable::default());
        self.settings.in_time(declared).await
    }

    async fn check_exchange(&self, name: &str) -> Result<(), BrokerError> {
        let lane = self.consuming.lane(&self.settings).await?;
        let options = ExchangeDeclareOptions {
            passive: true,
            durable: true,
            ..ExchangeDeclareOptions::default()
        };
        let kind = ExchangeKind::Direct;
        let declared =
            lane.channel
                .exchange_declare(name.into(), kind, options, FieldTable::default());
        self.settings.in_time(declared).await
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the password.
        f.debug_struct("Settings")
            .field("login", &self.login)
            .field("host", &self.uri.authority.host)
            .field("vhost", &self.uri.vhost)
            .finish_non_exhaustive()
    }
}
