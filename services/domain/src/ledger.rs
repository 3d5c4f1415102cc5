//! Double entry: what a claim books.

use crate::{
    cents::Cents,
    identifiers::{Sequence, Uzovi},
};

/// A journal: lines that add up to nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Journal {
    /// The log entry whose claims it books.
    pub sequence: Sequence,
    /// Version of the outcome that made the claims.
    pub version: u32,
    /// The insurer whose books they are.
    pub insurer: Uzovi,
    /// Summed per account, in order of account.
    pub postings: Vec<Posting>,
}

/// A line of a journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posting {
    /// Name of the account: `provider:<agb>:payable`, `insurer:<uzovi>:cost:<sector>`, ...
    pub account: String,
    /// Debit positive, credit negative.
    pub cents: Cents,
}
