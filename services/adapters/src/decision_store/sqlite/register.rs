//! What purchasers and the audit read.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Row, params};
use samenloop_domain::{
    coverage::{CoverageKey, CoverageState, Covered},
    identifiers::Sequence,
};

use super::{SqliteDecisionStore, SqliteTransaction, active_of, head_of, history, read::collect};
use crate::decision_store::{
    read_back::{cents, covered, line_id},
    register::{CoverageCursor, ExistingChunk, KeyedCoverage, Snapshot},
    words::{Word, digest, instant, micros, signed, unsigned},
    *,
};

impl SqliteDecisionStore {
    /// One call of the connection: nothing is written within it.
    pub(in crate::decision_store) async fn snapshot(
        &self,
        keys: &HistoryKeys,
    ) -> Result<Snapshot, StoreError> {
        let keys = keys.clone();
        self.read(move |connection| {
            Ok(Snapshot {
                head: head_of(connection)?,
                active_version: active_of(connection)?.map(|(version, _)| version),
                history: history::load(connection, &keys)?,
            })
        })
        .await
    }

    pub(in crate::decision_store) async fn coverage_by_key(
        &self,
        after: Option<&CoverageCursor>,
        limit: u32,
    ) -> Result<Vec<KeyedCoverage>, StoreError> {
        let after = after.cloned();
        self.read(move |connection| coverage_by_key(connection, after.as_ref(), limit))
            .await
    }

    pub(in crate::decision_store) async fn existing_chunks(
        &self,
        before: Option<Sequence>,
        limit: u32,
    ) -> Result<Vec<ExistingChunk>, StoreError> {
        self.read(move |connection| {
            let before = before.map_or(i64::MAX, |sequence| signed(sequence.0));
            let mut statement = connection.prepare_cached(
                "SELECT sequence, source, file_digest, first_row, last_row, row_count,
                     awarded_cents, imported_at,
                     EXISTS (SELECT 1 FROM coverage AS v WHERE v.sequence = c.sequence AND v.state = 'imported')
                 FROM existing_chunk AS c WHERE sequence < ?1 ORDER BY sequence DESC LIMIT ?2",
            )?;
            collect(statement.query(params![before, limit])?, chunk)
        })
        .await
    }
}

impl SqliteTransaction {
    pub(in crate::decision_store) async fn load_awarded(
        &mut self,
        keys: &BTreeMap<CoverageKey, Period>,
        after: CoverageId,
        limit: u32,
    ) -> Result<Vec<Covered>, StoreError> {
        let keys = history::coverage_keys(keys);
        let load = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(
                "SELECT f.sequence, f.line, d.coverage
                 FROM (SELECT DISTINCT c.sequence, c.line
                       FROM json_each(?1) AS k
                       CROSS JOIN coverage AS c INDEXED BY coverage_awarded
                           ON c.coverage_key = k.value ->> 0 AND c.last_day >= k.value ->> 1
                              AND c.first_day <= k.value ->> 2
                       WHERE c.state = 'awarded' AND (c.sequence, c.line) > (?2, ?3)
                       ORDER BY c.sequence, c.line LIMIT ?4) AS f
                 JOIN decision AS d
                     ON d.sequence = f.sequence AND d.line_number = f.line AND d.coverage IS NOT NULL
                 ORDER BY f.sequence, f.line",
            )?;
            let (sequence, line) = (signed(after.sequence.0), signed(after.line));
            let rows = statement.query(params![keys, sequence, line, limit])?;
            collect(rows, |row| {
                let (id, bytes): (_, Vec<u8>) = (line_id(row.get(0)?, row.get(1)?)?, row.get(2)?);
                covered(id, CoverageState::Awarded, &bytes)
            })
        };
        self.store.read(load).await
    }

    pub(in crate::decision_store) async fn imported_rows(
        &mut self,
        file_digest: [u8; 32],
        first_row: u64,
        last_row: u64,
    ) -> Result<BTreeSet<u64>, StoreError> {
        let load = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(
                "SELECT e.row_number FROM existing_chunk AS c
                 CROSS JOIN existing AS e ON e.sequence = c.sequence
                 WHERE c.file_digest = ?1 AND c.first_row <= ?3 AND c.last_row >= ?2
                     AND e.row_number BETWEEN ?2 AND ?3
                     AND EXISTS (SELECT 1 FROM coverage AS v
                                 WHERE v.sequence = c.sequence AND v.state = 'imported')",
            )?;
            let (first, last) = (signed(first_row), signed(last_row));
            let rows = statement.query(params![file_digest, first, last])?;
            let rows = collect(rows, |row| unsigned(row.get(0)?))?;
            Ok(rows.into_iter().collect())
        };
        self.store.read(load).await
    }
}

/// Notes which rows of which file the entries of a batch imported.
pub(super) fn write_chunks(
    connection: &Connection,
    chunks: &[ExistingChunk],
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO existing_chunk (sequence, source, file_digest, first_row, last_row, row_count,
             awarded_cents, imported_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for chunk in chunks {
        insert.execute(params![
            signed(chunk.sequence.0),
            chunk.source,
            chunk.file_digest,
            signed(chunk.first_row),
            signed(chunk.last_row),
            signed(chunk.row_count),
            chunk.awarded_cents,
            micros(chunk.imported_at),
        ])?;
    }
    Ok(())
}

fn chunk(row: &Row<'_>) -> Result<ExistingChunk, StoreError> {
    let kept: Vec<u8> = row.get(2)?;
    Ok(ExistingChunk {
        sequence: Sequence(unsigned(row.get(0)?)?),
        source: row.get(1)?,
        file_digest: digest(&kept)?,
        first_row: unsigned(row.get(3)?)?,
        last_row: unsigned(row.get(4)?)?,
        row_count: unsigned(row.get(5)?)?,
        awarded_cents: row.get(6)?,
        imported_at: instant(row.get(7)?)?,
        in_force: row.get(8)?,
    })
}

/// The index gives the order, so a page costs what it holds.
fn coverage_by_key(
    connection: &Connection,
    after: Option<&CoverageCursor>,
    limit: u32,
) -> Result<Vec<KeyedCoverage>, StoreError> {
    let condition = match after {
        Some(_) => "AND (coverage_key, last_day, first_day, sequence, line) < (?2, ?3, ?4, ?5, ?6)",
        None => "",
    };
    let sql = format!(
        "SELECT c.coverage_key, c.sequence, c.line, c.state, coalesce(d.coverage, e.coverage),
             coalesce(d.awarded_cents, e.awarded_cents)
         FROM (SELECT coverage_key, last_day, first_day, sequence, line, state
               FROM coverage INDEXED BY coverage_by_key
               WHERE state <> 'held' {condition}
               ORDER BY coverage_key DESC, last_day DESC, first_day DESC, sequence DESC, line DESC
               LIMIT ?1) AS c
         LEFT JOIN decision AS d
             ON c.state <> 'imported' AND d.sequence = c.sequence AND d.line_number = c.line
                AND d.coverage IS NOT NULL
         LEFT JOIN existing AS e
             ON c.state = 'imported' AND e.sequence = c.sequence AND e.row_number = c.line
         ORDER BY c.coverage_key DESC, c.last_day DESC, c.first_day DESC, c.sequence DESC,
             c.line DESC"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = match after {
        None => statement.query([limit])?,
        Some(after) => statement.query(params![
            limit,
            after.key,
            after.period.last().to_string(),
            after.period.first().to_string(),
            signed(after.id.sequence.0),
            signed(after.id.line),
        ])?,
    };
    collect(rows, |row| {
        let (state, bytes): (String, Vec<u8>) = (row.get(3)?, row.get(4)?);
        let id = line_id(row.get(1)?, row.get(2)?)?;
        Ok(KeyedCoverage {
            key: row.get(0)?,
            covered: covered(id, CoverageState::read(&state)?, &bytes)?,
            awarded: cents(row.get(5)?)?,
        })
    })
}
