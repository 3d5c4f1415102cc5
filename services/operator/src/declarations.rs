//! Declarations decided last, newest first. A link to a page of the list shows the same rows for ever.

use askama::Template;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use samenloop_adapters::decision_store::StoredMessage;
use samenloop_domain::identifiers::Sequence;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    App,
    respond::{self, Failure, Form},
    shown::{Count, Euro, State as Stands, When},
};

/// Rows of a page, unless asked otherwise.
const ROWS: u32 = 50;

/// Most rows of a page.
const ROWS_MAX: u32 = 200;

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// Only declarations before this number of the log.
    before: Option<u64>,
    limit: Option<u32>,
    /// Go to this declaration.
    message_id: Option<String>,
}

#[derive(Serialize, Template)]
#[template(path = "declarations.html")]
struct Page {
    declarations: Vec<Row>,
    is_first: bool,
    older: Option<String>,
}

/// A declaration in a list.
#[derive(Serialize)]
struct Row {
    sequence: Count,
    message_id: String,
    status: Stands,
    version: u32,
    party: String,
    declarant_agb: String,
    insurer_uzovi: String,
    invoice_number: String,
    lines: Count,
    awarded_cents: Euro,
    received_at: When,
    decided_at: When,
}

/// `/declarations`.
pub(crate) async fn show(
    State(app): State<App>,
    form: Form,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Ok(Query(asked)) = asked else {
        let detail = "The address asks for rows in a way that is not known.";
        return Failure::not_found(detail).in_form(form);
    };
    if let Some(message_id) = &asked.message_id {
        return go_to(message_id, form);
    }
    let limit = asked.limit.unwrap_or(ROWS).clamp(1, ROWS_MAX);
    let before = asked.before.map(Sequence);
    let messages = match app.operator.store.latest(before, limit).await {
        Ok(messages) => messages,
        Err(error) => return Failure::unavailable("store of decisions", &error).in_form(form),
    };
    let is_full = messages.len() == limit as usize;
    let last = messages
        .last()
        .filter(|message| is_full && message.sequence.0 > 1);
    let suffix = match form {
        Form::Html => "",
        Form::Json => ".json",
    };
    let older = last.map(|message| {
        let before = message.sequence.0;
        format!("/declarations{suffix}?before={before}&limit={limit}")
    });
    let page = Page {
        is_first: before.is_none(),
        older,
        declarations: messages.iter().map(row).collect(),
    };
    respond::page(form, &page)
}

fn go_to(message_id: &str, form: Form) -> Response {
    match Uuid::try_parse(message_id.trim()) {
        Ok(id) => {
            let path = format!("/declarations/{id}");
            let location = [(axum::http::header::LOCATION, path)];
            (StatusCode::SEE_OTHER, location).into_response()
        }
        Err(_) => Failure::not_found("What was entered is no message id: it must be a UUID.")
            .in_form(form),
    }
}

fn row(message: &StoredMessage) -> Row {
    let outcome = &message.outcome;
    let awarded = outcome.lines.iter().map(|line| line.awarded_cents);
    Row {
        sequence: Count(message.sequence.0),
        message_id: message.message_id.to_string(),
        status: Stands::of_wire(crate::declaration::status_word(outcome.status())),
        version: outcome.version,
        party: message.party.to_string(),
        declarant_agb: outcome.declarant_agb.clone(),
        insurer_uzovi: outcome.insurer_uzovi.clone(),
        invoice_number: outcome.invoice_number.clone(),
        lines: Count(outcome.lines.len() as u64),
        awarded_cents: Euro(awarded.fold(0, i64::saturating_add)),
        received_at: When(message.received_at),
        decided_at: When(message.decided_at),
    }
}
