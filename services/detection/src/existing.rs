//! Existing prestaties: rows of a file become entries of the log, each row once however often its file is imported.

use jiff::Timestamp;
use prost::Message as _;
use samenloop_adapters::{
    decision_store::{DecisionBatch, DecisionStore, ExistingChunk, ImportedRow, StoreError},
    wire::{digest, record as codec},
};
use samenloop_domain::identifiers::Sequence;
use samenloop_proto::record::v1::{self as log, log_entry::Entry};

use crate::record;

/// Rows of a file that are imported as one entry of the log.
#[derive(Clone, PartialEq, Debug)]
pub struct Chunk {
    /// Name of the file.
    pub source: String,
    /// SHA-256 of the file: rows of the same file are imported once.
    pub file_digest: [u8; 32],
    /// First row of the file that was looked at.
    pub first_row: u64,
    /// Last row of the file that was looked at.
    pub last_row: u64,
    /// The rows between that could be read.
    pub rows: Vec<ImportedRow>,
}

/// What became of a chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Imported {
    /// Its entry; none where every row was there already.
    pub sequence: Option<Sequence>,
    /// Rows imported.
    pub rows: u64,
    /// Rows that were imported before.
    pub known: u64,
}

/// Imports what is new of a chunk, in one transaction.
///
/// # Errors
/// [`StoreError`]; nothing was written, or it was and the answer was lost: importing it again tells.
pub async fn import(
    store: &DecisionStore,
    chunk: Chunk,
    now: Timestamp,
) -> Result<Imported, StoreError> {
    let mut transaction = store.begin().await?;
    let known = transaction
        .imported_rows(chunk.file_digest, chunk.first_row, chunk.last_row)
        .await?;
    let given = chunk.rows.len() as u64;
    let mut rows = chunk.rows;
    rows.retain(|row| !known.contains(&row.row));
    let imported = rows.len() as u64;
    if rows.is_empty() {
        return Ok(Imported {
            known: given,
            ..Imported::default()
        });
    }
    let sequence = Sequence(transaction.head().sequence.0 + 1);
    let entry = log::ExistingImported {
        source: chunk.source.clone(),
        first_row: chunk.first_row,
        last_row: chunk.last_row,
        rows: rows.iter().map(kept).collect(),
        file_digest: chunk.file_digest.to_vec(),
    };
    let entry = Entry::ExistingImported(entry);
    let chunk = ExistingChunk {
        sequence,
        source: chunk.source,
        file_digest: chunk.file_digest,
        first_row: chunk.first_row,
        last_row: chunk.last_row,
        row_count: imported,
        awarded_cents: rows.iter().map(|row| row.awarded.get()).sum(),
        imported_at: now,
        in_force: true,
    };
    let batch = DecisionBatch {
        log: vec![record::entry(sequence, "existing_imported", now, entry)],
        imported: rows.into_iter().map(|row| (sequence, row)).collect(),
        chunks: vec![chunk],
        ..DecisionBatch::default()
    };
    transaction.commit(batch).await?;
    Ok(Imported {
        sequence: Some(sequence),
        rows: imported,
        known: given - imported,
    })
}

/// Imports rows that come from no file, as a chunk of their own: the same rows are imported once.
///
/// # Errors
/// As [`import`].
pub async fn import_rows(
    store: &DecisionStore,
    source: &str,
    rows: Vec<ImportedRow>,
    now: Timestamp,
) -> Result<Imported, StoreError> {
    let bytes: Vec<u8> = rows
        .iter()
        .flat_map(|row| kept(row).encode_to_vec())
        .collect();
    let chunk = Chunk {
        source: source.to_owned(),
        file_digest: digest::fingerprint(&bytes),
        first_row: rows.iter().map(|row| row.row).min().unwrap_or_default(),
        last_row: rows.iter().map(|row| row.row).max().unwrap_or_default(),
        rows,
    };
    import(store, chunk, now).await
}

fn kept(row: &ImportedRow) -> log::ExistingPrestatie {
    log::ExistingPrestatie {
        row: row.row,
        coverage: Some(codec::write_coverage(&row.coverage)),
        awarded_cents: row.awarded.get(),
    }
}
