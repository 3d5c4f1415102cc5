//! RabbitMQ: lost and stalled connections, cancelled consumers, users and their rights, the
//! topology as applied.

use std::time::Duration;

use harness::relay::Relay;
use samenloop_adapters::broker::{
    BatchLimits, Broker, BrokerError, Consumer, Queue, Settle,
    rabbit::RabbitOptions,
    topology::{self, PartyAccess, Topology, TopologyError},
};
use tokio::time::{Instant, timeout};

use super::world::{PATIENCE, Vhost, bodies, message, next, party_queue, sort, take};

use Queue::Declarations as QUEUE;

const HEARTBEAT: Duration = Duration::from_secs(1);

fn impatient() -> RabbitOptions {
    RabbitOptions {
        heartbeat: HEARTBEAT,
        connect_timeout: Duration::from_secs(3),
        answer_timeout: Duration::from_secs(4),
        backoff_max: Duration::from_millis(500),
        ..RabbitOptions::default()
    }
}

async fn relayed(vhost: &Vhost) -> (Relay, Broker) {
    let relay = Relay::start(&vhost.uri.authority.host, vhost.uri.authority.port).await;
    let broker = vhost.broker_at(relay.port, impatient());
    (relay, broker)
}

async fn publish(broker: &Broker, body: u32) -> Result<(), BrokerError> {
    broker
        .publish(vec![(QUEUE, message(body))])
        .await
        .map(|_| ())
}

/// Until the broker is there again.
async fn retry<T>(mut what: impl AsyncFnMut() -> Result<T, BrokerError>) -> T {
    let tried = async {
        loop {
            match what().await {
                Ok(done) => return done,
                Err(error) => assert!(error.is_transient(), "{error}"),
            }
        }
    };
    timeout(PATIENCE, tried).await.expect("it recovers in time")
}

async fn consume(broker: &Broker) -> Result<Consumer, BrokerError> {
    broker.consume(QUEUE, BatchLimits::default()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_is_noticed_and_made_anew() {
    let vhost = Vhost::make(None).await;
    let (relay, broker) = relayed(&vhost).await;
    for body in 0..3 {
        publish(&broker, body).await.unwrap();
    }
    let mut consumer = consume(&broker).await.unwrap();
    let taken = take(&mut consumer, 3).await;

    relay.cut();
    let lost = timeout(HEARTBEAT, consumer.next_batch())
        .await
        .expect("noticed at once");
    assert!(matches!(lost, Err(BrokerError::Connection(_))), "{lost:?}");
    let settled = consumer.settle(vec![(taken[0].tag, Settle::Ack)]).await;
    assert!(
        matches!(settled, Err(BrokerError::Connection(_))),
        "{settled:?}"
    );
    drop(consumer);

    retry(async || publish(&broker, 3).await).await;
    let mut consumer = retry(async || consume(&broker).await).await;
    let mut again = take(&mut consumer, 4).await;
    sort(&mut again);
    assert_eq!(bodies(&again), [0, 1, 2, 3]);
    assert!(again[0].redelivered);
    vhost.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settlement_on_a_cut_connection_is_an_error_and_comes_again() {
    let vhost = Vhost::make(None).await;
    let (relay, broker) = relayed(&vhost).await;
    publish(&broker, 0).await.unwrap();
    let mut consumer = consume(&broker).await.unwrap();
    let taken = take(&mut consumer, 1).await;
    relay.cut();
    // Without asking for more first: the consumer does not know yet that it is lost.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let settled = consumer.settle(vec![(taken[0].tag, Settle::Ack)]).await;
    assert!(
        matches!(settled, Err(BrokerError::Connection(_))),
        "{settled:?}"
    );
    let mut consumer = retry(async || consume(&broker).await).await;
    assert!(next(&mut consumer).await[0].redelivered);
    vhost.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_connection_is_noticed_and_made_anew() {
    let vhost = Vhost::make(None).await;
    let (relay, broker) = relayed(&vhost).await;
    publish(&broker, 0).await.unwrap();
    let mut consumer = consume(&broker).await.unwrap();
    let taken = take(&mut consumer, 1).await;
    let settled = consumer.settle(vec![(taken[0].tag, Settle::Ack)]).await;
    settled.unwrap();

    relay.stall();
    let began = Instant::now();
    let (lost, published) = tokio::join!(consumer.next_batch(), publish(&broker, 1));
    assert!(matches!(lost, Err(BrokerError::Connection(_))), "{lost:?}");
    assert!(
        matches!(published, Err(BrokerError::Connection(_))),
        "{published:?}"
    );
    let took = began.elapsed();
    assert!(
        took < 4 * HEARTBEAT + Duration::from_secs(1),
        "it took {took:?}"
    );
    drop(consumer);

    relay.open();
    retry(async || publish(&broker, 2).await).await;
    let mut consumer = retry(async || consume(&broker).await).await;
    let seen = bodies(&next(&mut consumer).await);
    assert_eq!(seen.last(), Some(&2), "{seen:?}");
    vhost.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_away_is_tried_again_after_a_pause() {
    let vhost = Vhost::make(None).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let broker = vhost.broker_at(port, impatient());
    let began = Instant::now();
    for _ in 0..5 {
        let published = publish(&broker, 0).await;
        assert!(
            matches!(published, Err(BrokerError::Connection(_))),
            "{published:?}"
        );
    }
    let took = began.elapsed();
    // Half of 100, 200, 400 and 500 ms at least, the whole of them at most.
    assert!(took >= Duration::from_millis(600), "{took:?}");
    vhost.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_queue_ends_its_consumer() {
    let vhost = Vhost::make(None).await;
    let broker = vhost.broker(RabbitOptions::default());
    let mut consumer = consume(&broker).await.unwrap();
    vhost.delete(&["queues", &vhost.name, "declarations"]).await;
    let ended = timeout(PATIENCE, consumer.next_batch())
        .await
        .expect("it is told");
    assert!(
        matches!(ended, Err(BrokerError::Connection(_))),
        "{ended:?}"
    );
    let anew = consume(&broker).await;
    assert!(matches!(anew, Err(BrokerError::Topology(_))), "{anew:?}");
    vhost.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_difference_of_topology_is_named() {
    let vhost = Vhost::make(None).await;
    let broker = vhost.broker(RabbitOptions::default());
    vhost.delete(&["queues", &vhost.name, "validated"]).await;
    vhost.delete(&["exchanges", &vhost.name, "commands"]).await;
    let queues = [
        Queue::Declarations,
        Queue::Validated,
        Queue::Commands,
        party_queue(),
    ];
    let checked = broker.check_topology(&queues).await;
    let Err(BrokerError::Topology(differences)) = checked else {
        panic!("{checked:?}")
    };
    assert!(
        differences.contains("no queue 'validated'"),
        "{differences}"
    );
    assert!(
        differences.contains("no exchange 'commands'"),
        "{differences}"
    );
    assert!(!differences.contains("declarations"), "{differences}");
    vhost.end().await;
}

fn topology(vhost: &Vhost) -> Topology {
    let party = PartyAccess {
        party: "party.one".into(),
        user: Some(format!("{}-party", vhost.name)),
        password: Some("a password".to_owned()),
    };
    Topology {
        vhost: vhost.name.clone(),
        parties: vec![party],
        ..Topology::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_party_sends_declarations_and_reads_its_own_outcomes_only() {
    let mut vhost = Vhost::make(None).await;
    let applied = topology::apply(&vhost.management, &topology(&vhost))
        .await
        .unwrap();
    let user = format!("{}-party", vhost.name);
    assert!(applied.contains(&format!("user {user}")), "{applied:?}");
    vhost.uri.authority.userinfo.username.clone_from(&user);
    vhost.uri.authority.userinfo.password = "a password".to_owned();
    let broker = vhost.broker(RabbitOptions::default());
    publish(&broker, 0).await.unwrap();
    broker
        .consume(party_queue(), BatchLimits::default())
        .await
        .unwrap();
    for forbidden in [Queue::Declarations, Queue::Validated] {
        let consumed = broker.consume(forbidden, BatchLimits::default()).await;
        assert!(
            matches!(consumed, Err(BrokerError::Topology(_))),
            "{consumed:?}"
        );
    }
    for forbidden in [Queue::Commands, party_queue()] {
        let published = broker.publish(vec![(forbidden, message(0))]).await;
        assert!(
            matches!(published, Err(BrokerError::Topology(_))),
            "{published:?}"
        );
    }
    vhost.delete(&["users", &user]).await;
    vhost.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applying_a_topology_again_changes_nothing_and_keeps_passwords() {
    let mut vhost = Vhost::make(None).await;
    let first = topology(&vhost);
    let applied = topology::apply(&vhost.management, &first).await.unwrap();
    let mut second = first.clone();
    second.parties[0].password = None;
    let again = topology::apply(&vhost.management, &second).await.unwrap();
    assert!(applied.len() >= again.len());
    let user = format!("{}-party", vhost.name);
    vhost.uri.authority.userinfo.username.clone_from(&user);
    vhost.uri.authority.userinfo.password = "a password".to_owned();
    publish(&vhost.broker(RabbitOptions::default()), 0)
        .await
        .unwrap();
    vhost.delete(&["users", &user]).await;
    vhost.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_of_another_form_is_refused_by_name() {
    let vhost = Vhost::make(None).await;
    vhost.delete(&["queues", &vhost.name, "validated"]).await;
    let classic = serde_json::json!({ "durable": true, "arguments": {} });
    vhost
        .put(&["queues", &vhost.name, "validated"], &classic)
        .await;
    let applied = topology::apply(&vhost.management, &topology(&vhost)).await;
    let Err(TopologyError::Refused { what, reason }) = applied else {
        panic!("{applied:?}")
    };
    assert!(what.ends_with("validated"), "{what}");
    assert!(reason.contains("x-queue-type"), "{reason}");
    vhost.end().await;
}

/// As a broker does by itself at its start, for another virtual host.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_definitions_can_be_imported() {
    let vhost = Vhost::make(None).await;
    vhost.delete(&["vhosts", &vhost.name]).await;
    let of_vhost = |field: &str| format!("\"{field}\": \"{}\"", vhost.name);
    let definitions = topology::DEFINITIONS
        .replace("\"vhost\": \"samenloop\"", &of_vhost("vhost"))
        .replace(
            "[{ \"name\": \"samenloop\" }]",
            &format!("[{{ {} }}]", of_vhost("name")),
        );
    let definitions = serde_json::from_str(&definitions).unwrap();
    vhost.post(&["definitions"], &definitions).await;
    let rights = serde_json::json!({ "configure": "", "write": ".*", "read": ".*" });
    let login = &vhost.uri.authority.userinfo.username;
    vhost
        .put(&["permissions", &vhost.name, login], &rights)
        .await;
    let broker = vhost.broker(RabbitOptions::default());
    let queues = [Queue::Declarations, Queue::Validated, Queue::Commands];
    broker.check_topology(&queues).await.unwrap();
    publish(&broker, 0).await.unwrap();
    vhost.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_speaks_no_tls_is_refused_where_tls_is_asked() {
    let mut vhost = Vhost::make(None).await;
    vhost.uri.scheme = lapin::uri::AMQPScheme::AMQPS;
    let published = publish(&vhost.broker(impatient()), 0).await;
    assert!(
        matches!(published, Err(BrokerError::Connection(_))),
        "{published:?}"
    );
    vhost.end().await;
}
