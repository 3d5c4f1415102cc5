//! Deliveries that no role could work on. Their bodies are sealed and are not shown: they may hold a BSN.

use askama::Template;
use axum::{extract::State, response::Response};
use samenloop_adapters::{decision_store::Quarantined, wire::digest};
use serde::Serialize;

use crate::{
    App,
    frame::Frame,
    language::Say,
    list::{Cell, Column, List, Row, Spec},
    reasons,
    respond::{self, Failure},
    shown::{Count, When},
};

/// Deliveries on the page.
const ROWS_MAX: u32 = 200;

static DELIVERIES: Spec = Spec {
    name: "deliveries",
    title: Say("Deliveries in quarantine", "Bezorgingen in quarantaine"),
    columns: &[
        Column::text("quarantined_at", Say("When", "Wanneer")),
        Column::text("stage", Say("Stage", "Stap")),
        Column::text("reason", Say("Reason", "Reden")),
        Column::text("problem", Say("Problem", "Probleem")),
        Column::text("party", Say("Party", "Partij")),
        Column::number("attempts", Say("Attempts", "Pogingen")),
        Column::text("message_id", Say("Message id", "Bericht-id")),
        Column::text("content_type", Say("Content type", "Inhoudstype")),
        Column::text("fingerprint", Say("Fingerprint", "Vingerafdruk")),
    ],
    filters: &[],
    empty: Say("Nothing is in quarantine.", "Er is niets in quarantaine."),
    is_main: true,
};

#[derive(Serialize, Template)]
#[template(path = "quarantine.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    total: Count,
    deliveries: List,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        vec![&self.deliveries]
    }
}

/// `/quarantine`.
pub(crate) async fn show(State(app): State<App>, frame: Frame) -> Response {
    let deliveries = match app.operator.store.quarantined(ROWS_MAX).await {
        Ok(deliveries) => deliveries,
        Err(error) => return Failure::no_store(&frame, &error).shown(&frame),
    };
    let sampled = app.samples.latest().and_then(|sample| sample.figures);
    let shown = deliveries.len() as u64;
    let total = sampled.map_or(shown, |figures| figures.quarantined.max(shown));
    let rows = deliveries.into_iter().map(|delivery| row(&frame, delivery));
    let deliveries = List::of_all(&frame, &DELIVERIES, rows.collect());
    let total = Count(total);
    respond::page(&Page {
        frame,
        total,
        deliveries,
    })
}

fn row(frame: &Frame, delivery: Quarantined) -> Row {
    let explained = reasons::text(&delivery.reason, frame.language);
    let link = reasons::link(&delivery.reason);
    let problem = match frame.form {
        respond::Form::Html => {
            Cell::Lines(vec![Cell::text(delivery.problem), Cell::muted(explained)])
        }
        respond::Form::Json | respond::Form::Csv => Cell::text(delivery.problem),
    };
    Row {
        anchor: delivery.id.to_string(),
        cells: vec![
            Cell::When(When(delivery.quarantined_at)),
            Cell::text(delivery.stage),
            Cell::code(delivery.reason).link(link),
            problem,
            Cell::or_absent(delivery.party, |party| Cell::text(party.as_str())),
            Cell::Count(Count(delivery.attempts.into())),
            Cell::code(delivery.message_id),
            Cell::text(delivery.content_type),
            Cell::code(digest::hex(&delivery.fingerprint)),
        ],
    }
}
