//! What is kept for a term only: sealed bodies of quarantined deliveries, which may hold a BSN.

use std::time::Duration;

use jiff::SignedDuration;
use samenloop_adapters::{
    clock::Clock,
    decision_store::{DecisionStore, StoreError},
    shutdown::Shutdown,
};

/// How often what has had its term is looked for.
const TICK: Duration = Duration::from_secs(3600);

/// Bodies deleted in one transaction.
const BODIES_MAX: u32 = 500;

/// Where it is kept, and for how long.
#[derive(Clone, Debug)]
pub struct Retention {
    /// The store of the quarantine.
    pub store: DecisionStore,
    /// Time.
    pub clock: Clock,
    /// Term of a sealed body.
    pub quarantine: SignedDuration,
}

impl Retention {
    /// Deletes every body that has had its term; gives how many.
    ///
    /// # Errors
    /// [`StoreError`] where the store is away; what was deleted stays so.
    pub async fn forget(&self) -> Result<u64, StoreError> {
        let Ok(before) = self.clock.now().checked_sub(self.quarantine) else {
            return Ok(0);
        };
        let mut forgotten = 0;
        loop {
            let count = self.store.forget_quarantined(before, BODIES_MAX).await?;
            forgotten += count;
            if count < u64::from(BODIES_MAX) {
                return Ok(forgotten);
            }
        }
    }
}

/// Looks once an hour until shutdown.
pub(crate) async fn run(retention: Retention, shutdown: Shutdown) {
    while !shutdown.is_cancelled() {
        match retention.forget().await {
            Ok(0) => {}
            Ok(bodies) => tracing::info!(bodies, "quarantined bodies had their term"),
            Err(error) => tracing::warn!(%error, "quarantined bodies cannot be looked at"),
        }
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}
