//! The loop of every consumer: batches, attempts, quarantine, and consuming anew after a loss.
//!
//! A batch is handled whole; its deliveries are acknowledged once its effect is durable. A batch that fails, and
//! every delivery that was handed out before, is handled one by one, with the attempt recorded before the work: so a
//! message that kills the process is counted although nobody is left to count it. What is transient for all is no
//! attempt. Attempts are counted here and not by the broker, since brokers differ in what they count.

use std::{sync::Arc, time::Duration};

use samenloop_domain::identifiers::PartyId;

use crate::{
    broker::{BatchLimits, Broker, BrokerError, Consumer, Delivery, DeliveryTag, Queue, Settle},
    clock::Clock,
    decision_store::{DecisionStore, NewOutboxRow, OutboxBody, Quarantined, StoreError},
    ids::Ids,
    seal::SealingKey,
    shutdown::Shutdown,
    wire::{digest, outcome},
};

/// Why a batch was not handled.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The world is wrong: database, broker or service. Everything comes again later.
    #[error("{0}")]
    Transient(String),
    /// The batch is wrong, or we are: each message is tried alone.
    #[error("{0}")]
    Failed(String),
}

impl From<StoreError> for HandleError {
    fn from(error: StoreError) -> Self {
        match error.is_transient() {
            true => Self::Transient(error.to_string()),
            false => Self::Failed(error.to_string()),
        }
    }
}

impl From<BrokerError> for HandleError {
    fn from(error: BrokerError) -> Self {
        Self::Transient(error.to_string())
    }
}

/// What a role does with deliveries.
pub trait Handler: Send + Sync + 'static {
    /// Name of the role, in logs, metrics, attempts and quarantine.
    const STAGE: &'static str;

    /// Makes the effect of all deliveries durable, or of none.
    fn handle(
        &self,
        batch: Arc<Vec<Delivery>>,
    ) -> impl Future<Output = Result<(), HandleError>> + Send;

    /// Who sent a delivery, if that is known without reading its body.
    fn sender(&self, delivery: &Delivery) -> Option<PartyId>;
}

/// What the loop needs beside its handler.
#[derive(Clone, Debug)]
pub struct ConsumeContext {
    /// Where messages come from.
    pub broker: Broker,
    /// Where attempts and quarantine are kept.
    pub store: DecisionStore,
    /// Time.
    pub clock: Clock,
    /// Ids of quarantined deliveries.
    pub ids: Ids,
    /// Seals quarantined bodies.
    pub seal: SealingKey,
    /// Bounds of batches.
    pub limits: BatchLimits,
    /// Attempts before quarantine.
    pub attempts_max: u32,
    /// Faults that a test planned.
    pub faults: crate::fault_plan::FaultPlan,
}

const BACK_OFF_FIRST: Duration = Duration::from_millis(50);
const BACK_OFF_MAX: Duration = Duration::from_secs(5);

/// Consumes `queue` until shutdown; the batch at hand is finished first.
pub async fn run<H: Handler>(
    context: ConsumeContext,
    queue: Queue,
    handler: Arc<H>,
    shutdown: Shutdown,
) {
    let mut back_off = BACK_OFF_FIRST;
    while !shutdown.is_cancelled() {
        let consumed = match context.broker.consume(queue.clone(), context.limits).await {
            Ok(consumer) => {
                let worker = Worker {
                    context: &context,
                    handler: &handler,
                    shutdown: &shutdown,
                };
                worker.consume(consumer, &mut back_off).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = consumed {
            metrics::counter!("samenloop_consumer_lost_total", "stage" => H::STAGE).increment(1);
            tracing::warn!(stage = H::STAGE, %error, "the consumer is lost and starts anew");
            pause(&mut back_off, &shutdown).await;
        }
    }
}

/// Waits, each time longer, unless shutdown comes first.
async fn pause(back_off: &mut Duration, shutdown: &Shutdown) {
    tokio::select! {
        biased;
        () = shutdown.cancelled() => {}
        () = tokio::time::sleep(*back_off) => {}
    }
    *back_off = (*back_off * 2).min(BACK_OFF_MAX);
}

struct Worker<'a, H> {
    context: &'a ConsumeContext,
    handler: &'a Arc<H>,
    shutdown: &'a Shutdown,
}

impl<H: Handler> Worker<'_, H> {
    async fn consume(
        &self,
        mut consumer: Consumer,
        back_off: &mut Duration,
    ) -> Result<(), BrokerError> {
        loop {
            let batch = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return Ok(()),
                batch = consumer.next_batch() => batch?,
            };
            let (suspect, fresh): (Vec<_>, Vec<_>) =
                batch.into_iter().partition(|delivery| delivery.redelivered);
            let mut alone = suspect;
            if !fresh.is_empty() {
                alone.extend(self.handle_fresh(&mut consumer, fresh, back_off).await?);
            }
            for delivery in alone {
                let settle = self.handle_alone(&delivery, back_off).await;
                consumer.settle(vec![(delivery.tag, settle)]).await?;
            }
        }
    }

    /// Handles deliveries seen for the first time; gives back those to be tried alone.
    async fn handle_fresh(
        &self,
        consumer: &mut Consumer,
        fresh: Vec<Delivery>,
        back_off: &mut Duration,
    ) -> Result<Vec<Delivery>, BrokerError> {
        let batch = Arc::new(fresh);
        let settle_all = |settle: Settle| -> Vec<(DeliveryTag, Settle)> {
            batch
                .iter()
                .map(|delivery| (delivery.tag, settle))
                .collect()
        };
        match self.attempt(Arc::clone(&batch)).await {
            Ok(()) => {
                *back_off = BACK_OFF_FIRST;
                let acks = settle_all(Settle::Ack);
                self.context
                    .faults
                    .pass(crate::fault_plan::FaultPoint::AfterCommitBeforeAck)?;
                consumer.settle(acks).await?;
                Ok(Vec::new())
            }
            Err(HandleError::Transient(error)) => {
                tracing::warn!(stage = H::STAGE, %error, "a batch comes again");
                pause(back_off, self.shutdown).await;
                consumer.settle(settle_all(Settle::Requeue)).await?;
                Ok(Vec::new())
            }
            Err(HandleError::Failed(error)) => {
                tracing::warn!(stage = H::STAGE, %error, "a batch failed; its messages are tried alone");
                Ok(Arc::unwrap_or_clone(batch))
            }
        }
    }

    /// Handles one delivery, with the attempt recorded before.
    async fn handle_alone(&self, delivery: &Delivery, back_off: &mut Duration) -> Settle {
        let fingerprint = digest::fingerprint(&delivery.message.body);
        match self.try_alone(delivery, fingerprint).await {
            Ok(()) => {
                *back_off = BACK_OFF_FIRST;
                Settle::Ack
            }
            Err(error) => {
                tracing::warn!(stage = H::STAGE, %error, "a message comes again");
                pause(back_off, self.shutdown).await;
                Settle::Requeue
            }
        }
    }

    async fn try_alone(
        &self,
        delivery: &Delivery,
        fingerprint: [u8; 32],
    ) -> Result<(), StoreError> {
        let store = &self.context.store;
        loop {
            let attempts = store
                .record_attempt(H::STAGE, fingerprint, self.context.clock.now())
                .await?;
            if attempts > self.context.attempts_max {
                let problem = "it failed alone as often as it may be tried";
                return self
                    .quarantine(delivery, fingerprint, problem, attempts - 1)
                    .await;
            }
            match self.attempt(Arc::new(vec![delivery.clone()])).await {
                Ok(()) => return store.clear_attempts(H::STAGE, &[fingerprint]).await,
                Err(HandleError::Transient(error)) => {
                    store.clear_attempts(H::STAGE, &[fingerprint]).await?;
                    return Err(StoreError::Unavailable(error));
                }
                Err(HandleError::Failed(error)) => {
                    tracing::error!(stage = H::STAGE, attempts, %error, "a message fails alone");
                }
            }
        }
    }

    /// Runs the handler in a task of its own, so that its panic ends nothing else.
    async fn attempt(&self, batch: Arc<Vec<Delivery>>) -> Result<(), HandleError> {
        let handler = Arc::clone(self.handler);
        let handled = tokio::spawn(async move { handler.handle(batch).await }).await;
        handled.unwrap_or_else(|gone| Err(HandleError::Failed(gone.to_string())))
    }

    async fn quarantine(
        &self,
        delivery: &Delivery,
        fingerprint: [u8; 32],
        problem: &str,
        attempts: u32,
    ) -> Result<(), StoreError> {
        let now = self.context.clock.now();
        let party = self.handler.sender(delivery);
        let message = &delivery.message;
        let quarantined = Quarantined {
            id: self.context.ids.next(),
            stage: H::STAGE.to_owned(),
            fingerprint,
            reason: "0001".to_owned(),
            problem: problem.to_owned(),
            party: party.clone(),
            message_id: message.message_id.clone(),
            content_type: message.content_type.clone(),
            sealed_body: self.context.seal.seal(&message.body),
            quarantined_at: now,
            attempts,
        };
        let refusal = outcome::refusal(
            "0001",
            &message.message_id,
            &message.body,
            now,
            Vec::new(),
            0,
        );
        let refusals = party.map(|party| NewOutboxRow {
            party: Some(party),
            traceparent: String::new(),
            body: OutboxBody::Refusal(refusal),
        });
        metrics::counter!("samenloop_quarantined_total", "stage" => H::STAGE).increment(1);
        tracing::error!(
            stage = H::STAGE,
            problem,
            attempts,
            "a message is quarantined"
        );
        self.context
            .store
            .quarantine(vec![quarantined], refusals.into_iter().collect())
            .await
    }
}
