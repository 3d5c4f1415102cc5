//! Reference data: everything that decisions depend on beside the declarations, as one dated, versioned snapshot.
//!
//! Adapters load it from files; rules only read it. A kind of funding is a code here, never an enum: closed enums
//! are the mechanisms (tarief kind, unit, condition, match level, effect).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    cents::{BasisPoints, Cents},
    declaration::{PrestatieKey, Share},
    identifiers::{
        ActivityCode, Agb, ConditionCode, ContractId, GroupId, KindCode, PartyId, ReferenceVersion,
        RegionCode, Uzovi,
    },
    period::{Day, Period, Validity},
    rejection::ReasonCode,
    tarief::Tarief,
};

/// One version of all reference data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// Its name.
    pub version: ReferenceVersion,
    /// COD367-VEKT lists.
    pub code_lists: BTreeMap<Box<str>, CodeList>,
    /// Prestaties.
    pub catalogue: BTreeMap<PrestatieKey, CatalogueEntry>,
    /// AGB register: when each code was registered. Several registrations do not overlap.
    pub providers: BTreeMap<Agb, Vec<Validity>>,
    /// UZOVI register.
    pub insurers: BTreeMap<Uzovi, Insurer>,
    /// Who may connect.
    pub parties: BTreeMap<PartyId, Party>,
    /// Who may declare for whom, beside itself.
    pub mandates: Vec<Mandate>,
    /// Patient groups.
    pub groups: BTreeMap<GroupId, Group>,
    /// Activities by code, with their names.
    pub activities: BTreeMap<ActivityCode, String>,
    /// Contracts.
    pub contracts: BTreeMap<ContractId, Contract>,
    /// Double-funding rules over two lines.
    pub pair_rules: Vec<PairRule>,
    /// Rules over one line, judged with the pair rules.
    pub line_rules: Vec<LineRule>,
}

/// A COD367-VEKT list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CodeList {
    /// Its name.
    pub name: String,
    /// When it is in use.
    pub validity: Validity,
    /// Whether it may be used towards an insurer; list 999 may not (9544).
    pub to_insurers: bool,
}

/// A prestatie and the conditions under which it may be declared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CatalogueEntry {
    /// Dutch name.
    pub name: String,
    /// Kind of funding.
    pub kind: KindCode,
    /// When the code may be used (judged on the begin date). Absent: no prestatie is in force (0698).
    pub validity: Option<Validity>,
    /// Window of an experiment; the whole period must lie inside (0698 with GDC-EXP).
    pub experiment: Option<Validity>,
    /// What one unit is.
    pub unit: Unit,
    /// How its price is bound.
    pub tarief_kind: TariefKind,
    /// What must hold.
    pub conditions: BTreeSet<Condition>,
    /// AGB kinds (first two digits) that may declare it; empty: any.
    pub provider_kinds: BTreeSet<Box<str>>,
    /// Health condition that it is about, if one.
    pub condition: Option<ConditionCode>,
    /// Form of the service (Parkinson, ...), by which ADZ differ.
    pub form: Option<Box<str>>,
    /// When the Zorginstituut confirmed the link with insured care.
    pub zorginstituut_assessed_on: Option<Day>,
    /// When an NZa description came into force.
    pub nza_described_on: Option<Day>,
    /// Article, rule number or document.
    pub legal_basis: String,
    /// A test code of list 990: outcomes and pages say that it is no NZa code.
    pub test_code: bool,
}

/// What one unit of a prestatie is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Unit {
    /// One amount for a term; quantity is 1.
    Lumpsum,
    /// Per insured person in a period.
    Insured,
    /// A quarter of a year tarief, per patient in care on its first day.
    Quarter,
    /// Hour.
    Hour,
    /// Week.
    Week,
    /// Month.
    Month,
    /// Year.
    Year,
    /// A consult, a treatment, a trajectory.
    Piece,
}

/// Source: 001_391917b9bc3bdc5d.txt, 4.5.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TariefKind {
    /// Free: what the contract says.
    Vrij,
    /// Exactly this.
    Vast(Tarief),
    /// At most this.
    Maximum(Tarief),
    /// At most this, or up to a tenth more by written agreement.
    MaxMax(Tarief),
    /// At least this.
    Minimum(Tarief),
}

/// What must hold of a line before a prestatie may be declared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Condition {
    /// A contract, written and signed (GDC-SCHRIFT).
    WrittenAgreement,
    /// A patient group of the contract (GDC-GROEP).
    PatientGroup,
    /// Assessed by the Zorginstituut and described by the NZa (GDC-ADZ-TOETS).
    ZorginstituutAssessment,
    /// At least two zorgaanbieders take part; judged as a line rule (GDC-PARTIJ).
    TwoZorgaanbieders,
    /// The insured was in care on the first day of the period (0698).
    InCareOnFirstDay,
    /// No insured person and no individual meeting (GDC-INDIV).
    NoInsured,
    /// An insured person with a BSN (0435).
    InsuredRequired,
    /// Shares of domains, with a Zvw share (GDC-SLEUTEL, GDC-ZVW-DEEL).
    DomainShares,
    /// Shares of sectors (GDC-SLEUTEL).
    SectorShares,
    /// At least one activity, and none that is regular care (0698).
    NoRegularCare,
}

/// An insurer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Insurer {
    /// Its name.
    pub name: String,
    /// When its number may be used.
    pub validity: Validity,
}

/// Someone who may send declarations or read outcomes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Party {
    /// Its own AGB code, if it is a provider.
    pub agb: Option<Agb>,
    /// Its UZOVI number, if it is an insurer.
    pub uzovi: Option<Uzovi>,
    /// AMQP user name.
    pub amqp_user: Option<String>,
    /// Subject name of its certificate.
    pub certificate: Option<String>,
    /// SHA-256 of its gateway credential, hexadecimal.
    pub gateway_credential_sha256: Option<String>,
}

/// `party` may declare for `declarant`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mandate {
    /// Who sends.
    pub party: PartyId,
    /// For whom.
    pub declarant: Agb,
    /// When.
    pub validity: Validity,
}

/// A patient group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// What it is.
    pub name: String,
    /// Where it lives.
    pub region: Option<RegionCode>,
    /// What its patients have.
    pub condition: Option<ConditionCode>,
}

/// An agreement of providers and insurers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contract {
    /// Who may declare under it.
    pub declarants: BTreeSet<Agb>,
    /// Other providers of the cooperation.
    pub participants: BTreeSet<Agb>,
    /// Third parties without an AGB code.
    pub third_parties: Vec<String>,
    /// Who buys, with the share of each (10,000 together under each_insurer).
    pub insurers: Vec<BoundInsurer>,
    /// How insurers buy.
    pub purchase_model: PurchaseModel,
    /// Who is billed.
    pub billing: Billing,
    /// Where it stands.
    pub state: ContractState,
    /// Whether it is in writing.
    pub written: bool,
    /// When both sides had signed.
    pub signed_on: Option<Day>,
    /// Its term.
    pub term: Period,
    /// What it covers.
    pub prestaties: BTreeMap<PrestatieKey, ContractPrestatie>,
    /// Its patient groups.
    pub groups: BTreeSet<GroupId>,
    /// Groups of other contracts that overlap with its groups.
    pub overlapping_groups: BTreeSet<GroupId>,
    /// Its region.
    pub region: Option<RegionCode>,
    /// What it pays for.
    pub activities: BTreeSet<ActivityCode>,
    /// Part of a hybrid meeting that is about individual patients and is deducted.
    pub hybrid_deduction: Option<BasisPoints>,
    /// Upper bounds.
    pub ceilings: Vec<Ceiling>,
    /// Months after the end of a prestatie within which it is submitted.
    pub submission_months: i32,
    /// Months more for a refused line to come again.
    pub resubmission_months: i32,
    /// Whether insured persons are exempt from eigen risico for it.
    pub eigen_risico_exempt: bool,
    /// Prestaties of others that are agreed to be part of it.
    pub agreed_parts: BTreeSet<PrestatieKey>,
    /// When schoning of the old funding was recorded.
    pub schoning_recorded_on: Option<Day>,
}

/// An insurer of a contract.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BoundInsurer {
    /// Who.
    pub uzovi: Uzovi,
    /// Its share of the whole.
    pub share: BasisPoints,
    /// Whether it stepped out (volgbeleid).
    pub opted_out: bool,
}

/// Source: 001_391917b9bc3bdc5d.txt, 4.6.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PurchaseModel {
    /// Each insurer for itself.
    Concurrentie,
    /// Others may follow the preferred insurer.
    Volgbeleid,
    /// One or two buy for all.
    Representatie,
}

/// Who is billed under a contract of several insurers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Billing {
    /// Every bound insurer gets its own line for its share.
    EachInsurer,
    /// One line for the whole goes to this insurer.
    LeadInsurer(Uzovi),
}

/// Life of a contract. What lies in the term of a contract that was signed may be declared under it, also after
/// it ended: its term says until when, and the term of submission how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContractState {
    /// Being drafted.
    Concept,
    /// In onderhandeling.
    InNegotiation,
    /// Signed by both sides.
    Signed,
    /// Running.
    Active,
    /// Ended.
    Ended,
}

/// A prestatie under a contract.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContractPrestatie {
    /// Most lines per subject and insurer over the whole contract (0584); absent: any.
    pub terms_max: Option<u32>,
    /// Tarief and keys per span of the contract; spans do not overlap. The one that covers a line's whole period
    /// is its covering term.
    pub terms: Vec<ContractTerm>,
}

/// What was agreed for a span of a contract.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContractTerm {
    /// When it holds.
    pub period: Period,
    /// Euro per unit; of a lumpsum: the Zvw part of one term; of a quarter: the tarief of a year.
    pub tarief: Tarief,
    /// Shares of the domains in the programme, in the order of allocation.
    pub domain_shares: Vec<Share>,
    /// Shares of the sectors in the Zvw part, in the order of allocation.
    pub sector_shares: Vec<Share>,
}

/// An upper bound over a named period of a contract, all insurers together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ceiling {
    /// Its name.
    pub name: Box<str>,
    /// Lines that begin in it count.
    pub period: Period,
    /// The bound.
    pub cents: Cents,
}

/// How closely two lines must meet for a pair rule; narrower is later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MatchLevel {
    /// A shared AGB code and a day in common.
    Candidate,
    /// Also group and activity in common.
    Full,
    /// The same insured person.
    SameInsured,
    /// The same contract and subject.
    SameContract,
}

/// What a rule says; stricter is later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Effect {
    /// Both may be paid.
    Allow,
    /// One is paid less.
    Reduce,
    /// A person decides.
    Review,
    /// One is refused.
    Exclude,
}

/// One side of a pair rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Operand {
    /// Any prestatie at all (ranks lowest).
    Any,
    /// The same kind as the other side.
    SameKind,
    /// The same prestatie as the other side.
    SameCode,
    /// A kind of funding.
    Kind(KindCode),
    /// One prestatie.
    Code(PrestatieKey),
}

/// A condition of a pair rule on the two lines.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum When {
    /// None.
    Always,
    /// The hybrid line's contract has a deduction.
    HybridWithDeduction,
    /// The hybrid line's contract has none.
    HybridWithoutDeduction,
    /// Chain coordination is an activity of both.
    ChainCoordinationInBoth,
    /// Schoning is not recorded.
    SchoningNotRecorded,
    /// One line's prestatie is agreed part of the other's contract.
    AgreedAsPart,
    /// Both have the same form.
    SameForm,
    /// They have different forms.
    OtherForm,
    /// Their periods are equal.
    EqualPeriod,
    /// Their periods are not equal.
    UnequalPeriod,
    /// Exactly one line names the other's declarant as the one it bills for.
    Subcontracted,
    /// Both are about the same condition.
    SameCondition,
    /// One declarant declared both.
    SameDeclarant,
}

/// Whether a pair rule needs a payer in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InsurerPredicate {
    /// No.
    Any,
    /// Yes.
    Shared,
}

/// What a rule rests on; shown wherever it is applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Basis {
    /// An act.
    Law,
    /// An NZa regulation or a ministerial instruction in force.
    Regulation,
    /// A draft.
    Draft,
    /// The text of another regulation, taken as an example.
    Model,
    /// The insurer's agreed rule.
    Assumption,
}

/// What all rules of double funding have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleHead {
    /// Its id.
    pub id: Box<str>,
    /// Its version.
    pub version: u32,
    /// What it says.
    pub effect: Effect,
    /// One or two reason codes; none where the effect is allow.
    pub codes: Vec<ReasonCode>,
    /// Whether a person may set it aside with a recorded justification.
    pub override_allowed: bool,
    /// What it rests on.
    pub basis: Basis,
    /// Article, rule number or document, in words.
    pub source: String,
    /// When it is in force, judged on the later begin date.
    pub validity: Validity,
}

/// A dated rule over two lines; symmetric in `a` and `b`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PairRule {
    /// Id, effect, reason, source.
    pub head: RuleHead,
    /// One side.
    pub a: Operand,
    /// The other side.
    pub b: Operand,
    /// How closely they must meet.
    pub level: MatchLevel,
    /// What else must hold.
    pub when: When,
    /// Whether a payer must be shared.
    pub insurer: InsurerPredicate,
}

/// A dated rule over one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LineRule {
    /// Id, effect, reason, source.
    pub head: RuleHead,
    /// Which lines: a kind or a code.
    pub of: Operand,
    /// When it hits.
    pub condition: LineCondition,
}

/// What a line rule looks at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LineCondition {
    /// A hybrid meeting, and the contract has a deduction.
    HybridWithDeduction,
    /// A hybrid meeting, and the contract has none.
    HybridWithoutDeduction,
    /// Fewer than two zorgaanbieder AGB codes among line and contract; kind 98 does not count.
    FewerThanTwoZorgaanbieders,
}
