//! Documentation of a compiled set as a page of Markdown: everything for the operator, or the vocabulary of
//! needs for frameworks.
//!
//! Text from policies is escaped by `markdown`. `vocabulary` decides what frameworks may read.

mod fleet;
mod markdown;
mod needs;
mod rules;
mod uses;
mod vocabulary;

use markdown::{Page, code};

use crate::{Fleet, limits, pipeline::Parsed, source::Span};

/// The input of all sections.
struct DocumentedSet<'a> {
    fleet: &'a Fleet,
    parsed: &'a Parsed,
}

impl DocumentedSet<'_> {
    /// Returns a part of a source on one line, without comments.
    fn line(&self, span: Span) -> String {
        one_line(self.fleet.loaded().report.sources.text(span))
    }

    /// Returns the file and line of a span.
    fn place(&self, span: Span) -> String {
        let sources = &self.fleet.loaded().report.sources;
        let line = sources.line_column(span).line;
        code(&format!("{}:{line}", sources.get(span.source).name))
    }
}

/// Returns the page for the operator. It is a function of the set.
pub fn document(fleet: &Fleet, parsed: &Parsed) -> String {
    let set = DocumentedSet { fleet, parsed };
    let mut page = Page::new("Policy set");
    sources(&set, &mut page);
    vocabulary::sections(&set, &mut page, Readers::Operator);
    rules::sections(&set, &mut page);
    fleet::sections(&set, &mut page);
    needs::section(&set, &mut page);
    page.finish()
}

/// Returns the page for frameworks. It is the same for all, but adds the role of the framework with this
/// number.
pub fn vocabulary(fleet: &Fleet, parsed: &Parsed, framework: Option<usize>) -> String {
    let set = DocumentedSet { fleet, parsed };
    let mut page = Page::new("What frameworks may ask for");
    vocabulary::sections(&set, &mut page, Readers::Frameworks(framework));
    page.finish()
}

/// The readers of the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readers {
    Operator,
    /// All frameworks, or the one with this number.
    Frameworks(Option<usize>),
}

fn sources(set: &DocumentedSet<'_>, page: &mut Page) {
    let names = set.parsed.files.iter().map(|ast| set.parsed.sources.get(ast.source).name);
    let mut rows: Vec<Vec<String>> = names.map(|name| vec![markdown::cell(&name)]).collect();
    rows.extend(set.parsed.modules.keys().map(|name| vec![markdown::cell(&format!("std.{name}"))]));
    page.section("Files and modules");
    page.table(&["source"], rows, limits::PAGE_ROWS);
}

/// Joins the lines of a source text and removes comments. Quoted texts stay as they are.
fn one_line(source: &str) -> String {
    let mut out = String::new();
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' => quoted(rest),
            '/' if rest.starts_with("//") => {
                rest = rest.find('\n').map_or("", |end| &rest[end..]);
                continue;
            }
            c => c.len_utf8(),
        };
        let (part, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        if c.is_whitespace() {
            if !out.ends_with([' ', '(', '[']) {
                out.push(' ');
            }
        } else {
            // A line break inside brackets leaves no space.
            if matches!(c, ')' | ']' | ',') && out.ends_with(' ') {
                out.pop();
            }
            out.push_str(part);
        }
    }
    out.trim().to_owned()
}

/// Returns the length of the quoted text at the start of a source, quotes included.
fn quoted(source: &str) -> usize {
    let mut escaped = false;
    let end = source.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(source.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_source_on_one_line_keeps_its_texts() {
        let text = "a == \"x  // \\\" y\" // why\n  // more\n  and (\n  b in [ 1,\n 2 ] )";
        assert_eq!(one_line(text), "a == \"x  // \\\" y\" and (b in [1, 2])");
        assert_eq!(one_line("\"unended"), "\"unended");
    }
}
