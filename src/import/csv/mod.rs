//! The CSV importer: each row becomes an agent or a need. `docs/import-csv.md` describes the options.

mod cells;
mod keys;
mod options;
mod rows;
mod table;
#[cfg(test)]
mod tests;

use std::io::{Read, Write};

pub use options::{
    AgentColumns, AmountColumn, ColumnOrText, CsvImport, CsvOutput, CsvRecords, KeyColumn, KeyKind,
    NeedColumns, RowFilter, Template, Unit,
};

use crate::{
    diagnostic::{Code, Diagnostic},
    inventory::wire::{FORMAT, Json, VERSION},
    limits,
    source::Sources,
};
use rows::RowConverter;
use table::Table;

/// A summary of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportSummary {
    /// The number of rows below the header.
    pub rows: usize,
    /// The number of rows that a filter excluded.
    pub filtered: usize,
    /// The number of records written.
    pub records: usize,
    /// The number of values that were rounded half to even.
    pub rounded: usize,
    /// Notes on the first rounded values.
    pub notes: Vec<Diagnostic>,
}

/// The problems of a table. The first are kept, the others counted.
#[derive(Default)]
struct TableProblems {
    kept: Vec<Diagnostic>,
    more: usize,
}

impl TableProblems {
    fn len(&self) -> usize {
        self.kept.len() + self.more
    }

    fn push(&mut self, mut problem: Diagnostic) {
        if problem.help.is_none() {
            problem.help = Some("correct the cell, or the flag that names its column".to_owned());
        }
        if self.kept.len() < limits::PROBLEMS_SHOWN {
            self.kept.push(problem);
        } else {
            self.more += 1;
        }
    }

    fn finish(mut self) -> Vec<Diagnostic> {
        if let (Some(last), true) = (self.kept.last_mut(), self.more > 0) {
            last.message.push_str(&format!(" (and {} more problems that are not listed)", self.more));
        }
        self.kept
    }
}

/// Reads a table and writes it as an inventory. Writes nothing if there is a problem.
///
/// # Errors
/// Returns the problems of the table, with their places in `sources`.
pub fn import(
    sources: &mut Sources,
    table: impl Read,
    name: &str,
    options: &CsvImport,
    out: &mut dyn Write,
) -> Result<ImportSummary, Vec<Diagnostic>> {
    let table = Table::read(sources, table, name, options.delimiter).map_err(|problem| vec![problem])?;
    let mut rows = RowConverter::new(&table);
    let (list, records) = match &options.records {
        CsvRecords::Agents(columns) => (("agents", "agent"), rows.agents(columns, &options.filters)),
        CsvRecords::Needs(columns) => (("needs", "need"), rows.needs(columns, &options.filters)),
    };
    // All rows are converted before anything is written, so an error leaves no partial output.
    let summary = rows.finish(records.len())?;
    write(&records, list, options.output, out).map_err(|error| {
        vec![Diagnostic::without_place(Code::B0901, format!("cannot write the inventory: {error}"))]
    })?;
    Ok(summary)
}

/// A record. A need with a role becomes a framework.
pub(super) struct Record {
    is_framework: bool,
    fields: Vec<(String, Json)>,
}

fn write(
    records: &[Record],
    (list, kind): (&str, &str),
    output: CsvOutput,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let kind_of = |record: &Record| if record.is_framework { "framework" } else { kind };
    if output == CsvOutput::Ndjson {
        writeln!(out, "{{\"format\": \"{FORMAT}\", \"version\": {VERSION}}}")?;
        for record in records {
            let mut fields = vec![("record".to_owned(), Json::text(kind_of(record)))];
            fields.extend(record.fields.iter().cloned());
            writeln!(out, "{}", Json::Object(fields))?;
        }
        return out.flush();
    }
    write!(out, "{{\n  \"format\": \"{FORMAT}\",\n  \"version\": {VERSION}")?;
    for (list, is_framework) in [("frameworks", true), (list, false)] {
        let mut of_list = records.iter().filter(|record| record.is_framework == is_framework).peekable();
        if of_list.peek().is_none() {
            continue;
        }
        write!(out, ",\n  \"{list}\": [")?;
        for (i, record) in of_list.enumerate() {
            let comma = if i > 0 { "," } else { "" };
            write!(out, "{comma}\n    {}", Json::Object(record.fields.clone()))?;
        }
        write!(out, "\n  ]")?;
    }
    writeln!(out, "\n}}")?;
    out.flush()
}
