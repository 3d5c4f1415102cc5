//! The relays of the outbox: one per destination at a time, held by a lease, in order, with a bounded window.
//!
//! A row is marked once its receiver has it. A crash between the two sends it again: receivers ignore an outcome
//! version that they have passed, and settlement knows a claim by its id.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use jiff::Timestamp;
use samenloop_domain::identifiers::PartyId;
use samenloop_proto::settlement::v1::{Claim, ClaimState};
use uuid::Uuid;

use crate::{
    broker::{Broker, Message, Published, Queue},
    clock::Clock,
    decision_store::{DecisionStore, Lease, OutboxBody, OutboxRow, Relay, Sent, StoreError},
    fault_plan::{FaultPlan, FaultPoint},
    settlement_client::SettlementClient,
    shutdown::Shutdown,
    wire::{JSON, outcome},
};

/// Message type of an outcome.
pub const OUTCOME_TYPE: &str = "nl.samenloop.declaration.decided.v1";

/// Message type of a delivery refusal.
pub const REFUSAL_TYPE: &str = "nl.samenloop.delivery.refused.v1";

#[cfg(test)]
mod tests;

/// Rows of one window.
const WINDOW: u32 = 256;
/// How long a lease lasts; it is renewed with every window.
const LEASE: Duration = Duration::from_secs(10);
/// How long an idle relay waits before it looks again.
const IDLE: Duration = Duration::from_millis(20);
const BACK_OFF_MAX: Duration = Duration::from_secs(5);

/// What a relay needs.
#[derive(Clone, Debug)]
pub struct RelayContext {
    /// Where the outbox is.
    pub store: DecisionStore,
    /// Time.
    pub clock: Clock,
    /// Who holds the lease.
    pub holder: Uuid,
    /// Faults that a test planned.
    pub faults: FaultPlan,
}

/// Why a window was not sent.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Broker(#[from] crate::broker::BrokerError),
    #[error(transparent)]
    Settlement(#[from] crate::settlement_client::SettlementError),
    #[error("a queue is full")]
    Full,
    #[error(transparent)]
    Injected(#[from] crate::fault_plan::InjectedFault),
}

/// Where a relay sends to.
#[derive(Clone, Debug)]
pub enum Destination {
    /// Outcomes and refusals to the queues of their parties.
    Outcomes(Broker),
    /// Claims to settlement.
    Claims(Box<SettlementClient>),
}

impl Destination {
    fn relay(&self) -> Relay {
        match self {
            Self::Outcomes(_) => Relay::Outcomes,
            Self::Claims(_) => Relay::Claims,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Outcomes(_) => "outcomes",
            Self::Claims(_) => "claims",
        }
    }
}

/// How far a relay has come in the outbox while a party's queue is full.
///
/// Rows of that party wait in their order, and so does everything before the next pass; the rows of others that lie
/// behind them go on, however many wait. Nothing is kept while all queues take what is sent.
#[derive(Default, Debug)]
struct Pass {
    /// Rows up to this one have been tried.
    after: i64,
    /// Parties whose queue refused a row in this pass.
    full: BTreeSet<PartyId>,
}

impl Pass {
    fn may_send(&self, row: &OutboxRow) -> bool {
        !row.party.as_ref().is_some_and(|it| self.full.contains(it))
    }

    /// After a window of `rows`, of which these were refused. An error where the pass is over and a queue was full:
    /// the next pass begins after a pause.
    fn advance(
        &mut self,
        rows: &[OutboxRow],
        refused: BTreeSet<PartyId>,
    ) -> Result<(), RelayError> {
        self.full.extend(refused);
        let is_last = rows.len() < WINDOW as usize;
        match rows.last() {
            Some(last) if !self.full.is_empty() && !is_last => {
                self.after = last.id;
                Ok(())
            }
            _ if std::mem::take(self).full.is_empty() => Ok(()),
            _ => Err(RelayError::Full),
        }
    }
}

/// Sends rows to `destination` until shutdown.
pub async fn run(context: RelayContext, destination: Destination, shutdown: Shutdown) {
    let mut wait = IDLE;
    let mut pass = Pass::default();
    while !shutdown.is_cancelled() {
        let pause = match relay_window(&context, &destination, &mut pass).await {
            Ok(0) => IDLE,
            Ok(_) => {
                wait = IDLE;
                continue;
            }
            Err(error) => {
                metrics::counter!("samenloop_relay_errors_total", "relay" => destination.name())
                    .increment(1);
                tracing::warn!(relay = destination.name(), %error, "a relay waits and tries again");
                pass = Pass::default();
                wait = (wait * 2).min(BACK_OFF_MAX);
                wait
            }
        };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    release(&context, &destination).await;
}

/// Ends the lease, so that the next holder need not wait for its end. Where that fails, it runs out by itself.
async fn release(context: &RelayContext, destination: &Destination) {
    let ended = Lease {
        relay: destination.relay(),
        holder: context.holder,
        term: Duration::ZERO,
    };
    if let Err(error) = context.store.lease(ended, context.clock.now()).await {
        tracing::debug!(relay = destination.name(), %error, "a lease runs out by itself");
    }
}

/// Sends one window; gives how many rows it had. 0 also where another relay holds the lease.
async fn relay_window(
    context: &RelayContext,
    destination: &Destination,
    pass: &mut Pass,
) -> Result<usize, RelayError> {
    let now = context.clock.now();
    let relay = destination.relay();
    let lease = Lease {
        relay,
        holder: context.holder,
        term: LEASE,
    };
    let rows = context.store.outbox(relay, pass.after, WINDOW).await?;
    let is_over = rows.is_empty() && pass.after == 0;
    if is_over || !context.store.lease(lease, now).await? {
        *pass = Pass::default();
        return Ok(0);
    }
    // Read again under the lease: the rows seen before may have been sent by its former holder.
    let rows = context.store.outbox(relay, pass.after, WINDOW).await?;
    let (count, due): (_, Vec<OutboxRow>) = (
        rows.len(),
        (rows.iter())
            .filter(|row| pass.may_send(row))
            .cloned()
            .collect(),
    );
    context.faults.pass(FaultPoint::OnSend)?;
    let (sent, refused) = match destination {
        Destination::Outcomes(broker) => send_outcomes(broker, &due).await?,
        Destination::Claims(client) => (send_claims(client, &due).await?, BTreeSet::new()),
    };
    context.faults.pass(FaultPoint::AfterConfirmBeforeMark)?;
    context.store.mark_sent(&sent, now).await?;
    pass.advance(&rows, refused)?;
    Ok(count)
}

/// What became of each row, and the parties whose queue refused one.
async fn send_outcomes(
    broker: &Broker,
    rows: &[OutboxRow],
) -> Result<(Vec<(i64, Sent)>, BTreeSet<PartyId>), RelayError> {
    let messages = rows.iter().filter_map(message_of).collect();
    let published = broker.publish(messages).await?;
    let mut sent = Vec::with_capacity(rows.len());
    let mut refused = BTreeSet::new();
    for (row, published) in rows.iter().zip(published) {
        match published {
            Published::Confirmed => sent.push((row.id, Sent::Confirmed)),
            Published::Unroutable => {
                metrics::counter!("samenloop_outcomes_unclaimed_total").increment(1);
                tracing::error!(
                    row = row.id,
                    "an outcome has no queue; it stays retrievable"
                );
                sent.push((row.id, Sent::Unclaimed));
            }
            Published::Refused => {
                tracing::warn!(
                    row = row.id,
                    "the queue of a party is full; its outcome waits"
                );
                refused.extend(row.party.clone());
            }
        }
    }
    Ok((sent, refused))
}

/// An outcome or refusal as a message; its id is the row's, so that a second sending shows as such.
fn message_of(row: &OutboxRow) -> Option<(Queue, Message)> {
    let party = row.party.clone()?;
    let (message_type, correlation_id, body) = match &row.body {
        OutboxBody::Outcome(kept) => {
            let shown = outcome::for_provider(kept);
            (
                OUTCOME_TYPE,
                kept.message_id.clone(),
                serde_json::to_vec(&shown),
            )
        }
        OutboxBody::Refusal(refusal) => (
            REFUSAL_TYPE,
            refusal.message_id.clone(),
            serde_json::to_vec(refusal),
        ),
        OutboxBody::Claims(_) => return None,
    };
    let body = Bytes::from(body.expect("generated messages are JSON"));
    let mut headers = BTreeMap::from([
        ("cloudEvents_specversion".to_owned(), "1.0".to_owned()),
        ("cloudEvents_id".to_owned(), format!("outbox-{}", row.id)),
        (
            "cloudEvents_source".to_owned(),
            "urn:samenloop:detection".to_owned(),
        ),
        ("cloudEvents_type".to_owned(), message_type.to_owned()),
    ]);
    if !row.traceparent.is_empty() {
        headers.insert("traceparent".to_owned(), row.traceparent.clone());
    }
    let message = Message {
        message_id: format!("outbox-{}", row.id),
        correlation_id: Some(correlation_id).filter(|id| !id.is_empty()),
        message_type: message_type.to_owned(),
        content_type: JSON.to_owned(),
        user: None,
        headers,
        body,
    };
    Some((Queue::Outcomes(party), message))
}

async fn send_claims(
    client: &SettlementClient,
    rows: &[OutboxRow],
) -> Result<Vec<(i64, Sent)>, RelayError> {
    let claims_of = |row: &OutboxRow| match &row.body {
        OutboxBody::Claims(claims) => claims.clone(),
        OutboxBody::Outcome(_) | OutboxBody::Refusal(_) => Vec::new(),
    };
    let claims: Vec<Claim> = rows.iter().flat_map(claims_of).collect();
    let receipts = client.submit(claims).await?;
    let refused: Vec<&str> = (receipts.iter())
        .filter(|receipt| receipt.state() == ClaimState::Refused)
        .map(|receipt| receipt.claim_id.as_str())
        .collect();
    let mut sent = Vec::with_capacity(rows.len());
    for row in rows {
        let parked = claims_of(row)
            .iter()
            .any(|claim| refused.contains(&claim.claim_id.as_str()));
        if parked {
            metrics::counter!("samenloop_claims_parked_total").increment(1);
            tracing::error!(
                row = row.id,
                "settlement refused a claim for good; it is parked"
            );
        }
        sent.push((
            row.id,
            if parked {
                Sent::Parked
            } else {
                Sent::Confirmed
            },
        ));
    }
    Ok(sent)
}

/// Age of a row in whole seconds, for the lag of a relay.
#[must_use]
pub fn age_seconds(since: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.as_second() - since.as_second()).unwrap_or(0)
}
