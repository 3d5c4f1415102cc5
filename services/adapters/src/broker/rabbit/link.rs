//! One connection, made on its next use after it was lost. lapin's own recovery is off: it does not
//! heal a channel that the broker closed, and it gives up for good after a number of attempts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lapin::{Channel, Connection, ConnectionProperties, ErrorKind, tcp::OwnedTLSConfig};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until, timeout},
};

use super::Settings;
use crate::broker::BrokerError;

/// What a connection is used for, and its state.
#[derive(Debug)]
pub(super) struct Link {
    purpose: &'static str,
    slot: Mutex<Slot>,
    /// Attempts ended, so that those who waited for one take its result instead of making their
    /// own.
    attempts: AtomicU64,
}

#[derive(Default)]
struct Slot {
    connection: Option<Arc<Connection>>,
    failures: u32,
    not_before: Option<Instant>,
    error_last: String,
}

/// A channel, and the connection it is on.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) connection: Arc<Connection>,
    pub(super) channel: Channel,
}

impl Link {
    pub(super) fn new(purpose: &'static str) -> Self {
        Self {
            purpose,
            slot: Mutex::default(),
            attempts: AtomicU64::new(0),
        }
    }

    /// The connection; made if there is none, after the pause that earlier failures ask for.
    pub(super) async fn connection(
        &self,
        settings: &Settings,
    ) -> Result<Arc<Connection>, BrokerError> {
        let attempts_before = self.attempts.load(Ordering::Acquire);
        let mut slot = self.slot.lock().await;
        if let Some(connection) = slot
            .connection
            .as_ref()
            .filter(|each| each.status().connected())
        {
            return Ok(Arc::clone(connection));
        }
        slot.connection = None;
        if slot.failures > 0 && self.attempts.load(Ordering::Acquire) != attempts_before {
            return Err(BrokerError::Connection(slot.error_last.clone()));
        }
        if let Some(not_before) = slot.not_before {
            sleep_until(not_before).await;
        }
        let connected = self.connect(settings).await;
        self.attempts.fetch_add(1, Ordering::AcqRel);
        match connected {
            Ok(connection) => {
                let connection = Arc::new(connection);
                *slot = Slot {
                    connection: Some(Arc::clone(&connection)),
                    ..Slot::default()
                };
                Ok(connection)
            }
            Err(reason) => {
                let pause = settings.pause(slot.failures);
                slot.failures += 1;
                slot.not_before = Some(Instant::now() + pause);
                slot.error_last.clone_from(&reason);
                Err(BrokerError::Connection(reason))
            }
        }
    }

    async fn connect(&self, settings: &Settings) -> Result<Connection, String> {
        let name = format!("{} {}", settings.options.connection_name, self.purpose);
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let tls = OwnedTLSConfig {
            identity: None,
            cert_chain: settings.options.ca_pem.clone(),
        };
        let runtime = lapin::runtime::default_runtime().map_err(|error| error.to_string())?;
        let uri = settings.uri.clone();
        let connect = Connection::connect_uri_with_config(uri, properties, tls, runtime);
        match timeout(settings.options.connect_timeout, Box::pin(connect)).await {
            Ok(connected) => connected.map_err(|error| error.to_string()),
            Err(_) => Err("it did not accept a connection in time".to_owned()),
        }
    }

    /// A new channel.
    pub(super) async fn lane(&self, settings: &Settings) -> Result<Lane, BrokerError> {
        let connection = self.connection(settings).await?;
        let channel = settings.in_time(connection.create_channel()).await;
        if channel.is_err() {
            self.forget(&connection).await;
        }
        let channel = channel?;
        Ok(Lane {
            connection,
            channel,
        })
    }

    /// Lets the next use make a new connection in place of one that is no longer trusted.
    pub(super) async fn forget(&self, connection: &Arc<Connection>) {
        let mut slot = self.slot.lock().await;
        if let Some(held) = &slot.connection
            && Arc::ptr_eq(held, connection)
        {
            slot.connection = None;
        }
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot")
            .field("connected", &self.connection.is_some())
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// How long to wait after so many failures in a row: doubled each time, of which a random half.
    fn pause(&self, failures: u32) -> Duration {
        let doubled = self
            .options
            .backoff_first
            .saturating_mul(1 << failures.min(16));
        let bounded = doubled.min(self.options.backoff_max);
        let (_, random) = self.options.ids.next().as_u64_pair();
        let thousandth = u32::try_from(random % 1000).unwrap_or_default();
        bounded / 2 + bounded / 2 * thousandth / 1000
    }

    /// Waits for an answer of the broker, not for ever.
    pub(super) async fn in_time<T>(
        &self,
        asked: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, BrokerError> {
        match timeout(self.options.answer_timeout, asked).await {
            Ok(answer) => answer.map_err(|error| broken(&error)),
            Err(_) => Err(BrokerError::Connection("no answer came in time".to_owned())),
        }
    }
}

/// What an error of lapin means. Something that does not exist or may not be used is no matter of
/// trying again; a queue without a leader is also NOT_FOUND, in other words.
pub(super) fn broken(error: &lapin::Error) -> BrokerError {
    if let ErrorKind::ProtocolError(refusal) = error.kind() {
        let text = refusal.get_message().to_string();
        if text.starts_with("NOT_FOUND - no ") || text.starts_with("ACCESS_REFUSED - ") {
            return BrokerError::Topology(text);
        }
    }
    BrokerError::Connection(error.to_string())
}
