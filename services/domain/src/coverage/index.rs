//! The index by which a new line finds its rivals.
//!
//! A provider of chain care declares thousands of lines of patients in one quarter, all with the
//! same AGB codes. Two patients are never rivals, so client-bound coverage is found by its own
//! pseudonyms, and by AGB only from lines that are not client-bound and about the same condition.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    coverage::{Coverage, CoverageId, Covered, Subject},
    identifiers::{Agb, ConditionCode, ContractId, Pseudonym},
    period::{Day, Period},
};

/// Coverage in force, found by what it shares with a line and by period. Freed coverage is removed.
#[derive(Clone, Default, Debug)]
pub struct CoverageIndex {
    entries: BTreeMap<CoverageId, Covered>,
    places: BTreeMap<Place, Spans>,
}

/// Where coverage is found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Place {
    /// Client-bound, by the insured person.
    Insured(Pseudonym),
    /// Client-bound, by AGB and condition.
    InsuredOf(Agb, ConditionCode),
    /// Not client-bound, by AGB.
    Other(Agb),
    /// Not client-bound, by contract.
    OtherOf(ContractId),
}

/// Entries of one place in order of first day, with their last day.
#[derive(Clone, Default, Debug)]
struct Spans {
    last_days: BTreeMap<(Day, CoverageId), Day>,
    /// Days of the longest period that ever stood here: nothing that began longer ago can still
    /// run.
    longest: u32,
}

impl CoverageIndex {
    /// Adds an entry; one with the same id is replaced.
    pub fn insert(&mut self, covered: Covered) {
        self.remove(covered.id);
        let period = covered.coverage.period;
        for place in places_of(&covered.coverage) {
            self.places
                .entry(place)
                .or_default()
                .insert(covered.id, period);
        }
        self.entries.insert(covered.id, covered);
    }

    /// Takes an entry out.
    pub fn remove(&mut self, id: CoverageId) -> Option<Covered> {
        let covered = self.entries.remove(&id)?;
        for place in places_of(&covered.coverage) {
            if let Some(spans) = self.places.get_mut(&place) {
                spans
                    .last_days
                    .remove(&(covered.coverage.period.first(), id));
                if spans.last_days.is_empty() {
                    self.places.remove(&place);
                }
            }
        }
        Some(covered)
    }

    /// The entry with this id.
    #[must_use]
    pub fn entry(&self, id: CoverageId) -> Option<&Covered> {
        self.entries.get(&id)
    }

    /// All entries, in order of id.
    pub fn entries(&self) -> impl Iterator<Item = &Covered> {
        self.entries.values()
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Entries that can be rivals of `coverage`, each once, in order of id: those with a day and an
    /// insured person in common, or a day and an AGB code where not both are client-bound, and one
    /// condition where just one of them is, or a day and a contract where neither is.
    #[must_use]
    pub fn meeting(&self, coverage: &Coverage) -> Vec<&Covered> {
        let mut ids = BTreeSet::new();
        for place in places_met_by(coverage) {
            if let Some(spans) = self.places.get(&place) {
                ids.extend(spans.overlapping(coverage.period));
            }
        }
        ids.into_iter()
            .filter_map(|id| self.entries.get(&id))
            .filter(|covered| covered.coverage.may_meet(coverage))
            .collect()
    }
}

impl Spans {
    fn insert(&mut self, id: CoverageId, period: Period) {
        self.longest = self.longest.max(period.days_in_common(period));
        self.last_days.insert((period.first(), id), period.last());
    }

    fn overlapping(&self, period: Period) -> impl Iterator<Item = CoverageId> {
        let days = i64::from(self.longest);
        let earliest = period.first().saturating_sub(jiff::Span::new().days(days));
        let latest = (period.last(), CoverageId::MAX);
        self.last_days
            .range((earliest, CoverageId::MIN)..=latest)
            .filter(move |(_, last)| **last >= period.first())
            .map(|((_, id), _)| *id)
    }
}

impl Coverage {
    /// Whether this is care of one insured person.
    #[must_use]
    pub fn is_client_bound(&self) -> bool {
        matches!(self.subject, Subject::Insured(_))
    }

    /// Whether lines about these subjects can be rivals at all. Where just one is client-bound,
    /// both must be about one known condition.
    fn may_meet(&self, other: &Self) -> bool {
        let mixed = self.is_client_bound() != other.is_client_bound();
        !mixed || (self.condition.is_some() && self.condition == other.condition)
    }
}

/// Every place at which `coverage` is put.
fn places_of(coverage: &Coverage) -> Vec<Place> {
    let Subject::Insured(pseudonyms) = &coverage.subject else {
        let others = coverage.agbs.iter().copied().map(Place::Other);
        return others.chain(contract_of(coverage)).collect();
    };
    let insured = pseudonyms.iter().cloned().map(Place::Insured);
    insured.chain(insured_of(coverage)).collect()
}

/// Every place at which rivals of `coverage` stand.
fn places_met_by(coverage: &Coverage) -> Vec<Place> {
    let others = coverage.agbs.iter().copied().map(Place::Other);
    match &coverage.subject {
        Subject::Insured(pseudonyms) => {
            let insured = pseudonyms.iter().cloned().map(Place::Insured);
            insured.chain(others).collect()
        }
        Subject::Group(_) | Subject::None => others
            .chain(contract_of(coverage))
            .chain(insured_of(coverage))
            .collect(),
    }
}

/// The place of coverage under the contract of `coverage`.
fn contract_of(coverage: &Coverage) -> impl Iterator<Item = Place> {
    coverage.contract_id.iter().cloned().map(Place::OtherOf)
}

/// The places of client-bound coverage with the AGB codes and the condition of `coverage`.
fn insured_of(coverage: &Coverage) -> impl Iterator<Item = Place> {
    let condition = coverage.condition.iter();
    condition.flat_map(|condition| {
        let agbs = coverage.agbs.iter().copied();
        agbs.map(|agb| Place::InsuredOf(agb, condition.clone()))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        coverage::CoverageState,
        double_funding::Meets,
        fixtures::{bdss_coverage, day, first_line_of, person},
        period::months_after,
    };

    fn coverage() -> impl Strategy<Value = Coverage> {
        let agbs = prop::collection::btree_set(1..5_u8, 1..3);
        let subject = prop_oneof![
            (1..4_u8).prop_map(person),
            (1..3_u8).prop_map(|group| Subject::Group(format!("G{group}").as_str().into())),
            Just(Subject::None),
        ];
        let condition = prop::option::of(prop_oneof![Just("DM2"), Just("COPD")]);
        let contract = prop::option::of(prop_oneof![Just("C1"), Just("C2")]);
        (agbs, subject, condition, contract, 0..12_i32, 0..6_i32).prop_map(
            |(agbs, subject, condition, contract, from, months)| {
                let first = months_after(day("2024-01-01"), from);
                let agb = |number| Agb::parse(&format!("0100000{number}")).expect("an AGB code");
                Coverage {
                    agbs: agbs.into_iter().map(agb).collect(),
                    subject,
                    condition: condition.map(Into::into),
                    period: Period::new(first, months_after(first, months)).expect("in order"),
                    contract_id: contract.map(Into::into),
                    ..bdss_coverage()
                }
            },
        )
    }

    proptest! {
        #[test]
        fn index_finds_whatever_meets(
            entries in prop::collection::vec(coverage(), 0..30),
            freed in prop::collection::vec(1..30_u64, 0..5),
            line in coverage(),
        ) {
            let mut index = CoverageIndex::default();
            let mut expected = BTreeSet::new();
            for (sequence, coverage) in (1..).zip(entries) {
                let id = first_line_of(sequence);
                if Meets::of(&coverage, &line) != Meets::default() && !freed.contains(&sequence) {
                    expected.insert(id);
                }
                index.insert(Covered { id, state: CoverageState::Awarded, coverage });
            }
            for sequence in freed {
                index.remove(first_line_of(sequence));
            }
            let found: Vec<CoverageId> = index.meeting(&line).iter().map(|it| it.id).collect();
            prop_assert!(found.is_sorted());
            let missed: Vec<_> = expected.iter().filter(|id| !found.contains(id)).collect();
            prop_assert!(missed.is_empty(), "missed {missed:?}, found {found:?}");
            for entry in index.entries.values().filter(|it| found.contains(&it.id)) {
                prop_assert!(entry.coverage.period.days_in_common(line.period) > 0);
            }
            let ids: Vec<CoverageId> = index.entries().map(|it| it.id).collect();
            for id in ids {
                index.remove(id);
            }
            prop_assert!(index.is_empty() && index.places.is_empty());
        }
    }
}
