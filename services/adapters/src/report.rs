//! The monitoring report: reads both stores, a page at a time, and tells the domain what each line, claim, entry and
//! contract is. Figures are made there; nothing is held here but one page, and what the report itself holds.
//!
//! Layout: [`money`] reads the ledger, [`decisions`] the log, [`say`] writes values for people, [`format`] writes the
//! whole as CSV, JSON or a page with charts ([`chart`]).
//!
//! Settlement has no part of the decision store: what it reports by itself is [`money`] alone.

pub mod chart;
mod decisions;
pub mod format;
mod money;
pub mod say;

use std::collections::BTreeSet;

use samenloop_domain::{
    identifiers::ContractId,
    reference::Reference,
    report::{
        Amount, Asked, Contribution, Emit, Report, Source, Tally,
        agreements::{self, Use},
        signals::Thresholds,
    },
};

use crate::{
    config,
    decision_store::{DecisionStore, StoreError},
    settlement_store::SettlementStore,
};

pub use decisions::reported;
pub use money::charged;

/// Takes what each source adds.
pub type Sink<'a> = dyn FnMut(&Source, Contribution) + Send + 'a;

/// The report of both stores.
///
/// # Errors
/// [`StoreError`] where a store is away, or holds what this program cannot read.
pub async fn report(
    decisions: &DecisionStore,
    settlement: &SettlementStore,
    reference: &Reference,
    asked: Asked,
    thresholds: &Thresholds,
) -> Result<Report, StoreError> {
    let mut tally = Tally::default();
    let mut sink = |_: &Source, contribution| tally.add(contribution);
    gather(decisions, settlement, reference, &asked, &mut sink).await?;
    Ok(tally.report(asked, thresholds))
}

/// Tables that the ledger alone fills.
pub const TABLES_OF_LEDGER: [&str; 6] = [
    "sectors",
    "insurers",
    "kinds",
    "regions",
    "months",
    "recorded_budgets",
];

/// What the ledger alone says: [`TABLES_OF_LEDGER`].
///
/// # Errors
/// [`StoreError`] where the store is away.
pub async fn report_of_ledger(
    settlement: &SettlementStore,
    asked: Asked,
) -> Result<Report, StoreError> {
    let mut tally = Tally::default();
    let mut sink = |_: &Source, contribution| tally.add(contribution);
    money::gather(settlement, None, &asked, &mut sink).await?;
    let mut report = tally.report_without_signals(asked);
    let is_of_ledger = |id: &str| TABLES_OF_LEDGER.contains(&id);
    report.tables.retain(|table| is_of_ledger(table.shape.id));
    Ok(report)
}

/// Every contribution with its source: whoever filters them by figure has traced it.
///
/// # Errors
/// [`StoreError`] where a store is away, or holds what this program cannot read.
pub async fn gather(
    decisions: &DecisionStore,
    settlement: &SettlementStore,
    reference: &Reference,
    asked: &Asked,
    sink: &mut Sink<'_>,
) -> Result<(), StoreError> {
    let mut used = BTreeSet::new();
    let mut noting = |source: &Source, contribution: Contribution| {
        if let ("uses", Amount::Name(contract)) = (contribution.figure.table, &contribution.amount)
        {
            used.insert(ContractId::new(contract));
        }
        sink(source, contribution);
    };
    decisions::gather(decisions, reference, asked, &mut noting).await?;
    money::gather(settlement, Some(reference), asked, sink).await?;
    contracts(reference, &used, asked, sink);
    Ok(())
}

/// What contracts add, given those under which a line was awarded.
pub fn contracts(
    reference: &Reference,
    used: &BTreeSet<ContractId>,
    asked: &Asked,
    sink: &mut Sink<'_>,
) {
    for named in &reference.contracts {
        let source = Source::Contract(named.0.clone());
        let uses = match used.contains(named.0) {
            true => Use::Used,
            false => Use::Unused,
        };
        emit(&source, sink, |emit| {
            agreements::contract(named, uses, reference, asked, emit);
        });
    }
}

/// Hands what one source adds to a sink.
fn emit(source: &Source, sink: &mut Sink<'_>, tell: impl FnOnce(&mut Emit<'_>)) {
    tell(&mut Emit::new(&mut |contribution| {
        sink(source, contribution)
    }));
}

/// The thresholds of the configuration.
#[must_use]
pub fn thresholds(config: &config::Report) -> Thresholds {
    Thresholds {
        held_basis_points: config.held_max_basis_points,
        refused_basis_points: config.refused_max_basis_points,
        prevented_basis_points: config.prevented_max_basis_points,
        days_to_decision: config.days_to_decision_max,
        messages_per_hundred_lines: config.messages_per_hundred_lines_max,
        budget_basis_points: config.budget_max_basis_points,
    }
}
