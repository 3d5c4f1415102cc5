//! Rules of double funding.

use samenloop_domain::{
    identifiers::KindCode,
    period::Day,
    reference::{
        Effect, InsurerPredicate, LineRule, MatchLevel, Operand, PairRule, Policy, RuleHead,
    },
    rejection::ReasonCode,
};

use super::{Faults, known_prestatie, overlap, unique, uzovi, validity};
use crate::reference::{
    data::{LineRuleEntry, PairRuleEntry, ReferenceData},
    fault::{Entry, Fault, Origin},
    words::{self, Basis},
};

pub(super) fn pair_rules(data: &ReferenceData, faults: &mut Faults) -> Vec<PairRule> {
    unique(&data.pair_rules, faults, |it| {
        (
            (&it.id, it.version),
            format!("rule {} version {}", it.id, it.version),
        )
    });
    let mut rules = Vec::new();
    for Entry { value, origin } in &data.pair_rules {
        let head = head(&Head::of_pair(value), origin, faults);
        let a = faults.ok(operand(data, origin, "a", &value.a));
        let b = faults.ok(operand(data, origin, "b", &value.b));
        let (Some(head), Some(a), Some(b)) = (head, a, b) else {
            continue;
        };
        let level = value.level.into();
        let insurer = value
            .insurer
            .map_or_else(|| usual_predicate(level), Into::into);
        let when = value.when.into();
        rules.push(PairRule {
            head,
            a,
            b,
            level,
            when,
            insurer,
        });
    }
    one_version_at_a_time(&rules, |rule| &rule.head, &data.pair_rules, faults);
    rules
}

pub(super) fn line_rules(data: &ReferenceData, faults: &mut Faults) -> Vec<LineRule> {
    unique(&data.line_rules, faults, |it| {
        (
            (&it.id, it.version),
            format!("rule {} version {}", it.id, it.version),
        )
    });
    let mut rules = Vec::new();
    for Entry { value, origin } in &data.line_rules {
        let head = head(&Head::of_line(value), origin, faults);
        let of = faults.ok(operand(data, origin, "of", &value.of));
        if matches!(of, Some(Operand::SameKind | Operand::SameCode)) {
            let problem = "a rule over one line has no other line to be the same as";
            faults.add(origin.field_fault("of", problem, "name a kind, a code or any"));
        }
        if let Some((head, of)) = head.zip(of) {
            let condition = value.condition.into();
            rules.push(LineRule {
                head,
                of,
                condition,
            });
        }
    }
    one_version_at_a_time(&rules, |rule| &rule.head, &data.line_rules, faults);
    rules
}

/// A policy names rules that there are, and none over one contract and subject; one rule has one policy at a time.
pub(super) fn policies(data: &ReferenceData, faults: &mut Faults) -> Vec<Policy> {
    let mut policies: Vec<Policy> = Vec::new();
    for Entry { value, origin } in &data.policies {
        if value.source.trim().is_empty() {
            let remedy = "name the decision of the insurer";
            faults.add(origin.field_fault("source", "the policy names no source", remedy));
        }
        if !data
            .insurers
            .iter()
            .any(|it| it.value.uzovi == value.insurer)
        {
            let problem = format!("insurer {} is unknown", value.insurer);
            faults.add(origin.field_fault("insurer", problem, "add it to insurers.toml"));
        }
        for id in &value.rules {
            let mut known = data
                .pair_rules
                .iter()
                .filter(|it| it.value.id == *id)
                .peekable();
            if known.peek().is_none() {
                let problem = format!("pair rule {id} is unknown");
                faults.add(origin.field_fault("rules", problem, "name a rule of pair_rules.toml"));
            }
            if known.any(|it| MatchLevel::from(it.value.level) == MatchLevel::SameContract) {
                let problem = format!("rule {id} is over one contract and subject");
                let remedy = "leave it out: a line declared twice is no matter of policy";
                faults.add(origin.field_fault("rules", problem, remedy));
            }
        }
        let number = faults.ok(uzovi(origin, "insurer", &value.insurer));
        let dated = faults.ok(validity(origin, value.from, value.until));
        let Some((insurer, validity)) = number.zip(dated) else {
            continue;
        };
        let rules: Vec<Box<str>> = value.rules.iter().map(|id| id.as_str().into()).collect();
        let same = |other: &Policy| {
            let shared = other.rules.is_empty() || rules.is_empty();
            shared || other.rules.iter().any(|id| rules.contains(id))
        };
        let at_once =
            |other: &Policy| other.insurer == insurer && overlap(other.validity, validity);
        if policies.iter().any(|other| at_once(other) && same(other)) {
            let problem = format!("two policies of insurer {insurer} are about one rule at once");
            faults.add(origin.fault(problem, "let one end before the next begins"));
        }
        policies.push(Policy {
            insurer,
            rules,
            source: value.source.clone(),
            validity,
        });
    }
    policies
}

/// A payer in common is asked for where lines meet by their providers, unless the rule says
/// otherwise.
fn usual_predicate(level: MatchLevel) -> InsurerPredicate {
    match level {
        MatchLevel::Candidate | MatchLevel::Full => InsurerPredicate::Shared,
        MatchLevel::SameInsured | MatchLevel::SameContract => InsurerPredicate::Any,
    }
}

/// What pair rules and line rules have in common, as written.
struct Head<'a> {
    id: &'a str,
    version: u32,
    effect: words::Effect,
    codes: &'a [String],
    override_allowed: bool,
    basis: Basis,
    accepted_on: Option<Day>,
    source: &'a str,
    from: Day,
    until: Option<Day>,
}

macro_rules! head_of {
    ($name:ident, $entry:ty) => {
        fn $name(entry: &'a $entry) -> Self {
            Self {
                id: &entry.id,
                version: entry.version,
                effect: entry.effect,
                codes: &entry.codes,
                override_allowed: entry.override_allowed,
                basis: entry.basis,
                accepted_on: entry.accepted_on,
                source: &entry.source,
                from: entry.from,
                until: entry.until,
            }
        }
    };
}

impl<'a> Head<'a> {
    head_of!(of_pair, PairRuleEntry);
    head_of!(of_line, LineRuleEntry);
}

fn head(head: &Head<'_>, origin: &Origin, faults: &mut Faults) -> Option<RuleHead> {
    if head.source.trim().is_empty() {
        let remedy = "name the article, the NZa rule or the document";
        faults.add(origin.field_fault("source", "the rule names no source", remedy));
    }
    if head.basis == Basis::Assumption && head.accepted_on.is_none() {
        let problem = "an assumption is the insurer's agreed rule, and has no date of agreement";
        let remedy = "write `accepted_on`, the day on which the insurer accepted it";
        faults.add(origin.field_fault("basis", problem, remedy));
    }
    let codes = codes(head, origin, faults);
    let validity = faults.ok(validity(origin, head.from, head.until))?;
    Some(RuleHead {
        id: head.id.into(),
        version: head.version,
        effect: head.effect.into(),
        codes: codes?,
        override_allowed: head.override_allowed,
        basis: head.basis.into(),
        source: head.source.to_owned(),
        validity,
    })
}

fn codes(head: &Head<'_>, origin: &Origin, faults: &mut Faults) -> Option<Vec<ReasonCode>> {
    let expected = match Effect::from(head.effect) {
        Effect::Allow => 0..=0,
        Effect::Reduce | Effect::Review | Effect::Exclude => 1..=2,
    };
    if !expected.contains(&head.codes.len()) {
        let problem = format!("the rule has {} reason codes", head.codes.len());
        let remedy = "name none where the effect is allow, else one or two";
        faults.add(origin.field_fault("codes", problem, remedy));
        return None;
    }
    let mut codes = Vec::new();
    for code in head.codes {
        match ReasonCode::parse(code) {
            Some(code) => codes.push(code),
            None => {
                let problem = format!("reason code {code} is unknown");
                let remedy = "use a code of the reason registry";
                faults.add(origin.field_fault("codes", problem, remedy));
            }
        }
    }
    Some(codes)
}

fn operand(
    data: &ReferenceData,
    origin: &Origin,
    field: &str,
    text: &str,
) -> Result<Operand, Fault> {
    match text {
        "any" => return Ok(Operand::Any),
        "same_code" => return Ok(Operand::SameCode),
        "same_kind" => return Ok(Operand::SameKind),
        _ => {}
    }
    if let Some(kind) = text.strip_prefix("kind:") {
        if data.catalogue.iter().any(|it| it.value.kind == kind) {
            return Ok(Operand::Kind(KindCode::new(kind)));
        }
        let problem = format!("no prestatie is of kind {kind}");
        let remedy = "add one to catalogue.toml, or correct the kind";
        return Err(origin.field_fault(field, problem, remedy));
    }
    if let Some((list, code)) = text
        .strip_prefix("code:")
        .and_then(|key| key.split_once('/'))
    {
        return known_prestatie(data, origin, field, (list, code)).map(Operand::Code);
    }
    let remedy = "write any, same_code, same_kind, kind:BDSS or code:990/BDSS1";
    Err(origin.field_fault(field, format!("`{text}` says nothing"), remedy))
}

fn one_version_at_a_time<R, T>(
    rules: &[R],
    head: impl Fn(&R) -> &RuleHead,
    entries: &[Entry<T>],
    faults: &mut Faults,
) {
    if rules.len() != entries.len() {
        return;
    }
    for (at, rule) in rules.iter().enumerate() {
        let rule = head(rule);
        for (other, entry) in rules.iter().zip(entries).skip(at + 1) {
            let other = head(other);
            if other.id == rule.id && overlap(other.validity, rule.validity) {
                let problem = format!(
                    "versions {} and {} of rule {} are in force at once",
                    rule.version, other.version, rule.id
                );
                let remedy = "let the old one end where the new one begins";
                faults.add(entry.origin.fault(problem, remedy));
            }
        }
    }
}
