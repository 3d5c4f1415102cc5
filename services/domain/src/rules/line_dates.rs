//! The period of a line: in order, and past when it is invoiced.

use crate::{facts::LineFacts, rejection::Rejection};

/// The period does not end before it begins (8007).
///
/// Source: Vektis COD954, code 8007; AW319 v1.4, fields 0414 and 0415 (both days included).
/// Example: 2024-09-30 .. 2024-07-01.
#[must_use]
pub fn check_order(facts: &LineFacts<'_>) -> Option<Rejection> {
    let span = facts.line.period;
    facts.period.is_none().then(|| {
        let found = Rejection::new("line_dates", &["8007"]);
        found.with("first", span.first).with("last", span.last)
    })
}

/// The prestatie has begun by the invoice date (8177, of a single day 8176).
///
/// Needs the period. Source: Vektis COD954, codes 8176 and 8177. Example: from 2024-11-01, invoiced
/// on 2024-10-10.
#[must_use]
pub fn check_begin(facts: &LineFacts<'_>) -> Option<Rejection> {
    let (period, invoice_date) = (facts.period?, facts.invoice_date?);
    let is_one_day = period.first() == period.last();
    let code = if is_one_day { "8176" } else { "8177" };
    (period.first() > invoice_date)
        .then(|| Rejection::new("line_dates", &[code]).with("invoice_date", invoice_date))
}

/// The prestatie has ended by the invoice date: an advance is no declaration (8178).
///
/// Needs the period, of more than one day. Source: Vektis COD954, code 8178.
/// Example: the fourth quarter, invoiced on 2024-10-15.
#[must_use]
pub fn check_end(facts: &LineFacts<'_>) -> Option<Rejection> {
    let (period, invoice_date) = (facts.period?, facts.invoice_date?);
    let is_one_day = period.first() == period.last();
    (!is_one_day && period.last() > invoice_date)
        .then(|| Rejection::new("line_dates", &["8178"]).with("invoice_date", invoice_date))
}

#[cfg(test)]
mod tests {
    use crate::rules::fixture::{World, check};

    #[test]
    fn line_is_in_order_and_past_when_it_is_invoiced() {
        check(
            World::c1,
            &[
                (
                    "scenario 63",
                    |it| it.performed("2024-10-01", "2024-12-31"),
                    "8178",
                ),
                (
                    "reversed",
                    |it| it.performed("2024-09-30", "2024-07-01"),
                    "8007",
                ),
                (
                    "later",
                    |it| it.performed("2024-10-11", "2024-12-31"),
                    "8177 8178",
                ),
                (
                    "one day",
                    |it| it.performed("2024-10-11", "2024-10-11"),
                    "8176",
                ),
                ("today", |it| it.performed("2024-10-01", "2024-10-10"), ""),
            ],
        );
    }
}
