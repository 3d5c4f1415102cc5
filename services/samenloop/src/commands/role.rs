//! `samenloop validation|detection|settlement|gateway|operator`: one role in a process of its own.

use std::net::SocketAddr;

use samenloop_adapters::{
    broker::Queue,
    clock::Clock,
    config::Config,
    health::{self, Health, Need},
    ids::secret_bytes,
    settlement_store::SettlementStore,
    shutdown::{self, Shutdown},
    telemetry,
    wire::digest,
};
use samenloop_gateway::Gateway;
use samenloop_operator::{Link, Operator, SignIn, person::Person};

use crate::{
    node::Node,
    print,
    roles::{self, Roles},
};

/// A role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Judges each declaration on its own.
    Validation,
    /// Decides.
    Detection,
    /// The gRPC server of settlements.
    Settlement,
    /// HTTP intake.
    Gateway,
    /// The operator page.
    Operator,
}

/// Runs one role until a signal.
///
/// # Errors
/// Where it cannot start, or fails.
pub async fn run(config: Config, role: Role) -> anyhow::Result<()> {
    let node = Node::open(config, Clock::System).await?;
    let shutdown = Shutdown::new();
    shutdown::on_signals(&shutdown);
    let mut running = Roles::new(shutdown.clone());
    let decides = |queue| {
        vec![
            Need::Decisions(node.decisions.clone()),
            Need::Reference(node.reference.clone()),
            Need::Broker(node.broker.clone(), queue),
        ]
    };
    let needs = match role {
        Role::Validation => {
            node.check_topology().await?;
            running.validation(&node);
            decides(Queue::Declarations)
        }
        Role::Detection => {
            node.check_topology().await?;
            let client = roles::settlement_client(&node, &node.config.settlement.endpoint)?;
            running.detection(&node, client.clone());
            answer_questions(&node, &mut running).await?;
            let mut needs = decides(Queue::Validated);
            needs.push(Need::Settlement(Box::new(client)));
            needs
        }
        Role::Settlement => {
            let (listener, address) = roles::listen(&node.config.settlement.listen).await?;
            print::note(format!("settlement listens on {address}"));
            let store = node.open_settlement().await?;
            running.settlement(&node, store.clone(), listener).await?;
            vec![Need::Claims(store)]
        }
        Role::Gateway => {
            let funding = node.config.funding.endpoint.clone();
            start_gateway(&node, &funding, &mut running, &shutdown).await?;
            decides(Queue::Declarations)
        }
        // Its page tells its own health, and collects its own metrics.
        Role::Operator => {
            let store = node.open_settlement().await?;
            start_operator(&node, store, &mut running, &shutdown).await?;
            Vec::new()
        }
    };
    if role != Role::Operator {
        start_health(&node, needs, &mut running, &shutdown).await?;
    }
    print::note(format!("{role:?} runs"));
    running.join().await
}

/// Starts probes and metrics of a role that runs alone, and prints where they are.
async fn start_health(
    node: &Node,
    needs: Vec<Need>,
    running: &mut Roles,
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let (listener, address) = roles::listen(&node.config.health.listen).await?;
    let health = Health {
        needs,
        metrics: telemetry::start_metrics(),
        shutdown: shutdown.clone(),
    };
    running.spawn(health::run(listener, health));
    print::note(format!("health and metrics are on http://{address}"));
    Ok(())
}

/// Starts detection's answers, unless another process of this machine gives them already: any number of processes
/// may decide.
async fn answer_questions(node: &Node, running: &mut Roles) -> anyhow::Result<()> {
    match start_funding(node, running).await {
        Ok(_) => Ok(()),
        Err(error) if is_taken(&error) => {
            tracing::warn!("another process answers questions here; this one decides only");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn is_taken(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<std::io::Error>();
    cause.is_some_and(|it| it.kind() == std::io::ErrorKind::AddrInUse)
}

/// Starts detection's answers to questions asked beforehand, prints where they are, and gives the endpoint.
///
/// # Errors
/// Where its address is taken, or a certificate cannot be read.
pub async fn start_funding(node: &Node, running: &mut Roles) -> anyhow::Result<String> {
    let (listener, address) = roles::listen(&node.config.funding.listen).await?;
    running.funding(node, listener).await?;
    print::note(format!("detection answers questions on {address}"));
    let scheme = if node.config.funding.tls_certificate.is_empty() {
        "http"
    } else {
        "https"
    };
    Ok(format!("{scheme}://{address}"))
}

/// Starts the HTTP intake, which asks `funding` beforehand, prints where it is, and gives its address.
///
/// # Errors
/// Where its address is taken.
pub async fn start_gateway(
    node: &Node,
    funding: &str,
    running: &mut Roles,
    shutdown: &Shutdown,
) -> anyhow::Result<SocketAddr> {
    let (listener, address) = roles::listen(&node.config.gateway.listen).await?;
    let gateway = Gateway {
        broker: node.broker.clone(),
        store: node.decisions.clone(),
        reference: node.reference.clone(),
        clock: node.clock.clone(),
        ids: node.ids.clone(),
        funding: roles::funding_client(node, funding)?,
    };
    running.spawn(samenloop_gateway::run(listener, gateway, shutdown.clone()));
    print::note(format!("gateway listens on http://{address}"));
    Ok(address)
}

/// Starts the operator page for the persons that are configured, prints their links, and gives the first.
///
/// # Errors
/// Where its address is taken, or `operator.persons` cannot be read.
pub async fn start_operator(
    node: &Node,
    store: SettlementStore,
    running: &mut Roles,
    shutdown: &Shutdown,
) -> anyhow::Result<String> {
    let persons = Person::parse_all(&node.config.operator.persons)
        .map_err(|problem| anyhow::anyhow!("operator.persons: {problem}"))?;
    let mut links = open_to(node, persons, store, running, shutdown).await?;
    Ok(links.swap_remove(0))
}

/// Starts the operator page for some persons, prints the link of each, which works once, and gives the links.
///
/// # Errors
/// Where its address is taken.
pub async fn open_to(
    node: &Node,
    persons: Vec<Person>,
    store: SettlementStore,
    running: &mut Roles,
    shutdown: &Shutdown,
) -> anyhow::Result<Vec<String>> {
    let (listener, address) = roles::listen(&node.config.operator.listen).await?;
    let links = persons.into_iter().map(|person| Link {
        token: digest::hex(&secret_bytes::<24>()),
        person,
    });
    let links: Vec<Link> = links.collect();
    let operator = Operator {
        broker: node.broker.clone(),
        store: node.decisions.clone(),
        settlement: Some(store),
        reference: node.reference.clone(),
        clock: node.clock.clone(),
        ids: node.ids.clone(),
        seal: node.seal.clone(),
        metrics: telemetry::start_metrics(),
        sign_in: SignIn::Links(links.clone()),
    };
    running.spawn(samenloop_operator::run(
        listener,
        operator,
        shutdown.clone(),
    ));
    let addresses = links.iter().map(|link| {
        let (person, token) = (link.person.name(), &link.token);
        let address = format!("http://127.0.0.1:{}/?token={token}", address.port());
        print::note(format!(
            "operator page, for one browser of {person}: {address}"
        ));
        address
    });
    Ok(addresses.collect())
}
