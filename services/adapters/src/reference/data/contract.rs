//! Contracts as they stand in files.

use samenloop_domain::period::Day;
use serde::{Deserialize, Serialize};

use crate::reference::words::{BillingWord, ContractState, PurchaseModel};

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
    /// What it pays for.
    #[serde(default)]
    pub activities: Vec<String>,
    /// Basis points deducted for a hybrid meeting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hybrid_deduction: Option<u32>,
    /// Upper bounds.
    #[serde(default)]
    pub ceilings: Vec<CeilingEntry>,
    /// Months after the end of a prestatie within which it is submitted.
    pub submission_months: i32,
    /// Months more for a refused line.
    pub resubmission_months: i32,
    /// Whether insured are exempt from eigen risico for it.
    pub eigen_risico_exempt: bool,
    /// Prestaties of others that are part of it.
    #[serde(default)]
    pub agreed_parts: Vec<KeyEntry>,
    /// When schoning of the old funding was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schoning_recorded_on: Option<Day>,
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
    /// Whether it stepped out (volgbeleid).
    #[serde(default)]
    pub opted_out: bool,
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
