//! The reference data in force, as every role sees it: asked for by version, kept until another is asked for.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use samenloop_domain::{identifiers::ReferenceVersion, reference::Reference};

use crate::{
    decision_store::{DecisionStore, StoreError},
    reference,
};

/// Versions kept in memory: the one in force, and the one before it for what is on its way.
const KEPT_MAX: usize = 2;

/// Reads versions of the reference data from the store of decisions.
#[derive(Clone, Debug)]
pub struct ReferenceFeed {
    store: DecisionStore,
    kept: Arc<Mutex<BTreeMap<ReferenceVersion, Arc<Reference>>>>,
    latest: Arc<Mutex<Option<Arc<Reference>>>>,
}

impl ReferenceFeed {
    /// A feed of `store`.
    #[must_use]
    pub fn new(store: DecisionStore) -> Self {
        Self {
            store,
            kept: Arc::default(),
            latest: Arc::default(),
        }
    }

    /// The version in force; none before the first was activated.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn current(&self) -> Result<Option<Arc<Reference>>, StoreError> {
        let Some((version, _)) = self.store.active_version().await? else {
            return Ok(None);
        };
        let current = self.version(&version).await?;
        self.latest
            .lock()
            .expect("no holder panics")
            .clone_from(&current);
        Ok(current)
    }

    /// The version that was in force when it was last asked for; asks nobody.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<Reference>> {
        self.latest.lock().expect("no holder panics").clone()
    }

    /// A version by its name.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away, or holds reference data that this program cannot read.
    pub async fn version(
        &self,
        version: &ReferenceVersion,
    ) -> Result<Option<Arc<Reference>>, StoreError> {
        if let Some(known) = self.kept.lock().expect("no holder panics").get(version) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(stored) = self.store.reference(version).await? else {
            return Ok(None);
        };
        let read = reference::from_canonical(&stored.canonical).map_err(|faults| {
            let first = faults.first().map(ToString::to_string).unwrap_or_default();
            StoreError::Failed(format!(
                "reference version {version} cannot be read: {first}"
            ))
        })?;
        let read = Arc::new(read);
        let mut kept = self.kept.lock().expect("no holder panics");
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(version.clone(), Arc::clone(&read));
        Ok(Some(read))
    }
}
