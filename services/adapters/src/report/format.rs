//! The report as CSV, as JSON, and as a page that can be printed.

use askama::Template;
use samenloop_domain::report::{Figure, Report, ReportTable};
use serde_json::{Map, Value, json};

use super::{
    chart::{self, Chart},
    say::{self, Language},
};
use crate::wire::outcome::TEST_CODE_NOTICE;

/// One row a figure: `figure,table,row,column,value`; the first is the name that traces it. Amounts are cents.
///
/// # Panics
/// Never: a text is written into memory.
#[must_use]
pub fn csv(report: &Report) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |record: [&str; 5]| {
        writer
            .write_record(record)
            .expect("writing to memory cannot fail");
    };
    write(["figure", "table", "row", "column", "value"]);
    for table in &report.tables {
        for row in &table.rows {
            for (column, value) in table.shape.columns.iter().zip(&row.values) {
                let figure = Figure {
                    table: table.shape.id,
                    row: row.key.clone(),
                    column: column.id,
                };
                let (name, value) = (figure.to_string(), value.to_string());
                write([&name, table.shape.id, &row.key, column.id, &value]);
            }
        }
    }
    let bytes = writer.into_inner().expect("writing to memory cannot fail");
    String::from_utf8(bytes).expect("it was written as text")
}

/// One object: what was asked, and a list of tables with rows by column. Amounts are cents.
#[must_use]
pub fn json(report: &Report) -> Value {
    let asked = &report.asked;
    let kinds = asked.kinds.as_ref();
    let kinds = kinds.map(|kinds| kinds.iter().map(|it| it.as_str()).collect::<Vec<_>>());
    json!({
        "first": asked.days.first().to_string(),
        "last": asked.days.last().to_string(),
        "kinds": kinds,
        "insurer_uzovi": asked.insurer.map(|it| it.to_string()),
        "region": asked.region.as_ref().map(|it| it.as_str()),
        "tables": report.tables.iter().map(table).collect::<Vec<_>>(),
        "notice": TEST_CODE_NOTICE,
    })
}

fn table(table: &ReportTable) -> Value {
    let columns = || table.shape.columns.iter();
    let cells = |values: &[i64]| -> Map<String, Value> {
        let cells = columns().zip(values);
        cells
            .map(|(column, value)| (column.id.to_owned(), json!(value)))
            .collect()
    };
    let rows = table.rows.iter().map(|row| {
        let mut cells = cells(&row.values);
        cells.insert("key".to_owned(), json!(row.key));
        Value::Object(cells)
    });
    json!({
        "id": table.shape.id,
        "title": table.shape.words.english,
        "rows": rows.collect::<Vec<_>>(),
        "total": table.total.as_ref().map(|total| Value::Object(cells(total))),
    })
}

/// A page of its own that prints on A4: a chart over each table that has one, and no script.
///
/// # Panics
/// Never: a page is written into memory.
#[must_use]
pub fn html(report: &Report, language: Language) -> String {
    let page = Page {
        language,
        asked: language.asked(&report.asked),
        notice: TEST_CODE_NOTICE,
        sections: report
            .tables
            .iter()
            .map(|it| section(it, language))
            .collect(),
    };
    page.render().expect("writing to memory cannot fail")
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    language: Language,
    asked: String,
    notice: &'static str,
    sections: Vec<Section>,
}

/// A table of the report, ready for a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// Id of the table, also of its heading.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What its figures are.
    pub about: &'static str,
    /// Its chart, if it has one.
    pub chart: Option<Chart>,
    /// Headings: of the keys, then of the columns.
    pub headings: Vec<&'static str>,
    /// Rows: the key, then the values.
    pub rows: Vec<Vec<String>>,
    /// The row of totals.
    pub total: Option<Vec<String>>,
}

/// A table with its chart, in the words of a language.
#[must_use]
pub fn section(table: &ReportTable, language: Language) -> Section {
    Section {
        id: table.shape.id,
        title: language.say(table.shape.words),
        about: language.say(table.shape.about),
        chart: chart::chart(table, language),
        headings: say::headings(table, language),
        rows: table
            .rows
            .iter()
            .map(|row| say::row(table, row, language))
            .collect(),
        total: say::total(table, language),
    }
}
