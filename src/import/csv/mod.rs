//! Tables as inventories: each row an agent or a need. The flags are described in `docs/import-csv.md`.

mod cells;
mod options;
mod rows;
mod table;
#[cfg(test)]
mod tests;

use std::io::{Read, Write};

pub use options::{
    AgentColumns, AmountColumn, ColumnOrText, CsvImport, CsvOutput, CsvRecords, Filter, KeyColumn, KeyKind,
    NeedColumns, Template, Unit,
};

use crate::{
    diagnostic::{Code, Diagnostic},
    inventory::wire::{FORMAT, Json, VERSION},
    limits,
    source::Sources,
};
use rows::Rows;
use table::Table;

/// What was imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportSummary {
    /// Rows below the header.
    pub rows: usize,
    /// Rows that a filter left out.
    pub filtered: usize,
    /// Records written.
    pub records: usize,
    /// Values rounded half to even.
    pub rounded: usize,
    /// Notes on the first values rounded.
    pub notes: Vec<Diagnostic>,
}

/// Problems of a table: the first ones, and how many there are.
#[derive(Default)]
struct Problems {
    kept: Vec<Diagnostic>,
    more: usize,
}

impl Problems {
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

/// Reads a table and writes it as an inventory. Nothing is written where there is a problem.
///
/// # Errors
/// All problems of the table, each with its place in `sources`.
pub fn import(
    sources: &mut Sources,
    table: impl Read,
    name: &str,
    options: &CsvImport,
    out: &mut dyn Write,
) -> Result<ImportSummary, Vec<Diagnostic>> {
    let table = Table::read(sources, table, name, options.delimiter).map_err(|problem| vec![problem])?;
    let mut rows = Rows::new(&table);
    let (list, records) = match &options.records {
        CsvRecords::Agents(columns) => (("agents", "agent"), rows.agents(columns, &options.filters)),
        CsvRecords::Needs(columns) => (("needs", "need"), rows.needs(columns, &options.filters)),
    };
    let summary = rows.finish(records.len())?;
    write(&records, list, options.output, out).map_err(|error| {
        vec![Diagnostic::without_place(Code::B0901, format!("cannot write the inventory: {error}"))]
    })?;
    Ok(summary)
}

/// A record and, for needs with a role, that it is a framework.
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
