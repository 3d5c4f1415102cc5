//! One batch of validated messages: decide them one after the other under the lock, and write all in one transaction.

use std::sync::Arc;

use jiff::SignedDuration;
use samenloop_adapters::{
    broker::Delivery,
    clock::Clock,
    config,
    consume::{HandleError, Handler},
    decision_store::{
        DecisionBatch, DecisionStore, DecisionTransaction, StoreError, WaitingMessage,
    },
    reference_feed::ReferenceFeed,
    wire::{review::Command, validated::Intake},
};
use samenloop_domain::{
    history::{History, keys_of},
    identifiers::{PartyId, Sequence},
    reference::Reference,
    validation::{Environment, validate_declaration},
};
use samenloop_proto::declaration::v1 as wire;

use crate::{deciding::Deciding, record};

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
    /// What becomes of a refused line once what excluded it is gone, and who may accept a held one.
    pub reviews: config::Reviews,
}

/// A delivery that reuses a message id: its refusal is written after the batch.
pub(crate) struct Conflict {
    pub(crate) intake: Intake,
    /// Its own party's registration, whose content may be named; none of another party's.
    pub(crate) registered: Option<Sequence>,
}

/// Where a batch comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// From the queue.
    Queue,
    /// Messages that wait already: what they wait for may have come, or their term have passed.
    Waiting,
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
        let mut deciding = Deciding::new(self, &reference, history, &transaction);
        for intake in intakes {
            deciding.take(intake, source, &mut transaction).await?;
        }
        deciding.answer_resends(&mut transaction).await?;
        let (batch, conflicts) = deciding.finish();
        // The lock on the head is given up before anything else is written: that would wait for it.
        self.commit(transaction, batch).await?;
        self.refuse_conflicts(conflicts).await
    }

    /// Carries out commands in one transaction. One that was decided before changes nothing.
    ///
    /// # Errors
    /// [`HandleError`]; nothing was written.
    pub async fn carry_out(&self, commands: Vec<Command>) -> Result<(), HandleError> {
        let (mut transaction, reference) = self.begin().await?;
        let history = History::default();
        let mut deciding = Deciding::new(self, &reference, history, &transaction);
        for command in commands {
            deciding.carry_out(command, &mut transaction).await?;
        }
        let (batch, _) = deciding.finish();
        self.commit(transaction, batch).await
    }

    async fn commit(
        &self,
        transaction: DecisionTransaction,
        batch: DecisionBatch,
    ) -> Result<(), HandleError> {
        if batch.log.is_empty() && batch.outbox.is_empty() && batch.commands.is_empty() {
            return Ok(());
        }
        record::count(&batch);
        transaction.commit(batch).await?;
        Ok(())
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
    pub(crate) fn judge_again(&self, intake: &mut Intake, reference: &Reference) {
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
        let entry = self.store.log_entry(sequence).await?;
        Ok(record::difference(entry.as_ref(), intake))
    }
}
