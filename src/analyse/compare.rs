//! Compares two classes as sets of candidates: equal, contained, disjoint or overlapping.
//!
//! A candidate is in a class if the body of the class is true for it; *unknown* counts as outside. Three
//! questions to the solver decide: is there a candidate in both, one in the first alone, one in the second
//! alone. Used by the command `compare`.

use super::{
    Doubt,
    solve::{Solution, Solver, WantedTruth},
    witness,
};
use crate::{ir::DefinitionId, pipeline::Loaded, types::Side};

/// The relation of two classes. A candidate is in a class if the body of the class is true for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Both have the same candidates.
    Equal,
    /// The first is a proper subset of the second.
    Contained,
    /// The second is a proper subset of the first.
    Contains,
    /// No candidate is in both.
    Disjoint,
    /// Some candidates are in both, and each class has some that the other has not.
    Overlapping,
    /// The relation is not known.
    NotKnown,
}

impl Relation {
    /// The word for this relation in outputs. Both directions of containment have the same.
    pub fn name(self) -> &'static str {
        match self {
            Relation::Equal => "equal",
            Relation::Contained | Relation::Contains => "contained",
            Relation::Disjoint => "disjoint",
            Relation::Overlapping => "overlapping",
            Relation::NotKnown => "not known",
        }
    }
}

/// The candidates that are in both classes, or in one alone, as far as they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Region {
    /// There are some. These are the keys of one.
    Candidate(Vec<String>),
    /// There is none, because these conditions exclude each other.
    Empty(Vec<String>),
    /// It is not known if there are any.
    NotKnown(Doubt),
}

impl Region {
    /// Returns `true` if it is certain that there is none.
    pub fn is_empty(&self) -> bool {
        matches!(self, Region::Empty(_))
    }

    /// Returns `true` if it is certain that there are some.
    pub fn has_some(&self) -> bool {
        matches!(self, Region::Candidate(_))
    }
}

/// Two classes and their relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The side of both: agents or pools.
    pub side: Side,
    /// The names of the classes.
    pub names: [String; 2],
    /// The relation of the first to the second.
    pub relation: Relation,
    /// The candidates in both.
    pub both: Region,
    /// The candidates in the first alone, and those in the second alone.
    pub only: [Region; 2],
}

/// Compares two classes. Returns `None` unless both are of agents, or both of pools.
pub fn compare(loaded: &Loaded, classes: [DefinitionId; 2]) -> Option<Comparison> {
    let (plan, sources) = (&loaded.plan, &loaded.report.sources);
    let [Some(side), other] = classes.map(|class| plan.definition(class).class_of) else { return None };
    if other != Some(side) {
        return None;
    }
    let mut solver = Solver::new(plan, &loaded.world.broker);
    let [first, second] = classes.map(|class| plan.definition(class).root);
    let mut region = |goals: &[_]| match solver.solve(goals) {
        Solution::Found(found) => Region::Candidate(witness::keys(&solver, &found, false)),
        Solution::Never(goals) => {
            Region::Empty(goals.iter().map(|goal| witness::goal(plan, sources, goal)).collect())
        }
        Solution::NotKnown(doubt) => Region::NotKnown(doubt),
    };
    let both = region(&[(first, WantedTruth::True), (second, WantedTruth::True)]);
    let only = [
        region(&[(first, WantedTruth::True), (second, WantedTruth::NotTrue)]),
        region(&[(second, WantedTruth::True), (first, WantedTruth::NotTrue)]),
    ];
    let names = classes.map(|class| plan.definition(class).name.clone());
    Some(Comparison { side, names, relation: relation(&both, &only), both, only })
}

/// Derives the relation from the three regions.
///
/// The order of the cases matters for empty classes. An empty class is equal to another empty one, and
/// contained in any other, rather than disjoint from it.
fn relation(both: &Region, only: &[Region; 2]) -> Relation {
    match (&only[0], &only[1]) {
        (first, second) if first.is_empty() && second.is_empty() => Relation::Equal,
        (first, second) if first.is_empty() && second.has_some() => Relation::Contained,
        (first, second) if first.has_some() && second.is_empty() => Relation::Contains,
        _ if both.is_empty() => Relation::Disjoint,
        (first, second) if both.has_some() && first.has_some() && second.has_some() => Relation::Overlapping,
        _ => Relation::NotKnown,
    }
}
