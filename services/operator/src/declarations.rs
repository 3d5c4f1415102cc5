//! Declarations decided last, newest first. A link to a page of the list shows the same rows for ever.

use askama::Template;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use samenloop_adapters::decision_store::{MessageFilter, MessageKey, StoredMessage};
use samenloop_domain::identifiers::Sequence;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    App,
    declaration::status_word,
    frame::Frame,
    language::Say,
    list::{Cell, Column, Filter, List, Row, Spec, Want},
    person::Scope,
    respond::{self, Failure},
    shown::{Count, Euro, State as Stands, When},
};

static DECLARATIONS: Spec = Spec {
    name: "declarations",
    title: Say("Declarations", "Declaraties"),
    columns: &[
        Column::number("sequence", Say("Sequence", "Volgnummer")).unsorted(),
        Column::text("status", Say("Status", "Status")).unsorted(),
        Column::head("message_id", Say("Message id", "Bericht-id")).unsorted(),
        Column::text("party", Say("Party", "Partij")).unsorted(),
        Column::text("declarant_agb", Say("Declarant", "Declarant")).unsorted(),
        Column::text("insurer_uzovi", Say("Insurer", "Verzekeraar")).unsorted(),
        Column::text("invoice_number", Say("Invoice", "Factuur")).unsorted(),
        Column::number("lines", Say("Lines", "Regels")).unsorted(),
        Column::number("awarded_cents", Say("Awarded", "Toegekend")).unsorted(),
        Column::time("received_at", Say("Received", "Ontvangen")).unsorted(),
        Column::time("decided_at", Say("Decided", "Beslist")).unsorted(),
    ],
    filters: &[
        Filter {
            key: "status",
            label: Say("Status", "Status"),
            choices: &["accepted", "partly", "rejected", "in_review"],
        },
        Filter {
            key: "line",
            label: Say("Line reference", "Regelkenmerk"),
            choices: &[],
        },
        Filter {
            key: "invoice",
            label: Say("Invoice", "Factuur"),
            choices: &[],
        },
        Filter {
            key: "party",
            label: Say("Party", "Partij"),
            choices: &[],
        },
        Filter {
            key: "declarant",
            label: Say("Declarant (AGB)", "Declarant (AGB)"),
            choices: &[],
        },
        Filter {
            key: "insurer",
            label: Say("Insurer (UZOVI)", "Verzekeraar (UZOVI)"),
            choices: &[],
        },
        Filter {
            key: "contract",
            label: Say("Contract", "Contract"),
            choices: &[],
        },
        Filter {
            key: "trace",
            label: Say("Trace", "Trace"),
            choices: &[],
        },
        Filter {
            key: "find",
            label: Say("Any of these, exactly", "Een van deze, precies"),
            choices: &[],
        },
    ],
    empty: Say("No declaration matches.", "Geen declaratie past hierbij."),
    is_main: true,
};

#[derive(Serialize, Template)]
#[template(path = "declarations.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    declarations: List,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        vec![&self.declarations]
    }
}

/// `/declarations`.
pub(crate) async fn show(State(app): State<App>, frame: Frame, scope: Scope) -> Response {
    if let Some(message_id) = frame.field("message_id") {
        return go_to(&frame, message_id);
    }
    if let Some(id) = frame.field("find").and_then(|it| Uuid::try_parse(it).ok()) {
        let location = [(header::LOCATION, link(id))];
        return (StatusCode::SEE_OTHER, location).into_response();
    }
    let mut want = Want::of(&frame, &DECLARATIONS);
    let before = match want.cursor.as_deref().map(str::parse) {
        None => None,
        Some(Ok(sequence)) => Some(Sequence(sequence)),
        Some(Err(_)) => {
            want.refuse_cursor();
            None
        }
    };
    let limit = u32::try_from(want.limit).unwrap_or(u32::MAX);
    let store = &app.operator.store;
    let filter = filter_of(&frame, scope);
    let found = match scope {
        _ if filter != filter_of(&frame.at("/declarations"), scope) => {
            store.find_messages(&filter, before, limit).await
        }
        Scope::Everybody => store.latest(before, limit).await,
        Scope::Insurer(insurer) => store.latest_to(insurer, before, limit).await,
    };
    let messages = match found {
        Ok(messages) => messages,
        Err(error) => return Failure::no_store(&frame, &error).shown(&frame),
    };
    let is_full = messages.len() == want.limit;
    let last = messages
        .last()
        .filter(|last| is_full && last.sequence.0 > 1);
    let next = last.map(|last| last.sequence.0.to_string());
    let rows = messages.iter().map(row).collect();
    let declarations = List::of_page(&frame, &DECLARATIONS, want, rows, next, None);
    respond::page(&Page {
        frame,
        declarations,
    })
}

/// What an address looks for, within what somebody may see.
fn filter_of(frame: &Frame, scope: Scope) -> MessageFilter {
    let text = |name: &str| frame.field(name).map(ToOwned::to_owned);
    let named = MessageKey::ALL
        .into_iter()
        .filter_map(|key| Some((key, text(key.as_str())?)));
    let own = scope
        .insurer()
        .map(|own| (MessageKey::Insurer, own.to_string()));
    let any = text("find");
    // A claim, or a line of the log, is named by the entry that decided its message: `17.1.2`, `17.2`.
    let entry = any.as_deref().and_then(|any| {
        let (sequence, rest) = any.split_once('.')?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
        let numbers = rest.split('.').count() <= 2 && rest.split('.').all(is_number);
        numbers
            .then(|| sequence.parse().ok().map(Sequence))
            .flatten()
    });
    MessageFilter {
        keys: named.chain(own).collect(),
        sequence: entry,
        any: any.filter(|_| entry.is_none()),
        line_reference: text("line"),
        status: text("status"),
    }
}

fn go_to(frame: &Frame, message_id: &str) -> Response {
    match Uuid::try_parse(message_id) {
        Ok(id) => {
            let location = [(header::LOCATION, link(id))];
            (StatusCode::SEE_OTHER, location).into_response()
        }
        Err(_) => Failure::not_found(
            frame,
            "What was entered is no message id: it must be a UUID.",
            "Wat is ingevoerd is geen bericht-id: het moet een UUID zijn.",
        )
        .shown(frame),
    }
}

/// The page of a declaration.
pub(crate) fn link(message_id: Uuid) -> String {
    format!("/declarations/{message_id}")
}

fn row(message: &StoredMessage) -> Row {
    let outcome = &message.outcome;
    let awarded = outcome.lines.iter().map(|line| line.awarded_cents);
    let status = Stands::of_wire(status_word(outcome.status()));
    Row::from(vec![
        Cell::Count(Count(message.sequence.0)),
        Cell::State(status),
        Cell::code(message.message_id.to_string()).link(link(message.message_id)),
        Cell::text(message.party.as_str()),
        Cell::code(&outcome.declarant_agb),
        Cell::code(&outcome.insurer_uzovi),
        Cell::text(&outcome.invoice_number),
        Cell::Count(Count(outcome.lines.len() as u64)),
        Cell::Euro(Euro(awarded.fold(0, i64::saturating_add))),
        Cell::When(When(message.received_at)),
        Cell::When(When(message.decided_at)),
    ])
}
