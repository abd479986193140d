//! Groups the variables and constants that conditions compare with each other.
//!
//! Two values of a variable that lie alike among the constants of its group, and among its other variables,
//! meet the same conditions, unless the group has a doubt. `values` therefore needs to make only a few
//! representatives for each group. Groups are the sets of a union-find: a comparison joins those of its two
//! operands, with all that they hold.

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};

use super::{
    Doubt,
    candidate::{HypotheticalCandidate, Variable, VariableId},
};
use crate::{
    engine::{Keys, value},
    ir::{ColumnId, Node, NodeId, Plan},
    limits,
    operator::{Function, TestOp},
    quantity::MILLION,
    symbol::Symbol,
    value::{Value, Version},
};

/// Constants and variables that are compared.
#[derive(Clone, Debug, Default)]
pub struct ComparedGroup {
    /// Amounts in base units, members of sets of numbers among them.
    pub quantities: BTreeSet<i64>,
    /// Versions.
    pub versions: BTreeSet<Version>,
    /// Texts and paths, members of sets among them.
    pub texts: IndexSet<Symbol>,
    /// Sets as written.
    pub sets: Vec<Value>,
    /// Patterns that texts are held against.
    pub patterns: IndexSet<String>,
    /// The variables, each with the columns that read it.
    pub variables: IndexMap<VariableId, Vec<ColumnId>>,
    /// `true` if some value is a path.
    pub places: bool,
    /// `true` if places are compared with `within` or `closeness`, and not only for equality.
    pub nested: bool,
    /// `true` if amounts are compared by their order.
    pub ordered: bool,
    /// `true` if sets are among the compared values.
    pub has_sets: bool,
    /// The reason that the constants do not determine all differences, if they do not.
    pub doubt: Option<Doubt>,
}

impl ComparedGroup {
    fn absorb(&mut self, other: ComparedGroup) {
        self.quantities.extend(other.quantities);
        self.versions.extend(other.versions);
        self.texts.extend(other.texts);
        self.sets.extend(other.sets);
        self.patterns.extend(other.patterns);
        // Each variable is in one group only, so that no entry is overwritten.
        self.variables.extend(other.variables);
        self.places |= other.places;
        self.nested |= other.nested;
        self.ordered |= other.ordered;
        self.has_sets |= other.has_sets;
        self.doubt = self.doubt.or(other.doubt);
    }

    /// Adds a doubt if a list is too long for all its members to be taken.
    fn many(&mut self, members: usize) {
        if members > limits::REPRESENTATIVES {
            self.doubt = Some(Doubt::Sets);
        }
    }

    fn constant(&mut self, value: &Value) {
        if self.texts.len().max(self.quantities.len()).max(self.versions.len()) >= limits::REPRESENTATIVES {
            self.doubt = Some(Doubt::Sets);
            return;
        }
        match value {
            Value::Bool(_) => {}
            Value::Quantity(_, amount) => {
                self.quantities.insert(*amount);
            }
            Value::Text(text) => {
                self.texts.insert(*text);
            }
            Value::Place(text) => {
                self.texts.insert(*text);
                self.places = true;
            }
            Value::Version(version) => {
                self.versions.insert(Version::clone(version));
            }
            Value::Texts(members) => {
                self.many(members.len());
                self.texts.extend(members.iter().copied().take(limits::REPRESENTATIVES));
            }
            Value::Numbers(members) => {
                self.many(members.len());
                self.quantities.extend(members.iter().copied().take(limits::REPRESENTATIVES));
            }
            Value::Ranges(ranges) => {
                for end in ranges.parts().iter().flat_map(|(low, high)| [*low, *high]) {
                    self.quantities.extend(end.checked_mul(MILLION));
                }
                // The ends of ranges do not determine how other sets lie to them.
                self.doubt = Some(Doubt::Sets);
            }
        }
        if matches!(value, Value::Texts(_) | Value::Numbers(_) | Value::Ranges(_)) {
            self.sets.push(value.clone());
            self.has_sets = true;
        }
    }
}

/// The groups of the conditions that were added.
#[derive(Debug)]
pub struct Groups<'i, 'a> {
    hypothetical: &'i HypotheticalCandidate<'a>,
    plan: &'i Plan,
    above: Vec<usize>,
    groups: Vec<ComparedGroup>,
    by_variable: IndexMap<VariableId, usize>,
    seen: IndexMap<NodeId, Option<usize>>,
    /// Cached results of `Groups::varies`.
    varies: IndexMap<NodeId, bool>,
}

impl<'i, 'a> Groups<'i, 'a> {
    /// Creates an empty set of groups.
    pub fn new(hypothetical: &'i HypotheticalCandidate<'a>) -> Self {
        Groups {
            plan: hypothetical.plan(),
            hypothetical,
            above: Vec::new(),
            groups: Vec::new(),
            by_variable: IndexMap::new(),
            seen: IndexMap::new(),
            varies: IndexMap::new(),
        }
    }

    /// Returns the groups.
    pub fn finish(mut self) -> Vec<ComparedGroup> {
        let roots: Vec<usize> = (0..self.groups.len()).filter(|at| self.above[*at] == *at).collect();
        roots.into_iter().map(|at| std::mem::take(&mut self.groups[at])).collect()
    }

    fn fresh(&mut self) -> usize {
        self.above.push(self.groups.len());
        self.groups.push(ComparedGroup::default());
        self.groups.len() - 1
    }

    fn root(&self, mut at: usize) -> usize {
        while self.above[at] != at {
            at = self.above[at];
        }
        at
    }

    fn join(&mut self, left: Option<usize>, right: Option<usize>) -> Option<usize> {
        let (Some(left), Some(right)) = (left, right) else { return left.or(right) };
        let (a, b) = (self.root(left), self.root(right));
        if a != b {
            let (low, high) = (a.min(b), a.max(b));
            self.above[high] = low;
            let other = std::mem::take(&mut self.groups[high]);
            self.groups[low].absorb(other);
        }
        Some(a.min(b))
    }

    /// Returns `true` if a node reads a variable that is not fixed. Each node is examined once; the recursion
    /// is as deep as rules may be.
    fn varies(&mut self, id: NodeId) -> bool {
        if let Some(known) = self.varies.get(&id) {
            return *known;
        }
        let plan = self.plan;
        let node = plan.node(id);
        let free = |column: &ColumnId| !self.hypothetical.is_fixed(self.hypothetical.variable_of(*column));
        let varies = match node {
            Node::Read(column) | Node::IsAbsent(column) | Node::IsPresent(column) => free(column),
            Node::External(asked) => plan.asked(*asked).reads.iter().any(free),
            Node::Else(column, other) => free(column) || self.varies(*other),
            _ => {
                let mut inner = Vec::new();
                plan.operands(node, &mut |operand| inner.push(operand));
                inner.into_iter().any(|operand| self.varies(operand))
            }
        };
        self.varies.insert(id, varies);
        varies
    }

    fn mark(&mut self, group: Option<usize>, mark: impl FnOnce(&mut ComparedGroup)) {
        if let Some(at) = group {
            let at = self.root(at);
            mark(&mut self.groups[at]);
        }
    }

    /// Returns the group of a column's variable. A fixed variable is a constant, in a group of its own for
    /// each column that reads it.
    fn column(&mut self, column: ColumnId) -> Option<usize> {
        let id = self.hypothetical.variable_of(column);
        if self.hypothetical.is_fixed(id) {
            let at = self.fresh();
            if let Ok(value) = self.hypothetical.read(column) {
                self.groups[at].constant(&value);
            }
            return Some(at);
        }
        if let Some(at) = self.by_variable.get(&id).map(|at| self.root(*at)) {
            if let Some(columns) = self.groups[at].variables.get_mut(&id)
                && !columns.contains(&column)
            {
                columns.push(column);
            }
            return Some(at);
        }
        let at = self.fresh();
        self.by_variable.insert(id, at);
        let group = &mut self.groups[at];
        group.variables.insert(id, vec![column]);
        group.places = matches!(self.hypothetical.variable(id), Variable::Place(_))
            || self.hypothetical.type_of(column) == Some(crate::types::Type::Place);
        Some(at)
    }

    /// Adds a condition or value, and returns the group of its value. A condition has none.
    pub fn add(&mut self, id: NodeId) -> Option<usize> {
        if let Some(known) = self.seen.get(&id) {
            return known.map(|at| self.root(at));
        }
        let group = self.flow(id);
        self.seen.insert(id, group);
        group
    }

    fn with_constant(&mut self, other: NodeId, constant: &Value) -> Option<usize> {
        let group = self.add(other);
        self.mark(group, |group| group.constant(constant));
        group
    }

    fn flow(&mut self, id: NodeId) -> Option<usize> {
        let plan = self.plan;
        match plan.node(id) {
            Node::Constant(constant) => {
                let at = self.fresh();
                self.groups[at].constant(constant);
                Some(at)
            }
            Node::Read(column) | Node::IsAbsent(column) | Node::IsPresent(column) => self.column(*column),
            // Rules of plugins are opaque.
            Node::External(_) => None,
            Node::Named(definition) => self.add(plan.definition(*definition).root),
            Node::Not(inner) => self.add(*inner),
            Node::And(parts) | Node::Or(parts) => {
                parts.iter().for_each(|part| {
                    self.add(*part);
                });
                None
            }
            Node::Test(op, left, right) => {
                let group = match (plan.node(*left), plan.node(*right)) {
                    // A constant needs no group of its own.
                    (_, Node::Constant(constant)) => self.with_constant(*left, constant),
                    (Node::Constant(constant), _) => self.with_constant(*right, constant),
                    _ => {
                        let (left, right) = (self.add(*left), self.add(*right));
                        self.join(left, right)
                    }
                };
                self.mark(group, |group| match op {
                    TestOp::Less | TestOp::LessOrEqual | TestOp::Greater | TestOp::GreaterOrEqual => {
                        group.ordered = true;
                    }
                    TestOp::In | TestOp::Has | TestOp::HasAny | TestOp::HasAll => group.has_sets = true,
                    TestOp::Within => (group.nested, group.places) = (true, true),
                    TestOp::Equal | TestOp::NotEqual => {}
                });
                None
            }
            Node::Matches(subject, pattern) => {
                let group = self.add(*subject);
                let pattern = plan.patterns[*pattern as usize].text.clone();
                self.mark(group, |group| {
                    group.patterns.insert(pattern);
                });
                None
            }
            Node::Else(column, other) => {
                let (column, other) = (self.column(*column), self.add(*other));
                self.join(column, other)
            }
            Node::Arithmetic(_, left, right) => self.computed(id, &[*left, *right]),
            Node::Negate(inner) => self.computed(id, &[*inner]),
            Node::Call(Function::Closeness, places) => self.closeness(places),
            Node::Call(Function::Abs, arguments) => self.computed(id, arguments),
            // The result is one of the arguments, so that their order determines it.
            Node::Call(Function::Min | Function::Max | Function::Clamp, arguments) => {
                let groups: Vec<Option<usize>> = arguments.iter().map(|node| self.add(*node)).collect();
                let group = groups.into_iter().fold(None, |all, one| self.join(all, one));
                self.mark(group, |group| group.ordered = true);
                group
            }
        }
    }

    /// Adds arithmetic. It is a constant if it reads no variable. Otherwise it is in doubt: the constants
    /// that its operands are compared with do not determine the result.
    fn computed(&mut self, id: NodeId, parts: &[NodeId]) -> Option<usize> {
        if !self.varies(id) {
            let at = self.fresh();
            if let Ok(value) = value(self.hypothetical, id) {
                self.groups[at].constant(&value);
            }
            return Some(at);
        }
        let groups: Vec<Option<usize>> = parts.iter().map(|part| self.add(*part)).collect();
        for group in groups {
            self.mark(group, |group| group.doubt = Some(Doubt::Arithmetic));
        }
        // The result may have another dimension than the operands, and so has a group of its own.
        let at = self.fresh();
        self.groups[at].doubt = Some(Doubt::Arithmetic);
        Some(at)
    }

    /// Adds `closeness`. The result depends only on the number of levels that places share, so that it has
    /// one value for each number.
    fn closeness(&mut self, places: &[NodeId]) -> Option<usize> {
        let groups: Vec<Option<usize>> = places.iter().map(|place| self.add(*place)).collect();
        let group = groups.into_iter().fold(None, |all, one| self.join(all, one));
        self.mark(group, |group| (group.nested, group.places) = (true, true));
        let at = self.fresh();
        let levels = self.plan.levels.len() as i128;
        for shared in 0..=levels {
            let value = crate::quantity::divide_half_even(shared * i128::from(MILLION), levels);
            self.groups[at].quantities.extend(value.and_then(|value| i64::try_from(value).ok()));
        }
        Some(at)
    }
}
