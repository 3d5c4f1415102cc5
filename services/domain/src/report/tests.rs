//! Figures come from contributions alone, and every contribution goes to a figure that the report shows.

use super::{lines::*, money::*, shape::Unit, *};
use crate::{
    cents::Cents,
    decision::Verdict,
    declaration::Direction,
    fixtures::{cents, uzovi},
    rejection::ReasonCode,
};

const THRESHOLDS: Thresholds = Thresholds {
    held_basis_points: 2_000,
    refused_basis_points: 3_000,
    prevented_basis_points: 2_500,
    days_to_decision: 30,
    messages_per_hundred_lines: 200,
    budget_basis_points: 10_000,
};

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn year() -> Asked {
    let days = ReportYear::Calendar(2024).days(day("2024-05-01"));
    Asked::all_in(days.expect("a year"))
}

fn hit(level: HitLevel) -> PairHit {
    PairHit {
        rule: "bdss-oeni".into(),
        basis: "regulation".into(),
        rival_kind: "OENI".into(),
        level,
    }
}

fn accepted() -> ReportedLine {
    ReportedLine {
        kind: "BDSS".into(),
        insurer: "7095".into(),
        region: "R1".into(),
        contract: Some("C1".into()),
        first_day: day("2024-07-01"),
        direction: Direction::Debit,
        declared: cents(2_800_000),
        awarded: cents(2_800_000),
        first_verdict: Verdict::Accept,
        verdict: Verdict::Accept,
        first_reasons: Vec::new(),
        reasons: Vec::new(),
        held_by: None,
        stopped_by: None,
        asks: Asks::First,
        days_to_decision: 0,
    }
}

fn refused(level: HitLevel, asks: Asks) -> ReportedLine {
    ReportedLine {
        awarded: Cents::ZERO,
        first_verdict: Verdict::Reject,
        verdict: Verdict::Reject,
        reasons: vec![ReasonCode::known("0634"), ReasonCode::known("0634")],
        stopped_by: Some(hit(level)),
        asks,
        ..accepted()
    }
}

fn charged(kind: &str, amount: i64) -> ChargedClaim {
    ChargedClaim {
        insurer: uzovi("7095"),
        kind: kind.into(),
        contract: Some("C1".into()),
        region: Some("R1".into()),
        first_day: day("2024-07-01"),
        charges: ["WV", "HA"]
            .map(|sector| Charge {
                sector: sector.into(),
                cents: cents(amount / 2),
            })
            .to_vec(),
    }
}

fn report(asked: Asked, tell: impl Fn(&Asked, &mut Emit<'_>)) -> Report {
    let mut tally = Tally::default();
    tell(&asked, &mut Emit::new(&mut |it| tally.add(it)));
    tally.report(asked, &THRESHOLDS)
}

#[test]
fn years_begin_in_january_or_when_the_experiment_began() {
    let first = day("2024-05-01");
    for (year, days) in [
        (ReportYear::Calendar(2024), Some("2024-01-01..2024-12-31")),
        (ReportYear::Experiment(1), Some("2024-05-01..2025-04-30")),
        (ReportYear::Experiment(5), Some("2028-05-01..2029-04-30")),
        (ReportYear::Experiment(0), None),
    ] {
        let told = year.days(first).map(|days| format!("{days:?}"));
        assert_eq!(told.as_deref(), days, "{year:?}");
    }
}

#[test]
fn a_credit_stands_beside_what_it_reverses() {
    let credit = ReportedLine {
        direction: Direction::Credit,
        awarded: cents(-2_800_000),
        ..accepted()
    };
    let report = report(year(), |asked, emit| {
        line(&accepted(), asked, emit);
        line(&credit, asked, emit);
        claim(&charged("BDSS", 2_800_000), asked, emit);
        claim(&charged("BDSS", -2_800_000), asked, emit);
    });
    let uses = report.table("uses").expect("it is there");
    for (column, value) in [
        ("contracts", 1),
        ("lines", 1),
        ("credited_lines", 1),
        ("awarded_cents", 2_800_000),
        ("credited_cents", -2_800_000),
        ("net_cents", 0),
    ] {
        assert_eq!(uses.figure("BDSS", column), Some(value), "{column}");
    }
    let sectors = report.table("sectors").expect("it is there");
    assert_eq!(sectors.figure("WV", "gross_cents"), Some(1_400_000));
    assert_eq!(sectors.figure("HA", "net_cents"), Some(0));
    assert_eq!(sectors.total_of("gross_cents"), Some(2_800_000));
}

#[test]
fn what_is_asked_again_is_prevented_once_and_one_contract_stands_apart() {
    let report = report(year(), |asked, emit| {
        line(&refused(HitLevel::Other, Asks::First), asked, emit);
        line(&refused(HitLevel::Other, Asks::Again), asked, emit);
        line(&refused(HitLevel::OneContract, Asks::First), asked, emit);
    });
    let pairs = report.table("pairs").expect("it is there");
    for (column, value) in [
        ("excluded_lines", 2),
        ("prevented_cents", 2_800_000),
        ("resent_lines", 1),
        ("resent_cents", 2_800_000),
    ] {
        assert_eq!(pairs.figure("BDSS + OENI", column), Some(value), "{column}");
    }
    let bottlenecks = report.table("bottlenecks").expect("it is there");
    assert_eq!(bottlenecks.figure("0634", "refused_lines"), Some(3));
    assert_eq!(bottlenecks.total, None);
}

#[test]
fn other_kinds_days_and_places_are_left_out_but_for_their_pairs() {
    let kinds = |kind: &str| Some(BTreeSet::from([KindCode::new(kind)]));
    let of = |asked: Asked| {
        report(asked, |asked, emit| {
            line(&accepted(), asked, emit);
            line(&refused(HitLevel::Other, Asks::First), asked, emit);
        })
    };
    let lines = |report: &Report, table: &str, column: &str| {
        let table = report.table(table).expect("it is there");
        table.total_of(column)
    };
    let oeni = of(Asked {
        kinds: kinds("OENI"),
        ..year()
    });
    assert_eq!(lines(&oeni, "uses", "lines"), Some(0));
    assert_eq!(
        lines(&oeni, "pairs", "excluded_lines"),
        Some(1),
        "its rival is asked"
    );
    let elsewhere = of(Asked {
        region: Some("R2".into()),
        ..year()
    });
    assert_eq!(lines(&elsewhere, "pairs", "excluded_lines"), Some(0));
    let later = of(Asked::all_in(
        ReportYear::Calendar(2025)
            .days(day("2024-05-01"))
            .expect("a year"),
    ));
    assert_eq!(lines(&later, "uses", "lines"), Some(0));
}

#[test]
fn a_held_line_is_counted_by_what_became_of_it() {
    let held = |verdict: Verdict, awarded: i64| ReportedLine {
        awarded: cents(awarded),
        first_verdict: Verdict::Review,
        verdict,
        first_reasons: vec![ReasonCode::known("GDC-DF-FLAG")],
        held_by: Some(hit(HitLevel::Other)),
        ..accepted()
    };
    let report = report(year(), |asked, emit| {
        line(&held(Verdict::Accept, 2_800_000), asked, emit);
        line(&held(Verdict::Review, 0), asked, emit);
        decided_by_person(&held(Verdict::Accept, 2_800_000), 40, asked, emit);
    });
    let reviews = report.table("reviews").expect("it is there");
    assert_eq!(reviews.figure("accepted", "lines"), Some(1));
    assert_eq!(reviews.figure("open", "lines"), Some(1));
    let times = report.table("decision_time").expect("it is there");
    assert_eq!(times.figure("quarter", "by_person"), Some(1));
    assert_eq!(times.total_of("longest_days"), Some(40));
    let signals = report.table("signals").expect("it is there");
    assert_eq!(signals.figure("held", "measured"), Some(10_000));
    assert_eq!(signals.figure("held", "reached"), Some(1));
    assert_eq!(signals.figure("days_to_decision", "reached"), Some(1));
    assert_eq!(signals.figure("refused", "reached"), Some(0));
}

#[test]
fn entries_are_charged_beside_claims() {
    let correction = ChargedEntry {
        insurer: uzovi("7095"),
        contract: None,
        day: day("2024-12-31"),
        charges: charged("BDSS", -100).charges,
    };
    let report = report(year(), |asked, emit| {
        claim(&charged("BDSS", 1_000), asked, emit);
        entry(&correction, asked, EntryOf::KindsAsked, emit);
        entry(&correction, asked, EntryOf::Others, emit);
    });
    let sectors = report.table("sectors").expect("it is there");
    assert_eq!(sectors.total_of("entry_cents"), Some(-100));
    assert_eq!(sectors.total_of("net_cents"), Some(900));
    let kinds = report.table("kinds").expect("it is there");
    assert_eq!(kinds.total_of("net_cents"), Some(1_000));
}

/// A figure can be traced only if it is made of columns of its own table, and no contribution goes unseen.
#[test]
fn every_column_is_made_of_contributions() {
    let mut ids = BTreeSet::new();
    for table in TABLES {
        assert!(ids.insert(table.id), "{} is there twice", table.id);
        for column in table.columns {
            let name = format!("{}/a/b/{}", table.id, column.id);
            let figure = Figure::parse(&name).expect("it is a figure");
            assert_eq!(figure.to_string(), name);
            for part in figure.made_of() {
                let mut own = table.columns.iter();
                let found = own.find(|it| it.id == part.column);
                let is_simple =
                    found.is_some_and(|it| !matches!(it.sum, Sum::Of(_) | Sum::Ratio { .. }));
                assert!(is_simple, "{name} is made of {part}");
            }
        }
        let charted = table.chart.is_none_or(|id| {
            let mut own = table.columns.iter();
            own.any(|it| it.id == id && it.unit != Unit::YesNo)
        });
        assert!(charted, "the chart of {} shows a column", table.id);
    }
    let every = [
        accepted(),
        refused(HitLevel::Other, Asks::First),
        refused(HitLevel::OneContract, Asks::First),
    ];
    let mut shown = 0;
    let mut check = |contribution: Contribution| {
        let name = contribution.figure.to_string();
        assert_eq!(Figure::parse(&name), Some(contribution.figure), "{name}");
        shown += 1;
    };
    let mut emit = Emit::new(&mut check);
    for it in &every {
        line(it, &year(), &mut emit);
        decided_by_person(it, 1, &year(), &mut emit);
    }
    claim(&charged("BDSS", 10), &year(), &mut emit);
    message(&ReportedMessage::default(), &mut emit);
    assert!(shown > 40, "{shown} contributions");
}
