//! Type variables, joined as uses agree: one for each open key, resource, class, let and expression.

use crate::{quantity::Dimension, source::Span, types::Type};

/// A type variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Var(u32);

/// What is known of a variable's type so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Nothing.
    Free,
    /// A quoted text: text, unless its key is a place.
    Quoted,
    /// A set of something: `[]`.
    Set,
    /// A list of whole numbers: a set of number, unless its key holds ranges.
    NumberList,
    /// This type.
    Known(Type),
}

impl Bound {
    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Bound::Free => "of any type",
            Bound::Quoted => "text",
            Bound::Set => "a set",
            Bound::NumberList => "set of number",
            Bound::Known(kind) => kind.name(),
        }
    }

    /// Its type, defaults applied.
    pub fn settled(self) -> Option<Type> {
        match self {
            Bound::Free => None,
            Bound::Quoted => Some(Type::Text),
            Bound::Set => Some(Type::Texts),
            Bound::NumberList => Some(Type::Numbers),
            Bound::Known(kind) => Some(kind),
        }
    }

    /// Whether it can be a set or ranges.
    pub fn is_set(self) -> bool {
        matches!(
            self,
            Bound::Set | Bound::NumberList | Bound::Known(Type::Texts | Type::Numbers | Type::Ranges)
        )
    }

    /// Whether it is a place, or a text that can be read as one.
    pub fn is_path(self) -> bool {
        matches!(self, Bound::Quoted | Bound::Known(Type::Text | Type::Place))
    }

    /// Its dimension.
    pub fn dimension(self) -> Option<Dimension> {
        match self {
            Bound::Known(Type::Quantity(dimension)) => Some(dimension),
            _ => None,
        }
    }

    /// What is known when both hold, if both can.
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

/// Where a bound comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The place that says it.
    pub span: Span,
}

/// Two uses that disagree.
#[derive(Clone, Copy, Debug)]
pub struct Conflict {
    /// One.
    pub left: (Bound, Option<Origin>),
    /// The other.
    pub right: (Bound, Option<Origin>),
}

/// A union-find forest of variables.
#[derive(Clone, Debug, Default)]
pub struct Table {
    parent: Vec<u32>,
    bounds: Vec<(Bound, Option<Origin>)>,
}

impl Table {
    /// A variable of which nothing is known.
    pub fn fresh(&mut self) -> Var {
        let var = Var(self.parent.len() as u32);
        self.parent.push(var.0);
        self.bounds.push((Bound::Free, None));
        var
    }

    /// A variable with a bound that a place in the source gives.
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

    /// What is known of a variable.
    pub fn get(&mut self, var: Var) -> Bound {
        let root = self.root(var);
        self.bounds[root as usize].0
    }

    /// What is known of a variable, without looking it up faster the next time.
    pub fn peek(&self, var: Var) -> Bound {
        let mut at = var.0;
        while let Some(parent) = self.parent.get(at as usize).filter(|parent| **parent != at) {
            at = *parent;
        }
        self.bounds.get(at as usize).map_or(Bound::Free, |known| known.0)
    }

    /// What is known, and from where.
    pub fn get_with_origin(&mut self, var: Var) -> (Bound, Option<Origin>) {
        let root = self.root(var);
        self.bounds[root as usize]
    }

    /// Makes two variables one.
    ///
    /// # Errors
    /// Both bounds, where they disagree; nothing is changed then.
    pub fn join(&mut self, left: Var, right: Var) -> Result<(), Conflict> {
        let (a, b) = (self.root(left), self.root(right));
        if a == b {
            return Ok(());
        }
        let (one, other) = (self.bounds[a as usize], self.bounds[b as usize]);
        let Some(met) = one.0.meet(other.0) else {
            return Err(Conflict { left: one, right: other });
        };
        let origin = if met == one.0 { one.1.or(other.1) } else { other.1.or(one.1) };
        let (low, high) = (a.min(b), a.max(b));
        self.parent[high as usize] = low;
        self.bounds[low as usize] = (met, origin);
        Ok(())
    }

    /// Says more of a variable.
    ///
    /// # Errors
    /// As [`Table::join`].
    pub fn narrow(&mut self, var: Var, bound: Bound, span: Span) -> Result<(), Conflict> {
        let other = self.bound(bound, span);
        self.join(var, other)
    }
}
