//! The methods of the API: who may call, what they name, what they get.

use std::{pin::Pin, sync::Arc};

use samenloop_adapters::{
    clock::Clock,
    settlement_store::{SettlementStore, StoreError},
    shutdown::Shutdown,
};
use samenloop_domain::identifiers::Uzovi;
use samenloop_proto::settlement::v1::{self as wire, settlement_server::Settlement};
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};
use tokio_stream::Stream;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status, Streaming};

use crate::{
    SettlementConfig,
    caller::{Caller, not_allowed},
    commands::Command,
    deadline,
    page::store_status,
    reason::Reason,
    submit::{CLAIMS_MAX, handle_claims},
    subscribe::Subscription,
    token::Tokens,
};

/// Events of one response where the subscriber does not say.
pub const EVENTS_DEFAULT: u32 = 500;

/// Events of one response at most.
pub const EVENTS_MAX: u32 = 1000;

/// Characters of the name of a subscription.
pub const SUBSCRIPTION_LENGTH_MAX: usize = 64;

/// What every call needs.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) config: Arc<SettlementConfig>,
    pub(crate) store: SettlementStore,
    pub(crate) clock: Clock,
    pub(crate) tokens: Tokens,
    /// Counts what was recorded, to wake subscribers.
    pub(crate) recorded: Arc<watch::Sender<u64>>,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) snapshots: Arc<Semaphore>,
    pub(crate) feeds: TaskTracker,
    pub(crate) shutdown: Shutdown,
}

type Entered = Result<Response<wire::Entry>, Status>;
type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Settlement for Service {
    type SubmitClaimsStream = Responses<wire::SubmitClaimsResponse>;
    type SubscribeStream = Responses<wire::SubscribeResponse>;
    type TakeSnapshotStream = Responses<wire::TakeSnapshotResponse>;

    async fn submit_claims(
        &self,
        request: Request<Streaming<wire::SubmitClaimsRequest>>,
    ) -> Result<Response<Self::SubmitClaimsStream>, Status> {
        self.config.callers.identify(&request)?.may_submit()?;
        let permit = self.stream_permit()?;
        let deadline = deadline::of(&request);
        let state = Some((self.clone(), request.into_inner(), permit));
        // One request at a time: the client's next one waits in its window until this one is on disk.
        let responses = futures_util::stream::unfold(state, move |state| async move {
            let (service, mut requests, permit) = state?;
            match service.answer_by(deadline, &mut requests).await {
                Ok(None) => None,
                Ok(Some(response)) => Some((Ok(response), Some((service, requests, permit)))),
                Err(status) => Some((Err(status), None)),
            }
        });
        Ok(Response::new(Box::pin(responses)))
    }

    async fn subscribe(
        &self,
        request: Request<wire::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let caller = self.config.callers.identify(&request)?;
        let request = request.into_inner();
        let insurer = caller.acts_as(&request.insurer_uzovi)?;
        check_subscription(&request.subscription)?;
        if self.shutdown.is_cancelled() {
            return Err(shutting_down());
        }
        let permit = self.stream_permit()?;
        let position = if request.resume_token.is_empty() {
            let kept = self.store.acknowledged(insurer, &request.subscription);
            kept.await.map_err(|e| failed(&e))?
        } else {
            self.position(insurer, &request.resume_token).await?
        };
        let floor = self.store.floor(insurer).await.map_err(|e| failed(&e))?;
        if position < floor {
            let message = "events after that are no longer sent: take a snapshot, and subscribe with its token";
            return Err(self.expired(insurer, floor, message));
        }
        let subscription = Subscription {
            store: self.store.clone(),
            tokens: self.tokens.clone(),
            insurer,
            position,
            events_max: match request.events_max {
                0 => EVENTS_DEFAULT,
                asked => asked.min(EVENTS_MAX),
            },
            recorded: self.recorded.subscribe(),
            progress_interval: self.config.progress_interval,
            stall_max: self.config.stall_max,
            shutdown: self.shutdown.clone(),
            permit,
        };
        let (responses, feed) = subscription.start();
        self.feeds.spawn(feed);
        Ok(Response::new(Box::pin(responses)))
    }

    async fn acknowledge(
        &self,
        request: Request<wire::AcknowledgeRequest>,
    ) -> Result<Response<wire::AcknowledgeResponse>, Status> {
        let caller = self.config.callers.identify(&request)?;
        let store = self.store.until(deadline::of(&request));
        let request = request.into_inner();
        let insurer = caller.acts_as(&request.insurer_uzovi)?;
        check_subscription(&request.subscription)?;
        let position = self.position(insurer, &request.token).await?;
        let now = self.clock.now();
        let kept = store.acknowledge(insurer, &request.subscription, position, now);
        let position = kept.await.map_err(|e| failed(&e))?;
        Ok(Response::new(wire::AcknowledgeResponse { position }))
    }

    async fn get_claim(
        &self,
        request: Request<wire::GetClaimRequest>,
    ) -> Result<Response<wire::Claim>, Status> {
        let caller = self.config.callers.identify(&request)?;
        let store = self.store.until(deadline::of(&request));
        let claim_id = request.into_inner().claim_id;
        let found = store.claim(&claim_id).await;
        let found = found.map_err(|e| failed(&e))?;
        if let Caller::Insurer(own) = caller {
            // An insurer does not learn whether another's claim exists.
            let claim = found.filter(|found| {
                found.claim.insurer_uzovi == own.as_str()
                    || found.parts.iter().any(|part| part.insurer == own)
            });
            let claim = claim.ok_or_else(|| not_allowed("this insurer has no such claim"))?;
            return Ok(Response::new(claim.claim));
        }
        let found = found.ok_or_else(|| {
            Reason::ClaimUnknown.status("there is no such claim", &[("claim_id", claim_id)])
        })?;
        Ok(Response::new(found.claim))
    }

    async fn take_snapshot(
        &self,
        request: Request<wire::TakeSnapshotRequest>,
    ) -> Result<Response<Self::TakeSnapshotStream>, Status> {
        let parts = self.snapshot(request).await?;
        Ok(Response::new(Box::pin(parts)))
    }

    async fn record_budget(&self, request: Request<wire::RecordBudgetRequest>) -> Entered {
        self.entry(request).await
    }

    async fn record_advance(&self, request: Request<wire::RecordAdvanceRequest>) -> Entered {
        self.entry(request).await
    }

    async fn record_correction(&self, request: Request<wire::RecordCorrectionRequest>) -> Entered {
        self.entry(request).await
    }

    async fn settle_budget(&self, request: Request<wire::SettleBudgetRequest>) -> Entered {
        self.entry(request).await
    }

    async fn close_period(&self, request: Request<wire::ClosePeriodRequest>) -> Entered {
        self.entry(request).await
    }

    async fn order_payments(
        &self,
        request: Request<wire::OrderPaymentsRequest>,
    ) -> Result<Response<wire::OrderPaymentsResponse>, Status> {
        let answer = self.command(request).await?;
        Ok(Response::new(wire::OrderPaymentsResponse {
            entry: Some(answer.entry),
            pain001: answer.file,
        }))
    }

    async fn confirm_payment(&self, request: Request<wire::ConfirmPaymentRequest>) -> Entered {
        self.entry(request).await
    }

    async fn reverse_payment(&self, request: Request<wire::ReversePaymentRequest>) -> Entered {
        self.entry(request).await
    }

    async fn reverse_entry(&self, request: Request<wire::ReverseEntryRequest>) -> Entered {
        self.entry(request).await
    }

    async fn list_claims(
        &self,
        request: Request<wire::ListClaimsRequest>,
    ) -> Result<Response<wire::ListClaimsResponse>, Status> {
        self.claims(request).await.map(Response::new)
    }

    async fn list_settlements(
        &self,
        request: Request<wire::ListSettlementsRequest>,
    ) -> Result<Response<wire::ListSettlementsResponse>, Status> {
        self.settlements(request).await.map(Response::new)
    }

    async fn get_balance(
        &self,
        request: Request<wire::GetBalanceRequest>,
    ) -> Result<Response<wire::GetBalanceResponse>, Status> {
        self.balances(request).await.map(Response::new)
    }

    async fn get_remittance(
        &self,
        request: Request<wire::GetRemittanceRequest>,
    ) -> Result<Response<wire::GetRemittanceResponse>, Status> {
        self.remittance(request).await.map(Response::new)
    }

    async fn get_allocation_keys(
        &self,
        request: Request<wire::GetAllocationKeysRequest>,
    ) -> Result<Response<wire::GetAllocationKeysResponse>, Status> {
        self.allocation_keys(request).await.map(Response::new)
    }

    async fn get_monitoring_report(
        &self,
        request: Request<wire::GetMonitoringReportRequest>,
    ) -> Result<Response<wire::GetMonitoringReportResponse>, Status> {
        self.monitoring_report(request).await.map(Response::new)
    }
}

impl Service {
    async fn entry<C: Command>(&self, request: Request<C>) -> Entered {
        let answer = self.command(request).await?;
        Ok(Response::new(answer.entry))
    }

    /// As [`Self::answer_next`], until the deadline of the stream.
    async fn answer_by(
        &self,
        deadline: Option<Instant>,
        requests: &mut Streaming<wire::SubmitClaimsRequest>,
    ) -> Result<Option<wire::SubmitClaimsResponse>, Status> {
        let store = self.store.until(deadline);
        let answer = self.answer_next(&store, requests);
        match deadline {
            Some(deadline) => deadline::within(deadline, answer).await,
            None => answer.await,
        }
    }

    /// The answer to the next request of a stream; none when the client has no more.
    async fn answer_next(
        &self,
        store: &SettlementStore,
        requests: &mut Streaming<wire::SubmitClaimsRequest>,
    ) -> Result<Option<wire::SubmitClaimsResponse>, Status> {
        let request = tokio::select! {
            biased;
            () = self.shutdown.cancelled() => return Err(shutting_down()),
            request = requests.message() => request.map_err(|e| unreadable(&e))?,
        };
        let Some(wire::SubmitClaimsRequest { claims }) = request else {
            return Ok(None);
        };
        if claims.len() > CLAIMS_MAX {
            let limit = [("claims_max", CLAIMS_MAX.to_string())];
            return Err(Reason::BatchTooLarge.status("a request has too many claims", &limit));
        }
        let receipts = handle_claims(store, claims, self.clock.now()).await;
        let receipts = receipts.map_err(|e| failed(&e))?;
        self.count(&receipts);
        Ok(Some(wire::SubmitClaimsResponse { receipts }))
    }

    /// Wakes subscribers if something is new, and counts.
    fn count(&self, receipts: &[wire::ClaimReceipt]) {
        let count = |state: wire::ClaimState| {
            let is_such = |receipt: &&wire::ClaimReceipt| receipt.state() == state;
            u64::try_from(receipts.iter().filter(is_such).count()).expect("a batch is bounded")
        };
        let recorded = count(wire::ClaimState::Recorded);
        if recorded > 0 {
            self.recorded.send_modify(|count| *count += recorded);
        }
        let refused = count(wire::ClaimState::Refused);
        if refused > 0 {
            tracing::error!(
                refused,
                "claims were refused: detection should never send such"
            );
        }
        for (state, count) in [
            ("recorded", recorded),
            ("already_recorded", count(wire::ClaimState::AlreadyRecorded)),
            ("refused", refused),
        ] {
            metrics::counter!("samenloop_settlement_claims_total", "state" => state)
                .increment(count);
        }
    }

    /// The position of a token, if the stream of `insurer` has it.
    async fn position(&self, insurer: Uzovi, token: &str) -> Result<u64, Status> {
        let heads = self.store.stream_heads().await.map_err(|e| failed(&e))?;
        let head = heads.iter().find(|head| head.insurer == insurer);
        let last = head.map_or(0, |head| head.position);
        let position = self.tokens.position(insurer, token);
        if let Some(position) = position.filter(|position| *position <= last) {
            return Ok(position);
        }
        let floor = self.store.floor(insurer).await.map_err(|e| failed(&e))?;
        Err(self.expired(insurer, floor, "the token is none of this stream"))
    }

    fn expired(&self, insurer: Uzovi, floor: u64, message: &str) -> Status {
        let earliest = [("earliest", self.tokens.token(insurer, floor))];
        Reason::ResumeTokenExpired.status(message, &earliest)
    }

    pub(crate) fn stream_permit(&self) -> Result<tokio::sync::OwnedSemaphorePermit, Status> {
        let permit = Arc::clone(&self.streams).try_acquire_owned();
        permit.map_err(|_| {
            let limit = [("streams_max", self.config.streams_max.to_string())];
            Reason::StreamsExhausted.status("too many streams are open", &limit)
        })
    }
}

fn check_subscription(name: &str) -> Result<(), Status> {
    let length = name.chars().count();
    if (1..=SUBSCRIPTION_LENGTH_MAX).contains(&length) {
        return Ok(());
    }
    let limit = [("length_max", SUBSCRIPTION_LENGTH_MAX.to_string())];
    let message = "the name of a subscription has the wrong length";
    Err(Reason::SubscriptionInvalid.status(message, &limit))
}

fn shutting_down() -> Status {
    Reason::ShuttingDown.status("the service is stopping", &[])
}

/// What the transport says of a message that could not be read, with a reason.
fn unreadable(status: &Status) -> Status {
    let limit = [("bytes_max", crate::REQUEST_BYTES_MAX.to_string())];
    Reason::RequestUnreadable.status(status.message(), &limit)
}

/// Logged once, here, where it is answered.
fn failed(error: &StoreError) -> Status {
    tracing::warn!(%error, "the database failed a call");
    store_status(error)
}
