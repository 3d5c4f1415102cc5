//! A small world for tests: two insurers, some cooperations, their contracts, and the rules between
//! them.
//!
//! Only what tests of several modules share; each test says what differs.

mod coverage;
mod messages;
mod register;
mod rules;
mod world;

pub(crate) use coverage::{bdss_coverage, person};
pub(crate) use messages::{bdss, credit, debit, insured, message};
pub(crate) use register::Register;
pub(crate) use rules::{head, kind, pair};
pub(crate) use world::reference;

use crate::{
    cents::{BasisPoints, Cents},
    coverage::CoverageId,
    declaration::{PrestatieKey, Share},
    identifiers::{Agb, Sequence, Uzovi},
    period::{Day, Period, Span, Validity},
};

pub(crate) const Z1: &str = "53530001";
pub(crate) const H1: &str = "01056789";
pub(crate) const W1: &str = "91910001";
pub(crate) const N1: &str = "53530020";

pub(crate) fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

pub(crate) fn period(first: &str, last: &str) -> Period {
    Period::new(day(first), day(last)).expect("days in order")
}

pub(crate) fn span(first: &str, last: &str) -> Span {
    Span {
        first: day(first),
        last: day(last),
    }
}

pub(crate) fn agb(text: &str) -> Agb {
    Agb::parse(text).expect("an AGB code")
}

pub(crate) fn uzovi(text: &str) -> Uzovi {
    Uzovi::parse(text).expect("a UZOVI number")
}

pub(crate) fn cents(cents: i64) -> Cents {
    Cents::new(cents).expect("cents within the bound")
}

pub(crate) fn shares(parts: &[(&str, u32)]) -> Vec<Share> {
    let share = |(key, points): &(&str, u32)| Share {
        key: (*key).into(),
        basis_points: BasisPoints::new(*points).expect("a share"),
    };
    parts.iter().map(share).collect()
}

pub(super) fn key(code: &str) -> PrestatieKey {
    PrestatieKey::new("990", code)
}

pub(super) fn always() -> Validity {
    Validity {
        from: day("2015-01-01"),
        until: None,
    }
}

/// The id of the first line of the message decided as `sequence`.
pub(crate) fn first_line_of(sequence: u64) -> CoverageId {
    CoverageId::of_line(Sequence(sequence), 1)
}
