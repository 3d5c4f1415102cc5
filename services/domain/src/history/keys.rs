//! What of the past a batch of messages needs to be decided.

use std::collections::btree_map::Entry;

use crate::{
    ceiling, coverage,
    decision::Validated,
    declaration::{Direction, Line},
    facts::{self, LineFacts},
    history::{HistoryKeys, ReferenceKey, invoice_part_of, predecessor_of},
    identifiers::{Agb, LineReference},
    reference::Reference,
};

/// What deciding `batch` may ask of the past; more than is asked, never less.
///
/// A message that validation refused whole needs only its id and invoice part, a line that it
/// refused no coverage.
#[must_use]
pub fn keys_of(batch: &[&Validated], reference: &Reference) -> HistoryKeys {
    let mut keys = HistoryKeys::default();
    for input in batch {
        let declaration = &input.declaration;
        keys.messages.insert(declaration.message_id);
        keys.invoice_parts.extend(invoice_part_of(declaration));
        keys.predecessors.extend(predecessor_of(declaration));
        let Some(declarant) = declaration.declarant_agb.agb() else {
            continue;
        };
        if !input.findings.message.is_empty() {
            continue;
        }
        for line in &declaration.lines {
            add_line(&mut keys, input, declarant, line, reference);
        }
    }
    keys
}

/// What deciding one line of `input` again may ask of the past.
#[must_use]
pub fn keys_of_line(input: &Validated, line_number: u64, reference: &Reference) -> HistoryKeys {
    let mut keys = HistoryKeys::default();
    let declaration = &input.declaration;
    keys.messages.insert(declaration.message_id);
    keys.invoice_parts.extend(invoice_part_of(declaration));
    if let Some(declarant) = declaration.declarant_agb.agb() {
        let lines = declaration.lines.iter();
        for line in lines.filter(|line| u64::from(line.line_number) == line_number) {
            add_line(&mut keys, input, declarant, line, reference);
        }
    }
    keys
}

fn add_line(
    keys: &mut HistoryKeys,
    input: &Validated,
    declarant: Agb,
    line: &Line,
    reference: &Reference,
) {
    keys.references.extend(references_of(declarant, line));
    if line.direction == Direction::Credit {
        return;
    }
    let facts = facts::establish(&input.declaration, line, reference);
    keys.terms.extend(ceiling::terms_of(&facts));
    if input.findings.of_line(line.line_number).is_empty() {
        let bounds = ceiling::bounds_of(&facts);
        keys.ceilings.extend(bounds.map(|(key, _)| key));
        add_coverage(keys, &facts, reference);
    }
}

fn references_of(declarant: Agb, line: &Line) -> impl Iterator<Item = ReferenceKey> {
    let key = move |reference: &LineReference| ReferenceKey {
        declarant,
        reference: reference.clone(),
    };
    let original = line.original_reference.iter().map(key);
    original.chain([key(&line.line_reference)])
}

/// Keys of the line's coverage; periods of one key become the period that encloses them.
fn add_coverage(keys: &mut HistoryKeys, facts: &LineFacts<'_>, reference: &Reference) {
    let Some(coverage) = coverage::of_line(facts, reference) else {
        return;
    };
    keys.contracts.extend(coverage.contract_id.clone());
    for key in coverage.keys() {
        match keys.coverage.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(coverage.period);
            }
            Entry::Occupied(mut entry) => {
                let enclosing = entry.get().enclosing(coverage.period);
                entry.insert(enclosing);
            }
        }
    }
}
