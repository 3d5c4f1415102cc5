//! The monitoring report after all scenarios: scenario 79 as text, every figure traced, and totals that are those of
//! the audit and of the ledger.

use std::collections::{BTreeMap, BTreeSet};

use harness::reports::{asked, compare, thresholds};
use samenloop::{audit, in_process::InProcess};
use samenloop_adapters::report::{self, format, say::Language};
use samenloop_domain::{
    period::{Day, Period},
    reference::Reference,
    report::{
        Amount, Asked, Contribution, Figure, Report, Source,
        shape::{Sum, Topic, Unit},
    },
};

#[test]
fn scenario_79_through_the_domain_gives_its_golden_report() {
    let set = harness::scenarios();
    let asked = asked(&set.reference.reference);
    compare(&harness::domain_path::report(&set, asked, &thresholds()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenario_79_alone_gives_its_golden_report() {
    let mut set = harness::scenarios();
    set.scenarios.retain(|it| it.number == "79");
    let directory = tempfile::tempdir().unwrap();
    let config = samenloop::in_process::embedded_in(directory.path());
    let product = InProcess::start(config, &set.reference, None)
        .await
        .unwrap();
    harness::product_path::run(&product, &set).await;
    harness::reports::check(&product, &set.reference.reference).await;
    product.stop().await.unwrap();
}

/// Everything that was ever declared, of all kinds.
fn everything() -> Asked {
    let always = Period::new(Day::MIN, Day::MAX);
    Asked::all_in(always.expect("it ends after it begins"))
}

/// What a figure is made of when its contributions are listed.
#[derive(Default)]
struct Traced {
    sum: i64,
    names: BTreeSet<Box<str>>,
    most: i64,
    sources: usize,
}

pub(crate) async fn check_figures(product: &InProcess, reference: &Reference) {
    let asked = everything();
    let (decisions, settlement) = (&product.node.decisions, &product.settlement);
    let told = report::report(
        decisions,
        settlement,
        reference,
        asked.clone(),
        &thresholds(),
    )
    .await;
    let told = told.expect("both stores answer");
    let mut traced: BTreeMap<Figure, Traced> = BTreeMap::new();
    let mut sink = |_: &Source, contribution: Contribution| {
        let found = traced.entry(contribution.figure).or_default();
        found.sources += 1;
        match contribution.amount {
            Amount::Add(value) => found.sum += value,
            Amount::Most(value) => found.most = found.most.max(value),
            Amount::Name(name) => drop(found.names.insert(name)),
        }
    };
    let gathered = report::gather(decisions, settlement, reference, &asked, &mut sink).await;
    gathered.expect("both stores answer");
    every_figure_is_its_trace(&told, &traced);
    let audit = audit::audit(decisions).await.expect("the log is read");
    let total = |table: &str, column: &str| {
        let table = told.table(table).expect("it is there");
        table.total_of(column).expect("it has totals")
    };
    for table in [
        "pairs",
        "pairs_by_insurer",
        "pairs_by_region",
        "pairs_by_basis",
        "pairs_by_rule",
    ] {
        assert_eq!(
            total(table, "prevented_cents"),
            audit.prevented_cents,
            "{table}"
        );
        assert_eq!(total(table, "resent_cents"), audit.resent_cents, "{table}");
    }
    assert_eq!(total("uses", "net_cents"), audit.awarded_cents);
    let balances = settlement.balances().await.expect("it answers");
    let costs = balances.iter().filter(|it| it.account.contains(":cost:"));
    let costs: i64 = costs.map(|it| it.cents).sum();
    for table in ["sectors", "insurers", "regions", "months", "kinds"] {
        assert_eq!(total(table, "net_cents"), costs, "{table}");
    }
    let burden = told.table("burden").expect("it is there");
    assert_eq!(
        burden.figure("all", "messages"),
        Some(audit.messages.cast_signed())
    );
    written(&told);
}

fn every_figure_is_its_trace(told: &Report, traced: &BTreeMap<Figure, Traced>) {
    let mut figures = 0;
    for table in told.tables.iter().filter(|it| it.shape.id != "signals") {
        for row in &table.rows {
            for (column, value) in table.shape.columns.iter().zip(&row.values) {
                let figure = Figure {
                    table: table.shape.id,
                    row: row.key.clone(),
                    column: column.id,
                };
                let of = |figure: &Figure| traced.get(figure).map_or(0, |it| it.sum);
                let found = traced.get(&figure);
                let again = match column.sum {
                    Sum::Added => of(&figure),
                    Sum::Names => found.map_or(0, |it| it.names.len().try_into().expect("few")),
                    Sum::Most => found.map_or(0, |it| it.most),
                    Sum::Of(_) => figure.made_of().iter().map(of).sum(),
                    Sum::Ratio { .. } => continue,
                };
                assert_eq!(*value, again, "{figure}");
                let counts = column.unit == Unit::Number && column.sum == Sum::Added;
                if counts {
                    let sources = found.map_or(0, |it| it.sources);
                    assert_eq!(
                        usize::try_from(*value).expect("a number"),
                        sources,
                        "{figure}"
                    );
                }
                figures += 1;
            }
        }
    }
    assert!(figures > 300, "{figures} figures were traced");
}

/// Each form has every figure, and the page stands on its own.
fn written(told: &Report) {
    let csv = format::csv(told);
    let cells: usize = told
        .tables
        .iter()
        .map(|it| it.rows.len() * it.shape.columns.len())
        .sum();
    assert_eq!(csv.lines().count(), cells + 1);
    assert!(csv.lines().skip(1).all(|line| {
        let name = line.split(',').next().unwrap_or_default();
        Figure::parse(name).is_some()
    }));
    let json = format::json(told);
    assert_eq!(
        json["tables"].as_array().map(Vec::len),
        Some(told.tables.len())
    );
    for language in [Language::English, Language::Dutch] {
        let page = format::html(told, language);
        assert!(page.contains("<svg") && !page.contains("<script"));
        for secret in ["5353", "0105", "-C1"] {
            assert!(
                !page.contains(secret),
                "no provider and no contract is on the page: {secret}"
            );
        }
    }
    let topic = told.clone().of_topic(Topic::V);
    assert!(topic.table("pairs").is_some() && topic.table("uses").is_none());
}
