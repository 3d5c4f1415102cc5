//! Ceilings, budgets and terms: how much, and how often, a contract lets be billed.
//!
//! A ceiling bounds the cents of all insurers together over a named period of a contract; a budget is filled the
//! same way, and settled afterwards. A term is one use of a prestatie for one subject and insurer, so that a lumpsum
//! is not billed oftener than was agreed.

use std::fmt::Write as _;

use crate::{
    cents::{BasisPoints, Cents},
    coverage::{self, Subject},
    facts::LineFacts,
    history::{CeilingKey, TermKey},
    identifiers::{ContractId, Pseudonym, Uzovi},
    period::Period,
    reference::{Budget, Ceiling, Contract, Reference, Unit},
};

/// What a line takes from when it is awarded or held: the one term it uses, if terms of its
/// prestatie are counted, under each name of its subject.
///
/// Terms are counted for a lumpsum, and for whatever the contract bounds. An insured person is
/// counted under every active pseudonym, so that the count outlives each key.
#[must_use]
pub fn terms_of(facts: &LineFacts<'_>) -> Vec<TermKey> {
    counted_for(facts).map_or_else(Vec::new, |(contract_id, insurer)| {
        let subjects = subject_texts(&coverage::subject_of(facts.line));
        let term = |subject: String| TermKey {
            contract_id: contract_id.clone(),
            prestatie: facts.line.prestatie.clone(),
            subject: subject.into(),
            insurer,
        };
        subjects.into_iter().map(term).collect()
    })
}

/// Contract and insurer for which the terms of a line are counted, if they are.
fn counted_for<'a>(facts: &LineFacts<'a>) -> Option<(&'a ContractId, Uzovi)> {
    let (contract_id, _) = facts.contract?;
    let bounded = facts.contract_prestatie?.terms_max.is_some();
    let counted = bounded || facts.prestatie?.unit == Unit::Lumpsum;
    counted.then_some((contract_id, facts.insurer?))
}

/// The subject as [`TermKey::subject`] writes it: an insured person has a name per pseudonym.
fn subject_texts(subject: &Subject) -> Vec<String> {
    match subject {
        Subject::Group(group) => vec![format!("group:{group}")],
        Subject::None => vec![String::new()],
        Subject::Insured(pseudonyms) => pseudonyms.iter().map(insured_text).collect(),
    }
}

fn insured_text(pseudonym: &Pseudonym) -> String {
    let mut text = format!("insured:{}:", pseudonym.key_id);
    for byte in pseudonym.value {
        write!(text, "{byte:02x}").expect("a String takes all text");
    }
    text
}

/// What is kept of a contract over a named period: what refuses, and what is settled afterwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound<'a> {
    /// A line that goes over it is refused (0589).
    Ceiling(&'a Ceiling),
    /// What differs from it is settled after its period.
    Budget(&'a Budget),
}

impl<'a> Bound<'a> {
    /// Its name, which no other bound of the contract has.
    #[must_use]
    pub fn name(self) -> &'a str {
        match self {
            Self::Ceiling(ceiling) => &ceiling.name,
            Self::Budget(budget) => &budget.name,
        }
    }

    /// Lines that begin in it count.
    #[must_use]
    pub fn period(self) -> Period {
        match self {
            Self::Ceiling(ceiling) => ceiling.period,
            Self::Budget(budget) => budget.period,
        }
    }

    /// How much it is.
    #[must_use]
    pub fn cents(self) -> Cents {
        match self {
            Self::Ceiling(ceiling) => ceiling.cents,
            Self::Budget(budget) => budget.cents,
        }
    }

    /// Shares at which it is signalled, ascending.
    #[must_use]
    pub fn signals(self) -> &'a [BasisPoints] {
        match self {
            Self::Ceiling(ceiling) => &ceiling.signals,
            Self::Budget(budget) => &budget.signals,
        }
    }

    /// The shares at which it is signalled that `taken` has reached.
    pub fn reached(self, taken: Cents) -> impl Iterator<Item = BasisPoints> + use<'a> {
        let whole = i128::from(self.cents().get());
        let taken = i128::from(taken.get()) * 10_000;
        let shares = self.signals().iter().copied();
        shares.filter(move |share| taken >= whole * i128::from(share.get()))
    }
}

/// A share of a bound that a message reached: it changes no outcome, and tells the purchaser in time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signal {
    /// Of what.
    pub key: CeilingKey,
    /// The share that was reached.
    pub share: BasisPoints,
    /// What is taken now.
    pub taken: Cents,
    /// The whole.
    pub bound: Cents,
}

/// All bounds of a contract.
pub fn bounds(contract: &Contract) -> impl Iterator<Item = Bound<'_>> {
    let ceilings = contract.ceilings.iter().map(Bound::Ceiling);
    ceilings.chain(contract.budgets.iter().map(Bound::Budget))
}

/// The bounds that a line counts towards: those of its contract in whose period it begins.
pub fn bounds_of<'a>(
    facts: &LineFacts<'a>,
) -> impl Iterator<Item = (CeilingKey, Bound<'a>)> + use<'a> {
    let first = facts.period.map(Period::first);
    facts
        .contract
        .into_iter()
        .flat_map(|(id, contract)| bounds(contract).map(move |bound| (id, bound)))
        .filter(move |(_, bound)| first.is_some_and(|day| bound.period().contains(day)))
        .map(|(id, bound)| (key_of(id, bound), bound))
}

/// The key under which what is taken of a bound is kept.
#[must_use]
pub fn key_of(contract_id: &ContractId, bound: Bound<'_>) -> CeilingKey {
    CeilingKey {
        contract_id: contract_id.clone(),
        name: bound.name().into(),
    }
}

/// The shares of `key` that are reached `after` and were not `before`.
#[must_use]
pub fn signals(
    reference: &Reference,
    key: &CeilingKey,
    before: Cents,
    after: Cents,
) -> Vec<Signal> {
    let contract = reference.contracts.get(&key.contract_id);
    let mut named = contract.into_iter().flat_map(bounds);
    let Some(bound) = named.find(|bound| *bound.name() == *key.name) else {
        return Vec::new();
    };
    let known = bound.reached(before).count();
    let reached = bound.reached(after).skip(known);
    let signal = |share| Signal {
        key: key.clone(),
        share,
        taken: after,
        bound: bound.cents(),
    };
    reached.map(signal).collect()
}

/// Whether `amount` more than what is `taken` goes over a ceiling; reaching it exactly does not, and a budget is
/// settled afterwards.
///
/// There is no partial award up to the ceiling. Source: Vektis COD954, code 0589; 001_391917b9bc3bdc5d.txt, 4.2.
#[must_use]
pub fn is_exceeded(bound: Bound<'_>, taken: Cents, amount: Cents) -> bool {
    let over = taken.get().saturating_add(amount.get()) > bound.cents().get();
    matches!(bound, Bound::Ceiling(_)) && over
}

/// `declared` less the part that is deducted: the deduction is rounded down, in favour of the
/// provider.
///
/// Source: 002_eb0531d2b212ba40.txt, 3.1.2 (the price of one of the two may need adjusting); the
/// formula is the insurer's agreed rule. Example: 1,000,000 less 2,500 basis points is 750,000.
#[must_use]
pub fn less_deduction(declared: Cents, deduction: Option<BasisPoints>) -> Cents {
    deduction.map_or(declared, |share| {
        declared - declared.share_rounded_down(share)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixture::period;

    fn cents(value: i64) -> Cents {
        Cents::new(value).expect("within the bound")
    }

    #[test]
    fn share_of_a_bound_is_signalled_once_when_it_is_reached() {
        let share = |points| BasisPoints::new(points).expect("a share");
        let ceiling = Ceiling {
            name: "year".into(),
            period: period("2024-01-01", "2024-12-31"),
            cents: cents(10_000),
            signals: vec![share(8_000), share(9_500)],
        };
        let bound = Bound::Ceiling(&ceiling);
        for (taken, reached) in [(0, 0), (7_999, 0), (8_000, 1), (9_499, 1), (9_500, 2)] {
            assert_eq!(bound.reached(cents(taken)).count(), reached, "{taken}");
        }
    }
}
