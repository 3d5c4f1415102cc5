//! What the store keeps for persons who decide: commands, held lines, cases.

use jiff::Timestamp;
use samenloop_domain::{
    cents::Cents,
    coverage::CoverageId,
    decision::Revision,
    identifiers::{Agb, Sequence},
    rejection::Rejection,
};
use samenloop_proto::record::v1 as record;
use uuid::Uuid;

use super::words::{Word, signed};

/// A line that was decided again.
#[derive(Clone, PartialEq, Debug)]
pub struct RevisedLine {
    /// The new decision.
    pub revision: Revision,
    /// Who declared it.
    pub declarant: Agb,
    /// To whom.
    pub insurer: String,
    /// Its codes until now, separated by a space, for the counts.
    pub reasons_before: String,
}

/// A command, and what became of it.
#[derive(Clone, PartialEq, Debug)]
pub struct DecidedCommand {
    /// Its id.
    pub id: Uuid,
    /// SHA-256 of its content.
    pub content_digest: [u8; 32],
    /// Who asked.
    pub person: String,
    /// The entry that carried it out, if one was needed.
    pub sequence: Option<Sequence>,
    /// What became of it.
    pub result: record::CommandResult,
    /// When.
    pub decided_at: Timestamp,
}

impl DecidedCommand {
    /// What is told to whoever sent a command with this id and the content with this digest: the first content stands,
    /// and another one under its id is refused.
    #[must_use]
    pub fn answer(&self, content_digest: [u8; 32]) -> record::CommandResult {
        if content_digest == self.content_digest {
            return self.result.clone();
        }
        let reused = Rejection::new("command_id_new", &["GDC-OPDRACHT"]);
        crate::wire::review::refused(&reused.with("reused", self.id))
    }
}

/// Why a case is on the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CaseKind {
    /// A refused line whose excluding rival is gone.
    Loser,
    /// A held line whose held rival is gone.
    Dependant,
    /// An awarded line, and an existing prestatie that was imported later.
    ImportPair,
    /// An awarded line beside which another was accepted by an override.
    Superseded,
}

impl Word for CaseKind {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Loser, "loser"),
        (Self::Dependant, "dependant"),
        (Self::ImportPair, "import_pair"),
        (Self::Superseded, "superseded"),
    ];
}

impl CaseKind {
    /// As one word, in JSON, SQL and on pages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.word()
    }
}

/// What was freed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Freed {
    /// One line.
    Line(CoverageId),
    /// Every row of an imported chunk.
    Import(Sequence),
}

impl Freed {
    /// Its sequence, and the first and last line.
    pub(super) fn bounds(self) -> (i64, i64, i64) {
        match self {
            Self::Line(id) => (signed(id.sequence.0), signed(id.line), signed(id.line)),
            Self::Import(sequence) => (signed(sequence.0), 0, i64::MAX),
        }
    }

    /// Whether coverage is part of it.
    #[must_use]
    pub fn contains(self, id: CoverageId) -> bool {
        match self {
            Self::Line(line) => line == id,
            Self::Import(sequence) => sequence == id.sequence,
        }
    }
}

/// A case to be listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewCase {
    /// Why.
    pub kind: CaseKind,
    /// The line that a person looks at.
    pub line: CoverageId,
    /// The other line, gone or still there.
    pub other: CoverageId,
    /// The entry that gave rise to it.
    pub cause: Sequence,
    /// Reference of the line.
    pub line_reference: String,
    /// Who declared it.
    pub declarant: Agb,
    /// To whom.
    pub insurer: String,
    /// Its contract; empty for none.
    pub contract_id: String,
    /// Rules between the two.
    pub rules: Vec<String>,
}

/// Which lines or cases are listed; what is absent is not asked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ListFilter {
    /// To whom it was declared.
    pub insurer: Option<String>,
    /// Who declared it.
    pub declarant: Option<String>,
    /// Its contract.
    pub contract_id: Option<String>,
    /// A rule for which it is listed.
    pub rule: Option<String>,
    /// On the list since before this instant.
    pub since_before: Option<Timestamp>,
}

/// A held line on the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldLine {
    /// The line.
    pub line: CoverageId,
    /// Its message.
    pub message_id: Uuid,
    /// Its reference.
    pub line_reference: String,
    /// Who declared it.
    pub declarant: String,
    /// To whom.
    pub insurer: String,
    /// Its contract; empty for none.
    pub contract_id: String,
    /// Rules for which it is held.
    pub rules: Vec<String>,
    /// The version of the outcome in which it was decided last.
    pub version: u32,
    /// What would be awarded.
    pub proposed: Cents,
    /// Since when.
    pub held_since: Timestamp,
}

/// An open case on the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReviewCase {
    /// Its number.
    pub id: u64,
    /// What it is.
    pub case: NewCase,
    /// Since when.
    pub opened_at: Timestamp,
}
