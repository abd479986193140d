//! Prints one statement: the spaces between its tokens, and its line breaks.

use std::collections::BTreeMap;

use super::{
    STEP,
    align::width,
    body::{Lines, Marked},
    marks::Joint,
    tokens::TokenKind,
};

/// The levels of breaking. Each level breaks at its own places and at those of all levels before it. Line
/// breaks of the author stay at every level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Only where the author did.
    Author,
    /// Bodies that stood on one line.
    Bodies,
    /// Before each `or` outside parentheses.
    Or,
    /// Before each `and` outside parentheses.
    And,
    /// Before `weight`.
    Weight,
    /// Lists: one line per member.
    Lists,
    /// After the `:` of a label and the `=` of a `let`.
    Head,
    /// Inside parentheses, and before `else`.
    Inner,
}

impl Level {
    pub(super) const ALL: [Level; 8] = [
        Level::Author,
        Level::Bodies,
        Level::Or,
        Level::And,
        Level::Weight,
        Level::Lists,
        Level::Head,
        Level::Inner,
    ];
}

/// A statement, printed at one level.
#[derive(Debug)]
pub(super) struct WrittenStatement {
    /// The lines, indentation included.
    pub lines: Vec<String>,
    /// The width of the widest line. Lines of bodies and comments do not count.
    pub widest: usize,
    /// The offsets in the first line at which columns begin. The flag is `true` inside the body.
    pub columns: Vec<(usize, bool)>,
}

pub(super) struct Writer<'t> {
    marked: Marked<'t>,
    indent: usize,
    level: Level,
    lines: Vec<String>,
    current: String,
    widest: usize,
    columns: Vec<(usize, bool)>,
    /// The previous token, if it is on the current line.
    before: Option<usize>,
    /// `true` if a comment ended the current line.
    ended: bool,
    /// The indentation of continued lines outside parentheses.
    base: usize,
    /// The number of parentheses opened since `base`.
    open: usize,
    /// The number of all open parentheses and lists.
    depth: usize,
    /// The number of open bodies on the line of their head.
    flat: usize,
    /// The text of broken bodies, by their opening brace. It is the same at every level. Without this cache,
    /// each nesting would multiply the work by the number of levels.
    bodies: BTreeMap<usize, Lines>,
}

impl<'t> Writer<'t> {
    pub(super) fn new(marked: Marked<'t>, indent: usize) -> Writer<'t> {
        Writer {
            marked,
            indent,
            level: Level::Author,
            lines: Vec::new(),
            current: String::new(),
            widest: 0,
            columns: Vec::new(),
            before: None,
            ended: false,
            base: indent + STEP,
            open: 0,
            depth: 0,
            flat: 0,
            bodies: BTreeMap::new(),
        }
    }

    /// Prints a statement at a level.
    pub(super) fn statement(&mut self, from: usize, to: usize, level: Level) -> WrittenStatement {
        self.level = level;
        self.widest = 0;
        self.columns.clear();
        self.begin(self.indent);
        self.tokens(from, to);
        self.end_line();
        let lines = std::mem::take(&mut self.lines);
        WrittenStatement { lines, widest: self.widest, columns: std::mem::take(&mut self.columns) }
    }

    fn begin(&mut self, indent: usize) {
        self.current = " ".repeat(indent);
        self.before = None;
        self.ended = false;
    }

    fn end_line(&mut self) {
        if !self.ended {
            self.widest = self.widest.max(width(&self.current));
        }
        self.lines.push(std::mem::take(&mut self.current).trim_end().to_owned());
        self.before = None;
        self.ended = false;
    }

    /// Begins a new line.
    fn next_line(&mut self, indent: usize) {
        self.end_line();
        self.begin(indent);
    }

    fn goes_on(&mut self) {
        self.next_line(self.base + self.open * STEP);
    }

    fn tokens(&mut self, from: usize, to: usize) {
        let mut at = from;
        while at < to {
            let (token, mark) = (self.marked.token(at), self.marked.mark(at));
            if mark.hidden {
                at += 1;
                continue;
            }
            if token.kind == TokenKind::Comment {
                self.comment(at);
                at += 1;
                continue;
            }
            if self.ended || (self.before.is_some() && self.breaks_before(at)) {
                self.goes_on();
            }
            at = match token.text {
                "[" => self.list(at),
                "(" if mark.tight_before => self.list(at),
                "{" => self.body(at),
                _ => {
                    self.one(at);
                    at + 1
                }
            };
            if mark.head && at < to && self.breaks_after(at) {
                self.goes_on();
            }
        }
    }

    fn one(&mut self, at: usize) {
        let (token, mark) = (self.marked.token(at), self.marked.mark(at));
        if token.kind == TokenKind::Sign && token.text == ")" {
            self.open = self.open.saturating_sub(1);
            self.depth = self.depth.saturating_sub(1);
        }
        self.space(at);
        let bare = token.text.get(1..token.text.len().saturating_sub(1)).filter(|_| mark.bare);
        self.put(at, bare.unwrap_or(token.text));
        if token.is("(") {
            self.open += 1;
            self.depth += 1;
        }
    }

    fn put(&mut self, at: usize, text: &str) {
        self.current.push_str(text);
        self.before = Some(at);
    }

    /// Adds the space before a token, if there is one.
    fn space(&mut self, at: usize) {
        let (token, mark) = (self.marked.token(at), self.marked.mark(at));
        let Some(before) = self.before else { return };
        let (last, known) = (self.marked.token(before), self.marked.mark(before));
        // No space before closing signs, and none after opening ones.
        let sign = token.kind == TokenKind::Sign && matches!(token.text, "," | ")" | "]" | ":" | "." | "..");
        let opens = last.kind == TokenKind::Sign && matches!(last.text, "(" | "[" | "." | "..");
        // `v"1.0"` is one literal of two tokens.
        let version = token.kind == TokenKind::Text && last.text == "v" && last.end() == token.start;
        if !(sign || opens || version || mark.tight_before || known.tight_after) {
            self.current.push(' ');
        }
        if mark.column && self.flat == 0 {
            self.columns.push((self.current.len(), false));
        }
    }

    /// Adds a comment, which ends the line wherever it stands.
    fn comment(&mut self, at: usize) {
        let token = self.marked.token(at);
        if token.lines > 0 || self.ended {
            self.goes_on();
        } else {
            self.widest = self.widest.max(width(&self.current));
            self.current.push(' ');
        }
        self.current.push_str(token.text);
        self.ended = true;
    }

    /// Returns `true` if the author or the level breaks before a word.
    fn breaks_before(&self, at: usize) -> bool {
        let (token, mark) = (self.marked.token(at), self.marked.mark(at));
        if mark.weight {
            return token.lines > 0 || self.level >= Level::Weight;
        }
        let Some(joint) = mark.joint else { return mark.kept && token.lines > 0 };
        let next = self.marked.token(at + 1);
        // The author may have broken the line before or after the word; it moves to the start of the next
        // line.
        let author = token.lines > 0 || (next.lines > 0 && next.kind != TokenKind::Comment);
        let wanted = match joint {
            _ if self.depth > 0 => Level::Inner,
            Joint::Or => Level::Or,
            Joint::And => Level::And,
            Joint::Else => Level::Inner,
        };
        author || self.level >= wanted
    }

    /// Returns `true` if an expression begins on the line after its label or `=`.
    fn breaks_after(&self, next: usize) -> bool {
        let next = self.marked.token(next);
        next.kind != TokenKind::Comment && (next.lines > 0 || self.level >= Level::Head)
    }

    /// Prints a list or arguments. Returns the token after them.
    fn list(&mut self, open: usize) -> usize {
        let close = self.marked.token(open).partner;
        let members = self.members(open + 1, close);
        let inside = open + 1..close;
        let comments = inside.clone().any(|at| self.marked.token(at).kind == TokenKind::Comment);
        let author = open + 1 < close && self.marked.token(open + 1).lines > 0;
        let wanted = if self.marked.token(open).is("[") { Level::Lists } else { Level::Inner };
        // A body on one line cannot hold a broken list. Comments always break it, since they end their line.
        let broken = self.flat == 0 && !inside.is_empty() && (comments || author || self.level >= wanted);
        self.space(open);
        self.put(open, self.marked.token(open).text);
        self.depth += 1;
        if broken {
            self.broken_list(&members);
        } else {
            for (at, (from, to)) in members.iter().filter(|(from, to)| from < to).enumerate() {
                if at > 0 {
                    self.current.push_str(", ");
                    self.before = None;
                }
                self.tokens(*from, *to);
            }
        }
        self.depth -= 1;
        self.before = None;
        self.put(close, self.marked.token(close).text);
        close + 1
    }

    /// Returns the members between the commas of a list.
    fn members(&self, from: usize, to: usize) -> Vec<(usize, usize)> {
        let mut members = Vec::new();
        let (mut start, mut at) = (from, from);
        while at < to {
            let token = self.marked.token(at);
            if token.is(",") {
                members.push((start, at));
                start = at + 1;
            }
            at = if token.is("(") || token.is("[") { token.partner + 1 } else { at + 1 };
        }
        members.push((start, to));
        members
    }

    /// Prints one member per line, each with a comma, and the closing bracket on a line of its own.
    fn broken_list(&mut self, members: &[(usize, usize)]) {
        let outside = (self.base, self.open);
        let indent = self.current.chars().take_while(|c| *c == ' ').count();
        (self.base, self.open) = (indent + 2 * STEP, 0);
        let is_comment = |at: &usize| self.marked.token(*at).kind == TokenKind::Comment;
        // Comments around a member get lines of their own: those before its first token and those after its
        // last.
        let parts: Vec<(usize, usize, usize, usize)> = members
            .iter()
            .map(|(from, to)| {
                let first = (*from..*to).find(|at| !is_comment(at)).unwrap_or(*to);
                let last = (first..*to).rev().find(|at| !is_comment(at)).map_or(first, |last| last + 1);
                (*from, first, last, *to)
            })
            .collect();
        for (from, first, last, to) in parts {
            self.list_comments(from, first, indent + STEP);
            if first < last {
                self.next_line(indent + STEP);
                self.tokens(first, last);
                self.current.push(',');
            }
            self.list_comments(last, to, indent + STEP);
        }
        self.next_line(indent);
        (self.base, self.open) = outside;
    }

    fn list_comments(&mut self, from: usize, to: usize, indent: usize) {
        for at in from..to {
            let token = self.marked.token(at);
            if token.lines > 0 || self.ended {
                self.next_line(indent);
            } else {
                self.widest = self.widest.max(width(&self.current));
                self.current.push(' ');
            }
            self.current.push_str(token.text);
            self.ended = true;
        }
    }

    /// Prints the statements between braces. Returns the token after them.
    fn body(&mut self, open: usize) -> usize {
        let close = self.marked.token(open).partner;
        self.space(open);
        if (open + 1..close).all(|at| self.marked.token(at).is(",")) {
            self.put(close, "{}");
            return close + 1;
        }
        if self.marked.is_flat(open) && (self.flat > 0 || self.level < Level::Bodies) {
            self.flat_body(open, close);
        } else {
            self.broken_body(open, close);
        }
        close + 1
    }

    fn flat_body(&mut self, open: usize, close: usize) {
        let statements: Vec<_> = self.marked.statements(open + 1, close).collect();
        self.put(open, "{ ");
        self.flat += 1;
        for (at, (from, to)) in statements.into_iter().enumerate() {
            self.before = None;
            if at > 0 {
                self.current.push_str(", ");
                if self.flat == 1 {
                    self.columns.push((self.current.len(), true));
                }
            }
            self.tokens(from, to);
        }
        self.flat -= 1;
        self.put(close, " }");
    }

    fn broken_body(&mut self, open: usize, close: usize) {
        let (marked, indent) = (self.marked, self.indent);
        let body = self.bodies.entry(open);
        let inner = Marked::inner(indent);
        let Lines { head, lines } =
            body.or_insert_with(|| marked.body(open + 1, close, inner, false)).clone();
        self.put(open, "{");
        self.widest = self.widest.max(width(&self.current));
        if let Some(comment) = head {
            self.current.push(' ');
            self.current.push_str(&comment);
            self.ended = true;
        }
        self.end_line();
        self.lines.extend(lines);
        self.begin(self.indent);
        self.put(close, "}");
    }
}
