//! Names that may occur once per block. They are indexed, so that a block is read in time linear in its
//! length.

use indexmap::IndexMap;

use super::{
    Resolver,
    hir::{Need, Volume},
    literal::said_twice,
};
use crate::{inventory::records::KeyRecord, parse::ast, source::Span};

/// Names, with the span of their first occurrence.
pub(super) type FirstSpans = IndexMap<String, Span>;

/// The keys of one holder.
#[derive(Debug, Default)]
pub(super) struct HolderKeys {
    first_spans: FirstSpans,
    /// The keys with a valid value, in source order.
    pub records: Vec<KeyRecord>,
}

/// The needs of one framework that are bound so far.
#[derive(Debug, Default)]
pub(super) struct FrameworkNeeds {
    /// The needs, in source order.
    pub list: Vec<Need>,
    by_name: IndexMap<String, usize>,
}

impl FrameworkNeeds {
    /// Adds a need. Its name must be new.
    pub fn push(&mut self, need: Need) {
        self.by_name.insert(need.name.text.clone(), self.list.len());
        self.list.push(need);
    }

    /// Returns the number of the need with this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Returns the need with this name.
    pub fn find(&self, name: &str) -> Option<&Need> {
        self.position(name).map(|at| &self.list[at])
    }
}

/// Returns the number of the volume with this name. A need has few volumes, so the search is linear.
pub(super) fn volume_named(volumes: &[Volume], name: &str) -> Option<usize> {
    volumes.iter().position(|volume| volume.name.text == name)
}

impl Resolver {
    /// Returns `true` if the name occurred before, and reports both spans. Remembers it otherwise.
    pub(super) fn is_again(&mut self, first_spans: &mut FirstSpans, name: &str, span: Span) -> bool {
        match first_spans.get(name) {
            Some(first) => {
                let problem = said_twice(name, span, *first);
                self.problem(problem);
                true
            }
            None => {
                first_spans.insert(name.to_owned(), span);
                false
            }
        }
    }

    /// Adds a key with its value. Reports a second occurrence.
    pub(super) fn add_key(&mut self, keys: &mut HolderKeys, key: String, assign: &ast::Assign, span: Span) {
        if !self.is_again(&mut keys.first_spans, &key, span) {
            keys.records.extend(self.key_record(key, assign, span));
        }
    }
}
