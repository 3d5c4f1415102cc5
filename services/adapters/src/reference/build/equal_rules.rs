//! Refuses pair rules that the order of precedence leaves equal: nobody could say which one speaks.
//!
//! Order: rules of one contract and subject first; then code before kind before the same code, the
//! same kind and any; the narrower match; a condition before none; the stricter effect.

use samenloop_domain::{
    declaration::PrestatieKey,
    identifiers::KindCode,
    reference::{MatchLevel, Operand, PairRule, Reference, When},
};

use super::{Faults, overlap};
use crate::reference::data::ReferenceData;

pub(super) fn check(data: &ReferenceData, reference: &Reference, faults: &mut Faults) {
    let rules = &reference.pair_rules;
    if rules.len() != data.pair_rules.len() {
        return;
    }
    for (at, a) in rules.iter().enumerate() {
        for (b, entry) in rules.iter().zip(&data.pair_rules).skip(at + 1) {
            if rank(a) == rank(b)
                && a.head.effect == b.head.effect
                && overlap(a.head.validity, b.head.validity)
                && can_hold_together(a.when, b.when)
                && can_meet(reference, a, b)
            {
                let first = data.pair_rules[at].origin.place();
                let problem = format!(
                    "rules {} ({first}) and {} are left equal: one pair of lines can meet both",
                    a.head.id, b.head.id
                );
                let remedy = "make one narrower, give it a condition, or end it before the other";
                faults.add(entry.origin.fault(problem, remedy));
            }
        }
    }
}

fn rank(rule: &PairRule) -> (bool, (u8, u8), MatchLevel, bool) {
    let operand = |operand: &Operand| match operand {
        Operand::Any => 0,
        Operand::SameKind => 1,
        Operand::SameCode => 2,
        Operand::Kind(_) => 3,
        Operand::Code(_) => 4,
    };
    let (a, b) = (operand(&rule.a), operand(&rule.b));
    (
        rule.level == MatchLevel::SameContract,
        (a.max(b), a.min(b)),
        rule.level,
        rule.when != When::Always,
    )
}

fn can_hold_together(a: When, b: When) -> bool {
    let opposite = [
        (When::SameForm, When::OtherForm),
        (When::EqualPeriod, When::UnequalPeriod),
    ];
    !opposite.contains(&(a, b)) && !opposite.contains(&(b, a))
}

/// Whether one pair of lines can be spoken of by both rules.
fn can_meet(reference: &Reference, a: &PairRule, b: &PairRule) -> bool {
    let lines = examples(reference, [&a.a, &a.b, &b.a, &b.b]);
    let mut pairs = lines
        .iter()
        .flat_map(|x| lines.iter().map(move |y| (*x, *y)));
    pairs.any(|(x, y)| speaks(a, x, y) && speaks(b, x, y))
}

/// A prestatie, as a rule sees it.
type Example<'a> = (&'a PrestatieKey, &'a KindCode);

/// One prestatie for everything that the operands tell apart: each code, one of each kind, and one
/// of no kind named.
fn examples<'a>(reference: &'a Reference, operands: [&Operand; 4]) -> Vec<Example<'a>> {
    let all = || {
        reference
            .catalogue
            .iter()
            .map(|(key, entry)| (key, &entry.kind))
    };
    let named = operands.iter().filter_map(|operand| match operand {
        Operand::Kind(kind) => all().find(|(_, it)| *it == kind),
        Operand::Code(key) => all().find(|(it, _)| *it == key),
        Operand::Any | Operand::SameKind | Operand::SameCode => None,
    });
    let mut examples: Vec<Example<'a>> = named.collect();
    let other = all().find(|(_, kind)| !examples.iter().any(|(_, named)| named == kind));
    examples.extend(other);
    examples
}

/// Whether the operands of `rule` are these two, either way round.
fn speaks(rule: &PairRule, x: Example<'_>, y: Example<'_>) -> bool {
    let is = |operand: &Operand, one: Example<'_>, other: Example<'_>| match operand {
        Operand::Any => true,
        Operand::SameKind => one.1 == other.1,
        Operand::SameCode => one.0 == other.0,
        Operand::Kind(kind) => kind == one.1,
        Operand::Code(key) => key == one.0,
    };
    (is(&rule.a, x, y) && is(&rule.b, y, x)) || (is(&rule.a, y, x) && is(&rule.b, x, y))
}
