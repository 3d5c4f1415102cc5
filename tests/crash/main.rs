//! Three processes on RabbitMQ with PostgreSQL are killed at random while declarations are in flight: one outcome
//! each, every accepted claim settled once, and the log decides the same again.
//!
//! The seed is printed; `CRASH_SEED=n` repeats it.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use harness::production::Production;
use samenloop::{
    audit,
    in_process::wait_until_settled,
    mailbox::{Mailbox, Reply},
    scenarios::declaration_message,
};
use samenloop_adapters::{
    broker::{
        Broker, Published, Queue,
        rabbit::{RabbitBroker, RabbitOptions},
    },
    clock::noon,
    decision_store::DecisionStore,
    fault_plan::FaultPlan,
    generate::{Generated, Generator},
    scenario,
    settlement_store::SettlementStore,
};
use samenloop_proto::declaration::v1 as wire;
use samenloop_validation::handle::{GATEWAY_USER, PARTY_HEADER, RECEIVED_HEADER};

const ROUNDS: u32 = 3;
const MESSAGES_PER_ROUND: usize = 40;
const KILLS_PER_ROUND: u32 = 5;
const ROLES: [&str; 3] = ["validation", "detection", "settlement"];
/// Far longer than any outcome takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// Roles as processes of the executable under test; ended by process id.
struct Processes {
    binary: PathBuf,
    settings: Vec<(String, String)>,
    running: BTreeMap<&'static str, Child>,
    brokers: BTreeMap<&'static str, String>,
}

impl Processes {
    fn new(production: &Production) -> Self {
        // The test's own path is target/<profile>/deps/<test>.
        let test = env::current_exe().expect("the test has a path");
        let profile = test
            .parent()
            .and_then(std::path::Path::parent)
            .expect("a target directory");
        let binary = profile.join("samenloop");
        assert!(binary.exists(), "{} is built", binary.display());
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|it| it.local_addr())
            .expect("a free port");
        let config = production.config(String::new());
        let settings = [
            ("SAMENLOOP_DECISIONS_URL", production.database.clone()),
            ("SAMENLOOP_SETTLEMENT_URL", production.database.clone()),
            ("SAMENLOOP_SETTLEMENT_LISTEN", port.to_string()),
            ("SAMENLOOP_SETTLEMENT_ENDPOINT", format!("http://{port}")),
            ("SAMENLOOP_KEYS_PSEUDONYMS", config.keys.pseudonyms.clone()),
            ("SAMENLOOP_KEYS_SEALING", config.keys.sealing.clone()),
            ("SAMENLOOP_LIMITS_ORIGINAL_WAIT_SECONDS", "0".to_owned()),
            ("SAMENLOOP_LOG", "error".to_owned()),
        ];
        let settings = settings
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec();
        let brokers = BTreeMap::from([
            ("validation", production.amqp("samenloop-validation")),
            ("detection", production.amqp("samenloop-detection")),
            ("settlement", production.amqp("samenloop-detection")),
        ]);
        Self {
            binary,
            settings,
            running: BTreeMap::new(),
            brokers,
        }
    }

    fn start(&mut self, role: &'static str) {
        let child = Command::new(&self.binary)
            .arg(role)
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .env("SAMENLOOP_BROKER_URL", &self.brokers[role])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        self.running.insert(role, child.expect("the role starts"));
    }

    /// kill -9, and a new process in its place.
    fn kill(&mut self, role: &'static str) {
        if let Some(mut child) = self.running.remove(role) {
            child.kill().expect("it is ours to kill");
            child.wait().expect("it ends");
        }
        self.start(role);
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in self.running.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a new seed for every run, printed so that it can be repeated"
)]
fn seed() -> u64 {
    let given = env::var("CRASH_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(1, |it| it.as_secs())
    })
}

fn next(state: &mut u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_killed_at_random_lose_and_double_nothing() {
    let mut random = seed();
    println!("CRASH_SEED={random}");
    let lines = u32::try_from(MESSAGES_PER_ROUND).expect("small") * ROUNDS * 125;
    let generator = Generator::new(lines, 7);
    let set = scenario::load_with(&harness::sample(), |data| {
        generator.reference_extension(data)
    });
    let set = set.unwrap_or_else(|faults| panic!("{faults:?}"));
    let production = Production::new(&set.reference).await;
    let store = DecisionStore::open(&production.database, FaultPlan::default())
        .await
        .expect("it opens");
    let now = noon(jiff::civil::date(2024, 1, 1));
    samenloop_detection::change::activate_reference(&store, &set.reference, now)
        .await
        .expect("in force");
    let mut processes = Processes::new(&production);
    ROLES.into_iter().for_each(|role| processes.start(role));
    let brokers = production.brokers(&set.reference);
    let gateway = RabbitBroker::new(&production.amqp(GATEWAY_USER), RabbitOptions::default());
    let gateway = Broker::Rabbit(gateway.expect("the URL is good"));
    let mut mailbox = Mailbox::open(&brokers);
    let mut outcomes: BTreeMap<String, wire::Outcome> = BTreeMap::new();
    let mut declarations = generator.declarations();
    for round in 0..ROUNDS {
        let sent = send(&gateway, declarations.by_ref().take(MESSAGES_PER_ROUND)).await;
        println!("round {round}: {} declarations in flight", sent.len());
        let due = outcomes.len() + sent.len();
        for _ in 0..KILLS_PER_ROUND {
            let pause = next(&mut random) % 400;
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let role = ROLES[usize::try_from(next(&mut random) % 3).expect("small")];
            println!("kill -9 {role}");
            processes.kill(role);
        }
        while outcomes.len() < due {
            let reply = tokio::time::timeout(PATIENCE, mailbox.next()).await;
            let missing = due - outcomes.len();
            let reply = reply
                .unwrap_or_else(|_| panic!("{missing} outcomes are missing"))
                .expect("open");
            let Reply::Outcome(outcome) = reply.1 else {
                panic!("a refusal: {reply:?}")
            };
            let before = outcomes.insert(outcome.message_id.clone(), (*outcome).clone());
            assert!(
                before.is_none_or(|before| before == *outcome),
                "an outcome never changes"
            );
        }
    }
    println!("{}", check(&store, &production, &outcomes).await);
    drop(processes);
    drop(mailbox);
    production.close().await;
}

/// Publishes as the gateway, which says for whom, and when it took the declaration.
async fn send(gateway: &Broker, declarations: impl Iterator<Item = Generated>) -> BTreeSet<String> {
    let mut sent = BTreeSet::new();
    for generated in declarations {
        let id = generated
            .declaration
            .message_id
            .clone()
            .expect("it has an id");
        let body = serde_json::to_vec(&generated.declaration).expect("it is JSON");
        let mut message = declaration_message(id.parse().expect("a UUID"), body, GATEWAY_USER);
        let received = noon(generated.received_on).to_string();
        message
            .headers
            .insert(PARTY_HEADER.to_owned(), generated.party.to_string());
        message.headers.insert(RECEIVED_HEADER.to_owned(), received);
        let published = gateway.publish(vec![(Queue::Declarations, message)]).await;
        assert_eq!(published.expect("it is published"), [Published::Confirmed]);
        sent.insert(id);
    }
    sent
}

async fn check(
    store: &DecisionStore,
    production: &Production,
    outcomes: &BTreeMap<String, wire::Outcome>,
) -> String {
    wait_until_settled(store)
        .await
        .expect("every claim is settled");
    let read = audit::audit(store).await.expect("the log can be read");
    assert_eq!(
        read.messages,
        outcomes.len() as u64,
        "one decision per declaration"
    );
    assert_eq!(
        read.digest, read.replay_digest,
        "the log decides the same again"
    );
    assert_eq!((read.broken_at, read.double_funding_pairs), (None, 0));
    let settlement = SettlementStore::open(&production.database, FaultPlan::default())
        .await
        .expect("it opens");
    let accepted = outcomes.values().flat_map(|outcome| &outcome.lines);
    let accepted = accepted.filter(|line| line.awarded_cents != 0).count() as u64;
    assert_eq!(
        settlement.counts().await.expect("it answers").0,
        accepted,
        "every claim once"
    );
    let balances = settlement.balances().await.expect("it answers");
    assert_eq!(
        balances.iter().map(|it| it.cents).sum::<i64>(),
        0,
        "the ledger balances"
    );
    let costs = balances.iter().filter(|it| it.account.contains(":cost:"));
    assert_eq!(
        costs.map(|it| it.cents).sum::<i64>(),
        read.awarded_cents,
        "to the cent"
    );
    format!(
        "{} declarations, {} lines, {accepted} claims",
        read.messages, read.lines
    )
}
