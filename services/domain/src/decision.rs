//! Deciding one message against the past: history rules, ceilings, double funding, awards.
//!
//! Pure: the same reference data, history and input give the same decision, for ever.

mod credit;
mod debit;
mod message;
mod past;
#[cfg(test)]
mod properties;
mod register;
mod rejudge;
mod review;
mod revision;
#[cfg(test)]
mod scenarios;

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    ceiling::Signal,
    cents::Cents,
    coverage::{Coverage, CoverageId},
    declaration::{Declaration, Direction, PrestatieKey, Share},
    history::{InvoicePart, PastFacts},
    identifiers::{
        Agb, ContractId, GroupId, InvoiceNumber, KindCode, LineReference, PartyId,
        ReferenceVersion, RegionCode, Sequence, Uzovi,
    },
    period::{Day, Period},
    reference::{Basis, Effect},
    rejection::{ReasonCode, Rejection},
};

pub use message::{decide_message, status_of};
pub use register::{Awaited, Registration, register, waits_for};
pub use rejudge::{Loser, Rejudged, depends_on, excluding_rival, rejudge};
pub use review::{Choice, Review, Shown, decide_review};
pub use revision::{Before, PartUse, Revision};

/// What is decided of a line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verdict {
    /// Awarded as declared.
    Accept,
    /// Awarded for less.
    Reduce,
    /// Held for a person.
    Review,
    /// Refused.
    Reject,
    /// Was held, and credited by its declarant.
    Withdrawn,
}

impl Verdict {
    /// Whether a line with this verdict uses its reference up.
    #[must_use]
    pub fn uses_reference(self) -> bool {
        self != Self::Reject
    }

    /// Whether a debit with this verdict takes coverage, a term and ceilings.
    #[must_use]
    pub fn occupies(self) -> bool {
        matches!(self, Self::Accept | Self::Reduce | Self::Review)
    }

    /// Whether a line with this verdict awards something.
    #[must_use]
    pub fn awards(self) -> bool {
        matches!(self, Self::Accept | Self::Reduce)
    }
}

/// What is decided of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// All lines accepted or reduced.
    Accepted,
    /// Some.
    Partly,
    /// None.
    Rejected,
    /// Any line is held.
    InReview,
}

/// What validation says of a message on its own.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Findings {
    /// Any of these refuses the whole message.
    pub message: Vec<Rejection>,
    /// Per line number.
    pub lines: BTreeMap<u32, Vec<Rejection>>,
}

impl Findings {
    /// What was found of a line; empty if nothing was.
    #[must_use]
    pub fn of_line(&self, line_number: u32) -> &[Rejection] {
        self.lines.get(&line_number).map_or(&[], Vec::as_slice)
    }
}

/// A message as detection gets it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Validated {
    /// Who sent it.
    pub party: PartyId,
    /// The receipt date: day in Europe/Amsterdam of the first receipt.
    pub received_on: Day,
    /// SHA-256 of the canonical form.
    pub content_digest: [u8; 32],
    /// The declaration.
    pub declaration: Declaration,
    /// What validation found, under `judged_with`.
    pub findings: Findings,
    /// The reference version it was judged with.
    pub judged_with: ReferenceVersion,
}

/// The decision of one message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageDecision {
    /// Its number.
    pub sequence: Sequence,
    /// What all lines come to.
    pub status: Status,
    /// Reasons for the whole, in order of report; lines are then refused with 8002.
    pub rejections: Vec<Rejection>,
    /// In the order of the message.
    pub lines: Vec<LineDecision>,
    /// The invoice part that is now used up.
    pub invoice_part: Option<InvoicePart>,
    /// Held lines of earlier messages that a credit withdrew.
    pub withdrawn: Vec<Withdrawal>,
    /// Shares of ceilings and budgets that are reached with it; they change no outcome.
    pub signals: Vec<Signal>,
}

/// A held line that its declarant credited.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Withdrawal {
    /// The held line.
    pub original: CoverageId,
    /// The message it came in; its outcome gets a new version.
    pub message_id: Uuid,
}

/// The decision of one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineDecision {
    /// Its number in the message.
    pub line_number: u32,
    /// The sender's reference.
    pub line_reference: LineReference,
    /// Debit or credit.
    pub direction: Direction,
    /// The verdict.
    pub verdict: Verdict,
    /// What was declared.
    pub declared: Cents,
    /// What is awarded: signed, 0 unless accepted or reduced.
    pub awarded: Cents,
    /// Of a held line: what would be awarded.
    pub proposed: Cents,
    /// In order of report.
    pub rejections: Vec<Rejection>,
    /// At most [`EVIDENCE_MAX`].
    pub evidence: Vec<Evidence>,
    /// How many rivals there were.
    pub rivals: u32,
    /// What a later credit must repeat; present when the facts were established.
    pub facts: Option<PastFacts>,
    /// What the line occupies from now on; present for accepted, reduced and held debits.
    pub coverage: Option<Coverage>,
    /// Of an accepted credit: the line that it reverses, whose coverage, term and ceilings are free
    /// again.
    pub reverses: Option<CoverageId>,
    /// What settlement needs; present when something is awarded.
    pub claim: Option<ClaimFacts>,
}

/// Most rivals in the evidence of one line.
pub const EVIDENCE_MAX: usize = 5;

/// Why a rule hit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evidence {
    /// Id of the rule.
    pub rule: Box<str>,
    /// Version of the rule.
    pub rule_version: u32,
    /// What it said here.
    pub effect: Effect,
    /// Its reasons.
    pub codes: Vec<ReasonCode>,
    /// What it rests on.
    pub basis: Basis,
    /// Article, rule number or document.
    pub source: String,
    /// The insurer's policy by which a person decides instead, in words.
    pub policy: Option<String>,
    /// The entry by which persons decided of the two contracts, where that decision stands.
    pub standing: Option<Sequence>,
    /// The rival; line rules have none.
    pub rival: Option<RivalFacts>,
}

/// The other line of a pair.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RivalFacts {
    /// Where it stands.
    pub id: CoverageId,
    /// Whether it was imported.
    pub imported: bool,
    /// Whether it is held.
    pub held: bool,
    /// Who declared it.
    pub declarant: Agb,
    /// To whom.
    pub insurer: Uzovi,
    /// Its reference.
    pub line_reference: LineReference,
    /// Its contract.
    pub contract_id: Option<ContractId>,
    /// Its prestatie.
    pub prestatie: PrestatieKey,
    /// Its period.
    pub period: Period,
    /// Days that both have.
    pub days_in_common: u32,
    /// AGB codes that both have.
    pub shared_agbs: Vec<Agb>,
    /// Activities that both have.
    pub shared_activities: Vec<crate::identifiers::ActivityCode>,
}

/// What settlement needs of an awarded line; nothing is looked up again there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimFacts {
    /// The contract.
    pub contract_id: Option<ContractId>,
    /// The prestatie.
    pub prestatie: PrestatieKey,
    /// Its kind.
    pub kind: KindCode,
    /// When.
    pub period: Period,
    /// The group.
    pub group: Option<GroupId>,
    /// The region.
    pub region: Option<RegionCode>,
    /// Who is paid.
    pub payee: Agb,
    /// The invoice.
    pub invoice_number: InvoiceNumber,
    /// The insurer it was declared to.
    pub insurer: Uzovi,
    /// Split over insurers, in order: identity unless billed to the lead.
    pub insurer_shares: Vec<Share>,
    /// Split over sectors, in order.
    pub sector_shares: Vec<Share>,
    /// What the prestatie rests on.
    pub legal_basis: String,
    /// Of a credit: the claim that it reverses.
    pub reverses: Option<ReversedClaim>,
}

/// The claim that a credit reverses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReversedClaim {
    /// The line that it was made for.
    pub line: CoverageId,
    /// The version of the outcome that awarded it.
    pub version: u32,
}
