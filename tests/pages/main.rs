//! What people and programs see over HTTP: every scenario runs through the embedded product, then a
//! party sends more over
//! the gateway, and the operator pages must show what became of all of it.

mod allowed;
mod browser;
mod sample;

use std::time::Duration;

use browser::Browser;
use reqwest::{Client, StatusCode, header};
use samenloop::{
    commands::role::{open_to, start_funding, start_gateway, start_operator},
    in_process::{self, InProcess},
};
use samenloop_adapters::{
    clock::noon,
    scenario::{self, Action, ScenarioSet},
    wire::digest,
};
use samenloop_domain::identifiers::Bsn;
use samenloop_operator::person::Person;
use sample::delivery;
use serde_json::{Value, json};

const TOKEN: &str = "the token of the zorggroep";
const PARTY: &str = "sample-zorggroep";

/// Far longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The sample, in which a party may use the gateway.
fn sample() -> ScenarioSet {
    let set = scenario::load_with(&harness::sample(), |data| {
        let hash = digest::hex(&digest::fingerprint(TOKEN.as_bytes()));
        let party = data.parties.iter_mut().find(|it| it.value.id == PARTY);
        let party = party.expect("the sample has it");
        party.value.gateway_credential_sha256 = Some(hash);
    });
    set.expect("the sample is good")
}

/// The declaration of scenario 1 once more under other names, as `lines` lines: all of it is double funding.
fn again(set: &ScenarioSet, message_id: &str, lines: usize) -> Value {
    let mut message: Value =
        serde_json::from_slice(&delivery(set, "1").body).expect("it is a declaration");
    let line = message["lines"][0].clone();
    let cents = line["declared_cents"].as_u64().expect("an amount");
    let numbered = (1..=lines).map(|number| {
        let mut line = line.clone();
        line["line_number"] = json!(number);
        line["line_reference"] = json!(format!("{}-{number}", &message_id[..13]));
        line
    });
    message["lines"] = numbered.collect();
    message["message_id"] = json!(message_id);
    message["invoice_number"] = json!(&message_id[..18]);
    message["control"] =
        json!({"line_count": lines, "debit_cents": cents * lines as u64, "credit_cents": 0});
    message
}

/// Posts a declaration and asks until its outcome is there.
async fn declare(gateway: &str, message: &Value) -> Value {
    let client = Client::new();
    let posted = client
        .post(format!("{gateway}/v1/declarations"))
        .bearer_auth(TOKEN)
        .header(header::CONTENT_TYPE, "application/json")
        .body(message.to_string());
    let posted = posted.send().await.expect("the gateway answers");
    assert_eq!(posted.status(), StatusCode::ACCEPTED);
    let location = posted.headers()[header::LOCATION].to_str().expect("text");
    let url = format!("{gateway}{location}");
    let asked = async {
        loop {
            let answer = client.get(&url).bearer_auth(TOKEN).send().await;
            let answer = answer.expect("the gateway answers");
            if answer.status() == StatusCode::OK {
                return answer.json().await.expect("an outcome");
            }
            assert_eq!(answer.status(), StatusCode::ACCEPTED);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let outcome = tokio::time::timeout(PATIENCE, asked).await;
    outcome.expect("the outcome comes")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_declared_can_be_followed_over_http() {
    let set = sample();
    let directory = tempfile::tempdir().expect("a directory");
    let config = in_process::embedded_in(directory.path());
    let product = InProcess::start(config, &set.reference, None).await;
    let mut product = product.expect("it starts");
    harness::product_path::run(&product, &set).await;
    product
        .node
        .clock
        .set(noon(jiff::civil::date(2024, 10, 15)));

    let (node, roles, shutdown) = (&product.node, &mut product.roles, &product.shutdown);
    let funding = start_funding(node, roles).await.expect("it starts");
    let gateway = start_gateway(node, &funding, roles, shutdown)
        .await
        .expect("it starts");
    let gateway = format!("http://{gateway}");
    let store = product.settlement.clone();
    let link = start_operator(node, store, roles, shutdown)
        .await
        .expect("it starts");

    let small = again(&set, "0b0f6f5e-1111-4000-8000-000000000001", 1);
    let outcome = declare(&gateway, &small).await;
    assert_eq!(outcome["lines"][0]["verdict"], "reject", "{outcome:#}");
    let first_evidence = &outcome["lines"][0]["evidence"][0];
    let own = delivery(&set, "1");
    let own: Value = serde_json::from_slice(&own.body).expect("it is a declaration");
    let reference = &own["lines"][0]["line_reference"];
    assert_eq!(
        &first_evidence["rival"]["line_reference"], reference,
        "its own rival is shown"
    );

    let large = again(&set, "0b0f6f5e-2222-4000-8000-000000000002", 2_100);
    let outcome = declare(&gateway, &large).await;
    let lines = outcome["lines"].as_array().expect("lines");
    assert!(
        lines
            .iter()
            .enumerate()
            .all(|(at, line)| line["line_number"] == json!(at + 1))
    );
    let whole = (lines.len(), &outcome["message_id"], &outcome["status"]);
    assert_eq!(whole, (2_100, &large["message_id"], &json!("rejected")));
    assert!(
        outcome["parts"]
            .as_array()
            .is_some_and(|parts| parts.len() > 1)
    );

    let another = start_gateway(node, &funding, roles, shutdown)
        .await
        .expect("it starts");
    let url = format!("http://{another}/v1/declarations/0b0f6f5e-2222-4000-8000-000000000002");
    let told = Client::new().get(url).bearer_auth(TOKEN).send().await;
    let told: Value = told.expect("it answers").json().await.expect("an outcome");
    assert_eq!(
        told, outcome,
        "a gateway that did not cut it joins it as well"
    );

    let browser = Browser::open(&link).await;
    shows_each_scenario(&browser, &set).await;
    shows_the_whole(&browser).await;
    browser.every_link_leads_somewhere(&bsns(&set)).await;

    let (node, roles, shutdown) = (&product.node, &mut product.roles, &product.shutdown);
    let persons = Person::parse_all("Een = purchaser:7095; Ander = purchaser:3311");
    let persons = persons.expect("they are persons");
    let links = open_to(node, persons, product.settlement.clone(), roles, shutdown).await;
    for (link, insurer) in links.expect("it starts").iter().zip(["7095", "3311"]) {
        let purchaser = Browser::open(link).await;
        allowed::a_purchaser_sees_its_own_insurer_only(&browser, &purchaser, insurer).await;
        allowed::a_purchaser_reviews_its_own_insurer_only(&browser, &purchaser, insurer).await;
    }
    product.stop().await.expect("it stops");
}

/// Each declaration of each scenario has its page, with its codes and what settlement has of it.
async fn shows_each_scenario(browser: &Browser, set: &ScenarioSet) {
    for number in ["1", "26", "34", "41", "83"] {
        let id = delivery(set, number).message_id;
        let twin = browser.json(&format!("/declarations/{id}.json")).await;
        let page = browser.page(&format!("/declarations/{id}")).await;
        for line in twin["lines"].as_array().expect("lines") {
            for reason in line["reasons"].as_array().expect("reasons") {
                let english = reason["explained"]["english"].as_str();
                let english = english.expect("a registered code");
                assert!(page.contains(english), "{number}: {english}");
            }
            for evidence in line["evidence"].as_array().expect("evidence") {
                let rule = evidence["rule"].as_str().expect("text");
                assert!(page.contains(rule), "{number}: {rule}");
            }
            assert!(
                line["declared"]["code"].is_string(),
                "{number}: what was declared is shown"
            );
        }
        assert!(
            page.contains("test codes, not NZa codes"),
            "{number}: the notice is there"
        );
    }
    let accepted = delivery(set, "1").message_id;
    let twin = browser
        .json(&format!("/declarations/{accepted}.json"))
        .await;
    let claim = &twin["claims"]["rows"][0];
    let parts = claim["parts_cents"].as_array().expect("parts");
    let sum: i64 = parts.iter().filter_map(Value::as_i64).sum();
    assert_eq!(json!(sum), claim["awarded_cents"], "the split adds up");
    assert_eq!(twin["log"]["hash"].as_str().map(str::len), Some(64));
}

/// The overview counts what was decided.
async fn shows_the_whole(browser: &Browser) {
    // Figures are those of the newest sample, which may be older than what was decided last.
    let sampled = async {
        loop {
            let overview = browser.json("/overview.json").await;
            if overview["lines"].as_u64() > Some(2_100) {
                return overview;
            }
        }
    };
    let overview = tokio::time::timeout(Duration::from_secs(60), sampled).await;
    let overview = overview.expect("a sample is taken after what was decided");
    for (what, wanted) in [
        ("broker", "answers"),
        ("store", "answers"),
        ("settlement", "answers"),
    ] {
        assert_eq!(overview[what], wanted, "{what}");
    }
    let lines = overview["lines"].as_u64().expect("a number");
    let verdicts = overview["verdicts"]["rows"].as_array().expect("verdicts");
    let counted: u64 = verdicts.iter().filter_map(|it| it["lines"].as_u64()).sum();
    assert_eq!(counted, lines);
    let metrics = browser.page("/metrics").await;
    assert!(
        metrics.contains("samenloop_gateway_declarations_total 2"),
        "{metrics}"
    );
}

/// Every BSN that was declared; what only stands in its place may be part of any other number.
fn bsns(set: &ScenarioSet) -> Vec<String> {
    let mut found = Vec::new();
    for scenario in &set.scenarios {
        for step in &scenario.steps {
            if let Action::Declare(delivery) = &step.action
                && let Ok(body) = serde_json::from_slice::<Value>(&delivery.body)
            {
                let lines = body["lines"].as_array().into_iter().flatten();
                let bsns = lines.filter_map(|line| line["insured"]["bsn"].as_str());
                let valid = bsns.filter(|bsn| Bsn::parse(bsn).is_some());
                found.extend(valid.map(ToOwned::to_owned));
            }
        }
    }
    assert!(!found.is_empty(), "the sample has lines with a BSN");
    found
}
