//! Scenarios through a running product: its broker, its stores, its settlement.

use samenloop::{in_process::InProcess, mailbox::Mailbox, scenarios};
use samenloop_adapters::{
    scenario::{Action, ScenarioSet},
    settlement_store::SettlementStore,
};
use samenloop_domain::allocation::Part;
use uuid::Uuid;

use crate::text;

/// The text of every scenario, in the order of the set. What was expected must have come.
///
/// # Panics
/// Where the product does not run them to their end; it says why.
pub async fn run(product: &InProcess, set: &ScenarioSet) -> Vec<String> {
    let mut mailbox = Mailbox::open(&product.brokers);
    let stage = product.stage(&set.reference);
    let results = scenarios::run(&stage, set, &mut mailbox, |_| {})
        .await
        .expect("the scenarios run");
    let received = product.receive_all().await.expect("every claim is settled");
    assert!(
        received.iter().all(|it| it.complete),
        "every stream is whole: {received:?}"
    );
    let mut texts = Vec::with_capacity(results.len());
    for (scenario, result) in set.scenarios.iter().zip(&results) {
        assert!(result.passed(), "scenario {}: {result:#?}", result.number);
        let mut whole = String::new();
        let told = scenario.steps.iter().filter_map(|step| match &step.action {
            Action::Declare(delivery) => {
                let answers = delivery.deliveries as usize;
                Some((String::new(), delivery.message_id, answers))
            }
            Action::Decide(decision) => Some((text::decision(decision), decision.message_id, 1)),
            Action::ImportExisting(_) => None,
        });
        for ((head, message_id, answers), outcomes) in told.zip(&result.outcomes) {
            whole.push_str(&head);
            // A message whose held line is decided or credited later gets a new version; its first is the answer.
            for outcome in outcomes.iter().take(answers) {
                let parts = parts_of(&product.settlement, message_id, outcome.version).await;
                whole.push_str(&text::outcome(outcome, &parts));
            }
        }
        texts.push(whole);
    }
    texts
}

/// How the awards of a message up to a version of its outcome were divided, by line number.
///
/// # Panics
/// Where the store does not answer.
pub async fn parts_of(
    settlement: &SettlementStore,
    message_id: Uuid,
    version: u32,
) -> Vec<(u32, Vec<Part>)> {
    let claims = settlement
        .claims_of(message_id)
        .await
        .expect("the store of settlement answers");
    claims
        .into_iter()
        .filter(|it| it.claim.version <= version)
        .map(|it| (it.claim.line_number, it.parts))
        .collect()
}
