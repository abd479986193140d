//! Generates short texts that match a regular expression, to show in a witness.
//!
//! The generator walks the syntax tree and ignores assertions such as `\b`, so a text need not match. That is
//! safe: the engine evaluates every witness before it is shown.

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind};

/// The number of texts made of one pattern. Other conditions may rule some of them out.
const SAMPLES: u32 = 3;
/// The length in bytes beyond which a text does not help a reader, and is given up.
const LONGEST: usize = 64;

/// Returns short texts that a pattern probably matches. The caller must check them.
pub fn of_pattern(pattern: &str) -> Vec<String> {
    let Ok(hir) = regex_syntax::parse(pattern) else { return Vec::new() };
    let texts = (0..SAMPLES).filter_map(|more| {
        let mut text = String::new();
        write(&hir, more, &mut text)?;
        Some(text)
    });
    texts.collect()
}

/// Appends a text for one node of the syntax tree. `more` is the number of the sample: it adds repetitions
/// beyond the first, and chooses among alternatives, so that samples differ.
fn write(hir: &Hir, more: u32, out: &mut String) -> Option<()> {
    if out.len() > LONGEST {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(Class::Unicode(class)) => out.push(preferred(class)?),
        HirKind::Class(Class::Bytes(_)) => return None,
        // Prefers one repetition to none: `web-0` shows `web-[0-9]*` better than `web-` does.
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

/// Returns a readable character of a class, or else its first.
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
