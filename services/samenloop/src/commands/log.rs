//! `samenloop log anchor` and `samenloop log verify`: the head of the log, kept where whoever can write the database
//! cannot, and the chain checked against it.
//!
//! The chain alone shows that no entry was changed; only an anchor shows that the whole was not written anew.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

use anyhow::{Context as _, bail};
use samenloop_adapters::{
    clock::Clock,
    config::Config,
    decision_store::{DecisionStore, chained},
    wire::digest::hex,
};
use samenloop_domain::identifiers::Sequence;
use serde::{Deserialize, Serialize};

use crate::{node::Node, print};

/// Entries read at a time.
const PAGE: u32 = 500;

/// Where the log stood at some time; a line of an anchor file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The last entry; 0 before the first.
    pub sequence: u64,
    /// Its hash, in hexadecimal.
    pub hash: String,
    /// When this was read, RFC 3339.
    pub anchored_at: String,
}

/// What a check of the chain found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Verified {
    /// Entries read.
    pub entries: u64,
    /// Hash of the last one.
    pub hash: String,
    /// Anchors that the chain goes through.
    pub anchors: u64,
    /// What is wrong, in the order of the log; empty where all is well.
    pub faults: Vec<String>,
}

/// Prints the head of the log as a line of JSON, or adds it to `file`.
///
/// # Errors
/// Where the store is away, or the file cannot be written.
pub async fn anchor(config: Config, file: Option<&Path>) -> anyhow::Result<()> {
    let node = Node::open(config, Clock::System).await?;
    let anchor = head(&node.decisions, &node.clock).await?;
    let line = serde_json::to_string(&anchor)?;
    let Some(file) = file else {
        print::line(line);
        return Ok(());
    };
    let place = || format!("the anchor file {}", file.display());
    let opened = OpenOptions::new().create(true).append(true).open(file);
    let mut opened = opened.with_context(place)?;
    writeln!(opened, "{line}").with_context(place)?;
    opened.sync_all().with_context(place)
}

/// Where the log stands now.
///
/// # Errors
/// Where the store is away.
pub async fn head(store: &DecisionStore, clock: &Clock) -> anyhow::Result<Anchor> {
    let head = store.head().await?;
    Ok(Anchor {
        sequence: head.sequence.0,
        hash: hex(&head.hash),
        anchored_at: clock.now().to_string(),
    })
}

/// Checks the chain, and that it goes through every anchor of `file`; true where it does.
///
/// # Errors
/// Where the store is away, or the file holds something else.
pub async fn verify(config: Config, file: Option<&Path>, json: bool) -> anyhow::Result<bool> {
    let anchors = file.map(read).transpose()?.unwrap_or_default();
    let node = Node::open(config, Clock::System).await?;
    let verified = verified(&node.decisions, &anchors).await?;
    if json {
        print::line(serde_json::to_string(&verified)?);
    } else {
        for fault in &verified.faults {
            print::note(fault);
        }
        let Verified {
            entries, anchors, ..
        } = verified;
        print::line(format!("{entries} entries, {anchors} anchors hold"));
    }
    Ok(verified.faults.is_empty())
}

fn read(file: &Path) -> anyhow::Result<Vec<Anchor>> {
    let place = || format!("the anchor file {}", file.display());
    let text = fs::read_to_string(file).with_context(place)?;
    let mut anchors = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let read = serde_json::from_str(line);
        let read = read.with_context(|| format!("line {number} of {} is no anchor", place()));
        anchors.push(read?);
    }
    if anchors.is_empty() {
        bail!("{} is empty; `samenloop log anchor` fills it", place());
    }
    Ok(anchors)
}

/// Reads the whole log.
///
/// # Errors
/// Where the store is away.
pub async fn verified(store: &DecisionStore, anchors: &[Anchor]) -> anyhow::Result<Verified> {
    let mut checked = Verified {
        entries: 0,
        hash: hex(&[0; 32]),
        anchors: 0,
        faults: Vec::new(),
    };
    let mut hash = [0; 32];
    checked.meet(anchors, 0);
    loop {
        let page = store.log_after(Sequence(checked.entries), PAGE).await?;
        if page.is_empty() {
            break;
        }
        for entry in page {
            let sequence = entry.sequence.0;
            checked.entries += 1;
            if sequence != checked.entries {
                bail!("entry {} is missing: {sequence} follows", checked.entries);
            }
            let follows = entry.previous_hash == hash;
            hash = chained(&hash, &entry.body);
            if !follows || entry.hash != hash {
                let fault = format!("entry {sequence} does not follow from the one before it");
                checked.faults.push(fault);
                // What comes after is held against what stands there, so that each break is told once.
                hash = entry.hash;
            }
            checked.hash = hex(&hash);
            checked.meet(anchors, sequence);
        }
    }
    let beyond = anchors.iter().filter(|it| it.sequence > checked.entries);
    let beyond = beyond.map(|it| {
        let (sequence, at) = (it.sequence, &it.anchored_at);
        format!("entry {sequence}, anchored at {at}, is gone")
    });
    checked.faults.extend(beyond.collect::<Vec<_>>());
    Ok(checked)
}

impl Verified {
    /// Holds the chain at `sequence` against the anchors there.
    fn meet(&mut self, anchors: &[Anchor], sequence: u64) {
        for anchor in anchors.iter().filter(|it| it.sequence == sequence) {
            if anchor.hash == self.hash {
                self.anchors += 1;
            } else {
                let at = &anchor.anchored_at;
                let fault = format!("entry {sequence} is another than was anchored at {at}");
                self.faults.push(fault);
            }
        }
    }
}
