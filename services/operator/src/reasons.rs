//! The reason registry: every code with its texts, its source and what the sender can do.

use askama::Template;
use axum::response::Response;
use samenloop_domain::reasons::{Level, REASONS, ReasonEntry};
use serde::Serialize;

use crate::respond::{self, Form};

/// A code as it is shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Explained {
    pub(crate) code: &'static str,
    pub(crate) level: &'static str,
    pub(crate) dutch: &'static str,
    pub(crate) english: &'static str,
    pub(crate) source: &'static str,
    pub(crate) remedy: &'static str,
}

#[derive(Serialize, Template)]
#[template(path = "reasons.html")]
struct Page {
    reasons: Vec<Explained>,
}

/// `/reasons`.
pub(crate) async fn show(form: Form) -> Response {
    let reasons = REASONS.iter().map(explained).collect();
    respond::page(form, &Page { reasons })
}

/// What the registry says of a code, if it has it.
pub(crate) fn explain(code: &str) -> Option<Explained> {
    REASONS
        .iter()
        .find(|entry| entry.code == code)
        .map(explained)
}

fn explained(entry: &ReasonEntry) -> Explained {
    Explained {
        code: entry.code,
        level: match entry.level {
            Level::Delivery => "delivery",
            Level::Message => "message",
            Level::Line => "line",
        },
        dutch: entry.dutch,
        english: entry.english,
        source: entry.source,
        remedy: entry.remedy,
    }
}
