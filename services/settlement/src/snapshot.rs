//! The books of one insurer at one moment, in parts, and the token from which its stream goes on.

use std::sync::Arc;

use samenloop_adapters::settlement_store::{AccountBalance, Snapshot};
use samenloop_proto::settlement::v1 as wire;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Status};

use crate::{deadline, lists::wire_payment, page::store_status, reason::Reason, service::Service};

/// Rows of a snapshot, which is in memory until it is sent.
pub(crate) const ROWS_MAX: u32 = 200_000;

/// Snapshots in memory at once.
pub(crate) const SNAPSHOTS_MAX: usize = 4;

/// Rows of one response.
const PART_ROWS_MAX: usize = 1000;

impl Service {
    pub(crate) async fn snapshot(
        &self,
        request: Request<wire::TakeSnapshotRequest>,
    ) -> Result<impl Stream<Item = Result<wire::TakeSnapshotResponse, Status>> + use<>, Status>
    {
        let caller = self.config.callers.identify(&request)?;
        let store = self.store.until(deadline::of(&request));
        let insurer = caller.acts_as(&request.into_inner().insurer_uzovi)?;
        let permit = Arc::clone(&self.snapshots).try_acquire_owned();
        let permit = permit.map_err(|_| {
            let limit = [("snapshots_max", SNAPSHOTS_MAX.to_string())];
            Reason::StreamsExhausted.status("too many snapshots are being taken", &limit)
        })?;
        let taken = store.snapshot(insurer, ROWS_MAX).await;
        let taken = taken.map_err(|e| store_status(&e))?.ok_or_else(|| {
            let limit = [("rows_max", ROWS_MAX.to_string())];
            let message = "the books are too large for a snapshot: read the stream from its start";
            Reason::SnapshotTooLarge.status(message, &limit)
        })?;
        let token = self.tokens.token(insurer, taken.head.position);
        // The permit goes with the last part.
        Ok(tokio_stream::iter(parts(taken, token)).map(move |part| {
            let _held = &permit;
            Ok(part)
        }))
    }
}

/// Balances, then payments; the last part has the end.
fn parts(
    taken: Snapshot,
    token: String,
) -> impl Iterator<Item = wire::TakeSnapshotResponse> + Send {
    let Snapshot {
        head,
        balances,
        payments,
    } = taken;
    let balances = balances.into_iter().map(balance);
    let payments = payments.into_iter().map(|payment| wire_payment(&payment));
    let end = wire::TakeSnapshotResponse {
        end: Some(wire::SnapshotEnd {
            token,
            position: head.position,
            sum_cents: head.cents,
        }),
        ..wire::TakeSnapshotResponse::default()
    };
    let balances = Chunks(balances).map(|balances| wire::TakeSnapshotResponse {
        balances,
        ..wire::TakeSnapshotResponse::default()
    });
    let payments = Chunks(payments).map(|payments| wire::TakeSnapshotResponse {
        payments,
        ..wire::TakeSnapshotResponse::default()
    });
    balances.chain(payments).chain(std::iter::once(end))
}

fn balance((balance, posting_count): (AccountBalance, u64)) -> wire::Balance {
    wire::Balance {
        account: balance.account,
        cents: balance.cents,
        posting_count,
    }
}

/// As many rows as one response has.
struct Chunks<I>(I);

impl<I: Iterator> Iterator for Chunks<I> {
    type Item = Vec<I::Item>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk: Vec<_> = self.0.by_ref().take(PART_ROWS_MAX).collect();
        (!chunk.is_empty()).then_some(chunk)
    }
}
