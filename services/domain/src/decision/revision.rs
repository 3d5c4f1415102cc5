//! A new decision of a line that was decided before: by a person, or because a rival is gone.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::{
    coverage::CoverageId,
    decision::{Evidence, LineDecision, Verdict},
    double_funding::HitKey,
    history::{InvoicePart, PastFacts, PastLine},
    period::Day,
    standing::StandingReview,
};

/// What is decided of a line from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revision {
    /// The line.
    pub line: CoverageId,
    /// The message it came in.
    pub message_id: Uuid,
    /// The version that the outcome of that message gets.
    pub version: u32,
    /// The new decision, whole.
    pub decision: LineDecision,
    /// What the line took until now.
    pub before: Before,
    /// Of a line that stays held: all reviews that persons were shown and accepted so far.
    pub seen: BTreeSet<HitKey>,
    /// Exclusions that were overridden; without them the line would be refused.
    pub overridden: Vec<Evidence>,
    /// What becomes of the invoice part of the message.
    pub invoice_part: PartUse,
    /// What stands from now on between contracts.
    pub standing: Vec<StandingReview>,
}

/// A line before it was decided again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Before {
    /// Its verdict.
    pub verdict: Verdict,
    /// What it took and a credit would have given back.
    pub facts: Option<PastFacts>,
}

impl Before {
    pub(super) fn of(line: &PastLine) -> Self {
        Self {
            verdict: line.verdict,
            facts: line.facts.clone(),
        }
    }

    /// What it gives back now.
    #[must_use]
    pub fn taken(&self) -> Option<&PastFacts> {
        self.facts.as_ref().filter(|_| self.verdict.occupies())
    }
}

/// What a new decision of one line makes of the invoice part of its message.
///
/// A part is used up by a message with a line that is not refused. Source: Vektis, AW319 v1.4, field
/// 0116.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PartUse {
    /// Nothing.
    Unchanged,
    /// It is used from now on, by a message received on that day.
    Taken(InvoicePart, Day),
    /// No line of the message uses it any more.
    Released(InvoicePart),
}
