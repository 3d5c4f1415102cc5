//! What people did: every operation, and every look at what is masked elsewhere.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use jiff::Timestamp;
use samenloop_adapters::decision_store::Operation;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    App,
    frame::Frame,
    language::Say,
    list::{Cell, Column, List, Row, Spec, Want},
    respond::{self, Failure},
    shown::{Count, State as Stands, Tone, When},
};

static OPERATIONS: Spec = Spec {
    name: "operations",
    title: Say("Operations", "Handelingen"),
    columns: &[
        Column::time("started_at", Say("When", "Wanneer")).unsorted(),
        Column::text("person", Say("Who", "Wie")).unsorted(),
        Column::text("kind", Say("What", "Wat")).unsorted(),
        Column::text("state", Say("State", "Stand")).unsorted(),
        Column::text("subject", Say("Of", "Waarvan")).unsorted(),
        Column::text("reason", Say("Reason", "Reden")).unsorted(),
        Column::number("matched", Say("Matched", "Gevonden")).unsorted(),
        Column::number("done", Say("Done", "Gedaan")).unsorted(),
        Column::number("failed", Say("Not possible", "Niet mogelijk")).unsorted(),
        Column::time("ended_at", Say("Ended", "Geëindigd")).unsorted(),
        Column::head("id", Say("Operation", "Handeling")).unsorted(),
    ],
    filters: &[],
    empty: Say("Nobody did anything yet.", "Niemand deed nog iets."),
    is_main: true,
};

#[derive(Serialize, Template)]
#[template(path = "operations.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    /// The page is of one operation only.
    is_one: bool,
    operations: List,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        vec![&self.operations]
    }
}

/// `/operations`.
pub(crate) async fn show(State(app): State<App>, frame: Frame) -> Response {
    let mut want = Want::of(&frame, &OPERATIONS);
    let before = want.cursor.as_deref().map(read_place);
    if before == Some(None) {
        want.refuse_cursor();
    }
    let limit = u32::try_from(want.limit).unwrap_or(u32::MAX);
    let found = match app.operator.store.operations(before.flatten(), limit).await {
        Ok(found) => found,
        Err(error) => return Failure::no_store(&frame, &error).shown(&frame),
    };
    let next = found.last().filter(|_| found.len() == want.limit);
    let next = next.map(|last| {
        format!(
            "{:x}-{}",
            last.started_at.as_microsecond(),
            last.id.simple()
        )
    });
    let rows = found.into_iter().map(row).collect();
    let operations = List::of_page(&frame, &OPERATIONS, want, rows, next, None);
    respond::page(&Page {
        frame,
        is_one: false,
        operations,
    })
}

/// `/operations/{id}`.
pub(crate) async fn show_one(
    State(app): State<App>,
    frame: Frame,
    Path(id): Path<String>,
) -> Response {
    let text = id.strip_suffix(frame.form.ending()).unwrap_or(&id);
    let found = match Uuid::try_parse(text) {
        Ok(id) => app.operator.store.operation(id).await,
        Err(_) => Ok(None),
    };
    match found {
        Ok(Some(found)) => {
            let want = Want::of(&frame, &OPERATIONS);
            let rows = vec![row(found)];
            let operations = List::of_page(&frame, &OPERATIONS, want, rows, None, Some(1));
            respond::page(&Page {
                frame,
                is_one: true,
                operations,
            })
        }
        Ok(None) => {
            let english = "No operation has this id.";
            let dutch = "Geen handeling heeft dit id.";
            Failure::not_found(&frame, english, dutch).shown(&frame)
        }
        Err(error) => Failure::no_store(&frame, &error).shown(&frame),
    }
}

fn read_place(text: &str) -> Option<(Timestamp, Uuid)> {
    let (at, id) = text.split_once('-')?;
    let at = i64::from_str_radix(at, 16).ok()?;
    Some((
        Timestamp::from_microsecond(at).ok()?,
        Uuid::try_parse(id).ok()?,
    ))
}

fn row(operation: Operation) -> Row {
    let whole = operation.done + operation.failed >= operation.matched;
    let (tone, word) = match operation.ended_at {
        None => (Tone::Warn, "running"),
        Some(_) if operation.failed == 0 && whole => (Tone::Good, "done"),
        Some(_) => (Tone::Warn, "ended early"),
    };
    let link = format!("/operations/{}", operation.id);
    Row {
        anchor: operation.id.to_string(),
        cells: vec![
            Cell::When(When(operation.started_at)),
            Cell::text(operation.person),
            Cell::text(operation.kind),
            Cell::State(Stands::new(tone, word)),
            Cell::text(operation.subject),
            Cell::text(operation.reason),
            Cell::Count(Count(operation.matched)),
            Cell::Count(Count(operation.done)),
            Cell::Count(Count(operation.failed)),
            Cell::or_absent(operation.ended_at, |at| Cell::When(When(at))),
            Cell::code(operation.id.to_string()).link(link),
        ],
    }
}
