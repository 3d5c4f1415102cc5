//! Deliveries that no role could work on. Their bodies are sealed and are not shown: they may hold a BSN.

use askama::Template;
use axum::{extract::State, response::Response};
use samenloop_adapters::{decision_store::Quarantined, wire::digest};
use serde::Serialize;

use crate::{
    App,
    reasons::{self, Explained},
    respond::{self, Failure, Form},
    shown::{Count, When},
};

/// Deliveries on the page.
const ROWS_MAX: u32 = 200;

#[derive(Serialize, Template)]
#[template(path = "quarantine.html")]
struct Page {
    total: Count,
    deliveries: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    stage: String,
    reason: String,
    explained: Option<Explained>,
    problem: String,
    fingerprint: String,
    party: Option<String>,
    message_id: String,
    content_type: String,
    quarantined_at: When,
    attempts: u32,
}

/// `/quarantine`.
pub(crate) async fn show(State(app): State<App>, form: Form) -> Response {
    let deliveries = match app.operator.store.quarantined(ROWS_MAX).await {
        Ok(deliveries) => deliveries,
        Err(error) => return Failure::unavailable("store of decisions", &error).in_form(form),
    };
    let sampled = app.samples.latest().and_then(|sample| sample.figures);
    let shown = deliveries.len() as u64;
    let total = sampled.map_or(shown, |figures| figures.quarantined.max(shown));
    let page = Page {
        total: Count(total),
        deliveries: deliveries.into_iter().map(row).collect(),
    };
    respond::page(form, &page)
}

fn row(delivery: Quarantined) -> Row {
    Row {
        id: delivery.id.to_string(),
        stage: delivery.stage,
        explained: reasons::explain(&delivery.reason),
        reason: delivery.reason,
        problem: delivery.problem,
        fingerprint: digest::hex(&delivery.fingerprint),
        party: delivery.party.map(|party| party.to_string()),
        message_id: delivery.message_id,
        content_type: delivery.content_type,
        quarantined_at: When(delivery.quarantined_at),
        attempts: delivery.attempts,
    }
}
