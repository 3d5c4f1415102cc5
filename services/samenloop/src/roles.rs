//! Starts roles on a node. In production a process runs one of them; `all` and `demo` run every one.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use anyhow::Context as _;
use samenloop_adapters::{
    funding_client::FundingClient,
    outbox::{Destination, RelayContext},
    settlement_client::{ClientOptions, ClientTls, SettlementClient},
    settlement_store::SettlementStore,
    shutdown::Shutdown,
};
use samenloop_detection::{
    DetectionHandler, Retention,
    check::FundingCheck,
    funding::{self, FundingService},
};
use samenloop_settlement::{Caller, Callers, Reflection, ServerTls, SettlementConfig};
use samenloop_validation::ValidationHandler;
use tokio::{net::TcpListener, task::JoinSet};

use crate::node::Node;

/// Roles of a process, each in its own task.
#[derive(Debug)]
pub struct Roles {
    tasks: JoinSet<anyhow::Result<()>>,
    shutdown: Shutdown,
}

impl Roles {
    /// No role yet.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self {
            tasks: JoinSet::new(),
            shutdown,
        }
    }

    /// Starts validation.
    pub fn validation(&mut self, node: &Node) {
        let handler = ValidationHandler {
            broker: node.broker.clone(),
            store: node.decisions.clone(),
            reference: node.reference.clone(),
            clock: node.clock.clone(),
            ids: node.ids.clone(),
            keys: node.keys.clone(),
            seal: node.seal.clone(),
            environment: node.config.environment,
        };
        let (context, shutdown) = (node.consume_context(), self.shutdown.clone());
        self.tasks.spawn(async move {
            samenloop_validation::run(context, handler, shutdown).await;
            Ok(())
        });
    }

    /// Starts detection, which sends claims to `client`.
    pub fn detection(&mut self, node: &Node, client: SettlementClient) {
        let handler = detection_handler(node);
        let relay = RelayContext {
            store: node.decisions.clone(),
            clock: node.clock.clone(),
            holder: node.ids.next(),
            faults: node.faults.clone(),
        };
        let days = i64::from(node.config.limits.quarantine_days);
        let retention = Retention {
            store: node.decisions.clone(),
            clock: node.clock.clone(),
            quarantine: jiff::SignedDuration::from_hours(24 * days),
        };
        let destinations = [
            Destination::Outcomes(node.broker.clone()),
            Destination::Claims(Box::new(client)),
        ];
        let (context, shutdown) = (node.consume_context(), self.shutdown.clone());
        self.tasks.spawn(async move {
            let run = samenloop_detection::run(
                context,
                handler,
                retention,
                relay,
                destinations,
                shutdown,
            );
            Box::pin(run).await;
            Ok(())
        });
    }

    /// Starts detection's answers to questions asked beforehand on `listener`.
    ///
    /// # Errors
    /// Names the file of a certificate that cannot be read.
    pub async fn funding(&mut self, node: &Node, listener: TcpListener) -> anyhow::Result<()> {
        let service = FundingService {
            check: funding_check(node),
            keys: node.keys.clone(),
            clock: node.clock.clone(),
            callers: askers(node).await?,
        };
        let shutdown = self.shutdown.clone();
        self.tasks
            .spawn(funding::serve(service, listener, shutdown));
        Ok(())
    }

    /// Starts settlement on `listener`.
    ///
    /// # Errors
    /// Names the file of a certificate that cannot be read.
    pub async fn settlement(
        &mut self,
        node: &Node,
        store: SettlementStore,
        listener: TcpListener,
    ) -> anyhow::Result<()> {
        let settings = &node.config.settlement;
        let config = SettlementConfig {
            callers: callers(node).await?,
            reflection: if settings.reflection {
                Reflection::Served
            } else {
                Reflection::Hidden
            },
            shutdown_max: Duration::from_secs(node.config.limits.drain_seconds.into()),
            ..SettlementConfig::default()
        };
        let (clock, shutdown) = (node.clock.clone(), self.shutdown.clone());
        self.tasks.spawn(samenloop_settlement::run(
            config, store, listener, clock, shutdown,
        ));
        Ok(())
    }

    /// Starts any other server.
    pub fn spawn(&mut self, server: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.tasks.spawn(server);
    }

    /// Waits until every role has ended; one that fails ends the others.
    ///
    /// # Errors
    /// The first failure.
    pub async fn join(mut self) -> anyhow::Result<()> {
        let mut failed = Ok(());
        while let Some(ended) = self.tasks.join_next().await {
            let ended = ended.context("a role panicked").and_then(|ended| ended);
            if ended.is_err() {
                self.shutdown.cancel();
                failed = failed.and(ended);
            }
        }
        failed
    }
}

/// What decides on a node.
#[must_use]
pub fn detection_handler(node: &Node) -> DetectionHandler {
    DetectionHandler {
        store: node.decisions.clone(),
        reference: node.reference.clone(),
        clock: node.clock.clone(),
        original_wait: jiff::SignedDuration::from_secs(
            node.config.limits.original_wait_seconds.into(),
        ),
        environment: node.config.environment,
        reviews: node.config.reviews.clone(),
    }
}

/// Who may call settlement: certificates where they are configured, else anybody on loopback.
async fn callers(node: &Node) -> anyhow::Result<Callers> {
    let settings = &node.config.settlement;
    if settings.tls_certificate.is_empty() {
        return Ok(Callers::Loopback { bearer: None });
    }
    let reference = node
        .reference
        .current()
        .await?
        .context("no reference data is in force")?;
    let mut names = BTreeMap::from([("samenloop-detection".to_owned(), Caller::Detection)]);
    for party in reference.parties.values() {
        if let (Some(name), Some(uzovi)) = (&party.certificate, party.uzovi) {
            names.insert(name.clone(), Caller::Insurer(uzovi));
        }
    }
    let tls = ServerTls {
        certificate: read(&settings.tls_certificate)?,
        private_key: read(&settings.tls_key)?,
        client_authorities: read(&settings.tls_client_authority)?,
    };
    Ok(Callers::Certificates { tls, names })
}

/// Who may ask beforehand: certificates where they are configured, else anybody on loopback.
async fn askers(node: &Node) -> anyhow::Result<funding::Callers> {
    let settings = &node.config.funding;
    if settings.tls_certificate.is_empty() {
        return Ok(funding::Callers::Loopback);
    }
    let reference = node
        .reference
        .current()
        .await?
        .context("no reference data is in force")?;
    let gateway = samenloop_gateway::GATEWAY_USER.to_owned();
    let mut names = BTreeMap::from([(gateway, funding::Caller::Asker)]);
    for (id, party) in &reference.parties {
        if let Some(name) = &party.certificate {
            names.insert(name.clone(), funding::Caller::Party(id.clone()));
        }
    }
    let tls = ServerTls {
        certificate: read(&settings.tls_certificate)?,
        private_key: read(&settings.tls_key)?,
        client_authorities: read(&settings.tls_client_authority)?,
    };
    Ok(funding::Callers::Certificates { tls, names })
}

/// Answers what would be decided, on the store of this node.
#[must_use]
pub fn funding_check(node: &Node) -> FundingCheck {
    FundingCheck {
        store: node.decisions.clone(),
        reference: node.reference.clone(),
        environment: node.config.environment,
    }
}

/// A client of detection's answers as configured.
///
/// # Errors
/// Says what is wrong with the endpoint or its certificates.
pub fn funding_client(node: &Node, endpoint: &str) -> anyhow::Result<FundingClient> {
    let settings = &node.config.funding;
    let tls = if endpoint.starts_with("https://") {
        Some(ClientTls {
            authorities: read(&settings.tls_client_authority)?,
            certificate: read(&settings.tls_certificate)?,
            private_key: read(&settings.tls_key)?,
            server_name: None,
        })
    } else {
        None
    };
    Ok(FundingClient::new(endpoint, tls.as_ref())?)
}

/// A client of settlement as configured. Its faults are those of the relay of claims.
///
/// # Errors
/// Says what is wrong with the endpoint or its certificates.
pub fn settlement_client(node: &Node, endpoint: &str) -> anyhow::Result<SettlementClient> {
    let settings = &node.config.settlement;
    let tls = if endpoint.starts_with("https://") {
        Some(ClientTls {
            authorities: read(&settings.tls_client_authority)?,
            certificate: read(&settings.tls_certificate)?,
            private_key: read(&settings.tls_key)?,
            server_name: None,
        })
    } else {
        None
    };
    let options = ClientOptions {
        tls,
        ..ClientOptions::default()
    };
    let client = SettlementClient::new(endpoint, options)?;
    Ok(client.with_faults(node.claim_faults.clone()))
}

fn read(path: &str) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("the certificate file {path}"))
}

/// Listens on an address.
///
/// # Errors
/// Names the address.
pub async fn listen(address: &str) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
