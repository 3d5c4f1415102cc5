//! One batch of validated messages: decide them one after the other under the lock, and write all in one transaction.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use samenloop_adapters::{
    broker::Delivery,
    clock::Clock,
    config,
    consume::{HandleError, Handler},
    decision_store::{
        DecisionBatch, DecisionStore, DecisionTransaction, NewOutboxRow, OutboxBody, StoreError,
        WaitingMessage,
    },
    reference_feed::ReferenceFeed,
    wire::{outcome, validated::Intake},
};
use samenloop_domain::{
    decision::{Registration, decide_message, register, waits_for},
    history::{History, keys_of},
    identifiers::{PartyId, Sequence},
    reference::Reference,
    validation::{Environment, validate_declaration},
};
use samenloop_proto::declaration::v1 as wire;
use uuid::Uuid;

use crate::record;

/// Most waiting messages looked at in one go.
const WAITING_MAX: u32 = 256;

/// What detection needs.
#[derive(Clone, Debug)]
pub struct DetectionHandler {
    /// Where decisions are kept.
    pub store: DecisionStore,
    /// What it decides by.
    pub reference: ReferenceFeed,
    /// Time.
    pub clock: Clock,
    /// How long a credit waits for an original that is not known.
    pub original_wait: SignedDuration,
    /// Which kind of messages is judged here.
    pub environment: config::Environment,
}

/// A delivery that reuses a message id: its refusal is written after the batch.
struct Conflict {
    intake: Intake,
    /// Its own party's registration, whose content may be named; none of another party's.
    registered: Option<Sequence>,
}

/// Where a batch comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// From the queue.
    Queue,
    /// Messages that wait already: what they wait for may have come, or their term have passed.
    Waiting,
}

/// The batch as it grows.
struct Deciding<'a> {
    handler: &'a DetectionHandler,
    source: Source,
    reference: &'a Reference,
    now: Timestamp,
    history: History,
    next: u64,
    batch: DecisionBatch,
    /// Newest outcomes of messages of this batch.
    outcomes: BTreeMap<Uuid, wire::Outcome>,
    conflicts: Vec<Conflict>,
    /// Ids to be answered with their stored outcome.
    resends: Vec<(PartyId, Uuid, String)>,
}

impl Handler for DetectionHandler {
    const STAGE: &'static str = "detection";

    async fn handle(&self, batch: Arc<Vec<Delivery>>) -> Result<(), HandleError> {
        let decode = |delivery: &Delivery| Intake::decode(&delivery.message.body);
        let intakes: Result<Vec<Intake>, _> = batch.iter().map(decode).collect();
        let intakes = intakes.map_err(|error| HandleError::Failed(error.to_string()))?;
        self.decide(intakes, Source::Queue).await
    }

    fn sender(&self, delivery: &Delivery) -> Option<PartyId> {
        Intake::decode(&delivery.message.body)
            .ok()
            .map(|intake| intake.validated.party)
    }
}

impl DetectionHandler {
    /// Decides messages that wait for nothing any more, or have waited long enough.
    ///
    /// # Errors
    /// [`HandleError`] where the store is away; they wait on.
    pub async fn decide_waiting(&self) -> Result<(), HandleError> {
        let waiting = self.store.waiting(WAITING_MAX).await?;
        let decode = |waiting: WaitingMessage| Intake::decode(&waiting.validated);
        let intakes: Result<Vec<Intake>, _> = waiting.into_iter().map(decode).collect();
        let intakes = intakes.map_err(|error| HandleError::Failed(error.to_string()))?;
        if intakes.is_empty() {
            return Ok(());
        }
        self.decide(intakes, Source::Waiting).await
    }

    /// Decides a batch in one transaction.
    ///
    /// # Errors
    /// [`HandleError`]; nothing was written.
    pub async fn decide(
        &self,
        mut intakes: Vec<Intake>,
        source: Source,
    ) -> Result<(), HandleError> {
        let (mut transaction, reference) = self.begin().await?;
        for intake in &mut intakes {
            self.judge_again(intake, &reference);
        }
        let inputs: Vec<_> = intakes.iter().map(|intake| &intake.validated).collect();
        let history = transaction
            .load_history(&keys_of(&inputs, &reference))
            .await?;
        let mut deciding = Deciding {
            handler: self,
            source,
            reference: &reference,
            now: self.clock.now(),
            history,
            next: transaction.head().sequence.0 + 1,
            batch: DecisionBatch::default(),
            outcomes: BTreeMap::new(),
            conflicts: Vec::new(),
            resends: Vec::new(),
        };
        for intake in intakes {
            deciding.take(intake, &mut transaction).await?;
        }
        deciding.answer_resends(&mut transaction).await?;
        let Deciding {
            batch, conflicts, ..
        } = deciding;
        // The lock on the head is given up before anything else is written: that would wait for it.
        if batch.log.is_empty() && batch.outbox.is_empty() {
            drop(transaction);
        } else {
            record::count(&batch);
            transaction.commit(batch).await?;
        }
        self.refuse_conflicts(conflicts).await
    }

    /// A transaction, and the reference data in force under its lock.
    async fn begin(&self) -> Result<(DecisionTransaction, Arc<Reference>), HandleError> {
        loop {
            let none = || {
                let problem = "no reference data is in force: run `samenloop reference import DIR`";
                HandleError::Transient(problem.to_owned())
            };
            let reference = self.reference.current().await?.ok_or_else(none)?;
            let transaction = self.store.begin().await?;
            if transaction.active_version() == Some(&reference.version) {
                return Ok((transaction, reference));
            }
        }
    }

    /// Where another reference version is in force than validation judged with, the same judging runs again.
    fn judge_again(&self, intake: &mut Intake, reference: &Reference) {
        let input = &mut intake.validated;
        if input.judged_with == reference.version || intake.fault_count > 0 {
            return;
        }
        let environment = match self.environment {
            config::Environment::Production => Environment::Production,
            config::Environment::Test => Environment::Test,
        };
        input.findings = validate_declaration(
            &input.declaration,
            &input.party,
            input.received_on,
            reference,
            environment,
        );
        input.judged_with = reference.version.clone();
    }

    /// Tells senders that reuse a message id which field differs; its first registration stands.
    async fn refuse_conflicts(&self, conflicts: Vec<Conflict>) -> Result<(), HandleError> {
        let mut rows = Vec::with_capacity(conflicts.len());
        for conflict in conflicts {
            let faults = match conflict.registered {
                Some(sequence) => self.difference(sequence, &conflict.intake).await?,
                None => Vec::new(),
            };
            rows.push(record::conflict_refusal(
                &conflict.intake,
                faults,
                self.clock.now(),
            ));
        }
        if rows.is_empty() {
            Ok(())
        } else {
            Ok(self.store.quarantine(Vec::new(), rows).await?)
        }
    }

    async fn difference(
        &self,
        sequence: Sequence,
        intake: &Intake,
    ) -> Result<Vec<wire::Fault>, StoreError> {
        let before = Sequence(sequence.0 - 1);
        let entries = self.store.log_after(before, 1).await?;
        Ok(record::difference(entries.first(), intake))
    }
}

impl Deciding<'_> {
    async fn take(
        &mut self,
        intake: Intake,
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
                    if self.source == Source::Queue {
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

    fn number(&mut self) -> Sequence {
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
        let revised = self.revise(&decision, transaction).await?;
        self.history.apply(input, &decision);
        self.outcomes
            .insert(input.declaration.message_id, answer.clone());
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
        Ok(())
    }

    /// New versions of the outcomes of messages whose held lines are withdrawn.
    async fn revise(
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
            let stored = transaction.load_messages(&[id]).await?.into_iter().next();
            let known = self
                .history
                .messages
                .get(&id)
                .map(|known| known.party.clone());
            let party = stored
                .as_ref()
                .map(|message| message.party.clone())
                .or(known);
            let newest = self
                .outcomes
                .get(&id)
                .cloned()
                .or(stored.map(|message| message.outcome));
            let Some((party, newest)) = party.zip(newest) else {
                let problem = format!("message {id} has a held line and no outcome");
                return Err(HandleError::Failed(problem));
            };
            let outcome = outcome::with_withdrawn(&newest, &lines);
            self.outcomes.insert(id, outcome.clone());
            revised.push((party, outcome));
        }
        Ok(revised)
    }

    /// Sends the newest outcome of a message again to who sent it again.
    async fn answer_resends(
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
            let newest = self.outcomes.get(&id).or_else(|| stored.get(&id)).cloned();
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
