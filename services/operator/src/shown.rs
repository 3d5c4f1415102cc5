//! Values that know how they look on a page in either language, and are plain numbers and texts in JSON.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Serialize, Serializer};

use crate::language::Language;

/// A value as people write it.
pub(crate) trait Shown {
    fn shown(&self, language: Language) -> String;
}

impl<T: Shown> Shown for &T {
    fn shown(&self, language: Language) -> String {
        (**self).shown(language)
    }
}

/// An amount: `€ 28,000.00`, in Dutch `€ 28.000,00`, in JSON the cents.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub(crate) struct Euro(pub(crate) i64);

impl Shown for Euro {
    fn shown(&self, language: Language) -> String {
        let cents = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "\u{2212}" } else { "" };
        let whole = Count(cents / 100).shown(language);
        format!("{sign}€\u{a0}{whole}{}{:02}", point(language), cents % 100)
    }
}

/// What stands before decimals.
fn point(language: Language) -> &'static str {
    language.say(".", ",")
}

/// A number with its thousands apart, exact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize)]
pub(crate) struct Count(pub(crate) u64);

impl Shown for Count {
    fn shown(&self, language: Language) -> String {
        let digits = self.0.to_string();
        let mut shown = String::with_capacity(digits.len() * 4 / 3);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                shown.push_str(language.say(",", "."));
            }
            shown.push(digit);
        }
        shown
    }
}

/// An instant, on pages in the time of the Netherlands with its zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct When(pub(crate) Timestamp);

impl Shown for When {
    fn shown(&self, _: Language) -> String {
        let zone = TimeZone::get("Europe/Amsterdam").expect("the time zone database is bundled");
        let local = self.0.to_zoned_datetime(zone);
        local.strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
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

impl Shown for Span {
    fn shown(&self, language: Language) -> String {
        let ms = self.0.as_millis();
        match ms {
            0..1_000 => format!("{ms}\u{a0}ms"),
            1_000..60_000 => {
                let (whole, tenths) = (ms / 1_000, ms % 1_000 / 100);
                format!("{whole}{}{tenths}\u{a0}s", point(language))
            }
            60_000..7_200_000 => format!("{}\u{a0}min", ms / 60_000),
            _ => format!("{}\u{a0}{}", ms / 3_600_000, language.say("h", "uur")),
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

impl Shown for Rate {
    fn shown(&self, language: Language) -> String {
        let whole = Count(self.milli / 1_000).shown(language);
        match self.milli {
            1..100_000 => format!("{whole}{}{}", point(language), self.milli % 1_000 / 100),
            _ => whole,
        }
    }
}

impl Rate {
    /// Three decimals, as programs read it.
    pub(crate) fn exact(self) -> String {
        format!("{}.{:03}", self.milli / 1_000, self.milli % 1_000)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.exact())
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

impl Shown for Share {
    fn shown(&self, language: Language) -> String {
        let (whole, tenths) = (self.0 / 100, self.0 % 100 / 10);
        format!("{whole}{}{tenths}\u{a0}%", point(language))
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

    /// Where a word has no Dutch one here, it is shown as it is.
    fn dutch(&self) -> Option<&'static str> {
        Some(match self.word.as_str() {
            "accept" | "accepted" => "geaccepteerd",
            "reduce" => "verlaagd",
            "review" | "in_review" => "in beoordeling",
            "reject" | "rejected" => "afgewezen",
            "withdrawn" => "ingetrokken",
            "partly" => "deels",
            "answers" => "antwoordt",
            "does not answer" => "antwoordt niet",
            "not read here" => "hier niet gelezen",
            "taken" => "aangenomen",
            "waits" => "wacht",
            "sent" => "verzonden",
            "unclaimed" => "niet opgehaald",
            "parked" => "geparkeerd",
            "none" => "geen",
            "settled" => "afgerekend",
            "waiting" => "wachtend",
            "replayed" => "opnieuw aangeboden",
            "discarded" => "verworpen",
            "running" => "loopt",
            "done" => "klaar",
            "nobody reads" => "niemand leest",
            "added" => "toegevoegd",
            "removed" => "verwijderd",
            "changed" => "gewijzigd",
            "concept" => "concept",
            "in_negotiation" => "in onderhandeling",
            "signed" => "getekend",
            "active" => "lopend",
            "ended" => "geëindigd",
            "candidate" => "mogelijk",
            "full" => "volledig",
            "same_insured" => "zelfde verzekerde",
            "same_contract" => "zelfde contract",
            "always" => "altijd",
            "hybrid_with_deduction" => "hybride met aftrek",
            "hybrid_without_deduction" => "hybride zonder aftrek",
            "chain_coordination_in_both" => "ketencoördinatie in beide",
            "schoning_not_recorded" => "schoning niet vastgelegd",
            "agreed_as_part" => "als deel afgesproken",
            "same_form" => "zelfde vorm",
            "other_form" => "andere vorm",
            "equal_period" => "zelfde periode",
            "unequal_period" => "andere periode",
            "subcontracted" => "onderaanneming",
            "same_condition" => "zelfde aandoening",
            "same_declarant" => "zelfde declarant",
            "fewer_than_two_zorgaanbieders" => "minder dan twee zorgaanbieders",
            "acknowledged" => "bevestigd",
            "ended early" => "voortijdig gestopt",
            "accept_reduced" => "verlaagd accepteren",
            "refuse" => "afwijzen",
            "exclude" => "uitsluiten",
            "allow" => "toestaan",
            "loser" => "uitsluiting vervallen",
            "dependant" => "aangehouden rivaal is weg",
            "import_pair" => "naast eerder betaalde",
            "superseded" => "ernaast betaald",
            "imported" => "ingelezen",
            "held" => "aangehouden",
            "awarded" => "toegekend",
            "law" => "wet",
            "regulation" => "regeling",
            "standard" => "standaard",
            "draft" => "ontwerp",
            "assumption" => "afspraak",
            _ => return None,
        })
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

impl Shown for State {
    /// For people: `in_review` is `in review`.
    fn shown(&self, language: Language) -> String {
        let dutch = self.dutch().filter(|_| language == Language::Dutch);
        dutch.map_or_else(|| self.word.replace('_', " "), ToOwned::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(value: &impl Shown) -> (String, String) {
        let shown = |language| value.shown(language).replace('\u{a0}', " ");
        (shown(Language::English), shown(Language::Dutch))
    }

    #[test]
    fn values_look_as_people_write_them() {
        let span = |ms| Span(Duration::from_millis(ms));
        let rate = |count, ms| Rate::of(count, Duration::from_millis(ms));
        for (shown, english, dutch) in [
            (both(&Euro(2_800_000)), "€ 28,000.00", "€ 28.000,00"),
            (both(&Euro(-5)), "\u{2212}€ 0.05", "\u{2212}€ 0,05"),
            (both(&Count(1_234_567)), "1,234,567", "1.234.567"),
            (both(&Count(0)), "0", "0"),
            (both(&Count(999)), "999", "999"),
            (both(&span(12)), "12 ms", "12 ms"),
            (both(&span(3_450)), "3.4 s", "3,4 s"),
            (both(&span(420_000)), "7 min", "7 min"),
            (both(&span(7_200_000)), "2 h", "2 uur"),
            (both(&rate(0, 1_000)), "0", "0"),
            (both(&rate(37, 3_000)), "12.3", "12,3"),
            (both(&rate(9_999, 1_000)), "9,999", "9.999"),
            (both(&rate(1, 0)), "0", "0"),
            (both(&Share::of(1, 8)), "12.5 %", "12,5 %"),
            (
                both(&State::of_wire("in_review")),
                "in review",
                "in beoordeling",
            ),
        ] {
            assert_eq!(shown, (english.to_owned(), dutch.to_owned()));
        }
        let noon = "2024-07-01T10:00:00Z".parse().expect("an instant");
        assert_eq!(both(&When(noon)).0, "2024-07-01 12:00:00 CEST");
    }
}
