//! When continuing looks unjustified: measures that are compared with thresholds of the configuration.
//!
//! Source: 004_edc514e4c29859bf.txt, article 4, paragraph 4: the NZa tells the minister at once when it no longer finds
//! it justified to go on unchanged. It sets no thresholds: those are for whoever runs the hub to agree.

use super::Tally;

/// The table of signals.
pub(super) const TABLE: &str = "signals";

/// Above these a signal is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thresholds {
    /// Lines that were held for a person, in basis points of all debit lines.
    pub held_basis_points: u32,
    /// Lines that were refused, in basis points of all debit lines.
    pub refused_basis_points: u32,
    /// Double funding prevented, in basis points of what was declared.
    pub prevented_basis_points: u32,
    /// Days from receipt to the decision of a person, on average.
    pub days_to_decision: u32,
    /// Messages for a hundred accepted lines.
    pub messages_per_hundred_lines: u32,
    /// What was awarded, in basis points of the budgets.
    pub budget_basis_points: u32,
}

/// `of` times `times` divided by `per`, rounded down; 0 where there is nothing to divide by.
pub(super) fn ratio(of: i64, per: i64, times: i64) -> i64 {
    if per == 0 {
        return 0;
    }
    let whole = i128::from(of) * i128::from(times) / i128::from(per);
    i64::try_from(whole).unwrap_or(i64::MAX)
}

/// Each with its measure and its threshold, in the unit of the threshold.
pub(super) fn signals(tally: &Tally, thresholds: &Thresholds) -> [(&'static str, i64, i64); 6] {
    let lines = tally.total("burden", "lines");
    let declared = tally.total("burden", "declared_cents");
    let held = tally.total("burden", "held_lines");
    let refused = tally.total("burden", "refused_lines");
    let prevented = tally.total("pairs", "prevented_cents");
    let days = tally.total("decision_time", "days_by_person");
    let decided = tally.total("decision_time", "by_person");
    let messages = tally.total("burden", "messages");
    let accepted = tally.total("burden", "accepted_lines");
    let (net, budget) = (
        tally.total("uses", "net_cents"),
        tally.total("budgets", "budget_cents"),
    );
    [
        (
            "held",
            ratio(held, lines, 10_000),
            thresholds.held_basis_points.into(),
        ),
        (
            "refused",
            ratio(refused, lines, 10_000),
            thresholds.refused_basis_points.into(),
        ),
        (
            "prevented",
            ratio(prevented, declared, 10_000),
            thresholds.prevented_basis_points.into(),
        ),
        (
            "days_to_decision",
            ratio(days, decided, 1),
            thresholds.days_to_decision.into(),
        ),
        (
            "burden",
            ratio(messages, accepted, 100),
            thresholds.messages_per_hundred_lines.into(),
        ),
        (
            "budget",
            ratio(net, budget, 10_000),
            thresholds.budget_basis_points.into(),
        ),
    ]
}
