//! The settlement service: records accepted claims, divides the money, and streams to each insurer what it owes.
//!
//! Layout, in reading order: [`service`] has the methods, [`caller`] who may call them, [`submit`] records claims,
//! `commands` book what insurers tell, [`lists`] give it back, `monitoring` sums a year up, [`subscribe`] serves a
//! stream of [`page`]s and [`token`]s, [`reason`] is every reason of an error.
//! What is booked where is decided in the domain, and kept by the store.

pub mod caller;
mod commands;
mod deadline;
pub mod lists;
mod monitoring;
mod page;
pub mod reason;
mod serve;
pub mod service;
mod snapshot;
pub mod submit;
pub mod subscribe;
pub mod token;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use caller::{Caller, Callers, ServerTls};
pub use serve::{run, run_in_process};

/// Bytes of one request.
pub const REQUEST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of one response.
pub const RESPONSE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// How the service is run.
#[derive(Clone)]
pub struct SettlementConfig {
    /// How callers are told apart.
    pub callers: Callers,
    /// Key of resume tokens: the same for every process of an environment, another for another one.
    pub token_secret: Vec<u8>,
    /// Whether the descriptors of the API are served.
    pub reflection: Reflection,
    /// Streams served at once.
    pub streams_max: usize,
    /// How long a quiet stream waits before it tells that it is alive.
    pub progress_interval: Duration,
    /// How long a subscriber may leave a full buffer unread.
    pub stall_max: Duration,
    /// How often claims that another process recorded are looked for.
    pub poll_interval: Duration,
    /// How long the listener stays open after readiness went off, for balancers to notice.
    pub lame_duck: Duration,
    /// How long calls may take to end at a shutdown, after the lame duck; what is left is left behind.
    pub shutdown_max: Duration,
}

/// Whether the descriptors of the API are served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reflection {
    /// They are.
    Served,
    /// They are not: what production wants.
    Hidden,
}

impl Default for SettlementConfig {
    /// The embedded default: loopback without a token.
    fn default() -> Self {
        Self {
            callers: Callers::Loopback { bearer: None },
            token_secret: b"samenloop".to_vec(),
            reflection: Reflection::Hidden,
            streams_max: 256,
            progress_interval: Duration::from_secs(15),
            stall_max: Duration::from_secs(30),
            poll_interval: Duration::from_millis(250),
            lame_duck: Duration::ZERO,
            shutdown_max: Duration::from_secs(10),
        }
    }
}
