//! Spans of days: [`Period`] with both days included, [`Validity`] with the last one excluded.
//!
//! There is no conversion between the two, only [`Validity::contains`].

use std::fmt;

pub use jiff::civil::Date as Day;

/// First and last day of a performance, a declaration period, a contract or a budget; both included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    first: Day,
    last: Day,
}

impl Period {
    /// The period, unless `first` is after `last`.
    #[must_use]
    pub fn new(first: Day, last: Day) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// The first day.
    #[must_use]
    pub fn first(self) -> Day {
        self.first
    }

    /// The last day, included.
    #[must_use]
    pub fn last(self) -> Day {
        self.last
    }

    /// Whether `other` lies wholly inside.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    /// Whether `day` lies inside.
    #[must_use]
    pub fn contains(self, day: Day) -> bool {
        self.first <= day && day <= self.last
    }

    /// The shortest period that covers both.
    #[must_use]
    pub fn enclosing(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }

    /// How many days both have; 0 if they do not meet.
    #[must_use]
    pub fn days_in_common(self, other: Self) -> u32 {
        let first = self.first.max(other.first);
        let last = self.last.min(other.last);
        if first > last {
            return 0;
        }
        u32::try_from((last - first).get_days()).expect("first is not after last") + 1
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.first, self.last)
    }
}

/// First and last day as they were written; [`Span::period`] is the period if they are in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// First day.
    pub first: Day,
    /// Last day, included.
    pub last: Day,
}

impl Span {
    /// The period, unless the first day is after the last.
    #[must_use]
    pub fn period(self) -> Option<Period> {
        Period::new(self.first, self.last)
    }
}

/// From when until when a fact of the reference data holds: `until` is excluded, absent is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Validity {
    /// First day.
    pub from: Day,
    /// First day on which it no longer holds.
    pub until: Option<Day>,
}

/// Where a day lies beside a validity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Before `from`.
    NotYet,
    /// Inside.
    InForce,
    /// On or after `until`.
    Expired,
}

impl Validity {
    /// Where `day` lies.
    #[must_use]
    pub fn standing(self, day: Day) -> Standing {
        if day < self.from {
            Standing::NotYet
        } else if self.until.is_some_and(|until| until <= day) {
            Standing::Expired
        } else {
            Standing::InForce
        }
    }

    /// Whether it holds on `day`.
    #[must_use]
    pub fn contains(self, day: Day) -> bool {
        self.standing(day) == Standing::InForce
    }

    /// Whether it holds on every day of `period`.
    #[must_use]
    pub fn contains_all(self, period: Period) -> bool {
        self.contains(period.first()) && self.contains(period.last())
    }
}

/// `months` after `day`; the day of the month is clamped to the length of the month.
#[must_use]
pub fn months_after(day: Day, months: i32) -> Day {
    day.saturating_add(jiff::Span::new().months(months))
}

/// The longest term within which a reference or an invoice part may not be used again.
pub const UNIQUENESS_YEARS: i32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("a day")
    }

    #[test]
    fn days_in_common_counts_both_ends() {
        let period = |first, last| Period::new(day(first), day(last)).expect("in order");
        let quarter = period("2024-07-01", "2024-09-30");
        for (first, last, days) in [
            ("2024-07-01", "2024-09-30", 92),
            ("2024-04-01", "2024-07-01", 1),
            ("2024-04-01", "2024-06-30", 0),
            ("2024-09-30", "2024-12-31", 1),
            ("2024-10-01", "2024-12-31", 0),
        ] {
            assert_eq!(
                quarter.days_in_common(period(first, last)),
                days,
                "{first}..{last}"
            );
        }
    }

    #[test]
    fn expiry_is_excluded_and_months_are_clamped() {
        let validity = Validity {
            from: day("2024-05-01"),
            until: Some(day("2029-05-01")),
        };
        assert_eq!(validity.standing(day("2024-04-30")), Standing::NotYet);
        assert_eq!(validity.standing(day("2029-04-30")), Standing::InForce);
        assert_eq!(validity.standing(day("2029-05-01")), Standing::Expired);
        assert_eq!(months_after(day("2024-02-29"), 12), day("2025-02-28"));
        assert_eq!(months_after(day("2024-08-31"), 15), day("2025-11-30"));
    }
}
