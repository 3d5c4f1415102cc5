//! Reads the log again from its first entry: decides everything anew, compares, and counts what was prevented.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use prost::Message as _;
use ring::digest::{Context as Digest, SHA256};
use samenloop_adapters::{
    decision_store::{DecisionStore, LoggedEntry},
    reference_feed::ReferenceFeed,
    wire::{digest::hex, outcome, record as codec, validated::Intake},
};
use samenloop_domain::{
    coverage::{CoverageId, CoverageState, Covered},
    decision::{Evidence, MessageDecision, decide_message},
    double_funding,
    history::History,
    identifiers::{ReferenceVersion, Sequence},
    reference::{Effect, MatchLevel, Reference},
};
use samenloop_proto::{declaration::v1 as wire, record::v1 as log};

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
    /// Pairs of awarded lines of which a rule excludes one.
    pub double_funding_pairs: u64,
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
    let mut reading = Reading {
        feed: ReferenceFeed::new(store.clone()),
        reference: None,
        history: History::default(),
        audit: Audit::default(),
        decided: Digest::new(&SHA256),
        replayed: Digest::new(&SHA256),
        prevented: BTreeSet::new(),
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

struct Reading {
    feed: ReferenceFeed,
    reference: Option<Arc<Reference>>,
    history: History,
    audit: Audit,
    decided: Digest,
    replayed: Digest,
    /// Coverage that was prevented from being paid, as text.
    prevented: BTreeSet<String>,
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

    fn import(
        &mut self,
        sequence: Sequence,
        imported: &log::ExistingImported,
    ) -> anyhow::Result<()> {
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
            self.history.coverage.insert(Covered {
                id,
                state: CoverageState::Imported,
                coverage,
            });
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
        Ok(())
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
            self.audit.awarded_cents += line.awarded_cents;
            *self
                .audit
                .verdicts
                .entry(crate::scenarios::verdict_word(line.verdict()))
                .or_default() += 1;
            if line.verdict() == wire::Verdict::Reject {
                for reason in &line.reasons {
                    *self
                        .audit
                        .rejected_by_code
                        .entry(reason.code.clone())
                        .or_default() += 1;
                }
            }
        }
        for line in &decision.lines {
            let Some(rule) = deciding_pair_rule(&line.evidence, reference) else {
                continue;
            };
            let facts = intake.validated.declaration.lines.iter();
            let Some(declared) = facts
                .into_iter()
                .find(|it| it.line_number == line.line_number)
            else {
                continue;
            };
            let stopped = matches!(
                line.verdict,
                samenloop_domain::decision::Verdict::Reject
                    | samenloop_domain::decision::Verdict::Reduce
            );
            let coverage = format!(
                "{}|{:?}|{:?}|{:?}|{:?}|{:?}",
                intake.validated.declaration.declarant_agb,
                declared.prestatie,
                declared.contract_id,
                declared.period,
                declared.patient_group_id,
                declared.insured.as_ref().map(|insured| &insured.identity)
            );
            if !stopped || !self.prevented.insert(coverage) {
                continue;
            }
            let prevented = line.declared.get() - line.awarded.get();
            match rule {
                MatchLevel::SameContract => self.audit.resent_cents += prevented,
                _ => self.audit.prevented_cents += prevented,
            }
        }
    }

    fn finish(mut self) -> anyhow::Result<Audit> {
        if let Some(reference) = &self.reference {
            self.audit.double_funding_pairs = pairs(&self.history, reference);
        }
        self.audit.digest = hex(self.decided.finish().as_ref());
        self.audit.replay_digest = hex(self.replayed.finish().as_ref());
        Ok(self.audit)
    }
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

/// Pairs of awarded lines of which a rule in force excludes the later one.
fn pairs(history: &History, reference: &Reference) -> u64 {
    let mut pairs = 0;
    for covered in history.coverage.entries() {
        if covered.state != CoverageState::Awarded {
            continue;
        }
        let earlier: Vec<&Covered> = (history.coverage.meeting(&covered.coverage).into_iter())
            .filter(|rival| rival.id < covered.id && rival.state == CoverageState::Awarded)
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
        let mut text = format!(
            "{}|{}|{}|{}",
            outcome.sequence, line.line_reference, line.verdict, line.awarded_cents
        );
        for evidence in &line.evidence {
            text.push_str(&format!("|{}.{}", evidence.rule, evidence.rule_version));
        }
        text.push('\n');
        digest.update(text.as_bytes());
    }
}
