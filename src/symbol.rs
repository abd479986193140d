//! Interned text: equal texts are equal numbers.

use foldhash::fast::RandomState;
use indexmap::IndexSet;

/// An interned text. Meaningful only with the [`Symbols`] that made it (or a clone of it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(u32);

impl Symbol {
    /// The symbol with a number, as [`Symbol::index`] gave it.
    pub(crate) fn numbered(index: u32) -> Symbol {
        Symbol(index)
    }

    /// Its number: dense from 0 in order of first use.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The interner. Append-only: a clone that grows still understands the symbols of the original.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    texts: IndexSet<Box<str>, RandomState>,
}

impl Symbols {
    /// The symbol of a text, made if new.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if let Some(at) = self.texts.get_index_of(text) {
            return Symbol(at as u32);
        }
        Symbol(self.texts.insert_full(text.into()).0 as u32)
    }

    /// The symbol of a text, if it has one.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.texts.get_index_of(text).map(|at| Symbol(at as u32))
    }

    /// The text of a symbol.
    pub fn text(&self, symbol: Symbol) -> &str {
        self.texts.get_index(symbol.index()).map_or("", |text| text)
    }

    /// Every text, in the order of their symbols.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}
