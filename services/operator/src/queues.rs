//! Queues: what waits in each, what was tried and failed, and where each figure comes from.

use std::{collections::BTreeMap, time::Duration};

use askama::Template;
use axum::{extract::State, response::Response};
use samenloop_adapters::{
    broker::{Broker, BrokerError, Depth, Queue},
    decision_store::{
        QuarantineFilter, QuarantineGroup, QuarantineState, StageAttempts, StoreError,
    },
};
use serde::Serialize;

use crate::{
    App, Operator,
    frame::Frame,
    language::Say,
    list::{Cell, Column, List, Row, Spec},
    overview::stages,
    person::Right,
    respond::{self, Failure},
    sampler,
    shown::{Count, State as Stands, Tone, When},
};

/// Most queues of parties that are asked for on one page.
const PARTIES_MAX: usize = 500;

/// How long the broker may take for all of them.
const LOOK_TIMEOUT: Duration = Duration::from_secs(8);

static QUEUES: Spec = Spec {
    name: "queues",
    title: Say("Queues of the broker", "Wachtrijen van de broker"),
    columns: &[
        Column::head("queue", Say("Queue", "Wachtrij")),
        Column::text("state", Say("State", "Stand")),
        Column::number("ready", Say("Ready", "Klaar")),
        Column::number("unacked", Say("In hand", "In behandeling")),
        Column::number("consumers", Say("Consumers", "Afnemers")),
        Column::text(
            "source",
            Say("Where this comes from", "Waar dit vandaan komt"),
        ),
    ],
    filters: &[],
    empty: Say("There is no queue.", "Er is geen wachtrij."),
    is_main: true,
};

static TROUBLES: Spec = Spec {
    name: "troubles",
    title: Say("Retries and failures", "Herhalingen en mislukkingen"),
    columns: &[
        Column::head("stage", Say("Stage", "Stap")),
        Column::number("retried", Say("Being retried", "In herhaling")),
        Column::time("last_attempt", Say("Last attempt", "Laatste poging")),
        Column::number("quarantined", Say("In quarantine", "In quarantaine")),
        Column::time(
            "last_quarantined",
            Say("Last set aside", "Laatst apart gezet"),
        ),
        Column::text("last_error", Say("Last error", "Laatste fout")),
        Column::text(
            "source",
            Say("Where this comes from", "Waar dit vandaan komt"),
        ),
    ],
    filters: &[],
    empty: Say("Nothing has failed.", "Er is niets mislukt."),
    is_main: false,
};

#[derive(Serialize, Template)]
#[template(path = "queues.html")]
struct Page {
    #[serde(skip)]
    frame: Frame,
    taken_at: When,
    queues: List,
    stages: List,
    troubles: List,
    broker_fault: Option<String>,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        vec![&self.queues, &self.stages, &self.troubles]
    }
}

/// `/queues`.
pub(crate) async fn show(State(app): State<App>, frame: Frame) -> Response {
    let operator = &app.operator;
    let read = async {
        let waiting = QuarantineFilter {
            state: Some(QuarantineState::Waiting),
            ..QuarantineFilter::default()
        };
        let attempts = operator.store.attempts_by_stage().await?;
        Ok::<_, StoreError>((attempts, operator.store.quarantine_groups(&waiting).await?))
    };
    let (attempts, groups) = match read.await {
        Ok(read) => read,
        Err(error) => return Failure::no_store(&frame, &error).shown(&frame),
    };
    let (before, now) = match app.samples.span() {
        Some(span) => span,
        None => {
            let first = sampler::sample(operator).await;
            (first.clone(), first)
        }
    };
    let (depths, broker_fault) = depths(operator).await;
    let source = match &operator.broker {
        Broker::Embedded(_) => Say("counted in queue.db", "geteld in queue.db"),
        Broker::Rabbit(_) => Say(
            "asked of RabbitMQ (queue.declare, passive), which does not tell what is in hand",
            "gevraagd aan RabbitMQ (queue.declare, passive), dat niet zegt wat in behandeling is",
        ),
    };
    let rows = depths
        .into_iter()
        .map(|(name, depth)| depth_row(&frame, name, depth, &source));
    respond::page(&Page {
        taken_at: When(operator.clock.now()),
        queues: List::of_all(&frame, &QUEUES, rows.collect()),
        stages: stages::of_samples(&frame, &before, &now),
        troubles: List::of_all(&frame, &TROUBLES, troubles(&frame, attempts, groups)),
        broker_fault,
        frame,
    })
}

/// The depth of every queue, asked now; the first fault ends the asking.
async fn depths(operator: &Operator) -> (Vec<(String, Option<Depth>)>, Option<String>) {
    let mut queues = vec![
        ("declarations".to_owned(), Queue::Declarations),
        ("validated".to_owned(), Queue::Validated),
        ("commands".to_owned(), Queue::Commands),
    ];
    let reference = operator.reference.latest();
    let parties = reference.iter().flat_map(|reference| &reference.parties);
    let senders = parties
        .filter(|(_, party)| party.agb.is_some())
        .take(PARTIES_MAX);
    queues.extend(senders.map(|(id, _)| (format!("outcomes.{id}"), Queue::Outcomes(id.clone()))));
    let deadline = tokio::time::Instant::now() + LOOK_TIMEOUT;
    let (mut found, mut fault) = (Vec::with_capacity(queues.len()), None);
    for (name, queue) in queues {
        let depth = match fault {
            Some(_) => None,
            None => {
                let asked = tokio::time::timeout_at(deadline, operator.broker.depth(&queue)).await;
                let late = || BrokerError::Connection("no answer in time".to_owned());
                let answer = asked.unwrap_or_else(|_| Err(late()));
                answer.map_err(|error| fault = Some(error.to_string())).ok()
            }
        };
        found.push((name, depth));
    }
    (found, fault)
}

fn depth_row(frame: &Frame, name: String, depth: Option<Depth>, source: &Say) -> Row {
    let state = match depth {
        None => Stands::new(Tone::Bad, "does not answer"),
        Some(depth) if depth.consumers == Some(0) && depth.ready > 0 => {
            Stands::new(Tone::Warn, "nobody reads")
        }
        Some(_) => Stands::new(Tone::Good, "answers"),
    };
    Row::from(vec![
        Cell::code(name),
        Cell::State(state),
        Cell::or_absent(depth.map(|depth| Count(depth.ready)), Cell::Count),
        Cell::or_absent(
            depth.and_then(|depth| depth.unacked).map(Count),
            Cell::Count,
        ),
        Cell::or_absent(
            depth.and_then(|depth| depth.consumers).map(Count),
            Cell::Count,
        ),
        Cell::muted(frame.text(source)),
    ])
}

/// What failed, by stage.
fn troubles(frame: &Frame, attempts: Vec<StageAttempts>, groups: Vec<QuarantineGroup>) -> Vec<Row> {
    let mut stages: BTreeMap<String, (Option<StageAttempts>, u64, Option<QuarantineGroup>)> =
        BTreeMap::new();
    for found in attempts {
        let stage = found.stage.clone();
        stages.entry(stage).or_default().0 = Some(found);
    }
    for group in groups {
        let (_, count, newest) = stages.entry(group.stage.clone()).or_default();
        *count += group.count;
        if newest.as_ref().is_none_or(|it| it.last < group.last) {
            *newest = Some(group);
        }
    }
    let source = frame.say(
        "tables attempt and quarantine of the store of decisions",
        "tabellen attempt en quarantine van de opslag van beslissingen",
    );
    let may_look = frame.may(Right::Quarantine);
    let rows = stages
        .into_iter()
        .map(|(stage, (attempts, count, newest))| {
            let link = format!("/quarantine?state=waiting&stage={stage}");
            let counted = Cell::Count(Count(count));
            Row::from(vec![
                Cell::text(stage),
                Cell::Count(Count(attempts.as_ref().map_or(0, |it| it.deliveries))),
                Cell::or_absent(attempts, |it| Cell::When(When(it.last))),
                if may_look {
                    counted.link(link)
                } else {
                    counted
                },
                Cell::or_absent(newest.as_ref(), |it| Cell::When(When(it.last))),
                Cell::or_absent(newest.as_ref(), |it| Cell::text(&it.problem)),
                Cell::muted(source),
            ])
        });
    rows.collect()
}
