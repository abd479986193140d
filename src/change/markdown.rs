//! A change as Markdown, for a pull request. All text of a policy is written in code spans, where it cannot
//! become markup, HTML, a mention or a link.

use super::{
    Change,
    text::{ended, summary, what},
};
use crate::output::{printable_name, text::count};

/// The number of entries of a list. Longer comments are not read, and not accepted by every site.
const NEEDS: usize = 50;

/// Writes the change as Markdown.
pub fn markdown(change: &Change) -> String {
    let mut out = format!("### Offers\n\n{}\n", summary(change));
    let responsible = change.responsible();
    if !responsible.is_empty() {
        out.push_str("\n**Responsible**\n\n");
        for (name, offers) in responsible.iter().take(NEEDS) {
            out.push_str(&format!("- {}: {}\n", code(name), count(*offers, "offer", "offers")));
        }
    }
    if !change.needs.is_empty() {
        out.push_str("\n**Needs**\n\n");
    }
    for need in change.needs.iter().take(NEEDS) {
        out.push_str(&format!("- {} {}\n", code(&need.label), ended(need)));
        for offer in &need.offers {
            out.push_str(&format!("  - {}: {}\n", offer.kind.name(), code(&what(offer))));
            for cause in &offer.causes {
                let (name, detail) = (cause.name(), cause.detail());
                let detail = if detail.is_empty() { detail } else { format!(": {}", code(&detail)) };
                out.push_str(&format!("    - {}{detail}\n", code(&name)));
            }
        }
    }
    let more = change.needs.len().saturating_sub(NEEDS);
    if more > 0 {
        out.push_str(&format!("\nAnd {}.\n", count(more, "more need", "more needs")));
    }
    out
}

/// Writes a text as a code span, fenced by more backticks than the text has in a row.
fn code(text: &str) -> String {
    let text = printable_name(text);
    let mut longest = 0;
    let mut row = 0;
    for c in text.chars() {
        row = if c == '`' { row + 1 } else { 0 };
        longest = longest.max(row);
    }
    let fence = "`".repeat(longest + 1);
    // CommonMark strips one space from both ends of a code span, unless it consists of spaces only.
    let needs_space = |c: char| c == '`' || c == ' ';
    let pad = if text.is_empty() || text.starts_with(needs_space) || text.ends_with(needs_space) {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn no_text_ends_its_span() {
        for text in
            ["a", "`", "``a```b`", "`a", "a|b", "<b>", "@all", "[x](http://y)", " ", "", "\n# x", "\\`"]
        {
            let span = code(text);
            let fence: String = span.chars().take_while(|c| *c == '`').collect();
            let inner = span.strip_prefix(&fence).and_then(|rest| rest.strip_suffix(&fence)).expect("a span");
            assert!(!inner.contains(&fence) && !inner.contains('\n'), "{span}");
            assert!(!inner.starts_with('`') && !inner.ends_with('`'), "{span}");
        }
        assert_eq!((code("a|b").as_str(), code("`").as_str()), ("`a|b`", "`` ` ``"));
    }
}
