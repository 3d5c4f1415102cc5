//! Words and encodings that both databases keep: enums as words, instants to the microsecond, keys as text.

use jiff::Timestamp;
use prost::Message as _;
use samenloop_domain::{
    coverage::{CoverageKey, CoverageState},
    decision::Verdict,
    declaration::Direction,
};
use samenloop_proto::{declaration::v1 as wire, settlement::v1 as settlement};

use super::{OutboxBody, Relay, Sent, StoreError};
use crate::wire::digest::hex;

/// A closed set as the words that columns hold.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// Each member with its word.
    const WORDS: &'static [(Self, &'static str)];

    /// Its word.
    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(member, _)| *member == self);
        found.expect("every member has a word").1
    }

    /// The member of a word.
    fn read(word: &str) -> Result<Self, StoreError> {
        let found = Self::WORDS.iter().find(|(_, known)| *known == word);
        found
            .map(|(member, _)| *member)
            .ok_or_else(|| unexpected("word", word))
    }
}

impl Word for Verdict {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Accept, "accept"),
        (Self::Reduce, "reduce"),
        (Self::Review, "review"),
        (Self::Reject, "reject"),
        (Self::Withdrawn, "withdrawn"),
    ];
}

impl Word for wire::Status {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Unspecified, "unspecified"),
        (Self::Accepted, "accepted"),
        (Self::Partly, "partly"),
        (Self::Rejected, "rejected"),
        (Self::InReview, "in_review"),
    ];
}

impl Word for Direction {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Debit, "debit"), (Self::Credit, "credit")];
}

impl Word for CoverageState {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Awarded, "awarded"),
        (Self::Held, "held"),
        (Self::Imported, "imported"),
    ];
}

impl Word for Relay {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Outcomes, "outcomes"), (Self::Claims, "claims")];
}

impl Word for Sent {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Confirmed, "confirmed"),
        (Self::Unclaimed, "unclaimed"),
        (Self::Parked, "parked"),
    ];
}

/// A column that holds what we never wrote.
pub(super) fn unexpected(what: &str, found: impl std::fmt::Debug) -> StoreError {
    StoreError::Failed(format!("the database holds the {what} {found:?}"))
}

impl From<crate::wire::validated::Foreign> for StoreError {
    fn from(foreign: crate::wire::validated::Foreign) -> Self {
        Self::Failed(format!("the database holds a foreign record: {foreign}"))
    }
}

impl From<prost::DecodeError> for StoreError {
    fn from(error: prost::DecodeError) -> Self {
        Self::Failed(format!("the database holds a foreign record: {error}"))
    }
}

/// Text that a sender chose, as both databases can keep it: PostgreSQL takes no U+0000.
pub(super) fn storable(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// A number as SQL holds it.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).expect("numbers of entries and lines stay below 2^63")
}

/// A number from SQL.
pub(super) fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| unexpected("number", number))
}

/// A small number from SQL.
pub(super) fn small(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| unexpected("number", number))
}

/// 32 bytes from SQL.
pub(super) fn digest(bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| unexpected("digest", bytes))
}

/// An instant as SQL holds it: what is below a microsecond is lost, on both databases alike.
pub(super) fn micros(instant: Timestamp) -> i64 {
    instant.as_microsecond()
}

/// An instant from SQL.
pub(super) fn instant(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|_| unexpected("instant", micros))
}

/// Seconds from `since` until `now`; nil where `since` is later.
pub(super) fn age_seconds(since: i64, now: Timestamp) -> u64 {
    u64::try_from((micros(now) - since) / 1_000_000).unwrap_or_default()
}

/// A coverage key as one text: AGB codes are eight digits, pseudonyms end in 64 hexadecimal digits
/// after a colon, contracts begin with a slash, which no key id does.
#[must_use]
pub fn key_text(key: &CoverageKey) -> String {
    match key {
        CoverageKey::Agb(agb) => agb.to_string(),
        CoverageKey::Pseudonym(it) => format!("{}:{}", it.key_id, hex(&it.value)),
        CoverageKey::Contract(id) => format!("/{id}"),
    }
}

impl OutboxBody {
    /// Which relay sends it.
    pub(super) fn relay(&self) -> Relay {
        match self {
            Self::Outcome(_) | Self::Refusal(_) => Relay::Outcomes,
            Self::Claims(_) => Relay::Claims,
        }
    }

    /// What it is, as a word, and its bytes.
    pub(super) fn encode(&self) -> (&'static str, Vec<u8>) {
        match self {
            Self::Outcome(outcome) => ("outcome", outcome.encode_to_vec()),
            Self::Refusal(refusal) => ("refusal", refusal.encode_to_vec()),
            Self::Claims(claims) => {
                let claims = claims.clone();
                let request = settlement::SubmitClaimsRequest { claims };
                ("claims", request.encode_to_vec())
            }
        }
    }

    /// From its word and bytes.
    pub(super) fn decode(kind: &str, bytes: &[u8]) -> Result<Self, StoreError> {
        match kind {
            "outcome" => Ok(Self::Outcome(wire::Outcome::decode(bytes)?)),
            "refusal" => Ok(Self::Refusal(wire::DeliveryRefusal::decode(bytes)?)),
            "claims" => {
                let request = settlement::SubmitClaimsRequest::decode(bytes)?;
                Ok(Self::Claims(request.claims))
            }
            other => Err(unexpected("outbox row", other)),
        }
    }
}
