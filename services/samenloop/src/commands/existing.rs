//! `samenloop existing import FILE`: prestaties that never passed through the queue.

use std::{fs::File, io::BufReader, path::Path};

use anyhow::Context as _;
use samenloop_adapters::{clock::Clock, config::Config, decision_store::ImportedRow, existing};
use samenloop_domain::identifiers::Bsn;

use crate::{node::Node, print};

/// Rows of one entry of the log.
const CHUNK: usize = 2_000;

/// Imports the rows of `file`; bad rows are named and left out.
///
/// # Errors
/// Where the file cannot be read or the store is away; chunks written before stand.
pub async fn import(config: Config, file: &Path, json: bool) -> anyhow::Result<bool> {
    let node = Node::open(config, Clock::System).await?;
    let reference = node
        .reference
        .current()
        .await?
        .context("no reference data is in force: run `samenloop reference import DIR`")?;
    let source = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let opened = File::open(file).with_context(|| format!("the file {}", file.display()))?;
    let bar = print::progress(0, "rows");
    let keys = node.keys.clone();
    let pseudonyms = move |bsn: &Bsn| keys.pseudonyms(bsn);
    let (mut imported, mut bad) = (0_u64, Vec::new());
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut rows = existing::read(BufReader::new(opened), &reference, &pseudonyms).peekable();
    while let Some(row) = rows.next() {
        bar.inc(1);
        match row {
            Ok(row) => chunk.push(ImportedRow {
                row: row.row,
                coverage: row.coverage,
                awarded: row.awarded,
            }),
            Err(fault) => bad.push(fault),
        }
        if chunk.len() == CHUNK || rows.peek().is_none() && !chunk.is_empty() {
            imported += chunk.len() as u64;
            let full = std::mem::take(&mut chunk);
            let now = node.clock.now();
            samenloop_detection::change::import_existing(&node.decisions, &source, full, now)
                .await?;
        }
    }
    bar.finish_and_clear();
    if json {
        let bad: Vec<_> = bad
            .iter()
            .map(|it| serde_json::json!({"row": it.row, "reason": it.reason}))
            .collect();
        print::line(serde_json::json!({"imported": imported, "bad": bad}));
    } else {
        for fault in &bad {
            print::note(format!("row {}: {}", fault.row, fault.reason));
        }
        print::line(format!("{imported} rows imported, {} bad", bad.len()));
    }
    Ok(bad.is_empty())
}
