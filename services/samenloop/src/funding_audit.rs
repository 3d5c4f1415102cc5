//! The audit of double funding: every pair of awarded lines, judged by the rules that stood when the later of the two
//! was decided; and the chain of the log.
//!
//! Pairs are found key by key in the store, from the last day backwards: in memory is what of one AGB code or insured
//! person is still running on that day, however long the history is. Nothing is decided here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use prost::Message as _;
use samenloop_adapters::{
    decision_store::{DecisionStore, KeyedCoverage, LoggedEntry, coverage_key_text},
    reference_feed::ReferenceFeed,
    wire::{
        outcome::effect_word,
        record::read_line_id,
        review::{self, Action},
    },
};
use samenloop_domain::{
    cents::Cents,
    coverage::{CoverageId, CoverageIndex, CoverageState, Covered},
    double_funding,
    identifiers::{ReferenceVersion, Sequence},
    period::Day,
    reference::{Effect, Reference, RuleHead},
};
use samenloop_proto::record::v1 as log;
use serde::Serialize;

use crate::log_reader::LogReader;

/// Coverage read at a time.
const PAGE: u32 = 2_000;

/// Pairs of a list that are told one by one; all of them are counted.
pub const EXAMPLES_MAX: usize = 20;

/// What the audit found.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct FundingAudit {
    /// Entries of the log.
    pub entries: u64,
    /// The first entry that does not follow from the one before.
    pub broken_at: Option<u64>,
    /// Awarded lines in force.
    pub awarded_lines: u64,
    /// What was awarded for them.
    pub awarded_cents: i64,
    /// Existing prestaties.
    pub imported_rows: u64,
    /// Pairs that share a key and a day.
    pub pairs: u64,
    /// Pairs of awarded lines of which a rule excludes one, and no override stands: there must be none.
    pub without_override: Pairs,
    /// The same with an override by persons.
    pub with_override: Pairs,
    /// Pairs of an awarded line and an existing prestatie under a rule that excludes one, or asks a person.
    pub imported: Pairs,
    /// Pairs of awarded lines that the rules in force now would exclude, and those of then did not.
    pub today: Pairs,
}

/// A list of pairs.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Pairs {
    /// How many there are.
    pub count: u64,
    /// What was paid for the cheaper of each two.
    pub cents: i64,
    /// The first of them, at most [`EXAMPLES_MAX`].
    pub examples: Vec<Pair>,
}

/// Two lines.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Pair {
    /// Entry and line that came first.
    pub earlier: String,
    /// Entry and line that came later.
    pub later: String,
    /// The rule.
    pub rule: String,
    /// Its version.
    pub rule_version: u32,
    /// What it says.
    pub effect: &'static str,
    /// Days in common.
    pub days_in_common: u32,
    /// What was paid for the cheaper of the two.
    pub cents: i64,
}

impl FundingAudit {
    /// Whether the log is whole and nothing was funded twice without an override.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.broken_at.is_none() && self.without_override.count == 0
    }
}

/// Audits the store; `progress` is told the entries and coverage read.
///
/// # Errors
/// Where the store is away, or holds what this program cannot read.
pub async fn audit(
    store: &DecisionStore,
    mut progress: impl FnMut(u64),
) -> anyhow::Result<FundingAudit> {
    let head = store.head().await?;
    let mut reader = LogReader::new(store.clone());
    let mut past = Past::new(store.clone());
    while reader.last() < head.sequence
        && let Some(entry) = reader.next().await?
    {
        past.read(&entry).await?;
        progress(1);
    }
    let mut audit = FundingAudit {
        entries: reader.last().0,
        broken_at: reader.broken_at().map(|it| it.0),
        ..FundingAudit::default()
    };
    if audit.broken_at.is_none() && reader.hash() != head.hash {
        audit.broken_at = Some(reader.last().0 + 1);
    }
    let mut sweep = Sweep::default();
    let mut after = None;
    loop {
        let page = store.coverage_by_key(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.cursor());
        progress(page.len() as u64);
        for keyed in page {
            sweep.take(keyed, &past, &mut audit);
        }
    }
    Ok(audit)
}

/// What of the log pairs are judged by: the rules of each time, and what persons decided.
struct Past {
    feed: ReferenceFeed,
    /// Rules by the entry that put them in force. Versions that differ in nothing a pair is judged by are kept once.
    since: Vec<(Sequence, Arc<Reference>)>,
    /// The entry that decided a line last, of lines that were decided again.
    decided_again: BTreeMap<CoverageId, Sequence>,
    /// Lines with the rivals, by entry and reference, that a person let them be paid beside.
    overridden: BTreeSet<(CoverageId, Sequence, String)>,
}

impl Past {
    fn new(store: DecisionStore) -> Self {
        Self {
            feed: ReferenceFeed::new(store),
            since: Vec::new(),
            decided_again: BTreeMap::new(),
            overridden: BTreeSet::new(),
        }
    }

    /// Only what changes how pairs are judged is decoded: most entries are messages.
    async fn read(&mut self, entry: &LoggedEntry) -> anyhow::Result<()> {
        use log::log_entry::Entry;
        if !matches!(
            entry.kind.as_str(),
            "reference_activated" | "review_decided" | "line_rejudged"
        ) {
            return Ok(());
        }
        let kept = log::LogEntry::decode(entry.body.as_slice())?;
        match kept.entry {
            Some(Entry::ReferenceActivated(activated)) => self.activate(entry, &activated).await,
            Some(Entry::ReviewDecided(decided)) => self.review(entry, decided),
            Some(Entry::LineRejudged(rejudged)) => {
                let line = rejudged.line.map(read_line_id);
                let line = line.context("a line decided again that is not named")?;
                self.decided_again.insert(line, entry.sequence);
                Ok(())
            }
            _ => bail!(
                "entry {} is not of the kind that its row says",
                entry.sequence
            ),
        }
    }

    fn review(&mut self, entry: &LoggedEntry, decided: log::ReviewDecided) -> anyhow::Result<()> {
        let command = decided.command.context("a review without a command")?;
        let Action::Decide { line, .. } = review::read_command(command)?.action else {
            bail!("a review by a command that decides none");
        };
        self.decided_again.insert(line, entry.sequence);
        let rivals = decided.overridden.into_iter().filter_map(|it| it.rival);
        let rivals = rivals.map(|rival| (line, Sequence(rival.sequence), rival.line_reference));
        self.overridden.extend(rivals);
        Ok(())
    }

    async fn activate(
        &mut self,
        entry: &LoggedEntry,
        activated: &log::ReferenceActivated,
    ) -> anyhow::Result<()> {
        let version = ReferenceVersion::new(&activated.version);
        let reference = self.feed.version(&version).await?;
        let reference = reference.with_context(|| {
            format!(
                "reference version {version} of entry {} is not kept",
                entry.sequence
            )
        })?;
        let rules = only_rules(&reference);
        let rules = match self.since.iter().find(|(_, known)| **known == rules) {
            Some((_, known)) => Arc::clone(known),
            None => Arc::new(rules),
        };
        self.since.push((entry.sequence, rules));
        Ok(())
    }

    /// The rules that an entry was decided by.
    fn at(&self, sequence: Sequence) -> Option<&Reference> {
        let before = self.since.partition_point(|(since, _)| *since < sequence);
        let (_, rules) = self.since.get(before.checked_sub(1)?)?;
        Some(rules)
    }

    /// The entry that decided a line last.
    fn decided(&self, id: CoverageId) -> Sequence {
        self.decided_again.get(&id).copied().unwrap_or(id.sequence)
    }

    /// Whether a person let one of two lines be paid beside the other.
    fn is_overridden(&self, a: &Covered, b: &Covered) -> bool {
        let beside = |line: &Covered, rival: &Covered| {
            let reference = rival.coverage.line_reference.to_string();
            (self.overridden).contains(&(line.id, rival.id.sequence, reference))
        };
        beside(a, b) || beside(b, a)
    }

    fn today(&self) -> Option<&Reference> {
        self.since.last().map(|(_, rules)| rules.as_ref())
    }
}

/// What a pair is judged by: coverage has its facts from the contracts already.
fn only_rules(reference: &Reference) -> Reference {
    Reference {
        version: ReferenceVersion::new(""),
        code_lists: [].into(),
        catalogue: [].into(),
        providers: [].into(),
        parties: [].into(),
        mandates: Vec::new(),
        groups: [].into(),
        activities: [].into(),
        contracts: [].into(),
        ..reference.clone()
    }
}

/// What of one key is running on the day at hand. Imported rows are kept apart, as two of them are no pair of ours.
#[derive(Default)]
struct Sweep {
    key: String,
    awarded: Running,
    imported: Running,
}

#[derive(Default)]
struct Running {
    index: CoverageIndex,
    by_first_day: BTreeSet<(Day, CoverageId)>,
    awards: BTreeMap<CoverageId, Cents>,
}

impl Running {
    fn insert(&mut self, covered: Covered, awarded: Cents) {
        self.by_first_day
            .insert((covered.coverage.period.first(), covered.id));
        self.awards.insert(covered.id, awarded);
        self.index.insert(covered);
    }

    /// Lets go of what begins after `day`: everything that follows ends on it or before.
    fn end_after(&mut self, day: Day) {
        while let Some((first, id)) = self.by_first_day.last().copied()
            && first > day
        {
            self.by_first_day.pop_last();
            self.awards.remove(&id);
            self.index.remove(id);
        }
    }
}

impl Sweep {
    fn take(&mut self, keyed: KeyedCoverage, past: &Past, audit: &mut FundingAudit) {
        if keyed.key != self.key {
            *self = Self {
                key: keyed.key.clone(),
                ..Self::default()
            };
        }
        let covered = &keyed.covered;
        let last = covered.coverage.period.last();
        self.awarded.end_after(last);
        self.imported.end_after(last);
        let is_imported = covered.state == CoverageState::Imported;
        let first_key = covered.coverage.keys().iter().map(coverage_key_text).min();
        if first_key.as_ref() == Some(&self.key) {
            if is_imported {
                audit.imported_rows += 1;
            } else {
                audit.awarded_lines += 1;
                audit.awarded_cents += keyed.awarded.get();
            }
        }
        let others: &[&Running] = match is_imported {
            true => &[&self.awarded],
            false => &[&self.awarded, &self.imported],
        };
        for other in others {
            for rival in other.index.meeting(&covered.coverage) {
                if self.is_first_key_of(covered, rival) {
                    audit.pairs += 1;
                    let cents = keyed.awarded.min(other.awards[&rival.id]);
                    judge(covered, rival, cents, past, audit);
                }
            }
        }
        let running = match is_imported {
            true => &mut self.imported,
            false => &mut self.awarded,
        };
        running.insert(keyed.covered, keyed.awarded);
    }

    /// Lines that share several keys are a pair once: under the first of them.
    fn is_first_key_of(&self, a: &Covered, b: &Covered) -> bool {
        let of_b: BTreeSet<String> = b.coverage.keys().iter().map(coverage_key_text).collect();
        let shared = a
            .coverage
            .keys()
            .iter()
            .map(coverage_key_text)
            .filter(|key| of_b.contains(key))
            .min();
        shared.as_ref() == Some(&self.key)
    }
}

fn judge(a: &Covered, b: &Covered, cents: Cents, past: &Past, audit: &mut FundingAudit) {
    let place = |it: &Covered| (past.decided(it.id), it.id);
    let (earlier, later) = if place(a) < place(b) { (a, b) } else { (b, a) };
    let effect = |rules: Option<&'_ Reference>| -> Option<(Effect, Pair)> {
        let (rule, effect) =
            double_funding::effect_between(&later.coverage, &earlier.coverage, rules?)?;
        Some((effect, pair(earlier, later, rule, effect, cents)))
    };
    let then = effect(past.at(past.decided(later.id)));
    let imported = [a, b].iter().any(|it| it.state == CoverageState::Imported);
    if imported {
        if let Some((Effect::Exclude | Effect::Review, pair)) = then {
            audit.imported.add(pair);
        }
        return;
    }
    match then {
        Some((Effect::Exclude, pair)) if past.is_overridden(a, b) => audit.with_override.add(pair),
        Some((Effect::Exclude, pair)) => audit.without_override.add(pair),
        _ => {
            if let Some((Effect::Exclude, pair)) = effect(past.today()) {
                audit.today.add(pair);
            }
        }
    }
}

fn pair(earlier: &Covered, later: &Covered, rule: &RuleHead, effect: Effect, cents: Cents) -> Pair {
    let place = |it: &Covered| format!("{}.{}", it.id.sequence, it.id.line);
    Pair {
        earlier: place(earlier),
        later: place(later),
        rule: rule.id.to_string(),
        rule_version: rule.version,
        effect: effect_word(effect),
        days_in_common: (earlier.coverage.period).days_in_common(later.coverage.period),
        cents: cents.get(),
    }
}

impl Pairs {
    fn add(&mut self, pair: Pair) {
        self.count += 1;
        self.cents += pair.cents;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(pair);
        }
    }
}
