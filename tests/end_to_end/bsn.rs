//! A BSN stays where it may be: in the sender's message and in the memory of validation. After a whole run with BSNs in
//! good, wrong and unreadable messages, over both ways in, no stored byte, no log at its most talkative, no metric, no
//! header and no answer holds one.

use std::{collections::BTreeMap, fs, time::Duration};

use harness::{
    TOKEN,
    processes::{Processes, ROLES, Readiness},
    production::Production,
};
use samenloop::scenarios::declaration_message;
use samenloop_adapters::{
    broker::{
        BatchLimits, Broker, Message, Queue, Settle,
        rabbit::{RabbitBroker, RabbitOptions},
    },
    generate::Generator,
};
use samenloop_domain::identifiers::PartyId;
use samenloop_validation::handle::{GATEWAY_USER, PARTY_HEADER, RECEIVED_HEADER};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::sender::PATIENCE;

/// Numbers that pass the elfproef, one per way of sending.
const BSNS: [&str; 6] = [
    "123456782",
    "111222333",
    "999990019",
    "999990020",
    "999990032",
    "999990044",
];

/// What roles say at this level is more than anybody turns on; bodies of HTTP frames are logged by h2 alone.
const LOG_LEVEL: &str = "debug";

fn declaration(number: usize, bsn: &str, change: impl FnOnce(&mut Value)) -> (Uuid, Vec<u8>) {
    let (id, body) = crate::rotation::declaration(
        u32::try_from(100 + number).expect("small"),
        ["2024-07-01", "2024-07-31"],
    );
    let mut value: Value = serde_json::from_slice(&body).expect("it is JSON");
    value["lines"][0]["insured"]["bsn"] = json!(bsn);
    change(&mut value);
    (id, value.to_string().into_bytes())
}

/// One message per number: good twice, a wrong line, a BSN in another field, one that is cut, bytes around a number.
/// Numbered from `first`, so that those of two senders are different messages.
fn messages(first: usize) -> Vec<(Uuid, Vec<u8>)> {
    let [good, again, wrong, elsewhere, cut, bytes] = BSNS;
    let mut unreadable = declaration(first + 4, cut, |_| {});
    unreadable.1.truncate(unreadable.1.len() - 2);
    vec![
        declaration(first, good, |_| {}),
        declaration(first + 1, again, |_| {}),
        declaration(first + 2, wrong, |value| {
            value["lines"][0]["contract_id"] = json!("NONE")
        }),
        declaration(first + 3, elsewhere, |value| {
            value["lines"][0]["meeting"] = json!(elsewhere);
            value["lines"][0]["insured"]["bsn"] = json!(elsewhere.parse::<u64>().expect("digits"));
        }),
        unreadable,
        (
            Uuid::from_u128(0xbad),
            format!("\u{1} {bytes}").into_bytes(),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_stored_byte_log_metric_header_or_answer_holds_a_bsn() {
    let set = harness::generated_world(Generator::new(1, 1));
    let production = Production::new(&set.reference).await;
    production.activate(&set.reference).await;
    let logs = production.directory.path().join("logs");
    fs::create_dir(&logs).expect("it is made");
    let mut processes = Processes::new(&production).logging(LOG_LEVEL, &logs);
    ROLES.into_iter().for_each(|role| processes.start(role));
    processes.wait_until(&ROLES, Readiness::Green).await;

    let party = PartyId::new("sample-servicebureau");
    let gateway = RabbitBroker::new(&production.amqp(GATEWAY_USER), RabbitOptions::default());
    let gateway = Broker::Rabbit(gateway.expect("the URL is good"));
    for (id, body) in messages(0) {
        let mut message = declaration_message(id, body.clone(), GATEWAY_USER);
        message.headers = BTreeMap::from([
            (PARTY_HEADER.to_owned(), party.to_string()),
            (
                RECEIVED_HEADER.to_owned(),
                "2024-10-15T12:00:00Z".to_owned(),
            ),
        ]);
        let sent = gateway.publish(vec![(Queue::Declarations, message)]).await;
        sent.expect("it is published");
    }
    for (_, body) in messages(50) {
        let posted = reqwest::Client::new()
            .post(format!("{}/v1/declarations", processes.gateway))
            .bearer_auth(TOKEN)
            .header("content-type", "application/json")
            .body(body);
        let answer = posted.send().await.expect("the gateway answers");
        assert_clean(
            "an answer of the gateway",
            &answer.bytes().await.expect("a body"),
        );
    }
    // What has no readable message id is refused by the gateway itself, and answered by a refusal over AMQP.
    let mut received = answers(&production, &party, BSNS.len()).await;
    let poster = PartyId::new(harness::PARTY);
    received.extend(answers(&production, &poster, BSNS.len() - 2).await);
    for message in received {
        let headers = format!("{:?}", (&message.headers, &message.message_id));
        assert_clean("a header of an answer", headers.as_bytes());
        assert_clean("an answer", &message.body);
    }
    for role in ROLES {
        let metrics = processes.metrics(role).await;
        assert!(
            metrics.contains("samenloop_") || role != "detection",
            "{metrics}"
        );
        assert_clean(&format!("a metric of {role}"), metrics.as_bytes());
    }
    let stored = production.stored().await;
    let quarantined = stored
        .iter()
        .filter(|(table, _)| table == "decisions.quarantine");
    assert!(
        quarantined.count() >= 2,
        "what cannot be read is in quarantine"
    );
    for (table, row) in &stored {
        assert_clean(&format!("a row of {table}"), row.as_bytes());
    }
    drop(processes);
    for role in ROLES {
        let log = fs::read(logs.join(format!("{role}.log"))).expect("it has a log");
        assert!(!log.is_empty(), "{role} logs");
        assert_clean(&format!("the log of {role}"), &log);
    }
    production.close().await;
}

/// As text, in hexadecimal, or as a number in the eight bytes of PostgreSQL.
fn assert_clean(what: &str, bytes: &[u8]) {
    for bsn in BSNS {
        let hex: String = bsn.bytes().map(|byte| format!("{byte:02x}")).collect();
        for form in [bsn.to_owned(), hex] {
            let found = bytes
                .windows(form.len())
                .position(|it| it == form.as_bytes());
            if let Some(at) = found {
                let around = &bytes[at.saturating_sub(300)..(at + 100).min(bytes.len())];
                panic!("{what} holds {bsn}: {}", String::from_utf8_lossy(around));
            }
        }
    }
}

/// So many answers of a party, as they come from the broker.
async fn answers(production: &Production, party: &PartyId, due: usize) -> Vec<Message> {
    let broker = RabbitBroker::new(&production.amqp(party.as_str()), RabbitOptions::default());
    let broker = Broker::Rabbit(broker.expect("the URL is good"));
    let queue = Queue::Outcomes(party.clone());
    let consumer = broker.consume(queue, BatchLimits::default()).await;
    let mut consumer = consumer.expect("a consumer");
    let mut messages = Vec::new();
    while messages.len() < due {
        let batch = tokio::time::timeout(PATIENCE + Duration::from_secs(60), consumer.next_batch());
        let batch = batch
            .await
            .expect("answers come")
            .expect("the broker answers");
        let acks = batch.iter().map(|it| (it.tag, Settle::Ack)).collect();
        consumer.settle(acks).await.expect("acknowledged");
        messages.extend(batch.into_iter().map(|it| it.message));
    }
    messages
}
