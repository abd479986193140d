//! The numbers by which a plugin knows texts and versions. They are its own, from 0 without gaps, and cover
//! only what the plugin sees: the plan's symbols would reveal that others exist, and how many.

use std::sync::Arc;

use indexmap::IndexMap;

use super::wire::filter as wire;
use crate::{
    symbol::{Symbol, Symbols},
    value::{Version, is_place},
};

/// No number. As a parent: the text has no `/`.
const NOTHING: u32 = u32::MAX;

/// A text that has a number.
#[derive(Clone, Debug)]
enum NumberedText {
    /// A symbol of the plan.
    Known(Symbol),
    /// A text that was not in the plan when it got its number.
    Own(Arc<str>),
}

/// The numbers of one filter. A number keeps its meaning, so the tables only grow.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    /// True for each of texts and places that the plugin wants to be told of.
    wants: (bool, bool),
    /// By symbol of the plan, the number, or [`NOTHING`].
    by_symbol: Vec<u32>,
    /// The numbers of texts that were not in the plan.
    own: IndexMap<Arc<str>, u32>,
    /// The texts, by number.
    list: Vec<NumberedText>,
    /// The count of texts that the plugin was sent.
    sent: usize,
    /// By its text, each version. The position is its number.
    versions: IndexMap<String, Arc<Version>>,
    /// The count of versions that the plugin was sent.
    versions_sent: usize,
}

impl Texts {
    /// Creates an empty table. `texts` and `places` say what the plugin wants to be told of each.
    pub(super) fn new(texts: bool, places: bool) -> Self {
        Texts { wants: (texts, places), ..Texts::default() }
    }

    /// Returns the number of a symbol of the plan.
    pub(super) fn number(&mut self, symbols: &Symbols, symbol: Symbol) -> u32 {
        let at = symbol.index();
        if self.by_symbol.len() <= at {
            self.by_symbol.resize(symbols.len().max(at + 1), NOTHING);
        }
        if self.by_symbol[at] == NOTHING {
            // The plan may have learned a text after it got a number.
            self.by_symbol[at] = match self.own.get(symbols.text(symbol)) {
                Some(number) => *number,
                None => self.add(NumberedText::Known(symbol)),
            };
        }
        self.by_symbol[at]
    }

    /// Returns the number of any text.
    pub(super) fn text_number(&mut self, symbols: &Symbols, text: &str) -> u32 {
        if let Some(symbol) = symbols.find(text) {
            return self.number(symbols, symbol);
        }
        if let Some(number) = self.own.get(text) {
            return *number;
        }
        let text: Arc<str> = text.into();
        let number = self.add(NumberedText::Own(text.clone()));
        self.own.insert(text, number);
        number
    }

    fn add(&mut self, text: NumberedText) -> u32 {
        self.list.push(text);
        (self.list.len() - 1) as u32
    }

    /// Returns the text of a number.
    pub(super) fn text<'a>(&'a self, symbols: &'a Symbols, number: u32) -> Option<&'a str> {
        Some(match self.list.get(number as usize)? {
            NumberedText::Known(symbol) => symbols.text(*symbol),
            NumberedText::Own(text) => text,
        })
    }

    /// Returns the number of a version.
    pub(super) fn version_number(&mut self, version: &Arc<Version>) -> u32 {
        let text = version.to_string();
        let entry = self.versions.entry(text);
        let at = entry.index();
        entry.or_insert_with(|| version.clone());
        at as u32
    }

    /// Returns the version of a number.
    pub(super) fn version(&self, number: u32) -> Option<&Arc<Version>> {
        self.versions.get_index(number as usize).map(|known| known.1)
    }

    /// Returns `true` if something has a number that the plugin was not sent.
    pub(super) fn has_news(&self) -> bool {
        self.sent < self.list.len() || self.versions_sent < self.versions.len()
    }

    /// Marks everything as not sent, for a new instance.
    pub(super) fn forget(&mut self) {
        (self.sent, self.versions_sent) = (0, 0);
    }

    /// Returns the texts that the plugin was not sent. Parents of places get numbers on the way, so the list
    /// grows while it is walked.
    pub(super) fn news(&mut self, symbols: &Symbols) -> wire::Symbols {
        let mut news = wire::Symbols {
            count: 0,
            parents: Vec::new(),
            depths: Vec::new(),
            ends: Vec::new(),
            bytes: Vec::new(),
        };
        let (texts, places) = self.wants;
        let mut at = self.sent;
        while at < self.list.len() {
            let entry = self.list[at].clone();
            let text = match &entry {
                NumberedText::Known(symbol) => symbols.text(*symbol),
                NumberedText::Own(text) => text,
            };
            if places {
                // Other texts have no parents, even with a `/` in them.
                let end = text.rfind('/').filter(|_| is_place(text));
                let parent = end.map(|end| self.text_number(symbols, &text[..end]));
                news.parents.push(parent.unwrap_or(NOTHING));
                news.depths.push(text.matches('/').count() as u32 + 1);
            }
            if texts {
                news.bytes.extend_from_slice(text.as_bytes());
                news.ends.push(news.bytes.len() as u32);
            }
            at += 1;
        }
        self.sent = self.list.len();
        news.count = self.list.len() as u32;
        news
    }

    /// Returns the rank of every version if some are new, else nothing. Versions that are equal, such as
    /// `5.10` and `5.10.0`, have the same rank, so that a plugin compares ranks and never parses.
    pub(super) fn version_news(&mut self) -> Vec<u32> {
        if self.versions_sent == self.versions.len() {
            return Vec::new();
        }
        self.versions_sent = self.versions.len();
        let mut order: Vec<usize> = (0..self.versions.len()).collect();
        order.sort_by(|a, b| self.versions[*a].cmp(&self.versions[*b]));
        let mut ranks = vec![0; order.len()];
        let mut rank = 0;
        for (at, version) in order.iter().enumerate() {
            if at > 0 && self.versions[order[at - 1]] != self.versions[*version] {
                rank += 1;
            }
            ranks[*version] = rank;
        }
        ranks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dense_and_parents_have_some() {
        let mut symbols = Symbols::default();
        let hidden = symbols.intern("hidden");
        let rack = symbols.intern("eu/a/r1");
        let mut texts = Texts::new(true, true);
        assert_eq!((texts.number(&symbols, rack), texts.text_number(&symbols, "x")), (0, 1));
        let news = texts.news(&symbols);
        assert_eq!(news.count, 4);
        assert_eq!(news.parents, [2, NOTHING, 3, NOTHING]);
        assert_eq!(news.depths, [3, 1, 2, 1]);
        assert_eq!(news.bytes, b"eu/a/r1xeu/aeu");
        assert_eq!(news.ends, [7, 8, 12, 14]);
        assert!(!texts.has_news());
        // The plan learns a text that the filter knows: the number stays.
        let later = symbols.intern("x");
        assert_eq!(texts.number(&symbols, later), 1);
        assert_eq!(texts.number(&symbols, hidden), 4);
        assert_eq!((texts.has_news(), texts.text(&symbols, 4)), (true, Some("hidden")));
    }

    #[test]
    fn equal_versions_have_one_rank() {
        let mut texts = Texts::new(false, false);
        let numbers: Vec<u32> = ["5.10", "5.9", "5.10.0", "6"]
            .map(|text| texts.version_number(&Version::parse(text).expect("a version").into()))
            .to_vec();
        assert_eq!(numbers, [0, 1, 2, 3]);
        assert_eq!(texts.version_news(), [1, 0, 1, 2]);
        assert_eq!(texts.version_news(), [0; 0]);
    }
}
