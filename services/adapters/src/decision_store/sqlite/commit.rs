//! Writes the rows of a batch, each kind with one prepared statement.

use rusqlite::{Connection, OptionalExtension as _, params};
use samenloop_domain::{coverage::CoverageId, identifiers::Sequence};

use super::{register::write_chunks, review, search};
use crate::decision_store::{
    rows::{BatchRows, CoverageRow, ExistingRow, LineRow, MessageRow, OutboxInsert, Tallies},
    words::{micros, signed},
    *,
};

/// Writes `rows` on the open transaction; `head` is that after them.
pub(super) fn write(
    connection: &Connection,
    rows: BatchRows,
    head: Head,
) -> Result<(), StoreError> {
    write_log(connection, &rows.log, head)?;
    write_messages(connection, &rows.messages)?;
    write_lines(connection, &rows.lines)?;
    review::revise_lines(connection, &rows.reviews)?;
    write_coverage(connection, &rows.coverage)?;
    write_existing(connection, &rows.existing)?;
    write_chunks(connection, &rows.chunks)?;
    let mut tallies = rows.tallies;
    for (original, credit) in &rows.credits {
        credit_line(connection, *original, *credit, &mut tallies)?;
    }
    review::write(connection, &rows.reviews, &rows.credits)?;
    write_parts(connection, "invoice_part", "used_on", &rows.invoice_parts)?;
    write_parts(connection, "known_part", "known_on", &rows.known_parts)?;
    write_uses(connection, &rows.terms, &rows.ceilings)?;
    for (message_id, revised) in &rows.revised {
        revise(connection, *message_id, revised)?;
    }
    for (sequence, reference) in &rows.references {
        activate(connection, *sequence, reference)?;
    }
    write_waiting(connection, &rows.set_aside, &rows.released)?;
    search::write_keys(connection, &rows.found_by)?;
    write_outbox(connection, &rows.outbox)?;
    write_tallies(connection, &tallies)
}

fn write_log(connection: &Connection, log: &[LoggedEntry], head: Head) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO log (sequence, kind, recorded_at, previous_hash, hash, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for entry in log {
        insert.execute(params![
            signed(entry.sequence.0),
            entry.kind,
            micros(entry.recorded_at),
            entry.previous_hash,
            entry.hash,
            entry.body,
        ])?;
    }
    let sql = "UPDATE decision_head SET last_sequence = ?1, last_hash = ?2";
    (connection.prepare_cached(sql)?).execute(params![signed(head.sequence.0), head.hash])?;
    Ok(())
}

fn write_messages(connection: &Connection, messages: &[MessageRow]) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO message (message_id, party, content_digest, sequence, version, received_at,
             received_on, decided_at, status, outcome)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for row in messages {
        insert.execute(params![
            row.message_id.as_bytes(),
            row.party.as_str(),
            row.content_digest,
            signed(row.sequence.0),
            row.version,
            micros(row.received_at),
            row.received_on.to_string(),
            micros(row.decided_at),
            row.status,
            row.outcome,
        ])?;
    }
    Ok(())
}

fn write_lines(connection: &Connection, lines: &[LineRow]) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO decision (sequence, line_number, line_index, declarant, line_reference, insurer,
             direction, verdict, declared_cents, awarded_cents, proposed_cents, reasons, facts,
             coverage, claim, excluded_by_sequence, excluded_by_line)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?;
    for row in lines {
        insert.execute(params![
            signed(row.id.sequence.0),
            signed(row.id.line),
            row.index,
            row.declarant.as_ref().map(|agb| agb.as_str()),
            row.line_reference,
            row.insurer,
            row.direction,
            row.verdict,
            row.declared,
            row.awarded,
            row.proposed,
            row.reasons,
            row.facts,
            row.coverage,
            row.claim,
            row.excluded_by.map(|id| signed(id.sequence.0)),
            row.excluded_by.map(|id| signed(id.line)),
        ])?;
    }
    Ok(())
}

fn write_coverage(connection: &Connection, coverage: &[CoverageRow]) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO coverage (coverage_key, sequence, line, first_day, last_day, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for row in coverage {
        insert.execute(params![
            row.key,
            signed(row.id.sequence.0),
            signed(row.id.line),
            row.first_day.to_string(),
            row.last_day.to_string(),
            row.state,
        ])?;
    }
    Ok(())
}

fn write_existing(connection: &Connection, existing: &[ExistingRow]) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO existing (sequence, row_number, awarded_cents, coverage)
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    for row in existing {
        insert.execute(params![
            signed(row.id.sequence.0),
            signed(row.id.line),
            row.awarded,
            row.coverage,
        ])?;
    }
    Ok(())
}

/// Notes the credit of a line, withdraws the line if it was held, and frees its coverage.
fn credit_line(
    connection: &Connection,
    original: CoverageId,
    credit: CoverageId,
    tallies: &mut Tallies,
) -> Result<(), StoreError> {
    let mut update = connection.prepare_cached(
        "UPDATE decision
         SET credited_by_sequence = ?3, credited_by_line = ?4,
             verdict = CASE verdict WHEN 'review' THEN 'withdrawn' ELSE verdict END,
             proposed_cents = CASE verdict WHEN 'review' THEN 0 ELSE proposed_cents END
         WHERE sequence = ?1 AND line_number = ?2 AND verdict <> 'reject'
         RETURNING verdict, reasons",
    )?;
    let (sequence, line) = (signed(original.sequence.0), signed(original.line));
    let found: Option<(String, String)> = update
        .query_row(
            params![
                sequence,
                line,
                signed(credit.sequence.0),
                signed(credit.line)
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match found {
        None => return Err(StoreError::Failed(format!("{original:?} has no row"))),
        Some((verdict, reasons)) if verdict == "withdrawn" => tallies.withdraw(&reasons),
        Some(_) => {}
    }
    let sql = "DELETE FROM coverage WHERE sequence = ?1 AND line = ?2";
    (connection.prepare_cached(sql)?).execute(params![sequence, line])?;
    Ok(())
}

/// Parts of invoices with a day, the newest of which stays.
fn write_parts(
    connection: &Connection,
    table: &str,
    day: &str,
    parts: &std::collections::BTreeMap<samenloop_domain::history::InvoicePart, Day>,
) -> Result<(), StoreError> {
    let mut part = connection.prepare_cached(&format!(
        "INSERT INTO {table} (payee, invoice_number, part, {day}) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET {day} = excluded.{day}",
    ))?;
    for (key, day) in parts {
        let number = key.invoice_number.as_str();
        part.execute(params![
            key.payee.as_str(),
            number,
            key.part,
            day.to_string()
        ])?;
    }
    Ok(())
}

/// Terms used, cents under ceilings.
///
/// A row is made first and changed then: a negative change must not be judged as if it were a new row.
fn write_uses(
    connection: &Connection,
    terms: &std::collections::BTreeMap<samenloop_domain::history::TermKey, i64>,
    ceilings: &std::collections::BTreeMap<samenloop_domain::history::CeilingKey, i64>,
) -> Result<(), StoreError> {
    let mut new_term = connection.prepare_cached(
        "INSERT INTO term_use (contract_id, list, code, subject, insurer, used)
         VALUES (?1, ?2, ?3, ?4, ?5, 0) ON CONFLICT DO NOTHING",
    )?;
    let mut term = connection.prepare_cached(
        "UPDATE term_use SET used = max(used + ?6, 0)
         WHERE contract_id = ?1 AND list = ?2 AND code = ?3 AND subject = ?4 AND insurer = ?5",
    )?;
    for (key, used) in terms {
        let (contract, prestatie) = (key.contract_id.as_str(), &key.prestatie);
        let (list, code) = (&prestatie.list, &prestatie.code);
        let (subject, insurer) = (&key.subject, key.insurer.as_str());
        new_term.execute(params![contract, list, code, subject, insurer])?;
        term.execute(params![contract, list, code, subject, insurer, used])?;
    }
    let mut new_ceiling = connection.prepare_cached(
        "INSERT INTO ceiling_use (contract_id, name, taken_cents) VALUES (?1, ?2, 0)
         ON CONFLICT DO NOTHING",
    )?;
    let mut ceiling = connection.prepare_cached(
        "UPDATE ceiling_use SET taken_cents = taken_cents + ?3
         WHERE contract_id = ?1 AND name = ?2",
    )?;
    for (key, cents) in ceilings {
        new_ceiling.execute(params![key.contract_id.as_str(), key.name])?;
        ceiling.execute(params![key.contract_id.as_str(), key.name, cents])?;
    }
    Ok(())
}

fn revise(
    connection: &Connection,
    message_id: Uuid,
    revised: &crate::decision_store::rows::RevisedRow,
) -> Result<(), StoreError> {
    let mut update = connection.prepare_cached(
        "UPDATE message SET version = ?3, status = ?4, outcome = ?5, outcome_sent = NULL
         WHERE message_id = ?1 AND party = ?2 AND version < ?3",
    )?;
    let updated = update.execute(params![
        message_id.as_bytes(),
        revised.party.as_str(),
        revised.version,
        revised.status,
        revised.outcome,
    ])?;
    if updated == 0 {
        let version = revised.version;
        let failed = format!("message {message_id} has no version before {version}");
        return Err(StoreError::Failed(failed));
    }
    Ok(())
}

/// A version keeps its content for ever; it may be activated again.
fn activate(
    connection: &Connection,
    sequence: Sequence,
    reference: &StoredReference,
) -> Result<(), StoreError> {
    let version = reference.version.as_str();
    let mut insert = connection.prepare_cached(
        "INSERT INTO reference_version (version, digest, canonical) VALUES (?1, ?2, ?3)
         ON CONFLICT DO NOTHING",
    )?;
    insert.execute(params![version, reference.digest, reference.canonical])?;
    let mut activate = connection.prepare_cached(
        "INSERT INTO reference_activation (sequence, version)
         SELECT ?1, version FROM reference_version WHERE version = ?2 AND digest = ?3",
    )?;
    let activated = activate.execute(params![signed(sequence.0), version, reference.digest])?;
    if activated == 0 {
        return Err(StoreError::Failed(format!(
            "version {version} is kept with other content"
        )));
    }
    Ok(())
}

fn write_waiting(
    connection: &Connection,
    set_aside: &[WaitingMessage],
    released: &[(PartyId, Uuid)],
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO waiting (party, message_id, validated, wait_until) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
    )?;
    for row in set_aside {
        let until = micros(row.until);
        insert.execute(params![
            row.party.as_str(),
            row.message_id.as_bytes(),
            row.validated,
            until
        ])?;
    }
    let sql = "DELETE FROM waiting WHERE party = ?1 AND message_id = ?2";
    let mut delete = connection.prepare_cached(sql)?;
    for (party, message_id) in released {
        delete.execute(params![party.as_str(), message_id.as_bytes()])?;
    }
    Ok(())
}

/// Puts rows into the outbox; their numbers follow the last one given.
pub(super) fn write_outbox(
    connection: &Connection,
    outbox: &[OutboxInsert],
) -> Result<(), StoreError> {
    if outbox.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE decision_head SET last_outbox = last_outbox + ?1 RETURNING last_outbox";
    let count = signed(outbox.len() as u64);
    let last: i64 = (connection.prepare_cached(sql)?).query_row([count], |row| row.get(0))?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO outbox (id, relay, kind, party, message_id, version, traceparent, body, written_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    // Claims of a later version of a message have not been sent yet.
    let mut unsent =
        connection.prepare_cached("UPDATE message SET claims_sent = NULL WHERE message_id = ?1")?;
    for (id, row) in (last - count + 1..).zip(outbox) {
        let message_id = row.message_id.as_ref().map(Uuid::as_bytes);
        insert.execute(params![
            id,
            row.relay,
            row.kind,
            row.party.as_ref().map(PartyId::as_str),
            message_id,
            row.version,
            row.traceparent,
            row.body,
            row.written_at.map(micros),
        ])?;
        if row.kind == "claims" && row.version > 1 {
            unsent.execute([message_id])?;
        }
    }
    Ok(())
}

fn write_tallies(connection: &Connection, tallies: &Tallies) -> Result<(), StoreError> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO tally (kind, tally_key, count) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET count = count + excluded.count",
    )?;
    for ((kind, key), count) in &tallies.0 {
        upsert.execute(params![kind, key, count])?;
    }
    Ok(())
}
