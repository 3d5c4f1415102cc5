//! Durable queue tables in SQLite.

use super::{
    BatchLimits, BrokerError, Delivery, DeliveryTag, Depth, Message, Published, Queue, Settle,
};

/// The embedded queue.
#[derive(Clone, Debug)]
pub struct EmbeddedBroker {}

/// A consumer on its own channel.
#[derive(Debug)]
pub struct EmbeddedConsumer {}

impl EmbeddedBroker {
    pub(super) async fn publish(
        &self,
        _: Vec<(Queue, Message)>,
    ) -> Result<Vec<Published>, BrokerError> {
        Err(BrokerError::Connection("not connected".to_owned()))
    }
    pub(super) async fn consume(
        &self,
        _: Queue,
        _: BatchLimits,
    ) -> Result<EmbeddedConsumer, BrokerError> {
        Err(BrokerError::Connection("not connected".to_owned()))
    }
    pub(super) async fn depth(&self, _: &Queue) -> Result<Depth, BrokerError> {
        Err(BrokerError::Connection("not connected".to_owned()))
    }
    pub(super) async fn check_topology(&self, _: &[Queue]) -> Result<(), BrokerError> {
        Err(BrokerError::Connection("not connected".to_owned()))
    }
}

impl EmbeddedConsumer {
    pub(super) async fn next_batch(&mut self) -> Result<Vec<Delivery>, BrokerError> {
        Err(BrokerError::Connection("not connected".to_owned()))
    }
    pub(super) async fn settle(
        &mut self,
        _: Vec<(DeliveryTag, Settle)>,
    ) -> Result<(), BrokerError> {
        Err(BrokerError::Connection("not connected".to_owned()))
    }
}
