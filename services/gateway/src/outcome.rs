//! What became of a declaration: its outcome as its party may see it, or that it is on its way.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use samenloop_adapters::{
    decision_store::{StoreError, StoredMessage},
    wire::{log, outcome::for_provider, v1},
};
use samenloop_domain::identifiers::{PartyId, Sequence};
use serde::Serialize;
use uuid::Uuid;

use crate::{App, caller, parts::part_id, problem::Problem};

/// A part of a declaration that was cut.
#[derive(Debug, Serialize)]
struct PartOutcome {
    message_id: String,
    sequence: u64,
    version: u32,
}

/// One outcome for a declaration that was cut.
#[derive(Debug, Serialize)]
struct Joined {
    #[serde(flatten)]
    outcome: v1::Outcome,
    parts: Vec<PartOutcome>,
}

/// The answer while it is not decided.
#[derive(Debug, Serialize)]
struct OnItsWay {
    message_id: String,
    status: &'static str,
    parts: usize,
    parts_decided: usize,
}

/// `GET /v1/declarations/{message_id}`.
pub(crate) async fn show(
    State(app): State<App>,
    Path(message_id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let party = caller::authenticate(&app, &headers).await?;
    let Ok(message_id) = Uuid::try_parse(&message_id) else {
        return Err(Problem::no_outcome("The last part of the path is no UUID."));
    };
    let found = find(&app, &party, message_id).await;
    found.map_err(|error| Problem::unavailable("the store of decisions", &error))?
}

type Answer = Result<Response, Problem>;

async fn find(app: &App, party: &PartyId, message_id: Uuid) -> Result<Answer, StoreError> {
    if let Some(message) = own_message(app, party, message_id).await? {
        return Ok(Ok(Json(for_provider(&message.outcome)).into_response()));
    }
    let Some(count) = parts_of(app, party, message_id).await? else {
        let detail = format!("{message_id} is not known.");
        return Ok(Err(Problem::no_outcome(detail)));
    };
    let mut decided = Vec::new();
    if count > 1 {
        for number in 1..=count {
            decided.extend(own_message(app, party, part_id(party, message_id, number)).await?);
        }
    }
    if decided.len() == count {
        return Ok(Ok(Json(join(message_id, &decided)).into_response()));
    }
    Ok(Ok(on_its_way(message_id, count, decided.len())))
}

/// A decided message, if this party sent it: of others' it is not told that they exist.
async fn own_message(
    app: &App,
    party: &PartyId,
    message_id: Uuid,
) -> Result<Option<StoredMessage>, StoreError> {
    let message = app.gateway.store.message(message_id).await?;
    Ok(message.filter(|message| message.party == *party))
}

/// How many parts a declaration has that is not decided under its own id; none if it is not known.
async fn parts_of(
    app: &App,
    party: &PartyId,
    message_id: Uuid,
) -> Result<Option<usize>, StoreError> {
    if let Some(count) = app.recent.parts(party, message_id) {
        return Ok(Some(count));
    }
    let first = own_message(app, party, part_id(party, message_id, 1)).await?;
    let Some(first) = first else {
        return Ok(None);
    };
    // The log has the header of the part; it says how many there are.
    let before = Sequence(first.sequence.0.saturating_sub(1));
    let entries = app.gateway.store.log_after(before, 1).await?;
    let input = entries
        .first()
        .map(|entry| log::decided_input(&entry.body))
        .transpose()
        .map_err(|foreign| StoreError::Failed(foreign.to_string()))?;
    let parts = input
        .flatten()
        .map(|it| it.validated.declaration.invoice_parts);
    Ok(parts.and_then(|parts| usize::try_from(parts).ok()))
}

fn on_its_way(message_id: Uuid, parts: usize, parts_decided: usize) -> Response {
    let body = OnItsWay {
        message_id: message_id.to_string(),
        status: "on_its_way",
        parts,
        parts_decided,
    };
    (
        StatusCode::ACCEPTED,
        [(header::RETRY_AFTER, "1")],
        Json(body),
    )
        .into_response()
}

/// The outcomes of all parts as one: lines in order, the latest sequence, and a version that grows with each of theirs.
fn join(message_id: Uuid, decided: &[StoredMessage]) -> Joined {
    let shown: Vec<v1::Outcome> = decided
        .iter()
        .map(|message| for_provider(&message.outcome))
        .collect();
    let mut whole = shown.first().cloned().unwrap_or_default();
    whole.message_id = message_id.to_string();
    whole.sequence = shown.iter().map(|part| part.sequence).max().unwrap_or(0);
    whole.version = 1 + shown
        .iter()
        .map(|part| part.version.saturating_sub(1))
        .sum::<u32>();
    whole.lines = shown.iter().flat_map(|part| part.lines.clone()).collect();
    whole.lines.sort_by_key(|line| line.line_number);
    whole.reasons.clear();
    for reason in shown.iter().flat_map(|part| &part.reasons) {
        if !whole.reasons.contains(reason) {
            whole.reasons.push(reason.clone());
        }
    }
    let notice = shown.iter().map(|part| &part.notice);
    whole.notice = notice.max().cloned().unwrap_or_default();
    whole.status = status_of(shown.iter().map(|part| part.status()));
    let parts = shown.into_iter().map(|part| PartOutcome {
        message_id: part.message_id,
        sequence: part.sequence,
        version: part.version,
    });
    Joined {
        parts: parts.collect(),
        outcome: whole,
    }
}

/// Held as soon as one part is; else what all parts have in common, or partly. A part that is refused whole has no
/// verdicts of lines, so the statuses themselves are counted.
fn status_of(parts: impl Iterator<Item = v1::Status> + Clone) -> i32 {
    let mut statuses = parts.clone();
    let first = statuses.next().unwrap_or(v1::Status::Unspecified);
    let status = if parts.clone().any(|part| part == v1::Status::InReview) {
        v1::Status::InReview
    } else if parts.clone().all(|part| part == first) {
        first
    } else {
        v1::Status::Partly
    };
    status as i32
}
