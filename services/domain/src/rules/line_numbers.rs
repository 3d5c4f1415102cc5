//! Lines are told apart by their number.

use std::collections::BTreeSet;

use crate::{rejection::Rejection, rules::Received};

/// Line numbers are not zero, and each stands in the message once (0801).
///
/// Source: Vektis COD954, code 0801; AW319 v1.4, field 0402. Example: two lines are number 1.
#[must_use]
pub fn check(received: &Received<'_>) -> Option<Rejection> {
    let mut numbers = BTreeSet::new();
    let lines = received.declaration.lines.iter();
    let wrong = lines
        .map(|line| line.line_number)
        .find(|number| *number == 0 || !numbers.insert(*number))?;
    Some(Rejection::new("line_numbers", &["0801"]).with("line_number", wrong))
}

#[cfg(test)]
mod tests {
    use crate::rules::fixture::{World, check};

    #[test]
    fn line_numbers_are_unique_and_not_zero() {
        check(
            World::c1,
            &[
                ("zero", |it| it.line().line_number = 0, "message 0801"),
                ("seven", |it| it.line().line_number = 7, ""),
                (
                    "twice",
                    |it| it.add_line(|line| line.line_number = 1),
                    "message 0801",
                ),
                ("two lines", |it| it.add_line(|_| ()), " | "),
            ],
        );
    }
}
