//! `samenloop reference diff|import DIR`: shows what differs from the reference data in force, and puts it in force.

use std::path::Path;

use anyhow::bail;
use samenloop_adapters::{
    clock::Clock,
    config::Config,
    decision_store::DecisionStore,
    reference::{self, Change, Loaded},
};

use crate::{node::Node, print};

/// Most changes that are printed; how many there are is said.
const CHANGES_MAX: usize = 1_000;

/// Shows what the reference data in `directory` would change; nothing is changed.
///
/// # Errors
/// Every fault with its file and line.
pub async fn diff(config: Config, directory: &Path, json: bool) -> anyhow::Result<()> {
    let loaded = load(directory)?;
    let node = Node::open(config, Clock::System).await?;
    let changes = changes(&node.decisions, &loaded).await?;
    if json {
        print::line(serde_json::json!({
            "version": loaded.reference.version.as_str(),
            "changes": changes,
        }));
    } else {
        show(&changes, &loaded);
    }
    Ok(())
}

/// Shows what the reference data in `directory` changes and puts it in force, whole or not at all; running services
/// take it within a batch.
///
/// # Errors
/// Every fault with its file and line; nothing is then changed.
pub async fn import(config: Config, directory: &Path, json: bool) -> anyhow::Result<()> {
    let loaded = load(directory)?;
    let node = Node::open(config, Clock::System).await?;
    let changes = changes(&node.decisions, &loaded).await?;
    if !json {
        show(&changes, &loaded);
    }
    let now = node.clock.now();
    let sequence =
        samenloop_detection::change::activate_reference(&node.decisions, &loaded, now).await?;
    let version = &loaded.reference.version;
    if json {
        print::line(serde_json::json!({
            "version": version.as_str(),
            "sequence": sequence.0,
            "changes": changes,
        }));
    } else {
        print::line(format!(
            "reference version {version} is in force since entry {sequence}"
        ));
    }
    Ok(())
}

fn load(directory: &Path) -> anyhow::Result<Loaded> {
    match reference::load(directory) {
        Ok(loaded) => Ok(loaded),
        Err(faults) => {
            for fault in &faults {
                print::note(fault);
            }
            bail!(
                "{} faults in {}; nothing was changed",
                faults.len(),
                directory.display()
            );
        }
    }
}

/// What `loaded` has otherwise than the version in force.
async fn changes(store: &DecisionStore, loaded: &Loaded) -> anyhow::Result<Vec<Change>> {
    let active = match store.active_version().await? {
        Some((version, _)) => store.reference(&version).await?,
        None => None,
    };
    let before = active.as_ref().map(|stored| stored.canonical.as_slice());
    Ok(reference::diff(before, &loaded.canonical)?)
}

fn show(changes: &[Change], loaded: &Loaded) {
    for change in changes.iter().take(CHANGES_MAX) {
        print::line(change);
    }
    let version = &loaded.reference.version;
    print::line(format!(
        "version {version} changes {} entries",
        changes.len()
    ));
}
