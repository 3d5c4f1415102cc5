//! Reference data as it stands in files: one struct an entry, with the names that a purchaser
//! edits.
//!
//! Nothing is checked here beyond the shape of an entry. Days are written as "2024-05-01"; `until`
//! is the first day on which something no longer holds, `last` is the last day on which it does.

use samenloop_domain::period::Day;
use serde::{Deserialize, Serialize};

use super::{
    fault::Entry,
    words::{Condition, TariefWord, Unit},
};

mod contract;
mod rule;

pub use contract::{
    AdzEntry, BoundInsurerEntry, BudgetEntry, CatchmentEntry, CeilingEntry, ContractEntry,
    ContractPrestatieEntry, DatedAmountEntry, GroundEntry, KeyEntry, KpiEntry, OwnTariefEntry,
    ShareEntry, TermEntry,
};
pub use rule::{LineRuleEntry, PairRuleEntry, PolicyEntry};

/// All entries of all files.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "one field a file, named after it")]
pub struct ReferenceData {
    pub version: Entry<VersionEntry>,
    pub code_lists: Vec<Entry<CodeListEntry>>,
    pub catalogue: Vec<Entry<PrestatieEntry>>,
    pub providers: Vec<Entry<ProviderEntry>>,
    pub insurers: Vec<Entry<InsurerEntry>>,
    pub parties: Vec<Entry<PartyEntry>>,
    pub mandates: Vec<Entry<MandateEntry>>,
    pub groups: Vec<Entry<GroupEntry>>,
    pub activities: Vec<Entry<ActivityEntry>>,
    pub contracts: Vec<Entry<ContractEntry>>,
    pub pair_rules: Vec<Entry<PairRuleEntry>>,
    pub line_rules: Vec<Entry<LineRuleEntry>>,
    pub policies: Vec<Entry<PolicyEntry>>,
}

/// `version.toml`: the name of this version of the reference data.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionEntry {
    /// Its name.
    pub version: String,
    /// What changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// `code_lists.toml`: a list of COD367-VEKT.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeListEntry {
    /// Three digits.
    pub list: String,
    /// Its name.
    pub name: String,
    /// First day in use.
    pub from: Day,
    /// First day no longer in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
    /// Whether it may be used towards an insurer.
    pub to_insurers: bool,
}

/// `catalogue.toml`: a prestatie and its conditions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrestatieEntry {
    /// List of COD367-VEKT.
    pub list: String,
    /// One to six characters.
    pub code: String,
    /// Dutch name.
    pub name: String,
    /// Kind of funding.
    pub kind: String,
    /// First day of use; absent: no prestatie is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// First day no longer in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
    /// Window of an experiment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<SpanEntry>,
    /// What one unit is.
    pub unit: Unit,
    /// How its price is bound.
    pub tarief_kind: TariefWord,
    /// Euro, where the kind of tarief has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tarief: Option<String>,
    /// What must hold.
    #[serde(default)]
    pub conditions: Vec<Condition>,
    /// AGB kinds that may declare it; empty: any.
    #[serde(default)]
    pub provider_kinds: Vec<String>,
    /// Health condition that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Form of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// When the Zorginstituut confirmed the link with insured care.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zorginstituut_assessed_on: Option<Day>,
    /// When an NZa description came into force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nza_described_on: Option<Day>,
    /// When the insurers together proposed the key of a lumpsum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_proposed_on: Option<Day>,
    /// Of a prestatie that fills a budget: most that may be agreed of it, in basis points of its grounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_max_basis_points: Option<u32>,
    /// Article, rule number or document.
    pub legal_basis: String,
    /// No NZa code; said on every outcome that uses it.
    #[serde(default)]
    pub test_code: bool,
}

/// From a day until, and not on, another.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpanEntry {
    /// First day.
    pub from: Day,
    /// First day after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

/// `providers.toml`: a registration of an AGB code.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderEntry {
    /// Eight digits.
    pub agb: String,
    /// Its name, for the reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// First day registered.
    pub from: Day,
    /// First day no longer registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

/// `insurers.toml`: a UZOVI number.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InsurerEntry {
    /// Four digits.
    pub uzovi: String,
    /// Its name.
    pub name: String,
    /// First day of use.
    pub from: Day,
    /// First day no longer in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

/// `parties.toml`: who may connect.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyEntry {
    /// Its id; also the routing key of its outcomes.
    pub id: String,
    /// Its own AGB code, of a provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agb: Option<String>,
    /// Its own UZOVI number, of an insurer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uzovi: Option<String>,
    /// AMQP user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amqp_user: Option<String>,
    /// Subject name of its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// SHA-256 of its gateway credential, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_credential_sha256: Option<String>,
}

/// `mandates.toml`: a party may declare for a declarant beside itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MandateEntry {
    /// Who sends.
    pub party: String,
    /// AGB code for whom.
    pub declarant: String,
    /// First day.
    pub from: Day,
    /// First day after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

/// `groups.toml`: a patient group.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupEntry {
    /// Its id, the same in every contract.
    pub id: String,
    /// What it is.
    pub name: String,
    /// Where it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// What its patients have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// `activities.toml`: an activity.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityEntry {
    /// Its code.
    pub code: String,
    /// What it is.
    pub name: String,
}
