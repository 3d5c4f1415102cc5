//! What is put into the outbox, as rows.

use std::collections::BTreeSet;

use jiff::Timestamp;
use samenloop_domain::identifiers::PartyId;
use uuid::Uuid;

use crate::decision_store::{
    Lease, NewOutboxRow, OutboxBody, Quarantined, StoreError,
    words::{Word as _, storable},
};

pub(in crate::decision_store) struct OutboxInsert {
    pub(in crate::decision_store) relay: &'static str,
    pub(in crate::decision_store) kind: &'static str,
    pub(in crate::decision_store) party: Option<PartyId>,
    pub(in crate::decision_store) message_id: Option<Uuid>,
    pub(in crate::decision_store) version: u32,
    pub(in crate::decision_store) traceparent: String,
    pub(in crate::decision_store) body: Vec<u8>,
    pub(in crate::decision_store) written_at: Option<Timestamp>,
}

impl OutboxInsert {
    /// The row of what is to be sent, with the message that it belongs to.
    pub(in crate::decision_store) fn of(
        row: NewOutboxRow,
        written_at: Option<Timestamp>,
    ) -> Result<Self, StoreError> {
        let (message_id, version) = match &row.body {
            OutboxBody::Outcome(outcome) => (Some(read_id(&outcome.message_id)?), outcome.version),
            OutboxBody::Claims(claims) => match claims.first() {
                Some(claim) => (Some(read_id(&claim.message_id)?), claim.version),
                None => (None, 0),
            },
            OutboxBody::Refusal(_) => (None, 0),
        };
        let (kind, body) = row.body.encode();
        Ok(Self {
            relay: row.body.relay().word(),
            kind,
            party: row.party,
            message_id,
            version,
            traceparent: storable(&row.traceparent),
            body,
            written_at,
        })
    }

    /// The rows of the refusals that answer deliveries set aside.
    ///
    /// A delivery that was set aside before was answered then: its refusal is not sent again.
    pub(in crate::decision_store) fn of_refusals(
        refusals: Vec<NewOutboxRow>,
        deliveries: &[Quarantined],
        answered: &BTreeSet<String>,
    ) -> Result<Vec<Self>, StoreError> {
        let written_at = deliveries.iter().map(|it| it.quarantined_at).max();
        let is_new = |row: &NewOutboxRow| match &row.body {
            OutboxBody::Refusal(refusal) => !answered.contains(&refusal.fingerprint),
            OutboxBody::Outcome(_) | OutboxBody::Claims(_) => true,
        };
        let new = refusals.into_iter().filter(is_new);
        new.map(|row| Self::of(row, written_at)).collect()
    }
}

impl Quarantined {
    /// With texts that any database keeps: what cannot even be set aside would come back for ever.
    pub(in crate::decision_store) fn storable(self) -> Self {
        Self {
            problem: storable(&self.problem),
            message_id: storable(&self.message_id),
            content_type: storable(&self.content_type),
            ..self
        }
    }
}

impl Lease {
    /// When it runs out if it is taken now.
    pub(in crate::decision_store) fn until(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.term).unwrap_or(Timestamp::MAX)
    }
}

pub(super) fn read_id(text: &str) -> Result<Uuid, StoreError> {
    Uuid::try_parse(text)
        .map_err(|_| StoreError::Failed(format!("{text:?} is no id of a registered message")))
}
