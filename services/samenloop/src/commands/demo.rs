//! `samenloop demo`: every role in one process on the embedded default, the scenarios, then generated lines.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, bail};
use samenloop_adapters::{
    broker::Broker,
    clock::{Clock, noon},
    config::Config,
    decision_store::{DecisionStore, Relay},
    generate::Generator,
    scenario::{self, ScenarioSet},
    settlement_client::SettlementClient,
    settlement_store::{SettlementStore, StreamHead},
    shutdown::Shutdown,
};
use samenloop_domain::identifiers::PartyId;
use samenloop_proto::settlement::v1::subscribe_response::Response;
use tokio::time::{Duration, Instant, sleep};

use super::report::{DemoReport, Received};
use crate::{
    audit, load,
    mailbox::Mailbox,
    node::Node,
    print,
    roles::{self, Roles},
    scenarios,
};

/// Arguments of `demo`.
#[derive(Clone, Debug, clap::Args)]
pub struct DemoArguments {
    /// Generated lines after the scenarios.
    #[arg(long, default_value_t = 20_000)]
    pub lines: u32,
    /// Seed of the generated lines.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Directory of the sample: reference data, messages, scenarios.
    #[arg(long)]
    pub sample: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
    /// Keep the operator page up on loopback until interrupted.
    #[arg(long)]
    pub serve: bool,
}

/// Longest wait for settlement to have every claim.
const SETTLE_WAIT: Duration = Duration::from_secs(120);

/// Where the sample lies: as named, below the working directory, or beside the sources.
#[must_use]
pub fn sample_directory(named: Option<PathBuf>) -> PathBuf {
    let beside_sources = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/sample"));
    let below = PathBuf::from("deploy/sample");
    named.unwrap_or(if below.is_dir() {
        below
    } else {
        beside_sources
    })
}

/// Runs the demo; true if everything in its report holds.
///
/// # Errors
/// Where it cannot run to its end.
pub async fn run(arguments: DemoArguments) -> anyhow::Result<bool> {
    let directory = tempfile::tempdir()?;
    let mut config = Config {
        data_dir: directory.path().to_owned(),
        ..Config::default()
    };
    config.limits.original_wait_seconds = 0;
    config.settlement.listen = "127.0.0.1:0".to_owned();
    let generator = Generator::new(arguments.lines, arguments.seed);
    let sample = sample_directory(arguments.sample.clone());
    let set = scenario::load_with(&sample, |data| generator.reference_extension(data))
        .map_err(|faults| anyhow::anyhow!("{}", texts(&faults)))
        .with_context(|| format!("the sample in {}", sample.display()))?;
    let first_day = jiff::civil::date(2024, 1, 1);
    let node = Node::open(config, Clock::scenario(noon(first_day))).await?;
    samenloop_detection::change::activate_reference(
        &node.decisions,
        &set.reference,
        node.clock.now(),
    )
    .await?;
    node.check_topology().await?;

    let shutdown = Shutdown::new();
    let mut running = Roles::new(shutdown.clone());
    let store = node.open_settlement().await?;
    let (listener, address) = roles::listen(&node.config.settlement.listen).await?;
    running.settlement(&node, store.clone(), listener).await?;
    let client = roles::settlement_client(&node, &format!("http://{address}"))?;
    running.validation(&node);
    running.detection(&node, client.clone());

    let report = exercise(&node, &set, generator, &store, &client, &arguments).await?;
    if arguments.json {
        print::line(serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    if arguments.serve {
        super::all::serve_pages(&node, store, &mut running, &shutdown).await?;
        samenloop_adapters::shutdown::on_signals(&shutdown);
    } else {
        shutdown.cancel();
    }
    running.join().await?;
    Ok(report.ok)
}

fn texts<T: ToString>(faults: &[T]) -> String {
    faults
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Connections and users of every party, in process.
#[must_use]
pub fn in_process(
    broker: &Broker,
    set: &ScenarioSet,
) -> (BTreeMap<PartyId, Broker>, BTreeMap<PartyId, String>) {
    let parties = &set.reference.reference.parties;
    let brokers = parties
        .keys()
        .map(|party| (party.clone(), broker.clone()))
        .collect();
    let users = parties
        .iter()
        .filter_map(|(id, party)| Some((id.clone(), party.amqp_user.clone()?)));
    (brokers, users.collect())
}

async fn exercise(
    node: &Node,
    set: &ScenarioSet,
    generator: Generator,
    store: &SettlementStore,
    client: &SettlementClient,
    arguments: &DemoArguments,
) -> anyhow::Result<DemoReport> {
    let (brokers, users) = in_process(&node.broker, set);
    let mut mailbox = Mailbox::open(&brokers);
    let stage = scenarios::Stage {
        brokers: &brokers,
        users: &users,
        decisions: &node.decisions,
        reference: &set.reference.reference,
        keys: &node.keys,
        claim_faults: &node.claim_faults,
    };
    let steps = set
        .scenarios
        .iter()
        .map(|scenario| scenario.steps.len() as u64)
        .sum();
    let bar = print::progress(steps, "scenarios");
    let results = scenarios::run(&stage, set, &mut mailbox, |steps| bar.inc(steps as u64)).await?;
    bar.finish_and_clear();
    let target = load::Target {
        brokers: &brokers,
        users: &users,
    };
    let bar = print::progress(u64::from(generator.lines()), "lines");
    let loaded = load::run(&target, generator, &mut mailbox, |lines| bar.inc(lines)).await?;
    bar.finish_and_clear();
    wait_until_settled(&node.decisions).await?;
    let heads = store.stream_heads().await?;
    let mut received = Vec::with_capacity(heads.len());
    for head in &heads {
        received.push(receive(client, head).await?);
    }
    let audit = audit::audit(&node.decisions).await?;
    let balances = store.balances().await?;
    Ok(DemoReport::new(
        arguments, results, loaded, audit, received, &balances,
    ))
}

/// Waits until the outbox of claims is empty.
///
/// # Errors
/// Where it is not within [`SETTLE_WAIT`].
pub async fn wait_until_settled(decisions: &DecisionStore) -> anyhow::Result<()> {
    let deadline = Instant::now() + SETTLE_WAIT;
    loop {
        let figures = decisions.figures(jiff::Timestamp::UNIX_EPOCH).await?;
        let open = figures
            .outbox
            .iter()
            .filter(|(relay, ..)| *relay == Relay::Claims);
        let open: u64 = open.map(|(_, rows, _)| rows).sum();
        if open == 0 {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!(
                "{open} rows of claims are not settled after {} s",
                SETTLE_WAIT.as_secs()
            );
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// What a new subscriber of an insurer gets from the start to the head.
///
/// # Errors
/// Where the stream ends before.
pub async fn receive(client: &SettlementClient, head: &StreamHead) -> anyhow::Result<Received> {
    let mut received = Received {
        insurer: head.insurer.to_string(),
        ..Received::default()
    };
    let mut stream = client.subscribe(head.insurer, "demo", None).await?;
    let mut last = String::new();
    while received.events < head.position {
        let response = stream
            .next()
            .await?
            .context("the stream ended before its head")?;
        let Some(Response::Events(events)) = response.response else {
            continue;
        };
        let sum: i64 = events.events.iter().map(|event| event.cents).sum();
        received.gapless &= sum == events.sum_cents;
        for event in &events.events {
            received.events += 1;
            received.gapless &= event.position == received.events;
            received.cents += event.cents;
        }
        last = events.token;
    }
    if !last.is_empty() {
        client.acknowledge(head.insurer, "demo", &last).await?;
    }
    received.complete = received.gapless && received.cents == head.cents;
    Ok(received)
}
