//! Stories of double funding.

use crate::{
    decision::scenarios::{bdss_a10, hybrid, oeni, quarter},
    decision::{Status, Validated},
    declaration::Line,
    fixtures::Register,
    fixtures::{H1, N1, W1, bdss, credit, debit, first_line_of, insured, span},
};

#[test]
fn cooperation_paid_by_another_prestatie_is_excluded_whichever_comes_first() {
    let mut world = Register::new();
    assert_eq!(world.send(vec![oeni("R1")]), "accept 900000");
    assert_eq!(world.send(vec![bdss_a10("R2")]), "reject 0634 GDC-DF-EXCL");
    let evidence = &world.decisions[1].lines[0].evidence;
    let rival = evidence[0].rival.as_ref().expect("of a pair");
    assert_eq!(
        (&*evidence[0].rule, rival.days_in_common),
        ("bdss-oeni-full", 92)
    );
    assert_eq!(rival.shared_activities, vec!["A10".into()]);

    let mut world = Register::new();
    assert_eq!(world.send(vec![bdss_a10("R1")]), "accept 1200000");
    assert_eq!(world.send(vec![oeni("R2")]), "reject 0634 GDC-DF-EXCL");

    let mut world = Register::new();
    let lines = vec![oeni("R1"), bdss_a10("R2")];
    assert_eq!(world.send(lines), "accept 900000, reject 0634 GDC-DF-EXCL");
}

#[test]
fn lines_without_a_shared_activity_are_held() {
    let mut world = Register::new();
    assert_eq!(world.send(vec![oeni("R1")]), "accept 900000");
    assert_eq!(world.send(vec![bdss("R2")]), "review 2800000 GDC-DF-FLAG");
    assert_eq!(world.decisions[1].status, Status::InReview);
}

#[test]
fn one_day_in_common_excludes_and_none_does_not() {
    let until_july = Line {
        period: span("2024-04-01", "2024-07-01"),
        ..oeni("R1")
    };
    for (first, expected) in [
        (until_july, "reject 0634 GDC-DF-EXCL"),
        (quarter(2, oeni("R1")), "accept 1200000"),
    ] {
        let mut world = Register::new();
        assert_eq!(world.send(vec![first]), "accept 900000");
        assert_eq!(world.send(vec![bdss_a10("R2")]), expected);
    }
}

#[test]
fn credited_coverage_excludes_nothing() {
    let mut world = Register::new();
    assert_eq!(world.send(vec![oeni("R1")]), "accept 900000");
    assert_eq!(
        world.send(vec![credit("R2", &oeni("R1"))]),
        "accept -900000"
    );
    assert_eq!(world.send(vec![bdss_a10("R3")]), "accept 1200000");
}

#[test]
fn line_that_begins_earlier_than_a_paid_rival_is_held() {
    let mut world = Register::new();
    assert_eq!(world.send(vec![bdss_a10("R1")]), "accept 1200000");
    let earlier = Line {
        period: span("2024-06-15", "2024-09-15"),
        ..oeni("R2")
    };
    assert_eq!(world.send(vec![earlier]), "review 900000 GDC-DF-FLAG");
    // Within one contract a duplicate is a duplicate, whichever begins first.
    let earlier = Line {
        period: span("2024-06-15", "2024-09-15"),
        ..bdss_a10("R3")
    };
    assert_eq!(world.send(vec![earlier]), "reject 8020");
}

#[test]
fn hybrid_meetings_are_reduced_by_the_agreed_share_or_held() {
    let mut world = Register::new();
    let elderly = Line {
        patient_group_id: Some("G2".into()),
        ..debit("R1", "C2", "BDSS1", 1_000_000)
    };
    assert_eq!(
        world.send(vec![hybrid(elderly.clone())]),
        "reduce 750000 8059 GDC-DF-RED"
    );
    assert_eq!(
        world.send(vec![credit("R2", &hybrid(elderly))]),
        "accept -750000"
    );
    assert_eq!(
        world.send(vec![hybrid(bdss("R3"))]),
        "review 2800000 GDC-DF-FLAG"
    );
}

#[test]
fn hybrid_line_alone_is_reduced_and_only_once() {
    let nursing = |reference| Line {
        patient_group_id: None,
        insured: Some(insured(1)),
        ..debit(reference, "CW", "WVRG1", 4_500)
    };
    let elderly = |reference| Line {
        patient_group_id: Some("G2".into()),
        ..hybrid(debit(reference, "C2", "BDSS1", 1_000_000))
    };
    let from_w1 = |input: &mut Validated| input.declaration.declarant_agb = W1.into();
    let mut world = Register::new();
    assert_eq!(world.send_with(vec![nursing("N1")], from_w1), "accept 4500");
    assert_eq!(
        world.send(vec![elderly("R1")]),
        "reduce 750000 8059 GDC-DF-RED"
    );
    let line = &world.decisions[1].lines[0];
    assert_eq!((line.rivals, line.evidence.len()), (1, 2));

    let mut world = Register::new();
    assert_eq!(
        world.send(vec![elderly("R1")]),
        "reduce 750000 8059 GDC-DF-RED"
    );
    assert_eq!(world.send_with(vec![nursing("N1")], from_w1), "accept 4500");
}

#[test]
fn client_line_meets_a_group_only_by_condition() {
    let nursing = Line {
        patient_group_id: None,
        insured: Some(insured(1)),
        ..debit("N1", "CW", "WVRG1", 4_500)
    };
    let from_w1 = |input: &mut Validated| input.declaration.declarant_agb = W1.into();
    for (group, expected) in [
        ("G2", "review 1000000 GDC-DF-FLAG"),
        ("G1", "accept 1000000"),
    ] {
        let mut world = Register::new();
        assert_eq!(
            world.send_with(vec![nursing.clone()], from_w1),
            "accept 4500"
        );
        let line = Line {
            patient_group_id: Some(group.into()),
            ..debit("R1", "C2", "BDSS1", 1_000_000)
        };
        assert_eq!(world.send(vec![line]), expected, "{group}");
    }
}

#[test]
fn service_billed_direct_and_through_another_provider_is_excluded() {
    let per_insured = |reference, contract| Line {
        quantity: 400,
        patient_group_id: Some("GP".into()),
        activities: vec!["A40".into()],
        ..debit(reference, contract, "ADZP1", 1_000_000)
    };
    let from = |declarant: &'static str| {
        move |input: &mut Validated| {
            input.declaration.declarant_agb = declarant.into();
            input.declaration.insurer_uzovi = "3311".into();
        }
    };
    let mut world = Register::new();
    assert_eq!(
        world.send_with(vec![per_insured("R1", "C4")], from(N1)),
        "accept 1000000"
    );
    let passed_on = Line {
        on_behalf_of: Some(N1.into()),
        ..per_insured("R2", "C4H")
    };
    assert_eq!(world.send_with(vec![passed_on], from(H1)), "reject 0634");
    assert_eq!(
        world.send_with(vec![per_insured("R3", "C4H")], from(H1)),
        "reject 0587"
    );
}

#[test]
fn held_rival_makes_an_exclusion_a_review_and_credit_withdraws_it() {
    let mut world = Register::new();
    let held = hybrid(bdss_a10("R1"));
    assert_eq!(world.send(vec![held.clone()]), "review 1200000 GDC-DF-FLAG");
    assert_eq!(world.send(vec![oeni("R2")]), "review 900000 GDC-DF-FLAG");
    assert_eq!(world.send(vec![credit("R3", &held)]), "accept 0");
    let decision = &world.decisions[2];
    assert_eq!(decision.withdrawn[0].original, first_line_of(1));
    assert_eq!(decision.lines[0].claim, None);
    let id = decision.withdrawn[0].message_id;
    assert_eq!(world.history.messages[&id].version, 2);
    assert_eq!(world.send(vec![credit("R4", &held)]), "reject 8084");
    // It stays used up.
    assert_eq!(world.send(vec![bdss_a10("R1")]), "reject 8021");
}
