//! What the ledger adds to the report: claims, by the sectors and insurers that bear them, and entries beside claims.
//!
//! Over all days and kinds, what sectors bear here is what their accounts hold.

use super::{Asked, Emit, UNKNOWN};
use crate::{
    cents::Cents,
    identifiers::{ContractId, KindCode, RegionCode, Uzovi},
    period::{Day, Period},
};

/// A claim, as far as one insurer bears it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChargedClaim {
    /// Who bears it.
    pub insurer: Uzovi,
    /// Kind of funding.
    pub kind: KindCode,
    /// Under which contract, if any.
    pub contract: Option<ContractId>,
    /// Region of the line.
    pub region: Option<RegionCode>,
    /// First day of the prestatie.
    pub first_day: Day,
    /// What each sector bears; a credit's are negative.
    pub charges: Vec<Charge>,
}

/// What a sector bears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charge {
    /// Which; empty where the contract has no sector key.
    pub sector: Box<str>,
    /// How much.
    pub cents: Cents,
}

/// An entry of an insurer's books that sectors bear: a nacalculatie, a correction, or the reversal of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChargedEntry {
    /// Who bears it.
    pub insurer: Uzovi,
    /// Under which contract.
    pub contract: Option<ContractId>,
    /// First day of its budget; of one without, the day on which it was recorded.
    pub day: Day,
    /// What each sector bears.
    pub charges: Vec<Charge>,
}

/// A budget that an insurer recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordedBudget {
    /// Who.
    pub insurer: Uzovi,
    /// Its name.
    pub budget_id: Box<str>,
    /// Under which contract.
    pub contract: Option<ContractId>,
    /// Claims that begin in it fill it.
    pub period: Period,
    /// What was agreed.
    pub agreed: Cents,
}

/// What a claim adds.
pub fn claim(claim: &ChargedClaim, asked: &Asked, emit: &mut Emit<'_>) {
    let region = claim.region.as_ref().map_or(UNKNOWN, RegionCode::as_str);
    let insurer = claim.insurer.as_str();
    let is_asked = asked.days.contains(claim.first_day)
        && asked.has_kind(claim.kind.as_str())
        && asked.has_place(insurer, region);
    if !is_asked {
        return;
    }
    let month = format!(
        "{:04}-{:02}",
        claim.first_day.year(),
        claim.first_day.month()
    );
    for Charge { sector, cents } in &claim.charges {
        let column = match cents.get() < 0 {
            true => "credited_cents",
            false => "gross_cents",
        };
        let rows = [
            ("sectors", named(sector)),
            ("insurers", insurer),
            ("regions", region),
            ("months", &month),
            ("kinds", claim.kind.as_str()),
        ];
        for (table, row) in rows {
            emit.add(table, row, "charges", 1);
            emit.add(table, row, column, cents.get());
            if let (Some(contract), true) = (&claim.contract, table != "months") {
                emit.name(table, row, "contracts", contract.as_str());
            }
        }
    }
}

/// What an entry adds; entries have no kind and no region, so `is_of_kinds` tells whether its contract is asked.
pub fn entry(entry: &ChargedEntry, asked: &Asked, of: EntryOf, emit: &mut Emit<'_>) {
    let insurer = entry.insurer.as_str();
    let is_asked = asked.days.contains(entry.day)
        && of == EntryOf::KindsAsked
        && asked.insurer.is_none_or(|it| it == entry.insurer);
    if !is_asked {
        return;
    }
    for Charge { sector, cents } in &entry.charges {
        for (table, row) in [("sectors", named(sector)), ("insurers", insurer)] {
            emit.add(table, row, "entry_cents", cents.get());
        }
    }
}

/// What a recorded budget adds to those of the days that it touches.
pub fn budget(budget: &RecordedBudget, asked: &Asked, of: EntryOf, emit: &mut Emit<'_>) {
    let is_asked = asked.days.days_in_common(budget.period) > 0
        && of == EntryOf::KindsAsked
        && asked.insurer.is_none_or(|it| it == budget.insurer);
    if is_asked {
        let insurer = budget.insurer.as_str();
        emit.add("recorded_budgets", insurer, "budgets", 1);
        emit.add(
            "recorded_budgets",
            insurer,
            "budget_cents",
            budget.agreed.get(),
        );
    }
}

/// Whether the contract of an entry is of the kinds and the region that are asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryOf {
    /// It is.
    KindsAsked,
    /// It is of others.
    Others,
}

fn named(sector: &str) -> &str {
    if sector.is_empty() { UNKNOWN } else { sector }
}
