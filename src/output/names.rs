//! Names as outputs show them.

use crate::value::printable;

/// Returns a text that moves no cursor, sets no colour and stays on its line, whatever it was made from.
pub fn printable_name(text: &str) -> String {
    printable(text)
}

#[cfg(test)]
mod tests {
    use super::printable_name;

    #[test]
    fn nothing_that_moves_a_cursor_passes() {
        assert_eq!(printable_name("a\u{1b}[2Jb\r\n\u{202e}c"), "a\\u{1b}[2Jb\\u{d}\\u{a}\\u{202e}c");
        assert_eq!(printable_name("größe"), "größe");
    }
}
