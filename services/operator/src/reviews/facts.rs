//! What is known of a line, in the same order for each, so that two can be compared side by side.

use samenloop_adapters::wire::v1;
use samenloop_domain::declaration::{Line, Meeting, Participant};
use serde::Serialize;

use crate::{
    declaration::{Found, verdict_word},
    frame::Frame,
    shown::{Count, Euro, State, Tone},
};

/// A line, as a card.
#[derive(Serialize)]
pub(crate) struct Facts {
    pub(crate) title: String,
    pub(crate) link: Option<String>,
    pub(crate) verdict: State,
    pub(crate) facts: Vec<Fact>,
}

/// A fact with its name in the language of the page.
#[derive(Serialize)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Collects facts; those that are not known are left out.
struct Collected<'a>(&'a Frame, Vec<Fact>);

impl Collected<'_> {
    fn add(&mut self, english: &str, dutch: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            let name = self.0.say(english, dutch).to_owned();
            self.1.push(Fact { name, value });
        }
    }
}

/// A line of a declaration: what was declared, and what became of it.
pub(crate) fn of_line(frame: &Frame, found: &Found, number: u64) -> Option<Facts> {
    let outcome = &found.message.outcome;
    let mut lines = outcome.lines.iter();
    let line = lines.find(|line| u64::from(line.line_number) == number)?;
    let declared = found.input.as_ref().and_then(|input| {
        let mut lines = input.validated.declaration.lines.iter();
        lines.find(|line| u64::from(line.line_number) == number)
    });
    let mut facts = Collected(frame, Vec::new());
    facts.add("Declarant", "Declarant", &outcome.declarant_agb);
    facts.add("Insurer", "Verzekeraar", &outcome.insurer_uzovi);
    if let Some(declared) = declared {
        add_declared(&mut facts, declared);
    }
    let euro = |cents| frame.show(&Euro(cents));
    facts.add("Declared", "Gedeclareerd", euro(line.declared_cents));
    facts.add("Awarded", "Toegekend", euro(line.awarded_cents));
    if line.proposed_cents != 0 {
        facts.add("Proposed", "Voorgesteld", euro(line.proposed_cents));
    }
    let received_on = found.message.received_on.to_string();
    facts.add("Received on", "Ontvangen op", received_on);
    let entry = frame.show(&Count(found.message.sequence.0));
    facts.add("Entry of the log", "Logregel", entry);
    let page = crate::declarations::link(found.message.message_id);
    Some(Facts {
        title: line.line_reference.clone(),
        link: Some(format!("{page}#line-{number}")),
        verdict: State::of_wire(verdict_word(line.verdict())),
        facts: facts.1,
    })
}

fn add_declared(facts: &mut Collected<'_>, line: &Line) {
    let frame = facts.0;
    let prestatie = format!("{} {}", line.prestatie.list, line.prestatie.code);
    facts.add("Prestatie", "Prestatie", prestatie);
    let contract = line.contract_id.as_ref().map(ToString::to_string);
    facts.add("Contract", "Contract", contract.unwrap_or_default());
    let to = frame.say("to", "tot en met");
    let period = format!("{} {to} {}", line.period.first, line.period.last);
    facts.add("Period", "Periode", period);
    let times = format!("{} × {}", line.quantity, line.tarief.euro());
    facts.add("Quantity and tarief", "Aantal en tarief", times);
    let group = line.patient_group_id.as_ref().map(ToString::to_string);
    facts.add("Patient group", "Patiëntengroep", group.unwrap_or_default());
    let meeting = line.meeting.map_or("", |meeting| match meeting {
        Meeting::Group => frame.say("about a group", "over een groep"),
        Meeting::Individual => frame.say("about individual patients", "over individuele patiënten"),
        Meeting::Hybrid => frame.say("hybrid: both in one", "hybride: beide in één"),
    });
    facts.add("Meeting", "Overleg", meeting);
    // A third party is known by its name only, which is not shown.
    let agbs = line.participants.iter();
    let agbs = agbs.filter_map(|participant| match participant {
        Participant::Provider(agb) => Some(agb.to_string()),
        Participant::ThirdParty { .. } => None,
    });
    let agbs: Vec<String> = agbs.collect();
    facts.add("Participants", "Deelnemers", agbs.join(", "));
    let activities: Vec<String> = line.activities.iter().map(ToString::to_string).collect();
    facts.add("Activities", "Activiteiten", activities.join(", "));
}

/// A rival of which only the evidence is known: it was imported, or is another insurer's.
pub(crate) fn of_rival(frame: &Frame, rival: &v1::Rival) -> Facts {
    let prestatie = rival.prestatie.clone().unwrap_or_default();
    let period = rival.period.clone().unwrap_or_default();
    let mut facts = Collected(frame, Vec::new());
    facts.add("Declarant", "Declarant", &rival.declarant_agb);
    facts.add("Insurer", "Verzekeraar", &rival.insurer_uzovi);
    let (list, code) = (
        prestatie.list.unwrap_or_default(),
        prestatie.code.unwrap_or_default(),
    );
    facts.add("Prestatie", "Prestatie", format!("{list} {code}"));
    facts.add("Contract", "Contract", &rival.contract_id);
    let to = frame.say("to", "tot en met");
    let (first, last) = (
        period.first.unwrap_or_default(),
        period.last.unwrap_or_default(),
    );
    facts.add("Period", "Periode", format!("{first} {to} {last}"));
    let entry = frame.show(&Count(rival.sequence));
    facts.add("Entry of the log", "Logregel", entry);
    let word = match (rival.imported, rival.held) {
        (true, _) => "imported",
        (false, true) => "held",
        (false, false) => "awarded",
    };
    Facts {
        title: rival.line_reference.clone(),
        link: None,
        verdict: State::new(Tone::Quiet, word),
        facts: facts.1,
    }
}
