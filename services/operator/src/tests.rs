//! The pages from outside: the embedded broker and stores in memory.

use std::net::SocketAddr;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::connect_info::MockConnectInfo,
    http::{HeaderMap, Request, StatusCode, header},
};
use samenloop_adapters::{
    broker::{
        Broker, Queue,
        embedded::{EmbeddedBroker, EmbeddedOptions},
    },
    clock::Clock,
    decision_store::{DecisionStore, Quarantined},
    fault_plan::FaultPlan,
    ids::Ids,
    reference_feed::ReferenceFeed,
    seal::SealingKey,
    settlement_store::SettlementStore,
    shutdown::Shutdown,
};
use samenloop_domain::identifiers::PartyId;
use serde_json::Value;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::{
    App, Link, OPERATIONS_MAX, Operator, SignIn, access::Access, person::Person, router, sampler,
};

mod acts;
mod allowed;

const PAGES: [&str; 12] = [
    "/",
    "/declarations",
    "/quarantine",
    "/reviews",
    "/queues",
    "/parked",
    "/subscribers",
    "/reference",
    "/contracts",
    "/versions",
    "/operations",
    "/reasons",
];

async fn operator(token: Option<&str>) -> Operator {
    let memory = EmbeddedBroker::open(":memory:", EmbeddedOptions::default(), FaultPlan::default());
    let broker = Broker::Embedded(memory.expect("a broker in memory"));
    let queues = [Queue::Declarations, Queue::Validated, Queue::Commands];
    broker
        .check_topology(&queues)
        .await
        .expect("queues are made");
    let store = DecisionStore::open("sqlite::memory:", FaultPlan::default());
    let store = store.await.expect("a store in memory");
    let settlement = SettlementStore::open("sqlite::memory:", FaultPlan::default());
    Operator {
        broker,
        settlement: Some(settlement.await.expect("a store in memory")),
        reference: ReferenceFeed::new(store.clone()),
        store,
        clock: Clock::scenario("2024-10-15T10:00:00Z".parse().expect("an instant")),
        ids: Ids::seeded(7),
        seal: SealingKey::new(&[7; 32]),
        metrics: None,
        sign_in: match token {
            None => SignIn::Anybody(person("whoever = operator auditor")),
            Some(token) => SignIn::Links(vec![Link {
                token: token.to_owned(),
                person: person("whoever = operator auditor"),
            }]),
        },
    }
}

fn person(text: &str) -> Person {
    Person::parse_all(text).expect("it is good").remove(0)
}

fn served(operator: &Operator, peer: &str) -> Router {
    let app = App {
        access: Access::new(operator.sign_in.clone()).into(),
        samples: sampler::Samples::default(),
        running: Semaphore::new(OPERATIONS_MAX).into(),
        shutdown: Shutdown::new(),
        operator: operator.clone(),
    };
    let peer: SocketAddr = peer.parse().expect("an address");
    router(app).layer(MockConnectInfo(peer))
}

async fn ask(
    router: &Router,
    path: &str,
    more: &[(&str, &str)],
) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::get(path).header(header::HOST, "localhost:7440");
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = router.clone().oneshot(request).await;
    let (parts, body) = response.expect("it answers").into_parts();
    let body = to_bytes(body, 4 << 20).await.expect("a short body");
    let text = String::from_utf8(body.to_vec()).expect("pages are text");
    (parts.status, parts.headers, text)
}

#[tokio::test]
async fn pages_answer_before_anything_has_happened_and_allow_no_script() {
    let router = served(&operator(None).await, "127.0.0.1:5000");
    for path in PAGES {
        let (status, headers, text) = ask(&router, path, &[]).await;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        let policy = headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .expect("text");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
        for banned in ["<script", " style=", " onclick", "<style"] {
            assert!(!text.contains(banned), "{path} has {banned}");
        }
    }
    let (_, _, overview) = ask(&router, "/", &[]).await;
    assert!(overview.contains("No reference data is in force"));
}

#[tokio::test]
async fn every_page_has_a_twin_for_programs() {
    let router = served(&operator(None).await, "127.0.0.1:5000");
    let json = [("accept", "application/json")];
    for path in PAGES {
        let (status, headers, text) = ask(&router, path, &json).await;
        let kind = &headers[header::CONTENT_TYPE];
        assert_eq!(
            (status, kind.as_bytes()),
            (StatusCode::OK, &b"application/json"[..])
        );
        let by_path = if path == "/" { "/overview" } else { path };
        let (_, _, twin) = ask(&router, &format!("{by_path}.json"), &[]).await;
        let read = |text: &str| serde_json::from_str::<Value>(text).expect("it is JSON");
        let (mut one, mut other) = (read(&text), read(&twin));
        // Two looks at the queues are two looks.
        one["taken_at"] = Value::Null;
        other["taken_at"] = Value::Null;
        assert_eq!(one, other, "{path}");
    }
    let path = format!("/declarations/{}.json", Uuid::from_u128(1));
    let (status, headers, _) = ask(&router, &path, &[]).await;
    let kind = &headers[header::CONTENT_TYPE];
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(kind.as_bytes(), b"application/problem+json");
}

#[tokio::test]
async fn quarantine_shows_what_is_known_of_a_delivery_and_nothing_of_its_body() {
    let operator = operator(None).await;
    let delivery = Quarantined {
        id: Uuid::from_u128(9),
        stage: "validation".to_owned(),
        fingerprint: [0xab; 32],
        reason: "0001".to_owned(),
        problem: "is no <JSON>".to_owned(),
        party: Some(PartyId::new("sample-zorggroep")),
        message_id: "<m>".to_owned(),
        content_type: "application/json".to_owned(),
        sealed_body: b"sealed body".to_vec(),
        quarantined_at: "2024-10-15T10:00:00Z".parse().expect("an instant"),
        attempts: 3,
    };
    let kept = operator.store.quarantine(vec![delivery], Vec::new()).await;
    kept.expect("it is kept");
    let router = served(&operator, "127.0.0.1:5000");
    let (_, _, text) = ask(&router, "/quarantine", &[]).await;
    for shown in [
        "validation",
        "/reasons?q=0001",
        "sample-zorggroep",
        "2024-10-15 12:00:00 CEST",
        "abababab",
        "is no &#60;JSON&#62;",
    ] {
        assert!(text.contains(shown), "{shown} is missing: {text}");
    }
    let (_, _, json) = ask(&router, "/quarantine.json", &[]).await;
    assert!(
        !text.contains("sealed body") && !json.contains("sealed"),
        "{json}"
    );
    assert!(!text.contains("<m>"), "what a sender wrote is escaped");
    let (_, _, overview) = ask(&router, "/", &[]).await;
    assert!(
        overview.contains("Deliveries in quarantine: 1."),
        "{overview}"
    );
}

#[tokio::test]
async fn the_link_opens_the_pages_for_one_browser_on_this_machine() {
    let operator = operator(Some("secret")).await;
    let router = served(&operator, "127.0.0.1:5000");
    assert_eq!(ask(&router, "/", &[]).await.0, StatusCode::UNAUTHORIZED);
    let (status, headers, _) = ask(&router, "/?token=secret", &[]).await;
    assert_eq!(
        (status, headers[header::LOCATION].as_bytes()),
        (StatusCode::SEE_OTHER, &b"/"[..])
    );
    let cookie = headers[header::SET_COOKIE]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let session = cookie.split(';').next().expect("a cookie");
    let (status, _, _) = ask(&router, "/declarations", &[("cookie", session)]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        ask(&router, "/?token=secret", &[]).await.0,
        StatusCode::UNAUTHORIZED
    );
    let elsewhere = served(&operator, "192.0.2.1:5000");
    let (status, _, _) = ask(&elsewhere, "/", &[("cookie", session)]).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    for open in ["/healthz", "/readyz", "/site.css"] {
        assert_eq!(ask(&elsewhere, open, &[]).await.0, StatusCode::OK, "{open}");
    }
}

#[tokio::test]
async fn a_message_id_leads_to_its_declaration() {
    let router = served(&operator(None).await, "127.0.0.1:5000");
    let id = "6F1C2F0E-0000-4000-8000-000000000001";
    let (status, headers, _) = ask(&router, &format!("/declarations?message_id={id}"), &[]).await;
    let location = headers[header::LOCATION].to_str().expect("text");
    let wanted = format!("/declarations/{}", id.to_lowercase());
    assert_eq!((status, location), (StatusCode::SEE_OTHER, wanted.as_str()));
    for (path, wanted) in [
        (
            "/declarations?message_id=x",
            "What was entered is no message id",
        ),
        (location, "No declaration"),
        ("/nothing", "is not a page"),
    ] {
        let (status, _, text) = ask(&router, path, &[]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert!(text.contains(wanted), "{path}: {text}");
    }
    for path in ["/declarations?cursor=x", "/reasons?sort=weight"] {
        let (status, _, text) = ask(&router, path, &[]).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {text}");
    }
}

#[tokio::test]
async fn pages_are_dutch_for_whoever_prefers_it_or_chose_it() {
    let router = served(&operator(None).await, "127.0.0.1:5000");
    let dutch = [("accept-language", "nl-NL,nl;q=0.9,en;q=0.5")];
    let (_, _, text) = ask(&router, "/", &dutch).await;
    assert!(text.contains("<html lang=\"nl\">") && text.contains("Overzicht"));
    let back = "/language?to=en&back=%2Freasons%3Fq%3D0001";
    let (status, headers, _) = ask(&router, back, &dutch).await;
    let location = headers[header::LOCATION].to_str().expect("text");
    assert_eq!(
        (status, location),
        (StatusCode::SEE_OTHER, "/reasons?q=0001")
    );
    let cookie = headers[header::SET_COOKIE].to_str().expect("text");
    let chosen = cookie.split(';').next().expect("a cookie");
    let asked = [dutch[0], ("cookie", chosen)];
    let (_, _, text) = ask(&router, location, &asked).await;
    assert!(
        text.contains("<html lang=\"en\">"),
        "the choice stands: {text}"
    );
}

#[tokio::test]
async fn a_list_is_csv_for_whoever_asks() {
    let router = served(&operator(None).await, "127.0.0.1:5000");
    let (status, headers, text) = ask(&router, "/reasons.csv?q=0586", &[]).await;
    assert_eq!(status, StatusCode::OK);
    let kind = headers[header::CONTENT_TYPE].to_str().expect("text");
    assert!(kind.starts_with("text/csv"), "{kind}");
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("code,level,english,dutch,remedy,needs,basis,source")
    );
    assert!(
        lines
            .next()
            .is_some_and(|line| line.starts_with("0586,line,")),
        "{text}"
    );
    let (status, _, _) = ask(&router, "/overview.csv?list=nothing", &[]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _, text) = ask(&router, "/overview.csv?list=verdicts", &[]).await;
    assert_eq!(
        (status, text.as_str()),
        (StatusCode::OK, "verdict,lines,basis_points\n")
    );
}

#[tokio::test]
async fn a_page_is_loaded_again_by_itself_only_where_its_address_asks() {
    let router = served(&operator(None).await, "127.0.0.1:5000");
    for (path, wanted) in [
        ("/queues?live=on", Some("5")),
        ("/queues", None),
        ("/queues.json?live=on", None),
    ] {
        let (status, headers, _) = ask(&router, path, &[]).await;
        let again = headers.get(header::REFRESH);
        let again = again.map(|it| it.to_str().expect("text"));
        assert_eq!((status, again), (StatusCode::OK, wanted), "{path}");
    }
}
