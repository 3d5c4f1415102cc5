//! What one batch writes, as rows: worked out once, so that both databases write the same.
//!
//! It mirrors how a decision changes the history in the domain: what is taken and given back here is
//! what `History::apply` takes and gives back there. No SQL stands here.

mod chain;
mod keys;
mod outbox;
mod review;

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use samenloop_domain::{
    coverage::{CoverageId, CoverageState},
    decision::{LineDecision, Verdict, excluding_rival},
    history::{CeilingKey, InvoicePart, PastFacts, TermKey, known_part_of},
    identifiers::{Agb, Sequence},
    rejection,
};

use super::{
    words::{Word, key_text},
    *,
};
use crate::wire::record::{write_claim_facts, write_coverage, write_past_facts};

pub use chain::chained;
pub(super) use keys::KeyRows;
pub(super) use outbox::OutboxInsert;
pub(super) use review::{ReviewRows, rules_text};

/// Everything that one transaction writes, in rows.
#[derive(Default)]
pub(super) struct BatchRows {
    pub(super) log: Vec<LoggedEntry>,
    pub(super) messages: Vec<MessageRow>,
    pub(super) lines: Vec<LineRow>,
    pub(super) coverage: Vec<CoverageRow>,
    /// Originals and the credits that reverse them, in order.
    pub(super) credits: BTreeMap<CoverageId, CoverageId>,
    pub(super) existing: Vec<ExistingRow>,
    pub(super) chunks: Vec<ExistingChunk>,
    pub(super) invoice_parts: BTreeMap<InvoicePart, Day>,
    pub(super) known_parts: BTreeMap<InvoicePart, Day>,
    /// Terms used, less those given back.
    pub(super) terms: BTreeMap<TermKey, i64>,
    /// Cents taken, less those given back.
    pub(super) ceilings: BTreeMap<CeilingKey, i64>,
    /// The newest version of each revised outcome.
    pub(super) revised: BTreeMap<Uuid, RevisedRow>,
    pub(super) outbox: Vec<OutboxInsert>,
    pub(super) references: Vec<(Sequence, StoredReference)>,
    pub(super) set_aside: Vec<WaitingMessage>,
    pub(super) released: Vec<(PartyId, Uuid)>,
    pub(super) reviews: ReviewRows,
    pub(super) tallies: Tallies,
    pub(super) found_by: KeyRows,
}

/// Changes of the counts that the operator page shows, by kind and key.
#[derive(Default)]
pub(super) struct Tallies(pub(super) BTreeMap<(&'static str, String), i64>);

/// Count of messages; its key is empty.
pub(super) const TALLY_MESSAGES: &str = "messages";
/// Count of lines by verdict.
pub(super) const TALLY_VERDICT: &str = "verdict";
/// Count of lines rejected, held or reduced, by reason code.
pub(super) const TALLY_REASON: &str = "reason";

pub(super) struct MessageRow {
    pub(super) message_id: Uuid,
    pub(super) party: PartyId,
    pub(super) content_digest: [u8; 32],
    pub(super) sequence: Sequence,
    pub(super) version: u32,
    pub(super) received_at: Timestamp,
    pub(super) received_on: Day,
    pub(super) decided_at: Timestamp,
    pub(super) status: &'static str,
    pub(super) outcome: Vec<u8>,
}

pub(super) struct LineRow {
    pub(super) id: CoverageId,
    /// Its place in the message: numbers of a refused message may repeat.
    pub(super) index: i64,
    pub(super) declarant: Option<Agb>,
    pub(super) line_reference: String,
    pub(super) insurer: Option<String>,
    pub(super) direction: &'static str,
    pub(super) verdict: &'static str,
    pub(super) declared: i64,
    pub(super) awarded: i64,
    pub(super) proposed: i64,
    /// Codes, separated by a space.
    pub(super) reasons: String,
    pub(super) facts: Option<Vec<u8>>,
    pub(super) coverage: Option<Vec<u8>>,
    pub(super) claim: Option<Vec<u8>>,
    /// The rival that excludes it.
    pub(super) excluded_by: Option<CoverageId>,
}

pub(super) struct CoverageRow {
    pub(super) key: String,
    pub(super) id: CoverageId,
    pub(super) first_day: Day,
    pub(super) last_day: Day,
    pub(super) state: &'static str,
}

pub(super) struct ExistingRow {
    pub(super) id: CoverageId,
    pub(super) coverage: Vec<u8>,
    pub(super) awarded: i64,
}

pub(super) struct RevisedRow {
    pub(super) party: PartyId,
    pub(super) version: u32,
    pub(super) status: &'static str,
    pub(super) outcome: Vec<u8>,
}

impl BatchRows {
    /// The rows of `batch` on top of `head`, and the head after it.
    ///
    /// Panics where numbers leave a gap or a decided message has no entry: detection is then wrong.
    pub(super) fn of(batch: DecisionBatch, head: Head) -> Result<(Self, Head), StoreError> {
        let written_at = batch
            .written_at
            .or_else(|| batch.log.last().map(|entry| entry.recorded_at));
        let (log, head) = chain::chain(batch.log, head);
        let mut rows = Self {
            log,
            set_aside: batch.set_aside,
            released: batch.released,
            chunks: batch.chunks,
            ..Self::default()
        };
        rows.reviews.written_at = written_at;
        let traces = keys::traces_of(&batch.outbox);
        for decided in &batch.decided {
            rows.add_message(decided);
            rows.add_keys(decided, &traces);
        }
        rows.add_revisions()?;
        for (sequence, row) in batch.imported {
            rows.add_imported(sequence, &row);
        }
        for revised in &batch.revisions {
            rows.add_revision(revised);
        }
        rows.reviews.excluded_by = batch.excluded_by;
        rows.reviews.withdrawn_imports = batch.withdrawn_imports;
        rows.reviews.commands = batch.commands;
        rows.reviews.cases = batch.cases;
        rows.reviews.dismissed = batch.dismissed;
        rows.reviews.ended_standing = batch.ended_standing;
        // Coverage that was freed by the same batch that took it is not written at all.
        let credits = &rows.credits;
        rows.coverage
            .retain(|covered| !credits.contains_key(&covered.id));
        for (party, outcome) in batch.revised {
            rows.revise(party, &outcome)?;
        }
        rows.add_references(batch.activated);
        rows.outbox = batch
            .outbox
            .into_iter()
            .map(|row| OutboxInsert::of(row, written_at))
            .collect::<Result<_, _>>()?;
        Ok((rows, head))
    }

    fn add_message(&mut self, decided: &DecidedMessage) {
        let (input, decision) = (&decided.input, &decided.decision);
        let entry = self
            .log
            .binary_search_by_key(&decision.sequence, |entry| entry.sequence)
            .unwrap_or_else(|_| panic!("message {} has no entry in its batch", decision.sequence));
        let status = wire::Status::try_from(decided.outcome.status).unwrap_or_default();
        self.messages.push(MessageRow {
            message_id: input.declaration.message_id,
            party: input.party.clone(),
            content_digest: input.content_digest,
            sequence: decision.sequence,
            version: decided.outcome.version,
            received_at: decided.received_at,
            received_on: input.received_on,
            decided_at: self.log[entry].recorded_at,
            status: status.word(),
            outcome: decided.outcome.encode_to_vec(),
        });
        if let Some(part) = &decision.invoice_part {
            self.invoice_parts.insert(part.clone(), input.received_on);
        }
        if let Some(part) = known_part_of(&input.declaration) {
            self.known_parts.insert(part, input.received_on);
        }
        self.tallies.add(TALLY_MESSAGES, "", 1);
        for (index, line) in decision.lines.iter().enumerate() {
            self.add_line(decided, index, line);
        }
    }

    fn add_line(&mut self, decided: &DecidedMessage, index: usize, line: &LineDecision) {
        let declaration = &decided.input.declaration;
        let id = CoverageId::of_line(decided.decision.sequence, line.line_number);
        let reasons = rejection::codes(&line.rejections);
        let reasons: Vec<&str> = reasons.iter().map(|code| code.as_str()).collect();
        let reasons = reasons.join(" ");
        self.tallies.add_line(line.verdict.word(), &reasons, 1);
        let declarant = declaration.declarant_agb.agb();
        self.lines.push(LineRow {
            id,
            index: i64::try_from(index).expect("a message has at most 2,000 lines"),
            declarant,
            line_reference: line.line_reference.to_string(),
            insurer: (declaration.insurer_uzovi.uzovi()).map(|insurer| insurer.to_string()),
            direction: line.direction.word(),
            verdict: line.verdict.word(),
            declared: line.declared.get(),
            awarded: line.awarded.get(),
            proposed: line.proposed.get(),
            reasons,
            facts: (line.facts.as_ref()).map(|facts| write_past_facts(facts).encode_to_vec()),
            coverage: (line.coverage.as_ref()).map(|it| write_coverage(it).encode_to_vec()),
            claim: (line.claim.as_ref()).map(|claim| write_claim_facts(claim).encode_to_vec()),
            excluded_by: excluding_rival(line),
        });
        let Some(declarant) = declarant else {
            return;
        };
        self.hold(declarant, decided, line, id);
        if let (Some(coverage), Some(facts)) = (&line.coverage, &line.facts) {
            let state = match line.verdict {
                Verdict::Review => CoverageState::Held,
                _ => CoverageState::Awarded,
            };
            self.occupy(id, state, coverage);
            self.take(facts, 1);
        }
        if let Some(original) = line.reverses {
            self.credits.insert(original, id);
            self.reviews.held.remove(&original);
            if let Some(facts) = &line.facts {
                self.take(facts, -1);
            }
        }
    }

    fn occupy(
        &mut self,
        id: CoverageId,
        state: CoverageState,
        coverage: &samenloop_domain::coverage::Coverage,
    ) {
        let keys: BTreeSet<String> = coverage.keys().iter().map(key_text).collect();
        let rows = keys.into_iter().map(|key| CoverageRow {
            key,
            id,
            first_day: coverage.period.first(),
            last_day: coverage.period.last(),
            state: state.word(),
        });
        self.coverage.extend(rows);
    }

    /// Takes the term and ceilings of a line, or gives them back.
    fn take(&mut self, facts: &PastFacts, times: i64) {
        for term in &facts.terms {
            *self.terms.entry(term.clone()).or_default() += times;
        }
        for (key, cents) in &facts.ceilings {
            *self.ceilings.entry(key.clone()).or_default() += times * cents.get();
        }
    }

    fn add_imported(&mut self, sequence: Sequence, row: &ImportedRow) {
        let id = CoverageId {
            sequence,
            line: row.row,
        };
        self.occupy(id, CoverageState::Imported, &row.coverage);
        self.existing.push(ExistingRow {
            id,
            coverage: write_coverage(&row.coverage).encode_to_vec(),
            awarded: row.awarded.get(),
        });
    }

    fn revise(&mut self, party: PartyId, outcome: &wire::Outcome) -> Result<(), StoreError> {
        let message_id = outbox::read_id(&outcome.message_id)?;
        let newer = self.revised.get(&message_id);
        if newer.is_none_or(|it| it.version < outcome.version) {
            let status = wire::Status::try_from(outcome.status).unwrap_or_default();
            let row = RevisedRow {
                party,
                version: outcome.version,
                status: status.word(),
                outcome: outcome.encode_to_vec(),
            };
            self.revised.insert(message_id, row);
        }
        Ok(())
    }

    /// A version that names no entry was activated by the next entry of that kind.
    fn add_references(&mut self, activated: Vec<StoredReference>) {
        let entries = self.log.iter();
        let mut entries = entries.filter(|entry| entry.kind == "reference_activated");
        for reference in activated {
            let entry = entries.next().map(|entry| entry.sequence);
            let sequence = reference.sequence.or(entry);
            let sequence = sequence.unwrap_or_else(|| {
                panic!("version {} has no entry in its batch", reference.version)
            });
            self.references.push((sequence, reference));
        }
    }
}

impl Tallies {
    pub(super) fn add(&mut self, kind: &'static str, key: &str, count: i64) {
        *self.0.entry((kind, key.to_owned())).or_default() += count;
    }

    /// Counts a line; reasons count while it is rejected, held or reduced.
    pub(super) fn add_line(&mut self, verdict: &str, reasons: &str, count: i64) {
        self.add(TALLY_VERDICT, verdict, count);
        if matches!(verdict, "reject" | "review" | "reduce") {
            for code in reasons.split_whitespace() {
                self.add(TALLY_REASON, code, count);
            }
        }
    }

    /// A line that was held has been withdrawn.
    pub(super) fn withdraw(&mut self, reasons: &str) {
        self.add_line(Verdict::Review.word(), reasons, -1);
        self.add_line(Verdict::Withdrawn.word(), reasons, 1);
    }
}
