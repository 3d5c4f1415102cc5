//! The lines of a file, one at a time: a row is one line, so that a quote that is not closed or a line without an end
//! spoils that row alone, and memory has a bound.

use std::io::{BufRead, BufReader, Read};

/// Longest row in bytes.
pub const ROW_BYTES_MAX: usize = 16 << 10;

/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;

/// What stands in the place of a row that is too long, as its only cell.
const TOO_LONG: &str = "!long";

/// What stands in the place of a row with a quote that is not closed.
const OPEN_QUOTE: &str = "!quote";

/// Gives the lines of `source` to the reader of CSV.
pub(super) struct Rows<R> {
    source: BufReader<R>,
    line: Vec<u8>,
    given: usize,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source: BufReader::with_capacity(READ_BYTES, source),
            line: Vec::new(),
            given: 0,
        }
    }

    /// The next line, or what stands in its place; empty at the end.
    fn next_line(&mut self) -> std::io::Result<()> {
        self.line.clear();
        self.given = 0;
        let mut too_long = false;
        loop {
            let read = self.source.fill_buf()?;
            let end = read.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(read.len(), |end| end + 1);
            too_long |= self.line.len() + taken > ROW_BYTES_MAX;
            if !too_long {
                self.line.extend_from_slice(&read[..taken]);
            }
            self.source.consume(taken);
            if end.is_some() || taken == 0 {
                break;
            }
        }
        let instead = match too_long {
            true => TOO_LONG,
            false if ends_in_quotes(&self.line) => OPEN_QUOTE,
            false => return Ok(()),
        };
        self.line = format!("{instead}\n").into_bytes();
        Ok(())
    }
}

impl<R: Read> Read for Rows<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.line.len() {
            self.next_line()?;
        }
        let rest = &self.line[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

/// Whether a cell is still open at the end of a line, as the reader of CSV reads it (RFC 4180): a quote opens a cell at
/// its start only, and a doubled one within it is a letter.
fn ends_in_quotes(line: &[u8]) -> bool {
    enum At {
        CellStart,
        Cell,
        Quoted,
        QuoteInQuoted,
    }
    let last = line
        .iter()
        .fold(At::CellStart, |at, byte| match (at, byte) {
            (At::Quoted, b'"') => At::QuoteInQuoted,
            (At::CellStart | At::QuoteInQuoted, b'"') | (At::Quoted, _) => At::Quoted,
            (_, b',' | b'\r' | b'\n') => At::CellStart,
            _ => At::Cell,
        });
    matches!(last, At::Quoted)
}

/// Why a row with this only cell was not read, if it stands in the place of one.
pub(super) fn refusal(only_cell: &str) -> Option<String> {
    match only_cell {
        TOO_LONG => Some(format!(
            "the row is longer than {ROW_BYTES_MAX} bytes; a row is one line"
        )),
        OPEN_QUOTE => {
            Some("a quote is not closed in its line; double a quote within a cell".to_owned())
        }
        _ => None,
    }
}
