//! What of the past later entries of a log can ask for. The rest of it need not be kept in memory, however many
//! existing prestaties were imported.

use std::collections::BTreeMap;

use samenloop_domain::{
    coverage::{Coverage, CoverageKey},
    history::HistoryKeys,
    identifiers::Sequence,
    period::Period,
};

/// Days on which coverage of a key matters.
#[derive(Default)]
pub(crate) struct Wanted {
    coverage: BTreeMap<CoverageKey, Period>,
    /// The last entry that asks.
    pub(crate) last: Sequence,
}

impl Wanted {
    /// Adds what the entry `sequence` asks.
    pub(crate) fn add(&mut self, sequence: Sequence, keys: HistoryKeys) {
        self.last = self.last.max(sequence);
        for (key, period) in keys.coverage {
            let known = self.coverage.entry(key).or_insert(period);
            *known = known.enclosing(period);
        }
    }

    /// Whether anything can meet `coverage`.
    pub(crate) fn meets(&self, coverage: &Coverage) -> bool {
        coverage.keys().iter().any(|key| {
            let asked = self.coverage.get(key);
            asked.is_some_and(|asked| asked.days_in_common(coverage.period) > 0)
        })
    }
}
