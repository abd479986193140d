//! What a block may say once: looked up by name, so that a block of any length is read in one pass.

use indexmap::IndexMap;

use super::{
    Resolver,
    hir::{Need, Volume},
    literal::said_twice,
};
use crate::{inventory::records::KeyRecord, parse::ast, source::Span};

/// Names, and where each was said first.
pub(super) type Said = IndexMap<String, Span>;

/// The keys of one holder.
#[derive(Debug, Default)]
pub(super) struct Keys {
    said: Said,
    /// Those that could be read, in order.
    pub records: Vec<KeyRecord>,
}

/// The needs of one framework so far.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// In order.
    pub list: Vec<Need>,
    by_name: IndexMap<String, usize>,
}

impl Needs {
    /// Adds one; its name is new.
    pub fn push(&mut self, need: Need) {
        self.by_name.insert(need.name.text.clone(), self.list.len());
        self.list.push(need);
    }

    /// The number of the need with this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The need with this name.
    pub fn find(&self, name: &str) -> Option<&Need> {
        self.position(name).map(|at| &self.list[at])
    }
}

/// The number of a volume among those of a need; there are few.
pub(super) fn volume_named(volumes: &[Volume], name: &str) -> Option<usize> {
    volumes.iter().position(|volume| volume.name.text == name)
}

impl Resolver {
    /// Whether a name was said before; if so, it is reported with both places.
    pub(super) fn is_again(&mut self, said: &mut Said, name: &str, span: Span) -> bool {
        match said.get(name) {
            Some(first) => {
                let problem = said_twice(name, span, *first);
                self.problem(problem);
                true
            }
            None => {
                said.insert(name.to_owned(), span);
                false
            }
        }
    }

    /// Adds a key with its value, once.
    pub(super) fn add_key(&mut self, keys: &mut Keys, key: String, assign: &ast::Assign, span: Span) {
        if !self.is_again(&mut keys.said, &key, span) {
            keys.records.extend(self.key_record(key, assign, span));
        }
    }
}
