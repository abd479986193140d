//! Bodies: the arrangement of statements, comments and blank lines.

use super::{
    STEP, WIDTH,
    align::{self, AlignedLine, width},
    marks::{Mark, StatementRun},
    tokens::{Token, TokenKind},
    write::{Level, Writer},
};

/// The tokens of a text with their marks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marked<'t> {
    pub tokens: &'t [Token<'t>],
    pub marks: &'t [Mark],
}

/// An item of a body, with the number of line ends before it.
#[derive(Clone, Copy, Debug)]
struct BodyItem {
    what: What,
    lines: usize,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// The tokens from an index up to another.
    Statement(usize, usize),
    Comment(usize),
    /// A comma that separates a comment from the statement after it, so that the comment does not become its
    /// documentation.
    Comma,
}

/// The text of a body.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    /// The comment after the opening brace.
    pub head: Option<String>,
    pub lines: Vec<String>,
}

/// A formatted part of a body.
enum Piece {
    Row(AlignedLine),
    /// A statement of several lines.
    Lines(Vec<String>),
    Blank,
}

/// Formats a whole file.
pub(super) fn file(marked: &Marked<'_>) -> String {
    let lines = marked.body(0, marked.tokens.len(), 0, true);
    let mut out = String::new();
    for line in &lines.lines {
        out.push_str(line);
        out.push('\n');
    }
    out
}

impl<'t> Marked<'t> {
    pub(super) fn token(&self, at: usize) -> Token<'t> {
        let none = Token { kind: TokenKind::Sign, text: "", start: 0, lines: 0, partner: 0 };
        self.tokens.get(at).copied().unwrap_or(none)
    }

    pub(super) fn mark(&self, at: usize) -> Mark {
        self.marks.get(at).copied().unwrap_or_default()
    }

    /// Returns the statements between two tokens, in order.
    pub(super) fn statements(&self, from: usize, to: usize) -> impl Iterator<Item = (usize, usize)> {
        self.entries(from, to).into_iter().filter_map(|entry| match entry.what {
            What::Statement(from, to) => Some((from, to)),
            _ => None,
        })
    }

    fn entries(&self, from: usize, to: usize) -> Vec<BodyItem> {
        let mut entries: Vec<BodyItem> = Vec::new();
        let (mut at, mut lines) = (from, 0);
        while at < to {
            let token = self.token(at);
            lines += token.lines;
            // A token that is neither a comment nor the start of a statement is a comma.
            let (what, next) = if token.kind == TokenKind::Comment {
                (What::Comment(at), at + 1)
            } else if self.mark(at).statement.is_some() {
                let end = self.statement_end(at, to);
                (What::Statement(at, end), end)
            } else {
                let keeps_apart = self.keeps_apart(at, lines, &entries);
                at += 1;
                if !keeps_apart {
                    continue;
                }
                (What::Comma, at)
            };
            entries.push(BodyItem { what, lines });
            (at, lines) = (next, 0);
        }
        entries
    }

    /// Returns `true` if a comma must stay: without it, a `///` beside it would document the next statement.
    fn keeps_apart(&self, comma: usize, lines: usize, before: &[BodyItem]) -> bool {
        let next = self.token(comma + 1);
        let behind =
            lines > 0 && next.lines == 0 && next.kind == TokenKind::Comment && next.text.starts_with("///");
        let comments = before.iter().rev().map_while(|entry| match entry.what {
            What::Comment(at) => Some(self.token(at)),
            _ => None,
        });
        behind || comments.into_iter().any(|comment| comment.is_doc())
    }

    /// Returns the end of a statement: the start of the next one, without the commas and comments before
    /// that.
    fn statement_end(&self, from: usize, to: usize) -> usize {
        let mut end = from + 1;
        if self.token(from).is("{") {
            end = self.token(from).partner + 1;
        }
        while end < to && self.mark(end).statement.is_none() {
            // Skips the statements inside braces.
            end = if self.token(end).is("{") { self.token(end).partner + 1 } else { end + 1 };
        }
        while end > from + 1
            && (self.token(end - 1).is(",") || self.token(end - 1).kind == TokenKind::Comment)
        {
            end -= 1;
        }
        end
    }

    /// Formats the items between two tokens, on lines of their own. One blank line is kept where the author
    /// left any.
    pub(super) fn body(&self, from: usize, to: usize, indent: usize, top: bool) -> Lines {
        let entries = self.entries(from, to);
        let mut out = Lines::default();
        let mut pieces: Vec<Piece> = Vec::new();
        let mut at = 0;
        while let Some(entry) = entries.get(at) {
            let begins = pieces.is_empty();
            if entry.lines > 1 && !begins {
                pieces.push(Piece::Blank);
            }
            match entry.what {
                What::Comment(comment) => {
                    let text = self.token(comment).text.to_owned();
                    match pieces.last_mut() {
                        // A comment on the line of a statement stays there.
                        Some(Piece::Row(row)) if entry.lines == 0 => row.comment = Some(text),
                        Some(Piece::Lines(lines)) if entry.lines == 0 => append(lines, &format!(" {text}")),
                        None if entry.lines == 0 && out.head.is_none() => out.head = Some(text),
                        _ => pieces.push(Piece::Row(AlignedLine::plain(text))),
                    }
                    at += 1;
                }
                What::Comma => {
                    pieces.push(Piece::Row(AlignedLine::plain(",".to_owned())));
                    at += 1;
                }
                What::Statement(..) => {
                    let rest = &entries[at..];
                    let more = rest.iter().skip(1).take_while(|next| next.lines == 0);
                    let more = more.take_while(|next| matches!(next.what, What::Statement(..))).count();
                    let shared = &rest[..=more];
                    let next = rest.get(more + 1..).unwrap_or_default();
                    self.one_line(shared, next, indent, top, &mut pieces);
                    at += more + 1;
                }
            }
        }
        out.lines = joined(pieces, indent);
        out
    }

    /// Formats statements that the author wrote on one line. They stay on one line if it is not too wide.
    fn one_line(
        &self,
        entries: &[BodyItem],
        after: &[BodyItem],
        indent: usize,
        top: bool,
        pieces: &mut Vec<Piece>,
    ) {
        let mut made: Vec<Piece> = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let What::Statement(from, to) = entry.what else { continue };
            let mut piece = self.statement(from, to, indent);
            let is_statement = |entry: &&BodyItem| matches!(entry.what, What::Statement(..));
            // A line that begins with `and`, `or` or `else` would continue this statement. A comma prevents
            // it.
            if let Some(BodyItem { what: What::Statement(next, _), .. }) =
                entries[at + 1..].iter().chain(after).find(is_statement)
                && self.would_go_on(*next)
            {
                match &mut piece {
                    Piece::Row(row) => append(&mut row.cells, ","),
                    Piece::Lines(lines) => append(lines, ","),
                    Piece::Blank => {}
                }
            }
            made.push(piece);
        }
        // Blocks at the top of a file always get lines of their own.
        let texts: Option<Vec<String>> = made
            .iter()
            .map(|piece| match piece {
                Piece::Row(row) if !(top && matches!(row.run, StatementRun::Block(_))) => {
                    Some(row.text().trim_end_matches(',').to_owned())
                }
                _ => None,
            })
            .collect();
        if let (true, Some(texts)) = (made.len() > 1, texts) {
            let mut text = texts.join(", ");
            if matches!(made.last(), Some(Piece::Row(row)) if row.text().ends_with(',')) {
                text.push(',');
            }
            if indent + width(&text) <= WIDTH {
                made = vec![Piece::Row(AlignedLine::plain(text))];
            }
        }
        pieces.extend(made);
    }

    /// Returns `true` if a statement begins with a word that would continue the one before it.
    fn would_go_on(&self, at: usize) -> bool {
        let token = self.token(at);
        token.kind == TokenKind::Word && matches!(token.text, "and" | "or" | "else")
    }

    /// Formats a statement: as a row if it fits one line, else at the first level of breaking that fits the
    /// width. If none does, the narrowest is used.
    fn statement(&self, from: usize, to: usize, indent: usize) -> Piece {
        // Levels are tried from the fewest breaks to the most.
        let mut best: Option<(usize, Vec<String>)> = None;
        let mut writer = Writer::new(*self, indent);
        for level in Level::ALL {
            let written = writer.statement(from, to, level);
            if written.widest <= WIDTH
                && let [line] = written.lines.as_slice()
            {
                return Piece::Row(self.row(from, to, line, &written.columns));
            }
            if best.as_ref().is_none_or(|(widest, _)| written.widest < *widest) {
                best = Some((written.widest, written.lines));
            }
            if written.widest <= WIDTH {
                break;
            }
        }
        Piece::Lines(best.map(|(_, lines)| lines).unwrap_or_default())
    }

    fn row(&self, from: usize, to: usize, line: &str, columns: &[(usize, bool)]) -> AlignedLine {
        let run = self.mark(from).statement.unwrap_or(StatementRun::None);
        // Bodies are divided into cells only for blocks and requests, whose bodies resemble each other.
        let in_columns = matches!(run, StatementRun::Block(_) | StatementRun::Request);
        let columns = columns.iter().filter(|(_, in_body)| in_columns || !in_body);
        let mut cells = Vec::new();
        let mut start = 0;
        for (at, _) in columns.clone() {
            cells.extend(line.get(start..*at).map(|cell| cell.trim().to_owned()));
            start = *at;
        }
        cells.push(line.get(start..).unwrap_or("").trim().to_owned());
        let body = (from..to).find(|at| in_columns && self.token(*at).is("{"));
        let in_body = columns.filter(|(_, in_body)| *in_body).count() + usize::from(body.is_some());
        let heads = cells.len().saturating_sub(in_body);
        let inside = body.map(|open| self.statements(open + 1, self.token(open).partner));
        let keys = inside.into_iter().flatten().map(|(first, _)| self.token(first).text.to_owned()).collect();
        AlignedLine { run, cells, heads, keys, comment: None }
    }
}

fn append(lines: &mut [String], text: &str) {
    if let Some(last) = lines.last_mut() {
        last.push_str(text);
    }
}

/// Joins the parts of a body. Rows without anything between them are laid out together.
fn joined(pieces: Vec<Piece>, indent: usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut rows: Vec<AlignedLine> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Row(row) => rows.push(row),
            Piece::Lines(lines) => {
                out.extend(align::lines(&std::mem::take(&mut rows), indent));
                out.extend(lines);
            }
            Piece::Blank => {
                out.extend(align::lines(&std::mem::take(&mut rows), indent));
                out.push(String::new());
            }
        }
    }
    out.extend(align::lines(&rows, indent));
    out
}

impl Marked<'_> {
    /// Returns `true` if a body may stand on the line of its head, which is so if the author wrote it there.
    pub(super) fn is_flat(&self, open: usize) -> bool {
        let close = self.token(open).partner;
        close == open + 1 || (open + 1..=close).all(|at| self.token(at).lines == 0)
    }

    /// Returns the indentation of a body.
    pub(super) fn inner(indent: usize) -> usize {
        indent + STEP
    }
}
