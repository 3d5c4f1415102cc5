//! Deliveries that no role could work on, alike ones together. Their bodies are sealed and are not shown: they may
//! hold a BSN.

pub(crate) mod act;
pub(crate) mod delivery;

use askama::Template;
use axum::{extract::State, response::Response};
use jiff::Timestamp;
use samenloop_adapters::{
    decision_store::{
        QuarantineFilter, QuarantineGroup, QuarantineOrder, QuarantinePlace, QuarantineRow,
        QuarantineState,
    },
    wire::digest,
};
use samenloop_domain::identifiers::PartyId;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    App,
    frame::Frame,
    language::Say,
    list::{Cell, Column, Filter, List, Row, Spec, Want},
    person::Right,
    reasons,
    respond::{self, Failure},
    shown::{Count, State as Stands, When},
    work::Action,
};

static DELIVERIES: Spec = Spec {
    name: "deliveries",
    title: Say("Deliveries", "Bezorgingen"),
    columns: &[
        Column::time("quarantined_at", Say("When", "Wanneer")),
        Column::text("state", Say("State", "Stand")).unsorted(),
        Column::text("stage", Say("Stage", "Stap")).unsorted(),
        Column::text("reason", Say("Reason", "Reden")).unsorted(),
        Column::text("problem", Say("Problem", "Probleem")).unsorted(),
        Column::text("party", Say("Party", "Partij")).unsorted(),
        Column::number("attempts", Say("Attempts", "Pogingen")).unsorted(),
        Column::head("id", Say("Delivery", "Bezorging")).unsorted(),
        Column::text("message_id", Say("Message id", "Bericht-id")).unsorted(),
        Column::text("fingerprint", Say("Fingerprint", "Vingerafdruk")).unsorted(),
    ],
    filters: &[
        Filter {
            key: "state",
            label: Say("State", "Stand"),
            choices: &["waiting", "replayed", "parked", "discarded"],
        },
        Filter {
            key: "stage",
            label: Say("Stage", "Stap"),
            choices: &["validation", "detection"],
        },
        Filter {
            key: "reason",
            label: Say("Reason", "Reden"),
            choices: &[],
        },
        Filter {
            key: "party",
            label: Say("Party", "Partij"),
            choices: &[],
        },
        Filter {
            key: "problem",
            label: Say("Problem, exactly", "Probleem, precies"),
            choices: &[],
        },
        Filter {
            key: "text",
            label: Say("Text", "Tekst"),
            choices: &[],
        },
    ],
    empty: Say(
        "Nothing in quarantine matches.",
        "Niets in quarantaine past hierbij.",
    ),
    is_main: true,
};

static GROUPS: Spec = Spec {
    name: "groups",
    title: Say(
        "Waiting, by reason and problem",
        "Wachtend, naar reden en probleem",
    ),
    columns: &[
        Column::text("stage", Say("Stage", "Stap")),
        Column::text("reason", Say("Reason", "Reden")),
        Column::head("problem", Say("Problem", "Probleem")),
        Column::number("count", Say("Deliveries", "Bezorgingen")),
        Column::time("first", Say("First", "Eerste")),
        Column::time("last", Say("Last", "Laatste")),
        Column::text("replay", Say("Replay all", "Alle opnieuw")).unsorted(),
    ],
    filters: &[],
    empty: Say("Nothing waits.", "Er wacht niets."),
    is_main: false,
};

#[derive(Serialize, Template)]
#[template(path = "quarantine.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    /// Those that the filter matches.
    total: Count,
    groups: List,
    deliveries: List,
    #[serde(skip)]
    actions: Vec<Offer>,
}

/// An action that can be taken on what the filter matches.
pub(crate) struct Offer {
    pub(crate) label: &'static str,
    pub(crate) link: String,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        vec![&self.deliveries, &self.groups]
    }
}

/// `/quarantine`.
pub(crate) async fn show(State(app): State<App>, frame: Frame) -> Response {
    let mut want = Want::of(&frame, &DELIVERIES);
    let filter = filter_of(&frame);
    let order = match want.sort {
        Some((_, crate::list::Direction::Up)) => QuarantineOrder::OldestFirst,
        _ => QuarantineOrder::NewestFirst,
    };
    let beyond = want.cursor.as_deref().map(read_place);
    if beyond == Some(None) {
        want.refuse_cursor();
    }
    let limit = u32::try_from(want.limit).unwrap_or(u32::MAX);
    let store = &app.operator.store;
    let waiting = QuarantineFilter {
        state: Some(QuarantineState::Waiting),
        ..QuarantineFilter::default()
    };
    let read = async {
        let rows = store
            .quarantine_page(&filter, order, beyond.flatten(), limit)
            .await?;
        let total = store.quarantine_count(&filter).await?;
        let groups = store.quarantine_groups(&waiting).await?;
        Ok::<_, samenloop_adapters::decision_store::StoreError>((rows, total, groups))
    };
    let (rows, total, groups) = match read.await {
        Ok(read) => read,
        Err(error) => return Failure::no_store(&frame, &error).shown(&frame),
    };
    let next = rows.last().filter(|_| rows.len() == want.limit);
    let next = next.map(|last| write_place(last.place()));
    let rows = rows.into_iter().map(|found| row(&frame, found)).collect();
    let groups = groups.into_iter().map(|group| group_row(&frame, group));
    respond::page(&Page {
        groups: List::of_all(&frame, &GROUPS, groups.collect()),
        actions: offers(&frame, &filter, total),
        deliveries: List::of_page(&frame, &DELIVERIES, want, rows, next, Some(total)),
        total: Count(total),
        frame,
    })
}

/// What an address asks for.
pub(crate) fn filter_of(frame: &Frame) -> QuarantineFilter {
    let text = |name: &str| frame.field(name).map(ToOwned::to_owned);
    QuarantineFilter {
        state: frame.field("state").and_then(QuarantineState::parse),
        stage: text("stage"),
        reason: text("reason"),
        problem: text("problem"),
        party: frame.field("party").map(PartyId::new),
        text: text("text"),
        id: frame.field("id").and_then(|id| Uuid::try_parse(id).ok()),
        until: frame.field("until").and_then(read_place),
    }
}

/// What can be done with everything that a filter matches.
fn offers(frame: &Frame, filter: &QuarantineFilter, total: u64) -> Vec<Offer> {
    let is_open = total > 0 && frame.may(Right::ActOnQuarantine);
    let actions = Action::ALL.into_iter().filter(|_| is_open);
    let possible = actions.filter(|action| action.narrow(filter).is_some());
    // Restoring is for those that were chosen; without a state it would mean parked ones, which nobody sees here.
    let possible = possible.filter(|action| filter.state.is_some() || *action != Action::Restore);
    possible.map(|action| offer(frame, action)).collect()
}

/// The link that leads to an action on what this page shows.
pub(crate) fn offer(frame: &Frame, action: Action) -> Offer {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("action", action.as_str());
    let names = ["state", "stage", "reason", "problem", "party", "text"];
    for (name, value) in frame.fields() {
        if names.contains(&name.as_str()) && !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    let label = name_of(frame, action);
    let link = format!("/quarantine/act?{}", query.finish());
    Offer { label, link }
}

/// An action as it stands on a button.
pub(crate) fn name_of(frame: &Frame, action: Action) -> &'static str {
    let say = match action {
        Action::Replay => Say("Replay", "Opnieuw aanbieden"),
        Action::Park => Say("Park", "Parkeren"),
        Action::Discard => Say("Discard", "Verwerpen"),
        Action::Restore => Say("Let wait again", "Weer laten wachten"),
    };
    frame.text(&say)
}

/// A place as an opaque text: microseconds and id.
pub(crate) fn write_place(place: QuarantinePlace) -> String {
    format!("{:x}-{}", place.at.as_microsecond(), place.id.simple())
}

fn read_place(text: &str) -> Option<QuarantinePlace> {
    let (at, id) = text.split_once('-')?;
    let at = i64::from_str_radix(at, 16).ok()?;
    Some(QuarantinePlace {
        at: Timestamp::from_microsecond(at).ok()?,
        id: Uuid::try_parse(id).ok()?,
    })
}

/// The state of a delivery as a word and a colour.
pub(crate) fn state_of(state: QuarantineState) -> Stands {
    use crate::shown::Tone;
    let tone = match state {
        QuarantineState::Waiting => Tone::Warn,
        QuarantineState::Replayed => Tone::Good,
        QuarantineState::Parked | QuarantineState::Discarded => Tone::Quiet,
    };
    Stands::new(tone, state.as_str())
}

fn row(frame: &Frame, found: QuarantineRow) -> Row {
    let link = format!("/quarantine/{}", found.id);
    let fingerprint = digest::hex(&found.fingerprint);
    let reason = Cell::code(&found.reason).link(reasons::link(&found.reason));
    Row {
        anchor: found.id.to_string(),
        cells: vec![
            Cell::When(When(found.quarantined_at)),
            Cell::State(state_of(found.state)),
            Cell::text(found.stage),
            reason,
            Cell::text(found.problem),
            Cell::or_absent(found.party, |party| Cell::text(party.as_str())),
            Cell::Count(Count(found.attempts.into())),
            Cell::code(found.id.to_string()).link(link),
            Cell::code(found.message_id),
            match frame.form {
                // Enough to compare by eye; the page of the delivery has it whole.
                respond::Form::Html => Cell::code(&fingerprint[..12]),
                respond::Form::Json | respond::Form::Csv => Cell::code(fingerprint),
            },
        ],
    }
}

fn group_row(frame: &Frame, group: QuarantineGroup) -> Row {
    let query = |action: Option<Action>| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(action) = action {
            query.append_pair("action", action.as_str());
        }
        query.append_pair("state", QuarantineState::Waiting.as_str());
        query.append_pair("stage", &group.stage);
        query.append_pair("reason", &group.reason);
        query.append_pair("problem", &group.problem);
        query.finish()
    };
    let shown = format!("/quarantine?{}", query(None));
    let replay = format!("/quarantine/act?{}", query(Some(Action::Replay)));
    Row::from(vec![
        Cell::text(&group.stage),
        Cell::code(&group.reason).link(reasons::link(&group.reason)),
        Cell::text(&group.problem).link(shown),
        Cell::Count(Count(group.count)),
        Cell::When(When(group.first)),
        Cell::When(When(group.last)),
        match frame.may(Right::ActOnQuarantine) {
            true => Cell::text(name_of(frame, Action::Replay)).link(replay),
            false => Cell::Absent,
        },
    ])
}
