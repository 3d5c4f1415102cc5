//! The tables of the report: ids that programs rely on, and words in English and Dutch for people.

mod tables;

pub use tables::TABLES;

/// A text in English and in Dutch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Words {
    /// English.
    pub english: &'static str,
    /// Dutch.
    pub dutch: &'static str,
}

/// An evaluation topic that figures speak of. Source: 004_edc514e4c29859bf.txt, article 6 b.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Topic {
    /// How double funding is prevented, and how well.
    V,
    /// How overlap with other funding causes unclarity and bottlenecks.
    Ix,
}

/// What a figure is measured in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// A number.
    Number,
    /// Whole eurocents.
    Cents,
    /// Hundredths of a percent.
    BasisPoints,
    /// Days.
    Days,
    /// As the row says.
    OfRow,
    /// 1 for yes, 0 for no.
    YesNo,
}

/// How a figure comes about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sum {
    /// Contributions are added up.
    Added,
    /// Names are counted once each.
    Names,
    /// The largest contribution.
    Most,
    /// The sum of other columns of the row.
    Of(&'static [&'static str]),
    /// `times` x one column divided by another, rounded down.
    Ratio {
        /// What is divided.
        of: &'static str,
        /// By what.
        per: &'static str,
        /// Times how much.
        times: i64,
    },
}

/// A column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its id, for programs.
    pub id: &'static str,
    /// Its heading.
    pub words: Words,
    /// What it is measured in.
    pub unit: Unit,
    /// How it comes about.
    pub sum: Sum,
}

/// Whether a table has a row of totals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Total {
    /// It has.
    Shown,
    /// It has none: a line stands in several rows, or rows are of different things.
    None,
}

/// A table.
#[derive(PartialEq, Eq, Debug)]
pub struct Table {
    /// Its id, for programs.
    pub id: &'static str,
    /// Its title.
    pub words: Words,
    /// What its figures are of, and why they are there.
    pub about: Words,
    /// Heading of its keys.
    pub key: Words,
    /// Keys that are always there, in order, before the others.
    pub rows: &'static [(&'static str, Words)],
    /// Its columns.
    pub columns: &'static [Column],
    /// Whether it has totals.
    pub total: Total,
    /// The column that its chart shows, if it has one.
    pub chart: Option<&'static str>,
    /// Topics that it speaks of.
    pub topics: &'static [Topic],
}

impl Table {
    /// The words of a key: those of the table, or of the reason registry.
    #[must_use]
    pub fn words_of(&self, key: &str) -> Option<Words> {
        if key == super::UNKNOWN {
            return Some(words("not known", "niet bekend"));
        }
        if self.id != "bottlenecks" {
            return None;
        }
        let entry = crate::rejection::ReasonCode::parse(key)?.entry();
        Some(words(entry.english, entry.dutch))
    }
}

/// The shape of a table.
#[must_use]
pub fn table(id: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.id == id)
}

const fn words(english: &'static str, dutch: &'static str) -> Words {
    Words { english, dutch }
}
