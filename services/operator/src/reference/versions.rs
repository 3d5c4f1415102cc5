//! Versions of the reference data, the newest first, and what each changed.

use askama::Template;
use axum::{extract::State, response::Response};
use samenloop_adapters::{
    decision_store::StoreError,
    reference::{Change, Difference, diff},
};
use samenloop_domain::identifiers::ReferenceVersion;
use serde::Serialize;

use crate::{
    App, Operator,
    frame::Frame,
    language::Say,
    list::{Cell, Column, List, Row, Spec},
    respond::{self, Failure},
    shown::{Count, State as Stands, Tone, When},
};

/// Most versions that are listed.
const VERSIONS_MAX: u32 = 200;

/// Longest value of a field that is shown.
const VALUE_CHARACTERS_MAX: usize = 120;

static VERSIONS: Spec = Spec {
    name: "versions",
    title: Say("Versions", "Versies"),
    columns: &[
        Column::head("version", Say("Version", "Versie")),
        Column::number("sequence", Say("Entry of the log", "Logregel")),
        Column::time("activated_at", Say("In force since", "Van kracht sinds")),
        Column::text("changes", Say("Changes", "Wijzigingen")).unsorted(),
    ],
    filters: &[],
    empty: Say(
        "No version was activated yet.",
        "Er is nog geen versie geactiveerd.",
    ),
    is_main: true,
};

static CHANGES: Spec = Spec {
    name: "changes",
    title: Say("Changes", "Wijzigingen"),
    columns: &[
        Column::text("file", Say("Of", "Van")),
        Column::head("key", Say("Which", "Welke")),
        Column::text("difference", Say("How", "Hoe")),
        Column::text("fields", Say("Fields", "Velden")).unsorted(),
    ],
    filters: &[],
    empty: Say("Nothing differs.", "Er is geen verschil."),
    is_main: false,
};

#[derive(Serialize, Template)]
#[template(path = "versions.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    versions: List,
    compared: Option<Compared>,
}

/// A version beside the one before it.
#[derive(Serialize)]
struct Compared {
    version: String,
    before: Option<String>,
    changes: List,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        let changes = self.compared.iter().map(|it| &it.changes);
        std::iter::once(&self.versions).chain(changes).collect()
    }
}

/// `/versions`; `of` names the one whose changes are shown.
pub(crate) async fn show(State(app): State<App>, frame: Frame) -> Response {
    let read = async {
        let known = app.operator.store.activations(VERSIONS_MAX).await?;
        let asked = frame.field("of");
        let place = known
            .iter()
            .position(|it| asked == Some(it.version.as_str()));
        let compared = match place {
            Some(place) => {
                let before = known.get(place + 1).map(|it| it.version.clone());
                Some(compare(&app.operator, &frame, &known[place].version, before).await?)
            }
            None => None,
        };
        let rows = known.iter().map(|it| {
            let to = frame
                .at("/versions")
                .link("", &[("of", Some(it.version.as_str()))]);
            Row::from(vec![
                Cell::code(it.version.to_string()),
                Cell::Count(Count(it.sequence.0)),
                Cell::When(When(it.recorded_at)),
                Cell::text(frame.say("what it changed", "wat zij wijzigde")).link(to),
            ])
        });
        Ok::<_, StoreError>((List::of_all(&frame, &VERSIONS, rows.collect()), compared))
    };
    match read.await {
        Ok((versions, compared)) => respond::page(&Page {
            versions,
            compared,
            frame: frame.clone(),
        }),
        Err(error) => Failure::no_store(&frame, &error).shown(&frame),
    }
}

async fn compare(
    operator: &Operator,
    frame: &Frame,
    version: &ReferenceVersion,
    before: Option<ReferenceVersion>,
) -> Result<Compared, StoreError> {
    let gone = || StoreError::Failed(format!("reference version {version} is not kept"));
    let after = operator.store.reference(version).await?.ok_or_else(gone)?;
    let older = match &before {
        Some(before) => operator.store.reference(before).await?,
        None => None,
    };
    let older = older.map(|stored| stored.canonical);
    let changes = diff(older.as_deref(), &after.canonical)
        .map_err(|error| StoreError::Failed(format!("versions cannot be compared: {error}")))?;
    let rows = changes.into_iter().map(|change| change_row(frame, change));
    Ok(Compared {
        version: version.to_string(),
        before: before.map(|before| before.to_string()),
        changes: List::of_all(frame, &CHANGES, rows.collect()),
    })
}

fn change_row(frame: &Frame, change: Change) -> Row {
    let (tone, word, fields) = match change.difference {
        Difference::Added => (Tone::Good, "added", Vec::new()),
        Difference::Removed => (Tone::Bad, "removed", Vec::new()),
        Difference::Changed { fields } => {
            let shown = fields.into_iter().map(|(name, [before, after])| {
                let arrow = frame.say("to", "naar");
                Cell::text(format!("{name}: {} {arrow} {}", cut(&before), cut(&after)))
            });
            (Tone::Warn, "changed", shown.collect())
        }
    };
    Row::from(vec![
        Cell::text(change.file),
        Cell::code(change.key),
        Cell::State(Stands::new(tone, word)),
        Cell::Lines(fields),
    ])
}

fn cut(value: &serde_json::Value) -> String {
    let text = super::text(value);
    match text.char_indices().nth(VALUE_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None if text.is_empty() => "–".to_owned(),
        None => text,
    }
}
