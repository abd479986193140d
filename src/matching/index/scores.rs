//! Scores of agents by themselves, one column for all agents.

use super::Index;
use crate::{
    engine::{
        Gap,
        columns::{Bits, Journal, Levels, ones, simd},
    },
    ir::{OwnedRule, Plan, RuleOwner},
    matching::{Matcher, score::added},
    types::Side,
    value::Value,
};

/// By agent, the sum of the preferences that read no volume, without places, in 10⁻¹².
#[derive(Clone, Debug)]
pub(super) struct Scores {
    each: Vec<i64>,
    /// By word of 64 rows, the largest score, which lets a search skip the word.
    most: Vec<i64>,
    /// True if taking amounts can change a score.
    moves: bool,
    /// The number of entries of the journal that were read.
    read: usize,
}

/// The inputs of scores besides the agents: keys of the requester, as far as preferences about agents read
/// them. Needs with equal keys share a column.
pub(super) type ScoreKey = (bool, Vec<Result<Value, Gap>>);

/// Returns the key of the scores of a need's agents.
pub(super) fn key(index: &Index, matcher: &Matcher<'_>) -> ScoreKey {
    let plan = matcher.moment.plan;
    let scene = matcher.scene(None, None, None);
    let rules = of_agents(plan);
    // Preferences that agents have of their own may read any key.
    let own = if index.own.preferring.is_empty() { &[][..] } else { index.roles.columns() };
    let read = rules.flat_map(|one| plan.reads(one.rule.root)).chain(own.iter().copied());
    let others = read.filter(|column| !matches!(plan.column(*column).side, Side::Agent));
    (matcher.subject.need.agent.is_some(), others.map(|column| scene.read(column)).collect())
}

/// The operator's preferences that read no volume.
fn of_agents(plan: &Plan) -> impl Iterator<Item = OwnedRule<'_>> {
    let shared = plan.rules_of(RuleOwner::Operator);
    shared.filter(|one| one.is_preferred() && !one.subject.has_supply())
}

impl Scores {
    /// Computes the scores. Returns `None` if 64 bits may not hold them.
    pub fn new(index: &mut Index, matcher: &Matcher<'_>) -> Option<Scores> {
        let plan = matcher.moment.plan;
        let read = index.agents.journal.len();
        let rows = if matcher.subject.need.agent.is_some() { index.agents.rows() } else { 0 };
        let mut scores = Scores { each: vec![0; rows], most: Vec::new(), moves: false, read };
        if rows == 0 {
            return Some(scores);
        }
        let scene = matcher.scene(None, None, None);
        // One rule adds 10¹⁸ at the most, so the sum of any number of rules fits 128 bits.
        let mut reach: i128 = 0;
        for rule in of_agents(plan).map(|one| one.rule) {
            let weight = rule.strength.weight().unwrap_or(0);
            reach += i128::from(weight.unsigned_abs()) * i128::from(crate::quantity::MILLION);
            i64::try_from(reach).ok()?;
            let node = index.canonical[rule.root.0 as usize];
            scores.moves |= index.agents.moves(plan, node);
            match &*index.agents.earned(&scene, node).levels {
                Levels::Few(levels) => {
                    for (earned, rows) in levels {
                        rows.iter().for_each(|row| scores.each[row] += weight * earned);
                    }
                }
                Levels::Each(each) => {
                    scores.each.iter_mut().zip(each).for_each(|(sum, earned)| *sum += weight * earned);
                }
            }
        }
        for row in index.own.preferring.iter() {
            scores.each[row] = i64::try_from(matcher.earns(row)).ok()?;
            scores.moves = true;
        }
        scores.most =
            scores.each.chunks(simd::WORD).map(|word| word.iter().copied().max().unwrap_or(0)).collect();
        Some(scores)
    }

    /// Recomputes the scores of rows that changed.
    pub fn follow(&mut self, matcher: &Matcher<'_>, journal: &Journal) {
        if self.moves && self.read < journal.len() && !self.each.is_empty() {
            match journal.since(self.read) {
                Some(rows) => rows.for_each(|row| self.again(matcher, row)),
                None => (0..self.each.len()).for_each(|row| self.again(matcher, row)),
            }
        }
        self.read = journal.len();
    }

    fn again(&mut self, matcher: &Matcher<'_>, row: usize) {
        self.each[row] = i64::try_from(matcher.earns(row)).unwrap_or(i64::MAX);
        let first = row - row % simd::WORD;
        let word = &self.each[first..self.each.len().min(first + simd::WORD)];
        self.most[row / simd::WORD] = word.iter().copied().max().unwrap_or(0);
    }

    pub fn bytes(&self) -> usize {
        (self.each.len() + self.most.len()) * size_of::<i64>()
    }

    /// Returns the score of an agent.
    pub fn of(&self, row: usize) -> i128 {
        i128::from(self.each[row])
    }

    /// Returns the largest score in a word of rows.
    pub fn most_of(&self, word: usize) -> i128 {
        i128::from(self.most[word])
    }

    /// Returns the largest score.
    pub fn most(&self) -> i128 {
        self.most.iter().copied().max().map_or(0, i128::from)
    }
}

/// Scores of agents by themselves, including the soft places of the need.
pub(super) struct Earned<'i> {
    scores: &'i Scores,
    /// For each soft place, what it adds, and the agents that get it.
    soft: Vec<(i128, Bits)>,
    /// An upper bound of what soft places add.
    most_of_places: i128,
}

impl<'i> Earned<'i> {
    pub fn new(scores: &'i Scores, soft: Vec<(i128, Bits)>) -> Earned<'i> {
        let most_of_places = soft.iter().map(|(earned, _)| (*earned).max(0)).sum();
        Earned { scores, soft, most_of_places }
    }

    /// Returns the score of an agent.
    pub fn of(&self, row: usize) -> i128 {
        let soft = self.soft.iter().filter(|(_, rows)| rows.has(row)).map(|(earned, _)| earned);
        self.scores.of(row) + soft.sum::<i128>()
    }

    /// Returns an upper bound of the scores in a word of rows.
    pub fn most_of(&self, word: usize) -> i128 {
        let here = self.soft.iter().filter(|(_, rows)| rows.words()[word] != 0);
        self.scores.most_of(word) + here.map(|(earned, _)| (*earned).max(0)).sum::<i128>()
    }

    /// Returns an upper bound of all scores.
    pub fn most(&self) -> i128 {
        self.scores.most() + self.most_of_places
    }

    /// Returns an upper bound of the scores of these agents, tighter than [`Earned::most`].
    pub fn most_among(&self, agents: &Bits) -> i128 {
        let mut most: Option<i128> = None;
        for (at, word) in agents.words().iter().enumerate().filter(|(_, word)| **word != 0) {
            if most.is_none_or(|most| self.scores.most_of(at) > most) {
                let here = ones(*word).map(|bit| self.scores.of(at * simd::WORD + bit)).max();
                most = most.max(here);
            }
        }
        most.unwrap_or(0) + self.most_of_places
    }
}

impl Matcher<'_> {
    /// Returns the sum of the preferences of an agent that read no volume, without places.
    fn earns(&self, agent: usize) -> i128 {
        added(&self.scene(Some(agent), None, None), self.demand().of_agent(Some(agent)))
    }
}
