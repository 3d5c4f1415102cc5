//! A broker of one test: a file in a directory of its own, or a virtual host of its own.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use lapin::uri::AMQPUri;
use reqwest::{Method, Url};
use samenloop_adapters::{
    broker::{
        BatchLimits, Broker, Consumer, Delivery, Depth, Message, Published, Queue, Settle,
        embedded::{EmbeddedBroker, EmbeddedOptions},
        rabbit::{RabbitBroker, RabbitOptions},
        topology::{self, PartyAccess, Topology},
    },
    fault_plan::FaultPlan,
};
use tempfile::TempDir;

/// Far longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Long enough for a delivery that should not come.
const QUIET: Duration = Duration::from_millis(300);

pub(crate) struct World {
    pub(crate) broker: Broker,
    home: Home,
}

enum Home {
    Embedded(TempDir, EmbeddedOptions),
    Rabbit(Vhost),
}

/// A virtual host of the node under test.
pub(crate) struct Vhost {
    pub(crate) name: String,
    pub(crate) uri: AMQPUri,
    pub(crate) management: String,
}

/// The party that has a queue.
pub(crate) fn party_queue() -> Queue {
    Queue::Outcomes("party.one".into())
}

/// The party that has none.
pub(crate) fn unknown_queue() -> Queue {
    Queue::Outcomes("nobody".into())
}

fn queues() -> Vec<Queue> {
    vec![
        Queue::Declarations,
        Queue::Validated,
        Queue::Commands,
        party_queue(),
    ]
}

impl World {
    pub(crate) async fn embedded(queue_length_max: Option<u64>) -> Self {
        let directory = TempDir::new().unwrap();
        let options = EmbeddedOptions {
            queue_length_max: queue_length_max
                .unwrap_or(EmbeddedOptions::default().queue_length_max),
        };
        let broker = open(&directory, options);
        broker.check_topology(&queues()).await.unwrap();
        let home = Home::Embedded(directory, options);
        Self { broker, home }
    }

    pub(crate) async fn rabbit(queue_length_max: Option<u64>) -> Self {
        let vhost = Vhost::make(queue_length_max).await;
        let broker = vhost.broker(RabbitOptions::default());
        broker.check_topology(&queues()).await.unwrap();
        let home = Home::Rabbit(vhost);
        Self { broker, home }
    }

    /// As after the end of the process and a new start.
    pub(crate) async fn restart(&mut self) {
        match &self.home {
            Home::Embedded(directory, options) => {
                // The file is closed before it is opened again.
                let elsewhere = EmbeddedBroker::open(":memory:", *options, FaultPlan::default());
                self.broker = Broker::Embedded(elsewhere.unwrap());
                self.broker = open(directory, *options);
            }
            Home::Rabbit(vhost) => self.broker = vhost.broker(RabbitOptions::default()),
        }
    }

    /// Who publishes, as the broker knows it.
    pub(crate) fn login(&self) -> String {
        match &self.home {
            Home::Embedded(..) => "whoever".to_owned(),
            Home::Rabbit(vhost) => vhost.uri.authority.userinfo.username.clone(),
        }
    }

    pub(crate) async fn end(self) {
        drop(self.broker);
        if let Home::Rabbit(vhost) = self.home {
            vhost.end().await;
        }
    }

    pub(crate) async fn publish(&self, queue: &Queue, bodies: std::ops::Range<u32>) {
        let messages = bodies.map(|body| (queue.clone(), message(body))).collect();
        let published = self.broker.publish(messages).await.unwrap();
        assert!(
            published.iter().all(|each| *each == Published::Confirmed),
            "{published:?}"
        );
    }

    pub(crate) async fn consume(&self, queue: &Queue, prefetch: u16) -> Consumer {
        let limits = BatchLimits {
            prefetch,
            ..BatchLimits::default()
        };
        self.broker.consume(queue.clone(), limits).await.unwrap()
    }

    /// Waits until the queue holds so many that nobody has; a broker may count late.
    pub(crate) async fn wait_ready(&self, queue: &Queue, ready: u64) -> Depth {
        let counted = async {
            loop {
                let depth = self.broker.depth(queue).await.unwrap();
                if depth.ready == ready {
                    return depth;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, counted)
            .await
            .expect("the queue has so many in time")
    }
}

fn open(directory: &TempDir, options: EmbeddedOptions) -> Broker {
    let file = directory.path().join("queue.db");
    let opened = EmbeddedBroker::open(file, options, FaultPlan::default());
    Broker::Embedded(opened.unwrap())
}

impl Vhost {
    pub(crate) async fn make(queue_length_max: Option<u64>) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("conformance-{}-{count}", std::process::id());
        let mut uri: AMQPUri = environment("TEST_AMQP_URL").parse().unwrap();
        uri.vhost.clone_from(&name);
        let management = environment("TEST_AMQP_MANAGEMENT_URL");
        let Queue::Outcomes(party) = party_queue() else {
            unreachable!()
        };
        let access = PartyAccess {
            party,
            user: None,
            password: None,
        };
        let topology = Topology {
            vhost: name.clone(),
            parties: vec![access],
            queue_length_max,
            ..Topology::default()
        };
        topology::apply(&management, &topology).await.unwrap();
        Self {
            name,
            uri,
            management,
        }
    }

    pub(crate) fn broker(&self, options: RabbitOptions) -> Broker {
        Broker::Rabbit(RabbitBroker::new(&self.uri.to_string(), options).unwrap())
    }

    /// The same broker by another way and as another user.
    pub(crate) fn broker_at(&self, port: u16, options: RabbitOptions) -> Broker {
        let mut uri = self.uri.clone();
        uri.authority.host = "127.0.0.1".to_owned();
        uri.authority.port = port;
        Broker::Rabbit(RabbitBroker::new(&uri.to_string(), options).unwrap())
    }

    pub(crate) async fn delete(&self, path: &[&str]) {
        self.ask(Method::DELETE, path, &serde_json::Value::Null)
            .await;
    }

    pub(crate) async fn put(&self, path: &[&str], body: &serde_json::Value) {
        self.ask(Method::PUT, path, body).await;
    }

    pub(crate) async fn post(&self, path: &[&str], body: &serde_json::Value) {
        self.ask(Method::POST, path, body).await;
    }

    async fn ask(&self, method: Method, path: &[&str], body: &serde_json::Value) {
        let mut url = Url::parse(&self.management).unwrap();
        url.path_segments_mut()
            .unwrap()
            .pop_if_empty()
            .push("api")
            .extend(path);
        let asked = reqwest::Client::new()
            .request(method, url)
            .json(body)
            .send()
            .await;
        let status = asked.unwrap().status();
        assert!(status.is_success(), "{path:?}: {status}");
    }

    pub(crate) async fn end(self) {
        self.delete(&["vhosts", &self.name]).await;
    }
}

fn environment(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set; `eval \"$(tests/nodes/up rabbit)\"` starts a node and sets it")
    })
}

pub(crate) fn message(body: u32) -> Message {
    Message {
        message_id: format!("message-{body}"),
        message_type: "nl.samenloop.test.v1".to_owned(),
        content_type: "application/json".to_owned(),
        body: body.to_string().into(),
        ..Message::default()
    }
}

pub(crate) async fn next(consumer: &mut Consumer) -> Vec<Delivery> {
    let batch = tokio::time::timeout(PATIENCE, consumer.next_batch()).await;
    batch.expect("a batch comes in time").unwrap()
}

/// Takes so many, in as many batches as it takes, without settling them.
pub(crate) async fn take(consumer: &mut Consumer, count: usize) -> Vec<Delivery> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.extend(next(consumer).await);
    }
    assert_eq!(taken.len(), count);
    taken
}

pub(crate) async fn expect_none(consumer: &mut Consumer) {
    if let Ok(batch) = tokio::time::timeout(QUIET, consumer.next_batch()).await {
        panic!("nothing should come, but {batch:?} did");
    }
}

pub(crate) async fn settle(consumer: &mut Consumer, deliveries: &[Delivery], how: Settle) {
    let settled = deliveries
        .iter()
        .map(|delivery| (delivery.tag, how))
        .collect();
    consumer.settle(settled).await.unwrap();
}

pub(crate) fn bodies(deliveries: &[Delivery]) -> Vec<u32> {
    let body = |delivery: &Delivery| {
        let text = std::str::from_utf8(&delivery.message.body).unwrap();
        text.parse().unwrap()
    };
    deliveries.iter().map(body).collect()
}

/// By body: of what comes again, RabbitMQ does not promise the order.
pub(crate) fn sort(deliveries: &mut [Delivery]) {
    deliveries.sort_by_key(|delivery| bodies(std::slice::from_ref(delivery)));
}

pub(crate) fn redelivered(deliveries: &[Delivery]) -> Vec<bool> {
    deliveries
        .iter()
        .map(|delivery| delivery.redelivered)
        .collect()
}
