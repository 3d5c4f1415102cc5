//! What other rules, or other contracts, would have made of what was declared: the log is read twice, and what came in
//! a span of days is decided again with what is different. Nothing is written.
//!
//! What came before is decided as it was, by the rules of then, so that the past is the same; what came in the span is
//! decided anew, one after the other, so that an earlier change has its consequences. What a person decided of a line
//! in the span is not known under other rules, and stays out: a line that was held is compared as held.
//! What a person let stand between contracts stands as long as its version of the rule is there.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, bail};
use prost::Message as _;
use samenloop_adapters::{
    clock::receipt_date,
    decision_store::{DecisionStore, LoggedEntry},
    reference::{Fault, Variant},
    reference_feed::ReferenceFeed,
    wire::{
        outcome::{read_verdict, write_verdict},
        record as codec, review,
        validated::Intake,
    },
};
use samenloop_domain::{
    coverage::{CoverageId, CoverageState, Covered},
    decision::{MessageDecision, Validated, Verdict, decide_message},
    history::{History, keys_of},
    identifiers::{ReferenceVersion, Sequence},
    period::{Day, Period},
    reference::Reference,
    validation::{Environment, validate_declaration},
};
use samenloop_proto::{declaration::v1 as wire, record::v1 as log};
use serde::Serialize;

use crate::{
    audit::again::{Again, Revised},
    log_reader::LogReader,
    scenarios::verdict_word,
    wanted::Wanted,
};

/// Changes that are told one by one for each rule; all of them are counted.
pub const EXAMPLES_MAX: usize = 5;

/// What would be different.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct WhatIf {
    /// Messages received in the span.
    pub messages: u64,
    /// Their lines.
    pub lines: u64,
    /// Messages of which a line would be decided otherwise.
    pub messages_changed: u64,
    /// Lines that would be decided otherwise, or awarded another amount.
    pub lines_changed: u64,
    /// What was awarded for the lines of the span when they were decided.
    pub awarded_cents: i64,
    /// What would be awarded.
    pub would_be_awarded_cents: i64,
    /// What was proposed for held lines.
    pub held_cents: i64,
    /// What would be proposed.
    pub would_be_held_cents: i64,
    /// Changes by the rule behind them, most lines first. Each changed line counts under one rule.
    pub by_rule: Vec<Change>,
}

/// What one rule changes.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Change {
    /// The rule; empty where none speaks: another contract, or what an earlier change led to.
    pub rule: String,
    /// Its version; 0 without a rule.
    pub rule_version: u32,
    /// Whether the rule would decide, or did and would not.
    pub part: Part,
    /// Lines.
    pub lines: u64,
    /// Awarded cents more or less.
    pub cents: i64,
    /// Lines by what was decided and what would be, as "accept to reject".
    pub verdicts: BTreeMap<String, u64>,
    /// The first of them, at most [`EXAMPLES_MAX`].
    pub examples: Vec<Example>,
}

/// What a rule has to do with a change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// It would decide.
    WouldDecide,
    /// It decided, and would not.
    Decided,
    /// No rule speaks.
    #[default]
    NoRule,
}

/// One line.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Example {
    /// Its message.
    pub message_id: String,
    /// Its number.
    pub line_number: u32,
    /// Its reference.
    pub line_reference: String,
    /// What was decided.
    pub decided: &'static str,
    /// What would be.
    pub would_be: &'static str,
    /// What was awarded.
    pub awarded_cents: i64,
    /// What would be.
    pub would_be_awarded_cents: i64,
}

/// The question.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is different.
    pub variant: Variant,
    /// Receipt dates of what is decided again.
    pub span: Period,
    /// Which kind of messages is judged here.
    pub environment: Environment,
}

/// Answers; `progress` is told each entry that was read, of twice the log at most.
///
/// # Errors
/// Where the store is away, what is different has faults, or the log holds what this program cannot read.
pub async fn answer(
    store: &DecisionStore,
    question: Question,
    mut progress: impl FnMut(),
) -> anyhow::Result<WhatIf> {
    let mut references = References {
        store: store.clone(),
        feed: ReferenceFeed::new(store.clone()),
        variant: question.variant.clone(),
        of_then: None,
        other: None,
    };
    let wanted = look_ahead(store, &question, &mut references, &mut progress).await?;
    let mut deciding = Deciding {
        question,
        wanted,
        history: History::default(),
        found: WhatIf::default(),
        by_rule: BTreeMap::new(),
        again: Again::new(store.clone()),
    };
    let mut reader = LogReader::new(store.clone());
    while reader.last() < deciding.wanted.last
        && let Some(entry) = reader.next().await?
    {
        deciding.read(&entry, &mut references).await?;
        progress();
    }
    if let Some(broken) = reader.broken_at() {
        bail!("the log is broken at entry {broken}: `samenloop audit double-funding` says more");
    }
    Ok(deciding.finish())
}

/// Reads the log once to see what the span will ask for: the rest of the past is not kept.
async fn look_ahead(
    store: &DecisionStore,
    question: &Question,
    references: &mut References,
    progress: &mut impl FnMut(),
) -> anyhow::Result<Wanted> {
    let mut wanted = Wanted::default();
    let mut reader = LogReader::new(store.clone());
    while let Some(entry) = reader.next().await? {
        progress();
        match decoded(&entry)? {
            log::log_entry::Entry::ReferenceActivated(activated) => {
                references.activate(&activated.version).await?;
            }
            log::log_entry::Entry::MessageDecided(decided) => {
                let (intake, _) = parts(&decided)?;
                if !question.span.contains(intake.validated.received_on) {
                    continue;
                }
                let other = references.other()?;
                let input = judged(intake.validated, intake.fault_count, question, other);
                wanted.add(entry.sequence, keys_of(&[&input], other));
            }
            _ => {}
        }
    }
    references.restart();
    Ok(wanted)
}

/// The reference data of then, and what they would be with what is different.
struct References {
    store: DecisionStore,
    feed: ReferenceFeed,
    variant: Variant,
    of_then: Option<Arc<Reference>>,
    other: Option<(ReferenceVersion, Arc<Reference>)>,
}

impl References {
    async fn activate(&mut self, version: &str) -> anyhow::Result<()> {
        let version = ReferenceVersion::new(version);
        self.of_then = self.feed.version(&version).await?;
        if self.other.as_ref().is_some_and(|(of, _)| *of == version) {
            return Ok(());
        }
        let stored = self.store.reference(&version).await?;
        let stored = stored.with_context(|| format!("reference version {version} is not kept"))?;
        let other = self.variant.of(&stored.canonical).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
            anyhow::anyhow!("with version {version}:\n{}", faults.join("\n"))
        })?;
        self.other = Some((version, Arc::new(other)));
        Ok(())
    }

    fn restart(&mut self) {
        self.of_then = None;
    }

    fn of_then(&self) -> anyhow::Result<Arc<Reference>> {
        self.of_then
            .clone()
            .context("a decision before any reference data")
    }

    fn other(&self) -> anyhow::Result<&Reference> {
        let (_, other) = self
            .other
            .as_ref()
            .context("a decision before any reference data")?;
        Ok(other)
    }
}

struct Deciding {
    question: Question,
    wanted: Wanted,
    history: History,
    found: WhatIf,
    by_rule: BTreeMap<(String, u32, Part), Change>,
    again: Again,
}

impl Deciding {
    async fn read(
        &mut self,
        entry: &LoggedEntry,
        references: &mut References,
    ) -> anyhow::Result<()> {
        match decoded(entry)? {
            log::log_entry::Entry::ReferenceActivated(activated) => {
                references.activate(&activated.version).await?;
            }
            log::log_entry::Entry::ExistingImported(imported) => {
                self.import(entry.sequence, &imported)?;
            }
            log::log_entry::Entry::MessageDecided(decided) => {
                self.decide(entry.sequence, &decided, references)?;
            }
            log::log_entry::Entry::ImportWithdrawn(withdrawn) => {
                self.history.withdraw_import(Sequence(withdrawn.sequence));
            }
            log::log_entry::Entry::StandingEnded(ended) => {
                self.history.standing.end(Sequence(ended.sequence));
            }
            log::log_entry::Entry::ReviewDecided(decided) => {
                let message = decided.revised.as_ref().map(|it| &it.message_id);
                if message.is_some_and(|id| self.again.remembers(id)) {
                    let reference = references.of_then()?;
                    let history = &self.history;
                    let again = (self.again).review(&decided, history, Some(&reference), None);
                    let revised = again.await?;
                    self.revise(revised);
                }
                for standing in review::read_standing(entry.sequence, &decided.standing)? {
                    self.history.standing.add(standing);
                }
            }
            log::log_entry::Entry::LineRejudged(rejudged) => {
                let message = rejudged.revised.as_ref().map(|it| &it.message_id);
                if message.is_some_and(|id| self.again.remembers(id)) {
                    let reference = references.of_then()?;
                    let day = receipt_date(entry.recorded_at);
                    let again =
                        (self.again).rejudged(&rejudged, day, &self.history, Some(&reference));
                    let revised = again.await?;
                    self.revise(revised);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A line from before the span that was decided again.
    fn revise(&mut self, revised: Revised) {
        if let Some((declarant, revision)) = revised.revision {
            self.history.revise(declarant, &revision);
        }
    }

    fn import(
        &mut self,
        sequence: Sequence,
        imported: &log::ExistingImported,
    ) -> anyhow::Result<()> {
        for row in &imported.rows {
            let kept = row.coverage.as_ref();
            let kept = kept.context("an imported row without coverage")?;
            let coverage = codec::read_coverage(kept)?;
            if self.wanted.meets(&coverage) {
                let line = row.row;
                self.history.coverage.insert(Covered {
                    id: CoverageId { sequence, line },
                    state: CoverageState::Imported,
                    coverage,
                });
            }
        }
        Ok(())
    }

    fn decide(
        &mut self,
        sequence: Sequence,
        decided: &log::MessageDecided,
        references: &References,
    ) -> anyhow::Result<()> {
        let (intake, stored) = parts(decided)?;
        let in_span = self.question.span.contains(intake.validated.received_on);
        if !in_span {
            let reference = references.of_then()?;
            let decision = decide_message(&intake.validated, &self.history, &reference, sequence);
            self.apply(&intake.validated, decision);
            self.again.remember(decided);
            return Ok(());
        }
        let other = references.other()?;
        let input = judged(intake.validated, intake.fault_count, &self.question, other);
        let decision = decide_message(&input, &self.history, other, sequence);
        self.compare(stored, &decision);
        self.apply(&input, decision);
        Ok(())
    }

    /// Makes a decision part of the past, less what nobody will ask for: what settlement got of a line, and coverage
    /// that nothing in the span can meet.
    fn apply(&mut self, input: &Validated, mut decision: MessageDecision) {
        for line in &mut decision.lines {
            line.claim = None;
            line.evidence.clear();
        }
        let ids: Vec<CoverageId> = (decision.lines.iter())
            .filter(|line| {
                line.coverage
                    .as_ref()
                    .is_some_and(|it| !self.wanted.meets(it))
            })
            .map(|line| CoverageId::of_line(decision.sequence, line.line_number))
            .collect();
        self.history.apply(input, &decision);
        for id in ids {
            self.history.coverage.remove(id);
        }
    }

    fn compare(&mut self, stored: &wire::Outcome, decision: &MessageDecision) {
        self.found.messages += 1;
        let mut changed = false;
        for (before, after) in stored.lines.iter().zip(&decision.lines) {
            self.found.lines += 1;
            self.found.awarded_cents += before.awarded_cents;
            self.found.would_be_awarded_cents += after.awarded.get();
            self.found.held_cents += before.proposed_cents;
            self.found.would_be_held_cents += after.proposed.get();
            let same = read_verdict(before.verdict) == Some(after.verdict)
                && before.awarded_cents == after.awarded.get()
                && before.proposed_cents == after.proposed.get();
            if same {
                continue;
            }
            changed = true;
            self.found.lines_changed += 1;
            let speaks = after.verdict != Verdict::Accept;
            let now = after.evidence.first().filter(|_| speaks);
            let then = before.evidence.first();
            let key = match (now, then) {
                (Some(now), _) => (now.rule.to_string(), now.rule_version, Part::WouldDecide),
                (None, Some(then)) => (then.rule.clone(), then.rule_version, Part::Decided),
                (None, None) => (String::new(), 0, Part::NoRule),
            };
            let change = self.by_rule.entry(key).or_default();
            let decided = verdict_word(before.verdict());
            let would_be = verdict_word(write_verdict(after.verdict));
            change.lines += 1;
            change.cents += after.awarded.get() - before.awarded_cents;
            let verdicts = format!("{decided} to {would_be}");
            *change.verdicts.entry(verdicts).or_default() += 1;
            if change.examples.len() < EXAMPLES_MAX {
                change.examples.push(Example {
                    message_id: stored.message_id.clone(),
                    line_number: before.line_number,
                    line_reference: before.line_reference.clone(),
                    decided,
                    would_be,
                    awarded_cents: before.awarded_cents,
                    would_be_awarded_cents: after.awarded.get(),
                });
            }
        }
        self.found.messages_changed += u64::from(changed);
    }

    fn finish(mut self) -> WhatIf {
        let changes = self.by_rule.into_iter();
        self.found.by_rule = changes
            .map(|((rule, rule_version, part), change)| Change {
                rule,
                rule_version,
                part,
                ..change
            })
            .collect();
        (self.found.by_rule).sort_by_key(|change| std::cmp::Reverse(change.lines));
        self.found
    }
}

fn decoded(entry: &LoggedEntry) -> anyhow::Result<log::log_entry::Entry> {
    let kept = log::LogEntry::decode(entry.body.as_slice())
        .with_context(|| format!("entry {} cannot be read", entry.sequence))?;
    kept.entry.with_context(|| {
        let sequence = entry.sequence;
        format!("entry {sequence} is of a kind that this program does not know")
    })
}

fn parts(decided: &log::MessageDecided) -> anyhow::Result<(Intake, &wire::Outcome)> {
    let input = decided.input.as_ref();
    let outcome = decided.outcome.as_ref();
    let intake = Intake::from_record(input.context("a decision without input")?)?;
    Ok((intake, outcome.context("a decision without outcome")?))
}

/// The message as it would be judged on its own: again where contracts differ, else as it was.
fn judged(mut input: Validated, faults: u32, question: &Question, other: &Reference) -> Validated {
    if question.variant.has_contracts() && faults == 0 {
        let (declaration, party) = (&input.declaration, &input.party);
        let day: Day = input.received_on;
        input.findings = validate_declaration(declaration, party, day, other, question.environment);
    }
    input
}
