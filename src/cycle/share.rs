//! Dominant shares over a tree of roles, which decide who is served next.
//!
//! The dominant share of a framework is its largest fraction of any resource of the fleet. Serving the
//! smallest share first equalizes them (Ghodsi et al., *Dominant Resource Fairness*, NSDI 2011). Roles form a
//! tree, and the rule applies at each level from the root down: among the children of a role with an open
//! framework, the smallest share divided by weight. As in Apache Mesos, the frameworks of a role itself count
//! together as one child beside its sub-roles.
//!
//! Every role keeps a queue, ordered by share, of its children with something open. A grant changes the
//! shares on one path to the root, so it costs time in proportion to the depth of the tree, and finding the
//! next framework is a walk down. Shares are exact fractions: with floating point, ties could break
//! differently between machines.

use std::{cmp::Ordering, collections::BTreeSet, fmt};

use indexmap::IndexMap;

use crate::{inventory::world::World, ir::Plan, quantity::MILLION, symbol::Symbol, types::Side};

/// An exact, non-negative fraction. The denominator is positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    /// The part above the line.
    pub numerator: u128,
    /// The part below the line.
    pub denominator: u128,
}

impl Fraction {
    /// The fraction 0.
    pub const ZERO: Fraction = Fraction { numerator: 0, denominator: 1 };

    /// Reduces a fraction to lowest terms. Returns zero if the denominator is zero.
    pub fn new(numerator: u128, denominator: u128) -> Fraction {
        if denominator == 0 {
            return Fraction::ZERO;
        }
        let (mut a, mut b) = (numerator, denominator);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        Fraction { numerator: numerator / a, denominator: denominator / a }
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    /// Compares exactly and without overflow. Multiplying crosswise could overflow, so this compares the
    /// continued fractions of both: first the whole parts, then the reciprocals of the remainders, whose
    /// order is reversed. The steps are those of Euclid's algorithm.
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = ((self.numerator, self.denominator), (other.numerator, other.denominator));
        let mut turned = false;
        loop {
            let whole = (a.0 / a.1).cmp(&(b.0 / b.1));
            let whole = if turned { whole.reverse() } else { whole };
            let (rest_a, rest_b) = (a.0 % a.1, b.0 % b.1);
            if whole != Ordering::Equal || (rest_a == 0 && rest_b == 0) {
                return whole;
            }
            if rest_a == 0 || rest_b == 0 {
                let order = rest_a.cmp(&rest_b);
                return if turned { order.reverse() } else { order };
            }
            (a, b) = ((a.1, rest_a), (b.1, rest_b));
            turned = !turned;
        }
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.denominator == 1 {
            write!(f, "{}", self.numerator)
        } else {
            write!(f, "{}/{}", self.numerator, self.denominator)
        }
    }
}

/// Used amounts by side and resource.
pub type Usage = IndexMap<(Side, Symbol), i128>;

/// A dominant share, with its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dominant {
    /// The largest used fraction of any resource.
    pub share: Fraction,
    /// The resource, if anything is used.
    pub resource: Option<(Side, Symbol)>,
}

/// Returns the dominant share of a usage. Among equal fractions the first resource in the order of `usage`
/// wins.
pub fn dominant(world: &World, usage: &Usage) -> Dominant {
    let mut best = Dominant { share: Fraction::ZERO, resource: None };
    for (resource, used) in usage {
        let total = world.totals.get(resource).copied().unwrap_or(0);
        let (Ok(used), Ok(total)) = (u128::try_from(*used), u128::try_from(total)) else { continue };
        let share = Fraction::new(used, total);
        if share > best.share {
            best = Dominant { share, resource: Some(*resource) };
        }
    }
    best
}

/// A role of the tree, or the root.
#[derive(Clone, Debug, Default)]
pub struct RoleNode {
    /// Its path; empty for the root.
    pub path: String,
    /// The weight, in millionths.
    pub weight: i64,
    /// The used amounts of this role and the roles below it.
    pub usage: Usage,
    /// The used amounts of its own frameworks.
    own: Usage,
    /// The role above.
    parent: usize,
    /// Its position among the children of its parent in order of name, from 1.
    rank: usize,
    /// The roles below it, by index, in order of name.
    children: Vec<usize>,
    /// Its own frameworks, by index in the plan, in order of name.
    frameworks: Vec<usize>,
    /// The open children, in the order in which they are served.
    queue: Queue,
}

/// The open children of a role. Its own frameworks together are one child, with rank 0.
#[derive(Clone, Debug, Default)]
struct Queue {
    /// The children with something open, by share over weight, then by rank. Ranks follow names, and rank 0
    /// comes first, so ties are broken by name.
    children: BTreeSet<(Fraction, usize)>,
    /// Its own open frameworks, by share, then by position in order of name.
    frameworks: BTreeSet<(Fraction, usize)>,
    /// The present key of each child in `children`, which is needed to remove it.
    keys: IndexMap<usize, Fraction>,
}

impl Queue {
    /// Moves a child to the place of its share, or removes it if there is none.
    fn place(&mut self, child: usize, share: Option<Fraction>) {
        if let Some(old) = self.keys.swap_remove(&child) {
            self.children.remove(&(old, child));
        }
        if let Some(share) = share {
            self.children.insert((share, child));
            self.keys.insert(child, share);
        }
    }
}

/// The tree of roles, with the usage of each and of every framework.
#[derive(Clone, Debug)]
pub struct Shares {
    nodes: Vec<RoleNode>,
    by_path: IndexMap<String, usize>,
    frameworks: Vec<(Usage, Fraction)>,
    /// By framework, its role, and its position among that role's frameworks in order of name.
    of_framework: Vec<(usize, usize)>,
    /// True for frameworks that still want something.
    open: Vec<bool>,
}

impl Shares {
    /// Builds the tree from the plan's roles, those of its frameworks and those of allocations, with the
    /// usage of allocations.
    pub fn new(plan: &Plan, world: &World) -> Shares {
        let mut shares = Shares {
            nodes: vec![RoleNode { weight: MILLION, ..RoleNode::default() }],
            by_path: IndexMap::new(),
            frameworks: vec![(Usage::new(), Fraction::ZERO); plan.frameworks.len()],
            of_framework: Vec::new(),
            open: vec![false; plan.frameworks.len()],
        };
        for role in &plan.roles {
            let node = shares.node(&role.name);
            shares.nodes[node].weight = role.weight;
        }
        for (at, framework) in plan.frameworks.iter().enumerate() {
            let node = shares.node(plan.symbols.text(framework.role));
            shares.nodes[node].frameworks.push(at);
            shares.of_framework.push((node, 0));
        }
        let frameworks = framework_numbers(plan);
        for allocation in &world.allocations {
            let node = shares.node(plan.symbols.text(allocation.role));
            let framework = frameworks.get(&allocation.framework).copied();
            shares.add(world, node, framework, &allocation.shares, 1);
        }
        let names: Vec<String> = shares.nodes.iter().map(|node| node.path.clone()).collect();
        for node in &mut shares.nodes {
            node.children.sort_by(|a, b| names[*a].cmp(&names[*b]));
            node.frameworks.sort_by_key(|at| plan.symbols.text(plan.frameworks[*at].name));
        }
        for at in 0..shares.nodes.len() {
            for (rank, child) in shares.nodes[at].children.clone().into_iter().enumerate() {
                shares.nodes[child].rank = rank + 1;
            }
            for (rank, framework) in shares.nodes[at].frameworks.iter().enumerate() {
                shares.of_framework[*framework].1 = rank;
            }
        }
        shares
    }

    /// Returns the node of a role. Creates it, with the roles above it, if it is new.
    fn node(&mut self, path: &str) -> usize {
        if let Some(known) = self.by_path.get(path) {
            return *known;
        }
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        ends.fold(0, |parent, end| {
            let path = &path[..end];
            self.by_path.get(path).copied().unwrap_or_else(|| self.child(parent, path))
        })
    }

    fn child(&mut self, parent: usize, path: &str) -> usize {
        let at = self.nodes.len();
        self.nodes.push(RoleNode { path: path.to_owned(), weight: MILLION, parent, ..RoleNode::default() });
        self.nodes[parent].children.push(at);
        self.by_path.insert(path.to_owned(), at);
        at
    }

    /// Adds an amount (`sign` 1) to a framework and all roles above it, or subtracts it (-1).
    fn add(
        &mut self,
        world: &World,
        node: usize,
        framework: Option<usize>,
        taken: &[(Side, Symbol, i128)],
        sign: i128,
    ) {
        for at in self.line(node) {
            for (side, resource, amount) in taken {
                *self.nodes[at].usage.entry((*side, *resource)).or_insert(0) += sign * amount;
            }
        }
        for (side, resource, amount) in taken {
            *self.nodes[node].own.entry((*side, *resource)).or_insert(0) += sign * amount;
        }
        let Some(framework) = framework else { return };
        let (usage, share) = &mut self.frameworks[framework];
        for (side, resource, amount) in taken {
            *usage.entry((*side, *resource)).or_insert(0) += sign * amount;
        }
        // Keys of the queues change with the shares. Only an open framework is in a queue; usage of the
        // others changes only before any is open, so their roles need no new key.
        let before = std::mem::replace(share, dominant(world, usage).share);
        if self.open[framework] {
            let (rank, after) = (self.of_framework[framework].1, self.frameworks[framework].1);
            let frameworks = &mut self.nodes[node].queue.frameworks;
            frameworks.remove(&(before, rank));
            frameworks.insert((after, rank));
            self.requeue(world, node);
        }
    }

    /// Returns a role and those above it, with the root last.
    fn line(&self, node: usize) -> Vec<usize> {
        let mut line = vec![node];
        let mut at = node;
        while at != 0 {
            at = self.nodes[at].parent;
            line.push(at);
        }
        line
    }

    /// Moves a role, and those above it, to the places of their shares.
    fn requeue(&mut self, world: &World, node: usize) {
        let own = &self.nodes[node];
        let open = !own.queue.frameworks.is_empty();
        let share = open.then(|| dominant(world, &own.own).share);
        // Weights of roles are applied at the level of the role, so own frameworks together weigh 1.
        self.nodes[node].queue.place(0, share.map(|share| weighted(share, MILLION)));
        for at in self.line(node).into_iter().filter(|at| *at != 0) {
            let below = &self.nodes[at];
            let open = !below.queue.children.is_empty();
            let share = open.then(|| weighted(dominant(world, &below.usage).share, below.weight));
            let parent = below.parent;
            let rank = below.rank;
            self.nodes[parent].queue.place(rank, share);
        }
    }

    /// Counts a grant.
    pub fn grant(&mut self, world: &World, framework: usize, taken: &[(Side, Symbol, i128)]) {
        self.add(world, self.of_framework[framework].0, Some(framework), taken, 1);
    }

    /// Takes back a grant.
    pub fn undo(&mut self, world: &World, framework: usize, taken: &[(Side, Symbol, i128)]) {
        self.add(world, self.of_framework[framework].0, Some(framework), taken, -1);
    }

    /// Marks a framework as open or closed. It is open while it wants something.
    pub fn set_open(&mut self, world: &World, framework: usize, open: bool) {
        let (node, rank) = self.of_framework[framework];
        let key = (self.frameworks[framework].1, rank);
        self.open[framework] = open;
        let frameworks = &mut self.nodes[node].queue.frameworks;
        if open {
            frameworks.insert(key)
        } else {
            frameworks.remove(&key)
        };
        self.requeue(world, node);
    }

    /// Returns the framework to serve next: from the root down, the child with the smallest dominant share
    /// divided by weight. Ties are broken by name.
    pub fn next(&self) -> Option<usize> {
        let mut at = 0;
        loop {
            let node = &self.nodes[at];
            match node.queue.children.first()?.1 {
                0 => return node.queue.frameworks.first().map(|(_, rank)| node.frameworks[*rank]),
                rank => at = node.children[rank - 1],
            }
        }
    }

    /// Returns every role, by path.
    pub fn roles(&self) -> impl Iterator<Item = &RoleNode> {
        let mut roles: Vec<&RoleNode> = self.nodes.iter().skip(1).collect();
        roles.sort_by(|a, b| a.path.cmp(&b.path));
        roles.into_iter()
    }

    /// Returns the dominant share of a role with its sub-roles, before its weight. `None` if nothing names
    /// the role.
    pub fn of_role(&self, world: &World, path: &str) -> Option<Dominant> {
        self.by_path.get(path).map(|at| dominant(world, &self.nodes[*at].usage))
    }
}

/// Maps the name of each framework to its index.
pub(super) fn framework_numbers(plan: &Plan) -> IndexMap<Symbol, usize> {
    plan.frameworks.iter().enumerate().map(|(at, framework)| (framework.name, at)).collect()
}

fn weighted(share: Fraction, weight: i64) -> Fraction {
    let weight = u128::try_from(weight.max(1)).unwrap_or(1);
    // If this overflows, both parts are divided instead. The result is rounded, but the same on every
    // machine.
    match share.denominator.checked_mul(weight) {
        Some(denominator) => Fraction::new(share.numerator.saturating_mul(MILLION as u128), denominator),
        None => Fraction::new(share.numerator / weight, share.denominator / MILLION as u128),
    }
}

#[cfg(test)]
mod tests {
    use super::Fraction;

    #[test]
    fn fractions_compare_exactly_without_overflow() {
        let big = u128::MAX / 2;
        let cases = [
            ((1, 3), (2, 6)),
            ((1, 2), (2, 3)),
            ((0, 5), (1, big)),
            ((big - 1, big), (big, big + 1)),
            ((3, 1), (5, 2)),
        ];
        for ((a, b), (c, d)) in cases {
            let (x, y) =
                (Fraction { numerator: a, denominator: b }, Fraction { numerator: c, denominator: d });
            if let (Some(left), Some(right)) = (a.checked_mul(d), c.checked_mul(b)) {
                assert_eq!(x.cmp(&y), left.cmp(&right), "{x} and {y}");
            }
            assert_eq!(x.cmp(&y), y.cmp(&x).reverse());
        }
        assert!(
            Fraction { numerator: big - 1, denominator: big }
                < Fraction { numerator: big, denominator: big + 1 }
        );
        assert_eq!(Fraction::new(6, 8).to_string(), "3/4");
        assert_eq!(Fraction::new(0, 8).to_string(), "0");
    }
}
