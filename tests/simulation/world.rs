//! One run: the product in memory, its senders, what goes wrong, and what must hold at the end.

use std::{collections::BTreeMap, pin::pin, sync::Arc, time::Duration};

use hyper_util::rt::TokioIo;
use samenloop::{
    audit,
    in_process::{receive, wait_until_settled},
    mailbox::Mailbox,
    node::Node,
    roles::Roles,
};
use samenloop_adapters::{
    broker::{Broker, Message, Queue},
    clock::{Clock, noon},
    config::Config,
    decision_store::ImportedRow,
    existing,
    fault_plan::{FaultPlan, FaultPoint},
    generate::Generator,
    ids::Ids,
    scenario::{Action, Decision, Import, ScenarioSet, waves},
    settlement_client::{ClientOptions, SettlementClient},
    settlement_store::SettlementStore,
    shutdown::Shutdown,
    wire::review::command_message,
};
use samenloop_domain::{
    identifiers::{Bsn, Sequence},
    reference::Reference,
};
use samenloop_settlement::SettlementConfig;
use tokio::{
    io::{DuplexStream, duplex},
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tonic::transport::Endpoint;

use crate::{
    faults,
    random::Random,
    senders::{Senders, message},
};

/// Bytes on their way between client and server of settlement: more than a message, so that none is cut.
const WIRE_BYTES: usize = 16 << 20;

/// How often the clock of the product follows the runtime's.
const TICK: Duration = Duration::from_millis(50);

/// What one run gave.
pub(crate) struct Ran {
    /// Everything that happened, in order.
    pub(crate) trace: Vec<String>,
    /// The scenarios as in their golden files.
    pub(crate) texts: Vec<String>,
    /// Distinct outcomes.
    pub(crate) outcomes: usize,
    /// Replies that came more than once.
    pub(crate) duplicates: u64,
    /// Processes that ended before their time.
    pub(crate) crashes: u64,
}

pub(crate) struct World {
    node: Arc<Node>,
    settlement: SettlementStore,
    random: Random,
}

impl World {
    pub(crate) async fn new(seed: u64, set: &ScenarioSet) -> Self {
        let mut config = Config::default();
        config.limits.original_wait_seconds = 0;
        let clock = Clock::scenario(noon(jiff::civil::date(2024, 1, 1)));
        let node = Node::in_memory(config, clock, Ids::seeded(seed))
            .await
            .expect("it opens");
        let settlement = SettlementStore::open("sqlite::memory:", node.faults.clone());
        let settlement = settlement.await.expect("it opens");
        let now = node.clock.now();
        samenloop_detection::change::activate_reference(&node.decisions, &set.reference, now)
            .await
            .expect("the reference data are put in force");
        node.check_topology().await.expect("the queues are made");
        Self {
            node: Arc::new(node),
            settlement,
            random: Random::new(seed),
        }
    }

    pub(crate) async fn run(mut self, set: &ScenarioSet, generator: Generator) -> Ran {
        faults::plan(&self.node.faults, &mut self.random.branch());
        let stop = Shutdown::new();
        let clock = tokio::spawn(follow_time(self.node.clock.clone()));
        let outages = tokio::spawn(outages(
            self.node.claim_faults.clone(),
            self.random.branch(),
        ));
        let processes = Processes {
            node: Arc::clone(&self.node),
            settlement: self.settlement.clone(),
            lifetimes: faults::lifetimes(&mut self.random),
        };
        let processes = tokio::spawn(processes.run(stop.clone()));
        let mut senders = self.senders();
        self.scenarios(set, &mut senders).await;
        let users = users(&set.reference.reference);
        let generated = generator.declarations().map(|it| {
            let id = it.declaration.message_id.as_deref().unwrap_or_default();
            let body = serde_json::to_vec(&it.declaration).expect("it is JSON");
            let id = id.parse().expect("it has an id");
            message(id, body, &users[it.party.as_str()], it.received_on)
        });
        senders.send(generated.collect()).await;
        senders.take_the_rest().await;
        outages.abort();
        self.node.faults.clear();
        self.node.claim_faults.clear();
        wait_until_settled(&self.node.decisions)
            .await
            .expect("every claim is settled");
        stop.cancel();
        let crashes = processes.await.expect("the supervisor does not panic");
        clock.abort();
        self.finish(set, senders, crashes).await
    }

    /// They have the same queue, and no faults of their own.
    fn senders(&mut self) -> Senders {
        let Broker::Embedded(broker) = &self.node.broker else {
            panic!("the queue is embedded")
        };
        let broker = Broker::Embedded(broker.with_faults(FaultPlan::default()));
        let reference = self.node.reference.latest();
        let parties = reference.expect("it is in force").parties.clone();
        let mailboxes: BTreeMap<_, _> = parties
            .into_keys()
            .map(|party| (party, broker.clone()))
            .collect();
        Senders {
            mailbox: Mailbox::open(&mailboxes),
            broker,
            random: self.random.branch(),
            outcomes: BTreeMap::new(),
            replies: Vec::new(),
            duplicates: 0,
        }
    }

    async fn scenarios(&self, set: &ScenarioSet, senders: &mut Senders) {
        let users = users(&set.reference.reference);
        for wave in waves(&set.scenarios) {
            let (mut messages, mut commands) = (Vec::new(), Vec::new());
            for (scenario, step) in wave {
                let step = &set.scenarios[scenario].steps[step];
                match &step.action {
                    Action::ImportExisting(import) => self.import(import, set).await,
                    Action::Decide(decision) => commands.push(self.command(decision).await),
                    Action::Declare(delivery) => messages.push(message(
                        delivery.message_id,
                        delivery.body.clone(),
                        &users[delivery.party.as_str()],
                        step.received_on,
                    )),
                }
            }
            senders.send(messages).await;
            senders.command(commands).await;
        }
    }

    /// A command about the newest outcome, and the version that it gives; whoever reads tries again.
    async fn command(&self, decision: &Decision) -> (Message, (String, u32)) {
        loop {
            if let Ok(message) = self.node.decisions.message(decision.message_id).await {
                let message = message.expect("its step was decided before");
                let command = decision.command(message.sequence.0, &message.outcome);
                let awaited = (
                    message.outcome.message_id.clone(),
                    message.outcome.version + 1,
                );
                return (command_message(&command), awaited);
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Until it is imported: whoever imports tries again as well.
    async fn import(&self, import: &Import, set: &ScenarioSet) {
        let keys = &self.node.keys;
        let pseudonyms = |bsn: &Bsn| keys.pseudonyms(bsn);
        let csv = import.csv.as_slice();
        let rows = existing::read(csv, &set.reference.reference, &pseudonyms);
        let rows: Vec<ImportedRow> = rows
            .map(|row| {
                let row = row.expect("the rows of a scenario are good");
                ImportedRow {
                    row: row.row,
                    coverage: row.coverage,
                    awarded: row.awarded,
                }
            })
            .collect();
        loop {
            let (node, rows) = (Arc::clone(&self.node), rows.clone());
            let importing: JoinHandle<_> = tokio::spawn(async move {
                let now = node.clock.now();
                samenloop_detection::existing::import_rows(&node.decisions, "scenario", rows, now)
                    .await
            });
            if let Ok(Ok(_)) = importing.await {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Checks what must hold, and tells what happened.
    async fn finish(self, set: &ScenarioSet, senders: Senders, crashes: u64) -> Ran {
        let Senders {
            outcomes, replies, ..
        } = &senders;
        let read = audit::audit(&self.node.decisions)
            .await
            .expect("the log can be read");
        let declared = outcomes.keys().filter(|(_, version)| *version == 1).count() as u64;
        assert_eq!(read.messages, declared, "one decision for each declaration");
        assert_eq!(
            read.digest, read.replay_digest,
            "the log decides the same again"
        );
        assert_eq!((read.broken_at, read.double_funding_pairs), (None, 0));
        let figures = self.node.decisions.figures(self.node.clock.now()).await;
        let figures = figures.expect("the store answers");
        assert_eq!(
            (figures.quarantined, figures.parked, figures.unclaimed),
            (0, 0, 0)
        );
        for queue in [Queue::Declarations, Queue::Validated, Queue::Commands] {
            let depth = self
                .node
                .broker
                .depth(&queue)
                .await
                .expect("the queue answers");
            assert_eq!((depth.ready, depth.unacked), (0, Some(0)), "{queue:?}");
        }
        // What is awarded stays so: the newest version of each outcome tells of every claim.
        let newest: BTreeMap<&String, _> = outcomes.iter().map(|((id, _), it)| (id, it)).collect();
        let awarded = newest.values().flat_map(|it| &it.lines);
        let awarded = awarded.filter(|line| line.awarded_cents != 0).count() as u64;
        let counts = self.settlement.counts().await.expect("the store answers");
        assert_eq!(counts.0, awarded, "every claim is settled once");
        let balances = self.settlement.balances().await.expect("the store answers");
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
        let mut trace = self.log().await;
        trace.extend(replies.iter().cloned());
        trace.extend(self.streams().await);
        Ran {
            trace,
            texts: self.texts(set, outcomes).await,
            outcomes: outcomes.len(),
            duplicates: senders.duplicates,
            crashes,
        }
    }

    async fn log(&self) -> Vec<String> {
        let mut log = Vec::new();
        let mut after = Sequence(0);
        loop {
            let page = self.node.decisions.log_after(after, 500).await;
            let page = page.expect("the log can be read");
            let Some(last) = page.last() else { return log };
            after = last.sequence;
            let entry = |it: &samenloop_adapters::decision_store::LoggedEntry| {
                let (sequence, kind) = (it.sequence, &it.kind);
                format!("{sequence} {kind} {} {:x?}", it.recorded_at, it.hash)
            };
            log.extend(page.iter().map(entry));
        }
    }

    /// What a new subscriber of every insurer receives.
    async fn streams(&self) -> Vec<String> {
        let shutdown = Shutdown::new();
        let (connections, accepted) = mpsc::channel(1);
        let served = tokio::spawn(samenloop_settlement::run_in_process(
            SettlementConfig::default(),
            self.settlement.clone(),
            accepted,
            self.node.clock.clone(),
            shutdown.clone(),
        ));
        let client = client(connections, FaultPlan::default());
        let mut streams = Vec::new();
        for head in self
            .settlement
            .stream_heads()
            .await
            .expect("the store answers")
        {
            let received = receive(&client, &head).await.expect("the stream is whole");
            assert!(received.complete, "{received:?}");
            streams.push(format!("{received:?}"));
            let events = self
                .settlement
                .events(head.insurer, 0, u32::MAX)
                .await
                .expect("they are kept");
            streams.extend(events.iter().map(|event| format!("{event:?}")));
        }
        drop(client);
        shutdown.cancel();
        served
            .await
            .expect("it does not panic")
            .expect("it ends well");
        streams
    }

    async fn texts(
        &self,
        set: &ScenarioSet,
        outcomes: &BTreeMap<(String, u32), samenloop_proto::declaration::v1::Outcome>,
    ) -> Vec<String> {
        let mut texts = Vec::with_capacity(set.scenarios.len());
        for scenario in &set.scenarios {
            let mut whole = String::new();
            let mut versions = BTreeMap::new();
            for step in &scenario.steps {
                let (head, message_id, answers) = match &step.action {
                    Action::ImportExisting(_) => continue,
                    Action::Declare(delivery) => {
                        (String::new(), delivery.message_id, delivery.deliveries)
                    }
                    Action::Decide(decision) => {
                        let version = versions.entry(decision.message_id).or_insert(1);
                        *version += 1;
                        (harness::text::decision(decision), decision.message_id, 1)
                    }
                };
                let version = match step.action {
                    Action::Decide(_) => versions[&message_id],
                    _ => 1,
                };
                let outcome = &outcomes[&(message_id.to_string(), version)];
                let parts =
                    harness::product_path::parts_of(&self.settlement, message_id, version).await;
                let text = harness::text::outcome(outcome, &parts);
                whole.push_str(&head);
                whole.push_str(&text.repeat(answers as usize));
            }
            texts.push(whole);
        }
        texts
    }
}

fn users(reference: &Reference) -> BTreeMap<String, String> {
    let parties = reference.parties.iter();
    parties
        .filter_map(|(id, party)| Some((id.to_string(), party.amqp_user.clone()?)))
        .collect()
}

/// The clock of the product is the runtime's.
async fn follow_time(clock: Clock) {
    let (began, start) = (clock.now(), Instant::now());
    loop {
        sleep(TICK).await;
        let passed = jiff::SignedDuration::try_from(start.elapsed()).expect("a run is short");
        clock.set(began + passed);
    }
}

/// Settlement is away now and then.
async fn outages(claim_faults: FaultPlan, mut random: Random) {
    loop {
        sleep(Duration::from_millis(200 + random.below(2_000))).await;
        claim_faults.set_standing(FaultPoint::OnSend, true);
        sleep(Duration::from_millis(random.below(3_000))).await;
        claim_faults.set_standing(FaultPoint::OnSend, false);
    }
}

/// The process with every role, and a new one whenever it is gone.
struct Processes {
    node: Arc<Node>,
    settlement: SettlementStore,
    lifetimes: Vec<Duration>,
}

impl Processes {
    /// Gives how many ended before their time.
    async fn run(mut self, stop: Shutdown) -> u64 {
        let mut ended = 0;
        loop {
            let shutdown = Shutdown::new();
            let mut running = pin!(self.start(&shutdown).join());
            let lifetime = self.lifetimes.pop();
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    shutdown.cancel();
                    running.await.expect("the last process ends well");
                    return ended;
                }
                // A role panicked: the process drains what it can and is gone.
                _ = &mut running => {}
                // It is gone at once, with all its work.
                () = sleep(lifetime.unwrap_or(Duration::MAX)) => {}
            }
            ended += 1;
        }
    }

    fn start(&self, shutdown: &Shutdown) -> Roles {
        let mut roles = Roles::new(shutdown.clone());
        let (connections, accepted) = mpsc::channel(1);
        roles.spawn(samenloop_settlement::run_in_process(
            SettlementConfig::default(),
            self.settlement.clone(),
            accepted,
            self.node.clock.clone(),
            shutdown.clone(),
        ));
        roles.validation(&self.node);
        roles.detection(
            &self.node,
            client(connections, self.node.claim_faults.clone()),
        );
        roles
    }
}

/// A client of the settlement service that takes `connections`.
fn client(connections: mpsc::Sender<DuplexStream>, faults: FaultPlan) -> SettlementClient {
    let connector = tower::service_fn(move |_| {
        let connections = connections.clone();
        async move {
            let (ours, theirs) = duplex(WIRE_BYTES);
            let sent = connections.send(theirs).await;
            sent.map_err(|_| std::io::Error::from(std::io::ErrorKind::ConnectionRefused))?;
            Ok::<_, std::io::Error>(TokioIo::new(ours))
        }
    });
    let channel = Endpoint::from_static("http://settlement").connect_with_connector_lazy(connector);
    let client = SettlementClient::over(channel, ClientOptions::default());
    client.expect("it has no credentials").with_faults(faults)
}
