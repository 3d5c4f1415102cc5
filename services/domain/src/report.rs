//! The monitoring report: how the funding of cooperation was used in a year, and what was prevented.
//!
//! Every figure is made of contributions: a line, a claim, an entry of an insurer's books or a contract tells what it
//! adds to which cell of which table. [`Tally`] adds them up, and whoever lists the contributions of one
//! [`Figure`] instead has explained it, for it is the same code. Layout: [`shape`] says which tables there are,
//! [`lines`] is what the log of decisions adds, [`money`] what the ledger adds, [`agreements`] what contracts add,
//! [`signals`] what the figures come to.
//!
//! No row names a provider or an insured, and none has a text that a sender chose: rows are codes of the reference
//! data and of the reason registry.
//!
//! Source: 004_edc514e4c29859bf.txt, article 6; 002_eb0531d2b212ba40.txt, chapter 4.

pub mod agreements;
pub mod lines;
pub mod money;
pub mod shape;
pub mod signals;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{
    coverage::CoverageId,
    identifiers::{ContractId, KindCode, LineReference, RegionCode, Sequence, Uzovi},
    period::{Day, Period},
    reference::Reference,
};
use shape::{Column, Sum, TABLES, Table, Total, Words};
use signals::Thresholds;

/// Row of what has no code of the reference data: an unknown prestatie, insurer or region.
pub const UNKNOWN: &str = "-";

/// A year of the report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReportYear {
    /// From 1 January to 31 December.
    Calendar(i16),
    /// A year of the experiment, from 1: it begins on the day of the year on which the experiment began.
    Experiment(u8),
}

impl ReportYear {
    /// Its days, given when the experiment began; none for year 0 or one out of range.
    #[must_use]
    pub fn days(self, experiment_first: Day) -> Option<Period> {
        match self {
            Self::Calendar(year) => {
                Period::new(Day::new(year, 1, 1).ok()?, Day::new(year, 12, 31).ok()?)
            }
            Self::Experiment(number) => {
                let before = i64::from(number.checked_sub(1)?);
                let first = experiment_first
                    .checked_add(jiff::Span::new().years(before))
                    .ok()?;
                let after = first.checked_add(jiff::Span::new().years(1)).ok()?;
                Period::new(first, after.yesterday().ok()?)
            }
        }
    }
}

/// When the experiment of a kind of funding begins: the first day of all that the catalogue has.
#[must_use]
pub fn experiment_first(reference: &Reference) -> Option<Day> {
    let windows = reference
        .catalogue
        .values()
        .filter_map(|entry| entry.experiment);
    windows.map(|window| window.from).min()
}

/// Kinds of funding that are an experiment: those that the instruction asks to be reported.
#[must_use]
pub fn experiment_kinds(reference: &Reference) -> BTreeSet<KindCode> {
    let entries = reference.catalogue.values();
    let experiments = entries.filter(|entry| entry.experiment.is_some());
    experiments.map(|entry| entry.kind.clone()).collect()
}

/// What is reported. A line or claim belongs to the day on which the period of its prestatie begins, so that a credit
/// stands in the year of what it reverses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The days.
    pub days: Period,
    /// Kinds of funding; absent: all.
    pub kinds: Option<BTreeSet<KindCode>>,
    /// What was declared to, and borne by, one insurer; absent: all.
    pub insurer: Option<Uzovi>,
    /// One region; absent: all.
    pub region: Option<RegionCode>,
}

impl Asked {
    /// Everything that begins in a period.
    #[must_use]
    pub fn all_in(days: Period) -> Self {
        Self {
            days,
            kinds: None,
            insurer: None,
            region: None,
        }
    }

    pub(crate) fn has_kind(&self, kind: &str) -> bool {
        let kinds = self.kinds.as_ref();
        kinds.is_none_or(|kinds| kinds.iter().any(|it| it.as_str() == kind))
    }

    fn has_place(&self, insurer: &str, region: &str) -> bool {
        self.insurer.is_none_or(|it| it.as_str() == insurer)
            && self.region.as_ref().is_none_or(|it| it.as_str() == region)
    }
}

/// A cell of a table of the report.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Figure {
    /// Id of the table.
    pub table: &'static str,
    /// Key of the row.
    pub row: Box<str>,
    /// Id of the column.
    pub column: &'static str,
}

impl Figure {
    /// The figure of a name as `table/row/column`; none where no table has such a column.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (table, rest) = name.split_once('/')?;
        let (row, column) = rest.rsplit_once('/')?;
        let table = shape::table(table)?;
        let column = table.columns.iter().find(|it| it.id == column)?;
        Some(Self {
            table: table.id,
            row: row.into(),
            column: column.id,
        })
    }

    /// The figures that it is made of: itself, or those of the columns that are added up or divided.
    #[must_use]
    pub fn made_of(&self) -> Vec<Self> {
        let column = shape::table(self.table);
        let column = column.and_then(|table| table.columns.iter().find(|it| it.id == self.column));
        let columns: Vec<&'static str> = match column.map(|it| it.sum) {
            Some(Sum::Of(columns)) => columns.to_vec(),
            Some(Sum::Ratio { of, per, .. }) => vec![of, per],
            _ => vec![self.column],
        };
        let of = |column| Self {
            column,
            ..self.clone()
        };
        columns.into_iter().map(of).collect()
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.table, self.row, self.column)
    }
}

/// What something adds to a figure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Amount {
    /// So much: a number, cents or days.
    Add(i64),
    /// A name, which counts once however often it comes.
    Name(Box<str>),
    /// At least so much.
    Most(i64),
}

/// One thing that a source adds to one figure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contribution {
    /// To which figure.
    pub figure: Figure,
    /// What.
    pub amount: Amount,
}

/// Where a contribution comes from, for whoever traces a figure.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Source {
    /// A message, by its entry in the log.
    Message(Sequence),
    /// A line, with its reference.
    Line(CoverageId, LineReference),
    /// A claim, as an insurer bears it.
    Claim(Uzovi, Box<str>),
    /// An entry of an insurer's books.
    Entry(Uzovi, u64),
    /// A budget that an insurer recorded.
    Budget(Uzovi, Box<str>),
    /// A contract.
    Contract(ContractId),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(sequence) => write!(f, "message {sequence}"),
            Self::Line(id, reference) => write!(f, "line {}.{} {reference}", id.sequence, id.line),
            Self::Claim(insurer, id) => write!(f, "claim {id} of insurer {insurer}"),
            Self::Entry(insurer, number) => write!(f, "entry {number} of insurer {insurer}"),
            Self::Budget(insurer, id) => write!(f, "budget {id} of insurer {insurer}"),
            Self::Contract(id) => write!(f, "contract {id}"),
        }
    }
}

/// Takes contributions of one source.
pub struct Emit<'a> {
    take: &'a mut dyn FnMut(Contribution),
}

impl<'a> Emit<'a> {
    /// Hands every contribution to `take`.
    pub fn new(take: &'a mut dyn FnMut(Contribution)) -> Self {
        Self { take }
    }

    pub(crate) fn add(&mut self, table: &'static str, row: &str, column: &'static str, value: i64) {
        self.give(table, row, column, Amount::Add(value));
    }

    pub(crate) fn name(
        &mut self,
        table: &'static str,
        row: &str,
        column: &'static str,
        name: &str,
    ) {
        self.give(table, row, column, Amount::Name(name.into()));
    }

    pub(crate) fn most(
        &mut self,
        table: &'static str,
        row: &str,
        column: &'static str,
        value: i64,
    ) {
        self.give(table, row, column, Amount::Most(value));
    }

    fn give(&mut self, table: &'static str, row: &str, column: &'static str, amount: Amount) {
        let row = row.into();
        let figure = Figure { table, row, column };
        (self.take)(Contribution { figure, amount });
    }
}

/// What was added to one figure. Names are those of contracts and budgets: as many as the reference data has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Cell {
    sum: i64,
    names: BTreeSet<Box<str>>,
    most: i64,
}

impl Cell {
    fn take(&mut self, amount: Amount) {
        match amount {
            Amount::Add(value) => self.add(value),
            Amount::Name(name) => {
                self.names.insert(name);
            }
            Amount::Most(value) => self.most = self.most.max(value),
        }
    }

    fn add(&mut self, value: i64) {
        let sum = self.sum.checked_add(value);
        self.sum = sum.expect("all amounts of a year are far below 2^63 cents");
    }

    fn merge(&mut self, other: &Self) {
        self.add(other.sum);
        self.names.extend(other.names.iter().cloned());
        self.most = self.most.max(other.most);
    }
}

type Cells = BTreeMap<&'static str, Cell>;

/// Adds contributions up. It holds a cell per figure, so it is as large as the report and no larger.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    rows: BTreeMap<(&'static str, Box<str>), Cells>,
}

impl Tally {
    /// Adds a contribution.
    pub fn add(&mut self, contribution: Contribution) {
        let Contribution { figure, amount } = contribution;
        let row = self.rows.entry((figure.table, figure.row)).or_default();
        row.entry(figure.column).or_default().take(amount);
    }

    /// The report of what was added.
    #[must_use]
    pub fn report(mut self, asked: Asked, thresholds: &Thresholds) -> Report {
        for (name, measured, threshold) in signals::signals(&self, thresholds) {
            let row = (signals::TABLE, name.into());
            let cells = self.rows.entry(row).or_default();
            for (column, value) in [("measured", measured), ("threshold", threshold)] {
                cells.entry(column).or_default().add(value);
            }
            let is_reached = i64::from(measured > threshold);
            cells.entry("reached").or_default().add(is_reached);
        }
        self.report_without_signals(asked)
    }

    /// The same where nobody asks for signals.
    #[must_use]
    pub fn report_without_signals(self, asked: Asked) -> Report {
        let tables = TABLES.iter().map(|table| self.table(table)).collect();
        Report { asked, tables }
    }

    /// The total of a column over all rows of a table.
    fn total(&self, table: &'static str, column: &'static str) -> i64 {
        let shape = shape::table(table).expect("the table has a shape");
        let total = self.total_cells(shape);
        let column = shape.columns.iter().find(|it| it.id == column);
        value(&total, column.expect("the table has the column"))
    }

    fn rows_of(&self, table: &Table) -> impl Iterator<Item = (&Box<str>, &Cells)> {
        let first = (table.id, Box::from(""));
        let rows = self.rows.range(first..);
        let own = rows.take_while(|((id, _), _)| *id == table.id);
        own.map(|((_, key), cells)| (key, cells))
    }

    fn total_cells(&self, table: &Table) -> Cells {
        let mut total = Cells::new();
        for (_, cells) in self.rows_of(table) {
            for (column, cell) in cells {
                total.entry(column).or_default().merge(cell);
            }
        }
        total
    }

    fn table(&self, shape: &'static Table) -> ReportTable {
        let values = |cells: &Cells| shape.columns.iter().map(|it| value(cells, it)).collect();
        let empty = Cells::new();
        let known = shape.rows.iter().map(|(key, words)| {
            let found = self.rows.get(&(shape.id, Box::from(*key)));
            ReportRow {
                key: (*key).into(),
                words: Some(*words),
                values: values(found.unwrap_or(&empty)),
            }
        });
        let others = self.rows_of(shape);
        let others =
            others.filter(|(key, _)| !shape.rows.iter().any(|(known, _)| known == &&***key));
        let others = others.map(|(key, cells)| ReportRow {
            key: key.clone(),
            words: shape.words_of(key),
            values: values(cells),
        });
        ReportTable {
            shape,
            rows: known.chain(others).collect(),
            total: match shape.total {
                Total::Shown => Some(values(&self.total_cells(shape))),
                Total::None => None,
            },
        }
    }
}

fn value(cells: &Cells, column: &Column) -> i64 {
    let of = |id: &str| cells.get(id).map_or(0, |cell| cell.sum);
    let own = cells.get(column.id);
    match column.sum {
        Sum::Added => own.map_or(0, |cell| cell.sum),
        Sum::Names => own.map_or(0, |cell| {
            i64::try_from(cell.names.len()).expect("names fit in memory")
        }),
        Sum::Most => own.map_or(0, |cell| cell.most),
        Sum::Of(columns) => columns.iter().map(|id| of(id)).sum(),
        Sum::Ratio {
            of: part,
            per,
            times,
        } => signals::ratio(of(part), of(per), times),
    }
}

/// The report: its tables in order, each with the same columns whatever was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// What was asked.
    pub asked: Asked,
    /// The tables.
    pub tables: Vec<ReportTable>,
}

impl Report {
    /// A table by its id.
    #[must_use]
    pub fn table(&self, id: &str) -> Option<&ReportTable> {
        self.tables.iter().find(|table| table.shape.id == id)
    }

    /// The report with the tables of one evaluation topic only.
    #[must_use]
    pub fn of_topic(mut self, topic: shape::Topic) -> Self {
        self.tables
            .retain(|table| table.shape.topics.contains(&topic));
        self
    }
}

/// A table of the report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReportTable {
    /// What it shows.
    pub shape: &'static Table,
    /// Its rows in order.
    pub rows: Vec<ReportRow>,
    /// Sums over its rows; none where a line stands in several of them.
    pub total: Option<Vec<i64>>,
}

impl ReportTable {
    /// The figure of a row and column.
    #[must_use]
    pub fn figure(&self, row: &str, column: &str) -> Option<i64> {
        let place = self.shape.columns.iter().position(|it| it.id == column)?;
        let row = self.rows.iter().find(|it| &*it.key == row)?;
        row.values.get(place).copied()
    }

    /// The total of a column, where the table has totals.
    #[must_use]
    pub fn total_of(&self, column: &str) -> Option<i64> {
        let place = self.shape.columns.iter().position(|it| it.id == column)?;
        self.total.as_ref()?.get(place).copied()
    }
}

/// A row of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReportRow {
    /// What it is of.
    pub key: Box<str>,
    /// The key in words, where it has any.
    pub words: Option<Words>,
    /// One value per column, in the unit of the column.
    pub values: Vec<i64>,
}
