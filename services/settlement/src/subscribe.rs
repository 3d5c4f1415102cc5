//! One subscriber: pages of events from a position on, then whatever is recorded, until either side ends it.
//!
//! A stream reads the store when it is woken and never keeps more than [`RESPONSES_BUFFERED_MAX`] responses, so that
//! a subscriber that does not read costs little and slows nobody.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use prost::Message as _;
use samenloop_adapters::{settlement_store::SettlementStore, shutdown::Shutdown};
use samenloop_domain::identifiers::Uzovi;
use samenloop_proto::settlement::v1::{
    self as wire, SubscribeResponse, subscribe_response::Response,
};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, watch},
    time::{Instant, sleep_until, timeout},
};
use tokio_stream::Stream;
use tonic::Status;

use crate::{page, reason::Reason, token::Tokens};

/// Responses that wait for a subscriber to read.
pub const RESPONSES_BUFFERED_MAX: usize = 4;

/// A stream about to be served.
pub(crate) struct Subscription {
    pub(crate) store: SettlementStore,
    pub(crate) tokens: Tokens,
    pub(crate) insurer: Uzovi,
    /// The position that the subscriber has.
    pub(crate) position: u64,
    pub(crate) events_max: u32,
    /// Changes when something was recorded.
    pub(crate) recorded: watch::Receiver<u64>,
    pub(crate) progress_interval: Duration,
    pub(crate) stall_max: Duration,
    pub(crate) shutdown: Shutdown,
    /// Held as long as the stream is open.
    pub(crate) permit: OwnedSemaphorePermit,
}

/// How a stream ends; absent: as the client wishes, or by a goaway.
type Ending = Arc<Mutex<Option<Status>>>;

/// The subscriber is gone, or has been told why the stream ends.
struct Ended;

impl Subscription {
    /// The stream, and the work that feeds it.
    pub(crate) fn start(
        self,
    ) -> (
        impl Stream<Item = Result<SubscribeResponse, Status>> + use<>,
        impl Future<Output = ()> + use<>,
    ) {
        let (sender, receiver) = mpsc::channel(RESPONSES_BUFFERED_MAX);
        let ending = Ending::default();
        let stream = futures_util::stream::unfold(
            (receiver, Arc::clone(&ending)),
            |(mut receiver, ending)| async move {
                let next = match receiver.recv().await {
                    Some(response) => Ok(response),
                    None => Err(ending.lock().expect("no holder panics").take()?),
                };
                Some((next, (receiver, ending)))
            },
        );
        (stream, self.feed(Outlet { sender, ending }))
    }

    async fn feed(mut self, outlet: Outlet) {
        metrics::gauge!("samenloop_settlement_subscribers").increment(1.0);
        let ended = self.follow(&outlet).await;
        drop(self.permit);
        metrics::gauge!("samenloop_settlement_subscribers").decrement(1.0);
        let Err(Ended) = ended;
    }

    /// Sends what there is, waits for more, and so on.
    async fn follow(&mut self, outlet: &Outlet) -> Result<std::convert::Infallible, Ended> {
        let mut progress_at = Instant::now() + self.progress_interval;
        loop {
            // Before the read: what is recorded during it wakes the wait below.
            self.recorded.borrow_and_update();
            if self.shutdown.is_cancelled() {
                return self.say_goaway(outlet).await;
            }
            let sent = self.send_page(outlet).await?;
            if sent {
                progress_at = Instant::now() + self.progress_interval;
                continue;
            }
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => {}
                () = outlet.sender.closed() => return Err(Ended),
                changed = self.recorded.changed() => changed.map_err(|_| Ended)?,
                () = sleep_until(progress_at) => {
                    let token = self.tokens.token(self.insurer, self.position);
                    self.send(outlet, Response::Progress(wire::Progress { token })).await?;
                    progress_at = Instant::now() + self.progress_interval;
                }
            }
        }
    }

    /// Whether there was a page to send.
    async fn send_page(&mut self, outlet: &Outlet) -> Result<bool, Ended> {
        let events = self
            .store
            .events(self.insurer, self.position, self.events_max)
            .await;
        let events = match events {
            Ok(events) => events,
            Err(e) => {
                tracing::warn!(insurer = %self.insurer, error = %e, "events could not be read");
                return Err(outlet.end(page::store_status(&e)));
            }
        };
        if events.is_empty() {
            return Ok(false);
        }
        let Some(page) = page::page(&self.tokens, self.insurer, self.position, events) else {
            tracing::error!(insurer = %self.insurer, after = self.position, "the stream has a gap");
            let message = "the stream is broken; operators are told";
            return Err(outlet.end(Reason::Internal.status(message, &[])));
        };
        let last = page.events.last().expect("a page is not empty").position;
        let count = u64::try_from(page.events.len()).expect("a page is bounded");
        self.send(outlet, Response::Events(page)).await?;
        self.position = last;
        metrics::counter!("samenloop_settlement_events_sent_total").increment(count);
        Ok(true)
    }

    async fn say_goaway(&self, outlet: &Outlet) -> Result<std::convert::Infallible, Ended> {
        let goaway = Response::Goaway(wire::Goaway {
            token: self.tokens.token(self.insurer, self.position),
            reason: Reason::ShuttingDown.name().to_owned(),
        });
        self.send(outlet, goaway).await?;
        Err(Ended)
    }

    /// Waits for room at most as long as a subscriber may stall.
    async fn send(&self, outlet: &Outlet, response: Response) -> Result<(), Ended> {
        let response = SubscribeResponse {
            response: Some(response),
        };
        debug_assert!(response.encoded_len() <= crate::RESPONSE_BYTES_MAX);
        match timeout(self.stall_max, outlet.sender.send(response)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Ended),
            Err(_) => {
                tracing::warn!(insurer = %self.insurer, "a subscriber that does not read is dropped");
                metrics::counter!("samenloop_settlement_slow_subscribers_total").increment(1);
                let earliest = self.tokens.token(self.insurer, self.position);
                let metadata = [("token", earliest)];
                let message = "events were not read in time; resume from the last one received";
                Err(outlet.end(Reason::ClientTooSlow.status(message, &metadata)))
            }
        }
    }
}

/// Where responses go.
struct Outlet {
    sender: mpsc::Sender<SubscribeResponse>,
    ending: Ending,
}

impl Outlet {
    fn end(&self, status: Status) -> Ended {
        *self.ending.lock().expect("no holder panics") = Some(status);
        Ended
    }
}
