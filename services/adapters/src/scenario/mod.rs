//! Scenarios: messages in files, each with its receipt date, its predecessors and the outcome that
//! is expected.
//!
//! One loader gives each scenario a world of its own: it writes the world's number into every AGB
//! code, contract, group, region, invoice number and reference, gives it its own BSNs and message
//! ids, and its own catalogue codes where it changes one. So all scenarios share one history
//! without meeting. Nothing is decided here, and what a scenario expects is not compared here.
//!
//! Layout: [`file`] is what stands in files, [`world`] how names change, `expand` makes reference
//! data for all worlds, `message` makes the messages.

use std::{collections::BTreeMap, fs, path::Path};

use samenloop_domain::{
    decision::{Status, Verdict},
    identifiers::PartyId,
    period::Day,
};
use samenloop_proto::{declaration::v1 as wire, record::v1 as record};
use serde_json::Value;
use uuid::Uuid;

use self::file::ScenarioFile;
use crate::{
    reference::{self, Fault, Loaded},
    wire::review::{hit_of, write_hits},
};

mod expand;
pub mod file;
mod message;
pub mod patch;
pub mod world;

/// All scenarios, and one snapshot of reference data in which all their worlds stand beside the
/// sample itself.
#[derive(Clone, Debug)]
pub struct ScenarioSet {
    /// The snapshot.
    pub reference: Loaded,
    /// In the order of their file names.
    pub scenarios: Vec<Scenario>,
}

/// One scenario in its own world.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its number, such as "26" or "65b".
    pub number: String,
    /// What it shows.
    pub title: String,
    /// Where the expected outcome follows from.
    pub source: String,
    /// The number of its world.
    pub world: u8,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub struct Step {
    /// The day of receipt.
    pub received_on: Day,
    /// Steps of this scenario that must have been decided before.
    pub after: Vec<usize>,
    /// What happens.
    pub action: Action,
}

/// What happens in a step.
#[derive(Clone, Debug)]
pub enum Action {
    /// A party sends a declaration.
    Declare(Box<Delivery>),
    /// Existing prestaties are imported.
    ImportExisting(Import),
    /// A person decides a held line.
    Decide(Box<Decision>),
}

/// A decision of a person about a held line.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The message of the line.
    pub message_id: Uuid,
    /// Its number in that message.
    pub line_number: u32,
    /// Whether the exclusions that were shown are overridden.
    pub overrides: Overrides,
    /// The command, without the line and the version that was seen.
    pub command: record::Command,
    /// What is decided, as the command says it.
    pub decide: record::DecideReview,
    /// The new version of the outcome.
    pub expected: Expected,
}

/// Whether the exclusions that were shown are overridden.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overrides {
    /// They are not.
    None,
    /// Every rule that was shown is.
    Shown,
}

impl Decision {
    /// The command about the line as it was decided in `sequence` and shown in `outcome`.
    #[must_use]
    pub fn command(&self, sequence: u64, outcome: &wire::Outcome) -> record::Command {
        let lines = outcome.lines.iter();
        let shown = lines.filter(|line| line.line_number == self.line_number);
        let hits = shown.flat_map(|line| &line.evidence).map(hit_of).collect();
        let decide = record::DecideReview {
            line: Some(record::LineId {
                sequence,
                line: u64::from(self.line_number),
            }),
            version_seen: outcome.version,
            overrides: match self.overrides {
                Overrides::None => Vec::new(),
                Overrides::Shown => write_hits(&hits),
            },
            ..self.decide.clone()
        };
        record::Command {
            action: Some(record::command::Action::DecideReview(decide)),
            ..self.command.clone()
        }
    }
}

/// A declaration that is delivered.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Who sends it.
    pub party: PartyId,
    /// Its message id.
    pub message_id: Uuid,
    /// The declaration as JSON.
    pub body: Vec<u8>,
    /// How often the broker delivers it.
    pub deliveries: u32,
    /// Whether settlement answers while it is decided.
    pub settlement: Settlement,
    /// Its outcome.
    pub expected: Expected,
}

/// Whether the settlement service answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settlement {
    /// It does.
    Available,
    /// It does not, until the outcome is there.
    Unavailable,
}

/// Existing prestaties to import.
#[derive(Clone, Debug)]
pub struct Import {
    /// The rows with their header, as [`crate::existing`] reads them.
    pub csv: Vec<u8>,
    /// How many rows there are.
    pub rows: usize,
}

/// The outcome that a declaration should get.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expected {
    /// Of the message.
    pub status: Status,
    /// Reasons for the message as a whole, in order.
    pub reasons: Vec<String>,
    /// Per line, in the order of the message.
    pub lines: Vec<ExpectedLine>,
    /// The split of the awards, where the scenario shows it.
    pub allocation: Vec<ExpectedAllocation>,
}

/// The outcome that a line should get.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpectedLine {
    /// Its reference.
    pub line_reference: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Signed.
    pub awarded_cents: i64,
    /// Of a held line, where the scenario shows it.
    pub proposed_cents: Option<i64>,
    /// In order.
    pub reasons: Vec<String>,
}

/// A part of the awards of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpectedAllocation {
    /// The insurer that pays.
    pub insurer: String,
    /// The macro-framework that bears it.
    pub sector: String,
    /// Signed.
    pub cents: i64,
}

/// Most files of one directory.
const FILES_MAX: usize = 1_000;

/// Loads `reference`, `messages` and `scenarios` below `sample`.
pub fn load_all(sample: &Path) -> Result<ScenarioSet, Vec<Fault>> {
    load_with(sample, |_| {})
}

/// Loads all scenarios, with reference data that `extend` has added to.
pub fn load_with(
    sample: &Path,
    extend: impl FnOnce(&mut reference::ReferenceData),
) -> Result<ScenarioSet, Vec<Fault>> {
    let base = reference::read(&sample.join("reference")).map_err(below("reference"))?;
    let messages = read_messages(&sample.join("messages")).map_err(below("messages"))?;
    let files = read_scenarios(&sample.join("scenarios")).map_err(below("scenarios"))?;
    let mut data = base.clone();
    let mut scenarios = Vec::new();
    let mut faults = worlds_used_twice(&files);
    for (name, file) in files {
        let made = expand::expand(&base, &mut data, &name, &file)
            .and_then(|world| message::scenario(&base, &messages, &world, &name, file));
        match made {
            Ok(scenario) => scenarios.push(scenario),
            Err(found) => faults.extend(found),
        }
    }
    if !faults.is_empty() {
        return Err(below("scenarios")(faults));
    }
    extend(&mut data);
    let reference = reference::finish(data)?;
    Ok(ScenarioSet {
        reference,
        scenarios,
    })
}

/// Steps that may be under way together: each wave needs only steps of the waves before it.
/// A step is named by the index of its scenario and its own.
#[must_use]
pub fn waves(scenarios: &[Scenario]) -> Vec<Vec<(usize, usize)>> {
    let mut waves: Vec<Vec<(usize, usize)>> = Vec::new();
    for (at, scenario) in scenarios.iter().enumerate() {
        let mut depths: Vec<usize> = Vec::new();
        for (step_at, step) in scenario.steps.iter().enumerate() {
            let depth = step.after.iter().map(|before| depths[*before] + 1).max();
            let depth = depth.unwrap_or(0);
            depths.push(depth);
            if waves.len() <= depth {
                waves.resize(depth + 1, Vec::new());
            }
            waves[depth].push((at, step_at));
        }
    }
    waves
}

fn below(directory: &'static str) -> impl Fn(Vec<Fault>) -> Vec<Fault> {
    move |faults| {
        let moved = faults.into_iter().map(|mut fault| {
            fault.file = format!("{directory}/{}", fault.file);
            fault
        });
        moved.collect()
    }
}

fn fault(file: &str, line: Option<usize>, problem: String, remedy: &str) -> Fault {
    Fault {
        file: file.to_owned(),
        line,
        problem,
        remedy: remedy.to_owned(),
    }
}

fn worlds_used_twice(files: &[(String, ScenarioFile)]) -> Vec<Fault> {
    let mut users: BTreeMap<u8, &str> = BTreeMap::new();
    let mut faults = Vec::new();
    for (name, file) in files {
        if let Some(other) = users.insert(file.world, name) {
            let problem = format!("world {} is that of {other} too", file.world);
            faults.push(fault(
                name,
                None,
                problem,
                "choose a world of its own, 1 to 99",
            ));
        }
    }
    faults
}

fn read_messages(dir: &Path) -> Result<BTreeMap<String, Value>, Vec<Fault>> {
    let mut messages = BTreeMap::new();
    for (name, text) in json_files(dir)? {
        let message = serde_json::from_str(&text).map_err(|error| {
            let problem = error.to_string();
            vec![fault(
                &name,
                Some(error.line()),
                problem,
                "write it as JSON",
            )]
        })?;
        messages.insert(name.trim_end_matches(".json").to_owned(), message);
    }
    Ok(messages)
}

fn read_scenarios(dir: &Path) -> Result<Vec<(String, ScenarioFile)>, Vec<Fault>> {
    let mut scenarios = Vec::new();
    let mut faults = Vec::new();
    for (name, text) in json_files(dir)? {
        match serde_json::from_str::<ScenarioFile>(&text) {
            Ok(scenario) => {
                faults.extend(late_predecessor(&name, &scenario));
                scenarios.push((name, scenario));
            }
            Err(error) => {
                let remedy = "see deploy/sample/README.md for the fields of a scenario";
                faults.push(fault(&name, Some(error.line()), error.to_string(), remedy));
            }
        }
    }
    if faults.is_empty() {
        Ok(scenarios)
    } else {
        Err(faults)
    }
}

fn late_predecessor(name: &str, scenario: &ScenarioFile) -> Option<Fault> {
    let (at, _) = scenario.steps.iter().enumerate().find(|(at, step)| {
        let after = step.after.iter().flatten();
        after.max().is_some_and(|last| last >= at)
    })?;
    let problem = format!("step {at} waits for itself or for a later step");
    Some(fault(
        name,
        None,
        problem,
        "name earlier steps, counted from 0",
    ))
}

/// Names and texts of the JSON files of a directory, sorted by name.
fn json_files(dir: &Path) -> Result<Vec<(String, String)>, Vec<Fault>> {
    let unreadable = |error: std::io::Error| {
        let problem = format!("cannot be read: {error}");
        vec![fault("", None, problem, "look at the directory")]
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|name| name.ends_with(".json")) {
            files.push((
                name.to_owned(),
                fs::read_to_string(&path).map_err(unreadable)?,
            ));
        }
    }
    if files.len() > FILES_MAX {
        let problem = format!("there are more than {FILES_MAX} files");
        return Err(vec![fault("", None, problem, "load fewer at once")]);
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod decided;
#[cfg(test)]
mod tests;
