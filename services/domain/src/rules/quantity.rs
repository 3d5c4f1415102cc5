//! How many units.

use crate::{facts::LineFacts, reference::Unit, rejection::Rejection};

/// A line has a unit (0638).
///
/// Source: Vektis COD954, code 0638. Example: quantity 0.
#[must_use]
pub fn check_not_zero(facts: &LineFacts<'_>) -> Option<Rejection> {
    (facts.line.quantity == 0).then(|| Rejection::new("quantity", &["0638"]))
}

/// A lumpsum is one amount for a period: its quantity is one (0638).
///
/// Needs the prestatie. Source: 002_eb0531d2b212ba40.txt, chapter 2 under b; Vektis COD954, code
/// 0638. Example: two lumpsums in one line would pay a quarter twice.
#[must_use]
pub fn check_lumpsum(facts: &LineFacts<'_>) -> Option<Rejection> {
    let quantity = facts.line.quantity;
    let is_lumpsum = facts.prestatie?.unit == Unit::Lumpsum;
    (is_lumpsum && quantity > 1)
        .then(|| Rejection::new("quantity", &["0638"]).with("quantity", quantity))
}

#[cfg(test)]
mod tests {
    use crate::rules::fixture::{World, check};

    #[test]
    fn quantity_is_not_zero_and_a_lumpsum_is_one() {
        check(
            World::c1,
            &[
                ("none", |it| it.line().quantity = 0, "0638"),
                (
                    "two",
                    |it| {
                        it.line_amounts("28000", 5_600_000, 5_600_000);
                        it.line().quantity = 2;
                    },
                    "0638",
                ),
            ],
        );
        check(World::c4, &[("none", |it| it.line().quantity = 0, "0638")]);
    }
}
