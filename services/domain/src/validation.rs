//! Judging a declaration on its own: every rule that needs no history.
//!
//! Must not know what was declared before: that is for whoever holds the history, and both lists of
//! findings are merged in the order of report.

#[cfg(test)]
mod tests;

use crate::{
    decision::Findings,
    declaration::{Declaration, Direction},
    facts::{self, LineFacts},
    identifiers::PartyId,
    period::Day,
    reference::Reference,
    rejection::{self, Rejection},
    rules::{CREDIT_RULES, DEBIT_RULES, MESSAGE_RULES, Received},
};

/// Where a declaration was received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Environment {
    /// Declarations are settled.
    Production,
    /// Nothing is ever settled.
    Test,
}

/// Judges `declaration` as `party` sent it; findings are in the order of report.
///
/// A finding about the message silences its lines: they are not judged then.
#[must_use]
pub fn validate_declaration(
    declaration: &Declaration,
    party: &PartyId,
    received_on: Day,
    reference: &Reference,
    environment: Environment,
) -> Findings {
    let received = Received {
        declaration,
        party,
        received_on,
        reference,
        environment,
    };
    let message = validate_message(&received);
    let mut findings = Findings {
        message,
        ..Findings::default()
    };
    if !findings.message.is_empty() {
        return findings;
    }
    for line in &declaration.lines {
        let rejections = validate_line(&facts::establish(declaration, line, reference));
        if !rejections.is_empty() {
            findings.lines.insert(line.line_number, rejections);
        }
    }
    findings
}

/// Findings about the message as a whole, in the order of report.
#[must_use]
pub fn validate_message(received: &Received<'_>) -> Vec<Rejection> {
    let found = MESSAGE_RULES.iter().filter_map(|check| check(received));
    in_order(found.collect())
}

/// Findings about one line, in the order of report.
#[must_use]
pub fn validate_line(facts: &LineFacts<'_>) -> Vec<Rejection> {
    let rules = match facts.line.direction {
        Direction::Debit => DEBIT_RULES,
        Direction::Credit => CREDIT_RULES,
    };
    in_order(rules.iter().filter_map(|check| check(facts)).collect())
}

fn in_order(mut found: Vec<Rejection>) -> Vec<Rejection> {
    rejection::sort(&mut found);
    found
}
