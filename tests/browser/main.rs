//! The site in a real browser: every scenario runs through the embedded product, deliveries are set aside, and headless
//! Chromium does what PAGES.md says.

#[path = "../pages/sample.rs"]
mod sample;

use std::{path::Path, process::Stdio};

use samenloop::{
    commands::role::open_to,
    in_process::{self, InProcess},
};
use samenloop_adapters::{
    broker::{Message, Published, Queue},
    clock::noon,
};
use samenloop_operator::person::Person;
use serde_json::json;
use tokio::process::Command;

/// A valid BSN that stands in a body which is no declaration.
const BSN: &str = "111222333";

/// Bodies without a readable id, as the sample's provider would send them.
async fn send_what_is_no_declaration(product: &InProcess, user: &str) {
    let bodies = (1..=30).map(|number| {
        let kind = if number <= 12 { "replayed" } else { "parked" };
        let body = format!(r#"{{"insured": {{"bsn": "{BSN}"}}, "number": {number}}}"#);
        let message = Message {
            message_id: format!("{kind}-{number}"),
            content_type: "application/json".to_owned(),
            user: Some(user.to_owned()),
            body: body.into(),
            ..Message::default()
        };
        (Queue::Declarations, message)
    });
    let published = product.node.broker.publish(bodies.collect()).await;
    let published = published.expect("the broker answers");
    assert!(published.iter().all(|it| *it == Published::Confirmed));
    let store = &product.node.decisions;
    while store
        .quarantined(30)
        .await
        .expect("the store answers")
        .len()
        < 30
    {
        tokio::task::yield_now().await;
    }
}

fn variable(name: &str) -> String {
    let hint = "`tests/run full browser` sets it; tests/browser/PAGES.md says what is done";
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: {hint}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_can_do_in_a_browser_what_they_came_for() {
    let (modules, chromium) = (variable("TEST_BROWSER_MODULES"), variable("TEST_CHROMIUM"));
    let set = harness::scenarios();
    let directory = tempfile::tempdir().expect("a directory");
    let config = in_process::embedded_in(directory.path());
    let product = InProcess::start(config, &set.reference, None).await;
    let mut product = product.expect("it starts");
    harness::product_path::run(&product, &set).await;
    product
        .node
        .clock
        .set(noon(jiff::civil::date(2024, 10, 15)));
    let party = set
        .reference
        .reference
        .parties
        .values()
        .find_map(|party| party.amqp_user.clone());
    send_what_is_no_declaration(&product, &party.expect("the sample has a user")).await;
    let (node, roles, shutdown) = (&product.node, &mut product.roles, &product.shutdown);
    let store = product.settlement.clone();
    let persons = "A. de Vries = operator second_person auditor; B. Bakker = second_person";
    let persons = Person::parse_all(persons).expect("they are persons");
    let links = open_to(node, persons, store, roles, shutdown).await;
    let links = links.expect("it starts");

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("../target"), Into::into);
    let facts = json!({
        "accepted": sample::delivery(&set, "1").message_id.to_string(),
        "excluded": sample::delivery(&set, "34").message_id.to_string(),
        "bsn": BSN,
        "second": links[1],
    });
    let run = Command::new("node")
        .arg(root.join("browser/run.mjs"))
        .args([
            links[0].as_str(),
            &target.join("pages").to_string_lossy(),
            &facts.to_string(),
        ])
        .env("TEST_BROWSER_MODULES", modules)
        .env("TEST_CHROMIUM", chromium)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let run = run.await.expect("node runs");
    let (said, wrong) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    assert!(run.status.success(), "{said}\n{wrong}");
    product.stop().await.expect("it stops");
}
