//! What the page of one declaration shows.

use std::collections::BTreeMap;

use askama::Template;
use samenloop_adapters::{
    settlement_store::AllocatedClaim,
    wire::{digest, v1, validated::Intake},
};
use samenloop_domain::declaration;
use serde::Serialize;

use super::{
    Found, status_word,
    timeline::{self, Event},
    verdict_word,
};
use crate::{
    frame::Frame,
    language::Say,
    list::{Cell, Column, List, Row, Spec},
    person::Scope,
    reasons::{self, Explained},
    respond,
    shown::{Count, Euro, State, When},
};

/// Lines on one page.
const LINES_MAX: usize = 200;

static FAULTS: Spec = Spec {
    name: "faults",
    title: Say("Faults in the body", "Fouten in de inhoud"),
    columns: &[
        Column::head("path", Say("Path", "Pad")),
        Column::text("problem", Say("Problem", "Probleem")),
    ],
    filters: &[],
    empty: Say("None.", "Geen."),
    is_main: false,
};

static CLAIMS: Spec = Spec {
    name: "claims",
    title: Say("Claims in settlement", "Claims in de afrekening"),
    columns: &[
        Column::head("claim_id", Say("Claim", "Claim")),
        Column::number("line_number", Say("Line", "Regel")),
        Column::number("awarded_cents", Say("Awarded", "Toegekend")),
        Column::text("reverses_claim_id", Say("Reverses", "Draait terug")),
        Column::text("legal_basis", Say("Legal basis", "Grondslag")),
        Column::text("insurers", Say("Insurer", "Verzekeraar")).unsorted(),
        Column::text("sectors", Say("Sector", "Sector")).unsorted(),
        Column::number("parts_cents", Say("Part", "Deel")).unsorted(),
    ],
    filters: &[],
    empty: Say("None.", "Geen."),
    is_main: false,
};

/// Everything on the page.
#[derive(Serialize, Template)]
#[template(path = "declaration.html")]
pub(crate) struct Page {
    #[serde(skip)]
    frame: Frame,
    message_id: String,
    status: State,
    version: u32,
    notice: String,
    party: String,
    declarant_agb: String,
    insurer_uzovi: String,
    invoice_number: String,
    header: Option<Header>,
    awarded_cents: Euro,
    held_cents: Euro,
    events: Vec<Event>,
    reasons: Vec<Reason>,
    faults: Option<List>,
    fault_count: u32,
    line_count: Count,
    filters: Vec<Filter>,
    lines: Vec<Line>,
    lines_shown: Option<String>,
    lines_before: Option<String>,
    lines_after: Option<String>,
    claims: Option<List>,
    log: Option<LogEntry>,
}

/// What the log keeps of the header.
#[derive(Serialize)]
struct Header {
    sender_agb: String,
    invoice_part: u32,
    invoice_parts: u32,
    invoice_date: String,
    sent_on: String,
    first: String,
    last: String,
    traceparent: String,
}

/// A link to the lines with one verdict, or to all.
#[derive(Serialize)]
struct Filter {
    name: String,
    lines: Count,
    link: String,
    is_current: bool,
}

#[derive(Serialize)]
struct Reason {
    code: String,
    parameters: Vec<(String, String)>,
    explained: Option<Explained>,
}

#[derive(Serialize)]
struct Line {
    number: u32,
    reference: String,
    verdict: State,
    declared_cents: Euro,
    awarded_cents: Euro,
    proposed_cents: Option<Euro>,
    declared: Option<DeclaredLine>,
    reasons: Vec<Reason>,
    evidence: Vec<Evidence>,
    rivals: u32,
}

/// What the log keeps of a line. Names of participants and the insured are not shown.
#[derive(Serialize)]
struct DeclaredLine {
    direction: &'static str,
    original_reference: Option<String>,
    list: String,
    code: String,
    contract_id: Option<String>,
    first: String,
    last: String,
    quantity: u32,
    tarief: String,
    group: Option<String>,
}

#[derive(Serialize)]
struct Evidence {
    rule: String,
    rule_version: u32,
    effect: String,
    basis: String,
    source: String,
    days_in_common: u32,
    rival: Option<Rival>,
    shared_agbs: Vec<String>,
    shared_activities: Vec<String>,
}

#[derive(Serialize)]
struct Rival {
    declarant_agb: String,
    insurer_uzovi: String,
    line_reference: String,
    contract_id: String,
    prestatie: String,
    first: String,
    last: String,
    sequence: Count,
    standing: &'static str,
    link: Option<String>,
}

#[derive(Serialize)]
struct LogEntry {
    sequence: Count,
    kind: String,
    recorded_at: When,
    hash: String,
    previous_hash: String,
}

impl respond::Page for Page {
    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn lists(&self) -> Vec<&List> {
        self.claims.iter().chain(&self.faults).collect()
    }
}

impl Page {
    /// The page with the lines that are asked for.
    pub(crate) fn new(frame: Frame, found: &Found, scope: Scope) -> Self {
        let outcome = &found.message.outcome;
        let input = found.input.as_ref();
        let chosen = choose(outcome, frame.field("verdict"));
        let count = chosen.len();
        let asked = frame.field("line").and_then(|line| line.parse().ok());
        let first = asked.unwrap_or(0).min(count.saturating_sub(1));
        let lines = chosen.iter().skip(first).take(LINES_MAX);
        let lines: Vec<Line> = lines.map(|line| line_of(line, input, scope)).collect();
        let sum = |of: fn(&v1::LineOutcome) -> i64| {
            Euro(outcome.lines.iter().map(of).fold(0, i64::saturating_add))
        };
        let link = |index: usize| frame.link("", &[("line", Some(&index.to_string()))]);
        let last = first + lines.len();
        Self {
            message_id: found.message.message_id.to_string(),
            status: State::of_wire(status_word(outcome.status())),
            version: outcome.version,
            notice: outcome.notice.clone(),
            party: found.message.party.to_string(),
            declarant_agb: outcome.declarant_agb.clone(),
            insurer_uzovi: outcome.insurer_uzovi.clone(),
            invoice_number: outcome.invoice_number.clone(),
            header: input.filter(|it| it.fault_count == 0).map(header_of),
            awarded_cents: sum(|line| line.awarded_cents),
            held_cents: sum(|line| line.proposed_cents),
            events: timeline::of(&frame, found),
            reasons: outcome.reasons.iter().map(reason_of).collect(),
            faults: input.and_then(|input| faults_of(&frame, input)),
            fault_count: input.map_or(0, |input| input.fault_count),
            line_count: Count(outcome.lines.len() as u64),
            filters: filters_of(&frame, found),
            lines_shown: (count > LINES_MAX).then(|| {
                let of = frame.say("of", "van");
                let count = frame.show(&Count(count as u64));
                format!("{}–{last} {of} {count}", first + 1)
            }),
            lines_before: (first > 0).then(|| link(first.saturating_sub(LINES_MAX))),
            lines_after: (last < count).then(|| link(last)),
            lines,
            claims: found.claims.as_ref().map(|claims| {
                let rows = claims.iter().map(claim_of).collect();
                List::of_all(&frame, &CLAIMS, rows)
            }),
            log: found.entry.as_ref().map(|entry| LogEntry {
                sequence: Count(entry.sequence.0),
                kind: entry.kind.replace('_', " "),
                recorded_at: When(entry.recorded_at),
                hash: digest::hex(&entry.hash),
                previous_hash: digest::hex(&entry.previous_hash),
            }),
            frame,
        }
    }
}

/// The lines with the verdict that is asked for; all, if that is no verdict.
fn choose<'a>(outcome: &'a v1::Outcome, wanted: Option<&str>) -> Vec<&'a v1::LineOutcome> {
    let lines = outcome.lines.iter();
    lines
        .filter(|line| wanted.is_none_or(|word| word == verdict_word(line.verdict())))
        .collect()
}

/// Links to the lines of each verdict, where there is more than one.
fn filters_of(frame: &Frame, found: &Found) -> Vec<Filter> {
    let lines = &found.message.outcome.lines;
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for line in lines {
        *counts.entry(verdict_word(line.verdict())).or_default() += 1;
    }
    if counts.len() < 2 {
        return Vec::new();
    }
    let wanted = frame.field("verdict");
    let link = |word: Option<&str>| frame.link("", &[("verdict", word), ("line", None)]);
    let all = Filter {
        name: frame.say("all", "alle").to_owned(),
        lines: Count(lines.len() as u64),
        link: link(None),
        is_current: wanted.is_none(),
    };
    let each = counts.into_iter().map(|(word, count)| Filter {
        name: frame.show(&State::of_wire(word)),
        lines: Count(count),
        link: link(Some(word)),
        is_current: wanted == Some(word),
    });
    std::iter::once(all).chain(each).collect()
}

fn header_of(input: &Intake) -> Header {
    let declaration = &input.validated.declaration;
    Header {
        sender_agb: declaration.sender_agb.to_string(),
        invoice_part: declaration.invoice_part,
        invoice_parts: declaration.invoice_parts,
        invoice_date: declaration.invoice_date.to_string(),
        sent_on: declaration.sent_on.to_string(),
        first: declaration.declaration_period.first.to_string(),
        last: declaration.declaration_period.last.to_string(),
        traceparent: input.traceparent.clone(),
    }
}

fn faults_of(frame: &Frame, input: &Intake) -> Option<List> {
    let faults = input.faults.iter();
    let rows: Vec<Row> = faults
        .map(|fault| {
            let path = if fault.path.is_empty() {
                "/"
            } else {
                &fault.path
            };
            Row::from(vec![Cell::code(path), Cell::text(&fault.problem)])
        })
        .collect();
    (!rows.is_empty()).then(|| List::of_all(frame, &FAULTS, rows))
}

fn reason_of(reason: &v1::Reason) -> Reason {
    let parameters = reason.parameters.iter();
    Reason {
        code: reason.code.clone(),
        parameters: parameters
            .map(|it| (it.name.replace('_', " "), it.value.clone()))
            .collect(),
        explained: reasons::explain(&reason.code),
    }
}

fn line_of(line: &v1::LineOutcome, input: Option<&Intake>, scope: Scope) -> Line {
    let lines = input.map(|input| &input.validated.declaration.lines);
    let declared = lines.and_then(|lines| {
        let mut lines = lines.iter();
        lines.find(|declared| declared.line_number == line.line_number)
    });
    let is_held = line.verdict() == v1::Verdict::Review;
    Line {
        number: line.line_number,
        reference: line.line_reference.clone(),
        verdict: State::of_wire(verdict_word(line.verdict())),
        declared_cents: Euro(line.declared_cents),
        awarded_cents: Euro(line.awarded_cents),
        proposed_cents: is_held.then_some(Euro(line.proposed_cents)),
        declared: declared.map(declared_of),
        reasons: line.reasons.iter().map(reason_of).collect(),
        evidence: line
            .evidence
            .iter()
            .map(|evidence| evidence_of(evidence, scope))
            .collect(),
        rivals: line.rivals,
    }
}

fn declared_of(line: &declaration::Line) -> DeclaredLine {
    DeclaredLine {
        direction: match line.direction {
            declaration::Direction::Debit => "debit",
            declaration::Direction::Credit => "credit",
        },
        original_reference: line.original_reference.as_ref().map(ToString::to_string),
        list: line.prestatie.list.to_string(),
        code: line.prestatie.code.to_string(),
        contract_id: line.contract_id.as_ref().map(ToString::to_string),
        first: line.period.first.to_string(),
        last: line.period.last.to_string(),
        quantity: line.quantity,
        tarief: line.tarief.euro().to_string(),
        group: line.patient_group_id.as_ref().map(ToString::to_string),
    }
}

fn evidence_of(evidence: &v1::Evidence, scope: Scope) -> Evidence {
    Evidence {
        rule: evidence.rule.clone(),
        rule_version: evidence.rule_version,
        effect: evidence.effect.clone(),
        basis: evidence.basis.clone(),
        source: evidence.source.clone(),
        days_in_common: evidence.days_in_common,
        rival: evidence.rival.as_ref().map(|rival| rival_of(rival, scope)),
        shared_agbs: evidence.shared_agbs.clone(),
        shared_activities: evidence.shared_activities.clone(),
    }
}

/// The insurer of either line is shown the whole evidence; a link leads only to what may be seen.
fn rival_of(rival: &v1::Rival, scope: Scope) -> Rival {
    let prestatie = rival.prestatie.clone().unwrap_or_default();
    let period = rival.period.clone().unwrap_or_default();
    let list = prestatie.list.unwrap_or_default();
    let next = rival.sequence.saturating_add(1);
    Rival {
        declarant_agb: rival.declarant_agb.clone(),
        insurer_uzovi: rival.insurer_uzovi.clone(),
        line_reference: rival.line_reference.clone(),
        contract_id: rival.contract_id.clone(),
        prestatie: format!("{list} {}", prestatie.code.unwrap_or_default()),
        first: period.first.unwrap_or_default(),
        last: period.last.unwrap_or_default(),
        sequence: Count(rival.sequence),
        standing: match (rival.imported, rival.held) {
            (true, _) => "imported",
            (false, true) => "held",
            (false, false) => "awarded",
        },
        link: (!rival.imported && scope.covers(&rival.insurer_uzovi))
            .then(|| format!("/declarations?cursor={next}&limit=1")),
    }
}

fn claim_of(allocated: &AllocatedClaim) -> Row {
    let claim = &allocated.claim;
    let parts = || allocated.parts.iter();
    let insurers = parts().map(|part| Cell::code(part.insurer.to_string()));
    let sectors = parts().map(|part| Cell::text(part.sector.to_string()));
    let cents = parts().map(|part| Cell::Euro(Euro(part.cents.get())));
    Row::from(vec![
        Cell::code(&claim.claim_id),
        Cell::Count(Count(claim.line_number.into())),
        Cell::Euro(Euro(claim.awarded_cents)),
        Cell::code(&claim.reverses_claim_id),
        Cell::text(&claim.legal_basis),
        Cell::Lines(insurers.collect()),
        Cell::Lines(sectors.collect()),
        Cell::Lines(cents.collect()),
    ])
}
