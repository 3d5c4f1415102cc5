//! The one table of the site. Whatever is shown in rows is a [`List`]: it brings sort, filter, paging with an opaque
//! cursor, a link that stays, and the same rows as JSON and as CSV.
//!
//! Rows come in two ways. [`List::of_all`] is given all of them, bounded by its caller, and sorts, sifts and pages
//! itself. [`List::of_page`] is given one page by a store that did this in its query. Either way the address says
//! what is wanted: `sort`, `cursor`, `limit` and the filters, with the name of the list before them where a page has
//! several (`reasons-sort`).

mod cell;
mod want;

use askama::{Template, filters::HtmlSafe};
use serde::{Serialize, Serializer, ser::SerializeStruct as _};
use serde_json::{Map, Value};

pub(crate) use cell::Cell;
pub(crate) use want::{Direction, Want};

use crate::{
    frame::Frame,
    language::Say,
    shown::{Count, Shown as _},
};

/// Rows of a page, unless asked otherwise.
const ROWS: usize = 50;

/// Most rows of a page.
const ROWS_MAX: usize = 200;

/// Most rows of a page as CSV.
pub(crate) const CSV_ROWS_MAX: usize = 1_000;

/// Lists with at most so many rows are shown without a way to filter them.
const SHORT: usize = 10;

/// What a list is, whatever its rows.
pub(crate) struct Spec {
    /// Its name in addresses, JSON and file names.
    pub(crate) name: &'static str,
    pub(crate) title: Say,
    pub(crate) columns: &'static [Column],
    /// What its store can filter by; a list of all rows is searched as text.
    pub(crate) filters: &'static [Filter],
    /// Shown instead of rows.
    pub(crate) empty: Say,
    /// Whether it is what its page is about; its fields in the address need no name then.
    pub(crate) is_main: bool,
}

/// A column.
pub(crate) struct Column {
    pub(crate) key: &'static str,
    pub(crate) label: Say,
    kind: Kind,
    can_sort: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    /// An instant, which is not broken over lines.
    Time,
    /// The name of the row.
    Head,
}

impl Column {
    pub(crate) const fn text(key: &'static str, label: Say) -> Self {
        let (kind, can_sort) = (Kind::Text, true);
        Self {
            key,
            label,
            kind,
            can_sort,
        }
    }

    pub(crate) const fn number(key: &'static str, label: Say) -> Self {
        let (kind, can_sort) = (Kind::Number, true);
        Self {
            key,
            label,
            kind,
            can_sort,
        }
    }

    pub(crate) const fn head(key: &'static str, label: Say) -> Self {
        let (kind, can_sort) = (Kind::Head, true);
        Self {
            key,
            label,
            kind,
            can_sort,
        }
    }

    pub(crate) const fn time(key: &'static str, label: Say) -> Self {
        let (kind, can_sort) = (Kind::Time, true);
        Self {
            key,
            label,
            kind,
            can_sort,
        }
    }

    /// The same, where the store does not sort by it.
    pub(crate) const fn unsorted(self) -> Self {
        let Self {
            key, label, kind, ..
        } = self;
        Self {
            key,
            label,
            kind,
            can_sort: false,
        }
    }

    fn class(&self) -> &'static str {
        match self.kind {
            Kind::Number => " class=\"n\"",
            Kind::Time => " class=\"t\"",
            Kind::Text | Kind::Head => "",
        }
    }
}

/// Something that a store can filter by.
pub(crate) struct Filter {
    pub(crate) key: &'static str,
    pub(crate) label: Say,
    /// The words to choose from; empty where anything may be entered.
    pub(crate) choices: &'static [&'static str],
}

/// A row.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// Where a link to the row leads.
    pub(crate) anchor: String,
    pub(crate) cells: Vec<Cell>,
}

impl From<Vec<Cell>> for Row {
    fn from(cells: Vec<Cell>) -> Self {
        let anchor = String::new();
        Self { anchor, cells }
    }
}

/// A list as it is shown.
#[derive(Template)]
#[template(path = "list.html")]
pub(crate) struct List {
    frame: Frame,
    spec: &'static Spec,
    want: Want,
    rows: Vec<Row>,
    /// Of the next page.
    next: Option<String>,
    /// Rows that match, where they were counted.
    total: Option<u64>,
    is_searched: bool,
}

impl HtmlSafe for List {}

impl List {
    /// A list of all its rows, in their own order unless asked otherwise.
    pub(crate) fn of_all(frame: &Frame, spec: &'static Spec, mut rows: Vec<Row>) -> Self {
        let mut want = Want::of(frame, spec);
        let whole = rows.len();
        if let Some(text) = want.text.as_deref().map(str::to_lowercase) {
            rows.retain(|row| {
                row.cells
                    .iter()
                    .any(|cell| cell.holds(&text, frame.language))
            });
        }
        if let Some((column, direction)) = want.sort {
            rows.sort_by_cached_key(|row| row.cells.get(column).map(Cell::order));
            if direction == Direction::Down {
                rows.reverse();
            }
        }
        let total = rows.len();
        let first = match &want.cursor {
            None => 0,
            Some(cursor) => cursor.parse::<usize>().unwrap_or_else(|_| {
                want.refuse_cursor();
                0
            }),
        };
        let after = first.saturating_add(want.limit);
        let next = (after < total).then(|| after.to_string());
        let rows = rows.into_iter().skip(first).take(want.limit).collect();
        Self {
            is_searched: whole > SHORT || want.text.is_some(),
            frame: frame.clone(),
            spec,
            want,
            rows,
            next,
            total: Some(total as u64),
        }
    }

    /// One page of a list that a store has filtered and sorted as `want` says.
    pub(crate) fn of_page(
        frame: &Frame,
        spec: &'static Spec,
        want: Want,
        rows: Vec<Row>,
        next: Option<String>,
        total: Option<u64>,
    ) -> Self {
        let (frame, is_searched) = (frame.clone(), false);
        Self {
            frame,
            spec,
            want,
            rows,
            next,
            total,
            is_searched,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.spec.name
    }

    /// What of the address is wrong, in the language of the page.
    pub(crate) fn problem(&self) -> Option<&(String, String)> {
        self.want.problem.as_ref()
    }

    /// The rows as CSV (RFC 4180): a header of keys, then what the page shows. A text that a spreadsheet would take
    /// for a formula gets an apostrophe before it.
    pub(crate) fn csv(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let keys = self.spec.columns.iter().map(|column| column.key);
        let mut written = writer.write_record(keys);
        for row in &self.rows {
            written = written.and_then(|()| writer.write_record(row.cells.iter().map(Cell::csv)));
        }
        written.expect("rows have as many cells as there are columns, and memory takes them");
        writer.into_inner().expect("memory takes it")
    }

    /// Where the next page is, in the form that was asked for.
    pub(crate) fn next_link(&self) -> Option<String> {
        let next = self.next.as_deref()?;
        let ending = self.frame.form.ending();
        Some(self.link_of(ending, &[("cursor", Some(next))]))
    }

    fn key(&self, name: &str) -> String {
        want::key(self.spec, name)
    }

    fn link_of(&self, ending: &str, changes: &[(&str, Option<&str>)]) -> String {
        let keys: Vec<String> = changes.iter().map(|(name, _)| self.key(name)).collect();
        let keyed = keys.iter().zip(changes);
        let changes: Vec<_> = keyed
            .map(|(key, (_, value))| (key.as_str(), *value))
            .collect();
        self.frame.link(ending, &changes)
    }

    fn first_link(&self) -> Option<String> {
        let cursor = self.want.cursor.as_ref();
        cursor.map(|_| self.link_of("", &[("cursor", None)]))
    }

    fn form_link(&self, ending: &str) -> String {
        let list = ("list", Some(self.spec.name));
        let changes = [list, ("live", None)];
        self.frame.link(
            ending,
            if self.spec.is_main {
                &changes[1..]
            } else {
                &changes
            },
        )
    }

    /// A link that sorts by a column: upwards first, then downwards, then not.
    fn sort_link(&self, index: &usize, column: &Column) -> String {
        let sort = match self.want.sort {
            Some((sorted, Direction::Up)) if sorted == *index => Some(format!("-{}", column.key)),
            Some((sorted, Direction::Down)) if sorted == *index => None,
            _ => Some(column.key.to_owned()),
        };
        self.link_of("", &[("sort", sort.as_deref()), ("cursor", None)])
    }

    fn sorted(&self, index: &usize) -> Option<Direction> {
        let sort = self.want.sort.filter(|(sorted, _)| sorted == index);
        sort.map(|(_, direction)| direction)
    }

    /// Fields of the address that a filter of this list leaves as they are.
    fn kept(&self) -> Vec<&(String, String)> {
        let own = self.spec.filters.iter().map(|filter| filter.key);
        let own: Vec<String> = own
            .chain(["q", "cursor"])
            .map(|name| self.key(name))
            .collect();
        let fields = self.frame.fields().iter();
        fields
            .filter(|(name, value)| !own.contains(name) && !value.is_empty())
            .collect()
    }

    fn value_of(&self, filter: &Filter) -> &str {
        self.want.filters.get(filter.key).map_or("", String::as_str)
    }

    fn clear_link(&self) -> Option<String> {
        let is_sifted = !self.want.filters.is_empty() || self.want.text.is_some();
        let keys = self.spec.filters.iter().map(|filter| (filter.key, None));
        let changes: Vec<_> = keys.chain([("q", None), ("cursor", None)]).collect();
        is_sifted.then(|| self.link_of("", &changes))
    }

    /// How much of it is shown.
    fn extent(&self) -> String {
        let (shown, say) = (self.rows.len() as u64, self.frame.language);
        let shown_text = Count(shown).shown(say);
        match self.total {
            Some(total) if total != shown => {
                let total = Count(total).shown(say);
                format!("{shown_text} {} {total}", say.say("of", "van"))
            }
            _ if shown == 1 => say.say("1 row", "1 rij").to_owned(),
            _ => format!("{shown_text} {}", say.say("rows", "rijen")),
        }
    }

    fn word_of(&self, choice: &str) -> String {
        crate::shown::State::of_wire(choice).shown(self.frame.language)
    }
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let object = |row: &Row| {
            let cells = self.spec.columns.iter().zip(&row.cells);
            let fields = cells.map(|(column, cell)| (column.key.to_owned(), cell.json()));
            Value::Object(Map::from_iter(fields))
        };
        let mut list = s.serialize_struct("List", 3)?;
        list.serialize_field("rows", &self.rows.iter().map(object).collect::<Vec<_>>())?;
        list.serialize_field("total", &self.total)?;
        list.serialize_field("next", &self.next_link())?;
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;
    use crate::shown::Euro;

    static SPEC: Spec = Spec {
        name: "fruit",
        title: Say("Fruit", "Fruit"),
        columns: &[
            Column::head("name", Say("Name", "Naam")),
            Column::number("cents", Say("Price", "Prijs")),
        ],
        filters: &[],
        empty: Say("None.", "Geen."),
        is_main: false,
    };

    fn list(address: &str) -> List {
        let uri = address.parse().expect("an address");
        let frame = Frame::of(&uri, &HeaderMap::new());
        let rows = [("pear", 30), ("apple", 200), ("=fig", 4)];
        let rows =
            rows.map(|(name, cents)| Row::from(vec![Cell::text(name), Cell::Euro(Euro(cents))]));
        List::of_all(&frame, &SPEC, rows.into())
    }

    fn names(list: &List) -> Vec<String> {
        list.rows.iter().map(|row| row.cells[0].csv()).collect()
    }

    #[test]
    fn rows_are_sorted_sifted_and_paged_as_the_address_says() {
        for (address, wanted) in [
            ("/x", &["pear", "apple", "'=fig"][..]),
            ("/x?fruit-sort=name", &["'=fig", "apple", "pear"]),
            ("/x?fruit-sort=-cents", &["apple", "pear", "'=fig"]),
            ("/x?fruit-q=AP", &["apple"]),
            ("/x?fruit-q=0.30", &["pear"]),
            ("/x?fruit-limit=1&fruit-cursor=1", &["apple"]),
            ("/x?sort=name", &["pear", "apple", "'=fig"]),
        ] {
            let list = list(address);
            assert_eq!(list.problem(), None, "{address}");
            assert_eq!(names(&list), wanted, "{address}");
        }
        let paged = list("/x?fruit-limit=2&fruit-sort=name");
        let next = "/x?fruit-limit=2&fruit-sort=name&fruit-cursor=2";
        assert_eq!(paged.next_link().as_deref(), Some(next));
        assert_eq!(names(&list(next)), ["pear"]);
    }

    #[test]
    fn what_an_address_cannot_ask_for_is_said() {
        for address in [
            "/x?fruit-sort=weight",
            "/x?fruit-cursor=two",
            "/x?fruit-limit=many",
        ] {
            assert!(list(address).problem().is_some(), "{address}");
        }
    }

    #[test]
    fn the_same_rows_are_html_json_and_csv() {
        let list = list("/x");
        let html = list.to_string();
        assert!(html.contains("<td class=\"n\">€\u{a0}2.00</td>"), "{html}");
        assert!(
            html.contains("aria-sort=\"none\"") && html.contains("fruit-sort=cents"),
            "{html}"
        );
        let json = serde_json::to_value(&list).expect("it is JSON");
        assert_eq!(json["rows"][1]["cents"], 200);
        assert_eq!(json["total"], 3);
        let csv = String::from_utf8(list.csv()).expect("it is text");
        assert_eq!(csv, "name,cents\npear,30\napple,200\n'=fig,4\n");
    }
}
