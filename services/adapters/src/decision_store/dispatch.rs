//! The contract of the decision store: every method, once, for both databases.

use std::collections::{BTreeMap, BTreeSet};

use samenloop_domain::{
    cents::Cents,
    coverage::{CoverageKey, Covered},
    history::CeilingKey,
    identifiers::Uzovi,
};

use super::*;

macro_rules! both {
    ($on:expr, $store:ident => $call:expr) => {
        match $on {
            DecisionStore::Postgres($store) => $call.await,
            DecisionStore::Sqlite($store) => $call.await,
        }
    };
}
pub(super) use both;

impl DecisionStore {
    /// Opens a store by its URL and brings its schema up to date: `postgres://...`, `sqlite:<path>`, or
    /// `sqlite::memory:` (called inline, without a thread).
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] where a newer program wrote it.
    pub async fn open(url: &str, faults: crate::fault_plan::FaultPlan) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return sqlite::SqliteDecisionStore::open(path, faults)
                .await
                .map(Self::Sqlite);
        }
        postgres::PostgresDecisionStore::open(url, faults)
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

    /// Locks the head and begins; every other writer of decisions waits.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn begin(&self) -> Result<DecisionTransaction, StoreError> {
        match self {
            Self::Postgres(store) => store.begin().await.map(DecisionTransaction::Postgres),
            Self::Sqlite(store) => store.begin().await.map(DecisionTransaction::Sqlite),
        }
    }

    /// Where the log stands, without locking.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn head(&self) -> Result<Head, StoreError> {
        both!(self, store => store.head())
    }

    /// Name and entry of the reference version in force; cheap, to be asked often.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn active_version(&self) -> Result<Option<(ReferenceVersion, Sequence)>, StoreError> {
        both!(self, store => store.active_version())
    }

    /// A version of the reference data.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn reference(
        &self,
        version: &ReferenceVersion,
    ) -> Result<Option<StoredReference>, StoreError> {
        both!(self, store => store.reference(version))
    }

    /// What is taken of ceilings and budgets; nothing is taken of those that are left out. Keys are at most
    /// [`CEILINGS_MAX`].
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn taken(
        &self,
        keys: &BTreeSet<CeilingKey>,
    ) -> Result<BTreeMap<CeilingKey, Cents>, StoreError> {
        assert!(keys.len() <= CEILINGS_MAX, "{} keys were asked", keys.len());
        both!(self, store => store.taken(keys))
    }

    /// Counts one more attempt at a delivery, durably, before it is worked on; gives the count.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn record_attempt(
        &self,
        stage: &str,
        fingerprint: [u8; 32],
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        both!(self, store => store.record_attempt(stage, fingerprint, now))
    }

    /// Forgets the attempts at deliveries that came through.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn clear_attempts(
        &self,
        stage: &str,
        fingerprints: &[[u8; 32]],
    ) -> Result<(), StoreError> {
        both!(self, store => store.clear_attempts(stage, fingerprints))
    }

    /// Sets deliveries aside, with the refusals that tell their senders, in one transaction. One of the same stage
    /// and fingerprint is kept once.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn quarantine(
        &self,
        deliveries: Vec<Quarantined>,
        refusals: Vec<NewOutboxRow>,
    ) -> Result<(), StoreError> {
        let deliveries: Vec<_> = deliveries.into_iter().map(Quarantined::storable).collect();
        both!(self, store => store.quarantine(deliveries, refusals))
    }

    /// Deliveries in quarantine, newest first.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn quarantined(&self, limit: u32) -> Result<Vec<Quarantined>, StoreError> {
        both!(self, store => store.quarantined(limit))
    }

    /// Deletes the sealed bodies of deliveries quarantined before `before`, at most `limit` of them, and gives how
    /// many; their rows stay, with the fingerprint.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn forget_quarantined(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        both!(self, store => store.forget_quarantined(before, limit))
    }

    /// Takes or renews a lease; false where another holder's has not run out.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn lease(&self, lease: Lease, now: Timestamp) -> Result<bool, StoreError> {
        both!(self, store => store.lease(lease, now))
    }

    /// Rows not yet sent, in order of id, beginning after `after`.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn outbox(
        &self,
        relay: Relay,
        after: i64,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        both!(self, store => store.outbox(relay, after, limit))
    }

    /// Marks rows as sent.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn mark_sent(&self, rows: &[(i64, Sent)], now: Timestamp) -> Result<(), StoreError> {
        both!(self, store => store.mark_sent(rows, now))
    }

    /// Messages that wait and whose term has passed by `now`, or that wait for nothing unknown any more.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn waiting(&self, limit: u32) -> Result<Vec<WaitingMessage>, StoreError> {
        both!(self, store => store.waiting(limit))
    }

    /// A registered message by its id.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn message(&self, message_id: Uuid) -> Result<Option<StoredMessage>, StoreError> {
        both!(self, store => store.message(message_id))
    }

    /// Messages decided last, newest first, before a sequence (for paging), at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn latest(
        &self,
        before: Option<Sequence>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        both!(self, store => store.latest(before, limit))
    }

    /// The same of those with a line to one insurer.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn latest_to(
        &self,
        insurer: Uzovi,
        before: Option<Sequence>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        both!(self, store => store.latest_to(insurer, before, limit))
    }

    /// Entries of the log after a sequence, in order: at most `limit`, and fewer where they are large
    /// ([`LOG_PAGE_BYTES_MAX`]); none only at the end.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn log_after(
        &self,
        after: Sequence,
        limit: u32,
    ) -> Result<Vec<LoggedEntry>, StoreError> {
        both!(self, store => store.log_after(after, limit))
    }

    /// Held lines after one of them, in order of line, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn held_lines(
        &self,
        filter: &ListFilter,
        after: CoverageId,
        limit: u32,
    ) -> Result<Vec<HeldLine>, StoreError> {
        both!(self, store => store.held_lines(filter, after, limit))
    }

    /// Open cases after one of them, in order of number, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn cases(
        &self,
        filter: &ListFilter,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ReviewCase>, StoreError> {
        both!(self, store => store.cases(filter, after, limit))
    }

    /// A command with its result, once it is decided.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn command(&self, id: Uuid) -> Result<Option<DecidedCommand>, StoreError> {
        both!(self, store => store.command(id))
    }

    /// One entry of the log.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn log_entry(&self, sequence: Sequence) -> Result<Option<LoggedEntry>, StoreError> {
        let before = Sequence(sequence.0.saturating_sub(1));
        let entry = self.log_after(before, 1).await?.into_iter().next();
        Ok(entry.filter(|entry| entry.sequence == sequence))
    }

    /// Counts for the operator page.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn figures(&self, now: Timestamp) -> Result<DecisionFigures, StoreError> {
        both!(self, store => store.figures(now))
    }
}

impl DecisionTransaction {
    /// Where the log stood when the lock was taken.
    #[must_use]
    pub fn head(&self) -> Head {
        match self {
            Self::Postgres(transaction) => transaction.head(),
            Self::Sqlite(transaction) => transaction.head(),
        }
    }

    /// The reference version in force, read under the lock.
    #[must_use]
    pub fn active_version(&self) -> Option<&ReferenceVersion> {
        match self {
            Self::Postgres(transaction) => transaction.active_version(),
            Self::Sqlite(transaction) => transaction.active_version(),
        }
    }

    /// What of the past the batch needs.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction is then useless.
    pub async fn load_history(&mut self, keys: &HistoryKeys) -> Result<History, StoreError> {
        match self {
            Self::Postgres(transaction) => transaction.load_history(keys).await,
            Self::Sqlite(transaction) => transaction.load_history(keys).await,
        }
    }

    /// Registered messages, to answer a resend.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction is then useless.
    pub async fn load_messages(
        &mut self,
        message_ids: &[Uuid],
    ) -> Result<Vec<StoredMessage>, StoreError> {
        match self {
            Self::Postgres(transaction) => transaction.load_messages(message_ids).await,
            Self::Sqlite(transaction) => transaction.load_messages(message_ids).await,
        }
    }

    /// A command that was decided before.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction is then useless.
    pub async fn load_command(&mut self, id: Uuid) -> Result<Option<DecidedCommand>, StoreError> {
        match self {
            Self::Postgres(transaction) => transaction.load_command(id).await,
            Self::Sqlite(transaction) => transaction.load_command(id).await,
        }
    }

    /// A case that is on the list; none once it is closed.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction is then useless.
    pub async fn load_open_case(&mut self, id: u64) -> Result<Option<ReviewCase>, StoreError> {
        match self {
            Self::Postgres(transaction) => transaction.load_open_case(id).await,
            Self::Sqlite(transaction) => transaction.load_open_case(id).await,
        }
    }

    /// Awarded coverage under these keys that has a day in their period, in order of line, at most `limit` after one.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction is then useless.
    pub async fn load_awarded(
        &mut self,
        keys: &BTreeMap<CoverageKey, Period>,
        after: CoverageId,
        limit: u32,
    ) -> Result<Vec<Covered>, StoreError> {
        match self {
            Self::Postgres(transaction) => transaction.load_awarded(keys, after, limit).await,
            Self::Sqlite(transaction) => transaction.load_awarded(keys, after, limit).await,
        }
    }

    /// Whether a chunk of existing prestaties occupies anything.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction is then useless.
    pub async fn is_import_in_force(&mut self, sequence: Sequence) -> Result<bool, StoreError> {
        match self {
            Self::Postgres(transaction) => transaction.is_import_in_force(sequence).await,
            Self::Sqlite(transaction) => transaction.is_import_in_force(sequence).await,
        }
    }

    /// Refused lines that wait for what was freed, in order of line, at most `limit` after one.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction is then useless.
    pub async fn load_excluded_by(
        &mut self,
        freed: Freed,
        after: CoverageId,
        limit: u32,
    ) -> Result<Vec<CoverageId>, StoreError> {
        match self {
            Self::Postgres(transaction) => transaction.load_excluded_by(freed, after, limit).await,
            Self::Sqlite(transaction) => transaction.load_excluded_by(freed, after, limit).await,
        }
    }

    /// Writes everything and commits. Nothing is written where it fails.
    ///
    /// # Errors
    /// [`StoreError`]; the caller decides the batch again on a new transaction.
    pub async fn commit(self, batch: DecisionBatch) -> Result<Head, StoreError> {
        match self {
            Self::Postgres(transaction) => transaction.commit(batch).await,
            Self::Sqlite(transaction) => transaction.commit(batch).await,
        }
    }
}
