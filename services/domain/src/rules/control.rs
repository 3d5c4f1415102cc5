//! What the sender counted: a message that lost a line on the way shows.

use crate::{
    cents::Cents,
    declaration::{Declaration, Direction},
    rejection::Rejection,
    rules::Received,
};

/// The totals are the sums of the declared amounts of debit and of credit lines (0150).
///
/// Source: Vektis COD954, code 0150; AW319 v1.4, field 9907. Example: one cent too high.
#[must_use]
pub fn check_totals(received: &Received<'_>) -> Option<Rejection> {
    let declaration = received.declaration;
    let control = declaration.control;
    let debit = declared(declaration, Direction::Debit);
    let credit = declared(declaration, Direction::Credit);
    let agree =
        i128::from(control.debit.get()) == debit && i128::from(control.credit.get()) == credit;
    (!agree).then(|| {
        Rejection::new("control", &["0150"])
            .with("debit_cents", debit)
            .with("credit_cents", credit)
    })
}

/// Wider than [`Cents`], because a sum of well-formed amounts may be over its bound.
fn declared(declaration: &Declaration, direction: Direction) -> i128 {
    let lines = declaration.lines.iter();
    let declared = lines
        .filter(|line| line.direction == direction)
        .map(|line| line.declared);
    declared.map(Cents::get).map(i128::from).sum()
}

/// The line count is the number of lines (0158).
///
/// Source: Vektis COD954, code 0158; AW319 v1.4, field 9904. Example: 3 in the header, 2 lines.
#[must_use]
pub fn check_count(received: &Received<'_>) -> Option<Rejection> {
    let lines = received.declaration.lines.len();
    let counted = usize::try_from(received.declaration.control.line_count);
    (counted != Ok(lines)).then(|| Rejection::new("control", &["0158"]).with("line_count", lines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixture::{World, cents, check};

    #[test]
    fn totals_and_count_are_those_of_the_lines() {
        check(
            World::c1,
            &[
                (
                    "scenario 6",
                    |it| it.declaration.control.debit = cents(2_800_001),
                    "message 0150",
                ),
                (
                    "credit",
                    |it| it.declaration.control.credit = cents(1),
                    "message 0150",
                ),
                (
                    "scenario 7",
                    |it| it.declaration.control.line_count = 3,
                    "message 0158",
                ),
                (
                    "both",
                    |it| {
                        it.declaration.control.line_count = 0;
                        it.declaration.control.debit = Cents::ZERO;
                    },
                    "message 0150 0158",
                ),
            ],
        );
    }

    #[test]
    fn sum_over_the_bound_of_an_amount_is_a_finding() {
        let mut world = World::c1();
        world.line().declared = Cents::MAX;
        let line = world.line().clone();
        world.declaration.lines.push(line);
        world.declaration.lines[1].line_number = 2;
        world.declaration.control.line_count = 2;
        assert_eq!(world.outcome(), "message 0150");
    }
}
