//! One value of a row, in its four forms: HTML, JSON, CSV, and what it is sorted by.

use askama::{Template, filters::HtmlSafe};
use serde_json::{Value, json};

use crate::{
    language::Language,
    shown::{Count, Euro, Rate, Share, Shown as _, Span, State, When},
};

/// A value of a row.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) enum Cell {
    #[default]
    Absent,
    Text(String),
    /// A name that is copied rather than read.
    Code(String),
    /// Said less loudly.
    Muted(String),
    Count(Count),
    Euro(Euro),
    When(When),
    Span(Span),
    Rate(Rate),
    Share(Share),
    State(State),
    /// A value that leads to another page.
    Link(Box<Cell>, String),
    /// Values below each other.
    Lines(Vec<Cell>),
}

/// What a cell is sorted by: what is absent first, then numbers, then texts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Order {
    Absent,
    Number(i128),
    Text(String),
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() {
            Self::Absent
        } else {
            Self::Text(text)
        }
    }

    pub(crate) fn code(code: impl Into<String>) -> Self {
        let code = code.into();
        if code.is_empty() {
            Self::Absent
        } else {
            Self::Code(code)
        }
    }

    pub(crate) fn muted(text: impl Into<String>) -> Self {
        Self::Muted(text.into())
    }

    pub(crate) fn link(self, to: impl Into<String>) -> Self {
        match self {
            Self::Absent => Self::Absent,
            cell => Self::Link(Box::new(cell), to.into()),
        }
    }

    pub(crate) fn or_absent<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Absent, cell)
    }

    pub(super) fn order(&self) -> Order {
        let number = |number: u64| Order::Number(i128::from(number));
        match self {
            Self::Absent => Order::Absent,
            Self::Text(text) | Self::Code(text) | Self::Muted(text) => {
                Order::Text(text.to_lowercase())
            }
            Self::Count(count) => number(count.0),
            Self::Euro(euro) => Order::Number(euro.0.into()),
            Self::When(when) => Order::Number(when.0.as_nanosecond()),
            Self::Span(span) => {
                Order::Number(i128::try_from(span.0.as_nanos()).unwrap_or(i128::MAX))
            }
            Self::Rate(rate) => number(rate.milli),
            Self::Share(share) => number(share.0),
            Self::State(state) => Order::Text(state.word.clone()),
            Self::Link(cell, _) => cell.order(),
            Self::Lines(cells) => cells.first().map_or(Order::Absent, Self::order),
        }
    }

    /// For programs: a number as a number, an amount in cents, an instant in UTC.
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Absent => Value::Null,
            Self::Text(text) | Self::Code(text) | Self::Muted(text) => json!(text),
            Self::Count(count) => json!(count),
            Self::Euro(euro) => json!(euro),
            Self::When(when) => json!(when),
            Self::Span(span) => json!(span),
            Self::Rate(rate) => json!(rate),
            Self::Share(share) => json!(share),
            Self::State(state) => json!(state),
            Self::Link(cell, _) => cell.json(),
            Self::Lines(cells) => cells.iter().map(Self::json).collect(),
        }
    }

    pub(super) fn csv(&self) -> String {
        match self {
            Self::Lines(cells) => {
                let lines: Vec<String> = cells.iter().map(Self::csv).collect();
                lines.join("; ")
            }
            Self::Link(cell, _) => cell.csv(),
            _ => match self.json() {
                Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
                    format!("'{text}")
                }
                Value::String(text) => text,
                Value::Null => String::new(),
                number => number.to_string(),
            },
        }
    }

    /// Whether a text in small letters is in what is shown.
    pub(super) fn holds(&self, text: &str, language: Language) -> bool {
        match self {
            Self::Link(cell, _) => cell.holds(text, language),
            Self::Lines(cells) => cells.iter().any(|cell| cell.holds(text, language)),
            cell => cell.plain(language).to_lowercase().contains(text),
        }
    }

    fn plain(&self, language: Language) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Text(text) | Self::Code(text) | Self::Muted(text) => text.clone(),
            Self::Count(count) => count.shown(language),
            Self::Euro(euro) => euro.shown(language),
            Self::When(when) => when.shown(language),
            Self::Span(span) => span.shown(language),
            Self::Rate(rate) => rate.shown(language),
            Self::Share(share) => share.shown(language),
            Self::State(state) => state.shown(language),
            Self::Link(cell, _) => cell.plain(language),
            Self::Lines(cells) => cells.iter().map(|cell| cell.plain(language)).collect(),
        }
    }

    pub(super) fn html(&self, language: Language) -> CellView<'_> {
        CellView {
            cell: self,
            language,
        }
    }
}

/// A cell in a language.
#[derive(Template)]
#[template(path = "cell.html")]
pub(super) struct CellView<'a> {
    cell: &'a Cell,
    language: Language,
}

impl HtmlSafe for CellView<'_> {}
