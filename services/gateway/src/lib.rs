//! The gateway: takes declarations over HTTP, puts them on the same queue as everyone else's, and gives their
//! outcomes back. It judges nothing and keeps nothing.
//!
//! Layout, in reading order: [`caller`] says who asks, [`intake`] takes a declaration and [`parts`] cuts one that is
//! too large for a queue, [`outcome`] answers what became of it, [`check`] what would become of one, [`problem`] is
//! every error as a problem document.

mod caller;
mod check;
mod intake;
mod outcome;
mod parts;
mod problem;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, StatusCode, header},
    routing::{get, post},
};
use samenloop_adapters::{
    broker::{Broker, Queue},
    clock::Clock,
    decision_store::DecisionStore,
    funding_client::FundingClient,
    health::{self, Health, Need},
    ids::Ids,
    reference_feed::ReferenceFeed,
    shutdown::Shutdown,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tower_http::{set_header::SetResponseHeaderLayer, timeout::TimeoutLayer};

/// User that the gateway publishes as; only this user may say for which party it sends.
pub const GATEWAY_USER: &str = "samenloop-gateway";

/// Header that names the party for whom the gateway sends.
pub const PARTY_HEADER: &str = "x-party";

/// Header that says when the gateway took the declaration from its sender, RFC 3339.
pub const RECEIVED_HEADER: &str = "x-received-at";

/// Message type on the queue `declarations`.
pub const SUBMITTED_TYPE: &str = "nl.samenloop.declaration.submitted.v1";

/// Largest body that is taken; one over the limit of a queue is cut into parts.
pub const BODY_BYTES_MAX: usize = 64 << 20;

/// Bytes of bodies held at once, in MiB; who comes when they are in use is asked to come again.
const INTAKE_MIB_MAX: usize = 128;

/// How long a request may take, its body and the broker's confirm included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// What the gateway needs.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Where declarations go.
    pub broker: Broker,
    /// Where outcomes are read.
    pub store: DecisionStore,
    /// Who may connect.
    pub reference: ReferenceFeed,
    /// When a declaration is received.
    pub clock: Clock,
    /// Trace ids of senders that give none.
    pub ids: Ids,
    /// Who answers what would become of a declaration.
    pub funding: FundingClient,
}

/// What handlers share.
#[derive(Clone)]
struct App {
    gateway: Gateway,
    intake: Arc<Semaphore>,
    recent: intake::Recent,
}

/// Serves until shutdown; requests under way are finished.
///
/// # Errors
/// Where the listener fails.
pub async fn run(
    listener: TcpListener,
    gateway: Gateway,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    tracing::info!(address = %listener.local_addr()?, "the gateway listens");
    let app = router(gateway, shutdown.clone());
    axum::serve(listener, app)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await?;
    Ok(())
}

fn router(gateway: Gateway, shutdown: Shutdown) -> Router {
    let health = Health {
        needs: vec![
            Need::Decisions(gateway.store.clone()),
            Need::Reference(gateway.reference.clone()),
            Need::Broker(gateway.broker.clone(), Queue::Declarations),
        ],
        // Its address is for parties, who have no business with metrics.
        metrics: None,
        shutdown,
    };
    let app = App {
        gateway,
        intake: Arc::new(Semaphore::new(INTAKE_MIB_MAX)),
        recent: intake::Recent::default(),
    };
    let plain = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    Router::new()
        .route("/v1/declarations", post(intake::submit))
        .route("/v1/declarations/{message_id}", get(outcome::show))
        .route("/v1/checks", post(check::ask))
        .merge(health::router(health))
        .fallback(problem::no_such_page)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            REQUEST_TIMEOUT,
        ))
        .layer(plain(header::CACHE_CONTROL, "no-store"))
        .layer(plain(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .with_state(app)
}
