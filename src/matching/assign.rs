//! From feasible parts to a candidate: an agent, and a supply for each volume.

use std::ops::ControlFlow;

use super::{
    Matcher,
    amounts::{Draft, raise},
    check::{Failure, Reach, Shortage},
    score::{Item, Score},
};
use crate::{
    inventory::world::{StockId, Take, Taken},
    ir::{Amount, Volume},
    limits,
    quantity::MILLION,
    symbol::Symbol,
    types::Side,
};

/// A feasible agent with a supply for each volume, and all that it takes.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The agent; `None` for a need that wants none.
    pub agent: Option<usize>,
    /// The supplies, one for each volume, in order.
    pub volumes: Vec<VolumeGrant>,
    /// Everything taken, tiers above included.
    pub takes: Vec<Take>,
    /// What each charge and each amount asked of the agent takes: resource, asked, charged.
    pub asked: Vec<(Symbol, Amount, i64)>,
    /// What counts in shares.
    pub shares: Vec<(Side, Symbol, i128)>,
    /// Its score.
    pub score: Score,
    /// The score, item by item.
    pub items: Vec<Item>,
}

/// What serves one volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeGrant {
    /// The supply.
    pub supply: usize,
    /// What each amount takes there: resource, stock it is counted by (none for an existing volume's own), amount.
    pub takes: Vec<(Symbol, Option<StockId>, Taken)>,
    /// Size taken − size asked, in bytes.
    pub waste: i64,
}

/// How a search for candidates ended.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Supplies tried.
    pub steps: u64,
    /// Whether a bound ended the search of some candidate.
    pub bounded: bool,
    /// Agents found feasible.
    pub feasible: usize,
    /// The amount that ran out when later volumes were added, with the volume's number and the supply.
    pub ran_out: Option<(usize, usize, Shortage)>,
    /// Assignments that hold part by part and not together, where they are asked for: of those that end in the same
    /// volume and supply, the first.
    pub refused: Option<Vec<Vec<usize>>>,
}

impl Search {
    /// A search that keeps what does not hold together.
    pub fn explaining() -> Search {
        Search { refused: Some(Vec::new()), ..Search::default() }
    }

    fn refuse(&mut self, supplies: &[usize]) {
        let Some(refused) = &mut self.refused else { return };
        if !refused.iter().any(|known| known.len() == supplies.len() && known.last() == supplies.last()) {
            refused.push(supplies.to_vec());
        }
    }
}

struct Choice {
    supply: usize,
    numerator: i128,
    waste: i64,
}

impl<'a> Matcher<'a> {
    /// Whether everything that must hold of an agent alone does.
    pub fn agent_holds(&self, agent: Option<usize>) -> bool {
        self.agent_checks(agent, &mut |_| ControlFlow::Break(())).is_continue()
    }

    /// The candidate of an agent, if there is one.
    pub fn candidate(&self, agent: Option<usize>, search: &mut Search) -> Option<Candidate> {
        search.steps += 1;
        if !self.agent_holds(agent) {
            return None;
        }
        let need = self.subject.need;
        let mut supplies = Vec::with_capacity(need.volumes.len());
        let mut draft = Draft::default();
        let budget = search.steps + limits::ASSIGNMENT_STEPS;
        if !self.assign(agent, &mut supplies, &mut draft, search, budget) {
            return None;
        }
        Some(self.complete(agent, &supplies))
    }

    /// The best candidate of all agents: by score, then by the agent's name.
    pub fn best(&self, search: &mut Search) -> Option<Candidate> {
        let mut best: Option<Candidate> = None;
        for agent in self.agents() {
            // Without volumes the score needs no supplies: an agent that cannot win is not completed.
            if self.subject.need.volumes.is_empty() {
                search.steps += 1;
                let beaten = |best: &Candidate| self.total(&self.agent_items(agent, &[])) <= best.score;
                if !self.agent_holds(agent) {
                    continue;
                }
                search.feasible += 1;
                if best.as_ref().is_some_and(beaten) {
                    continue;
                }
                best = Some(self.complete(agent, &[]));
                continue;
            }
            let Some(candidate) = self.candidate(agent, search) else { continue };
            search.feasible += 1;
            if best.as_ref().is_none_or(|best| candidate.score > best.score) {
                best = Some(candidate);
            }
        }
        best
    }

    /// The stocks of every supply that holds for a volume of the need on its own.
    pub fn supply_stocks(&self, agent: Option<usize>) -> Vec<StockId> {
        let world = self.moment.world;
        let mut stocks = Vec::new();
        for volume in &self.subject.need.volumes {
            for (at, supply) in world.supplies.iter().enumerate() {
                let holds =
                    self.supply_checks(agent, volume, at, Reach::All, &mut |_| ControlFlow::Break(()));
                if holds.is_continue() {
                    let asked = volume.request.amounts.iter().filter_map(|ask| supply.stocks(ask.resource));
                    stocks.extend(asked.flatten());
                    stocks.extend(supply.existing.as_ref().map(|existing| existing.users));
                }
            }
        }
        stocks
    }

    /// Assigns the remaining volumes, depth first, best supply first.
    fn assign(
        &self,
        agent: Option<usize>,
        supplies: &mut Vec<usize>,
        draft: &mut Draft,
        search: &mut Search,
        budget: u64,
    ) -> bool {
        let at = supplies.len();
        let Some(volume) = self.subject.need.volumes.get(at) else {
            let holds = self.whole_holds(agent, supplies);
            if !holds {
                search.refuse(supplies);
            }
            return holds;
        };
        for option in self.options(agent, at, volume, supplies, search) {
            search.steps += 1;
            if search.steps > budget {
                search.bounded = true;
                return false;
            }
            let before = draft.takes.len();
            match self.draft_volume(draft, volume, option.supply) {
                Ok(_) => {
                    supplies.push(option.supply);
                    if !self.near_holds(agent, supplies) {
                        search.refuse(supplies);
                    } else if self.assign(agent, supplies, draft, search, budget) {
                        return true;
                    }
                    supplies.pop();
                }
                Err(shortage) => {
                    if search.ran_out.as_ref().is_none_or(|known| known.0 < at) {
                        search.ran_out = Some((at, option.supply, shortage));
                    }
                }
            }
            draft.takes.truncate(before);
            if search.bounded {
                return false;
            }
        }
        false
    }

    /// The supplies that hold for a volume on their own, best first.
    fn options(
        &self,
        agent: Option<usize>,
        at: usize,
        volume: &'a Volume,
        supplies: &[usize],
        search: &mut Search,
    ) -> Vec<Choice> {
        let world = self.moment.world;
        let mut options: Vec<Choice> = Vec::new();
        for supply in 0..world.supplies.len() {
            search.steps += 1;
            let holds =
                self.supply_checks(agent, volume, supply, Reach::All, &mut |_| ControlFlow::Break(()));
            if holds.is_break() {
                continue;
            }
            let items = self.supply_items(agent, at, volume, supply, supplies);
            let numerator = items.iter().map(Item::numerator).sum();
            options.push(Choice { supply, numerator, waste: self.waste(volume, supply) });
        }
        // By score, then least waste, then existing before carved, then path: supplies are sorted by path.
        options.sort_by_key(|option| {
            let carved = world.supplies[option.supply].existing.is_none();
            (std::cmp::Reverse(option.numerator), option.waste, carved, option.supply)
        });
        options
    }

    /// Size taken − size asked.
    fn waste(&self, volume: &Volume, supply: usize) -> i64 {
        let Some(size) = self.moment.plan.symbols.find("size") else { return 0 };
        let Some(Amount::Scalar(dimension, low, _)) = volume.request.amount(size) else {
            return self.whole_size(supply, size).unwrap_or(0);
        };
        let taken = self.whole_size(supply, size).or_else(|| {
            let stock = self.moment.world.supplies[supply].stocks(size)?.first()?;
            super::amounts::scalar_of(
                self.moment.world.stock(*stock),
                &Amount::Scalar(*dimension, *low, *low),
                0,
            )
        });
        taken.map_or(0, |taken| taken.saturating_sub(*low))
    }

    /// Takes what a volume asks of a supply, beside the draft. Gives the number of takes for each amount.
    fn draft_volume(
        &self,
        draft: &mut Draft,
        volume: &Volume,
        supply: usize,
    ) -> Result<Vec<usize>, Shortage> {
        let (world, ledger) = (self.moment.world, self.moment.ledger);
        let mut counts = Vec::with_capacity(volume.request.amounts.len());
        for ask in &volume.request.amounts {
            if let Some(shortage) = self.supply_shortage(draft, supply, ask.resource, &ask.amount) {
                return Err(shortage);
            }
            let own = self.whole_size(supply, ask.resource).is_some();
            let stocks = world.supplies[supply].stocks(ask.resource).filter(|_| !own).unwrap_or_default();
            let takes = draft.fitting(ledger, world, stocks, &ask.amount, 0).unwrap_or_default();
            counts.push(takes.len());
            draft.takes.extend(takes);
        }
        if let Some(existing) = &world.supplies[supply].existing {
            let user = Amount::Scalar(crate::quantity::Dimension::Number, MILLION, MILLION);
            match draft.fitting(ledger, world, &[existing.users], &user, 0) {
                Ok(takes) => draft.takes.extend(takes),
                Err(_) => return Err(self.used_up(existing.users, user)),
            }
        }
        Ok(counts)
    }

    fn used_up(&self, users: StockId, want: Amount) -> Shortage {
        let stock = self.moment.world.stock(users);
        Shortage {
            side: Side::Pool,
            resource: stock.resource,
            dimension: stock.dimension,
            have: Some(0),
            want,
            takes: None,
            charged: 0,
            above: None,
            permanent: false,
        }
    }

    /// Whether the places that tie the agent and the volumes hold for those assigned.
    fn near_holds(&self, agent: Option<usize>, supplies: &[usize]) -> bool {
        let need = self.subject.need;
        let hard = |place: &&crate::ir::Place| place.weight.is_none();
        if let Some(agent) = agent
            && !need.places.iter().filter(hard).all(|place| self.agent_place(place, agent, supplies).holds())
        {
            return false;
        }
        let (Some((last, before)), Some(volume)) =
            (supplies.split_last(), need.volumes.get(supplies.len() - 1))
        else {
            return true;
        };
        volume.places.iter().filter(hard).all(|place| self.supply_place(place, *last, before, volume).holds())
    }

    /// With all supplies known: charges that read them still fit the agent.
    fn whole_holds(&self, agent: Option<usize>, supplies: &[usize]) -> bool {
        let Some(agent) = agent else { return true };
        match self.agent_wants(Some(agent), supplies) {
            Ok(wants) => wants.iter().all(|want| self.agent_shortage(agent, want).is_none()),
            Err(_) => false,
        }
    }

    /// Why supplies that hold one by one do not hold together with the agent: places that tie them, or charges that
    /// read them.
    pub fn joint_failures(&self, agent: Option<usize>, supplies: &[usize]) -> Vec<Failure<'a>> {
        let need = self.subject.need;
        let mut found = Vec::new();
        let mut place = |place: &'a crate::ir::Place, side, verdict: super::place::Verdict| {
            if place.weight.is_none() && !verdict.holds() {
                found.push(Failure::Place(place, side, verdict));
            }
        };
        if let Some(agent) = agent {
            need.places.iter().for_each(|of| place(of, Side::Agent, self.agent_place(of, agent, supplies)));
        }
        if let (Some((last, before)), Some(volume)) =
            (supplies.split_last(), need.volumes.get(supplies.len().wrapping_sub(1)))
        {
            volume
                .places
                .iter()
                .for_each(|of| place(of, Side::Pool, self.supply_place(of, *last, before, volume)));
        }
        if supplies.len() == need.volumes.len()
            && let Some(at) = agent
        {
            match self.agent_wants(agent, supplies) {
                Ok(wants) => {
                    let short = wants.iter().filter_map(|want| self.agent_shortage(at, want));
                    found.extend(short.map(Failure::Amount));
                }
                Err((charge, gap)) => found.push(Failure::Charge(charge, gap)),
            }
        }
        found
    }

    /// The candidate once its supplies are chosen: amounts with a range are raised to the most that fits.
    fn complete(&self, agent: Option<usize>, supplies: &[usize]) -> Candidate {
        let (world, ledger, need) = (self.moment.world, self.moment.ledger, self.subject.need);
        let mut draft = Draft::default();
        let mut ranges: Vec<(Amount, i64, std::ops::Range<usize>)> = Vec::new();
        let mut asked = Vec::new();
        if let Some(at) = agent {
            for want in self.agent_wants(agent, supplies).unwrap_or_default() {
                let stocks: Vec<StockId> = world.agent_stock(at, want.resource).into_iter().collect();
                let takes =
                    draft.fitting(ledger, world, &stocks, &want.amount, want.charged).unwrap_or_default();
                let start = draft.takes.len();
                draft.takes.extend(takes);
                ranges.push((want.amount.clone(), want.charged, start..draft.takes.len()));
                asked.push((want.resource, want.amount, want.charged));
            }
        }
        let mut of_volumes: Vec<Vec<std::ops::Range<usize>>> = Vec::new();
        for (volume, supply) in need.volumes.iter().zip(supplies) {
            let mut start = draft.takes.len();
            let counts = self.draft_volume(&mut draft, volume, *supply).unwrap_or_default();
            let mut parts = Vec::new();
            for (ask, count) in volume.request.amounts.iter().zip(counts) {
                ranges.push((ask.amount.clone(), 0, start..start + count));
                parts.push(start..start + count);
                start += count;
            }
            of_volumes.push(parts);
        }
        for (amount, charged, takes) in ranges {
            raise(&mut draft, ledger, world, &amount, charged, takes);
        }
        let grants = need.volumes.iter().zip(supplies).zip(&of_volumes);
        let volumes: Vec<VolumeGrant> = grants
            .map(|((volume, supply), parts)| self.volume_grant(&draft, volume, *supply, parts))
            .collect();
        let mut items = self.agent_items(agent, supplies);
        for (at, (volume, supply)) in need.volumes.iter().zip(supplies).enumerate() {
            items.extend(self.supply_items(agent, at, volume, *supply, &supplies[..at]));
        }
        let shares = self.shares(&draft, supplies);
        Candidate { agent, volumes, shares, asked, score: self.total(&items), items, takes: draft.takes }
    }

    fn volume_grant(
        &self,
        draft: &Draft,
        volume: &Volume,
        supply: usize,
        parts: &[std::ops::Range<usize>],
    ) -> VolumeGrant {
        let mut takes = Vec::new();
        let mut waste = 0;
        let size = self.moment.plan.symbols.find("size");
        for (ask, part) in volume.request.amounts.iter().zip(parts) {
            if let Some(take) = draft.takes[part.clone()].first() {
                if let (Taken::Scalar(taken), Amount::Scalar(_, low, high)) = (&take.amount, &ask.amount)
                    && Some(ask.resource) == size
                {
                    waste = taken - (*high).min(*taken).max(*low);
                }
                takes.push((ask.resource, Some(take.stock), take.amount.clone()));
            }
        }
        if let Some(existing) = &self.moment.world.supplies[supply].existing {
            for (resource, _, whole) in &existing.whole {
                takes.push((*resource, None, Taken::Scalar(*whole)));
                if Some(*resource) == size {
                    waste = self.waste(volume, supply);
                }
            }
        }
        VolumeGrant { supply, takes, waste }
    }

    /// What counts in shares: agents' stocks, the lowest tier of storage, existing volumes whole.
    fn shares(&self, draft: &Draft, supplies: &[usize]) -> Vec<(Side, Symbol, i128)> {
        let world = self.moment.world;
        let mut shares = Vec::new();
        for take in &draft.takes {
            let stock = world.stock(take.stock);
            let lowest = stock.side == Side::Agent
                || supplies.iter().any(|supply| {
                    world.supplies[*supply].stocks(stock.resource).and_then(|stocks| stocks.first())
                        == Some(&take.stock)
                });
            if lowest && !self.is_unlimited(take.stock) {
                let amount = match &take.amount {
                    Taken::Scalar(amount) => i128::from(*amount),
                    Taken::Set(set) => set.count() as i128 * i128::from(MILLION),
                };
                shares.push((stock.side, stock.resource, amount));
            }
        }
        for supply in supplies {
            let existing = world.supplies[*supply].existing.iter();
            let whole = existing.flat_map(|existing| &existing.whole);
            shares.extend(whole.map(|(resource, _, amount)| (Side::Pool, *resource, i128::from(*amount))));
        }
        shares
    }

    /// Every failure of an agent alone.
    pub fn agent_failures(&self, agent: Option<usize>) -> Vec<Failure<'a>> {
        let mut found = Vec::new();
        let _ = self.agent_checks(agent, &mut |failure| {
            found.push(failure);
            ControlFlow::Continue(())
        });
        found
    }

    /// Every failure of a supply for a volume.
    pub fn supply_failures(
        &self,
        agent: Option<usize>,
        volume: &'a Volume,
        supply: usize,
        reach: Reach,
    ) -> Vec<Failure<'a>> {
        let mut found = Vec::new();
        let _ = self.supply_checks(agent, volume, supply, reach, &mut |failure| {
            found.push(failure);
            ControlFlow::Continue(())
        });
        found
    }
}
