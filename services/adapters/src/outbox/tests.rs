use std::collections::BTreeSet;

use samenloop_proto::declaration::v1 as wire;
use tokio::time::timeout;

use super::*;
use crate::{
    broker::{
        BatchLimits, Consumer, Settle,
        embedded::{EmbeddedBroker, EmbeddedOptions},
    },
    decision_store::NewOutboxRow,
    ids::Ids,
};

/// Messages that a queue takes.
const LENGTH_MAX: u64 = 100;
/// Rows for the party whose queue stays full: several windows of them.
const ROWS: u32 = 3 * WINDOW;
/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn refusal(party: &str, number: u32) -> NewOutboxRow {
    NewOutboxRow {
        party: Some(PartyId::new(party)),
        traceparent: String::new(),
        body: OutboxBody::Refusal(wire::DeliveryRefusal {
            message_id: number.to_string(),
            ..wire::DeliveryRefusal::default()
        }),
    }
}

/// Message ids of `count` refusals, in the order in which they come.
async fn take(consumer: &mut Consumer, count: u32) -> Vec<u32> {
    let mut numbers = Vec::new();
    while numbers.len() < count as usize {
        let batch = timeout(PATIENCE, consumer.next_batch()).await;
        let batch = batch.expect("more comes").expect("the broker answers");
        let mut acks = Vec::new();
        for delivery in batch {
            let refusal: wire::DeliveryRefusal =
                serde_json::from_slice(&delivery.message.body).expect("a refusal");
            numbers.push(refusal.message_id.parse().expect("a number"));
            acks.push((delivery.tag, Settle::Ack));
        }
        consumer.settle(acks).await.expect("it is acknowledged");
    }
    numbers
}

#[tokio::test]
async fn party_whose_queue_stays_full_holds_no_other_back_and_gets_its_own_in_order() {
    let options = EmbeddedOptions {
        queue_length_max: LENGTH_MAX,
    };
    let broker = EmbeddedBroker::open(":memory:", options, FaultPlan::default());
    let broker = Broker::Embedded(broker.expect("it opens"));
    let queues = ["slow", "other"].map(|party| Queue::Outcomes(party.into()));
    broker.check_topology(&queues).await.expect("they are made");
    let store = DecisionStore::open("sqlite::memory:", FaultPlan::default())
        .await
        .expect("it opens");
    let mut rows: Vec<NewOutboxRow> = (0..ROWS).map(|number| refusal("slow", number)).collect();
    rows.push(refusal("other", 0));
    store.quarantine(Vec::new(), rows).await.expect("written");

    let shutdown = Shutdown::new();
    let context = RelayContext {
        store: store.clone(),
        clock: Clock::System,
        holder: Ids::System.next(),
        faults: FaultPlan::default(),
    };
    let relay = run(
        context,
        Destination::Outcomes(broker.clone()),
        shutdown.clone(),
    );
    let relay = tokio::spawn(relay);
    let limits = BatchLimits::default();
    let [slow, other] = queues;
    let mut other = broker.consume(other, limits).await.expect("a consumer");
    assert_eq!(take(&mut other, 1).await, [0], "it is not held back");
    let waiting = store.outbox(Relay::Outcomes, 0, ROWS).await.expect("read");
    assert!(waiting.len() >= (ROWS - u32::try_from(LENGTH_MAX).expect("small")) as usize);

    let mut slow = broker.consume(slow, limits).await.expect("a consumer");
    let mut seen = BTreeSet::new();
    let mut came = Vec::new();
    while seen.len() < ROWS as usize {
        for number in take(&mut slow, 1).await {
            if seen.insert(number) {
                came.push(number);
            }
        }
    }
    assert!(came.is_sorted(), "its own rows come in their order");
    shutdown.cancel();
    relay.await.expect("the relay ends");

    let next = Lease {
        relay: Relay::Outcomes,
        holder: Ids::System.next(),
        term: LEASE,
    };
    let taken = store.lease(next, Clock::System.now()).await;
    assert!(
        taken.expect("written"),
        "a relay that ends gives its lease up"
    );
}
