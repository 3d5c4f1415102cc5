//! Actions on the quarantine from outside: seen before, confirmed with a reason, written down, done once.

use samenloop_adapters::{
    broker::{BatchLimits, Delivery, Queue},
    decision_store::QuarantineState,
};

use super::*;

const ELSEWHERE: &str = "http://attacker.example";

/// Deliveries of validation, the first the oldest; their bodies name them.
pub(super) async fn quarantined(operator: &Operator, count: u8) {
    let deliveries = (1..=count).map(|number| Quarantined {
        id: Uuid::from_u128(number.into()),
        stage: "validation".to_owned(),
        fingerprint: [number; 32],
        reason: "0001".to_owned(),
        problem: "has no message_id".to_owned(),
        party: Some(PartyId::new("sample-zorggroep")),
        message_id: format!("m{number}"),
        content_type: "application/json".to_owned(),
        sealed_body: operator
            .seal
            .seal(format!(r#"{{"bsn":"111222333","n":{number}}}"#).as_bytes()),
        quarantined_at: format!("2024-10-15T10:00:0{number}Z")
            .parse()
            .expect("an instant"),
        attempts: 1,
    });
    let kept = operator
        .store
        .quarantine(deliveries.collect(), Vec::new())
        .await;
    kept.expect("they are kept");
}

/// The value of a hidden field of a page.
fn hidden(page: &str, name: &str) -> String {
    let start = format!(r#"name="{name}" value=""#);
    let rest = page
        .split(&start)
        .nth(1)
        .unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap_or_default().to_owned()
}

async fn post(
    router: &Router,
    path: &str,
    form: &[(&str, &str)],
    origin: &str,
) -> (StatusCode, HeaderMap, String) {
    let mut body = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form {
        body.append_pair(name, value);
    }
    let request = Request::post(path)
        .header(header::HOST, "localhost:7440")
        .header(header::ORIGIN, origin)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.finish()));
    let response = router.clone().oneshot(request.expect("a request")).await;
    let (parts, body) = response.expect("it answers").into_parts();
    let body = to_bytes(body, 4 << 20).await.expect("a short body");
    let text = String::from_utf8(body.to_vec()).expect("pages are text");
    (parts.status, parts.headers, text)
}

const HERE: &str = "http://localhost:7440";

/// The action and its target as the preview shows them, confirmed.
async fn confirm(router: &Router, preview: &str) -> (StatusCode, HeaderMap, String) {
    let (status, _, page) = ask(router, preview, &[]).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let target = page
        .split(r#"method="post" action=""#)
        .nth(1)
        .expect("a form");
    let target = target
        .split('"')
        .next()
        .expect("a target")
        .replace("&#38;", "&");
    let (proof, count) = (hidden(&page, "proof"), hidden(&page, "count"));
    let form = [
        ("proof", proof.as_str()),
        ("count", &count),
        ("why", "the sender mended it"),
    ];
    post(router, &target, &form, HERE).await
}

/// Everything that waits in a queue, in order.
async fn taken(operator: &Operator, queue: Queue, count: usize) -> Vec<Delivery> {
    let consumer = operator.broker.consume(queue, BatchLimits::default()).await;
    let mut consumer = consumer.expect("the queue is there");
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.extend(consumer.next_batch().await.expect("a batch"));
    }
    taken
}

#[tokio::test]
async fn a_filtered_group_is_replayed_in_order_under_its_own_ids_and_written_down() {
    let operator = operator(None).await;
    quarantined(&operator, 3).await;
    let router = served(&operator, "127.0.0.1:5000");
    let group = "/quarantine/act?action=replay&state=waiting&reason=0001";
    let (status, headers, text) = confirm(&router, group).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{text}");
    let deliveries = taken(&operator, Queue::Declarations, 3).await;
    let ids: Vec<&str> = deliveries
        .iter()
        .map(|it| it.message.message_id.as_str())
        .collect();
    assert_eq!(ids, ["m1", "m2", "m3"], "the oldest first");
    let first = &deliveries[0].message;
    assert_eq!(
        first.body.as_ref(),
        br#"{"bsn":"111222333","n":1}"#,
        "the very bytes"
    );
    assert_eq!(first.headers["x-party"], "sample-zorggroep");
    assert_eq!(first.headers["x-received-at"], "2024-10-15T10:00:01Z");
    assert_eq!(first.user.as_deref(), Some("samenloop-operator"));

    let page = headers[header::LOCATION].to_str().expect("text");
    let operation = loop {
        let (_, _, text) = ask(&router, &format!("{page}.json"), &[]).await;
        let read: Value = serde_json::from_str(&text).expect("it is JSON");
        if !read["operations"]["rows"][0]["ended_at"].is_null() {
            break read["operations"]["rows"][0].clone();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(
        (
            &operation["matched"],
            &operation["done"],
            &operation["failed"]
        ),
        (&3.into(), &3.into(), &0.into())
    );
    assert_eq!(operation["reason"], "the sender mended it");
    let found = operator
        .store
        .quarantined_delivery(Uuid::from_u128(2))
        .await;
    let (row, events) = found.expect("it answers").expect("it is there");
    assert_eq!((row.state, events.len()), (QuarantineState::Replayed, 1));

    let (status, _, _) = ask(&router, group, &[]).await;
    assert_eq!(status, StatusCode::OK);
    let (_, _, text) = ask(&router, "/quarantine/act.json?action=replay", &[]).await;
    let preview: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(preview["count"], 0, "nothing waits any more");
}

#[tokio::test]
async fn nothing_is_done_without_proof_reason_and_what_was_shown() {
    let operator = operator(None).await;
    quarantined(&operator, 2).await;
    let router = served(&operator, "127.0.0.1:5000");
    let path = "/quarantine/act?action=discard&state=waiting";
    let (_, _, page) = ask(&router, path, &[]).await;
    let proof = hidden(&page, "proof");
    for (form, origin, wanted) in [
        (
            [("proof", "x"), ("count", "2"), ("why", "because")],
            HERE,
            StatusCode::FORBIDDEN,
        ),
        (
            [
                ("proof", proof.as_str()),
                ("count", "2"),
                ("why", "because"),
            ],
            ELSEWHERE,
            StatusCode::FORBIDDEN,
        ),
        (
            [("proof", proof.as_str()), ("count", "2"), ("why", "  ")],
            HERE,
            StatusCode::BAD_REQUEST,
        ),
        (
            [
                ("proof", proof.as_str()),
                ("count", "1"),
                ("why", "because"),
            ],
            HERE,
            StatusCode::CONFLICT,
        ),
    ] {
        let (status, _, text) = post(&router, path, &form, origin).await;
        assert_eq!(status, wanted, "{form:?}: {text}");
    }
    let (status, _, _) = ask(
        &router,
        "/quarantine/act?action=discard&state=replayed",
        &[],
    )
    .await;
    assert_eq!(
        status,
        StatusCode::CONFLICT,
        "what was replayed cannot be discarded"
    );
    let operations = operator
        .store
        .operations(None, 10)
        .await
        .expect("it answers");
    assert_eq!(operations, [], "nothing was begun");
}

#[tokio::test]
async fn a_body_is_shown_masked_once_the_look_is_written_down() {
    let operator = operator(None).await;
    quarantined(&operator, 1).await;
    let router = served(&operator, "127.0.0.1:5000");
    let path = format!("/quarantine/{}", Uuid::from_u128(1));
    let (_, _, page) = ask(&router, &path, &[]).await;
    assert!(
        !page.contains("111222333") && !page.contains("•••••••••"),
        "{page}"
    );
    let proof = hidden(&page, "proof");
    let look = [("proof", proof.as_str()), ("why", "the sender called")];
    let (status, _, page) = post(&router, &format!("{path}/body"), &look, HERE).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert!(
        page.contains("•••••••••") && !page.contains("111222333"),
        "{page}"
    );
    let operations = operator
        .store
        .operations(None, 10)
        .await
        .expect("it answers");
    let looks: Vec<_> = operations
        .iter()
        .map(|it| (it.kind.as_str(), it.reason.as_str()))
        .collect();
    assert_eq!(looks, [("look", "the sender called")]);
}
