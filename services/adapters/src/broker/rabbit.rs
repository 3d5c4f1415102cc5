//! RabbitMQ through lapin.

use super::{
    BatchLimits, BrokerError, Delivery, DeliveryTag, Depth, Message, Published, Queue, Settle,
};

/// Connections to RabbitMQ.
#[derive(Clone, Debug)]
pub struct RabbitBroker {}

/// A consumer on its own channel.
#[derive(Debug)]
pub struct RabbitConsumer {}

impl RabbitBroker {
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
    ) -> Result<RabbitConsumer, BrokerError> {
        Err(BrokerError::Connection("not connected".to_owned()))
    }
    pub(super) async fn depth(&self, _: &Queue) -> Result<Depth, BrokerError> {
        Err(BrokerError::Connection("not connected".to_owned()))
    }
    pub(super) async fn check_topology(&self, _: &[Queue]) -> Result<(), BrokerError> {
        Err(BrokerError::Connection("not connected".to_owned()))
    }
}

impl RabbitConsumer {
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
