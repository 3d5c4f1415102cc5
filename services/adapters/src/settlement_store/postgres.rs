//! The settlement store on PostgreSQL: one statement a table, whatever the size of the batch.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::{Client, GenericClient, Pool, Transaction};
use tokio::time::Instant;
use tokio_postgres::{Row, types::ToSql};

use super::{
    commands::{Effect, Executed, Facts, NewCommand},
    execute::{balance_changes, execute},
    lists,
    rows::{
        ClaimKey, ClaimRow, NewEvent, Unit, claim_rows, counted, decode, journal_keys, judge,
        keys_used, lines, new_events, new_rows, signed, units, unsigned, uzovi,
    },
    statements::OnPostgres,
    *,
};
use crate::{
    fault_plan::{FaultPlan, FaultPoint},
    migration::Migrations,
    postgres_pool,
};

const MIGRATIONS: Migrations = &[
    (
        "V1__claims_journals_events",
        include_str!("../../migrations/settlement/postgres/V1__claims_journals_events.sql"),
    ),
    (
        "V2__money",
        include_str!("../../migrations/settlement/postgres/V2__money.sql"),
    ),
    (
        "V3__credits",
        include_str!("../../migrations/settlement/postgres/V3__credits.sql"),
    ),
    (
        "V5__stream_floor",
        include_str!("../../migrations/settlement/postgres/V5__stream_floor.sql"),
    ),
];

/// How often a batch is tried that loses the race with the same messages in another one; the second time it sees them.
const ATTEMPTS_MAX: u32 = 3;

/// The store; clones share the pool.
#[derive(Clone)]
pub struct PostgresSettlementStore {
    pool: Pool,
    faults: FaultPlan,
    /// Until when its work is wanted.
    deadline: Option<Instant>,
}

impl std::fmt::Debug for PostgresSettlementStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresSettlementStore")
    }
}

type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

impl PostgresSettlementStore {
    pub(super) async fn open(url: &str, faults: FaultPlan) -> Result<Self, StoreError> {
        let pool = postgres_pool::open(url, "settlement", MIGRATIONS).await?;
        Ok(Self {
            pool,
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

    /// Lets no statement of a transaction, nor a wait of one for a lock, go on beyond the deadline.
    pub(super) async fn bound(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let Some(deadline) = self.deadline else {
            return Ok(());
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let left = left.min(postgres_pool::STATEMENT_TIMEOUT).as_millis();
        // Nothing would mean without a bound.
        let sql = format!("SET LOCAL statement_timeout = {}", left.max(1));
        Ok(transaction.batch_execute(&sql).await?)
    }

    pub(super) async fn ping(&self) -> Result<(), StoreError> {
        self.query("SELECT 1", &[]).await.map(drop)
    }

    pub(super) async fn record(
        &self,
        batch: SettlementBatch,
        now: Timestamp,
    ) -> Result<Vec<Recorded>, StoreError> {
        let rows = claim_rows(&batch)?;
        for _ in 0..ATTEMPTS_MAX {
            let mut client = self.pool.get().await?;
            let transaction = client.transaction().await?;
            self.bound(&transaction).await?;
            let Some(recorded) = record(&transaction, &batch, &rows, now).await? else {
                transaction.rollback().await?;
                continue;
            };
            self.faults.pass(FaultPoint::BeforeCommit)?;
            transaction.commit().await?;
            return Ok(recorded);
        }
        let message = "the same claims are recorded by another transaction again and again";
        Err(StoreError::Unavailable(message.to_owned()))
    }

    /// Executes a command of an insurer.
    pub(super) async fn execute<E>(
        &self,
        command: NewCommand,
        now: Timestamp,
        decide: impl FnOnce(&Facts) -> Result<Effect, E>,
    ) -> Result<Executed<E>, StoreError> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        self.bound(&transaction).await?;
        let executed = execute(&OnPostgres(&transaction), &command, now, decide).await?;
        if matches!(executed, Executed::Done(_)) {
            self.faults.pass(FaultPoint::BeforeCommit)?;
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        Ok(executed)
    }

    /// A client whose transaction sees one state of the books.
    pub(super) async fn reader(&self) -> Result<Client, StoreError> {
        self.faults.pass(FaultPoint::OnRead)?;
        Ok(self.pool.get().await?)
    }

    pub(super) async fn rebuild(&self) -> Result<(), StoreError> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        // Whoever has written postings and not their balances yet adds to them afterwards.
        transaction
            .batch_execute("LOCK TABLE balance IN EXCLUSIVE MODE")
            .await?;
        lists::rebuild(&OnPostgres(&transaction)).await?;
        self.faults.pass(FaultPoint::BeforeCommit)?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn prune(&self, before: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        snapshot::prune(&OnPostgres(&transaction), before, now).await?;
        self.faults.pass(FaultPoint::BeforeCommit)?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn acknowledge(
        &self,
        insurer: Uzovi,
        subscription: &str,
        position: u64,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        self.bound(&transaction).await?;
        let sql = "INSERT INTO subscription AS s (insurer, name, position, acknowledged_us)
             VALUES ($1::TEXT, $2, $3, $4)
             ON CONFLICT (insurer, name) DO UPDATE SET
                 position = greatest(s.position, excluded.position),
                 acknowledged_us = excluded.acknowledged_us
             RETURNING position";
        let parameters: Parameters<'_> = &[
            &insurer.as_str(),
            &subscription,
            &signed(position)?,
            &now.as_microsecond(),
        ];
        let statement = transaction.prepare_cached(sql).await?;
        let kept = transaction.query_one(&statement, parameters).await?.get(0);
        self.faults.pass(FaultPoint::BeforeCommit)?;
        transaction.commit().await?;
        unsigned(kept)
    }

    pub(super) async fn acknowledged(
        &self,
        insurer: Uzovi,
        subscription: &str,
    ) -> Result<u64, StoreError> {
        let sql = "SELECT position FROM subscription WHERE insurer = $1 AND name = $2";
        let rows = self.query(sql, &[&insurer.as_str(), &subscription]).await?;
        unsigned(rows.first().map_or(0, |row| row.get(0)))
    }

    pub(super) async fn stream_heads(&self) -> Result<Vec<StreamHead>, StoreError> {
        let sql = "SELECT insurer::text, position, cents FROM stream_head ORDER BY insurer";
        let rows = self.query(sql, &[]).await?;
        let head = |row: &Row| {
            Ok(StreamHead {
                insurer: uzovi(row.get(0))?,
                position: unsigned(row.get(1))?,
                cents: row.get(2),
            })
        };
        rows.iter().map(head).collect()
    }

    pub(super) async fn claim(&self, claim_id: &str) -> Result<Option<AllocatedClaim>, StoreError> {
        let Some(ClaimKey { unit, line_number }) = ClaimKey::parse(claim_id) else {
            return Ok(None);
        };
        let sql = "SELECT body FROM claim
             WHERE sequence = $1 AND version = $2 AND line_number = $3";
        let parameters: Parameters<'_> = &[&unit.sequence, &unit.version, &line_number];
        let rows = self.query(sql, parameters).await?;
        rows.first().map(|row| decode(row.get(0))).transpose()
    }

    pub(super) async fn claims_of(
        &self,
        message_id: uuid::Uuid,
    ) -> Result<Vec<AllocatedClaim>, StoreError> {
        let sql = "SELECT body FROM claim WHERE message_id = $1
             ORDER BY sequence, version, line_number";
        let rows = self.query(sql, &[&message_id]).await?;
        rows.iter().map(|row| decode(row.get(0))).collect()
    }

    pub(super) async fn balances(&self) -> Result<Vec<AccountBalance>, StoreError> {
        let sql = "SELECT account, sum(cents)::BIGINT FROM posting
             GROUP BY account ORDER BY account";
        let rows = self.query(sql, &[]).await?;
        let balance = |row: &Row| AccountBalance {
            account: row.get(0),
            cents: row.get(1),
        };
        Ok(rows.iter().map(balance).collect())
    }

    pub(super) async fn counts(&self) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT (SELECT count(*) FROM claim), (SELECT count(*) FROM journal)";
        let rows = self.query(sql, &[]).await?;
        let row = rows.first().expect("a select without a table has one row");
        Ok((unsigned(row.get(0))?, unsigned(row.get(1))?))
    }

    async fn query(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, StoreError> {
        let mut client = self.reader().await?;
        if self.deadline.is_some() {
            let transaction = client.transaction().await?;
            self.bound(&transaction).await?;
            let statement = transaction.prepare_cached(sql).await?;
            let rows = transaction.query(&statement, parameters).await?;
            transaction.commit().await?;
            return Ok(rows);
        }
        let statement = client.prepare_cached(sql).await?;
        Ok(client.query(&statement, parameters).await?)
    }
}

/// Nothing where another transaction recorded some of the same messages meanwhile.
async fn record(
    transaction: &Transaction<'_>,
    batch: &SettlementBatch,
    rows: &[ClaimRow],
    now: Timestamp,
) -> Result<Option<Vec<Recorded>>, StoreError> {
    let judged = judge(rows, &stored_digests(transaction, rows).await?);
    let mut new = new_rows(rows, &judged);
    if new.is_empty() {
        return Ok(Some(judged));
    }
    let events = new_events(&new);
    // In order of key, so that of two transactions with the same messages one waits, and never each for the other.
    new.sort_by_key(|row| row.key);
    if insert_claims(transaction, &new, now).await? < counted(new.len()) {
        return Ok(None);
    }
    let units: BTreeSet<Unit> = new.iter().map(|row| row.key.unit).collect();
    let journals: Vec<_> = journal_keys(batch)?
        .into_iter()
        .zip(&batch.journals)
        .filter(|((unit, _), _)| units.contains(unit))
        .collect();
    if !insert_journals(transaction, &journals, now).await? {
        return Ok(None);
    }
    let last = take_positions(transaction, &events).await?;
    insert_events(transaction, &events, &last).await?;
    // Under the locks on the streams: whoever changes a balance holds that of its insurer.
    add_to_balances(transaction, journals.iter().map(|(_, journal)| *journal)).await?;
    insert_keys(transaction, &new).await?;
    Ok(Some(judged))
}

/// Digests of every stored claim of the messages of `rows`.
async fn stored_digests(
    transaction: &Transaction<'_>,
    rows: &[ClaimRow],
) -> Result<BTreeMap<ClaimKey, Vec<u8>>, StoreError> {
    let units = units(rows);
    let sequences: Vec<i64> = units.iter().map(|unit| unit.sequence).collect();
    let versions: Vec<i64> = units.iter().map(|unit| unit.version).collect();
    let sql = "SELECT sequence, version, line_number, content_digest
         FROM unnest($1::BIGINT[], $2::BIGINT[]) AS m (sequence, version)
         JOIN claim USING (sequence, version)";
    let statement = transaction.prepare_cached(sql).await?;
    let found = transaction
        .query(&statement, &[&sequences, &versions])
        .await?;
    let stored = found.iter().map(|row| {
        let unit = Unit {
            sequence: row.get(0),
            version: row.get(1),
        };
        let line_number = row.get(2);
        (ClaimKey { unit, line_number }, row.get(3))
    });
    Ok(stored.collect())
}

/// How many of them were not there yet.
async fn insert_claims(
    transaction: &Transaction<'_>,
    rows: &[&ClaimRow],
    now: Timestamp,
) -> Result<i64, StoreError> {
    let sequences: Vec<i64> = rows.iter().map(|row| row.key.unit.sequence).collect();
    let versions: Vec<i64> = rows.iter().map(|row| row.key.unit.version).collect();
    let lines: Vec<i64> = rows.iter().map(|row| row.key.line_number).collect();
    let messages: Vec<uuid::Uuid> = rows.iter().map(|row| row.message_id).collect();
    let insurers: Vec<&str> = rows.iter().map(|row| row.insurer.as_str()).collect();
    let awarded: Vec<i64> = rows.iter().map(|row| row.awarded_cents).collect();
    let digests: Vec<&[u8]> = rows.iter().map(|row| &row.content_digest[..]).collect();
    let bodies: Vec<&[u8]> = rows.iter().map(|row| &row.body[..]).collect();
    let reverses: Vec<Option<&str>> = rows.iter().map(|row| row.reverses.as_deref()).collect();
    let sql = "INSERT INTO claim (sequence, version, line_number, message_id, insurer,
             awarded_cents, content_digest, body, reverses, recorded_at_us)
         SELECT *, $10::BIGINT FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::UUID[],
             $5::TEXT[], $6::BIGINT[], $7::BYTEA[], $8::BYTEA[], $9::TEXT[])
         ON CONFLICT DO NOTHING";
    let statement = transaction.prepare_cached(sql).await?;
    let parameters: Parameters<'_> = &[
        &sequences,
        &versions,
        &lines,
        &messages,
        &insurers,
        &awarded,
        &digests,
        &bodies,
        &reverses,
        &now.as_microsecond(),
    ];
    let inserted = transaction.execute(&statement, parameters).await?;
    signed(inserted)
}

/// The postings, then the journals that close them. False where another transaction closed one of them meanwhile.
async fn insert_journals(
    transaction: &Transaction<'_>,
    journals: &[((Unit, Uzovi), &Journal)],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut postings: [Vec<i64>; 3] = Default::default();
    let (mut insurers, mut accounts) = (Vec::new(), Vec::new());
    for ((unit, insurer), journal) in journals {
        for posting in &journal.postings {
            let numbers = [unit.sequence, unit.version, posting.cents.get()];
            for (column, number) in postings.iter_mut().zip(numbers) {
                column.push(number);
            }
            insurers.push(insurer.as_str());
            accounts.push(posting.account.as_str());
        }
    }
    let [sequences, versions, cents] = &postings;
    let sql = "INSERT INTO posting (sequence, version, insurer, account, cents)
         SELECT * FROM unnest($1::BIGINT[], $2::BIGINT[], $3::TEXT[], $4::TEXT[], $5::BIGINT[])
         ON CONFLICT DO NOTHING";
    let statement = transaction.prepare_cached(sql).await?;
    let parameters: Parameters<'_> = &[sequences, versions, &insurers, &accounts, cents];
    let inserted = transaction.execute(&statement, parameters).await?;
    if signed(inserted)? < counted(accounts.len()) {
        return Ok(false);
    }
    let column = |number: fn(&Unit, &Journal) -> i64| -> Vec<i64> {
        let number = |((unit, _), journal): &((Unit, Uzovi), &Journal)| number(unit, journal);
        journals.iter().map(number).collect()
    };
    let sequences = column(|unit, _| unit.sequence);
    let versions = column(|unit, _| unit.version);
    let counts = column(|_, journal| counted(journal.postings.len()));
    let insurers: Vec<&str> = journals.iter().map(|((_, i), _)| i.as_str()).collect();
    let sql = "INSERT INTO journal (sequence, version, insurer, posting_count, currency,
             recorded_at_us)
         SELECT *, 'EUR', $5::BIGINT
         FROM unnest($1::BIGINT[], $2::BIGINT[], $3::TEXT[], $4::BIGINT[])
         ON CONFLICT DO NOTHING";
    let statement = transaction.prepare_cached(sql).await?;
    let now = now.as_microsecond();
    let parameters: Parameters<'_> = &[&sequences, &versions, &insurers, &counts, &now];
    let inserted = transaction.execute(&statement, parameters).await?;
    Ok(signed(inserted)? == counted(journals.len()))
}

/// Takes the positions of all events, and locks each stream until the end of the transaction; the last of each.
async fn take_positions(
    transaction: &Transaction<'_>,
    events: &BTreeMap<Uzovi, Vec<NewEvent<'_>>>,
) -> Result<BTreeMap<Uzovi, i64>, StoreError> {
    let insurers: Vec<&str> = events.keys().map(Uzovi::as_str).collect();
    let counts: Vec<i64> = events
        .values()
        .map(|events| counted(events.len()))
        .collect();
    let sum = |events: &Vec<NewEvent<'_>>| events.iter().map(|event| event.cents).sum();
    let sums: Vec<i64> = events.values().map(sum).collect();
    // Rows are inserted, and so locked, in the order of the select: always that of UZOVI numbers.
    let sql = "INSERT INTO stream_head AS h (insurer, position, cents)
         SELECT * FROM unnest($1::TEXT[], $2::BIGINT[], $3::BIGINT[]) AS n (insurer, position, cents)
         ORDER BY n.insurer COLLATE \"C\"
         ON CONFLICT (insurer) DO UPDATE SET
             position = h.position + excluded.position, cents = h.cents + excluded.cents
         RETURNING insurer::text, position";
    let statement = transaction.prepare_cached(sql).await?;
    let parameters: Parameters<'_> = &[&insurers, &counts, &sums];
    let rows = transaction.query(&statement, parameters).await?;
    let last = |row: &Row| Ok((uzovi(row.get(0))?, row.get(1)));
    rows.iter().map(last).collect()
}

async fn insert_events(
    transaction: &Transaction<'_>,
    events: &BTreeMap<Uzovi, Vec<NewEvent<'_>>>,
    last: &BTreeMap<Uzovi, i64>,
) -> Result<(), StoreError> {
    let mut columns: [Vec<i64>; 5] = Default::default();
    let mut insurers = Vec::new();
    let mut listed: [Vec<&str>; 4] = Default::default();
    for (insurer, events) in events {
        let last = last.get(insurer).expect("each stream gave a position");
        for (position, event) in (last - counted(events.len()) + 1..).zip(events) {
            let NewEvent { row, cents } = *event;
            let Unit { sequence, version } = row.key.unit;
            let numbers = [position, sequence, version, row.key.line_number, cents];
            for (column, number) in columns.iter_mut().zip(numbers) {
                column.push(number);
            }
            for (column, text) in listed.iter_mut().zip(&row.listed) {
                column.push(text);
            }
            insurers.push(insurer.as_str());
        }
    }
    let [positions, sequences, versions, lines, cents] = &columns;
    let [payees, contracts, first_days, last_days] = &listed;
    let sql = "INSERT INTO event (insurer, position, sequence, version, line_number, cents, payee,
             contract_id, first_day, last_day)
         SELECT * FROM unnest($1::TEXT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[],
             $5::BIGINT[], $6::BIGINT[], $7::TEXT[], $8::TEXT[], $9::TEXT[], $10::TEXT[])";
    let statement = transaction.prepare_cached(sql).await?;
    let parameters: Parameters<'_> = &[
        &insurers, positions, sequences, versions, lines, cents, payees, contracts, first_days,
        last_days,
    ];
    transaction.execute(&statement, parameters).await?;
    Ok(())
}

/// Adds the lines of journals to the balances of their accounts, in one order for everybody.
async fn add_to_balances<'a>(
    transaction: &Transaction<'_>,
    journals: impl Iterator<Item = &'a Journal>,
) -> Result<(), StoreError> {
    let (mut insurers, mut accounts) = (Vec::new(), Vec::new());
    let (mut cents, mut counts) = (Vec::new(), Vec::new());
    let changes = balance_changes(lines(journals));
    for ((insurer, account), (sum, count)) in &changes {
        insurers.push(insurer.as_str());
        accounts.push(*account);
        cents.push(*sum);
        counts.push(*count);
    }
    let sql = "INSERT INTO balance AS b (insurer, account, cents, posting_count)
         SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::BIGINT[], $4::BIGINT[])
         ON CONFLICT (insurer, account) DO UPDATE SET
             cents = b.cents + excluded.cents,
             posting_count = b.posting_count + excluded.posting_count";
    let statement = transaction.prepare_cached(sql).await?;
    let parameters: Parameters<'_> = &[&insurers, &accounts, &cents, &counts];
    transaction.execute(&statement, parameters).await?;
    Ok(())
}

/// The keys that claims were split by, where they are new.
async fn insert_keys(transaction: &Transaction<'_>, rows: &[&ClaimRow]) -> Result<(), StoreError> {
    let (mut insurers, mut years, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
    let mut texts: [Vec<&str>; 3] = Default::default();
    let keys = keys_used(rows);
    for ((insurer, _), key) in &keys {
        insurers.push(insurer.as_str());
        for (column, text) in texts
            .iter_mut()
            .zip([&key.contract_id, &key.region, &key.digest])
        {
            column.push(text);
        }
        years.push(key.year);
        bodies.push(&*key.body);
    }
    let [contracts, regions, digests] = &texts;
    let sql = "INSERT INTO allocation_key (insurer, contract_id, region, digest, year, body)
         SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::BIGINT[],
             $6::BYTEA[])
         ON CONFLICT DO NOTHING";
    let statement = transaction.prepare_cached(sql).await?;
    let parameters: Parameters<'_> = &[&insurers, contracts, regions, digests, &years, &bodies];
    transaction.execute(&statement, parameters).await?;
    Ok(())
}
