//! A file in spans of rows, each imported as a whole; and the file of rows that could not be read.
//!
//! Spans are of rows of the file, not of good rows: so the same file is cut the same way whatever reference data is in
//! force.

use std::io::Write;

use super::{ExistingRow, RowFault};

/// Rows of a span; the last of a file may have fewer.
pub const CHUNK_ROWS: u64 = 10_000;

/// One span of a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RowChunk {
    /// First row of the span that is there; 0 is the header.
    pub first_row: u64,
    /// Last row of the span that is there.
    pub last_row: u64,
    /// Rows that could be read.
    pub rows: Vec<ExistingRow>,
    /// Rows that could not.
    pub faults: Vec<RowFault>,
}

/// The next span of `rows`; none at the end.
pub fn next_chunk(
    rows: &mut impl Iterator<Item = Result<ExistingRow, RowFault>>,
) -> Option<RowChunk> {
    let mut chunk: Option<RowChunk> = None;
    for row in rows {
        let number = row.as_ref().map_or_else(|fault| fault.row, |row| row.row);
        let chunk = chunk.get_or_insert_with(|| RowChunk {
            first_row: number,
            ..RowChunk::default()
        });
        chunk.last_row = number;
        match row {
            Ok(row) => chunk.rows.push(row),
            Err(fault) => chunk.faults.push(fault),
        }
        if number.is_multiple_of(CHUNK_ROWS) {
            break;
        }
    }
    chunk
}

/// Rows that could not be read, as CSV: their number and the reason, never a value of theirs.
pub struct Rejects<W: Write>(csv::Writer<W>);

impl<W: Write> Rejects<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(target: W) -> Result<Self, csv::Error> {
        let mut writer = csv::Writer::from_writer(target);
        writer.write_record(["row", "reason"])?;
        Ok(Self(writer))
    }

    /// Writes one row.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&mut self, fault: &RowFault) -> Result<(), csv::Error> {
        self.0.write_record([&fault.row.to_string(), &fault.reason])
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
