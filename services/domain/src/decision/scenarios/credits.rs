//! Stories of credits.

use crate::{
    decision::scenarios::quarter,
    decision::{ReversedClaim, Status},
    declaration::Line,
    fixtures::Register,
    fixtures::{bdss, cents, credit, first_line_of},
};

#[test]
fn credit_reverses_exactly_what_was_awarded_and_frees_everything() {
    let mut world = Register::new();
    let original = bdss("R1");
    assert_eq!(world.send(vec![original.clone()]), "accept 2800000");
    assert_eq!(world.send(vec![credit("R2", &original)]), "accept -2800000");
    let (debited, credited) = (&world.decisions[0].lines[0], &world.decisions[1].lines[0]);
    assert_eq!(credited.reverses, Some(first_line_of(1)));
    let (first, second) = (debited.claim.clone(), credited.claim.clone());
    let (first, second) = (first.expect("awarded"), second.expect("awarded"));
    assert_eq!(first.insurer_shares, second.insurer_shares);
    assert_eq!(first.sector_shares, second.sector_shares);
    assert_eq!(
        second.reverses,
        Some(ReversedClaim {
            line: first_line_of(1),
            version: 1
        })
    );
    assert!(world.history.coverage.is_empty());
    assert_eq!(world.history.terms.values().copied().max(), Some(0));
    assert_eq!(world.send(vec![credit("R3", &original)]), "reject 8084");
    assert_eq!(world.send(vec![bdss("R4")]), "accept 2800000");
}

#[test]
fn credit_needs_a_debit_that_it_repeats_whole() {
    let part = |line: Line| Line {
        declared: cents(500_000),
        ..line
    };
    let other_contract = |line: Line| Line {
        contract_id: Some("C2".into()),
        ..line
    };
    let other_period = |line| quarter(4, line);
    let no_contract = |line: Line| Line {
        contract_id: None,
        ..line
    };
    let unknown = |line: Line| Line {
        original_reference: Some("R9".into()),
        ..line
    };
    type Change = fn(Line) -> Line;
    let table: [(&str, Change, &str); 6] = [
        ("a part of it", part, "reject 8017"),
        ("another contract", other_contract, "reject 8017"),
        ("another period", other_period, "reject 8017"),
        ("an unknown original", unknown, "reject 8017"),
        ("no contract named", no_contract, "accept -2800000"),
        ("all of it", |line| line, "accept -2800000"),
    ];
    for (what, change, expected) in table {
        let mut world = Register::new();
        assert_eq!(world.send(vec![bdss("R1")]), "accept 2800000");
        assert_eq!(
            world.send(vec![change(credit("R2", &bdss("R1")))]),
            expected,
            "{what}"
        );
    }
}

#[test]
fn credit_of_a_refused_line_or_to_another_insurer_has_no_debit() {
    let mut world = Register::new();
    assert_eq!(world.send(vec![bdss("R1")]), "accept 2800000");
    assert_eq!(world.send(vec![bdss("R2")]), "reject 0587");
    assert_eq!(world.send(vec![credit("R3", &bdss("R2"))]), "reject 8017");
    let elsewhere = world.send_with(vec![credit("R4", &bdss("R1"))], |input| {
        input.declaration.insurer_uzovi = "3311".into();
    });
    assert_eq!(elsewhere, "reject 8017");
}

#[test]
fn credit_beside_its_own_debit_is_refused_and_the_debit_stands() {
    let mut world = Register::new();
    let lines = vec![bdss("R9"), credit("R10", &bdss("R9"))];
    assert_eq!(world.send(lines), "accept 2800000, reject 8062");
}

#[test]
fn correcting_debit_takes_what_a_credit_of_its_own_message_frees() {
    let mut world = Register::new();
    assert_eq!(world.send(vec![bdss("R1")]), "accept 2800000");
    // The debit stands first in the message: credits are decided first all the same.
    let lines = vec![bdss("R2"), credit("R3", &bdss("R1"))];
    assert_eq!(world.send(lines), "accept 2800000, accept -2800000");
    assert_eq!(world.history.coverage.len(), 1);
}

#[test]
fn two_credits_of_one_debit_in_one_message_reverse_it_once() {
    let mut world = Register::new();
    assert_eq!(world.send(vec![bdss("R1")]), "accept 2800000");
    let lines = vec![credit("R2", &bdss("R1")), credit("R3", &bdss("R1"))];
    assert_eq!(world.send(lines), "accept -2800000, reject 8084");
    assert_eq!(world.decisions[1].status, Status::Partly);
}
