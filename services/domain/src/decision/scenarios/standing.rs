//! Stories of decisions that stand between two contracts.

use std::collections::BTreeSet;

use crate::{
    decision::{
        Choice,
        scenarios::{bdss_a10, hybrid, oeni, quarter},
    },
    declaration::Line,
    fixtures::{Register, bdss, cents, span},
    identifiers::Sequence,
    reference::Effect,
};

/// The entry by which the decisions here are recorded.
const ENTRY: Sequence = Sequence(100);

/// O&I of one month: it meets BDSS of C1 without activities in common, so a person is asked.
fn month(reference: &str, first: &str, last: &str) -> Line {
    Line {
        period: span(first, last),
        ..oeni(reference)
    }
}

fn july(reference: &str) -> Line {
    month(reference, "2024-07-01", "2024-07-31")
}

fn august(reference: &str) -> Line {
    month(reference, "2024-08-01", "2024-08-31")
}

/// A person decides the line of the message `sequence`, and it stands.
fn let_stand(world: &mut Register, sequence: u64, choice: Choice) -> String {
    world.review_standing(sequence, choice, (&BTreeSet::new(), u32::MAX), Some(ENTRY))
}

/// BDSS of the third quarter that is awarded, and a line beside it that is held and decided.
fn decided(choice: Choice) -> Register {
    let mut world = Register::new();
    assert_eq!(world.send(vec![bdss("R1")]), "accept 2800000");
    assert_eq!(world.send(vec![july("R2")]), "review 900000 GDC-DF-FLAG");
    let told = let_stand(&mut world, 2, choice);
    let expected = match choice {
        Choice::Refuse => "reject 8072 GDC-DF-FLAG",
        _ => "accept 900000",
    };
    assert_eq!(told, expected);
    world
}

#[test]
fn accepted_review_stands_between_its_contracts_for_the_rest_of_the_year() {
    let mut world = decided(Choice::Accept);
    assert_eq!(world.send(vec![august("R3")]), "accept 900000");
    let line = &world.decisions[2].lines[0];
    let evidence = &line.evidence[0];
    assert_eq!(
        (evidence.effect, evidence.standing),
        (Effect::Allow, Some(ENTRY))
    );
    assert_eq!((&*evidence.rule, line.rivals), ("bdss-oeni", 0));
    let bdss_of = |reference: &str, first: &str, last: &str| Line {
        period: span(first, last),
        ..bdss(reference)
    };
    // The year of the contract ends with 2024, and the days before the decided pair are no rest of it.
    for (number, first, last, expected) in [
        (1, "2024-10-01", "2024-12-31", "accept 900000"),
        (2, "2025-01-01", "2025-03-31", "review 900000 GDC-DF-FLAG"),
        (3, "2024-04-01", "2024-06-30", "review 900000 GDC-DF-FLAG"),
    ] {
        let rival = bdss_of(&format!("B{number}"), first, last);
        assert_eq!(world.send(vec![rival]), "accept 2800000", "{first}");
        let line = month(&format!("O{number}"), first, last);
        assert_eq!(world.send(vec![line]), expected, "{first}");
    }
}

#[test]
fn accepted_review_stands_whichever_of_the_two_comes_later() {
    let mut world = decided(Choice::Accept);
    let line = month("R3", "2024-10-01", "2024-10-31");
    assert_eq!(world.send(vec![line]), "accept 900000");
    assert_eq!(world.send(vec![quarter(4, bdss("R4"))]), "accept 2800000");
}

#[test]
fn accepted_review_is_of_one_version_of_the_rule_and_of_its_contracts() {
    let mut world = decided(Choice::Accept);
    for rule in &mut world.reference.pair_rules {
        rule.head.version += 1;
    }
    assert_eq!(world.send(vec![august("R3")]), "review 900000 GDC-DF-FLAG");
    let mut world = decided(Choice::Accept);
    let contract = world.reference.contracts[&"C3".into()].clone();
    world.reference.contracts.insert("C9".into(), contract);
    let line = Line {
        contract_id: Some("C9".into()),
        ..august("R3")
    };
    assert_eq!(world.send(vec![line]), "review 900000 GDC-DF-FLAG");
}

#[test]
fn refused_review_refuses_until_it_is_ended() {
    let mut world = decided(Choice::Refuse);
    assert_eq!(world.send(vec![august("R3")]), "reject 0634 GDC-DF-EXCL");
    let evidence = &world.decisions[2].lines[0].evidence[0];
    assert_eq!(
        (evidence.effect, evidence.standing),
        (Effect::Exclude, Some(ENTRY))
    );
    world.history.standing.end(ENTRY);
    assert_eq!(world.send(vec![august("R4")]), "review 900000 GDC-DF-FLAG");
}

#[test]
fn what_is_doubtful_is_asked_whatever_was_refused_before() {
    let mut world = decided(Choice::Refuse);
    let early = month("R3", "2024-06-15", "2024-07-31");
    assert_eq!(world.send(vec![early]), "review 900000 GDC-DF-FLAG");
    let held = hybrid(quarter(4, bdss("R4")));
    assert_eq!(world.send(vec![held]), "review 2800000 GDC-DF-FLAG");
    let beside = month("R5", "2024-11-01", "2024-11-30");
    assert_eq!(world.send(vec![beside]), "review 900000 GDC-DF-FLAG");
    // A person decides what is held anew.
    assert_eq!(world.review(3, Choice::Accept), "accept 900000");
}

#[test]
fn only_a_review_between_two_contracts_can_stand_whole() {
    let told_of = |lines: Vec<Line>, choice| {
        let mut world = Register::new();
        for line in lines {
            world.send(vec![line]);
        }
        let last = world.decisions.len() as u64;
        let before = world.history.standing.clone();
        let told = let_stand(&mut world, last, choice);
        assert_eq!(world.history.standing, before, "{told}");
        told
    };
    let earlier = month("R2", "2024-06-15", "2024-09-15");
    let reduced = Choice::AcceptReduced(cents(1));
    for (lines, choice) in [
        // A line rule has no second contract.
        (vec![hybrid(bdss("R1"))], Choice::Accept),
        // An exclusion that is only doubtful.
        (vec![bdss_a10("R1"), earlier], Choice::Accept),
        // An amount is of one line.
        (vec![bdss("R1"), july("R2")], reduced),
    ] {
        let told = told_of(lines, choice);
        assert_eq!(told, "not carried out GDC-OPDRACHT");
    }
}
