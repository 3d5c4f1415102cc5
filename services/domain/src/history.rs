//! What must be known of earlier decisions to decide the next: as much of it as the batch at hand
//! needs.
//!
//! A store fills it for a batch ([`HistoryKeys`] says what to load); `replay` and `check` keep it
//! whole in memory. Deciding a message changes it through [`History::apply`] only, so both ways see
//! the same past.

mod apply;
mod keys;

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::{
    cents::Cents,
    coverage::{CoverageId, CoverageIndex, CoverageKey, Subject},
    decision::{ClaimFacts, Verdict},
    declaration::{Declaration, Direction, PrestatieKey},
    double_funding::HitKey,
    identifiers::{Agb, ContractId, InvoiceNumber, LineReference, PartyId, Sequence, Uzovi},
    period::{Day, Period, UNIQUENESS_YEARS, months_after},
    standing::StandingReviews,
};

pub use keys::{keys_of, keys_of_line};

/// A reference as a declarant used it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReferenceKey {
    /// Whose.
    pub declarant: Agb,
    /// Which.
    pub reference: LineReference,
}

/// A part of an invoice of a payee.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InvoicePart {
    /// Who is paid: the sender for pay_to 01, else the declarant.
    pub payee: Agb,
    /// Which invoice.
    pub invoice_number: InvoiceNumber,
    /// Which part.
    pub part: u32,
}

/// What a line uses one term of (0584).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TermKey {
    /// The contract.
    pub contract_id: ContractId,
    /// The prestatie.
    pub prestatie: PrestatieKey,
    /// The subject as text: `group:<id>`, `insured:<key id>:<hex of the pseudonym>`, or empty.
    pub subject: Box<str>,
    /// The insurer.
    pub insurer: Uzovi,
}

/// A named ceiling of a contract.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CeilingKey {
    /// The contract.
    pub contract_id: ContractId,
    /// The name of the ceiling.
    pub name: Box<str>,
}

/// A message id that was registered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegisteredMessage {
    /// By whom.
    pub party: PartyId,
    /// SHA-256 of its content.
    pub content_digest: [u8; 32],
    /// The log entry of its decision.
    pub sequence: Sequence,
    /// Version of its newest outcome.
    pub version: u32,
}

/// A line decided before, under some reference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PastLine {
    /// Where it stands; also the id of its coverage.
    pub id: CoverageId,
    /// The message it came in.
    pub message_id: Uuid,
    /// Who sent that message.
    pub party: PartyId,
    /// Debit or credit.
    pub direction: Direction,
    /// The insurer.
    pub insurer: Uzovi,
    /// What a credit must repeat; absent of a line whose facts were not established (it was
    /// refused).
    pub facts: Option<PastFacts>,
    /// The newest verdict.
    pub verdict: Verdict,
    /// The award: signed.
    pub awarded: Cents,
    /// Of a held line: the proposed award.
    pub proposed: Cents,
    /// When the message was received.
    pub received_on: Day,
    /// The credit that reversed it.
    pub credited_by: Option<CoverageId>,
    /// What settlement got; a credit repeats it, so that no reference data is needed for it.
    pub claim: Option<ClaimFacts>,
    /// The version of the outcome of its message in which it was decided last.
    pub version: u32,
    /// Of a held line: reviews that a person was shown and accepted before.
    pub seen: BTreeSet<HitKey>,
}

/// What a credit must repeat (ruled: else 8017), and what it gives back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PastFacts {
    /// The prestatie.
    pub prestatie: PrestatieKey,
    /// The contract.
    pub contract_id: Option<ContractId>,
    /// The period.
    pub period: Period,
    /// The subject.
    pub subject: Subject,
    /// Units.
    pub quantity: u32,
    /// Computed amount.
    pub computed: Cents,
    /// Declared amount.
    pub declared: Cents,
    /// The one term it used, under each name of its subject; empty where terms are not counted.
    pub terms: Vec<TermKey>,
    /// What it took of ceilings.
    pub ceilings: Vec<(CeilingKey, Cents)>,
}

/// The past, or the part of it that a batch needs.
#[derive(Clone, Default, Debug)]
pub struct History {
    /// Registered message ids.
    pub messages: BTreeMap<Uuid, RegisteredMessage>,
    /// Every line under a reference, in order of decision.
    pub lines: BTreeMap<ReferenceKey, Vec<PastLine>>,
    /// Receipt day of the message that used an invoice part up.
    pub invoice_parts: BTreeMap<InvoicePart, Day>,
    /// Receipt day of the message in which a part of an invoice in several parts came, whatever became of it.
    pub known_parts: BTreeMap<InvoicePart, Day>,
    /// Terms used.
    pub terms: BTreeMap<TermKey, u32>,
    /// Amounts under ceilings.
    pub ceilings: BTreeMap<CeilingKey, Cents>,
    /// Coverage in force.
    pub coverage: CoverageIndex,
    /// What persons decided of pairs of contracts.
    pub standing: StandingReviews,
}

/// What of the past a batch needs.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct HistoryKeys {
    /// Message ids.
    pub messages: BTreeSet<Uuid>,
    /// References of lines and of originals. The coverage of an original that is found is needed
    /// too.
    pub references: BTreeSet<ReferenceKey>,
    /// Invoice parts.
    pub invoice_parts: BTreeSet<InvoicePart>,
    /// Parts of invoices in several parts, of which only is asked whether they came.
    pub predecessors: BTreeSet<InvoicePart>,
    /// Terms.
    pub terms: BTreeSet<TermKey>,
    /// Ceilings.
    pub ceilings: BTreeSet<CeilingKey>,
    /// Coverage under these keys that has a day in the period.
    pub coverage: BTreeMap<CoverageKey, Period>,
    /// Contracts of lines: what stands between one of them and another is needed.
    pub contracts: BTreeSet<ContractId>,
}

/// The invoice part of `declaration`, unless its payee is malformed.
///
/// Payee is the sender where payment goes to a service bureau (COD833-VEKT 01), else the declarant.
#[must_use]
pub fn invoice_part_of(declaration: &Declaration) -> Option<InvoicePart> {
    Some(InvoicePart {
        payee: payee_of(declaration)?,
        invoice_number: declaration.invoice_number.clone(),
        part: declaration.invoice_part,
    })
}

/// The part that `declaration` is of an invoice in several parts; `None` where it is the whole invoice.
#[must_use]
pub fn known_part_of(declaration: &Declaration) -> Option<InvoicePart> {
    invoice_part_of(declaration).filter(|_| declaration.invoice_parts > 1)
}

/// The part that must come before `declaration`; `None` for a first part and for a whole invoice.
#[must_use]
pub fn predecessor_of(declaration: &Declaration) -> Option<InvoicePart> {
    let part = known_part_of(declaration).filter(|it| it.part > 1)?;
    Some(InvoicePart {
        part: part.part - 1,
        ..part
    })
}

/// Who is paid. Source: COD833-VEKT, 01 is the service bureau, which is then the sender.
#[must_use]
pub fn payee_of(declaration: &Declaration) -> Option<Agb> {
    match declaration.pay_to.as_str() {
        "01" => declaration.sender_agb.agb(),
        _ => declaration.declarant_agb.agb(),
    }
}

/// Whether a reference or invoice part used in a message received on `used_on` is still used up on
/// `day`.
///
/// Source: Vektis, AW319 v1.4, fields 0116 and 0431: unique for five years. The day five years
/// later is free.
#[must_use]
pub fn is_used_up(used_on: Day, day: Day) -> bool {
    day < months_after(used_on, UNIQUENESS_YEARS * 12)
}
