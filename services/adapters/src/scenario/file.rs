//! Scenarios as they stand in files.

use std::collections::BTreeMap;

use samenloop_domain::{
    decision::{Status, Verdict},
    period::Day,
};
use serde::Deserialize;
use serde_json::Value;

/// A file of `scenarios`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// Its number.
    pub scenario: String,
    /// The number of its world, 1 to 99, used by no other scenario.
    pub world: u8,
    /// What it shows.
    pub title: String,
    /// Where the expected outcome follows from.
    pub source: String,
    /// What is different in this world.
    #[serde(default)]
    pub reference: Overrides,
    /// What happens.
    pub steps: Vec<StepFile>,
}

/// Entries of the reference data by key, each a merge patch (RFC 7396) of the entry with that key,
/// or of the entry that its field `like` names, or of nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Overrides {
    /// By id.
    pub contracts: BTreeMap<String, Value>,
    /// By list and code, as in "990/BDSS1".
    pub catalogue: BTreeMap<String, Value>,
    /// By AGB code.
    pub providers: BTreeMap<String, Value>,
    /// By id.
    pub groups: BTreeMap<String, Value>,
}

/// One step.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepFile {
    /// The day of receipt.
    pub received_on: Day,
    /// A file of `messages`, without its extension.
    pub like: Option<String>,
    /// A merge patch of the message.
    pub with: Option<Value>,
    /// The lines of the message: each a merge patch of the first line of the message, or of the
    /// first line of the message that its field `like` names. Absent: the lines of the message.
    pub lines: Option<Vec<Value>>,
    /// Steps that must have been decided before; absent: the one before.
    pub after: Option<Vec<usize>>,
    /// Who sends; absent: the party whose AGB code is the sender's.
    pub party: Option<String>,
    /// How often the broker delivers it; absent: once.
    pub deliver: Option<u32>,
    /// Whether settlement answers; absent: it does.
    pub settlement: Option<SettlementWord>,
    /// Its outcome.
    pub expect: Option<ExpectFile>,
    /// Instead of a message: rows of existing prestaties, by column.
    pub import_existing: Option<Vec<BTreeMap<String, String>>>,
    /// Instead of a message: a person decides a held line; `expect` is the new version of its outcome.
    pub decide: Option<DecideFile>,
}

/// What a person decides of a held line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideFile {
    /// The step that declared the line.
    pub step: usize,
    /// Its reference.
    pub line_reference: String,
    /// What is decided.
    pub choice: ChoiceWord,
    /// Of `accept_reduced`: what to award.
    pub awarded_cents: Option<i64>,
    /// Whether the exclusions that were shown are overridden; absent: they are not.
    #[serde(default)]
    pub overriding: bool,
    /// Who decides.
    pub person: String,
    /// Who agrees.
    #[serde(default)]
    pub second_person: String,
    /// Why.
    pub note: String,
}

/// What a person decides, as a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChoiceWord {
    /// What the engine says.
    Accept,
    /// Less than the engine says.
    AcceptReduced,
    /// Nothing.
    Refuse,
}

/// What a step does.
pub(super) enum ActionFile<'a> {
    Declare {
        like: &'a str,
        expect: &'a ExpectFile,
    },
    Import(&'a [BTreeMap<String, String>]),
    Decide {
        decide: &'a DecideFile,
        expect: &'a ExpectFile,
    },
}

impl StepFile {
    /// What it does; `None` if it says nothing or too much.
    pub(super) fn action(&self) -> Option<ActionFile<'_>> {
        let other = (&self.import_existing, &self.decide);
        match (&self.like, &self.expect, other) {
            (Some(like), Some(expect), (None, None)) => Some(ActionFile::Declare { like, expect }),
            (None, None, (Some(rows), None)) => Some(ActionFile::Import(rows)),
            (None, Some(expect), (None, Some(decide))) => {
                Some(ActionFile::Decide { decide, expect })
            }
            _ => None,
        }
    }
}

/// Whether settlement answers.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettlementWord {
    /// Not until the outcome is there.
    Unavailable,
}

/// The outcome that is expected.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectFile {
    /// Of the message.
    pub status: StatusWord,
    /// For the message as a whole.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// Per line.
    pub lines: Vec<ExpectLineFile>,
    /// The split of the awards.
    #[serde(default)]
    pub allocation: Vec<ExpectAllocationFile>,
}

/// The outcome of a line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectLineFile {
    /// Its reference.
    pub line_reference: String,
    /// Its verdict.
    pub verdict: VerdictWord,
    /// Absent: 0.
    #[serde(default)]
    pub awarded_cents: i64,
    /// Of a held line.
    pub proposed_cents: Option<i64>,
    /// In order.
    #[serde(default)]
    pub reasons: Vec<String>,
}

/// A part of the awards.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectAllocationFile {
    /// Who pays.
    pub insurer: String,
    /// The macro-framework.
    pub sector: String,
    /// Signed.
    pub cents: i64,
}

macro_rules! domain_words {
    ($(#[$doc:meta])* $name:ident, $domain:ident: $($variant:ident),+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $(
                #[doc = concat!("`", stringify!($variant), "` of the domain, in snake case.")]
                $variant
            ),+
        }

        impl From<$name> for $domain {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$variant => Self::$variant),+
                }
            }
        }
    };
}

domain_words!(
    /// Status of a message.
    StatusWord, Status: Accepted, Partly, Rejected, InReview
);
domain_words!(
    /// Verdict of a line.
    VerdictWord, Verdict: Accept, Reduce, Review, Reject, Withdrawn
);
