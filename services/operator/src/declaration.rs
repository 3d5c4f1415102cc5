//! One declaration from its receipt to the streams of insurers: what was said, what was decided and why, and what was
//! done with it.

mod timeline;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    extract::{Path, State},
    response::Response,
};
use jiff::Timestamp;
use samenloop_adapters::{
    decision_store::{LoggedEntry, MessageFilter, StoreError, StoredMessage},
    settlement_store::{AllocatedClaim, Subscription},
    wire::{
        log::{self, DecidedAnew},
        v1,
        validated::Intake,
    },
};
use samenloop_domain::identifiers::{Sequence, Uzovi};
use uuid::Uuid;

use crate::{
    App, Operator,
    frame::Frame,
    person::Scope,
    respond::{self, Failure},
};

/// Everything that is kept of one declaration.
pub(crate) struct Found {
    pub(crate) message: StoredMessage,
    /// Its entry of the log; absent where its month has gone to the archive.
    pub(crate) entry: Option<LoggedEntry>,
    /// What was declared, from that entry.
    pub(crate) input: Option<Intake>,
    /// Lines that were decided anew, by the version of the outcome, in order.
    pub(crate) anew: Vec<Anew>,
    /// How far the streams of its insurers are.
    pub(crate) streams: Vec<Stream>,
    /// Its claims; absent where they cannot be read here.
    pub(crate) claims: Option<Vec<AllocatedClaim>>,
}

/// A line that was decided anew.
pub(crate) struct Anew {
    pub(crate) version: u32,
    pub(crate) sequence: Sequence,
    pub(crate) recorded_at: Timestamp,
    pub(crate) decided: DecidedAnew,
}

/// The claims of a declaration in the stream of an insurer.
pub(crate) struct Stream {
    pub(crate) insurer: Uzovi,
    /// The last of them.
    pub(crate) position: u64,
    /// Subscriptions that have acknowledged them all, with the first instant at which one had.
    pub(crate) acknowledged: Vec<Subscription>,
}

/// Most streams of insurers that a page shows.
const STREAMS_MAX: usize = 20;

/// `/declarations/{message_id}`.
pub(crate) async fn show(
    State(app): State<App>,
    frame: Frame,
    scope: Scope,
    Path(message_id): Path<String>,
) -> Response {
    let text = message_id.strip_suffix(frame.form.ending());
    let Ok(message_id) = Uuid::try_parse(text.unwrap_or(&message_id)) else {
        let english = "The address ends in something that is no message id.";
        let dutch = "Het adres eindigt op iets dat geen bericht-id is.";
        return Failure::not_found(&frame, english, dutch).shown(&frame);
    };
    match find(&app.operator, message_id, scope).await {
        Ok(Some(found)) => respond::page(&view::Page::new(frame, &found, scope)),
        Ok(None) => {
            let english = format!(
                "No declaration {message_id} is decided. It may still be on its way, wait for an original, or be in \
                 quarantine."
            );
            let dutch = format!(
                "Er is geen declaratie {message_id} beslist. Ze kan nog onderweg zijn, op een origineel wachten, of in \
                 quarantaine staan."
            );
            Failure::not_found(&frame, &english, &dutch).shown(&frame)
        }
        Err(error) => Failure::no_store(&frame, &error).shown(&frame),
    }
}

/// What is kept of a declaration, if it is there for whoever asks.
async fn find(
    operator: &Operator,
    message_id: Uuid,
    scope: Scope,
) -> Result<Option<Found>, StoreError> {
    let message = operator.store.message(message_id).await?;
    let Some(message) = message.filter(|it| scope.covers(&it.outcome.insurer_uzovi)) else {
        return Ok(None);
    };
    let before = Sequence(message.sequence.0.saturating_sub(1));
    let entries = operator.store.log_after(before, 1).await?;
    let mut entries = entries.into_iter();
    let entry = entries.find(|entry| entry.sequence == message.sequence);
    let input = entry.as_ref().and_then(|entry| {
        let read = log::decided_input(&entry.body);
        read.inspect_err(|error| tracing::error!(%error, "an entry of the log cannot be read"))
            .ok()
            .flatten()
    });
    let claims = claims(operator, message_id, scope).await;
    Ok(Some(Found {
        anew: anew(operator, message_id).await?,
        streams: streams(operator, message.sequence, claims.as_deref()).await,
        claims,
        message,
        entry,
        input,
    }))
}

/// The same by the entry of the log that decided it.
pub(crate) async fn find_by_entry(
    operator: &Operator,
    sequence: Sequence,
    scope: Scope,
) -> Result<Option<Found>, StoreError> {
    let filter = MessageFilter {
        sequence: Some(sequence),
        ..MessageFilter::default()
    };
    let messages = operator.store.find_messages(&filter, None, 1).await?;
    match messages.first() {
        Some(message) => find(operator, message.message_id, scope).await,
        None => Ok(None),
    }
}

/// What the log says of lines that were decided anew.
async fn anew(operator: &Operator, message_id: Uuid) -> Result<Vec<Anew>, StoreError> {
    let mut found = Vec::new();
    for (version, sequence) in operator.store.revisions_of(message_id).await? {
        let Some(entry) = operator.store.log_entry(sequence).await? else {
            continue;
        };
        let decided = log::decided_anew(&entry.body)
            .inspect_err(|error| tracing::error!(%error, "an entry of the log cannot be read"));
        if let Ok(Some(decided)) = decided {
            found.push(Anew {
                version,
                sequence,
                recorded_at: entry.recorded_at,
                decided,
            });
        }
    }
    Ok(found)
}

/// How far the streams of insurers are with the claims of a declaration.
async fn streams(
    operator: &Operator,
    sequence: Sequence,
    claims: Option<&[AllocatedClaim]>,
) -> Vec<Stream> {
    let (Some(store), Some(claims)) = (&operator.settlement, claims) else {
        return Vec::new();
    };
    let parts = claims.iter().flat_map(|claim| {
        let contract = claim.claim.contract_id.clone();
        (claim.parts.iter()).map(move |part| (part.insurer, contract.clone()))
    });
    let mut last: BTreeMap<Uzovi, u64> = BTreeMap::new();
    for (insurer, contract) in parts.collect::<BTreeSet<_>>().into_iter().take(STREAMS_MAX) {
        match store.streamed(insurer, &contract, sequence.0).await {
            Ok(Some(position)) => {
                let known = last.entry(insurer).or_default();
                *known = position.max(*known);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "a stream cannot be read");
                return Vec::new();
            }
        }
    }
    let mut found = Vec::with_capacity(last.len());
    for (insurer, position) in last {
        let subscriptions = store.subscriptions(Some(insurer)).await.unwrap_or_default();
        let acknowledged = subscriptions.into_iter();
        found.push(Stream {
            insurer,
            position,
            acknowledged: acknowledged.filter(|it| it.position >= position).collect(),
        });
    }
    found
}

/// Settlement may be away; the page is shown without it then. Parts of other insurers are left out for whoever sees
/// one insurer only.
async fn claims(
    operator: &Operator,
    message_id: Uuid,
    scope: Scope,
) -> Option<Vec<AllocatedClaim>> {
    let claims = operator.settlement.as_ref()?.claims_of(message_id).await;
    let claims = claims.inspect_err(|error| tracing::warn!(%error, "claims cannot be read"));
    let mut claims = claims.ok()?;
    for claim in &mut claims {
        claim
            .parts
            .retain(|part| scope.covers(part.insurer.as_str()));
    }
    Some(claims)
}

/// A status as a word of the wire.
pub(crate) fn status_word(status: v1::Status) -> &'static str {
    match status {
        v1::Status::Accepted => "accepted",
        v1::Status::Partly => "partly",
        v1::Status::Rejected => "rejected",
        v1::Status::InReview => "in_review",
        v1::Status::Unspecified => "unspecified",
    }
}

/// A verdict as a word of the wire.
pub(crate) fn verdict_word(verdict: v1::Verdict) -> &'static str {
    match verdict {
        v1::Verdict::Accept => "accept",
        v1::Verdict::Reduce => "reduce",
        v1::Verdict::Review => "review",
        v1::Verdict::Reject => "reject",
        v1::Verdict::Withdrawn => "withdrawn",
        v1::Verdict::Unspecified => "unspecified",
    }
}
