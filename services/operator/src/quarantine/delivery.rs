//! One delivery in quarantine: what is known of it, what became of it, and, for whoever says why, its masked body.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use samenloop_adapters::{
    decision_store::{QuarantineEvent, QuarantineRow},
    wire::digest,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Offer, name_of, state_of};
use crate::{
    App,
    frame::Frame,
    language::Say,
    list::{Cell, Column, List, Row, Spec},
    masked,
    person::Right,
    reasons::{self, Explained},
    respond::{self, Failure},
    session::Session,
    shown::{Count, State as Stands, When},
    work::{Action, Because, REASON_CHARACTERS_MAX},
};

static EVENTS: Spec = Spec {
    name: "events",
    title: Say("What became of it", "Wat ervan werd"),
    columns: &[
        Column::time("at", Say("When", "Wanneer")),
        Column::text("state", Say("State", "Stand")),
        Column::text(
            "detail",
            Say("Problem at the time", "Probleem op dat moment"),
        ),
        Column::text("operation", Say("Operation", "Handeling")),
    ],
    filters: &[],
    empty: Say("Nothing yet.", "Nog niets."),
    is_main: true,
};

#[derive(Serialize, Template)]
#[template(path = "delivery.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    #[serde(skip)]
    proof: String,
    id: String,
    state: Stands,
    stage: String,
    reason: String,
    explained: Option<Explained>,
    problem: String,
    party: Option<String>,
    message_id: String,
    content_type: String,
    fingerprint: String,
    quarantined_at: When,
    attempts: Count,
    events: List,
    #[serde(skip)]
    actions: Vec<Offer>,
    #[serde(skip)]
    may_look: bool,
    /// The masked body, for whoever asked for it.
    body: Option<String>,
    reason_characters_max: usize,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        vec![&self.events]
    }
}

/// Why somebody looks at a body.
#[derive(Deserialize)]
pub(crate) struct Look {
    proof: String,
    #[serde(default)]
    why: String,
}

/// `/quarantine/{id}`.
pub(crate) async fn show(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    Path(id): Path<String>,
) -> Response {
    let text = id.strip_suffix(frame.form.ending()).unwrap_or(&id);
    match find(&app, &frame, text).await {
        Ok(found) => respond::page(&page(frame, session, found, None)),
        Err(failure) => failure.shown(&frame),
    }
}

/// `POST /quarantine/{id}/body`: the look is written down before anything is shown.
pub(crate) async fn look(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(look): Form<Look>,
) -> Response {
    let looked = async {
        session.check(&headers, &look.proof, &frame)?;
        let why = super::act::checked_reason(&frame, &look.why)?;
        let found = find(&app, &frame, &id).await?;
        let because = Because {
            person: &session.person.to_string(),
            reason: &why,
        };
        let recorded = app.worker().record_look(found.0.id, because).await;
        recorded.map_err(|error| Failure::no_store(&frame, &error))?;
        let bodies = app.operator.store.quarantined_bodies(&[found.0.id]).await;
        let bodies = bodies.map_err(|error| Failure::no_store(&frame, &error))?;
        let opened = bodies
            .first()
            .and_then(|it| app.operator.seal.open(&it.sealed_body));
        let body = opened
            .filter(|body: &Vec<u8>| !body.is_empty())
            .map(|body| masked::shown(&body));
        let none = frame.say(
            "The body is not kept, or was sealed under another key.",
            "De inhoud is niet bewaard, of met een andere sleutel verzegeld.",
        );
        Ok((found, body.unwrap_or_else(|| none.to_owned())))
    };
    match looked.await {
        Ok((found, body)) => respond::page(&page(
            frame.at(&format!("/quarantine/{id}")),
            session,
            found,
            Some(body),
        )),
        Err(failure) => Failure::shown(failure, &frame),
    }
}

async fn find(
    app: &App,
    frame: &Frame,
    id: &str,
) -> Result<(QuarantineRow, Vec<QuarantineEvent>), Failure> {
    let found = match Uuid::try_parse(id) {
        Ok(id) => app.operator.store.quarantined_delivery(id).await,
        Err(_) => Ok(None),
    };
    let found = found.map_err(|error| Failure::no_store(frame, &error))?;
    found.ok_or_else(|| {
        let english = "No delivery in quarantine has this id.";
        let dutch = "Geen bezorging in quarantaine heeft dit id.";
        Failure::not_found(frame, english, dutch)
    })
}

fn page(
    frame: Frame,
    session: Session,
    (found, events): (QuarantineRow, Vec<QuarantineEvent>),
    body: Option<String>,
) -> Page {
    let events = events.into_iter().map(|event| {
        Row::from(vec![
            Cell::When(When(event.at)),
            Cell::State(state_of(event.state)),
            Cell::text(event.detail),
            Cell::or_absent(event.operation, |id| {
                Cell::code(id.to_string()).link(format!("/operations/{id}"))
            }),
        ])
    });
    let state = found.state;
    let possible = Action::ALL
        .into_iter()
        .filter(|action| action.from().contains(&state));
    let possible = possible.filter(|_| frame.may(Right::ActOnQuarantine));
    let actions = possible.map(|action| Offer {
        label: name_of(&frame, action),
        link: format!(
            "/quarantine/act?action={}&id={}&state={}",
            action.as_str(),
            found.id,
            state.as_str()
        ),
    });
    Page {
        actions: actions.collect(),
        events: List::of_all(&frame, &EVENTS, events.collect()),
        proof: session.proof,
        id: found.id.to_string(),
        state: state_of(state),
        stage: found.stage,
        explained: reasons::explain(&found.reason),
        reason: found.reason,
        problem: found.problem,
        party: found.party.map(|party| party.to_string()),
        message_id: found.message_id,
        content_type: found.content_type,
        fingerprint: digest::hex(&found.fingerprint),
        quarantined_at: When(found.quarantined_at),
        attempts: Count(found.attempts.into()),
        may_look: frame.may(Right::LookAtBody),
        body,
        reason_characters_max: REASON_CHARACTERS_MAX,
        frame,
    }
}
