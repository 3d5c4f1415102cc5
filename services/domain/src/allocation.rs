//! How an awarded amount is split over insurers and sectors.

use crate::{cents::Cents, identifiers::Uzovi};

/// A part of a claim: one insurer and one sector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Who pays it.
    pub insurer: Uzovi,
    /// The macro-framework it is charged to; empty where the contract names none.
    pub sector: Box<str>,
    /// How much: signed.
    pub cents: Cents,
}
