//! Values and words of the report for people, in English or Dutch.

use samenloop_domain::report::{
    Asked, ReportRow, ReportTable,
    shape::{Unit, Words},
};

/// A language of the report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Dutch.
    Dutch,
}

impl Language {
    /// Its tag (BCP 47).
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Dutch => "nl",
        }
    }

    /// The words in it.
    #[must_use]
    pub fn say(self, words: Words) -> &'static str {
        match self {
            Self::English => words.english,
            Self::Dutch => words.dutch,
        }
    }

    /// A pair of texts in it.
    #[must_use]
    pub fn pick(self, english: &'static str, dutch: &'static str) -> &'static str {
        self.say(Words { english, dutch })
    }

    /// A value in a unit: cents as euro, basis points as a percentage, whole numbers with their thousands apart.
    #[must_use]
    pub fn value(self, value: i64, unit: Unit) -> String {
        match unit {
            Unit::Number | Unit::Days | Unit::OfRow => self.whole(value),
            Unit::Cents => {
                let sign = if value < 0 { "-" } else { "" };
                format!("{sign}€ {}", self.hundredths(value.unsigned_abs()))
            }
            Unit::BasisPoints => {
                let sign = if value < 0 { "-" } else { "" };
                format!("{sign}{}%", self.hundredths(value.unsigned_abs()))
            }
            Unit::YesNo => match value {
                0 => self.pick("no", "nee").to_owned(),
                _ => self.pick("yes", "ja").to_owned(),
            },
        }
    }

    fn whole(self, value: i64) -> String {
        let sign = if value < 0 { "-" } else { "" };
        format!("{sign}{}", self.grouped(value.unsigned_abs()))
    }

    fn hundredths(self, value: u64) -> String {
        let point = match self {
            Self::English => '.',
            Self::Dutch => ',',
        };
        format!("{}{point}{:02}", self.grouped(value / 100), value % 100)
    }

    fn grouped(self, value: u64) -> String {
        let group = match self {
            Self::English => ',',
            Self::Dutch => '.',
        };
        let digits = value.to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push(group);
            }
            text.push(digit);
        }
        text
    }

    /// What was asked, in a line.
    #[must_use]
    pub fn asked(self, asked: &Asked) -> String {
        let (first, last) = (asked.days.first(), asked.days.last());
        let until = self.pick("to", "tot en met");
        let mut told = format!("{first} {until} {last}");
        let kinds = match &asked.kinds {
            None => self
                .pick("all kinds of funding", "alle soorten bekostiging")
                .to_owned(),
            Some(kinds) => {
                let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                kinds.join(", ")
            }
        };
        told += &format!("; {kinds}");
        if let Some(insurer) = asked.insurer {
            told += &format!("; {} {insurer}", self.pick("insurer", "verzekeraar"));
        }
        if let Some(region) = &asked.region {
            told += &format!("; {} {region}", self.pick("region", "regio"));
        }
        told
    }
}

/// A row as it is shown: its key, in words where it has any, and its values.
#[must_use]
pub fn row(table: &ReportTable, row: &ReportRow, language: Language) -> Vec<String> {
    let key = match row.words {
        // A code of a reason is said with its text; other words stand for the key.
        Some(words) if table.shape.id == "bottlenecks" => {
            format!("{} {}", row.key, language.say(words))
        }
        Some(words) => language.say(words).to_owned(),
        None => row.key.to_string(),
    };
    std::iter::once(key)
        .chain(values(table, &row.values, language))
        .collect()
}

/// The row of totals as it is shown.
#[must_use]
pub fn total(table: &ReportTable, language: Language) -> Option<Vec<String>> {
    let total = table.total.as_ref()?;
    let word = language.pick("total", "totaal").to_owned();
    Some(
        std::iter::once(word)
            .chain(values(table, total, language))
            .collect(),
    )
}

fn values(table: &ReportTable, values: &[i64], language: Language) -> impl Iterator<Item = String> {
    let columns = table.shape.columns.iter();
    columns
        .zip(values)
        .map(move |(column, value)| language.value(*value, column.unit))
}

/// The headings of a table: of its keys, then of its columns.
#[must_use]
pub fn headings(table: &ReportTable, language: Language) -> Vec<&'static str> {
    let columns = table.shape.columns.iter().map(|column| column.words);
    let words = std::iter::once(table.shape.key).chain(columns);
    words.map(|words| language.say(words)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_each_language_does() {
        for (value, unit, english, dutch) in [
            (2_800_000, Unit::Cents, "€ 28,000.00", "€ 28.000,00"),
            (-5, Unit::Cents, "-€ 0.05", "-€ 0,05"),
            (1_234, Unit::BasisPoints, "12.34%", "12,34%"),
            (1_234_567, Unit::Number, "1,234,567", "1.234.567"),
            (1, Unit::YesNo, "yes", "ja"),
        ] {
            assert_eq!(Language::English.value(value, unit), english);
            assert_eq!(Language::Dutch.value(value, unit), dutch);
        }
    }
}
