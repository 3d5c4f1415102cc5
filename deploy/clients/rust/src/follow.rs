//! A stream that goes on: whatever happens to the connection, every event comes once and in order.

use std::{collections::VecDeque, time::Duration};

use samenloop_proto::settlement::v1::{Event, Events, subscribe_response::Response};
use tokio::time::sleep;

use crate::{ClientError, Settlements, error::broken, settlements::SettlementStream};

/// Wait before a stream is opened again: the first, and doubled each time up to the second.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Reads the stream of one insurer. Nothing is kept but the events of one response and the token of the last event.
pub struct Follower {
    client: Settlements,
    insurer: String,
    subscription: String,
    token: Option<String>,
    position: Option<u64>,
    stream: Option<SettlementStream>,
    waiting: VecDeque<Event>,
    pause: Duration,
}

impl Follower {
    pub(crate) fn new(
        client: Settlements,
        insurer: &str,
        subscription: &str,
        token: Option<String>,
    ) -> Self {
        Self {
            client,
            insurer: insurer.to_owned(),
            subscription: subscription.to_owned(),
            token,
            position: None,
            stream: None,
            waiting: VecDeque::new(),
            pause: PAUSE,
        }
    }

    /// The next event. Keep its token in the same step as its effect: whoever begins again with it gets the next one.
    ///
    /// # Errors
    /// [`ClientError`] that trying again does not mend, as `RESUME_TOKEN_EXPIRED`; or a stream that broke its promise.
    pub async fn next(&mut self) -> Result<Event, ClientError> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                self.position = Some(event.position);
                self.token = Some(event.token.clone());
                return Ok(event);
            }
            match self.response().await {
                Ok(Some(Response::Events(page))) => {
                    check(&page, self.position)?;
                    self.waiting = page.events.into();
                    self.pause = PAUSE;
                }
                Ok(Some(Response::Progress(progress))) => {
                    self.token = Some(progress.token);
                    self.pause = PAUSE;
                }
                Ok(Some(Response::Goaway(goaway))) => {
                    self.token = Some(goaway.token);
                    self.wait().await;
                }
                Ok(None) => self.wait().await,
                Err(error) if error.is_transient() => self.wait().await,
                Err(error) => return Err(error),
            }
        }
    }

    async fn response(&mut self) -> Result<Option<Response>, ClientError> {
        if self.stream.is_none() {
            let token = self.token.clone();
            let opened = self
                .client
                .subscribe(&self.insurer, &self.subscription, token);
            self.stream = Some(opened.await?);
        }
        let stream = self.stream.as_mut().expect("it was opened above");
        Ok(stream.next().await?.and_then(|it| it.response))
    }

    /// Gives the stream up, and waits before another one is opened.
    async fn wait(&mut self) {
        self.stream = None;
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }
}

fn check(page: &Events, mut position: Option<u64>) -> Result<(), ClientError> {
    for event in &page.events {
        if let Some(last) = position
            && event.position != last + 1
        {
            return Err(broken(format!(
                "position {} came after {last}",
                event.position
            )));
        }
        position = Some(event.position);
    }
    let sum: i64 = page.events.iter().map(|event| event.cents).sum();
    if sum != page.sum_cents {
        let sum_cents = page.sum_cents;
        return Err(broken(format!("events do not add up to {sum_cents} cents")));
    }
    Ok(())
}
