//! The only place that prints: results to standard output, progress to standard error.

use std::{io::IsTerminal as _, time::Duration};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Prints a line of a result. A closed pipe is no error of ours.
pub fn line(text: impl std::fmt::Display) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints a line for people, beside the result.
pub fn note(text: impl std::fmt::Display) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A progress bar of `length` steps; without a terminal it prints nothing.
#[must_use]
pub fn progress(length: u64, what: &'static str) -> ProgressBar {
    bar(
        length,
        what,
        "{msg:>12} [{bar:40}] {human_pos}/{human_len} {per_sec} {eta}",
    )
}

/// A progress bar of `length` bytes; without a terminal it prints nothing.
#[must_use]
pub fn progress_bytes(length: u64, what: &'static str) -> ProgressBar {
    bar(
        length,
        what,
        "{msg:>12} [{bar:40}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
    )
}

fn bar(length: u64, what: &'static str, template: &str) -> ProgressBar {
    let target = match std::io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    let bar = ProgressBar::with_draw_target(Some(length), target).with_style(style);
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A table for people; without a text in `header` it has none.
#[must_use]
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    if header.iter().any(|text| !text.is_empty()) {
        table.set_header(header.to_vec());
    }
    table
}

/// Puts a column of a table at its right edge, as figures are.
pub fn align_right(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// Euro of an amount in cents, with thousands separated.
#[must_use]
pub fn euro(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let (whole, part) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    format!("{sign}EUR {}.{part:02}", thousands(whole))
}

/// A number with thousands separated.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
