//! The product in one process: every role on one node, for `demo`, tests and benchmarks.

use std::{collections::BTreeMap, path::Path};

use samenloop_adapters::{
    broker::Broker,
    clock::{Clock, noon},
    config::Config,
    decision_store::{DecisionStore, Relay},
    reference::Loaded,
    settlement_client::SettlementClient,
    settlement_store::{SettlementStore, StreamHead},
    shutdown::Shutdown,
};
use samenloop_domain::identifiers::PartyId;
use samenloop_proto::settlement::v1::subscribe_response::Response;
use tokio::time::{Duration, Instant, sleep};

use crate::{
    commands::report::Received,
    node::Node,
    roles::{self, Roles},
    scenarios::Stage,
};

/// Longest wait for settlement to have every claim.
const SETTLE_WAIT: Duration = Duration::from_secs(120);

/// A running product, and how parties reach it.
#[derive(Debug)]
pub struct InProcess {
    /// What its roles share.
    pub node: Node,
    /// Its settlements.
    pub settlement: SettlementStore,
    /// Where its settlement service listens.
    pub address: std::net::SocketAddr,
    /// A client of its settlement service.
    pub client: SettlementClient,
    /// Its roles.
    pub roles: Roles,
    /// Ends it.
    pub shutdown: Shutdown,
    /// A connection per party.
    pub brokers: BTreeMap<PartyId, Broker>,
    /// AMQP user of each party.
    pub users: BTreeMap<PartyId, String>,
}

/// The configuration of an embedded product in a directory, on free ports.
#[must_use]
pub fn embedded_in(directory: &Path) -> Config {
    let mut config = Config {
        data_dir: directory.to_owned(),
        ..Config::default()
    };
    config.limits.original_wait_seconds = 0;
    "127.0.0.1:0".clone_into(&mut config.settlement.listen);
    "127.0.0.1:0".clone_into(&mut config.funding.listen);
    "127.0.0.1:0".clone_into(&mut config.gateway.listen);
    "127.0.0.1:0".clone_into(&mut config.operator.listen);
    config
}

impl InProcess {
    /// Starts validation, detection and settlement under a scenario clock, with `reference` in force.
    ///
    /// Without `brokers` every party publishes in process.
    ///
    /// # Errors
    /// Says what cannot be opened or started.
    pub async fn start(
        config: Config,
        reference: &Loaded,
        brokers: Option<BTreeMap<PartyId, Broker>>,
    ) -> anyhow::Result<Self> {
        let node = Node::open(config, Clock::scenario(noon(jiff::civil::date(2024, 1, 1)))).await?;
        let now = node.clock.now();
        samenloop_detection::change::activate_reference(&node.decisions, reference, now).await?;
        node.check_topology().await?;
        let shutdown = Shutdown::new();
        let mut running = Roles::new(shutdown.clone());
        let settlement = node.open_settlement().await?;
        let (listener, address) = roles::listen(&node.config.settlement.listen).await?;
        running
            .settlement(&node, settlement.clone(), listener)
            .await?;
        let is_encrypted = !node.config.settlement.tls_certificate.is_empty();
        let scheme = if is_encrypted { "https" } else { "http" };
        let client = roles::settlement_client(&node, &format!("{scheme}://{address}"))?;
        running.validation(&node);
        running.detection(&node, client.clone());
        let parties = &reference.reference.parties;
        let own = || {
            parties
                .keys()
                .map(|party| (party.clone(), node.broker.clone()))
                .collect()
        };
        let brokers = brokers.unwrap_or_else(own);
        let users = parties
            .iter()
            .filter_map(|(id, party)| Some((id.clone(), party.amqp_user.clone()?)));
        let users = users.collect();
        Ok(Self {
            node,
            settlement,
            address,
            client,
            roles: running,
            shutdown,
            brokers,
            users,
        })
    }

    /// Where scenarios run.
    #[must_use]
    pub fn stage<'a>(&'a self, reference: &'a Loaded) -> Stage<'a> {
        Stage {
            brokers: &self.brokers,
            commands: &self.node.broker,
            users: &self.users,
            decisions: &self.node.decisions,
            reference: &reference.reference,
            keys: &self.node.keys,
            claim_faults: &self.node.claim_faults,
        }
    }

    /// What a new subscriber of every insurer receives, once settlement has every claim.
    ///
    /// # Errors
    /// Where settlement does not get them, or a stream ends early.
    pub async fn receive_all(&self) -> anyhow::Result<Vec<Received>> {
        wait_until_settled(&self.node.decisions).await?;
        let heads = self.settlement.stream_heads().await?;
        let mut received = Vec::with_capacity(heads.len());
        for head in &heads {
            received.push(receive(&self.client, head).await?);
        }
        Ok(received)
    }

    /// Ends every role.
    ///
    /// # Errors
    /// The first failure of a role.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.roles.join().await
    }
}

/// Waits until the outbox of claims is empty.
///
/// # Errors
/// Where it is not within two minutes.
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
            anyhow::bail!(
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
    use anyhow::Context as _;
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
