//! Worked scenarios in which lines meet, judged by the oracle alone: one line a declaration, the outcome last.

use std::fmt::Write as _;

use samenloop_domain::{
    decision::Verdict,
    declaration::{Line, Meeting},
    identifiers::ContractId,
    reference::Reference,
    rejection::ReasonCode,
};

use crate::{
    fixtures::fixtures,
    lines::{credit, line, message},
    oracle::{Judged, decide, past::Past},
    world::{cents, day, key, period},
};

const Q2: &str = "2024-04-01..2024-06-30";
const Q3: &str = "2024-07-01..2024-09-30";
const Q4: &str = "2024-10-01..2024-12-31";

/// A scenario: declarations in order, each line with its outcome as `verdict awarded codes`.
struct Scene {
    reference: Reference,
    past: Past,
    sequence: u64,
}

impl Scene {
    fn new() -> Self {
        Self {
            reference: fixtures(),
            past: Past::default(),
            sequence: 0,
        }
    }

    fn bill(&self, contract_id: &str, line_reference: &str, performed: &str) -> Line {
        let insurer = if contract_id.starts_with("C4") {
            "3311"
        } else {
            "7095"
        };
        let id = ContractId::new(contract_id);
        line(
            &self.reference,
            &id,
            insurer,
            line_reference,
            period(performed),
        )
    }

    fn send(&mut self, received_on: &str, lines: &[&Line], expected: &[&str]) {
        self.send_to("7095", received_on, lines, expected);
    }

    fn send_to(&mut self, insurer: &str, received_on: &str, lines: &[&Line], expected: &[&str]) {
        self.sequence += 1;
        let id = lines[0].contract_id.as_ref().expect("a contract is named");
        let declarant = *self.reference.contracts[id]
            .declarants
            .first()
            .expect("a declarant");
        let lines = lines.iter().map(|line| (*line).clone()).collect();
        let header = (declarant.as_str(), insurer);
        let validated = message(self.sequence.into(), header, day(received_on), lines);
        let outcome = decide(&mut self.past, &validated, &self.reference, self.sequence);
        assert!(outcome.codes.is_empty(), "{outcome:?}");
        let actual: Vec<String> = outcome.lines.iter().map(text).collect();
        assert_eq!(actual, expected);
    }
}

fn text(judged: &Judged) -> String {
    let verdict = match judged.verdict {
        Verdict::Accept => "accept",
        Verdict::Reduce => "reduce",
        Verdict::Review => "review",
        Verdict::Reject => "reject",
        Verdict::Withdrawn => "withdrawn",
    };
    let mut text = format!("{verdict} {}", judged.awarded.get());
    for code in &judged.codes {
        write!(text, " {code}").expect("a string takes text");
    }
    text
}

#[test]
fn resent_line_is_refused_by_reference_or_as_the_same_coverage() {
    let mut scene = Scene::new();
    let first = scene.bill("C1", "R1", Q3);
    let again = scene.bill("C1", "R2", Q3);
    let across = scene.bill("C1", "R3", "2024-09-01..2024-11-30");
    scene.send("2024-10-15", &[&first], &["accept 2800000"]);
    scene.send("2024-10-15", &[&first], &["reject 0 8021"]);
    scene.send("2024-10-15", &[&again], &["reject 0 0587"]);
    scene.send("2024-12-05", &[&across], &["reject 0 8020"]);
}

#[test]
fn credit_and_correcting_debit_pass_in_one_message_and_free_the_period() {
    let mut scene = Scene::new();
    let first = scene.bill("C1", "R1", Q3);
    let second = scene.bill("C1", "R2", Q3);
    let third = scene.bill("C1", "R3", Q3);
    scene.send("2024-10-15", &[&first], &["accept 2800000"]);
    let reversal = credit(&first, "K1");
    let both = ["accept 2800000", "accept -2800000"];
    scene.send("2024-10-16", &[&second, &reversal], &both);
    scene.send("2024-10-17", &[&credit(&first, "K2")], &["reject 0 8084"]);
    scene.send(
        "2024-10-18",
        &[&credit(&second, "K3")],
        &["accept -2800000"],
    );
    scene.send("2024-10-19", &[&third], &["accept 2800000"]);
}

#[test]
fn credit_that_differs_or_sits_beside_its_debit_is_refused() {
    let mut scene = Scene::new();
    let first = scene.bill("C1", "R1", Q3);
    let beside = ["accept 2800000", "reject 0 8062"];
    scene.send("2024-10-15", &[&first, &credit(&first, "K1")], &beside);
    let part = Line {
        declared: cents(500_000),
        ..credit(&first, "K2")
    };
    scene.send("2024-10-16", &[&part], &["reject 0 8017"]);
    let unknown = Line {
        original_reference: Some("R9".into()),
        ..credit(&first, "K3")
    };
    scene.send("2024-10-17", &[&unknown], &["reject 0 8017"]);
}

#[test]
fn programme_beside_coordination_of_general_practice_is_refused_on_a_full_match() {
    for (earlier, expected) in [
        (Q3, "reject 0 0634 GDC-DF-EXCL"),
        ("2024-04-01..2024-07-01", "reject 0 0634 GDC-DF-EXCL"),
        (Q2, "accept 1200000"),
    ] {
        let mut scene = Scene::new();
        let coordination = scene.bill("C3", "R1", earlier);
        let programme = scene.bill("C6", "R2", Q3);
        scene.send("2024-10-15", &[&coordination], &["accept 900000"]);
        scene.send("2024-10-15", &[&programme], &[expected]);
    }
}

#[test]
fn programme_with_other_activities_than_the_coordination_is_held() {
    let mut scene = Scene::new();
    let coordination = scene.bill("C3", "R1", Q3);
    let programme = scene.bill("C1", "R2", Q3);
    scene.send("2024-10-15", &[&coordination], &["accept 900000"]);
    scene.send("2024-10-15", &[&programme], &["review 0 GDC-DF-FLAG"]);
    scene.send("2024-10-16", &[&credit(&programme, "K1")], &["accept 0"]);
    scene.send(
        "2024-10-17",
        &[&credit(&programme, "K2")],
        &["reject 0 8084"],
    );
}

#[test]
fn credited_coordination_no_longer_stands_in_the_way() {
    let mut scene = Scene::new();
    let coordination = scene.bill("C3", "R1", Q3);
    let programme = scene.bill("C6", "R2", Q3);
    scene.send("2024-10-15", &[&coordination], &["accept 900000"]);
    scene.send(
        "2024-10-16",
        &[&credit(&coordination, "K1")],
        &["accept -900000"],
    );
    scene.send("2024-10-17", &[&programme], &["accept 1200000"]);
}

#[test]
fn who_comes_second_is_refused_also_within_one_message() {
    let mut scene = Scene::new();
    let coordination = scene.bill("C3", "R1", Q3);
    let programme = scene.bill("C6", "R2", Q3);
    scene.send("2024-10-15", &[&programme], &["accept 1200000"]);
    scene.send(
        "2024-10-16",
        &[&coordination],
        &["reject 0 0634 GDC-DF-EXCL"],
    );
    let mut together = Scene::new();
    let both = ["accept 900000", "reject 0 0634 GDC-DF-EXCL"];
    together.send("2024-10-15", &[&coordination, &programme], &both);
}

#[test]
fn line_that_begins_before_an_awarded_rival_is_held() {
    let mut scene = Scene::new();
    let programme = scene.bill("C6", "R1", Q3);
    let earlier = scene.bill("C3", "R2", "2024-06-15..2024-09-15");
    scene.send("2024-10-15", &[&programme], &["accept 1200000"]);
    scene.send("2024-10-16", &[&earlier], &["review 0 GDC-DF-FLAG"]);
}

#[test]
fn hybrid_meetings_are_reduced_by_the_agreed_deduction_or_held() {
    for (contract_id, expected) in [
        ("C2", "reduce 750000 8059 GDC-DF-RED"),
        ("C1", "review 0 GDC-DF-FLAG"),
    ] {
        let mut scene = Scene::new();
        let hybrid = Line {
            meeting: Some(Meeting::Hybrid),
            ..scene.bill(contract_id, "R1", Q3)
        };
        scene.send("2024-10-15", &[&hybrid], &[expected]);
    }
}

#[test]
fn subcontracted_service_is_refused_beside_the_direct_one() {
    let mut scene = Scene::new();
    let direct = scene.bill("C4", "R1", "2024-01-01..2024-09-30");
    let within = Line {
        on_behalf_of: Some("53530020".into()),
        ..scene.bill("C4H", "R2", "2024-01-01..2024-09-30")
    };
    scene.send_to("3311", "2024-10-15", &[&direct], &["accept 2500"]);
    scene.send_to("3311", "2024-10-15", &[&within], &["reject 0 0634"]);
}

#[test]
fn line_over_the_ceiling_is_refused_whole() {
    let mut scene = Scene::new();
    let third = scene.bill("C64", "R1", Q3);
    let fourth = scene.bill("C64", "R2", Q4);
    scene.send("2024-10-15", &[&third], &["accept 2800000"]);
    scene.send("2025-01-05", &[&fourth], &["reject 0 0589"]);
    scene.send("2025-01-06", &[&credit(&third, "K1")], &["accept -2800000"]);
    scene.send("2025-01-07", &[&fourth], &["accept 2800000"]);
}

#[test]
fn shares_of_two_insurers_in_one_contract_are_no_rivals() {
    let mut scene = Scene::new();
    let id = ContractId::new("C65b");
    let larger = line(&scene.reference, &id, "7095", "R1", period(Q3));
    let smaller = line(&scene.reference, &id, "3311", "R2", period(Q3));
    scene.send_to("7095", "2024-10-15", &[&larger], &["accept 1680000"]);
    scene.send_to("3311", "2024-10-15", &[&smaller], &["accept 1120000"]);
    scene.send_to(
        "3311",
        "2024-10-15",
        &[&Line {
            line_reference: "R3".into(),
            ..smaller
        }],
        &["reject 0 0587"],
    );
}

#[test]
fn terms_are_counted_per_insurer_and_given_back_by_a_credit() {
    let mut scene = Scene::new();
    let agreed = scene
        .reference
        .contracts
        .get_mut(&ContractId::new("C1"))
        .expect("C1");
    agreed
        .prestaties
        .get_mut(&key("BDSS1"))
        .expect("BDSS1")
        .terms_max = Some(1);
    let third = scene.bill("C1", "R1", Q3);
    let fourth = scene.bill("C1", "R2", Q4);
    scene.send("2025-01-05", &[&third], &["accept 2800000"]);
    scene.send("2025-01-05", &[&fourth], &["reject 0 0584"]);
    let both = ["accept -2800000", "accept 2800000"];
    scene.send("2025-01-05", &[&credit(&third, "K1"), &fourth], &both);
}

#[test]
fn line_that_was_refused_in_time_may_come_three_months_later() {
    let mut scene = Scene::new();
    let (first, other) = (scene.bill("C1", "R1", Q3), scene.bill("C3", "R2", Q3));
    scene.send("2024-10-15", &[&first], &["accept 2800000"]);
    let resent = scene.bill("C1", "R3", Q3);
    scene.send("2025-09-20", &[&resent], &["reject 0 0587"]);
    scene.send("2025-10-05", &[&other], &["reject 0 0586"]);
    scene.send("2025-12-15", &[&credit(&first, "K1")], &["accept -2800000"]);
    scene.send("2025-12-30", &[&other], &["reject 0 0586"]);
    scene.send("2025-12-30", &[&resent], &["accept 2800000"]);
    scene.send("2025-12-31", &[&resent], &["reject 0 8021 0586"]);
}

#[test]
fn registry_reports_the_codes_of_history_in_the_order_of_stages() {
    let codes = [
        "0030",
        "8021",
        "8017",
        "8084",
        "8062",
        "0589",
        "0584",
        "0586",
        "0587",
        "0634",
        "8020",
        "GDC-DF-EXCL",
    ];
    let order: Vec<ReasonCode> = codes.iter().map(|code| ReasonCode::known(code)).collect();
    assert!(order.is_sorted(), "{order:?}");
}
