//! What two lines say of each other, and what one line says by itself: every rule of the table against every pair.

use samenloop_domain::{
    declaration::PrestatieKey,
    identifiers::KindCode,
    period::Day,
    reference::{
        Effect, InsurerPredicate, LineCondition, MatchLevel, Operand, PairRule, Reference,
        RuleHead, When,
    },
    rejection::ReasonCode,
};

use crate::oracle::{
    facts::Facts,
    past::{Known, Past, Spot},
};

/// A rule that says anything but allow of the new line.
#[derive(Debug)]
pub(crate) struct Hit {
    /// Id of the rule.
    pub(crate) rule: String,
    /// Version of the rule.
    pub(crate) version: u32,
    /// What it comes to here.
    pub(crate) effect: Effect,
    /// Why.
    pub(crate) codes: Vec<ReasonCode>,
    /// The other line, if there is one.
    pub(crate) rival: Option<Spot>,
}

/// Every hit on a new line: line rules, and one rule for every pair with a line that still counts.
pub(crate) fn hits(new: &Facts, past: &Past, reference: &Reference) -> Vec<Hit> {
    let mut hits = line_hits(new, reference);
    for known in past.lines.iter().filter(|known| known.counts()) {
        let facts = known.facts.as_ref().expect("a line that counts has facts");
        hits.extend(pair_hit(new, known, facts, reference));
    }
    hits
}

/// Rules that need no other line.
pub(crate) fn line_hits(new: &Facts, reference: &Reference) -> Vec<Hit> {
    let hitting = reference.line_rules.iter().filter(|rule| {
        let of_line = match &rule.of {
            Operand::Any => true,
            Operand::Kind(kind) => *kind == new.kind,
            Operand::Code(code) => *code == new.prestatie,
            Operand::SameKind | Operand::SameCode => false,
        };
        let holds = match rule.condition {
            LineCondition::HybridWithDeduction => new.is_hybrid_with_deduction(),
            LineCondition::HybridWithoutDeduction => new.is_hybrid_without_deduction(),
            LineCondition::FewerThanTwoZorgaanbieders => zorgaanbieders(new) < 2,
        };
        of_line && holds && in_force(&rule.head, new.period.first())
    });
    hitting
        .filter(|rule| rule.head.effect != Effect::Allow)
        .map(|rule| hit(&rule.head, rule.head.effect, None))
        .collect()
}

fn zorgaanbieders(new: &Facts) -> usize {
    let mut seen = Vec::new();
    for agb in &new.agbs {
        if !agb.as_str().starts_with("98") && !seen.contains(agb) {
            seen.push(*agb);
        }
    }
    seen.len()
}

fn pair_hit(new: &Facts, known: &Known, old: &Facts, reference: &Reference) -> Option<Hit> {
    let complementary =
        new.each_insurer && same_contract_id(new, old) && new.insurer != old.insurer;
    if complementary {
        return None;
    }
    let day = new.period.first().max(old.period.first());
    let hitting: Vec<&PairRule> = reference
        .pair_rules
        .iter()
        .filter(|rule| in_force(&rule.head, day) && hits_pair(rule, new, old))
        .collect();
    let rule = hitting.into_iter().max_by_key(|rule| precedence(rule))?;
    let effect = match softened(rule, new, known, old) {
        Effect::Exclude if policy_asks_a_person(rule, new, day, reference) => Effect::Review,
        effect => effect,
    };
    (effect != Effect::Allow).then(|| hit(&rule.head, effect, Some(known.spot)))
}

/// What a rule comes to for the new line of a pair.
fn softened(rule: &PairRule, new: &Facts, known: &Known, old: &Facts) -> Effect {
    let begins_earlier = new.period.first() < old.period.first();
    let other_contract = !same_contract_id(new, old);
    match rule.head.effect {
        Effect::Exclude if known.is_held() => Effect::Review,
        Effect::Exclude
            if begins_earlier && other_contract && rule.level != MatchLevel::SameContract =>
        {
            Effect::Review
        }
        Effect::Reduce if !new.is_hybrid_with_deduction() => Effect::Allow,
        effect => effect,
    }
}

/// Whether the insurer that would pay the new line wants a person to look; never at the same line twice.
fn policy_asks_a_person(rule: &PairRule, new: &Facts, day: Day, reference: &Reference) -> bool {
    let twice = rule.level == MatchLevel::SameContract;
    let asks = reference.policies.iter().any(|policy| {
        let begun = policy.validity.from <= day;
        let ended = policy.validity.until.is_some_and(|until| until <= day);
        let all = policy.rules.is_empty();
        let named = policy.rules.contains(&rule.head.id);
        policy.insurer == new.insurer && begun && !ended && (all || named)
    });
    asks && !twice
}

fn hit(head: &RuleHead, effect: Effect, rival: Option<Spot>) -> Hit {
    let codes = if effect == head.effect {
        head.codes.clone()
    } else {
        vec![ReasonCode::known("GDC-DF-FLAG")]
    };
    Hit {
        rule: head.id.to_string(),
        version: head.version,
        effect,
        codes,
        rival,
    }
}

fn in_force(head: &RuleHead, day: Day) -> bool {
    head.validity.from <= day && head.validity.until.is_none_or(|until| day < until)
}

fn same_contract_id(a: &Facts, b: &Facts) -> bool {
    a.contract.is_some() && a.contract == b.contract
}

/// Rows of one contract before all others; then code before kind, narrower, conditional, stricter.
fn precedence(rule: &PairRule) -> (bool, [u8; 2], MatchLevel, bool, Effect) {
    let mut ranks = [rank(&rule.a), rank(&rule.b)];
    ranks.sort_unstable();
    ranks.reverse();
    let conditional = rule.when != When::Always;
    let one_contract = rule.level == MatchLevel::SameContract;
    (
        one_contract,
        ranks,
        rule.level,
        conditional,
        rule.head.effect,
    )
}

fn rank(operand: &Operand) -> u8 {
    match operand {
        Operand::Any => 0,
        Operand::SameKind => 1,
        Operand::SameCode => 2,
        Operand::Kind(_) => 3,
        Operand::Code(_) => 4,
    }
}

fn hits_pair(rule: &PairRule, new: &Facts, old: &Facts) -> bool {
    let one_way = names(&rule.a, new, old) && names(&rule.b, old, new);
    let other_way = names(&rule.a, old, new) && names(&rule.b, new, old);
    (one_way || other_way) && meets(rule, new, old) && holds(rule.when, new, old)
}

fn names(operand: &Operand, line: &Facts, other: &Facts) -> bool {
    let is_kind = |kind: &KindCode| line.kind == *kind;
    let is_code = |code: &PrestatieKey| line.prestatie == *code;
    match operand {
        Operand::Any => true,
        Operand::SameKind => is_kind(&other.kind),
        Operand::SameCode => is_code(&other.prestatie),
        Operand::Kind(kind) => is_kind(kind),
        Operand::Code(code) => is_code(code),
    }
}

/// Whether two lines meet as closely as the rule asks.
fn meets(rule: &PairRule, a: &Facts, b: &Facts) -> bool {
    let day_in_common = a.period.first() <= b.period.last() && b.period.first() <= a.period.last();
    let persons = a.subject.is_person() && b.subject.is_person();
    let same_person = persons && a.subject.same(&b.subject);
    let payer_in_common = a.payers.iter().any(|payer| b.payers.contains(payer));
    if !day_in_common
        || (persons && !same_person)
        || (rule.insurer == InsurerPredicate::Shared && !payer_in_common)
    {
        return false;
    }
    match rule.level {
        MatchLevel::Candidate => is_candidate(a, b),
        MatchLevel::Full => is_candidate(a, b) && groups_meet(a, b) && activities_meet(a, b),
        MatchLevel::SameInsured => same_person,
        MatchLevel::SameContract => same_contract_id(a, b) && a.subject.same(&b.subject),
    }
}

/// A provider in common; of one person and a group also the condition.
fn is_candidate(a: &Facts, b: &Facts) -> bool {
    let shared_agb = a.agbs.iter().any(|agb| b.agbs.contains(agb));
    let one_person = a.subject.is_person() != b.subject.is_person();
    shared_agb && (!one_person || same_condition(a, b))
}

fn groups_meet(a: &Facts, b: &Facts) -> bool {
    use crate::oracle::facts::About::{Group, Person};
    let same_place = a.region.is_some() && a.region == b.region && same_condition(a, b);
    match (&a.subject, &b.subject) {
        (Person(_), Person(_)) => true,
        (Person(_), _) | (_, Person(_)) => same_condition(a, b),
        (Group(x), Group(y)) => {
            x == y || a.overlapping.contains(y) || b.overlapping.contains(x) || same_place
        }
        _ => same_place,
    }
}

fn activities_meet(a: &Facts, b: &Facts) -> bool {
    a.activities
        .iter()
        .any(|activity| b.activities.contains(activity))
}

fn same_condition(a: &Facts, b: &Facts) -> bool {
    a.condition.is_some() && a.condition == b.condition
}

fn holds(when: When, a: &Facts, b: &Facts) -> bool {
    let either = |says: fn(&Facts) -> bool| says(a) || says(b);
    let forms = a.form.as_ref().zip(b.form.as_ref());
    let bills_for = |a: &Facts, b: &Facts| a.on_behalf_of == Some(b.declarant);
    match when {
        When::Always => true,
        When::HybridWithDeduction => either(Facts::is_hybrid_with_deduction),
        When::HybridWithoutDeduction => either(Facts::is_hybrid_without_deduction),
        When::ChainCoordinationInBoth => {
            let coordinates = |facts: &Facts| {
                facts
                    .activities
                    .iter()
                    .any(|activity| activity.as_str() == "KETENCOORD")
            };
            coordinates(a) && coordinates(b)
        }
        When::SchoningNotRecorded => !either(|facts| facts.schoning_recorded),
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

/// Codes of rules with the effect that won, each once: 0587, 0634, 8020, then the others in order of report.
pub(crate) fn in_order_of_rivals(codes: impl Iterator<Item = ReasonCode>) -> Vec<ReasonCode> {
    let mut codes: Vec<ReasonCode> = codes.collect();
    let place = |code: &ReasonCode| {
        let first = ["0587", "0634", "8020"];
        first
            .iter()
            .position(|first| *first == code.as_str())
            .unwrap_or(first.len())
    };
    codes.sort_by_key(|code| (place(code), *code));
    codes.dedup();
    codes
}
