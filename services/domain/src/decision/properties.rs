//! What holds after any history of messages.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::{
    cents::Cents,
    coverage::{CoverageState, Covered},
    decision::Verdict,
    declaration::{Direction, Line, Meeting},
    double_funding::rule_between,
    fixtures::{Register, credit, debit, span},
    history::{CeilingKey, PastLine, TermKey},
    reference::Effect,
};

const CONTRACTS: [(&str, &str, i64); 5] = [
    ("C1", "BDSS1", 2_800_000),
    ("C2", "BDSS1", 1_000_001),
    ("C3", "OENI1", 900_000),
    ("C6", "BDSS1", 1_200_000),
    ("CC", "BDSS1", 2_800_000),
];
const PERIODS: [(&str, &str); 4] = [
    ("2024-07-01", "2024-09-30"),
    ("2024-07-01", "2024-07-31"),
    ("2024-09-15", "2024-10-15"),
    ("2024-10-01", "2024-12-31"),
];
const GROUPS: [&str; 2] = ["G1", "G2"];

/// A debit, or a credit of the debit that many lines back.
#[derive(Clone, Debug)]
enum Step {
    Debit {
        contract: usize,
        period: usize,
        group: usize,
        hybrid: bool,
    },
    Credit {
        back: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let debit = (
        0..CONTRACTS.len(),
        0..PERIODS.len(),
        0..GROUPS.len(),
        any::<bool>(),
    );
    prop_oneof![
        3 => debit.prop_map(|(contract, period, group, hybrid)| Step::Debit {
            contract,
            period,
            group,
            hybrid,
        }),
        1 => (1..8_usize).prop_map(|back| Step::Credit { back }),
    ]
}

fn line(step: &Step, reference: &str, sent: &[Line]) -> Option<Line> {
    match step {
        Step::Debit {
            contract,
            period,
            group,
            hybrid,
        } => {
            let (contract, code, amount) = CONTRACTS[*contract];
            let (first, last) = PERIODS[*period];
            Some(Line {
                period: span(first, last),
                patient_group_id: Some(GROUPS[*group].into()),
                meeting: hybrid.then_some(Meeting::Hybrid),
                ..debit(reference, contract, code, amount)
            })
        }
        Step::Credit { back } => {
            let original = sent.len().checked_sub(*back)?;
            Some(credit(reference, &sent[original]))
        }
    }
}

fn play(messages: &[Vec<Step>]) -> Register {
    let mut world = Register::new();
    let mut debits: Vec<Line> = Vec::new();
    for (number, steps) in messages.iter().enumerate() {
        let mut lines = Vec::new();
        for (place, step) in steps.iter().enumerate() {
            lines.extend(line(step, &format!("R{number}-{place}"), &debits));
        }
        if lines.is_empty() {
            continue;
        }
        world.send(lines.clone());
        debits.extend(
            lines
                .into_iter()
                .filter(|line| line.direction == Direction::Debit),
        );
    }
    world
}

/// Debits that stand: not refused, not credited.
fn standing(world: &Register) -> Vec<&PastLine> {
    let all = world.history.lines.values().flatten();
    all.filter(|line| line.direction == Direction::Debit)
        .filter(|line| line.verdict.uses_reference() && line.verdict != Verdict::Withdrawn)
        .filter(|line| line.credited_by.is_none())
        .collect()
}

fn no_pair_is_funded_twice(world: &Register) {
    let awarded: Vec<&Covered> = (world.history.coverage.entries())
        .filter(|covered| covered.state == CoverageState::Awarded)
        .collect();
    for (place, a) in awarded.iter().enumerate() {
        for b in &awarded[..place] {
            let rules = &world.reference.pair_rules;
            let rule = rule_between(&a.coverage, &b.coverage, rules);
            let swapped = rule_between(&b.coverage, &a.coverage, rules);
            assert_eq!(rule, swapped, "a rule speaks for a pair either way round");
            let effect = rule.map(|rule| rule.head.effect);
            assert!(
                !matches!(effect, Some(Effect::Exclude | Effect::Review)),
                "{:?} and {:?} are both awarded under {rule:?}",
                a.id,
                b.id
            );
        }
    }
}

fn terms_and_ceilings_are_those_of_standing_lines(world: &Register) {
    let mut terms: BTreeMap<TermKey, u32> = BTreeMap::new();
    let mut ceilings: BTreeMap<CeilingKey, Cents> = BTreeMap::new();
    for line in standing(world) {
        let facts = line.facts.as_ref().expect("a standing line has facts");
        for term in &facts.terms {
            *terms.entry(term.clone()).or_default() += 1;
        }
        for (key, cents) in &facts.ceilings {
            let taken = ceilings.entry(key.clone()).or_default();
            *taken = *taken + *cents;
        }
    }
    let mut counted = world.history.terms.clone();
    counted.retain(|_, used| *used > 0);
    assert_eq!(counted, terms);
    let mut taken = world.history.ceilings.clone();
    taken.retain(|_, cents| *cents != Cents::ZERO);
    ceilings.retain(|_, cents| *cents != Cents::ZERO);
    assert_eq!(taken, ceilings);
    assert!(taken.values().all(|cents| cents.get() <= 5_000_000));
}

fn coverage_is_that_of_standing_lines(world: &Register) {
    let mut ids: Vec<_> = standing(world).into_iter().map(|line| line.id).collect();
    ids.sort();
    let covered: Vec<_> = world.history.coverage.entries().map(|it| it.id).collect();
    assert_eq!(covered, ids);
}

fn credits_mirror_their_debits(world: &Register) {
    let lines: Vec<&PastLine> = world.history.lines.values().flatten().collect();
    for debit in lines
        .iter()
        .filter(|line| line.direction == Direction::Debit)
    {
        let Some(credit_id) = debit.credited_by else {
            continue;
        };
        let credit = (lines.iter().find(|line| line.id == credit_id)).expect("it was decided");
        assert_eq!(credit.awarded, -debit.awarded);
        assert_eq!(credit.claim.is_some(), debit.claim.is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_history_keeps_the_invariants(
        messages in prop::collection::vec(prop::collection::vec(step(), 1..4), 1..14)
    ) {
        let world = play(&messages);
        no_pair_is_funded_twice(&world);
        terms_and_ceilings_are_those_of_standing_lines(&world);
        coverage_is_that_of_standing_lines(&world);
        credits_mirror_their_debits(&world);
        prop_assert_eq!(world.decisions, play(&messages).decisions);
    }
}
