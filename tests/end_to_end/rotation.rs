//! Keys of pseudonyms come and go, on both set-ups: lines of one patient meet across a rotation, and a declaration
//! that is sent again is still the same one.

use std::{fs, path::Path};

use harness::production::Production;
use jiff::civil::date;
use samenloop::in_process::InProcess;
use samenloop_adapters::{clock::noon, config::Config, pseudonym, scenario::ScenarioSet};
use samenloop_domain::identifiers::PartyId;
use samenloop_proto::declaration::v1 as wire;
use serde_json::json;
use uuid::Uuid;

use crate::sender::{Sender, embedded, on_production};

/// A number of the sample's kind: it passes the elfproef, and is nobody's.
const BSN: &str = "123456782";

/// Who declares wijkverpleging for the declarant of contract CW.
const PARTY: &str = "sample-servicebureau";

/// Wijkverpleging of one patient over some days, under a reference of its own.
pub(crate) fn declaration(number: u32, [first, last]: [&str; 2]) -> (Uuid, Vec<u8>) {
    let id = Uuid::from_u128(0x0b50_0000 + u128::from(number));
    let body = json!({
        "message_id": id.to_string(),
        "schema_version": "1.0",
        "kind": "production",
        "sender_agb": "98000123",
        "declarant_agb": "91910001",
        "declarant_kind": "1",
        "pay_to": "04",
        "insurer_uzovi": "7095",
        "invoice_number": format!("ROTATION-{number}"),
        "invoice_part": 1,
        "invoice_parts": 1,
        "invoice_date": "2024-10-15",
        "sent_on": "2024-10-15",
        "declaration_period": {"first": first, "last": last},
        "currency": "EUR",
        "control": {"line_count": 1, "debit_cents": 60_000, "credit_cents": 0},
        "lines": [{
            "line_number": 1,
            "line_reference": format!("ROTATION-{number}"),
            "direction": "debit",
            "prestatie": {"list": "990", "code": "WVRG1"},
            "contract_id": "CW",
            "period": {"first": first, "last": last},
            "quantity": 10,
            "time_unit": "01",
            "tarief": "60.00",
            "computed_cents": 60_000,
            "declared_cents": 60_000,
            "insured": {"bsn": BSN, "in_care_since": "2024-01-01"},
            "region": "R1",
            "sector_shares": [{"sector": "WV", "basis_points": 10_000}],
        }],
    });
    (id, body.to_string().into_bytes())
}

const JULY: [&str; 2] = ["2024-07-01", "2024-07-31"];
const AUGUST: [&str; 2] = ["2024-08-01", "2024-08-31"];

/// Sends a declaration to a product with these keys, and gives its outcome.
async fn answer(product: &InProcess, number: u32, days: [&str; 2]) -> wire::Outcome {
    let mut sender = Sender::new(product, &PartyId::new(PARTY));
    let (id, body) = declaration(number, days);
    sender.send(id, body).await;
    sender.outcome().await
}

/// As the answer says it: the verdict, and the codes of the line.
fn told(outcome: &wire::Outcome) -> String {
    let line = &outcome.lines[0];
    let codes = line.reasons.iter().map(|it| format!(" {}", it.code));
    format!("{:?}{}", line.verdict(), codes.collect::<String>())
}

/// Starts the product again and again, with other keys in the file each time.
async fn exercise<F: AsyncFn() -> InProcess>(keys: &Path, start: F) {
    let [old, new] = ["k1", "k2"].map(|id| pseudonym::new_key_line(id).trim().to_owned());
    let with = async |day, active: &[&String]| {
        let lines: Vec<&str> = active.iter().map(|line| line.as_str()).collect();
        fs::write(keys, lines.join("\n")).expect("the key file is written");
        let product = start().await;
        // The lease of the relay that ran before must have run out, and a scenario clock moves only when it is set.
        product.node.clock.set(noon(day));
        product
    };
    let product = with(date(2024, 1, 2), &[&old]).await;
    let before = answer(&product, 1, JULY).await;
    assert_eq!(told(&before), "Accept", "{before:?}");
    product.stop().await.expect("it stops");

    // Both are active: a line meets what was known under the old key, and is known under the new one too.
    let product = with(date(2024, 1, 3), &[&old, &new]).await;
    let again = answer(&product, 1, JULY).await;
    assert_eq!(again, before, "sent again, it is the same declaration");
    assert_eq!(told(&answer(&product, 2, JULY).await), "Reject 0587");
    assert_eq!(told(&answer(&product, 3, AUGUST).await), "Accept");
    product.stop().await.expect("it stops");

    // The old key is retired.
    let product = with(date(2024, 1, 4), &[&new]).await;
    assert_eq!(told(&answer(&product, 4, AUGUST).await), "Reject 0587");
    product.stop().await.expect("it stops");
}

fn key_file(config: &mut Config, keys: &Path) {
    config.keys.pseudonyms = keys.display().to_string();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_of_one_patient_meet_across_a_rotation_embedded() {
    let directory = tempfile::tempdir().expect("a directory");
    let keys = directory.path().join("rotated");
    let set: ScenarioSet = harness::scenarios();
    let start = async || embedded(directory.path(), &set, |it| key_file(it, &keys)).await;
    exercise(&keys, start).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_of_one_patient_meet_across_a_rotation_on_rabbitmq_and_postgresql() {
    let set = harness::scenarios();
    let production = Production::new(&set.reference).await;
    let keys = production.directory.path().join("rotated");
    let start = async || on_production(&production, &set, |it| key_file(it, &keys)).await;
    exercise(&keys, start).await;
    production.close().await;
}
