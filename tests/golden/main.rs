//! Every scenario of the sample, whole outcomes as text: through the domain, and through the product in one process.
//!
//! `UPDATE_GOLDEN=1` writes the files anew; a change of a rule shows as a change of text.

use harness::golden::compare;
use samenloop::in_process::{self, InProcess};

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
    product.stop().await.unwrap();
}
