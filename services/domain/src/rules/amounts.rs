//! Tarief, computed and declared amount of a line, among themselves.

use crate::{cents::Cents, facts::LineFacts, rejection::Rejection, rules::quantity};

/// Whether amounts and quantity of the line are established.
#[must_use]
pub fn are_established(facts: &LineFacts<'_>) -> bool {
    check(facts).is_none()
        && quantity::check_not_zero(facts).is_none()
        && quantity::check_lumpsum(facts).is_none()
}

/// Tarief, computed and declared amount agree; one finding, the first that holds, because the next
/// needs the one before: all zero or all positive (9278), computed = tarief x quantity rounded half
/// away from zero (8032), and declared at most computed (8063).
///
/// 8032 and 8063 need a quantity. Source: Vektis COD954, codes 9278, 8032 and 8063; AW319 v1.4,
/// field 0426. Example: 400 x EUR 25.00 is computed as 1,000,000 cents, of which all or less is
/// declared.
#[must_use]
pub fn check(facts: &LineFacts<'_>) -> Option<Rejection> {
    let line = facts.line;
    let zeros = [
        line.tarief.is_zero(),
        line.computed == Cents::ZERO,
        line.declared == Cents::ZERO,
    ];
    let found = |code| {
        Rejection::new("amounts", &[code])
            .with("tarief", line.tarief.euro())
            .with("computed_cents", line.computed.get())
            .with("declared_cents", line.declared.get())
    };
    if zeros.iter().any(|zero| *zero != zeros[0]) {
        return Some(found("9278"));
    }
    if line.quantity == 0 {
        return None;
    }
    if line.tarief.times(line.quantity) != Some(line.computed) {
        return Some(found("8032").with("quantity", line.quantity));
    }
    (line.declared > line.computed).then(|| found("8063"))
}

#[cfg(test)]
mod tests {
    use crate::rules::fixture::{World, cents, check, tarief};

    #[test]
    fn amounts_of_a_line_agree() {
        check(
            World::c1,
            &[
                (
                    "scenario 4",
                    |it| it.line_amounts("28000", 2_800_000, 2_750_000),
                    "",
                ),
                (
                    "scenario 5",
                    |it| it.line_amounts("28000", 2_800_000, 2_900_000),
                    "8063",
                ),
                ("scenario 69", |it| it.line_amounts("0", 0, 1), "9278"),
                (
                    "nothing declared",
                    |it| it.line_amounts("28000", 2_800_000, 0),
                    "9278",
                ),
                (
                    "computed",
                    |it| it.line_amounts("28000", 2_799_999, 2_799_999),
                    "8032",
                ),
                (
                    "8032 silences 8063",
                    |it| it.line_amounts("28000", 2_700_000, 2_800_000),
                    "8032",
                ),
            ],
        );
        check(
            World::c4,
            &[
                ("scenario 49", |_| (), ""),
                (
                    "rounded",
                    |it| {
                        it.agreed().tarief = tarief("3.8333");
                        it.line_amounts("3.8333", 1_150, 1_150);
                        it.line().quantity = 3;
                    },
                    "",
                ),
                (
                    "beyond the bound",
                    |it| {
                        it.line_amounts("100000000000", 1, 1);
                        it.line().computed = cents(10_000_000_000_000);
                    },
                    "8032",
                ),
            ],
        );
    }
}
