//! What an address wants of a list.

use std::collections::BTreeMap;

use super::{CSV_ROWS_MAX, ROWS, ROWS_MAX, Spec};
use crate::{frame::Frame, respond::Form};

/// Longest filter or cursor.
const VALUE_BYTES_MAX: usize = 200;

/// Which way a list is sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    Up,
    Down,
}

/// What is wanted of a list.
#[derive(Clone, Debug)]
pub(crate) struct Want {
    /// Index of a column.
    pub(crate) sort: Option<(usize, Direction)>,
    /// Where the page begins; only whoever gave it can read it.
    pub(crate) cursor: Option<String>,
    /// Rows on the page.
    pub(crate) limit: usize,
    /// Values of the filters of the list, by key.
    pub(crate) filters: BTreeMap<&'static str, String>,
    /// Text that a row must hold.
    pub(crate) text: Option<String>,
    /// What of it cannot be had, in English and in Dutch.
    pub(super) problem: Option<(String, String)>,
}

impl Want {
    /// Reads the fields of the address that belong to a list.
    pub(crate) fn of(frame: &Frame, spec: &'static Spec) -> Self {
        let field = |name: &str| frame.field(&key(spec, name));
        let (rows, most) = match frame.form {
            Form::Csv => (CSV_ROWS_MAX, CSV_ROWS_MAX),
            Form::Html | Form::Json => (ROWS, ROWS_MAX),
        };
        let mut want = Self {
            sort: None,
            cursor: field("cursor").map(ToOwned::to_owned),
            limit: rows,
            filters: BTreeMap::new(),
            text: field("q").map(ToOwned::to_owned),
            problem: None,
        };
        if let Some(limit) = field("limit") {
            match limit.parse::<usize>() {
                Ok(limit) => want.limit = limit.clamp(1, most),
                Err(_) => want.refuse(&key(spec, "limit"), "a number", "een getal"),
            }
        }
        if let Some(sort) = field("sort") {
            want.read_sort(spec, sort);
        }
        for filter in spec.filters {
            if let Some(value) = field(filter.key) {
                if !filter.choices.is_empty() && !filter.choices.contains(&value) {
                    let choices = filter.choices.join(", ");
                    want.refuse(&key(spec, filter.key), &choices, &choices);
                }
                want.filters.insert(filter.key, value.to_owned());
            }
        }
        let long = want.filters.values().chain(&want.cursor).chain(&want.text);
        if long.map(String::len).max().unwrap_or(0) > VALUE_BYTES_MAX {
            let limit = format!("at most {VALUE_BYTES_MAX} bytes");
            let grens = format!("hoogstens {VALUE_BYTES_MAX} bytes");
            want.refuse("*", &limit, &grens);
        }
        want
    }

    fn read_sort(&mut self, spec: &'static Spec, sort: &str) {
        let (name, direction) = match sort.strip_prefix('-') {
            Some(name) => (name, Direction::Down),
            None => (sort, Direction::Up),
        };
        let mut columns = spec.columns.iter();
        match columns.position(|column| column.can_sort && column.key == name) {
            Some(index) => self.sort = Some((index, direction)),
            None => {
                let can_sort = spec.columns.iter().filter(|column| column.can_sort);
                let names: Vec<&str> = can_sort.map(|column| column.key).collect();
                let names = names.join(", ");
                self.refuse(&key(spec, "sort"), &names, &names);
            }
        }
    }

    /// A cursor that no list gave.
    pub(crate) fn refuse_cursor(&mut self) {
        self.refuse("cursor", "one that a page gave", "een die een pagina gaf");
    }

    fn refuse(&mut self, name: &str, english: &str, dutch: &str) {
        let english = format!("The field {name} of the address takes {english}.");
        let dutch = format!("Het veld {name} van het adres is {dutch}.");
        self.problem.get_or_insert((english, dutch));
    }
}

/// The name of a field in the address.
pub(super) fn key(spec: &Spec, name: &str) -> String {
    if spec.is_main {
        name.to_owned()
    } else {
        format!("{}-{name}", spec.name)
    }
}
