//! The options of `bourse import csv`, and how each is parsed.

use std::str::FromStr;

use crate::{
    diagnostic::nearest,
    quantity,
    value::{is_plain_name, join_key},
};

/// The options of an import.
#[derive(Clone, Debug)]
pub struct CsvImport {
    /// The records that rows become, with their columns.
    pub records: CsvRecords,
    /// `--filter`: imports only the rows that pass all filters.
    pub filters: Vec<RowFilter>,
    /// `--delimiter`: the byte between cells.
    pub delimiter: u8,
    /// `--json` selects JSON; the default is NDJSON.
    pub output: CsvOutput,
}

impl CsvImport {
    /// Returns options that import every row, with commas between cells, as NDJSON.
    pub fn new(records: CsvRecords) -> CsvImport {
        CsvImport { records, filters: Vec::new(), delimiter: b',', output: CsvOutput::Ndjson }
    }
}

/// The output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CsvOutput {
    /// A header and one record per line.
    #[default]
    Ndjson,
    /// One document.
    Json,
}

/// The records that rows become.
#[derive(Clone, Debug)]
pub enum CsvRecords {
    /// `--agents`
    Agents(AgentColumns),
    /// `--needs`
    Needs(NeedColumns),
}

/// The columns of agents.
#[derive(Clone, Debug, Default)]
pub struct AgentColumns {
    /// `--name COLUMN`
    pub name: String,
    /// `--resource RES=COLUMN[*COLUMN…][:UNIT]`
    pub resources: Vec<AmountColumn>,
    /// `--key KEY=COLUMN[:UNIT|:text]` and `--set KEY=COLUMN:SEPARATOR`
    pub keys: Vec<KeyColumn>,
    /// `--domain "{region}/{zone}"`
    pub domain: Option<Template>,
    /// `--skip-empty`: leaves out resources with an amount of 0.
    pub skip_empty: bool,
}

/// The columns of needs.
#[derive(Clone, Debug, Default)]
pub struct NeedColumns {
    /// `--name COLUMN`
    pub name: String,
    /// `--amount RES=COLUMN[*COLUMN…][:UNIT]`. An amount of 0 requests nothing and is left out.
    pub amounts: Vec<AmountColumn>,
    /// `--key KEY=COLUMN[:UNIT|:text]` and `--set KEY=COLUMN:SEPARATOR`
    pub keys: Vec<KeyColumn>,
    /// `--framework COLUMN`: the framework of the need.
    pub framework: Option<String>,
    /// `--role COLUMN` or `--role ="text"`
    pub role: Option<ColumnOrText>,
    /// `--is COLUMN`: a class that the agent must be in.
    pub classes: Vec<String>,
    /// `--where 'os == "linux"'`: the conditions of every need.
    pub conditions: Vec<String>,
    /// `--count COLUMN`
    pub count: Option<String>,
}

/// An amount as a product of columns: `cpus=cpu_milli:milli`, `gpu=num_gpu*gpu_milli:milli`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmountColumn {
    /// The resource.
    pub resource: String,
    /// The columns, whose product is the amount.
    pub columns: Vec<String>,
    /// The unit of the product.
    pub unit: Unit,
}

/// The unit of a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// A number as it stands.
    #[default]
    One,
    /// Thousandths of a number.
    Milli,
    /// A unit of the language.
    Named(String),
}

/// A key from a column: `gpu.model=model`, `memory=mem:MiB`, `zip=code:text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyColumn {
    /// The segments of the key.
    pub key: Vec<String>,
    /// The column.
    pub column: String,
    /// The interpretation of its cells.
    pub kind: KeyKind,
}

/// The interpretation of the cells of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Numbers or booleans if every cell of the column is one; else text.
    Guess,
    /// Text.
    Text,
    /// Quantities.
    Quantity(Unit),
    /// Sets of texts, with this separator between members.
    Set(String),
}

/// A value from a column or a constant: `--role team` or `--role ="db"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnOrText {
    /// The cell of this column.
    Column(String),
    /// This text for every row.
    Text(String),
}

/// A filter: `status=Running|Pending` passes rows whose cell is one of the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFilter {
    /// The column.
    pub column: String,
    /// The values that pass.
    pub values: Vec<String>,
}

/// A text with columns in braces: `{region}/{zone}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The parts, in order.
    pub parts: Vec<ColumnOrText>,
}

/// Splits `NAME=REST`.
fn split<'a>(text: &'a str, form: &str) -> Result<(&'a str, &'a str), String> {
    match text.split_once('=') {
        Some((name, rest)) if !name.is_empty() && !rest.is_empty() => Ok((name, rest)),
        _ => Err(format!("expected {form}, found `{text}`")),
    }
}

impl FromStr for Unit {
    type Err = String;

    fn from_str(text: &str) -> Result<Unit, String> {
        if text == "milli" {
            return Ok(Unit::Milli);
        }
        if quantity::unit_names().any(|name| name == text) {
            return Ok(Unit::Named(text.to_owned()));
        }
        let known = || std::iter::once("milli").chain(quantity::unit_names());
        let near =
            nearest(text, known()).map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
        Err(format!("unknown unit `{text}`{near} (known: {})", known().collect::<Vec<_>>().join(" ")))
    }
}

impl FromStr for AmountColumn {
    type Err = String;

    fn from_str(text: &str) -> Result<AmountColumn, String> {
        let form = "RESOURCE=COLUMN or RESOURCE=COLUMN:UNIT";
        let (resource, rest) = split(text, form)?;
        // The last colon separates the unit: names of columns may have colons.
        let (columns, unit) = match rest.rsplit_once(':') {
            Some((columns, unit)) => (columns, unit.parse()?),
            None => (rest, Unit::One),
        };
        let columns: Vec<_> = columns.split('*').map(|column| column.trim().to_owned()).collect();
        if columns.iter().any(String::is_empty) {
            return Err(format!("expected {form}, found `{text}`"));
        }
        Ok(AmountColumn { resource: resource.to_owned(), columns, unit })
    }
}

impl FromStr for KeyColumn {
    type Err = String;

    fn from_str(text: &str) -> Result<KeyColumn, String> {
        let (key, rest) = split(text, "KEY=COLUMN, KEY=COLUMN:UNIT or KEY=COLUMN:text")?;
        let (column, kind) = match rest.rsplit_once(':') {
            Some((column, "text")) => (column, KeyKind::Text),
            Some((column, unit)) => (column, KeyKind::Quantity(unit.parse()?)),
            None => (rest, KeyKind::Guess),
        };
        Ok(KeyColumn { key: key_segments(key)?, column: column.to_owned(), kind })
    }
}

impl KeyColumn {
    /// Parses the value of `--set`: `KEY=COLUMN:SEPARATOR`.
    ///
    /// # Errors
    /// Returns a message if the text has another form.
    pub fn set(text: &str) -> Result<KeyColumn, String> {
        let form = "KEY=COLUMN:SEPARATOR";
        let (key, rest) = split(text, form)?;
        match rest.rsplit_once(':') {
            Some((column, separator)) if !column.is_empty() && !separator.is_empty() => Ok(KeyColumn {
                key: key_segments(key)?,
                column: column.to_owned(),
                kind: KeyKind::Set(separator.to_owned()),
            }),
            _ => Err(format!("expected {form}, found `{text}`")),
        }
    }

    /// Returns the key as the language writes it.
    pub fn name(&self) -> String {
        join_key(self.key.iter().map(String::as_str))
    }
}

/// Returns the segments of `gpu.model` or `"nvidia.com/gpu".count`.
fn key_segments(text: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("`{text}` is no key: write names with points between, others in quotes");
    let mut segments = Vec::new();
    let mut rest = text;
    loop {
        let (segment, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or_else(wrong)?,
            None => {
                let (plain, after) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
                if !is_plain_name(plain) {
                    return Err(wrong());
                }
                (plain, after)
            }
        };
        if segment.is_empty() || segment.contains(char::is_control) {
            return Err(wrong());
        }
        segments.push(segment.to_owned());
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(segments),
            None => return Err(wrong()),
        }
    }
}

impl FromStr for ColumnOrText {
    type Err = String;

    fn from_str(text: &str) -> Result<ColumnOrText, String> {
        let Some(constant) = text.strip_prefix('=') else { return Ok(ColumnOrText::Column(text.to_owned())) };
        let constant = constant.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(constant);
        if constant.is_empty() || constant.contains(char::is_control) {
            return Err(format!("expected COLUMN or =\"text\", found `{text}`"));
        }
        Ok(ColumnOrText::Text(constant.to_owned()))
    }
}

impl FromStr for RowFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<RowFilter, String> {
        // An empty value is valid: `model=` keeps the rows without a model.
        let (column, values) = text
            .split_once('=')
            .filter(|(column, _)| !column.is_empty())
            .ok_or_else(|| format!("expected COLUMN=VALUE or COLUMN=VALUE|VALUE, found `{text}`"))?;
        Ok(RowFilter { column: column.to_owned(), values: values.split('|').map(str::to_owned).collect() })
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Template, String> {
        let wrong = || format!("expected columns in braces such as `{{region}}/{{zone}}`, found `{text}`");
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (column, after) = after.split_once('}').ok_or_else(wrong)?;
            if column.is_empty() || before.contains('}') {
                return Err(wrong());
            }
            if !before.is_empty() {
                parts.push(ColumnOrText::Text(before.to_owned()));
            }
            parts.push(ColumnOrText::Column(column.to_owned()));
            rest = after;
        }
        if rest.contains('}') || text.is_empty() {
            return Err(wrong());
        }
        if !rest.is_empty() {
            parts.push(ColumnOrText::Text(rest.to_owned()));
        }
        Ok(Template { parts })
    }
}
