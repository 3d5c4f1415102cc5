//! Dates of the message: declaration period and invoice date.

use crate::{rejection::Rejection, rules::Received};

/// The declaration period is in order and lies in the past (0020, 0021, 9267); one finding, the
/// first that holds.
///
/// Source: Vektis COD954, codes 0020, 0021, 9267; AW319 v1.4, fields 0114 and 0115. Lines need not
/// lie in it. Example: 2024-07-01 .. 2024-06-30.
#[must_use]
pub fn check_period(received: &Received<'_>) -> Option<Rejection> {
    let span = received.declaration.declaration_period;
    let latest = received.latest_day();
    let code = if span.first > span.last {
        "0021"
    } else if span.first > latest {
        "0020"
    } else if span.last > latest {
        "9267"
    } else {
        return None;
    };
    let found = Rejection::new("message_dates", &[code]);
    Some(found.with("first", span.first).with("last", span.last))
}

/// The invoice is dated on or after the end of the declaration period (0025), and not in the future
/// (9265).
///
/// 0025 needs a declaration period that is in order and past.
/// Source: Vektis COD954, codes 0025 and 9265; AW319 v1.4, field 0117; GDS801.
/// Example: dated 2024-10-20, sent on 2024-10-15.
#[must_use]
pub fn check_invoice_date(received: &Received<'_>) -> Option<Rejection> {
    let declaration = received.declaration;
    let invoice_date = declaration.invoice_date;
    let found = |code| Rejection::new("message_dates", &[code]).with("invoice_date", invoice_date);
    if invoice_date > received.latest_day() {
        return Some(found("9265"));
    }
    let last = declaration.declaration_period.last;
    let period_stands = check_period(received).is_none();
    (period_stands && invoice_date < last).then(|| found("0025").with("last", last))
}

#[cfg(test)]
mod tests {
    use crate::rules::fixture::{World, check, day, span};

    fn declared(world: &mut World, first: &str, last: &str) {
        world.declaration.declaration_period = span(first, last);
    }

    #[test]
    fn declaration_period_and_invoice_are_in_order_and_past() {
        check(
            World::c1,
            &[
                (
                    "scenario 62",
                    |it| it.declaration.invoice_date = day("2024-10-20"),
                    "message 9265",
                ),
                (
                    "scenario 72",
                    |it| declared(it, "2024-07-01", "2024-06-30"),
                    "message 0021",
                ),
                (
                    "begins later",
                    |it| declared(it, "2024-10-16", "2024-10-31"),
                    "message 0020",
                ),
                (
                    "ends later",
                    |it| declared(it, "2024-10-01", "2024-10-31"),
                    "message 9267",
                ),
                (
                    "ends today",
                    |it| declared(it, "2024-10-01", "2024-10-10"),
                    "",
                ),
                (
                    "after the invoice",
                    |it| declared(it, "2024-10-01", "2024-10-11"),
                    "message 0025",
                ),
                (
                    "sent tomorrow",
                    |it| {
                        (it.declaration.invoice_date, it.declaration.sent_on) =
                            (day("2024-10-16"), day("2024-10-16"))
                    },
                    "message 9265",
                ),
            ],
        );
    }
}
