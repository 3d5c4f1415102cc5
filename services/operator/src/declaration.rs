//! One declaration from its receipt to the streams of insurers: what was said, what was decided and why, and what was
//! done with it.

mod timeline;
mod view;

use axum::{
    extract::{Path, State},
    response::Response,
};
use samenloop_adapters::{
    decision_store::{LoggedEntry, StoreError, StoredMessage},
    settlement_store::AllocatedClaim,
    wire::{log, v1, validated::Intake},
};
use samenloop_domain::identifiers::Sequence;
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
    /// Its claims; absent where they cannot be read here.
    pub(crate) claims: Option<Vec<AllocatedClaim>>,
}

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
    Ok(Some(Found {
        claims: claims(operator, message_id, scope).await,
        message,
        entry,
        input,
    }))
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
