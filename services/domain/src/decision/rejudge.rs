//! Lines that were refused for a rival that is gone, and held lines that wait for one.

use std::collections::BTreeSet;

use crate::{
    coverage::{self, Coverage, CoverageId, CoverageState, Covered},
    decision::{
        Before, LineDecision, Revision, Validated, Verdict,
        review::{again, find, next_version, part_use},
    },
    double_funding::{Judging, rule_between},
    facts::{self, LineFacts},
    history::{History, PastLine, ReferenceKey, invoice_part_of, is_used_up},
    period::{Day, months_after},
    reference::{Effect, Reference},
};

/// A line that was refused, and whose excluding rival is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Loser<'a> {
    /// Its message, judged with the reference data in force.
    pub input: &'a Validated,
    /// The line.
    pub line: CoverageId,
    /// Whether another line of its message is awarded, held or withdrawn.
    pub others_use_part: bool,
    /// Today.
    pub today: Day,
}

/// What becomes of a line whose excluding rival is gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rejudged {
    /// Another rival excludes it: it waits for that one.
    Excluded(CoverageId),
    /// It is left as it is: its reference, invoice part or coverage was declared again, or its term
    /// has passed.
    Left,
    /// No other rival excludes it: so it would be decided now.
    Free(Box<Revision>),
}

/// The rival to wait for of a line that was refused for double funding: when it goes, the line is
/// looked at again, and waits for the next or is free.
#[must_use]
pub fn excluding_rival(decision: &LineDecision) -> Option<CoverageId> {
    let mut excluding = decision
        .evidence
        .iter()
        .filter(|it| it.effect == Effect::Exclude);
    let refused = decision.verdict == Verdict::Reject;
    excluding
        .find_map(|it| it.rival.as_ref())
        .filter(|_| refused)
        .map(|rival| rival.id)
}

/// Judges a line whose excluding rival is gone, with its own receipt date and the reference data in
/// force.
///
/// One that could be declared anew is left to its declarant only where that happened: the term is
/// the one in which a refused line may come again. Example: O&I excludes two BDSS lines and is
/// credited; the first of them is free, and excludes the second.
#[must_use]
pub fn rejudge(loser: Loser<'_>, history: &History, reference: &Reference) -> Rejudged {
    let Some((line, before)) = find(loser.input, loser.line, history) else {
        return Rejudged::Left;
    };
    let facts = facts::establish(&loser.input.declaration, line, reference);
    let coverage = coverage::of_line(&facts, reference);
    let left = before.verdict != Verdict::Reject
        || is_reference_used_since(before, &facts, history)
        || is_part_used_since(loser, history)
        || coverage.is_some_and(|coverage| is_declared_again(&coverage, history))
        || is_too_late(&facts, loser.today);
    if left {
        return Rejudged::Left;
    }
    let judging = Judging::AsDeclared;
    let (decision, _) = again(loser.input, line, before, history, reference, judging);
    if let Some(rival) = excluding_rival(&decision) {
        return Rejudged::Excluded(rival);
    }
    Rejudged::Free(Box::new(Revision {
        line: loser.line,
        message_id: before.message_id,
        version: next_version(loser.input, history),
        before: Before::of(before),
        seen: BTreeSet::new(),
        overridden: Vec::new(),
        invoice_part: part_use(loser.input, before, decision.verdict, loser.others_use_part),
        standing: Vec::new(),
        decision,
    }))
}

/// Whether a held line waits for what `gone` occupied: a rule excludes one of the two, or asks for
/// review.
///
/// It is not decided by that; a person is told. Example: the held line that was here first is
/// refused, so a line that was held beside it may be accepted.
#[must_use]
pub fn depends_on(held: &Covered, gone: &Coverage, reference: &Reference) -> bool {
    let rule = rule_between(&held.coverage, gone, &reference.pair_rules);
    let stops = rule.is_some_and(|rule| rule.head.effect >= Effect::Review);
    held.state == CoverageState::Held && stops
}

/// Whether the declarant used the reference in a later message, whatever became of it.
fn is_reference_used_since(before: &PastLine, facts: &LineFacts<'_>, history: &History) -> bool {
    let key = facts.declarant.map(|declarant| ReferenceKey {
        declarant,
        reference: facts.line.line_reference.clone(),
    });
    let known = key
        .and_then(|key| history.lines.get(&key))
        .into_iter()
        .flatten();
    known.map(|line| line.id).max() > Some(before.id)
}

/// Whether another message uses the invoice part.
fn is_part_used_since(loser: Loser<'_>, history: &History) -> bool {
    let part = invoice_part_of(&loser.input.declaration);
    let used_on = part.and_then(|part| history.invoice_parts.get(&part));
    !loser.others_use_part && used_on.is_some_and(|day| is_used_up(*day, loser.input.received_on))
}

/// Whether its declarant has declared the same under another reference, and it is awarded or held.
fn is_declared_again(coverage: &Coverage, history: &History) -> bool {
    history.coverage.meeting(coverage).into_iter().any(|other| {
        let (state, other) = (other.state, &other.coverage);
        state != CoverageState::Imported
            && other.declarant == coverage.declarant
            && other.insurer == coverage.insurer
            && other.contract_id == coverage.contract_id
            && other.prestatie == coverage.prestatie
            && other.subject.same(&coverage.subject)
    })
}

/// Whether even a refused line could not come again any more. Terms are the contract's.
fn is_too_late(facts: &LineFacts<'_>, today: Day) -> bool {
    let (Some((_, contract)), Some(period)) = (facts.contract, facts.period) else {
        return false;
    };
    let months = contract.submission_months + contract.resubmission_months;
    today > months_after(period.last(), months)
}
