//! Contracts as they stand in files.

use samenloop_domain::period::Day;
use serde::{Deserialize, Serialize};

use crate::reference::words::{BillingWord, ContractState, PurchaseModel, StanceWord};

/// `contracts/<id>.toml`: an agreement of providers and insurers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractEntry {
    /// Its id.
    pub id: String,
    /// What it is about, for the reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// AGB codes that may declare under it.
    pub declarants: Vec<String>,
    /// AGB codes of other providers of the cooperation.
    #[serde(default)]
    pub participants: Vec<String>,
    /// Parties without an AGB code.
    #[serde(default)]
    pub third_parties: Vec<String>,
    /// Who buys, with the share of each.
    pub insurers: Vec<BoundInsurerEntry>,
    /// How they buy.
    pub purchase_model: PurchaseModel,
    /// Who is billed.
    pub billing: BillingWord,
    /// UZOVI numbers of those that negotiated it: whom others follow, or who represent all.
    #[serde(default)]
    pub negotiators: Vec<String>,
    /// UZOVI number of the lead insurer, if it is billed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_insurer: Option<String>,
    /// Where it stands.
    pub state: ContractState,
    /// Whether it is in writing.
    pub written: bool,
    /// When both sides had signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_on: Option<Day>,
    /// First day of its term.
    pub first: Day,
    /// Last day of its term.
    pub last: Day,
    /// Its patient groups.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Groups of other contracts that overlap with its groups.
    #[serde(default)]
    pub overlapping_groups: Vec<String>,
    /// Its region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whom it serves (adherentiegebied).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catchment: Option<CatchmentEntry>,
    /// The regioplan that it follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regioplan: Option<String>,
    /// What it pays for.
    #[serde(default)]
    pub activities: Vec<String>,
    /// Basis points deducted for a hybrid meeting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hybrid_deduction: Option<u32>,
    /// Upper bounds.
    #[serde(default)]
    pub ceilings: Vec<CeilingEntry>,
    /// Budgets, settled after their period.
    #[serde(default)]
    pub budgets: Vec<BudgetEntry>,
    /// Months after the end of a prestatie within which it is submitted.
    pub submission_months: i32,
    /// Months more for a refused line.
    pub resubmission_months: i32,
    /// Whether insured are exempt from eigen risico for it.
    pub eigen_risico_exempt: bool,
    /// Prestaties of others that are part of it.
    #[serde(default)]
    pub agreed_parts: Vec<KeyEntry>,
    /// What was taken out of other funding for it.
    #[serde(default)]
    pub schoning: Vec<DatedAmountEntry>,
    /// What its care replaces elsewhere.
    #[serde(default)]
    pub substitution: Vec<DatedAmountEntry>,
    /// When the conditions of an ADZ were confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adz: Option<AdzEntry>,
    /// What it is measured by.
    #[serde(default)]
    pub kpis: Vec<KpiEntry>,
    /// What it covers.
    pub prestaties: Vec<ContractPrestatieEntry>,
}

/// An insurer of a contract.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundInsurerEntry {
    /// Who.
    pub uzovi: String,
    /// Its share in basis points.
    pub share: u32,
    /// How it stands to what others negotiated.
    #[serde(default)]
    pub stance: StanceWord,
    /// Its own tarieven, if it deviates.
    #[serde(default)]
    pub tarieven: Vec<OwnTariefEntry>,
}

/// A tarief of an insurer that follows with a deviation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnTariefEntry {
    /// List.
    pub list: String,
    /// Code.
    pub code: String,
    /// Euro per unit; of a lumpsum the insurer's own part of one term.
    pub tarief: String,
}

/// The adherentiegebied.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatchmentEntry {
    /// Regions in it.
    pub regions: Vec<String>,
    /// How many people live there.
    pub inhabitants: u32,
    /// When they were counted.
    pub counted_on: Day,
}

/// A budget over a span of a contract.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetEntry {
    /// Its name.
    pub name: String,
    /// First day.
    pub first: Day,
    /// Last day.
    pub last: Day,
    /// What its size rests on.
    pub grounds: Vec<GroundEntry>,
    /// What was agreed of the sum of the grounds, in basis points.
    pub agreed_basis_points: u32,
    /// Shares, in basis points, at which it is signalled.
    #[serde(default)]
    pub signals: Vec<u32>,
}

/// A ground of the size of a budget.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ground", rename_all = "snake_case", deny_unknown_fields)]
pub enum GroundEntry {
    /// Capacity.
    Capacity {
        /// How many units.
        units: u32,
        /// Euro for one.
        rate: String,
    },
    /// Population.
    Population {
        /// How many inhabitants.
        inhabitants: u32,
        /// Euro for one.
        rate: String,
    },
    /// A part of a macro-budget.
    MacroShare {
        /// The macro-budget.
        cents: i64,
        /// The part, in basis points.
        share: u32,
    },
}

/// An amount of a day.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatedAmountEntry {
    /// When it was recorded.
    pub on: Day,
    /// How much.
    pub cents: i64,
    /// Whose funding is less by it.
    pub of: String,
}

/// When the conditions of an ADZ were confirmed in the agreement.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdzEntry {
    /// (i) Direct support of providers.
    pub direct_support_on: Day,
    /// (ii) For patients insured with the insurers of the contract.
    pub benefits_own_insured_on: Day,
    /// (iii) Responsibility for quality stays with the provider.
    pub quality_with_provider_on: Day,
}

/// A KPI agreement.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KpiEntry {
    /// Its name.
    pub name: String,
    /// The target: this or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<String>,
    /// The target: this or less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<String>,
    /// The value that was measured last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_on: Option<Day>,
    /// What follows when the target is not reached.
    pub consequence: String,
}

/// An upper bound over a span of a contract.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CeilingEntry {
    /// Its name.
    pub name: String,
    /// First day.
    pub first: Day,
    /// Last day.
    pub last: Day,
    /// The bound.
    pub cents: i64,
    /// Shares, in basis points, at which it is signalled.
    #[serde(default)]
    pub signals: Vec<u32>,
}

/// List and code of a prestatie.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// List.
    pub list: String,
    /// Code.
    pub code: String,
}

/// A prestatie under a contract.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractPrestatieEntry {
    /// List.
    pub list: String,
    /// Code.
    pub code: String,
    /// Most lines per subject and insurer; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms_max: Option<u32>,
    /// Price and keys per span.
    pub terms: Vec<TermEntry>,
}

/// What was agreed for a span of a contract.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermEntry {
    /// First day.
    pub first: Day,
    /// Last day.
    pub last: Day,
    /// Euro per unit; of a lumpsum the Zvw part of one term.
    pub tarief: String,
    /// Shares of the domains in the programme.
    #[serde(default)]
    pub domain_shares: Vec<ShareEntry>,
    /// Shares of the sectors in the Zvw part.
    #[serde(default)]
    pub sector_shares: Vec<ShareEntry>,
}

/// A part of a whole of 10,000 basis points.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareEntry {
    /// Domain or sector.
    pub key: String,
    /// Basis points.
    pub share: u32,
}
