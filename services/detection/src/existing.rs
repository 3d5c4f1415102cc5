//! Existing prestaties: rows of a file become entries of the log, each row once however often its file is imported.
//!
//! A row is a fact and is never refused. Awarded lines that it meets under a rule that excludes one of the two, or asks
//! a person, are listed as cases: those of this chunk, whatever the chunks before it met.

use std::{
    collections::{BTreeMap, btree_map::Entry as Place},
    sync::Arc,
};

use jiff::Timestamp;
use prost::Message as _;
use samenloop_adapters::{
    decision_store::{
        CaseKind, DecisionBatch, DecisionStore, DecisionTransaction, ExistingChunk, ImportedRow,
        NewCase, StoreError,
    },
    reference_feed::ReferenceFeed,
    wire::{digest, record as codec},
};
use samenloop_domain::{
    coverage::{CoverageId, CoverageIndex, CoverageKey, CoverageState, Covered},
    double_funding::ImportPairs,
    identifiers::Sequence,
    period::Period,
    reference::Reference,
};
use samenloop_proto::record::v1::{self as log, log_entry::Entry};

use crate::record;

/// Awarded lines that are looked at beside a chunk at a time.
const AWARDED_PAGE: u32 = 5_000;

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
    /// Awarded lines that they meet, beside which a person has to look.
    pub pairs: u64,
    /// Those of them that are listed as cases.
    pub listed: u64,
}

/// Imports what is new of a chunk, in one transaction, and lists the awarded lines that it meets by the rules in force.
///
/// # Errors
/// [`StoreError`]; nothing was written, or it was and the answer was lost: importing it again tells.
pub async fn import(
    store: &DecisionStore,
    feed: &ReferenceFeed,
    chunk: Chunk,
    now: Timestamp,
) -> Result<Imported, StoreError> {
    let (mut transaction, reference) = begin(store, feed).await?;
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
    let (pairs, cases) = match &reference {
        Some(reference) => pairs_with(&rows, sequence, reference, &mut transaction).await?,
        None => <_>::default(),
    };
    let listed = cases.len() as u64;
    let entry = log::ExistingImported {
        source: chunk.source.clone(),
        first_row: chunk.first_row,
        last_row: chunk.last_row,
        rows: rows.iter().map(kept).collect(),
        file_digest: chunk.file_digest.to_vec(),
        pairs: codec::write_import_pairs(&pairs),
        pair_count: pairs.count,
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
        cases,
        ..DecisionBatch::default()
    };
    transaction.commit(batch).await?;
    Ok(Imported {
        sequence: Some(sequence),
        rows: imported,
        known: given - imported,
        pairs: pairs.count,
        listed,
    })
}

/// A transaction, and the reference data in force under its lock; none before the first was activated.
async fn begin(
    store: &DecisionStore,
    feed: &ReferenceFeed,
) -> Result<(DecisionTransaction, Option<Arc<Reference>>), StoreError> {
    loop {
        let reference = feed.current().await?;
        let transaction = store.begin().await?;
        let version = reference.as_ref().map(|it| &it.version);
        if transaction.active_version() == version {
            return Ok((transaction, reference));
        }
    }
}

/// Awarded lines that the rows meet: a page of them in memory at a time, however many share a key with the chunk.
async fn pairs_with(
    rows: &[ImportedRow],
    sequence: Sequence,
    reference: &Reference,
    transaction: &mut DecisionTransaction,
) -> Result<(ImportPairs, Vec<NewCase>), StoreError> {
    let mut chunk = CoverageIndex::default();
    let mut keys: BTreeMap<CoverageKey, Period> = BTreeMap::new();
    for row in rows {
        let period = row.coverage.period;
        for key in row.coverage.keys() {
            match keys.entry(key) {
                Place::Vacant(place) => {
                    place.insert(period);
                }
                Place::Occupied(mut place) => *place.get_mut() = place.get().enclosing(period),
            }
        }
        chunk.insert(Covered {
            id: CoverageId {
                sequence,
                line: row.row,
            },
            state: CoverageState::Imported,
            coverage: row.coverage.clone(),
        });
    }
    let mut pairs = ImportPairs::default();
    let mut lines: BTreeMap<CoverageId, Covered> = BTreeMap::new();
    let mut after = CoverageId::MIN;
    loop {
        let page = transaction.load_awarded(&keys, after, AWARDED_PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for line in page {
            let before = pairs.count;
            for row in chunk.meeting(&line.coverage) {
                pairs.add(&line, row, reference);
            }
            // Lines come in order, so what is no longer listed by now never is.
            let listed = pairs.listed.last_key_value();
            if pairs.count > before && listed.is_some_and(|((last, _), _)| *last >= line.id) {
                lines.insert(line.id, line);
            }
        }
    }
    let cases = pairs.listed.iter().map(|((line, row), pair)| NewCase {
        rules: vec![pair.rule.to_string()],
        ..record::case(CaseKind::ImportPair, &lines[line], *row, None, sequence)
    });
    let cases = cases.collect();
    Ok((pairs, cases))
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
    import(store, &ReferenceFeed::new(store.clone()), chunk, now).await
}

fn kept(row: &ImportedRow) -> log::ExistingPrestatie {
    log::ExistingPrestatie {
        row: row.row,
        coverage: Some(codec::write_coverage(&row.coverage)),
        awarded_cents: row.awarded.get(),
    }
}
