//! Deciding one whole message.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    cents::Cents,
    coverage::CoverageId,
    decision::{
        LineDecision, MessageDecision, Status, Validated, Verdict, Withdrawal, credit, debit,
        past::Past,
        register::{missing_predecessor, own_debits},
    },
    declaration::{Direction, Line},
    history::{History, ReferenceKey, invoice_part_of, is_used_up, payee_of},
    identifiers::{Agb, LineReference, Sequence, Uzovi},
    reference::Reference,
    rejection::{self, Rejection},
};

/// The message that a line is decided in.
pub(super) struct Message<'a> {
    pub(super) input: &'a Validated,
    pub(super) reference: &'a Reference,
    pub(super) declarant: Agb,
    pub(super) insurer: Uzovi,
    pub(super) payee: Agb,
    /// References of its debits.
    pub(super) debits: BTreeSet<&'a LineReference>,
}

impl<'a> Message<'a> {
    /// A message that is not refused whole.
    ///
    /// Panics if `input` has no finding although a fact is missing that a finding would tell.
    pub(super) fn of(input: &'a Validated, reference: &'a Reference) -> Self {
        let declaration = &input.declaration;
        Self {
            input,
            reference,
            declarant: (declaration.declarant_agb.agb())
                .expect("validation refuses a message whose declarant is malformed"),
            insurer: (declaration.insurer_uzovi.uzovi())
                .expect("validation refuses a message whose insurer is malformed"),
            payee: payee_of(declaration)
                .expect("validation refuses a message whose sender or declarant is malformed"),
            debits: own_debits(input),
        }
    }

    /// `reference` as the declarant of the message uses it.
    pub(super) fn key(&self, reference: &LineReference) -> ReferenceKey {
        ReferenceKey {
            declarant: self.declarant,
            reference: reference.clone(),
        }
    }
}

/// Decides a message that is registered as new, with everything it names in `history`.
///
/// Credits are decided first, then debits by begin date and line number; what a credit frees is
/// free at once for the lines of its own message that follow. A credit whose original is not in
/// `history` is refused with 8017, a part whose predecessor is not there with 8003: whoever wants
/// to wait for them asks [`super::waits_for`] before.
///
/// Panics if `input` has no finding although a fact is missing that a finding would tell:
/// validation is then wrong.
#[must_use]
pub fn decide_message(
    input: &Validated,
    history: &History,
    reference: &Reference,
    sequence: Sequence,
) -> MessageDecision {
    let mut rejections = refusals(input, history);
    if rejections.is_empty() {
        rejections.extend(part_out_of_order(input, history));
    }
    if !rejections.is_empty() {
        return refuse(input, sequence, rejections);
    }
    let declaration = &input.declaration;
    let message = Message::of(input, reference);
    let mut past = Past::new(history);
    let mut decided = BTreeMap::new();
    let mut withdrawn = Vec::new();
    for index in order_of_decision(&declaration.lines) {
        let line = &declaration.lines[index];
        let decision = match line.direction {
            Direction::Debit => debit::decide(&message, line, &past),
            Direction::Credit => {
                let (decision, withdrawal) = credit::decide(&message, line, &past);
                withdrawn.extend(withdrawal);
                decision
            }
        };
        let id = CoverageId::of_line(sequence, line.line_number);
        past.record(id, message.key(&line.line_reference), &decision);
        decided.insert(index, decision);
    }
    withdrawn.sort_by_key(|it: &Withdrawal| it.original);
    let lines: Vec<LineDecision> = decided.into_values().collect();
    let uses_part = lines.iter().any(|line| line.verdict.uses_reference());
    MessageDecision {
        sequence,
        status: status_of(lines.iter().map(|line| line.verdict)),
        rejections: Vec::new(),
        lines,
        invoice_part: invoice_part_of(declaration).filter(|_| uses_part),
        withdrawn,
        signals: past.signals(reference),
    }
}

/// What all verdicts of a message come to; a withdrawn line counts as not accepted.
#[must_use]
pub fn status_of(verdicts: impl IntoIterator<Item = Verdict>) -> Status {
    let (mut awarded, mut refused) = (false, false);
    for verdict in verdicts {
        match verdict {
            Verdict::Review => return Status::InReview,
            Verdict::Accept | Verdict::Reduce => awarded = true,
            Verdict::Reject | Verdict::Withdrawn => refused = true,
        }
    }
    match (awarded, refused) {
        (true, false) => Status::Accepted,
        (true, true) => Status::Partly,
        (false, _) => Status::Rejected,
    }
}

/// Reasons to refuse the message whole: those of validation, and an invoice part that was used
/// before (0030).
///
/// Source: Vektis COD954, code 0030; AW319 v1.4, field 0116: unique per payee for five years.
pub(super) fn refusals(input: &Validated, history: &History) -> Vec<Rejection> {
    let mut rejections = input.findings.message.clone();
    let part = invoice_part_of(&input.declaration);
    let used_on = part
        .as_ref()
        .and_then(|part| history.invoice_parts.get(part));
    if used_on.is_some_and(|day| is_used_up(*day, input.received_on)) {
        rejections.push(
            Rejection::new("invoice_part_unused", &["0030"])
                .with("invoice_number", &input.declaration.invoice_number)
                .with("invoice_part", input.declaration.invoice_part),
        );
    }
    rejection::sort(&mut rejections);
    rejections
}

/// The part of the invoice before this one did not come (8003). Not told of a message that is
/// refused anyhow: nobody waited for its predecessor.
///
/// Source: Vektis COD954, code 8003.
fn part_out_of_order(input: &Validated, history: &History) -> Option<Rejection> {
    missing_predecessor(input, history).map(|missing| {
        Rejection::new("invoice_parts_in_order", &["8003"])
            .with("invoice_number", &missing.invoice_number)
            .with("missing_part", missing.part)
    })
}

/// Refuses the message whole; its lines are not assessed. Source: Vektis COD954, code 8002.
fn refuse(input: &Validated, sequence: Sequence, rejections: Vec<Rejection>) -> MessageDecision {
    let lines = input.declaration.lines.iter().map(|line| {
        let not_assessed = vec![Rejection::new("message_refused", &["8002"])];
        LineDecision::rejected(line, not_assessed)
    });
    MessageDecision {
        sequence,
        status: Status::Rejected,
        rejections,
        lines: lines.collect(),
        invoice_part: None,
        withdrawn: Vec::new(),
        signals: Vec::new(),
    }
}

/// Indices of lines: credits first, then begin date, then line number.
fn order_of_decision(lines: &[Line]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|index| {
        let line = &lines[*index];
        let is_debit = line.direction == Direction::Debit;
        (is_debit, line.period.first, line.line_number)
    });
    order
}

impl LineDecision {
    /// The decision that refuses `line`, without what an awarded or held line has.
    pub(super) fn rejected(line: &Line, rejections: Vec<Rejection>) -> Self {
        Self {
            line_number: line.line_number,
            line_reference: line.line_reference.clone(),
            direction: line.direction,
            verdict: Verdict::Reject,
            declared: line.declared,
            awarded: Cents::ZERO,
            proposed: Cents::ZERO,
            rejections,
            evidence: Vec::new(),
            rivals: 0,
            facts: None,
            coverage: None,
            reverses: None,
            claim: None,
        }
    }
}

/// A line reference is used up by a line that was not refused, for five years (8021).
///
/// Source: Vektis COD954, code 8021; AW319 v1.4, field 0431: unique per declarant.
pub(super) fn check_reference(
    message: &Message<'_>,
    line: &Line,
    past: &Past<'_>,
) -> Option<Rejection> {
    let key = message.key(&line.line_reference);
    past.is_reference_used(&key, message.input.received_on)
        .then(|| {
            Rejection::new("line_reference_unused", &["8021"])
                .with("line_reference", &line.line_reference)
        })
}
