//! Contracts: agreements of providers and insurers, with all that was agreed as dated facts.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::{
    cents::{BasisPoints, Cents},
    declaration::{PrestatieKey, Share},
    identifiers::{ActivityCode, Agb, GroupId, RegionCode, Uzovi},
    period::{Day, Period},
    tarief::Tarief,
};

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
    /// Insurers that negotiated it: those that others follow, or that represent all.
    pub negotiators: BTreeSet<Uzovi>,
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
    /// Whom it serves (adherentiegebied).
    pub catchment: Option<Catchment>,
    /// The regioplan that it follows from.
    pub regioplan: Option<String>,
    /// What it pays for.
    pub activities: BTreeSet<ActivityCode>,
    /// Part of a hybrid meeting that is about individual patients and is deducted.
    pub hybrid_deduction: Option<BasisPoints>,
    /// Upper bounds; what goes over is refused.
    pub ceilings: Vec<Ceiling>,
    /// Budgets; what differs is settled afterwards. No budget has the name of a ceiling.
    pub budgets: Vec<Budget>,
    /// Months after the end of a prestatie within which it is submitted.
    pub submission_months: i32,
    /// Months more for a refused line to come again.
    pub resubmission_months: i32,
    /// Whether insured persons are exempt from eigen risico for it.
    pub eigen_risico_exempt: bool,
    /// Prestaties of others that are agreed to be part of it.
    pub agreed_parts: BTreeSet<PrestatieKey>,
    /// What was taken out of other funding for it (schoning).
    pub schoning: Vec<DatedAmount>,
    /// What its care replaces elsewhere (substitutie).
    pub substitution: Vec<DatedAmount>,
    /// When the parties confirmed what the funding of an ADZ needs.
    pub adz: Option<AdzConfirmation>,
    /// What it is measured by.
    pub kpis: Vec<Kpi>,
}

/// An insurer of a contract.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BoundInsurer {
    /// Who.
    pub uzovi: Uzovi,
    /// Its share of the whole.
    pub share: BasisPoints,
    /// How it stands to what others negotiated.
    pub stance: Stance,
}

impl BoundInsurer {
    /// Whether lines under the contract may go to it.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.stance != Stance::OptedOut
    }
}

/// How an insurer stands to a contract that others negotiated. Source: 001_391917b9bc3bdc5d.txt, 4.6.2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stance {
    /// As agreed, for its share.
    Follows,
    /// It follows, with tarieven of its own: euro per unit, of a lumpsum its own part of one term.
    Deviates(BTreeMap<PrestatieKey, Tarief>),
    /// It stepped out of volgbeleid; its share stays with it, outside this contract.
    OptedOut,
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
    /// Shares of the bound at which it is signalled, ascending.
    pub signals: Vec<BasisPoints>,
}

/// A budget over a named period of a contract, all insurers together: declared prestaties fill it, and the
/// difference is settled after the year (nacalculatie).
///
/// Source: 001_391917b9bc3bdc5d.txt, 4.2 and 4.3.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Its name.
    pub name: Box<str>,
    /// Lines that begin in it count.
    pub period: Period,
    /// What its size rests on; they add up.
    pub grounds: Vec<Ground>,
    /// Their sum, which is the whole of 10,000 basis points.
    pub base: Cents,
    /// What was agreed of it, in basis points: 9,000 is where negotiation begins, and more than the whole may be
    /// agreed.
    pub agreed_basis_points: u32,
    /// What was agreed, in cents.
    pub cents: Cents,
    /// Shares of the budget at which it is signalled, ascending.
    pub signals: Vec<BasisPoints>,
}

/// A ground of the size of a budget. Source: 001_391917b9bc3bdc5d.txt, 4.3.1 to 4.3.3.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ground {
    /// So many units of capacity (ambulances, beds, coordinators), at a rate each.
    Capacity {
        /// How many.
        units: u32,
        /// Euro for one.
        rate: Tarief,
    },
    /// So many inhabitants of the adherentiegebied, at a rate each.
    Population {
        /// How many.
        inhabitants: u32,
        /// Euro for one, at most what the NZa sets.
        rate: Tarief,
    },
    /// A part of a macro-budget.
    MacroShare {
        /// The macro-budget.
        whole: Cents,
        /// The part of it.
        share: BasisPoints,
    },
}

/// Whom a contract serves: the adherentiegebied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Catchment {
    /// Regions in it.
    pub regions: BTreeSet<RegionCode>,
    /// Inhabitants.
    pub inhabitants: u32,
    /// When they were counted.
    pub counted_on: Day,
}

/// An amount that was recorded on a day, and what it is of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DatedAmount {
    /// When.
    pub on: Day,
    /// How much.
    pub cents: Cents,
    /// Whose funding is less by it.
    pub of: String,
}

/// When the parties of an ADZ confirmed its conditions in their written agreement.
///
/// Source: 000_5970900bc1799c66.txt, conditions (i) to (iii) and the agreement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AdzConfirmation {
    /// (i) It supports the providers directly in giving insured care.
    pub direct_support_on: Day,
    /// (ii) It benefits patients who are insured with the insurers of the contract.
    pub benefits_own_insured_on: Day,
    /// (iii) The provider keeps, and can bear, responsibility for quality.
    pub quality_with_provider_on: Day,
}

/// A KPI agreement: what is measured, what is aimed at, and what follows. It decides no declaration.
///
/// Source: 001_391917b9bc3bdc5d.txt, 4.1 and 5.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kpi {
    /// Its name.
    pub name: String,
    /// What is aimed at.
    pub target: KpiTarget,
    /// What was measured last, if it was.
    pub measured: Option<Measured>,
    /// What follows when the target is not reached, in words.
    pub consequence: String,
}

/// A target of a KPI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KpiTarget {
    /// This or more.
    AtLeast(Decimal),
    /// This or less.
    AtMost(Decimal),
}

/// A measured value of a KPI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measured {
    /// The value.
    pub value: Decimal,
    /// When.
    pub on: Day,
}

impl Kpi {
    /// Whether the target is reached; unknown until it was measured.
    #[must_use]
    pub fn is_reached(&self) -> Option<bool> {
        let value = self.measured?.value;
        Some(match self.target {
            KpiTarget::AtLeast(target) => value >= target,
            KpiTarget::AtMost(target) => value <= target,
        })
    }
}
