//! Who declares while things fail: one over AMQP as the gateway does it, and clients of the gateway that try again as
//! a real one would.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, StatusCode, header};
use samenloop::scenarios::declaration_message;
use samenloop_adapters::{
    broker::{Broker, Published, Queue},
    clock::noon,
    generate::Generated,
};
use samenloop_validation::handle::{GATEWAY_USER, PARTY_HEADER, RECEIVED_HEADER};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::TOKEN;

/// Clients that post at once.
const CLIENTS: usize = 8;

/// Messages published at a time.
const WINDOW: usize = 100;

/// How long a client waits before it asks again.
const PAUSE: Duration = Duration::from_millis(100);

/// The message id of a generated declaration.
///
/// # Panics
/// Where it has none; every one has.
#[must_use]
pub fn id_of(generated: &Generated) -> String {
    let id = generated.declaration.message_id.clone();
    id.expect("a generated declaration has an id")
}

fn body_of(generated: &Generated) -> Vec<u8> {
    serde_json::to_vec(&generated.declaration).expect("it is JSON")
}

/// Publishes as the gateway, which says for whom, and when it took the declaration.
///
/// # Panics
/// Where the broker does not confirm.
pub async fn publish(gateway: &Broker, declarations: &[Generated]) {
    for window in declarations.chunks(WINDOW) {
        let messages = window.iter().map(|generated| {
            let id = id_of(generated).parse().expect("a UUID");
            let mut message = declaration_message(id, body_of(generated), GATEWAY_USER);
            let headers = BTreeMap::from([
                (PARTY_HEADER.to_owned(), generated.party.to_string()),
                (
                    RECEIVED_HEADER.to_owned(),
                    noon(generated.received_on).to_string(),
                ),
            ]);
            message.headers.extend(headers);
            (Queue::Declarations, message)
        });
        let published = gateway.publish(messages.collect()).await;
        let published = published.expect("it is published");
        assert!(published.iter().all(|it| *it == Published::Confirmed));
    }
}

/// Clients of the gateway, each with its share of the declarations: first each is posted until it is taken, then its
/// outcome is asked for until it is there.
#[derive(Debug)]
pub struct Clients {
    running: JoinSet<()>,
    retries: Arc<AtomicU64>,
}

impl Clients {
    /// Starts them; each has a share of the declarations.
    #[must_use]
    pub fn start(gateway: &str, declarations: &[Generated]) -> Self {
        let mut running = JoinSet::new();
        let retries = Arc::new(AtomicU64::new(0));
        let share = declarations.len().div_ceil(CLIENTS).max(1);
        for own in declarations.chunks(share) {
            let client = GatewayClient {
                client: Client::new(),
                url: format!("{gateway}/v1/declarations"),
                retries: Arc::clone(&retries),
            };
            let own: Vec<_> = own.iter().map(|it| (id_of(it), body_of(it))).collect();
            running.spawn(client.run(own));
        }
        Self { running, retries }
    }

    /// Waits until all have their outcomes; gives how often one had to ask again.
    ///
    /// # Panics
    /// Where one was answered what it cannot understand.
    pub async fn finish(mut self) -> u64 {
        while let Some(ended) = self.running.join_next().await {
            ended.expect("a client ends well");
        }
        self.retries.load(Ordering::Relaxed)
    }
}

struct GatewayClient {
    client: Client,
    url: String,
    retries: Arc<AtomicU64>,
}

impl GatewayClient {
    async fn run(self, declarations: Vec<(String, Vec<u8>)>) {
        for (_, body) in &declarations {
            self.declare(body).await;
        }
        for (id, _) in &declarations {
            let outcome = self.outcome(id).await;
            assert_eq!(outcome["message_id"], id.as_str(), "{outcome}");
        }
    }

    async fn declare(&self, body: &[u8]) {
        loop {
            let request = self.client.post(&self.url).bearer_auth(TOKEN);
            let request = request.header(header::CONTENT_TYPE, "application/json");
            match request.body(body.to_vec()).send().await {
                Ok(answer) if answer.status() == StatusCode::ACCEPTED => return,
                // The gateway says that it may be sent again, or is gone: whether it was taken is not known.
                Ok(answer) => assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE),
                Err(_) => {}
            }
            self.pause().await;
        }
    }

    async fn outcome(&self, id: &str) -> Value {
        let url = format!("{}/{id}", self.url);
        loop {
            let answer = self.client.get(&url).bearer_auth(TOKEN).send().await;
            if let Ok(answer) = answer
                && answer.status() == StatusCode::OK
                && let Ok(outcome) = answer.json().await
            {
                return outcome;
            }
            self.pause().await;
        }
    }

    async fn pause(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(PAUSE).await;
    }
}
