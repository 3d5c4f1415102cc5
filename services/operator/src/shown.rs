//! Values that know how they look on a page, and are plain numbers and texts in JSON.

use std::{fmt, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use serde::{Serialize, Serializer};

/// An amount: `€ 28,000.00`, in JSON the cents.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub(crate) struct Euro(pub(crate) i64);

impl fmt::Display for Euro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "\u{2212}" } else { "" };
        write!(f, "{sign}€\u{a0}{}.{:02}", Count(cents / 100), cents % 100)
    }
}

/// A number with its thousands apart, exact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize)]
pub(crate) struct Count(pub(crate) u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// An instant, on pages in the time of the Netherlands with its zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct When(pub(crate) Timestamp);

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = TimeZone::get("Europe/Amsterdam").expect("the time zone database is bundled");
        let local = self.0.to_zoned_datetime(zone);
        write!(f, "{}", local.strftime("%Y-%m-%d %H:%M:%S %Z"))
    }
}

impl Serialize for When {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

/// A span of time in two figures: `12 ms`, `3.4 s`, `7 min`; in JSON milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Span(pub(crate) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        match ms {
            0..1_000 => write!(f, "{ms}\u{a0}ms"),
            1_000..60_000 => write!(f, "{}.{}\u{a0}s", ms / 1_000, ms % 1_000 / 100),
            60_000..7_200_000 => write!(f, "{}\u{a0}min", ms / 60_000),
            _ => write!(f, "{}\u{a0}h", ms / 3_600_000),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u64(u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX))
    }
}

/// So many per second, in thousandths: `1,234`, `12.3`, `0`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Rate {
    /// Thousandths per second.
    pub(crate) milli: u64,
}

impl Rate {
    /// `count` within `elapsed`; nothing if no time has passed.
    pub(crate) fn of(count: u64, elapsed: Duration) -> Self {
        let micros = elapsed.as_micros();
        let milli = (u128::from(count) * 1_000_000_000)
            .checked_div(micros)
            .unwrap_or(0);
        Self {
            milli: u64::try_from(milli).unwrap_or(u64::MAX),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = Count(self.milli / 1_000);
        match self.milli {
            0 => f.write_str("0"),
            1..100_000 => write!(f, "{whole}.{}", self.milli % 1_000 / 100),
            _ => write!(f, "{whole}"),
        }
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&format_args!(
            "{}.{:03}",
            self.milli / 1_000,
            self.milli % 1_000
        ))
    }
}

/// Basis points as a percentage: `12.5 %`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub(crate) struct Share(pub(crate) u64);

impl Share {
    pub(crate) fn of(part: u64, whole: u64) -> Self {
        let points = (u128::from(part) * 10_000)
            .checked_div(u128::from(whole))
            .unwrap_or(0);
        Self(u64::try_from(points).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}\u{a0}%", self.0 / 100, self.0 % 100 / 10)
    }
}

/// How a thing stands, as a word and a colour.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct State {
    pub(crate) word: String,
    #[serde(skip)]
    pub(crate) tone: Tone,
}

/// Colour of a word. The word itself says everything; the colour only helps the eye.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tone {
    Good,
    Warn,
    Bad,
    Quiet,
}

impl State {
    pub(crate) fn new(tone: Tone, word: impl Into<String>) -> Self {
        Self {
            word: word.into(),
            tone,
        }
    }

    /// A status or verdict as a word of the wire.
    pub(crate) fn of_wire(word: &str) -> Self {
        let tone = match word {
            "accept" | "accepted" => Tone::Good,
            "reduce" | "partly" | "review" | "in_review" => Tone::Warn,
            "reject" | "rejected" => Tone::Bad,
            _ => Tone::Quiet,
        };
        Self::new(tone, word)
    }

    /// For people: `in_review` is `in review`.
    pub(crate) fn text(&self) -> String {
        self.word.replace('_', " ")
    }

    pub(crate) fn class(&self) -> &'static str {
        match self.tone {
            Tone::Good => "good",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
            Tone::Quiet => "quiet",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_look_as_people_write_them() {
        let ms = |ms| {
            Span(Duration::from_millis(ms))
                .to_string()
                .replace('\u{a0}', " ")
        };
        let euro = |cents| Euro(cents).to_string().replace('\u{a0}', " ");
        let rate = |count, ms| Rate::of(count, Duration::from_millis(ms)).to_string();
        for (shown, wanted) in [
            (euro(2_800_000), "€ 28,000.00"),
            (euro(-5), "\u{2212}€ 0.05"),
            (euro(0), "€ 0.00"),
            (Count(1_234_567).to_string(), "1,234,567"),
            (Count(0).to_string(), "0"),
            (Count(999).to_string(), "999"),
            (ms(12), "12 ms"),
            (ms(3_450), "3.4 s"),
            (ms(420_000), "7 min"),
            (rate(0, 1_000), "0"),
            (rate(37, 3_000), "12.3"),
            (rate(9_999, 1_000), "9,999"),
            (rate(1, 0), "0"),
            (Share::of(1, 8).to_string().replace('\u{a0}', " "), "12.5 %"),
        ] {
            assert_eq!(shown, wanted);
        }
        let noon = "2024-07-01T10:00:00Z".parse().expect("an instant");
        assert_eq!(When(noon).to_string(), "2024-07-01 12:00:00 CEST");
    }
}
