//! Entries of the log beside decisions: reference data put in force, prestaties imported.

use jiff::Timestamp;
use samenloop_adapters::{
    decision_store::{DecisionBatch, DecisionStore, ImportedRow, StoreError, StoredReference},
    reference::Loaded,
    wire::record as codec,
};
use samenloop_domain::identifiers::Sequence;
use samenloop_proto::record::v1::{self as log, log_entry::Entry};

use crate::record;

/// Puts reference data in force, unless the same data are already. Gives the entry that did.
///
/// # Errors
/// [`StoreError`]; nothing was written.
pub async fn activate_reference(
    store: &DecisionStore,
    loaded: &Loaded,
    now: Timestamp,
) -> Result<Sequence, StoreError> {
    let version = &loaded.reference.version;
    if let Some((active, sequence)) = store.active_version().await?
        && active == *version
    {
        let stored = store.reference(&active).await?;
        if stored.is_some_and(|stored| stored.digest == loaded.digest) {
            return Ok(sequence);
        }
        let problem = format!(
            "version {version} is in force with other content; name a new version in version.toml"
        );
        return Err(StoreError::Failed(problem));
    }
    let transaction = store.begin().await?;
    let sequence = Sequence(transaction.head().sequence.0 + 1);
    let activated = log::ReferenceActivated {
        version: version.to_string(),
        digest: loaded.digest.to_vec(),
    };
    let activated = Entry::ReferenceActivated(activated);
    let batch = DecisionBatch {
        log: vec![record::entry(
            sequence,
            "reference_activated",
            now,
            activated,
        )],
        activated: vec![StoredReference {
            version: version.clone(),
            digest: loaded.digest,
            canonical: loaded.canonical.clone(),
            sequence: Some(sequence),
        }],
        ..DecisionBatch::default()
    };
    transaction.commit(batch).await?;
    Ok(sequence)
}

/// Imports a chunk of prestaties that never passed through the queue. Gives its entry.
///
/// # Errors
/// [`StoreError`]; nothing was written.
pub async fn import_existing(
    store: &DecisionStore,
    source: &str,
    rows: Vec<ImportedRow>,
    now: Timestamp,
) -> Result<Sequence, StoreError> {
    let transaction = store.begin().await?;
    let sequence = Sequence(transaction.head().sequence.0 + 1);
    let kept = rows.iter().map(|row| log::ExistingPrestatie {
        row: row.row,
        coverage: Some(codec::write_coverage(&row.coverage)),
        awarded_cents: row.awarded.get(),
    });
    let imported = log::ExistingImported {
        source: source.to_owned(),
        first_row: rows.first().map_or(0, |row| row.row),
        rows: kept.collect(),
    };
    let imported = Entry::ExistingImported(imported);
    let batch = DecisionBatch {
        log: vec![record::entry(sequence, "existing_imported", now, imported)],
        imported: rows.into_iter().map(|row| (sequence, row)).collect(),
        ..DecisionBatch::default()
    };
    transaction.commit(batch).await?;
    Ok(sequence)
}
