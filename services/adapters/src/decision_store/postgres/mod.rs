//! DecisionStore on PostgreSQL: a transaction holds the row of the head, so every other writer waits for it.
//!
//! One statement a table, whatever the size of the batch: rows travel as arrays.

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

use deadpool_postgres::{Object, Pool};
use samenloop_domain::identifiers::Sequence;
use tokio_postgres::{Row, types::ToSql};

use super::{rows::BatchRows, words::unsigned, *};
use crate::{
    fault_plan::{FaultPlan, FaultPoint},
    migration::Migrations,
    postgres_pool,
};

const MIGRATIONS: Migrations = &[
    (
        "V1__decisions",
        include_str!("../../../migrations/decisions/postgres/V1__decisions.sql"),
    ),
    (
        "V2__reviews",
        include_str!("../../../migrations/decisions/postgres/V2__reviews.sql"),
    ),
    (
        "V4__existing_chunks",
        include_str!("../../../migrations/decisions/postgres/V4__existing_chunks.sql"),
    ),
    (
        "V5__known_part",
        include_str!("../../../migrations/decisions/postgres/V5__known_part.sql"),
    ),
    (
        "V6__quarantine_work",
        include_str!("../../../migrations/decisions/postgres/V6__quarantine_work.sql"),
    ),
    (
        "V7__awarded_coverage",
        include_str!("../../../migrations/decisions/postgres/V7__awarded_coverage.sql"),
    ),
    (
        "V8__lines_of_an_insurer",
        include_str!("../../../migrations/decisions/postgres/V8__lines_of_an_insurer.sql"),
    ),
    (
        "V9__site",
        include_str!("../../../migrations/decisions/postgres/V9__site.sql"),
    ),
    (
        "V10__standing_reviews",
        include_str!("../../../migrations/decisions/postgres/V10__standing_reviews.sql"),
    ),
];

/// The values of a statement.
type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// The store; clones share the pool.
#[derive(Clone)]
pub struct PostgresDecisionStore {
    pool: Pool,
    faults: FaultPlan,
}

impl std::fmt::Debug for PostgresDecisionStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresDecisionStore")
    }
}

impl PostgresDecisionStore {
    pub(super) async fn open(url: &str, faults: FaultPlan) -> Result<Self, StoreError> {
        let pool = postgres_pool::open(url, "decisions", MIGRATIONS).await?;
        Ok(Self { pool, faults })
    }

    pub(super) async fn begin(&self) -> Result<PostgresTransaction, StoreError> {
        let session = Session(Some(self.pool.get().await?));
        session.client().batch_execute("BEGIN").await?;
        let sql = "SELECT last_sequence, last_hash FROM decision_head FOR UPDATE";
        let row = one(session.client(), sql, &[]).await?;
        let head = read_back::head(row.get(0), row.get(1))?;
        let active = active_of(session.client()).await?;
        Ok(PostgresTransaction {
            session,
            faults: self.faults.clone(),
            head,
            active: active.map(|(version, _)| version),
        })
    }

    /// Reads; where a fault is planned for this visit, it fails instead.
    async fn query(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, StoreError> {
        self.faults.pass(FaultPoint::OnRead)?;
        let client = self.pool.get().await?;
        many(&client, sql, parameters).await
    }
}

/// A connection with an open transaction. Dropped without an end, the connection is closed, which rolls back.
struct Session(Option<Object>);

impl Session {
    fn client(&self) -> &Object {
        self.0
            .as_ref()
            .expect("a session has its connection until it ends")
    }

    /// Ends the transaction; the connection goes back to the pool.
    async fn end(mut self, sql: &str) -> Result<(), StoreError> {
        self.client().batch_execute(sql).await?;
        drop(self.0.take());
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(Object::take(connection));
        }
    }
}

/// A transaction: it holds the lock on the head.
pub struct PostgresTransaction {
    session: Session,
    faults: FaultPlan,
    head: Head,
    active: Option<ReferenceVersion>,
}

impl std::fmt::Debug for PostgresTransaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresTransaction")
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

impl PostgresTransaction {
    pub(super) fn head(&self) -> Head {
        self.head
    }

    pub(super) fn active_version(&self) -> Option<&ReferenceVersion> {
        self.active.as_ref()
    }

    pub(super) async fn load_history(&mut self, keys: &HistoryKeys) -> Result<History, StoreError> {
        self.faults.pass(FaultPoint::OnRead)?;
        history::load(self.session.client(), keys).await
    }

    pub(super) async fn load_messages(
        &mut self,
        message_ids: &[Uuid],
    ) -> Result<Vec<StoredMessage>, StoreError> {
        self.faults.pass(FaultPoint::OnRead)?;
        read::messages(self.session.client(), message_ids).await
    }

    pub(super) async fn commit(self, batch: DecisionBatch) -> Result<Head, StoreError> {
        let (rows, head) = BatchRows::of(batch, self.head)?;
        commit::write(self.session.client(), rows, head).await?;
        self.faults.pass(FaultPoint::BeforeCommit)?;
        self.session.end("COMMIT").await?;
        Ok(head)
    }
}

/// Runs a statement, prepared once per connection.
async fn many(
    client: &Object,
    sql: &str,
    parameters: Parameters<'_>,
) -> Result<Vec<Row>, StoreError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, parameters).await?)
}

async fn one(client: &Object, sql: &str, parameters: Parameters<'_>) -> Result<Row, StoreError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query_one(&statement, parameters).await?)
}

/// Runs a statement that changes rows; says how many.
async fn execute(
    client: &Object,
    sql: &str,
    parameters: Parameters<'_>,
) -> Result<u64, StoreError> {
    let statement = client.prepare_cached(sql).await?;
    Ok(client.execute(&statement, parameters).await?)
}

async fn active_of(client: &Object) -> Result<Option<(ReferenceVersion, Sequence)>, StoreError> {
    let sql = "SELECT version, sequence FROM reference_activation ORDER BY sequence DESC LIMIT 1";
    let rows = many(client, sql, &[]).await?;
    rows.first().map(read_active).transpose()
}

fn read_active(row: &Row) -> Result<(ReferenceVersion, Sequence), StoreError> {
    let version: &str = row.get(0);
    Ok((
        ReferenceVersion::new(version),
        Sequence(unsigned(row.get(1))?),
    ))
}

fn day_of(text: &str) -> Result<Day, StoreError> {
    let day = crate::wire::declaration::parse_day(text);
    day.ok_or_else(|| words::unexpected("day", text))
}
