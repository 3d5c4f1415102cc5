//! Bad input, on both set-ups: nothing is lost, nothing has a second effect, and the sender is told.

use std::time::Duration;

use harness::production::Production;
use samenloop::in_process::InProcess;
use samenloop_adapters::{
    broker::{Message, Published, Queue},
    scenario::{Delivery, ScenarioSet},
};
use samenloop_proto::declaration::v1 as wire;
use serde_json::json;
use uuid::Uuid;

use crate::sender::{PATIENCE, Sender, codes, embedded, first, on_production, with_id};

async fn exercise(product: &InProcess, set: &ScenarioSet) {
    let delivery = first(set);
    let mut sender = Sender::new(product, &delivery.party);
    unreadable_bytes_are_quarantined(&mut sender).await;
    every_fault_is_named(&mut sender, delivery).await;
    limits_are_named(&mut sender, delivery).await;
    an_id_is_registered_once(&mut sender, delivery).await;
    a_poisoned_message_is_set_aside(&mut sender, delivery).await;
    product.receive_all().await.expect("every claim is settled");
    let claims = product.settlement.claims_of(delivery.message_id).await;
    let claims = claims.expect("the store answers");
    assert_eq!(
        claims.len(),
        1,
        "delivered three times, settled once: {claims:?}"
    );
}

async fn unreadable_bytes_are_quarantined(sender: &mut Sender<'_>) {
    sender
        .send(Uuid::from_u128(1), b"\x00\xff no declaration".to_vec())
        .await;
    let refusal = sender.refusal().await;
    assert_eq!(codes(&refusal.reasons), ["0001"]);
    assert_eq!(
        (refusal.message_id.as_str(), refusal.fingerprint.len()),
        ("", 64)
    );
    let kept = sender
        .product
        .node
        .decisions
        .quarantined(10)
        .await
        .expect("the store answers");
    assert_eq!(kept.len(), 1, "it is in quarantine: {kept:?}");
    let opened = sender.product.node.seal.open(&kept[0].sealed_body);
    assert_eq!(
        opened.as_deref(),
        Some(b"\x00\xff no declaration".as_slice()),
        "sealed, not changed"
    );
}

async fn every_fault_is_named(sender: &mut Sender<'_>, delivery: &Delivery) {
    let body = with_id(&delivery.body, Uuid::from_u128(2), |value| {
        value["colour"] = json!("red");
        value["lines"][0]["declared_cents"] = json!(1.5);
        value.as_object_mut().expect("an object").remove("currency");
    });
    sender.send(Uuid::from_u128(2), body).await;
    let outcome = sender.outcome().await;
    assert_eq!(outcome.status(), wire::Status::Rejected);
    assert_eq!(codes(&outcome.reasons), ["0001"]);
    let named: Vec<String> = outcome.reasons[0]
        .parameters
        .iter()
        .map(|it| format!("{} {}", it.name, it.value))
        .collect();
    for fault in ["colour", "/lines/0/declared_cents", "currency"] {
        assert!(
            named.iter().any(|text| text.contains(fault)),
            "{fault} is named: {named:?}"
        );
    }
}

async fn limits_are_named(sender: &mut Sender<'_>, delivery: &Delivery) {
    let body = with_id(&delivery.body, Uuid::from_u128(3), |value| {
        let line = value["lines"][0].clone();
        value["lines"] = json!(vec![line; 2_001]);
    });
    if body.len() <= samenloop_adapters::broker::BODY_BYTES_MAX {
        sender.send(Uuid::from_u128(3), body).await;
        let outcome = sender.outcome().await;
        assert!(
            format!("{:?}", outcome.reasons).contains("2000"),
            "{:?}",
            outcome.reasons
        );
    }
    let short = with_id(&delivery.body, Uuid::from_u128(4), |value| {
        value["lines"] = json!(vec![json!({}); 2_001]);
    });
    sender.send(Uuid::from_u128(4), short).await;
    let outcome = sender.outcome().await;
    assert_eq!(codes(&outcome.reasons), ["0001"]);
    assert!(
        format!("{:?}", outcome.reasons).contains("2000"),
        "{:?}",
        outcome.reasons
    );
    let large = vec![b' '; samenloop_adapters::broker::BODY_BYTES_MAX + 1];
    let messages = vec![(
        Queue::Declarations,
        sender.message(Uuid::from_u128(5), large),
    )];
    let broker = &sender.product.brokers[&sender.party];
    let published = broker.publish(messages).await.expect("the broker answers");
    assert_eq!(
        published,
        [Published::Refused],
        "a body over the limit is not taken"
    );
}

async fn an_id_is_registered_once(sender: &mut Sender<'_>, delivery: &Delivery) {
    sender
        .send(delivery.message_id, delivery.body.clone())
        .await;
    let outcome = sender.outcome().await;
    assert_eq!(outcome.status(), wire::Status::Accepted);
    sender
        .send(delivery.message_id, delivery.body.clone())
        .await;
    assert_eq!(
        sender.outcome().await,
        outcome,
        "the stored outcome comes again"
    );
    let other = with_id(&delivery.body, delivery.message_id, |value| {
        value["lines"][0]["declared_cents"] = json!(1);
    });
    sender.send(delivery.message_id, other).await;
    let refusal = sender.refusal().await;
    assert_eq!(refusal.message_id, delivery.message_id.to_string());
    assert_eq!(
        refusal.faults[0].path, "/lines/0/declared_cents",
        "the field that differs is named"
    );
    // The network organisation of the same world: registered, and no mandate of this sender.
    let foreign = with_id(&delivery.body, Uuid::from_u128(6), |value| {
        value["declarant_agb"] = json!("53010020");
        value["invoice_number"] = json!("F-8023");
    });
    sender.send(Uuid::from_u128(6), foreign).await;
    let outcome = sender.outcome().await;
    assert_eq!(codes(&outcome.reasons), ["8023"], "{outcome:?}");
}

/// Bytes that no validation wrote, on the queue of detection, among good messages.
async fn a_poisoned_message_is_set_aside(sender: &mut Sender<'_>, delivery: &Delivery) {
    let node = &sender.product.node;
    let before = node
        .decisions
        .quarantined(10)
        .await
        .expect("the store answers")
        .len();
    let poison = Message {
        message_id: "poison".to_owned(),
        message_type: "nl.samenloop.declaration.validated.v1".to_owned(),
        content_type: "application/x-protobuf".to_owned(),
        body: vec![0xff; 40].into(),
        ..Message::default()
    };
    node.broker
        .publish(vec![(Queue::Validated, poison)])
        .await
        .expect("it is published");
    for number in 0..99_u128 {
        let id = Uuid::from_u128(100 + number);
        let body = with_id(&delivery.body, id, |value| {
            value["invoice_number"] = json!(format!("P-{number}"));
            value["lines"][0]["line_reference"] = json!(format!("P-R-{number}"));
        });
        sender.send(id, body).await;
    }
    for _ in 0..99 {
        assert_eq!(
            sender.outcome().await.status(),
            wire::Status::Rejected,
            "each is a duplicate"
        );
    }
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let kept = node
            .decisions
            .quarantined(10)
            .await
            .expect("the store answers");
        if kept.len() > before {
            assert_eq!(kept[0].stage, "detection");
            return;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "the poisoned message is quarantined"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_refused_and_nothing_is_lost_embedded() {
    let directory = tempfile::tempdir().expect("a directory");
    let set = harness::scenarios();
    let product = embedded(directory.path(), &set, |_| {}).await;
    exercise(&product, &set).await;
    product.stop().await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_refused_and_nothing_is_lost_on_rabbitmq_and_postgresql() {
    let set = harness::scenarios();
    let production = Production::new(&set.reference).await;
    let product = on_production(&production, &set, |_| {}).await;
    exercise(&product, &set).await;
    product.stop().await.expect("it stops");
    production.close().await;
}
