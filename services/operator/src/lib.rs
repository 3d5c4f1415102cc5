//! The operator page: where every declaration is, why it was decided as it was, and what is stuck. It reads, and
//! changes nothing: whatever changes a decision is a command to detection.
//!
//! Layout, in reading order: [`access`] says who may look, [`sampler`] watches depths and counts and keeps the last
//! minutes of them; a file per page ([`overview`], [`declarations`], [`declaration`], [`quarantine`], [`reasons`])
//! builds what is shown in a [`frame`] (language and address), as HTML, JSON or CSV ([`respond`]), from values that
//! know how they look ([`shown`], [`sparkline`]); every table is a [`list`].

mod access;
mod declaration;
mod declarations;
mod frame;
mod language;
mod list;
mod overview;
mod quarantine;
mod reasons;
mod respond;
mod sampler;
mod shown;
mod sparkline;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware,
    routing::{MethodRouter, get},
};
use metrics_exporter_prometheus::PrometheusHandle;
use samenloop_adapters::{
    broker::{Broker, Queue},
    clock::Clock,
    decision_store::DecisionStore,
    health::{self, Health, Need},
    ids::Ids,
    reference_feed::ReferenceFeed,
    settlement_store::SettlementStore,
    shutdown::Shutdown,
};
use tokio::net::TcpListener;
use tower_http::{
    limit::RequestBodyLimitLayer, set_header::SetResponseHeaderLayer, timeout::TimeoutLayer,
};

/// How long a page may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Nothing is posted here, so no body is wanted.
const BODY_BYTES_MAX: usize = 1 << 10;

/// Scripts are not allowed at all, styles and images only from here.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the pages need.
#[derive(Clone)]
pub struct Operator {
    /// Depths of queues.
    pub broker: Broker,
    /// Decisions, outbox and quarantine.
    pub store: DecisionStore,
    /// Claims; absent where this process may not read them.
    pub settlement: Option<SettlementStore>,
    /// The reference data in force.
    pub reference: ReferenceFeed,
    /// The present.
    pub clock: Clock,
    /// The secret of the session.
    pub ids: Ids,
    /// Metrics of this process, shown under `/metrics`.
    pub metrics: Option<PrometheusHandle>,
    /// One-time token: the first to open `/?token=...` may look. Without one, everybody on this machine may.
    pub token: Option<String>,
}

/// What handlers share.
#[derive(Clone)]
struct App {
    operator: Operator,
    access: Arc<access::Access>,
    samples: sampler::Samples,
    shutdown: Shutdown,
}

/// Serves until shutdown, and watches the queues meanwhile.
///
/// # Errors
/// Where the listener fails.
pub async fn run(
    listener: TcpListener,
    operator: Operator,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    tracing::info!(address = %listener.local_addr()?, "the operator page listens");
    let app = App {
        access: Arc::new(access::Access::new(operator.token.clone(), &operator.ids)),
        samples: sampler::Samples::default(),
        shutdown: shutdown.clone(),
        operator,
    };
    let watching = sampler::watch(&app.operator, &app.samples, &shutdown);
    let service = router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let serving =
        axum::serve(listener, service).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let (served, ()) = tokio::join!(serving, watching);
    served?;
    Ok(())
}

fn router(app: App) -> Router {
    let pages = Router::new()
        .route("/", get(overview::show))
        .merge(in_each_form("/overview", &get(overview::show)))
        .merge(in_each_form("/declarations", &get(declarations::show)))
        .route("/declarations/{message_id}", get(declaration::show))
        .merge(in_each_form("/quarantine", &get(quarantine::show)))
        .merge(in_each_form("/reasons", &get(reasons::show)))
        .route("/language", get(language::choose))
        .fallback(respond::no_such_page)
        .layer(middleware::from_fn_with_state(app.clone(), access::guard));
    Router::new()
        .merge(pages)
        .route("/site.css", get(respond::style))
        .route("/icon.svg", get(respond::icon))
        .merge(health::router(health_of(&app)))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            REQUEST_TIMEOUT,
        ))
        .layer(plain(
            header::CONTENT_SECURITY_POLICY,
            CONTENT_SECURITY_POLICY,
        ))
        .layer(plain(header::CACHE_CONTROL, "no-store"))
        .layer(plain(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(plain(header::REFERRER_POLICY, "no-referrer"))
        .with_state(app)
}

fn health_of(app: &App) -> Health {
    let operator = &app.operator;
    let mut needs = vec![
        Need::Decisions(operator.store.clone()),
        Need::Broker(operator.broker.clone(), Queue::Declarations),
    ];
    needs.extend(operator.settlement.clone().map(Need::Claims));
    Health {
        needs,
        metrics: operator.metrics.clone(),
        shutdown: app.shutdown.clone(),
    }
}

/// A page under its path, and under the endings for programs.
fn in_each_form(path: &str, page: &MethodRouter<App>) -> Router<App> {
    Router::new()
        .route(path, page.clone())
        .route(&format!("{path}.json"), page.clone())
        .route(&format!("{path}.csv"), page.clone())
}

fn plain(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
