//! What every command checks before it asks the books.

use std::collections::BTreeSet;

use jiff::civil::Date;
use samenloop_domain::{
    cents::{BasisPoints, Cents},
    declaration::Share,
    identifiers::Agb,
    period::Period,
};
use samenloop_proto::settlement::v1 as wire;
use tonic::Status;

use crate::{reason::Reason, submit::SHARES_MAX};

/// Characters of a name that an insurer gives or refers to.
const NAME_LENGTH_MAX: usize = 64;

/// Bytes of a note.
pub(crate) const NOTE_BYTES_MAX: usize = 500;

pub(super) fn name(field: &'static str, name: &str) -> Result<(), Status> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if (1..=NAME_LENGTH_MAX).contains(&name.len()) && name.chars().all(allowed) {
        return Ok(());
    }
    let message = format!("{field} is not 1 to {NAME_LENGTH_MAX} of A-Z a-z 0-9 . _ -");
    Err(Reason::NameInvalid.status(message, &[("field", field.to_owned())]))
}

pub(super) fn payee(agb: &str) -> Result<Agb, Status> {
    let message = "payee_agb is no AGB code";
    Agb::parse(agb).ok_or_else(|| Reason::PayeeInvalid.status(message, &[]))
}

pub(super) fn day(field: &'static str, text: &str) -> Result<Date, Status> {
    // One spelling: of what the parser takes, only the ten characters.
    let parsed = text.parse::<Date>().ok();
    let parsed =
        parsed.filter(|day| (1900..=2999).contains(&day.year()) && day.to_string() == text);
    parsed.ok_or_else(|| {
        let message = format!("{field} is no day as 2024-09-30");
        Reason::DayInvalid.status(message, &[("field", field.to_owned())])
    })
}

pub(crate) fn period(first: &str, last: &str) -> Result<Period, Status> {
    let (first, last) = (day("first", first)?, day("last", last)?);
    let message = "the period ends before it begins";
    Period::new(first, last).ok_or_else(|| Reason::DayInvalid.status(message, &[]))
}

/// More than nothing.
pub(super) fn positive(field: &'static str, cents: i64) -> Result<Cents, Status> {
    let cents = some(field, cents)?;
    if cents > Cents::ZERO {
        return Ok(cents);
    }
    let message = format!("{field} must be more than nothing");
    Err(Reason::AmountInvalid.status(message, &[("field", field.to_owned())]))
}

/// More or less than nothing.
pub(super) fn some(field: &'static str, cents: i64) -> Result<Cents, Status> {
    let field_is = [("field", field.to_owned())];
    let Some(amount) = Cents::new(cents) else {
        let message = format!("{field} is over 10^13 cents");
        return Err(Reason::AmountOutOfBounds.status(message, &field_is));
    };
    if amount == Cents::ZERO {
        let message = format!("{field} is nothing");
        return Err(Reason::AmountInvalid.status(message, &field_is));
    }
    Ok(amount)
}

pub(super) fn note(note: &str) -> Result<(), Status> {
    if note.len() <= NOTE_BYTES_MAX {
        return Ok(());
    }
    let limit = [("bytes_max", NOTE_BYTES_MAX.to_string())];
    Err(Reason::NoteInvalid.status("the note is too long", &limit))
}

pub(super) fn required_note(text: &str) -> Result<(), Status> {
    if text.trim().is_empty() {
        return Err(Reason::NoteInvalid.status("a note says why", &[]));
    }
    note(text)
}

/// A key of a command: none, or distinct names that have the whole between them.
pub(super) fn sectors(shares: &[wire::Share]) -> Result<Vec<Share>, Status> {
    key(shares).map_err(|reason| {
        let message = "sector_shares are not distinct names with 10,000 basis points in all";
        reason.status(message, &[("shares_max", SHARES_MAX.to_string())])
    })
}

/// The shares of a key: none, or distinct names that have the whole between them.
pub(crate) fn key(shares: &[wire::Share]) -> Result<Vec<Share>, Reason> {
    let names: BTreeSet<&str> = shares.iter().map(|share| &*share.key).collect();
    let whole: u64 = shares
        .iter()
        .map(|share| u64::from(share.basis_points))
        .sum();
    let is_whole = shares.is_empty() || whole == u64::from(BasisPoints::WHOLE.get());
    if !is_whole || names.len() != shares.len() || shares.len() > SHARES_MAX {
        return Err(Reason::KeyInvalid);
    }
    let share = |share: &wire::Share| {
        Some(Share {
            key: share.key.as_str().into(),
            basis_points: BasisPoints::new(share.basis_points)?,
        })
    };
    let key: Option<Vec<_>> = shares.iter().map(share).collect();
    key.ok_or(Reason::KeyInvalid)
}
