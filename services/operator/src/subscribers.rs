//! Streams of insurers: where each stands, who follows it, and how far they have acknowledged.

use std::collections::BTreeMap;

use askama::Template;
use axum::{extract::State, response::Response};
use samenloop_adapters::{
    decision_store::StoreError,
    settlement_store::{StreamHead, Subscription},
};
use serde::Serialize;

use crate::{
    App,
    frame::Frame,
    language::Say,
    list::{Cell, Column, List, Row, Spec},
    person::Scope,
    respond::{self, Failure},
    shown::{Count, Euro, Span, When},
};

static STREAMS: Spec = Spec {
    name: "streams",
    title: Say("Streams", "Stromen"),
    columns: &[
        Column::head("insurer", Say("Insurer (UZOVI)", "Verzekeraar (UZOVI)")),
        Column::number("position", Say("Last position", "Laatste positie")),
        Column::number("cents", Say("Sum", "Som")),
        Column::number("subscribers", Say("Subscribers", "Abonnees")),
    ],
    filters: &[],
    empty: Say(
        "No stream has anything yet.",
        "Er is nog niets in een stroom.",
    ),
    is_main: false,
};

static SUBSCRIBERS: Spec = Spec {
    name: "subscribers",
    title: Say("Subscribers", "Abonnees"),
    columns: &[
        Column::text("insurer", Say("Insurer (UZOVI)", "Verzekeraar (UZOVI)")),
        Column::head("name", Say("Subscription", "Abonnement")),
        Column::number("position", Say("Acknowledged", "Bevestigd")),
        Column::number("lag", Say("Behind", "Achter")),
        Column::time(
            "acknowledged_at",
            Say("Last acknowledgement", "Laatste bevestiging"),
        ),
        Column::number("since", Say("Ago", "Geleden")),
    ],
    filters: &[],
    empty: Say(
        "Nobody has acknowledged anything yet.",
        "Niemand heeft nog iets bevestigd.",
    ),
    is_main: true,
};

#[derive(Serialize, Template)]
#[template(path = "subscribers.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    streams: List,
    subscribers: List,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        vec![&self.subscribers, &self.streams]
    }
}

/// `/subscribers`.
pub(crate) async fn show(State(app): State<App>, frame: Frame, scope: Scope) -> Response {
    let away = |error: &dyn std::fmt::Display| {
        let what = ("store of settlement", "opslag van de afrekening");
        Failure::unavailable(&frame, what, error).shown(&frame)
    };
    let Some(store) = &app.operator.settlement else {
        return away(&frame.say("it is not read here", "zij wordt hier niet gelezen"));
    };
    let read = async {
        let heads = store.stream_heads().await?;
        Ok::<_, StoreError>((heads, store.subscriptions(scope.insurer()).await?))
    };
    let (heads, subscriptions) = match read.await {
        Ok(read) => read,
        Err(error) => return away(&error),
    };
    let own = heads
        .into_iter()
        .filter(|head| scope.covers(head.insurer.as_str()));
    let heads: BTreeMap<_, _> = own.map(|head| (head.insurer, head)).collect();
    let now = app.operator.clock.now();
    let streams = heads.values().map(|head| stream_row(head, &subscriptions));
    let subscribers = subscriptions.iter().map(|it| {
        let last = heads.get(&it.insurer).map_or(0, |head| head.position);
        let since = now.duration_since(it.acknowledged_at);
        Row::from(vec![
            Cell::code(it.insurer.to_string()),
            Cell::text(&it.name),
            Cell::Count(Count(it.position)),
            Cell::Count(Count(last.saturating_sub(it.position))),
            Cell::When(When(it.acknowledged_at)),
            Cell::or_absent(since.try_into().ok(), |since| Cell::Span(Span(since))),
        ])
    });
    respond::page(&Page {
        streams: List::of_all(&frame, &STREAMS, streams.collect()),
        subscribers: List::of_all(&frame, &SUBSCRIBERS, subscribers.collect()),
        frame,
    })
}

fn stream_row(head: &StreamHead, subscriptions: &[Subscription]) -> Row {
    let followed = subscriptions.iter().filter(|it| it.insurer == head.insurer);
    Row::from(vec![
        Cell::code(head.insurer.to_string()),
        Cell::Count(Count(head.position)),
        Cell::Euro(Euro(head.cents)),
        Cell::Count(Count(followed.count() as u64)),
    ])
}
