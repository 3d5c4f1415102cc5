//! Existing prestaties that come after what was awarded beside them: a person is told, and nothing else changes.

use samenloop::{funding_audit, in_process::InProcess};
use samenloop_adapters::{
    config::OnCredit,
    decision_store::{CaseKind, ImportedRow, ListFilter, ReviewCase},
    existing::{self, COLUMNS},
    scenario::{Action, ScenarioSet},
};
use samenloop_detection::existing::{Chunk, Imported};
use samenloop_domain::{coverage::CoverageId, identifiers::Sequence};
use samenloop_proto::record::v1::{self as record, command::Action as Asked};
use serde_json::Value;

use crate::{asked, carry_out, check_log, codes, declared, play};

/// O&I for the cooperation of the first line that a scenario declares, as a row of a file.
fn row_beside(set: &ScenarioSet, number: &str, reference: &str) -> String {
    let scenario = set.scenarios.iter().find(|it| it.number == number);
    let step = &scenario.expect("the sample has it").steps[0];
    let Action::Declare(delivery) = &step.action else {
        panic!("{number} declares")
    };
    let message: Value = serde_json::from_slice(&delivery.body).expect("a declaration");
    let line = &message["lines"][0];
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let cells = COLUMNS.map(|column| match column {
        "line_reference" => reference.to_owned(),
        "prestatie_list" => "990".to_owned(),
        "prestatie_code" => "OENI1".to_owned(),
        "declarant_agb" => "01056789".to_owned(),
        "insurer_uzovi" => text(&message["insurer_uzovi"]),
        "first" => text(&line["period"]["first"]),
        "last" => text(&line["period"]["last"]),
        "patient_group_id" => text(&line["patient_group_id"]),
        "participants" => text(&message["declarant_agb"]),
        "activities" => text(&line["activities"][0]),
        "awarded_cents" => "450000".to_owned(),
        _ => String::new(),
    });
    cells.join(",")
}

/// Imports rows as one chunk of a file.
async fn import(
    product: &InProcess,
    set: &ScenarioSet,
    file: u8,
    (first_row, rows): (u64, &[String]),
) -> Imported {
    let csv = format!("{}\n{}\n", COLUMNS.join(","), rows.join("\n"));
    let keys = &product.node.keys;
    let pseudonyms = |bsn: &samenloop_domain::identifiers::Bsn| keys.pseudonyms(bsn);
    let read = existing::read(csv.as_bytes(), &set.reference.reference, &pseudonyms);
    let rows: Vec<ImportedRow> = read
        .map(|row| {
            let row = row.expect("the row is good");
            ImportedRow {
                row: first_row + row.row - 1,
                coverage: row.coverage,
                awarded: row.awarded,
            }
        })
        .collect();
    let chunk = Chunk {
        source: "old.csv".to_owned(),
        file_digest: [file; 32],
        first_row,
        last_row: first_row + rows.len() as u64 - 1,
        rows,
    };
    let (store, feed) = (&product.node.decisions, &product.node.reference);
    let now = product.node.clock.now();
    let imported = samenloop_detection::existing::import(store, feed, chunk, now).await;
    imported.expect("it is imported")
}

async fn pairs(product: &InProcess) -> Vec<ReviewCase> {
    let filter = ListFilter::default();
    let cases = product.node.decisions.cases(&filter, 0, 1_000).await;
    let mut cases = cases.expect("the store answers");
    cases.retain(|it| it.case.kind == CaseKind::ImportPair);
    cases
}

fn others(cases: &[ReviewCase]) -> Vec<CoverageId> {
    cases.iter().map(|it| it.case.other).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_meet_awarded_lines_are_listed_chunk_by_chunk_until_one_of_the_two_goes() {
    let directory = tempfile::tempdir().expect("a directory");
    let (product, set) = play(OnCredit::List, &directory).await;
    let store = &product.node.decisions;
    assert_eq!(pairs(&product).await, [], "what was imported first refuses");
    let audited = funding_audit::audit(store, |_| ()).await.expect("audited");
    let of_scenarios = audited.imported.count;

    let awarded = CoverageId::of_line(declared(&product, &set, "1", 0).await.sequence, 1);
    let refused = row_beside(&set, "2", "OUD-2");
    let rows = [row_beside(&set, "1", "OUD-1"), refused];
    let first = import(&product, &set, 1, (1, &rows)).await;
    let second = import(&product, &set, 1, (3, &rows[..1])).await;
    for (imported, rows) in [(first, 2), (second, 1)] {
        let told = (imported.rows, imported.pairs, imported.listed);
        assert_eq!(told, (rows, 1, 1), "a refused line is no pair");
    }
    let again = import(&product, &set, 1, (3, &rows[..1])).await;
    assert_eq!((again.known, again.pairs), (1, 0), "known rows pair once");

    let at = |imported: Imported, line| CoverageId {
        sequence: imported.sequence.expect("an entry"),
        line,
    };
    let listed = pairs(&product).await;
    assert_eq!(others(&listed), [at(first, 1), at(second, 3)]);
    for pair in &listed {
        let case = &pair.case;
        assert_eq!(
            (case.line, case.rules.as_slice()),
            (awarded, &["bdss-oeni-full".to_owned()][..])
        );
        assert_eq!(
            Some(case.cause),
            [first, second].map(|it| it.sequence)[usize::from(case.other.line == 3)]
        );
    }
    let audited = funding_audit::audit(store, |_| ()).await.expect("audited");
    assert_eq!(audited.imported.count, of_scenarios + 2, "{audited:?}");
    assert!(audited.is_clear(), "they are outside of what must never be");

    let Sequence(sequence) = first.sequence.expect("an entry");
    let withdraw = asked(Asked::WithdrawImport(record::WithdrawImport { sequence }));
    assert_eq!(codes(&carry_out(&product, &withdraw).await), [""; 0]);
    let listed = pairs(&product).await;
    assert_eq!(others(&listed), [at(second, 3)], "its row is gone");

    let case_id = listed[0].id;
    let dismiss = asked(Asked::DismissCase(record::DismissCase { case_id }));
    let dismissed = carry_out(&product, &dismiss).await;
    let entry = store.log_entry(Sequence(dismissed.sequence)).await;
    let entry = entry.expect("the store answers").expect("it is an entry");
    assert_eq!(entry.kind, "case_dismissed");
    assert_eq!(pairs(&product).await, []);
    let again = asked(Asked::DismissCase(record::DismissCase { case_id }));
    assert_eq!(codes(&carry_out(&product, &again).await), ["GDC-OPDRACHT"]);
    check_log(&product).await;
    product.stop().await.expect("it stops");
}
