//! The past as it stands while one message is decided: the history, and what its own lines have
//! changed so far.
//!
//! The history itself is changed only when the whole message is decided.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    ceiling::{self, Signal},
    cents::Cents,
    coverage::{Coverage, CoverageId, CoverageIndex, CoverageState, Covered},
    decision::{LineDecision, Verdict},
    declaration::Direction,
    history::{CeilingKey, History, PastFacts, PastLine, ReferenceKey, TermKey, is_used_up},
    identifiers::Uzovi,
    period::Day,
    reference::Reference,
    standing::StandingReviews,
};

/// The history with the changes of the message at hand on top.
pub(super) struct Past<'a> {
    history: &'a History,
    credited: BTreeSet<CoverageId>,
    occupied: CoverageIndex,
    references: BTreeSet<ReferenceKey>,
    /// Terms used and given back by this message, on balance.
    terms: BTreeMap<TermKey, i64>,
    /// Cents taken and given back by this message, on balance.
    ceilings: BTreeMap<CeilingKey, Cents>,
    /// The line that is decided again: what it uses does not stand in its own way.
    again: Option<CoverageId>,
}

impl<'a> Past<'a> {
    pub(super) fn new(history: &'a History) -> Self {
        Self {
            history,
            credited: BTreeSet::new(),
            occupied: CoverageIndex::default(),
            references: BTreeSet::new(),
            terms: BTreeMap::new(),
            ceilings: BTreeMap::new(),
            again: None,
        }
    }

    /// The history without what `line`, which is decided again, takes of it.
    pub(super) fn without(history: &'a History, line: &PastLine) -> Self {
        let mut past = Self::new(history);
        past.again = Some(line.id);
        past.credited.insert(line.id);
        if let Some(facts) = (line.facts.as_ref()).filter(|_| line.verdict.occupies()) {
            past.take(facts, -1);
        }
        past
    }

    /// Whether a line that was not refused has used the reference within five years before `day`.
    pub(super) fn is_reference_used(&self, key: &ReferenceKey, day: Day) -> bool {
        let before = |line: &&PastLine| {
            let other = Some(line.id) != self.again;
            other && line.verdict.uses_reference() && is_used_up(line.received_on, day)
        };
        self.references.contains(key) || self.lines(key).find(before).is_some()
    }

    /// Whether a debit under this reference was received by `day` and refused.
    pub(super) fn was_refused_by(&self, key: &ReferenceKey, day: Day) -> bool {
        self.lines(key)
            .filter(|line| line.direction == Direction::Debit)
            .any(|line| line.verdict == Verdict::Reject && line.received_on <= day)
    }

    /// The debit under this reference to this insurer that can be credited: the latest that was not
    /// refused.
    pub(super) fn original(&self, key: &ReferenceKey, insurer: Uzovi) -> Option<&'a PastLine> {
        self.lines(key)
            .filter(|line| line.direction == Direction::Debit && line.insurer == insurer)
            .rfind(|line| line.verdict.uses_reference())
    }

    /// Whether a line was credited before, or by this message.
    pub(super) fn is_credited(&self, line: &PastLine) -> bool {
        let withdrawn = line.verdict == Verdict::Withdrawn;
        withdrawn || line.credited_by.is_some() || self.credited.contains(&line.id)
    }

    /// How many lines use the term with these names. Keys come and go in turn, so the key that has
    /// been active longest has counted whatever a later one has: the most counts.
    pub(super) fn terms_used(&self, names: &[TermKey]) -> u32 {
        let used = names.iter().map(|key| {
            let before = self.history.terms.get(key).copied().unwrap_or_default();
            let here = self.terms.get(key).copied().unwrap_or_default();
            u32::try_from((i64::from(before) + here).max(0)).unwrap_or(u32::MAX)
        });
        used.max().unwrap_or_default()
    }

    /// What is taken of a ceiling.
    pub(super) fn taken_of(&self, key: &CeilingKey) -> Cents {
        let before = self.history.ceilings.get(key).copied().unwrap_or_default();
        before + self.ceilings.get(key).copied().unwrap_or_default()
    }

    /// Coverage that meets `coverage`, in order of id; what this message credited is free already.
    pub(super) fn meeting(&self, coverage: &Coverage) -> Vec<&Covered> {
        let before = self.history.coverage.meeting(coverage).into_iter();
        before
            .filter(|covered| !self.credited.contains(&covered.id))
            .chain(self.occupied.meeting(coverage))
            .collect()
    }

    /// What persons decided of pairs of contracts.
    pub(super) fn standing(&self) -> &StandingReviews {
        &self.history.standing
    }

    /// Lets the lines that follow see what was decided of this one.
    pub(super) fn record(&mut self, id: CoverageId, key: ReferenceKey, decided: &LineDecision) {
        if decided.verdict.uses_reference() {
            self.references.insert(key);
        }
        if let Some(original) = decided.reverses {
            self.credited.insert(original);
        }
        if let Some(coverage) = &decided.coverage {
            let state = match decided.verdict {
                Verdict::Review => CoverageState::Held,
                _ => CoverageState::Awarded,
            };
            self.occupied.insert(Covered {
                id,
                state,
                coverage: coverage.clone(),
            });
        }
        let Some(facts) = &decided.facts else {
            return;
        };
        let gives_back = decided.direction == Direction::Credit;
        self.take(facts, if gives_back { -1 } else { 1 });
    }

    /// Takes what a line takes of terms and ceilings, or with -1 gives it back.
    fn take(&mut self, facts: &PastFacts, times: i64) {
        for term in &facts.terms {
            *self.terms.entry(term.clone()).or_default() += times;
        }
        for (key, cents) in &facts.ceilings {
            let taken = self.ceilings.entry(key.clone()).or_default();
            *taken = *taken + if times < 0 { -*cents } else { *cents };
        }
    }

    /// Shares of ceilings and budgets that the message has reached, in order of contract and name.
    pub(super) fn signals(&self, reference: &Reference) -> Vec<Signal> {
        let grown = self
            .ceilings
            .iter()
            .filter(|(_, cents)| **cents > Cents::ZERO);
        let signals = grown.flat_map(|(key, _)| {
            let before = self.history.ceilings.get(key).copied().unwrap_or_default();
            ceiling::signals(reference, key, before, self.taken_of(key))
        });
        signals.collect()
    }

    fn lines(&self, key: &ReferenceKey) -> std::slice::Iter<'a, PastLine> {
        self.history
            .lines
            .get(key)
            .map_or([].iter(), |lines| lines.iter())
    }
}
