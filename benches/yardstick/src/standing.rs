//! Needs that stand: their answers are current after every change of an agent.

use crate::{
    columns::{Asked, Columns, NO_ZONE},
    judge::{Answer, BEST, Best, Scored},
    work::{Need, Update},
};

/// The standing needs of one fleet.
#[derive(Clone, Debug)]
pub struct Standing {
    columns: Columns,
    needs: Vec<One>,
    /// Groups of pools by their region.
    by_region: Vec<Vec<u32>>,
    /// Those that the changed agent shares its keys with.
    shared: Vec<u32>,
}

#[derive(Clone, Debug)]
struct One {
    asked: Asked,
    /// The agents that hold.
    bits: Vec<u64>,
    /// Of each group: how many of its pools hold, and the best score among them.
    pools: Vec<(u32, i64)>,
    answer: Answer,
}

impl Standing {
    /// Answers all needs once.
    pub fn new(columns: Columns, needs: &[Need]) -> Standing {
        let mut by_region = vec![Vec::new(); 16];
        for (at, group) in (0..).zip(&columns.groups) {
            by_region[usize::from(group.keys.region)].push(at);
        }
        let needs = needs.iter().map(|need| One::new(&columns, need)).collect();
        Standing { columns, needs, by_region, shared: Vec::new() }
    }

    /// The answer of a need.
    pub fn answer(&self, need: usize) -> &Answer {
        &self.needs[need].answer
    }

    /// Changes what is free on an agent.
    pub fn update(&mut self, update: Update) {
        let Standing { columns, needs, by_region, shared } = self;
        let row = update.agent as usize;
        let (cpus, mem) = (columns.cpus[row], columns.mem[row]);
        columns.cpus[row] = update.cpus;
        columns.mem[row] = update.mem;
        if (cpus, mem) == (update.cpus, update.mem) {
            return;
        }
        shared.clear();
        let near = &by_region[usize::from(columns.region[row])];
        shared.extend(near.iter().filter(|at| columns.shares(row, &columns.groups[**at as usize].keys)));
        for need in needs {
            need.update(columns, row, shared);
        }
    }
}

impl One {
    fn new(columns: &Columns, need: &Need) -> One {
        let asked = columns.asked(need);
        let mut bits = Vec::new();
        let answer = columns.answer(need, &mut bits);
        let pools = columns.groups.iter().map(|group| {
            let feasible = group.pools.iter().filter(|pool| columns.pool_holds(**pool, &asked));
            let scores = feasible.map(|pool| columns.pools[*pool as usize].score);
            (scores.clone().count() as u32, scores.max().unwrap_or(0))
        });
        One { asked, bits, pools: pools.collect(), answer }
    }

    fn update(&mut self, columns: &Columns, row: usize, shared: &[u32]) {
        let (at, bit) = (row / 64, 1 << (row % 64));
        let before = self.bits[at] & bit != 0;
        let after = columns.agent_holds(row, &self.asked);
        if !before && !after {
            return;
        }
        let pools = || shared.iter().map(|group| (*group, self.pools[*group as usize]));
        if before != after {
            let pairs = pools().map(|(_, (many, _))| u64::from(many)).sum::<u64>();
            self.answer.count = if after { self.answer.count + pairs } else { self.answer.count - pairs };
            self.bits[at] ^= bit;
        }
        if before && self.answer.top.iter().any(|scored| scored.1 as usize == row) {
            self.answer.top = columns.top_of(&self.asked, &self.bits);
            return;
        }
        if !after {
            return;
        }
        let own = columns.agent_score(row);
        let bonus = |group: u32| {
            let zone = columns.groups[group as usize].keys.zone;
            if zone != NO_ZONE && zone == columns.zone[row] { columns.zone_score() } else { 0 }
        };
        let scores = pools().filter(|(_, (many, _))| *many > 0);
        let most = scores.map(|(group, (_, score))| own + score + bonus(group)).max();
        let floor =
            if self.answer.top.len() < BEST { None } else { self.answer.top.last().map(|last| last.0) };
        let Some(most) = most else { return };
        if floor.is_some_and(|floor| most < floor) {
            return;
        }
        let mut best = Best::new(BEST);
        self.answer.top.iter().for_each(|scored: &Scored| best.offer(*scored));
        for group in shared {
            for pool in &columns.groups[*group as usize].pools {
                if columns.pool_holds(*pool, &self.asked) {
                    let score = own + columns.pools[*pool as usize].score + bonus(*group);
                    best.offer((score, row as u32, *pool));
                }
            }
        }
        self.answer.top = best.sorted();
    }
}
