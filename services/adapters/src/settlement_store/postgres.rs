//! SettlementStore on Postgres.

use super::*;

/// The store.
#[derive(Clone, Debug)]
pub struct PostgresSettlementStore {}

impl PostgresSettlementStore {
    pub(super) async fn open(
        _url: &str,
        _faults: crate::fault_plan::FaultPlan,
    ) -> Result<Self, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn ping(&self) -> Result<(), StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn record(
        &self,
        _batch: SettlementBatch,
        _now: Timestamp,
    ) -> Result<Vec<Recorded>, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn events(
        &self,
        _insurer: Uzovi,
        _after: u64,
        _limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn acknowledge(
        &self,
        _insurer: Uzovi,
        _subscription: &str,
        _position: u64,
        _now: Timestamp,
    ) -> Result<u64, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn acknowledged(
        &self,
        _insurer: Uzovi,
        _subscription: &str,
    ) -> Result<u64, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn stream_heads(&self) -> Result<Vec<StreamHead>, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn claim(
        &self,
        _claim_id: &str,
    ) -> Result<Option<AllocatedClaim>, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn claims_of(
        &self,
        _message_id: uuid::Uuid,
    ) -> Result<Vec<AllocatedClaim>, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn balances(&self) -> Result<Vec<AccountBalance>, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn counts(&self) -> Result<(u64, u64), StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
}
