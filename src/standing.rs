//! Needs whose answers are kept while a fleet changes.
//!
//! [`Standing`] joins a [`Live`] fleet and the `Index` of `matching`, and tells the index which rows and
//! stocks a change touched.

use crate::{
    error::Error,
    live::{Applied, Delta, FleetChanges, Holder, Live},
    matching::{Candidate, Index, MatchCount, Matcher, NeedId, Search},
    policy::Fleet,
    quantity::Quantity,
};

/// A [`Live`] fleet with an index of the columns that its needs read. An answer is looked up in the index.
/// Rows that changed since the last question are evaluated again, one by one, so that a question after a
/// heartbeat costs little.
///
/// ```
/// use bourse::{Live, Policy, Standing, live::Holder, quantity::Quantity};
///
/// let policy = Policy::compile([(
///     "demo.policy",
///     "agent a1 { resources { cpus = 8 } }
///      agent a2 { resources { cpus = 2 } }
///      broker b { prefer agent.free.cpus / 100 }
///      need web { agent { cpus = 4 } }",
/// )])?;
/// let mut standing = Standing::new(Live::bind(&policy, &[])?);
/// let web = standing.fleet().needs("web")?[0];
/// assert_eq!(standing.answer(web, 10).map(|answer| answer.pairs), Some(1));
///
/// standing.set_total(Holder::Agent("a2"), "cpus", Quantity::parse("16").unwrap())?;
/// let answer = standing.answer(web, 10).unwrap();
/// assert_eq!(answer.pairs, 2);
/// assert_eq!(answer.best[0].agent, 1, "the one with more");
/// # Ok::<(), bourse::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Standing {
    live: Live,
    index: Index,
    /// The number of plugins that had failed when the index was made. The index holds what they said until
    /// then.
    broken: usize,
}

impl Standing {
    /// Keeps answers for the needs of a fleet.
    pub fn new(live: Live) -> Standing {
        let index = Index::of_changing(live.fleet().plan(), live.fleet().world());
        let broken = live.fleet().faults().len();
        Standing { live, index, broken }
    }

    /// Asks the index, in a run of questions to plugins of its own. If a plugin failed since the last question, or
    /// fails in this one, everything found by its word is dropped and the question is asked again.
    fn ask<R>(&mut self, mut ask: impl FnMut(&mut Index, &Fleet) -> R) -> R {
        let fleet = self.live.fleet();
        loop {
            let broken = fleet.faults().len();
            if broken != self.broken {
                self.index = Index::of_changing(fleet.plan(), fleet.world());
                self.broken = broken;
            }
            let _run = fleet.plugin_run();
            let answer = ask(&mut self.index, fleet);
            if fleet.faults().len() == broken {
                return answer;
            }
        }
    }

    /// The current fleet. As long as a clone of it is kept, the next change copies the fleet first.
    pub fn fleet(&self) -> &Fleet {
        self.live.fleet()
    }

    /// Counts the feasible pairs of agent and supply of a need with one volume or none, and returns the
    /// `most` best of them. `None` for a need with more volumes, without an agent, with a place or a charge
    /// that ties agent and volume, or with scores that the index cannot hold: use [`Standing::best`].
    pub fn answer(&mut self, need: NeedId, most: usize) -> Option<MatchCount> {
        self.ask(|index, fleet| index.answer(&matcher(fleet, need), most))
    }

    /// Calls `each` with every pair of [`Standing::answer`], as a supply, if the need has a volume, and the
    /// numbers of agents that it serves. A supply may come more than once. Returns `false` if the need has no
    /// such answer.
    pub fn pairs(&mut self, need: NeedId, mut each: impl FnMut(Option<usize>, &[u32])) -> bool {
        if self.live.fleet().filters().is_none() {
            return self.index.pairs(&matcher(self.live.fleet(), need), each);
        }
        // Pairs are collected first: those found by the word of a plugin that then fails are dropped.
        let (is_known, found) = self.ask(|index, fleet| {
            let mut found: Vec<(Option<usize>, Vec<u32>)> = Vec::new();
            let is_known =
                index.pairs(&matcher(fleet, need), |supply, agents| found.push((supply, agents.to_vec())));
            (is_known, found)
        });
        found.iter().for_each(|(supply, agents)| each(*supply, agents));
        is_known
    }

    /// Returns the best candidate of a need: the first offer of the next cycle, if no other need asked.
    pub fn best(&mut self, need: NeedId) -> Option<Candidate> {
        self.ask(|index, fleet| index.best(&matcher(fleet, need), &mut Search::default()))
    }

    /// Returns `true` if an agent, given by its number, fits a need by itself: amounts, rules, classes,
    /// conditions and places.
    pub fn agent_holds(&mut self, need: NeedId, agent: usize) -> bool {
        self.ask(|index, fleet| index.agent_holds(&matcher(fleet, need), agent))
    }

    /// Returns the bytes that the index holds for agents, for the needs that were asked so far.
    pub fn bytes_of_agents(&self) -> usize {
        self.index.bytes_of_agents()
    }

    /// Evaluates the rows that changed, for every need that was asked before. Otherwise that happens when a
    /// need is next asked.
    pub fn refresh(&mut self) {
        self.ask(|index, fleet| index.refresh(fleet.moment()));
    }

    /// Makes a change, like [`Live::apply`]. The index is made anew if rows come, go or change their keys. If
    /// only amounts change, it follows the stocks that changed.
    ///
    /// # Errors
    /// The errors of [`Live::apply`].
    pub fn apply(&mut self, delta: &Delta<'_>) -> Result<Applied, Error> {
        let applied = self.live.apply(delta)?;
        let FleetChanges { agents, supplies, stocks } = &applied.changed;
        if agents.is_empty() && supplies.is_empty() {
            let world = self.live.fleet().world();
            self.index.touch(world, None, stocks.iter().copied());
        } else {
            self.index = Index::of_changing(self.live.fleet().plan(), self.live.fleet().world());
        }
        Ok(applied)
    }

    /// Sets the total of a resource, like [`Live::set_total`].
    ///
    /// # Errors
    /// The errors of [`Live::set_total`].
    pub fn set_total(
        &mut self,
        holder: Holder<'_>,
        resource: &str,
        total: Quantity,
    ) -> Result<FleetChanges, Error> {
        let changed = self.live.set_total(holder, resource, total)?;
        let world = self.live.fleet().world();
        self.index.touch(world, None, changed.stocks.iter().copied());
        Ok(changed)
    }
}

fn matcher(fleet: &Fleet, need: NeedId) -> Matcher<'_> {
    Matcher::new(fleet.moment(), need)
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Standing>();
};
