//! Answers to senders: the outcome of a declaration, and the refusal of a delivery.
//!
//! The log keeps the whole outcome; a provider gets [`for_provider`], which shows a rival only to its own declarant.

use jiff::Timestamp;
use samenloop_domain::{
    decision::{
        Evidence, LineDecision, MessageDecision, Revision, RivalFacts, Status, Validated, Verdict,
    },
    reference::{Basis, Effect, Reference},
    rejection::{ReasonCode, Rejection},
};
use samenloop_proto::declaration::v1 as wire;

use super::{digest, write_prestatie};

/// Said where a test code of list 990 was used.
pub const TEST_CODE_NOTICE: &str =
    "Codes of list 990 in this answer are test codes, not NZa codes.";

/// The whole outcome of a decision, version 1.
#[must_use]
pub fn of_decision(
    input: &Validated,
    received_at: Timestamp,
    decision: &MessageDecision,
    reference: &Reference,
) -> wire::Outcome {
    let declaration = &input.declaration;
    let test_code = declaration.lines.iter().any(|line| {
        reference
            .catalogue
            .get(&line.prestatie)
            .is_some_and(|entry| entry.test_code)
    });
    wire::Outcome {
        message_id: declaration.message_id.to_string(),
        version: 1,
        status: write_status(decision.status) as i32,
        sequence: decision.sequence.0,
        declarant_agb: declaration.declarant_agb.to_string(),
        insurer_uzovi: declaration.insurer_uzovi.to_string(),
        invoice_number: declaration.invoice_number.to_string(),
        received_at: received_at.to_string(),
        reference_version: reference.version.to_string(),
        reasons: write_reasons(&decision.rejections),
        lines: decision.lines.iter().map(write_line).collect(),
        notice: if test_code {
            TEST_CODE_NOTICE.to_owned()
        } else {
            String::new()
        },
    }
}

/// What the sender may see: rivals only of its own declarant.
#[must_use]
pub fn for_provider(outcome: &wire::Outcome) -> wire::Outcome {
    let mut shown = outcome.clone();
    for evidence in shown.lines.iter_mut().flat_map(|line| &mut line.evidence) {
        let own = evidence.rival.as_ref().is_some_and(|rival| {
            !rival.declarant_agb.is_empty() && rival.declarant_agb == outcome.declarant_agb
        });
        if !own {
            evidence.rival = None;
            evidence.shared_agbs.clear();
            evidence.shared_activities.clear();
        }
    }
    shown
}

/// A new version in which the lines named are withdrawn.
#[must_use]
pub fn with_withdrawn(outcome: &wire::Outcome, line_numbers: &[u32]) -> wire::Outcome {
    let mut revised = outcome.clone();
    revised.version += 1;
    for line in revised
        .lines
        .iter_mut()
        .filter(|line| line_numbers.contains(&line.line_number))
    {
        line.verdict = wire::Verdict::Withdrawn as i32;
        line.awarded_cents = 0;
        line.proposed_cents = 0;
    }
    let verdicts = revised
        .lines
        .iter()
        .filter_map(|line| read_verdict(line.verdict));
    revised.status = write_status(samenloop_domain::decision::status_of(verdicts)) as i32;
    revised
}

/// A new version in which one line is decided again.
///
/// What a person refuses keeps the evidence for which it was held.
#[must_use]
pub fn with_revision(outcome: &wire::Outcome, revision: &Revision) -> wire::Outcome {
    let mut revised = outcome.clone();
    revised.version = revision.version;
    let number = revision.decision.line_number;
    for line in revised
        .lines
        .iter_mut()
        .filter(|it| it.line_number == number)
    {
        *line = revised_line(line, revision);
    }
    let verdicts = (revised.lines.iter()).filter_map(|line| read_verdict(line.verdict));
    revised.status = write_status(samenloop_domain::decision::status_of(verdicts)) as i32;
    revised
}

/// What the new version of an outcome says of the line that was decided again.
#[must_use]
pub fn revised_line(before: &wire::LineOutcome, revision: &Revision) -> wire::LineOutcome {
    let mut line = write_line(&revision.decision);
    let was_held = revision.before.verdict == Verdict::Review;
    if was_held && revision.decision.verdict == Verdict::Reject && line.evidence.is_empty() {
        line.evidence.clone_from(&before.evidence);
        line.rivals = before.rivals;
    }
    line
}

/// The refusal of a delivery that is no declaration, or that reuses a message id.
#[must_use]
pub fn refusal(
    code: &str,
    message_id: &str,
    body: &[u8],
    now: Timestamp,
    faults: Vec<wire::Fault>,
    fault_count: u32,
) -> wire::DeliveryRefusal {
    let code = ReasonCode::known(code);
    wire::DeliveryRefusal {
        message_id: message_id.to_owned(),
        reasons: vec![wire::Reason {
            code: code.to_string(),
            parameters: Vec::new(),
        }],
        fingerprint: digest::hex(&digest::fingerprint(body)),
        refused_at: now.to_string(),
        faults,
        fault_count,
    }
}

/// A status as it is written.
#[must_use]
pub fn write_status(status: Status) -> wire::Status {
    match status {
        Status::Accepted => wire::Status::Accepted,
        Status::Partly => wire::Status::Partly,
        Status::Rejected => wire::Status::Rejected,
        Status::InReview => wire::Status::InReview,
    }
}

/// A verdict as it is written.
#[must_use]
pub fn write_verdict(verdict: Verdict) -> wire::Verdict {
    match verdict {
        Verdict::Accept => wire::Verdict::Accept,
        Verdict::Reduce => wire::Verdict::Reduce,
        Verdict::Review => wire::Verdict::Review,
        Verdict::Reject => wire::Verdict::Reject,
        Verdict::Withdrawn => wire::Verdict::Withdrawn,
    }
}

/// A verdict from what is written.
#[must_use]
pub fn read_verdict(verdict: i32) -> Option<Verdict> {
    match wire::Verdict::try_from(verdict).ok()? {
        wire::Verdict::Accept => Some(Verdict::Accept),
        wire::Verdict::Reduce => Some(Verdict::Reduce),
        wire::Verdict::Review => Some(Verdict::Review),
        wire::Verdict::Reject => Some(Verdict::Reject),
        wire::Verdict::Withdrawn => Some(Verdict::Withdrawn),
        wire::Verdict::Unspecified => None,
    }
}

fn write_line(line: &LineDecision) -> wire::LineOutcome {
    wire::LineOutcome {
        line_number: line.line_number,
        line_reference: line.line_reference.to_string(),
        verdict: write_verdict(line.verdict) as i32,
        declared_cents: line.declared.get(),
        awarded_cents: line.awarded.get(),
        proposed_cents: line.proposed.get(),
        reasons: write_reasons(&line.rejections),
        evidence: line.evidence.iter().map(write_evidence).collect(),
        rivals: line.rivals,
    }
}

/// Each code once, in order, with the parameters of the finding that named it first.
pub(super) fn write_reasons(rejections: &[Rejection]) -> Vec<wire::Reason> {
    let mut reasons: Vec<wire::Reason> = Vec::new();
    for rejection in rejections {
        for code in &rejection.codes {
            if !reasons.iter().any(|reason| reason.code == code.as_str()) {
                let parameters = write_parameters(rejection);
                reasons.push(wire::Reason {
                    code: code.to_string(),
                    parameters,
                });
            }
        }
    }
    reasons
}

pub(super) fn write_parameters(rejection: &Rejection) -> Vec<wire::Parameter> {
    let parameters = rejection.parameters.iter();
    parameters
        .map(|(name, value)| wire::Parameter {
            name: name.to_string(),
            value: value.clone(),
        })
        .collect()
}

pub(super) fn write_evidence(evidence: &Evidence) -> wire::Evidence {
    let rival = evidence.rival.as_ref();
    wire::Evidence {
        rule: evidence.rule.to_string(),
        rule_version: evidence.rule_version,
        source: evidence.source.clone(),
        basis: basis_word(evidence.basis).to_owned(),
        effect: effect_word(evidence.effect).to_owned(),
        days_in_common: rival.map_or(0, |rival| rival.days_in_common),
        rival: rival.map(write_rival),
        shared_agbs: rival.map_or_else(Vec::new, |rival| texts(&rival.shared_agbs)),
        shared_activities: rival.map_or_else(Vec::new, |rival| texts(&rival.shared_activities)),
        policy: evidence.policy.clone().unwrap_or_default(),
        standing: evidence.standing.map(|sequence| sequence.0),
    }
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn write_rival(rival: &RivalFacts) -> wire::Rival {
    wire::Rival {
        declarant_agb: rival.declarant.to_string(),
        insurer_uzovi: rival.insurer.to_string(),
        line_reference: rival.line_reference.to_string(),
        contract_id: rival
            .contract_id
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        prestatie: Some(write_prestatie(&rival.prestatie)),
        period: Some(wire::Span {
            first: Some(rival.period.first().to_string()),
            last: Some(rival.period.last().to_string()),
        }),
        sequence: rival.id.sequence.0,
        imported: rival.imported,
        held: rival.held,
        line: rival.id.line,
    }
}

/// A basis as one word, in JSON, SQL, files and pages.
#[must_use]
pub fn basis_word(basis: Basis) -> &'static str {
    match basis {
        Basis::Law => "law",
        Basis::Regulation => "regulation",
        Basis::Standard => "standard",
        Basis::Draft => "draft",
        Basis::Model => "model",
        Basis::Assumption => "assumption",
    }
}

/// An effect as one word, in JSON, SQL, files and pages.
#[must_use]
pub fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Reduce => "reduce",
        Effect::Review => "review",
        Effect::Exclude => "exclude",
    }
}
