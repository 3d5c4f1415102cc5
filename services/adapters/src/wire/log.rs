//! Entries of the log, read back for people: what a decided message said.

use prost::Message as _;
use samenloop_proto::{declaration::v1 as wire, record::v1 as record};

use super::validated::{Foreign, Intake};

/// A line that was decided anew, and who asked for it.
#[derive(Clone, PartialEq, Debug)]
pub struct DecidedAnew {
    /// What the person asked; absent where nobody did.
    pub command: Option<record::Command>,
    /// What the outcome says of the line since then.
    pub line: Option<wire::LineOutcome>,
    /// Rules that the person set aside.
    pub overridden: usize,
}

/// The line that an entry decided anew, if that is what it did.
///
/// # Errors
/// [`Foreign`] where the entry is not one that this program wrote.
pub fn decided_anew(body: &[u8]) -> Result<Option<DecidedAnew>, Foreign> {
    let entry =
        record::LogEntry::decode(body).map_err(|_| Foreign("is no entry of the log".to_owned()))?;
    Ok(match entry.entry {
        Some(record::log_entry::Entry::ReviewDecided(decided)) => Some(DecidedAnew {
            command: decided.command,
            line: decided.revised.and_then(|revised| revised.line),
            overridden: decided.overridden.len(),
        }),
        Some(record::log_entry::Entry::LineRejudged(rejudged)) => Some(DecidedAnew {
            command: rejudged.command,
            line: rejudged.revised.and_then(|revised| revised.line),
            overridden: 0,
        }),
        _ => None,
    })
}

/// What was decided on, if this is the entry of a decided message.
///
/// # Errors
/// [`Foreign`] where the entry is not one that this program wrote.
pub fn decided_input(body: &[u8]) -> Result<Option<Intake>, Foreign> {
    let entry =
        record::LogEntry::decode(body).map_err(|_| Foreign("is no entry of the log".to_owned()))?;
    match entry.entry {
        Some(record::log_entry::Entry::MessageDecided(decided)) => {
            decided.input.as_ref().map(Intake::from_record).transpose()
        }
        _ => Ok(None),
    }
}
