//! Detection: the only writer of decisions and outcomes. Any number of it may run; the lock on the head of the log
//! lets one decide at a time.
//!
//! Layout: [`handle`] decides batches, `deciding` is one as it grows, `commands` carries out what persons ask, `freed`
//! looks at what a line leaves behind; [`record`](mod@record) makes what the store writes;
//! [`change`] and [`existing`] write the other entries of the log (reference data, imports); [`check`] decides without
//! writing, and [`funding`] serves that; [`retention`] deletes what is kept for a term only.

pub mod change;
pub mod check;
mod commands;
mod deciding;
pub mod existing;
mod freed;
pub mod funding;
pub mod handle;
pub mod record;
pub mod retention;

use std::{sync::Arc, time::Duration};

use samenloop_adapters::{
    broker::Queue,
    consume::{self, ConsumeContext},
    outbox::{self, Destination, RelayContext},
    shutdown::Shutdown,
};

pub use commands::CommandHandler;
pub use handle::DetectionHandler;
pub use retention::Retention;

/// How often messages that wait are looked at.
const WAITING_TICK: Duration = Duration::from_secs(1);

/// Consumes `validated` and `commands`, releases what waits, deletes what is kept for a term, and runs both relays of
/// the outbox, until shutdown.
pub async fn run(
    context: ConsumeContext,
    handler: DetectionHandler,
    retention: Retention,
    relay: RelayContext,
    destinations: [Destination; 2],
    shutdown: Shutdown,
) {
    let handler = Arc::new(handler);
    let [first, second] = destinations;
    let commands = context.clone();
    tokio::join!(
        consume::run(
            context,
            Queue::Validated,
            Arc::clone(&handler),
            shutdown.clone()
        ),
        consume::run(
            commands,
            Queue::Commands,
            Arc::new(CommandHandler(Arc::clone(&handler))),
            shutdown.clone()
        ),
        release_waiting(handler, shutdown.clone()),
        retention::run(retention, shutdown.clone()),
        outbox::run(relay.clone(), first, shutdown.clone()),
        outbox::run(relay, second, shutdown.clone()),
    );
}

/// Decides messages that wait for nothing any more, or have waited long enough.
async fn release_waiting(handler: Arc<DetectionHandler>, shutdown: Shutdown) {
    while !shutdown.is_cancelled() {
        if let Err(error) = handler.decide_waiting().await {
            tracing::warn!(%error, "messages that wait cannot be looked at");
        }
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(WAITING_TICK) => {}
        }
    }
}
