//! Closes needs: determines the outcome, the cause of what is missing, and the reasons against candidates.
//!
//! The cause is found by asking again with the state before the cycle. If the need has a candidate there, it
//! lost it to the grants that hold those stocks (*contended*). If not, no cycle could have served it
//! (*proved*). If the search was cut short, neither is known (*bounded*).

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::{Outcome, Reasons, Rejection, Rejections, Run, Why, Winners};
use crate::{
    inventory::world::StockId,
    ir::RuleSubject,
    limits,
    matching::{Candidate, Failure, Instance, Matcher, Moment, NeedId, Reach, Search, Shortage},
};

impl Run<'_> {
    pub(super) fn close(&mut self, at: usize, tried: bool) {
        self.needs[at].closed_after = self.grants.len();
        let (missing, any) = {
            let need = &self.needs[at];
            (need.missing(), need.allocated + need.offered > 0)
        };
        self.needs[at].outcome = match (missing, any) {
            (0, _) => Outcome::Met,
            (_, true) => Outcome::Partial,
            (_, false) => Outcome::Unmet,
        };
        if missing > 0 && tried {
            self.needs[at].why = Some(self.why(at));
        }
        let wanted = match self.keep {
            Reasons::None => false,
            Reasons::Unmet => missing > 0,
            Reasons::All => true,
        };
        if wanted && self.needs[at].fitted.is_none() {
            self.needs[at].rejections = self.rejections(self.needs[at].id);
        }
    }

    fn why(&mut self, at: usize) -> Why {
        if self.needs[at].bounded {
            return Why::Bounded;
        }
        if self.needs[at].fitted.is_some() {
            return self.why_not_whole(at);
        }
        let mut search = Search::default();
        let (best, wanted) = self.wanted_at_start(self.needs[at].id, &mut search);
        match best {
            Some(best) => self.winners(&best, wanted).map_or(Why::Bounded, Why::Contended),
            None if search.bounded => Why::Bounded,
            None => Why::Proved,
        }
    }

    /// Returns the best candidate of a need before the cycle, and the stocks that some candidate would have
    /// taken something of. Stocks of which no grant holds anything may be missing from the list.
    fn wanted_at_start(&mut self, id: NeedId, search: &mut Search) -> (Option<Candidate>, Vec<StockId>) {
        let (plan, world) = (self.plan, self.world);
        let moment = Moment {
            plan,
            world,
            ledger: &self.start.0,
            placed: &self.start.1,
            filters: self.filters,
            recorder: None,
        };
        let matcher = Matcher::new(moment, id);
        let mut wanted: Vec<StockId> = Vec::new();
        if let Some(index) = &mut self.start_index
            && let Some((best, served)) = index.served(&matcher, search)
        {
            let held = self.holders.iter().enumerate().filter(|(_, holders)| !holders.is_empty());
            let mut granted = vec![false; world.agents.len()];
            held.filter_map(|(stock, _)| index.agent_of(StockId(stock as u32)))
                .for_each(|agent| granted[agent] = true);
            self.losses += served.len() as u64;
            if self.losses > limits::LOSSES_LOOKED {
                search.bounded = true;
                return (None, wanted);
            }
            let mut seen: IndexSet<&[usize]> = IndexSet::new();
            // Agents with the same supplies take the same stocks of them, so that one stands for all. But
            // limits may count the amounts of some agents only, and a raised amount may need further parts;
            // then each agent is looked at.
            let every = !world.limits.is_empty() || matcher.raises();
            for (agent, supplies) in &served {
                if seen.insert(supplies) || every {
                    let candidate = matcher.candidate_from(Some(*agent), supplies);
                    wanted.extend(candidate.takes().map(|take| take.stock));
                } else if granted[*agent] {
                    wanted.extend(matcher.agent_stocks(*agent, supplies));
                }
            }
            if let Some((first, _)) = served.first() {
                wanted.extend(matcher.supply_stocks(Some(*first)));
            }
            return (best, wanted);
        }
        let mut best: Option<Candidate> = None;
        for agent in matcher.agents() {
            let Some(candidate) = matcher.candidate(agent, search) else { continue };
            self.losses += 1;
            if self.losses > limits::LOSSES_LOOKED {
                search.bounded = true;
                return (None, wanted);
            }
            wanted.extend(candidate.takes().map(|take| take.stock));
            if best.is_none() {
                wanted.extend(matcher.supply_stocks(agent));
            }
            if best.as_ref().is_none_or(|best| candidate.score > best.score) {
                best = Some(candidate);
            }
        }
        (best, wanted)
    }

    /// Finds out why a need that is granted whole was not, by granting it alone in the state before the
    /// cycle.
    fn why_not_whole(&mut self, at: usize) -> Why {
        let (plan, world, need) = (self.plan, self.world, &self.needs[at]);
        let (id, missing) = (need.id, need.missing());
        let mut wanted: Vec<StockId> = Vec::new();
        let mut tried: Vec<Candidate> = Vec::new();
        let mut search = Search::within(limits::ASSIGNMENT_STEPS);
        let mut index = self.start_index.take();
        let most = self.at_start(id).most_instances();
        // The trial grants into the state before the cycle, and takes back afterwards: this is cheaper than a
        // copy of the fleet for each need.
        while (tried.len() as u64) < missing {
            let matcher = self.at_start(id);
            let best = match &mut index {
                Some(index) => index.best(&matcher, &mut search),
                None => matcher.best(&mut search),
            };
            let Some(candidate) = best else { break };
            let parts = super::parts(&candidate);
            if parts > self.undone.left(id.framework) {
                search.bounded = true;
                break;
            }
            self.undone.spend(id.framework, parts);
            for take in candidate.takes() {
                self.start.0.grant(world, id.framework, take);
            }
            if let Some(index) = &mut index {
                index.touch(world, Some(id.framework), candidate.takes().map(|take| take.stock));
            }
            wanted.extend(candidate.takes().map(|take| take.stock));
            let need = &plan.frameworks[id.framework].needs[id.need];
            self.start.1.push(plan, world, id, Instance::of(&candidate, need));
            tried.push(candidate);
        }
        for candidate in tried.iter().rev() {
            for take in candidate.takes() {
                self.start.0.revoke(id.framework, take);
            }
            if let Some(index) = &mut index {
                index.touch(world, Some(id.framework), candidate.takes().map(|take| take.stock));
            }
            self.start.1.pop(plan, world, id);
        }
        self.start_index = index;
        if (tried.len() as u64) < missing {
            // Greedy grants may miss a better arrangement, so failing proves nothing unless an upper bound on
            // the instances is below the missing number.
            let proved = !search.bounded && (tried.is_empty() || most < u128::from(missing));
            return if proved { Why::Proved } else { Why::Bounded };
        }
        tried.first().and_then(|first| self.winners(first, wanted)).map_or(Why::Bounded, Why::Contended)
    }

    /// Returns the matcher of a need in the state before the cycle.
    fn at_start(&self, id: NeedId) -> Matcher<'_> {
        let moment = Moment {
            plan: self.plan,
            world: self.world,
            ledger: &self.start.0,
            placed: &self.start.1,
            filters: self.filters,
            recorder: None,
        };
        Matcher::new(moment, id)
    }

    /// Returns the grants that took what a need could have had, with those on its best candidate first.
    fn winners(&mut self, best: &Candidate, mut wanted: Vec<StockId>) -> Option<Winners> {
        wanted.sort_unstable();
        wanted.dedup();
        let on = |stocks: &mut dyn Iterator<Item = StockId>| -> Vec<usize> {
            let mut among = vec![false; self.grants.len()];
            for stock in stocks {
                self.holders[stock.0 as usize].iter().for_each(|grant| among[*grant] = true);
            }
            (0..among.len()).filter(|grant| among[*grant]).collect()
        };
        let first = on(&mut best.takes().map(|take| take.stock));
        // Needs that close in succession often want the same stocks.
        let known =
            self.lost.as_ref().filter(|lost| lost.grants == self.grants.len() && lost.wanted == wanted);
        if known.is_none() {
            let to = on(&mut wanted.iter().copied());
            self.lost = Some(super::Lost { wanted, grants: self.grants.len(), to });
        }
        let all = self.lost.as_ref().map_or(&[][..], |lost| lost.to.as_slice());
        let others = all.iter().filter(|grant| first.binary_search(grant).is_err());
        let grants = first.iter().chain(others).copied().take(limits::WINNERS_KEPT).collect();
        (!all.is_empty()).then_some(Winners { grants, count: all.len() })
    }

    /// Returns the reasons against every agent and supply, in the present state.
    pub(super) fn rejections(&mut self, id: NeedId) -> Rejections {
        let look = Matcher::new(self.moment(), id).looks();
        let mut keeper = Keeper {
            reasons: std::mem::take(&mut self.reasons),
            lists: std::mem::take(&mut self.lists),
            shortages: std::mem::take(&mut self.shortages),
            kept: self.kept,
            looked: self.looked,
            look,
            out: Rejections::default(),
            tries: self.explaining.min(limits::ASSIGNMENT_STEPS),
        };
        let tries = keeper.tries;
        collect(&Matcher::new(self.moment(), id), &mut keeper);
        self.reasons = keeper.reasons;
        self.lists = keeper.lists;
        self.shortages = keeper.shortages;
        self.kept = keeper.kept;
        self.looked = keeper.looked;
        self.explaining -= tries - keeper.tries;
        keeper.out
    }
}

/// Collects rejections within the bounds of `limits`. The tables of the whole cycle are moved in and out of
/// it, so that equal reasons and lists are stored once.
struct Keeper {
    reasons: IndexSet<crate::matching::Reason>,
    shortages: IndexMap<Shortage, usize>,
    lists: IndexSet<Arc<[usize]>>,
    kept: usize,
    looked: usize,
    /// The looks that one candidate counts as.
    look: usize,
    out: Rejections,
    /// Supplies that may still be tried together.
    tries: u64,
}

impl Keeper {
    /// Returns `true` if one more candidate may be looked at for reasons. Otherwise counts it as dropped.
    fn may_look(&mut self) -> bool {
        let may = self.looked < limits::REASONS_LOOKED;
        if may {
            self.looked += self.look
        } else {
            self.out.dropped += 1
        }
        may
    }

    /// Returns the one shared list with these numbers.
    fn shared(&mut self, numbers: Vec<usize>) -> Arc<[usize]> {
        if let Some(known) = self.lists.get(numbers.as_slice()) {
            return Arc::clone(known);
        }
        let list: Arc<[usize]> = numbers.into();
        self.lists.insert(Arc::clone(&list));
        list
    }

    fn keep<'a>(
        &mut self,
        matcher: &Matcher<'a>,
        agent: Option<usize>,
        supply: Option<(usize, usize)>,
        failures: &[Failure<'a>],
    ) {
        if failures.is_empty() {
            return;
        }
        if self.kept >= limits::REJECTIONS_KEPT || self.reasons.len() >= limits::REASONS_KEPT {
            self.out.dropped += 1;
            return;
        }
        self.kept += 1;
        let volume = supply.map(|(volume, _)| &matcher.subject.need.volumes[volume]);
        let numbers = failures.iter().map(|failure| {
            // Shortages repeat often, and always have the same words, so their reasons are built once.
            if let Some(shortage) = failure.shortage() {
                if let Some(number) = self.shortages.get(shortage) {
                    return *number;
                }
                let reason = matcher.reason(failure, agent, None, None);
                let number = self.reasons.insert_full(reason).0;
                self.shortages.insert(shortage.clone(), number);
                return number;
            }
            let reason = matcher.reason(failure, agent, supply.map(|(_, supply)| supply), volume);
            self.reasons.insert_full(reason).0
        });
        let reasons = numbers.collect();
        let reasons = self.shared(reasons);
        self.out.list.push(Rejection { agent, supply, reasons });
    }
}

/// Collects the failures of agents alone, then of supplies alone, then of pairs if rules about both exist,
/// then of whole candidates. Each stage looks only at what the stages before could not see.
fn collect(matcher: &Matcher<'_>, keeper: &mut Keeper) {
    let agents = matcher.agents();
    let volumes = &matcher.subject.need.volumes;
    let supplies = matcher.moment.world.supplies.len();
    let mut open = Vec::with_capacity(agents.len());
    for agent in &agents {
        if !keeper.may_look() {
            open.push(false);
            continue;
        }
        let failures = matcher.agent_failures(*agent);
        open.push(failures.is_empty());
        keeper.keep(matcher, *agent, None, &failures);
    }
    let distinct: Vec<usize> = (0..volumes.len()).filter(|at| volumes[*at].ordinal.0 == 0).collect();
    for at in &distinct {
        for supply in 0..supplies {
            if !keeper.may_look() {
                continue;
            }
            let failures = matcher.supply_failures(None, &volumes[*at], supply, Reach::WithoutAgent);
            keeper.keep(matcher, None, Some((*at, supply)), &failures);
        }
    }
    let plan = matcher.moment.plan;
    let crossed = plan.rules().any(|one| one.is_required() && one.subject == RuleSubject::Pair);
    for (agent, open) in agents.into_iter().zip(open) {
        if let Some(at) = agent.filter(|_| crossed) {
            for volume in &distinct {
                for supply in 0..supplies {
                    if !keeper.may_look() {
                        continue;
                    }
                    let failures =
                        matcher.supply_failures(Some(at), &volumes[*volume], supply, Reach::AgentOnly);
                    keeper.keep(matcher, Some(at), Some((*volume, supply)), &failures);
                }
            }
        }
        // An agent that fails alone has failed already.
        if open {
            together(matcher, agent, keeper);
        }
    }
}

/// Collects the failures of an agent whose parts all hold alone. Either it is feasible after all, or the
/// places between its parts fail, or an amount runs out when volumes are added together.
fn together(matcher: &Matcher<'_>, agent: Option<usize>, keeper: &mut Keeper) {
    if keeper.tries == 0 {
        keeper.out.dropped += 1;
        return;
    }
    let mut search = Search::explaining_within(keeper.tries);
    let found = matcher.candidate(agent, &mut search).is_some();
    keeper.tries = keeper.tries.saturating_sub(search.tries());
    if search.cut {
        keeper.out.dropped += 1;
        return;
    }
    if found {
        keeper.out.feasible.extend(agent);
        return;
    }
    for supplies in search.refused.unwrap_or_default() {
        let Some(last) = supplies.last() else { continue };
        let failures = matcher.joint_failures(agent, &supplies);
        keeper.keep(matcher, agent, Some((supplies.len() - 1, *last)), &failures);
    }
    let Some((volume, supply, shortage)) = search.ran_out else { return };
    let reason = matcher.ran_out(supply, &shortage);
    let number = keeper.reasons.insert_full(reason).0;
    let reasons = keeper.shared(vec![number]);
    keeper.kept += 1;
    keeper.out.list.push(Rejection { agent, supply: Some((volume, supply)), reasons });
}
