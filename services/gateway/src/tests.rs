//! The gateway from outside: real requests, the embedded broker and SQLite in memory. What it puts on the queue is
//! taken from there again; nobody validates or decides.

use std::path::Path;

use axum::{
    body::{Body, to_bytes},
    http::{Request, Response, StatusCode, header},
};
use samenloop_adapters::{
    broker::{
        BatchLimits, Broker, Message, Queue,
        embedded::{EmbeddedBroker, EmbeddedOptions},
    },
    clock::Clock,
    decision_store::{DecisionBatch, DecisionStore, NewLogEntry, StoredReference},
    fault_plan::{Fault, FaultPlan, FaultPoint},
    funding_client::FundingClient,
    ids::Ids,
    reference,
    reference_feed::ReferenceFeed,
    shutdown::Shutdown,
    wire::{digest, v1},
};
use samenloop_domain::identifiers::Sequence;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{BODY_BYTES_MAX, GATEWAY_USER, Gateway, router};

const TOKEN: &str = "the token of the zorggroep";
const OTHER_TOKEN: &str = "the token of the netwerk";
const ID: &str = "6f1c2f0e-0000-4000-8000-000000000001";

struct World {
    gateway: Gateway,
    router: axum::Router,
}

impl World {
    /// The sample, in which two parties have a credential.
    async fn new(faults: FaultPlan) -> Self {
        let memory = EmbeddedBroker::open(":memory:", EmbeddedOptions::default(), faults);
        let broker = Broker::Embedded(memory.expect("a broker in memory"));
        let queues = [Queue::Declarations];
        broker
            .check_topology(&queues)
            .await
            .expect("the queue is made");
        let store = DecisionStore::open("sqlite::memory:", FaultPlan::default());
        let store = store.await.expect("a store in memory");
        activate(&store).await;
        let gateway = Gateway {
            broker,
            reference: ReferenceFeed::new(store.clone()),
            store,
            clock: Clock::scenario("2024-10-15T10:00:00Z".parse().expect("an instant")),
            ids: Ids::seeded(7),
            funding: FundingClient::new("http://127.0.0.1:1", None).expect("an endpoint"),
        };
        let router = router(gateway.clone(), Shutdown::new());
        Self { gateway, router }
    }

    async fn ask(&self, request: Request<Body>) -> (StatusCode, Response<()>, Value) {
        let response = self.router.clone().oneshot(request).await;
        let (parts, body) = response.expect("it answers").into_parts();
        let body = to_bytes(body, 1 << 20).await.expect("a short body");
        let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        (parts.status, Response::from_parts(parts, ()), value)
    }

    async fn post(&self, token: &str, kind: &str, body: impl Into<Body>) -> (StatusCode, Value) {
        let request = Request::post("/v1/declarations")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, kind)
            .body(body.into());
        let (status, _, value) = self.ask(request.expect("a request")).await;
        (status, value)
    }

    async fn show(&self, token: &str, id: &str) -> (StatusCode, Value) {
        let request = Request::get(format!("/v1/declarations/{id}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty());
        let (status, _, value) = self.ask(request.expect("a request")).await;
        (status, value)
    }

    /// What is on the queue.
    async fn queued(&self, count: usize) -> Vec<Message> {
        let limits = BatchLimits {
            bytes_max: 64 << 20,
            ..BatchLimits::default()
        };
        let consumer = self.gateway.broker.consume(Queue::Declarations, limits);
        let mut consumer = consumer.await.expect("it is consumed");
        let mut messages = Vec::new();
        while messages.len() < count {
            let batch = consumer.next_batch().await.expect("a batch");
            messages.extend(batch.into_iter().map(|delivery| delivery.message));
        }
        messages
    }
}

async fn activate(store: &DecisionStore) {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/sample/reference");
    let mut data = reference::read(Path::new(sample)).expect("the sample is good");
    for (party, token) in [("sample-zorggroep", TOKEN), ("sample-netwerk", OTHER_TOKEN)] {
        let hash = digest::hex(&digest::fingerprint(token.as_bytes()));
        let entry = data
            .parties
            .iter_mut()
            .find(|entry| entry.value.id == party);
        entry
            .expect("the sample has it")
            .value
            .gateway_credential_sha256 = Some(hash);
    }
    let loaded = reference::finish(data).expect("the sample is good");
    let stored = StoredReference {
        version: loaded.reference.version.clone(),
        digest: loaded.digest,
        canonical: loaded.canonical,
        sequence: Some(Sequence(1)),
    };
    let batch = DecisionBatch {
        log: vec![NewLogEntry {
            sequence: Sequence(1),
            kind: "reference_activated",
            recorded_at: "2024-01-01T12:00:00Z".parse().expect("an instant"),
            body: Vec::new(),
        }],
        activated: vec![stored],
        ..DecisionBatch::default()
    };
    let transaction = store.begin().await.expect("a transaction");
    transaction.commit(batch).await.expect("it commits");
}

fn sample() -> Value {
    serde_json::from_str(include_str!("../../../deploy/sample/messages/c1-q3.json"))
        .expect("the sample message is JSON")
}

/// A declaration of debits in as many contracts, and at the end a credit of the first line.
fn large(debits: usize) -> Value {
    let mut message = sample();
    let template = message["lines"][0].clone();
    let mut lines = Vec::new();
    for number in 1..=debits {
        let mut line = template.clone();
        line["line_number"] = json!(number);
        line["line_reference"] = json!(format!("L{number}"));
        line["contract_id"] = json!(format!("C{number}"));
        lines.push(line);
    }
    let mut credit = lines[0].clone();
    credit["line_number"] = json!(debits + 1);
    credit["direction"] = json!("credit");
    lines.push(credit);
    message["control"] = json!({
        "line_count": lines.len(), "debit_cents": 2_800_000 * debits, "credit_cents": 2_800_000
    });
    message["lines"] = json!(lines);
    message
}

#[tokio::test]
async fn a_declaration_is_on_the_queue_before_it_is_answered() {
    let world = World::new(FaultPlan::default()).await;
    let body = sample().to_string();
    let request = Request::post("/v1/declarations")
        .header(header::AUTHORIZATION, format!("bearer {TOKEN}"))
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .body(Body::from(body.clone()));
    let (status, response, value) = world.ask(request.expect("a request")).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{value}");
    let location = response.headers().get(header::LOCATION);
    let location = location.and_then(|value| value.to_str().ok());
    assert_eq!(location, Some(format!("/v1/declarations/{ID}").as_str()));
    let message = world.queued(1).await.remove(0);
    assert_eq!(message.body, body.as_bytes());
    assert_eq!(message.message_id, ID);
    assert_eq!(message.user.as_deref(), Some(GATEWAY_USER));
    assert_eq!(message.headers["x-party"], "sample-zorggroep");
    assert_eq!(message.headers["x-received-at"], "2024-10-15T10:00:00Z");
    assert!(message.headers["traceparent"].starts_with("00-"));
}

#[tokio::test]
async fn who_may_not_or_sends_what_cannot_be_read_is_told_why() {
    let world = World::new(FaultPlan::default()).await;
    let good = || sample().to_string();
    let json = "application/json";
    let cases = [
        ("no such token", json, good(), 401, "unauthorized"),
        ("", json, good(), 401, "unauthorized"),
        (TOKEN, "text/xml", good(), 415, "content-type"),
        (TOKEN, json, "{".to_owned(), 400, "malformed"),
        (
            TOKEN,
            json,
            r#"{"message_id":"x"}"#.to_owned(),
            400,
            "malformed",
        ),
        (TOKEN, "application/x-protobuf", good(), 400, "malformed"),
    ];
    for (token, kind, body, wanted, problem) in cases {
        let (status, value) = world.post(token, kind, body).await;
        let kind = format!("urn:samenloop:problem:{problem}");
        assert_eq!((status.as_u16(), &value["type"]), (wanted, &json!(kind)));
        let has = |field: &str| value[field].as_str().is_some_and(|text| !text.is_empty());
        assert!(has("title") && has("detail") && has("remedy"), "{value}");
    }
    let depth = world.gateway.broker.depth(&Queue::Declarations).await;
    assert_eq!(depth.expect("it answers").ready, 0, "nothing was queued");
}

#[tokio::test]
async fn a_declaration_too_large_for_a_queue_is_cut_into_parts_that_keep_credits_with_their_debits()
{
    let world = World::new(FaultPlan::default()).await;
    let whole = large(4_500);
    let (status, value) = world
        .post(TOKEN, "application/json", whole.to_string())
        .await;
    assert_eq!(
        (status, &value["message_id"]),
        (StatusCode::ACCEPTED, &json!(ID))
    );
    let count = value["parts"].as_u64().expect("a number") as usize;
    assert!(count >= 3, "{count}");
    let (status, again) = world
        .post(TOKEN, "application/json", whole.to_string())
        .await;
    assert_eq!((status, &again), (StatusCode::ACCEPTED, &value));
    let messages = world.queued(2 * count).await;
    let bodies: Vec<_> = messages.iter().map(|message| &message.body).collect();
    assert_eq!(bodies[..count], bodies[count..], "a resend is the same");
    let mut lines = Vec::new();
    for (number, message) in messages[..count].iter().enumerate() {
        assert!(message.body.len() <= samenloop_adapters::broker::BODY_BYTES_MAX);
        let part: v1::Declaration = serde_json::from_slice(&message.body).expect("a declaration");
        assert_eq!(
            part.message_id.as_deref(),
            Some(message.message_id.as_str())
        );
        let place = (part.invoice_part, part.invoice_parts);
        assert_eq!(place, (Some(number as u32 + 1), Some(count as u32)));
        let control = part.control.expect("it is written");
        assert_eq!(control.line_count, Some(part.lines.len() as u32));
        let contracts: Vec<_> = part
            .lines
            .iter()
            .map(|line| line.contract_id.clone())
            .collect();
        let first = contracts
            .iter()
            .filter(|id| id.as_deref() == Some("C1"))
            .count();
        assert!(first == 0 || first == 2, "the credit is beside its debit");
        lines.extend(part.lines.into_iter().filter_map(|line| line.line_number));
    }
    lines.sort_unstable();
    assert!(lines.into_iter().eq(1..=4_501), "every line is there once");
}

#[tokio::test]
async fn what_cannot_be_cut_safely_is_refused() {
    let world = World::new(FaultPlan::default()).await;
    let mut truncated = large(2_100);
    truncated["control"]["line_count"] = json!(2_102);
    let mut part = large(2_100);
    part["invoice_parts"] = json!(2);
    let mut together = large(2_100);
    for line in together["lines"].as_array_mut().expect("lines") {
        line["contract_id"] = json!("C1");
    }
    let mut unreadable = large(2_100);
    unreadable["lines"][3]["declared_cents"] = json!("28000");
    let twice = large(2_100)
        .to_string()
        .replacen('{', r#"{"kind":"test","#, 1);
    for (body, status, place) in [
        (truncated.to_string(), 400, "/control"),
        (part.to_string(), 413, ""),
        (together.to_string(), 413, ""),
        (unreadable.to_string(), 400, "/lines/3"),
        (twice, 400, ""),
    ] {
        let (answer, value) = world.post(TOKEN, "application/json", body).await;
        let path = value["faults"][0]["path"].as_str().unwrap_or_default();
        assert_eq!((answer.as_u16(), path), (status, place), "{value}");
    }
    let huge = vec![b' '; BODY_BYTES_MAX + 1];
    let (answer, _) = world.post(TOKEN, "application/json", huge).await;
    assert_eq!(answer, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn only_its_party_hears_that_a_declaration_is_on_its_way() {
    let world = World::new(FaultPlan::default()).await;
    assert_eq!(world.show(TOKEN, ID).await.0, StatusCode::NOT_FOUND);
    let body = sample().to_string();
    let (status, _) = world.post(TOKEN, "application/json", body).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let (status, value) = world.show(TOKEN, ID).await;
    let answer = (status, &value["status"]);
    assert_eq!(answer, (StatusCode::ACCEPTED, &json!("on_its_way")));
    assert_eq!(world.show(OTHER_TOKEN, ID).await.0, StatusCode::NOT_FOUND);
    assert_eq!(world.show(TOKEN, "no-uuid").await.0, StatusCode::NOT_FOUND);
    assert_eq!(world.show("x", ID).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_unconfirmed_declaration_is_not_answered_as_taken() {
    let faults = FaultPlan::default().with(FaultPoint::OnSend, 1, Fault::Error);
    let world = World::new(faults).await;
    let body = sample().to_string();
    let (status, value) = world.post(TOKEN, "application/json", body).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{value}");
    assert_eq!(world.show(TOKEN, ID).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn probes_say_what_answers() {
    let world = World::new(FaultPlan::default()).await;
    let get = |path: &str| Request::get(path).body(Body::empty()).expect("a request");
    assert_eq!(world.ask(get("/healthz")).await.0, StatusCode::OK);
    let (status, _, value) = world.ask(get("/readyz")).await;
    assert_eq!(status, StatusCode::OK, "{value}");
    let (status, _, value) = world.ask(get("/v1/nothing")).await;
    assert_eq!(
        (status, &value["status"]),
        (StatusCode::NOT_FOUND, &json!(404))
    );
}
