//! What purchasers and the audit read of the register: the past without its lock, all coverage by key, and chunks of
//! existing prestaties.

use samenloop_domain::{cents::Cents, coverage::Covered};

use super::*;

/// The part of the past that was asked for, as it stood at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Where the log stood.
    pub head: Head,
    /// The reference version that was in force.
    pub active_version: Option<ReferenceVersion>,
    /// What was asked for.
    pub history: History,
}

/// Rows of a file that one entry of the log imported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExistingChunk {
    /// Its entry.
    pub sequence: Sequence,
    /// Name of the file.
    pub source: String,
    /// SHA-256 of the file.
    pub file_digest: [u8; 32],
    /// First row of the file that it looked at.
    pub first_row: u64,
    /// Last row of the file that it looked at; rows between that could not be read are not in it.
    pub last_row: u64,
    /// Rows imported.
    pub row_count: u64,
    /// What was paid for them.
    pub awarded_cents: i64,
    /// When.
    pub imported_at: Timestamp,
    /// Whether it occupies anything: a chunk that was withdrawn does not. Not looked at when it is written.
    pub in_force: bool,
}

/// Coverage in force under one of its keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyedCoverage {
    /// The key as a text: an AGB code or a pseudonym.
    pub key: String,
    /// The coverage.
    pub covered: Covered,
    /// What was awarded, or paid for an imported row.
    pub awarded: Cents,
}

impl KeyedCoverage {
    /// Where it stands in the order of [`DecisionStore::coverage_by_key`].
    #[must_use]
    pub fn cursor(&self) -> CoverageCursor {
        CoverageCursor {
            key: self.key.clone(),
            period: self.covered.coverage.period,
            id: self.covered.id,
        }
    }
}

/// A place in the order of [`DecisionStore::coverage_by_key`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CoverageCursor {
    pub(super) key: String,
    pub(super) period: Period,
    pub(super) id: CoverageId,
}

/// Bytes of entries that one call of [`DecisionStore::log_after`] gives, but for its first: an entry of imported
/// rows is a thousand times one of a small message.
pub const LOG_PAGE_BYTES_MAX: usize = 16 << 20;

impl DecisionStore {
    /// What of the past `keys` name, as it stands at one moment, without waiting for the lock on the head.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn snapshot(&self, keys: &HistoryKeys) -> Result<Snapshot, StoreError> {
        match self {
            Self::Postgres(store) => store.snapshot(keys).await,
            Self::Sqlite(store) => store.snapshot(keys).await,
        }
    }

    /// Awarded and imported coverage under each of its keys, the keys together; under one key the last day falls.
    /// Begins after `after`; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn coverage_by_key(
        &self,
        after: Option<&CoverageCursor>,
        limit: u32,
    ) -> Result<Vec<KeyedCoverage>, StoreError> {
        match self {
            Self::Postgres(store) => store.coverage_by_key(after, limit).await,
            Self::Sqlite(store) => store.coverage_by_key(after, limit).await,
        }
    }

    /// Chunks of existing prestaties, newest first, before a sequence (for paging), at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn existing_chunks(
        &self,
        before: Option<Sequence>,
        limit: u32,
    ) -> Result<Vec<ExistingChunk>, StoreError> {
        match self {
            Self::Postgres(store) => store.existing_chunks(before, limit).await,
            Self::Sqlite(store) => store.existing_chunks(before, limit).await,
        }
    }
}

impl DecisionTransaction {
    /// Rows of a file, from `first_row` to `last_row`, that are imported already, and not withdrawn.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction is then useless.
    pub async fn imported_rows(
        &mut self,
        file_digest: [u8; 32],
        first_row: u64,
        last_row: u64,
    ) -> Result<BTreeSet<u64>, StoreError> {
        match self {
            Self::Postgres(transaction) => {
                transaction
                    .imported_rows(file_digest, first_row, last_row)
                    .await
            }
            Self::Sqlite(transaction) => {
                transaction
                    .imported_rows(file_digest, first_row, last_row)
                    .await
            }
        }
    }
}
