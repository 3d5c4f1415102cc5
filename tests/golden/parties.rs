//! No answer to anybody, and no stream of an insurer, holds what belongs to others: their codes, references, contracts.

use std::collections::{BTreeMap, BTreeSet};

use samenloop::{
    in_process::{self, InProcess},
    mailbox::Mailbox,
    scenarios,
};
use samenloop_adapters::scenario::{Action, ScenarioSet};
use samenloop_proto::settlement::v1::subscribe_response::Response;
use serde_json::Value;
use uuid::Uuid;

/// Fewest answers that are looked at, so that the test cannot become empty.
const ANSWERS_MIN: usize = 90;

/// All words of letters, digits and hyphens in all texts of a JSON value.
fn words(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let words = text.split(|it: char| !it.is_alphanumeric() && it != '-');
            into.extend(words.filter(|it| !it.is_empty()).map(str::to_owned));
        }
        Value::Array(values) => values.iter().for_each(|value| words(value, into)),
        Value::Object(fields) => fields.values().for_each(|value| words(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Everything by which parties, contracts and lines are known in all worlds.
fn identifiers(set: &ScenarioSet) -> BTreeSet<String> {
    let reference = &set.reference.reference;
    let mut known: BTreeSet<String> = BTreeSet::new();
    known.extend(reference.providers.keys().map(ToString::to_string));
    known.extend(reference.insurers.keys().map(ToString::to_string));
    known.extend(reference.contracts.keys().map(ToString::to_string));
    known.extend(reference.parties.keys().map(ToString::to_string));
    for step in set.scenarios.iter().flat_map(|scenario| &scenario.steps) {
        match &step.action {
            Action::Declare(delivery) => {
                let body: Value = serde_json::from_slice(&delivery.body).expect("it is JSON");
                words(&body["invoice_number"], &mut known);
                words(&body["message_id"], &mut known);
                for line in body["lines"].as_array().into_iter().flatten() {
                    words(&line["line_reference"], &mut known);
                    words(&line["insured"]["bsn"], &mut known);
                }
            }
            Action::ImportExisting(import) => {
                let rows = String::from_utf8(import.csv.clone()).expect("it is text");
                let references = rows.lines().skip(1).filter_map(|row| row.split(',').next());
                known.extend(references.map(str::to_owned));
            }
            Action::Decide(_) => {}
        }
    }
    known
}

/// Who takes part in the contracts under which this provider declares: it signed them.
fn of_contracts(set: &ScenarioSet, declarant: &Value) -> BTreeSet<String> {
    let contracts = set.reference.reference.contracts.iter();
    let own = contracts.filter(|(_, contract)| {
        let mut declarants = contract.declarants.iter();
        declarants.any(|agb| declarant.as_str() == Some(agb.as_str()))
    });
    let mut known = BTreeSet::new();
    for (id, contract) in own {
        known.insert(id.to_string());
        let providers = contract.declarants.iter().chain(&contract.participants);
        known.extend(providers.map(ToString::to_string));
        known.extend(
            contract
                .insurers
                .iter()
                .map(|bound| bound.uzovi.to_string()),
        );
    }
    known
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_outcome_holds_an_identifier_of_another_party() {
    let directory = tempfile::tempdir().unwrap();
    let set = harness::scenarios();
    let config = in_process::embedded_in(directory.path());
    let product = InProcess::start(config, &set.reference, None)
        .await
        .unwrap();
    let mut mailbox = Mailbox::open(&product.brokers);
    let stage = product.stage(&set.reference);
    let results = scenarios::run(&stage, &set, &mut mailbox, |_| {})
        .await
        .unwrap();
    let known = identifiers(&set);
    let mut answers = 0;
    for (scenario, result) in set.scenarios.iter().zip(&results) {
        let deliveries = scenario.steps.iter().filter_map(|step| match &step.action {
            Action::Declare(delivery) => Some(delivery),
            Action::ImportExisting(_) | Action::Decide(_) => None,
        });
        let bodies: BTreeMap<Uuid, Value> = deliveries
            .map(|delivery| {
                let body = serde_json::from_slice(&delivery.body).expect("it is JSON");
                (delivery.message_id, body)
            })
            .collect();
        // The answer to what a person decides goes to who sent the message.
        let answered = scenario.steps.iter().filter_map(|step| match &step.action {
            Action::Declare(delivery) => Some(delivery.message_id),
            Action::Decide(decision) => Some(decision.message_id),
            Action::ImportExisting(_) => None,
        });
        let sent: Vec<&Value> = answered.map(|id| &bodies[&id]).collect();
        for (body, outcomes) in sent.iter().zip(&result.outcomes) {
            // A declarant may be shown what it sent itself, in this message or another.
            let mut own = BTreeSet::new();
            let theirs = sent
                .iter()
                .filter(|it| it["declarant_agb"] == body["declarant_agb"]);
            theirs.for_each(|body| words(body, &mut own));
            own.extend(of_contracts(&set, &body["declarant_agb"]));
            for outcome in outcomes {
                let shown = serde_json::to_value(outcome).expect("an outcome is JSON");
                let mut said = BTreeSet::new();
                words(&shown, &mut said);
                let foreign: Vec<&String> = (said.intersection(&known))
                    .filter(|word| !own.contains(*word))
                    .collect();
                assert!(
                    foreign.is_empty(),
                    "scenario {}: {foreign:?} in {shown}",
                    scenario.number
                );
                answers += 1;
            }
        }
    }
    assert!(answers > ANSWERS_MIN, "{answers}");
    streams_hold_what_their_insurer_buys(&product, &set, &known).await;
    product.stop().await.unwrap();
}

/// What an insurer may know: what was declared to it, and the contracts that bind it with all who take part.
fn of_insurer(set: &ScenarioSet, insurer: &str) -> BTreeSet<String> {
    let contracts = set.reference.reference.contracts.iter();
    let binding = contracts.filter(|(_, contract)| {
        let mut bound = contract.insurers.iter();
        bound.any(|it| it.uzovi.as_str() == insurer)
    });
    let mut known = BTreeSet::from([insurer.to_owned()]);
    let mut contracts = BTreeSet::new();
    for (id, contract) in binding {
        contracts.insert(id.to_string());
        let providers = contract.declarants.iter().chain(&contract.participants);
        known.extend(providers.map(ToString::to_string));
        let bound = contract.insurers.iter().map(|it| it.uzovi.to_string());
        known.extend(bound);
    }
    for step in set.scenarios.iter().flat_map(|scenario| &scenario.steps) {
        let Action::Declare(delivery) = &step.action else {
            continue;
        };
        let body: Value = serde_json::from_slice(&delivery.body).expect("it is JSON");
        let lines = body["lines"].as_array().into_iter().flatten();
        let mut under = lines.filter_map(|line| line["contract_id"].as_str());
        if body["insurer_uzovi"] == insurer || under.any(|id| contracts.contains(id)) {
            words(&body, &mut known);
        }
    }
    known.extend(contracts);
    known
}

async fn streams_hold_what_their_insurer_buys(
    product: &InProcess,
    set: &ScenarioSet,
    known: &BTreeSet<String>,
) {
    let settled = in_process::wait_until_settled(&product.node.decisions).await;
    settled.expect("every claim is settled");
    let heads = product.settlement.stream_heads().await;
    let heads = heads.expect("the books answer");
    assert!(heads.len() > 1, "several insurers buy");
    for head in heads {
        let own = of_insurer(set, head.insurer.as_str());
        let subscribed = product
            .client
            .subscribe(head.insurer, "parties", None)
            .await;
        let mut stream = subscribed.expect("the stream opens");
        let mut position = 0;
        while position < head.position {
            let next = stream.next().await.expect("the stream holds");
            let response = next.expect("a stream goes on to its head").response;
            let Some(Response::Events(events)) = response else {
                continue;
            };
            for event in events.events {
                position = event.position;
                let mut said = BTreeSet::new();
                words(&Value::String(format!("{event:?}")), &mut said);
                let foreign: Vec<&String> = (said.intersection(known))
                    .filter(|word| !own.contains(*word))
                    .collect();
                let insurer = head.insurer;
                assert!(
                    foreign.is_empty(),
                    "{foreign:?} in the stream of {insurer}: {event:?}"
                );
            }
        }
    }
}
