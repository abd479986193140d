//! Names as outputs show them.

use crate::{ir::Plan, matching::NeedId, value::is_forbidden};

/// How a need is called: `FRAMEWORK.NEED`, or its name alone where it is a framework of its own.
pub fn need_label(plan: &Plan, id: NeedId) -> String {
    let framework = &plan.frameworks[id.framework];
    let need = plan.symbols.text(framework.needs[id.need].name);
    let name = plan.symbols.text(framework.name);
    if name == need && framework.needs.len() == 1 { need.to_owned() } else { format!("{name}.{need}") }
}

/// A text that moves no cursor, colours nothing and stays on its line, whatever it holds.
pub fn printable_name(text: &str) -> String {
    let unsafe_here = |c: char| c.is_control() || is_forbidden(c);
    if !text.contains(unsafe_here) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| if unsafe_here(c) { format!("\\u{{{:x}}}", u32::from(c)) } else { c.to_string() })
        .collect()
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
