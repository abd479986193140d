//! The keys that columns are read into, as one tree: keys that begin alike share an object. What a key costs
//! does not depend on how many others there are.

use indexmap::IndexMap;

use super::{options::KeyColumn, rows::JsonFields};
use crate::inventory::wire::Json;

/// The keys of an import. None is the beginning of another: it would be both a value and an object.
#[derive(Default)]
pub(super) struct KeyTree<'o> {
    /// The words of keys, each by the number of the one before it and its text. A number is one more than the
    /// position here; before a first word stands 0.
    words: IndexMap<(usize, &'o str), Word<'o>>,
}

struct Word<'o> {
    /// The first key that has this word here.
    first: &'o KeyColumn,
    /// `true` if the key ends with it.
    is_last: bool,
}

impl<'o> KeyTree<'o> {
    /// Returns the first key beside which `key` cannot be set.
    pub fn taken(&self, key: &[String]) -> Option<&'o KeyColumn> {
        let (mut before, mut first) = (0, None);
        for word in key {
            let (at, _, known) = self.words.get_full(&(before, word.as_str()))?;
            (before, first) = (at + 1, Some(known.first));
            if known.is_last {
                break;
            }
        }
        first
    }

    /// Adds a key that is not taken. Returns the numbers of its words.
    pub fn add(&mut self, key: &'o KeyColumn) -> Vec<usize> {
        let mut path = Vec::with_capacity(key.key.len());
        let mut before = 0;
        for (at, word) in key.key.iter().enumerate() {
            let entry = self.words.entry((before, word.as_str()));
            before = entry.index() + 1;
            entry.or_insert(Word { first: key, is_last: at + 1 == key.key.len() });
            path.push(before);
        }
        path
    }
}

/// The keys of one row.
#[derive(Default)]
pub(super) struct KeyFields {
    pub fields: JsonFields,
    /// By number of a word, the position of its object among the fields of the object around it. `None`: the row has no
    /// such object yet.
    places: Vec<Option<usize>>,
}

impl KeyFields {
    /// Inserts a value at a key with the numbers of its words, and creates the objects on the way.
    pub fn insert(&mut self, key: &[String], path: &[usize], value: Json) {
        let Some((last, before)) = key.split_last() else { return };
        let mut fields = &mut self.fields;
        for (word, number) in before.iter().zip(path) {
            if self.places.len() <= *number {
                self.places.resize(number + 1, None);
            }
            let place = *self.places[*number].get_or_insert_with(|| {
                fields.push((word.clone(), Json::Object(Vec::new())));
                fields.len() - 1
            });
            let Some((_, Json::Object(below))) = fields.get_mut(place) else { return };
            fields = below;
        }
        fields.push((last.clone(), value));
    }
}
