//! What operators are shown and do beside quarantine and reviews: attempts under way, versions of reference data, rows
//! of the outbox that nobody took.

use jiff::Timestamp;
use samenloop_domain::identifiers::{PartyId, ReferenceVersion, Sequence};
use uuid::Uuid;

use super::{DecisionStore, Relay, Sent, StoreError, dispatch::both};

/// Deliveries of a stage that are being retried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StageAttempts {
    /// The role.
    pub stage: String,
    /// How many have been tried and have not come through.
    pub deliveries: u64,
    /// The last attempt at one.
    pub last: Timestamp,
}

/// A version of the reference data that was activated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Activation {
    /// Its name.
    pub version: ReferenceVersion,
    /// The entry that activated it.
    pub sequence: Sequence,
    /// When.
    pub recorded_at: Timestamp,
}

/// A row of the outbox that its receiver did not take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StuckRow {
    /// Its number.
    pub id: i64,
    /// What sends it.
    pub relay: Relay,
    /// What it is: "outcome", "refusal" or "claims".
    pub kind: String,
    /// Receiver of an outcome or refusal.
    pub party: Option<PartyId>,
    /// Its message, if it has one.
    pub message_id: Option<Uuid>,
    /// Version of its outcome or claims.
    pub version: u32,
    /// Why it is stuck: unclaimed or parked.
    pub sent: Sent,
    /// Since when.
    pub sent_at: Timestamp,
}

impl DecisionStore {
    /// Deliveries that are being retried, by stage.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn attempts_by_stage(&self) -> Result<Vec<StageAttempts>, StoreError> {
        both!(self, store => store.attempts_by_stage())
    }

    /// Versions of the reference data that were activated, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn activations(&self, limit: u32) -> Result<Vec<Activation>, StoreError> {
        both!(self, store => store.activations(limit))
    }

    /// Rows of the outbox that are stuck as `sent` says, in order of id, after one, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn stuck_rows(
        &self,
        sent: Sent,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StuckRow>, StoreError> {
        both!(self, store => store.stuck_rows(sent, after, limit))
    }

    /// Lets stuck rows be sent again, in their order; gives how many were stuck as `sent` says. Whoever receives one
    /// again takes it once: an outcome by its version, a claim by its id.
    ///
    /// # Errors
    /// [`StoreError`] where the database is away.
    pub async fn send_again(&self, sent: Sent, ids: &[i64]) -> Result<u64, StoreError> {
        let ids = ids.to_vec();
        both!(self, store => store.send_again(sent, ids))
    }
}
