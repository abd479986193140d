//! Source texts and positions in them, which every message points at.
//!
//! A [`Span`] is a range of bytes. Lines and columns are computed only for output.

use std::sync::{Arc, OnceLock};

/// The number of a source of one run: a policy file, a standard module, an inventory file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SourceId(pub(crate) u32);

impl SourceId {
    /// The number, dense from 0 in the order in which sources are added.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The source with a number.
    pub fn of(number: u32) -> SourceId {
        SourceId(number)
    }
}

/// A half-open range of bytes `start..end` in one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The source.
    pub source: SourceId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// Makes a span of `source` from `start` up to, not including, `end`. Offsets past 4 GiB saturate.
    /// Policies are far smaller than that (`limits::SOURCE_BYTES`), and so are inventories
    /// (`limits::INVENTORY_BYTES`).
    pub fn new(source: SourceId, start: usize, end: usize) -> Self {
        let clip = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { source, start: clip(start), end: clip(end.max(start)) }
    }

    /// Returns the smallest span that holds both, or `self` if they lie in different sources.
    pub fn to(self, other: Span) -> Span {
        if self.source != other.source {
            return self;
        }
        Span { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Returns the same span after its sources have been appended to others, the first of them with the
    /// number `first`.
    #[must_use]
    pub fn lifted(self, first: u32) -> Span {
        Span { source: SourceId(self.source.0 + first), ..self }
    }

    /// Counts the bytes of the span.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Returns `true` if the span holds no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A source text and the name that it is shown by.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name in messages: a path as the user gave it, or a module such as `std.storage`.
    pub name: Arc<str>,
    /// The text.
    pub text: Arc<str>,
    line_starts: Arc<[u32]>,
    /// The number of characters that begin before each block of the text. Computed when a column is first
    /// asked for.
    blocks: Arc<OnceLock<Box<[u32]>>>,
}

/// The bytes of a block. At most this many are counted again for each column.
const BLOCK: usize = 1 << 10;

// Every byte of UTF-8 except a continuation byte (`10xxxxxx`) begins a character.
fn characters(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u32
}

impl Source {
    fn new(name: Arc<str>, text: Arc<str>) -> Source {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        let line_starts = starts.map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect();
        Source { name, text, line_starts, blocks: Arc::default() }
    }

    /// Counts the characters that begin before a byte. Prefix counts per block keep this cheap: a line may
    /// have megabytes, and a problem in each of its words.
    fn characters_before(&self, offset: usize) -> u32 {
        let bytes = self.text.as_bytes();
        let offset = offset.min(bytes.len());
        let blocks = self.blocks.get_or_init(|| {
            let counts = bytes.chunks(BLOCK).scan(0, |before, block| {
                let count = *before;
                *before += characters(block);
                Some(count)
            });
            counts.collect()
        });
        let block = offset / BLOCK;
        match blocks.get(block) {
            Some(before) => before + characters(&bytes[block * BLOCK..offset]),
            // The offset is the end of the text, which has no bytes or ends with a full block.
            None => {
                blocks.last().map_or(0, |before| before + characters(&bytes[(block - 1) * BLOCK..offset]))
            }
        }
    }

    /// Returns the line of a byte, from 0. Past the end, it is the last line.
    pub fn line_at(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start as usize <= offset).saturating_sub(1)
    }

    /// Returns the bytes of a line, without its end.
    pub fn line(&self, number: usize) -> std::ops::Range<usize> {
        let start_of = |number: usize| self.line_starts.get(number).map(|start| *start as usize);
        let start = start_of(number).unwrap_or(self.text.len());
        start..start_of(number + 1).map_or(self.text.len(), |next| next - 1)
    }
}

/// The sources of a run.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

/// A position for readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Sources {
    /// Adds a text under a name and returns its id.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> SourceId {
        let id = SourceId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(Source::new(name.into(), text.into()));
        id
    }

    /// Adds every source of others, in order, and returns the number of the first.
    pub fn append(&mut self, others: &Sources) -> u32 {
        let first = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.extend(others.files.iter().cloned());
        first
    }

    /// Replaces a source that no span points into any longer.
    pub fn replace(&mut self, id: SourceId, source: Source) {
        if let Some(place) = self.files.get_mut(id.0 as usize) {
            *place = source;
        }
    }

    /// Drops the text of a source that no span points into any longer. Its number stays taken.
    pub fn clear(&mut self, id: SourceId) {
        self.replace(id, Source::new("".into(), "".into()));
    }

    /// Returns the source with an id. An id of another `Sources` may give another source, or an empty one.
    pub fn get(&self, id: SourceId) -> Source {
        self.files.get(id.0 as usize).cloned().unwrap_or_else(|| Source::new("".into(), "".into()))
    }

    /// Iterates over the sources with their ids, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.files.iter().enumerate().map(|(i, file)| (SourceId(i as u32), file))
    }

    /// Counts the sources.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns `true` if there is no source.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns the text of a span.
    pub fn text(&self, span: Span) -> &str {
        self.files
            .get(span.source.0 as usize)
            .and_then(|file| file.text.get(span.start as usize..span.end as usize))
            .unwrap_or("")
    }

    /// Returns the line and column of the first byte of a span.
    pub fn line_column(&self, span: Span) -> LineColumn {
        let Some(file) = self.files.get(span.source.0 as usize) else {
            return LineColumn { line: 1, column: 1 };
        };
        let line = file.line_starts.partition_point(|&start| start <= span.start).max(1);
        let start = file.line_starts[line - 1] as usize;
        let column = file.characters_before(span.start as usize) - file.characters_before(start);
        LineColumn { line: line as u32, column: column + 1 }
    }

    /// Returns `file:line:column` of a span.
    pub fn place(&self, span: Span) -> String {
        let LineColumn { line, column } = self.line_column(span);
        format!("{}:{line}:{column}", self.get(span.source).name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_in_characters_wherever_blocks_end() {
        let mixed: String = "aä\u{1f4be}b\n€".chars().cycle().take(1_200).collect();
        for text in [String::new(), "a".repeat(BLOCK), "a".repeat(2 * BLOCK - 1), mixed] {
            let mut sources = Sources::default();
            let id = sources.add("x", text.as_str());
            for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
                let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
                let found = sources.line_column(Span::new(id, at, at));
                assert_eq!(
                    found.column as usize,
                    text[start..at].chars().count() + 1,
                    "{at} of {}",
                    text.len()
                );
                assert_eq!(
                    found.line as usize,
                    text[..at].matches('\n').count() + 1,
                    "{at} of {}",
                    text.len()
                );
            }
        }
    }
}
