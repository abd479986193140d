//! Text for people: counts, columns, colour.

use comfy_table::{Cell, Table, presets};

use crate::output::printable_name;
pub use crate::output::text::{count, grouped};

/// The colour of a word, by its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Good.
    Green,
    /// Half good.
    Yellow,
    /// Bad.
    Red,
    /// A heading.
    Bold,
    /// Less important.
    Dim,
}

/// Colours a text, if `colour` is on.
pub fn paint(text: &str, paint: Paint, colour: bool) -> String {
    if !colour {
        return text.to_owned();
    }
    let code = match paint {
        Paint::Green => "32",
        Paint::Yellow => "33",
        Paint::Red => "31",
        Paint::Bold => "1",
        Paint::Dim => "2",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// Aligns rows as columns with two spaces between them. Each line begins with `indent`. Cells are made safe
/// for a terminal.
pub fn columns(indent: &str, rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for row in rows {
        table.add_row(row.iter().map(|cell| Cell::new(printable_name(cell))));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| format!("{indent}{}\n", line.trim_end())).collect()
}
