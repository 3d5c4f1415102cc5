//! A declaration after parsing: the shape of the message is right, its content is not judged yet.
//!
//! Codes stay as they were written (`AgbText`, `UzoviText`, list and code), because a wrong code is a finding with
//! a reason, not a broken message. Adapters parse; rules judge.

use uuid::Uuid;

use crate::{
    cents::{BasisPoints, Cents},
    identifiers::{
        ActivityCode, AgbText, ContractId, GroupId, InvoiceNumber, LineReference, Pseudonym,
        RegionCode, UzoviText,
    },
    period::{Day, Span},
    tarief::Tarief,
};

/// Most lines a declaration on a queue may have.
pub const LINES_MAX: usize = 2_000;

/// One message of a provider system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Declaration {
    /// Idempotency key of the message within its party.
    pub message_id: Uuid,
    /// Version of the message contract, "1.0".
    pub schema_version: String,
    /// Production or test.
    pub kind: MessageKind,
    /// Who sends.
    pub sender_agb: AgbText,
    /// Who declares.
    pub declarant_agb: AgbText,
    /// CL0015-VEKT: 1 institution, 2 practice, 3 professional.
    pub declarant_kind: String,
    /// COD833-VEKT: 01 service bureau, 02 professional, 03 practice, 04 institution.
    pub pay_to: String,
    /// The insurer asked to pay.
    pub insurer_uzovi: UzoviText,
    /// Number of the invoice.
    pub invoice_number: InvoiceNumber,
    /// Part of the invoice, from 1.
    pub invoice_part: u32,
    /// Number of parts.
    pub invoice_parts: u32,
    /// Day of the invoice.
    pub invoice_date: Day,
    /// Day of sending.
    pub sent_on: Day,
    /// Administrative period; lines need not lie in it.
    pub declaration_period: Span,
    /// ISO 4217.
    pub currency: String,
    /// What the sender counted.
    pub control: Control,
    /// 1 to [`LINES_MAX`] lines.
    pub lines: Vec<Line>,
}

/// COD856-VEKT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageKind {
    /// P.
    Production,
    /// T: never settled.
    Test,
}

/// Counts and sums by the sender.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Control {
    /// Number of lines.
    pub line_count: u32,
    /// Sum of declared amounts of debit lines.
    pub debit: Cents,
    /// Sum of declared amounts of credit lines, not negative.
    pub credit: Cents,
}

/// What is declared: one prestatie over one period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Unique within the message.
    pub line_number: u32,
    /// Unique per declarant.
    pub line_reference: LineReference,
    /// Of a credit: the reference of its debit.
    pub original_reference: Option<LineReference>,
    /// Debit or credit.
    pub direction: Direction,
    /// The billable service.
    pub prestatie: PrestatieKey,
    /// The contract named, if any.
    pub contract_id: Option<ContractId>,
    /// When it was performed.
    pub period: Span,
    /// Units.
    pub quantity: u32,
    /// COD218-VEKT.
    pub time_unit: String,
    /// Euro per unit.
    pub tarief: Tarief,
    /// tarief x quantity, as the sender computed it.
    pub computed: Cents,
    /// What is asked.
    pub declared: Cents,
    /// The patient group, of group-bound prestaties.
    pub patient_group_id: Option<GroupId>,
    /// The insured person, of client-bound prestaties.
    pub insured: Option<Insured>,
    /// Region; absent: that of the group.
    pub region: Option<RegionCode>,
    /// Who took part.
    pub participants: Vec<Participant>,
    /// What was done.
    pub activities: Vec<ActivityCode>,
    /// Form of the meetings.
    pub meeting: Option<Meeting>,
    /// Shares of the legal domains in the programme.
    pub domain_shares: Vec<Share>,
    /// Shares of the macro-frameworks in the declared amount.
    pub sector_shares: Vec<Share>,
    /// Onderaanneming: on whose behalf the declarant bills.
    pub on_behalf_of: Option<AgbText>,
}

/// COD043-VEKT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// D.
    Debit,
    /// C: reverses an earlier debit whole.
    Credit,
}

/// Form of the meetings of a cooperation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meeting {
    /// About a group of patients.
    Group,
    /// About individual patients.
    Individual,
    /// Both in one meeting.
    Hybrid,
}

/// List (COD367-VEKT) and code of a prestatie.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PrestatieKey {
    /// Three digits.
    pub list: Box<str>,
    /// One to six characters.
    pub code: Box<str>,
}

impl PrestatieKey {
    /// The key of `code` in `list`.
    #[must_use]
    pub fn new(list: &str, code: &str) -> Self {
        Self {
            list: list.into(),
            code: code.into(),
        }
    }
}

/// The insured person of a line, without a BSN.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Insured {
    /// Who it is.
    pub identity: InsuredIdentity,
    /// First day in care.
    pub in_care_since: Option<Day>,
}

/// What became of the number given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InsuredIdentity {
    /// A BSN: its pseudonyms under every active key, in order of key id.
    Pseudonyms(Vec<Pseudonym>),
    /// No BSN (elfproef, all zeros, or the EI dummy); the number was not kept.
    Malformed,
}

/// A party to the cooperation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Participant {
    /// A provider with an AGB code.
    Provider(AgbText),
    /// A third party without one: a municipality, a school, a welfare organisation.
    ThirdParty {
        /// Name of the organisation.
        name: String,
        /// What it is.
        kind: String,
    },
}

/// A part of a whole of 10,000 basis points.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Share {
    /// Domain, sector or UZOVI number.
    pub key: Box<str>,
    /// Its part.
    pub basis_points: BasisPoints,
}
