//! Writes the rows of a batch, each kind with one statement.

use deadpool_postgres::Object;
use samenloop_domain::coverage::CoverageId;

use super::{execute, many, one, register::write_chunks, review, search};
use crate::decision_store::{
    rows::{BatchRows, CoverageRow, ExistingRow, LineRow, MessageRow, OutboxInsert, Tallies},
    words::{micros, signed},
    *,
};

/// Writes `rows` in the open transaction; `head` is that after them.
pub(super) async fn write(client: &Object, rows: BatchRows, head: Head) -> Result<(), StoreError> {
    write_log(client, &rows.log, head).await?;
    write_messages(client, &rows.messages).await?;
    write_lines(client, &rows.lines).await?;
    review::revise_lines(client, &rows.reviews).await?;
    write_coverage(client, &rows.coverage).await?;
    write_existing(client, &rows.existing).await?;
    write_chunks(client, &rows.chunks).await?;
    let mut tallies = rows.tallies;
    let credits: Vec<_> = rows.credits.into_iter().collect();
    credit_lines(client, &credits, &mut tallies).await?;
    review::write(client, &rows.reviews, &credits).await?;
    write_parts(client, "invoice_part", "used_on", &rows.invoice_parts).await?;
    write_parts(client, "known_part", "known_on", &rows.known_parts).await?;
    write_terms(client, &rows.terms).await?;
    write_ceilings(client, &rows.ceilings).await?;
    for (message_id, revised) in &rows.revised {
        revise(client, *message_id, revised).await?;
    }
    for (sequence, reference) in &rows.references {
        activate(client, signed(sequence.0), reference).await?;
    }
    write_waiting(client, &rows.set_aside, &rows.released).await?;
    search::write_keys(client, &rows.found_by).await?;
    write_outbox(client, &rows.outbox).await?;
    write_tallies(client, &tallies).await
}

/// A column of rows, for `unnest`.
pub(super) fn column<'a, R, T>(rows: &'a [R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

async fn write_log(client: &Object, log: &[LoggedEntry], head: Head) -> Result<(), StoreError> {
    let sql = "INSERT INTO log (sequence, kind, recorded_at, previous_hash, hash, body)
         SELECT * FROM unnest($1::BIGINT[], $2::TEXT[], $3::BIGINT[], $4::BYTEA[], $5::BYTEA[],
             $6::BYTEA[])";
    let sequences = column(log, |it| signed(it.sequence.0));
    let kinds = column(log, |it| it.kind.as_str());
    let instants = column(log, |it| micros(it.recorded_at));
    let previous = column(log, |it| it.previous_hash.as_slice());
    let hashes = column(log, |it| it.hash.as_slice());
    let bodies = column(log, |it| it.body.as_slice());
    execute(
        client,
        sql,
        &[&sequences, &kinds, &instants, &previous, &hashes, &bodies],
    )
    .await?;
    let sql = "UPDATE decision_head SET last_sequence = $1, last_hash = $2";
    execute(
        client,
        sql,
        &[&signed(head.sequence.0), &head.hash.as_slice()],
    )
    .await?;
    Ok(())
}

async fn write_messages(client: &Object, rows: &[MessageRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO message (message_id, party, content_digest, sequence, version,
             received_at, received_on, decided_at, status, outcome)
         SELECT id, party, digest, sequence, version, received, day::DATE, decided, status, outcome
         FROM unnest($1::UUID[], $2::TEXT[], $3::BYTEA[], $4::BIGINT[], $5::BIGINT[], $6::BIGINT[],
             $7::TEXT[], $8::BIGINT[], $9::TEXT[], $10::BYTEA[])
             AS k (id, party, digest, sequence, version, received, day, decided, status, outcome)";
    let ids = column(rows, |it| it.message_id);
    let parties = column(rows, |it| it.party.as_str());
    let digests = column(rows, |it| it.content_digest.as_slice());
    let sequences = column(rows, |it| signed(it.sequence.0));
    let versions = column(rows, |it| i64::from(it.version));
    let received = column(rows, |it| micros(it.received_at));
    let days = column(rows, |it| it.received_on.to_string());
    let decided = column(rows, |it| micros(it.decided_at));
    let statuses = column(rows, |it| it.status);
    let outcomes = column(rows, |it| it.outcome.as_slice());
    execute(
        client,
        sql,
        &[
            &ids, &parties, &digests, &sequences, &versions, &received, &days, &decided, &statuses,
            &outcomes,
        ],
    )
    .await?;
    Ok(())
}

async fn write_lines(client: &Object, rows: &[LineRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO decision (sequence, line_number, line_index, declarant, line_reference,
             insurer, direction, verdict, declared_cents, awarded_cents, proposed_cents, reasons,
             facts, coverage, claim, excluded_by_sequence, excluded_by_line)
         SELECT * FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::TEXT[], $5::TEXT[],
             $6::TEXT[], $7::TEXT[], $8::TEXT[], $9::BIGINT[], $10::BIGINT[], $11::BIGINT[],
             $12::TEXT[], $13::BYTEA[], $14::BYTEA[], $15::BYTEA[], $16::BIGINT[], $17::BIGINT[])";
    let sequences = column(rows, |it| signed(it.id.sequence.0));
    let numbers = column(rows, |it| signed(it.id.line));
    let indices = column(rows, |it| it.index);
    let declarants = column(rows, |it| it.declarant.as_ref().map(|agb| agb.as_str()));
    let references = column(rows, |it| it.line_reference.as_str());
    let insurers = column(rows, |it| it.insurer.as_deref());
    let directions = column(rows, |it| it.direction);
    let verdicts = column(rows, |it| it.verdict);
    let declared = column(rows, |it| it.declared);
    let awarded = column(rows, |it| it.awarded);
    let proposed = column(rows, |it| it.proposed);
    let reasons = column(rows, |it| it.reasons.as_str());
    let facts = column(rows, |it| it.facts.as_deref());
    let coverage = column(rows, |it| it.coverage.as_deref());
    let claims = column(rows, |it| it.claim.as_deref());
    let excluding = column(rows, |it| it.excluded_by.map(|id| signed(id.sequence.0)));
    let excluding_lines = column(rows, |it| it.excluded_by.map(|id| signed(id.line)));
    execute(
        client,
        sql,
        &[
            &sequences,
            &numbers,
            &indices,
            &declarants,
            &references,
            &insurers,
            &directions,
            &verdicts,
            &declared,
            &awarded,
            &proposed,
            &reasons,
            &facts,
            &coverage,
            &claims,
            &excluding,
            &excluding_lines,
        ],
    )
    .await?;
    Ok(())
}

async fn write_coverage(client: &Object, rows: &[CoverageRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO coverage (coverage_key, sequence, line, first_day, last_day, state)
         SELECT key, sequence, line, first_day::DATE, last_day::DATE, state
         FROM unnest($1::TEXT[], $2::BIGINT[], $3::BIGINT[], $4::TEXT[], $5::TEXT[], $6::TEXT[])
             AS k (key, sequence, line, first_day, last_day, state)";
    let keys = column(rows, |it| it.key.as_str());
    let sequences = column(rows, |it| signed(it.id.sequence.0));
    let lines = column(rows, |it| signed(it.id.line));
    let firsts = column(rows, |it| it.first_day.to_string());
    let lasts = column(rows, |it| it.last_day.to_string());
    let states = column(rows, |it| it.state);
    execute(
        client,
        sql,
        &[&keys, &sequences, &lines, &firsts, &lasts, &states],
    )
    .await?;
    Ok(())
}

async fn write_existing(client: &Object, rows: &[ExistingRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO existing (sequence, row_number, awarded_cents, coverage)
         SELECT * FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BYTEA[])";
    let sequences = column(rows, |it| signed(it.id.sequence.0));
    let numbers = column(rows, |it| signed(it.id.line));
    let awarded = column(rows, |it| it.awarded);
    let coverage = column(rows, |it| it.coverage.as_slice());
    execute(client, sql, &[&sequences, &numbers, &awarded, &coverage]).await?;
    Ok(())
}

/// Notes the credits of lines, withdraws those that were held, and frees their coverage.
async fn credit_lines(
    client: &Object,
    credits: &[(CoverageId, CoverageId)],
    tallies: &mut Tallies,
) -> Result<(), StoreError> {
    if credits.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE decision AS d
         SET credited_by_sequence = k.by_sequence, credited_by_line = k.by_line,
             verdict = CASE d.verdict WHEN 'review' THEN 'withdrawn' ELSE d.verdict END,
             proposed_cents = CASE d.verdict WHEN 'review' THEN 0 ELSE d.proposed_cents END
         FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BIGINT[])
             AS k (sequence, line_number, by_sequence, by_line)
         WHERE d.sequence = k.sequence AND d.line_number = k.line_number AND d.verdict <> 'reject'
         RETURNING d.verdict, d.reasons";
    let sequences = column(credits, |(original, _)| signed(original.sequence.0));
    let lines = column(credits, |(original, _)| signed(original.line));
    let by_sequences = column(credits, |(_, credit)| signed(credit.sequence.0));
    let by_lines = column(credits, |(_, credit)| signed(credit.line));
    let found = many(client, sql, &[&sequences, &lines, &by_sequences, &by_lines]).await?;
    if found.len() != credits.len() {
        let problem = format!(
            "{} of {} credited lines have a row",
            found.len(),
            credits.len()
        );
        return Err(StoreError::Failed(problem));
    }
    for row in found {
        let verdict: &str = row.get(0);
        if verdict == "withdrawn" {
            tallies.withdraw(row.get(1));
        }
    }
    let sql =
        "DELETE FROM coverage AS c USING unnest($1::BIGINT[], $2::BIGINT[]) AS k (sequence, line)
         WHERE c.sequence = k.sequence AND c.line = k.line";
    execute(client, sql, &[&sequences, &lines]).await?;
    Ok(())
}

/// Parts of invoices with a day, the newest of which stays.
async fn write_parts(
    client: &Object,
    table: &str,
    day: &str,
    parts: &std::collections::BTreeMap<samenloop_domain::history::InvoicePart, Day>,
) -> Result<(), StoreError> {
    if parts.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = parts.iter().collect();
    let sql = format!(
        "INSERT INTO {table} (payee, invoice_number, part, {day})
         SELECT payee, number, part, day::DATE
         FROM unnest($1::TEXT[], $2::TEXT[], $3::BIGINT[], $4::TEXT[]) AS k (payee, number, part, day)
         ON CONFLICT (payee, invoice_number, part) DO UPDATE SET {day} = excluded.{day}"
    );
    let payees = column(&rows, |(key, _)| key.payee.as_str());
    let numbers = column(&rows, |(key, _)| key.invoice_number.as_str());
    let places = column(&rows, |(key, _)| i64::from(key.part));
    let days = column(&rows, |(_, day)| day.to_string());
    execute(client, &sql, &[&payees, &numbers, &places, &days]).await?;
    Ok(())
}

/// A row is made first and changed then: a negative change must not be judged as if it were a new row.
async fn write_terms(
    client: &Object,
    terms: &std::collections::BTreeMap<samenloop_domain::history::TermKey, i64>,
) -> Result<(), StoreError> {
    if terms.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = terms.iter().collect();
    let contracts = column(&rows, |(key, _)| key.contract_id.as_str());
    let lists = column(&rows, |(key, _)| &*key.prestatie.list);
    let codes = column(&rows, |(key, _)| &*key.prestatie.code);
    let subjects = column(&rows, |(key, _)| &*key.subject);
    let insurers = column(&rows, |(key, _)| key.insurer.as_str());
    let used = column(&rows, |(_, used)| **used);
    let sql = "INSERT INTO term_use (contract_id, list, code, subject, insurer, used)
         SELECT *, 0 FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[])
         ON CONFLICT DO NOTHING";
    execute(
        client,
        sql,
        &[&contracts, &lists, &codes, &subjects, &insurers],
    )
    .await?;
    let sql = "UPDATE term_use AS t SET used = greatest(t.used + k.used, 0)
         FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::BIGINT[])
             AS k (contract_id, list, code, subject, insurer, used)
         WHERE (t.contract_id, t.list, t.code, t.subject, t.insurer)
             = (k.contract_id, k.list, k.code, k.subject, k.insurer)";
    execute(
        client,
        sql,
        &[&contracts, &lists, &codes, &subjects, &insurers, &used],
    )
    .await?;
    Ok(())
}

async fn write_ceilings(
    client: &Object,
    ceilings: &std::collections::BTreeMap<samenloop_domain::history::CeilingKey, i64>,
) -> Result<(), StoreError> {
    if ceilings.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = ceilings.iter().collect();
    let contracts = column(&rows, |(key, _)| key.contract_id.as_str());
    let names = column(&rows, |(key, _)| &*key.name);
    let cents = column(&rows, |(_, cents)| **cents);
    let sql = "INSERT INTO ceiling_use (contract_id, name, taken_cents)
         SELECT *, 0 FROM unnest($1::TEXT[], $2::TEXT[]) ON CONFLICT DO NOTHING";
    execute(client, sql, &[&contracts, &names]).await?;
    let sql = "UPDATE ceiling_use AS c SET taken_cents = c.taken_cents + k.cents
         FROM unnest($1::TEXT[], $2::TEXT[], $3::BIGINT[]) AS k (contract_id, name, cents)
         WHERE c.contract_id = k.contract_id AND c.name = k.name";
    execute(client, sql, &[&contracts, &names, &cents]).await?;
    Ok(())
}

async fn revise(
    client: &Object,
    message_id: Uuid,
    revised: &crate::decision_store::rows::RevisedRow,
) -> Result<(), StoreError> {
    let sql = "UPDATE message SET version = $3, status = $4, outcome = $5, outcome_sent = NULL
         WHERE message_id = $1 AND party = $2 AND version < $3";
    let version = i64::from(revised.version);
    let party = revised.party.as_str();
    let values: super::Parameters<'_> = &[
        &message_id,
        &party,
        &version,
        &revised.status,
        &revised.outcome,
    ];
    if execute(client, sql, values).await? == 0 {
        let failed = format!("message {message_id} has no version before {version}");
        return Err(StoreError::Failed(failed));
    }
    Ok(())
}

/// A version keeps its content for ever; it may be activated again.
async fn activate(
    client: &Object,
    sequence: i64,
    reference: &StoredReference,
) -> Result<(), StoreError> {
    let version = reference.version.as_str();
    let digest = reference.digest.as_slice();
    let sql = "INSERT INTO reference_version (version, digest, canonical) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING";
    execute(client, sql, &[&version, &digest, &reference.canonical]).await?;
    let sql = "INSERT INTO reference_activation (sequence, version)
         SELECT $1, version FROM reference_version WHERE version = $2 AND digest = $3";
    if execute(client, sql, &[&sequence, &version, &digest]).await? == 0 {
        let failed = format!("version {version} is kept with other content");
        return Err(StoreError::Failed(failed));
    }
    Ok(())
}

async fn write_waiting(
    client: &Object,
    set_aside: &[WaitingMessage],
    released: &[(PartyId, Uuid)],
) -> Result<(), StoreError> {
    if !set_aside.is_empty() {
        let sql = "INSERT INTO waiting (party, message_id, validated, wait_until)
             SELECT * FROM unnest($1::TEXT[], $2::UUID[], $3::BYTEA[], $4::BIGINT[])
             ON CONFLICT DO NOTHING";
        let parties = column(set_aside, |it| it.party.as_str());
        let ids = column(set_aside, |it| it.message_id);
        let validated = column(set_aside, |it| it.validated.as_slice());
        let until = column(set_aside, |it| micros(it.until));
        execute(client, sql, &[&parties, &ids, &validated, &until]).await?;
    }
    if !released.is_empty() {
        let sql = "DELETE FROM waiting AS w USING unnest($1::TEXT[], $2::UUID[]) AS k (party, id)
             WHERE w.party = k.party AND w.message_id = k.id";
        let parties = column(released, |(party, _)| party.as_str());
        let ids = column(released, |(_, id)| *id);
        execute(client, sql, &[&parties, &ids]).await?;
    }
    Ok(())
}

/// Puts rows into the outbox; their numbers follow the last one given.
pub(super) async fn write_outbox(client: &Object, rows: &[OutboxInsert]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let count = signed(rows.len() as u64);
    let sql = "UPDATE decision_head SET last_outbox = last_outbox + $1 RETURNING last_outbox";
    let last: i64 = one(client, sql, &[&count]).await?.get(0);
    let sql = "INSERT INTO outbox (id, relay, kind, party, message_id, version, traceparent, body,
             written_at)
         SELECT * FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::UUID[],
             $6::BIGINT[], $7::TEXT[], $8::BYTEA[], $9::BIGINT[])";
    let ids: Vec<i64> = (last - count + 1..=last).collect();
    let relays = column(rows, |it| it.relay);
    let kinds = column(rows, |it| it.kind);
    let parties = column(rows, |it| it.party.as_ref().map(PartyId::as_str));
    let message_ids = column(rows, |it| it.message_id);
    let versions = column(rows, |it| i64::from(it.version));
    let traces = column(rows, |it| it.traceparent.as_str());
    let bodies = column(rows, |it| it.body.as_slice());
    let written = column(rows, |it| it.written_at.map(micros));
    execute(
        client,
        sql,
        &[
            &ids,
            &relays,
            &kinds,
            &parties,
            &message_ids,
            &versions,
            &traces,
            &bodies,
            &written,
        ],
    )
    .await?;
    // Claims of a later version of a message have not been sent yet.
    let unsent: Vec<Uuid> = (rows.iter())
        .filter(|it| it.kind == "claims" && it.version > 1)
        .filter_map(|it| it.message_id)
        .collect();
    if !unsent.is_empty() {
        let sql = "UPDATE message SET claims_sent = NULL WHERE message_id = ANY($1)";
        execute(client, sql, &[&unsent]).await?;
    }
    Ok(())
}

async fn write_tallies(client: &Object, tallies: &Tallies) -> Result<(), StoreError> {
    if tallies.0.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = tallies.0.iter().collect();
    let sql = "INSERT INTO tally AS t (kind, tally_key, count)
         SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::BIGINT[])
         ON CONFLICT (kind, tally_key) DO UPDATE SET count = t.count + excluded.count";
    let kinds = column(&rows, |((kind, _), _)| *kind);
    let keys = column(&rows, |((_, key), _)| key.as_str());
    let counts = column(&rows, |(_, count)| **count);
    execute(client, sql, &[&kinds, &keys, &counts]).await?;
    Ok(())
}
