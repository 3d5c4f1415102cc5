//! Where things wait on their way, and how fast they move.

use std::time::Duration;

use samenloop_adapters::{
    broker::Depth,
    decision_store::{DecisionFigures, Relay},
};

use crate::{
    frame::Frame,
    language::Say,
    list::{Cell, Column, List, Row, Spec},
    sampler::Sample,
    shown::{Count, Rate, Span},
};

static STAGES: Spec = Spec {
    name: "stages",
    title: Say("Stages", "Stappen"),
    columns: &[
        Column::head("name", Say("Stage", "Stap")),
        Column::text("place", Say("Where", "Waar")),
        Column::number("waiting", Say("Waiting", "Wachtend")),
        Column::number("in_hand", Say("In hand", "In behandeling")),
        Column::number("oldest", Say("Oldest", "Oudste")),
        Column::number("rate_in", Say("In /s", "In /s")),
        Column::number("rate_out", Say("Out /s", "Uit /s")),
        Column::number("drains_in", Say("Drains in", "Leeg over")),
        Column::number("consumers", Say("Consumers", "Afnemers")),
    ],
    filters: &[],
    empty: Say("There is none.", "Er is er geen."),
    is_main: false,
};

/// Two looks, and what lies between them.
#[derive(Clone, Copy)]
struct Balance<'a> {
    before: &'a Sample,
    now: &'a Sample,
    was: &'a DecisionFigures,
    figures: &'a DecisionFigures,
    elapsed: Duration,
}

/// A place where things wait.
struct Stage {
    name: Say,
    place: Say,
    waiting: Option<Count>,
    in_hand: Option<Count>,
    consumers: Option<Count>,
    oldest: Option<Span>,
    rate_in: Option<Rate>,
    rate_out: Option<Rate>,
    drains_in: Option<Span>,
}

/// Every place, by two looks.
pub(crate) fn of_samples(frame: &Frame, before: &Sample, now: &Sample) -> List {
    let none = DecisionFigures::default();
    let figures = now.figures.as_ref().unwrap_or(&none);
    list(
        frame,
        &Balance {
            before,
            now,
            was: before.figures.as_ref().unwrap_or(figures),
            figures,
            elapsed: now.instant.duration_since(before.instant),
        },
    )
}

/// Every place, from receipt to settlement.
fn list(frame: &Frame, balance: &Balance<'_>) -> List {
    let rows = of(balance).into_iter().map(|stage| {
        Row::from(vec![
            Cell::text(frame.text(&stage.name)),
            Cell::muted(frame.text(&stage.place)),
            Cell::or_absent(stage.waiting, Cell::Count),
            Cell::or_absent(stage.in_hand, Cell::Count),
            Cell::or_absent(stage.oldest, Cell::Span),
            Cell::or_absent(stage.rate_in, Cell::Rate),
            Cell::or_absent(stage.rate_out, Cell::Rate),
            Cell::or_absent(stage.drains_in, Cell::Span),
            Cell::or_absent(stage.consumers, Cell::Count),
        ])
    });
    List::of_all(frame, &STAGES, rows.collect())
}

fn total(depth: Option<Depth>) -> u64 {
    depth.map_or(0, |depth| depth.ready + depth.unacked.unwrap_or(0))
}

/// Rates come from the balance of each place: what went out, and by how much what is in it changed.
fn of(balance: &Balance<'_>) -> Vec<Stage> {
    let Balance {
        before,
        now,
        was,
        figures,
        elapsed,
    } = *balance;
    let grew = |is: u64, was: u64| i128::from(is) - i128::from(was);
    let set_aside = grew(figures.waiting, was.waiting);
    let decided = grew(figures.messages, was.messages) + set_aside;
    let validated = decided + grew(total(now.validated), total(before.validated));
    let read = validated + grew(figures.quarantined, was.quarantined);
    let received = read + grew(total(now.declarations), total(before.declarations));
    let rate = |count: i128| Rate::of(u64::try_from(count).unwrap_or(0), elapsed);
    vec![
        queue(
            Say("Declarations", "Declaraties"),
            Say(
                "queue declarations, read by validation",
                "wachtrij declarations, gelezen door validation",
            ),
            now.declarations,
        )
        .with_rates(rate(received), rate(read)),
        queue(
            Say("Validated", "Gevalideerd"),
            Say(
                "queue validated, read by detection",
                "wachtrij validated, gelezen door detection",
            ),
            now.validated,
        )
        .with_rates(rate(validated), rate(decided)),
        queue(
            Say("Commands", "Opdrachten"),
            Say(
                "queue commands, read by detection",
                "wachtrij commands, gelezen door detection",
            ),
            now.commands,
        ),
        outbox(
            Say("Outcomes to send", "Te verzenden uitkomsten"),
            Say(
                "outbox, sent by detection",
                "outbox, verzonden door detection",
            ),
            figures,
            Relay::Outcomes,
        ),
        queue(
            Say("Outcomes to fetch", "Op te halen uitkomsten"),
            Say(
                "queues of the parties, read by them",
                "wachtrijen van de partijen, door hen gelezen",
            ),
            now.outcomes,
        ),
        outbox(
            Say("Claims to settle", "Af te rekenen claims"),
            Say(
                "outbox, submitted by detection",
                "outbox, ingediend door detection",
            ),
            figures,
            Relay::Claims,
        ),
    ]
}

fn queue(name: Say, place: Say, depth: Option<Depth>) -> Stage {
    Stage {
        name,
        place,
        waiting: depth.map(|depth| Count(depth.ready)),
        in_hand: depth.and_then(|depth| depth.unacked).map(Count),
        consumers: depth.and_then(|depth| depth.consumers).map(Count),
        oldest: None,
        rate_in: None,
        rate_out: None,
        drains_in: None,
    }
}

fn outbox(name: Say, place: Say, figures: &DecisionFigures, relay: Relay) -> Stage {
    let row = figures.outbox.iter().find(|(of, ..)| *of == relay);
    let oldest = row.and_then(|(_, _, age)| *age);
    Stage {
        waiting: row.map(|(_, count, _)| Count(*count)),
        oldest: oldest.map(|seconds| Span(Duration::from_secs(seconds))),
        ..queue(name, place, None)
    }
}

impl Stage {
    fn with_rates(self, rate_in: Rate, rate_out: Rate) -> Self {
        let waiting = self.waiting.map_or(0, |waiting| waiting.0);
        let drain = rate_out.milli.saturating_sub(rate_in.milli);
        let milliseconds = waiting.saturating_mul(1_000_000).checked_div(drain);
        Self {
            rate_in: Some(rate_in),
            rate_out: Some(rate_out),
            drains_in: milliseconds
                .filter(|_| waiting > 0)
                .map(|ms| Span(Duration::from_millis(ms))),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_follow_from_what_was_decided_and_what_waits() {
        let sample = |declarations, validated, messages, at| Sample {
            instant: at,
            taken_at: "2024-07-01T10:00:00Z".parse().expect("an instant"),
            declarations: Some(depth(declarations)),
            validated: Some(depth(validated)),
            commands: None,
            outcomes: None,
            figures: Some(DecisionFigures {
                messages,
                ..DecisionFigures::default()
            }),
            broker_fault: None,
            store_fault: None,
        };
        let start = tokio::time::Instant::now();
        let before = sample(50, 10, 100, start);
        let now = sample(20, 15, 200, start + Duration::from_secs(10));
        let stages = of(&Balance {
            before: &before,
            now: &now,
            was: before.figures.as_ref().expect("they are given"),
            figures: now.figures.as_ref().expect("they are given"),
            elapsed: Duration::from_secs(10),
        });
        let rates = |stage: &Stage| {
            let rate = |rate: Option<Rate>| rate.map(Rate::exact);
            (rate(stage.rate_in), rate(stage.rate_out), stage.drains_in)
        };
        let some = |text: &str| Some(text.to_owned());
        let drains = Some(Span(Duration::from_millis(6_666)));
        assert_eq!(rates(&stages[0]), (some("7.500"), some("10.500"), drains));
        assert_eq!(rates(&stages[1]), (some("10.500"), some("10.000"), None));
    }

    fn depth(ready: u64) -> Depth {
        Depth {
            ready,
            unacked: None,
            consumers: None,
        }
    }
}
