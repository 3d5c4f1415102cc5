//! Reads the log from its first entry, page by page, and checks its chain on the way.

use std::collections::VecDeque;

use samenloop_adapters::decision_store::{DecisionStore, LoggedEntry, chained};
use samenloop_domain::identifiers::Sequence;

/// Entries asked for at a time; a page of large ones ends earlier.
const PAGE: u32 = 500;

/// A reader at some place of the log.
#[derive(Debug)]
pub struct LogReader {
    store: DecisionStore,
    page: VecDeque<LoggedEntry>,
    last: Sequence,
    hash: [u8; 32],
    broken_at: Option<Sequence>,
}

impl LogReader {
    /// A reader before the first entry.
    #[must_use]
    pub fn new(store: DecisionStore) -> Self {
        Self {
            store,
            page: VecDeque::new(),
            last: Sequence(0),
            hash: [0; 32],
            broken_at: None,
        }
    }

    /// The next entry; none at the end.
    ///
    /// # Errors
    /// Where the store is away.
    pub async fn next(&mut self) -> anyhow::Result<Option<LoggedEntry>> {
        if self.page.is_empty() {
            self.page = self.store.log_after(self.last, PAGE).await?.into();
        }
        let Some(entry) = self.page.pop_front() else {
            return Ok(None);
        };
        self.check(&entry);
        (self.last, self.hash) = (entry.sequence, entry.hash);
        Ok(Some(entry))
    }

    /// The number of the last entry that was read.
    #[must_use]
    pub fn last(&self) -> Sequence {
        self.last
    }

    /// The hash of the last entry that was read.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The first entry read that does not follow from the one before: by its number, by the hash that it repeats, or
    /// by its own.
    #[must_use]
    pub fn broken_at(&self) -> Option<Sequence> {
        self.broken_at
    }

    fn check(&mut self, entry: &LoggedEntry) {
        let follows = entry.sequence.0 == self.last.0 + 1
            && entry.previous_hash == self.hash
            && entry.hash == chained(&entry.previous_hash, &entry.body);
        if !follows && self.broken_at.is_none() {
            self.broken_at = Some(entry.sequence);
        }
    }
}
