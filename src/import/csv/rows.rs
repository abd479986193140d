//! The conversion of rows into records.

use indexmap::{IndexMap, IndexSet, map::Entry};

use super::{
    ImportSummary, Record, TableProblems,
    cells::{CellError, CellJson, Decimal, is_plain_number},
    keys::{KeyFields, KeyTree},
    options::{
        AgentColumns, AmountColumn, ColumnOrText, KeyColumn, KeyKind, NeedColumns, RowFilter, Template, Unit,
    },
    table::{ColumnIndex, Row, Table},
};
use crate::{
    diagnostic::{Code, Diagnostic, hidden_character, no_role},
    inventory::wire::{Json, is_class_name},
    limits,
    source::Span,
    value::{is_forbidden, is_hidden, is_place},
};

/// The state of a conversion: the table, and the problems found so far. All problems are collected, so that
/// one run reports them all.
pub(super) struct RowConverter<'t> {
    table: &'t Table,
    problems: TableProblems,
    notes: TableProblems,
    summary: ImportSummary,
}

/// A column of a key, with its type.
struct BoundKey<'o> {
    key: &'o KeyColumn,
    /// The numbers of its words in the tree of all keys.
    path: Vec<usize>,
    column: ColumnIndex,
    kind: BoundKind<'o>,
}

enum BoundKind<'o> {
    Bool,
    Text,
    Quantity(&'o Unit),
    Set(&'o str),
}

struct BoundAmount<'o> {
    amount: &'o AmountColumn,
    columns: Vec<ColumnIndex>,
}

enum BoundText<'o> {
    Column(ColumnIndex),
    Text(&'o str),
}

pub(super) type JsonFields = Vec<(String, Json)>;

impl<'t> RowConverter<'t> {
    pub fn new(table: &'t Table) -> RowConverter<'t> {
        let mut rows = RowConverter {
            table,
            problems: TableProblems::default(),
            notes: TableProblems::default(),
            summary: ImportSummary::default(),
        };
        for problem in table.repeated_columns() {
            rows.problems.push(problem);
        }
        rows
    }

    pub fn finish(self, records: usize) -> Result<ImportSummary, Vec<Diagnostic>> {
        let problems = self.problems.finish();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(ImportSummary { rows: self.table.rows.len(), records, notes: self.notes.finish(), ..self.summary })
    }

    /// Converts each row into an agent.
    pub fn agents(&mut self, columns: &AgentColumns, filters: &[RowFilter]) -> Vec<Record> {
        let name = self.column(&columns.name);
        let resources = self.amounts_of(&columns.resources);
        let keys = self.keys_of(&columns.keys);
        let domain = columns.domain.as_ref().map(|template| self.template(template));
        let rows = self.chosen(filters);
        let Some(name) = name else { return Vec::new() };
        let mut names = IndexMap::new();
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(text) = self.name(row, name) else { continue };
            if text.contains('/') {
                self.problem(Code::B0502, row, name, &format!("the name `{text}` holds a `/`"));
            }
            self.once(&mut names, text.to_owned(), row, name);
            let mut fields = vec![("name".to_owned(), Json::text(text))];
            if let Some(place) = domain.as_ref().and_then(|parts| self.domain(parts, row)) {
                fields.push(("domain".to_owned(), Json::Text(place)));
            }
            push_object(&mut fields, "keys", self.keys(&keys, row));
            push_object(&mut fields, "resources", self.amounts(&resources, row, !columns.skip_empty));
            records.push(Record { is_framework: false, fields });
        }
        records
    }

    /// Converts each row into a need.
    pub fn needs(&mut self, columns: &NeedColumns, filters: &[RowFilter]) -> Vec<Record> {
        let name = self.column(&columns.name);
        let amounts = self.amounts_of(&columns.amounts);
        let keys = self.keys_of(&columns.keys);
        let classes: Vec<_> = columns.classes.iter().filter_map(|class| self.column(class)).collect();
        let count = columns.count.as_ref().and_then(|count| self.column(count));
        let framework = columns.framework.as_ref().and_then(|framework| self.column(framework));
        let role = columns.role.as_ref().and_then(|role| match role {
            ColumnOrText::Column(role) => self.column(role).map(BoundText::Column),
            ColumnOrText::Text(text) => Some(BoundText::Text(text)),
        });
        let conditions = self.conditions(&columns.conditions);
        let rows = self.chosen(filters);
        let Some(name) = name else { return Vec::new() };
        let mut names = IndexMap::new();
        let mut records = Grouped { has_roles: columns.role.is_some(), ..Grouped::default() };
        for row in rows {
            let Some(text) = self.name(row, name) else { continue };
            let owner = framework.and_then(|column| self.optional_name(row, column));
            self.once(&mut names, (owner, text), row, name);
            let mut need = vec![("name".to_owned(), Json::text(text))];
            if let Some(count) = count.and_then(|column| self.count(row, column)) {
                need.push(("count".to_owned(), Json::Number(count)));
            }
            push_object(&mut need, "keys", self.keys(&keys, row));
            let mut agent = Vec::new();
            push_object(&mut agent, "amounts", self.amounts(&amounts, row, false));
            push_list(&mut agent, "is", self.classes(&classes, row));
            push_list(&mut agent, "where", conditions.clone());
            need.push(("agent".to_owned(), Json::Object(agent)));
            let role = role.as_ref().and_then(|role| match role {
                BoundText::Column(column) => self.optional_name(row, *column),
                BoundText::Text(text) => Some(*text),
            });
            let role = role.filter(|role| self.is_role(role, row, name));
            if let Some(clash) = records.push(text, owner, role, need) {
                let message = format!(
                    "the framework `{}` has the role `{}` here and `{clash}` above",
                    owner.unwrap_or(text),
                    role.unwrap_or("*"),
                );
                self.problem(Code::B0515, row, framework.unwrap_or(name), &message);
            }
        }
        records.finish()
    }

    fn conditions(&mut self, conditions: &[String]) -> Vec<Json> {
        for condition in conditions {
            if condition.trim().is_empty() || condition.contains(|c: char| c.is_control() || is_forbidden(c))
            {
                let message = format!("`{condition}` is no condition");
                let problem = Diagnostic::without_place(Code::B0515, message);
                self.problems.push(problem.help("write one condition on one line, as in `os == \"linux\"`"));
            }
        }
        conditions.iter().map(Json::text).collect()
    }

    fn column(&mut self, name: &str) -> Option<ColumnIndex> {
        self.table.column(name, self.problems.len()).map_err(|problem| self.problems.push(problem)).ok()
    }

    fn amounts_of<'o>(&mut self, amounts: &'o [AmountColumn]) -> Vec<BoundAmount<'o>> {
        let mut bound: Vec<BoundAmount<'o>> = Vec::with_capacity(amounts.len());
        let mut known = IndexSet::with_capacity(amounts.len());
        for amount in amounts {
            if !known.insert(amount.resource.as_str()) {
                self.clash(&format!("the resource `{}` is given two columns", amount.resource));
            }
            let columns = amount.columns.iter().filter_map(|column| self.column(column)).collect();
            bound.push(BoundAmount { amount, columns });
        }
        bound
    }

    /// Reports options that contradict each other. They have no span in the table.
    fn clash(&mut self, message: &str) {
        self.problems.push(Diagnostic::without_place(Code::B0515, message).help("keep one of them"));
    }

    fn keys_of<'o>(&mut self, keys: &'o [KeyColumn]) -> Vec<BoundKey<'o>> {
        let mut bound: Vec<BoundKey<'o>> = Vec::with_capacity(keys.len());
        let mut tree = KeyTree::default();
        for key in keys {
            if let Some(before) = tree.taken(&key.key) {
                let (before, name) = (before.name(), key.name());
                self.clash(&format!("the keys `{before}` and `{name}` cannot both be set"));
                continue;
            }
            let Some(column) = self.column(&key.column) else { continue };
            let kind = match &key.kind {
                KeyKind::Guess => self.guess(column),
                KeyKind::Text => BoundKind::Text,
                KeyKind::Quantity(unit) => BoundKind::Quantity(unit),
                KeyKind::Set(separator) => BoundKind::Set(separator),
            };
            bound.push(BoundKey { key, path: tree.add(key), column, kind });
        }
        bound
    }

    /// Determines one type for a whole column. A key that is a number on one row and a text on another could
    /// not be compared.
    fn guess<'o>(&self, column: ColumnIndex) -> BoundKind<'o> {
        let cells = || self.table.rows.iter().map(|row| row.cell(column)).filter(|cell| !cell.is_empty());
        if cells().all(is_plain_number) {
            BoundKind::Quantity(&Unit::One)
        } else if cells().all(|cell| matches!(cell, "true" | "false")) {
            BoundKind::Bool
        } else {
            BoundKind::Text
        }
    }

    fn template<'o>(&mut self, template: &'o Template) -> Vec<BoundText<'o>> {
        let parts = template.parts.iter().filter_map(|part| match part {
            ColumnOrText::Column(column) => self.column(column).map(BoundText::Column),
            ColumnOrText::Text(text) => Some(BoundText::Text(text)),
        });
        parts.collect()
    }

    /// Returns the rows that are complete and pass the filters.
    fn chosen(&mut self, filters: &[RowFilter]) -> Vec<&'t Row> {
        let bound = filters.iter().map(|filter| Some((self.column(&filter.column)?, &filter.values)));
        let bound: Vec<_> = bound.collect::<Vec<_>>().into_iter().flatten().collect();
        let mut rows = Vec::with_capacity(self.table.rows.len());
        for row in &self.table.rows {
            if row.len() != self.table.width() {
                let message =
                    format!("{} cells, where the header has {} columns", row.len(), self.table.width());
                let span = self.table.row_span(row);
                self.problems.push(Diagnostic::error(Code::B0515, span, message).help(
                    "give every row a cell for each column, empty ones too; a cell with a comma goes in quotes",
                ));
            } else if bound.iter().all(|(column, values)| values.iter().any(|it| it == row.cell(*column))) {
                rows.push(row);
            } else {
                self.summary.filtered += 1;
            }
        }
        rows
    }

    fn problem(&mut self, code: Code, row: &Row, column: ColumnIndex, message: &str) {
        let span = self.table.cell_span(row, column);
        let text = format!("{}: {message}", self.table.name(column));
        self.problems.push(Diagnostic::error(code, span, text));
    }

    /// Adds a problem of a cell, with the name of its column.
    fn push(&mut self, problem: Diagnostic, column: ColumnIndex) {
        self.problems.push(problem.about(self.table.name(column)));
    }

    /// Returns a cell as a name. Reports an empty one.
    fn name(&mut self, row: &'t Row, column: ColumnIndex) -> Option<&'t str> {
        if row.cell(column).is_empty() {
            self.problem(Code::B0515, row, column, "a name must not be empty");
            return None;
        }
        self.optional_name(row, column)
    }

    /// Returns a cell as a name; `None` if it is empty.
    fn optional_name(&mut self, row: &'t Row, column: ColumnIndex) -> Option<&'t str> {
        let text = row.cell(column);
        if text.is_empty() {
            return None;
        }
        if let Some(problem) = hidden_character(text, self.table.cell_span(row, column)) {
            self.push(problem, column);
            return None;
        }
        self.is_bounded(row, column).then_some(text)
    }

    fn is_bounded(&mut self, row: &Row, column: ColumnIndex) -> bool {
        let is_bounded = row.cell(column).len() <= limits::TEXT_BYTES;
        if !is_bounded {
            self.problem(
                Code::B0515,
                row,
                column,
                &format!("a text of more than {} bytes", limits::TEXT_BYTES),
            );
        }
        is_bounded
    }

    fn is_role(&mut self, role: &str, row: &Row, column: ColumnIndex) -> bool {
        let problem = no_role(role, self.table.cell_span(row, column));
        let valid = problem.is_none();
        problem.into_iter().for_each(|problem| self.problems.push(problem));
        valid
    }

    fn once<K: std::hash::Hash + Eq>(
        &mut self,
        names: &mut IndexMap<K, Span>,
        key: K,
        row: &Row,
        column: ColumnIndex,
    ) {
        let span = self.table.cell_span(row, column);
        match names.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(span);
            }
            Entry::Occupied(entry) => {
                let message = format!("the name `{}` is given twice", row.cell(column));
                let problem = Diagnostic::error(Code::B0506, span, message).also(*entry.get(), "first here");
                self.problems.push(problem.help("name the rows by a column that differs in each"));
            }
        }
    }

    fn domain(&mut self, parts: &[BoundText<'_>], row: &Row) -> Option<String> {
        let mut place = String::new();
        for part in parts {
            match part {
                BoundText::Column(column) => place.push_str(row.cell(*column)),
                BoundText::Text(text) => place.push_str(text),
            }
        }
        // Empty cells at the end stand for unknown levels.
        let place = place.trim_end_matches('/');
        if place.is_empty() {
            return None;
        }
        if !is_place(place) || place.contains(is_hidden) {
            let message = format!("`{place}` is no place");
            let span = self.table.row_span(row);
            let help = format!(
                "write at most {} names with `/` between; only the last may be empty",
                limits::LEVELS
            );
            self.problems.push(Diagnostic::error(Code::B0311, span, message).help(help));
            return None;
        }
        Some(place.to_owned())
    }

    fn amounts(&mut self, amounts: &[BoundAmount<'_>], row: &Row, keep_zero: bool) -> JsonFields {
        let mut fields = Vec::new();
        for BoundAmount { amount, columns } in amounts {
            // A product with an empty factor is unknown, not 0.
            if columns.iter().any(|column| row.cell(*column).is_empty()) {
                continue;
            }
            // Computed exactly and rounded once, when it is written.
            let mut product = Ok(Decimal::ONE);
            for column in columns {
                match Decimal::parse(row.cell(*column)) {
                    Ok(cell) if cell.is_negative() => self.bad_cell(row, *column, CellError::Negative),
                    Ok(cell) => product = product.and_then(|product| product.times(cell)),
                    Err(error) => self.bad_cell(row, *column, error),
                }
            }
            let Some(first) = columns.first() else { continue };
            match product.and_then(|product| product.write(&amount.unit)) {
                Ok(CellJson { is_zero: true, .. }) if !keep_zero => {}
                Ok(written) => {
                    self.note_rounding(&written, row, columns);
                    fields.push((amount.resource.clone(), written.json));
                }
                Err(error) => self.bad_cell(row, *first, error),
            }
        }
        fields
    }

    fn bad_cell(&mut self, row: &Row, column: ColumnIndex, error: CellError) {
        let code = match error {
            CellError::NotANumber => Code::B0515,
            CellError::TooLarge => Code::B0111,
            CellError::Negative => Code::B0507,
        };
        self.problem(code, row, column, &format!("`{}` {}", row.cell(column), error.describe()));
    }

    fn note_rounding(&mut self, written: &CellJson, row: &Row, columns: &[ColumnIndex]) {
        if !written.is_rounded {
            return;
        }
        self.summary.rounded += 1;
        let cells: Vec<_> = columns.iter().map(|column| row.cell(*column)).collect();
        let spans = columns.iter().map(|column| self.table.cell_span(row, *column));
        let span = spans.reduce(Span::to).unwrap_or_default();
        let message = format!("`{}` was rounded to `{}`", cells.join("*"), written.json);
        self.notes.push(Diagnostic::note(Code::B0512, span, message));
    }

    fn keys(&mut self, keys: &[BoundKey<'_>], row: &Row) -> JsonFields {
        let mut row_keys = KeyFields::default();
        for BoundKey { key, path, column, kind } in keys {
            let cell = row.cell(*column);
            if cell.is_empty() || !self.is_bounded(row, *column) {
                continue;
            }
            let value = match kind {
                BoundKind::Bool => Json::Bool(cell == "true"),
                BoundKind::Text => Json::text(cell),
                BoundKind::Quantity(unit) => match Decimal::parse(cell).and_then(|value| value.write(unit)) {
                    Ok(written) => {
                        self.note_rounding(&written, row, &[*column]);
                        written.json
                    }
                    Err(error) => {
                        self.bad_cell(row, *column, error);
                        continue;
                    }
                },
                BoundKind::Set(separator) => {
                    let members = cell.split(separator).map(str::trim).filter(|member| !member.is_empty());
                    Json::List(members.map(Json::text).collect())
                }
            };
            row_keys.insert(&key.key, path, value);
        }
        row_keys.fields
    }

    fn classes(&mut self, columns: &[ColumnIndex], row: &Row) -> Vec<Json> {
        let mut classes = Vec::new();
        for column in columns {
            let class = row.cell(*column);
            if class.is_empty() {
                continue;
            }
            if !is_class_name(class) {
                self.problem(Code::B0515, row, *column, &format!("`{class}` is no name of a class"));
                continue;
            }
            classes.push(Json::text(class));
        }
        classes
    }

    fn count(&mut self, row: &Row, column: ColumnIndex) -> Option<String> {
        let cell = row.cell(column);
        if cell.is_empty() {
            return None;
        }
        let count = cell.parse::<i64>().ok().filter(|count| (1..=limits::NEED_COUNT).contains(count));
        if count.is_none() {
            let message = format!("`{cell}` is no count from 1 to {}", limits::NEED_COUNT);
            self.problem(Code::B0515, row, column, &message);
        }
        count.map(|count| count.to_string())
    }
}

/// The needs of a table. Needs with a role are grouped below their framework.
#[derive(Default)]
struct Grouped {
    /// `true` if the import sets roles.
    has_roles: bool,
    records: Vec<Record>,
    /// The frameworks by name: the index of the record, the role and the needs.
    frameworks: IndexMap<String, (usize, Option<String>, Vec<Json>)>,
}

impl Grouped {
    /// Adds a need. Returns the role that its framework has already, if it differs.
    fn push(
        &mut self,
        name: &str,
        owner: Option<&str>,
        role: Option<&str>,
        mut need: JsonFields,
    ) -> Option<String> {
        // Only a framework record can hold a role. Once roles are imported, every need that names a framework
        // goes below such a record.
        let is_grouped = role.is_some() || self.has_roles && owner.is_some();
        if !is_grouped {
            if let Some(owner) = owner {
                need.insert(1, ("framework".to_owned(), Json::text(owner)));
            }
            self.records.push(Record { is_framework: false, fields: need });
            return None;
        }
        let framework = owner.unwrap_or(name).to_owned();
        let next = self.records.len();
        // The record of a framework stands where its first need was. Its needs are added at the end.
        let (at, known_role, needs) = self
            .frameworks
            .entry(framework.clone())
            .or_insert_with(|| (next, role.map(str::to_owned), Vec::new()));
        needs.push(Json::Object(need));
        if *at == next {
            let mut fields = vec![("name".to_owned(), Json::Text(framework))];
            fields.extend(role.map(|role| ("role".to_owned(), Json::text(role))));
            self.records.push(Record { is_framework: true, fields });
        }
        let is_same = known_role.as_deref() == role;
        (!is_same).then(|| known_role.clone().unwrap_or_else(|| "*".to_owned()))
    }

    fn finish(mut self) -> Vec<Record> {
        for (at, _, needs) in self.frameworks.into_values() {
            if let Some(record) = self.records.get_mut(at) {
                record.fields.push(("needs".to_owned(), Json::List(needs)));
            }
        }
        self.records
    }
}

fn push_object(fields: &mut JsonFields, name: &str, object: JsonFields) {
    if !object.is_empty() {
        fields.push((name.to_owned(), Json::Object(object)));
    }
}

fn push_list(fields: &mut JsonFields, name: &str, list: Vec<Json>) {
    if !list.is_empty() {
        fields.push((name.to_owned(), Json::List(list)));
    }
}
