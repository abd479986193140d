//! Counts all feasible pairs of agent and supply of a need, and finds the best ones, without listing the
//! pairs.
//!
//! Supplies are in groups that rules about both sides cannot tell apart, so each group has one set of agents.
//! The count is the sum over groups of agents times supplies. The best pairs are found by a best-first search
//! with bounds, as in threshold algorithms for top-k queries (Fagin et al., *Optimal aggregation algorithms
//! for middleware*, PODS 2001): groups are visited in order of the most that a pair in them can earn, and the
//! search ends when that is less than the worst pair kept. Words of 64 agents are skipped by the most that
//! any of them earns.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

use super::{
    Index, ShapeRequest, choose,
    scores::Earned,
    supplies::{JointScore, SupplyFilter, SupplyGroup},
};
use crate::{
    engine::columns::{Bits, ones, simd},
    matching::{Matcher, Score},
};

/// A pair of agent and supply, by their indices, with its score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoredPair {
    /// The agent.
    pub agent: usize,
    /// The supply. `None` for a need without volumes.
    pub supply: Option<usize>,
    /// The score.
    pub score: Score,
}

/// All candidates of a need with at most one volume: each agent for which everything holds alone, with each
/// supply that holds for the volume beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatchCount {
    /// The number of pairs.
    pub pairs: u128,
    /// The best pairs, by score, then by the agent's name, then by the supply's path.
    pub best: Vec<ScoredPair>,
}

/// The prepared sets and scores of a need, from which pairs are made.
struct PairSets<'i> {
    agents: Bits,
    /// The supplies that hold whatever the agent is.
    open: Option<Bits>,
    volume: Option<&'i SupplyFilter>,
    earned: Earned<'i>,
    /// The agents with rules of their own about volumes, which are in no group and are checked pair by pair.
    crossing: Bits,
}

/// A sort key that puts the best pair first: score descending, agent, supply.
type Ranked = (Reverse<i128>, usize, usize);

struct Best {
    /// The number of pairs to keep.
    most: usize,
    kept: BTreeSet<Ranked>,
    /// The worst pair kept, once there are `most`: score, agent, supply. A pair that is not better can be
    /// refused without a look at `kept`.
    last: Option<(i128, usize, usize)>,
}

impl Best {
    fn new(most: usize) -> Best {
        Best { most, kept: BTreeSet::new(), last: None }
    }

    /// Offers a pair. Returns `false` if it is worse than every pair kept, and there are enough.
    fn offer(&mut self, total: i128, agent: usize, supply: usize) -> bool {
        if let Some((least, last, of)) = self.last
            && (total < least || (total == least && (agent, supply) > (last, of)))
        {
            return false;
        }
        self.kept.insert((Reverse(total), agent, supply));
        if self.kept.len() > self.most {
            self.kept.pop_last();
        }
        if self.kept.len() == self.most {
            self.last = self.kept.last().map(|(total, agent, supply)| (total.0, *agent, *supply));
        }
        true
    }

    /// Returns the number of rows, from the first, that could still be among the best if none scores more
    /// than `total`. At an equal score earlier agents win.
    fn reach(&self, total: i128) -> usize {
        match self.last {
            Some((least, ..)) if total < least => 0,
            Some((least, last, _)) if total == least => last + 1,
            _ => usize::MAX,
        }
    }

    /// Returns `true` if a pair with this score, and this agent or a later one, could be among the best.
    fn admits(&self, total: i128, agent: usize) -> bool {
        match self.last {
            None => true,
            Some((least, last, _)) => total > least || (total == least && agent <= last),
        }
    }
}

impl Index {
    /// Returns the candidates of a need with at most one volume, with `most` of the best. Returns `None` if
    /// the need has more volumes, wants no agent, has a place or a charge that ties agent and volume, or has
    /// scores that the columns cannot hold; use [`Matcher`] then.
    pub fn answer(&mut self, matcher: &Matcher<'_>, most: usize) -> Option<MatchCount> {
        self.with_parts(matcher, |parts| {
            let mut best = Best::new(most);
            let pairs = match parts.volume.zip(parts.open.as_ref()) {
                None => {
                    if most > 0 {
                        parts.alone(&mut best);
                    }
                    parts.agents.count() as u128
                }
                Some((volume, open)) => {
                    let apart = parts.crossing_pairs(matcher, |total, agent, supply| {
                        if most > 0 {
                            best.offer(total, agent, supply);
                        }
                    });
                    if most > 0 {
                        parts.best(matcher, volume, open, &mut best);
                    }
                    apart + parts.count(volume, open)
                }
            };
            let score = |numerator| Score { numerator, volumes: 1 };
            let supply = |supply| parts.volume.is_some().then_some(supply);
            let kept = best.kept.into_iter();
            let best = kept.map(|(total, agent, at)| ScoredPair {
                agent,
                supply: supply(at),
                score: score(total.0),
            });
            MatchCount { pairs, best: best.collect() }
        })
    }

    /// Calls `each` with a supply and agents that it serves, until every pair was given. A supply may come
    /// more than once. Returns `false` if [`Index::answer`] has no answer.
    pub fn pairs(&mut self, matcher: &Matcher<'_>, mut each: impl FnMut(Option<usize>, &[u32])) -> bool {
        let found = self.with_parts(matcher, |parts| {
            let Some((volume, open)) = parts.volume.zip(parts.open.as_ref()) else {
                let agents: Vec<u32> = parts.agents.iter().map(|agent| agent as u32).collect();
                each(None, &agents);
                return;
            };
            parts.crossing_pairs(matcher, |_, agent, supply| each(Some(supply), &[agent as u32]));
            let mut agents: Vec<u32> = Vec::new();
            for group in &volume.groups {
                let mut supplies =
                    group.supplies.iter().map(|row| *row as usize).filter(|row| open.has(*row)).peekable();
                if supplies.peek().is_none() {
                    continue;
                }
                agents.clear();
                for (at, word) in parts.agents.words().iter().enumerate().filter(|(_, word)| **word != 0) {
                    let word = group.terms.iter().fold(*word, |word, term| word & term.words()[at]);
                    agents.extend(ones(word).map(|bit| (at * simd::WORD + bit) as u32));
                }
                supplies.for_each(|supply| each(Some(supply), &agents));
            }
        });
        found.is_some()
    }

    fn with_parts<T>(&mut self, matcher: &Matcher<'_>, tell: impl FnOnce(&PairSets<'_>) -> T) -> Option<T> {
        let need = matcher.subject.need;
        // A place or a charge that ties agent and volume would have to be judged pair by pair.
        let tied = !need.volumes.is_empty() && !matcher.is_apart();
        if !matcher.is_indexed() || need.agent.is_none() || need.volumes.len() > 1 || tied {
            return None;
        }
        let shape = self.shape(matcher);
        // `asked` is moved out, because `parts` needs the rest of the index mutably.
        let mut asked = self.asked.get_mut(shape)?.take()?;
        let told = self.parts(matcher, &mut asked).map(|parts| tell(&parts));
        self.asked[shape] = Some(asked);
        told
    }

    fn parts<'i>(&'i mut self, matcher: &Matcher<'_>, asked: &'i mut ShapeRequest) -> Option<PairSets<'i>> {
        self.scores[asked.scores].as_mut()?.follow(matcher, &self.agents.journal);
        for volume in &mut asked.volumes {
            volume.follow(self, matcher);
        }
        let mut agents = self.agents_of(matcher, asked.agents.as_mut()?);
        let soft = choose::soft_places(self, matcher);
        let open = choose::supplies_of(self, matcher, &mut asked.volumes).pop();
        let mut crossing = agents.clone();
        crossing.and(&self.own.crossing);
        if open.is_some() {
            agents.and_not(&crossing);
        }
        let volume = asked.volumes.first();
        // Some preferences about both sides earn so many different amounts that groups do not list them all.
        if volume.is_some_and(|volume| !volume.tells_ways()) {
            return None;
        }
        let earned = Earned::new(self.scores[asked.scores].as_ref()?, soft);
        Some(PairSets { agents, open, volume, earned, crossing })
    }
}

impl PairSets<'_> {
    /// Finds the best agents, without volumes.
    fn alone(&self, best: &mut Best) {
        for (at, word) in self.agents.words().iter().enumerate().filter(|(_, word)| **word != 0) {
            if !best.admits(self.earned.most_of(at), at * simd::WORD) {
                continue;
            }
            for row in ones(*word).map(|bit| at * simd::WORD + bit) {
                best.offer(self.earned.of(row), row, 0);
            }
        }
    }

    /// Calls `each` for every pair of an agent with rules of its own about volumes, and returns their number.
    fn crossing_pairs(&self, matcher: &Matcher<'_>, mut each: impl FnMut(i128, usize, usize)) -> u128 {
        let mut count = 0;
        for row in self.crossing.iter() {
            for choice in matcher.choices(Some(row), 0, &[]) {
                each(self.earned.of(row) + choice.numerator, row, choice.supply);
                count += 1;
            }
        }
        count
    }

    /// Returns the number of pairs: the sum over groups of agents times supplies.
    fn count(&self, volume: &SupplyFilter, open: &Bits) -> u128 {
        let mut counting = Counting { agents: &self.agents, partial: Vec::new(), terms: Vec::new() };
        let mut count = 0;
        for group in volume.order.iter().map(|at| &volume.groups[*at as usize]) {
            let supplies = group.supplies.iter().filter(|row| open.has(**row as usize)).count();
            if supplies > 0 {
                count += supplies as u128 * u128::from(counting.agents_of(group));
            }
        }
        count
    }

    fn best(&self, matcher: &Matcher<'_>, volume: &SupplyFilter, open: &Bits, best: &mut Best) {
        let soft = matcher.subject.need.volumes[0].places.iter().any(|place| place.strength.is_preferred());
        let earns = |supply: usize| {
            volume.ranks[supply].numerator + if soft { matcher.soft_of_supply(0, supply, &[]) } else { 0 }
        };
        // A queue of groups and ways, by the most that one of their supplies earns.
        let mut ahead: BinaryHeap<(i128, Reverse<usize>, usize)> = BinaryHeap::new();
        for (at, group) in volume.groups.iter().enumerate() {
            let mut open = group.by_score.iter().map(|row| *row as usize).filter(|row| open.has(*row));
            let most = if soft { open.map(earns).max() } else { open.next().map(earns) };
            let Some(most) = most else { continue };
            ahead.extend(group.ways.iter().enumerate().map(|(way, of)| (most + of.earned, Reverse(at), way)));
        }
        let most = self.earned.most_among(&self.agents);
        while let Some((numerator, Reverse(at), way)) = ahead.pop() {
            // Every entry that is left earns less.
            if !best.admits(numerator + most, 0) {
                break;
            }
            let group = &volume.groups[at];
            let supplies = group.by_score.iter().map(|row| *row as usize).filter(|row| open.has(*row));
            let mut supplies: Vec<(i128, usize)> = supplies.map(|supply| (earns(supply), supply)).collect();
            if soft {
                supplies.sort_by_key(|(earned, supply)| (Reverse(*earned), *supply));
            }
            self.best_of(group, &group.ways[way], &supplies, most, best);
        }
    }

    /// Finds the best of a group's agents that earn in one way. No agent earns more than `most` by itself.
    fn best_of(
        &self,
        group: &SupplyGroup,
        way: &JointScore,
        supplies: &[(i128, usize)],
        most: i128,
        best: &mut Best,
    ) {
        let Some((first, _)) = supplies.first() else { return };
        let of_both = first + way.earned;
        let reach = best.reach(most + of_both);
        if let Some(few) = &group.few {
            for row in few.iter().map(|row| *row as usize).take_while(|row| *row < reach) {
                let (at, bit) = (row / simd::WORD, 1 << (row % simd::WORD));
                if group.word(way, at, self.agents.words()[at] & bit) != 0 {
                    self.offer(row, way, supplies, best);
                }
            }
            return;
        }
        let words = self.agents.words().iter().enumerate().take(reach.div_ceil(simd::WORD));
        for (at, word) in words.filter(|(_, word)| **word != 0) {
            if best.admits(self.earned.most_of(at) + of_both, at * simd::WORD) {
                for bit in ones(group.word(way, at, *word)) {
                    self.offer(at * simd::WORD + bit, way, supplies, best);
                }
            }
        }
    }

    /// Offers an agent with each supply, best first, until one is refused: those after it earn no more.
    fn offer(&self, row: usize, way: &JointScore, supplies: &[(i128, usize)], best: &mut Best) {
        let own = self.earned.of(row) + way.earned;
        for (earned, supply) in supplies {
            if !best.offer(own + earned, row, *supply) {
                break;
            }
        }
    }
}

/// Counts the agents of groups. Groups are visited in an order in which neighbours share a prefix of their
/// terms, and the intersections of prefixes are kept from one group to the next.
struct Counting<'i> {
    agents: &'i Bits,
    /// The agents that have the first term, the first two terms, and so on.
    partial: Vec<Vec<u64>>,
    /// The ids of the terms that `partial` is of.
    terms: Vec<usize>,
}

impl Counting<'_> {
    fn agents_of(&mut self, group: &SupplyGroup) -> u64 {
        if let Some(few) = &group.few {
            let has = |row: &&u32| {
                let row = **row as usize;
                self.agents.has(row) && group.terms.iter().all(|term| term.has(row))
            };
            return few.iter().filter(has).count() as u64;
        }
        let Some((last, first)) = group.terms.split_last() else { return self.agents.count() as u64 };
        let same = group.ids.iter().zip(&self.terms).take_while(|(own, known)| own == known).count();
        self.terms.truncate(same.min(first.len()));
        for (at, term) in first.iter().enumerate().skip(self.terms.len()) {
            if self.partial.len() <= at {
                self.partial.push(vec![0; self.agents.words().len()]);
            }
            let (before, here) = self.partial.split_at_mut(at);
            let before = before.last().map_or(self.agents.words(), Vec::as_slice);
            simd::and_into(&mut here[0], before, term.words());
            self.terms.push(group.ids[at]);
        }
        let before = match first.len() {
            0 => self.agents.words(),
            some => self.partial[some - 1].as_slice(),
        };
        simd::count_both(before, last.words())
    }
}
