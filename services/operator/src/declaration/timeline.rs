//! The steps of one declaration, in their order.

use samenloop_adapters::{decision_store::Sent, wire::v1};
use serde::Serialize;

use super::{Anew, Found, Stream, status_word, verdict_word};
use crate::{
    frame::Frame,
    language::Say,
    shown::{Count, Euro, State, Tone, When},
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
    events.extend(found.anew.iter().map(|anew| anew_event(frame, anew)));
    let told = found.anew.last().map_or(1, |anew| anew.version);
    if outcome.version > told {
        let word = format!("{} {}", frame.say("version", "versie"), outcome.version);
        let detail = frame.say(
            "A credit of a held line, or a later entry of the log, gave the outcome a new version.",
            "Een creditering van een aangehouden regel, of een latere logregel, gaf de uitkomst een nieuwe versie.",
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
    events.extend(
        found
            .streams
            .iter()
            .map(|stream| stream_event(frame, stream)),
    );
    events
}

/// A person decided a line, or it was decided again because what excluded it went.
fn anew_event(frame: &Frame, anew: &Anew) -> Event {
    let line = anew.decided.line.as_ref();
    let verdict = line.map_or("unspecified", |line| verdict_word(line.verdict()));
    let number = line.map_or(0, |line| line.line_number);
    let cents = Euro(line.map_or(0, |line| line.awarded_cents));
    let mut detail = format!(
        "{} {number}, {} {}; {} {}, {} {}.",
        frame.say("Line", "Regel"),
        frame.say("awarded", "toegekend"),
        frame.show(&cents),
        frame.say("version", "versie"),
        anew.version,
        frame.say("entry of the log", "logregel"),
        frame.show(&Count(anew.sequence.0)),
    );
    if let Some(command) = &anew.decided.command {
        let second = match command.second_person.as_str() {
            "" => String::new(),
            name => format!(", {} {name}", frame.say("agreed by", "met instemming van")),
        };
        detail.push_str(&format!(
            " {} {}{second}: {}",
            frame.say("By", "Door"),
            command.person,
            command.note
        ));
    }
    if anew.decided.overridden > 0 {
        let text = frame.say(
            " A rule that excludes it was set aside.",
            " Van een regel die haar uitsluit is afgeweken.",
        );
        detail.push_str(text);
    }
    Event {
        what: match anew.decided.command {
            Some(_) => frame.say("Decided by a person", "Door een mens beslist"),
            None => frame.say("Decided again", "Opnieuw beslist"),
        }
        .to_owned(),
        at: Some(When(anew.recorded_at)),
        state: State::of_wire(verdict),
        detail,
    }
}

/// Whether an insurer has acknowledged what it is told of the declaration.
fn stream_event(frame: &Frame, stream: &Stream) -> Event {
    let first = stream
        .acknowledged
        .iter()
        .min_by_key(|it| it.acknowledged_at);
    let (tone, word) = match first {
        Some(_) => (Tone::Good, "acknowledged"),
        None => (Tone::Quiet, "waits"),
    };
    let names: Vec<&str> = stream
        .acknowledged
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    let by = match names.as_slice() {
        [] => frame
            .say(
                "no subscriber has acknowledged it",
                "geen afnemer heeft dit bevestigd",
            )
            .to_owned(),
        names => format!(
            "{} {}",
            frame.say("acknowledged by", "bevestigd door"),
            names.join(", ")
        ),
    };
    Event {
        what: format!(
            "{} {}",
            frame.say("Stream of", "Stroom van"),
            stream.insurer
        ),
        at: None,
        state: State::new(tone, word),
        detail: format!(
            "{} {}; {by}.",
            frame.say("Position", "Positie"),
            frame.show(&Count(stream.position))
        ),
    }
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
