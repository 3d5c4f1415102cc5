//! `samenloop existing import|list`: prestaties that never passed through the queue.
//!
//! One thread reads the file ahead, two spans at most, while the one before is written: memory does not grow with the
//! file.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use anyhow::Context as _;
use indicatif::ProgressBar;
use ring::digest::{Context as Digest, SHA256};
use samenloop_adapters::{
    clock::Clock,
    config::Config,
    decision_store::ImportedRow,
    existing::{self, Rejects, RowChunk, RowFault},
    pseudonym::PseudonymKeys,
    wire::digest::hex,
};
use samenloop_detection::existing::Chunk;
use samenloop_domain::{
    identifiers::{Bsn, Sequence},
    reference::Reference,
};
use serde_json::json;
use tokio::sync::mpsc;

use crate::{node::Node, print};

/// Bad rows that are told one by one; `--rejects` names all of them.
const BAD_SHOWN_MAX: usize = 20;

/// Spans that are read ahead.
const READ_AHEAD: usize = 2;

/// Bytes read at once.
const READ_BYTES: usize = 1 << 20;

/// Chunks asked for at a time.
const LIST_PAGE: u32 = 500;

/// Arguments of `existing import`.
#[derive(Clone, Debug, clap::Args)]
pub struct ImportArguments {
    /// The file (CSV); columns as in deploy/sample/existing.csv.
    pub file: PathBuf,
    /// Where bad rows are written with their number and reason (CSV).
    #[arg(long)]
    pub rejects: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What became of a file.
#[derive(Clone, Default, Debug)]
struct Tally {
    imported: u64,
    known: u64,
    bad: u64,
    entries: u64,
    pairs: u64,
    listed: u64,
    shown: Vec<RowFault>,
}

/// Imports what is new of a file; bad rows are named and left out. True if there is none.
///
/// # Errors
/// Where the file cannot be read or the store is away; spans written before stand, and importing the file again goes
/// on after them.
pub async fn import(config: Config, arguments: &ImportArguments) -> anyhow::Result<bool> {
    let node = Node::open(config, Clock::System).await?;
    let reference = node
        .reference
        .current()
        .await?
        .context("no reference data is in force: run `samenloop reference import DIR`")?;
    let path = &arguments.file;
    let (file_digest, length) = digest_of(path)?;
    let bar = print::progress_bytes(length, "importing");
    let read = Arc::new(AtomicU64::new(0));
    let mut chunks = read_ahead(path, Arc::clone(&read), reference, node.keys.clone())?;
    let mut rejects = open_rejects(arguments.rejects.as_deref())?;
    let source = path.file_name().unwrap_or_default();
    let source = source.to_string_lossy().into_owned();
    let mut tally = Tally::default();
    while let Some(chunk) = chunks.recv().await {
        tally.bad += chunk.faults.len() as u64;
        for fault in &chunk.faults {
            if let Some(rejects) = &mut rejects {
                rejects.write(fault)?;
            }
            if tally.shown.len() < BAD_SHOWN_MAX {
                tally.shown.push(fault.clone());
            }
        }
        let chunk = of_file(chunk, &source, file_digest);
        let now = node.clock.now();
        let imported =
            samenloop_detection::existing::import(&node.decisions, &node.reference, chunk, now)
                .await;
        let imported = imported.context(
            "the import stopped; import the same file again to go on: no row of it is imported twice",
        )?;
        tally.imported += imported.rows;
        tally.known += imported.known;
        tally.entries += u64::from(imported.sequence.is_some());
        tally.pairs += imported.pairs;
        tally.listed += imported.listed;
        bar.set_position(read.load(Ordering::Relaxed));
    }
    bar.finish_and_clear();
    if let Some(rejects) = rejects {
        rejects.finish()?;
    }
    report(&tally, file_digest, arguments);
    Ok(tally.bad == 0)
}

fn report(tally: &Tally, file_digest: [u8; 32], arguments: &ImportArguments) {
    if arguments.json {
        let bad = (tally.shown.iter()).map(|it| json!({"row": it.row, "reason": it.reason}));
        let bad: Vec<_> = bad.collect();
        print::line(json!({
            "imported": tally.imported, "known": tally.known, "bad": tally.bad, "entries": tally.entries,
            "bad_rows": bad, "file_sha256": hex(&file_digest),
            "pairs": tally.pairs, "pairs_listed": tally.listed,
        }));
        return;
    }
    for fault in &tally.shown {
        print::note(format!("row {}: {}", fault.row, fault.reason));
    }
    let more = tally.bad - tally.shown.len() as u64;
    if more > 0 {
        let all = match &arguments.rejects {
            Some(path) => format!("all of them are in {}", path.display()),
            None => "`--rejects FILE` writes all of them".to_owned(),
        };
        print::note(format!(
            "and {} more bad rows; {all}",
            print::thousands(more)
        ));
    }
    print::line(format!(
        "{} rows imported in {} entries, {} known from an earlier import of this file, {} bad",
        print::thousands(tally.imported),
        print::thousands(tally.entries),
        print::thousands(tally.known),
        print::thousands(tally.bad)
    ));
    if tally.pairs > 0 {
        print::line(format!(
            "{} pairs with awarded lines for a person to look at, {} of them listed: `reviews list --cases`",
            print::thousands(tally.pairs),
            print::thousands(tally.listed)
        ));
    }
}

fn of_file(chunk: RowChunk, source: &str, file_digest: [u8; 32]) -> Chunk {
    let rows = chunk.rows.into_iter().map(|row| ImportedRow {
        row: row.row,
        coverage: row.coverage,
        awarded: row.awarded,
    });
    Chunk {
        source: source.to_owned(),
        file_digest,
        first_row: chunk.first_row,
        last_row: chunk.last_row,
        rows: rows.collect(),
    }
}

/// SHA-256 and length of a file.
fn digest_of(path: &Path) -> anyhow::Result<([u8; 32], u64)> {
    let mut file = open(path)?;
    let length = file.metadata()?.len();
    let bar = print::progress_bytes(length, "reading");
    let mut digest = Digest::new(&SHA256);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        digest.update(&buffer[..count]);
        bar.inc(count as u64);
    }
    bar.finish_and_clear();
    let digest = digest.finish();
    let digest = digest.as_ref().try_into().expect("SHA-256 has 32 bytes");
    Ok((digest, length))
}

fn open(path: &Path) -> anyhow::Result<File> {
    File::open(path).with_context(|| format!("the file {}", path.display()))
}

fn open_rejects(path: Option<&Path>) -> anyhow::Result<Option<Rejects<BufWriter<File>>>> {
    let Some(path) = path else {
        return Ok(None);
    };
    let file = File::create(path).with_context(|| format!("the file {}", path.display()))?;
    Ok(Some(Rejects::new(BufWriter::new(file))?))
}

/// Reads spans on a thread of its own. It ends with the file, or when nobody takes them any more.
fn read_ahead(
    path: &Path,
    read: Arc<AtomicU64>,
    reference: Arc<Reference>,
    keys: PseudonymKeys,
) -> anyhow::Result<mpsc::Receiver<RowChunk>> {
    let file = Counting {
        file: open(path)?,
        read,
    };
    let (send, receive) = mpsc::channel(READ_AHEAD);
    let reading = move || {
        let pseudonyms = |bsn: &Bsn| keys.pseudonyms(bsn);
        let source = BufReader::with_capacity(READ_BYTES, file);
        let mut rows = existing::read(source, &reference, &pseudonyms);
        while let Some(chunk) = existing::next_chunk(&mut rows) {
            if send.blocking_send(chunk).is_err() {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("rows".to_owned())
        .spawn(reading)?;
    Ok(receive)
}

/// A file that counts what was read of it.
struct Counting {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Lists chunks, newest first.
///
/// # Errors
/// Where the store is away.
pub async fn list(config: Config, as_json: bool) -> anyhow::Result<()> {
    let node = Node::open(config, Clock::System).await?;
    let mut table = print::table(&[
        "entry",
        "imported at",
        "file",
        "rows of the file",
        "rows",
        "paid",
        "state",
    ]);
    let mut before: Option<Sequence> = None;
    let bar: ProgressBar = print::progress(0, "chunks");
    loop {
        let page = node.decisions.existing_chunks(before, LIST_PAGE).await?;
        let Some(last) = page.last() else { break };
        before = Some(last.sequence);
        bar.inc(page.len() as u64);
        for chunk in &page {
            if as_json {
                print::line(json!({
                    "sequence": chunk.sequence.0, "imported_at": chunk.imported_at.to_string(),
                    "source": chunk.source, "file_sha256": hex(&chunk.file_digest),
                    "first_row": chunk.first_row, "last_row": chunk.last_row,
                    "rows": chunk.row_count, "awarded_cents": chunk.awarded_cents, "in_force": chunk.in_force,
                }));
            } else {
                table.add_row([
                    chunk.sequence.to_string(),
                    chunk.imported_at.to_string(),
                    chunk.source.clone(),
                    format!("{} to {}", chunk.first_row, chunk.last_row),
                    print::thousands(chunk.row_count),
                    print::euro(chunk.awarded_cents),
                    if chunk.in_force {
                        "in force"
                    } else {
                        "withdrawn"
                    }
                    .to_owned(),
                ]);
            }
        }
    }
    bar.finish_and_clear();
    if !as_json {
        print::line(table);
    }
    Ok(())
}
