//! Validation: reads each declaration, judges it on its own against the reference data in force, and passes it on
//! with what was found. It answers no declaration and keeps no state but the quarantine; any number of it may run.

pub mod handle;

use std::sync::Arc;

use samenloop_adapters::{
    broker::Queue,
    consume::{self, ConsumeContext},
    shutdown::Shutdown,
};

pub use handle::ValidationHandler;

/// Consumes `declarations` until shutdown.
pub async fn run(context: ConsumeContext, handler: ValidationHandler, shutdown: Shutdown) {
    consume::run(context, Queue::Declarations, Arc::new(handler), shutdown).await;
}
