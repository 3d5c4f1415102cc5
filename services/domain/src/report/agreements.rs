//! What contracts add to the report: how many agreements there are in which state, and the size of their budgets.

use std::collections::BTreeSet;

use super::{Asked, Emit, UNKNOWN, money::EntryOf};
use crate::{
    cents::Cents,
    declaration::PrestatieKey,
    identifiers::{ContractId, KindCode, RegionCode},
    period::Period,
    reference::{Contract, ContractPrestatie, ContractState, Reference, Unit},
};

/// Whether a line was awarded under a contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// In these days.
    Used,
    /// Not in these days.
    Unused,
}

/// What a contract adds whose term touches the days asked.
pub fn contract(
    (id, contract): (&ContractId, &Contract),
    used: Use,
    reference: &Reference,
    asked: &Asked,
    emit: &mut Emit<'_>,
) {
    let days = asked.days.days_in_common(contract.term);
    if days == 0 || of_contract(contract, reference, asked) == EntryOf::Others {
        return;
    }
    emit.name(
        "agreements",
        state_word(contract.state),
        "contracts",
        id.as_str(),
    );
    if matches!(
        contract.state,
        ContractState::Concept | ContractState::InNegotiation
    ) {
        return;
    }
    let kinds = kinds(contract, reference);
    let kind = match kinds.iter().next() {
        Some(kind) if kinds.len() == 1 => kind.as_str(),
        // A budget of several kinds is not divided over them.
        _ => UNKNOWN,
    };
    let size = size(contract, reference, asked.days);
    emit.name("budgets", kind, "agreed_contracts", id.as_str());
    match size {
        Some(cents) => emit.add("budgets", kind, "agreed_cents", cents.get()),
        None => emit.name("budgets", kind, "without_budget", id.as_str()),
    }
    if used == Use::Used {
        emit.name("budgets", kind, "contracts", id.as_str());
        emit.add("budgets", kind, "budget_cents", size.map_or(0, Cents::get));
    }
}

/// Whether a contract is of the kinds, the insurer and the region that are asked.
#[must_use]
pub fn of_contract(contract: &Contract, reference: &Reference, asked: &Asked) -> EntryOf {
    let kinds = kinds(contract, reference);
    let has_kind = asked.kinds.is_none() || kinds.iter().any(|it| asked.has_kind(it.as_str()));
    let mut insurers = contract.insurers.iter();
    let has_insurer = asked
        .insurer
        .is_none_or(|it| insurers.any(|bound| bound.uzovi == it));
    let region = contract.region.as_ref().map_or(UNKNOWN, RegionCode::as_str);
    let has_region = asked.region.as_ref().is_none_or(|it| it.as_str() == region);
    match has_kind && has_insurer && has_region {
        true => EntryOf::KindsAsked,
        false => EntryOf::Others,
    }
}

fn kinds(contract: &Contract, reference: &Reference) -> BTreeSet<KindCode> {
    let entries = contract.prestaties.keys();
    let entries = entries.filter_map(|key| reference.catalogue.get(key));
    entries.map(|entry| entry.kind.clone()).collect()
}

/// How much was agreed: the budgets of these days; without any, the ceilings; without any, what the terms of its
/// lumpsums come to over the whole contract. None where a contract bounds nothing.
fn size(contract: &Contract, reference: &Reference, days: Period) -> Option<Cents> {
    let touches = |period: Period| days.days_in_common(period) > 0;
    let budgets = contract.budgets.iter().filter(|it| touches(it.period));
    let budgets: Vec<Cents> = budgets.map(|it| it.cents).collect();
    let ceilings = contract.ceilings.iter().filter(|it| touches(it.period));
    let ceilings: Vec<Cents> = ceilings.map(|it| it.cents).collect();
    let lumpsums = || -> Vec<Cents> {
        let agreed = contract.prestaties.iter();
        let agreed =
            agreed.filter_map(|(key, agreed)| lumpsum(key, agreed, contract, reference, days));
        agreed.collect()
    };
    let found = [budgets, ceilings]
        .into_iter()
        .find(|found| !found.is_empty());
    let found = found.unwrap_or_else(lumpsums);
    (!found.is_empty()).then(|| found.into_iter().sum())
}

/// All terms of a lumpsum, for each patient group, at the last tarief that was agreed for these days.
fn lumpsum(
    key: &PrestatieKey,
    agreed: &ContractPrestatie,
    contract: &Contract,
    reference: &Reference,
    days: Period,
) -> Option<Cents> {
    let entry = reference.catalogue.get(key)?;
    let terms_max = agreed.terms_max.filter(|_| entry.unit == Unit::Lumpsum)?;
    let mut terms = agreed.terms.iter();
    let term = terms.rfind(|term| days.days_in_common(term.period) > 0)?;
    let groups = u32::try_from(contract.groups.len().max(1)).ok()?;
    term.tarief.times(terms_max.checked_mul(groups)?)
}

/// A state as one word, in the report.
fn state_word(state: ContractState) -> &'static str {
    match state {
        ContractState::Concept => "concept",
        ContractState::InNegotiation => "in_negotiation",
        ContractState::Signed => "signed",
        ContractState::Active => "active",
        ContractState::Ended => "ended",
    }
}
