//! The law as pure functions: no IO, no clock, no async, no serde, no floats, no hash order.
//!
//! The same input gives the same decision, for ever. Layout, in reading order: values ([`identifiers`], [`cents`],
//! [`tarief`], [`period`]), what is declared ([`declaration`]), what it is judged by ([`reference`](mod@reference),
//! [`rejection`], [`reasons`]), the judging ([`validation`] and its [`rules`], [`history`], [`coverage`],
//! [`double_funding`], [`standing`], [`draft`], [`ceiling`], [`decision`]), and the money ([`allocation`],
//! [`ledger`], [`budget`], [`payment`]).

pub mod allocation;
pub mod budget;
pub mod ceiling;
pub mod cents;
pub mod coverage;
pub mod decision;
pub mod declaration;
pub mod double_funding;
pub mod draft;
pub mod facts;
#[cfg(test)]
mod fixtures;
pub mod history;
pub mod identifiers;
pub mod ledger;
pub mod payment;
pub mod period;
pub mod reasons;
pub mod reference;
pub mod rejection;
pub mod report;
pub mod rules;
pub mod standing;
pub mod tarief;
pub mod validation;
