//! The rules that need no history: one pure function each, one file a rule or small family.
//!
//! A rule says which facts it needs by asking for them first, and is silent when one is not
//! established: the rule that establishes the fact reports it, once.

pub mod activities;
pub mod agreed_tarief;
pub mod amounts;
pub mod budget;
pub mod contract;
pub mod contract_prestatie;
pub mod control;
pub mod direction;
#[cfg(test)]
pub(crate) mod fixture;
pub mod insured;
pub mod insurer_known;
pub mod invoice;
pub mod line_dates;
pub mod line_numbers;
pub mod mandate;
pub mod message_dates;
pub mod message_kind;
pub mod patient_group;
pub mod payee;
pub mod prestatie;
pub mod provider_known;
pub mod providers;
pub mod quantity;
pub mod shares;
pub mod zorginstituut;
pub mod zvw_part;

use crate::{
    declaration::Declaration, facts::LineFacts, identifiers::PartyId, period::Day,
    reference::Reference, rejection::Rejection, validation::Environment,
};

/// A message and what it is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The message.
    pub declaration: &'a Declaration,
    /// Who sent it, as the broker or the certificate says.
    pub party: &'a PartyId,
    /// The receipt date.
    pub received_on: Day,
    /// Reference data.
    pub reference: &'a Reference,
    /// Where it was received.
    pub environment: Environment,
}

impl Received<'_> {
    /// The last day that the message may speak of as past: that of sending, or of receipt if that
    /// is earlier, so that a wrong clock of the sender does not make the future declarable.
    #[must_use]
    pub fn latest_day(&self) -> Day {
        self.declaration.sent_on.min(self.received_on)
    }
}

/// A rule over a message; its finding refuses the whole.
pub type MessageRule = fn(&Received<'_>) -> Option<Rejection>;

/// A rule over a line.
pub type LineRule = fn(&LineFacts<'_>) -> Option<Rejection>;

/// Rules over a message, in the order of report.
pub const MESSAGE_RULES: &[MessageRule] = &[
    message_kind::check_version,
    message_kind::check_kind,
    invoice::check,
    provider_known::check_sender,
    provider_known::check_declarant,
    mandate::check,
    insurer_known::check,
    payee::check,
    message_dates::check_period,
    message_dates::check_invoice_date,
    message_kind::check_currency,
    control::check_totals,
    control::check_count,
    line_numbers::check,
];

/// Rules over a credit: what the line says of itself. What it must repeat was judged when its debit
/// was accepted, and a credit must stay possible whatever became of prestatie, provider and
/// contract since.
pub const CREDIT_RULES: &[LineRule] = &[
    direction::check_credit,
    line_dates::check_order,
    line_dates::check_begin,
    line_dates::check_end,
    amounts::check,
    quantity::check_not_zero,
];

/// Rules over a debit, in the order of report.
pub const DEBIT_RULES: &[LineRule] = &[
    provider_known::check_whole_period,
    direction::check_debit,
    line_dates::check_order,
    line_dates::check_begin,
    line_dates::check_end,
    amounts::check,
    quantity::check_not_zero,
    quantity::check_lumpsum,
    prestatie::check,
    providers::check_kind,
    providers::check_participants,
    activities::check_in_contract,
    contract::check,
    contract_prestatie::check,
    insured::check_bsn,
    insured::check_in_care_on_first_day,
    activities::check_regular_care,
    patient_group::check,
    insured::check_no_insured,
    shares::check_domains,
    shares::check_sectors,
    zvw_part::check_share,
    zvw_part::check_amount,
    zorginstituut::check,
    agreed_tarief::check,
    budget::check,
];
