//! The reason registry: every code with its texts, its source and basis, the facts that it needs, and what the sender
//! can do.

use askama::Template;
use axum::response::Response;
use samenloop_adapters::wire::outcome::basis_word;
use samenloop_domain::reasons::{REASONS, ReasonEntry};
use serde::Serialize;

use crate::{
    frame::Frame,
    language::{Language, Say},
    list::{Cell, Column, List, Row, Spec},
    respond,
};

/// A code as it is shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Explained {
    pub(crate) code: &'static str,
    pub(crate) level: &'static str,
    pub(crate) dutch: &'static str,
    pub(crate) english: &'static str,
    pub(crate) source: &'static str,
    pub(crate) basis: &'static str,
    pub(crate) facts: Vec<&'static str>,
    pub(crate) remedy: &'static str,
}

impl Explained {
    /// The text in a language.
    pub(crate) fn text(&self, language: &Language) -> &'static str {
        language.say(self.english, self.dutch)
    }
}

static CODES: Spec = Spec {
    name: "reasons",
    title: Say("Reasons", "Redenen"),
    columns: &[
        Column::head("code", Say("Code", "Code")),
        Column::text("level", Say("Of", "Van")),
        Column::text("english", Say("English", "Engels")),
        Column::text("dutch", Say("Dutch", "Nederlands")),
        Column::text("remedy", Say("Remedy", "Wat te doen")),
        Column::text("needs", Say("Needs", "Vereist")),
        Column::text("basis", Say("Basis", "Grondslag")),
        Column::text("source", Say("Source", "Bron")),
    ],
    filters: &[],
    empty: Say("No code has this text.", "Geen code heeft deze tekst."),
    is_main: true,
};

#[derive(Serialize, Template)]
#[template(path = "reasons.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    reasons: List,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        vec![&self.reasons]
    }
}

/// `/reasons`.
pub(crate) async fn show(frame: Frame) -> Response {
    let rows = REASONS.iter().map(|entry| row(&explained(entry)));
    let reasons = List::of_all(&frame, &CODES, rows.collect());
    respond::page(&Page { frame, reasons })
}

fn row(reason: &Explained) -> Row {
    Row {
        anchor: reason.code.to_owned(),
        cells: vec![
            Cell::code(reason.code),
            Cell::text(reason.level),
            Cell::text(reason.english),
            Cell::text(reason.dutch),
            Cell::text(reason.remedy),
            Cell::muted(reason.facts.join(", ")),
            Cell::muted(reason.basis),
            Cell::muted(reason.source),
        ],
    }
}

/// Where a code is explained.
pub(crate) fn link(code: &str) -> String {
    format!("/reasons?q={code}")
}

/// What the registry says of a code, if it has it.
pub(crate) fn explain(code: &str) -> Option<Explained> {
    REASONS
        .iter()
        .find(|entry| entry.code == code)
        .map(explained)
}

/// The text of a code in a language; nothing where the registry has none.
pub(crate) fn text(code: &str, language: Language) -> &'static str {
    explain(code).map_or("", |explained| explained.text(&language))
}

fn explained(entry: &ReasonEntry) -> Explained {
    Explained {
        code: entry.code,
        level: entry.level.word(),
        dutch: entry.dutch,
        english: entry.english,
        source: entry.source,
        basis: basis_word(entry.basis),
        facts: entry.facts.iter().map(|fact| fact.word()).collect(),
        remedy: entry.remedy,
    }
}
