//! The embedded queue: several callers on one file, planned faults, and no second opener.

use samenloop_adapters::{
    broker::{
        BatchLimits, Broker, BrokerError, Published, Queue, Settle,
        embedded::{EmbeddedBroker, EmbeddedOptions},
    },
    fault_plan::{Fault, FaultPlan, FaultPoint},
};

use super::world::{World, bodies, message, take};

async fn in_memory(faults: FaultPlan) -> Broker {
    let broker = EmbeddedBroker::open(":memory:", EmbeddedOptions::default(), faults).unwrap();
    let broker = Broker::Embedded(broker);
    broker.check_topology(&[Queue::Commands]).await.unwrap();
    broker
}

#[tokio::test]
async fn a_file_that_is_open_is_not_opened_twice() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("queue.db");
    let open = || EmbeddedBroker::open(&file, EmbeddedOptions::default(), FaultPlan::default());
    let first = open().unwrap();
    assert!(matches!(open(), Err(BrokerError::Storage(_))));
    drop(first);
    open().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_publisher_that_shares_a_commit_gets_its_own_answer() {
    let world = World::embedded(Some(150)).await;
    let publishers = (0..50).map(|each| {
        let broker = world.broker.clone();
        let messages = (0..4)
            .map(|n| (Queue::Commands, message(each * 4 + n)))
            .collect();
        tokio::spawn(async move { broker.publish(messages).await.unwrap() })
    });
    let mut confirmed = 0;
    for publisher in publishers.collect::<Vec<_>>() {
        let published = publisher.await.unwrap();
        assert_eq!(published.len(), 4);
        confirmed += published
            .iter()
            .filter(|each| **each == Published::Confirmed)
            .count();
    }
    assert_eq!(confirmed, 150);
    world.wait_ready(&Queue::Commands, 150).await;
    world.end().await;
}

#[tokio::test]
async fn planned_faults_are_errors_and_lose_nothing() {
    let faults = FaultPlan::default()
        .with(FaultPoint::OnSend, 2, Fault::Error)
        .with(FaultPoint::OnRead, 1, Fault::Error)
        .with(FaultPoint::AfterCommitBeforeAck, 1, Fault::Error);
    let broker = in_memory(faults).await;
    let publish = |body| broker.publish(vec![(Queue::Commands, message(body))]);
    publish(1).await.unwrap();
    assert!(matches!(publish(2).await, Err(BrokerError::Injected(_))));
    publish(3).await.unwrap();
    let consume = || broker.consume(Queue::Commands, BatchLimits::default());
    let read = consume().await.unwrap().next_batch().await;
    assert!(matches!(read, Err(BrokerError::Injected(_))), "{read:?}");
    let mut consumer = consume().await.unwrap();
    let taken = take(&mut consumer, 2).await;
    let settled = consumer.settle(vec![(taken[0].tag, Settle::Ack)]).await;
    assert!(
        matches!(settled, Err(BrokerError::Injected(_))),
        "{settled:?}"
    );
    drop(consumer);
    assert_eq!(
        bodies(&take(&mut consume().await.unwrap(), 2).await),
        [1, 3]
    );
}
