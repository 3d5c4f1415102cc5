//! A second, naive decision of declarations: every line is judged against every line before it.
//!
//! Slow on purpose, and written from the rules alone, so that it can disagree with the engine. It reads the plain
//! types of the domain (declarations, reference data, codes, findings) and none of its decisions: no index, no
//! history, no ceilings, no decision function. Layout: [`facts`] is what a line says, [`past`] is what was decided
//! before and what follows from it alone, [`pairs`] is what two lines say of each other.

pub(crate) mod facts;
pub(crate) mod pairs;
pub(crate) mod past;

use std::collections::BTreeSet;

use samenloop_domain::{
    cents::Cents,
    decision::{Status, Validated, Verdict},
    declaration::{Direction, Line},
    reference::{Effect, Reference},
    rejection::{ReasonCode, Rejection},
};

use facts::Facts;
use past::{Known, Past, Spot};

/// What happens, in order; every event takes one number.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A message to decide.
    Message(Box<Validated>),
    /// A chunk of prestaties paid elsewhere or before.
    Import(Vec<Facts>),
}

/// What the oracle says of one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    /// Its number.
    pub(crate) sequence: u64,
    /// What the lines come to.
    pub(crate) status: Status,
    /// Reasons for the whole message.
    pub(crate) codes: Vec<ReasonCode>,
    /// In the order of the message.
    pub(crate) lines: Vec<Judged>,
    /// Whether its invoice part is now used up.
    pub(crate) uses_invoice_part: bool,
    /// Held lines that its credits withdrew.
    pub(crate) withdrawn: BTreeSet<Spot>,
}

/// What the oracle says of one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Judged {
    /// Its number in the message.
    pub(crate) line_number: u32,
    /// The verdict.
    pub(crate) verdict: Verdict,
    /// The award, signed.
    pub(crate) awarded: Cents,
    /// Of a held line: what would be awarded.
    pub(crate) proposed: Cents,
    /// Reasons in order of report.
    pub(crate) codes: Vec<ReasonCode>,
    /// Pair and line rules that decided it: those with the effect that won.
    pub(crate) rules: BTreeSet<(String, u32)>,
    /// Lines before it about which a rule says anything but allow.
    pub(crate) rivals: BTreeSet<Spot>,
    /// How many rules say anything but allow, once per rival.
    pub(crate) hits: usize,
    /// Of an accepted credit: the line that it reverses.
    pub(crate) reverses: Option<Spot>,
}

/// Decides all messages of `events` in order, into `past`; imports give `None`.
pub(crate) fn decide_all(
    past: &mut Past,
    events: &[Event],
    reference: &Reference,
) -> Vec<Option<Outcome>> {
    (1..)
        .zip(events)
        .map(|(sequence, event)| match event {
            Event::Message(validated) => Some(decide(past, validated, reference, sequence)),
            Event::Import(rows) => {
                past.import(sequence, rows);
                None
            }
        })
        .collect()
}

/// Decides one message and adds it to the past.
pub(crate) fn decide(
    past: &mut Past,
    validated: &Validated,
    reference: &Reference,
    sequence: u64,
) -> Outcome {
    let mut whole: Vec<Vec<ReasonCode>> = codes_of(&validated.findings.message);
    if past.invoice_part_is_used(validated) {
        whole.push(vec![ReasonCode::known("0030")]);
    }
    if whole.is_empty() && past.part_before_is_missing(validated) {
        whole.push(vec![ReasonCode::known("8003")]);
    }
    past.part_came(validated);
    let refused = !whole.is_empty();
    let mut withdrawn = BTreeSet::new();
    let mut judged = Vec::new();
    for line in in_order_of_decision(&validated.declaration.lines) {
        let facts = facts::of_line(&validated.declaration, line, reference);
        let outcome = if refused {
            refusal(line, vec![ReasonCode::known("8002")])
        } else {
            decide_line(past, validated, line, facts.as_ref(), reference)
        };
        if let Some(original) = outcome.reverses
            && past.reverse(original) == Verdict::Withdrawn
        {
            withdrawn.insert(original);
        }
        past.lines
            .push(Known::decided(validated, line, sequence, facts, &outcome));
        judged.push(outcome);
    }
    let position = |number| {
        let mut lines = validated.declaration.lines.iter();
        lines.position(|line| line.line_number == number)
    };
    judged.sort_by_key(|outcome| position(outcome.line_number));
    let uses_invoice_part = judged.iter().any(|line| line.verdict != Verdict::Reject);
    if uses_invoice_part {
        past.use_invoice_part(validated);
    }
    Outcome {
        sequence,
        status: status(&judged),
        codes: in_order_of_report(whole),
        lines: judged,
        uses_invoice_part,
        withdrawn,
    }
}

/// Credits first, then by begin, then by number.
fn in_order_of_decision(lines: &[Line]) -> Vec<&Line> {
    let mut lines: Vec<&Line> = lines.iter().collect();
    lines.sort_by_key(|line| {
        let debit = line.direction == Direction::Debit;
        (debit, line.period.first, line.line_number)
    });
    lines
}

fn decide_line(
    past: &Past,
    validated: &Validated,
    line: &Line,
    facts: Option<&Facts>,
    reference: &Reference,
) -> Judged {
    let found = validated.findings.lines.get(&line.line_number);
    let mut groups = codes_of(found.map_or(&[][..], |found| found));
    if past.reference_is_used(validated, line) {
        groups.push(vec![ReasonCode::known("8021")]);
    }
    if line.direction == Direction::Credit {
        return decide_credit(past, validated, line, facts, groups);
    }
    let agreed = facts::agreement(&validated.declaration, line, reference);
    if let (Some(facts), Some((_, contract))) = (facts, agreed) {
        if past.terms_are_used(facts, contract) {
            groups.push(vec![ReasonCode::known("0584")]);
        }
        if past.is_late(validated, line, facts, contract) {
            groups.push(vec![ReasonCode::known("0586")]);
        }
    }
    if !groups.is_empty() {
        return refusal(line, in_order_of_report(groups));
    }
    let Some(facts) = facts else {
        panic!("line {} passed without facts", line.line_number)
    };
    if let Some((_, contract)) = agreed
        && past.is_over_a_ceiling(line, facts, contract, reference)
    {
        return refusal(line, vec![ReasonCode::known("0589")]);
    }
    award(line, facts, &pairs::hits(facts, past, reference))
}

/// Only what a credit must repeat is judged here: one line before it, whole, and once.
fn decide_credit(
    past: &Past,
    validated: &Validated,
    line: &Line,
    facts: Option<&Facts>,
    mut groups: Vec<Vec<ReasonCode>>,
) -> Judged {
    let own_debit = validated.declaration.lines.iter().any(|other| {
        other.direction == Direction::Debit
            && Some(&other.line_reference) == line.original_reference.as_ref()
    });
    let original = past.original(validated, line);
    if own_debit {
        groups.push(vec![ReasonCode::known("8062")]);
    } else if line.original_reference.is_some() {
        if !original.is_some_and(|original| original.is_repeated_by(line, facts)) {
            groups.push(vec![ReasonCode::known("8017")]);
        }
        if original.is_some_and(|original| original.credited) {
            groups.push(vec![ReasonCode::known("8084")]);
        }
    }
    let (Some(original), true) = (original, groups.is_empty()) else {
        return refusal(line, in_order_of_report(groups));
    };
    Judged {
        verdict: Verdict::Accept,
        awarded: -original.awarded,
        reverses: Some(original.spot),
        ..refusal(line, Vec::new())
    }
}

/// The strictest effect wins; a held line keeps what a reduction would give as a proposal.
fn award(line: &Line, facts: &Facts, hits: &[pairs::Hit]) -> Judged {
    let effect = hits
        .iter()
        .map(|hit| hit.effect)
        .max()
        .unwrap_or(Effect::Allow);
    let reduced = hits.iter().any(|hit| hit.effect == Effect::Reduce);
    let amount = if reduced {
        facts.less_deduction(line.declared)
    } else {
        line.declared
    };
    let (verdict, awarded, proposed) = match effect {
        Effect::Exclude => (Verdict::Reject, Cents::ZERO, Cents::ZERO),
        Effect::Review => (Verdict::Review, Cents::ZERO, amount),
        Effect::Reduce => (Verdict::Reduce, amount, Cents::ZERO),
        Effect::Allow => (Verdict::Accept, amount, Cents::ZERO),
    };
    let deciding = || hits.iter().filter(|hit| hit.effect == effect);
    Judged {
        line_number: line.line_number,
        verdict,
        awarded,
        proposed,
        codes: pairs::in_order_of_rivals(deciding().flat_map(|hit| hit.codes.clone())),
        rules: deciding()
            .map(|hit| (hit.rule.clone(), hit.version))
            .collect(),
        rivals: hits.iter().filter_map(|hit| hit.rival).collect(),
        hits: hits.len(),
        reverses: None,
    }
}

fn refusal(line: &Line, codes: Vec<ReasonCode>) -> Judged {
    Judged {
        line_number: line.line_number,
        verdict: Verdict::Reject,
        awarded: Cents::ZERO,
        proposed: Cents::ZERO,
        codes,
        rules: BTreeSet::new(),
        rivals: BTreeSet::new(),
        hits: 0,
        reverses: None,
    }
}

fn status(lines: &[Judged]) -> Status {
    let passed = |line: &&Judged| line.verdict.awards();
    if lines.iter().any(|line| line.verdict == Verdict::Review) {
        Status::InReview
    } else if lines.iter().all(|line| passed(&line)) {
        Status::Accepted
    } else if lines.iter().any(|line| passed(&line)) {
        Status::Partly
    } else {
        Status::Rejected
    }
}

fn codes_of(findings: &[Rejection]) -> Vec<Vec<ReasonCode>> {
    findings
        .iter()
        .map(|finding| finding.codes.clone())
        .collect()
}

/// Findings by their last code, then each code once.
fn in_order_of_report(mut groups: Vec<Vec<ReasonCode>>) -> Vec<ReasonCode> {
    groups.sort_by_key(|codes| codes.last().copied());
    let mut once = Vec::new();
    for code in groups.into_iter().flatten() {
        if !once.contains(&code) {
            once.push(code);
        }
    }
    once
}
