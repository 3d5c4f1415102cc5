//! `samenloop replay`: decides a log of declarations in memory, with the engine of the product and without a store.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Write as _},
    path::PathBuf,
};

use anyhow::Context as _;
use jiff::Timestamp;
use samenloop_adapters::{
    clock::receipt_date,
    existing,
    generate::Generator,
    pseudonym::PseudonymKeys,
    reference,
    wire::{json, outcome, validated::content_digest},
};
use samenloop_domain::{
    coverage::{CoverageId, CoverageState, Covered},
    decision::{Registration, Validated, decide_message, register},
    history::History,
    identifiers::{Bsn, PartyId, Sequence},
    reference::Reference,
    validation::{Environment, validate_declaration},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::print;

/// Arguments of `replay`.
#[derive(Clone, Debug, clap::Args)]
pub struct ReplayArguments {
    /// Directory of reference data.
    #[arg(long)]
    pub reference: PathBuf,
    /// Adds the reference data of generated declarations: `lines,seed` as given to `generate`.
    #[arg(long, value_parser = parse_generated)]
    pub generated: Option<(u32, u64)>,
    /// Existing prestaties (CSV).
    #[arg(long)]
    pub existing: Option<PathBuf>,
    /// Declarations: an object a line, `{"party", "received_at", "declaration"}`.
    #[arg(long)]
    pub input: PathBuf,
    /// Outcomes: an object a line, in the order of the input.
    #[arg(long)]
    pub output: PathBuf,
    /// Keys of pseudonyms; absent: a key of the demo.
    #[arg(long)]
    pub keys: Option<PathBuf>,
}

fn parse_generated(text: &str) -> Result<(u32, u64), String> {
    let parsed = text
        .split_once(',')
        .and_then(|(l, s)| Some((l.parse().ok()?, s.parse().ok()?)));
    parsed.ok_or_else(|| "write lines,seed".to_owned())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row<'a> {
    party: String,
    received_at: Timestamp,
    #[serde(borrow)]
    declaration: &'a RawValue,
}

/// Decides every row; a row that cannot be read is answered with its faults.
///
/// # Errors
/// Names the file that cannot be read or written.
pub fn run(arguments: &ReplayArguments) -> anyhow::Result<()> {
    let mut data =
        reference::read(&arguments.reference).map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
    if let Some((lines, seed)) = arguments.generated {
        Generator::new(lines, seed).reference_extension(&mut data);
    }
    let loaded = reference::finish(data).map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
    let keys = match &arguments.keys {
        Some(path) => PseudonymKeys::load(path)?,
        None => PseudonymKeys::fixed_for_demo(),
    };
    let mut replay = Replay {
        reference: loaded.reference,
        keys,
        history: History::default(),
        sequence: 0,
    };
    if let Some(path) = &arguments.existing {
        replay.import(path)?;
    }
    let input =
        File::open(&arguments.input).with_context(|| arguments.input.display().to_string())?;
    let output =
        File::create(&arguments.output).with_context(|| arguments.output.display().to_string())?;
    let mut output = BufWriter::new(output);
    let bar = print::progress(0, "declarations");
    for line in BufReader::new(input).lines() {
        let line = line?;
        if !line.trim().is_empty() {
            writeln!(output, "{}", replay.decide(&line))?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    output.flush()?;
    Ok(())
}

struct Replay {
    reference: Reference,
    keys: PseudonymKeys,
    history: History,
    sequence: u64,
}

impl Replay {
    fn import(&mut self, path: &std::path::Path) -> anyhow::Result<()> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        self.sequence += 1;
        let keys = self.keys.clone();
        let pseudonyms = move |bsn: &Bsn| keys.pseudonyms(bsn);
        for row in existing::read(BufReader::new(file), &self.reference, &pseudonyms) {
            match row {
                Ok(row) => {
                    let id = CoverageId {
                        sequence: Sequence(self.sequence),
                        line: row.row,
                    };
                    let covered = Covered {
                        id,
                        state: CoverageState::Imported,
                        coverage: row.coverage,
                    };
                    self.history.coverage.insert(covered);
                }
                Err(fault) => print::note(format!("row {}: {}", fault.row, fault.reason)),
            }
        }
        Ok(())
    }

    fn decide(&mut self, line: &str) -> String {
        let row: Row<'_> = match serde_json::from_str(line) {
            Ok(row) => row,
            Err(error) => return serde_json::json!({"error": error.to_string()}).to_string(),
        };
        let parsed = json::parse(row.declaration.get().as_bytes(), &self.keys);
        let declaration = match parsed {
            Ok(declaration) => declaration,
            Err(malformed) => return serde_json::json!({"faults": malformed.faults}).to_string(),
        };
        let party = PartyId::new(&row.party);
        let received_on = receipt_date(row.received_at);
        let environment = Environment::Production;
        let findings = validate_declaration(
            &declaration,
            &party,
            received_on,
            &self.reference,
            environment,
        );
        let input = Validated {
            party,
            received_on,
            content_digest: content_digest(&declaration),
            declaration,
            findings,
            judged_with: self.reference.version.clone(),
        };
        if register(&input, &self.history) != Registration::New {
            let message_id = input.declaration.message_id.to_string();
            return serde_json::json!({"message_id": message_id, "resent": true}).to_string();
        }
        self.sequence += 1;
        let decision = decide_message(
            &input,
            &self.history,
            &self.reference,
            Sequence(self.sequence),
        );
        let answer = outcome::of_decision(&input, row.received_at, &decision, &self.reference);
        self.history.apply(&input, &decision);
        serde_json::to_string(&answer).unwrap_or_default()
    }
}
