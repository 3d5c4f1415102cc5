//! Probes and metrics: alive says that the loop turns, ready says that what is needed answers.

use std::{future::Future, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use samenloop_adapters::broker::Queue;
use serde::Serialize;

use crate::App;

/// How long a dependency may take to answer a probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// What answers.
#[derive(Debug, Serialize)]
pub(crate) struct Readiness {
    accepting: bool,
    store: bool,
    broker: bool,
}

/// The loop turns.
pub(crate) async fn alive() -> &'static str {
    "alive\n"
}

/// Store and broker answer, and no shutdown was asked for.
pub(crate) async fn ready(State(app): State<App>) -> (StatusCode, Json<Readiness>) {
    let readiness = Readiness {
        accepting: !app.shutdown.is_cancelled(),
        store: answers(app.operator.store.ping()).await,
        broker: answers(app.operator.broker.depth(&Queue::Declarations)).await,
    };
    let all = readiness.accepting && readiness.store && readiness.broker;
    let status = if all {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness))
}

/// Metrics of this process, for Prometheus.
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    match &app.operator.metrics {
        Some(handle) => {
            let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
            (kind, handle.render()).into_response()
        }
        None => (StatusCode::NOT_FOUND, "no metrics are collected here\n").into_response(),
    }
}

async fn answers<T, E>(probe: impl Future<Output = Result<T, E>>) -> bool {
    matches!(tokio::time::timeout(PROBE_TIMEOUT, probe).await, Ok(Ok(_)))
}
