//! Columns: rows of one kind, one below the other, have what they share at one place.

use std::collections::BTreeMap;

use super::{WIDTH, marks::Run};

/// A statement on one line, in parts.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub run: Run,
    /// What is written, a space between two of them where there are no columns.
    pub cells: Vec<String>,
    /// How many of them stand before the body, if there is one.
    pub heads: usize,
    /// The first word of each statement of the body, which the cells after the heads are.
    pub keys: Vec<String>,
    /// At the end of its line.
    pub comment: Option<String>,
}

impl Row {
    /// A row in no columns.
    pub(super) fn plain(text: String) -> Row {
        Row { run: Run::None, cells: vec![text], heads: 1, keys: Vec::new(), comment: None }
    }

    pub(super) fn text(&self) -> String {
        self.cells.join(" ")
    }

    /// What rows must share for their cells at a place to be of one width.
    fn group(&self, column: usize) -> &[String] {
        let shared = if column < self.heads { 0 } else { column + 2 - self.heads };
        self.keys.get(..shared).unwrap_or(&self.keys)
    }
}

pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}

/// The lines of rows that follow each other without anything between, without their comments.
pub(super) fn lines(rows: &[Row], indent: usize) -> Vec<String> {
    let mut out = Vec::with_capacity(rows.len());
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let same = |row: &&Row| first.run != Run::None && row.run == first.run;
        let count = rest.iter().take_while(same).count().max(1);
        let (run, others) = rest.split_at(count);
        out.extend(one_run(run, indent));
        rest = others;
    }
    with_comments(&mut out, rows);
    out
}

/// As many columns as fit, from the left.
fn one_run(rows: &[Row], indent: usize) -> Vec<String> {
    let most = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let texts = (0..most).rev().map(|columns| padded(rows, columns, indent));
    let mut texts = texts.peekable();
    while let Some(lines) = texts.next() {
        if texts.peek().is_none() || lines.iter().all(|line| width(line) <= WIDTH) {
            return lines;
        }
    }
    Vec::new()
}

/// With the cells before a column made wide.
fn padded(rows: &[Row], columns: usize, indent: usize) -> Vec<String> {
    let mut out = vec![" ".repeat(indent); rows.len()];
    let most = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    for column in 0..most {
        // Widths by what is shared: rows of one group begin this cell at one place.
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

/// Comments at the ends of lines that follow each other stand below each other.
fn with_comments(lines: &mut [String], rows: &[Row]) {
    let mut at = 0;
    while at < rows.len() {
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
