//! Whole stories: messages one after the other, and what came of each line.

mod credits;
mod double_funding;
mod reviews;
mod standing;

use crate::{
    cents::BasisPoints,
    coverage::{Coverage, CoverageState, Covered},
    decision::{Awaited, Registration, Status, Validated, register, waits_for},
    declaration::{Insured, InsuredIdentity, Line, Meeting, Share},
    fixtures::Register,
    fixtures::{
        agb, bdss, bdss_coverage, cents, credit, day, debit, first_line_of, message, period, span,
        uzovi,
    },
    identifiers::{ContractId, LineReference, Pseudonym, Sequence},
    reference::{Budget, Effect},
    rejection::Rejection,
};

fn quarter(number: u32, line: Line) -> Line {
    let period = match number {
        2 => span("2024-04-01", "2024-06-30"),
        3 => span("2024-07-01", "2024-09-30"),
        _ => span("2024-10-01", "2024-12-31"),
    };
    Line { period, ..line }
}

fn oeni(reference: &str) -> Line {
    debit(reference, "C3", "OENI1", 900_000)
}

fn bdss_a10(reference: &str) -> Line {
    debit(reference, "C6", "BDSS1", 1_200_000)
}

fn hybrid(line: Line) -> Line {
    Line {
        meeting: Some(Meeting::Hybrid),
        ..line
    }
}

fn received(on: &str) -> impl FnOnce(&mut Validated) {
    let on = day(on);
    move |input| input.received_on = on
}

fn same_invoice(input: &mut Validated) {
    input.declaration.invoice_number = "INV-1".into();
}

#[test]
fn message_id_is_registered_once_for_one_party_and_content() {
    let mut world = Register::new();
    let first = message(1, crate::fixtures::Z1, vec![bdss("R1")]);
    assert_eq!(world.decide(&first), "accept 2800000");
    let resend = Registration::Resend {
        sequence: Sequence(1),
        version: 1,
    };
    assert_eq!(register(&first, &world.history), resend);
    let mut other = first.clone();
    other.content_digest = [2; 32];
    assert_eq!(register(&other, &world.history), Registration::Conflict);
    other.party = "another".into();
    assert_eq!(register(&other, &world.history), Registration::OtherParty);
}

#[test]
fn same_line_again_is_refused_by_the_narrowest_key_that_repeats() {
    let mut world = Register::new();
    assert_eq!(world.send(vec![bdss("R1")]), "accept 2800000");
    assert_eq!(
        world.send_with(vec![bdss("R1")], same_invoice),
        "refused 0030"
    );
    assert_eq!(world.send(vec![bdss("R1")]), "reject 8021");
    assert_eq!(world.send(vec![bdss("R2")]), "reject 0587");
    let overlapping = Line {
        period: span("2024-09-01", "2024-11-30"),
        ..bdss("R3")
    };
    assert_eq!(world.send(vec![overlapping]), "reject 8020");
}

#[test]
fn references_and_invoice_parts_are_free_again_after_five_years() {
    for (on, expected) in [
        ("2029-10-14", "refused 0030"),
        ("2029-10-15", "reject 0586"),
    ] {
        let mut world = Register::new();
        assert_eq!(world.send(vec![bdss("R1")]), "accept 2800000");
        let again = world.send_with(vec![quarter(4, bdss("R1"))], |input| {
            same_invoice(input);
            input.received_on = day(on);
        });
        assert_eq!(again, expected, "{on}");
    }
}

#[test]
fn refused_line_uses_neither_reference_nor_invoice_part_up() {
    let mut world = Register::new();
    let refused = world.send_with(vec![bdss("R1")], |input| {
        input
            .findings
            .lines
            .insert(1, vec![Rejection::new("tarief", &["0611"])]);
    });
    assert_eq!(refused, "reject 0611");
    assert_eq!(
        world.send_with(vec![bdss("R1")], same_invoice),
        "accept 2800000"
    );
}

#[test]
fn reason_for_the_message_silences_the_lines() {
    let mut world = Register::new();
    let told = world.send_with(vec![bdss("R1"), oeni("R2")], |input| {
        input
            .findings
            .message
            .push(Rejection::new("provider", &["0017"]));
        input
            .findings
            .lines
            .insert(1, vec![Rejection::new("tarief", &["0611"])]);
    });
    assert_eq!(told, "refused 0017");
    let decision = &world.decisions[0];
    assert_eq!(decision.status, Status::Rejected);
    for line in &decision.lines {
        assert_eq!(
            line.rejections,
            vec![Rejection::new("message_refused", &["8002"])]
        );
    }
    assert_eq!(world.send(vec![bdss("R1")]), "accept 2800000");
}

#[test]
fn terms_are_used_up_by_lines_that_are_not_refused() {
    let mut world = Register::new();
    let months = [
        ("2024-07-01", "2024-07-31"),
        ("2024-08-01", "2024-08-31"),
        ("2024-09-01", "2024-09-30"),
        ("2024-10-01", "2024-10-31"),
        ("2024-11-01", "2024-11-30"),
    ];
    let line = |number: usize| Line {
        period: span(months[number].0, months[number].1),
        ..bdss(&format!("M{number}"))
    };
    assert_eq!(
        world
            .send(vec![line(0), line(1), line(2)])
            .matches("accept")
            .count(),
        3
    );
    assert_eq!(
        world.send(vec![line(3), line(4)]),
        "accept 2800000, reject 0584"
    );
    let lines = vec![credit("K1", &line(0)), line(4)];
    assert_eq!(world.send(lines), "accept -2800000, accept 2800000");
}

/// One insured person as known under these keys.
fn under(keys: &[&str]) -> Option<Insured> {
    let pseudonym = |key: &&str| Pseudonym {
        key_id: (*key).into(),
        value: [key.as_bytes()[1]; 32],
    };
    let identity = InsuredIdentity::Pseudonyms(keys.iter().map(pseudonym).collect());
    Some(Insured {
        identity,
        in_care_since: None,
    })
}

#[test]
fn terms_of_an_insured_outlive_a_key() {
    let mut world = Register::new();
    let contract = world.reference.contracts.get_mut(&ContractId::new("C1"));
    let prestaties = &mut contract.expect("it is there").prestaties;
    for prestatie in prestaties.values_mut() {
        prestatie.terms_max = Some(2);
    }
    let months = ["2024-07", "2024-08", "2024-09", "2024-10", "2024-11"];
    let line = |month: usize, keys: &[&str]| Line {
        period: span(
            &format!("{}-01", months[month]),
            &format!("{}-28", months[month]),
        ),
        insured: under(keys),
        patient_group_id: None,
        ..bdss(&format!("M{month}{}", keys.concat()))
    };
    assert_eq!(world.send(vec![line(0, &["k1"])]), "accept 2800000");
    assert_eq!(world.send(vec![line(1, &["k1", "k2"])]), "accept 2800000");
    assert_eq!(world.send(vec![line(2, &["k1", "k2"])]), "reject 0584");
    // From here on the first key is retired; what the second has seen still counts, and still meets.
    assert_eq!(world.send(vec![line(1, &["k2"])]), "reject 0587");
    assert_eq!(world.send(vec![line(3, &["k2"])]), "accept 2800000");
    assert_eq!(world.send(vec![line(4, &["k2"])]), "reject 0584");
    let credits = vec![credit("K1", &line(1, &["k1", "k2"])), line(4, &["k2"])];
    assert_eq!(world.send(credits), "accept -2800000, accept 2800000");
}

#[test]
fn lines_of_one_contract_meet_without_a_shared_agb_code() {
    let mut world = Register::new();
    world.history.coverage.insert(Covered {
        id: first_line_of(0),
        state: CoverageState::Imported,
        coverage: Coverage {
            agbs: [agb("01999999")].into(),
            ..bdss_coverage()
        },
    });
    assert_eq!(world.send(vec![bdss("R1")]), "reject 0587");
}

#[test]
fn ceiling_is_for_awarded_and_held_lines_together() {
    let ceiling = |reference: &str| debit(reference, "CC", "BDSS1", 2_800_000);
    let mut world = Register::new();
    assert_eq!(world.send(vec![ceiling("R1")]), "accept 2800000");
    assert_eq!(world.send(vec![quarter(4, ceiling("R2"))]), "reject 0589");
    let next_year = Line {
        period: span("2025-01-01", "2025-03-31"),
        ..ceiling("R3")
    };
    assert_eq!(world.send(vec![next_year]), "accept 2800000");
    let lines = vec![
        credit("R4", &ceiling("R1")),
        quarter(4, hybrid(ceiling("R5"))),
    ];
    assert_eq!(
        world.send(lines),
        "accept -2800000, review 2800000 GDC-DF-FLAG"
    );
    assert_eq!(world.send(vec![ceiling("R6")]), "reject 0589");
}

#[test]
fn share_of_a_ceiling_or_budget_is_told_by_the_message_that_reaches_it() {
    let share = |points| BasisPoints::new(points).expect("a share");
    let mut world = Register::new();
    let contract = (world.reference.contracts)
        .get_mut(&"CC".into())
        .expect("there is CC");
    contract.ceilings[0].signals = vec![share(5_000), share(9_000)];
    contract.budgets = vec![Budget {
        name: "year".into(),
        period: period("2024-01-01", "2024-12-31"),
        grounds: Vec::new(),
        base: cents(2_800_000),
        agreed_basis_points: 10_000,
        cents: cents(2_800_000),
        signals: vec![share(10_000)],
    }];
    let line = |reference: &str, amount| debit(reference, "CC", "BDSS1", amount);
    assert_eq!(world.send(vec![line("R1", 2_800_000)]), "accept 2800000");
    let told = |world: &Register| -> Vec<(Box<str>, u32, i64)> {
        let decision = world.decisions.last().expect("one was decided");
        let signals = decision.signals.iter();
        let told = signals.map(|it| (it.key.name.clone(), it.share.get(), it.taken.get()));
        told.collect()
    };
    // 2,800,000 of 5,000,000 is over a half; the budget is full.
    let first = [
        ("2024".into(), 5_000, 2_800_000),
        ("year".into(), 10_000, 2_800_000),
    ];
    assert_eq!(told(&world), first);
    // A refused line reaches nothing; over its budget a line is paid, and settled afterwards.
    assert_eq!(
        world.send(vec![quarter(4, line("R2", 2_800_000))]),
        "reject 0589"
    );
    assert_eq!(told(&world), []);
    assert_eq!(
        world.send(vec![quarter(4, line("R3", 1_700_000))]),
        "accept 1700000"
    );
    assert_eq!(told(&world), [("2024".into(), 9_000, 4_500_000)]);
    assert_eq!(
        world.send(vec![credit("R4", &line("R1", 2_800_000))]),
        "accept -2800000"
    );
    assert_eq!(told(&world), []);
}

#[test]
fn line_comes_in_time_or_again_after_a_refusal_in_time() {
    for (on, expected) in [
        ("2025-09-30", "accept 2800000"),
        ("2025-10-01", "reject 0586"),
    ] {
        let mut world = Register::new();
        assert_eq!(
            world.send_with(vec![bdss("R1")], received(on)),
            expected,
            "{on}"
        );
    }
    for (first, again, expected) in [
        ("2025-09-20", "2025-12-15", "accept 2800000"),
        ("2025-09-20", "2025-12-30", "accept 2800000"),
        ("2025-09-20", "2025-12-31", "reject 0586"),
        ("2025-10-05", "2025-12-15", "reject 0586"),
    ] {
        let mut world = Register::new();
        world.send_with(vec![bdss("R1")], |input| {
            input.received_on = day(first);
            input
                .findings
                .message
                .push(Rejection::new("provider", &["0017"]));
        });
        let told = world.send_with(vec![bdss("R1")], received(again));
        assert_eq!(told, expected, "{first}, {again}");
    }
}

#[test]
fn credit_has_no_term() {
    let mut world = Register::new();
    assert_eq!(world.send(vec![bdss("R1")]), "accept 2800000");
    world.reference.contracts.clear();
    let late = world.send_with(vec![credit("R2", &bdss("R1"))], received("2044-01-01"));
    assert_eq!(late, "accept -2800000");
    assert!(world.decisions[1].lines[0].claim.is_some());
}

#[test]
fn line_to_the_lead_is_borne_by_all_bound_insurers() {
    let mut world = Register::new();
    let line = debit("R1", "CL", "BDSS1", 2_800_000);
    assert_eq!(world.send(vec![line]), "accept 2800000");
    let decided = &world.decisions[0].lines[0];
    let claim = decided.claim.as_ref().expect("awarded");
    let keys: Vec<&str> = claim
        .insurer_shares
        .iter()
        .map(|it: &Share| &*it.key)
        .collect();
    assert_eq!(keys, ["7095", "3311"]);
    let coverage = decided.coverage.as_ref().expect("awarded");
    assert!(coverage.payers.contains(&uzovi("3311")));
}

#[test]
fn credit_waits_for_an_original_that_may_still_come() {
    let mut world = Register::new();
    assert_eq!(world.send(vec![bdss("R1")]), "accept 2800000");
    assert_eq!(world.send(vec![bdss("R2")]), "reject 0587");
    let waits = |lines: Vec<Line>, findings: Option<Rejection>| {
        let mut input = message(9, crate::fixtures::Z1, lines);
        input
            .findings
            .lines
            .extend(findings.map(|found| (1, vec![found])));
        let keys = waits_for(&input, &world.history);
        keys.into_iter()
            .map(|awaited| match awaited {
                Awaited::Original(key) => key.reference,
                Awaited::Part(part) => panic!("it is a whole invoice: {part:?}"),
            })
            .collect::<Vec<LineReference>>()
    };
    let none: Vec<LineReference> = Vec::new();
    assert_eq!(
        waits(vec![credit("K", &bdss("R8"))], None),
        vec!["R8".into()]
    );
    assert_eq!(waits(vec![credit("K", &bdss("R1"))], None), none);
    assert_eq!(waits(vec![credit("K", &bdss("R2"))], None), none);
    assert_eq!(
        waits(vec![credit("K", &bdss("R8")), bdss("R8")], None),
        none
    );
    let found = Rejection::new("tarief", &["0611"]);
    assert_eq!(waits(vec![credit("K", &bdss("R8"))], Some(found)), none);
}

fn part(part: u32, of: u32) -> impl FnOnce(&mut Validated) {
    move |input| {
        same_invoice(input);
        (
            input.declaration.invoice_part,
            input.declaration.invoice_parts,
        ) = (part, of);
    }
}

#[test]
fn part_of_an_invoice_waits_for_the_one_before_and_is_refused_without_it() {
    let waiting = |world: &Register, number: u32, of: u32| -> Vec<String> {
        let mut input = message(9, crate::fixtures::Z1, vec![quarter(4, bdss("R9"))]);
        part(number, of)(&mut input);
        let awaited = waits_for(&input, &world.history);
        awaited.iter().map(ToString::to_string).collect()
    };
    let none: [&str; 0] = [];
    let mut world = Register::new();
    assert_eq!(waiting(&world, 2, 3), ["INV-1, part 1"]);
    assert_eq!(waiting(&world, 1, 3), none);
    // Nobody waits any more: the message is refused, and may come again once the first part has come.
    let out_of_order = world.send_with(vec![bdss("R2")], part(2, 3));
    assert_eq!(out_of_order, "refused 8003");
    let first = world.send_with(vec![quarter(2, bdss("R1"))], part(1, 3));
    assert_eq!(first, "accept 2800000");
    assert_eq!(waiting(&world, 2, 3), none);
    let again = world.send_with(vec![bdss("R2")], part(2, 3));
    assert_eq!(again, "accept 2800000");
    // A part that was refused has come.
    let refused = world.send_with(vec![bdss("R3")], part(3, 4));
    assert_eq!(refused, "reject 0587");
    assert_eq!(waiting(&world, 4, 4), none);
}

#[test]
fn whole_invoice_is_no_part_of_another_and_a_part_is_forgotten_after_five_years() {
    let mut world = Register::new();
    assert_eq!(
        world.send_with(vec![bdss("R1")], same_invoice),
        "accept 2800000"
    );
    let second = world.send_with(vec![quarter(4, bdss("R2"))], part(2, 2));
    assert_eq!(second, "refused 8003");
    // What is refused for another reason waits for nothing, and is not told of the order.
    let used = world.send_with(vec![bdss("R3")], |input| {
        part(2, 2)(input);
        let found = Rejection::new("provider", &["0017"]);
        input.findings.message.push(found);
    });
    assert_eq!(used, "refused 0017");
    for (on, expected) in [
        ("2029-10-14", "reject 0586"),
        ("2029-10-15", "refused 8003"),
    ] {
        let told = world.send_with(vec![quarter(4, bdss("R4"))], |input| {
            part(3, 3)(input);
            input.received_on = day(on);
        });
        assert_eq!(told, expected, "{on}");
    }
}

#[test]
fn check_beforehand_gives_what_the_decision_gives() {
    let mut world = Register::new();
    assert_eq!(world.send(vec![oeni("R1")]), "accept 900000");
    let input = message(9, crate::fixtures::Z1, vec![bdss_a10("R2")]);
    let facts = crate::facts::establish(
        &input.declaration,
        &input.declaration.lines[0],
        &world.reference,
    );
    let coverage = crate::coverage::of_line(&facts, &world.reference).expect("all is known");
    assert_eq!(coverage.period, period("2024-07-01", "2024-09-30"));
    let judged =
        crate::double_funding::decide_line(&coverage, &world.history.coverage, &world.reference);
    assert_eq!((judged.effect, judged.rivals), (Effect::Exclude, 1));
}
