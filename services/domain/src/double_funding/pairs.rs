//! Pairs of lines: how closely two meet, and which pair rule speaks for them.

use std::cmp::Reverse;

use crate::{
    coverage::{Coverage, Subject},
    declaration::Meeting,
    double_funding::day_of_judgement,
    reference::{InsurerPredicate, MatchLevel, Operand, PairRule, When},
};

/// Activity by which chain care and its organisation overlap. Source: BWBR0032741, 6.1; a test code
/// like all codes of activities, as no public list of them exists.
pub const CHAIN_COORDINATION: &str = "KETENCOORD";

/// How two lines meet. All of it needs a day in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Meets {
    /// They share an AGB code, and where just one of them is client-bound, both are about one
    /// condition.
    pub candidate: bool,
    /// Also a group and an activity in common.
    pub full: bool,
    /// They are about one insured person.
    pub same_insured: bool,
    /// They are under one contract and about the same subject.
    pub same_contract: bool,
}

impl Meets {
    /// How `a` and `b` meet; symmetric.
    #[must_use]
    pub fn of(a: &Coverage, b: &Coverage) -> Self {
        if a.period.days_in_common(b.period) == 0 || complementary(a, b) {
            return Self::default();
        }
        let same_insured = match (&a.subject, &b.subject) {
            (Subject::Insured(_), Subject::Insured(_)) if a.subject.same(&b.subject) => true,
            // Care of one person is never the care of another.
            (Subject::Insured(_), Subject::Insured(_)) => return Self::default(),
            _ => false,
        };
        let shared_agb = a.agbs.intersection(&b.agbs).next().is_some();
        let candidate = shared_agb && (!one_client_bound(a, b) || same_condition(a, b));
        Self {
            candidate,
            full: candidate && groups_meet(a, b) && activities_meet(a, b),
            same_insured,
            same_contract: a.contract_id.is_some()
                && a.contract_id == b.contract_id
                && a.subject.same(&b.subject),
        }
    }

    /// Whether they meet at `level`.
    #[must_use]
    pub fn at(self, level: MatchLevel) -> bool {
        match level {
            MatchLevel::Candidate => self.candidate,
            MatchLevel::Full => self.full,
            MatchLevel::SameInsured => self.same_insured,
            MatchLevel::SameContract => self.same_contract,
        }
    }
}

/// Lines of one contract to different insurers, each billed for its share, are parts of one whole.
/// Source: 001_391917b9bc3bdc5d.txt, 4.6.
fn complementary(a: &Coverage, b: &Coverage) -> bool {
    let same_contract = a.contract_id.is_some() && a.contract_id == b.contract_id;
    a.each_insurer && b.each_insurer && same_contract && a.insurer != b.insurer
}

fn one_client_bound(a: &Coverage, b: &Coverage) -> bool {
    a.is_client_bound() != b.is_client_bound()
}

/// Both conditions are known and equal.
fn same_condition(a: &Coverage, b: &Coverage) -> bool {
    a.condition.is_some() && a.condition == b.condition
}

/// Whether both are for the same patients, as far as can be known: one insured, one group, groups
/// that one of the contracts says overlap, or one region and condition; where one is client-bound,
/// one condition.
fn groups_meet(a: &Coverage, b: &Coverage) -> bool {
    if one_client_bound(a, b) {
        return same_condition(a, b);
    }
    if a.is_client_bound() {
        return a.subject.same(&b.subject);
    }
    let declared = |of: &Coverage, other: &Coverage| match &other.subject {
        Subject::Group(group) => of.overlapping_groups.contains(group),
        Subject::Insured(_) | Subject::None => false,
    };
    let same_region = a.region.is_some() && a.region == b.region;
    declared(a, b) || declared(b, a) || (same_region && same_condition(a, b))
}

fn activities_meet(a: &Coverage, b: &Coverage) -> bool {
    a.activities.intersection(&b.activities).next().is_some()
}

/// The rule that speaks for `a` beside `b`, if any applies; symmetric.
///
/// Rules of one contract and subject go first and cannot be overruled. Then: code before kind
/// before the same code, the same kind and any; the narrower match; a condition before none; the
/// stricter effect. Two rules left equal are refused at import; here the lower id would speak.
#[must_use]
pub fn rule_between<'a>(a: &Coverage, b: &Coverage, rules: &'a [PairRule]) -> Option<&'a PairRule> {
    let meets = Meets::of(a, b);
    let day = day_of_judgement(a, b);
    rules
        .iter()
        .filter(|rule| meets.at(rule.level))
        .filter(|rule| rule.head.validity.contains(day))
        .filter(|rule| operands_match(rule, a, b))
        .filter(|rule| insurers_meet(rule.insurer, a, b))
        .filter(|rule| holds(rule.when, a, b))
        .max_by_key(|rule| {
            (
                rule.level == MatchLevel::SameContract,
                operand_rank(rule),
                rule.level,
                rule.when != When::Always,
                rule.head.effect,
                Reverse(&rule.head.id),
            )
        })
}

fn operands_match(rule: &PairRule, a: &Coverage, b: &Coverage) -> bool {
    let is = |operand: &Operand, one: &Coverage, other: &Coverage| match operand {
        Operand::Any => true,
        Operand::SameKind => one.kind == other.kind,
        Operand::SameCode => one.prestatie == other.prestatie,
        Operand::Kind(kind) => *kind == one.kind,
        Operand::Code(key) => *key == one.prestatie,
    };
    (is(&rule.a, a, b) && is(&rule.b, b, a)) || (is(&rule.a, b, a) && is(&rule.b, a, b))
}

/// The more specific operand first, so that a code on one side goes before kinds on both.
fn operand_rank(rule: &PairRule) -> (u8, u8) {
    let rank = |operand: &Operand| match operand {
        Operand::Any => 0,
        Operand::SameKind => 1,
        Operand::SameCode => 2,
        Operand::Kind(_) => 3,
        Operand::Code(_) => 4,
    };
    let (a, b) = (rank(&rule.a), rank(&rule.b));
    (a.max(b), a.min(b))
}

fn insurers_meet(predicate: InsurerPredicate, a: &Coverage, b: &Coverage) -> bool {
    match predicate {
        InsurerPredicate::Any => true,
        InsurerPredicate::Shared => a.payers.intersection(&b.payers).next().is_some(),
    }
}

fn holds(when: When, a: &Coverage, b: &Coverage) -> bool {
    let hybrid = |it: &Coverage| it.meeting == Some(Meeting::Hybrid);
    let bills_for = |it: &Coverage, other: &Coverage| it.on_behalf_of == Some(other.declarant);
    let chain = |it: &Coverage| {
        it.activities
            .iter()
            .any(|activity| activity.as_str() == CHAIN_COORDINATION)
    };
    let forms = a.form.as_ref().zip(b.form.as_ref());
    match when {
        When::Always => true,
        When::HybridWithDeduction => [a, b]
            .iter()
            .any(|it| hybrid(it) && it.hybrid_deduction.is_some()),
        When::HybridWithoutDeduction => [a, b]
            .iter()
            .any(|it| hybrid(it) && it.hybrid_deduction.is_none()),
        When::ChainCoordinationInBoth => chain(a) && chain(b),
        When::SchoningNotRecorded => !a.schoning_recorded && !b.schoning_recorded,
        When::AgreedAsPart => {
            a.agreed_parts.contains(&b.prestatie) || b.agreed_parts.contains(&a.prestatie)
        }
        When::SameForm => forms.is_some_and(|(a, b)| a == b),
        When::OtherForm => forms.is_some_and(|(a, b)| a != b),
        When::EqualPeriod => a.period == b.period,
        When::UnequalPeriod => a.period != b.period,
        When::Subcontracted => bills_for(a, b) != bills_for(b, a),
        When::SameCondition => same_condition(a, b),
        When::SameDeclarant => a.declarant == b.declarant,
    }
}
