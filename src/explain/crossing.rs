//! Rules about an agent and a supply at once.
//!
//! A condition that reads some columns of agents and some of supplies has the same outcome for all rows with
//! equal values in them. It is evaluated once for each pair of such classes (projections), not for each pair
//! of rows. The outcome is a bit set of supply classes for each class of agents. [`split`] then refines the
//! partition of the supplies by these bit sets, one condition at a time, so that each part has one set of
//! failing conditions.

use indexmap::{IndexMap, IndexSet};

use super::{
    classes::{self, RowClasses},
    sets::{Conditions, union},
};
use crate::{
    ir::{ColumnId, NodeId, Rule, RuleOwner, RuleSubject},
    matching::{Constraint, Matcher},
    types::Side,
};

/// A bit set of classes of supplies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ClassBits(Vec<u64>);

impl ClassBits {
    pub fn none(count: usize) -> ClassBits {
        ClassBits(vec![0; count.div_ceil(64)])
    }

    pub fn set(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    fn meets(&self, other: &ClassBits) -> bool {
        self.0.iter().zip(&other.0).any(|(one, other)| one & other != 0)
    }

    fn split(&self, by: &ClassBits) -> (ClassBits, ClassBits) {
        let pairs = || self.0.iter().zip(&by.0);
        (
            ClassBits(pairs().map(|(one, by)| one & by).collect()),
            ClassBits(pairs().map(|(one, by)| one & !by).collect()),
        )
    }

    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit)
        })
    }
}

/// An interner of sets of conditions.
#[derive(Debug, Default)]
pub(super) struct Sets {
    known: IndexSet<Conditions>,
    joined: IndexMap<(usize, usize), usize>,
}

impl Sets {
    pub fn number(&mut self, set: Conditions) -> usize {
        self.known.insert_full(set).0
    }

    pub fn get(&self, number: usize) -> &Conditions {
        &self.known[number]
    }

    /// Returns the number of a set with one more condition. Results are cached by pair.
    fn with(&mut self, set: usize, condition: usize) -> usize {
        if let Some(known) = self.joined.get(&(set, condition)) {
            return *known;
        }
        let joined = union(&self.known[set], &[condition]);
        let number = self.number(joined);
        self.joined.insert((set, condition), number);
        number
    }
}

/// A condition of a rule about both sides.
struct Conjunct<'a> {
    condition: Constraint,
    rule: &'a Rule,
    node: NodeId,
    /// The tier whose rule it is. `None` for a rule of the broker.
    tier: Option<usize>,
    /// The number of the projection of agents that it reads.
    agents: usize,
    /// The number of the projection of supplies that it reads.
    supplies: usize,
}

/// A condition, and the supplies that it excludes for each class of agents in its projection.
pub(super) struct Fails {
    /// The number of the condition.
    pub number: usize,
    /// The number of the projection of agents.
    pub projection: usize,
    /// The excluded supplies, by class of the projection.
    pub of: Vec<ClassBits>,
}

/// A pair of projected classes that fails a condition.
pub(super) struct ClassPair<'a> {
    pub rule: &'a Rule,
    pub node: NodeId,
    pub condition: Constraint,
    /// The first agent of the class, and the size of the class.
    pub agent: usize,
    pub agents: u64,
    /// The first supply of the class, and the size of the class.
    pub supply: usize,
    pub supplies: u64,
}

/// The rules about both sides.
pub(super) struct Crossing<'a> {
    matcher: Matcher<'a>,
    conjuncts: Vec<Conjunct<'a>>,
    /// The projections of agents, by the columns read.
    projections: IndexMap<Vec<ColumnId>, RowClasses>,
    /// The projections of supplies, by the columns read. Their rows are classes of supplies.
    pools: IndexMap<Vec<ColumnId>, RowClasses>,
    /// The agents that are in the same class of every projection.
    pub classes: RowClasses,
}

impl<'a> Crossing<'a> {
    /// Evaluates nothing yet. `supplies` holds the first member of each class.
    pub fn new(matcher: Matcher<'a>, supplies: &[usize]) -> Crossing<'a> {
        let plan = matcher.moment.plan;
        // The rules that agents have of their own are evaluated agent by agent, by the caller.
        let crossing = plan.rules().filter(|one| one.is_required() && one.subject == RuleSubject::Pair);
        let crossing = crossing.filter_map(|one| match one.owner {
            RuleOwner::Operator => Some((None, one.rule)),
            RuleOwner::Tier(list) => Some((Some(list), one.rule)),
            RuleOwner::Agent(_) => None,
        });
        let mut projections: IndexMap<Vec<ColumnId>, RowClasses> = IndexMap::new();
        let mut pools: IndexMap<Vec<ColumnId>, RowClasses> = IndexMap::new();
        let mut conjuncts = Vec::new();
        let wanted = matcher.subject.need.agent.is_some();
        for (tier, rule) in crossing.filter(|_| wanted) {
            for node in matcher.conditions(rule.root) {
                let reads = plan.reads(node);
                let of = |side| {
                    reads
                        .iter()
                        .copied()
                        .filter(|column| plan.column(*column).side == side)
                        .collect::<Vec<_>>()
                };
                let (of_agent, of_pool) = (of(Side::Agent), of(Side::Pool));
                let projected = projections.entry(of_agent.clone());
                projected.or_insert_with(|| classes::agents_by(&matcher, &of_agent));
                let supplied = pools.entry(of_pool.clone());
                supplied.or_insert_with(|| classes::supplies_by(&matcher, &of_pool, supplies));
                conjuncts.push(Conjunct {
                    condition: Constraint::Rule(rule.root, node),
                    rule,
                    node,
                    tier,
                    agents: projections.get_index_of(&of_agent).unwrap_or(0),
                    supplies: pools.get_index_of(&of_pool).unwrap_or(0),
                });
            }
        }
        let classes = classes::agents_as(&matcher, projections.values());
        Crossing { matcher, conjuncts, projections, pools, classes }
    }

    /// Returns `true` if an agent has rules of its own that read supplies.
    pub fn has_own(&self, agent: usize) -> bool {
        self.matcher.demand().own(Some(agent)).any(|one| one.subject == RuleSubject::Pair)
    }

    /// Returns the class of an agent in a projection.
    pub fn projected(&self, projection: usize, agent: usize) -> usize {
        self.projections[projection].of[agent]
    }

    /// Evaluates every condition for one volume. Calls `tell` with each failing pair of classes, to get the
    /// number of the condition. Returns `None` if the work exceeds `steps`.
    pub fn fails(
        &self,
        volume: &'a crate::ir::Volume,
        supplies: &RowClasses,
        steps: &mut u64,
        tell: &mut dyn FnMut(&ClassPair<'a>) -> usize,
    ) -> Option<Vec<Fails>> {
        let mut found = Vec::with_capacity(self.conjuncts.len());
        for conjunct in &self.conjuncts {
            let agents = &self.projections[conjunct.agents];
            let pools = &self.pools[conjunct.supplies];
            let work = agents.members.len() as u64
                * (pools.members.len() as u64 + supplies.members.len() as u64 / 8);
            *steps = steps.checked_sub(work)?;
            found.push(self.one(conjunct, volume, supplies, tell));
        }
        Some(found)
    }

    /// Evaluates a condition over its projections.
    fn one(
        &self,
        conjunct: &Conjunct<'a>,
        volume: &'a crate::ir::Volume,
        supplies: &RowClasses,
        tell: &mut dyn FnMut(&ClassPair<'a>) -> usize,
    ) -> Fails {
        let world = self.matcher.moment.world;
        let agents = &self.projections[conjunct.agents];
        let pools = &self.pools[conjunct.supplies];
        // A rule of a tier applies only to supplies with that tier in their chain.
        let ruled = |class: usize| {
            let supply = &world.supplies[supplies.members[class][0]];
            conjunct.tier.is_none_or(|tier| supply.chain.iter().any(|of| world.tiers[*of].rules == tier))
        };
        // The classes of supplies in each projected class that the rule applies to, and the number of their
        // supplies.
        let of_pool: Vec<(Vec<usize>, u64)> = pools
            .members
            .iter()
            .map(|members| {
                let about: Vec<usize> = members.iter().copied().filter(|class| ruled(*class)).collect();
                let count = about.iter().map(|class| supplies.members[*class].len() as u64).sum();
                (about, count)
            })
            .collect();
        let mut number = None;
        let mut of = Vec::with_capacity(agents.members.len());
        for members in &agents.members {
            let mut bits = ClassBits::none(supplies.members.len());
            for (about, count) in &of_pool {
                let Some(first) = about.first() else { continue };
                let (agent, supply) = (members[0], supplies.members[*first][0]);
                if self.matcher.scene(Some(agent), Some(supply), Some(volume)).truth(conjunct.node).holds() {
                    continue;
                }
                about.iter().for_each(|class| bits.set(*class));
                let pair = ClassPair {
                    rule: conjunct.rule,
                    node: conjunct.node,
                    condition: conjunct.condition,
                    agent,
                    agents: members.len() as u64,
                    supply,
                    supplies: *count,
                };
                number = Some(tell(&pair));
            }
            of.push(bits);
        }
        // A condition that excludes nothing has no number. Its bits are empty, and `split` skips it.
        Fails { number: number.unwrap_or(usize::MAX), projection: conjunct.agents, of }
    }
}

/// A partition of the classes of supplies: the number of the set that they fail, and the classes.
pub(super) type ClassPartition = Vec<(usize, ClassBits)>;

/// Refines a partition of the supplies by the conditions of both sides, for one class of agents. A part that
/// a condition covers partly is split in two; each step is linear in the bits.
pub(super) fn split<'f>(
    alone: &ClassPartition,
    fails: impl Iterator<Item = (usize, &'f ClassBits)>,
    sets: &mut Sets,
) -> ClassPartition {
    let mut parts = alone.clone();
    for (number, bits) in fails.filter(|(_, bits)| !bits.is_empty()) {
        for at in 0..parts.len() {
            if !parts[at].1.meets(bits) {
                continue;
            }
            let (inside, outside) = parts[at].1.split(bits);
            let with = sets.with(parts[at].0, number);
            if outside.is_empty() {
                parts[at].0 = with;
            } else {
                parts[at].1 = outside;
                parts.push((with, inside));
            }
        }
    }
    parts
}
