//! Reference data: everything that decisions depend on beside the declarations, as one dated, versioned snapshot.
//!
//! Adapters load it from files; rules only read it. A kind of funding is a code here, never an enum: closed enums
//! are the mechanisms (tarief kind, unit, condition, match level, effect).

mod contract;
mod rule;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    declaration::PrestatieKey,
    identifiers::{
        ActivityCode, Agb, ConditionCode, ContractId, GroupId, KindCode, PartyId, ReferenceVersion,
        RegionCode, Uzovi,
    },
    period::{Day, Validity},
    tarief::Tarief,
};

pub use contract::{
    AdzConfirmation, Billing, BoundInsurer, Budget, Catchment, Ceiling, Contract,
    ContractPrestatie, ContractState, ContractTerm, DatedAmount, Ground, Kpi, KpiTarget, Measured,
    PurchaseModel, Stance,
};
pub use rule::{
    Basis, Effect, InsurerPredicate, LineCondition, LineRule, MatchLevel, Operand, PairRule,
    Policy, RuleHead, When,
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
    /// What insurers want a person to look at instead of refusing it.
    pub policies: Vec<Policy>,
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
    /// When the insurers together proposed the key by which a lumpsum is divided.
    pub key_proposed_on: Option<Day>,
    /// Of a prestatie that fills a budget: most of the sum of its grounds that may be agreed, in basis
    /// points; more by substitution only (0611).
    pub budget_max_basis_points: Option<u32>,
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
    /// Assessed by the Zorginstituut, described by the NZa, confirmed in the agreement, and a lumpsum with a key
    /// that insurers proposed together (GDC-ADZ-TOETS).
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
    /// Paid outside the declarations of insurers: it counts as a rival once it is imported, and is not
    /// declared (0698).
    RivalOnly,
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
