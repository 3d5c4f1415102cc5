//! What a purchaser is shown of ceilings, budgets and KPIs after all scenarios.

use samenloop::{
    commands::contracts,
    in_process::{self, InProcess},
};
use samenloop_domain::reference::Reference;
use serde_json::{Value, json};

async fn state(product: &InProcess, reference: &Reference, id: &str) -> Value {
    let states = contracts::states(&product.node.decisions, reference, Some(id)).await;
    states.expect("the store answers").remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purchaser_sees_what_is_taken_of_ceilings_and_budgets() {
    let directory = tempfile::tempdir().unwrap();
    let set = harness::scenarios();
    let config = in_process::embedded_in(directory.path());
    let product = InProcess::start(config, &set.reference, None)
        .await
        .unwrap();
    harness::product_path::run(&product, &set).await;
    let reference = &set.reference.reference;
    let ceiling = state(&product, reference, "S64-C1").await;
    assert_eq!(
        ceiling["bounds"],
        json!([{
            "kind": "ceiling",
            "name": "looptijd",
            "first": "2024-07-01",
            "last": "2025-06-30",
            "bound_cents": 5_000_000,
            "taken_cents": 2_800_000,
            "left_cents": 2_200_000,
            "signals_reached_basis_points": [5_000],
        }])
    );
    let budget = state(&product, reference, "S68-CH").await;
    assert_eq!(budget["bounds"][0]["kind"], "budget");
    assert_eq!(budget["bounds"][0]["bound_cents"], 220_000_000);
    assert_eq!(budget["bounds"][0]["taken_cents"], 18_333_333);
    assert_eq!(
        budget["bounds"][0]["signals_reached_basis_points"],
        json!([])
    );
    assert_eq!(budget["kpis"][0]["reached"], true);
    let decisions = &product.node.decisions;
    let all = contracts::states(decisions, reference, None).await.unwrap();
    assert!(all.len() >= 2, "{all:?}");
    assert!(
        contracts::states(decisions, reference, Some("X"))
            .await
            .is_err()
    );
    product.stop().await.unwrap();
}
