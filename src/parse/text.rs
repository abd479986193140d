//! The scan before the grammar runs: encoding, characters, quotes, comments and brackets.
//!
//! The scan is one pass with a stack of open brackets and no recursion. The grammar is recursive, so the scan
//! bounds the depth of brackets, and the grammar never meets a bracket without a partner.

use super::{Problems, TextOrigin};
use crate::{
    diagnostic::{Code, Diagnostic},
    limits,
    source::{SourceId, Sources, Span},
    value::is_forbidden,
};

/// The results of the scan.
#[derive(Debug, Default)]
pub(super) struct TextScan {
    /// The `//` comments, in source order.
    pub comments: Vec<Comment>,
    /// `true` if brackets or quotes have no partner, or a limit is exceeded. Statements cannot be told apart
    /// then, and the grammar is not run.
    pub broken: bool,
}

/// A `//` comment, without its line end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comment {
    /// The offset of the first byte.
    pub start: usize,
    /// The offset after the last byte.
    pub end: usize,
    /// `true` for a `///` comment that is alone on its line and has no fourth slash.
    doc: bool,
    /// `true` once the comment is the documentation of a statement.
    used: bool,
}

/// Adds bytes as a source. Replaces bytes that are not UTF-8 by replacement characters, and reports the
/// first.
pub(super) fn decode(sources: &mut Sources, name: &str, bytes: &[u8]) -> (SourceId, Vec<Diagnostic>) {
    if bytes.len() > limits::SOURCE_BYTES {
        let id = sources.add(name, "");
        let (size, most) = (bytes.len(), limits::SOURCE_BYTES);
        let message = format!("a source of {size} bytes; at most {most} are read");
        let problem = Diagnostic::error(Code::B0106, Span::new(id, 0, 0), message)
            .help("split it: all `.policy` files of a folder are one set");
        return (id, vec![problem]);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => (sources.add(name, text), Vec::new()),
        Err(error) => {
            let at = error.valid_up_to();
            let id = sources.add(name, String::from_utf8_lossy(bytes));
            // The bytes before the first bad one are unchanged, so its offset holds in the replaced text too.
            let span = Span::new(id, at, at + char::REPLACEMENT_CHARACTER.len_utf8());
            let byte = bytes.get(at).copied().unwrap_or_default();
            let message = format!("byte {at} (0x{byte:02x}) is not UTF-8");
            (id, vec![Diagnostic::error(Code::B0101, span, message).help("save the file as UTF-8")])
        }
    }
}

/// Scans a text and adds its problems to `problems`.
pub(super) fn scan(text: &str, place: TextOrigin, problems: &mut Problems) -> TextScan {
    forbidden(text, place, problems);
    let mut scanner =
        Scanner { text, place, problems, open: Vec::new(), text_open: false, scan: TextScan::default() };
    scanner.run();
    scanner.scan
}

/// Reports every character that a source may not contain. A carriage return is allowed before a line feed
/// only.
fn forbidden(text: &str, place: TextOrigin, problems: &mut Problems) {
    for (at, c) in text.char_indices() {
        // Printable ASCII is skipped first: it is nearly every character.
        let lone_return = c == '\r' && text.as_bytes().get(at + 1) != Some(&b'\n');
        if (c.is_ascii() && c >= ' ' && c != '\u{7f}') || !(is_forbidden(c) || lone_return) {
            continue;
        }
        let message = format!("the character U+{:04X} may not stand in a source", u32::from(c));
        let problem = Diagnostic::error(Code::B0102, place.span(at, at + c.len_utf8()), message);
        problems.push_mark(at, problem.help(format!("in a text, write `\\u{{{:x}}}`", u32::from(c))));
    }
}

struct Scanner<'a> {
    text: &'a str,
    place: TextOrigin,
    problems: &'a mut Problems,
    open: Vec<(u8, usize)>,
    /// `true` after a quoted text without an end. It may hold the partner of any bracket, so brackets without
    /// a partner are not reported from then on.
    text_open: bool,
    scan: TextScan,
}

impl Scanner<'_> {
    fn run(&mut self) {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        let mut statements = 0;
        while let Some(&byte) = bytes.get(at) {
            // Quotes and comments are skipped as a whole, so brackets in them do not count.
            at = match byte {
                b'"' => self.quoted(at),
                b'\'' => self.single_quoted(at),
                b'/' if bytes.get(at + 1) == Some(&b'/') => self.comment(at),
                b'#' => self.hash(at),
                b';' => self.semicolon(at),
                b'(' | b'[' | b'{' => {
                    self.open.push((byte, at));
                    if self.open.len() > limits::NESTING {
                        self.too_deep(at);
                        return;
                    }
                    at + 1
                }
                b')' | b']' | b'}' => {
                    self.close(byte, at);
                    at + 1
                }
                // Statements end here. In parentheses and square brackets, commas and line ends separate list
                // members.
                b'\n' | b',' if self.open.last().is_none_or(|(open, _)| *open == b'{') => {
                    statements += 1;
                    if statements > limits::STATEMENTS {
                        self.too_many(at);
                        return;
                    }
                    at + 1
                }
                _ => at + 1,
            };
        }
        // Brackets that are still open at the end of the text.
        for (byte, at) in std::mem::take(&mut self.open) {
            self.unclosed(byte, at);
        }
    }

    fn too_many(&mut self, at: usize) {
        self.scan.broken = true;
        let message = format!("a source of more than {} statements", limits::STATEMENTS);
        self.report(
            Code::B0106,
            at,
            at + 1,
            message,
            "split it; large fleets are data: see `docs/inventory.md`",
        );
    }

    fn line_end(&self, at: usize) -> usize {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |length| at + length);
        if self.text[..end].ends_with('\r') && end > at { end - 1 } else { end }
    }

    fn report(&mut self, code: Code, start: usize, end: usize, message: String, help: &str) {
        let problem = Diagnostic::error(code, self.place.span(start, end), message);
        self.problems.push(problem.help(help));
    }

    fn quoted(&mut self, start: usize) -> usize {
        // A backslash hides the next byte, but no line end: a quoted text never spans lines.
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        loop {
            match bytes.get(at) {
                Some(b'"') => return at + 1,
                Some(b'\\') if bytes.get(at + 1).is_some_and(|&next| next != b'\n') => at += 2,
                Some(b'\n') | None => break,
                Some(_) => at += 1,
            }
        }
        let end = self.line_end(start);
        self.scan.broken = true;
        self.text_open = true;
        let help = "a text ends on its line with `\"`; a line end inside it is written `\\n`";
        self.report(Code::B0103, start, end, "this text does not end".to_owned(), help);
        end
    }

    fn single_quoted(&mut self, start: usize) -> usize {
        let rest = &self.text.as_bytes()[start + 1..];
        let length = rest.iter().position(|byte| matches!(byte, b'\'' | b'\n')).unwrap_or(rest.len());
        let end = start + 1 + length;
        if rest.get(length) == Some(&b'\'') {
            // The grammar reads it and reports the quotes.
            return end + 1;
        }
        self.scan.broken = true;
        self.text_open = true;
        let help = "a text stands in double quotes: `\"text\"`";
        self.report(Code::B0103, start, end, "`'` begins no text".to_owned(), help);
        end
    }

    fn comment(&mut self, start: usize) -> usize {
        let end = self.line_end(start);
        let text = &self.text[start..end];
        let before = self.text[..start].trim_end_matches([' ', '\t']);
        let doc = text.starts_with("///")
            && !text.starts_with("////")
            && (before.is_empty() || before.ends_with('\n'));
        self.scan.comments.push(Comment { start, end, doc, used: false });
        end
    }

    fn hash(&mut self, start: usize) -> usize {
        self.mark(start, "`#` begins no comment", "a comment begins with `//`");
        self.line_end(start)
    }

    fn semicolon(&mut self, start: usize) -> usize {
        let help = "a statement ends at the end of its line; on one line, a comma stands between two";
        self.mark(start, "`;` ends no statement", help);
        start + 1
    }

    /// Reports a character that belongs to no statement.
    fn mark(&mut self, at: usize, message: &str, help: &str) {
        let problem = Diagnostic::error(Code::B0107, self.place.span(at, at + 1), message);
        self.problems.push_mark(at, problem.help(help));
    }

    fn too_deep(&mut self, at: usize) {
        self.scan.broken = true;
        let message = format!("brackets are nested more than {} deep here", limits::NESTING);
        self.report(Code::B0105, at, at + 1, message, "name a part of it with `let` or a class");
    }

    fn close(&mut self, byte: u8, at: usize) {
        let wanted = partner(byte);
        if self.open.last().is_some_and(|open| open.0 == wanted) {
            self.open.pop();
            return;
        }
        // If an outer bracket is the partner, the brackets inside it are the ones without an end.
        let outer = self.open.iter().rposition(|open| open.0 == wanted);
        match outer {
            Some(depth) => {
                for (byte, at) in self.open.split_off(depth + 1) {
                    self.unclosed(byte, at);
                }
                self.open.pop();
            }
            // The partner may be inside the quoted text that did not end.
            None if self.text_open => {}
            None => {
                self.scan.broken = true;
                let found = char::from(byte);
                let span = self.place.span(at, at + 1);
                self.problems.push(match self.open.pop() {
                    // A wrong closing bracket is taken for a misspelling of the right one, so the opening one
                    // counts as closed.
                    Some((open, opened)) => {
                        let (open, right) = (char::from(open), char::from(partner(open)));
                        Diagnostic::error(Code::B0104, span, format!("`{found}` does not close `{open}`"))
                            .also(self.place.span(opened, opened + 1), "opened here")
                            .help(format!("close it with `{right}`"))
                    }
                    None => Diagnostic::error(Code::B0104, span, format!("`{found}` closes nothing"))
                        .help("remove it, or open it before"),
                });
            }
        }
    }

    fn unclosed(&mut self, byte: u8, at: usize) {
        if self.text_open {
            return;
        }
        self.scan.broken = true;
        let message = format!("`{}` is never closed", char::from(byte));
        let help = format!("add the `{}` that belongs to it", char::from(partner(byte)));
        self.report(Code::B0104, at, at + 1, message, &help);
    }
}

fn partner(bracket: u8) -> u8 {
    match bracket {
        b'(' => b')',
        b'[' => b']',
        b'{' => b'}',
        b')' => b'(',
        b']' => b'[',
        _ => b'{',
    }
}

impl TextScan {
    /// Returns the `///` lines directly above the statement that starts at `start`, and marks them as used.
    /// Ordinary comments and empty lines in between are skipped.
    pub fn docs(&mut self, text: &str, start: usize) -> Vec<String> {
        // Walks upwards from the statement; comments are sorted by offset.
        let mut lines = Vec::new();
        let (mut last, mut below) = (self.comments.partition_point(|comment| comment.start < start), start);
        while let Some(comment) = last.checked_sub(1).and_then(|at| self.comments.get_mut(at)) {
            let between = text.get(comment.end..below).unwrap_or("x");
            if comment.used || !between.trim_ascii().is_empty() {
                break;
            }
            if comment.doc {
                comment.used = true;
                let line = text.get(comment.start + 3..comment.end).unwrap_or("");
                lines.push(line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned());
            }
            below = comment.start;
            last -= 1;
        }
        lines.reverse();
        lines
    }

    /// Returns the comments that document no statement.
    pub fn plain_comments(&self) -> impl Iterator<Item = &Comment> {
        self.comments.iter().filter(|comment| !comment.used)
    }
}
