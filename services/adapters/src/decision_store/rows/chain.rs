//! The chain of the log: each entry holds the hash of the one before.

use ring::digest::{Context, SHA256};

use crate::decision_store::{Head, LoggedEntry, NewLogEntry};

/// Gives each entry its hash: SHA-256 of the hash before and its body.
pub(super) fn chain(entries: Vec<NewLogEntry>, head: Head) -> (Vec<LoggedEntry>, Head) {
    let mut head = head;
    let mut log = Vec::with_capacity(entries.len());
    for entry in entries {
        assert_eq!(
            entry.sequence.0,
            head.sequence.0 + 1,
            "the log has no gaps: after {} comes the next number",
            head.sequence
        );
        let previous_hash = head.hash;
        head = Head {
            sequence: entry.sequence,
            hash: chained(&previous_hash, &entry.body),
        };
        log.push(LoggedEntry {
            sequence: entry.sequence,
            kind: entry.kind.to_owned(),
            recorded_at: entry.recorded_at,
            body: entry.body,
            previous_hash,
            hash: head.hash,
        });
    }
    (log, head)
}

/// The hash of an entry.
#[must_use]
pub fn chained(previous_hash: &[u8; 32], body: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(previous_hash);
    context.update(body);
    let hash = context.finish();
    hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
}
