//! Double funding: whether a line pays for a cooperation that other coverage pays for already.
//!
//! Which pairs meet, and how closely, is computed here; what that means is data (pair rules and
//! line rules), so that a new kind of funding needs no new code. Pure, over coverage alone: it
//! serves decisions, checks beforehand, replay and audit alike.
//!
//! Source: 002_eb0531d2b212ba40.txt, chapter 4 and toelichting article 3: a cooperation that
//! another NZa prestatie pays for is not paid for again.

mod imports;
mod pairs;
#[cfg(test)]
mod tests;

use std::{cmp::Reverse, collections::BTreeSet};

use crate::{
    cents::BasisPoints,
    coverage::{Coverage, CoverageId, CoverageIndex, CoverageState, Covered},
    decision::{EVIDENCE_MAX, Evidence, RivalFacts},
    declaration::Meeting,
    identifiers::{Sequence, Uzovi},
    period::Day,
    reference::{
        Effect, LineCondition, LineRule, MatchLevel, Operand, PairRule, Policy, Reference, RuleHead,
    },
    rejection::{ReasonCode, Rejection},
    standing::{StandingChoice, StandingReviews},
};

pub use imports::{IMPORT_PAIRS_MAX, ImportPair, ImportPairs};
pub use pairs::{CHAIN_COORDINATION, Meets, rule_between};

/// Fewest zorgaanbieders of a cooperation. Source: 004_edc514e4c29859bf.txt, article 2
/// (zorgaanbieders cooperate).
pub const ZORGAANBIEDERS_MIN: usize = 2;

/// What the rules of double funding say of one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DoubleFunding {
    /// The strictest effect over all rivals and line rules; allow if there is none.
    pub effect: Effect,
    /// Reasons of all rules with that effect, each code once, in order of report.
    pub rejections: Vec<Rejection>,
    /// Strictest first, at most [`EVIDENCE_MAX`].
    pub evidence: Vec<Evidence>,
    /// How many rivals there are: coverage for which a rule excludes, asks for review, or reduces
    /// this line.
    pub rivals: u32,
    /// What is deducted: once, however many rules reduce. Also present under a stricter effect, as
    /// a proposal.
    pub deduction: Option<BasisPoints>,
    /// Exclusions that an override set aside; they count for nothing above.
    pub overridden: Vec<Evidence>,
}

/// Which rule hits a line, and for which rival; line rules have none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HitKey {
    /// Id of the rule.
    pub rule: Box<str>,
    /// Version of the rule.
    pub rule_version: u32,
    /// The rival.
    pub rival: Option<CoverageId>,
}

/// What a person who accepts a held line sets aside.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Acceptance {
    /// Reviews that were shown.
    pub seen: BTreeSet<HitKey>,
    /// Exclusions that are overridden.
    pub overrides: BTreeSet<HitKey>,
}

/// How a line comes to be judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Judging<'a> {
    /// As it was declared.
    AsDeclared,
    /// A person accepts it: what was shown is set aside, and a begin before that of an awarded
    /// rival softens nothing any more.
    Accepting(&'a Acceptance),
}

/// One rule that hits the line, with the rival for which it does.
struct Hit<'a> {
    head: &'a RuleHead,
    effect: Effect,
    codes: Vec<ReasonCode>,
    policy: Option<&'a Policy>,
    /// The entry by which persons decided of the two contracts.
    standing: Option<Sequence>,
    rival: Option<&'a Covered>,
}

/// Judges a line against everything in `index`.
#[must_use]
pub fn decide_line(
    coverage: &Coverage,
    index: &CoverageIndex,
    reference: &Reference,
) -> DoubleFunding {
    decide_against(coverage, &index.meeting(coverage), reference)
}

/// Judges a line against the rivals given; those that do not meet it are passed over.
#[must_use]
pub fn decide_against(
    coverage: &Coverage,
    rivals: &[&Covered],
    reference: &Reference,
) -> DoubleFunding {
    let standing = &StandingReviews::NONE;
    judge_against(coverage, rivals, reference, Judging::AsDeclared, standing)
}

/// Judges a line against the rivals given, as declared or as a person accepts it, with what stands between contracts.
#[must_use]
pub fn judge_against(
    coverage: &Coverage,
    rivals: &[&Covered],
    reference: &Reference,
    judging: Judging<'_>,
    standing: &StandingReviews,
) -> DoubleFunding {
    let of_line = reference
        .line_rules
        .iter()
        .filter_map(|rule| line_hit(coverage, rule));
    let of_pairs = rivals
        .iter()
        .filter_map(|rival| pair_hit(coverage, rival, reference, judging, standing));
    let (mut hits, mut overridden) = (Vec::new(), Vec::new());
    for hit in of_line.chain(of_pairs) {
        match hit.set_aside_by(judging) {
            None => hits.push(hit),
            Some(SetAside::Seen) => {}
            Some(SetAside::Overridden) => overridden.push(hit.evidence(coverage)),
        }
    }
    hits.sort_by_key(|hit| {
        (
            Reverse(hit.effect),
            hit.report_rank(),
            hit.rival.map(|it| it.id),
        )
    });
    let effect = hits.first().map_or(Effect::Allow, |hit| hit.effect);
    let rivals = hits.iter().filter(|hit| hit.effect != Effect::Allow);
    let rivals = rivals.filter(|hit| hit.rival.is_some()).count();
    let reduces = hits.iter().any(|hit| hit.effect == Effect::Reduce);
    DoubleFunding {
        effect,
        rejections: reasons(hits.iter().filter(|hit| hit.effect == effect)),
        evidence: (hits.iter().take(EVIDENCE_MAX))
            .map(|hit| hit.evidence(coverage))
            .collect(),
        rivals: u32::try_from(rivals).expect("an index has fewer than 2^32 entries"),
        deduction: deductible(coverage).filter(|_| reduces),
        overridden,
    }
}

/// The deduction that a line has on its own, whoever its rivals are: that of a hybrid meeting.
#[must_use]
pub fn fixed_deduction(coverage: &Coverage, reference: &Reference) -> Option<BasisPoints> {
    let reduces =
        |rule: &LineRule| line_hit(coverage, rule).is_some_and(|hit| hit.effect == Effect::Reduce);
    deductible(coverage).filter(|_| reference.line_rules.iter().any(reduces))
}

/// The share of a hybrid meeting that is about individual patients, if the contract of the line has
/// one.
///
/// Source: 002_eb0531d2b212ba40.txt, 3.1.2: coordination of individuals is deemed to be inside
/// other tariffs.
fn deductible(coverage: &Coverage) -> Option<BasisPoints> {
    let hybrid = coverage.meeting == Some(Meeting::Hybrid);
    coverage.hybrid_deduction.filter(|_| hybrid)
}

/// What a line rule says of the line, unless it does not apply or allows.
fn line_hit<'a>(coverage: &Coverage, rule: &'a LineRule) -> Option<Hit<'a>> {
    let in_scope = match &rule.of {
        Operand::Any => true,
        Operand::Kind(kind) => *kind == coverage.kind,
        Operand::Code(key) => *key == coverage.prestatie,
        // A line alone has no other side to be the same as.
        Operand::SameKind | Operand::SameCode => false,
    };
    let hybrid = coverage.meeting == Some(Meeting::Hybrid);
    let holds = match rule.condition {
        LineCondition::HybridWithDeduction => hybrid && coverage.hybrid_deduction.is_some(),
        LineCondition::HybridWithoutDeduction => hybrid && coverage.hybrid_deduction.is_none(),
        LineCondition::FewerThanTwoZorgaanbieders => {
            let zorgaanbieders = coverage.agbs.iter().filter(|agb| !agb.is_service_bureau());
            zorgaanbieders.count() < ZORGAANBIEDERS_MIN
        }
    };
    let in_force = rule.head.validity.contains(coverage.period.first());
    let effect = effect_on(coverage, rule.head.effect);
    (in_scope && holds && in_force && effect != Effect::Allow)
        .then(|| Hit::new(&rule.head, effect, None))
}

/// What the pair rules say of two lines, whichever came first: what was held, or begins earlier, is not looked at.
///
/// For whoever judges lines that nobody decided yet, or decisions that were taken. A policy is that of the insurer of
/// `a`, the line that is judged.
#[must_use]
pub fn effect_between<'a>(
    a: &Coverage,
    b: &Coverage,
    reference: &'a Reference,
) -> Option<(&'a RuleHead, Effect)> {
    let rule = rule_between(a, b, &reference.pair_rules)?;
    let softened = rule.head.effect == Effect::Exclude
        && policy_of(a.insurer, rule, day_of_judgement(a, b), reference).is_some();
    let effect = if softened {
        Effect::Review
    } else {
        rule.head.effect
    };
    Some((&rule.head, effect))
}

/// Whether a rule asks a person by itself, or because the policy of the insurer of `a` lets it: what is decided
/// then can stand. An exclusion that is only doubtful, because of a rival that is held or begins later, cannot.
pub(crate) fn can_stand(
    a: &Coverage,
    b: &Coverage,
    rule: &PairRule,
    reference: &Reference,
) -> bool {
    match rule.head.effect {
        Effect::Review => true,
        Effect::Exclude => policy_of(a.insurer, rule, day_of_judgement(a, b), reference).is_some(),
        Effect::Allow | Effect::Reduce => false,
    }
}

/// What the pair rules say of the line beside one rival, unless they allow by themselves.
fn pair_hit<'a>(
    coverage: &Coverage,
    rival: &'a Covered,
    reference: &'a Reference,
    judging: Judging<'_>,
    standing: &StandingReviews,
) -> Option<Hit<'a>> {
    let rule = rule_between(coverage, &rival.coverage, &reference.pair_rules)?;
    let mut effect = effect_on(coverage, rule.head.effect);
    let mut policy = None;
    let same_contract =
        coverage.contract_id.is_some() && coverage.contract_id == rival.coverage.contract_id;
    // What is held may still be refused, and what was paid before this line came is not taken back
    // because this one begins earlier: a person decides. A duplicate within one contract is one
    // whichever begins first.
    let begins_earlier =
        judging == Judging::AsDeclared && coverage.period.first() < rival.coverage.period.first();
    let uncertain = rival.state == CoverageState::Held || (begins_earlier && !same_contract);
    if effect == Effect::Exclude && uncertain {
        effect = Effect::Review;
    } else if effect == Effect::Exclude {
        let day = day_of_judgement(coverage, &rival.coverage);
        policy = policy_of(coverage.insurer, rule, day, reference);
        effect = policy.map_or(effect, |_| Effect::Review);
    }
    let may_stand =
        effect == Effect::Review && (rule.head.effect == Effect::Review || policy.is_some());
    let stands = standing
        .between(coverage, &rival.coverage, &rule.head)
        .filter(|_| may_stand)
        // A person who decides is not bound by what was refused before, nor is what is doubtful.
        .filter(|it| {
            it.choice == StandingChoice::Accept || (judging == Judging::AsDeclared && !uncertain)
        });
    effect = match stands.map(|it| it.choice) {
        Some(StandingChoice::Accept) => Effect::Allow,
        Some(StandingChoice::Refuse) => Effect::Exclude,
        None => effect,
    };
    let mut hit = Hit::new(&rule.head, effect, Some(rival));
    hit.policy = policy;
    hit.standing = stands.map(|it| it.decided);
    (effect != Effect::Allow || stands.is_some()).then_some(hit)
}

/// The policy by which `insurer` wants a person to look at what `rule` excludes, if it has one.
///
/// The insurer is that to which the line is declared: it would pay. Rows over one contract and subject are never
/// softened, because nothing is to be decided about a line that is declared twice.
fn policy_of<'a>(
    insurer: Uzovi,
    rule: &PairRule,
    day: Day,
    reference: &'a Reference,
) -> Option<&'a Policy> {
    let mut policies = reference.policies.iter();
    policies.find(|policy| {
        let is_named = policy.rules.is_empty() || policy.rules.contains(&rule.head.id);
        policy.insurer == insurer
            && policy.validity.contains(day)
            && rule.level != MatchLevel::SameContract
            && is_named
    })
}

/// Only a hybrid line whose contract has a deduction is ever reduced; for the other line of a pair,
/// a rule that reduces allows.
fn effect_on(coverage: &Coverage, effect: Effect) -> Effect {
    match effect {
        Effect::Reduce if deductible(coverage).is_none() => Effect::Allow,
        other => other,
    }
}

/// The order of report of a code among the reasons of double funding: Vektis codes, then the
/// project's own.
fn report_rank(code: ReasonCode) -> (bool, ReasonCode) {
    (code.as_str().starts_with("GDC-"), code)
}

/// How a hit comes to count for nothing.
enum SetAside {
    /// A review that the person was shown.
    Seen,
    /// An exclusion that the person overrides.
    Overridden,
}

impl Evidence {
    /// Which rule hit, and for which rival.
    #[must_use]
    pub fn key(&self) -> HitKey {
        HitKey {
            rule: self.rule.clone(),
            rule_version: self.rule_version,
            rival: self.rival.as_ref().map(|rival| rival.id),
        }
    }
}

impl<'a> Hit<'a> {
    fn new(head: &'a RuleHead, effect: Effect, rival: Option<&'a Covered>) -> Self {
        let codes = if effect == head.effect && !head.codes.is_empty() {
            head.codes.clone()
        } else {
            default_codes(effect)
        };
        Self {
            head,
            effect,
            codes,
            policy: None,
            standing: None,
            rival,
        }
    }

    /// Whether the person who accepts the line sets this hit aside. A rule that allows no override
    /// is never overridden.
    fn set_aside_by(&self, judging: Judging<'_>) -> Option<SetAside> {
        let Judging::Accepting(acceptance) = judging else {
            return None;
        };
        let key = HitKey {
            rule: self.head.id.clone(),
            rule_version: self.head.version,
            rival: self.rival.map(|rival| rival.id),
        };
        match self.effect {
            Effect::Review => acceptance.seen.contains(&key).then_some(SetAside::Seen),
            Effect::Exclude => (self.head.override_allowed && acceptance.overrides.contains(&key))
                .then_some(SetAside::Overridden),
            Effect::Allow | Effect::Reduce => None,
        }
    }

    fn report_rank(&self) -> Option<(bool, ReasonCode)> {
        self.codes.iter().copied().map(report_rank).min()
    }

    fn evidence(&self, coverage: &Coverage) -> Evidence {
        Evidence {
            rule: self.head.id.clone(),
            rule_version: self.head.version,
            effect: self.effect,
            codes: self.codes.clone(),
            basis: self.head.basis,
            source: self.head.source.clone(),
            policy: self.policy.map(|policy| policy.source.clone()),
            standing: self.standing,
            rival: self.rival.map(|rival| rival_facts(coverage, rival)),
        }
    }
}

/// The codes of an effect that a rule does not name any for, or that its own effect was softened
/// to.
fn default_codes(effect: Effect) -> Vec<ReasonCode> {
    let codes: &[&str] = match effect {
        Effect::Allow => &[],
        Effect::Reduce => &["8059", "GDC-DF-RED"],
        Effect::Review => &["GDC-DF-FLAG"],
        Effect::Exclude => &["0634", "GDC-DF-EXCL"],
    };
    codes.iter().map(|code| ReasonCode::known(code)).collect()
}

/// Findings with every code once, in order of report; neighbouring codes of one rule are one
/// finding.
fn reasons<'a>(hits: impl Iterator<Item = &'a Hit<'a>>) -> Vec<Rejection> {
    let mut codes: Vec<(ReasonCode, &RuleHead)> = Vec::new();
    for (code, head) in hits.flat_map(|hit| hit.codes.iter().map(|code| (*code, hit.head))) {
        if !codes.iter().any(|(known, _)| *known == code) {
            codes.push((code, head));
        }
    }
    codes.sort_by_key(|(code, _)| report_rank(*code));
    let mut findings: Vec<Rejection> = Vec::new();
    for (code, head) in codes {
        match findings.last_mut() {
            Some(last) if last.rule == head.id => last.codes.push(code),
            _ => findings.push(Rejection::new(&head.id, &[code.as_str()])),
        }
    }
    findings
}

fn rival_facts(coverage: &Coverage, rival: &Covered) -> RivalFacts {
    let other = &rival.coverage;
    RivalFacts {
        id: rival.id,
        imported: rival.state == CoverageState::Imported,
        held: rival.state == CoverageState::Held,
        declarant: other.declarant,
        insurer: other.insurer,
        line_reference: other.line_reference.clone(),
        contract_id: other.contract_id.clone(),
        prestatie: other.prestatie.clone(),
        period: other.period,
        days_in_common: coverage.period.days_in_common(other.period),
        shared_agbs: coverage.agbs.intersection(&other.agbs).copied().collect(),
        shared_activities: (coverage.activities.intersection(&other.activities))
            .cloned()
            .collect(),
    }
}

/// The day on which a rule between two lines must be in force: the later of their begin dates.
#[must_use]
pub fn day_of_judgement(a: &Coverage, b: &Coverage) -> Day {
    a.period.first().max(b.period.first())
}
