//! The operator page: where every declaration is, why it was decided as it was, what is stuck, and what can be done
//! about it. It changes the state of what is in quarantine, and writes down who did so; whatever changes a decision
//! is a command to detection.
//!
//! Layout, in reading order: [`person`] has the roles and what each may do, [`access`] says who somebody is,
//! [`routes`] that every route states what it needs; [`sampler`] watches depths and counts and keeps the last
//! minutes of them; a file per page ([`overview`], [`declarations`], [`declaration`], [`quarantine`], [`queues`],
//! [`stuck`], [`subscribers`], [`reference`], [`reasons`]) builds what is shown in a [`frame`] (language and address),
//! as HTML, JSON or CSV ([`respond`]), from values that know how they look ([`shown`], [`sparkline`]); every table is
//! a [`list`]. [`work`] is what is done to many deliveries at once, for pages and command line alike; [`reviews`] is
//! what waits for a person, who asks detection ([`asking`]); [`operations`] shows what was done, [`session`] who is
//! asking.

mod access;
mod asking;
mod declaration;
mod declarations;
mod frame;
mod language;
mod list;
mod masked;
mod navigation;
mod operations;
mod overview;
pub mod person;
mod quarantine;
mod queues;
mod reasons;
mod reference;
mod respond;
mod reviews;
mod routes;
mod sampler;
mod session;
mod shown;
mod sparkline;
mod stuck;
mod subscribers;
#[cfg(test)]
mod tests;
pub mod work;

use std::{net::SocketAddr, sync::Arc, time::Duration};

pub use access::{Ends, Link, SignIn};
use axum::{
    Router,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware,
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use person::Right;
pub use routes::Route;
use routes::Routes;
use samenloop_adapters::{
    broker::{Broker, Queue},
    clock::Clock,
    decision_store::DecisionStore,
    health::{self, Health, Need},
    ids::Ids,
    reference_feed::ReferenceFeed,
    seal::SealingKey,
    settlement_store::SettlementStore,
    shutdown::Shutdown,
};
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tower_http::{
    limit::RequestBodyLimitLayer, set_header::SetResponseHeaderLayer, timeout::TimeoutLayer,
};

/// How long a page may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Forms are short: a reason and what was shown.
const BODY_BYTES_MAX: usize = 16 << 10;

/// Most operations that run at once; more are told to wait.
const OPERATIONS_MAX: usize = 4;

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
    /// Ids of operations.
    pub ids: Ids,
    /// Opens quarantined bodies, in memory only.
    pub seal: SealingKey,
    /// Metrics of this process, shown under `/metrics`.
    pub metrics: Option<PrometheusHandle>,
    /// Who may look, and what they are.
    pub sign_in: SignIn,
}

/// What handlers share.
#[derive(Clone)]
struct App {
    operator: Operator,
    access: Arc<access::Access>,
    samples: sampler::Samples,
    running: Arc<Semaphore>,
    shutdown: Shutdown,
}

impl App {
    fn worker(&self) -> work::Worker {
        let operator = &self.operator;
        work::Worker {
            broker: operator.broker.clone(),
            store: operator.store.clone(),
            seal: operator.seal.clone(),
            clock: operator.clock.clone(),
            ids: operator.ids.clone(),
        }
    }

    /// Carries an operation out while its page is looked at.
    fn carry_out(&self, worker: work::Worker, begun: work::Begun, permit: OwnedSemaphorePermit) {
        let shutdown = self.shutdown.clone();
        let id = begun.operation.id;
        tokio::spawn(async move {
            let _permit = permit;
            match worker.carry_out(begun, &shutdown).await {
                Ok(done) => {
                    tracing::info!(operation = %id, done = done.done, failed = done.failed, "an operation ended")
                }
                Err(error) => {
                    tracing::error!(operation = %id, %error, "an operation was lost on its way")
                }
            }
        });
    }
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
        access: Arc::new(access::Access::new(operator.sign_in.clone())),
        samples: sampler::Samples::default(),
        running: Arc::new(Semaphore::new(OPERATIONS_MAX)),
        shutdown: shutdown.clone(),
        operator,
    };
    let watching = sampler::watch(&app.operator, &app.samples, &shutdown);
    let service = router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let serving =
        axum::serve(listener, service).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let (served, ()) = tokio::join!(serving, watching);
    served?;
    // Operations end at their next page; each of them holds a permit until it is written down.
    let all = u32::try_from(OPERATIONS_MAX).expect("a few");
    let _ended = app.running.acquire_many(all).await;
    Ok(())
}

/// Every route of the site that a person opens, with what it needs.
fn pages() -> Routes {
    Routes::default()
        .plain("/", Right::Enter, overview::first)
        .page("/overview", Right::Watch, overview::show)
        .page("/declarations", Right::Declarations, declarations::show)
        .page_of_one(
            "/declarations/{message_id}",
            Right::Declarations,
            declaration::show,
        )
        .page("/quarantine", Right::Quarantine, quarantine::show)
        .page(
            "/quarantine/act",
            Right::ActOnQuarantine,
            quarantine::act::preview,
        )
        .act(
            "/quarantine/act",
            Right::ActOnQuarantine,
            quarantine::act::confirm,
        )
        .page_of_one(
            "/quarantine/{id}",
            Right::Quarantine,
            quarantine::delivery::show,
        )
        .act(
            "/quarantine/{id}/body",
            Right::LookAtBody,
            quarantine::delivery::look,
        )
        .page("/reviews", Right::Reviews, reviews::show)
        .page("/reviews/act", Right::DecideReview, reviews::many::preview)
        .act("/reviews/act", Right::DecideReview, reviews::many::confirm)
        .page_of_one("/reviews/{id}", Right::Reviews, reviews::line::show)
        .act(
            "/reviews/{id}/decide",
            Right::DecideReview,
            reviews::decide::decide,
        )
        .act(
            "/reviews/{id}/agree",
            Right::AgreeToReview,
            reviews::decide::agree,
        )
        .act(
            "/reviews/{id}/case",
            Right::DecideReview,
            reviews::decide::case,
        )
        .page("/queues", Right::Watch, queues::show)
        .page("/parked", Right::Parked, stuck::show)
        .act("/parked", Right::ActOnParked, stuck::send_again)
        .page("/subscribers", Right::Subscribers, subscribers::show)
        .page("/reference", Right::Reference, reference::show)
        .page("/contracts", Right::Reference, reference::contracts::show)
        .page("/versions", Right::Watch, reference::versions::show)
        .page("/operations", Right::Operations, operations::show)
        .page_of_one("/operations/{id}", Right::Operations, operations::show_one)
        .page("/reasons", Right::Enter, reasons::show)
        .plain("/language", Right::Enter, language::choose)
}

/// Every route of the site that a person opens, with the right that it needs.
#[must_use]
pub fn stated_routes() -> Vec<Route> {
    pages().into_parts().1
}

fn router(app: App) -> Router {
    let (pages, _) = pages().into_parts();
    let pages = pages
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
        // Nothing is told to other sites; our own forms must say where they come from, which `no-referrer` hides.
        .layer(plain(header::REFERRER_POLICY, "same-origin"))
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

fn plain(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
