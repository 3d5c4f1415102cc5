//! DecisionStore on Postgres.

use super::*;

/// The store.
#[derive(Clone, Debug)]
pub struct PostgresDecisionStore {}

impl PostgresDecisionStore {
    pub(super) async fn open(
        _url: &str,
        _faults: crate::fault_plan::FaultPlan,
    ) -> Result<Self, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn ping(&self) -> Result<(), StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn begin(&self) -> Result<PostgresTransaction, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn head(&self) -> Result<Head, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn active_version(
        &self,
    ) -> Result<Option<(ReferenceVersion, Sequence)>, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn reference(
        &self,
        _version: &ReferenceVersion,
    ) -> Result<Option<StoredReference>, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn record_attempt(
        &self,
        _stage: &str,
        _fingerprint: [u8; 32],
        _now: Timestamp,
    ) -> Result<u32, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn clear_attempts(
        &self,
        _stage: &str,
        _fingerprints: &[[u8; 32]],
    ) -> Result<(), StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn quarantine(
        &self,
        _deliveries: Vec<Quarantined>,
        _refusals: Vec<NewOutboxRow>,
    ) -> Result<(), StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn quarantined(&self, _limit: u32) -> Result<Vec<Quarantined>, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn lease(&self, _lease: Lease, _now: Timestamp) -> Result<bool, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn outbox(
        &self,
        _relay: Relay,
        _after: i64,
        _limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn mark_sent(
        &self,
        _rows: &[(i64, Sent)],
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn waiting(&self, _limit: u32) -> Result<Vec<WaitingMessage>, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn message(
        &self,
        _message_id: Uuid,
    ) -> Result<Option<StoredMessage>, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn latest(
        &self,
        _before: Option<Sequence>,
        _limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn log_after(
        &self,
        _after: Sequence,
        _limit: u32,
    ) -> Result<Vec<LoggedEntry>, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn figures(&self, _now: Timestamp) -> Result<DecisionFigures, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
}

/// A transaction.
#[derive(Debug)]
pub struct PostgresTransaction {
    head: Head,
    active: Option<ReferenceVersion>,
}

impl PostgresTransaction {
    pub(super) fn head(&self) -> Head {
        self.head
    }
    pub(super) fn active_version(&self) -> Option<&ReferenceVersion> {
        self.active.as_ref()
    }
    pub(super) async fn load_history(
        &mut self,
        _keys: &HistoryKeys,
    ) -> Result<History, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn load_messages(
        &mut self,
        _message_ids: &[Uuid],
    ) -> Result<Vec<StoredMessage>, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
    pub(super) async fn commit(self, _batch: DecisionBatch) -> Result<Head, StoreError> {
        Err(StoreError::Failed("not written yet".to_owned()))
    }
}
