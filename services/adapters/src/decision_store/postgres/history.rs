//! Loads the past that a batch needs, with one statement a kind of key; keys travel as arrays.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::Object;
use samenloop_domain::{
    coverage::{CoverageKey, CoverageState},
    history::{CeilingKey, InvoicePart, TermKey},
};

use super::{day_of, many, standing};
use crate::decision_store::{
    read_back::{LineColumns, cents, covered, line_id, registered},
    words::{Word, key_text, small},
    *,
};

/// What of the past `keys` name.
pub(super) async fn load(client: &Object, keys: &HistoryKeys) -> Result<History, StoreError> {
    let mut history = History::default();
    load_messages(client, keys, &mut history).await?;
    load_lines(client, keys, &mut history).await?;
    history.invoice_parts =
        load_parts(client, "invoice_part", "used_on", &keys.invoice_parts).await?;
    history.known_parts = load_parts(client, "known_part", "known_on", &keys.predecessors).await?;
    load_terms(client, keys, &mut history).await?;
    load_ceilings(client, keys, &mut history).await?;
    load_coverage(client, keys, &mut history).await?;
    standing::load(client, keys, &mut history).await?;
    Ok(history)
}

async fn load_messages(
    client: &Object,
    keys: &HistoryKeys,
    history: &mut History,
) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = keys.messages.iter().copied().collect();
    if ids.is_empty() {
        return Ok(());
    }
    let sql = "SELECT message_id, party, content_digest, sequence, version FROM message
         WHERE message_id = ANY($1)";
    for row in many(client, sql, &[&ids]).await? {
        let message = registered(row.get(1), row.get(2), row.get(3), row.get(4))?;
        history.messages.insert(row.get(0), message);
    }
    Ok(())
}

async fn load_lines(
    client: &Object,
    keys: &HistoryKeys,
    history: &mut History,
) -> Result<(), StoreError> {
    let declarants: Vec<&str> = keys
        .references
        .iter()
        .map(|key| key.declarant.as_str())
        .collect();
    let references: Vec<&str> = keys
        .references
        .iter()
        .map(|key| key.reference.as_str())
        .collect();
    if references.is_empty() {
        return Ok(());
    }
    let sql = "SELECT d.sequence, d.line_number, m.message_id, m.party, m.received_on::TEXT,
             d.declarant, d.line_reference, d.insurer, d.direction, d.verdict, d.awarded_cents,
             d.proposed_cents, d.credited_by_sequence, d.credited_by_line, d.facts, d.coverage,
             d.claim, d.version, d.seen
         FROM unnest($1::TEXT[], $2::TEXT[]) AS k (declarant, line_reference)
         JOIN decision AS d USING (declarant, line_reference)
         JOIN message AS m ON m.sequence = d.sequence
         WHERE d.insurer IS NOT NULL
         ORDER BY d.sequence, d.line_index";
    for row in many(client, sql, &[&declarants, &references]).await? {
        let credited_by: (Option<i64>, Option<i64>) = (row.get(12), row.get(13));
        let line = LineColumns {
            sequence: row.get(0),
            line_number: row.get(1),
            message_id: row.get(2),
            party: row.get(3),
            received_on: day_of(row.get(4))?,
            declarant: row.get(5),
            line_reference: row.get(6),
            insurer: row.get(7),
            direction: row.get(8),
            verdict: row.get(9),
            awarded: row.get(10),
            proposed: row.get(11),
            credited_by: credited_by.0.zip(credited_by.1),
            facts: row.get(14),
            coverage: row.get(15),
            claim: row.get(16),
            version: row.get(17),
            seen: row.get(18),
        };
        line.add_to(history)?;
    }
    Ok(())
}

/// Place of the key that a row was found by: ordinality counts from 1.
fn position(row: &tokio_postgres::Row) -> Result<usize, StoreError> {
    Ok(small(row.get(0))? as usize - 1)
}

/// The days of parts of invoices.
async fn load_parts(
    client: &Object,
    table: &str,
    day: &str,
    keys: &BTreeSet<InvoicePart>,
) -> Result<BTreeMap<InvoicePart, Day>, StoreError> {
    let mut days = BTreeMap::new();
    let parts: Vec<&InvoicePart> = keys.iter().collect();
    if parts.is_empty() {
        return Ok(days);
    }
    let payees: Vec<&str> = parts.iter().map(|key| key.payee.as_str()).collect();
    let numbers: Vec<&str> = parts
        .iter()
        .map(|key| key.invoice_number.as_str())
        .collect();
    let places: Vec<i64> = parts.iter().map(|key| i64::from(key.part)).collect();
    let sql = format!(
        "SELECT k.place, i.{day}::TEXT
         FROM unnest($1::TEXT[], $2::TEXT[], $3::BIGINT[])
             WITH ORDINALITY AS k (payee, invoice_number, part, place)
         JOIN {table} AS i USING (payee, invoice_number, part)"
    );
    for row in many(client, &sql, &[&payees, &numbers, &places]).await? {
        let part = parts[position(&row)?].clone();
        days.insert(part, day_of(row.get(1))?);
    }
    Ok(days)
}

async fn load_terms(
    client: &Object,
    keys: &HistoryKeys,
    history: &mut History,
) -> Result<(), StoreError> {
    let terms: Vec<&TermKey> = keys.terms.iter().collect();
    if terms.is_empty() {
        return Ok(());
    }
    let contracts: Vec<&str> = terms.iter().map(|key| key.contract_id.as_str()).collect();
    let lists: Vec<&str> = terms.iter().map(|key| &*key.prestatie.list).collect();
    let codes: Vec<&str> = terms.iter().map(|key| &*key.prestatie.code).collect();
    let subjects: Vec<&str> = terms.iter().map(|key| &*key.subject).collect();
    let insurers: Vec<&str> = terms.iter().map(|key| key.insurer.as_str()).collect();
    let sql = "SELECT k.place, t.used
         FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[])
             WITH ORDINALITY AS k (contract_id, list, code, subject, insurer, place)
         JOIN term_use AS t USING (contract_id, list, code, subject, insurer)";
    for row in many(
        client,
        sql,
        &[&contracts, &lists, &codes, &subjects, &insurers],
    )
    .await?
    {
        let term = terms[position(&row)?].clone();
        history.terms.insert(term, small(row.get(1))?);
    }
    Ok(())
}

pub(super) async fn load_ceilings(
    client: &Object,
    keys: &HistoryKeys,
    history: &mut History,
) -> Result<(), StoreError> {
    let ceilings: Vec<&CeilingKey> = keys.ceilings.iter().collect();
    if ceilings.is_empty() {
        return Ok(());
    }
    let contracts: Vec<&str> = ceilings
        .iter()
        .map(|key| key.contract_id.as_str())
        .collect();
    let names: Vec<&str> = ceilings.iter().map(|key| &*key.name).collect();
    let sql = "SELECT k.place, c.taken_cents
         FROM unnest($1::TEXT[], $2::TEXT[]) WITH ORDINALITY AS k (contract_id, name, place)
         JOIN ceiling_use AS c USING (contract_id, name)";
    for row in many(client, sql, &[&contracts, &names]).await? {
        let ceiling = ceilings[position(&row)?].clone();
        history.ceilings.insert(ceiling, cents(row.get(1))?);
    }
    Ok(())
}

/// Keys of coverage, and the first and last day on which each matters.
pub(super) fn coverage_keys(
    keys: &BTreeMap<CoverageKey, Period>,
) -> (Vec<String>, Vec<String>, Vec<String>) {
    let days = |day: fn(Period) -> Day| keys.values().map(|it| day(*it).to_string()).collect();
    let texts = keys.keys().map(key_text).collect();
    (texts, days(Period::first), days(Period::last))
}

async fn load_coverage(
    client: &Object,
    keys: &HistoryKeys,
    history: &mut History,
) -> Result<(), StoreError> {
    if keys.coverage.is_empty() {
        return Ok(());
    }
    let (texts, firsts, lasts) = coverage_keys(&keys.coverage);
    let sql = "SELECT f.sequence, f.line, f.state, coalesce(d.coverage, e.coverage)
         FROM (SELECT DISTINCT c.sequence, c.line, c.state
               FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[]) AS k (coverage_key, first_day, last_day)
               JOIN coverage AS c
                   ON c.coverage_key = k.coverage_key AND c.last_day >= k.first_day::DATE
                      AND c.first_day <= k.last_day::DATE) AS f
         LEFT JOIN decision AS d
             ON f.state <> 'imported' AND d.sequence = f.sequence AND d.line_number = f.line
                AND d.coverage IS NOT NULL
         LEFT JOIN existing AS e
             ON f.state = 'imported' AND e.sequence = f.sequence AND e.row_number = f.line";
    for row in many(client, sql, &[&texts, &firsts, &lasts]).await? {
        let id = line_id(row.get(0), row.get(1))?;
        let entry = covered(id, CoverageState::read(row.get(2))?, row.get(3))?;
        history.coverage.insert(entry);
    }
    Ok(())
}
