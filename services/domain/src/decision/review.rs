//! A person decides a held line: accept, accept for less, or refuse.

use std::collections::BTreeSet;

use crate::{
    cents::Cents,
    coverage::CoverageId,
    decision::{
        Before, LineDecision, PartUse, Revision, Validated, Verdict, debit, message::Message,
        past::Past,
    },
    declaration::Line,
    double_funding::{Acceptance, HitKey, Judging, can_stand, day_of_judgement},
    history::{History, PastLine, ReferenceKey, invoice_part_of},
    identifiers::Sequence,
    reference::{Reference, RuleHead},
    rejection::{self, Rejection},
    standing::{ContractPair, StandingChoice, StandingReview, rest_of_contract_year},
};

/// What a person decides of a held line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// Award what the engine says.
    Accept,
    /// Award this much, which must be less.
    AcceptReduced(Cents),
    /// Award nothing.
    Refuse,
}

/// What the outcome that the person saw says of the line, and of the others of its message.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shown {
    /// Why it is held.
    pub rejections: Vec<Rejection>,
    /// The reviews among its evidence.
    pub reviews: BTreeSet<HitKey>,
    /// Whether another line of the message is awarded, held or withdrawn.
    pub others_use_part: bool,
}

/// The decision of a person about one held line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Review<'a> {
    /// The message, judged with the reference data in force.
    pub input: &'a Validated,
    /// The line.
    pub line: CoverageId,
    /// The version of the outcome that the person saw.
    pub version_seen: u32,
    /// What that outcome says.
    pub shown: &'a Shown,
    /// What the person decides.
    pub choice: Choice,
    /// Exclusions that the person overrides.
    pub overrides: &'a BTreeSet<HitKey>,
    /// The entry that records it, where the decision is to stand between the contracts.
    pub standing: Option<Sequence>,
}

/// Decides a held line as a person says, against the coverage of this moment.
///
/// Accepting sets aside the reviews that were shown, and that an awarded rival begins later. Every
/// exclusion still refuses the line unless it is overridden, by a rule that allows it; a review that
/// was not shown keeps the line held; reductions and ceilings apply. Source:
/// 002_eb0531d2b212ba40.txt, chapter 4: what may be paid beside each other is judged, never assumed.
/// Example: the rival was credited since, so the line is awarded; a rival was awarded since, so it
/// is refused.
///
/// # Errors
/// Why the decision is not carried out; nothing changes.
pub fn decide_review(
    review: &Review<'_>,
    history: &History,
    reference: &Reference,
) -> Result<Revision, Rejection> {
    let (line, before) = find(review.input, review.line, history)
        .filter(|(_, before)| before.verdict == Verdict::Review && before.credited_by.is_none())
        .ok_or_else(|| Rejection::new("line_held", &["GDC-NIET-AANGEHOUDEN"]))?;
    if review.version_seen < before.version {
        let refusal = Rejection::new("newest_version_seen", &["GDC-VERSIE"]);
        return Err(refusal.with("version", before.version));
    }
    check_overrides(review.overrides, reference)?;
    let standing = stand(review, history, reference)?;
    let (mut decision, overridden, seen) = match review.choice {
        Choice::Refuse => (refuse(line, review.shown), Vec::new(), BTreeSet::new()),
        Choice::Accept | Choice::AcceptReduced(_) => {
            let mut seen = before.seen.clone();
            seen.extend(review.shown.reviews.iter().cloned());
            let acceptance = Acceptance {
                seen,
                overrides: review.overrides.clone(),
            };
            let judging = Judging::Accepting(&acceptance);
            let (decision, overridden) =
                again(review.input, line, before, history, reference, judging);
            (decision, overridden, acceptance.seen)
        }
    };
    if let (Choice::AcceptReduced(cents), true) = (review.choice, decision.verdict.awards()) {
        reduce_to(&mut decision, cents)?;
    }
    let held = decision.verdict == Verdict::Review;
    // What could not be carried out as decided does not stand.
    let done = match review.choice {
        Choice::Refuse => true,
        Choice::Accept | Choice::AcceptReduced(_) => decision.verdict.awards(),
    };
    Ok(Revision {
        line: review.line,
        message_id: before.message_id,
        version: next_version(review.input, history),
        before: Before::of(before),
        seen: if held { seen } else { BTreeSet::new() },
        overridden,
        invoice_part: part_use(
            review.input,
            before,
            decision.verdict,
            review.shown.others_use_part,
        ),
        standing: if done { standing } else { Vec::new() },
        decision,
    })
}

/// What the decision lets stand: for each review that was shown and that can stand, the contracts of both lines.
fn stand(
    review: &Review<'_>,
    history: &History,
    reference: &Reference,
) -> Result<Vec<StandingReview>, Rejection> {
    let Some(decided) = review.standing else {
        return Ok(Vec::new());
    };
    let choice = match review.choice {
        Choice::Accept => Some(StandingChoice::Accept),
        Choice::Refuse => Some(StandingChoice::Refuse),
        // An amount was agreed for this line alone.
        Choice::AcceptReduced(_) => None,
    };
    let line = history.coverage.entry(review.line);
    let shown = review.shown.reviews.iter();
    let mut standing: Vec<StandingReview> = shown
        .filter_map(|hit| {
            let (line, choice) = (&line?.coverage, choice?);
            let rival = &history.coverage.entry(hit.rival?)?.coverage;
            let mut rules = reference.pair_rules.iter();
            let rule = rules
                .find(|rule| rule.head.id == hit.rule && rule.head.version == hit.rule_version)?;
            let contract = reference.contracts.get(line.contract_id.as_ref()?)?;
            let day = day_of_judgement(line, rival);
            can_stand(line, rival, rule, reference).then_some(())?;
            Some(StandingReview {
                decided,
                pair: ContractPair::of(line, rival)?,
                rule: hit.rule.clone(),
                rule_version: hit.rule_version,
                choice,
                period: rest_of_contract_year(contract.term, day)?,
            })
        })
        .collect();
    // Several rivals may be under one contract: the longest rest of the year covers the others.
    standing.sort_by_key(|it| (it.pair.clone(), it.rule.clone(), it.period.first()));
    standing.dedup_by_key(|it| (it.pair.clone(), it.rule.clone()));
    if standing.is_empty() {
        let refusal = Rejection::new("standing_pair", &["GDC-OPDRACHT"]);
        return Err(refusal.with("missing", "review of a pair of contracts that can stand"));
    }
    Ok(standing)
}

/// The line of the message and what was decided of it.
pub(super) fn find<'a>(
    input: &'a Validated,
    id: CoverageId,
    history: &'a History,
) -> Option<(&'a Line, &'a PastLine)> {
    let mut lines = input.declaration.lines.iter();
    let line = lines.find(|line| u64::from(line.line_number) == id.line)?;
    let key = ReferenceKey {
        declarant: input.declaration.declarant_agb.agb()?,
        reference: line.line_reference.clone(),
    };
    let mut known = history.lines.get(&key)?.iter();
    Some((line, known.find(|known| known.id == id)?))
}

/// Decides a line again, as if it took nothing yet.
pub(super) fn again(
    input: &Validated,
    line: &Line,
    before: &PastLine,
    history: &History,
    reference: &Reference,
    judging: Judging<'_>,
) -> (LineDecision, Vec<crate::decision::Evidence>) {
    if !input.findings.message.is_empty() {
        let refused = Rejection::new("message_refused", &["8002"]);
        return (LineDecision::rejected(line, vec![refused]), Vec::new());
    }
    let message = Message::of(input, reference);
    debit::judge(&message, line, &Past::without(history, before), judging)
}

/// The version after the newest of the message.
pub(super) fn next_version(input: &Validated, history: &History) -> u32 {
    let known = history.messages.get(&input.declaration.message_id);
    known
        .expect("a message whose line is known is registered")
        .version
        + 1
}

/// What becomes of the invoice part when a line gets a new verdict.
pub(super) fn part_use(
    input: &Validated,
    before: &PastLine,
    verdict: Verdict,
    others_use_part: bool,
) -> PartUse {
    let changes = before.verdict.uses_reference() != verdict.uses_reference();
    match invoice_part_of(&input.declaration).filter(|_| changes && !others_use_part) {
        None => PartUse::Unchanged,
        Some(part) if verdict.uses_reference() => PartUse::Taken(part, input.received_on),
        Some(part) => PartUse::Released(part),
    }
}

/// Only a rule that allows it can be overridden.
fn check_overrides(overrides: &BTreeSet<HitKey>, reference: &Reference) -> Result<(), Rejection> {
    let of_pairs = reference.pair_rules.iter().map(|rule| &rule.head);
    let heads: Vec<&RuleHead> = of_pairs
        .chain(reference.line_rules.iter().map(|rule| &rule.head))
        .collect();
    let allowed = |key: &&HitKey| {
        let mut heads = heads.iter();
        heads.any(|head| {
            head.override_allowed && head.id == key.rule && head.version == key.rule_version
        })
    };
    match overrides.iter().find(|key| !allowed(key)) {
        None => Ok(()),
        Some(key) => {
            let refusal = Rejection::new("override_allowed", &["GDC-GEEN-OVERRIDE"]);
            Err(refusal
                .with("rule", &key.rule)
                .with("version", key.rule_version))
        }
    }
}

/// Refuses the line for the reason that it was held, and says whom to ask. Source: Vektis COD954,
/// code 8072.
fn refuse(line: &Line, shown: &Shown) -> LineDecision {
    let mut rejections = shown.rejections.clone();
    rejections.push(Rejection::new("refused_by_a_person", &["8072"]));
    rejection::sort(&mut rejections);
    LineDecision::rejected(line, rejections)
}

/// Awards less than the engine would. Source: Vektis COD954, code 8059.
fn reduce_to(decision: &mut LineDecision, cents: Cents) -> Result<(), Rejection> {
    if cents <= Cents::ZERO || cents >= decision.awarded {
        let refusal = Rejection::new("amount_below_award", &["GDC-BEDRAG"]);
        return Err(refusal.with("award_cents", decision.awarded.get()));
    }
    decision.verdict = Verdict::Reduce;
    decision.awarded = cents;
    if decision.rejections.is_empty() {
        let reduced = Rejection::new("reduced_by_a_person", &["8059", "GDC-BEOORDEELD"]);
        decision.rejections.push(reduced);
    }
    if let Some(facts) = &mut decision.facts {
        for (_, taken) in &mut facts.ceilings {
            *taken = cents;
        }
    }
    Ok(())
}
