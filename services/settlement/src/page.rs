//! What a subscriber receives, made of what the store keeps.

use prost::Message as _;
use samenloop_adapters::settlement_store::{AllocatedClaim, Item, StoreError, StoredEvent};
use samenloop_domain::{allocation::Part, identifiers::Uzovi};
use samenloop_proto::settlement::v1 as wire;
use tonic::Status;

use crate::{reason::Reason, token::Tokens};

/// Bytes of a page, beyond which the next event goes into the next one.
pub(crate) const PAGE_BYTES_MAX: usize = 1024 * 1024;

/// As many of `events` as fit into one response; they follow `after` without a gap, else there is no page.
pub(crate) fn page(
    tokens: &Tokens,
    insurer: Uzovi,
    after: u64,
    events: Vec<StoredEvent>,
) -> Option<wire::Events> {
    let mut page = wire::Events::default();
    let mut bytes = 0;
    for (event, position) in events.into_iter().zip(after + 1..) {
        if event.position != position {
            return None;
        }
        let event = wire_event(tokens, insurer, event);
        bytes += event.encoded_len();
        if bytes > PAGE_BYTES_MAX && !page.events.is_empty() {
            break;
        }
        page.sum_cents += event.cents;
        page.token.clone_from(&event.token);
        page.events.push(event);
    }
    Some(page)
}

fn wire_event(tokens: &Tokens, insurer: Uzovi, event: StoredEvent) -> wire::Event {
    let mut told = wire::Event {
        position: event.position,
        token: tokens.token(insurer, event.position),
        cents: event.cents,
        recorded_at: event.recorded_at.to_string(),
        ..wire::Event::default()
    };
    match event.item {
        Item::Claim(allocated) => {
            let AllocatedClaim { claim, parts } = *allocated;
            let sum: i64 = parts.iter().map(|part| part.cents.get()).sum();
            assert_eq!(sum, event.cents, "parts add up: {}", claim.claim_id);
            told.claim_id.clone_from(&claim.claim_id);
            told.parts = parts.iter().map(wire_part).collect();
            told.claim = Some(claim);
        }
        Item::Entry(entry) => told.entry = Some(*entry),
    }
    told
}

pub(crate) fn wire_part(part: &Part) -> wire::Part {
    wire::Part {
        insurer_uzovi: part.insurer.as_str().to_owned(),
        sector: part.sector.as_ref().to_owned(),
        cents: part.cents.get(),
        risk_class: part.risk_class.as_ref().to_owned(),
    }
}

/// The error of a database, told without its words.
pub(crate) fn store_status(error: &StoreError) -> Status {
    if error.is_transient() {
        Reason::StoreUnavailable.status("the database cannot be reached; try again", &[])
    } else {
        Reason::Internal.status("the service failed; operators are told", &[])
    }
}
