//! Type variables and what is known of them, kept in a union-find forest.

use crate::{quantity::Dimension, source::Span, types::Type};

/// A type variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Var(u32);

/// The current knowledge about a type variable. Bounds form a lattice: [`Bound::Free`] is its top, types are
/// its bottom, and the others lie between since the form of a literal does not always decide its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Nothing is known.
    Free,
    /// A quoted text: a text, or a place if another use says so.
    Quoted,
    /// A set of unknown members: `[]`.
    Set,
    /// A list of numbers: a set of numbers, or ranges if another use says so.
    NumberList,
    /// A known type.
    Known(Type),
}

impl Bound {
    /// Returns the name of the bound for messages.
    pub fn words(self) -> &'static str {
        match self {
            Bound::Free => "of any type",
            Bound::Quoted => "text",
            Bound::Set => "a set",
            Bound::NumberList => "set of number",
            Bound::Known(kind) => kind.name(),
        }
    }

    /// Returns the type. Defaults apply where no use decided.
    pub fn settled(self) -> Option<Type> {
        match self {
            Bound::Free => None,
            Bound::Quoted => Some(Type::Text),
            Bound::Set => Some(Type::Texts),
            Bound::NumberList => Some(Type::Numbers),
            Bound::Known(kind) => Some(kind),
        }
    }

    /// Returns `true` if it can be a set or ranges.
    pub fn is_set(self) -> bool {
        matches!(
            self,
            Bound::Set | Bound::NumberList | Bound::Known(Type::Texts | Type::Numbers | Type::Ranges)
        )
    }

    /// Returns `true` if it is a place, or a text that can be read as one.
    pub fn is_path(self) -> bool {
        matches!(self, Bound::Quoted | Bound::Known(Type::Text | Type::Place))
    }

    /// Returns the dimension of a quantity.
    pub fn dimension(self) -> Option<Dimension> {
        match self {
            Bound::Known(Type::Quantity(dimension)) => Some(dimension),
            _ => None,
        }
    }

    /// Returns the greatest lower bound: the knowledge if both hold, or `None` if they contradict.
    fn meet(self, other: Bound) -> Option<Bound> {
        use Bound::{Free, Known, NumberList, Quoted, Set};
        let met = match (self, other) {
            (Free, bound) | (bound, Free) => bound,
            (a, b) if a == b => a,
            (Quoted, known @ Known(Type::Text | Type::Place))
            | (known @ Known(Type::Text | Type::Place), Quoted) => known,
            (Set, bound) | (bound, Set) if bound.is_set() => bound,
            (NumberList, known @ Known(Type::Numbers | Type::Ranges))
            | (known @ Known(Type::Numbers | Type::Ranges), NumberList) => known,
            _ => return None,
        };
        Some(met)
    }
}

/// The origin of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The span of the use that set it.
    pub span: Span,
}

/// Two uses that disagree.
#[derive(Clone, Copy, Debug)]
pub struct TypeConflict {
    /// The bound of one use.
    pub left: (Bound, Option<Origin>),
    /// The bound of the other.
    pub right: (Bound, Option<Origin>),
}

/// A union-find forest of type variables. Each tree is one class of equal types, with its bound at the root.
///
/// `join` makes the lower number the root, and `root` halves paths as it climbs, so that operations take
/// logarithmic time, amortised. Which variable is the root never depends on anything but the order of
/// creation.
#[derive(Clone, Debug, Default)]
pub struct TypeForest {
    parent: Vec<u32>,
    bounds: Vec<(Bound, Option<Origin>)>,
}

impl TypeForest {
    /// Returns a new variable without a bound.
    pub fn fresh(&mut self) -> Var {
        let var = Var(self.parent.len() as u32);
        self.parent.push(var.0);
        self.bounds.push((Bound::Free, None));
        var
    }

    /// Returns a new variable with a bound that the span sets.
    pub fn bound(&mut self, bound: Bound, span: Span) -> Var {
        let var = self.fresh();
        self.bounds[var.0 as usize] = (bound, Some(Origin { span }));
        var
    }

    fn root(&mut self, var: Var) -> u32 {
        let mut at = var.0;
        while self.parent[at as usize] != at {
            let above = self.parent[at as usize];
            self.parent[at as usize] = self.parent[above as usize];
            at = above;
        }
        at
    }

    /// Returns the bound of a variable.
    pub fn get(&mut self, var: Var) -> Bound {
        let root = self.root(var);
        self.bounds[root as usize].0
    }

    /// Returns the bound of a variable without shortening its path, for shared access.
    pub fn peek(&self, var: Var) -> Bound {
        let mut at = var.0;
        while let Some(parent) = self.parent.get(at as usize).filter(|parent| **parent != at) {
            at = *parent;
        }
        self.bounds.get(at as usize).map_or(Bound::Free, |known| known.0)
    }

    /// Returns the bound of a variable and its origin.
    pub fn get_with_origin(&mut self, var: Var) -> (Bound, Option<Origin>) {
        let root = self.root(var);
        self.bounds[root as usize]
    }

    /// Makes two variables equal.
    ///
    /// # Errors
    /// Returns both bounds if they contradict. Nothing is changed then.
    pub fn join(&mut self, left: Var, right: Var) -> Result<(), TypeConflict> {
        let (a, b) = (self.root(left), self.root(right));
        if a == b {
            return Ok(());
        }
        let (one, other) = (self.bounds[a as usize], self.bounds[b as usize]);
        let Some(met) = one.0.meet(other.0) else {
            return Err(TypeConflict { left: one, right: other });
        };
        let origin = if met == one.0 { one.1.or(other.1) } else { other.1.or(one.1) };
        let (low, high) = (a.min(b), a.max(b));
        self.parent[high as usize] = low;
        self.bounds[low as usize] = (met, origin);
        Ok(())
    }

    /// Adds a bound to a variable.
    ///
    /// # Errors
    /// Returns both bounds if they contradict, as [`TypeForest::join`] does.
    pub fn narrow(&mut self, var: Var, bound: Bound, span: Span) -> Result<(), TypeConflict> {
        let other = self.bound(bound, span);
        self.join(var, other)
    }
}
