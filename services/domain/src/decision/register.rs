//! Before a message is decided: whether its id is new, and whether it has to wait.

use std::{collections::BTreeSet, fmt};

use crate::{
    decision::{Validated, message},
    declaration::Direction,
    history::{History, InvoicePart, ReferenceKey, is_used_up, predecessor_of},
    identifiers::{LineReference, Sequence},
};

/// What a message id is to the register. The first registration of an id stands, accepted or
/// refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Registration {
    /// Not seen before: the message is decided.
    New,
    /// The same content of the same party again: its newest outcome is sent again.
    Resend {
        /// The entry of its decision.
        sequence: Sequence,
        /// Version of its newest outcome.
        version: u32,
    },
    /// Other content of the same party under this id: the delivery is refused.
    Conflict,
    /// The id is another party's: the delivery is refused without telling anything of the content.
    OtherParty,
}

/// What the id of `input` is to the register.
#[must_use]
pub fn register(input: &Validated, history: &History) -> Registration {
    match history.messages.get(&input.declaration.message_id) {
        None => Registration::New,
        Some(known) if known.party != input.party => Registration::OtherParty,
        Some(known) if known.content_digest != input.content_digest => Registration::Conflict,
        Some(known) => Registration::Resend {
            sequence: known.sequence,
            version: known.version,
        },
    }
}

/// What a message may wait for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Awaited {
    /// The part of its invoice that comes before it.
    Part(InvoicePart),
    /// The original that a credit names.
    Original(ReferenceKey),
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part(it) => write!(f, "{}, part {}", it.invoice_number, it.part),
            Self::Original(it) => it.reference.fmt(f),
        }
    }
}

/// What `input` names and is not known yet, in order, each once: the invoice part before it, and
/// originals of its credits.
///
/// The message may be set aside until they arrive. Once waiting is over it is decided as it is: a
/// part is refused with 8003, such a credit with 8017. Nothing waits for an original that was
/// refused (8017 at once), that is a debit of the same message (8062), or whose credit is refused
/// in any case.
#[must_use]
pub fn waits_for(input: &Validated, history: &History) -> Vec<Awaited> {
    let declaration = &input.declaration;
    let parties = declaration
        .declarant_agb
        .agb()
        .zip(declaration.insurer_uzovi.uzovi());
    let Some((declarant, insurer)) = parties else {
        return Vec::new();
    };
    if !message::refusals(input, history).is_empty() {
        return Vec::new();
    }
    let debits = own_debits(input);
    let originals: BTreeSet<ReferenceKey> = declaration
        .lines
        .iter()
        .filter(|line| line.direction == Direction::Credit)
        .filter(|line| input.findings.of_line(line.line_number).is_empty())
        .filter_map(|line| line.original_reference.as_ref())
        .filter(|original| !debits.contains(original))
        .map(|original| ReferenceKey {
            declarant,
            reference: original.clone(),
        })
        .filter(|key| {
            let known = history.lines.get(key).into_iter().flatten();
            !known
                .filter(|line| line.direction == Direction::Debit)
                .any(|line| line.insurer == insurer)
        })
        .collect();
    let part = missing_predecessor(input, history).map(Awaited::Part);
    let originals = originals.into_iter().map(Awaited::Original);
    part.into_iter().chain(originals).collect()
}

/// The part of the invoice before `input`, where no message with it was decided within five years.
///
/// What became of that message does not matter: a part that was refused has come, and is corrected
/// by a message of its own.
pub(super) fn missing_predecessor(input: &Validated, history: &History) -> Option<InvoicePart> {
    predecessor_of(&input.declaration).filter(|part| {
        let known_on = history.known_parts.get(part);
        !known_on.is_some_and(|day| is_used_up(*day, input.received_on))
    })
}

/// References of the debit lines of a message: a credit beside its own debit is refused (8062).
pub(super) fn own_debits(input: &Validated) -> BTreeSet<&LineReference> {
    let lines = input.declaration.lines.iter();
    lines
        .filter(|line| line.direction == Direction::Debit)
        .map(|line| &line.line_reference)
        .collect()
}
