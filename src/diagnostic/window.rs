//! The part of a source that a rendered diagnostic shows: the lines around its spans, with long lines cut.
//!
//! The size of the output is bounded by the problems that are shown, not by the source: a line may have
//! megabytes, and a thousand problems may lie on it.

use std::{collections::BTreeMap, ops::Range};

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::{
    limits,
    source::{Source, Span},
    value::is_forbidden,
};

/// The number of bytes of a cut line that are kept before the span.
const BEFORE: usize = limits::FRAME_LINE_BYTES / 3;

/// The mark at which a line was cut.
const CUT: &str = "…";

/// Lines of a source, cut as needed. The renderer receives it in place of the source, and maps positions
/// back.
pub(super) struct Window {
    name: String,
    text: String,
    /// The number of the first line, from 0.
    first: usize,
    lines: Vec<Line>,
}

/// A line of the window.
#[derive(Clone, Copy, Default)]
struct Line {
    /// The offset of its start in the window.
    at: usize,
    /// The part of the original line that is shown: its offset and length in bytes.
    from: usize,
    length: usize,
    /// The length of the mark before that part.
    mark: usize,
    /// The number of characters of the original line before that part.
    hidden: usize,
}

impl Window {
    /// Returns the lines around spans of a source. Returns `None` if they contain characters that must not be
    /// shown.
    pub(super) fn around(source: &Source, name: String, places: &[Span]) -> Option<Window> {
        // For each shown line, the byte to cut it around.
        let mut shown: BTreeMap<usize, usize> = BTreeMap::new();
        for place in places {
            let range = extent(source, *place);
            let (top, bottom) = (source.line_at(range.start), source.line_at(range.end));
            shown.entry(top).or_insert(range.start - source.line(top).start);
            for line in top.saturating_sub(1)..=bottom + 1 {
                shown.entry(line).or_insert(0);
            }
        }
        let (first, last) = (*shown.keys().next()?, *shown.keys().next_back()?);
        let mut window = Window { name, text: String::new(), first, lines: Vec::new() };
        for number in first..=last.min(source.line_at(source.text.len())) {
            // Lines between distant spans stay empty. They only keep line numbers right.
            let mut line = Line { at: window.text.len(), ..Line::default() };
            if let Some(around) = shown.get(&number) {
                let text = source.text.get(source.line(number))?;
                line = window.push(text, *around);
                if window.text[line.at..].contains(is_forbidden) {
                    return None;
                }
            }
            window.lines.push(line);
            window.text.push('\n');
        }
        // The last line of the source has no line end. With one, the renderer would show an empty line below
        // it.
        if last >= source.line_at(source.text.len()) {
            window.text.pop();
        }
        Some(window)
    }

    /// Adds a line, cut around one of its bytes.
    fn push(&mut self, text: &str, around: usize) -> Line {
        let at = self.text.len();
        if text.len() <= limits::FRAME_LINE_BYTES {
            self.text.push_str(text);
            return Line { at, length: text.len(), ..Line::default() };
        }
        // A third of the width before the span, the rest after it.
        let from = boundary(text, around.saturating_sub(BEFORE));
        let end = boundary(text, from + limits::FRAME_LINE_BYTES);
        let mark = if from > 0 { CUT } else { "" };
        self.text.push_str(mark);
        self.text.push_str(&text[from..end]);
        self.text.push_str(if end < text.len() { CUT } else { "" });
        Line { at, from, length: end - from, mark: mark.len(), hidden: text[..from].chars().count() }
    }

    /// Returns the offset and length of a span in the window; `None` if it was cut away.
    pub(super) fn find(&self, source: &Source, place: Span) -> Option<(usize, usize)> {
        let range = extent(source, place);
        let start = self.offset(source, range.start)?;
        let end = self.offset(source, range.end).unwrap_or_else(|| {
            // The span continues where its line was cut.
            let line = self.lines[source.line_at(range.start) - self.first];
            line.at + line.mark + line.length
        });
        Some((start, end.saturating_sub(start)))
    }

    fn offset(&self, source: &Source, at: usize) -> Option<usize> {
        let number = source.line_at(at);
        let line = self.lines.get(number.checked_sub(self.first)?)?;
        // Positions before or after the shown part of a line have no place in the window.
        let within = (at - source.line(number).start).checked_sub(line.from)?;
        (within <= line.length).then_some(line.at + line.mark + within)
    }

    /// Returns the line and column in the source, from 0, of a position in the window.
    fn place(&self, line: usize, column: usize) -> (usize, usize) {
        let shown = self.lines.get(line).copied().unwrap_or_default();
        let before = column.checked_sub(shown.mark).map_or(0, |bytes| {
            let start = shown.at + shown.mark;
            shown.hidden + self.text.get(start..start + bytes).map_or(bytes, |text| text.chars().count())
        });
        (self.first + line, before)
    }
}

/// Returns the bytes of a span to show. A span of many lines is shown by its first line.
fn extent(source: &Source, place: Span) -> Range<usize> {
    let start = (place.start as usize).min(source.text.len());
    let end = (place.end as usize).clamp(start, source.text.len());
    let top = source.line_at(start);
    if source.line_at(end) - top < limits::FRAME_LINES { start..end } else { start..source.line(top).end }
}

/// Returns the last character boundary that is not after a byte.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

impl SourceCode for Window {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let read = self.text.read_span(span, before, after)?;
        let (line, column) = self.place(read.line(), read.column());
        let (name, lines) = (self.name.clone(), read.line_count());
        Ok(Box::new(MietteSpanContents::new_named(name, read.data(), *read.span(), line, column, lines)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceId, Sources};

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let text = format!("first\n{}WRONG{}\nlast", "ä".repeat(5_000), "b".repeat(5_000));
        let mut sources = Sources::default();
        let id = sources.add("x", text.as_str());
        let start = text.find("WRONG").expect("is there");
        let place = Span::new(id, start, start + 5);
        let source = sources.get(id);
        let window = Window::around(&source, "x".to_owned(), &[place]).expect("is shown");
        assert!(window.text.len() < limits::FRAME_LINE_BYTES + 40, "{}", window.text);
        let (at, length) = window.find(&source, place).expect("is in the window");
        assert_eq!(&window.text[at..at + length], "WRONG");
        let read = window.read_span(&(at, length).into(), 0, 0).expect("reads");
        assert_eq!((read.line(), read.column()), (1, 5_000));
        // A span elsewhere in the same line is not in the window. A longer span is cut with the line.
        assert_eq!(window.find(&source, Span::new(id, 8, 10)), None);
        let long = window.find(&source, Span::new(id, start, text.len() - 10)).expect("begins in the window");
        assert!(long.1 > 5 && long.1 < limits::FRAME_LINE_BYTES);
    }

    #[test]
    fn lines_between_are_counted_and_a_place_of_many_lines_is_its_first() {
        let text: String = (0..1_000).map(|at| format!("line {at}\n")).collect();
        let mut sources = Sources::default();
        let id: SourceId = sources.add("x", text.as_str());
        let source = sources.get(id);
        let [near, far] = [10, 900].map(|at| {
            let start = text.find(&format!("line {at}\n")).expect("is there");
            Span::new(id, start, start + 4)
        });
        let window = Window::around(&source, "x".to_owned(), &[near, far]).expect("is shown");
        assert!(window.text.len() < 1_000, "{}", window.text.len());
        let (at, length) = window.find(&source, far).expect("is in the window");
        assert_eq!(window.read_span(&(at, length).into(), 0, 0).expect("reads").line(), 900);
        let all = Span::new(id, 0, text.len());
        let window = Window::around(&source, "x".to_owned(), &[all]).expect("is shown");
        assert_eq!(window.find(&source, all), Some((0, 6)));
    }
}
