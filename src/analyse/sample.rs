//! A text that a pattern matches, for a witness.

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind};

/// Texts longer than this are no help to a reader.
const LONGEST: usize = 64;

/// A short text that a pattern may match. It is only tried: the engine says whether it does.
pub fn of_pattern(pattern: &str) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut text = String::new();
    write(&hir, &mut text)?;
    Some(text)
}

fn write(hir: &Hir, out: &mut String) -> Option<()> {
    if out.len() > LONGEST {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(Class::Unicode(class)) => out.push(preferred(class)?),
        HirKind::Class(Class::Bytes(_)) => return None,
        // Once rather than never, where both are allowed: `web-[0-9]*` is better shown by `web-0`.
        HirKind::Repetition(repetition) => {
            let least = repetition.min.max(repetition.max.map_or(1, |most| most.min(1)));
            for _ in 0..least {
                write(&repetition.sub, out)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, out)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, out))?,
        HirKind::Alternation(parts) => write(parts.first()?, out)?,
    }
    Some(())
}

/// A letter or digit of a class, if it has one.
fn preferred(class: &ClassUnicode) -> Option<char> {
    let readable = ['a', '0', 'A', '-', '_', '.'];
    let inside = |c: &char| class.iter().any(|range| (range.start()..=range.end()).contains(c));
    readable.into_iter().find(inside).or_else(|| class.iter().next().map(|range| range.start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_match() {
        for pattern in ["web-[0-9]+", "a|b", "(x{3}y)*", ".*", "[^a]b?", "\\d\\w"] {
            let sample = of_pattern(pattern).expect(pattern);
            assert!(crate::ir::pattern(pattern).expect(pattern).is_match(&sample), "{pattern}: {sample}");
        }
        assert_eq!(of_pattern("web-[0-9]+").as_deref(), Some("web-0"));
        assert_eq!(of_pattern("a{1000}"), None);
    }
}
