//! Stories of lines that are decided again: by a person, and because a rival is gone.

use std::collections::BTreeSet;

use crate::{
    decision::{
        Choice, Evidence, depends_on,
        scenarios::{bdss_a10, hybrid, oeni, quarter, received, same_invoice},
    },
    declaration::Line,
    double_funding::HitKey,
    fixtures::{Register, bdss, cents, credit, debit, first_line_of, span},
};

/// A line of H1's own that meets BDSS of Z1 without activities in common: held.
fn held_beside(reference: &str) -> Line {
    Line {
        activities: vec!["A11".into()],
        period: span("2024-07-01", "2024-09-30"),
        ..oeni(reference)
    }
}

fn earlier(line: Line) -> Line {
    Line {
        period: span("2024-06-15", "2024-09-15"),
        ..line
    }
}

/// Forbids to override any rule.
fn forbid_overrides(world: &mut Register) {
    for rule in &mut world.reference.pair_rules {
        rule.head.override_allowed = false;
    }
}

fn shown(world: &Register, sequence: usize) -> BTreeSet<HitKey> {
    let line = &world.decisions[sequence - 1].lines[0];
    line.evidence.iter().map(Evidence::key).collect()
}

#[test]
fn held_line_is_awarded_as_a_person_says_and_credited_like_any_other() {
    let mut world = Register::new();
    assert_eq!(
        world.send(vec![hybrid(bdss("R1"))]),
        "review 2800000 GDC-DF-FLAG"
    );
    assert_eq!(world.review(1, Choice::Accept), "accept 2800000");
    assert_eq!(
        world.review(1, Choice::Accept),
        "not carried out GDC-NIET-AANGEHOUDEN"
    );
    let credited = world.send(vec![credit("R2", &hybrid(bdss("R1")))]);
    assert_eq!(credited, "accept -2800000");
    let claim = world.decisions[1].lines[0].claim.clone().expect("awarded");
    let reversed = claim.reverses.expect("a credit");
    assert_eq!((reversed.line, reversed.version), (first_line_of(1), 2));
    assert!(world.history.coverage.is_empty());
    assert_eq!(world.history.terms.values().copied().max(), Some(0));
}

#[test]
fn less_may_be_awarded_and_never_as_much() {
    let ceiling = |reference: &str| hybrid(debit(reference, "CC", "BDSS1", 2_800_000));
    let mut world = Register::new();
    assert_eq!(
        world.send(vec![ceiling("R1")]),
        "review 2800000 GDC-DF-FLAG"
    );
    for amount in [0, -1, 2_800_000, 3_000_000] {
        let told = world.review(1, Choice::AcceptReduced(cents(amount)));
        assert_eq!(told, "not carried out GDC-BEDRAG", "{amount}");
    }
    let told = world.review(1, Choice::AcceptReduced(cents(2_000_000)));
    assert_eq!(told, "reduce 2000000 8059 GDC-BEOORDEELD");
    // The ceiling of 5,000,000 has what was not awarded back.
    let line = quarter(4, debit("R2", "CC", "BDSS1", 2_800_000));
    assert_eq!(world.send(vec![line]), "accept 2800000");
}

#[test]
fn refused_line_gives_everything_back() {
    let mut world = Register::new();
    assert_eq!(
        world.send(vec![hybrid(bdss("R1"))]),
        "review 2800000 GDC-DF-FLAG"
    );
    assert_eq!(world.review(1, Choice::Refuse), "reject 8072 GDC-DF-FLAG");
    assert!(world.history.coverage.is_empty());
    assert_eq!(world.history.terms.values().copied().max(), Some(0));
    let again = world.send_with(vec![bdss("R1")], same_invoice);
    assert_eq!(again, "accept 2800000");
}

#[test]
fn early_line_is_accepted_only_with_an_override_or_after_the_rival_is_credited() {
    let mut world = Register::new();
    assert_eq!(world.send(vec![bdss_a10("R1")]), "accept 1200000");
    assert_eq!(
        world.send(vec![earlier(oeni("R2"))]),
        "review 900000 GDC-DF-FLAG"
    );
    let overrides = shown(&world, 2);
    let told = world.review_with(2, Choice::Accept, &overrides, 1);
    assert_eq!(told, "accept 900000 over bdss-oeni-full");

    let mut world = Register::new();
    forbid_overrides(&mut world);
    world.send(vec![bdss_a10("R1")]);
    world.send(vec![earlier(oeni("R2"))]);
    let overrides = shown(&world, 2);
    let told = world.review_with(2, Choice::Accept, &overrides, 1);
    assert_eq!(told, "not carried out GDC-GEEN-OVERRIDE");

    let mut world = Register::new();
    world.send(vec![bdss_a10("R1")]);
    world.send(vec![earlier(oeni("R2"))]);
    world.send(vec![credit("R3", &bdss_a10("R1"))]);
    assert_eq!(world.review(2, Choice::Accept), "accept 900000");

    let mut world = Register::new();
    world.send(vec![bdss_a10("R1")]);
    world.send(vec![earlier(oeni("R2"))]);
    assert_eq!(world.review(2, Choice::Accept), "reject 0634 GDC-DF-EXCL");
}

#[test]
fn of_two_held_lines_that_exclude_each_other_one_is_accepted() {
    let mut world = Register::new();
    assert_eq!(
        world.send(vec![hybrid(bdss_a10("R1"))]),
        "review 1200000 GDC-DF-FLAG"
    );
    assert_eq!(world.send(vec![oeni("R2")]), "review 900000 GDC-DF-FLAG");
    assert_eq!(world.review(2, Choice::Accept), "accept 900000");
    assert_eq!(world.review(1, Choice::Accept), "reject 0634 GDC-DF-EXCL");
}

#[test]
fn review_that_was_not_shown_keeps_the_line_held() {
    let mut world = Register::new();
    assert_eq!(
        world.send(vec![hybrid(bdss_a10("R1"))]),
        "review 1200000 GDC-DF-FLAG"
    );
    assert_eq!(
        world.send(vec![held_beside("R2")]),
        "review 900000 GDC-DF-FLAG"
    );
    assert_eq!(
        world.review(1, Choice::Accept),
        "review 1200000 GDC-DF-FLAG"
    );
    let stale = world.review_with(1, Choice::Accept, &BTreeSet::new(), 1);
    assert_eq!(stale, "not carried out GDC-VERSIE");
    // What was shown at first is remembered.
    assert_eq!(world.review(1, Choice::Accept), "accept 1200000");
}

#[test]
fn line_that_lost_is_free_once_no_rival_is_left() {
    let mut world = Register::new();
    assert_eq!(world.send(vec![oeni("R1")]), "accept 900000");
    assert_eq!(world.send(vec![bdss_a10("R2")]), "reject 0634 GDC-DF-EXCL");
    assert_eq!(world.send(vec![bdss_a10("R3")]), "reject 0634 GDC-DF-EXCL");
    assert_eq!(world.rejudge(2, "2024-11-01"), "excluded by 1");
    world.send(vec![credit("R4", &oeni("R1"))]);
    assert_eq!(world.rejudge(2, "2024-11-01"), "accept 1200000");
    // It was declared again under another reference, and the first is paid.
    assert_eq!(world.rejudge(3, "2024-11-01"), "left");
    assert_eq!(world.rejudge(2, "2024-11-01"), "left");
}

#[test]
fn line_that_lost_is_left_where_it_came_again_or_came_too_late() {
    let losing = || {
        let mut world = Register::new();
        world.send(vec![oeni("R1")]);
        assert_eq!(world.send(vec![bdss_a10("R2")]), "reject 0634 GDC-DF-EXCL");
        world
    };
    let mut world = losing();
    world.send(vec![credit("R4", &oeni("R1"))]);
    assert_eq!(world.send(vec![bdss_a10("R2")]), "accept 1200000");
    assert_eq!(world.rejudge(2, "2024-11-01"), "left");
    for (today, expected) in [("2025-12-30", "accept 1200000"), ("2025-12-31", "left")] {
        let mut world = losing();
        world.send_with(vec![credit("R4", &oeni("R1"))], received(today));
        assert_eq!(world.rejudge(2, today), expected, "{today}");
    }
}

#[test]
fn corrected_line_keeps_the_one_that_waits_for_it_excluded() {
    let mut world = Register::new();
    assert_eq!(world.send(vec![oeni("R1")]), "accept 900000");
    assert_eq!(world.send(vec![bdss_a10("R2")]), "reject 0634 GDC-DF-EXCL");
    world.send(vec![credit("R3", &oeni("R1")), oeni("R4")]);
    assert_eq!(world.rejudge(2, "2024-11-01"), "excluded by 3");
}

#[test]
fn held_line_depends_on_the_held_line_before_it() {
    let mut world = Register::new();
    world.send(vec![hybrid(bdss_a10("R1"))]);
    world.send(vec![oeni("R2")]);
    world.send(vec![quarter(4, oeni("R3"))]);
    let first = world
        .history
        .coverage
        .entry(first_line_of(1))
        .expect("held")
        .clone();
    let waiting = |sequence| {
        let held = world.history.coverage.entry(first_line_of(sequence));
        depends_on(held.expect("in force"), &first.coverage, &world.reference)
    };
    assert!(waiting(2));
    assert!(!waiting(3));
}
