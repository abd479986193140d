//! One need answered over the columns: a filter of agents, then counts and the best ten by groups of pools. No pair is
//! touched that could not be among the best.

use crate::{
    columns::{Asked, Columns, Group, Index, NO_ZONE},
    judge::{Answer, BEST, Best, Pair, Scored},
    simd,
    work::Need,
};

/// The feasible pools of a group.
struct Ready<'a> {
    group: &'a Group,
    /// Best first: score, pool.
    pools: Vec<(i64, u32)>,
}

/// Which agents of a group are visited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zone {
    Any,
    Same,
    Other,
}

impl Columns {
    /// The agents that hold for a need, one bit each.
    pub fn agents(&self, need: &Need, bits: &mut Vec<u64>) -> u64 {
        self.agents_of(&self.asked(need), bits)
    }

    pub(crate) fn agents_of(&self, asked: &Asked, bits: &mut Vec<u64>) -> u64 {
        bits.resize(self.words, 0);
        simd::filter(self.level, self.amounts(), &asked.wanted, bits)
    }

    /// How many pairs are feasible, and the best ten. `bits` is scratch space.
    pub fn answer(&self, need: &Need, bits: &mut Vec<u64>) -> Answer {
        let asked = self.asked(need);
        self.agents_of(&asked, bits);
        let ready = self.ready(&asked);
        Answer { count: self.count(&ready, bits), top: self.top(&asked, &ready, bits) }
    }

    /// The best ten alone, of agents that are known.
    pub(crate) fn top_of(&self, asked: &Asked, bits: &[u64]) -> Vec<Scored> {
        self.top(asked, &self.ready(asked), bits)
    }

    /// Every feasible pair.
    pub fn pairs(&self, need: &Need, bits: &mut Vec<u64>, pairs: &mut Vec<Pair>) {
        let asked = self.asked(need);
        self.agents_of(&asked, bits);
        pairs.clear();
        let mut agents = Vec::new();
        for ready in self.ready(&asked) {
            agents.clear();
            self.visit(ready.group, Zone::Any, bits, |row| agents.push(row as u32));
            for (_, pool) in ready.pools {
                if self.rules.net {
                    let fast = agents.iter().filter(|agent| self.fast_enough(**agent as usize, pool));
                    pairs.extend(fast.map(|agent| (*agent, pool)));
                } else {
                    pairs.extend(agents.iter().map(|agent| (*agent, pool)));
                }
            }
        }
    }

    fn ready(&self, asked: &Asked) -> Vec<Ready<'_>> {
        let mut ready = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            if asked.wanted.regions[usize::from(group.keys.region)] == 0 {
                continue;
            }
            let feasible = group.pools.iter().filter(|pool| self.pool_holds(**pool, asked));
            let mut pools: Vec<(i64, u32)> =
                feasible.map(|pool| (self.pools[*pool as usize].score, *pool)).collect();
            if !pools.is_empty() {
                pools.sort_unstable_by_key(|(score, pool)| (-score, *pool));
                ready.push(Ready { group, pools });
            }
        }
        ready
    }

    #[inline]
    fn fast_enough(&self, row: usize, pool: u32) -> bool {
        self.pools[pool as usize].min_net.is_some_and(|least| self.net[row] >= least)
    }

    fn count(&self, ready: &[Ready<'_>], bits: &[u64]) -> u64 {
        if self.rules.net {
            return self.count_fast(ready, bits);
        }
        let count = |ready: &Ready<'_>| {
            let agents = match self.terms(ready.group) {
                Some(terms) => simd::shared(self.level, bits, terms.as_slice()),
                None => {
                    let mut agents = 0;
                    self.visit(ready.group, Zone::Any, bits, |_| agents += 1);
                    agents
                }
            };
            agents * ready.pools.len() as u64
        };
        ready.iter().map(count).sum()
    }

    /// With the inequality: a bitmap for each threshold, made once.
    fn count_fast(&self, ready: &[Ready<'_>], bits: &[u64]) -> u64 {
        let mut fast: std::collections::BTreeMap<u32, Vec<u64>> = std::collections::BTreeMap::new();
        let mut base = vec![0; self.words];
        let mut count = 0;
        for one in ready {
            base.fill(0);
            self.visit_words(one.group, bits, |at, word| base[at] = word);
            for (_, pool) in &one.pools {
                let Some(least) = self.pools[*pool as usize].min_net else { continue };
                let threshold = fast.entry(least).or_insert_with(|| {
                    let mut threshold = vec![0; self.words];
                    simd::reaches(self.level, &self.net, least, &mut threshold);
                    threshold
                });
                count += simd::shared(self.level, &base, &[threshold]);
            }
        }
        count
    }

    /// The bitmaps that the agents of a group are in; `None` where some key has lists.
    fn terms<'a>(&'a self, group: &Group) -> Option<Terms<'a>> {
        let keys = &group.keys;
        let mut terms = Terms { list: [&[]; 4], len: 0 };
        terms.push(&self.by_region[usize::from(keys.region)]);
        if keys.driver != 0 {
            terms.push(&self.by_driver[keys.driver.trailing_zeros() as usize]);
        }
        for (value, index) in [(keys.vlan, &self.by_vlan), (keys.rack, &self.by_rack)] {
            match index {
                _ if value == 0 => {}
                Index::Bits(bits) => match bits.get(usize::from(value)) {
                    Some(bits) => terms.push(bits),
                    None => return None,
                },
                Index::Lists(_) => return None,
            }
        }
        Some(terms)
    }

    /// The shortest list of rows that holds every agent of a group, where some key has lists.
    fn list<'a>(&'a self, group: &Group) -> &'a [u32] {
        let keys = &group.keys;
        let lists = [(keys.vlan, &self.by_vlan), (keys.rack, &self.by_rack)].into_iter().filter_map(
            |(value, index)| match index {
                Index::Lists(lists) if value != 0 => {
                    Some(lists.get(usize::from(value)).map_or(&[][..], Vec::as_slice))
                }
                // No agent has this value at all.
                Index::Bits(bits) if value != 0 && usize::from(value) >= bits.len() => Some(&[][..]),
                _ => None,
            },
        );
        lists.min_by_key(|list| list.len()).unwrap_or(&[])
    }

    /// The words of the agents of a group that hold.
    #[inline]
    fn visit_words(&self, group: &Group, bits: &[u64], mut each: impl FnMut(usize, u64)) {
        if let Some(terms) = self.terms(group) {
            for (at, word) in bits.iter().enumerate() {
                let word = terms.as_slice().iter().fold(*word, |word, term| word & term[at]);
                if word != 0 {
                    each(at, word);
                }
            }
        }
    }

    /// The agents of a group that hold, in order.
    #[inline]
    fn visit(&self, group: &Group, zone: Zone, bits: &[u64], mut each: impl FnMut(usize)) {
        let Some(mut terms) = self.terms(group) else {
            for row in self.list(group) {
                let row = *row as usize;
                let in_zone =
                    zone == Zone::Any || (self.zone[row] == group.keys.zone) == (zone == Zone::Same);
                if in_zone && bits[row / 64] >> (row % 64) & 1 == 1 && self.shares(row, &group.keys) {
                    each(row);
                }
            }
            return;
        };
        let own = &self.by_zone[usize::from(group.keys.zone)];
        if zone == Zone::Same {
            terms.list[0] = own;
        }
        for (at, word) in bits.iter().enumerate() {
            let mut word = terms.as_slice().iter().fold(*word, |word, term| word & term[at]);
            if zone == Zone::Other {
                word &= !own[at];
            }
            while word != 0 {
                each(at * 64 + word.trailing_zeros() as usize);
                word &= word - 1;
            }
        }
    }

    /// Groups in order of the best score they could give, those of one zone first; what cannot enter is not looked at.
    fn top(&self, asked: &Asked, ready: &[Ready<'_>], bits: &[u64]) -> Vec<Scored> {
        if self.rules.flat {
            return self.first(ready, bits);
        }
        let mut order: Vec<&Ready<'_>> = ready.iter().collect();
        order.sort_unstable_by_key(|ready| -ready.pools[0].0);
        let most_of_agent = self.most_of_agent(asked);
        let mut best = Best::new(BEST);
        for (zone, bonus) in [(Zone::Same, self.zone_score()), (Zone::Other, 0)] {
            for ready in &order {
                let most_of_pool = ready.pools[0].0 + bonus;
                if best.floor().is_some_and(|floor| most_of_pool + most_of_agent < floor) {
                    break;
                }
                self.offer(ready, zone, bonus, bits, &mut best);
            }
        }
        best.sorted()
    }

    fn offer(&self, ready: &Ready<'_>, zone: Zone, bonus: i64, bits: &[u64], best: &mut Best) {
        let most_of_pool = ready.pools[0].0 + bonus;
        if self.rules.net {
            self.visit(ready.group, zone, bits, |row| {
                let own = self.agent_score(row);
                for (score, pool) in &ready.pools {
                    let score = own + score + bonus;
                    if best.floor().is_some_and(|floor| score < floor) {
                        break;
                    }
                    if self.fast_enough(row, *pool) {
                        best.offer((score, row as u32, *pool));
                    }
                }
            });
            return;
        }
        // The best ten pairs of a group are among its ten best agents with its ten best pools.
        let mut agents = Best::new(BEST);
        let floor = best.floor();
        self.visit(ready.group, zone, bits, |row| {
            let own = self.agent_score(row);
            if floor.is_none_or(|floor| own + most_of_pool >= floor) {
                agents.offer((own, row as u32, 0));
            }
        });
        let agents = agents.sorted();
        for (score, pool) in ready.pools.iter().take(BEST) {
            for (own, agent, _) in &agents {
                best.offer((own + score + bonus, *agent, *pool));
            }
        }
    }

    /// Where every score is the same: the first ten by name.
    fn first(&self, ready: &[Ready<'_>], bits: &[u64]) -> Vec<Scored> {
        let mut best = Best::new(BEST);
        for (at, word) in bits.iter().enumerate() {
            let mut word = *word;
            while word != 0 {
                let row = at * 64 + word.trailing_zeros() as usize;
                word &= word - 1;
                self.offer_agent(row, ready, &mut best);
                if best.len() == BEST {
                    return best.sorted();
                }
            }
        }
        best.sorted()
    }

    fn offer_agent(&self, row: usize, ready: &[Ready<'_>], best: &mut Best) {
        let own = self.agent_score(row);
        for ready in ready.iter().filter(|ready| self.shares(row, &ready.group.keys)) {
            let same = self.zone[row] != NO_ZONE && self.zone[row] == ready.group.keys.zone;
            let bonus = if same { self.zone_score() } else { 0 };
            for (score, pool) in &ready.pools {
                best.offer((own + score + bonus, row as u32, *pool));
            }
        }
    }
}

/// Up to four bitmaps.
struct Terms<'a> {
    list: [&'a [u64]; 4],
    len: usize,
}

impl<'a> Terms<'a> {
    fn push(&mut self, bits: &'a [u64]) {
        self.list[self.len] = bits;
        self.len += 1;
    }

    fn as_slice(&self) -> &[&'a [u64]] {
        &self.list[..self.len]
    }
}
