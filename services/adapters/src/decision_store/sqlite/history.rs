//! Loads the past that a batch needs, with one statement a kind of key; keys travel as one JSON array.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Row};
use samenloop_domain::{
    coverage::{CoverageKey, CoverageState},
    history::{CeilingKey, InvoicePart, TermKey},
    period::Day,
};
use serde_json::{Value, json};

use super::{day_of, standing};
use crate::{
    decision_store::{
        read_back::{LineColumns, cents, covered, line_id, registered},
        words::{Word, key_text, small},
        *,
    },
    wire::digest::hex,
};

/// What of the past `keys` name.
pub(super) fn load(connection: &Connection, keys: &HistoryKeys) -> Result<History, StoreError> {
    let mut history = History::default();
    load_messages(connection, keys, &mut history)?;
    load_lines(connection, keys, &mut history)?;
    history.invoice_parts = load_parts(connection, "invoice_part", "used_on", &keys.invoice_parts)?;
    history.known_parts = load_parts(connection, "known_part", "known_on", &keys.predecessors)?;
    load_terms(connection, keys, &mut history)?;
    load_ceilings(connection, keys, &mut history)?;
    load_coverage(connection, keys, &mut history)?;
    standing::load(connection, keys, &mut history)?;
    Ok(history)
}

/// Runs a statement whose one parameter is an array of keys; without keys it is not run.
pub(super) fn each_row(
    connection: &Connection,
    sql: &str,
    keys: Vec<Value>,
    mut add: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([Value::Array(keys).to_string()])?;
    while let Some(row) = rows.next()? {
        add(row)?;
    }
    Ok(())
}

/// Place of the key that a row was found by.
fn position(row: &Row<'_>) -> Result<usize, StoreError> {
    let position: u32 = row.get(0)?;
    Ok(position as usize)
}

fn load_messages(
    connection: &Connection,
    keys: &HistoryKeys,
    history: &mut History,
) -> Result<(), StoreError> {
    let wanted = keys.messages.iter().map(|id| json!(hex(id.as_bytes())));
    let sql = "SELECT m.message_id, m.party, m.content_digest, m.sequence, m.version
         FROM json_each(?1) AS k CROSS JOIN message AS m ON m.message_id = unhex(k.value)";
    each_row(connection, sql, wanted.collect(), |row| {
        let (party, digest): (String, Vec<u8>) = (row.get(1)?, row.get(2)?);
        let message = registered(&party, &digest, row.get(3)?, row.get(4)?)?;
        history
            .messages
            .insert(Uuid::from_bytes(row.get(0)?), message);
        Ok(())
    })
}

fn load_lines(
    connection: &Connection,
    keys: &HistoryKeys,
    history: &mut History,
) -> Result<(), StoreError> {
    let wanted =
        (keys.references.iter()).map(|key| json!([key.declarant.as_str(), key.reference.as_str()]));
    let sql = "SELECT d.sequence, d.line_number, m.message_id, m.party, m.received_on,
             d.declarant, d.line_reference, d.insurer, d.direction, d.verdict, d.awarded_cents,
             d.proposed_cents, d.credited_by_sequence, d.credited_by_line, d.facts, d.coverage,
             d.claim, d.version, d.seen
         FROM json_each(?1) AS k
         CROSS JOIN decision AS d
             ON d.declarant = k.value ->> 0 AND d.line_reference = k.value ->> 1
         CROSS JOIN message AS m ON m.sequence = d.sequence
         WHERE d.insurer IS NOT NULL
         ORDER BY d.sequence, d.line_index";
    each_row(connection, sql, wanted.collect(), |row| {
        let received_on: String = row.get(4)?;
        let credited_by: (Option<i64>, Option<i64>) = (row.get(12)?, row.get(13)?);
        let line = LineColumns {
            sequence: row.get(0)?,
            line_number: row.get(1)?,
            message_id: Uuid::from_bytes(row.get(2)?),
            party: row.get(3)?,
            received_on: day_of(&received_on)?,
            declarant: row.get(5)?,
            line_reference: row.get(6)?,
            insurer: row.get(7)?,
            direction: row.get(8)?,
            verdict: row.get(9)?,
            awarded: row.get(10)?,
            proposed: row.get(11)?,
            credited_by: credited_by.0.zip(credited_by.1),
            facts: row.get(14)?,
            coverage: row.get(15)?,
            claim: row.get(16)?,
            version: row.get(17)?,
            seen: row.get(18)?,
        };
        line.add_to(history)
    })
}

/// The days of parts of invoices.
fn load_parts(
    connection: &Connection,
    table: &str,
    day: &str,
    keys: &BTreeSet<InvoicePart>,
) -> Result<BTreeMap<InvoicePart, Day>, StoreError> {
    let mut days = BTreeMap::new();
    let parts: Vec<_> = keys.iter().collect();
    let wanted = parts
        .iter()
        .map(|key| json!([key.payee.as_str(), key.invoice_number.as_str(), key.part]));
    let sql = format!(
        "SELECT k.key, i.{day}
         FROM json_each(?1) AS k
         CROSS JOIN {table} AS i
             ON i.payee = k.value ->> 0 AND i.invoice_number = k.value ->> 1
                AND i.part = k.value ->> 2"
    );
    each_row(connection, &sql, wanted.collect(), |row| {
        let (index, day): (_, String) = (position(row)?, row.get(1)?);
        days.insert(parts[index].clone(), day_of(&day)?);
        Ok(())
    })?;
    Ok(days)
}

fn load_terms(
    connection: &Connection,
    keys: &HistoryKeys,
    history: &mut History,
) -> Result<(), StoreError> {
    let terms: Vec<&TermKey> = keys.terms.iter().collect();
    let wanted = terms.iter().map(|key| {
        let (contract, insurer) = (key.contract_id.as_str(), key.insurer.as_str());
        let (list, code) = (&key.prestatie.list, &key.prestatie.code);
        json!([contract, list, code, key.subject, insurer])
    });
    let sql = "SELECT k.key, t.used
         FROM json_each(?1) AS k
         CROSS JOIN term_use AS t
             ON t.contract_id = k.value ->> 0 AND t.list = k.value ->> 1 AND t.code = k.value ->> 2
                AND t.subject = k.value ->> 3 AND t.insurer = k.value ->> 4";
    each_row(connection, sql, wanted.collect(), |row| {
        let index = position(row)?;
        let used = small(row.get(1)?)?;
        history.terms.insert(terms[index].clone(), used);
        Ok(())
    })
}

pub(super) fn load_ceilings(
    connection: &Connection,
    keys: &HistoryKeys,
    history: &mut History,
) -> Result<(), StoreError> {
    let ceilings: Vec<&CeilingKey> = keys.ceilings.iter().collect();
    let wanted = (ceilings.iter()).map(|key| json!([key.contract_id.as_str(), key.name]));
    let sql = "SELECT k.key, c.taken_cents
         FROM json_each(?1) AS k
         CROSS JOIN ceiling_use AS c
             ON c.contract_id = k.value ->> 0 AND c.name = k.value ->> 1";
    each_row(connection, sql, wanted.collect(), |row| {
        let index = position(row)?;
        let taken = cents(row.get(1)?)?;
        history.ceilings.insert(ceilings[index].clone(), taken);
        Ok(())
    })
}

/// A key of coverage with the first and last day on which it matters.
fn coverage_key((key, period): (&CoverageKey, &Period)) -> Value {
    let (first, last) = (period.first().to_string(), period.last().to_string());
    json!([key_text(key), first, last])
}

/// Keys of coverage as one parameter.
pub(super) fn coverage_keys(keys: &BTreeMap<CoverageKey, Period>) -> String {
    Value::Array(keys.iter().map(coverage_key).collect()).to_string()
}

fn load_coverage(
    connection: &Connection,
    keys: &HistoryKeys,
    history: &mut History,
) -> Result<(), StoreError> {
    let wanted = keys.coverage.iter().map(coverage_key);
    let sql = "SELECT f.sequence, f.line, f.state, coalesce(d.coverage, e.coverage)
         FROM (SELECT DISTINCT c.sequence, c.line, c.state
               FROM json_each(?1) AS k
               CROSS JOIN coverage AS c
                   ON c.coverage_key = k.value ->> 0 AND c.last_day >= k.value ->> 1
                      AND c.first_day <= k.value ->> 2) AS f
         LEFT JOIN decision AS d
             ON f.state <> 'imported' AND d.sequence = f.sequence AND d.line_number = f.line
                AND d.coverage IS NOT NULL
         LEFT JOIN existing AS e
             ON f.state = 'imported' AND e.sequence = f.sequence AND e.row_number = f.line";
    each_row(connection, sql, wanted.collect(), |row| {
        let id = line_id(row.get(0)?, row.get(1)?)?;
        let (state, bytes): (String, Vec<u8>) = (row.get(2)?, row.get(3)?);
        let entry = covered(id, CoverageState::read(&state)?, &bytes)?;
        history.coverage.insert(entry);
        Ok(())
    })
}
