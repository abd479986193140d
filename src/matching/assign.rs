//! Assigns a supply to each volume of a need, and builds the candidate of an agent.
//!
//! The assignment is a backtracking search, depth first, one volume a level, best supply first:
//!
//! 1. List the supplies that hold for the volume on their own, once for all choices before it.
//! 2. Drop those that ties exclude ([`tie`]), and sort the rest by [`Choice`].
//! 3. Try one: take its amounts in the draft, check the places between it, the agent and earlier volumes,
//!    and go on with the next volume. On failure, undo the draft and try the next one.
//! 4. With a supply for each volume, check what depends on all of them, such as charges that read them.
//!
//! The first assignment found wins, so the order of choices defines the result. As in bin packing, the
//! worst case is exponential, so the search has a budget of supplies to try. A search that exceeds it
//! says that it was bounded, and proves nothing.

use std::ops::ControlFlow;

use super::{
    Matcher, SupplyScope,
    amounts::{Draft, RaisableAmount, Taking},
    assigned::Assigned,
    check::Reach,
    demand::required,
    failure::{Failure, Shortage},
    score::{Score, ScoreItem},
    search::{LOOKS_OF_ASKING, LOOKS_OF_SERVING, LOOKS_PER_TRY, Search},
    tie::{self, RuledOut, Tie},
};
use crate::{
    inventory::{
        availability::{Portion, scalar_of},
        ledger,
        world::{HoldingId, StockId, StockKind, Take, Taken},
    },
    ir::{Amount, Place, Volume},
    limits,
    quantity::MILLION,
    symbol::Symbol,
    types::Side,
};

/// A feasible agent with a supply for each volume, and the amounts that it takes.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The agent. `None` for a need without one.
    pub agent: Option<usize>,
    /// The supplies, one for each volume, in the order of the need.
    pub volumes: Vec<VolumeGrant>,
    /// The amounts taken, those of the agent first, then those of each volume.
    pub takings: Vec<Taking>,
    /// The amounts requested of the agent: the resource, the amount asked, and what charges add.
    pub asked: Vec<(Symbol, Amount, i64)>,
    /// The amounts that count in dominant shares.
    pub shares: Vec<(Side, Symbol, i128)>,
    /// The score.
    pub score: Score,
    /// The score, item by item.
    pub items: Vec<ScoreItem>,
}

impl Candidate {
    /// Returns everything taken, including what tiers above and limits count.
    pub fn takes(&self) -> impl Iterator<Item = &Take> {
        self.takings.iter().flat_map(|taking| taking.portion.takes())
    }
}

/// The supply of one volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeGrant {
    /// The supply.
    pub supply: usize,
    /// The size taken minus the size asked, in bytes.
    pub waste: i64,
}

/// The state of a search for an assignment.
#[derive(Default)]
struct AssignProgress {
    /// The amounts taken by the supplies chosen so far. Backtracking truncates it.
    draft: Draft,
    /// By volume, the supplies that hold for it on their own, once they were listed.
    open: Vec<Option<Vec<usize>>>,
}

/// A supply that holds for a volume on its own, with the values that it is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Choice {
    /// The supply.
    pub supply: usize,
    /// `true` if it is reserved for the role or one above it.
    pub kept: bool,
    /// The score, in 10⁻¹².
    pub numerator: i128,
    /// The size taken minus the size asked, in bytes.
    pub waste: i64,
    /// `true` for an existing volume.
    pub exists: bool,
}

impl Choice {
    /// Returns the sort key: reserved ones first, then by score, waste, existence, and path. Supplies are
    /// sorted by path, so the index stands for it, and makes the order total.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        (!self.kept, std::cmp::Reverse(self.numerator), self.waste, !self.exists, self.supply)
    }

    /// Returns the reason why this supply was chosen and not the other.
    pub fn before(&self, other: &Choice) -> &'static str {
        // The chosen one comes later in the order, so the search tried the other first.
        if self.rank() > other.rank() {
            return "the other did not fit with the rest";
        }
        match () {
            () if self.kept != other.kept => "it is kept for the role",
            () if self.numerator != other.numerator => "it scores more",
            () if self.waste != other.waste => "it wastes less",
            () if self.exists != other.exists => "it exists already",
            () => "all else is equal, and it comes first by path",
        }
    }
}

impl<'a> Matcher<'a> {
    /// Returns `true` if everything holds that must hold for an agent alone.
    pub fn agent_holds(&self, agent: Option<usize>) -> bool {
        self.agent_checks(agent, &mut |_| ControlFlow::Break(())).is_continue()
    }

    /// Returns the candidate of an agent, if there is one.
    pub fn candidate(&self, agent: Option<usize>, search: &mut Search) -> Option<Candidate> {
        search.steps += 1;
        if !self.agent_holds(agent) {
            return None;
        }
        let need = self.subject.need;
        let mut supplies = Vec::with_capacity(need.volumes.len());
        if !self.assign_all(agent, &mut supplies, search) {
            return None;
        }
        Some(self.candidate_from(agent, &supplies))
    }

    /// Assigns all volumes. Returns `false` if no assignment holds, or if a bound ended the search.
    pub(super) fn assign_all(
        &self,
        agent: Option<usize>,
        supplies: &mut Vec<usize>,
        search: &mut Search,
    ) -> bool {
        let budget = search.steps + limits::ASSIGNMENT_STEPS;
        let mut way =
            AssignProgress { open: vec![None; self.subject.need.volumes.len()], ..AssignProgress::default() };
        self.assign(agent, supplies, &mut way, search, budget)
    }

    /// Returns the stocks of an agent that a candidate with these supplies takes from.
    pub fn agent_stocks(&self, agent: usize, supplies: &[usize]) -> Vec<StockId> {
        let wants = self.agent_wants(Some(agent), supplies).unwrap_or_default();
        let draft = Draft::default();
        let portions = wants.iter().filter_map(|want| {
            let holding = self.moment.world.agent_holding(agent, want.resource)?;
            self.availability(&draft).take(&[holding], &want.amount, want.charged).ok()
        });
        portions.flat_map(|portion| portion.own).map(|take| take.stock).collect()
    }

    /// Returns the best candidate of all agents: by score, then by the agent's name.
    pub fn best(&self, search: &mut Search) -> Option<Candidate> {
        self.best_of(&self.agents(), search)
    }

    /// Returns the best candidate of some agents, which are in order of name.
    pub fn best_of(&self, agents: &[Option<usize>], search: &mut Search) -> Option<Candidate> {
        let mut best: Option<Candidate> = None;
        let once = self.assigns_once();
        // The index leaves needs that may take nothing to this engine, so the work is counted here.
        let asked = self.may_take_nothing().map_or(0, |_| {
            LOOKS_OF_ASKING * (1 + self.subject.need.volumes.len() * self.moment.world.supplies.len()) as u64
        });
        let mut known = Assigned::default();
        for agent in agents.iter().copied() {
            if asked > 0 {
                search.spend(asked);
            }
            if search.cut {
                return None;
            }
            // Without volumes the score is known at once, and a candidate that cannot win is not built.
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
                best = Some(self.candidate_from(agent, &[]));
                continue;
            }
            let found = if once {
                search.steps += 1;
                let held = self.agent_holds(agent).then(|| self.assign_known(agent, &mut known, search));
                held.flatten().map(|supplies| self.candidate_from(agent, &supplies))
            } else {
                self.candidate(agent, search)
            };
            let Some(candidate) = found else { continue };
            search.feasible += 1;
            if best.as_ref().is_none_or(|best| candidate.score > best.score) {
                best = Some(candidate);
            }
        }
        best
    }

    /// Returns the stocks that volumes could take from, of every supply that holds for one on its own.
    pub fn supply_stocks(&self, agent: Option<usize>) -> Vec<StockId> {
        let world = self.moment.world;
        let mut stocks = Vec::new();
        for volume in &self.subject.need.volumes {
            for (at, supply) in world.supplies.iter().enumerate() {
                let holds =
                    self.supply_checks(agent, volume, at, Reach::All, &mut |_| ControlFlow::Break(()));
                if holds.is_continue() {
                    let asked = volume.request.amounts.iter();
                    let tiers = asked.filter_map(|ask| supply.holdings(ask.resource)).flatten();
                    stocks.extend(tiers.flat_map(|tier| &world.holding(*tier).parts).map(|part| part.1));
                    stocks.extend(supply.existing.as_ref().map(|existing| existing.users));
                }
            }
        }
        stocks
    }

    /// Assigns the remaining volumes, best supply first. On failure `supplies` is as before.
    fn assign(
        &self,
        agent: Option<usize>,
        supplies: &mut Vec<usize>,
        way: &mut AssignProgress,
        search: &mut Search,
        budget: u64,
    ) -> bool {
        let at = supplies.len();
        if at == self.subject.need.volumes.len() {
            let holds = self.whole_holds(agent, supplies);
            if !holds {
                search.refuse(supplies);
            }
            return holds;
        }
        // An explanation wants every supply that fails, so nothing is pruned for it.
        let explains = search.refused.is_some();
        let ties = if explains { Vec::new() } else { self.ties(agent, at, supplies) };
        let options = self.options(agent, at, supplies, &mut way.open[at], &ties);
        let mut ruled_out = RuledOut::default();
        let counts = self.counts_tries();
        if counts {
            search.spend(options.len() as u64);
        }
        for option in options {
            if ruled_out.has(self, option.supply) {
                continue;
            }
            search.steps += 1;
            if counts {
                search.spend(LOOKS_OF_SERVING);
            }
            if search.steps > budget || search.cut {
                search.bounded = true;
                return false;
            }
            // The rest of `LOOKS_PER_TRY` is spent below if the try is in vain.
            let before = way.draft.takes.len();
            match self.draft_volume(&mut way.draft, at, option.supply) {
                Ok(_) => {
                    supplies.push(option.supply);
                    match self.joint_place(agent, supplies) {
                        Some(place) => {
                            search.refuse(supplies);
                            if !explains {
                                ruled_out.add(self, place, option.supply);
                            }
                        }
                        None if self.assign(agent, supplies, way, search, budget) => return true,
                        None => {}
                    }
                    supplies.pop();
                }
                Err(shortage) => {
                    // The deepest volume reached says the most about what is missing.
                    if search.ran_out.as_ref().is_none_or(|known| known.0 < at) {
                        search.ran_out = Some((at, option.supply, *shortage));
                    }
                }
            }
            way.draft.takes.truncate(before);
            if counts {
                search.spend(LOOKS_PER_TRY - LOOKS_OF_SERVING);
            }
            if search.bounded {
                return false;
            }
        }
        false
    }

    /// Returns the supplies that hold for a volume on their own, best first, before ties are applied.
    pub fn choices(&self, agent: Option<usize>, at: usize, before: &[usize]) -> Vec<Choice> {
        self.options(agent, at, before, &mut None, &[])
    }

    /// Returns the supplies that hold for a volume and satisfy its ties, best first. `open` caches those
    /// that hold, which do not depend on the volumes before.
    fn options(
        &self,
        agent: Option<usize>,
        at: usize,
        before: &[usize],
        open: &mut Option<Vec<usize>>,
        ties: &[Tie],
    ) -> Vec<Choice> {
        let mut options = match self.scope {
            SupplyScope::Indexed(open) => open.choices(self, agent, at, before, ties),
            SupplyScope::All | SupplyScope::Among(_) => {
                let open = open.get_or_insert_with(|| self.holding(agent, at));
                let left = open.iter().filter(|supply| tie::leave(ties, self, **supply));
                left.map(|supply| self.choice(agent, at, *supply, before)).collect()
            }
        };
        options.sort_by_key(Choice::rank);
        options
    }

    /// Returns the supplies that hold for a volume on their own, in order of path.
    fn holding(&self, agent: Option<usize>, at: usize) -> Vec<usize> {
        let volume = &self.subject.need.volumes[at];
        let mut stop = |_: Failure<'a>| ControlFlow::Break(());
        let holds =
            |supply: &usize| self.supply_checks(agent, volume, *supply, Reach::All, &mut stop).is_continue();
        self.supplies().filter(holds).collect()
    }

    fn choice(&self, agent: Option<usize>, at: usize, supply: usize, before: &[usize]) -> Choice {
        let volume = &self.subject.need.volumes[at];
        let items = self.supply_items(agent, at, volume, supply, before);
        let existing = self.moment.world.supplies[supply].existing.as_ref();
        Choice {
            supply,
            kept: existing.is_some_and(|existing| existing.reserved_for.is_some()),
            numerator: items.iter().map(ScoreItem::numerator).sum(),
            waste: self.waste(volume, supply),
            exists: existing.is_some(),
        }
    }

    /// Returns the size that a supply would give at least, minus the size asked.
    pub(super) fn waste(&self, volume: &Volume, supply: usize) -> i64 {
        let Some(size) = self.moment.plan.symbols.find("size") else { return 0 };
        let Some(Amount::Scalar(dimension, low, _)) = volume.request.amount(size) else {
            return self.whole_size(supply, size).unwrap_or(0);
        };
        let world = self.moment.world;
        let taken = self.whole_size(supply, size).or_else(|| {
            let lowest = world.supplies[supply].holdings(size)?.first()?;
            scalar_of(world, world.holding(*lowest), &Amount::Scalar(*dimension, *low, *low), 0)
        });
        taken.map_or(0, |taken| taken.saturating_sub(*low))
    }

    /// Adds what a volume takes from a supply to the draft. On failure the caller truncates the draft.
    pub(super) fn draft_volume(
        &self,
        draft: &mut Draft,
        at: usize,
        supply: usize,
    ) -> Result<Vec<(Taking, Option<RaisableAmount<'a>>)>, Box<Shortage>> {
        let world = self.moment.world;
        let volume = &self.subject.need.volumes[at];
        let mut found = Vec::with_capacity(volume.request.amounts.len());
        let mut add = |draft: &mut Draft, resource, portion: Portion, request| {
            draft.takes.extend(portion.takes().cloned());
            found.push((Taking { volume: Some(at), resource, portion }, request));
        };
        for ask in &volume.request.amounts {
            if let Some(shortage) = self.supply_shortage(draft, supply, ask.resource, &ask.amount) {
                return Err(Box::new(shortage));
            }
            if self.whole_size(supply, ask.resource).is_some() {
                continue;
            }
            let tiers = world.supplies[supply].holdings(ask.resource).unwrap_or_default();
            let portion = self.availability(draft).take(tiers, &ask.amount, 0).unwrap_or_default();
            let request = RaisableAmount { tiers: tiers.to_vec(), amount: &ask.amount, charged: 0 };
            add(draft, ask.resource, portion, Some(request));
        }
        let Some(existing) = &world.supplies[supply].existing else { return Ok(found) };
        for (resource, dimension, whole) in &existing.whole {
            let taken = self.availability(draft).limit_takes(Side::Pool, *resource, i128::from(*whole));
            let Ok(above) = taken else {
                let amount = Amount::Scalar(*dimension, 0, 0);
                let short = self.supply_shortage(draft, supply, *resource, &amount);
                return Err(Box::new(short.unwrap_or_else(|| self.used_up(existing.users))));
            };
            add(draft, *resource, Portion { own: Vec::new(), above }, None);
        }
        if self.counts_users(volume)
            && self.availability(draft).free(existing.users).is_some_and(|free| free < i128::from(MILLION))
        {
            return Err(Box::new(self.used_up(existing.users)));
        }
        let own = vec![Take { stock: existing.users, amount: Taken::Scalar(MILLION) }];
        let users = world.stock(existing.users).resource;
        add(draft, users, Portion { own, above: Vec::new() }, None);
        Ok(found)
    }

    fn used_up(&self, users: StockId) -> Shortage {
        let stock = self.moment.world.stock(users);
        let one = Amount::Scalar(stock.dimension, MILLION, MILLION);
        let never = Shortage::never(Side::Pool, stock.resource, stock.dimension, Some(0), &one);
        Shortage { permanent: false, ..never }
    }

    /// Returns the first hard place between the last supply and the agent or earlier supplies that fails.
    fn joint_place(&self, agent: Option<usize>, supplies: &[usize]) -> Option<&'a Place> {
        let need = self.subject.need;
        // Places that do not depend on the supplies were checked before. A relaxed need checks them again.
        let again = self.relaxation().is_some();
        let joint = |place: &&Place| again || place.kind.is_tie();
        let of_agent = agent.and_then(|agent| {
            let mut places = required(&need.places).filter(joint);
            places.find(|place| !self.agent_place(place, agent, supplies).holds())
        });
        if of_agent.is_some() {
            return of_agent;
        }
        let ((last, before), volume) = supplies.split_last().zip(need.volumes.get(supplies.len() - 1))?;
        let mut places =
            required(&volume.places).filter(|place| joint(place) || place.kind.counts().is_some());
        places.find(|place| !self.supply_place(place, *last, before, volume).holds())
    }

    /// Checks with all supplies known that charges fit the agent, and that something is taken.
    fn whole_holds(&self, agent: Option<usize>, supplies: &[usize]) -> bool {
        if !supplies.is_empty() && self.takes_nothing(agent, supplies).is_some() {
            return false;
        }
        let Some(agent) = agent else { return true };
        match self.agent_wants(Some(agent), supplies) {
            Ok(wants) => wants.iter().all(|want| self.agent_shortage(agent, want).is_none()),
            Err(_) => false,
        }
    }

    /// Returns the reasons why supplies that hold one by one do not hold together with the agent.
    pub fn joint_failures(&self, agent: Option<usize>, supplies: &[usize]) -> Vec<Failure<'a>> {
        let need = self.subject.need;
        let mut found = Vec::new();
        let mut place = |place: &'a Place, side, verdict: super::place::PlaceVerdict| {
            if place.strength.is_required() && !verdict.holds() {
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
        if found.is_empty() && supplies.len() == need.volumes.len() {
            found.extend(self.takes_nothing(agent, supplies).filter(|_| !supplies.is_empty()));
        }
        found
    }

    /// Builds the candidate of an agent with chosen supplies. Ranges are raised to the most that fits.
    pub fn candidate_from(&self, agent: Option<usize>, supplies: &[usize]) -> Candidate {
        let world = self.moment.world;
        let wants = self.agent_wants(agent, supplies).unwrap_or_default();
        let mut draft = Draft::default();
        let mut takings = Vec::new();
        let mut requests = Vec::new();
        if let Some(at) = agent {
            for want in &wants {
                let tiers: Vec<HoldingId> = world.agent_holding(at, want.resource).into_iter().collect();
                let portion =
                    self.availability(&draft).take(&tiers, &want.amount, want.charged).unwrap_or_default();
                draft.takes.extend(portion.takes().cloned());
                takings.push(Taking { volume: None, resource: want.resource, portion });
                requests.push(Some(RaisableAmount { tiers, amount: &want.amount, charged: want.charged }));
            }
        }
        for (at, supply) in supplies.iter().enumerate() {
            for (taking, request) in self.draft_volume(&mut draft, at, *supply).unwrap_or_default() {
                takings.push(taking);
                requests.push(request);
            }
        }
        // All lower ends are taken by now, so that raising one amount cannot starve another.
        self.raise(&mut takings, &requests);
        drop(requests);
        let volumes = supplies.iter().enumerate();
        let volumes = volumes.map(|(at, supply)| self.volume_grant(&takings, at, *supply)).collect();
        let mut items = self.agent_items(agent, supplies);
        items.extend(self.volume_items(agent, supplies));
        let shares = self.shares(&takings, supplies);
        let asked = match agent {
            Some(_) => wants.into_iter().map(|want| (want.resource, want.amount, want.charged)).collect(),
            None => Vec::new(),
        };
        Candidate { agent, volumes, shares, asked, score: self.total(&items), items, takings }
    }

    fn volume_grant(&self, takings: &[Taking], at: usize, supply: usize) -> VolumeGrant {
        let volume = &self.subject.need.volumes[at];
        let size = self.moment.plan.symbols.find("size");
        if self.moment.world.supplies[supply].existing.is_some() {
            let has = size.is_some_and(|size| self.whole_size(supply, size).is_some());
            return VolumeGrant { supply, waste: if has { self.waste(volume, supply) } else { 0 } };
        }
        let taken = takings.iter().find(|one| one.volume == Some(at) && Some(one.resource) == size);
        let taken = taken.and_then(|one| i64::try_from(one.portion.amount()).ok());
        let asked = size.and_then(|size| volume.request.amount(size));
        let waste = match (taken, asked) {
            (Some(taken), Some(Amount::Scalar(_, low, high))) => taken - (*high).min(taken).max(*low),
            _ => 0,
        };
        VolumeGrant { supply, waste }
    }

    /// Returns the amounts that count in dominant shares: those of the lowest tiers, and existing volumes
    /// as a whole. Unlimited resources have no shares.
    fn shares(&self, takings: &[Taking], supplies: &[usize]) -> Vec<(Side, Symbol, i128)> {
        let world = self.moment.world;
        let mut shares = Vec::new();
        for taking in takings {
            let counted = taking.portion.own.iter().filter(|take| {
                let stock = world.stock(take.stock);
                stock.kind != StockKind::Users && ledger::total(stock).is_some()
            });
            let side = if taking.volume.is_some() { Side::Pool } else { Side::Agent };
            let mut counted = counted.peekable();
            if counted.peek().is_some() {
                let sum = counted.map(|take| take.amount.count()).sum();
                shares.push((side, taking.resource, sum));
            }
        }
        for supply in supplies {
            let existing = world.supplies[*supply].existing.iter();
            let whole = existing.flat_map(|existing| &existing.whole);
            shares.extend(whole.map(|(resource, _, amount)| (Side::Pool, *resource, i128::from(*amount))));
        }
        shares
    }

    /// Returns every failure of an agent alone.
    pub fn agent_failures(&self, agent: Option<usize>) -> Vec<Failure<'a>> {
        let mut found = Vec::new();
        let _ = self.agent_checks(agent, &mut |failure| {
            found.push(failure);
            ControlFlow::Continue(())
        });
        found
    }

    /// Returns every failure of a supply for a volume.
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
