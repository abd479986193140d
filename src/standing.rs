//! Needs whose answers are kept while a fleet changes.

use crate::{
    error::Error,
    live::{Applied, Changed, Delta, Holder, Live},
    matching::{Answer, Candidate, Index, Matcher, NeedId, Search},
    policy::Fleet,
    quantity::Quantity,
};

/// A [`Live`] fleet with the columns that needs read. What is asked is looked up, and what has changed since is looked at
/// again, row by row: asking costs little, and asking again after a heartbeat costs next to nothing.
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
}

impl Standing {
    /// Answers for the needs of a fleet.
    pub fn new(live: Live) -> Standing {
        let index = Index::of_changing(live.fleet().plan(), live.fleet().world());
        Standing { live, index }
    }

    /// The fleet as it is now. As long as a clone of it is kept, the next change copies the fleet first.
    pub fn fleet(&self) -> &Fleet {
        self.live.fleet()
    }

    /// How many pairs of agent and supply a need with one volume, or none, could have as things are, with so many of the
    /// best. `None` for other needs, of which [`Standing::best`] tells.
    pub fn answer(&mut self, need: NeedId, most: usize) -> Option<Answer> {
        self.index.answer(&matcher(self.live.fleet(), need), most)
    }

    /// Every pair of [`Standing::answer`]: a supply, if there is a volume, with agents that it serves, by their numbers in
    /// the fleet. A supply may come more than once. `false` where there is no such answer.
    pub fn pairs(&mut self, need: NeedId, each: impl FnMut(Option<usize>, &[u32])) -> bool {
        self.index.pairs(&matcher(self.live.fleet(), need), each)
    }

    /// The best candidate of a need as things are: what the next cycle would offer first if nobody else asked.
    pub fn best(&mut self, need: NeedId) -> Option<Candidate> {
        self.index.best(&matcher(self.live.fleet(), need), &mut Search::default())
    }

    /// Whether an agent holds for a need on its own, by its number: amounts, rules, classes, conditions and places.
    pub fn agent_holds(&mut self, need: NeedId, agent: usize) -> bool {
        self.index.agent_holds(&matcher(self.live.fleet(), need), agent)
    }

    /// Bytes that are held for agents beside the fleet itself, for the needs that were asked so far.
    pub fn bytes_of_agents(&self) -> usize {
        self.index.bytes_of_agents()
    }

    /// Looks at once at what has changed, for every need that was asked before; else that is done when one is asked again.
    pub fn refresh(&mut self) {
        self.index.refresh(self.live.fleet().moment());
    }

    /// Makes a change: see [`Live::apply`]. Rows that come, go or have other keys make the columns anew; what is taken is
    /// followed stock by stock.
    ///
    /// # Errors
    /// As [`Live::apply`].
    pub fn apply(&mut self, delta: &Delta<'_>) -> Result<Applied, Error> {
        let applied = self.live.apply(delta)?;
        let Changed { agents, supplies, stocks } = &applied.changed;
        if agents.is_empty() && supplies.is_empty() {
            let world = self.live.fleet().world();
            self.index.touch(world, None, stocks.iter().copied());
        } else {
            self.index = Index::of_changing(self.live.fleet().plan(), self.live.fleet().world());
        }
        Ok(applied)
    }

    /// Sets the total of a resource, as heartbeats tell it: see [`Live::set_total`].
    ///
    /// # Errors
    /// As [`Live::set_total`].
    pub fn set_total(
        &mut self,
        holder: Holder<'_>,
        resource: &str,
        total: Quantity,
    ) -> Result<Changed, Error> {
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
