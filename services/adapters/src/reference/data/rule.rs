//! Rules of double funding as they stand in files.

use samenloop_domain::period::Day;
use serde::{Deserialize, Serialize};

use crate::reference::words::{Basis, Effect, InsurerPredicate, LineCondition, MatchLevel, When};

/// `pair_rules.toml`: a rule of double funding over two lines.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairRuleEntry {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// One side: `any`, `same_code`, `same_kind`, `kind:BDSS` or `code:990/BDSS1`.
    pub a: String,
    /// The other side.
    pub b: String,
    /// How closely the lines must meet.
    #[serde(rename = "match")]
    pub level: MatchLevel,
    /// What else must hold.
    #[serde(default = "always")]
    pub when: When,
    /// Whether a payer must be shared; absent: shared for candidate and full, else any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insurer: Option<InsurerPredicate>,
    /// What it says.
    pub effect: Effect,
    /// Reason codes.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Whether a person may set it aside.
    pub override_allowed: bool,
    /// What it rests on.
    pub basis: Basis,
    /// Of an assumption: when the insurer accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_on: Option<Day>,
    /// Article, rule number or document.
    pub source: String,
    /// First day in force.
    pub from: Day,
    /// First day no longer in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

/// `line_rules.toml`: a rule of double funding over one line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineRuleEntry {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// Which lines: `kind:BDSS` or `code:990/BDSS1`.
    pub of: String,
    /// When it hits.
    pub condition: LineCondition,
    /// What it says.
    pub effect: Effect,
    /// Reason codes.
    #[serde(default)]
    pub codes: Vec<String>,
    /// Whether a person may set it aside.
    pub override_allowed: bool,
    /// What it rests on.
    pub basis: Basis,
    /// Of an assumption: when the insurer accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_on: Option<Day>,
    /// Article, rule number or document.
    pub source: String,
    /// First day in force.
    pub from: Day,
    /// First day no longer in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

fn always() -> When {
    When::Always
}

/// `policies.toml`: what an insurer wants a person to look at instead of refusing it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyEntry {
    /// UZOVI number of the insurer.
    pub insurer: String,
    /// Ids of pair rules; empty: all but those over one contract and subject.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Where the insurer decided it.
    pub source: String,
    /// First day.
    pub from: Day,
    /// First day after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}
