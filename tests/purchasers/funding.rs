//! Questions over HTTP and gRPC.

use reqwest::{Client, StatusCode, header};
use samenloop::commands::role::{start_funding, start_gateway};
use samenloop_adapters::{
    funding_client::{FundingClient, FundingError},
    wire::{JSON, PROTOBUF, v1},
};
use samenloop_domain::identifiers::PartyId;
use samenloop_proto::funding::v1::{
    CheckFundingRequest, check_funding_request::Asked, funding_client,
};
use serde_json::Value;

use crate::{PARTY, TOKEN, cli::samenloop, decided, delivery, once_more, sample};

async fn post(gateway: &str, token: &str, body: impl Into<reqwest::Body>) -> (StatusCode, Value) {
    let asked = Client::new()
        .post(format!("{gateway}/v1/checks"))
        .bearer_auth(token)
        .header(header::CONTENT_TYPE, JSON)
        .body(body);
    let answer = asked.send().await.expect("the gateway answers");
    let status = answer.status();
    (status, answer.json().await.expect("JSON"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_become_of_a_declaration_is_told_and_nothing_is_written() {
    let set = sample();
    let directory = tempfile::tempdir().expect("a directory");
    let mut product = decided(directory.path(), &set).await;
    let (node, roles, shutdown) = (&product.node, &mut product.roles, &product.shutdown);
    let funding = start_funding(node, roles).await.expect("it starts");
    let gateway = start_gateway(node, &funding, roles, shutdown).await;
    let gateway = format!("http://{}", gateway.expect("it starts"));
    let before = node.decisions.head().await.expect("the store answers");

    // Its own rival is shown.
    let message = once_more(delivery(&set, "1", None));
    let (status, answer) = post(&gateway, TOKEN, message.to_string()).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let line = &answer["outcome"]["lines"][0];
    assert_eq!(line["verdict"], "reject", "{answer:#}");
    assert_eq!(line["reasons"][0]["code"], "0587", "{answer:#}");
    let own: Value = serde_json::from_slice(&delivery(&set, "1", None).body).expect("JSON");
    let rival = &line["evidence"][0]["rival"];
    assert_eq!(rival["line_reference"], own["lines"][0]["line_reference"]);
    assert_eq!(answer["outcome"]["sequence"], 0, "nothing was decided");
    assert_eq!(answer["sequence"], before.sequence.0);

    // The same question gets the same answer: nothing was registered.
    assert_eq!(post(&gateway, TOKEN, message.to_string()).await.1, answer);

    // The command line asks the same, and so gets the same.
    let file = directory.path().join("once-more.json");
    std::fs::write(&file, message.to_string()).expect("written");
    let file = file.to_str().expect("a path of text");
    let asked = [
        "check",
        file,
        "--json",
        "--gateway",
        &gateway,
        "--credential",
    ];
    let by_party = [&asked[..], &[TOKEN]].concat();
    let (status, printed, errors) = samenloop(directory.path(), &by_party).await;
    assert_eq!(status, 1, "{printed}{errors}");
    let told: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(told["outcomes"][0], answer["outcome"]);
    assert_eq!(
        (&told["sequence"], &told["clear"]),
        (&answer["sequence"], &false.into())
    );
    let by_nobody = [&asked[..], &["nobody's"]].concat();
    let (status, _, errors) = samenloop(directory.path(), &by_nobody).await;
    assert!(status == 1 && errors.contains("401"), "{errors}");

    // Bad questions.
    let (status, problem) = post(&gateway, TOKEN, r#"{"message_id":"no","colour":1}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    assert!(problem["faults"].as_array().is_some_and(|it| it.len() > 5));
    let (status, _) = post(&gateway, "nobody's", message.to_string()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, problem) = post(&gateway, TOKEN, vec![b' '; (1 << 20) + 1]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{problem}");

    over_grpc(&funding, &message).await;
    let after = node.decisions.head().await.expect("the store answers");
    assert_eq!(after, before);
    let id = message["message_id"].as_str().expect("text");
    let known = node.decisions.message(id.parse().expect("a UUID")).await;
    assert_eq!(known.expect("the store answers"), None);
    product.stop().await.expect("it stops");
}

async fn over_grpc(funding: &str, message: &Value) {
    let client = FundingClient::new(funding, None).expect("an endpoint");
    let party = PartyId::new(PARTY);
    let json = message.to_string().into_bytes();
    let of_json = client.check(&party, JSON, json).await.expect("an answer");
    let typed: v1::Declaration = serde_json::from_value(message.clone()).expect("a declaration");
    let bytes = prost::Message::encode_to_vec(&typed);
    let of_protobuf = client.check(&party, PROTOBUF, bytes).await;
    assert_eq!(of_protobuf.expect("an answer").outcome, of_json.outcome);

    let mut plain = funding_client::FundingClient::connect(funding.to_owned())
        .await
        .expect("it listens");
    let request = CheckFundingRequest {
        asked: Some(Asked::Declaration(typed)),
    };
    let nameless = plain.check_funding(request.clone()).await;
    let nameless = nameless.expect_err("nobody is named");
    assert_eq!(nameless.code(), tonic::Code::InvalidArgument, "{nameless}");
    let mut named = tonic::Request::new(request.clone());
    let metadata = named.metadata_mut();
    metadata.insert("x-party", PARTY.parse().expect("ASCII"));
    let answer = plain.check_funding(named).await.expect("an answer");
    assert_eq!(answer.into_inner().outcome, of_json.outcome);

    // Who has no mandate is refused as a sender would be, and learns nothing of the lines.
    let mut other = tonic::Request::new(request);
    let metadata = other.metadata_mut();
    metadata.insert("x-party", "sample-netwerk".parse().expect("ASCII"));
    let answer = plain.check_funding(other).await.expect("an answer");
    let outcome = answer.into_inner().outcome.expect("an outcome");
    let codes: Vec<&str> = outcome.reasons.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["8023"]);
    assert!(outcome.lines.iter().all(|line| line.evidence.is_empty()));

    let malformed = client.check(&party, JSON, b"{}".to_vec()).await;
    assert!(
        matches!(&malformed, Err(FundingError::Malformed(faults)) if faults.len() > 5),
        "{malformed:?}"
    );
}

/// Goal: asked once more, no declaration of the sample learns the names of another's line.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_names_another_partys_line() {
    let set = sample();
    let directory = tempfile::tempdir().expect("a directory");
    let mut product = decided(directory.path(), &set).await;
    let funding = start_funding(&product.node, &mut product.roles).await;
    let client = FundingClient::new(&funding.expect("it starts"), None).expect("an endpoint");
    let mut hidden = 0;
    for number in ["34", "37", "39", "40", "83"] {
        let delivery = delivery(&set, number, None);
        let message = once_more(delivery);
        let body = message.to_string().into_bytes();
        let answer = client.check(&delivery.party, JSON, body).await;
        let outcome = answer.expect("an answer").outcome.expect("an outcome");
        let own = outcome.declarant_agb.clone();
        for evidence in outcome.lines.iter().flat_map(|line| &line.evidence) {
            match &evidence.rival {
                Some(rival) => assert_eq!(rival.declarant_agb, own, "{number}"),
                None => {
                    hidden += 1;
                    assert!(
                        evidence.shared_agbs.is_empty() && evidence.shared_activities.is_empty()
                    );
                }
            }
        }
    }
    assert!(hidden > 0, "some rival is another's");
    product.stop().await.expect("it stops");
}
