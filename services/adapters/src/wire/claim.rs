//! Claims: what settlement gets of the awarded lines of a message. Nothing is looked up again there.

use jiff::Timestamp;
use samenloop_domain::{
    decision::{ClaimFacts, LineDecision, MessageDecision, Revision, Validated},
    declaration::Share,
    identifiers::Sequence,
};
use samenloop_proto::settlement::v1 as wire;

/// Id of the claim of a line: the sequence of its decision, the version of the outcome, and the line number.
#[must_use]
pub fn claim_id(sequence: Sequence, version: u32, line_number: u64) -> String {
    format!("{sequence}.{version}.{line_number}")
}

/// The claims of a decision, in order of line; nil awards make none.
#[must_use]
pub fn of_decision(
    input: &Validated,
    decision: &MessageDecision,
    decided_at: Timestamp,
    reference_version: &str,
    traceparent: &str,
) -> Vec<wire::Claim> {
    let claim = |line: &LineDecision| {
        let facts = line.claim.as_ref().filter(|_| line.awarded.get() != 0)?;
        Some(wire::Claim {
            reference_version: reference_version.to_owned(),
            decided_at: decided_at.to_string(),
            traceparent: traceparent.to_owned(),
            ..of_line(input, line, facts, (decision.sequence, 1))
        })
    };
    decision.lines.iter().filter_map(claim).collect()
}

/// The claim of a line that was decided again; a nil award makes none.
#[must_use]
pub fn of_revision(
    input: &Validated,
    revision: &Revision,
    decided_at: Timestamp,
    reference_version: &str,
    traceparent: &str,
) -> Option<wire::Claim> {
    let line = &revision.decision;
    let facts = line.claim.as_ref().filter(|_| line.awarded.get() != 0)?;
    Some(wire::Claim {
        reference_version: reference_version.to_owned(),
        decided_at: decided_at.to_string(),
        traceparent: traceparent.to_owned(),
        ..of_line(
            input,
            line,
            facts,
            (revision.line.sequence, revision.version),
        )
    })
}

fn of_line(
    input: &Validated,
    line: &LineDecision,
    facts: &ClaimFacts,
    (sequence, version): (Sequence, u32),
) -> wire::Claim {
    let declaration = &input.declaration;
    let text =
        |value: Option<&dyn std::fmt::Display>| value.map(ToString::to_string).unwrap_or_default();
    let reverses = facts
        .reverses
        .map(|it| claim_id(it.line.sequence, it.version, it.line.line));
    let declared = (declaration.lines.iter()).find(|it| it.line_number == line.line_number);
    let exception = if declared.is_some_and(|line| line.insured.is_some()) {
        wire::AttributionException::OneInsured
    } else {
        wire::AttributionException::Lumpsum
    };
    wire::Claim {
        claim_id: claim_id(sequence, version, u64::from(line.line_number)),
        sequence: sequence.0,
        version,
        domain_shares: declared.map_or_else(Vec::new, |line| shares(&line.domain_shares)),
        attribution_exception: exception.into(),
        line_number: line.line_number,
        message_id: declaration.message_id.to_string(),
        line_reference: line.line_reference.to_string(),
        invoice_number: facts.invoice_number.to_string(),
        declarant_agb: declaration.declarant_agb.to_string(),
        payee_agb: facts.payee.to_string(),
        insurer_uzovi: facts.insurer.to_string(),
        contract_id: text(
            facts
                .contract_id
                .as_ref()
                .map(|id| id as &dyn std::fmt::Display),
        ),
        list: facts.prestatie.list.to_string(),
        code: facts.prestatie.code.to_string(),
        kind: facts.kind.to_string(),
        first: facts.period.first().to_string(),
        last: facts.period.last().to_string(),
        patient_group_id: text(facts.group.as_ref().map(|id| id as &dyn std::fmt::Display)),
        awarded_cents: line.awarded.get(),
        reverses_claim_id: reverses.unwrap_or_default(),
        legal_basis: facts.legal_basis.clone(),
        region: text(facts.region.as_ref().map(|id| id as &dyn std::fmt::Display)),
        insurer_shares: shares(&facts.insurer_shares),
        sector_shares: shares(&facts.sector_shares),
        ..wire::Claim::default()
    }
}

fn shares(shares: &[Share]) -> Vec<wire::Share> {
    let write = |share: &Share| wire::Share {
        key: share.key.to_string(),
        basis_points: share.basis_points.get(),
    };
    shares.iter().map(write).collect()
}
