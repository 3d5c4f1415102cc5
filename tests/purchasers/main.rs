//! What purchasers and providers ask beforehand, of a product that has decided every scenario: over HTTP, over gRPC
//! and by the command line. No answer writes anything or tells whose a rival is.

mod cli;
mod funding;

use std::{path::Path, time::Duration};

use samenloop::in_process::{self, InProcess};
use samenloop_adapters::{
    clock::noon,
    scenario::{self, Action, Delivery, ScenarioSet},
    wire::digest,
};
use serde_json::{Value, json};

const TOKEN: &str = "the token of the zorggroep";
const PARTY: &str = "sample-zorggroep";

/// The sample, in which a party may use the gateway.
fn sample() -> ScenarioSet {
    let set = scenario::load_with(&harness::sample(), |data| {
        let hash = digest::hex(&digest::fingerprint(TOKEN.as_bytes()));
        let party = data.parties.iter_mut().find(|it| it.value.id == PARTY);
        let party = party.expect("the sample has it");
        party.value.gateway_credential_sha256 = Some(hash);
    });
    set.expect("the sample is good")
}

/// A product in a directory that has decided every scenario; it is the middle of October 2024.
async fn decided(directory: &Path, set: &ScenarioSet) -> InProcess {
    let config = in_process::embedded_in(directory);
    let product = InProcess::start(config, &set.reference, None).await;
    let product = product.expect("it starts");
    harness::product_path::run(&product, set).await;
    let october = noon(jiff::civil::date(2024, 10, 15));
    product.node.clock.set(october);
    product
}

/// A declaration of a scenario: its last, or that of the step named.
fn delivery<'a>(set: &'a ScenarioSet, number: &str, step: Option<usize>) -> &'a Delivery {
    let scenario = set.scenarios.iter().find(|it| it.number == number);
    let steps = scenario.expect("the sample has it").steps.iter();
    let mut deliveries = steps.filter_map(|step| match &step.action {
        Action::Declare(delivery) => Some(delivery),
        Action::ImportExisting(_) | Action::Decide(_) => None,
    });
    let found = match step {
        Some(step) => deliveries.nth(step),
        None => deliveries.next_back(),
    };
    found.expect("it declares something")
}

/// A declaration of a scenario once more, under another id, invoice number and references.
fn once_more(delivery: &Delivery) -> Value {
    let mut message: Value = serde_json::from_slice(&delivery.body).expect("a declaration");
    message["message_id"] = json!("0b0f6f5e-3333-4000-8000-000000000003");
    message["invoice_number"] = json!("ONCE-MORE");
    for line in message["lines"].as_array_mut().expect("lines") {
        let number = line["line_number"].clone();
        line["line_reference"] = json!(format!("ONCE-MORE-{number}"));
    }
    message
}

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);
