//! A message that panics its handler, and one that kills it, each among 99 good ones, on both set-ups: it is
//! quarantined after as many attempts as it may have, and the others are unaffected.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use harness::production::Production;
use samenloop_adapters::{
    broker::{
        BatchLimits, Broker, Delivery, Message, Published, Queue,
        embedded::{EmbeddedBroker, EmbeddedOptions},
        rabbit::{RabbitBroker, RabbitOptions},
    },
    clock::Clock,
    consume::{self, ConsumeContext, HandleError, Handler},
    decision_store::DecisionStore,
    fault_plan::FaultPlan,
    ids::Ids,
    seal::SealingKey,
    shutdown::Shutdown,
};
use samenloop_domain::identifiers::PartyId;
use tokio::{sync::mpsc, time::timeout};

use crate::sender::PATIENCE;

const GOOD: usize = 99;
const ATTEMPTS_MAX: u32 = 3;
const POISON: &[u8] = b"poison";

/// What the poison does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Poison {
    /// The handler panics.
    Panics,
    /// The process dies in the middle: the handler never comes back, and the test ends it.
    Kills,
}

/// Handles everything but the poison.
struct Judge {
    poison: Poison,
    handled: Mutex<BTreeSet<Vec<u8>>>,
    /// Told of every message that was handled, and of every attempt at the poison.
    told: mpsc::Sender<bool>,
}

impl Handler for Judge {
    const STAGE: &'static str = "judge";

    async fn handle(&self, batch: Arc<Vec<Delivery>>) -> Result<(), HandleError> {
        if batch.iter().any(|it| it.message.body == POISON) {
            let _ = self.told.send(true).await;
            match self.poison {
                Poison::Panics => panic!("the poison works"),
                Poison::Kills => std::future::pending::<()>().await,
            }
        }
        for delivery in batch.iter() {
            let body = delivery.message.body.to_vec();
            self.handled.lock().expect("no holder panics").insert(body);
        }
        let _ = self.told.send(false).await;
        Ok(())
    }

    fn sender(&self, _: &Delivery) -> Option<PartyId> {
        None
    }
}

async fn exercise(broker: Broker, store: DecisionStore, poison: Poison) {
    let mut messages: Vec<(Queue, Message)> = (0..GOOD)
        .map(|number| message(format!("good {number}").into_bytes()))
        .collect();
    messages.insert(GOOD / 2, message(POISON.to_vec()));
    let published = broker.publish(messages).await.expect("published");
    assert!(published.iter().all(|it| *it == Published::Confirmed));

    let (told, mut heard) = mpsc::channel(4 * GOOD);
    let judge = Arc::new(Judge {
        poison,
        handled: Mutex::default(),
        told,
    });
    let context = ConsumeContext {
        broker,
        store: store.clone(),
        clock: Clock::System,
        ids: Ids::System,
        seal: SealingKey::new(&[7; 32]),
        limits: BatchLimits::default(),
        attempts_max: ATTEMPTS_MAX,
        faults: FaultPlan::default(),
    };
    let shutdown = Shutdown::new();
    let start = || {
        let consumed = consume::run(
            context.clone(),
            Queue::Declarations,
            Arc::clone(&judge),
            shutdown.clone(),
        );
        tokio::spawn(consumed)
    };
    let mut running = start();
    let mut attempts = 0;
    loop {
        let kept = store.quarantined(10).await.expect("the store answers");
        let handled = judge.handled.lock().expect("no holder panics").len();
        if let ([only], GOOD) = (kept.as_slice(), handled) {
            assert_eq!(
                (only.stage.as_str(), only.attempts),
                ("judge", ATTEMPTS_MAX)
            );
            let body = SealingKey::new(&[7; 32]).open(&only.sealed_body);
            assert_eq!(body.as_deref(), Some(POISON));
            break;
        }
        // What was told may have come before the quarantine: then the next look finds it.
        let Ok(is_poison) = timeout(PATIENCE / 100, heard.recv()).await else {
            continue;
        };
        if is_poison.expect("the judge is there") {
            attempts += 1;
            assert!(attempts < 20, "the poison is tried too often");
            if poison == Poison::Kills {
                running.abort();
                let _ = running.await;
                running = start();
            }
        }
    }
    // Once within the batch, and then alone as often as it may.
    assert!(attempts > ATTEMPTS_MAX, "{attempts} attempts");
    shutdown.cancel();
    running.await.expect("the consumer ends");
}

fn message(body: Vec<u8>) -> (Queue, Message) {
    let message = Message {
        message_id: String::from_utf8(body.clone()).expect("text"),
        message_type: "test".to_owned(),
        content_type: "text/plain".to_owned(),
        body: body.into(),
        ..Message::default()
    };
    (Queue::Declarations, message)
}

async fn on_embedded(poison: Poison) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("queue.db");
    let options = EmbeddedOptions::default();
    let broker = EmbeddedBroker::open(&path, options, FaultPlan::default());
    let broker = Broker::Embedded(broker.expect("it opens"));
    let made = broker.check_topology(&[Queue::Declarations]).await;
    made.expect("the queue is made");
    let url = format!("sqlite:{}", directory.path().join("decisions.db").display());
    let store = DecisionStore::open(&url, FaultPlan::default()).await;
    exercise(broker, store.expect("it opens"), poison).await;
}

async fn on_production(poison: Poison) {
    let set = harness::scenarios();
    let production = Production::new(&set.reference).await;
    let url = production.amqp_of_administrator();
    let broker = RabbitBroker::new(&url, RabbitOptions::default()).expect("the URL is good");
    let store = DecisionStore::open(&production.database, FaultPlan::default()).await;
    exercise(Broker::Rabbit(broker), store.expect("it opens"), poison).await;
    production.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn message_that_panics_is_quarantined_embedded() {
    on_embedded(Poison::Panics).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn message_that_kills_is_quarantined_embedded() {
    on_embedded(Poison::Kills).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn message_that_panics_is_quarantined_on_rabbitmq_and_postgresql() {
    on_production(Poison::Panics).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn message_that_kills_is_quarantined_on_rabbitmq_and_postgresql() {
    on_production(Poison::Kills).await;
}
