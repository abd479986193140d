//! Type checking: infers the type of every open key of a resolved set, or reports why that is impossible.
//!
//! No declaration of types is needed. Each key, resource, class, let and expression has a type variable;
//! every use adds a constraint, and two uses that disagree are reported with both spans (unification, with a
//! union-find forest in `types`). The pipeline calls this module between `resolve` and `lower`.

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

/// The strictness of the checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strictness {
    /// `true` if a key that the schema of its side does not declare is an error and not a warning.
    pub undeclared_keys: bool,
    /// `true` if a name that looks like another is an error and not a warning.
    pub lookalikes: bool,
}

/// The types of a set. Only [`check`] and [`check_more`] make one.
#[derive(Clone, Debug, Default)]
pub struct Types {
    keys: IndexMap<(Side, String), Option<Type>>,
    resources: IndexMap<(Side, String), Option<Type>>,
    known: infer::TypeVariables,
}

impl Types {
    /// Returns the type of an open key, or `None` if no use determines it.
    pub fn key(&self, side: Side, key: &str) -> Option<Type> {
        self.keys.get(&(side, key.to_owned())).copied().flatten()
    }

    /// Returns the dimension of a resource of agents or of storage, or `None` if no use determines it.
    pub fn resource(&self, side: Side, resource: &str) -> Option<Dimension> {
        match self.resources.get(&(side, resource.to_owned())).copied().flatten() {
            Some(Type::Quantity(dimension)) => Some(dimension),
            _ => None,
        }
    }

    /// Returns the type of a class or let by its number, or `None` if nothing determines it.
    pub fn definition(&self, definition: usize) -> Option<Type> {
        self.known.definition(definition)
    }

    /// Returns every resource with a known dimension: its side, name and dimension.
    pub fn resources(&self) -> impl Iterator<Item = (Side, &str, Dimension)> {
        self.resources.iter().filter_map(|((side, resource), kind)| match kind {
            Some(Type::Quantity(dimension)) => Some((*side, resource.as_str(), *dimension)),
            _ => None,
        })
    }

    /// Returns every open key with its type.
    pub fn keys(&self) -> impl Iterator<Item = (Side, &str, Option<Type>)> {
        self.keys.iter().map(|((side, key), kind)| (*side, key.as_str(), *kind))
    }
}

/// Infers the types of a set and reports type errors.
pub fn check(hir: &Hir, strictness: Strictness) -> (Types, Vec<Diagnostic>) {
    let mut checker = infer::Checker::new(hir, infer::TypeVariables::default());
    set::visit(&mut checker, 0, false, strictness);
    checker.finish()
}

/// Infers the types of a test that `resolve::extend` added to a set. `base` holds the types of the set.
pub fn check_more(hir: &Hir, base: &Types, strictness: Strictness) -> (Types, Vec<Diagnostic>) {
    let mut checker = infer::Checker::new(hir, base.known.clone());
    set::visit(&mut checker, base.known.definitions(), true, strictness);
    checker.finish()
}
