//! The base of all readers of records: paths for messages, fields of objects, texts and names, numbers, and
//! the list of problems.
//!
//! Reading goes on after an error, so that one run reports every problem of a file. The methods of [`Reader`]
//! return `None` once they have reported a problem. Callers read all fields of a record before they give up
//! on it with `?`.

use std::{borrow::Cow, fmt};

use super::json::{Field, JsonNode, JsonNumber, SyntaxError, ValueKind, number};
use crate::{
    diagnostic::{Code, Diagnostic, hidden_character, nearest, no_role},
    inventory::records::Located,
    limits,
    quantity::{self, MILLION, Quantity, QuantityError},
    source::{SourceId, Span},
    value,
};

/// The path from the top of a document or line to a value, such as `agents[3].resources.cpus`. Each step
/// borrows its parent on the stack: a path costs nothing unless a message shows it.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: PathStep<'p>,
}

#[derive(Clone, Copy)]
enum PathStep<'p> {
    Field(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    /// The top of a document or line.
    pub const ROOT: Path<'static> = Path { parent: None, step: PathStep::Field("") };

    pub fn field(&'p self, name: &'p str) -> Path<'p> {
        Path { parent: Some(self), step: PathStep::Field(name) }
    }

    pub fn index(&'p self, index: usize) -> Path<'p> {
        Path { parent: Some(self), step: PathStep::Index(index) }
    }

    pub fn is_root(&self) -> bool {
        self.parent.is_none()
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else { return Ok(()) };
        parent.fmt(f)?;
        match self.step {
            PathStep::Index(index) => write!(f, "[{index}]"),
            PathStep::Field(name) if parent.is_root() => f.write_str(&value::show_name(name)),
            PathStep::Field(name) => write!(f, ".{}", value::show_name(name)),
        }
    }
}

/// The fields of an object that the format defines, in one slot for each known name.
pub(super) struct Fields<'a> {
    pub node: JsonNode<'a>,
    known: &'static [&'static str],
    slots: Vec<Option<Field<'a>>>,
}

impl<'a> Fields<'a> {
    /// Returns the value of a field.
    pub fn get(&self, name: &str) -> Option<JsonNode<'a>> {
        let at = self.known.iter().position(|known| *known == name)?;
        self.slots.get(at)?.map(|field| field.value)
    }
}

/// A field of an object with names of the user's choice.
pub(super) struct NamedField<'a> {
    /// The name, decoded.
    pub name: Cow<'a, str>,
    pub key: JsonNode<'a>,
    pub value: JsonNode<'a>,
}

/// A reader of one source, with the problems found so far.
pub(super) struct Reader {
    source: SourceId,
    /// `true` for NDJSON: at the top of each line the field `record` is known.
    pub lines: bool,
    errors: ProblemList,
    notes: ProblemList,
}

/// The problems of one severity, up to a limit, and the number of those beyond it.
#[derive(Default)]
struct ProblemList {
    diagnostics: Vec<Diagnostic>,
    more: usize,
}

impl ProblemList {
    fn push(&mut self, diagnostic: Diagnostic) {
        // One over the limit: the last problem kept also tells the number that follow.
        if self.diagnostics.len() <= limits::PROBLEMS_KEPT {
            self.diagnostics.push(diagnostic);
        } else {
            self.more += 1;
        }
    }

    fn finish(mut self) -> Vec<Diagnostic> {
        if let (Some(last), true) = (self.diagnostics.last_mut(), self.more > 0) {
            last.message.push_str(&format!(" (and {} more problems that are not listed)", self.more));
        }
        self.diagnostics
    }
}

impl Reader {
    pub fn new(source: SourceId, lines: bool) -> Reader {
        Reader { source, lines, errors: ProblemList::default(), notes: ProblemList::default() }
    }

    /// Returns all problems, errors first.
    pub fn finish(self) -> Vec<Diagnostic> {
        let mut all = self.errors.finish();
        all.extend(self.notes.finish());
        all
    }

    pub fn span(&self, node: JsonNode<'_>) -> Span {
        Span::new(self.source, node.start, node.end())
    }

    pub fn span_of(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    /// Returns the span of a text without its quotes. If the text has no escapes, an offset in the text is an
    /// offset in the source.
    pub fn inner_span(&self, node: JsonNode<'_>) -> Span {
        Span::new(self.source, node.start + 1, node.end() - 1)
    }

    /// Adds a problem. An error without help gets the general help of its code.
    pub fn push(&mut self, mut diagnostic: Diagnostic) {
        if diagnostic.is_error() && diagnostic.help.is_none() {
            diagnostic.help = Some(general_help(diagnostic.code).to_owned());
        }
        if diagnostic.is_error() { self.errors.push(diagnostic) } else { self.notes.push(diagnostic) }
    }

    /// Starts an error at a value. The message begins with the path.
    pub fn problem(&mut self, code: Code, node: JsonNode<'_>, path: &Path<'_>, message: &str) -> Problem<'_> {
        let text = if path.is_root() { message.to_owned() } else { format!("{path}: {message}") };
        let span = self.span(node);
        Problem { reader: self, diagnostic: Some(Diagnostic::error(code, span, text)) }
    }

    pub fn wrong_type(&mut self, node: JsonNode<'_>, path: &Path<'_>, expected: &str) -> Problem<'_> {
        let message = format!("expected {expected}, found {}", node.kind().describe());
        self.problem(Code::B0502, node, path, &message)
    }

    pub fn syntax(&mut self, error: &SyntaxError, help: Option<&str>) {
        let span = self.span_of(error.at, error.end);
        let message = if error.is_truncated {
            "the text ends in the middle of a value".to_owned()
        } else {
            format!("this is not JSON: {}", error.message)
        };
        let mut diagnostic = Diagnostic::error(Code::B0501, span, message);
        diagnostic.help = help.map(str::to_owned);
        self.push(diagnostic);
    }

    /// Reads an object with names of the user's choice. Of repeated names the first is kept, and each other
    /// is reported.
    pub fn entries<'a>(
        &mut self,
        node: JsonNode<'a>,
        path: &Path<'_>,
        what: &str,
    ) -> Option<Vec<NamedField<'a>>> {
        if node.kind() != ValueKind::Object {
            self.wrong_type(node, path, what);
            return None;
        }
        let mut entries: Vec<NamedField<'a>> = Vec::new();
        for Field { key, value } in node.fields() {
            if let Some(name) = self.decoded(key) {
                entries.push(NamedField { name, key, value });
            }
        }
        self.drop_repeats(&mut entries, path);
        Some(entries)
    }

    fn drop_repeats(&mut self, entries: &mut Vec<NamedField<'_>>, path: &Path<'_>) {
        // Most objects are small and have no repeats: comparing all pairs allocates nothing. Others are
        // sorted.
        const SMALL: usize = 16;
        let repeats =
            |(i, entry): (usize, &NamedField<'_>)| entries[..i].iter().any(|it| it.name == entry.name);
        if entries.len() <= SMALL && !entries.iter().enumerate().any(repeats) {
            return;
        }
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by(|&a, &b| entries[a].name.cmp(&entries[b].name).then(a.cmp(&b)));
        let mut repeats = Vec::new();
        for pair in order.windows(2) {
            let [first, again] = [&entries[pair[0]], &entries[pair[1]]];
            if first.name == again.name {
                let at = path.field(&first.name);
                let diagnostic =
                    Diagnostic::error(Code::B0212, self.span(again.key), format!("{at}: given twice"))
                        .also(self.span(first.key), "and here")
                        .help("keep one of them");
                self.push(diagnostic);
                repeats.push(pair[1]);
            }
        }
        repeats.sort_unstable();
        // From the end, so that the positions of the others stay valid.
        for at in repeats.into_iter().rev() {
            entries.remove(at);
        }
    }

    /// Reads an object of the format. Reports unknown and repeated fields.
    pub fn fields<'a>(
        &mut self,
        node: JsonNode<'a>,
        path: &Path<'_>,
        what: &str,
        known: &'static [&'static str],
    ) -> Option<Fields<'a>> {
        if node.kind() != ValueKind::Object {
            self.wrong_type(node, path, &format!("{what} (an object)"));
            return None;
        }
        Some(self.known_fields(node, node.fields(), path, known))
    }

    /// Reads an object of the format from fields that are found already.
    pub fn known_fields<'a>(
        &mut self,
        node: JsonNode<'a>,
        found: impl Iterator<Item = Field<'a>>,
        path: &Path<'_>,
        known: &'static [&'static str],
    ) -> Fields<'a> {
        let mut fields = Fields { node, known, slots: vec![None; known.len()] };
        for field in found {
            let Some(name) = self.decoded(field.key) else { continue };
            match known.iter().position(|known| *known == name) {
                Some(at) => match fields.slots.get_mut(at) {
                    Some(slot @ None) => *slot = Some(field),
                    Some(Some(first)) => self.repeated(first.key, field.key, path, &name),
                    None => {}
                },
                // `document` has read this field already.
                None if self.lines && path.is_root() && name == "record" => {}
                None => self.unknown_field(field.key, path, &name, known),
            }
        }
        fields
    }

    fn repeated(&mut self, first: JsonNode<'_>, again: JsonNode<'_>, path: &Path<'_>, name: &str) {
        let message = format!("{}: given twice", path.field(name));
        let diagnostic = Diagnostic::error(Code::B0212, self.span(again), message)
            .also(self.span(first), "and here")
            .help("keep one of them");
        self.push(diagnostic);
    }

    fn unknown_field(&mut self, key: JsonNode<'_>, path: &Path<'_>, name: &str, known: &[&str]) {
        let list = known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? known here: {list}"),
            None => format!("known here: {list}"),
        };
        self.problem(Code::B0503, key, path, &format!("unknown field {}", quoted(name))).help(help);
    }

    /// Returns a field, and reports it if it is missing.
    pub fn required<'a>(&mut self, fields: &Fields<'a>, name: &str, path: &Path<'_>) -> Option<JsonNode<'a>> {
        let found = fields.get(name);
        if found.is_none() {
            let start = fields.node.start;
            let span = self.span_of(start, start + 1);
            let before = if path.is_root() { String::new() } else { format!("{path}: ") };
            let message = format!("{before}the field `{name}` is missing");
            self.push(Diagnostic::error(Code::B0504, span, message).help(format!("add `\"{name}\": …`")));
        }
        found
    }

    /// Returns the members of a list of bounded length. Reports other values and longer lists.
    pub fn list<'a>(
        &mut self,
        node: JsonNode<'a>,
        path: &Path<'_>,
        expected: &str,
    ) -> Option<Vec<JsonNode<'a>>> {
        if node.kind() != ValueKind::List {
            self.wrong_type(node, path, expected);
            return None;
        }
        let members: Vec<_> = node.elements().take(limits::LIST_MEMBERS + 1).collect();
        if members.len() > limits::LIST_MEMBERS {
            let message = format!("a list of more than {} members", limits::LIST_MEMBERS);
            self.problem(Code::B0514, node, path, &message);
            return None;
        }
        Some(members)
    }

    /// Decodes a text.
    pub fn decoded<'a>(&mut self, node: JsonNode<'a>) -> Option<Cow<'a, str>> {
        node.text().map_err(|error| self.syntax(&error, None)).ok()
    }

    /// Decodes a text of bounded length.
    pub fn text<'a>(&mut self, node: JsonNode<'a>, path: &Path<'_>, expected: &str) -> Option<Cow<'a, str>> {
        if node.kind() != ValueKind::Text {
            self.wrong_type(node, path, expected);
            return None;
        }
        let text = self.decoded(node)?;
        if text.len() > limits::TEXT_BYTES {
            let message = format!("a text of more than {} bytes", limits::TEXT_BYTES);
            self.problem(Code::B0502, node, path, &message);
            return None;
        }
        Some(text)
    }

    /// Checks that a text can be a name: not empty, not too long, without hidden characters. `node` is its
    /// place.
    pub fn is_name(&mut self, text: &str, node: JsonNode<'_>, path: &Path<'_>) -> bool {
        if text.is_empty() {
            self.problem(Code::B0502, node, path, "a name must not be empty");
            return false;
        }
        if text.len() > limits::TEXT_BYTES {
            let message = format!("a name of more than {} bytes", limits::TEXT_BYTES);
            self.problem(Code::B0502, node, path, &message);
            return false;
        }
        let Some(problem) = hidden_character(text, self.span(node)) else { return true };
        self.push_at(problem, path);
        false
    }

    /// Adds a problem found elsewhere, with the path before its message.
    fn push_at(&mut self, problem: Diagnostic, path: &Path<'_>) {
        self.push(problem.about(path));
    }

    /// Checks that a text has no characters that hide or reorder what is read.
    pub fn is_clean(&mut self, text: &str, node: JsonNode<'_>, path: &Path<'_>) -> bool {
        if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) {
            return true;
        }
        let Some(bad) = text.chars().find(|c| value::is_forbidden(*c) || c.is_control()) else { return true };
        let message = format!("the character U+{:04X} may not stand here", u32::from(bad));
        self.problem(Code::B0102, node, path, &message)
            .help("control characters and those that reorder text hide what is read: remove it");
        false
    }

    /// Reads a name.
    pub fn name(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<Located> {
        let text = self.text(node, path, "a name (a text)")?;
        self.is_name(&text, node, path).then(|| self.located(&text, node))
    }

    /// Reads the path of a role.
    pub fn role_path(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<Located> {
        let role = self.name(node, path)?;
        let Some(problem) = no_role(&role.text, role.span) else { return Some(role) };
        self.push_at(problem, path);
        None
    }

    /// Reads the name of an agent or tier, which is one segment of a path.
    pub fn segment_name(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<Located> {
        let name = self.name(node, path)?;
        if name.text.contains('/') {
            self.problem(Code::B0502, node, path, &format!("the name `{}` holds a `/`", name.text))
                .help("`/` separates the names of tiers in the path of a pool: leave it out of names");
            return None;
        }
        Some(name)
    }

    /// Returns a text with the span between its quotes.
    pub fn located(&self, text: &str, node: JsonNode<'_>) -> Located {
        Located { text: text.to_owned(), span: self.inner_span(node) }
    }

    /// Reads one line of the language, which is parsed later.
    pub fn language(&mut self, node: JsonNode<'_>, path: &Path<'_>, expected: &str) -> Option<Located> {
        let text = self.text(node, path, expected)?;
        if text.trim().is_empty() {
            self.problem(Code::B0502, node, path, &format!("expected {expected}, found an empty text"));
            return None;
        }
        if text.contains(['\n', '\r']) {
            self.problem(Code::B0502, node, path, "a line break, where one statement is expected")
                .help("write each statement as a text of its own");
            return None;
        }
        // A tab is space in the language.
        self.is_clean(&text.replace('\t', " "), node, path).then(|| self.located(&text, node))
    }

    /// Reads a path in the tree of fault domains.
    pub fn place(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<Located> {
        let text = self.text(node, path, "a place such as \"us-west/a\" (a text)")?;
        if !value::is_place(&text) {
            self.problem(Code::B0311, node, path, &format!("{} is no place", quoted(&text))).help(format!(
                "write at most {} names with `/` between, as in \"us-west/a\"",
                limits::LEVELS
            ));
            return None;
        }
        self.is_name(&text, node, path).then(|| self.located(&text, node))
    }

    /// Reads a boolean.
    pub fn boolean(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<bool> {
        match node.kind() {
            ValueKind::Bool(value) => Some(value),
            _ => {
                self.wrong_type(node, path, "true or false");
                None
            }
        }
    }

    /// Reads a JSON number: whole, or a fraction in millionths.
    pub fn number(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<Numeric> {
        match number(node.raw) {
            JsonNumber::Whole(value) => Some(Numeric::Whole(value)),
            JsonNumber::Decimal(digits) => self.quantity(&digits, node, path).map(Numeric::Decimal),
            JsonNumber::TooLarge => {
                self.problem(Code::B0111, node, path, &format!("`{}` is too large", truncated(node.raw)));
                None
            }
        }
    }

    /// Reads a JSON number in millionths, for keys and weights.
    pub fn millionths(&mut self, node: JsonNode<'_>, path: &Path<'_>) -> Option<i64> {
        match self.number(node, path)? {
            Numeric::Decimal(quantity) => Some(quantity.amount),
            Numeric::Whole(value) => {
                let scaled = value.checked_mul(MILLION);
                if scaled.is_none() {
                    self.problem(Code::B0111, node, path, &format!("`{value}` is too large"));
                }
                scaled
            }
        }
    }

    /// Reads a whole number from 1 to `high`.
    pub fn count(&mut self, node: JsonNode<'_>, path: &Path<'_>, high: i64) -> Option<i64> {
        if node.kind() != ValueKind::Number {
            self.wrong_type(node, path, "a whole number");
            return None;
        }
        match self.number(node, path)? {
            Numeric::Whole(value) if (1..=high).contains(&value) => Some(value),
            Numeric::Whole(value) => {
                let message = format!("`{value}` is not between 1 and {high}");
                self.problem(Code::B0308, node, path, &message);
                None
            }
            Numeric::Decimal(_) => {
                let message = format!("expected a whole number, found `{}`", truncated(node.raw));
                self.problem(Code::B0502, node, path, &message);
                None
            }
        }
    }

    /// Parses a quantity with a unit, or decimal digits. Notes where the unit cannot hold all digits and the
    /// amount was rounded.
    pub fn quantity(&mut self, text: &str, node: JsonNode<'_>, path: &Path<'_>) -> Option<Quantity> {
        match Quantity::parse_rounding(text) {
            Ok((quantity, false)) => Some(quantity),
            Ok((quantity, true)) => {
                let message = format!("{path}: `{}` was rounded to `{quantity}`", truncated(text));
                let note = Diagnostic::note(Code::B0512, self.span(node), message);
                self.push(note.help("a number keeps six digits after the point, a unit whole base units"));
                Some(quantity)
            }
            Err(error) => {
                self.bad_quantity(text, &error, node, path);
                None
            }
        }
    }

    fn bad_quantity(&mut self, text: &str, error: &QuantityError, node: JsonNode<'_>, path: &Path<'_>) {
        let shown = quoted(text);
        match error {
            QuantityError::UnknownUnit(unit) if unit.len() < text.len() => {
                let near = nearest(unit, quantity::unit_names());
                let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
                let units = quantity::unit_names().collect::<Vec<_>>().join(" ");
                let message = format!("unknown unit {} in {shown}", quoted(unit));
                self.problem(Code::B0109, node, path, &message).help(format!("{near}units: {units}"));
            }
            QuantityError::Overflow(_) => {
                self.problem(Code::B0111, node, path, &format!("{shown} is too large"));
            }
            _ => {
                let message = format!("expected an amount, found the text {shown}");
                self.problem(Code::B0502, node, path, &message)
                    .help("write a number, or a text such as \"64GiB\", \"10Gbps\" or \"unlimited\"");
            }
        }
    }
}

/// Returns the help for an error that has none of its own.
fn general_help(code: Code) -> &'static str {
    match code {
        Code::B0501 => "correct the text there; where it is cut short, write or fetch the file again",
        Code::B0105 => "use fewer levels: a key may be dotted, as `adapter.infiniband` is",
        Code::B0111 => "write the true amount; \"unlimited\" is one of any kind",
        Code::B0308 => "write a number in this range",
        Code::B0514 => "split it, or write ranges such as \"1..5000\"",
        Code::B0212 => "keep one of them",
        _ => "write what is expected, or leave the field out",
    }
}

/// A JSON number, within 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numeric {
    Whole(i64),
    Decimal(Quantity),
}

/// An error under construction. Dropping it adds it to the reader, so that help is optional at every use.
pub(super) struct Problem<'r> {
    reader: &'r mut Reader,
    diagnostic: Option<Diagnostic>,
}

impl Problem<'_> {
    pub fn help(mut self, help: impl Into<String>) {
        if let Some(diagnostic) = &mut self.diagnostic {
            diagnostic.help = Some(help.into());
        }
    }
}

impl Drop for Problem<'_> {
    fn drop(&mut self) {
        if let Some(diagnostic) = self.diagnostic.take() {
            self.reader.push(diagnostic);
        }
    }
}

/// Formats a text of the user for a message.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", truncated(text))
}

/// Shortens a text for a message.
pub(super) fn truncated(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
