//! Names as outputs show them.

use crate::{ir::Plan, matching::NeedId, value::printable};

/// Returns the label of a need: `FRAMEWORK.NEED`, or its name alone if the framework has the same name and no
/// other need.
pub fn need_label(plan: &Plan, id: NeedId) -> String {
    let framework = &plan.frameworks[id.framework];
    let need = plan.symbols.text(framework.needs[id.need].name);
    let name = plan.symbols.text(framework.name);
    if name == need && framework.needs.len() == 1 { need.to_owned() } else { format!("{name}.{need}") }
}

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
