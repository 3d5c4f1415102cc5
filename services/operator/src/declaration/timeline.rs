//! The steps of one declaration, in their order.

use samenloop_adapters::{decision_store::Sent, wire::v1};
use serde::Serialize;

use super::{Found, status_word};
use crate::shown::{Count, State, Tone, When};

/// A step of the timeline.
#[derive(Serialize)]
pub(crate) struct Event {
    pub(crate) what: &'static str,
    pub(crate) at: Option<When>,
    pub(crate) state: State,
    pub(crate) detail: String,
}

/// Receipt, decision, outcome, claims.
pub(crate) fn of(found: &Found) -> Vec<Event> {
    let message = &found.message;
    let outcome = &message.outcome;
    let mut events = vec![
        Event {
            what: "Received",
            at: Some(When(message.received_at)),
            state: State::new(Tone::Good, "taken"),
            detail: format!(
                "From party {}; receipt date {}.",
                message.party, message.received_on
            ),
        },
        Event {
            what: "Decided",
            at: Some(When(message.decided_at)),
            state: State::of_wire(status_word(outcome.status())),
            detail: format!(
                "Entry {} of the log, with reference version {}.",
                Count(message.sequence.0),
                outcome.reference_version
            ),
        },
    ];
    if outcome.version > 1 {
        events.push(Event {
            what: "Revised",
            at: None,
            state: State::new(Tone::Warn, format!("version {}", outcome.version)),
            detail: "A later entry of the log gave the outcome a new version.".to_owned(),
        });
    }
    events.push(outcome_event(message.outcome_sent));
    events.push(claims_event(found));
    events
}

fn outcome_event(sent: Option<Sent>) -> Event {
    let (tone, word, detail) = match sent {
        None => (
            Tone::Quiet,
            "waits",
            "In the outbox, to be sent to the queue of its party.",
        ),
        Some(Sent::Confirmed) => (Tone::Good, "sent", "Confirmed by the queue of its party."),
        Some(Sent::Unclaimed) => (
            Tone::Warn,
            "unclaimed",
            "No queue takes it; its party can still fetch it from the gateway.",
        ),
        Some(Sent::Parked) => (Tone::Bad, "parked", "Set aside by the relay."),
    };
    Event {
        what: "Outcome",
        at: None,
        state: State::new(tone, word),
        detail: detail.to_owned(),
    }
}

fn claims_event(found: &Found) -> Event {
    let outcome = &found.message.outcome;
    let awards = outcome.lines.iter();
    let awards = awards
        .filter(|line| matches!(line.verdict(), v1::Verdict::Accept | v1::Verdict::Reduce))
        .count();
    let settled = found.claims.as_ref().map_or(0, Vec::len);
    let (tone, word, detail) = match found.message.claims_sent {
        _ if awards == 0 && settled == 0 => {
            (Tone::Quiet, "none", "No line awards anything.".to_owned())
        }
        None => (
            Tone::Quiet,
            "waits",
            "In the outbox, to be submitted to settlement.".to_owned(),
        ),
        Some(Sent::Confirmed) => (
            Tone::Good,
            "settled",
            match &found.claims {
                Some(claims) => format!("{} claims are recorded.", claims.len()),
                None => "Recorded by settlement.".to_owned(),
            },
        ),
        Some(Sent::Parked | Sent::Unclaimed) => (
            Tone::Bad,
            "parked",
            "Settlement refused a claim: an invariant is broken.".to_owned(),
        ),
    };
    Event {
        what: "Claims",
        at: None,
        state: State::new(tone, word),
        detail,
    }
}
