//! Charts of the report: bars of one column, laid out in whole numbers for an SVG drawing.
//!
//! A chart repeats figures of the table below it, which is what is read aloud.

use samenloop_domain::report::ReportTable;

use super::say::{self, Language};

/// Most bars; rows that follow are in the table only.
pub const BARS_MAX: usize = 24;

/// Width of the drawing.
pub const WIDTH: u64 = 720;

/// Height of a bar with the room below it.
const STEP: u64 = 26;

/// Where bars begin, and how long the longest is.
const BARS_AT: u64 = 190;
const BAR_MAX: u64 = 380;

/// Characters of a label; the table has the whole.
const LABEL_MAX: usize = 26;

/// A chart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// Height of the drawing.
    pub height: u64,
    /// Its bars, from the top.
    pub bars: Vec<Bar>,
}

/// A bar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bar {
    /// What it is of.
    pub label: String,
    /// Its value, for people.
    pub value: String,
    /// Whether it is less than nothing.
    pub is_negative: bool,
    /// Left end.
    pub x: u64,
    /// Top.
    pub y: u64,
    /// Length.
    pub width: u64,
    /// Where the value is written.
    pub value_x: u64,
    /// Base line of label and value.
    pub text_y: u64,
}

/// The chart of a table, where it has one and there is more than nothing to show.
#[must_use]
pub fn chart(table: &ReportTable, language: Language) -> Option<Chart> {
    let column = table.shape.chart?;
    let place = table.shape.columns.iter().position(|it| it.id == column)?;
    let shown: Vec<_> = table.rows.iter().take(BARS_MAX).collect();
    let longest = shown
        .iter()
        .map(|row| row.values[place].unsigned_abs())
        .max()?;
    if longest == 0 {
        return None;
    }
    let heading = language.say(table.shape.columns[place].words);
    let bars = (0..).zip(&shown).map(|(number, row)| {
        let value = row.values[place];
        let length = u128::from(value.unsigned_abs()) * u128::from(BAR_MAX) / u128::from(longest);
        let texts = say::row(table, row, language);
        let width = u64::try_from(length)
            .expect("a bar is at most the longest")
            .max(1);
        Bar {
            label: match table.shape.id {
                // The table says what a code means.
                "bottlenecks" => row.key.to_string(),
                _ => short(&texts[0]),
            },
            value: texts[place + 1].clone(),
            is_negative: value < 0,
            x: BARS_AT,
            y: number * STEP + 4,
            width,
            value_x: BARS_AT + width + 6,
            text_y: number * STEP + 17,
        }
    });
    let bars: Vec<Bar> = bars.collect();
    Some(Chart {
        title: format!("{}: {heading}", language.say(table.shape.words)),
        height: bars.len() as u64 * STEP + 4,
        bars,
    })
}

fn short(label: &str) -> String {
    if label.chars().count() <= LABEL_MAX {
        return label.to_owned();
    }
    let begin: String = label.chars().take(LABEL_MAX - 1).collect();
    format!("{}…", begin.trim_end())
}
