//! DecisionStore on SQLite: one connection, one writer at a time.
//!
//! A transaction stays open on the connection between its calls; whatever else writes waits for it. What reads
//! meanwhile sees nothing of it, because its rows are written and committed in one call.

mod commit;
mod history;
mod quarantine;
mod read;
mod register;
mod review;
mod search;
mod site;
mod standing;
mod write;

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};
use samenloop_domain::identifiers::Sequence;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{rows::BatchRows, words::unsigned, *};
use crate::{
    fault_plan::{FaultPlan, FaultPoint},
    migration::Migrations,
    sqlite::Sqlite,
};

const MIGRATIONS: Migrations = &[
    (
        "V1__decisions",
        include_str!("../../../migrations/decisions/sqlite/V1__decisions.sql"),
    ),
    (
        "V2__reviews",
        include_str!("../../../migrations/decisions/sqlite/V2__reviews.sql"),
    ),
    (
        "V4__existing_chunks",
        include_str!("../../../migrations/decisions/sqlite/V4__existing_chunks.sql"),
    ),
    (
        "V5__known_part",
        include_str!("../../../migrations/decisions/sqlite/V5__known_part.sql"),
    ),
    (
        "V6__quarantine_work",
        include_str!("../../../migrations/decisions/sqlite/V6__quarantine_work.sql"),
    ),
    (
        "V7__awarded_coverage",
        include_str!("../../../migrations/decisions/sqlite/V7__awarded_coverage.sql"),
    ),
    (
        "V8__lines_of_an_insurer",
        include_str!("../../../migrations/decisions/sqlite/V8__lines_of_an_insurer.sql"),
    ),
    (
        "V9__site",
        include_str!("../../../migrations/decisions/sqlite/V9__site.sql"),
    ),
    (
        "V10__standing_reviews",
        include_str!("../../../migrations/decisions/sqlite/V10__standing_reviews.sql"),
    ),
];

/// The store.
#[derive(Clone, Debug)]
pub struct SqliteDecisionStore {
    database: Sqlite,
    /// Held by whoever writes, from begin to commit.
    writer: Arc<Mutex<()>>,
    faults: FaultPlan,
}

impl SqliteDecisionStore {
    pub(super) async fn open(path: &str, faults: FaultPlan) -> Result<Self, StoreError> {
        let database = Sqlite::open(path, MIGRATIONS).await?;
        let writer = Arc::new(Mutex::new(()));
        Ok(Self {
            database,
            writer,
            faults,
        })
    }

    pub(super) async fn begin(&self) -> Result<SqliteTransaction, StoreError> {
        let writer = Arc::clone(&self.writer).lock_owned().await;
        let begin = |connection: &mut Connection| {
            roll_back_what_was_dropped(connection)?;
            connection.execute_batch("BEGIN IMMEDIATE")?;
            Ok((head_of(connection)?, active_of(connection)?))
        };
        let (head, active) = self.database.call(begin).await?;
        Ok(SqliteTransaction {
            store: self.clone(),
            _writer: writer,
            head,
            active: active.map(|(version, _)| version),
        })
    }

    /// Reads; where a fault is planned for this visit, it fails instead.
    async fn read<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.faults.pass(FaultPoint::OnRead)?;
        self.database.call(|connection| work(connection)).await
    }

    /// Writes in a transaction of its own, that waits for the one of detection.
    async fn write<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let _writer = self.writer.lock().await;
        let write = |connection: &mut Connection| {
            roll_back_what_was_dropped(connection)?;
            let behavior = rusqlite::TransactionBehavior::Immediate;
            let transaction = connection.transaction_with_behavior(behavior)?;
            let written = work(&transaction)?;
            transaction.commit()?;
            Ok(written)
        };
        self.database.call(write).await
    }
}

/// A transaction: it holds the writer, and the write lock of the file.
#[derive(Debug)]
pub struct SqliteTransaction {
    store: SqliteDecisionStore,
    _writer: OwnedMutexGuard<()>,
    head: Head,
    active: Option<ReferenceVersion>,
}

impl SqliteTransaction {
    pub(super) fn head(&self) -> Head {
        self.head
    }

    pub(super) fn active_version(&self) -> Option<&ReferenceVersion> {
        self.active.as_ref()
    }

    pub(super) async fn load_history(&mut self, keys: &HistoryKeys) -> Result<History, StoreError> {
        let keys = keys.clone();
        let load = move |connection: &Connection| history::load(connection, &keys);
        self.store.read(load).await
    }

    pub(super) async fn load_messages(
        &mut self,
        message_ids: &[Uuid],
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let ids = message_ids.to_vec();
        let load = move |connection: &Connection| read::messages(connection, &ids);
        self.store.read(load).await
    }

    pub(super) async fn commit(self, batch: DecisionBatch) -> Result<Head, StoreError> {
        let (rows, head) = BatchRows::of(batch, self.head)?;
        let faults = self.store.faults.clone();
        let commit = move |connection: &mut Connection| {
            let open = RollBackOnDrop(connection);
            if open.0.is_autocommit() {
                // SQLite rolls back by itself where the disk fails.
                let gone = "the transaction was rolled back by the database";
                return Err(StoreError::Unavailable(gone.to_owned()));
            }
            commit::write(open.0, rows, head)?;
            faults.pass(FaultPoint::BeforeCommit)?;
            open.0.execute_batch("COMMIT")?;
            Ok(head)
        };
        self.store.database.call(commit).await
    }
}

/// Rolls a transaction back that was not committed, also where a panic ends it.
struct RollBackOnDrop<'a>(&'a Connection);

impl Drop for RollBackOnDrop<'_> {
    fn drop(&mut self) {
        if let Err(error) = roll_back_what_was_dropped(self.0) {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }
}

/// A transaction that was dropped stays open on the connection until the next one begins.
fn roll_back_what_was_dropped(connection: &Connection) -> Result<(), StoreError> {
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    Ok(())
}

fn head_of(connection: &Connection) -> Result<Head, StoreError> {
    let sql = "SELECT last_sequence, last_hash FROM decision_head";
    let (sequence, hash): (i64, Vec<u8>) =
        (connection.prepare_cached(sql)?).query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    read_back::head(sequence, &hash)
}

fn active_of(connection: &Connection) -> Result<Option<(ReferenceVersion, Sequence)>, StoreError> {
    let sql = "SELECT version, sequence FROM reference_activation ORDER BY sequence DESC LIMIT 1";
    let found: Option<(String, i64)> = (connection.prepare_cached(sql)?)
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let read = |(version, sequence): (String, i64)| {
        let sequence = Sequence(unsigned(sequence)?);
        Ok((ReferenceVersion::new(version), sequence))
    };
    found.map(read).transpose()
}

fn day_of(text: &str) -> Result<Day, StoreError> {
    let day = crate::wire::declaration::parse_day(text);
    day.ok_or_else(|| words::unexpected("day", text))
}
