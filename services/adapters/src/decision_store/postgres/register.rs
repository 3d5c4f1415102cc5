//! What purchasers and the audit read.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::Object;
use samenloop_domain::{
    coverage::{CoverageKey, CoverageState, Covered},
    identifiers::Sequence,
};
use tokio_postgres::Row;

use super::{
    Parameters, PostgresDecisionStore, PostgresTransaction, Session, active_of, commit::column,
    execute, history, many, one,
};
use crate::{
    decision_store::{
        read_back::{self, cents, covered, line_id},
        register::{CoverageCursor, ExistingChunk, KeyedCoverage, Snapshot},
        words::{Word, digest, instant, micros, signed, unsigned},
        *,
    },
    fault_plan::FaultPoint,
};

impl PostgresDecisionStore {
    /// In a transaction that only reads: all its statements see one moment, and no lock is taken.
    pub(in crate::decision_store) async fn snapshot(
        &self,
        keys: &HistoryKeys,
    ) -> Result<Snapshot, StoreError> {
        self.faults.pass(FaultPoint::OnRead)?;
        let session = Session(Some(self.pool.get().await?));
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        session.client().batch_execute(begin).await?;
        let sql = "SELECT last_sequence, last_hash FROM decision_head";
        let row = one(session.client(), sql, &[]).await?;
        let snapshot = Snapshot {
            head: read_back::head(row.get(0), row.get(1))?,
            active_version: active_of(session.client())
                .await?
                .map(|(version, _)| version),
            history: history::load(session.client(), keys).await?,
        };
        session.end("COMMIT").await?;
        Ok(snapshot)
    }

    /// The index gives the order, so a page costs what it holds.
    pub(in crate::decision_store) async fn coverage_by_key(
        &self,
        after: Option<&CoverageCursor>,
        limit: u32,
    ) -> Result<Vec<KeyedCoverage>, StoreError> {
        let condition = match after {
            Some(_) => {
                "AND (coverage_key, last_day, first_day, sequence, line)
                     < ($2, $3::TEXT::DATE, $4::TEXT::DATE, $5::BIGINT, $6::BIGINT)"
            }
            None => "",
        };
        let order = "coverage_key DESC, last_day DESC, first_day DESC, sequence DESC, line DESC";
        let sql = format!(
            "SELECT c.coverage_key, c.sequence, c.line, c.state, coalesce(d.coverage, e.coverage),
                 coalesce(d.awarded_cents, e.awarded_cents)
             FROM (SELECT coverage_key, last_day, first_day, sequence, line, state FROM coverage
                   WHERE state <> 'held' {condition} ORDER BY {order} LIMIT $1) AS c
             LEFT JOIN decision AS d
                 ON c.state <> 'imported' AND d.sequence = c.sequence AND d.line_number = c.line
                    AND d.coverage IS NOT NULL
             LEFT JOIN existing AS e
                 ON c.state = 'imported' AND e.sequence = c.sequence AND e.row_number = c.line
             ORDER BY c.coverage_key DESC, c.last_day DESC, c.first_day DESC, c.sequence DESC,
                 c.line DESC"
        );
        let limit = i64::from(limit);
        let rows = match after {
            None => self.query(&sql, &[&limit]).await?,
            Some(after) => {
                let (last, first) = (after.period.last(), after.period.first());
                let (last, first) = (last.to_string(), first.to_string());
                let (sequence, line) = (signed(after.id.sequence.0), signed(after.id.line));
                self.query(&sql, &[&limit, &after.key, &last, &first, &sequence, &line])
                    .await?
            }
        };
        rows.iter().map(keyed).collect()
    }

    pub(in crate::decision_store) async fn existing_chunks(
        &self,
        before: Option<Sequence>,
        limit: u32,
    ) -> Result<Vec<ExistingChunk>, StoreError> {
        let sql = "SELECT sequence, source, file_digest, first_row, last_row, row_count,
                 awarded_cents, imported_at,
                 EXISTS (SELECT 1 FROM coverage AS v WHERE v.sequence = c.sequence AND v.state = 'imported')
             FROM existing_chunk AS c WHERE sequence < $1 ORDER BY sequence DESC LIMIT $2";
        let before = before.map_or(i64::MAX, |sequence| signed(sequence.0));
        let rows = self.query(sql, &[&before, &i64::from(limit)]).await?;
        rows.iter().map(chunk).collect()
    }
}

impl PostgresTransaction {
    pub(in crate::decision_store) async fn load_awarded(
        &mut self,
        keys: &BTreeMap<CoverageKey, Period>,
        after: CoverageId,
        limit: u32,
    ) -> Result<Vec<Covered>, StoreError> {
        self.faults.pass(FaultPoint::OnRead)?;
        let (texts, firsts, lasts) = history::coverage_keys(keys);
        let sql = "SELECT f.sequence, f.line, d.coverage
             FROM (SELECT DISTINCT c.sequence, c.line
                   FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[]) AS k (coverage_key, first_day, last_day)
                   JOIN coverage AS c
                       ON c.coverage_key = k.coverage_key AND c.last_day >= k.first_day::DATE
                          AND c.first_day <= k.last_day::DATE AND c.state = 'awarded'
                   WHERE (c.sequence, c.line) > ($4, $5)
                   ORDER BY c.sequence, c.line LIMIT $6) AS f
             JOIN decision AS d
                 ON d.sequence = f.sequence AND d.line_number = f.line AND d.coverage IS NOT NULL
             ORDER BY f.sequence, f.line";
        let (sequence, line) = (signed(after.sequence.0), signed(after.line));
        let limit = i64::from(limit);
        let client = self.session.client();
        let values: Parameters<'_> = &[&texts, &firsts, &lasts, &sequence, &line, &limit];
        let rows = many(client, sql, values).await?;
        let read = |row: &Row| {
            let id = line_id(row.get(0), row.get(1))?;
            covered(id, CoverageState::Awarded, row.get(2))
        };
        rows.iter().map(read).collect()
    }

    pub(in crate::decision_store) async fn imported_rows(
        &mut self,
        file_digest: [u8; 32],
        first_row: u64,
        last_row: u64,
    ) -> Result<BTreeSet<u64>, StoreError> {
        self.faults.pass(FaultPoint::OnRead)?;
        let sql = "SELECT e.row_number FROM existing_chunk AS c
             JOIN existing AS e ON e.sequence = c.sequence
             WHERE c.file_digest = $1 AND c.first_row <= $3 AND c.last_row >= $2
                 AND e.row_number BETWEEN $2 AND $3
                     AND EXISTS (SELECT 1 FROM coverage AS v
                                 WHERE v.sequence = c.sequence AND v.state = 'imported')";
        let (first, last) = (signed(first_row), signed(last_row));
        let client = self.session.client();
        let rows = many(client, sql, &[&file_digest.as_slice(), &first, &last]).await?;
        rows.iter().map(|row| unsigned(row.get(0))).collect()
    }
}

/// Notes which rows of which file the entries of a batch imported.
pub(super) async fn write_chunks(
    client: &Object,
    chunks: &[ExistingChunk],
) -> Result<(), StoreError> {
    if chunks.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO existing_chunk (sequence, source, file_digest, first_row, last_row,
             row_count, awarded_cents, imported_at)
         SELECT * FROM unnest($1::BIGINT[], $2::TEXT[], $3::BYTEA[], $4::BIGINT[], $5::BIGINT[],
             $6::BIGINT[], $7::BIGINT[], $8::BIGINT[])";
    let sequences = column(chunks, |it| signed(it.sequence.0));
    let sources = column(chunks, |it| it.source.as_str());
    let digests = column(chunks, |it| it.file_digest.as_slice());
    let firsts = column(chunks, |it| signed(it.first_row));
    let lasts = column(chunks, |it| signed(it.last_row));
    let counts = column(chunks, |it| signed(it.row_count));
    let awarded = column(chunks, |it| it.awarded_cents);
    let instants = column(chunks, |it| micros(it.imported_at));
    execute(
        client,
        sql,
        &[
            &sequences, &sources, &digests, &firsts, &lasts, &counts, &awarded, &instants,
        ],
    )
    .await?;
    Ok(())
}

fn chunk(row: &Row) -> Result<ExistingChunk, StoreError> {
    Ok(ExistingChunk {
        sequence: Sequence(unsigned(row.get(0))?),
        source: row.get(1),
        file_digest: digest(row.get(2))?,
        first_row: unsigned(row.get(3))?,
        last_row: unsigned(row.get(4))?,
        row_count: unsigned(row.get(5))?,
        awarded_cents: row.get(6),
        imported_at: instant(row.get(7))?,
        in_force: row.get(8),
    })
}

fn keyed(row: &Row) -> Result<KeyedCoverage, StoreError> {
    let id = line_id(row.get(1), row.get(2))?;
    Ok(KeyedCoverage {
        key: row.get(0),
        covered: covered(id, CoverageState::read(row.get(3))?, row.get(4))?,
        awarded: cents(row.get(5))?,
    })
}
