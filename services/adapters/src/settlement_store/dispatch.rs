//! The contract of the settlement store: every method, once, for both databases.

use super::*;

macro_rules! both {
    ($on:expr, $store:ident => $call:expr) => {
        match $on {
            SettlementStore::Postgres($store) => $call.await,
            SettlementStore::Sqlite($store) => $call.await,
        }
    };
}

impl SettlementStore {
    /// Opens a store by its URL and brings its schema up to date, as `DecisionStore::open`.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] where a newer program wrote it.
    pub async fn open(url: &str, faults: crate::fault_plan::FaultPlan) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return sqlite::SqliteSettlementStore::open(path, faults)
                .await
                .map(Self::Sqlite);
        }
        postgres::PostgresSettlementStore::open(url, faults)
            .await
            .map(Self::Postgres)
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// [`StoreError`] where it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        both!(self, store => store.ping())
    }

    /// Records claims, journals and events in one transaction: claims known before have no effect. Positions are
    /// taken last, once per insurer, in UZOVI order. Results in the order of the claims.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was recorded.
    pub async fn record(
        &self,
        batch: SettlementBatch,
        now: Timestamp,
    ) -> Result<Vec<Recorded>, StoreError> {
        both!(self, store => store.record(batch, now))
    }

    /// Events of an insurer after a position, in order.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn events(
        &self,
        insurer: Uzovi,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        both!(self, store => store.events(insurer, after, limit))
    }

    /// Stores the position that a subscription has processed; never moves it back. Gives the position kept.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn acknowledge(
        &self,
        insurer: Uzovi,
        subscription: &str,
        position: u64,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        both!(self, store => store.acknowledge(insurer, subscription, position, now))
    }

    /// The position that a subscription has processed; 0 before the first.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn acknowledged(
        &self,
        insurer: Uzovi,
        subscription: &str,
    ) -> Result<u64, StoreError> {
        both!(self, store => store.acknowledged(insurer, subscription))
    }

    /// Every stream's last position and sum.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn stream_heads(&self) -> Result<Vec<StreamHead>, StoreError> {
        both!(self, store => store.stream_heads())
    }

    /// A claim with its parts.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn claim(&self, claim_id: &str) -> Result<Option<AllocatedClaim>, StoreError> {
        both!(self, store => store.claim(claim_id))
    }

    /// Claims of a message, in order of line.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn claims_of(
        &self,
        message_id: uuid::Uuid,
    ) -> Result<Vec<AllocatedClaim>, StoreError> {
        both!(self, store => store.claims_of(message_id))
    }

    /// The sum of every account, by account, from the lines themselves.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn balances(&self) -> Result<Vec<AccountBalance>, StoreError> {
        both!(self, store => store.balances())
    }

    /// Number of claims and of journals.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn counts(&self) -> Result<(u64, u64), StoreError> {
        both!(self, store => store.counts())
    }
}
