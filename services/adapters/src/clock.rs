//! Time: the only place that asks what time it is.

use std::sync::{Arc, Mutex};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Where the present comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine.
    System,
    /// The receipt time that a message carries in the header [`SCENARIO_HEADER`], else the time set last.
    /// Only `demo` and tests run with it; every other command refuses the header.
    Scenario(Arc<Mutex<Timestamp>>),
}

/// Header of a message that says when it is received, under [`Clock::Scenario`].
pub const SCENARIO_HEADER: &str = "x-scenario-received-at";

impl Clock {
    /// A scenario clock that starts at `now`.
    #[must_use]
    pub fn scenario(now: Timestamp) -> Self {
        Self::Scenario(Arc::new(Mutex::new(now)))
    }

    /// The present.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that the ban points to"
    )]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Scenario(now) => *now.lock().expect("no holder of the clock panics"),
        }
    }

    /// Sets a scenario clock; the system clock cannot be set.
    pub fn set(&self, now: Timestamp) {
        if let Self::Scenario(held) = self {
            *held.lock().expect("no holder of the clock panics") = now;
        }
    }

    /// Whether a message may say when it was received.
    #[must_use]
    pub fn is_scenario(&self) -> bool {
        matches!(self, Self::Scenario(_))
    }
}

/// The receipt date of an instant: its day in Europe/Amsterdam.
#[must_use]
pub fn receipt_date(instant: Timestamp) -> Date {
    let zone = TimeZone::get("Europe/Amsterdam").expect("the time zone database is bundled");
    instant.to_zoned_datetime(zone).date()
}

/// Noon UTC of a day, as the instant of receipt in scenarios.
#[must_use]
pub fn noon(day: Date) -> Timestamp {
    day.at(12, 0, 0, 0)
        .to_zoned_datetime(TimeZone::UTC)
        .expect("noon exists in UTC")
        .timestamp()
}
