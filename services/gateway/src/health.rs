//! Probes: alive says that the loop turns, ready says that what is needed answers.

use std::{future::Future, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
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
    reference: bool,
}

/// The loop turns.
pub(crate) async fn alive() -> &'static str {
    "alive\n"
}

/// Store and broker answer, reference data is in force, and no shutdown was asked for.
pub(crate) async fn ready(State(app): State<App>) -> (StatusCode, Json<Readiness>) {
    let gateway = &app.gateway;
    let readiness = Readiness {
        accepting: !app.shutdown.is_cancelled(),
        store: answers(gateway.store.ping()).await,
        broker: answers(gateway.broker.depth(&Queue::Declarations)).await,
        reference: matches!(
            tokio::time::timeout(PROBE_TIMEOUT, gateway.reference.current()).await,
            Ok(Ok(Some(_)))
        ),
    };
    let all = readiness.accepting && readiness.store && readiness.broker && readiness.reference;
    let status = if all {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness))
}

async fn answers<T, E>(probe: impl Future<Output = Result<T, E>>) -> bool {
    matches!(tokio::time::timeout(PROBE_TIMEOUT, probe).await, Ok(Ok(_)))
}
