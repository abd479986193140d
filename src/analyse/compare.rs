//! How two classes lie to each other.

use super::{
    Doubt,
    solve::{Answer, Solver, Want},
    witness,
};
use crate::{ir::DefinitionId, pipeline::Loaded, types::Side};

/// How two classes lie to each other. A candidate is in a class if the class's body is true for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// What is in one is in the other.
    Equal,
    /// What is in the first is in the second, and not the other way round.
    Contained,
    /// What is in the second is in the first, and not the other way round.
    Contains,
    /// Nothing is in both.
    Disjoint,
    /// Some candidates are in both, and each has some that the other has not.
    Overlapping,
    /// It is not known.
    NotKnown,
}

impl Relation {
    /// Its word.
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

/// What is known of the candidates that are in both classes, or in one alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Region {
    /// There are some: the keys of one.
    Candidate(Vec<String>),
    /// There is none, because of these conditions.
    Empty(Vec<String>),
    /// It is not known.
    NotKnown(Doubt),
}

impl Region {
    /// Whether it is certain that there is none.
    pub fn is_empty(&self) -> bool {
        matches!(self, Region::Empty(_))
    }

    /// Whether it is certain that there are some.
    pub fn has_some(&self) -> bool {
        matches!(self, Region::Candidate(_))
    }
}

/// Two classes, and what is known of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Of agents or of pools.
    pub side: Side,
    /// Their names.
    pub names: [String; 2],
    /// How they lie to each other.
    pub relation: Relation,
    /// What is in both.
    pub both: Region,
    /// What is in the first alone, and in the second alone.
    pub only: [Region; 2],
}

/// Compares two classes; `None` where they are not both of agents, or both of pools.
pub fn compare(loaded: &Loaded, classes: [DefinitionId; 2]) -> Option<Comparison> {
    let (plan, sources) = (&loaded.plan, &loaded.report.sources);
    let [Some(side), other] = classes.map(|class| plan.definition(class).class_of) else { return None };
    if other != Some(side) {
        return None;
    }
    let mut solver = Solver::new(plan, &loaded.world.broker);
    let [first, second] = classes.map(|class| plan.definition(class).root);
    let mut region = |goals: &[_]| match solver.solve(goals) {
        Answer::Found(found) => Region::Candidate(witness::keys(&solver, &found, false)),
        Answer::Never(goals) => {
            Region::Empty(goals.iter().map(|goal| witness::goal(plan, sources, goal)).collect())
        }
        Answer::NotKnown(doubt) => Region::NotKnown(doubt),
    };
    let both = region(&[(first, Want::True), (second, Want::True)]);
    let only = [
        region(&[(first, Want::True), (second, Want::NotTrue)]),
        region(&[(second, Want::True), (first, Want::NotTrue)]),
    ];
    let names = classes.map(|class| plan.definition(class).name.clone());
    Some(Comparison { side, names, relation: relation(&both, &only), both, only })
}

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
