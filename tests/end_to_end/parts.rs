//! Parts of an invoice that overtake each other, on both set-ups: a part waits for the one before it, and no longer
//! than it may.

use std::time::Duration;

use harness::production::Production;
use samenloop::in_process::InProcess;
use samenloop_adapters::{clock::noon, config::Config, scenario::ScenarioSet};
use samenloop_proto::declaration::v1 as wire;
use serde_json::json;
use uuid::Uuid;

use crate::sender::{Sender, codes, embedded, first, on_production, wait_until, with_id};

const WAIT_SECONDS: u32 = 600;

fn patient(config: &mut Config) {
    config.limits.original_wait_seconds = WAIT_SECONDS;
}

async fn exercise(product: &InProcess, set: &ScenarioSet) {
    let delivery = first(set);
    let mut sender = Sender::new(product, &delivery.party);
    let part = |invoice: &str, part: u32, quarter: [&str; 2]| {
        let id = Uuid::from_u128(0x9a_0000 + 16 * invoice.len() as u128 + u128::from(part));
        let body = with_id(&delivery.body, id, |value| {
            value["invoice_number"] = json!(invoice);
            value["invoice_part"] = json!(part);
            value["invoice_parts"] = json!(2);
            let [first, last] = quarter;
            value["lines"][0]["line_reference"] = json!(format!("{invoice}-{part}"));
            value["lines"][0]["period"] = json!({"first": first, "last": last});
        });
        (id, body)
    };
    let (first_id, first_part) = part("PARTS", 1, ["2024-07-01", "2024-09-30"]);
    let (second_id, second_part) = part("PARTS", 2, ["2024-10-01", "2024-10-15"]);
    sender.send(second_id, second_part).await;
    wait_until(product, |figures| figures.waiting == 1).await;
    sender.send(first_id, first_part).await;
    let (one, two) = (sender.outcome().await, sender.outcome().await);
    let accepted = wire::Status::Accepted;
    assert_eq!(
        (one.status(), two.status()),
        (accepted, accepted),
        "{two:?}"
    );
    assert_eq!(
        one.message_id,
        first_id.to_string(),
        "the first part goes first"
    );
    assert!(one.sequence < two.sequence);

    let (lost_id, lost) = part("LOST", 2, ["2024-10-01", "2024-10-15"]);
    sender.send(lost_id, lost).await;
    wait_until(product, |figures| figures.waiting == 1).await;
    let received = noon(jiff::civil::date(2024, 10, 15));
    product
        .node
        .clock
        .set(received + Duration::from_secs(WAIT_SECONDS.into()));
    let refused = sender.outcome().await;
    assert_eq!(refused.status(), wire::Status::Rejected);
    assert_eq!(codes(&refused.reasons), ["8003"], "{refused:?}");
    wait_until(product, |figures| figures.waiting == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn part_waits_for_the_one_before_embedded() {
    let directory = tempfile::tempdir().expect("a directory");
    let set = harness::scenarios();
    let product = embedded(directory.path(), &set, patient).await;
    exercise(&product, &set).await;
    product.stop().await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn part_waits_for_the_one_before_on_rabbitmq_and_postgresql() {
    let set = harness::scenarios();
    let production = Production::new(&set.reference).await;
    let product = on_production(&production, &set, patient).await;
    exercise(&product, &set).await;
    product.stop().await.expect("it stops");
    production.close().await;
}
