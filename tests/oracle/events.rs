//! From the plan of a history to its messages and imports.

use samenloop_domain::{
    decision::{Findings, Validated},
    declaration::{Direction, Insured, InsuredIdentity, Line, Meeting, Participant, PrestatieKey},
    identifiers::{Agb, AgbText, ContractId, Pseudonym, Uzovi},
    period::{Day, Period},
    reference::{Billing, Reference},
    rejection::Rejection,
};

use crate::{
    build::{chosen, contract_id},
    histories::{HistoryPlan, LinePlan, StepPlan},
    lines::{credit, line_of, message, person},
    oracle::{Event, facts},
    world::{AGBS, cents, day, period},
};

const PERIODS: [&str; 9] = [
    "2024-07-01..2024-09-30",
    "2024-07-01..2024-09-30",
    "2024-07-01..2024-07-31",
    "2024-08-01..2024-08-31",
    "2024-09-01..2024-11-30",
    "2024-06-15..2024-09-15",
    "2024-10-01..2024-12-31",
    "2024-09-30..2024-09-30",
    "2024-01-01..2024-12-31",
];
/// What messages of five years later are about.
const AFTER_YEARS: &str = "2029-10-01..2029-12-31";
const FIVE_YEARS: std::ops::RangeInclusive<u8> = 6..=7;
/// Most are in time; around the last days of submission, and five years after the first.
const RECEIVED: [&str; 9] = [
    "2025-07-31",
    "2025-08-01",
    "2025-09-30",
    "2025-10-01",
    "2025-12-31",
    "2026-01-01",
    "2030-01-14",
    "2030-01-15",
    "2025-12-30",
];

/// What happens in a plan, under its world.
pub(crate) fn events(plan: &HistoryPlan, reference: &Reference) -> Vec<Event> {
    let mut sent: Vec<Validated> = Vec::new();
    let mut events = Vec::new();
    for (number, step) in (1..).zip(&plan.steps) {
        let validated = message_of(number, step, reference, &sent);
        if step.import {
            let rows = rows_of(&validated, step, reference);
            events.push(Event::Import(rows));
        } else {
            sent.push(validated.clone());
            events.push(Event::Message(Box::new(validated)));
        }
    }
    events
}

fn rows_of(validated: &Validated, step: &StepPlan, reference: &Reference) -> Vec<facts::Facts> {
    let declaration = &validated.declaration;
    let of_line = |line| facts::of_line(declaration, line, reference).expect("a readable row");
    let mut rows: Vec<facts::Facts> = declaration.lines.iter().map(of_line).collect();
    for row in &mut rows {
        if step.invoice.is_multiple_of(2) {
            (row.contract, row.each_insurer, row.deduction) = (None, false, None);
        } else if step.invoice % 3 == 1 {
            // A register that knows the contract, and only its own code of whoever declared.
            row.agbs = vec![Agb::parse("01999999").expect("an AGB code")];
        }
    }
    rows
}

/// Those of a contract; a message that begins with a credit mostly follows up on an earlier one.
fn parties_of(step: &StepPlan, reference: &Reference, sent: &[Validated]) -> (Agb, Uzovi) {
    let target = usize::from(step.lines[0].target) % sent.len().max(1);
    if let Some(earlier) = sent.get(target).filter(|_| step.lines[0].is_credit) {
        let declarant = earlier
            .declaration
            .declarant_agb
            .agb()
            .expect("an AGB code");
        return (
            declarant,
            earlier
                .declaration
                .insurer_uzovi
                .uzovi()
                .expect("a UZOVI number"),
        );
    }
    let id = contract_id(usize::from(step.contract) % reference.contracts.len());
    let chosen = &reference.contracts[&id];
    let declarants: Vec<&Agb> = chosen.declarants.iter().collect();
    let declarant = declarants[usize::from(step.insurer / 2) % declarants.len()];
    let insurer = match chosen.billing {
        Billing::LeadInsurer(lead) => lead,
        Billing::EachInsurer => {
            chosen.insurers[usize::from(step.insurer) % chosen.insurers.len()].uzovi
        }
    };
    (*declarant, insurer)
}

fn message_of(
    number: usize,
    step: &StepPlan,
    reference: &Reference,
    sent: &[Validated],
) -> Validated {
    let (declarant, insurer) = parties_of(step, reference, sent);
    let header = (declarant.as_str(), insurer.as_str());
    let open: Vec<&ContractId> = reference
        .contracts
        .iter()
        .filter(|(_, contract)| {
            let billed = match contract.billing {
                Billing::LeadInsurer(lead) => lead == insurer,
                Billing::EachInsurer => contract.insurers.iter().any(|it| it.uzovi == insurer),
            };
            billed && contract.declarants.contains(&declarant)
        })
        .map(|(id, _)| id)
        .collect();
    let mut lines: Vec<Line> = Vec::new();
    for (place, plan) in step.lines.iter().enumerate() {
        let id = open[usize::from(plan.contract) % open.len()];
        let fresh = format!("R{number}-{place}");
        let span = if FIVE_YEARS.contains(&step.received) {
            AFTER_YEARS
        } else {
            PERIODS[usize::from(plan.period)]
        };
        let debit = debit_of(plan, reference, id, header.1, (&fresh, period(span)));
        let line = if plan.is_credit && !step.import {
            credit_of(plan, &debit, header, sent, &lines)
        } else {
            debit
        };
        lines.push(line);
    }
    let received_on = received_on(step, &lines);
    let mut validated = message(number as u128, header, received_on, lines);
    validated.findings = findings_of(step);
    let declaration = &mut validated.declaration;
    if step.invoice < 4 {
        declaration.invoice_number = format!("F-{}", step.invoice % 2).as_str().into();
        declaration.invoice_part = u32::from(step.invoice / 2) + 1;
        declaration.invoice_parts = 2;
    } else if step.invoice < 8 {
        declaration.invoice_number = "F-0".into();
        declaration.pay_to = "01".into();
        declaration.sender_agb = AgbText::new(AGBS[4]);
    }
    validated
}

/// Now and then validation has found something; detection must put its own findings in between.
fn findings_of(step: &StepPlan) -> Findings {
    let found = (1..).zip(&step.lines).filter_map(|(line_number, plan)| {
        let codes: &[&str] = match plan.found {
            0 => &["0611"],
            1 => &["8022", "GDC-SCHRIFT"],
            2 => &["8063"],
            _ => return None,
        };
        Some((line_number, vec![Rejection::new("found", codes)]))
    });
    let refused = step.invoice == 8 || step.invoice == 0 && step.received == 9;
    Findings {
        message: refused
            .then(|| Rejection::new("found", &["0150"]))
            .into_iter()
            .collect(),
        lines: found.collect(),
    }
}

/// Not before the last line ended.
fn received_on(step: &StepPlan, lines: &[Line]) -> Day {
    let planned = RECEIVED
        .get(usize::from(step.received))
        .map_or(day("2025-01-15"), |text| day(text));
    let ends = lines
        .iter()
        .map(|line| line.period.last)
        .max()
        .expect("a line");
    planned.max(ends)
}

fn debit_of(
    plan: &LinePlan,
    reference: &Reference,
    id: &ContractId,
    insurer: &str,
    (fresh, performed): (&str, Period),
) -> Line {
    let contract = &reference.contracts[id];
    let codes: Vec<&PrestatieKey> = contract.prestaties.keys().collect();
    let prestatie = codes[usize::from(plan.second_code) % codes.len()];
    let used_again = format!("R-{}", plan.reference);
    let line_reference = if plan.reference < 4 {
        used_again.as_str()
    } else {
        fresh
    };
    let mut line = line_of(
        reference,
        (id, prestatie),
        insurer,
        line_reference,
        performed,
    );
    let groups: Vec<_> = contract.groups.iter().collect();
    match &mut line.insured {
        Some(insured) => *insured = insured_of(plan.person),
        None => {
            let group = groups[usize::from(plan.group) % groups.len()];
            line.patient_group_id = Some(group.clone());
        }
    }
    let activities: Vec<&str> = contract.activities.iter().map(|it| it.as_str()).collect();
    let fewer: Vec<_> = chosen(plan.activities, &activities)
        .map(Into::into)
        .collect();
    if !fewer.is_empty() {
        line.activities = fewer;
    }
    if plan.participants.is_multiple_of(2) {
        let named = chosen(plan.participants, &AGBS);
        line.participants = named
            .map(|code| Participant::Provider(code.into()))
            .collect();
    }
    line.meeting = Some(match plan.meeting {
        0 | 1 => Meeting::Hybrid,
        _ => Meeting::Group,
    });
    line.declared = match plan.amount {
        0 => line.computed - cents(1),
        1 => cents(1_234),
        2 => cents(1),
        _ => line.computed,
    };
    line.on_behalf_of = AGBS[..4]
        .get(usize::from(plan.on_behalf_of))
        .map(|code| (*code).into());
    line
}

/// One of three persons; keys are added over time, so a later message carries two pseudonyms of the same person.
///
/// Keys that were taken out of use do not occur: the engine counts terms under the first key only.
fn insured_of(number: u8) -> Insured {
    let who = number % 3 + 1;
    let mut insured = person(who);
    if let InsuredIdentity::Pseudonyms(pseudonyms) = &mut insured.identity
        && number >= 6
    {
        pseudonyms.push(Pseudonym {
            key_id: "k2".into(),
            value: [who + 100; 32],
        });
    }
    insured
}

/// Mostly right; sometimes of another amount, period, quantity or subject, unknown, or of this very message.
fn credit_of(
    plan: &LinePlan,
    debit: &Line,
    (declarant, insurer): (&str, &str),
    sent: &[Validated],
    here: &[Line],
) -> Line {
    let own = sent
        .iter()
        .map(|validated| &validated.declaration)
        .filter(|declaration| {
            let same_insurer = declaration.insurer_uzovi.as_str() == insurer || plan.twist == 0;
            declaration.declarant_agb.as_str() == declarant && same_insurer
        });
    let debits: Vec<&Line> = own
        .flat_map(|declaration| &declaration.lines)
        .filter(|line| line.direction == Direction::Debit || plan.twist == 1)
        .collect();
    let target = debits
        .get(usize::from(plan.target) % debits.len().max(1))
        .copied();
    let mut line = credit(target.unwrap_or(debit), debit.line_reference.as_str());
    match plan.twist {
        2 => line.declared = line.declared + cents(1),
        3 => line.period = debit.period,
        4 => line.quantity += 1,
        5 => line.patient_group_id = Some("G4".into()),
        6 => line.original_reference = Some("R-unknown".into()),
        7 => {
            let first = here.iter().find(|line| line.direction == Direction::Debit);
            line = credit(first.unwrap_or(debit), debit.line_reference.as_str());
        }
        8 => line.line_reference = target.unwrap_or(debit).line_reference.clone(),
        9 => line.computed = line.computed + cents(1),
        _ => {}
    }
    line
}
