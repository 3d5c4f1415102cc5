//! Before a message is decided: whether its id is new, and whether it has to wait.

use std::collections::BTreeSet;

use crate::{
    decision::{Validated, message},
    declaration::Direction,
    history::{History, ReferenceKey},
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

/// References of originals that credits of `input` name and that are not known yet, in order, each
/// once.
///
/// The message may be set aside until they arrive. Once waiting is over it is decided as it is, and
/// such a credit is refused with 8017. Nothing waits for an original that was refused (8017 at
/// once), that is a debit of the same message (8062), or whose credit is refused in any case.
#[must_use]
pub fn waits_for(input: &Validated, history: &History) -> Vec<ReferenceKey> {
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
    let missing: BTreeSet<ReferenceKey> = declaration
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
    missing.into_iter().collect()
}

/// References of the debit lines of a message: a credit beside its own debit is refused (8062).
pub(super) fn own_debits(input: &Validated) -> BTreeSet<&LineReference> {
    let lines = input.declaration.lines.iter();
    lines
        .filter(|line| line.direction == Direction::Debit)
        .map(|line| &line.line_reference)
        .collect()
}
