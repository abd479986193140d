//! Source texts and places in them: what every message points at.

use std::sync::{Arc, OnceLock};

/// A source of one run: a policy file, a standard module, an inventory file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SourceId(pub(crate) u32);

impl SourceId {
    /// Its number: dense from 0 in the order in which sources are added.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The source with this number.
    pub fn of(number: u32) -> SourceId {
        SourceId(number)
    }
}

/// A half-open range of bytes `start..end` in one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The source it lies in.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span of `source` from `start` up to, not including, `end`. Offsets past 4 GiB saturate; sources are
    /// far smaller than that (`limits::SOURCE_BYTES`).
    pub fn new(source: SourceId, start: usize, end: usize) -> Self {
        let clip = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { source, start: clip(start), end: clip(end.max(start)) }
    }

    /// The smallest span that holds both; `self` where they lie in different sources.
    pub fn to(self, other: Span) -> Span {
        if self.source != other.source {
            return self;
        }
        Span { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The same place once its sources have been appended to others, the first of them as `first`.
    #[must_use]
    pub fn lifted(self, first: u32) -> Span {
        Span { source: SourceId(self.source.0 + first), ..self }
    }

    /// Bytes in it.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether it holds no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// One source text and the name it is shown by.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name in messages: a path as the user gave it, or `std.storage`.
    pub name: Arc<str>,
    /// The text.
    pub text: Arc<str>,
    line_starts: Arc<[u32]>,
    /// Characters that begin before each block of the text; counted where somebody asks for a column.
    blocks: Arc<OnceLock<Box<[u32]>>>,
}

/// Bytes of a block: what is counted again for each column.
const BLOCK: usize = 1 << 10;

fn characters(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u32
}

impl Source {
    fn new(name: Arc<str>, text: Arc<str>) -> Source {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        let line_starts = starts.map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect();
        Source { name, text, line_starts, blocks: Arc::default() }
    }

    /// Characters that begin before a byte. A line may have megabytes, and a problem in each of its words.
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
            // At the end of a last block that is full, or of nothing.
            None => {
                blocks.last().map_or(0, |before| before + characters(&bytes[(block - 1) * BLOCK..offset]))
            }
        }
    }

    /// The line that a byte is in, from 0; past the end, the last.
    pub fn line_at(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start as usize <= offset).saturating_sub(1)
    }

    /// The bytes of a line, its end excluded.
    pub fn line(&self, number: usize) -> std::ops::Range<usize> {
        let start_of = |number: usize| self.line_starts.get(number).map(|start| *start as usize);
        let start = start_of(number).unwrap_or(self.text.len());
        start..start_of(number + 1).map_or(self.text.len(), |next| next - 1)
    }
}

/// All sources of a run.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

/// A place as people say it: 1-based line and column (in characters).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// 1-based line.
    pub line: u32,
    /// 1-based column, counted in characters.
    pub column: u32,
}

impl Sources {
    /// Adds a text under a name and gives its id.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> SourceId {
        let id = SourceId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(Source::new(name.into(), text.into()));
        id
    }

    /// Adds every source of others, in order, and gives the number of the first.
    pub fn append(&mut self, others: &Sources) -> u32 {
        let first = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.extend(others.files.iter().cloned());
        first
    }

    /// Puts a source of others in the place of one that nothing stands in any longer.
    pub fn replace(&mut self, id: SourceId, source: Source) {
        if let Some(place) = self.files.get_mut(id.0 as usize) {
            *place = source;
        }
    }

    /// Forgets the text of a source in which nothing stands any longer. Its number stays.
    pub fn clear(&mut self, id: SourceId) {
        self.replace(id, Source::new("".into(), "".into()));
    }

    /// The source with this id. An id of another `Sources` gives an empty one.
    pub fn get(&self, id: SourceId) -> Source {
        self.files.get(id.0 as usize).cloned().unwrap_or_else(|| Source::new("".into(), "".into()))
    }

    /// Every source with its id, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.files.iter().enumerate().map(|(i, file)| (SourceId(i as u32), file))
    }

    /// How many sources there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The text a span covers.
    pub fn text(&self, span: Span) -> &str {
        self.files
            .get(span.source.0 as usize)
            .and_then(|file| file.text.get(span.start as usize..span.end as usize))
            .unwrap_or("")
    }

    /// Line and column of the first byte of a span.
    pub fn line_column(&self, span: Span) -> LineColumn {
        let Some(file) = self.files.get(span.source.0 as usize) else {
            return LineColumn { line: 1, column: 1 };
        };
        let line = file.line_starts.partition_point(|&start| start <= span.start).max(1);
        let start = file.line_starts[line - 1] as usize;
        let column = file.characters_before(span.start as usize) - file.characters_before(start);
        LineColumn { line: line as u32, column: column + 1 }
    }

    /// `file:line:column` of a span.
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
