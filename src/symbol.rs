//! Interned text. Equal texts have equal numbers, so comparing texts is comparing integers.

use foldhash::fast::RandomState;
use indexmap::IndexSet;

/// An interned text. Meaningful only with the [`Symbols`] that made it, or a clone of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(u32);

impl Symbol {
    /// The symbol with a number that [`Symbol::index`] returned.
    pub(crate) fn numbered(index: u32) -> Symbol {
        Symbol(index)
    }

    /// The number, dense from 0 in order of first use.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The interner. It only grows, so a clone that grows still understands the symbols of the original. Symbols
/// are numbered by insertion, never by hash order.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    texts: IndexSet<Box<str>, RandomState>,
}

impl Symbols {
    /// Returns the symbol of a text, and makes one if the text is new.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if let Some(at) = self.texts.get_index_of(text) {
            return Symbol(at as u32);
        }
        Symbol(self.texts.insert_full(text.into()).0 as u32)
    }

    /// Returns the symbol of a text, if it has one.
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.texts.get_index_of(text).map(|at| Symbol(at as u32))
    }

    /// Returns the text of a symbol.
    pub fn text(&self, symbol: Symbol) -> &str {
        self.texts.get_index(symbol.index()).map_or("", |text| text)
    }

    /// Iterates over the texts, in the order of their symbols.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }

    /// Counts the texts.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Returns `true` if there is no text.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}
