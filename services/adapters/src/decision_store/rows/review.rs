//! What decisions by persons change, as rows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use prost::Message as _;
use samenloop_domain::{
    coverage::{CoverageId, CoverageState},
    decision::{LineDecision, PartUse, Verdict, excluding_rival},
    history::InvoicePart,
    identifiers::{Agb, Sequence},
    reference::Effect,
    rejection,
    standing::StandingReview,
};
use samenloop_proto::record::v1 as record;
use uuid::Uuid;

use super::BatchRows;
use crate::{
    decision_store::{DecidedCommand, DecidedMessage, NewCase, RevisedLine, words::Word as _},
    wire::{
        record::{write_claim_facts, write_coverage, write_past_facts},
        review::write_hits,
    },
};

/// What decisions by persons change.
#[derive(Default)]
pub(in crate::decision_store) struct ReviewRows {
    pub(in crate::decision_store) revisions: Vec<RevisionRow>,
    pub(in crate::decision_store) held: BTreeMap<CoverageId, HeldRow>,
    pub(in crate::decision_store) excluded_by: BTreeMap<CoverageId, Option<CoverageId>>,
    pub(in crate::decision_store) withdrawn_imports: Vec<Sequence>,
    pub(in crate::decision_store) released_parts: BTreeSet<InvoicePart>,
    pub(in crate::decision_store) commands: Vec<DecidedCommand>,
    pub(in crate::decision_store) cases: Vec<NewCase>,
    pub(in crate::decision_store) dismissed: Vec<(u64, Uuid)>,
    pub(in crate::decision_store) standing: Vec<StandingReview>,
    pub(in crate::decision_store) ended_standing: Vec<Sequence>,
    pub(in crate::decision_store) written_at: Option<Timestamp>,
}

/// A decided line as it is from now on.
pub(in crate::decision_store) struct RevisionRow {
    pub(in crate::decision_store) id: CoverageId,
    pub(in crate::decision_store) version: u32,
    pub(in crate::decision_store) verdict: &'static str,
    pub(in crate::decision_store) awarded: i64,
    pub(in crate::decision_store) proposed: i64,
    pub(in crate::decision_store) reasons: String,
    pub(in crate::decision_store) facts: Option<Vec<u8>>,
    pub(in crate::decision_store) coverage: Option<Vec<u8>>,
    pub(in crate::decision_store) claim: Option<Vec<u8>>,
    pub(in crate::decision_store) seen: Option<Vec<u8>>,
    pub(in crate::decision_store) excluded_by: Option<CoverageId>,
}

/// A line on the list of held lines.
pub(in crate::decision_store) struct HeldRow {
    pub(in crate::decision_store) message_id: Uuid,
    pub(in crate::decision_store) line_reference: String,
    pub(in crate::decision_store) declarant: String,
    pub(in crate::decision_store) insurer: String,
    pub(in crate::decision_store) contract_id: String,
    /// Ids with a space before and after each.
    pub(in crate::decision_store) rules: String,
    pub(in crate::decision_store) version: u32,
    pub(in crate::decision_store) proposed: i64,
    pub(in crate::decision_store) held_since: Timestamp,
}

/// Ids of rules as lists keep them: a space before and after each, each once.
pub(in crate::decision_store) fn rules_text<'a>(rules: impl Iterator<Item = &'a str>) -> String {
    let distinct: BTreeSet<&str> = rules.collect();
    let mut text = " ".to_owned();
    for rule in distinct {
        text.push_str(rule);
        text.push(' ');
    }
    text
}

impl BatchRows {
    /// Puts a line on the list of held lines, if it is held.
    pub(super) fn hold(
        &mut self,
        declarant: Agb,
        decided: &DecidedMessage,
        line: &LineDecision,
        id: CoverageId,
    ) {
        if line.verdict != Verdict::Review {
            return;
        }
        let declaration = &decided.input.declaration;
        let row = HeldRow {
            message_id: declaration.message_id,
            insurer: declaration.insurer_uzovi.to_string(),
            version: decided.outcome.version,
            held_since: self.recorded_at(id.sequence),
            ..HeldRow::of(declarant, line)
        };
        self.reviews.held.insert(id, row);
    }

    fn recorded_at(&self, sequence: Sequence) -> Timestamp {
        let entry = self.log.iter().find(|entry| entry.sequence == sequence);
        entry.map_or(Timestamp::UNIX_EPOCH, |entry| entry.recorded_at)
    }

    /// A line that was decided before is decided again.
    pub(super) fn add_revision(&mut self, revised: &RevisedLine) {
        let (revision, decision) = (&revised.revision, &revised.revision.decision);
        let reasons = rejection::codes(&decision.rejections);
        let reasons: Vec<&str> = reasons.iter().map(|code| code.as_str()).collect();
        let reasons = reasons.join(" ");
        let before = revision.before.verdict.word();
        self.tallies.add_line(before, &revised.reasons_before, -1);
        self.tallies.add_line(decision.verdict.word(), &reasons, 1);
        let seen = record::Hits {
            hits: write_hits(&revision.seen),
        };
        self.coverage.retain(|row| row.id != revision.line);
        if let Some(facts) = revision.before.taken() {
            self.take(facts, -1);
        }
        if let (Some(coverage), Some(facts)) = (&decision.coverage, &decision.facts) {
            let state = match decision.verdict {
                Verdict::Review => CoverageState::Held,
                _ => CoverageState::Awarded,
            };
            self.occupy(revision.line, state, coverage);
            self.take(facts, 1);
        }
        match &revision.invoice_part {
            PartUse::Unchanged => {}
            PartUse::Taken(part, day) => {
                self.reviews.released_parts.remove(part);
                self.invoice_parts.insert(part.clone(), *day);
            }
            PartUse::Released(part) => {
                self.invoice_parts.remove(part);
                self.reviews.released_parts.insert(part.clone());
            }
        }
        let standing = revision.standing.iter().cloned();
        self.reviews.standing.extend(standing);
        self.reviews.held.remove(&revision.line);
        if decision.verdict == Verdict::Review {
            let row = HeldRow {
                message_id: revision.message_id,
                insurer: revised.insurer.clone(),
                version: revision.version,
                held_since: self.reviews.written_at.unwrap_or(Timestamp::UNIX_EPOCH),
                ..HeldRow::of(revised.declarant, decision)
            };
            self.reviews.held.insert(revision.line, row);
        }
        self.reviews.revisions.push(RevisionRow {
            id: revision.line,
            version: revision.version,
            verdict: decision.verdict.word(),
            awarded: decision.awarded.get(),
            proposed: decision.proposed.get(),
            reasons,
            facts: (decision.facts.as_ref()).map(|it| write_past_facts(it).encode_to_vec()),
            coverage: (decision.coverage.as_ref()).map(|it| write_coverage(it).encode_to_vec()),
            claim: (decision.claim.as_ref()).map(|it| write_claim_facts(it).encode_to_vec()),
            seen: (!revision.seen.is_empty()).then(|| seen.encode_to_vec()),
            excluded_by: excluding_rival(decision),
        });
    }
}

impl HeldRow {
    fn of(declarant: Agb, line: &LineDecision) -> Self {
        let contract = line
            .coverage
            .as_ref()
            .and_then(|it| it.contract_id.as_ref());
        // What persons let stand asks nobody.
        let asking = line.evidence.iter();
        let asking = asking.filter(|it| it.effect != Effect::Allow);
        Self {
            message_id: Uuid::nil(),
            line_reference: line.line_reference.to_string(),
            declarant: declarant.to_string(),
            insurer: String::new(),
            contract_id: contract.map(ToString::to_string).unwrap_or_default(),
            rules: rules_text(asking.map(|it| &*it.rule)),
            version: 1,
            proposed: line.proposed.get(),
            held_since: Timestamp::UNIX_EPOCH,
        }
    }
}
