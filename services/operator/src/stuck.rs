//! What nobody took: claims that settlement refused for good, and outcomes that no queue took. Each can be sent again;
//! whoever receives one twice takes it once.

use askama::Template;
use axum::{
    Form,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use samenloop_adapters::decision_store::{Operation, Sent, StoreError, StuckRow};
use serde::{Deserialize, Serialize};

use crate::{
    App, declarations,
    frame::Frame,
    language::Say,
    list::{Cell, Column, List, Row, Spec},
    person::Right,
    quarantine::act::checked_reason,
    respond::{self, Failure},
    session::Session,
    shown::{Count, State as Stands, Tone, When},
    work::REASON_CHARACTERS_MAX,
};

/// Most rows of each kind that are listed, and sent again at once.
const ROWS_MAX: u32 = 1_000;

const COLUMNS: &[Column] = &[
    Column::head("id", Say("Row", "Rij")),
    Column::text("kind", Say("What", "Wat")),
    Column::text("state", Say("State", "Stand")),
    Column::text("party", Say("Party", "Partij")),
    Column::text("message_id", Say("Declaration", "Declaratie")),
    Column::number("version", Say("Version", "Versie")),
    Column::time("since", Say("Since", "Sinds")),
];

static PARKED: Spec = Spec {
    name: "parked",
    title: Say(
        "Claims that settlement refused",
        "Claims die de afrekening weigerde",
    ),
    columns: COLUMNS,
    filters: &[],
    empty: Say(
        "Settlement took every claim.",
        "De afrekening nam elke claim aan.",
    ),
    is_main: true,
};

static UNCLAIMED: Spec = Spec {
    name: "unclaimed",
    title: Say(
        "Outcomes that no queue took",
        "Uitkomsten die geen wachtrij aannam",
    ),
    columns: COLUMNS,
    filters: &[],
    empty: Say("Every outcome was taken.", "Elke uitkomst is aangenomen."),
    is_main: false,
};

#[derive(Serialize, Template)]
#[template(path = "parked.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    #[serde(skip)]
    proof: String,
    parked: List,
    unclaimed: List,
    #[serde(skip)]
    may_send: bool,
    #[serde(skip)]
    counts: (u64, u64),
    reason_characters_max: usize,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        vec![&self.parked, &self.unclaimed]
    }
}

/// `/parked`.
pub(crate) async fn show(State(app): State<App>, frame: Frame, session: Session) -> Response {
    let store = &app.operator.store;
    let read = async {
        let parked = store.stuck_rows(Sent::Parked, 0, ROWS_MAX).await?;
        Ok::<_, StoreError>((
            parked,
            store.stuck_rows(Sent::Unclaimed, 0, ROWS_MAX).await?,
        ))
    };
    let (parked, unclaimed) = match read.await {
        Ok(read) => read,
        Err(error) => return Failure::no_store(&frame, &error).shown(&frame),
    };
    respond::page(&Page {
        proof: session.proof,
        may_send: frame.may(Right::ActOnParked),
        counts: (parked.len() as u64, unclaimed.len() as u64),
        parked: List::of_all(&frame, &PARKED, parked.iter().map(row).collect()),
        unclaimed: List::of_all(&frame, &UNCLAIMED, unclaimed.iter().map(row).collect()),
        reason_characters_max: REASON_CHARACTERS_MAX,
        frame,
    })
}

fn row(stuck: &StuckRow) -> Row {
    let id = u64::try_from(stuck.id).unwrap_or(0);
    let (tone, word) = match stuck.sent {
        Sent::Parked => (Tone::Bad, "parked"),
        Sent::Unclaimed | Sent::Confirmed => (Tone::Warn, "unclaimed"),
    };
    Row::from(vec![
        Cell::Count(Count(id)),
        Cell::text(&stuck.kind),
        Cell::State(Stands::new(tone, word)),
        Cell::or_absent(stuck.party.as_ref(), |party| Cell::text(party.as_str())),
        Cell::or_absent(stuck.message_id, |id| {
            Cell::code(id.to_string()).link(declarations::link(id))
        }),
        Cell::Count(Count(stuck.version.into())),
        Cell::When(When(stuck.sent_at)),
    ])
}

/// What the forms send.
#[derive(Deserialize)]
pub(crate) struct Again {
    proof: String,
    /// Which: parked or unclaimed.
    state: String,
    /// How many were shown.
    #[serde(default)]
    count: u64,
    #[serde(default)]
    why: String,
}

/// `POST /parked`: lets everything of a kind that was shown be sent again.
pub(crate) async fn send_again(
    State(app): State<App>,
    frame: Frame,
    session: Session,
    headers: HeaderMap,
    Form(again): Form<Again>,
) -> Response {
    let done = async {
        session.check(&headers, &again.proof, &frame)?;
        let why = checked_reason(&frame, &again.why)?;
        let sent = match again.state.as_str() {
            "parked" => Sent::Parked,
            "unclaimed" => Sent::Unclaimed,
            _ => {
                let english = "The state is parked or unclaimed.";
                let dutch = "De stand is parked of unclaimed.";
                return Err(Failure::bad_request(&frame, english, dutch));
            }
        };
        let store = &app.operator.store;
        let away = |error| Failure::no_store(&frame, &error);
        let rows = store.stuck_rows(sent, 0, ROWS_MAX).await.map_err(away)?;
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        if ids.is_empty() || ids.len() as u64 > again.count {
            let english = "What was shown is not what there is now: look at the list again.";
            let dutch = "Wat is getoond is niet wat er nu is: bekijk de lijst opnieuw.";
            return Err(Failure::conflict(&frame, english, dutch));
        }
        let now = app.operator.clock.now();
        let mut operation = Operation {
            id: app.operator.ids.next(),
            person: session.person.to_string(),
            kind: "send again".to_owned(),
            subject: format!("state={}", again.state),
            reason: why,
            matched: ids.len() as u64,
            done: 0,
            failed: 0,
            started_at: now,
            ended_at: None,
        };
        store.record_operation(&operation).await.map_err(away)?;
        operation.done = store.send_again(sent, &ids).await.map_err(away)?;
        operation.ended_at = Some(app.operator.clock.now());
        store.update_operation(&operation).await.map_err(away)?;
        Ok(format!("/operations/{}", operation.id))
    };
    match done.await {
        Ok(to) => (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response(),
        Err(failure) => Failure::shown(failure, &frame),
    }
}
