//! What the store writes of decisions: entries of the log, rows of the outbox, refusals.

use jiff::Timestamp;
use prost::Message as _;
use samenloop_adapters::{
    decision_store::{
        CaseKind, DecidedMessage, DecisionBatch, LoggedEntry, NewCase, NewLogEntry, NewOutboxRow,
        OutboxBody,
    },
    wire::{claim, outcome, validated::Intake},
};
use samenloop_domain::{
    coverage::{CoverageId, Covered},
    decision::{Awaited, MessageDecision},
    identifiers::{PartyId, Sequence},
    reference::{PairRule, Reference},
};
use samenloop_proto::{
    declaration::v1 as wire,
    record::v1::{self as log, log_entry::Entry},
};

/// Code of the refusal of a delivery that reuses a message id.
const REUSED_ID: &str = "8067";

/// An entry of the log.
#[must_use]
pub fn entry(sequence: Sequence, kind: &'static str, now: Timestamp, entry: Entry) -> NewLogEntry {
    let body = log::LogEntry {
        sequence: sequence.0,
        recorded_at: now.to_string(),
        entry: Some(entry),
    };
    NewLogEntry {
        sequence,
        kind,
        recorded_at: now,
        body: body.encode_to_vec(),
    }
}

/// Adds a decided message to the batch: its entry, its rows of the outbox, and the outcomes that it revises.
pub fn decided(
    batch: &mut DecisionBatch,
    intake: Intake,
    decision: MessageDecision,
    answer: wire::Outcome,
    revised: Vec<(PartyId, wire::Outcome)>,
    now: Timestamp,
    reference: &Reference,
) {
    let logged = log::MessageDecided {
        input: Some(intake.to_record()),
        outcome: Some(answer.clone()),
        revised: revised.iter().map(|(_, outcome)| outcome.clone()).collect(),
    };
    let input = &intake.validated;
    batch.log.push(entry(
        decision.sequence,
        "message_decided",
        now,
        Entry::MessageDecided(logged),
    ));
    let row = |party: &PartyId, outcome: wire::Outcome| NewOutboxRow {
        party: Some(party.clone()),
        traceparent: intake.traceparent.clone(),
        body: OutboxBody::Outcome(outcome),
    };
    batch.outbox.push(row(&input.party, answer.clone()));
    for (party, outcome) in &revised {
        batch.outbox.push(row(party, outcome.clone()));
    }
    let version = reference.version.as_str();
    let claims = claim::of_decision(input, &decision, now, version, &intake.traceparent);
    if !claims.is_empty() {
        let traceparent = intake.traceparent.clone();
        batch.outbox.push(NewOutboxRow {
            party: None,
            traceparent,
            body: OutboxBody::Claims(claims),
        });
    }
    batch.revised.extend(revised);
    batch.decided.push(DecidedMessage {
        input: intake.validated,
        received_at: intake.received_at,
        decision,
        outcome: answer,
    });
}

/// The entry of a message that waits.
#[must_use]
pub fn set_aside(
    sequence: Sequence,
    now: Timestamp,
    intake: &Intake,
    until: Timestamp,
    missing: &[Awaited],
) -> NewLogEntry {
    let waiting = log::SetAside {
        input: Some(intake.to_record()),
        until: until.to_string(),
        missing: missing.iter().map(ToString::to_string).collect(),
    };
    entry(sequence, "set_aside", now, Entry::SetAside(waiting))
}

/// The refusal of a delivery that reuses a message id.
#[must_use]
pub fn conflict_refusal(intake: &Intake, faults: Vec<wire::Fault>, now: Timestamp) -> NewOutboxRow {
    let id = intake.validated.declaration.message_id.to_string();
    let count = u32::try_from(faults.len()).unwrap_or(u32::MAX);
    let mut refusal = outcome::refusal(REUSED_ID, &id, &[], now, faults, count);
    // The fingerprint is of the content: the delivered bytes held what no role but validation may see.
    refusal.fingerprint = samenloop_adapters::wire::digest::hex(&intake.validated.content_digest);
    NewOutboxRow {
        party: Some(intake.validated.party.clone()),
        traceparent: intake.traceparent.clone(),
        body: OutboxBody::Refusal(refusal),
    }
}

/// The first field in which a delivery differs from the registered message.
#[must_use]
pub fn difference(registered: Option<&LoggedEntry>, intake: &Intake) -> Vec<wire::Fault> {
    let body = registered.and_then(|entry| log::LogEntry::decode(entry.body.as_slice()).ok());
    let Some(Entry::MessageDecided(decided)) = body.and_then(|body| body.entry) else {
        return Vec::new();
    };
    let kept = decided.input.unwrap_or_default();
    let given = intake.to_record();
    let json =
        |message: &Option<wire::Declaration>| serde_json::to_value(message).unwrap_or_default();
    let path = first_difference(&json(&kept.declaration), &json(&given.declaration), "");
    let path =
        path.or_else(|| (kept.subjects != given.subjects).then(|| "/lines/*/insured".to_owned()));
    let problem =
        "differs from the message registered under this id; send it under a new id".to_owned();
    path.map(|path| wire::Fault { path, problem })
        .into_iter()
        .collect()
}

fn first_difference(a: &serde_json::Value, b: &serde_json::Value, path: &str) -> Option<String> {
    use serde_json::Value::{Array, Object};
    match (a, b) {
        (Object(a), Object(b)) => {
            let names: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            names.into_iter().find_map(|name| {
                let path = format!("{path}/{name}");
                let null = serde_json::Value::Null;
                first_difference(
                    a.get(name).unwrap_or(&null),
                    b.get(name).unwrap_or(&null),
                    &path,
                )
            })
        }
        (Array(a), Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(index, (a, b))| first_difference(a, b, &format!("{path}/{index}"))),
        _ => (a != b).then(|| path.to_owned()),
    }
}

/// Counts what a batch decided, for the metrics.
pub fn count(batch: &DecisionBatch) {
    metrics::counter!("samenloop_messages_total", "stage" => "detection")
        .increment(batch.decided.len() as u64);
    for line in batch
        .decided
        .iter()
        .flat_map(|message| &message.decision.lines)
    {
        let verdict = match line.verdict {
            samenloop_domain::decision::Verdict::Accept => "accept",
            samenloop_domain::decision::Verdict::Reduce => "reduce",
            samenloop_domain::decision::Verdict::Review => "review",
            samenloop_domain::decision::Verdict::Reject => "reject",
            samenloop_domain::decision::Verdict::Withdrawn => "withdrawn",
        };
        metrics::counter!("samenloop_lines_decided_total", "verdict" => verdict).increment(1);
    }
    for signal in (batch.decided.iter()).flat_map(|message| &message.decision.signals) {
        metrics::counter!("samenloop_signals_total").increment(1);
        tracing::warn!(
            contract = %signal.key.contract_id,
            bound = %signal.key.name,
            share_basis_points = signal.share.get(),
            taken_cents = signal.taken.get(),
            bound_cents = signal.bound.get(),
            "a share of a ceiling or budget is reached"
        );
    }
}

/// A case about coverage in force, beside the other line and the rule between them.
#[must_use]
pub fn case(
    kind: CaseKind,
    covered: &Covered,
    other: CoverageId,
    rule: Option<&PairRule>,
    cause: Sequence,
) -> NewCase {
    let coverage = &covered.coverage;
    let contract = coverage.contract_id.as_ref();
    NewCase {
        kind,
        line: covered.id,
        other,
        cause,
        line_reference: coverage.line_reference.to_string(),
        declarant: coverage.declarant,
        insurer: coverage.insurer.to_string(),
        contract_id: contract.map(ToString::to_string).unwrap_or_default(),
        rules: rule
            .map(|rule| rule.head.id.to_string())
            .into_iter()
            .collect(),
    }
}
