//! Deadlines: a call is answered before its caller stops waiting, and what the database does for it ends with it.
//!
//! A call that changes the books may have had its effect all the same; sent again under its request id it has it once.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};
use tonic::{
    Code, Request, Status,
    body::Body,
    codegen::http::{self, Response},
};
use tower::{Layer, Service};

use crate::reason::Reason;

/// Taken off the time that a caller gives, so that the answer reaches it: at most this, and at most a tenth of it.
const MARGIN_MAX: Duration = Duration::from_millis(20);

/// Where the database fails so shortly before the deadline, the deadline is why.
const FAILED_BEFORE_MAX: Duration = Duration::from_millis(5);

/// The longest time that the protocol can say, in digits.
const DIGITS_MAX: usize = 8;

/// When a call ends.
#[derive(Clone, Copy, Debug)]
struct Deadline(Instant);

/// When the call of `request` ends, if its caller said so.
pub(crate) fn of<T>(request: &Request<T>) -> Option<Instant> {
    let deadline = request.extensions().get::<Deadline>();
    deadline.map(|deadline| deadline.0)
}

/// What ends a call that takes too long.
pub(crate) fn exceeded() -> Status {
    let message =
        "there was no answer in the time that the caller gave; try again with the same request id";
    Reason::DeadlineExceeded.status(message, &[])
}

/// The answer to a request of a stream, until the deadline of the stream.
pub(crate) async fn within<T>(
    deadline: Instant,
    answer: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    match before(deadline, answer).await {
        Some(Err(status)) if status.code() == Code::Unavailable && is_over(deadline) => {
            Err(exceeded())
        }
        Some(answer) => answer,
        None => Err(exceeded()),
    }
}

/// The output of `work`, unless the deadline is there first; at the deadline itself it counts as missed.
async fn before<T>(deadline: Instant, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = sleep_until(deadline) => None,
        done = work => Some(done),
    }
}

fn is_over(deadline: Instant) -> bool {
    Instant::now() + FAILED_BEFORE_MAX >= deadline
}

/// Ends each call at its deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeadlineLayer;

impl<S> Layer<S> for DeadlineLayer {
    type Service = WithDeadline<S>;

    fn layer(&self, inner: S) -> WithDeadline<S> {
        WithDeadline { inner }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct WithDeadline<S> {
    inner: S,
}

impl<S, B> Service<http::Request<B>> for WithDeadline<S>
where
    S: Service<http::Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        let given = request.headers().get("grpc-timeout");
        let given = given.and_then(|text| parse(text.to_str().ok()?));
        let Some(given) = given else {
            return Box::pin(self.inner.call(request));
        };
        let deadline = Instant::now() + given - MARGIN_MAX.min(given / 10);
        request.extensions_mut().insert(Deadline(deadline));
        let call = self.inner.call(request);
        Box::pin(async move {
            let answer = before(deadline, call).await;
            let unavailable = Code::Unavailable as i32;
            let is_late = answer.as_ref().is_none_or(|answer| {
                let is_unavailable = answer
                    .as_ref()
                    .ok()
                    .and_then(|answer| answer.headers().get("grpc-status"))
                    .is_some_and(|status| status.as_bytes() == unavailable.to_string().as_bytes());
                is_unavailable && is_over(deadline)
            });
            match answer {
                Some(answer) if !is_late => answer,
                _ => Ok(exceeded().into_http()),
            }
        })
    }
}

/// A time as the protocol writes it: at most eight digits and a unit.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > DIGITS_MAX || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number * 60 * 60),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_digits_and_a_unit() {
        for (text, expected) in [
            ("1H", Some(3_600_000_000_000)),
            ("2M", Some(120_000_000_000)),
            ("3S", Some(3_000_000_000)),
            ("99999999m", Some(99_999_999_000_000)),
            ("5u", Some(5000)),
            ("6n", Some(6)),
            ("", None),
            ("S", None),
            ("1", None),
            ("+1S", None),
            ("1s", None),
            ("123456789S", None),
            ("1é", None),
        ] {
            let parsed = parse(text).map(|time| time.as_nanos());
            assert_eq!(parsed, expected, "{text}");
        }
    }
}
