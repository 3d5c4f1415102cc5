//! `samenloop all`: every role in one process.

use std::path::PathBuf;

use anyhow::Context as _;
use samenloop_adapters::{
    clock::Clock,
    config::Config,
    reference,
    settlement_store::SettlementStore,
    shutdown::{self, Shutdown},
};

use crate::{
    node::Node,
    print,
    roles::{self, Roles},
};

/// Arguments of `all`.
#[derive(Clone, Debug, clap::Args)]
pub struct AllArguments {
    /// Reference data to put in force before anything starts.
    #[arg(long)]
    pub reference: Option<PathBuf>,
}

/// Runs every role until a signal.
///
/// # Errors
/// Where a role cannot start, or fails.
pub async fn run(config: Config, arguments: AllArguments) -> anyhow::Result<()> {
    let node = Node::open(config, Clock::System).await?;
    if let Some(directory) = &arguments.reference {
        let loaded = reference::load(directory).map_err(|faults| {
            let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("{}", texts.join("\n"))
        })?;
        let now = node.clock.now();
        samenloop_detection::change::activate_reference(&node.decisions, &loaded, now).await?;
    }
    node.check_topology().await?;
    let shutdown = Shutdown::new();
    shutdown::on_signals(&shutdown);
    let mut running = Roles::new(shutdown.clone());
    let store = node.open_settlement().await?;
    let (listener, address) = roles::listen(&node.config.settlement.listen).await?;
    running.settlement(&node, store.clone(), listener).await?;
    let scheme = if node.config.settlement.tls_certificate.is_empty() {
        "http"
    } else {
        "https"
    };
    let client = roles::settlement_client(&node, &format!("{scheme}://{address}"))?;
    running.validation(&node);
    running.detection(&node, client);
    print::note(format!("settlement listens on {address}"));
    serve_pages(&node, store, &mut running, &shutdown).await?;
    running.join().await.context("a role failed")
}

/// Starts the gateway and the operator page, prints where they are, and gives the link of the page.
///
/// # Errors
/// Where an address is taken.
pub async fn serve_pages(
    node: &Node,
    store: SettlementStore,
    running: &mut Roles,
    shutdown: &Shutdown,
) -> anyhow::Result<String> {
    let funding = super::role::start_funding(node, running).await?;
    super::role::start_gateway(node, &funding, running, shutdown).await?;
    super::role::start_operator(node, store, running, shutdown).await
}
