//! Pairs of an awarded line and an existing prestatie that was imported later.
//!
//! A row is a fact: it is never refused, and what was awarded before it came is not taken back. So where a pair rule
//! would have excluded one of the two, or asked a person, the pair is listed for a person to look at.

use std::collections::BTreeMap;

use crate::{
    coverage::{CoverageId, CoverageState, Covered},
    double_funding::effect_between,
    reference::{Effect, Reference},
};

/// Pairs that are listed of one imported chunk: the first in order of line and row. All of them are counted.
pub const IMPORT_PAIRS_MAX: usize = 1_000;

/// Why a pair is listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportPair {
    /// Id of the rule.
    pub rule: Box<str>,
    /// Version of the rule.
    pub rule_version: u32,
    /// Exclude or review.
    pub effect: Effect,
}

/// Pairs of the rows of one chunk, in whatever order they are found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ImportPairs {
    /// By line and row; at most [`IMPORT_PAIRS_MAX`].
    pub listed: BTreeMap<(CoverageId, CoverageId), ImportPair>,
    /// How many there are.
    pub count: u64,
}

impl ImportPairs {
    /// Looks at an awarded line beside a row of the chunk.
    ///
    /// The rule and the policy of the insurer are those of the row, which came later. Source:
    /// 002_eb0531d2b212ba40.txt, toelichting article 3 (the same cooperation is not paid twice). Example: a quarter of
    /// BDSS was awarded, and a file brings the O&I that paid for the same cooperation before.
    pub fn add(&mut self, line: &Covered, row: &Covered, reference: &Reference) {
        if line.state != CoverageState::Awarded {
            return;
        }
        let found = effect_between(&row.coverage, &line.coverage, reference);
        let Some((rule, effect)) = found.filter(|(_, effect)| *effect >= Effect::Review) else {
            return;
        };
        self.count += 1;
        let pair = ImportPair {
            rule: rule.id.clone(),
            rule_version: rule.version,
            effect,
        };
        self.listed.insert((line.id, row.id), pair);
        if self.listed.len() > IMPORT_PAIRS_MAX {
            self.listed.pop_last();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{bdss_coverage, first_line_of, reference};

    #[test]
    fn pairs_of_a_chunk_are_counted_and_the_first_listed() {
        let line = |sequence: u64, state| Covered {
            id: first_line_of(sequence),
            state,
            coverage: bdss_coverage(),
        };
        let mut pairs = ImportPairs::default();
        let count = IMPORT_PAIRS_MAX as u64 + 1;
        let row = line(count + 2, CoverageState::Imported);
        for sequence in (1..=count).rev() {
            pairs.add(&line(sequence, CoverageState::Awarded), &row, &reference());
        }
        pairs.add(&line(count + 1, CoverageState::Held), &row, &reference());
        assert_eq!(pairs.count, count, "a held line is decided beside the row");
        assert_eq!(pairs.listed.len(), IMPORT_PAIRS_MAX);
        let first = (first_line_of(1), row.id);
        assert_eq!(pairs.listed.keys().next(), Some(&first));
        assert_eq!(pairs.listed[&first].effect, Effect::Exclude);
        assert!(!pairs.listed.contains_key(&(first_line_of(count), row.id)));
    }
}
