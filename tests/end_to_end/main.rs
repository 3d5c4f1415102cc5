//! The product on RabbitMQ with PostgreSQL, as a sender and an insurer see it; and what bad input gets.

mod anchors;
mod bad_input;
mod bsn;
mod parts;
mod poison;
mod rotation;
mod sender;
mod tls;

use harness::{golden::compare, production::Production};
use samenloop::{audit, in_process::InProcess};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_on_rabbitmq_and_postgresql_gives_its_golden_outcome() {
    let set = harness::scenarios();
    let production = Production::new(&set.reference).await;
    let config = production.config(production.amqp_of_administrator());
    let brokers = production.brokers(&set.reference);
    let product = InProcess::start(config, &set.reference, Some(brokers))
        .await
        .expect("it starts");
    let texts = harness::product_path::run(&product, &set).await;
    compare(&set, &texts);
    harness::reports::check(&product, &set.reference.reference).await;
    let audit = audit::audit(&product.node.decisions)
        .await
        .expect("the log can be read");
    assert_eq!(
        audit.digest, audit.replay_digest,
        "the log decides the same again"
    );
    assert_eq!((audit.broken_at, audit.double_funding_pairs), (None, 0));
    product.stop().await.expect("it stops");
    production.close().await;
}
