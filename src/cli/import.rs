//! `bourse import`: makes inventories from other systems' data.

use std::path::PathBuf;

use clap::ArgGroup;

use super::{CommandFailure, Exit, files::Console};
use crate::{
    diagnostic::{Report, Severity},
    import::csv::{
        self, AgentColumns, AmountColumn, ColumnOrText, CsvImport, CsvOutput, CsvRecords, KeyColumn,
        NeedColumns, RowFilter, Template,
    },
    source::Sources,
};

#[derive(Debug, clap::Subcommand)]
pub enum Import {
    /// A table: each row an agent or a need
    Csv(Box<CsvArgs>),
}

#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("rows").required(true).args(["agents", "needs"]))]
pub struct CsvArgs {
    /// The table, or `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Each row is an agent
    #[arg(long)]
    agents: bool,
    /// Each row is a need
    #[arg(long)]
    needs: bool,
    /// The column with the name
    #[arg(long, value_name = "COLUMN")]
    name: String,
    /// A key; may be repeated
    #[arg(long, value_name = "KEY=COLUMN[:UNIT|:text]")]
    key: Vec<KeyColumn>,
    /// A key that is a set of text; may be repeated
    #[arg(long, value_name = "KEY=COLUMN:SEPARATOR", value_parser = KeyColumn::set)]
    set: Vec<KeyColumn>,
    /// Only rows with one of the values; repeated, all must hold
    #[arg(long, value_name = "COLUMN=VALUE|VALUE")]
    filter: Vec<RowFilter>,
    /// What stands between cells
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = delimiter)]
    delimiter: u8,
    /// Write one document instead of NDJSON
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "Agents")]
    of_agents: OfAgents,
    #[command(flatten, next_help_heading = "Needs")]
    of_needs: OfNeeds,
}

#[derive(Debug, clap::Args)]
struct OfAgents {
    /// What the agent has; may be repeated
    #[arg(long, value_name = "RES=COLUMN[*COLUMN][:UNIT]", conflicts_with = "needs")]
    resource: Vec<AmountColumn>,
    /// Its place: columns in braces, such as `{region}/{zone}`
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "needs")]
    domain: Option<Template>,
    /// Leave out resources of which there is 0
    #[arg(long, conflicts_with = "needs")]
    skip_empty: bool,
}

#[derive(Debug, clap::Args)]
struct OfNeeds {
    /// What is asked of the agent; 0 is left out; may be repeated
    #[arg(long, value_name = "RES=COLUMN[*COLUMN][:UNIT]", conflicts_with = "agents")]
    amount: Vec<AmountColumn>,
    /// How many instances
    #[arg(long, value_name = "COLUMN", conflicts_with = "agents")]
    count: Option<String>,
    /// A class that the agent must be of; may be repeated
    #[arg(long = "is", value_name = "COLUMN", conflicts_with = "agents")]
    class: Vec<String>,
    /// A condition of every need; may be repeated
    #[arg(long = "where", value_name = "CONDITION", conflicts_with = "agents")]
    condition: Vec<String>,
    /// The framework that has the need
    #[arg(long, value_name = "COLUMN", conflicts_with = "agents")]
    framework: Option<String>,
    /// The role of the need's framework: a column, or a text after `=`
    #[arg(long, value_name = "COLUMN|=TEXT", conflicts_with = "agents")]
    role: Option<ColumnOrText>,
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [one] if one.is_ascii() && !matches!(one, b'"' | b'\r' | b'\n') => Ok(*one),
        br"\t" => Ok(b'\t'),
        _ => Err("expected one ASCII character, or `\\t`".to_owned()),
    }
}

impl CsvArgs {
    fn options(&self) -> CsvImport {
        let name = self.name.clone();
        let keys: Vec<KeyColumn> = self.key.iter().chain(&self.set).cloned().collect();
        let records = if self.agents {
            CsvRecords::Agents(AgentColumns {
                name,
                resources: self.of_agents.resource.clone(),
                keys,
                domain: self.of_agents.domain.clone(),
                skip_empty: self.of_agents.skip_empty,
            })
        } else {
            CsvRecords::Needs(NeedColumns {
                name,
                amounts: self.of_needs.amount.clone(),
                keys,
                framework: self.of_needs.framework.clone(),
                role: self.of_needs.role.clone(),
                classes: self.of_needs.class.clone(),
                conditions: self.of_needs.condition.clone(),
                count: self.of_needs.count.clone(),
            })
        };
        CsvImport {
            filters: self.filter.clone(),
            delimiter: self.delimiter,
            output: if self.json { CsvOutput::Json } else { CsvOutput::Ndjson },
            ..CsvImport::new(records)
        }
    }
}

pub fn run(import: Import, console: &mut Console) -> Result<Exit, CommandFailure> {
    let Import::Csv(args) = import;
    let (name, table) = console.table(&args.file)?;
    let mut sources = Sources::default();
    // Collected first, so that nothing is written if there is a problem.
    let mut bytes = Vec::new();
    let result = csv::import(&mut sources, table.as_slice(), &name, &args.options(), &mut bytes);
    let summary = match result {
        Ok(summary) => summary,
        Err(diagnostics) => {
            let mut report = Report { sources, diagnostics };
            report.sort();
            return Err(CommandFailure(Box::new(report)));
        }
    };
    match &args.output {
        Some(path) => console.replace_file(path, &bytes)?,
        None => console.write(|out| out.write_all(&bytes))?,
    }
    console.report_notes = summary.notes.iter().any(|note| note.severity == Severity::Note);
    console.problems.absorb(Report { sources, diagnostics: summary.notes.clone() });
    console.note_line(&summary_line(&summary));
    Ok(Exit::Yes)
}

fn summary_line(summary: &csv::ImportSummary) -> String {
    use super::table::count;
    let mut line = format!(
        "{} read, {} written",
        count(summary.rows, "row", "rows"),
        count(summary.records, "record", "records")
    );
    if summary.filtered > 0 {
        line.push_str(&format!(", {} filtered out", super::table::grouped(summary.filtered)));
    }
    if summary.rounded > 0 {
        line.push_str(&format!(", {} rounded", count(summary.rounded, "value", "values")));
    }
    line
}
