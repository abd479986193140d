//! A table in memory: its header, its rows, and the span of every cell.

use std::{cell::RefCell, io::Read, sync::Arc};

use csv::{ReaderBuilder, StringRecord};
use indexmap::IndexMap;

use crate::{
    diagnostic::{Code, Diagnostic, nearest_after},
    inventory::wire,
    limits,
    source::{SourceId, Sources, Span},
};

/// The index of a column.
pub(super) type ColumnIndex = usize;

pub(super) struct Table {
    source: SourceId,
    text: Arc<str>,
    delimiter: u8,
    header: Row,
    /// The first column of each name.
    columns: IndexMap<String, ColumnIndex>,
    /// The rows below the header.
    pub rows: Vec<Row>,
    /// The start of the row that was asked for last, and the ends of its cells.
    ends: RefCell<(Option<usize>, Vec<usize>)>,
}

pub(super) struct Row {
    cells: StringRecord,
    start: usize,
}

impl Row {
    /// Returns a cell without the white space around it.
    pub fn cell(&self, column: ColumnIndex) -> &str {
        self.cells.get(column).unwrap_or("").trim()
    }

    pub fn len(&self) -> usize {
        self.cells.len()
    }
}

impl Table {
    /// Reads a whole table. The error reports the first row that is not CSV.
    pub fn read(
        sources: &mut Sources,
        mut input: impl Read,
        name: &str,
        delimiter: u8,
    ) -> Result<Table, Diagnostic> {
        let mut bytes = Vec::new();
        // One byte more than allowed tells a table of the largest size from a larger one.
        let limit = limits::INVENTORY_BYTES as u64 + 1;
        if let Err(error) = input.by_ref().take(limit).read_to_end(&mut bytes) {
            return Err(Diagnostic::without_place(Code::B0901, format!("cannot read `{name}`: {error}")));
        }
        if bytes.len() > limits::INVENTORY_BYTES {
            let message = format!("`{name}` has more than {} bytes", limits::INVENTORY_BYTES);
            return Err(Diagnostic::without_place(Code::B0514, message).help("split it into several files"));
        }
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) => text,
            Err(error) => return Err(wire::not_utf8(sources, name, &bytes, error.valid_up_to())),
        };
        let text: Arc<str> = text.strip_prefix('\u{feff}').unwrap_or(text).into();
        let source = sources.add(name, text.clone());
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(text.as_bytes());
        let mut rows = Vec::new();
        for cells in reader.records() {
            let cells = cells.map_err(|error| {
                let at = error.position().map_or(0, |at| at.byte() as usize);
                Diagnostic::error(Code::B0515, Span::new(source, at, at), format!("this is no CSV: {error}"))
            })?;
            let start = cells.position().map_or(0, |at| at.byte() as usize);
            // The reported position of a row precedes line ends that the reader skipped.
            let skipped = text.get(start..).unwrap_or("");
            let start = start + skipped.len() - skipped.trim_start_matches(['\r', '\n']).len();
            rows.push(Row { cells, start });
            if rows.len() > limits::INVENTORY_ROWS {
                let message = format!("a table of more than {} rows", limits::INVENTORY_ROWS);
                return Err(Diagnostic::error(Code::B0514, Span::new(source, start, start), message));
            }
        }
        if rows.is_empty() {
            return Err(Diagnostic::error(Code::B0515, Span::new(source, 0, 0), "the table has no header")
                .help("the first row names the columns"));
        }
        let header = rows.remove(0);
        let mut columns = IndexMap::new();
        for column in 0..header.len() {
            columns.entry(header.cell(column).to_owned()).or_insert(column);
        }
        Ok(Table { source, text, delimiter, header, columns, rows, ends: RefCell::default() })
    }

    /// Reports columns with equal names. A reference to such a name would be ambiguous.
    pub fn repeated_columns(&self) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for column in 0..self.header.len() {
            let name = self.header.cell(column);
            let first = self.columns.get(name).copied().unwrap_or(column);
            if first < column && !name.is_empty() {
                let message = format!("the column `{name}` is named twice");
                problems.push(
                    Diagnostic::error(Code::B0515, self.cell_span(&self.header, column), message)
                        .also(self.cell_span(&self.header, first), "first here")
                        .help("rename one of them"),
                );
            }
        }
        problems
    }

    /// The column of this name, or why there is none; `told` is how many problems there are already.
    pub fn column(&self, name: &str, told: usize) -> Result<ColumnIndex, Diagnostic> {
        if let Some(column) = self.columns.get(name) {
            return Ok(*column);
        }
        let names = || (0..self.header.len()).map(|column| self.header.cell(column));
        let near = nearest_after(told, name, names());
        let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        let message = format!("no column `{name}`");
        let problem = Diagnostic::error(Code::B0515, self.row_span(&self.header), message);
        // There may be as many of both: past the first few the header is enough.
        if told >= limits::COLUMNS_LISTED {
            return Err(problem.help(format!("{near}the columns are those of the header")));
        }
        let known = names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        Err(problem.help(format!("{near}columns: {known}")))
    }

    /// Returns the number of columns.
    pub fn width(&self) -> usize {
        self.header.len()
    }

    /// Returns the name of a column.
    pub fn name(&self, column: ColumnIndex) -> &str {
        self.header.cell(column)
    }

    pub fn row_span(&self, row: &Row) -> Span {
        let end = self.cell_end(row, row.len().saturating_sub(1));
        Span::new(self.source, row.start, end)
    }

    pub fn cell_span(&self, row: &Row, column: ColumnIndex) -> Span {
        let start = match column.checked_sub(1) {
            None => row.start,
            Some(before) => (self.cell_end(row, before) + 1).min(self.text.len()),
        };
        Span::new(self.source, start, self.cell_end(row, column))
    }

    /// One past the last byte of a cell, quotes included. The ends of a whole row are found at once: its cells are looked at one
    /// after the other.
    fn cell_end(&self, row: &Row, column: ColumnIndex) -> usize {
        let mut last = self.ends.borrow_mut();
        if last.0 != Some(row.start) {
            *last = (Some(row.start), self.cell_ends(row));
        }
        last.1.get(column).or(last.1.last()).copied().unwrap_or(row.start)
    }

    fn cell_ends(&self, row: &Row) -> Vec<usize> {
        let bytes = self.text.as_bytes();
        let mut at = row.start;
        let mut ends = Vec::with_capacity(row.len());
        for passed in 0..row.len().max(1) {
            at += usize::from(passed > 0);
            let has_quotes = bytes.get(at) == Some(&b'"');
            let mut is_quoted = has_quotes;
            at += usize::from(has_quotes);
            while let Some(byte) = bytes.get(at) {
                match byte {
                    // A doubled quote ends the quoted part, and the second one begins it again.
                    b'"' if is_quoted => is_quoted = false,
                    b'"' if has_quotes && bytes.get(at.wrapping_sub(1)) == Some(&b'"') => is_quoted = true,
                    b'\r' | b'\n' if !is_quoted => break,
                    byte if *byte == self.delimiter && !is_quoted => break,
                    _ => {}
                }
                at += 1;
            }
            ends.push(at.min(bytes.len()));
        }
        ends
    }
}
