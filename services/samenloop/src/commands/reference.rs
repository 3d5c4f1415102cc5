//! `samenloop reference import DIR`: checks reference data and puts them in force.

use std::path::Path;

use anyhow::bail;
use samenloop_adapters::{clock::Clock, config::Config, reference};

use crate::{node::Node, print};

/// Puts the reference data in `directory` in force; running services take them within a batch.
///
/// # Errors
/// Every fault with its file and line; nothing is then changed.
pub async fn import(config: Config, directory: &Path, json: bool) -> anyhow::Result<()> {
    let loaded = match reference::load(directory) {
        Ok(loaded) => loaded,
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
    };
    let node = Node::open(config, Clock::System).await?;
    let now = node.clock.now();
    let sequence =
        samenloop_detection::change::activate_reference(&node.decisions, &loaded, now).await?;
    let version = &loaded.reference.version;
    if json {
        print::line(serde_json::json!({"version": version.as_str(), "sequence": sequence.0}));
    } else {
        print::line(format!(
            "reference version {version} is in force since entry {sequence}"
        ));
    }
    Ok(())
}
