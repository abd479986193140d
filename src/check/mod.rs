//! Resolved set → the same set with the type of every key, or the problems: two uses of a key that disagree,
//! dimensions that differ, conditions that are none.

mod cost;
mod infer;
mod lookalikes;
mod set;
mod traps;
pub mod types;

use indexmap::IndexMap;
pub use lookalikes::lookalikes;

use crate::{
    diagnostic::Diagnostic,
    quantity::Dimension,
    resolve::hir::Hir,
    types::{Side, Type},
};

/// How strictly a set is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strictness {
    /// A key that a schema of its side does not declare is an error rather than a warning.
    pub undeclared_keys: bool,
    /// A name that looks like another is an error rather than a warning.
    pub lookalikes: bool,
}

/// The types of a set. Only [`check`] makes one.
#[derive(Clone, Debug, Default)]
pub struct Types {
    keys: IndexMap<(Side, String), Option<Type>>,
    resources: IndexMap<(Side, String), Option<Type>>,
    known: infer::Known,
}

impl Types {
    /// The type of an open key, where anything says it.
    pub fn key(&self, side: Side, key: &str) -> Option<Type> {
        self.keys.get(&(side, key.to_owned())).copied().flatten()
    }

    /// The dimension of a resource of agents or of storage, where anything says it.
    pub fn resource(&self, side: Side, resource: &str) -> Option<Dimension> {
        match self.resources.get(&(side, resource.to_owned())).copied().flatten() {
            Some(Type::Quantity(dimension)) => Some(dimension),
            _ => None,
        }
    }

    /// The type of a class or let, by its number, where anything says it.
    pub fn definition(&self, definition: usize) -> Option<Type> {
        self.known.definition(definition)
    }

    /// Every resource whose dimension is known: the side that has it, its name, its dimension.
    pub fn resources(&self) -> impl Iterator<Item = (Side, &str, Dimension)> {
        self.resources.iter().filter_map(|((side, resource), kind)| match kind {
            Some(Type::Quantity(dimension)) => Some((*side, resource.as_str(), *dimension)),
            _ => None,
        })
    }

    /// Every open key with its type.
    pub fn keys(&self) -> impl Iterator<Item = (Side, &str, Option<Type>)> {
        self.keys.iter().map(|((side, key), kind)| (*side, key.as_str(), *kind))
    }
}

/// Infers the types of a set, and says what is wrong with them.
pub fn check(hir: &Hir, strictness: Strictness) -> (Types, Vec<Diagnostic>) {
    let mut checker = infer::Checker::new(hir, infer::Known::default());
    set::visit(&mut checker, 0, false, strictness);
    checker.finish()
}

/// Infers the types of what was added to a set (`resolve::extend`), whose own types are `base`.
pub fn check_more(hir: &Hir, base: &Types, strictness: Strictness) -> (Types, Vec<Diagnostic>) {
    let mut checker = infer::Checker::new(hir, base.known.clone());
    set::visit(&mut checker, base.known.definitions(), true, strictness);
    checker.finish()
}
