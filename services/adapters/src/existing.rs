//! Existing prestaties: lines that never passed the queue, from a CSV file, as coverage that new
//! lines meet.
//!
//! A row that cannot be read is reported with its number and reason, and the rows after it are read all the same; a
//! row is one line of at most [`ROW_BYTES_MAX`] bytes. An imported row is a fact: whether it should have been paid
//! is not judged here.
//!
//! Columns, with a header line; empty is absent; lists are separated by spaces:
//!
//! | column | what |
//! | --- | --- |
//! | `line_reference` | reference of the declarant, for the reader |
//! | `prestatie_list`, `prestatie_code` | a prestatie of the catalogue |
//! | `declarant_agb` | AGB code of the declarant |
//! | `insurer_uzovi` | UZOVI number of the insurer that paid |
//! | `contract_id` | a contract of the reference data, whose facts then count too |
//! | `first`, `last` | first and last day, as 2024-07-01 |
//! | `patient_group_id` | a group of the reference data |
//! | `bsn` | the insured person; kept as pseudonyms only |
//! | `region` | absent: that of the group |
//! | `participants` | AGB codes of who took part |
//! | `activities` | codes of activities |
//! | `meeting` | group, individual or hybrid |
//! | `on_behalf_of_agb` | onderaanneming: on whose behalf it was billed |
//! | `awarded_cents` | what was paid |

mod chunks;
mod rows;

use std::{collections::BTreeMap, io::Read};

use csv::StringRecord;
use samenloop_domain::{
    cents::Cents,
    coverage::{self, Coverage},
    declaration::{Direction, Insured, InsuredIdentity, Line, Meeting, Participant, PrestatieKey},
    facts::LineFacts,
    identifiers::{
        ActivityCode, Agb, AgbText, Bsn, ContractId, GroupId, LineReference, Pseudonym, RegionCode,
        Uzovi,
    },
    period::{Day, Span},
    reference::Reference,
    tarief::Tarief,
};

pub use chunks::{CHUNK_ROWS, Rejects, RowChunk, next_chunk};
pub use rows::ROW_BYTES_MAX;

/// The columns, in the order in which they are written; a file may have them in any order.
pub const COLUMNS: [&str; 16] = [
    "line_reference",
    "prestatie_list",
    "prestatie_code",
    "declarant_agb",
    "insurer_uzovi",
    "contract_id",
    "first",
    "last",
    "patient_group_id",
    "bsn",
    "region",
    "participants",
    "activities",
    "meeting",
    "on_behalf_of_agb",
    "awarded_cents",
];

/// Longest list in a cell.
const LIST_MAX: usize = 100;

/// A row that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExistingRow {
    /// Its number in the file, from 1, the header not counted.
    pub row: u64,
    /// What it occupies.
    pub coverage: Coverage,
    /// What was paid.
    pub awarded: Cents,
}

/// A row that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowFault {
    /// Its number in the file, from 1, the header not counted; 0 is the header.
    pub row: u64,
    /// Why. Never repeats a BSN.
    pub reason: String,
}

/// Reads rows one by one. `pseudonyms` gives the pseudonyms of a BSN under every active key.
pub fn read<'a, R: Read>(
    source: R,
    reference: &'a Reference,
    pseudonyms: &'a dyn Fn(&Bsn) -> Vec<Pseudonym>,
) -> ExistingRows<'a, R> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(rows::Rows::new(source));
    let header = match reader.headers() {
        Ok(header) => positions(header),
        Err(error) => Err(error.to_string()),
    };
    let (positions, fault) = match header {
        Ok(positions) => (Some(positions), None),
        Err(reason) => (None, Some(RowFault { row: 0, reason })),
    };
    let row = 0;
    let rows = reader.into_records();
    ExistingRows {
        rows,
        row,
        positions,
        fault,
        reference,
        pseudonyms,
    }
}

/// Rows of a file, read one by one.
pub struct ExistingRows<'a, R> {
    rows: csv::StringRecordsIntoIter<rows::Rows<R>>,
    row: u64,
    positions: Option<BTreeMap<&'static str, usize>>,
    fault: Option<RowFault>,
    reference: &'a Reference,
    pseudonyms: &'a dyn Fn(&Bsn) -> Vec<Pseudonym>,
}

impl<R: Read> Iterator for ExistingRows<'_, R> {
    type Item = Result<ExistingRow, RowFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(fault) = self.fault.take() {
            return Some(Err(fault));
        }
        let positions = self.positions.as_ref()?;
        let record = self.rows.next()?;
        self.row += 1;
        let row = self.row;
        let read = match &record {
            Ok(record) => {
                let cells = Cells {
                    positions,
                    record,
                    reference: self.reference,
                };
                cells.read(self.pseudonyms)
            }
            Err(error) => Err(error.to_string()),
        };
        Some(match read {
            Ok((coverage, awarded)) => Ok(ExistingRow {
                row,
                coverage,
                awarded,
            }),
            Err(reason) => Err(RowFault { row, reason }),
        })
    }
}

fn positions(header: &StringRecord) -> Result<BTreeMap<&'static str, usize>, String> {
    let mut positions = BTreeMap::new();
    for (at, name) in header.iter().enumerate() {
        let Some(column) = COLUMNS.iter().find(|column| **column == name.trim()) else {
            return Err(format!("`{name}` is not a column of existing prestaties"));
        };
        if positions.insert(*column, at).is_some() {
            return Err(format!("column {name} is there twice"));
        }
    }
    match COLUMNS
        .iter()
        .find(|column| !positions.contains_key(**column))
    {
        Some(missing) => Err(format!("column {missing} is missing")),
        None => Ok(positions),
    }
}

/// One row.
struct Cells<'a> {
    positions: &'a BTreeMap<&'static str, usize>,
    record: &'a StringRecord,
    reference: &'a Reference,
}

impl Cells<'_> {
    fn read(
        &self,
        pseudonyms: &dyn Fn(&Bsn) -> Vec<Pseudonym>,
    ) -> Result<(Coverage, Cents), String> {
        if self.record.len() != self.positions.len() {
            let refusal = self.record.get(0).and_then(rows::refusal);
            if let Some(refusal) = refusal.filter(|_| self.record.len() == 1) {
                return Err(refusal);
            }
            let (found, expected) = (self.record.len(), self.positions.len());
            return Err(format!(
                "the row has {found} cells, the header has {expected}"
            ));
        }
        let line = self.line(pseudonyms)?;
        let declarant = self.agb("declarant_agb")?.ok_or("declarant_agb is empty")?;
        let insurer = self.needed("insurer_uzovi")?;
        let known = Uzovi::parse(insurer).filter(|it| self.reference.insurers.contains_key(it));
        let insurer = known.ok_or_else(|| format!("insurer {insurer} is unknown"))?;
        let contracts = &self.reference.contracts;
        let contract = match &line.contract_id {
            Some(id) => {
                let found = contracts.get_key_value(id);
                Some(found.ok_or_else(|| format!("contract {id} is unknown"))?)
            }
            None => None,
        };
        let facts = LineFacts {
            line: &line,
            reference: self.reference,
            invoice_date: None,
            period: line.period.period(),
            declarant: Some(declarant),
            insurer: Some(insurer),
            prestatie: self.reference.catalogue.get(&line.prestatie),
            contract,
            contract_prestatie: None,
            covering_term: None,
            amounts: true,
        };
        let awarded = line.declared;
        let coverage = coverage::of_line(&facts, self.reference);
        Ok((coverage.ok_or("the row says too little")?, awarded))
    }

    /// The row as a line, so that it meets others by the same facts as a line would.
    fn line(&self, pseudonyms: &dyn Fn(&Bsn) -> Vec<Pseudonym>) -> Result<Line, String> {
        let key = PrestatieKey::new(
            self.needed("prestatie_list")?,
            self.needed("prestatie_code")?,
        );
        if !self.reference.catalogue.contains_key(&key) {
            return Err(format!(
                "prestatie {} of list {} is unknown",
                key.code, key.list
            ));
        }
        let period = Span {
            first: self.day("first")?,
            last: self.day("last")?,
        };
        if period.period().is_none() {
            return Err(format!(
                "first {} is after last {}",
                period.first, period.last
            ));
        }
        let group = self.cell("patient_group_id").map(GroupId::new);
        if let Some(id) = group
            .as_ref()
            .filter(|it| !self.reference.groups.contains_key(it))
        {
            return Err(format!("group {id} is unknown"));
        }
        let awarded = self.awarded()?;
        Ok(Line {
            line_number: 1,
            line_reference: LineReference::new(self.needed("line_reference")?),
            original_reference: None,
            direction: Direction::Debit,
            prestatie: key,
            contract_id: self.cell("contract_id").map(ContractId::new),
            period,
            quantity: 1,
            time_unit: "81".to_owned(),
            tarief: Tarief::parse("0").ok_or("nil is a tarief")?,
            computed: awarded,
            declared: awarded,
            patient_group_id: group,
            insured: self.insured(pseudonyms)?,
            region: self.cell("region").map(RegionCode::new),
            participants: self.participants()?,
            activities: self.activities()?,
            meeting: self.meeting()?,
            domain_shares: Vec::new(),
            sector_shares: Vec::new(),
            on_behalf_of: self
                .agb("on_behalf_of_agb")?
                .map(|it| AgbText::new(it.as_str())),
        })
    }

    fn cell(&self, column: &str) -> Option<&str> {
        let text = self
            .positions
            .get(column)
            .and_then(|at| self.record.get(*at));
        text.map(str::trim).filter(|text| !text.is_empty())
    }

    fn needed(&self, column: &str) -> Result<&str, String> {
        self.cell(column)
            .ok_or_else(|| format!("{column} is empty"))
    }

    fn list(&self, column: &str) -> Result<Vec<&str>, String> {
        let items = self.cell(column).unwrap_or_default().split_whitespace();
        let items: Vec<&str> = items.collect();
        if items.len() > LIST_MAX {
            return Err(format!("{column} lists more than {LIST_MAX}"));
        }
        Ok(items)
    }

    fn agb(&self, column: &str) -> Result<Option<Agb>, String> {
        let Some(text) = self.cell(column) else {
            return Ok(None);
        };
        let malformed = || format!("{column} `{text}` is not an AGB code");
        Agb::parse(text).map(Some).ok_or_else(malformed)
    }

    fn day(&self, column: &str) -> Result<Day, String> {
        let text = self.needed(column)?;
        let malformed = |_| format!("{column} `{text}` is not a day such as 2024-07-01");
        text.parse().map_err(malformed)
    }

    fn awarded(&self) -> Result<Cents, String> {
        let text = self.needed("awarded_cents")?;
        let cents = text.parse().ok().and_then(Cents::new);
        let cents = cents.filter(|cents| *cents >= Cents::ZERO);
        cents.ok_or_else(|| format!("awarded_cents `{text}` is not an amount of 0 to 10^13"))
    }

    fn insured(
        &self,
        pseudonyms: &dyn Fn(&Bsn) -> Vec<Pseudonym>,
    ) -> Result<Option<Insured>, String> {
        let Some(text) = self.cell("bsn") else {
            return Ok(None);
        };
        let bsn = Bsn::parse(text).ok_or("bsn is not a BSN")?;
        Ok(Some(Insured {
            identity: InsuredIdentity::Pseudonyms(pseudonyms(&bsn)),
            in_care_since: None,
        }))
    }

    fn participants(&self) -> Result<Vec<Participant>, String> {
        let codes = self.list("participants")?.into_iter().map(|text| {
            let malformed = || format!("participant `{text}` is not an AGB code");
            Agb::parse(text).ok_or_else(malformed)?;
            Ok(Participant::Provider(AgbText::new(text)))
        });
        codes.collect()
    }

    fn activities(&self) -> Result<Vec<ActivityCode>, String> {
        let codes = self.list("activities")?.into_iter().map(|text| {
            let code = ActivityCode::new(text);
            let known = self.reference.activities.contains_key(&code);
            known
                .then_some(code)
                .ok_or_else(|| format!("activity {text} is unknown"))
        });
        codes.collect()
    }

    fn meeting(&self) -> Result<Option<Meeting>, String> {
        match self.cell("meeting") {
            None => Ok(None),
            Some("group") => Ok(Some(Meeting::Group)),
            Some("individual") => Ok(Some(Meeting::Individual)),
            Some("hybrid") => Ok(Some(Meeting::Hybrid)),
            Some(text) => Err(format!(
                "meeting `{text}` is not group, individual or hybrid"
            )),
        }
    }
}

#[cfg(test)]
mod tests;
