//! The settlement store on SQLite: rows one by one through prepared statements, which is its fast path.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use tokio::time::Instant;

use super::{
    commands::{Effect, Executed, Facts, NewCommand},
    execute::{add_to_balances, execute},
    lists,
    rows::{
        ClaimKey, ClaimRow, NewEvent, Unit, claim_rows, counted, decode, journal_keys, judge,
        keys_used, lines, new_events, new_rows, signed, units, unsigned, uzovi,
    },
    statements::{OnSqlite, at_once},
    *,
};
use crate::{
    fault_plan::{FaultPlan, FaultPoint},
    migration::Migrations,
    sqlite::{Sqlite, check_time},
};

const MIGRATIONS: Migrations = &[
    (
        "V1__claims_journals_events",
        include_str!("../../migrations/settlement/sqlite/V1__claims_journals_events.sql"),
    ),
    (
        "V2__money",
        include_str!("../../migrations/settlement/sqlite/V2__money.sql"),
    ),
    (
        "V3__credits",
        include_str!("../../migrations/settlement/sqlite/V3__credits.sql"),
    ),
    (
        "V5__stream_floor",
        include_str!("../../migrations/settlement/sqlite/V5__stream_floor.sql"),
    ),
];

/// The store; clones share the database.
#[derive(Clone, Debug)]
pub struct SqliteSettlementStore {
    database: Sqlite,
    faults: FaultPlan,
    /// Until when its work is wanted.
    deadline: Option<Instant>,
}

impl SqliteSettlementStore {
    pub(super) async fn open(path: &str, faults: FaultPlan) -> Result<Self, StoreError> {
        let database = Sqlite::open(path, MIGRATIONS).await?;
        Ok(Self {
            database,
            faults,
            deadline: None,
        })
    }

    pub(super) fn until(&self, deadline: Option<Instant>) -> Self {
        Self {
            deadline,
            ..self.clone()
        }
    }

    pub(super) async fn ping(&self) -> Result<(), StoreError> {
        self.read(|connection| Ok(connection.query_row("SELECT 1", [], |_| Ok(()))?))
            .await
    }

    pub(super) async fn record(
        &self,
        batch: SettlementBatch,
        now: Timestamp,
    ) -> Result<Vec<Recorded>, StoreError> {
        let rows = claim_rows(&batch)?;
        self.write(move |transaction| record(transaction, &batch, &rows, now))
            .await
    }

    /// Executes a command of an insurer.
    pub(super) async fn execute<E: Send + 'static>(
        &self,
        command: NewCommand,
        now: Timestamp,
        decide: impl FnOnce(&Facts) -> Result<Effect, E> + Send + 'static,
    ) -> Result<Executed<E>, StoreError> {
        let (faults, deadline) = (self.faults.clone(), self.deadline);
        self.database
            .call_until(deadline, move |connection| {
                let transaction =
                    connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let executed = at_once(execute(&OnSqlite(&transaction), &command, now, decide))?;
                if matches!(executed, Executed::Done(_)) {
                    check_time(deadline)?;
                    faults.pass(FaultPoint::BeforeCommit)?;
                    transaction.commit()?;
                } else {
                    transaction.rollback()?;
                }
                Ok(executed)
            })
            .await
    }

    pub(super) async fn rebuild(&self) -> Result<(), StoreError> {
        self.write(|transaction| at_once(lists::rebuild(&OnSqlite(transaction))))
            .await
    }

    pub(super) async fn prune(&self, before: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let prune = move |transaction: &Transaction<'_>| {
            at_once(snapshot::prune(&OnSqlite(transaction), before, now))
        };
        self.write(prune).await
    }

    pub(super) async fn acknowledge(
        &self,
        insurer: Uzovi,
        subscription: &str,
        position: u64,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let (name, position) = (subscription.to_owned(), signed(position)?);
        self.write(move |transaction| {
            let kept = transaction.query_row(
                "INSERT INTO subscription (insurer, name, position, acknowledged_us)
                 VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (insurer, name) DO UPDATE SET
                     position = max(position, excluded.position),
                     acknowledged_us = excluded.acknowledged_us
                 RETURNING position",
                params![insurer.as_str(), name, position, now.as_microsecond()],
                |row| row.get(0),
            )?;
            unsigned(kept)
        })
        .await
    }

    pub(super) async fn acknowledged(
        &self,
        insurer: Uzovi,
        subscription: &str,
    ) -> Result<u64, StoreError> {
        let name = subscription.to_owned();
        self.read(move |connection| {
            let kept = connection
                .query_row(
                    "SELECT position FROM subscription WHERE insurer = ?1 AND name = ?2",
                    params![insurer.as_str(), name],
                    |row| row.get(0),
                )
                .optional()?;
            unsigned(kept.unwrap_or_default())
        })
        .await
    }

    pub(super) async fn stream_heads(&self) -> Result<Vec<StreamHead>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT insurer, position, cents FROM stream_head ORDER BY insurer",
            )?;
            let mut rows = statement.query([])?;
            let mut heads = Vec::new();
            while let Some(row) = rows.next()? {
                heads.push(StreamHead {
                    insurer: uzovi(&row.get::<_, String>(0)?)?,
                    position: unsigned(row.get(1)?)?,
                    cents: row.get(2)?,
                });
            }
            Ok(heads)
        })
        .await
    }

    pub(super) async fn claim(&self, claim_id: &str) -> Result<Option<AllocatedClaim>, StoreError> {
        let Some(ClaimKey { unit, line_number }) = ClaimKey::parse(claim_id) else {
            return Ok(None);
        };
        self.read(move |connection| {
            let body: Option<Vec<u8>> = connection
                .query_row(
                    "SELECT body FROM claim
                     WHERE sequence = ?1 AND version = ?2 AND line_number = ?3",
                    params![unit.sequence, unit.version, line_number],
                    |row| row.get(0),
                )
                .optional()?;
            body.as_deref().map(decode).transpose()
        })
        .await
    }

    pub(super) async fn claims_of(
        &self,
        message_id: uuid::Uuid,
    ) -> Result<Vec<AllocatedClaim>, StoreError> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT body FROM claim WHERE message_id = ?1
                 ORDER BY sequence, version, line_number",
            )?;
            let mut rows = statement.query([message_id.to_string()])?;
            let mut claims = Vec::new();
            while let Some(row) = rows.next()? {
                let body = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
                claims.push(decode(body)?);
            }
            Ok(claims)
        })
        .await
    }

    pub(super) async fn balances(&self) -> Result<Vec<AccountBalance>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT account, sum(cents) FROM posting GROUP BY account ORDER BY account",
            )?;
            let balance = |row: &rusqlite::Row<'_>| {
                Ok(AccountBalance {
                    account: row.get(0)?,
                    cents: row.get(1)?,
                })
            };
            let balances: Result<Vec<_>, _> = statement.query_map([], balance)?.collect();
            Ok(balances?)
        })
        .await
    }

    pub(super) async fn counts(&self) -> Result<(u64, u64), StoreError> {
        self.read(|connection| {
            let (claims, journals) = connection.query_row(
                "SELECT (SELECT count(*) FROM claim), (SELECT count(*) FROM journal)",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            Ok((unsigned(claims)?, unsigned(journals)?))
        })
        .await
    }

    pub(super) async fn read<R: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.faults.pass(FaultPoint::OnRead)?;
        let read = move |connection: &mut Connection| read(connection);
        self.database.call_until(self.deadline, read).await
    }

    async fn write<R: Send + 'static>(
        &self,
        write: impl FnOnce(&Transaction<'_>) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (faults, deadline) = (self.faults.clone(), self.deadline);
        self.database
            .call_until(deadline, move |connection| {
                let transaction =
                    connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let result = write(&transaction)?;
                check_time(deadline)?;
                faults.pass(FaultPoint::BeforeCommit)?;
                transaction.commit()?;
                Ok(result)
            })
            .await
    }
}

fn record(
    transaction: &Transaction<'_>,
    batch: &SettlementBatch,
    rows: &[ClaimRow],
    now: Timestamp,
) -> Result<Vec<Recorded>, StoreError> {
    let judged = judge(rows, &stored_digests(transaction, rows)?);
    let new = new_rows(rows, &judged);
    insert_claims(transaction, &new, now)?;
    let units: BTreeSet<Unit> = new.iter().map(|row| row.key.unit).collect();
    let mut booked = Vec::new();
    for (key, journal) in journal_keys(batch)?.into_iter().zip(&batch.journals) {
        if units.contains(&key.0) {
            insert_journal(transaction, key, journal, now)?;
            booked.push(journal);
        }
    }
    for (insurer, events) in new_events(&new) {
        insert_events(transaction, insurer, &events)?;
    }
    let on = OnSqlite(transaction);
    at_once(add_to_balances(&on, lines(booked.into_iter())))?;
    insert_keys(transaction, &new)?;
    Ok(judged)
}

/// Digests of every stored claim of the messages of `rows`.
fn stored_digests(
    transaction: &Transaction<'_>,
    rows: &[ClaimRow],
) -> Result<BTreeMap<ClaimKey, Vec<u8>>, StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT line_number, content_digest FROM claim WHERE sequence = ?1 AND version = ?2",
    )?;
    let mut stored = BTreeMap::new();
    for unit in units(rows) {
        let mut found = statement.query(params![unit.sequence, unit.version])?;
        while let Some(row) = found.next()? {
            let line_number = row.get(0)?;
            stored.insert(ClaimKey { unit, line_number }, row.get(1)?);
        }
    }
    Ok(stored)
}

fn insert_claims(
    transaction: &Transaction<'_>,
    rows: &[&ClaimRow],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO claim (sequence, version, line_number, message_id, insurer, awarded_cents,
             content_digest, body, recorded_at_us, reverses)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for row in rows {
        statement.execute(params![
            row.key.unit.sequence,
            row.key.unit.version,
            row.key.line_number,
            row.message_id.to_string(),
            row.insurer.as_str(),
            row.awarded_cents,
            row.content_digest,
            row.body,
            now.as_microsecond(),
            row.reverses,
        ])?;
    }
    Ok(())
}

/// The postings, then the journal that closes them.
fn insert_journal(
    transaction: &Transaction<'_>,
    (unit, insurer): (Unit, Uzovi),
    journal: &Journal,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO posting (sequence, version, insurer, account, cents)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for posting in &journal.postings {
        statement.execute(params![
            unit.sequence,
            unit.version,
            insurer.as_str(),
            posting.account,
            posting.cents.get(),
        ])?;
    }
    let mut statement = transaction.prepare_cached(
        "INSERT INTO journal (sequence, version, insurer, posting_count, currency, recorded_at_us)
         VALUES (?1, ?2, ?3, ?4, 'EUR', ?5)",
    )?;
    statement.execute(params![
        unit.sequence,
        unit.version,
        insurer.as_str(),
        counted(journal.postings.len()),
        now.as_microsecond(),
    ])?;
    Ok(())
}

/// Takes positions for an insurer's events and writes them.
fn insert_events(
    transaction: &Transaction<'_>,
    insurer: Uzovi,
    events: &[NewEvent<'_>],
) -> Result<(), StoreError> {
    let mut head = transaction.prepare_cached(
        "INSERT INTO stream_head (insurer, position, cents) VALUES (?1, ?2, ?3)
         ON CONFLICT (insurer) DO UPDATE SET
             position = position + excluded.position, cents = cents + excluded.cents
         RETURNING position",
    )?;
    let count = counted(events.len());
    let sum: i64 = events.iter().map(|event| event.cents).sum();
    let last: i64 = head.query_row(params![insurer.as_str(), count, sum], |row| row.get(0))?;
    let mut statement = transaction.prepare_cached(
        "INSERT INTO event (insurer, position, sequence, version, line_number, cents, payee,
             contract_id, first_day, last_day)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for (position, NewEvent { row, cents }) in (last - count + 1..).zip(events) {
        let [payee, contract_id, first_day, last_day] = &row.listed;
        statement.execute(params![
            insurer.as_str(),
            position,
            row.key.unit.sequence,
            row.key.unit.version,
            row.key.line_number,
            cents,
            payee,
            contract_id,
            first_day,
            last_day,
        ])?;
    }
    Ok(())
}

/// The keys that claims were split by, where they are new.
fn insert_keys(transaction: &Transaction<'_>, rows: &[&ClaimRow]) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO allocation_key (insurer, contract_id, region, year, digest, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
    )?;
    for ((insurer, digest), key) in keys_used(rows) {
        let of = params![
            insurer.as_str(),
            key.contract_id,
            key.region,
            key.year,
            digest,
            key.body
        ];
        statement.execute(of)?;
    }
    Ok(())
}
