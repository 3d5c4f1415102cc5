//! How a decision changes the past.

use std::collections::BTreeSet;

use crate::{
    cents::Cents,
    coverage::{CoverageId, CoverageState, Covered},
    decision::{LineDecision, MessageDecision, PartUse, Revision, Validated, Verdict},
    history::{History, PastFacts, PastLine, ReferenceKey, RegisteredMessage, known_part_of},
    identifiers::{Agb, Sequence},
};

impl History {
    /// Makes `decision` of `input` part of the past.
    ///
    /// A part of the past that was not loaded stays so: what a credit gives back of a term or
    /// ceiling that nobody asked for matters to nobody in the batch.
    pub fn apply(&mut self, input: &Validated, decision: &MessageDecision) {
        let declaration = &input.declaration;
        let registered = RegisteredMessage {
            party: input.party.clone(),
            content_digest: input.content_digest,
            sequence: decision.sequence,
            version: 1,
        };
        self.messages.insert(declaration.message_id, registered);
        if let Some(part) = &decision.invoice_part {
            // A use of more than five years ago may stand here; the newest one counts from now on.
            self.invoice_parts.insert(part.clone(), input.received_on);
        }
        if let Some(part) = known_part_of(declaration) {
            self.known_parts.insert(part, input.received_on);
        }
        // However many of its lines are withdrawn at once, a message gets one new outcome.
        let revised = decision.withdrawn.iter().map(|it| it.message_id);
        for message_id in revised.collect::<BTreeSet<_>>() {
            if let Some(message) = self.messages.get_mut(&message_id) {
                message.version += 1;
            }
        }
        let Some(declarant) = declaration.declarant_agb.agb() else {
            return;
        };
        for (line, decided) in declaration.lines.iter().zip(&decision.lines) {
            let id = CoverageId::of_line(decision.sequence, decided.line_number);
            self.occupy(id, decided);
            if let (Some(original), Some(reference)) = (decided.reverses, &line.original_reference)
            {
                let key = ReferenceKey {
                    declarant,
                    reference: reference.clone(),
                };
                self.reverse(id, original, &key, decided.facts.as_ref());
            }
            self.record(id, declarant, input, decided);
        }
    }

    /// Makes a new decision of an earlier line part of the past.
    pub fn revise(&mut self, declarant: Agb, revision: &Revision) {
        let decided = &revision.decision;
        if let Some(message) = self.messages.get_mut(&revision.message_id) {
            message.version = revision.version;
        }
        match &revision.invoice_part {
            PartUse::Unchanged => {}
            PartUse::Taken(part, day) => {
                self.invoice_parts.insert(part.clone(), *day);
            }
            PartUse::Released(part) => {
                self.invoice_parts.remove(part);
            }
        }
        for standing in &revision.standing {
            self.standing.add(standing.clone());
        }
        self.coverage.remove(revision.line);
        if let Some(facts) = revision.before.taken() {
            self.give_back(facts);
        }
        self.occupy(revision.line, decided);
        let key = ReferenceKey {
            declarant,
            reference: decided.line_reference.clone(),
        };
        let known = self.lines.get_mut(&key).into_iter().flatten();
        for line in known.filter(|line| line.id == revision.line) {
            line.verdict = decided.verdict;
            line.awarded = decided.awarded;
            line.proposed = decided.proposed;
            line.facts.clone_from(&decided.facts);
            line.claim.clone_from(&decided.claim);
            line.version = revision.version;
            line.seen.clone_from(&revision.seen);
        }
    }

    /// A chunk of existing prestaties occupies nothing any more.
    pub fn withdraw_import(&mut self, sequence: Sequence) {
        let of_chunk =
            |it: &&Covered| it.id.sequence == sequence && it.state == CoverageState::Imported;
        let ids: Vec<CoverageId> = self
            .coverage
            .entries()
            .filter(of_chunk)
            .map(|it| it.id)
            .collect();
        for id in ids {
            self.coverage.remove(id);
        }
    }

    /// What an awarded or held debit takes from now on.
    fn occupy(&mut self, id: CoverageId, decided: &LineDecision) {
        let (Some(coverage), Some(facts)) = (&decided.coverage, &decided.facts) else {
            return;
        };
        let state = match decided.verdict {
            Verdict::Review => CoverageState::Held,
            _ => CoverageState::Awarded,
        };
        self.coverage.insert(Covered {
            id,
            state,
            coverage: coverage.clone(),
        });
        for term in &facts.terms {
            *self.terms.entry(term.clone()).or_default() += 1;
        }
        for (key, cents) in &facts.ceilings {
            let taken = self.ceilings.entry(key.clone()).or_default();
            *taken = *taken + *cents;
        }
    }

    /// What an accepted credit gives back, and what becomes of its original.
    fn reverse(
        &mut self,
        credit: CoverageId,
        original: CoverageId,
        key: &ReferenceKey,
        facts: Option<&PastFacts>,
    ) {
        self.coverage.remove(original);
        let known = self.lines.get_mut(key).into_iter().flatten();
        for line in known.filter(|line| line.id == original) {
            line.credited_by = Some(credit);
            if line.verdict == Verdict::Review {
                line.verdict = Verdict::Withdrawn;
                line.proposed = Cents::ZERO;
            }
        }
        if let Some(facts) = facts {
            self.give_back(facts);
        }
    }

    /// Gives back what a line took of its term and ceilings.
    fn give_back(&mut self, facts: &PastFacts) {
        for term in &facts.terms {
            if let Some(used) = self.terms.get_mut(term) {
                *used = used.saturating_sub(1);
            }
        }
        for (key, cents) in &facts.ceilings {
            if let Some(taken) = self.ceilings.get_mut(key) {
                *taken = *taken - *cents;
            }
        }
    }

    fn record(
        &mut self,
        id: CoverageId,
        declarant: Agb,
        input: &Validated,
        decided: &LineDecision,
    ) {
        let Some(insurer) = input.declaration.insurer_uzovi.uzovi() else {
            return;
        };
        let key = ReferenceKey {
            declarant,
            reference: decided.line_reference.clone(),
        };
        self.lines.entry(key).or_default().push(PastLine {
            id,
            message_id: input.declaration.message_id,
            party: input.party.clone(),
            direction: decided.direction,
            insurer,
            facts: decided.facts.clone(),
            verdict: decided.verdict,
            awarded: decided.awarded,
            proposed: decided.proposed,
            received_on: input.received_on,
            credited_by: None,
            claim: decided.claim.clone(),
            version: 1,
            seen: BTreeSet::new(),
        });
    }
}
