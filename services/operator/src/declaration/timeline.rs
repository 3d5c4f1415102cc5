//! The steps of one declaration, in their order.

use samenloop_adapters::{decision_store::Sent, wire::v1};
use serde::Serialize;

use super::{Found, status_word};
use crate::{
    frame::Frame,
    language::Say,
    shown::{Count, State, Tone, When},
};

/// A step of the timeline.
#[derive(Serialize)]
pub(crate) struct Event {
    pub(crate) what: String,
    pub(crate) at: Option<When>,
    pub(crate) state: State,
    pub(crate) detail: String,
}

/// Receipt, decision, outcome, claims.
pub(crate) fn of(frame: &Frame, found: &Found) -> Vec<Event> {
    let message = &found.message;
    let outcome = &message.outcome;
    let mut events = vec![
        Event {
            what: frame.say("Received", "Ontvangen").to_owned(),
            at: Some(When(message.received_at)),
            state: State::new(Tone::Good, "taken"),
            detail: format!(
                "{} {}; {} {}.",
                frame.say("From party", "Van partij"),
                message.party,
                frame.say("receipt date", "ontvangstdatum"),
                message.received_on
            ),
        },
        Event {
            what: frame.say("Decided", "Beslist").to_owned(),
            at: Some(When(message.decided_at)),
            state: State::of_wire(status_word(outcome.status())),
            detail: format!(
                "{} {}, {} {}.",
                frame.say("Entry of the log", "Logregel"),
                frame.show(&Count(message.sequence.0)),
                frame.say("with reference version", "met referentieversie"),
                outcome.reference_version
            ),
        },
    ];
    if outcome.version > 1 {
        let word = format!("{} {}", frame.say("version", "versie"), outcome.version);
        let detail = frame.say(
            "A later entry of the log gave the outcome a new version.",
            "Een latere logregel gaf de uitkomst een nieuwe versie.",
        );
        events.push(Event {
            what: frame.say("Revised", "Herzien").to_owned(),
            at: None,
            state: State::new(Tone::Warn, word),
            detail: detail.to_owned(),
        });
    }
    events.push(outcome_event(frame, message.outcome_sent));
    events.push(claims_event(frame, found));
    events
}

fn outcome_event(frame: &Frame, sent: Option<Sent>) -> Event {
    let (tone, word, detail) = match sent {
        None => (
            Tone::Quiet,
            "waits",
            Say(
                "In the outbox, to be sent to the queue of its party.",
                "In de outbox, te verzenden naar de wachtrij van haar partij.",
            ),
        ),
        Some(Sent::Confirmed) => (
            Tone::Good,
            "sent",
            Say(
                "Confirmed by the queue of its party.",
                "Bevestigd door de wachtrij van haar partij.",
            ),
        ),
        Some(Sent::Unclaimed) => (
            Tone::Warn,
            "unclaimed",
            Say(
                "No queue takes it; its party can still fetch it from the gateway.",
                "Geen wachtrij neemt haar aan; haar partij kan haar nog bij de gateway ophalen.",
            ),
        ),
        Some(Sent::Parked) => (
            Tone::Bad,
            "parked",
            Say("Set aside by the relay.", "Apart gezet bij het verzenden."),
        ),
    };
    Event {
        what: frame.say("Outcome", "Uitkomst").to_owned(),
        at: None,
        state: State::new(tone, word),
        detail: frame.text(&detail).to_owned(),
    }
}

fn claims_event(frame: &Frame, found: &Found) -> Event {
    let outcome = &found.message.outcome;
    let awards = outcome.lines.iter();
    let awards = awards
        .filter(|line| matches!(line.verdict(), v1::Verdict::Accept | v1::Verdict::Reduce))
        .count();
    let settled = found.claims.as_ref().map_or(0, Vec::len);
    let (tone, word, detail) = match found.message.claims_sent {
        _ if awards == 0 && settled == 0 => (
            Tone::Quiet,
            "none",
            frame
                .say("No line awards anything.", "Geen regel kent iets toe.")
                .to_owned(),
        ),
        None => (
            Tone::Quiet,
            "waits",
            frame
                .say(
                    "In the outbox, to be submitted to settlement.",
                    "In de outbox, in te dienen bij de afrekening.",
                )
                .to_owned(),
        ),
        Some(Sent::Confirmed) => (
            Tone::Good,
            "settled",
            match &found.claims {
                Some(claims) => format!(
                    "{} {}.",
                    claims.len(),
                    frame.say("claims are recorded", "claims zijn vastgelegd")
                ),
                None => frame
                    .say("Recorded by settlement.", "Vastgelegd door de afrekening.")
                    .to_owned(),
            },
        ),
        Some(Sent::Parked | Sent::Unclaimed) => (
            Tone::Bad,
            "parked",
            frame
                .say(
                    "Settlement refused a claim: an invariant is broken.",
                    "De afrekening weigerde een claim: een invariant is geschonden.",
                )
                .to_owned(),
        ),
    };
    Event {
        what: frame.say("Claims", "Claims").to_owned(),
        at: None,
        state: State::new(tone, word),
        detail,
    }
}
