//! Entries of the log, read back for people: what a decided message said.

use prost::Message as _;
use samenloop_proto::record::v1 as record;

use super::validated::{Foreign, Intake};

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
