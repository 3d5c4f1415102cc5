//! A batch as it is decided: what it has seen of the past, what it changes, and what it will write.
//!
//! Whoever needs more of the past than was loaded asks [`Deciding::past`], which puts what the batch
//! changed so far on top of what the store has.

use std::collections::BTreeMap;

use jiff::Timestamp;
use samenloop_adapters::{
    consume::HandleError,
    decision_store::{
        DecisionBatch, DecisionTransaction, NewOutboxRow, OutboxBody, WaitingMessage,
    },
    wire::{outcome, validated::Intake},
};
use samenloop_domain::{
    coverage::{CoverageId, CoverageState},
    decision::{
        MessageDecision, Registration, decide_message, excluding_rival, register, waits_for,
    },
    history::{History, HistoryKeys},
    identifiers::{PartyId, Sequence},
    reference::Reference,
};
use samenloop_proto::declaration::v1 as wire;
use uuid::Uuid;

use crate::{
    freed::Gone,
    handle::{Conflict, DetectionHandler, Source},
    record,
};

/// The batch as it grows.
pub(crate) struct Deciding<'a> {
    pub(crate) handler: &'a DetectionHandler,
    pub(crate) reference: &'a Reference,
    pub(crate) now: Timestamp,
    history: History,
    next: u64,
    pub(crate) batch: DecisionBatch,
    /// Newest outcomes of messages of this batch, and who gets them.
    pub(crate) outcomes: BTreeMap<Uuid, (PartyId, wire::Outcome)>,
    conflicts: Vec<Conflict>,
    /// Ids to be answered with their stored outcome.
    resends: Vec<(PartyId, Uuid, String)>,
    /// What has changed the past so far, in order.
    steps: Vec<Step>,
    /// Refused lines of which the batch changed for which rival they wait.
    pub(crate) excluded_by: BTreeMap<CoverageId, Option<CoverageId>>,
}

/// What changed the past.
enum Step {
    /// A message of the batch, by index.
    Message(usize),
    /// A line that was decided again, by index.
    Revision(usize),
    /// A chunk of existing prestaties was withdrawn.
    ImportWithdrawn(Sequence),
    /// What an entry let stand between contracts was ended.
    StandingEnded(Sequence),
}

impl<'a> Deciding<'a> {
    pub(crate) fn new(
        handler: &'a DetectionHandler,
        reference: &'a Reference,
        history: History,
        transaction: &DecisionTransaction,
    ) -> Self {
        let now = handler.clock.now();
        Self {
            handler,
            reference,
            now,
            history,
            next: transaction.head().sequence.0 + 1,
            batch: DecisionBatch {
                written_at: Some(now),
                ..DecisionBatch::default()
            },
            outcomes: BTreeMap::new(),
            conflicts: Vec::new(),
            resends: Vec::new(),
            steps: Vec::new(),
            excluded_by: BTreeMap::new(),
        }
    }

    /// What the store writes, and the deliveries that reuse a message id.
    pub(crate) fn finish(self) -> (DecisionBatch, Vec<Conflict>) {
        (self.batch, self.conflicts)
    }

    /// What of the past `keys` name, with what the batch changed so far.
    pub(crate) async fn past(
        &self,
        keys: &HistoryKeys,
        transaction: &mut DecisionTransaction,
    ) -> Result<History, HandleError> {
        let mut past = transaction.load_history(keys).await?;
        for step in &self.steps {
            match step {
                Step::Message(index) => {
                    let decided = &self.batch.decided[*index];
                    past.apply(&decided.input, &decided.decision);
                }
                Step::Revision(index) => {
                    let revised = &self.batch.revisions[*index];
                    past.revise(revised.declarant, &revised.revision);
                }
                Step::ImportWithdrawn(sequence) => past.withdraw_import(*sequence),
                Step::StandingEnded(decided) => past.standing.end(*decided),
            }
        }
        Ok(past)
    }

    /// The newest outcome of a message, and who gets it.
    pub(crate) async fn newest_outcome(
        &self,
        id: Uuid,
        transaction: &mut DecisionTransaction,
    ) -> Result<(PartyId, wire::Outcome), HandleError> {
        if let Some(newest) = self.outcomes.get(&id) {
            return Ok(newest.clone());
        }
        let stored = transaction.load_messages(&[id]).await?.into_iter().next();
        let newest = stored.map(|message| (message.party, message.outcome));
        newest.ok_or_else(|| HandleError::Failed(format!("message {id} has no outcome")))
    }

    /// Makes the last revision of the batch part of the past.
    pub(crate) fn revised(&mut self) {
        let index = self.batch.revisions.len() - 1;
        let revised = &self.batch.revisions[index];
        self.history.revise(revised.declarant, &revised.revision);
        self.steps.push(Step::Revision(index));
    }

    /// Makes the withdrawal of a chunk part of the past.
    pub(crate) fn import_withdrawn(&mut self, sequence: Sequence) {
        self.history.withdraw_import(sequence);
        self.batch.withdrawn_imports.push(sequence);
        self.steps.push(Step::ImportWithdrawn(sequence));
    }

    /// Makes the end of what stood part of the past.
    pub(crate) fn standing_ended(&mut self, decided: Sequence) {
        self.history.standing.end(decided);
        self.batch.ended_standing.push(decided);
        self.steps.push(Step::StandingEnded(decided));
    }

    /// What the credits of a message free, with the coverage of those that were held.
    fn gone_by(&self, decision: &MessageDecision) -> Vec<Gone> {
        let originals = decision.lines.iter().filter_map(|line| line.reverses);
        let held = |line: CoverageId| {
            let covered = self.history.coverage.entry(line)?;
            (covered.state == CoverageState::Held).then(|| covered.coverage.clone())
        };
        originals
            .map(|line| Gone {
                line,
                held: held(line),
            })
            .collect()
    }

    /// Notes for which rival each refused line of a message waits.
    fn wait_for_rivals(&mut self, decision: &MessageDecision) {
        for line in &decision.lines {
            if let Some(rival) = excluding_rival(line) {
                let id = CoverageId::of_line(decision.sequence, line.line_number);
                self.excluded_by.insert(id, Some(rival));
            }
        }
    }

    pub(crate) async fn take(
        &mut self,
        intake: Intake,
        source: Source,
        transaction: &mut DecisionTransaction,
    ) -> Result<(), HandleError> {
        let input = &intake.validated;
        let id = input.declaration.message_id;
        match register(input, &self.history) {
            Registration::New => {
                let waits = !waits_for(input, &self.history).is_empty();
                let until = intake.received_at + self.handler.original_wait;
                let patient = !self.handler.original_wait.is_zero();
                if waits && patient && until > self.now {
                    if source == Source::Queue {
                        self.set_aside(&intake, until);
                    }
                    Ok(())
                } else {
                    self.decide(intake, transaction).await
                }
            }
            Registration::Resend { .. } => {
                self.resends
                    .push((input.party.clone(), id, intake.traceparent.clone()));
                Ok(())
            }
            Registration::Conflict => {
                let registered = self.history.messages.get(&id).map(|known| known.sequence);
                self.conflicts.push(Conflict { intake, registered });
                Ok(())
            }
            Registration::OtherParty => {
                self.conflicts.push(Conflict {
                    intake,
                    registered: None,
                });
                Ok(())
            }
        }
    }

    /// The number that comes next.
    pub(crate) fn number_ahead(&self) -> Sequence {
        Sequence(self.next)
    }

    pub(crate) fn number(&mut self) -> Sequence {
        let sequence = Sequence(self.next);
        self.next += 1;
        sequence
    }

    fn set_aside(&mut self, intake: &Intake, until: Timestamp) {
        let input = &intake.validated;
        let id = input.declaration.message_id;
        if self
            .batch
            .set_aside
            .iter()
            .any(|waiting| waiting.message_id == id)
        {
            return;
        }
        let missing = waits_for(input, &self.history);
        let sequence = self.number();
        self.batch.log.push(record::set_aside(
            sequence, self.now, intake, until, &missing,
        ));
        self.batch.set_aside.push(WaitingMessage {
            party: input.party.clone(),
            message_id: id,
            validated: intake.encode(),
            until,
        });
    }

    async fn decide(
        &mut self,
        intake: Intake,
        transaction: &mut DecisionTransaction,
    ) -> Result<(), HandleError> {
        let sequence = self.number();
        let input = &intake.validated;
        let decision = decide_message(input, &self.history, self.reference, sequence);
        let answer = outcome::of_decision(input, intake.received_at, &decision, self.reference);
        let revised = self.withdraw(&decision, transaction).await?;
        let gone = self.gone_by(&decision);
        self.wait_for_rivals(&decision);
        self.history.apply(input, &decision);
        self.outcomes.insert(
            input.declaration.message_id,
            (input.party.clone(), answer.clone()),
        );
        self.batch
            .released
            .push((input.party.clone(), input.declaration.message_id));
        record::decided(
            &mut self.batch,
            intake,
            decision,
            answer,
            revised,
            self.now,
            self.reference,
        );
        self.steps.push(Step::Message(self.batch.decided.len() - 1));
        self.follow(sequence, &gone, transaction).await
    }

    /// New versions of the outcomes of messages whose held lines are withdrawn.
    async fn withdraw(
        &mut self,
        decision: &samenloop_domain::decision::MessageDecision,
        transaction: &mut DecisionTransaction,
    ) -> Result<Vec<(PartyId, wire::Outcome)>, HandleError> {
        let mut by_message: BTreeMap<Uuid, Vec<u32>> = BTreeMap::new();
        for withdrawal in &decision.withdrawn {
            let line = u32::try_from(withdrawal.original.line).expect("a line number is a u32");
            by_message
                .entry(withdrawal.message_id)
                .or_default()
                .push(line);
        }
        let mut revised = Vec::with_capacity(by_message.len());
        for (id, lines) in by_message {
            let (party, newest) = self.newest_outcome(id, transaction).await?;
            let outcome = outcome::with_withdrawn(&newest, &lines);
            self.outcomes.insert(id, (party.clone(), outcome.clone()));
            revised.push((party, outcome));
        }
        Ok(revised)
    }

    /// Sends the newest outcome of a message again to who sent it again.
    pub(crate) async fn answer_resends(
        &mut self,
        transaction: &mut DecisionTransaction,
    ) -> Result<(), HandleError> {
        let ids: Vec<Uuid> = self.resends.iter().map(|(_, id, _)| *id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let stored = transaction.load_messages(&ids).await?;
        let stored: BTreeMap<Uuid, wire::Outcome> = stored
            .into_iter()
            .map(|message| (message.message_id, message.outcome))
            .collect();
        for (party, id, traceparent) in std::mem::take(&mut self.resends) {
            let here = self.outcomes.get(&id).map(|(_, outcome)| outcome);
            let newest = here.or_else(|| stored.get(&id)).cloned();
            let Some(newest) = newest else {
                return Err(HandleError::Failed(format!("message {id} has no outcome")));
            };
            let body = OutboxBody::Outcome(newest);
            self.batch.outbox.push(NewOutboxRow {
                party: Some(party),
                traceparent,
                body,
            });
        }
        Ok(())
    }
}
