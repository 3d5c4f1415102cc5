//! Probes and metrics of a role over HTTP: alive says that its loop turns, ready says that all it needs answers.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use futures_util::future::join_all;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use crate::{
    broker::{Broker, Queue},
    decision_store::DecisionStore,
    reference_feed::ReferenceFeed,
    settlement_client::SettlementClient,
    settlement_store::SettlementStore,
    shutdown::Shutdown,
};

/// How long what a role needs may take to answer a probe.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// What a role cannot work without.
#[derive(Clone, Debug)]
pub enum Need {
    /// The store of decisions.
    Decisions(DecisionStore),
    /// The store of settlement.
    Claims(SettlementStore),
    /// Reference data in force.
    Reference(ReferenceFeed),
    /// The broker, asked for a queue.
    Broker(Broker, Queue),
    /// The settlement service.
    Settlement(Box<SettlementClient>),
}

impl Need {
    fn name(&self) -> &'static str {
        match self {
            Self::Decisions(_) => "store",
            Self::Claims(_) => "settlement_store",
            Self::Reference(_) => "reference",
            Self::Broker(..) => "broker",
            Self::Settlement(_) => "settlement",
        }
    }

    /// Whether it answers, and well.
    async fn answers(&self) -> bool {
        match self {
            Self::Decisions(store) => store.ping().await.is_ok(),
            Self::Claims(store) => store.ping().await.is_ok(),
            Self::Reference(feed) => matches!(feed.current().await, Ok(Some(_))),
            Self::Broker(broker, queue) => broker.depth(queue).await.is_ok(),
            Self::Settlement(client) => client.is_serving().await,
        }
    }
}

/// What is told of a role.
#[derive(Clone, Debug)]
pub struct Health {
    /// All of these must answer.
    pub needs: Vec<Need>,
    /// Shown under `/metrics`; absent where they are not collected, or not to be seen.
    pub metrics: Option<PrometheusHandle>,
    /// Once asked for, the role is not ready any more.
    pub shutdown: Shutdown,
}

impl Health {
    /// What answers, by name; `accepting` until shutdown.
    pub async fn readiness(&self) -> BTreeMap<&'static str, bool> {
        let asked = self.needs.iter().map(|need| async {
            let answers = tokio::time::timeout(PROBE_TIMEOUT, need.answers()).await;
            (need.name(), answers == Ok(true))
        });
        let mut readiness: BTreeMap<_, _> = join_all(asked).await.into_iter().collect();
        readiness.insert("accepting", !self.shutdown.is_cancelled());
        readiness
    }
}

/// `/healthz`, `/readyz` and `/metrics`, for a server of any state.
pub fn router<S>(health: Health) -> Router<S> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(health)
}

/// Serves probes and metrics of a role that has no other HTTP server, until shutdown.
///
/// # Errors
/// Where the listener fails.
pub async fn run(listener: TcpListener, health: Health) -> anyhow::Result<()> {
    let shutdown = health.shutdown.clone();
    axum::serve(listener, router(health))
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await?;
    Ok(())
}

/// The loop turns.
async fn alive() -> &'static str {
    "alive\n"
}

/// All needs answer, and no shutdown was asked for.
async fn ready(State(health): State<Health>) -> (StatusCode, Json<BTreeMap<&'static str, bool>>) {
    let readiness = health.readiness().await;
    let status = match readiness.values().all(|answers| *answers) {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(readiness))
}

/// Metrics of this process, for Prometheus.
async fn metrics(State(health): State<Health>) -> Response {
    match &health.metrics {
        Some(handle) => {
            let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
            (kind, handle.render()).into_response()
        }
        None => (StatusCode::NOT_FOUND, "no metrics are collected here\n").into_response(),
    }
}
