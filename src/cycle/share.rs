//! Dominant shares over a tree of roles (Ghodsi et al., Dominant Resource Fairness, NSDI 2011; the tree as in
//! Apache Mesos: a parent's own frameworks are one child).

use std::{cmp::Ordering, collections::BTreeSet, fmt};

use indexmap::IndexMap;

use crate::{inventory::world::World, ir::Plan, quantity::MILLION, symbol::Symbol, types::Side};

/// An exact fraction, not above what its parts allow: 0 ≤ numerator, 0 < denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    /// Above the line.
    pub numerator: u128,
    /// Below the line.
    pub denominator: u128,
}

impl Fraction {
    /// None of it.
    pub const ZERO: Fraction = Fraction { numerator: 0, denominator: 1 };

    /// In lowest terms; zero where the denominator is.
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
    /// Exact and without overflow: by whole parts, then by the turned-over remainders.
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

/// A dominant share and the resource that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dominant {
    /// The largest fraction used of any resource.
    pub share: Fraction,
    /// Which resource, where anything is used.
    pub resource: Option<(Side, Symbol)>,
}

/// The dominant share of a usage.
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
    /// In millionths.
    pub weight: i64,
    /// What it and the roles below use.
    pub usage: Usage,
    /// What its own frameworks use.
    own: Usage,
    /// The role above.
    parent: usize,
    /// Which of its children this is in order of name, from 1.
    rank: usize,
    /// Roles below, by number; in order of name.
    children: Vec<usize>,
    /// Its own frameworks, by number in the plan; in order of name.
    frameworks: Vec<usize>,
    /// What is open here, in the order in which it is served.
    queue: Queue,
}

/// What of a role is open: its own frameworks, which are one child, and the roles below it.
#[derive(Clone, Debug, Default)]
struct Queue {
    /// Children with something open: by share over weight, then by name. Number 0 are the role's own frameworks, which
    /// come before all below by name too.
    children: BTreeSet<(Fraction, usize)>,
    /// Its own open frameworks: by share, then by name.
    frameworks: BTreeSet<(Fraction, usize)>,
    /// The keys under which children stand in the set.
    keys: IndexMap<usize, Fraction>,
}

impl Queue {
    /// Puts a child where its share says, or takes it out.
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
    /// Of each framework its role, and its number there in order of name.
    of_framework: Vec<(usize, usize)>,
    open: Vec<bool>,
}

impl Shares {
    /// The tree of a plan's roles and those its frameworks name, with what allocations use.
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

    /// The node of a role, made with those above it if new.
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

    /// Counts what a framework of a role takes (`sign` 1) or gives back (-1), up the tree.
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
        let before = std::mem::replace(share, dominant(world, usage).share);
        if self.open[framework] {
            let (rank, after) = (self.of_framework[framework].1, self.frameworks[framework].1);
            let frameworks = &mut self.nodes[node].queue.frameworks;
            frameworks.remove(&(before, rank));
            frameworks.insert((after, rank));
            self.requeue(world, node);
        }
    }

    /// A role and those above it, the root last.
    fn line(&self, node: usize) -> Vec<usize> {
        let mut line = vec![node];
        let mut at = node;
        while at != 0 {
            at = self.nodes[at].parent;
            line.push(at);
        }
        line
    }

    /// Puts a role, and those above it, where their shares say.
    fn requeue(&mut self, world: &World, node: usize) {
        let own = &self.nodes[node];
        let open = !own.queue.frameworks.is_empty();
        let share = open.then(|| dominant(world, &own.own).share);
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

    /// Undoes a grant.
    pub fn undo(&mut self, world: &World, framework: usize, taken: &[(Side, Symbol, i128)]) {
        self.add(world, self.of_framework[framework].0, Some(framework), taken, -1);
    }

    /// Says whether a framework still wants something.
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

    /// The framework that is served next: down the tree, the smallest dominant share divided by weight; ties by
    /// name.
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

    /// Every role, by path.
    pub fn roles(&self) -> impl Iterator<Item = &RoleNode> {
        let mut roles: Vec<&RoleNode> = self.nodes.iter().skip(1).collect();
        roles.sort_by(|a, b| a.path.cmp(&b.path));
        roles.into_iter()
    }

    /// The dominant share of a role, sub-roles included, before its weight; `None` for a role nobody names.
    pub fn of_role(&self, world: &World, path: &str) -> Option<Dominant> {
        self.by_path.get(path).map(|at| dominant(world, &self.nodes[*at].usage))
    }
}

/// The number of each framework by its name.
pub(super) fn framework_numbers(plan: &Plan) -> IndexMap<Symbol, usize> {
    plan.frameworks.iter().enumerate().map(|(at, framework)| (framework.name, at)).collect()
}

fn weighted(share: Fraction, weight: i64) -> Fraction {
    let weight = u128::try_from(weight.max(1)).unwrap_or(1);
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
