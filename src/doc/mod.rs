//! A compiled set as a page of Markdown: for the operator all of it, for those who write needs the words they may use.
//! Whatever a policy calls things or says of them stays text: see `markdown`.

mod fleet;
mod markdown;
mod needs;
mod rules;
mod uses;
mod vocabulary;

use markdown::{Page, code};

use crate::{Fleet, limits, output::View, pipeline::Parsed, source::Span};

/// What all sections are made of.
struct Set<'a> {
    fleet: &'a Fleet,
    parsed: &'a Parsed,
}

impl Set<'_> {
    /// A part of a source as the language has it, on one line and without comments.
    fn line(&self, span: Span) -> String {
        one_line(self.fleet.loaded().report.sources.text(span))
    }

    /// File and line of something.
    fn place(&self, span: Span) -> String {
        let sources = &self.fleet.loaded().report.sources;
        let line = sources.line_column(span).line;
        code(&format!("{}:{line}", sources.get(span.source).name))
    }
}

/// The page of a set. The same set gives the same page.
pub fn document(fleet: &Fleet, parsed: &Parsed, view: View) -> String {
    let set = Set { fleet, parsed };
    let title = match view {
        View::Operator => "Policy set",
        View::Framework => "What frameworks may ask for",
    };
    let mut page = Page::new(title);
    match view {
        View::Framework => vocabulary::sections(&set, &mut page, view),
        View::Operator => {
            sources(&set, &mut page);
            vocabulary::sections(&set, &mut page, view);
            rules::sections(&set, &mut page);
            fleet::sections(&set, &mut page);
            needs::section(&set, &mut page);
        }
    }
    page.finish()
}

fn sources(set: &Set<'_>, page: &mut Page) {
    let names = set.parsed.files.iter().map(|ast| set.parsed.sources.get(ast.source).name);
    let mut rows: Vec<Vec<String>> = names.map(|name| vec![markdown::cell(&name)]).collect();
    rows.extend(set.parsed.modules.keys().map(|name| vec![markdown::cell(&format!("std.{name}"))]));
    page.section("Files and modules");
    page.table(&["source"], rows, limits::PAGE_ROWS);
}

/// A source text without line ends and comments; texts in it stay as they are.
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
            if matches!(c, ')' | ']' | ',') && out.ends_with(' ') {
                out.pop();
            }
            out.push_str(part);
        }
    }
    out.trim().to_owned()
}

/// Bytes of the text that a source begins with, quotes included.
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
