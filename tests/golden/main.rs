//! Every scenario of the sample, whole outcomes as text: through the domain, and through the product in one process.
//!
//! `UPDATE_GOLDEN=1` writes the files anew; a change of a rule shows as a change of text.

mod bounds;
mod by_files;
mod parties;
mod report;

use harness::golden::compare;
use samenloop::in_process::{self, InProcess};
use samenloop_adapters::scenario::ScenarioSet;

/// Each scenario as a set of its own, with the reference data of all.
fn alone(set: &ScenarioSet) -> impl Iterator<Item = ScenarioSet> {
    set.scenarios.iter().map(|scenario| ScenarioSet {
        reference: set.reference.clone(),
        scenarios: vec![scenario.clone()],
    })
}

#[test]
fn every_scenario_alone_through_the_domain_gives_its_golden_outcome() {
    let set = harness::scenarios();
    let texts: Vec<String> = alone(&set)
        .flat_map(|one| harness::domain_path::run(&one))
        .collect();
    compare(&set, &texts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_alone_through_the_embedded_product_gives_its_golden_outcome() {
    let set = harness::scenarios();
    let mut texts = Vec::new();
    for one in alone(&set) {
        let directory = tempfile::tempdir().unwrap();
        let config = in_process::embedded_in(directory.path());
        let product = InProcess::start(config, &one.reference, None)
            .await
            .unwrap();
        texts.extend(harness::product_path::run(&product, &one).await);
        product.stop().await.unwrap();
    }
    compare(&set, &texts);
}

#[test]
fn every_scenario_through_the_domain_gives_its_golden_outcome() {
    let set = harness::scenarios();
    compare(&set, &harness::domain_path::run(&set));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_through_the_embedded_product_gives_its_golden_outcome() {
    let directory = tempfile::tempdir().unwrap();
    let set = harness::scenarios();
    let config = in_process::embedded_in(directory.path());
    let product = InProcess::start(config, &set.reference, None)
        .await
        .unwrap();
    let texts = harness::product_path::run(&product, &set).await;
    compare(&set, &texts);
    harness::reports::check(&product, &set.reference.reference).await;
    report::check_figures(&product, &set.reference.reference).await;
    product.stop().await.unwrap();
}
