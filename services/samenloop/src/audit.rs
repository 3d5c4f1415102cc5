//! Reads the log again from its first entry: decides everything anew, compares, and counts what was prevented.

pub(crate) mod again;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use prost::Message as _;
use ring::digest::{Context as Digest, SHA256};
use samenloop_adapters::{
    clock::receipt_date,
    decision_store::{DecisionStore, LoggedEntry},
    reference_feed::ReferenceFeed,
    wire::{digest::hex, outcome, record as codec, review, validated::Intake},
};
use samenloop_domain::{
    coverage::{CoverageId, CoverageState, Covered},
    decision::{Evidence, LineDecision, MessageDecision, Validated, Verdict, decide_message},
    declaration::Declaration,
    double_funding::{self, ImportPairs},
    history::{History, keys_of},
    identifiers::{ReferenceVersion, Sequence},
    reference::{Effect, MatchLevel, Reference},
    report::lines::asked_text,
};
use samenloop_proto::{declaration::v1 as wire, record::v1 as log};

use crate::wanted::Wanted;
use again::{Again, Revised};

/// What reading the log again shows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Audit {
    /// Entries read.
    pub entries: u64,
    /// Messages decided.
    pub messages: u64,
    /// Lines decided.
    pub lines: u64,
    /// Lines by verdict.
    pub verdicts: BTreeMap<&'static str, u64>,
    /// Lines rejected, by reason code.
    pub rejected_by_code: BTreeMap<String, u64>,
    /// Digest of what was decided: sequence, line reference, verdict, awarded cents, rules and versions.
    pub digest: String,
    /// The same digest of deciding everything again.
    pub replay_digest: String,
    /// Declared minus awarded cents of lines rejected or reduced by a pair rule, per distinct coverage.
    pub prevented_cents: i64,
    /// The same of lines declared a second time under one contract: resends under a new reference.
    pub resent_cents: i64,
    /// Pairs of awarded lines of which a rule excludes one, and that no person overrode.
    pub double_funding_pairs: u64,
    /// Exclusions that persons overrode.
    pub overridden_pairs: u64,
    /// Sum of awarded cents.
    pub awarded_cents: i64,
    /// First entry whose hash does not follow from the one before.
    pub broken_at: Option<u64>,
}

/// Entries read at a time.
const PAGE: u32 = 500;

/// Reads the whole log of `store`.
///
/// # Errors
/// Where the store is away, or the log holds what this program cannot read.
pub async fn audit(store: &DecisionStore) -> anyhow::Result<Audit> {
    let wanted = look_ahead(store).await?;
    let mut reading = Reading {
        wanted,
        feed: ReferenceFeed::new(store.clone()),
        again: Again::new(store.clone()),
        reference: None,
        history: History::default(),
        audit: Audit::default(),
        decided: Digest::new(&SHA256),
        replayed: Digest::new(&SHA256),
        prevented: BTreeMap::new(),
        hash: [0; 32],
    };
    let mut after = Sequence(0);
    loop {
        let page = store.log_after(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.sequence;
        for entry in page {
            reading.read(&entry).await?;
        }
    }
    reading.finish()
}

/// Reads the log once to see what its messages and persons ask of the past: other imported rows are not kept.
async fn look_ahead(store: &DecisionStore) -> anyhow::Result<Wanted> {
    let mut wanted = Wanted::default();
    if store.existing_chunks(None, 1).await?.is_empty() {
        return Ok(wanted);
    }
    let feed = ReferenceFeed::new(store.clone());
    let mut reference = None;
    let mut after = Sequence(0);
    loop {
        let page = store.log_after(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.sequence;
        for entry in &page {
            // Imported rows are read when it is known which are wanted.
            if entry.kind == "existing_imported" {
                continue;
            }
            let kept = log::LogEntry::decode(entry.body.as_slice())?.entry;
            if let Some(log::log_entry::Entry::ReferenceActivated(activated)) = &kept {
                let version = ReferenceVersion::new(&activated.version);
                reference = feed.version(&version).await?;
            }
            let Some(reference) = &reference else {
                continue;
            };
            if let Some(input) = asking(store, &kept).await? {
                wanted.add(entry.sequence, keys_of(&[&input], reference));
            }
        }
    }
    Ok(wanted)
}

/// The message that an entry decided, or of which it decided a line again.
async fn asking(
    store: &DecisionStore,
    kept: &Option<log::log_entry::Entry>,
) -> anyhow::Result<Option<Validated>> {
    use log::log_entry::Entry;
    let again = match kept {
        Some(Entry::MessageDecided(decided)) => {
            let input = decided.input.as_ref().context("a decision without input")?;
            return Ok(Some(Intake::from_record(input)?.validated));
        }
        Some(Entry::ReviewDecided(log::ReviewDecided {
            command: Some(command),
            ..
        })) => match review::read_command(command.clone())?.action {
            review::Action::Decide { line, .. } => line,
            _ => return Ok(None),
        },
        Some(Entry::LineRejudged(log::LineRejudged {
            line: Some(line), ..
        })) => codec::read_line_id(*line),
        _ => return Ok(None),
    };
    let entry = store.log_entry(again.sequence).await?;
    let entry = entry.with_context(|| format!("there is no entry {}", again.sequence))?;
    let Some(Entry::MessageDecided(decided)) = log::LogEntry::decode(entry.body.as_slice())?.entry
    else {
        bail!("entry {} decided no message", again.sequence);
    };
    let mut input = Intake::from_record(&decided.input.context("a decision without input")?)?;
    // What refused the line by the reference data of then may not refuse it by those of now.
    input.validated.findings = <_>::default();
    Ok(Some(input.validated))
}

struct Reading {
    wanted: Wanted,
    feed: ReferenceFeed,
    reference: Option<Arc<Reference>>,
    history: History,
    audit: Audit,
    decided: Digest,
    replayed: Digest,
    /// Coverage that was prevented from being paid, as text, with the level of the rule and the cents.
    prevented: BTreeMap<String, (MatchLevel, i64)>,
    again: Again,
    hash: [u8; 32],
}

impl Reading {
    async fn read(&mut self, entry: &LoggedEntry) -> anyhow::Result<()> {
        self.audit.entries += 1;
        self.check_hash(entry);
        let kept = log::LogEntry::decode(entry.body.as_slice())
            .with_context(|| format!("entry {} cannot be read", entry.sequence))?;
        match kept.entry {
            Some(log::log_entry::Entry::ReferenceActivated(activated)) => {
                let version = ReferenceVersion::new(&activated.version);
                self.reference = self.feed.version(&version).await?;
            }
            Some(log::log_entry::Entry::ExistingImported(imported)) => {
                self.import(entry.sequence, &imported)?;
            }
            Some(log::log_entry::Entry::MessageDecided(decided)) => self.decide(entry, &decided)?,
            Some(log::log_entry::Entry::ImportWithdrawn(withdrawn)) => {
                self.history.withdraw_import(Sequence(withdrawn.sequence));
            }
            Some(log::log_entry::Entry::StandingEnded(ended)) => {
                self.history.standing.end(Sequence(ended.sequence));
            }
            Some(log::log_entry::Entry::ReviewDecided(decided)) => {
                let reference = self.reference.as_deref();
                let number = Some(entry.sequence);
                let again = (self.again).review(&decided, &self.history, reference, number);
                let revised = again.await?;
                let revision = revised.revision.as_ref();
                let standing = revision.map(|(_, it)| review::write_standing(&it.standing));
                if standing.unwrap_or_default() != decided.standing {
                    self.replayed.update(b"standing otherwise\n");
                }
                self.revise(entry.sequence, revised);
            }
            Some(log::log_entry::Entry::LineRejudged(rejudged)) => {
                let reference = self.reference.as_deref();
                let day = receipt_date(entry.recorded_at);
                let again = (self.again).rejudged(&rejudged, day, &self.history, reference);
                let revised = again.await?;
                self.revise(entry.sequence, revised);
            }
            Some(_) => {}
            None => bail!(
                "entry {} is of a kind that this program does not know",
                entry.sequence
            ),
        }
        Ok(())
    }

    fn check_hash(&mut self, entry: &LoggedEntry) {
        let mut digest = Digest::new(&SHA256);
        digest.update(&self.hash);
        digest.update(&entry.body);
        let follows = digest.finish().as_ref() == entry.hash;
        if !follows && self.audit.broken_at.is_none() {
            self.audit.broken_at = Some(entry.sequence.0);
        }
        self.hash = entry.hash;
    }

    /// Only rows that an entry can meet are kept; the pairs with awarded lines are found again.
    fn import(
        &mut self,
        sequence: Sequence,
        imported: &log::ExistingImported,
    ) -> anyhow::Result<()> {
        let mut pairs = ImportPairs::default();
        for row in &imported.rows {
            let kept = row
                .coverage
                .as_ref()
                .context("an imported row without coverage")?;
            let coverage = codec::read_coverage(kept)?;
            let id = CoverageId {
                sequence,
                line: row.row,
            };
            let row = Covered {
                id,
                state: CoverageState::Imported,
                coverage,
            };
            if let Some(reference) = &self.reference {
                for line in self.history.coverage.meeting(&row.coverage) {
                    pairs.add(line, &row, reference);
                }
            }
            if self.wanted.meets(&row.coverage) {
                self.history.coverage.insert(row);
            }
        }
        let found = (codec::write_import_pairs(&pairs), pairs.count);
        if found != (imported.pairs.clone(), imported.pair_count) {
            self.replayed.update(b"paired otherwise\n");
        }
        Ok(())
    }

    fn decide(&mut self, entry: &LoggedEntry, decided: &log::MessageDecided) -> anyhow::Result<()> {
        let reference = self
            .reference
            .clone()
            .context("a decision before any reference data")?;
        let intake =
            Intake::from_record(decided.input.as_ref().context("a decision without input")?)?;
        let stored = decided
            .outcome
            .as_ref()
            .context("a decision without outcome")?;
        let input = &intake.validated;
        let decision = decide_message(input, &self.history, &reference, entry.sequence);
        let again = outcome::of_decision(input, intake.received_at, &decision, &reference);
        self.history.apply(input, &decision);
        update(&mut self.decided, stored);
        update(&mut self.replayed, &again);
        self.count(&decision, stored, &reference, &intake);
        self.again.remember(decided);
        Ok(())
    }

    /// A line that was decided again: the counts are of what it came to.
    fn revise(&mut self, sequence: Sequence, revised: Revised) {
        let Revised {
            before,
            stored,
            revision,
            input,
        } = revised;
        update_line(&mut self.decided, sequence.0, &stored);
        let Some((declarant, revision)) = revision else {
            self.replayed.update(b"decided otherwise\n");
            return;
        };
        let again = outcome::revised_line(&before, &revision);
        update_line(&mut self.replayed, sequence.0, &again);
        self.history.revise(declarant, &revision);
        self.audit.overridden_pairs += revision.overridden.len() as u64;
        self.count_line(&before, -1);
        self.count_line(&stored, 1);
        if let Some(reference) = self.reference.clone() {
            let number = revision.decision.line_number;
            if before.verdict() == wire::Verdict::Reject {
                let coverage = coverage_text(&input.declaration, number);
                self.prevented.remove(&coverage);
            }
            self.count_prevented(&revision.decision, &reference, &input);
        }
    }

    fn count(
        &mut self,
        decision: &MessageDecision,
        stored: &wire::Outcome,
        reference: &Reference,
        intake: &Intake,
    ) {
        self.audit.messages += 1;
        for line in &stored.lines {
            self.audit.lines += 1;
            self.count_line(line, 1);
        }
        for line in &decision.lines {
            self.count_prevented(line, reference, &intake.validated);
        }
    }

    fn count_line(&mut self, line: &wire::LineOutcome, times: i64) {
        let add = |count: &mut u64| *count = count.saturating_add_signed(times);
        self.audit.awarded_cents += times * line.awarded_cents;
        let verdict = crate::scenarios::verdict_word(line.verdict());
        add(self.audit.verdicts.entry(verdict).or_default());
        if line.verdict() == wire::Verdict::Reject {
            for reason in &line.reasons {
                let codes = &mut self.audit.rejected_by_code;
                add(codes.entry(reason.code.clone()).or_default());
            }
        }
    }

    /// Notes what a pair rule prevented from being paid.
    fn count_prevented(&mut self, line: &LineDecision, reference: &Reference, input: &Validated) {
        let coverage = coverage_text(&input.declaration, line.line_number);
        let stopped = matches!(line.verdict, Verdict::Reject | Verdict::Reduce);
        if let Some(level) = deciding_pair_rule(&line.evidence, reference).filter(|_| stopped) {
            let prevented = line.declared.get() - line.awarded.get();
            self.prevented.entry(coverage).or_insert((level, prevented));
        }
    }

    fn finish(mut self) -> anyhow::Result<Audit> {
        if let Some(reference) = &self.reference {
            let found = pairs(&self.history, reference, self.again.overridden());
            self.audit.double_funding_pairs = found;
        }
        for (level, cents) in self.prevented.values() {
            match level {
                MatchLevel::SameContract => self.audit.resent_cents += cents,
                _ => self.audit.prevented_cents += cents,
            }
        }
        self.audit.digest = hex(self.decided.finish().as_ref());
        self.audit.replay_digest = hex(self.replayed.finish().as_ref());
        Ok(self.audit)
    }
}

fn coverage_text(declaration: &Declaration, line_number: u32) -> String {
    let mut lines = declaration.lines.iter();
    let line = lines.find(|line| line.line_number == line_number);
    line.map(|line| asked_text(declaration, line))
        .unwrap_or_default()
}

/// The match level of the pair rule that refused or reduced a line, if one did.
fn deciding_pair_rule(evidence: &[Evidence], reference: &Reference) -> Option<MatchLevel> {
    let strictest = evidence
        .iter()
        .find(|it| matches!(it.effect, Effect::Exclude | Effect::Reduce))?;
    let rule = reference
        .pair_rules
        .iter()
        .find(|rule| rule.head.id == strictest.rule)?;
    Some(rule.level)
}

/// Pairs of awarded lines of which a rule in force excludes the later one, without those overridden.
fn pairs(
    history: &History,
    reference: &Reference,
    overridden: &BTreeSet<(CoverageId, CoverageId)>,
) -> u64 {
    let is_overridden =
        |a: CoverageId, b: CoverageId| overridden.contains(&(a, b)) || overridden.contains(&(b, a));
    let mut pairs = 0;
    for covered in history.coverage.entries() {
        if covered.state != CoverageState::Awarded {
            continue;
        }
        let earlier: Vec<&Covered> = (history.coverage.meeting(&covered.coverage).into_iter())
            .filter(|rival| rival.id < covered.id && rival.state == CoverageState::Awarded)
            .filter(|rival| !is_overridden(rival.id, covered.id))
            .collect();
        let judged = double_funding::decide_against(&covered.coverage, &earlier, reference);
        pairs += judged
            .evidence
            .iter()
            .filter(|it| it.effect == Effect::Exclude)
            .count() as u64;
    }
    pairs
}

/// Adds what the digest of a replay is taken over.
fn update(digest: &mut Digest, outcome: &wire::Outcome) {
    for line in &outcome.lines {
        update_line(digest, outcome.sequence, line);
    }
}

fn update_line(digest: &mut Digest, sequence: u64, line: &wire::LineOutcome) {
    let mut text = format!(
        "{sequence}|{}|{}|{}",
        line.line_reference, line.verdict, line.awarded_cents
    );
    for evidence in &line.evidence {
        text.push_str(&format!("|{}.{}", evidence.rule, evidence.rule_version));
    }
    text.push('\n');
    digest.update(text.as_bytes());
}
