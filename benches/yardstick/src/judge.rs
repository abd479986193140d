//! What the policy means, row by row over plain structs: the judge of every answer.

use std::collections::BinaryHeap;

use crate::{
    fleet::{Agent, Fleet, Pool, mix},
    work::{Need, Rules},
};

/// How many of the best are asked for.
pub const BEST: usize = 10;

/// A feasible agent and pool: rows of the fleet, which are in order of name and path.
pub type Pair = (u32, u32);

/// One of the best: its score, and its pair.
pub type Scored = (i64, u32, u32);

/// What is asked of a system, and timed: how many feasible pairs, and the best ten, first by score, then by name
/// of the agent and path of the pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Feasible pairs.
    pub count: u64,
    /// The best.
    pub top: Vec<Scored>,
}

/// All feasible pairs in short: two systems agree where their digests are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// Count and best ten.
    pub answer: Answer,
    /// Sum over all pairs, whatever their order.
    pub sum: u64,
}

/// The sum over pairs, whatever their order.
pub fn sum(fleet: &Fleet, pairs: impl IntoIterator<Item = Pair>) -> u64 {
    let hash = |(agent, pool): Pair| mix((u64::from(agent) << 32) | u64::from(fleet.pools[pool as usize].id));
    pairs.into_iter().map(hash).fold(0, u64::wrapping_add)
}

/// Whether an agent alone holds.
pub fn agent_holds(agent: &Agent, need: &Need) -> bool {
    let enough = |have: Option<u32>, want: u32| want == 0 || have.is_some_and(|have| have >= want);
    enough(agent.cpus, need.cpus)
        && enough(agent.mem, need.mem)
        && enough(agent.disk, need.disk)
        && enough(agent.ports, need.ports)
        && (need.regions.is_empty()
            || agent.place.is_some_and(|place| need.regions.contains(&place.region())))
}

/// Whether a pool alone holds.
pub fn pool_holds(pool: &Pool, need: &Need) -> bool {
    pool.size.is_some_and(|have| have >= need.size)
        && pool.iops.is_some_and(|have| have >= need.iops)
        && pool.media == Some(need.media)
        && pool.replicas.is_some_and(|have| have >= need.replicas)
}

/// Whether the two go together.
pub fn pair_holds(agent: &Agent, pool: &Pool, rules: Rules) -> bool {
    let (Some(here), Some(there)) = (agent.place, pool.place) else { return false };
    here.region == there.region
        && pool.driver.is_none_or(|driver| agent.drivers.as_ref().is_some_and(|own| own.contains(&driver)))
        && pool.vlan.is_none_or(|vlan| agent.vlan == Some(vlan))
        && (!rules.net || matches!((agent.net, pool.min_net), (Some(have), Some(want)) if have >= want))
        && (!rules.racks || there.rack.is_none() || here == there)
}

/// The score of a pair that is feasible. What is absent earns nothing.
pub fn score(agent: &Agent, pool: &Pool, rules: Rules) -> i64 {
    if rules.flat {
        return 0;
    }
    let zone = |place: crate::fleet::Place| (place.region, place.zone);
    let same_zone = matches!((agent.place, pool.place), (Some(a), Some(b)) if zone(a) == zone(b));
    1_000 * i64::from(same_zone)
        + 300 * i64::from(agent.infiniband == Some(true))
        + 100 * i64::from(pool.replicas.unwrap_or(0))
        + 10 * i64::from(pool.tier.unwrap_or(0))
        - i64::from(agent.cpus.unwrap_or(0))
}

/// Every feasible pair.
pub fn pairs(fleet: &Fleet, need: &Need, rules: Rules) -> Vec<Pair> {
    let pools: Vec<(u32, &Pool)> =
        (0..).zip(&fleet.pools).filter(|(_, pool)| pool_holds(pool, need)).collect();
    let mut pairs = Vec::new();
    for (row, agent) in (0..).zip(&fleet.agents) {
        if agent_holds(agent, need) {
            let fit = pools.iter().filter(|(_, pool)| pair_holds(agent, pool, rules));
            pairs.extend(fit.map(|(pool, _)| (row, *pool)));
        }
    }
    pairs
}

/// The digest of pairs.
pub fn digest(fleet: &Fleet, pairs: &[Pair], rules: Rules) -> Digest {
    let mut best = Best::new(BEST);
    for &(agent, pool) in pairs {
        best.offer((score(&fleet.agents[agent as usize], &fleet.pools[pool as usize], rules), agent, pool));
    }
    let answer = Answer { count: pairs.len() as u64, top: best.sorted() };
    Digest { answer, sum: sum(fleet, pairs.iter().copied()) }
}

/// The best few of what is offered.
#[derive(Clone, Debug)]
pub struct Best {
    most: usize,
    /// The worst on top: by rank, the least of which is best.
    heap: BinaryHeap<(i64, u32, u32)>,
}

impl Best {
    /// Of the best `most`.
    pub fn new(most: usize) -> Self {
        Best { most, heap: BinaryHeap::with_capacity(most) }
    }

    /// One more.
    #[inline]
    pub fn offer(&mut self, (score, agent, pool): Scored) {
        let rank = (-score, agent, pool);
        if self.heap.len() < self.most {
            self.heap.push(rank);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && rank < *worst
        {
            *worst = rank;
        }
    }

    /// The score below which nothing enters any more.
    #[inline]
    pub fn floor(&self) -> Option<i64> {
        if self.heap.len() < self.most { None } else { self.heap.peek().map(|worst| -worst.0) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Best first.
    pub fn sorted(self) -> Vec<Scored> {
        self.heap.into_sorted_vec().into_iter().map(|(score, agent, pool)| (-score, agent, pool)).collect()
    }
}
