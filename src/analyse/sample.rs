//! A text that a pattern matches, for a witness.

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind};

/// Texts made of one pattern: what else is asked may rule some of them out.
const SAMPLES: u32 = 3;
/// Texts longer than this are no help to a reader.
const LONGEST: usize = 64;

/// Short texts that a pattern may match. They are only tried: the engine says whether they do.
pub fn of_pattern(pattern: &str) -> Vec<String> {
    let Ok(hir) = regex_syntax::parse(pattern) else { return Vec::new() };
    let texts = (0..SAMPLES).filter_map(|more| {
        let mut text = String::new();
        write(&hir, more, &mut text)?;
        Some(text)
    });
    texts.collect()
}

/// `more`: how often what may be repeated is, beyond once, and which of several is taken.
fn write(hir: &Hir, more: u32, out: &mut String) -> Option<()> {
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
            let often = repetition.max.map_or(more + 1, |most| most.min(more + 1));
            for _ in 0..repetition.min.max(often) {
                write(&repetition.sub, more, out)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, more, out)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, more, out))?,
        HirKind::Alternation(parts) => write(parts.get(more as usize % parts.len().max(1))?, more, out)?,
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
            let regex = crate::ir::pattern(pattern).expect(pattern);
            let samples = of_pattern(pattern);
            assert!(samples.len() == 3 && samples.iter().all(|sample| regex.is_match(sample)), "{samples:?}");
        }
        assert_eq!(of_pattern("web-[0-9]+"), ["web-0", "web-00", "web-000"]);
        assert_eq!(of_pattern("a{1000}"), [""; 0]);
    }
}
