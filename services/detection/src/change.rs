//! Entries of the log beside decisions: reference data put in force.

use jiff::Timestamp;
use samenloop_adapters::{
    decision_store::{DecisionBatch, DecisionStore, StoreError, StoredReference},
    reference::Loaded,
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
