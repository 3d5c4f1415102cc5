//! The monitoring report of scenario 79, as text: the same through the domain alone and through a product.

use std::{fmt::Write as _, fs, path::PathBuf};

use samenloop::in_process::InProcess;
use samenloop_adapters::{config::Config, report};
use samenloop_domain::{
    period::Day,
    reference::Reference,
    report::{Asked, Report, ReportYear, experiment_kinds, signals::Thresholds},
};

/// What scenario 79 asks: the year 2024 of the region of its world.
///
/// # Panics
/// Never: the year is one.
#[must_use]
pub fn asked(reference: &Reference) -> Asked {
    let days = ReportYear::Calendar(2024).days(Day::default());
    Asked {
        kinds: Some(experiment_kinds(reference)),
        region: Some("S79-R1".into()),
        ..Asked::all_in(days.expect("2024 is a year"))
    }
}

/// The thresholds of the defaults.
#[must_use]
pub fn thresholds() -> Thresholds {
    report::thresholds(&Config::default().report)
}

/// Compares the report of scenario 79 of a product that played it with the golden file.
///
/// # Panics
/// Where a store does not answer, or the report differs.
pub async fn check(product: &InProcess, reference: &Reference) {
    let (decisions, settlement) = (&product.node.decisions, &product.settlement);
    let asked = asked(reference);
    let told = report::report(decisions, settlement, reference, asked, &thresholds()).await;
    compare(&told.expect("both stores answer"));
}

/// Compares a report with the golden file of scenario 79, or writes it with `UPDATE_GOLDEN=1`.
///
/// # Panics
/// Where it differs.
pub fn compare(report: &Report) {
    let directory = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/report"));
    let path = directory.join("79-reported.txt");
    let text = text(report);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(&directory).expect("the directory is made");
        fs::write(&path, &text).expect("the golden file is written");
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(golden, text, "the report of scenario 79");
}

/// Every figure that is something, by table and row.
#[must_use]
pub fn text(report: &Report) -> String {
    let days = report.asked.days;
    let mut text = format!("report of {} to {}\n", days.first(), days.last());
    for table in &report.tables {
        let totals = table.total.iter().map(|total| ("total", total));
        let rows = table.rows.iter().map(|row| (&*row.key, &row.values));
        let mut told = String::new();
        for (key, values) in rows.chain(totals) {
            let cells = table.shape.columns.iter().zip(values);
            let cells = cells.filter(|(it, value)| **value != 0 || it.id == "net_cents");
            let cells: Vec<String> = cells
                .map(|(it, value)| format!("{} {value}", it.id))
                .collect();
            // Days pass differently in a scenario's clock and in no clock at all.
            if !cells.is_empty() && table.shape.id != "decision_time" {
                writeln!(told, "  {key}: {}", cells.join(", ")).expect("a String takes it");
            }
        }
        if !told.is_empty() {
            write!(text, "\n{}\n{told}", table.shape.id).expect("a String takes it");
        }
    }
    text
}
