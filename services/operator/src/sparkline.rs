//! A small chart of the last minutes, as SVG with classes only: the page allows no inline style.

use std::fmt::Write as _;

const WIDTH: u64 = 600;
const HEIGHT: u64 = 80;

/// A line through values at equal distances.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sparkline {
    /// Points of the line.
    pub(crate) line: String,
    /// The same, closed along the bottom.
    pub(crate) area: String,
}

impl Sparkline {
    /// Values from the oldest to the newest, drawn so that the newest is always at the right end.
    pub(crate) fn new(values: &[u64], slots: usize) -> Self {
        let (Some(_), slots) = (values.first(), slots.max(2) as u64) else {
            return Self::default();
        };
        let top = values.iter().copied().max().unwrap_or(0).max(1);
        let missing = slots.saturating_sub(values.len() as u64);
        let mut line = String::new();
        let mut first = 0;
        for (place, value) in (missing..).zip(values) {
            let x = place * WIDTH / (slots - 1);
            if line.is_empty() {
                first = x;
            }
            let height = u128::from(*value) * u128::from(HEIGHT - 4) / u128::from(top);
            let y = HEIGHT - 2 - u64::try_from(height).unwrap_or(0);
            write!(line, "{x},{y} ").expect("writing to a String cannot fail");
        }
        let area = format!("{first},{HEIGHT} {line}{WIDTH},{HEIGHT}");
        Self { line, area }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_value_is_at_the_right_and_the_largest_at_the_top() {
        let chart = Sparkline::new(&[0, 10, 5], 5);
        assert_eq!(chart.line, "300,78 450,2 600,40 ");
        assert_eq!(chart.area, "300,80 300,78 450,2 600,40 600,80");
        assert_eq!(Sparkline::new(&[], 5), Sparkline::default());
        assert_eq!(Sparkline::new(&[7], 1).line, "600,2 ");
    }
}
