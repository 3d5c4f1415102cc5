//! A history as text, for whoever has to understand why two decisions differ.

use std::fmt::Write as _;

use samenloop_domain::{decision::Validated, reference::Reference, rejection};

use crate::oracle::Event;

/// Contracts, rules and events as text, one a line.
pub(crate) fn described(events: &[Event], reference: &Reference) -> String {
    let mut text = String::new();
    for (id, contract) in &reference.contracts {
        writeln!(text, "{id} {contract:?}").expect("a string takes text");
    }
    for rule in &reference.pair_rules {
        let row = (&rule.a, &rule.b, rule.level, rule.when, rule.insurer);
        let head = (
            &rule.head.id,
            rule.head.effect,
            &rule.head.codes,
            rule.head.validity,
        );
        writeln!(text, "{head:?} {row:?}").expect("a string takes text");
    }
    for rule in &reference.line_rules {
        let row = (&rule.head.id, &rule.of, rule.condition, rule.head.validity);
        writeln!(text, "{row:?}").expect("a string takes text");
    }
    for (sequence, event) in (1..).zip(events) {
        match event {
            Event::Message(validated) => describe_message(&mut text, sequence, validated),
            Event::Import(rows) => writeln!(text, "{sequence} import {rows:?}").expect("text"),
        }
    }
    text
}

fn describe_message(text: &mut String, sequence: usize, validated: &Validated) {
    let it = &validated.declaration;
    let invoice = format!("{}/{} to {}", it.invoice_number, it.invoice_part, it.pay_to);
    let parties = format!("{} for {}", it.declarant_agb, it.insurer_uzovi);
    let received_on = validated.received_on;
    writeln!(text, "{sequence} {parties} on {received_on}, {invoice}").expect("text");
    for line in &it.lines {
        let who = (
            &line.contract_id,
            &line.prestatie.code,
            line.direction,
            &line.line_reference,
        );
        let about = (
            &line.patient_group_id,
            &line.insured,
            &line.meeting,
            &line.on_behalf_of,
        );
        let span = format!("{}..{}", line.period.first, line.period.last);
        let amounts = (line.quantity, line.computed, line.declared);
        let rest = (
            &line.original_reference,
            &line.activities,
            &line.participants,
        );
        writeln!(
            text,
            "  {} {who:?} {span} {about:?} {amounts:?} {rest:?}",
            line.line_number
        )
        .expect("text");
    }
    for (number, found) in &validated.findings.lines {
        writeln!(text, "  {number} found {:?}", rejection::codes(found)).expect("text");
    }
}
