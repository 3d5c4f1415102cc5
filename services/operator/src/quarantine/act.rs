//! An action on deliveries in quarantine: first what it would do, then, with a reason, the operation.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use samenloop_adapters::decision_store::QuarantineOrder;
use serde::{Deserialize, Serialize};

use super::{filter_of, name_of, write_place};
use crate::{
    App,
    frame::Frame,
    language::Say,
    list::{Cell, Column, List, Row, Spec},
    respond::{self, Failure},
    session::Session,
    shown::{Count, When},
    work::{Action, Because, REASON_CHARACTERS_MAX},
};

/// Deliveries of the sample that a preview shows.
const SAMPLE: u32 = 10;

static SAMPLED: Spec = Spec {
    name: "sample",
    title: Say("The first of them", "De eerste daarvan"),
    columns: &[
        Column::time("quarantined_at", Say("When", "Wanneer")),
        Column::head("id", Say("Delivery", "Bezorging")),
        Column::text("problem", Say("Problem", "Probleem")),
        Column::text("party", Say("Party", "Partij")),
        Column::number("attempts", Say("Attempts", "Pogingen")),
    ],
    filters: &[],
    empty: Say("There is none.", "Er is er geen."),
    is_main: true,
};

#[derive(Serialize, Template)]
#[template(path = "act.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    #[serde(skip)]
    title: &'static str,
    action: &'static str,
    #[serde(skip)]
    is_replay: bool,
    count: Count,
    sample: List,
    /// Fields of the form, so that it does what was shown.
    #[serde(skip)]
    fields: Vec<(String, String)>,
    #[serde(skip)]
    target: String,
    reason_characters_max: usize,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        vec![&self.sample]
    }
}

/// `/quarantine/act`: what an action would do.
pub(crate) async fn preview(State(app): State<App>, frame: Frame, session: Session) -> Response {
    match page(&app, &frame, session).await {
        Ok(page) => respond::page(&page),
        Err(failure) => failure.shown(&frame),
    }
}

async fn page(app: &App, frame: &Frame, session: Session) -> Result<Page, Failure> {
    let action = action_of(frame)?;
    let away = |error| Failure::no_store(frame, &error);
    let preview = app
        .worker()
        .preview(action, &filter_of(frame))
        .await
        .map_err(away)?;
    let preview = preview.ok_or_else(|| not_from_here(frame))?;
    let order = QuarantineOrder::OldestFirst;
    let sample = app
        .operator
        .store
        .quarantine_page(&preview.filter, order, None, SAMPLE);
    let sample = if preview.count == 0 {
        Vec::new()
    } else {
        sample.await.map_err(away)?
    };
    let rows = sample.into_iter().map(|found| {
        let link = format!("/quarantine/{}", found.id);
        Row::from(vec![
            Cell::When(When(found.quarantined_at)),
            Cell::code(found.id.to_string()).link(link),
            Cell::text(found.problem),
            Cell::or_absent(found.party, |party| Cell::text(party.as_str())),
            Cell::Count(Count(found.attempts.into())),
        ])
    });
    let until = preview.filter.until.map(write_place);
    let fields = [
        ("proof", Some(session.proof)),
        ("count", Some(preview.count.to_string())),
    ];
    let fields = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Ok(Page {
        title: name_of(frame, action),
        action: action.as_str(),
        is_replay: action == Action::Replay,
        count: Count(preview.count),
        sample: List::of_all(frame, &SAMPLED, rows.collect()),
        fields: fields.collect(),
        target: frame.link("", &[("until", until.as_deref())]),
        reason_characters_max: REASON_CHARACTERS_MAX,
        frame: frame.clone(),
    })
}

/// What the form of a preview sends; what is meant stands in the address, as it was shown.
#[derive(Deserialize)]
pub(crate) struct Confirmed {
    proof: String,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    why: String,
}

/// `POST /quarantine/act`: writes the operation down, begins it, and leads to its page.
pub(crate) async fn confirm(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    headers: HeaderMap,
    Form(confirmed): Form<Confirmed>,
) -> Response {
    match begin(&app, &frame, &session, &headers, &confirmed).await {
        Ok(link) => (StatusCode::SEE_OTHER, [(header::LOCATION, link)]).into_response(),
        Err(failure) => failure.shown(&frame),
    }
}

async fn begin(
    app: &App,
    frame: &Frame,
    session: &Session,
    headers: &HeaderMap,
    confirmed: &Confirmed,
) -> Result<String, Failure> {
    session.check(headers, &confirmed.proof, frame)?;
    let reason = checked_reason(frame, &confirmed.why)?;
    let action = action_of(frame)?;
    let worker = app.worker();
    let away = |error| Failure::no_store(frame, &error);
    let preview = worker
        .preview(action, &filter_of(frame))
        .await
        .map_err(away)?;
    let preview = preview.ok_or_else(|| not_from_here(frame))?;
    if preview.count == 0 || preview.count > confirmed.count {
        let english = "What was shown is not what there is now: look at the preview again.";
        let dutch = "Wat is getoond is niet wat er nu is: bekijk het voorbeeld opnieuw.";
        return Err(Failure::conflict(frame, english, dutch));
    }
    let permit = Arc::clone(&app.running).try_acquire_owned();
    let permit = permit.map_err(|_| {
        let english = "As many operations as may run at once are running: wait until one ends.";
        let dutch = "Er lopen zoveel handelingen als tegelijk mogen: wacht tot er een klaar is.";
        Failure::conflict(frame, english, dutch)
    })?;
    let because = Because {
        person: &session.person.to_string(),
        reason: &reason,
    };
    let begun = worker.begin(action, preview, because).await.map_err(away)?;
    let link = format!("/operations/{}", begun.operation.id);
    app.carry_out(worker, begun, permit);
    Ok(link)
}

/// A reason that says something.
pub(crate) fn checked_reason(frame: &Frame, why: &str) -> Result<String, Failure> {
    let why = why.trim();
    if why.is_empty() || why.chars().count() > REASON_CHARACTERS_MAX {
        let english = format!("A reason of 1 to {REASON_CHARACTERS_MAX} characters is needed.");
        let dutch = format!("Een reden van 1 tot {REASON_CHARACTERS_MAX} tekens is nodig.");
        return Err(Failure::bad_request(frame, &english, &dutch));
    }
    Ok(why.to_owned())
}

fn action_of(frame: &Frame) -> Result<Action, Failure> {
    frame
        .field("action")
        .and_then(Action::parse)
        .ok_or_else(|| {
            let english = "The action is one of replay, park, discard and restore.";
            let dutch = "De handeling is replay, park, discard of restore.";
            Failure::bad_request(frame, english, dutch)
        })
}

fn not_from_here(frame: &Frame) -> Failure {
    let english = "This cannot be done with deliveries in that state.";
    let dutch = "Dit kan niet met bezorgingen in die stand.";
    Failure::conflict(frame, english, dutch)
}
