//! What decisions are judged by: the rules of double funding in force, contracts, and what changed between versions.
//! It shows the stored form, so that a page shows what a decision can depend on, and nothing else.

pub(crate) mod contracts;
pub(crate) mod versions;

use askama::Template;
use axum::{extract::State, response::Response};
use samenloop_adapters::decision_store::StoreError;
use serde::Serialize;
use serde_json::Value;

use crate::{
    App, Operator,
    frame::Frame,
    language::Say,
    list::{Cell, Column, List, Row, Spec},
    reasons,
    respond::{self, Failure},
    shown::{Count, State as Stands, Tone},
};

static PAIR_RULES: Spec = Spec {
    name: "pair_rules",
    title: Say("Rules over two lines", "Regels over twee regels"),
    columns: &[
        Column::head("id", Say("Rule", "Rekenregel")),
        Column::number("version", Say("Version", "Versie")),
        Column::text("a", Say("One side", "Ene kant")),
        Column::text("b", Say("Other side", "Andere kant")),
        Column::text("match", Say("Match", "Raakt bij")),
        Column::text("when", Say("When", "Als")),
        Column::text("effect", Say("Effect", "Gevolg")),
        Column::text("codes", Say("Codes", "Codes")).unsorted(),
        Column::text("override_allowed", Say("Override", "Afwijken")),
        Column::text("basis", Say("Basis", "Grondslag")),
        Column::text("from", Say("From", "Vanaf")),
        Column::text("until", Say("Until", "Tot")),
        Column::text("source", Say("Source", "Bron")),
    ],
    filters: &[],
    empty: Say("No rule is in force.", "Er is geen regel van kracht."),
    is_main: true,
};

static LINE_RULES: Spec = Spec {
    name: "line_rules",
    title: Say("Rules over one line", "Regels over één regel"),
    columns: &[
        Column::head("id", Say("Rule", "Rekenregel")),
        Column::number("version", Say("Version", "Versie")),
        Column::text("of", Say("Of", "Van")),
        Column::text("condition", Say("When", "Als")),
        Column::text("effect", Say("Effect", "Gevolg")),
        Column::text("codes", Say("Codes", "Codes")).unsorted(),
        Column::text("basis", Say("Basis", "Grondslag")),
        Column::text("from", Say("From", "Vanaf")),
        Column::text("until", Say("Until", "Tot")),
        Column::text("source", Say("Source", "Bron")),
    ],
    filters: &[],
    empty: Say("No rule is in force.", "Er is geen regel van kracht."),
    is_main: false,
};

#[derive(Serialize, Template)]
#[template(path = "reference.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    version: Option<String>,
    pair_rules: List,
    line_rules: List,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        vec![&self.pair_rules, &self.line_rules]
    }
}

/// `/reference`: the rules in force.
pub(crate) async fn show(State(app): State<App>, frame: Frame) -> Response {
    let stored = match in_force(&app.operator).await {
        Ok(stored) => stored,
        Err(error) => return Failure::no_store(&frame, &error).shown(&frame),
    };
    let (version, data) =
        stored.map_or((None, Value::Null), |(version, data)| (Some(version), data));
    let pairs = entries(&data, "pair_rules").map(|rule| rule_row(&frame, rule, &PAIR_RULES));
    let lines = entries(&data, "line_rules").map(|rule| rule_row(&frame, rule, &LINE_RULES));
    respond::page(&Page {
        version,
        pair_rules: List::of_all(&frame, &PAIR_RULES, pairs.collect()),
        line_rules: List::of_all(&frame, &LINE_RULES, lines.collect()),
        frame,
    })
}

/// Name and stored form of the version in force.
async fn in_force(operator: &Operator) -> Result<Option<(String, Value)>, StoreError> {
    let Some((version, _)) = operator.store.active_version().await? else {
        return Ok(None);
    };
    let Some(stored) = operator.store.reference(&version).await? else {
        return Ok(None);
    };
    let data = serde_json::from_slice(&stored.canonical).map_err(|error| {
        StoreError::Failed(format!("reference version {version} is no JSON: {error}"))
    })?;
    Ok(Some((version.to_string(), data)))
}

fn entries<'a>(data: &'a Value, file: &str) -> impl Iterator<Item = &'a Value> {
    data[file].as_array().into_iter().flatten()
}

/// A value of the stored form as text.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn rule_row(frame: &Frame, rule: &Value, spec: &'static Spec) -> Row {
    let cells = spec.columns.iter().map(|column| {
        let value = &rule[column.key];
        match column.key {
            "id" => Cell::code(text(value)),
            "version" => Cell::Count(Count(value.as_u64().unwrap_or(0))),
            "codes" => {
                let codes = value.as_array().into_iter().flatten().map(text);
                Cell::Lines(
                    codes
                        .map(|code| Cell::code(&code).link(reasons::link(&code)))
                        .collect(),
                )
            }
            "effect" => Cell::State(effect(&text(value))),
            "override_allowed" => Cell::text(match value.as_bool() {
                Some(true) => frame.say("allowed", "mag"),
                _ => frame.say("never", "nooit"),
            }),
            "match" | "when" | "basis" | "condition" => Cell::text(frame.word(&text(value))),
            "source" => Cell::muted(text(value)),
            _ if value.is_null() => Cell::Absent,
            _ => Cell::text(text(value)),
        }
    });
    Row {
        anchor: format!("{}-{}", text(&rule["id"]), text(&rule["version"])),
        cells: cells.collect(),
    }
}

fn effect(word: &str) -> Stands {
    let tone = match word {
        "exclude" => Tone::Bad,
        "review" | "reduce" => Tone::Warn,
        _ => Tone::Good,
    };
    Stands::new(tone, word)
}
