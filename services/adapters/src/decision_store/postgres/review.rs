//! Commands, held lines and cases on PostgreSQL.

use deadpool_postgres::Object;
use prost::Message as _;
use tokio_postgres::{Row, types::ToSql};

use super::{
    PostgresDecisionStore, PostgresTransaction, commit::column, execute, many, one, standing,
};
use crate::{
    decision_store::{
        read_back::{CaseColumns, HeldColumns, decided_command, line_id},
        rows::{ReviewRows, rules_text},
        words::{Word as _, micros, signed, storable},
        *,
    },
    fault_plan::FaultPoint,
};

/// Lines that were decided again, as they are from now on; what they occupied is freed.
pub(super) async fn revise_lines(client: &Object, rows: &ReviewRows) -> Result<(), StoreError> {
    // One line may be revised twice in a batch: in order, each with a statement of its own.
    let sql = "UPDATE decision
         SET verdict = $3, awarded_cents = $4, proposed_cents = $5, reasons = $6, facts = $7,
             coverage = $8, claim = $9, version = $10, seen = $11, excluded_by_sequence = $12,
             excluded_by_line = $13
         WHERE sequence = $1 AND line_number = $2 AND version < $10";
    for row in &rows.revisions {
        let (sequence, line) = (signed(row.id.sequence.0), signed(row.id.line));
        let updated = execute(
            client,
            sql,
            &[
                &sequence,
                &line,
                &row.verdict,
                &row.awarded,
                &row.proposed,
                &row.reasons,
                &row.facts,
                &row.coverage,
                &row.claim,
                &i64::from(row.version),
                &row.seen,
                &row.excluded_by.map(|id| signed(id.sequence.0)),
                &row.excluded_by.map(|id| signed(id.line)),
            ],
        )
        .await?;
        if updated != 1 {
            let failed = format!(
                "{:?} has {updated} rows before version {}",
                row.id, row.version
            );
            return Err(StoreError::Failed(failed));
        }
    }
    let ids: Vec<CoverageId> = rows.revisions.iter().map(|row| row.id).collect();
    delete_lines(client, "coverage", "line", &ids).await
}

/// Deletes the rows of lines from a table.
async fn delete_lines(
    client: &Object,
    table: &str,
    line_column: &str,
    ids: &[CoverageId],
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM {table} AS t USING unnest($1::BIGINT[], $2::BIGINT[]) AS k (sequence, line)
         WHERE t.sequence = k.sequence AND t.{line_column} = k.line"
    );
    let sequences = column(ids, |id| signed(id.sequence.0));
    let lines = column(ids, |id| signed(id.line));
    execute(client, &sql, &[&sequences, &lines]).await?;
    Ok(())
}

/// Everything else that decisions by persons change; `credits` are originals and what credits them.
pub(super) async fn write(
    client: &Object,
    rows: &ReviewRows,
    credits: &[(CoverageId, CoverageId)],
) -> Result<(), StoreError> {
    let now = rows.written_at.map(micros).unwrap_or_default();
    let sql = "DELETE FROM invoice_part WHERE payee = $1 AND invoice_number = $2 AND part = $3";
    for part in &rows.released_parts {
        let (payee, number) = (part.payee.as_str(), part.invoice_number.as_str());
        execute(client, sql, &[&payee, &number, &i64::from(part.part)]).await?;
    }
    write_excluded_by(client, rows).await?;
    let sql = "DELETE FROM coverage WHERE sequence = $1 AND state = 'imported'";
    for sequence in &rows.withdrawn_imports {
        execute(client, sql, &[&signed(sequence.0)]).await?;
    }
    write_held(client, rows, credits).await?;
    write_commands(client, rows).await?;
    standing::write(client, rows).await?;
    close_cases(client, rows, credits, now).await?;
    open_cases(client, rows, now).await
}

async fn write_excluded_by(client: &Object, rows: &ReviewRows) -> Result<(), StoreError> {
    if rows.excluded_by.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = rows.excluded_by.iter().collect();
    let sql = "UPDATE decision AS d
         SET excluded_by_sequence = k.by_sequence, excluded_by_line = k.by_line
         FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[])
             AS k (sequence, line, by_sequence, by_line)
         WHERE d.sequence = k.sequence AND d.line_number = k.line";
    let sequences = column(&rows, |(id, _)| signed(id.sequence.0));
    let lines = column(&rows, |(id, _)| signed(id.line));
    let by_sequences = column(&rows, |(_, rival)| rival.map(|id| signed(id.sequence.0)));
    let by_lines = column(&rows, |(_, rival)| rival.map(|id| signed(id.line)));
    execute(client, sql, &[&sequences, &lines, &by_sequences, &by_lines]).await?;
    Ok(())
}

async fn write_held(
    client: &Object,
    rows: &ReviewRows,
    credits: &[(CoverageId, CoverageId)],
) -> Result<(), StoreError> {
    let revised = rows.revisions.iter().map(|row| row.id);
    let left = revised.chain(credits.iter().map(|(original, _)| *original));
    let left: Vec<CoverageId> = left.filter(|id| !rows.held.contains_key(id)).collect();
    delete_lines(client, "held", "line_number", &left).await?;
    if rows.held.is_empty() {
        return Ok(());
    }
    let held: Vec<_> = rows.held.iter().collect();
    let sql = "INSERT INTO held (sequence, line_number, message_id, line_reference, declarant,
             insurer, contract_id, rules, version, proposed_cents, held_since)
         SELECT * FROM unnest($1::BIGINT[], $2::BIGINT[], $3::UUID[], $4::TEXT[], $5::TEXT[],
             $6::TEXT[], $7::TEXT[], $8::TEXT[], $9::BIGINT[], $10::BIGINT[], $11::BIGINT[])
         ON CONFLICT (sequence, line_number) DO UPDATE SET rules = excluded.rules,
             version = excluded.version, proposed_cents = excluded.proposed_cents";
    let sequences = column(&held, |(id, _)| signed(id.sequence.0));
    let lines = column(&held, |(id, _)| signed(id.line));
    let messages = column(&held, |(_, row)| row.message_id);
    let references = column(&held, |(_, row)| row.line_reference.as_str());
    let declarants = column(&held, |(_, row)| row.declarant.as_str());
    let insurers = column(&held, |(_, row)| row.insurer.as_str());
    let contracts = column(&held, |(_, row)| row.contract_id.as_str());
    let rules = column(&held, |(_, row)| row.rules.as_str());
    let versions = column(&held, |(_, row)| i64::from(row.version));
    let proposed = column(&held, |(_, row)| row.proposed);
    let since = column(&held, |(_, row)| micros(row.held_since));
    execute(
        client,
        sql,
        &[
            &sequences,
            &lines,
            &messages,
            &references,
            &declarants,
            &insurers,
            &contracts,
            &rules,
            &versions,
            &proposed,
            &since,
        ],
    )
    .await?;
    Ok(())
}

async fn write_commands(client: &Object, rows: &ReviewRows) -> Result<(), StoreError> {
    if rows.commands.is_empty() {
        return Ok(());
    }
    let rows = &rows.commands;
    let sql =
        "INSERT INTO command (command_id, content_digest, person, sequence, result, decided_at)
         SELECT * FROM unnest($1::UUID[], $2::BYTEA[], $3::TEXT[], $4::BIGINT[], $5::BYTEA[],
             $6::BIGINT[])";
    let ids = column(rows, |row| row.id);
    let digests = column(rows, |row| row.content_digest.as_slice());
    let persons = column(rows, |row| storable(&row.person));
    let sequences = column(rows, |row| row.sequence.map(|sequence| signed(sequence.0)));
    let results = column(rows, |row| row.result.encode_to_vec());
    let instants = column(rows, |row| micros(row.decided_at));
    execute(
        client,
        sql,
        &[&ids, &digests, &persons, &sequences, &results, &instants],
    )
    .await?;
    Ok(())
}

/// A case is closed when its line is decided again or credited, when the other line of a pair goes,
/// and when a person takes it off the list.
async fn close_cases(
    client: &Object,
    rows: &ReviewRows,
    credits: &[(CoverageId, CoverageId)],
    now: i64,
) -> Result<(), StoreError> {
    let of_line = "UPDATE review_case SET closed_at = $3
         WHERE sequence = $1 AND line = $2 AND closed_at IS NULL";
    let of_other = "UPDATE review_case SET closed_at = $3
         WHERE other_sequence = $1 AND other_line = $2 AND closed_at IS NULL
             AND kind IN ('import_pair', 'superseded')";
    for row in &rows.revisions {
        let (sequence, line) = (signed(row.id.sequence.0), signed(row.id.line));
        execute(client, of_line, &[&sequence, &line, &now]).await?;
    }
    for (id, _) in credits {
        let (sequence, line) = (signed(id.sequence.0), signed(id.line));
        execute(client, of_line, &[&sequence, &line, &now]).await?;
        execute(client, of_other, &[&sequence, &line, &now]).await?;
    }
    let of_import = "UPDATE review_case SET closed_at = $2
         WHERE other_sequence = $1 AND closed_at IS NULL AND kind = 'import_pair'";
    for sequence in &rows.withdrawn_imports {
        execute(client, of_import, &[&signed(sequence.0), &now]).await?;
    }
    let dismiss = "UPDATE review_case SET closed_at = $3, closed_by = $2
         WHERE case_id = $1 AND closed_at IS NULL";
    for (case_id, command_id) in &rows.dismissed {
        execute(client, dismiss, &[&signed(*case_id), command_id, &now]).await?;
    }
    Ok(())
}

async fn open_cases(client: &Object, rows: &ReviewRows, now: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO review_case (case_id, kind, sequence, line, other_sequence, other_line,
             cause, line_reference, declarant, insurer, contract_id, rules, opened_at)
         SELECT (SELECT coalesce(max(case_id), 0) FROM review_case) + k.place, k.kind, k.sequence,
             k.line, k.other_sequence, k.other_line, k.cause, k.line_reference, k.declarant,
             k.insurer, k.contract_id, k.rules, $12
         FROM unnest($1::TEXT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[],
             $6::BIGINT[], $7::TEXT[], $8::TEXT[], $9::TEXT[], $10::TEXT[], $11::TEXT[])
             WITH ORDINALITY AS k (kind, sequence, line, other_sequence, other_line, cause,
                 line_reference, declarant, insurer, contract_id, rules, place)
         ON CONFLICT DO NOTHING";
    if rows.cases.is_empty() {
        return Ok(());
    }
    let cases = &rows.cases;
    let kinds = column(cases, |case| case.kind.word());
    let sequences = column(cases, |case| signed(case.line.sequence.0));
    let lines = column(cases, |case| signed(case.line.line));
    let other_sequences = column(cases, |case| signed(case.other.sequence.0));
    let other_lines = column(cases, |case| signed(case.other.line));
    let causes = column(cases, |case| signed(case.cause.0));
    let references = column(cases, |case| case.line_reference.as_str());
    let declarants = column(cases, |case| case.declarant.to_string());
    let insurers = column(cases, |case| case.insurer.as_str());
    let contracts = column(cases, |case| case.contract_id.as_str());
    let rules = column(cases, |case| {
        rules_text(case.rules.iter().map(String::as_str))
    });
    execute(
        client,
        sql,
        &[
            &kinds,
            &sequences,
            &lines,
            &other_sequences,
            &other_lines,
            &causes,
            &references,
            &declarants,
            &insurers,
            &contracts,
            &rules,
            &now,
        ],
    )
    .await?;
    Ok(())
}

/// Conditions of a list; a parameter that is null asks nothing.
const FILTER: &str = "($1::TEXT IS NULL OR insurer = $1) AND ($2::TEXT IS NULL OR declarant = $2)
    AND ($3::TEXT IS NULL OR contract_id = $3)
    AND ($4::TEXT IS NULL OR strpos(rules, ' ' || $4 || ' ') > 0)";

impl PostgresDecisionStore {
    pub(in crate::decision_store) async fn held_lines(
        &self,
        filter: &ListFilter,
        after: CoverageId,
        limit: u32,
    ) -> Result<Vec<HeldLine>, StoreError> {
        let sql = format!(
            "SELECT sequence, line_number, message_id, line_reference, declarant, insurer,
                 contract_id, rules, version, proposed_cents, held_since
             FROM held
             WHERE {FILTER} AND ($5::BIGINT IS NULL OR held_since < $5)
                 AND (sequence, line_number) > ($6, $7)
             ORDER BY sequence, line_number LIMIT $8"
        );
        let (sequence, line) = (signed(after.sequence.0), signed(after.line));
        let more: [&(dyn ToSql + Sync); 3] = [&sequence, &line, &i64::from(limit)];
        let rows = self.list(&sql, filter, &more).await?;
        let read = |row: &Row| {
            let columns = HeldColumns {
                line: (row.get(0), row.get(1)),
                message_id: row.get(2),
                line_reference: row.get(3),
                declarant: row.get(4),
                insurer: row.get(5),
                contract_id: row.get(6),
                rules: row.get(7),
                version: row.get(8),
                proposed: row.get(9),
                held_since: row.get(10),
            };
            columns.read()
        };
        rows.iter().map(read).collect()
    }

    pub(in crate::decision_store) async fn cases(
        &self,
        filter: &ListFilter,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ReviewCase>, StoreError> {
        let sql = format!(
            "{CASES} AND {FILTER} AND ($5::BIGINT IS NULL OR opened_at < $5) AND case_id > $6
             ORDER BY case_id LIMIT $7"
        );
        let more: [&(dyn ToSql + Sync); 2] = [&signed(after), &i64::from(limit)];
        let rows = self.list(&sql, filter, &more).await?;
        rows.iter().map(case).collect()
    }

    pub(in crate::decision_store) async fn command(
        &self,
        id: Uuid,
    ) -> Result<Option<DecidedCommand>, StoreError> {
        let rows = self.query(COMMAND, &[&id]).await?;
        rows.first().map(|row| command(id, row)).transpose()
    }

    /// Rows of a list: parameters are those of the filter, then `more`.
    async fn list(
        &self,
        sql: &str,
        filter: &ListFilter,
        more: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let since_before = filter.since_before.map(micros);
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![
            &filter.insurer,
            &filter.declarant,
            &filter.contract_id,
            &filter.rule,
            &since_before,
        ];
        parameters.extend_from_slice(more);
        self.query(sql, &parameters).await
    }
}

impl PostgresTransaction {
    pub(in crate::decision_store) async fn load_command(
        &mut self,
        id: Uuid,
    ) -> Result<Option<DecidedCommand>, StoreError> {
        self.faults.pass(FaultPoint::OnRead)?;
        let rows = many(self.session.client(), COMMAND, &[&id]).await?;
        rows.first().map(|row| command(id, row)).transpose()
    }

    pub(in crate::decision_store) async fn load_open_case(
        &mut self,
        id: u64,
    ) -> Result<Option<ReviewCase>, StoreError> {
        self.faults.pass(FaultPoint::OnRead)?;
        let sql = format!("{CASES} AND case_id = $1");
        let rows = many(self.session.client(), &sql, &[&signed(id)]).await?;
        rows.first().map(case).transpose()
    }

    pub(in crate::decision_store) async fn is_import_in_force(
        &mut self,
        sequence: Sequence,
    ) -> Result<bool, StoreError> {
        self.faults.pass(FaultPoint::OnRead)?;
        let sql = "SELECT EXISTS (SELECT 1 FROM coverage
             WHERE sequence = $1 AND state = 'imported')";
        let sequence = signed(sequence.0);
        Ok(one(self.session.client(), sql, &[&sequence]).await?.get(0))
    }

    pub(in crate::decision_store) async fn load_excluded_by(
        &mut self,
        freed: Freed,
        after: CoverageId,
        limit: u32,
    ) -> Result<Vec<CoverageId>, StoreError> {
        self.faults.pass(FaultPoint::OnRead)?;
        let sql = "SELECT sequence, line_number FROM decision
             WHERE excluded_by_sequence = $1 AND excluded_by_line BETWEEN $2 AND $3
                 AND (sequence, line_number) > ($4, $5)
             ORDER BY sequence, line_number LIMIT $6";
        let (sequence, first, last) = freed.bounds();
        let (after_sequence, after_line) = (signed(after.sequence.0), signed(after.line));
        let limit = i64::from(limit);
        let values: super::Parameters<'_> = &[
            &sequence,
            &first,
            &last,
            &after_sequence,
            &after_line,
            &limit,
        ];
        let rows = many(self.session.client(), sql, values).await?;
        rows.iter()
            .map(|row| line_id(row.get(0), row.get(1)))
            .collect()
    }
}

/// Open cases.
const CASES: &str = "SELECT case_id, kind, sequence, line, other_sequence, other_line, cause,
        line_reference, declarant, insurer, contract_id, rules, opened_at
    FROM review_case WHERE closed_at IS NULL";

fn case(row: &Row) -> Result<ReviewCase, StoreError> {
    let columns = CaseColumns {
        id: row.get(0),
        kind: row.get(1),
        line: (row.get(2), row.get(3)),
        other: (row.get(4), row.get(5)),
        cause: row.get(6),
        line_reference: row.get(7),
        declarant: row.get(8),
        insurer: row.get(9),
        contract_id: row.get(10),
        rules: row.get(11),
        opened_at: row.get(12),
    };
    columns.read()
}

const COMMAND: &str = "SELECT content_digest, person, sequence, result, decided_at FROM command
    WHERE command_id = $1";

fn command(id: Uuid, row: &Row) -> Result<DecidedCommand, StoreError> {
    decided_command(
        id,
        row.get(0),
        row.get(1),
        row.get(2),
        row.get(3),
        row.get(4),
    )
}
