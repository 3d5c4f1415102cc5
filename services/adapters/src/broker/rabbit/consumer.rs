//! Consuming: one channel a consumer, batches, and settling.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::StreamExt as _;
use lapin::{
    Acker,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions},
    types::FieldTable,
};
use tokio::time::timeout_at;

use super::{Shared, link::Lane, properties::delivery};
use crate::broker::{BatchLimits, BrokerError, Delivery, DeliveryTag, Queue, Settle, batch::Batch};

/// Quorum queues refuse more.
const PREFETCH_MAX: u16 = 2000;

/// A consumer on its own channel. What it has not settled goes back when it is dropped.
pub struct RabbitConsumer {
    shared: Arc<Shared>,
    /// Boxed, like the channel: they are large beside the other broker's consumer.
    stream: Box<lapin::Consumer>,
    batch: Batch,
    ackers: BTreeMap<DeliveryTag, Acker>,
    /// Why no more will come.
    lost: Option<String>,
    /// Last, so that the channel is closed after the consumer is cancelled.
    _lane: Box<Lane>,
}

impl RabbitConsumer {
    pub(super) async fn start(
        shared: Arc<Shared>,
        queue: &Queue,
        limits: BatchLimits,
    ) -> Result<Self, BrokerError> {
        let batch = Batch::new(limits);
        let settings = &shared.settings;
        let lane = shared.consuming.lane(settings).await?;
        let prefetch = limits.prefetch.min(PREFETCH_MAX);
        let bounded = lane.channel.basic_qos(prefetch, BasicQosOptions::default());
        settings.in_time(bounded).await?;
        let stream = lane.channel.basic_consume(
            queue.name().into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let stream = settings.in_time(stream).await?;
        Ok(Self {
            shared,
            stream: Box::new(stream),
            batch,
            ackers: BTreeMap::new(),
            lost: None,
            _lane: Box::new(lane),
        })
    }

    pub(in crate::broker) async fn next_batch(&mut self) -> Result<Vec<Delivery>, BrokerError> {
        loop {
            self.check_alive()?;
            if self.batch.is_full() {
                return Ok(self.batch.take());
            }
            let next = match self.batch.deadline() {
                None => self.stream.next().await,
                Some(deadline) => match timeout_at(deadline, self.stream.next()).await {
                    Ok(next) => next,
                    Err(_) => return Ok(self.batch.take()),
                },
            };
            match next {
                Some(Ok(received)) => {
                    let acker = received.acker.clone();
                    self.ackers
                        .insert(DeliveryTag(received.delivery_tag), acker);
                    self.batch.push(delivery(received));
                }
                Some(Err(error)) => self.lost = Some(error.to_string()),
                // Nobody here cancels a consumer but by dropping it.
                None => self.lost = Some("the broker cancelled the consumer".to_owned()),
            }
        }
    }

    pub(in crate::broker) async fn settle(
        &mut self,
        deliveries: Vec<(DeliveryTag, Settle)>,
    ) -> Result<(), BrokerError> {
        self.check_alive()?;
        let plan = self.batch.plan_settle(deliveries);
        let shared = Arc::clone(&self.shared);
        for tag in plan.requeued {
            let acker = self.acker(tag);
            // Not nack: from RabbitMQ 4.3 on it does not count as a failed delivery.
            let rejected = acker.reject(BasicRejectOptions { requeue: true });
            let settled = shared.settings.in_time(rejected).await;
            self.check_settled(settled)?;
        }
        if let Some(up_to) = plan.acked_up_to {
            let acker = self.acker(up_to);
            let acked = acker.ack(BasicAckOptions { multiple: true });
            let settled = shared.settings.in_time(acked).await;
            self.check_settled(settled)?;
            self.ackers.retain(|tag, _| *tag > up_to);
        }
        for tag in plan.acked {
            let acker = self.acker(tag);
            let acked = acker.ack(BasicAckOptions { multiple: false });
            let settled = shared.settings.in_time(acked).await;
            self.check_settled(settled)?;
        }
        Ok(())
    }

    fn acker(&mut self, tag: DeliveryTag) -> Acker {
        let acker = self.ackers.remove(&tag);
        acker.expect("the batch knows the same deliveries")
    }

    fn check_alive(&self) -> Result<(), BrokerError> {
        match &self.lost {
            None => Ok(()),
            Some(reason) => Err(BrokerError::Connection(reason.clone())),
        }
    }

    /// `false` says that the channel is gone: the delivery comes again.
    fn check_settled(&mut self, settled: Result<bool, BrokerError>) -> Result<(), BrokerError> {
        let reason = match settled {
            Ok(true) => return Ok(()),
            Ok(false) => "a delivery was not settled, because its channel is gone".to_owned(),
            Err(error) => error.to_string(),
        };
        self.lost = Some(reason.clone());
        Err(BrokerError::Connection(reason))
    }
}

impl std::fmt::Debug for RabbitConsumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RabbitConsumer")
            .field("queue", &self.stream.queue())
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}
