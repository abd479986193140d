//! The writer of Markdown. Text from policies may contain anything, and reaches a page only through [`text`]
//! (prose), [`code`] (names), [`cell`] (names in tables) or [`Page::policy`] (source text), all of which keep
//! it from acting as Markdown or HTML.

use std::fmt::Write as _;

use crate::output::printable_name;

/// Returns prose: escapes every character with a meaning in Markdown, HTML or tables.
pub(super) fn text(plain: &str) -> String {
    let plain = printable_name(plain.trim());
    let mut out = String::with_capacity(plain.len());
    // At the start of a line, a number with a point makes a list, and some characters a heading or a rule.
    let digits = plain.chars().take_while(char::is_ascii_digit).count();
    for (at, c) in plain.char_indices() {
        let numbered = digits > 0 && at == digits && matches!(c, '.' | ')');
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' => out.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '~' | '$' | '^' => out.extend(['\\', c]),
            '#' | '+' | '-' | '=' | ':' if at == 0 => out.extend(['\\', c]),
            // Viewers turn addresses into links.
            ':' if plain[at..].starts_with("://") => out.push_str("\\:"),
            '@' => out.push_str("\\@"),
            '.' if out.to_ascii_lowercase().ends_with("www") => out.push_str("\\."),
            c if numbered => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Returns a code span. Its fence is longer than any run of backticks inside, so the text cannot end it.
pub(super) fn code(plain: &str) -> String {
    let plain = printable_name(plain);
    if plain.trim().is_empty() {
        // A code span needs a character that is not blank.
        return text(&crate::value::quote(&plain));
    }
    let fence = "`".repeat(longest_ticks(&plain) + 1);
    let pad = if plain.starts_with(['`', ' ']) || plain.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{plain}{pad}{fence}")
}

/// Returns a name for a table. Viewers disagree on `|`, backslashes and backticks in code spans, so a name
/// with these is written as prose.
pub(super) fn cell(plain: &str) -> String {
    if plain.contains(['|', '\\', '`']) { text(plain) } else { code(plain) }
}

/// Returns the length of the longest run of backticks.
fn longest_ticks(plain: &str) -> usize {
    plain.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A page of sections, with a table of contents.
#[derive(Debug)]
pub(super) struct Page {
    title: &'static str,
    sections: Vec<(&'static str, String)>,
}

impl Page {
    pub(super) fn new(title: &'static str) -> Page {
        Page { title, sections: Vec::new() }
    }

    /// Begins a section. An empty section is left out of the page.
    pub(super) fn section(&mut self, title: &'static str) {
        self.sections.push((title, String::new()));
    }

    fn out(&mut self) -> &mut String {
        if self.sections.is_empty() {
            self.section(self.title);
        }
        let last = self.sections.len() - 1;
        &mut self.sections[last].1
    }

    /// Adds a heading with a name, and words below it.
    pub(super) fn heading(&mut self, level: usize, name: &str, words: &str) {
        let name = code(name);
        let words = if words.is_empty() { String::new() } else { format!("\n{words}\n") };
        let _ = write!(self.out(), "\n{} {name}\n{words}", "#".repeat(level));
    }

    /// Adds a paragraph that is Markdown already.
    pub(super) fn paragraph(&mut self, words: &str) {
        let _ = write!(self.out(), "\n{words}\n");
    }

    /// Adds the lines of a `///` comment. Empty lines separate paragraphs.
    pub(super) fn docs(&mut self, docs: &[String]) {
        for paragraph in docs.split(|line| line.trim().is_empty()).filter(|lines| !lines.is_empty()) {
            let lines: Vec<String> = paragraph.iter().map(|line| text(line)).collect();
            self.paragraph(&lines.join("\n"));
        }
    }

    /// Adds lines of source text, as a code block.
    pub(super) fn policy(&mut self, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        let lines: Vec<String> = lines.iter().map(|line| printable_name(line)).collect();
        let ticks = lines.iter().map(|line| longest_ticks(line)).max().unwrap_or(0);
        let fence = "`".repeat(ticks.max(2) + 1);
        let _ = write!(self.out(), "\n{fence}policy\n{}\n{fence}\n", lines.join("\n"));
    }

    pub(super) fn list(&mut self, items: &[String]) {
        if !items.is_empty() {
            let _ = write!(self.out(), "\n- {}\n", items.join("\n- "));
        }
    }

    /// Adds a table of at most `most` rows, whose cells are Markdown already. Columns without any content are
    /// left out.
    pub(super) fn table(&mut self, heads: &[&str], rows: Vec<Vec<String>>, most: usize) {
        if rows.is_empty() {
            return;
        }
        let filled =
            |column: &usize| rows.iter().any(|row| row.get(*column).is_some_and(|cell| !cell.is_empty()));
        let columns: Vec<usize> = (0..heads.len()).filter(filled).collect();
        let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
        let mut table = line(columns.iter().map(|at| heads[*at]).collect());
        table.push_str(&line(columns.iter().map(|_| "---").collect()));
        for row in rows.iter().take(most) {
            table.push_str(&line(columns.iter().map(|at| row.get(*at).map_or("", String::as_str)).collect()));
        }
        let _ = write!(self.out(), "\n{table}");
        if let more @ 1.. = rows.len().saturating_sub(most) {
            self.paragraph(&format!("{more} more are not listed."));
        }
    }

    /// Returns the whole page.
    pub(super) fn finish(self) -> String {
        let mut out = format!("# {}\n", self.title);
        let sections: Vec<_> = self.sections.iter().filter(|(_, text)| !text.is_empty()).collect();
        if sections.len() > 1 {
            out.push('\n');
            for (title, _) in &sections {
                let _ = writeln!(out, "- [{title}](#{})", title.to_lowercase().replace(' ', "-"));
            }
        }
        for (title, text) in sections {
            if *title != self.title {
                let _ = write!(out, "\n## {title}\n");
            }
            out.push_str(text);
        }
        out
    }
}

/// Returns documentation for a cell of a table, its paragraphs on one line.
pub(super) fn docs_cell(docs: &[String]) -> String {
    let lines = docs.iter().map(|line| text(line)).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{cell, code, text};

    #[test]
    fn prose_says_what_it_is_given() {
        assert_eq!(text("Flash: survives the loss of 1 copy."), "Flash: survives the loss of 1 copy.");
        assert_eq!(text("[x](javascript:alert(1))"), "\\[x\\](javascript:alert(1))");
        assert_eq!(text("<script>a & b</script>"), "&lt;script&gt;a &amp; b&lt;/script&gt;");
        assert_eq!(text("a | b\u{1b}[2J"), "a &#124; b\\\\u\\{1b\\}\\[2J");
        assert_eq!(
            text("see https://x.example and www.x.example"),
            "see https\\://x.example and www\\.x.example"
        );
        for (line, shown) in [
            ("# a", "\\# a"),
            ("- a", "\\- a"),
            ("1. a", "1\\. a"),
            ("---", "\\---"),
            ("> a", "&gt; a"),
            ("==", "\\=="),
        ] {
            assert_eq!(text(line), shown);
        }
    }

    #[test]
    fn a_name_does_not_leave_its_code() {
        assert_eq!(
            (code("a1").as_str(), code("a`b").as_str(), code("``").as_str()),
            ("`a1`", "``a`b``", "``` `` ```")
        );
        assert_eq!(code(" "), "\" \"");
        assert_eq!(code("a\nb\u{202e}"), "`a\\u{a}b\\u{202e}`");
        assert_eq!((cell("a|b"), cell("a1")), ("a&#124;b".to_owned(), "`a1`".to_owned()));
    }
}
