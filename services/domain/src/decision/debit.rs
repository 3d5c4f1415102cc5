//! Deciding one debit line: history rules, ceilings, double funding, award.

use crate::{
    ceiling::{bounds_of, is_exceeded, less_deduction, terms_of},
    cents::{BasisPoints, Cents},
    coverage::{self, Coverage},
    decision::{
        ClaimFacts, Evidence, LineDecision, Verdict,
        message::{Message, check_reference},
        past::Past,
    },
    declaration::{Line, Share},
    double_funding::{self, DoubleFunding, Judging},
    facts::{self, LineFacts},
    history::PastFacts,
    identifiers::Uzovi,
    period::months_after,
    reference::{Billing, Effect},
    rejection::{self, Rejection},
};

/// Decides `line`. Ceilings and double funding are judged only where nothing refuses it before.
pub(super) fn decide(message: &Message<'_>, line: &Line, past: &Past<'_>) -> LineDecision {
    judge(message, line, past, Judging::AsDeclared).0
}

/// Decides `line`, as declared or as a person accepts it; also gives what an override set aside.
pub(super) fn judge(
    message: &Message<'_>,
    line: &Line,
    past: &Past<'_>,
    judging: Judging<'_>,
) -> (LineDecision, Vec<Evidence>) {
    let declaration = &message.input.declaration;
    let facts = facts::establish(declaration, line, message.reference);
    let mut rejections = message.input.findings.of_line(line.line_number).to_vec();
    rejections.extend(check_reference(message, line, past));
    rejections.extend(check_terms(&facts, past));
    rejections.extend(check_submission(message, &facts, past));
    if rejections.is_empty() {
        let coverage = coverage::of_line(&facts, message.reference)
            .expect("validation reports a line whose facts are not established");
        rejections.extend(check_ceilings(message, &facts, &coverage, past));
        if rejections.is_empty() {
            let rivals = past.meeting(&coverage);
            let reference = message.reference;
            let standing = past.standing();
            let mut judged =
                double_funding::judge_against(&coverage, &rivals, reference, judging, standing);
            let overridden = std::mem::take(&mut judged.overridden);
            return (award(message, &facts, coverage, judged), overridden);
        }
    }
    rejection::sort(&mut rejections);
    (LineDecision::rejected(line, rejections), Vec::new())
}

/// A contract bounds how often a prestatie is billed for one subject and insurer (0584).
///
/// Source: Vektis COD954, code 0584; 002_eb0531d2b212ba40.txt, article 2 (a lumpsum is one amount
/// for a period). Example: four quarters were agreed, and a fifth line comes.
fn check_terms(facts: &LineFacts<'_>, past: &Past<'_>) -> Option<Rejection> {
    let terms_max = facts.contract_prestatie?.terms_max?;
    let used = past.terms_used(&terms_of(facts));
    (used >= terms_max)
        .then(|| Rejection::new("terms_left", &["0584"]).with("terms_max", terms_max))
}

/// A line comes within the submission term of its contract; a refused one has a longer term to come
/// again (0586).
///
/// The last day is included. The longer term is for a line under the same reference, of which an
/// earlier version was received in time and refused, however often. Source: Vektis COD954, code
/// 0586; terms are the contract's. Example: 2024-09-30 with 12 and 3 months: until 2025-09-30, and
/// again until 2025-12-30.
fn check_submission(
    message: &Message<'_>,
    facts: &LineFacts<'_>,
    past: &Past<'_>,
) -> Option<Rejection> {
    let (_, contract) = facts.contract?;
    let end = facts.period?.last();
    let received_on = message.input.received_on;
    let last_day = months_after(end, contract.submission_months);
    let months = contract.submission_months + contract.resubmission_months;
    let last_day_again = months_after(end, months);
    let key = message.key(&facts.line.line_reference);
    let comes_again = received_on <= last_day_again && past.was_refused_by(&key, last_day);
    (received_on > last_day && !comes_again)
        .then(|| Rejection::new("submitted_in_time", &["0586"]).with("last_day", last_day))
}

/// Awarded and held lines stay within the ceilings of their contract; there is no partial award
/// (0589).
///
/// What counts of the line is what it would be awarded without rivals: declared less its own
/// deduction. Source: Vektis COD954, code 0589.
fn check_ceilings(
    message: &Message<'_>,
    facts: &LineFacts<'_>,
    coverage: &Coverage,
    past: &Past<'_>,
) -> Option<Rejection> {
    let deduction = double_funding::fixed_deduction(coverage, message.reference);
    let amount = less_deduction(facts.line.declared, deduction);
    let exceeded =
        bounds_of(facts).find(|(key, bound)| is_exceeded(*bound, past.taken_of(key), amount));
    exceeded.map(|(_, ceiling)| {
        Rejection::new("ceiling_left", &["0589"])
            .with("ceiling", ceiling.name())
            .with("ceiling_cents", ceiling.cents().get())
    })
}

/// What the judgement of double funding comes to for a line without rejections.
fn award(
    message: &Message<'_>,
    facts: &LineFacts<'_>,
    coverage: Coverage,
    judged: DoubleFunding,
) -> LineDecision {
    let line = facts.line;
    let verdict = match judged.effect {
        Effect::Exclude => Verdict::Reject,
        Effect::Review => Verdict::Review,
        Effect::Reduce => Verdict::Reduce,
        Effect::Allow => Verdict::Accept,
    };
    let mut decision = LineDecision {
        verdict,
        evidence: judged.evidence,
        rivals: judged.rivals,
        ..LineDecision::rejected(line, judged.rejections)
    };
    if verdict == Verdict::Reject {
        return decision;
    }
    let amount = award_of(line, judged.deduction);
    if verdict == Verdict::Review {
        decision.proposed = amount;
    } else {
        decision.awarded = amount;
        decision.claim = Some(claim(message, facts, &coverage));
    }
    decision.facts = Some(past_facts(facts, &coverage, amount));
    decision.coverage = Some(coverage);
    decision
}

fn award_of(line: &Line, deduction: Option<BasisPoints>) -> Cents {
    less_deduction(line.declared, deduction)
}

fn past_facts(facts: &LineFacts<'_>, coverage: &Coverage, amount: Cents) -> PastFacts {
    let line = facts.line;
    PastFacts {
        prestatie: coverage.prestatie.clone(),
        contract_id: coverage.contract_id.clone(),
        period: coverage.period,
        subject: coverage.subject.clone(),
        quantity: line.quantity,
        computed: line.computed,
        declared: line.declared,
        terms: terms_of(facts),
        ceilings: bounds_of(facts).map(|(key, _)| (key, amount)).collect(),
    }
}

fn claim(message: &Message<'_>, facts: &LineFacts<'_>, coverage: &Coverage) -> ClaimFacts {
    let line = facts.line;
    ClaimFacts {
        contract_id: coverage.contract_id.clone(),
        prestatie: coverage.prestatie.clone(),
        kind: coverage.kind.clone(),
        period: coverage.period,
        group: line.patient_group_id.clone(),
        region: coverage.region.clone(),
        payee: message.payee,
        invoice_number: message.input.declaration.invoice_number.clone(),
        insurer: coverage.insurer,
        insurer_shares: insurer_shares(facts, coverage.insurer),
        sector_shares: (facts.covering_term).map_or_else(
            || line.sector_shares.clone(),
            |term| term.sector_shares.clone(),
        ),
        legal_basis: (facts.prestatie)
            .map(|entry| entry.legal_basis.clone())
            .unwrap_or_default(),
        reverses: None,
    }
}

/// Who bears the award: the insurer alone, or where one line goes to the lead, all insurers bound
/// by the contract.
///
/// Source: 001_391917b9bc3bdc5d.txt, 4.6.
fn insurer_shares(facts: &LineFacts<'_>, insurer: Uzovi) -> Vec<Share> {
    let led = facts
        .contract
        .filter(|(_, contract)| matches!(contract.billing, Billing::LeadInsurer(_)));
    match led {
        Some((_, contract)) => (contract.insurers.iter())
            .filter(|bound| bound.is_bound())
            .map(|bound| Share {
                key: bound.uzovi.as_str().into(),
                basis_points: bound.share,
            })
            .collect(),
        None => vec![Share {
            key: insurer.as_str().into(),
            basis_points: BasisPoints::WHOLE,
        }],
    }
}
