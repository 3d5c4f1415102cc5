//! Commands, held lines and cases on SQLite.

use std::collections::BTreeMap;

use prost::Message as _;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::{SqliteDecisionStore, SqliteTransaction, standing};
use crate::decision_store::{
    read_back::{CaseColumns, HeldColumns, decided_command, line_id},
    rows::{ReviewRows, rules_text},
    words::{Word as _, micros, signed, storable},
    *,
};

/// Lines that were decided again, as they are from now on; what they occupied is freed.
pub(super) fn revise_lines(connection: &Connection, rows: &ReviewRows) -> Result<(), StoreError> {
    let mut update = connection.prepare_cached(
        "UPDATE decision
         SET verdict = ?3, awarded_cents = ?4, proposed_cents = ?5, reasons = ?6, facts = ?7,
             coverage = ?8, claim = ?9, version = ?10, seen = ?11, excluded_by_sequence = ?12,
             excluded_by_line = ?13
         WHERE sequence = ?1 AND line_number = ?2 AND version < ?10",
    )?;
    let mut free =
        connection.prepare_cached("DELETE FROM coverage WHERE sequence = ?1 AND line = ?2")?;
    for row in &rows.revisions {
        let (sequence, line) = (signed(row.id.sequence.0), signed(row.id.line));
        let updated = update.execute(params![
            sequence,
            line,
            row.verdict,
            row.awarded,
            row.proposed,
            row.reasons,
            row.facts,
            row.coverage,
            row.claim,
            row.version,
            row.seen,
            row.excluded_by.map(|id| signed(id.sequence.0)),
            row.excluded_by.map(|id| signed(id.line)),
        ])?;
        if updated != 1 {
            let failed = format!(
                "{:?} has {updated} rows before version {}",
                row.id, row.version
            );
            return Err(StoreError::Failed(failed));
        }
        free.execute([sequence, line])?;
    }
    Ok(())
}

/// Everything else that decisions by persons change; `credits` are by their originals.
pub(super) fn write(
    connection: &Connection,
    rows: &ReviewRows,
    credits: &BTreeMap<CoverageId, CoverageId>,
) -> Result<(), StoreError> {
    let now = rows.written_at.map(micros).unwrap_or_default();
    let mut release = connection.prepare_cached(
        "DELETE FROM invoice_part WHERE payee = ?1 AND invoice_number = ?2 AND part = ?3",
    )?;
    for part in &rows.released_parts {
        release.execute(params![
            part.payee.as_str(),
            part.invoice_number.as_str(),
            part.part
        ])?;
    }
    let mut wait = connection.prepare_cached(
        "UPDATE decision SET excluded_by_sequence = ?3, excluded_by_line = ?4
         WHERE sequence = ?1 AND line_number = ?2",
    )?;
    for (id, rival) in &rows.excluded_by {
        let rival_sequence = rival.map(|id| signed(id.sequence.0));
        let rival_line = rival.map(|id| signed(id.line));
        let (sequence, line) = (signed(id.sequence.0), signed(id.line));
        wait.execute(params![sequence, line, rival_sequence, rival_line])?;
    }
    let mut withdraw = connection
        .prepare_cached("DELETE FROM coverage WHERE sequence = ?1 AND state = 'imported'")?;
    for sequence in &rows.withdrawn_imports {
        withdraw.execute([signed(sequence.0)])?;
    }
    write_held(connection, rows, credits)?;
    write_commands(connection, rows)?;
    standing::write(connection, rows)?;
    close_cases(connection, rows, credits, now)?;
    open_cases(connection, rows, now)
}

fn write_held(
    connection: &Connection,
    rows: &ReviewRows,
    credits: &BTreeMap<CoverageId, CoverageId>,
) -> Result<(), StoreError> {
    let mut delete =
        connection.prepare_cached("DELETE FROM held WHERE sequence = ?1 AND line_number = ?2")?;
    let revised = rows.revisions.iter().map(|row| row.id);
    let left = revised.chain(credits.keys().copied());
    for id in left.filter(|id| !rows.held.contains_key(id)) {
        delete.execute([signed(id.sequence.0), signed(id.line)])?;
    }
    let mut upsert = connection.prepare_cached(
        "INSERT INTO held (sequence, line_number, message_id, line_reference, declarant, insurer,
             contract_id, rules, version, proposed_cents, held_since)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT DO UPDATE SET rules = excluded.rules, version = excluded.version,
             proposed_cents = excluded.proposed_cents",
    )?;
    for (id, row) in &rows.held {
        upsert.execute(params![
            signed(id.sequence.0),
            signed(id.line),
            row.message_id.as_bytes(),
            row.line_reference,
            row.declarant,
            row.insurer,
            row.contract_id,
            row.rules,
            row.version,
            row.proposed,
            micros(row.held_since),
        ])?;
    }
    Ok(())
}

fn write_commands(connection: &Connection, rows: &ReviewRows) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO command (command_id, content_digest, person, sequence, result, decided_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for row in &rows.commands {
        insert.execute(params![
            row.id.as_bytes(),
            row.content_digest,
            storable(&row.person),
            row.sequence.map(|sequence| signed(sequence.0)),
            row.result.encode_to_vec(),
            micros(row.decided_at),
        ])?;
    }
    Ok(())
}

/// A case is closed when its line is decided again or credited, when the other line of a pair goes,
/// and when a person takes it off the list.
fn close_cases(
    connection: &Connection,
    rows: &ReviewRows,
    credits: &BTreeMap<CoverageId, CoverageId>,
    now: i64,
) -> Result<(), StoreError> {
    let mut of_line = connection.prepare_cached(
        "UPDATE review_case SET closed_at = ?3
         WHERE sequence = ?1 AND line = ?2 AND closed_at IS NULL",
    )?;
    let mut of_other = connection.prepare_cached(
        "UPDATE review_case SET closed_at = ?3
         WHERE other_sequence = ?1 AND other_line = ?2 AND closed_at IS NULL
             AND kind IN ('import_pair', 'superseded')",
    )?;
    for row in &rows.revisions {
        of_line.execute(params![signed(row.id.sequence.0), signed(row.id.line), now])?;
    }
    for id in credits.keys() {
        let (sequence, line) = (signed(id.sequence.0), signed(id.line));
        of_line.execute(params![sequence, line, now])?;
        of_other.execute(params![sequence, line, now])?;
    }
    let mut of_import = connection.prepare_cached(
        "UPDATE review_case SET closed_at = ?2
         WHERE other_sequence = ?1 AND closed_at IS NULL AND kind = 'import_pair'",
    )?;
    for sequence in &rows.withdrawn_imports {
        of_import.execute(params![signed(sequence.0), now])?;
    }
    let mut dismiss = connection.prepare_cached(
        "UPDATE review_case SET closed_at = ?3, closed_by = ?2
         WHERE case_id = ?1 AND closed_at IS NULL",
    )?;
    for (case_id, command_id) in &rows.dismissed {
        dismiss.execute(params![signed(*case_id), command_id.as_bytes(), now])?;
    }
    Ok(())
}

fn open_cases(connection: &Connection, rows: &ReviewRows, now: i64) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO review_case (case_id, kind, sequence, line, other_sequence, other_line, cause,
             line_reference, declarant, insurer, contract_id, rules, opened_at)
         SELECT coalesce(max(case_id), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
         FROM review_case WHERE true
         ON CONFLICT DO NOTHING",
    )?;
    for case in &rows.cases {
        insert.execute(params![
            case.kind.word(),
            signed(case.line.sequence.0),
            signed(case.line.line),
            signed(case.other.sequence.0),
            signed(case.other.line),
            signed(case.cause.0),
            case.line_reference,
            case.declarant.as_str(),
            case.insurer,
            case.contract_id,
            rules_text(case.rules.iter().map(String::as_str)),
            now,
        ])?;
    }
    Ok(())
}

/// Conditions of a list; a parameter that is null asks nothing.
const FILTER: &str = "(?1 IS NULL OR insurer = ?1) AND (?2 IS NULL OR declarant = ?2)
    AND (?3 IS NULL OR contract_id = ?3) AND (?4 IS NULL OR instr(rules, ' ' || ?4 || ' ') > 0)";

impl SqliteDecisionStore {
    pub(in crate::decision_store) async fn held_lines(
        &self,
        filter: &ListFilter,
        after: CoverageId,
        limit: u32,
    ) -> Result<Vec<HeldLine>, StoreError> {
        let filter = filter.clone();
        let load = move |connection: &Connection| {
            let sql = format!(
                "SELECT sequence, line_number, message_id, line_reference, declarant, insurer,
                     contract_id, rules, version, proposed_cents, held_since
                 FROM held
                 WHERE {FILTER} AND (?5 IS NULL OR held_since < ?5)
                     AND (sequence, line_number) > (?6, ?7)
                 ORDER BY sequence, line_number LIMIT ?8"
            );
            let (sequence, line) = (signed(after.sequence.0), signed(after.line));
            list(
                connection,
                &sql,
                &filter,
                &[&sequence, &line, &limit],
                |row| {
                    let columns = HeldColumns {
                        line: (row.get(0)?, row.get(1)?),
                        message_id: Uuid::from_bytes(row.get(2)?),
                        line_reference: row.get(3)?,
                        declarant: row.get(4)?,
                        insurer: row.get(5)?,
                        contract_id: row.get(6)?,
                        rules: row.get(7)?,
                        version: row.get(8)?,
                        proposed: row.get(9)?,
                        held_since: row.get(10)?,
                    };
                    columns.read()
                },
            )
        };
        self.read(load).await
    }

    pub(in crate::decision_store) async fn cases(
        &self,
        filter: &ListFilter,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ReviewCase>, StoreError> {
        let filter = filter.clone();
        let load = move |connection: &Connection| {
            let sql = format!(
                "{CASES} AND {FILTER} AND (?5 IS NULL OR opened_at < ?5) AND case_id > ?6
                 ORDER BY case_id LIMIT ?7"
            );
            list(connection, &sql, &filter, &[&signed(after), &limit], case)
        };
        self.read(load).await
    }

    pub(in crate::decision_store) async fn command(
        &self,
        id: Uuid,
    ) -> Result<Option<DecidedCommand>, StoreError> {
        self.read(move |connection| command(connection, id)).await
    }
}

impl SqliteTransaction {
    pub(in crate::decision_store) async fn load_command(
        &mut self,
        id: Uuid,
    ) -> Result<Option<DecidedCommand>, StoreError> {
        let load = move |connection: &Connection| command(connection, id);
        self.store.read(load).await
    }

    pub(in crate::decision_store) async fn load_open_case(
        &mut self,
        id: u64,
    ) -> Result<Option<ReviewCase>, StoreError> {
        let load = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(&format!("{CASES} AND case_id = ?1"))?;
            let mut rows = statement.query([signed(id)])?;
            rows.next()?.map(case).transpose()
        };
        self.store.read(load).await
    }

    pub(in crate::decision_store) async fn is_import_in_force(
        &mut self,
        sequence: Sequence,
    ) -> Result<bool, StoreError> {
        let load = move |connection: &Connection| {
            let sql = "SELECT count(*) FROM (SELECT 1 FROM coverage
                 WHERE sequence = ?1 AND state = 'imported' LIMIT 1)";
            let mut statement = connection.prepare_cached(sql)?;
            let found: i64 = statement.query_row([signed(sequence.0)], |it| it.get(0))?;
            Ok(found > 0)
        };
        self.store.read(load).await
    }

    pub(in crate::decision_store) async fn load_excluded_by(
        &mut self,
        freed: Freed,
        after: CoverageId,
        limit: u32,
    ) -> Result<Vec<CoverageId>, StoreError> {
        let load = move |connection: &Connection| {
            let sql = "SELECT sequence, line_number FROM decision
                 WHERE excluded_by_sequence = ?1 AND excluded_by_line BETWEEN ?2 AND ?3
                     AND (sequence, line_number) > (?4, ?5)
                 ORDER BY sequence, line_number LIMIT ?6";
            let (sequence, first, last) = freed.bounds();
            let (after_sequence, after_line) = (signed(after.sequence.0), signed(after.line));
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![
                sequence,
                first,
                last,
                after_sequence,
                after_line,
                limit
            ])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(line_id(row.get(0)?, row.get(1)?)?);
            }
            Ok(found)
        };
        self.store.read(load).await
    }
}

/// Open cases.
const CASES: &str = "SELECT case_id, kind, sequence, line, other_sequence, other_line, cause,
        line_reference, declarant, insurer, contract_id, rules, opened_at
    FROM review_case WHERE closed_at IS NULL";

fn case(row: &Row<'_>) -> Result<ReviewCase, StoreError> {
    let columns = CaseColumns {
        id: row.get(0)?,
        kind: row.get(1)?,
        line: (row.get(2)?, row.get(3)?),
        other: (row.get(4)?, row.get(5)?),
        cause: row.get(6)?,
        line_reference: row.get(7)?,
        declarant: row.get(8)?,
        insurer: row.get(9)?,
        contract_id: row.get(10)?,
        rules: row.get(11)?,
        opened_at: row.get(12)?,
    };
    columns.read()
}

fn command(connection: &Connection, id: Uuid) -> Result<Option<DecidedCommand>, StoreError> {
    let sql = "SELECT content_digest, person, sequence, result, decided_at FROM command
         WHERE command_id = ?1";
    let read = |row: &Row<'_>| {
        let columns: (Vec<u8>, String, Option<i64>, Vec<u8>, i64) = (
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
        );
        Ok(columns)
    };
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row([id.as_bytes()], read).optional()?;
    found
        .map(|(digest, person, sequence, result, decided_at)| {
            decided_command(id, &digest, person, sequence, &result, decided_at)
        })
        .transpose()
}

/// Rows of a list: parameters are those of the filter, then `more`.
fn list<T>(
    connection: &Connection,
    sql: &str,
    filter: &ListFilter,
    more: &[&dyn ToSql],
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let since_before = filter.since_before.map(micros);
    let mut parameters: Vec<&dyn ToSql> = vec![
        &filter.insurer,
        &filter.declarant,
        &filter.contract_id,
        &filter.rule,
        &since_before,
    ];
    parameters.extend_from_slice(more);
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters.as_slice())?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}
