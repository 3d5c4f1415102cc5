//! Takes a declaration: one message on the queue, or several where it is too large for one. The answer is given once
//! the broker has confirmed all of them; what it says of the content comes later, as the outcome.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest as _, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use samenloop_adapters::{
    broker::{self, Message, Published, Queue},
    ids::Ids,
    wire::{JSON, PROTOBUF, read_message_id},
};
use samenloop_domain::identifiers::PartyId;
use serde::Serialize;
use tokio::sync::SemaphorePermit;
use uuid::Uuid;

use crate::{
    App, BODY_BYTES_MAX, GATEWAY_USER, INTAKE_MIB_MAX, PARTY_HEADER, RECEIVED_HEADER,
    SUBMITTED_TYPE, caller,
    parts::{self, Part},
    problem::Problem,
};

/// Declarations remembered after their confirm, to say that they are on their way.
const RECENT_MAX: usize = 16_384;

/// MiB that a body of unannounced length is counted for.
const UNANNOUNCED_MIB: u32 = 32;

/// The answer to a declaration that is on the queue.
#[derive(Debug, Serialize)]
struct Taken {
    message_id: String,
    status: &'static str,
    parts: usize,
    outcome: String,
}

/// Declarations taken last, with their number of parts.
#[derive(Clone, Default)]
pub(crate) struct Recent(Arc<Mutex<RecentEntries>>);

#[derive(Default)]
struct RecentEntries {
    parts: BTreeMap<(PartyId, Uuid), usize>,
    order: VecDeque<(PartyId, Uuid)>,
}

impl Recent {
    fn remember(&self, party: PartyId, message_id: Uuid, parts: usize) {
        let mut entries = self.0.lock().expect("no holder panics");
        let key = (party, message_id);
        if entries.parts.insert(key.clone(), parts).is_none() {
            entries.order.push_back(key);
        }
        if entries.order.len() > RECENT_MAX
            && let Some(oldest) = entries.order.pop_front()
        {
            entries.parts.remove(&oldest);
        }
    }

    /// How many parts a declaration was put on the queue in, if this process did so lately.
    pub(crate) fn parts(&self, party: &PartyId, message_id: Uuid) -> Option<usize> {
        let entries = self.0.lock().expect("no holder panics");
        entries.parts.get(&(party.clone(), message_id)).copied()
    }
}

/// `POST /v1/declarations`.
pub(crate) async fn submit(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let party = caller::authenticate(&app, &headers).await?;
    let content_type = content_type(&headers)?;
    let _room = reserve(&app, &headers)?;
    let body = read_body(request).await?;
    let message_id = read_message_id(content_type, &body).ok_or_else(|| {
        Problem::malformed(
            "/message_id",
            "is no UUID that can be read, so nothing could refer to this declaration",
        )
    })?;
    let parts = cut(&party, message_id, content_type, &body)?;
    let count = parts.len();
    let traceparent = traceparent(&headers, &app.gateway.ids);
    let received_at = app.gateway.clock.now().to_string();
    let headers = BTreeMap::from([
        (PARTY_HEADER.to_owned(), party.to_string()),
        (RECEIVED_HEADER.to_owned(), received_at),
        ("traceparent".to_owned(), traceparent),
    ]);
    let messages = parts.into_iter().map(|part| {
        let message = Message {
            message_id: part.message_id.to_string(),
            correlation_id: None,
            message_type: SUBMITTED_TYPE.to_owned(),
            content_type: content_type.to_owned(),
            user: Some(GATEWAY_USER.to_owned()),
            headers: headers.clone(),
            body: part.body,
        };
        (Queue::Declarations, message)
    });
    publish(&app, messages.collect()).await?;
    tracing::info!(%party, %message_id, parts = count, "a declaration is on the queue");
    metrics::counter!("samenloop_gateway_declarations_total").increment(1);
    app.recent.remember(party, message_id, count);
    Ok(taken(message_id, count))
}

fn taken(message_id: Uuid, parts: usize) -> Response {
    let outcome = format!("/v1/declarations/{message_id}");
    let body = Taken {
        message_id: message_id.to_string(),
        status: "taken",
        parts,
        outcome: outcome.clone(),
    };
    (
        StatusCode::ACCEPTED,
        [(header::LOCATION, outcome)],
        Json(body),
    )
        .into_response()
}

async fn publish(app: &App, messages: Vec<(Queue, Message)>) -> Result<(), Problem> {
    let published = app.gateway.broker.publish(messages).await;
    let published = published.map_err(|error| Problem::unavailable("the broker", &error))?;
    if published.contains(&Published::Unroutable) {
        return Err(Problem::unavailable(
            "the broker",
            &"no queue takes declarations",
        ));
    }
    if published.contains(&Published::Refused) {
        return Err(Problem::busy("The intake queue is full."));
    }
    Ok(())
}

pub(crate) fn content_type(headers: &HeaderMap) -> Result<&'static str, Problem> {
    let given = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    [JSON, PROTOBUF]
        .into_iter()
        .find(|known| essence.eq_ignore_ascii_case(known))
        .ok_or_else(|| Problem::content_type(given))
}

/// Room for the body, by the length that was announced.
pub(crate) fn reserve<'a>(
    app: &'a App,
    headers: &HeaderMap,
) -> Result<SemaphorePermit<'a>, Problem> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let mib = match announced {
        Some(bytes) if bytes > BODY_BYTES_MAX => return Err(over_limit()),
        Some(bytes) => u32::try_from(bytes.div_ceil(1 << 20))
            .unwrap_or(u32::MAX)
            .max(1),
        None => UNANNOUNCED_MIB,
    };
    app.intake.try_acquire_many(mib).map_err(|_| {
        Problem::busy(format!(
            "Bodies of {INTAKE_MIB_MAX} MiB together are being taken already."
        ))
    })
}

pub(crate) async fn read_body(request: Request) -> Result<Bytes, Problem> {
    Bytes::from_request(request, &())
        .await
        .map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                over_limit()
            } else {
                Problem::unreadable_body()
            }
        })
}

fn over_limit() -> Problem {
    Problem::too_large(
        format!("A body may have at most {BODY_BYTES_MAX} bytes."),
        "Send the invoice in parts, each with its own message id, `invoice_part` and `invoice_parts`.",
    )
}

/// The body as it came, or its parts where it is too large for one message.
fn cut(
    party: &PartyId,
    message_id: Uuid,
    content_type: &str,
    body: &Bytes,
) -> Result<Vec<Part>, Problem> {
    let whole = || {
        let body = body.clone();
        Ok(vec![Part { message_id, body }])
    };
    if content_type == JSON {
        return if parts::fits(body) {
            whole()
        } else {
            parts::cut(party, message_id, body)
        };
    }
    if body.len() <= broker::BODY_BYTES_MAX {
        return whole();
    }
    Err(Problem::too_large(
        format!(
            "A protobuf body may have at most {} bytes; this one has {}.",
            broker::BODY_BYTES_MAX,
            body.len()
        ),
        "Send it as application/json, which is cut into parts here, or send the parts yourself.",
    ))
}

/// The sender's trace context (W3C), or a new one.
fn traceparent(headers: &HeaderMap, ids: &Ids) -> String {
    let given = headers
        .get("traceparent")
        .and_then(|value| value.to_str().ok());
    if let Some(given) = given.filter(|text| is_traceparent(text)) {
        return given.to_owned();
    }
    let span = ids.next().simple().to_string();
    format!("00-{}-{}-01", ids.next().simple(), &span[16..])
}

fn is_traceparent(text: &str) -> bool {
    let fields: Vec<&str> = text.split('-').collect();
    let hex = |field: &str, length: usize| {
        field.len() == length
            && field
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_set = |field: &str| field.bytes().any(|byte| byte != b'0');
    match fields[..] {
        ["00", trace, span, flags] => {
            hex(trace, 32) && hex(span, 16) && hex(flags, 2) && is_set(trace) && is_set(span)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_context_is_passed_on_only_if_it_is_one() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(is_traceparent(good));
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert!(!is_traceparent(bad), "{bad}");
        }
        let made = traceparent(&HeaderMap::new(), &Ids::seeded(1));
        assert!(is_traceparent(&made), "{made}");
    }

    #[test]
    fn no_more_than_the_latest_declarations_are_remembered() {
        let recent = Recent::default();
        let party = PartyId::new("p");
        for number in 0..=RECENT_MAX as u128 {
            recent.remember(party.clone(), Uuid::from_u128(number), 1);
        }
        assert_eq!(recent.parts(&party, Uuid::from_u128(0)), None);
        assert_eq!(recent.parts(&party, Uuid::from_u128(1)), Some(1));
        assert_eq!(
            recent.parts(&PartyId::new("q"), Uuid::from_u128(1)),
            None,
            "what a party sent is its own affair"
        );
    }
}
