//! Random stories of decisions: debits of every verdict, credits of earlier lines, imports.

use std::collections::BTreeSet;

use samenloop_adapters::decision_store::{DecisionBatch, ImportedRow};
use samenloop_domain::{
    coverage::{CoverageId, CoverageKey, CoverageState, Covered},
    decision::{Status, Verdict, Withdrawal},
    history::{History, HistoryKeys, ReferenceKey, invoice_part_of},
    identifiers::Sequence,
    period::Period,
};

use super::made::{
    DECLARANT, Made, about, agb, ceiling, cents, coverage, credit, day, debit, during, entry, id,
    line_id, message, outcome, party, term,
};

const VERDICTS: [Verdict; 4] = [
    Verdict::Accept,
    Verdict::Reduce,
    Verdict::Review,
    Verdict::Reject,
];
const QUARTERS: [(&str, &str); 4] = [
    ("2024-01-01", "2024-03-31"),
    ("2024-04-01", "2024-06-30"),
    ("2024-03-15", "2024-04-15"),
    ("2024-10-01", "2024-12-31"),
];

/// A story so far, and the past that it comes to.
pub(crate) struct Story {
    random: u64,
    applied: History,
    sequence: u64,
    keys: HistoryKeys,
    /// Debits that can still be credited.
    open: Vec<(CoverageId, Made)>,
    pub(crate) lines: usize,
    pub(crate) credits: usize,
}

impl Story {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: seed,
            applied: History::default(),
            sequence: 0,
            keys: HistoryKeys::default(),
            open: Vec::new(),
            lines: 0,
            credits: 0,
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound
    }

    /// One to three messages and imports that come next.
    pub(crate) fn next_batch(&mut self) -> DecisionBatch {
        let mut batch = DecisionBatch::default();
        for _ in 0..=self.below(3) {
            self.sequence += 1;
            if self.below(8) == 0 {
                self.import(&mut batch);
            } else {
                self.decide(&mut batch);
            }
        }
        batch
    }

    fn import(&mut self, batch: &mut DecisionBatch) {
        let sequence = Sequence(self.sequence);
        batch.log.push(entry(self.sequence, "existing_imported"));
        for line in 1..=2 {
            let made = self.any_debit(1);
            let row = ImportedRow {
                row: line,
                coverage: coverage(&made.line),
                awarded: cents(1_000),
            };
            self.applied.coverage.insert(Covered {
                id: CoverageId { sequence, line },
                state: CoverageState::Imported,
                coverage: row.coverage.clone(),
            });
            self.ask_for_coverage(row.coverage.keys(), row.coverage.period);
            batch.imported.push((sequence, row));
        }
    }

    fn decide(&mut self, batch: &mut DecisionBatch) {
        let mut lines = Vec::new();
        let mut withdrawn: Vec<Withdrawal> = Vec::new();
        let credited = self.pick_open();
        for (original, made) in &credited {
            let number = u32::try_from(lines.len() + 1).unwrap();
            lines.push(credit(number, made, *original));
            if made.decision.verdict == Verdict::Review {
                let message_id = id(original.sequence.0);
                withdrawn.push(Withdrawal {
                    original: *original,
                    message_id,
                });
            }
        }
        for _ in 0..self.below(5) {
            let number = u32::try_from(lines.len() + 1).unwrap();
            lines.push(self.any_debit(number));
        }
        self.lines += lines.len();
        self.credits += credited.len();
        let mut decided = message(self.sequence, &lines);
        decided.input.declaration.invoice_parts = 1 + u32::try_from(self.below(2)).unwrap();
        decided.decision.withdrawn = withdrawn.clone();
        self.applied.apply(&decided.input, &decided.decision);
        let revised: BTreeSet<u64> = withdrawn.iter().map(|it| it.original.sequence.0).collect();
        for sequence in revised {
            let version = self.applied.messages[&id(sequence)].version;
            let outcome = outcome(sequence, version, Status::Rejected);
            batch.revised.push((party(), outcome));
        }
        self.ask_for(&lines);
        self.keys.messages.insert(id(self.sequence));
        self.keys
            .invoice_parts
            .extend(decided.decision.invoice_part.clone());
        let part = invoice_part_of(&decided.input.declaration);
        self.keys.predecessors.extend(part);
        for made in lines
            .into_iter()
            .filter(|it| it.decision.coverage.is_some())
        {
            let id = line_id(self.sequence, made.decision.line_number);
            self.open.push((id, made));
        }
        batch.log.push(entry(self.sequence, "message_decided"));
        batch.decided.push(decided);
    }

    /// Up to two debits to credit, also of one message.
    fn pick_open(&mut self) -> Vec<(CoverageId, Made)> {
        let mut picked: Vec<(CoverageId, Made)> = Vec::new();
        for _ in 0..2 {
            if self.open.is_empty() || self.below(2) == 0 {
                continue;
            }
            let index = usize::try_from(self.below(self.open.len() as u64)).unwrap();
            picked.push(self.open.swap_remove(index));
        }
        picked
    }

    fn any_debit(&mut self, line_number: u32) -> Made {
        let verdict = VERDICTS[usize::try_from(self.below(4)).unwrap()];
        let reference = format!("r{}", self.below(60));
        let (first, last) = QUARTERS[usize::try_from(self.below(4)).unwrap()];
        let made = during(debit(line_number, &reference, verdict), first, last);
        match self.below(3) {
            0 => about(made, u8::try_from(self.below(5)).unwrap()),
            _ => made,
        }
    }

    fn ask_for(&mut self, lines: &[Made]) {
        for made in lines {
            self.keys.references.insert(ReferenceKey {
                declarant: agb(DECLARANT),
                reference: made.line.line_reference.clone(),
            });
            if let Some(coverage) = &made.decision.coverage {
                self.ask_for_coverage(coverage.keys(), coverage.period);
            }
        }
        self.keys.terms.insert(term());
        self.keys.ceilings.insert(ceiling());
    }

    fn ask_for_coverage(&mut self, keys: Vec<CoverageKey>, _: Period) {
        let year = Period::new(day("2024-01-01"), day("2024-12-31")).unwrap();
        self.keys
            .coverage
            .extend(keys.into_iter().map(|key| (key, year)));
    }

    /// Keys of everything that ever was.
    pub(crate) fn all_keys(&self) -> HistoryKeys {
        self.keys.clone()
    }

    /// A random part of them, with shorter periods.
    pub(crate) fn some_keys(&mut self) -> HistoryKeys {
        let mut keys = self.keys.clone();
        let (first, last) = QUARTERS[usize::try_from(self.below(4)).unwrap()];
        let period = Period::new(day(first), day(last)).unwrap();
        keys.messages.retain(|_| self.below(2) == 0);
        keys.references.retain(|_| self.below(4) == 0);
        keys.invoice_parts.retain(|_| self.below(2) == 0);
        keys.predecessors.retain(|_| self.below(2) == 0);
        keys.terms.retain(|_| self.below(2) == 0);
        keys.ceilings.retain(|_| self.below(2) == 0);
        keys.coverage.retain(|_, _| self.below(3) == 0);
        keys.coverage.values_mut().for_each(|it| *it = period);
        keys
    }

    /// What of the applied past these keys name.
    pub(crate) fn part(&self, keys: &HistoryKeys) -> History {
        let mut part = self.applied.clone();
        part.messages.retain(|key, _| keys.messages.contains(key));
        part.lines.retain(|key, _| keys.references.contains(key));
        part.invoice_parts
            .retain(|key, _| keys.invoice_parts.contains(key));
        part.known_parts
            .retain(|key, _| keys.predecessors.contains(key));
        part.terms.retain(|key, _| keys.terms.contains(key));
        part.ceilings.retain(|key, _| keys.ceilings.contains(key));
        let originals: BTreeSet<_> = part.lines.values().flatten().map(|it| it.id).collect();
        let unasked: Vec<_> = (part.coverage.entries())
            .filter(|it| !originals.contains(&it.id) && !is_asked_for(keys, it))
            .map(|it| it.id)
            .collect();
        for id in unasked {
            part.coverage.remove(id);
        }
        part
    }
}

fn is_asked_for(keys: &HistoryKeys, covered: &Covered) -> bool {
    let asked = covered.coverage.keys();
    let mut periods = asked.iter().filter_map(|key| keys.coverage.get(key));
    periods.any(|period| period.days_in_common(covered.coverage.period) > 0)
}

pub(crate) fn assert_same(loaded: &History, applied: &History, keys: &HistoryKeys) {
    assert_eq!(loaded.messages, applied.messages, "{keys:?}");
    assert_eq!(loaded.lines, applied.lines, "{keys:?}");
    assert_eq!(loaded.invoice_parts, applied.invoice_parts, "{keys:?}");
    assert_eq!(loaded.known_parts, applied.known_parts, "{keys:?}");
    assert_eq!(loaded.terms, applied.terms, "{keys:?}");
    assert_eq!(loaded.ceilings, applied.ceilings, "{keys:?}");
    let entries = |history: &History| history.coverage.entries().cloned().collect::<Vec<_>>();
    assert_eq!(entries(loaded), entries(applied), "{keys:?}");
}
