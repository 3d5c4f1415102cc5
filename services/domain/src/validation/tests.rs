//! What of a worked scenario needs no history, and what silences what.

use crate::{
    declaration::{Meeting, PrestatieKey},
    facts,
    reference::ContractState,
    rules::fixture::{World, check, day, insured, shares},
    validation::validate_line,
};

#[test]
fn worked_scenarios_that_need_no_history_are_accepted() {
    check(
        World::c1,
        &[
            ("1", |_| (), ""),
            ("4", |it| it.line_amounts("28000", 2_800_000, 2_750_000), ""),
            (
                "hybrid is not judged here",
                |it| it.line().meeting = Some(Meeting::Hybrid),
                "",
            ),
            ("two good lines", |it| it.add_line(|_| ()), " | "),
            ("59 is not judged here", |it| it.receive("2025-10-05"), ""),
        ],
    );
    check(World::c4, &[("49", |_| (), "")]);
    check(World::c5, &[("53", |_| (), "")]);
}

#[test]
fn finding_about_the_message_silences_its_lines() {
    check(
        World::c1,
        &[
            (
                "bad line in a bad message",
                |it| {
                    it.line().patient_group_id = None;
                    it.declaration.currency = "USD".into();
                },
                "message 0031",
            ),
            (
                "all of it in order",
                |it| {
                    it.declaration.schema_version = "2.0".into();
                    it.declaration.sender_agb = "1".into();
                    it.declaration.declarant_agb = "1".into();
                    it.declaration.insurer_uzovi = "1".into();
                    it.declaration.pay_to = "9".into();
                    it.declaration.invoice_date = day("2025-01-01");
                    it.declaration.control.line_count = 9;
                },
                "message 0011 0017 0018 8029 9265 0158",
            ),
        ],
    );
}

#[test]
fn good_lines_stand_beside_bad_ones() {
    check(
        World::c1,
        &[
            (
                "one of two",
                |it| it.add_line(|line| line.patient_group_id = None),
                " | 8072 GDC-GROEP",
            ),
            (
                "the other",
                |it| {
                    it.add_line(|_| ());
                    it.line().quantity = 0;
                },
                "0638 | ",
            ),
        ],
    );
}

#[test]
fn every_finding_is_reported_in_order() {
    check(
        World::c1,
        &[(
            "much at once",
            |it| {
                let line = it.line();
                line.patient_group_id = None;
                line.meeting = Some(Meeting::Individual);
                line.sector_shares = shares("WV 5000, HA 4900");
                line.on_behalf_of = Some("x".into());
                line.original_reference = Some("R0".into());
                it.line_amounts("30000", 3_000_000, 3_000_000);
            },
            "0631 0562 8072 GDC-GROEP 0698 GDC-INDIV GDC-SLEUTEL GDC-ZVW-DEEL 0611",
        )],
    );
}

/// Breaks content and tarief, which is reported unless something silences it.
fn broken_content(world: &mut World) {
    world.line().patient_group_id = None;
    world.line_amounts("30000", 3_000_000, 3_000_000);
}

#[test]
fn missing_fact_is_reported_once_and_silences_what_needs_it() {
    check(
        World::c1,
        &[
            (
                "nothing missing",
                broken_content,
                "8072 GDC-GROEP GDC-ZVW-DEEL 0611",
            ),
            (
                "amounts",
                |it| {
                    broken_content(it);
                    it.line_amounts("30000", 3_000_001, 3_000_000);
                },
                "8032 8072 GDC-GROEP",
            ),
            (
                "quantity",
                |it| {
                    broken_content(it);
                    it.line().quantity = 0;
                },
                "0638 8072 GDC-GROEP",
            ),
            (
                "contract",
                |it| {
                    broken_content(it);
                    it.contract("C1").state = ContractState::Concept;
                },
                "8022 GDC-SCHRIFT",
            ),
            (
                "experiment",
                |it| {
                    broken_content(it);
                    it.performed("2024-04-01", "2024-06-30");
                },
                "0698 GDC-EXP",
            ),
            (
                "prestatie",
                |it| {
                    broken_content(it);
                    it.line().prestatie = PrestatieKey::new("990", "BDSS9");
                },
                "0582",
            ),
            (
                "period",
                |it| {
                    broken_content(it);
                    it.performed("2024-09-30", "2024-07-01");
                },
                "8007",
            ),
        ],
    );
}

#[test]
fn credit_is_judged_by_what_it_says_of_itself_only() {
    check(
        World::c1,
        &[
            ("27", |it| it.credit(Some("R0")), ""),
            ("28", |it| it.credit(None), "0651"),
            (
                "prestatie, contract and group are gone",
                |it| {
                    it.credit(Some("R0"));
                    it.reference.catalogue.clear();
                    it.reference.contracts.clear();
                    it.line().patient_group_id = None;
                },
                "",
            ),
            (
                "amounts",
                |it| {
                    it.credit(Some("R0"));
                    it.line().computed = crate::cents::Cents::ZERO;
                },
                "9278",
            ),
        ],
    );
}

/// A line is decided on its facts, so a line without findings must have them all.
#[test]
fn line_without_findings_has_all_its_facts() {
    let changes: &[fn(&mut World)] = &[
        |_| (),
        |it| it.performed("2024-09-30", "2024-07-01"),
        |it| it.performed("2024-04-01", "2024-06-30"),
        |it| it.line().prestatie = PrestatieKey::new("990", "ADZP1"),
        |it| it.line().prestatie = PrestatieKey::new("990", "ZCCB1"),
        |it| it.line().contract_id = None,
        |it| it.line().contract_id = Some("C4".into()),
        |it| it.line().quantity = 2,
        |it| it.line().insured = Some(insured()),
        |it| it.entry("BDSS1").conditions.clear(),
        |it| it.entry("BDSS1").validity = None,
        |it| it.contract("C1").state = ContractState::Ended,
        |it| it.contract("C1").prestaties.clear(),
        |it| it.contract("C1").insurers.clear(),
        |it| it.reference.code_lists.clear(),
        |it| it.reference.providers.clear(),
        |it| it.line_amounts("0", 0, 0),
    ];
    for first in changes {
        for second in changes {
            let mut world = World::c1();
            first(&mut world);
            second(&mut world);
            let World {
                declaration,
                reference,
                ..
            } = &world;
            let facts = facts::establish(declaration, &declaration.lines[0], reference);
            let all = facts.period.is_some()
                && facts.prestatie.is_some()
                && facts.contract.is_some()
                && facts.contract_prestatie.is_some()
                && facts.covering_term.is_some()
                && facts.amounts;
            let found = validate_line(&facts);
            assert!(all || !found.is_empty(), "{declaration:?}");
            assert!(found.is_sorted_by_key(|it| it.rank()), "{found:?}");
        }
    }
}
