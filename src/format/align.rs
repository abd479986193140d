//! Columns: pads neighbouring statements of one kind, so that equal parts begin at the same position.

use std::collections::BTreeMap;

use super::{WIDTH, marks::StatementRun};

/// A statement on a single line, divided into cells.
#[derive(Clone, Debug)]
pub(super) struct AlignedLine {
    pub run: StatementRun,
    /// The cells. Without columns, they are joined by single spaces.
    pub cells: Vec<String>,
    /// The number of cells before the body, if there is one.
    pub heads: usize,
    /// The first word of each statement in the body. The cells after the heads are these statements.
    pub keys: Vec<String>,
    /// The comment at the end of the line.
    pub comment: Option<String>,
}

impl AlignedLine {
    /// Returns a row that takes part in no columns.
    pub(super) fn plain(text: String) -> AlignedLine {
        AlignedLine { run: StatementRun::None, cells: vec![text], heads: 1, keys: Vec::new(), comment: None }
    }

    pub(super) fn text(&self) -> String {
        self.cells.join(" ")
    }

    /// Returns the key of rows that share the width of a cell. Heads align with all rows of the run; a cell
    /// in a body aligns only with rows whose bodies begin with the same words.
    fn group(&self, column: usize) -> &[String] {
        let shared = if column < self.heads { 0 } else { column + 2 - self.heads };
        self.keys.get(..shared).unwrap_or(&self.keys)
    }
}

pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}

/// Lays out consecutive rows, and appends their comments.
pub(super) fn lines(rows: &[AlignedLine], indent: usize) -> Vec<String> {
    let mut out = Vec::with_capacity(rows.len());
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let same = |row: &&AlignedLine| first.run != StatementRun::None && row.run == first.run;
        let count = rest.iter().take_while(same).count().max(1);
        let (run, others) = rest.split_at(count);
        out.extend(one_run(run, indent));
        rest = others;
    }
    with_comments(&mut out, rows);
    out
}

/// Pads as many columns as fit the width, from the left. The last attempt pads none, and is used even if too
/// wide.
fn one_run(rows: &[AlignedLine], indent: usize) -> Vec<String> {
    let most = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    // From all columns to none; computed lazily, since the first usually fits.
    let texts = (0..most).rev().map(|columns| padded(rows, columns, indent));
    let mut texts = texts.peekable();
    while let Some(lines) = texts.next() {
        if texts.peek().is_none() || lines.iter().all(|line| width(line) <= WIDTH) {
            return lines;
        }
    }
    Vec::new()
}

/// Pads the cells of the first `columns` columns.
fn padded(rows: &[AlignedLine], columns: usize, indent: usize) -> Vec<String> {
    let mut out = vec![" ".repeat(indent); rows.len()];
    let most = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    for column in 0..most {
        // The widths by group: rows of one group begin the next cell at the same position.
        let mut widths: BTreeMap<&[String], usize> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.cells.len() > column + 1) {
            let size = row.cells.get(column).map_or(0, |cell| width(cell));
            let widest = widths.entry(row.group(column)).or_default();
            *widest = size.max(*widest);
        }
        for (line, row) in out.iter_mut().zip(rows) {
            let Some(cell) = row.cells.get(column) else { continue };
            line.push_str(cell);
            if row.cells.len() == column + 1 {
                continue;
            }
            let wide = widths.get(row.group(column)).copied().unwrap_or(0);
            let missing = if column < columns { wide.saturating_sub(width(cell)) } else { 0 };
            line.push_str(&" ".repeat(missing + 1));
        }
    }
    out
}

/// Aligns the comments of consecutive lines.
fn with_comments(lines: &mut [String], rows: &[AlignedLine]) {
    let mut at = 0;
    while at < rows.len() {
        // Runs of lines with comments. A line without one ends the run.
        let count = rows[at..].iter().take_while(|row| row.comment.is_some()).count();
        let widest = lines[at..at + count].iter().map(|line| width(line)).max().unwrap_or(0);
        for (line, row) in lines[at..at + count].iter_mut().zip(&rows[at..]) {
            let missing = widest.saturating_sub(width(line));
            line.push_str(&" ".repeat(missing + 1));
            line.push_str(row.comment.as_deref().unwrap_or(""));
        }
        at += count + 1;
    }
}
