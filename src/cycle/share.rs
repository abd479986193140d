//! Dominant shares over a tree of roles (Ghodsi et al., Dominant Resource Fairness, NSDI 2011; the tree as in
//! Apache Mesos: a parent's own frameworks are one child).

use std::{cmp::Ordering, fmt};

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
    /// Roles below, by number.
    children: Vec<usize>,
    /// Its own frameworks, by number in the plan.
    frameworks: Vec<usize>,
}

/// The tree of roles, with the usage of each and of every framework.
#[derive(Clone, Debug)]
pub struct Shares {
    nodes: Vec<RoleNode>,
    by_path: IndexMap<String, usize>,
    frameworks: Vec<(Usage, Fraction)>,
    of_framework: Vec<usize>,
}

impl Shares {
    /// The tree of a plan's roles and those its frameworks name, with what allocations use.
    pub fn new(plan: &Plan, world: &World) -> Shares {
        let mut shares = Shares {
            nodes: vec![RoleNode { weight: MILLION, ..RoleNode::default() }],
            by_path: IndexMap::new(),
            frameworks: vec![(Usage::new(), Fraction::ZERO); plan.frameworks.len()],
            of_framework: Vec::new(),
        };
        for role in &plan.roles {
            let node = shares.node(&role.name);
            shares.nodes[node].weight = role.weight;
        }
        for (at, framework) in plan.frameworks.iter().enumerate() {
            let node = shares.node(plan.symbols.text(framework.role));
            shares.nodes[node].frameworks.push(at);
            shares.of_framework.push(node);
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
        shares
    }

    /// The node of a role, made with those above it if new.
    fn node(&mut self, path: &str) -> usize {
        if let Some(known) = self.by_path.get(path) {
            return *known;
        }
        let parent = match path.rsplit_once('/') {
            Some((above, _)) => self.node(above),
            None => 0,
        };
        let at = self.nodes.len();
        self.nodes.push(RoleNode { path: path.to_owned(), weight: MILLION, ..RoleNode::default() });
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
        let path = self.nodes[node].path.clone();
        let mut line = vec![0, node];
        line.extend(path.match_indices('/').filter_map(|(end, _)| self.by_path.get(&path[..end]).copied()));
        for (side, resource, amount) in taken {
            for at in &line {
                *self.nodes[*at].usage.entry((*side, *resource)).or_insert(0) += sign * amount;
            }
            *self.nodes[node].own.entry((*side, *resource)).or_insert(0) += sign * amount;
            if let Some(framework) = framework {
                *self.frameworks[framework].0.entry((*side, *resource)).or_insert(0) += sign * amount;
            }
        }
        if let Some(framework) = framework {
            self.frameworks[framework].1 = dominant(world, &self.frameworks[framework].0).share;
        }
    }

    /// Counts a grant.
    pub fn grant(&mut self, world: &World, framework: usize, taken: &[(Side, Symbol, i128)]) {
        self.add(world, self.of_framework[framework], Some(framework), taken, 1);
    }

    /// Undoes a grant.
    pub fn undo(&mut self, world: &World, framework: usize, taken: &[(Side, Symbol, i128)]) {
        self.add(world, self.of_framework[framework], Some(framework), taken, -1);
    }

    /// The framework that is served next: down the tree, the smallest dominant share divided by weight; ties by
    /// name. `open` says which frameworks still want something.
    pub fn next(&self, world: &World, open: &[bool]) -> Option<usize> {
        let wanting = self.wanting(open);
        let mut at = 0;
        if !wanting[0] {
            return None;
        }
        loop {
            let node = &self.nodes[at];
            let mut best: Option<(Fraction, &str, Option<usize>)> = None;
            let mut offer = |share: Fraction, name, child| {
                if best.as_ref().is_none_or(|best| (share, name) < (best.0, best.1)) {
                    best = Some((share, name, child));
                }
            };
            for child in node.children.iter().filter(|child| wanting[**child]) {
                let below = &self.nodes[*child];
                offer(
                    weighted(dominant(world, &below.usage).share, below.weight),
                    below.path.as_str(),
                    Some(*child),
                );
            }
            if node.frameworks.iter().any(|framework| open[*framework]) {
                let own = dominant(world, &node.own).share;
                offer(weighted(own, MILLION), node.path.as_str(), None);
            }
            match best?.2 {
                Some(child) => at = child,
                None => break,
            }
        }
        let frameworks = self.nodes[at].frameworks.iter().copied().filter(|framework| open[*framework]);
        // Sorted by name: the first of the smallest is the one.
        frameworks.min_by(|a, b| self.frameworks[*a].1.cmp(&self.frameworks[*b].1))
    }

    /// Which roles have an open framework, at them or below.
    fn wanting(&self, open: &[bool]) -> Vec<bool> {
        let mut wanting: Vec<bool> =
            self.nodes.iter().map(|node| node.frameworks.iter().any(|framework| open[*framework])).collect();
        // Parents are made before their children.
        for at in (0..self.nodes.len()).rev() {
            wanting[at] |= self.nodes[at].children.iter().any(|child| wanting[*child]);
        }
        wanting
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
