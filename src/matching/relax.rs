//! Conditions by name, and a need asked without some of them: what an explanation tries. Where nothing is dropped
//! it costs a look at an empty option.

use std::ops::ControlFlow;

use indexmap::IndexSet;

use super::{
    Matcher,
    amounts::Draft,
    check::{Failure, Reach},
};
use crate::{
    inventory::{
        ledger,
        world::{HoldingId, StockId, StockKind},
    },
    ir::{Amount, Charge, DefinitionId, Framework, NodeId, Volume},
    quantity::MILLION,
    symbol::Symbol,
    types::Side,
};

/// A condition that may stand in a need's way. Those that a need asks of a volume name the volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// A condition of a rule: the rule's root, and which of its conditions.
    Rule(NodeId, NodeId),
    /// A condition of a class asked for, or the whole class where it is ruled out.
    Class(Option<Symbol>, DefinitionId, NodeId),
    /// A condition of the need itself.
    Asked(Option<Symbol>, NodeId, NodeId),
    /// An amount, charges included.
    Amount(Option<Symbol>, Symbol),
    /// A limit of a role on a resource.
    Limit(Symbol, Symbol),
    /// A charge without a value.
    Charge(NodeId),
    /// A place, by its number in the need.
    Place(u32),
    /// The file system of a volume.
    Filesystem(Symbol),
    /// Writing to a volume.
    Access(Symbol),
    /// The users of an existing volume.
    Users(Symbol),
    /// The role an existing volume is kept for.
    Reserved(Symbol),
    /// What a volume is a snapshot of.
    Source(Symbol),
    /// Whom the role serves.
    Principal,
}

/// A framework whose need asks for less, and the operator's conditions that are not looked at for it.
#[derive(Clone, Debug)]
pub struct Relaxed {
    /// The framework, its need changed.
    pub framework: Framework,
    /// What is not looked at: rules, conditions, classes, users, and for whom volumes are kept.
    pub conditions: IndexSet<Condition>,
    /// Limits that do not count.
    pub limits: Vec<StockId>,
    /// Charges that do not count, by their root.
    pub charges: Vec<NodeId>,
}

impl Relaxed {
    fn drops(&self, failure: &Failure<'_>, volume: Option<&Volume>) -> bool {
        self.conditions.contains(&Condition::of(failure, volume))
    }
}

impl Condition {
    /// The condition that failed.
    pub fn of(failure: &Failure<'_>, volume: Option<&Volume>) -> Condition {
        let name = volume.map(|volume| volume.name);
        // Only volumes have these; a name that no volume has drops nothing.
        let of_volume = |make: fn(Symbol) -> Condition| name.map_or(Condition::Principal, make);
        match failure {
            Failure::Rule(rule, node) => Condition::Rule(rule.root, *node),
            Failure::Class(ask, _, node) => Condition::Class(name, ask.class, *node),
            Failure::Condition(rule, _, node) => Condition::Asked(name, rule.root, *node),
            Failure::Amount(shortage) => match shortage.limit {
                Some(role) => Condition::Limit(role, shortage.resource),
                None => Condition::Amount(name, shortage.resource),
            },
            Failure::Nothing(_, resource) => Condition::Amount(name, *resource),
            Failure::Charge(charge, _) => Condition::Charge(charge.root),
            Failure::Place(place, ..) => Condition::Place(place.number),
            Failure::Filesystem { .. } => of_volume(Condition::Filesystem),
            Failure::Access => of_volume(Condition::Access),
            Failure::Users { .. } => of_volume(Condition::Users),
            Failure::Reserved { .. } => of_volume(Condition::Reserved),
            Failure::Source { .. } => of_volume(Condition::Source),
            Failure::Principal { .. } => Condition::Principal,
        }
    }
}

impl<'a> Matcher<'a> {
    /// The same need, asked without what is dropped.
    #[must_use]
    pub fn relaxed(self, relaxed: &'a Relaxed) -> Matcher<'a> {
        let framework = &relaxed.framework;
        let subject = crate::engine::Subject { framework, need: &framework.needs[self.id.need] };
        Matcher { subject, relaxed: Some(relaxed), ..self }
    }

    /// The same need, tried with these supplies only, in order of path.
    #[must_use]
    pub fn among(self, supplies: &'a [usize]) -> Matcher<'a> {
        Matcher { among: Some(supplies), ..self }
    }

    /// The supplies that are tried, in order of path.
    pub(super) fn supplies(&self) -> impl Iterator<Item = usize> + use<'a> {
        let all = if self.among.is_some() { 0 } else { self.moment.world.supplies.len() };
        self.among.unwrap_or_default().iter().copied().chain(0..all)
    }

    /// Everything that must hold of an agent alone; for a need that wants none, what must hold whatever serves it.
    pub(super) fn agent_checks(
        &self,
        agent: Option<usize>,
        sink: &mut dyn FnMut(Failure<'a>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(relaxed) = self.relaxed else { return self.every_agent_check(agent, sink) };
        self.every_agent_check(agent, &mut |failure| {
            if relaxed.drops(&failure, None) { ControlFlow::Continue(()) } else { sink(failure) }
        })
    }

    /// Everything that must hold of a supply for a volume, on its own.
    pub(super) fn supply_checks(
        &self,
        agent: Option<usize>,
        volume: &'a Volume,
        supply: usize,
        reach: Reach,
        sink: &mut dyn FnMut(Failure<'a>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(relaxed) = self.relaxed else {
            return self.every_supply_check(agent, volume, supply, reach, sink);
        };
        self.every_supply_check(agent, volume, supply, reach, &mut |failure| {
            if relaxed.drops(&failure, Some(volume)) { ControlFlow::Continue(()) } else { sink(failure) }
        })
    }

    /// The charges that count.
    pub(super) fn charges(&self) -> impl Iterator<Item = &'a Charge> + use<'a> {
        let dropped = self.relaxed.map_or(&[][..], |relaxed| &relaxed.charges);
        self.moment.plan.broker.charges.iter().filter(|charge| !dropped.contains(&charge.root))
    }

    /// Whether the users of an existing volume count.
    pub(super) fn counts_users(&self, volume: &Volume) -> bool {
        self.relaxed.is_none_or(|relaxed| !relaxed.conditions.contains(&Condition::Users(volume.name)))
    }

    /// The limits that stand over a need, as stocks of a role and resource.
    pub fn limits_of(&self, role: Symbol, resource: Symbol) -> Vec<StockId> {
        let world = self.moment.world;
        let of_role = |id: &StockId| world.stock(*id).kind == StockKind::Limit(role);
        let limits = world.limits.values().copied().filter(of_role);
        limits.filter(|id| world.stock(*id).resource == resource).collect()
    }

    /// The most that could be asked of an agent's resource instead of what is asked, its charges beside it; `None`
    /// where no amount fits.
    pub fn agent_fits(&self, agent: usize, resource: Symbol) -> Option<Amount> {
        let wants = self.agent_wants(Some(agent), &[]).ok()?;
        let want = wants.into_iter().find(|want| want.resource == resource)?;
        let tiers = [self.moment.world.agent_holding(agent, resource)?];
        self.most_below(&tiers, &want.amount, want.charged)
    }

    /// What charges take of an agent's resource, whatever the supplies, if anything.
    pub fn charged(&self, agent: usize, resource: Symbol) -> Option<String> {
        let wants = self.agent_wants(Some(agent), &[]).ok()?;
        let want = wants.into_iter().find(|want| want.resource == resource && want.charged != 0)?;
        let holding = self.moment.world.agent_holding(agent, resource);
        let dimension = holding.map(|holding| self.moment.world.holding(holding).dimension);
        let dimension = dimension.or_else(|| self.moment.plan.dimension(Side::Agent, resource));
        let dimension = dimension.unwrap_or(crate::quantity::Dimension::Number);
        Some(crate::quantity::render(dimension, i128::from(want.charged)))
    }

    /// The most that could be asked of a supply's resource instead of what is asked of it.
    pub fn supply_fits(&self, supply: usize, resource: Symbol, asked: &Amount) -> Option<Amount> {
        if let Some(whole) = self.whole_size(supply, resource) {
            let Amount::Scalar(dimension, ..) = asked else { return None };
            return Some(Amount::Scalar(*dimension, whole, whole));
        }
        let tiers = self.moment.world.supplies[supply].holdings(resource)?;
        self.most_below(tiers, asked, 0)
    }

    fn most_below(&self, tiers: &[HoldingId], asked: &Amount, charged: i64) -> Option<Amount> {
        let Amount::Scalar(dimension, low, _) = asked else { return None };
        let world = self.moment.world;
        let is_set = |tier: &HoldingId| {
            world.holding(*tier).parts.iter().any(|part| ledger::is_set(world.stock(part.1)))
        };
        let unit = if tiers.iter().any(is_set) { MILLION } else { 1 };
        let draft = Draft::default();
        let room = self.room(&draft);
        let exact = |steps: i64| Amount::Scalar(*dimension, steps * unit, steps * unit);
        let fits = |steps: i64| room.fits(tiers, &exact(steps), charged).is_ok();
        if !fits(0) {
            return None;
        }
        // Halving: what fits at an amount fits at every smaller one.
        let (mut least, mut above) = (0, low / unit + 1);
        while above - least > 1 {
            let middle = least + (above - least) / 2;
            if fits(middle) { least = middle } else { above = middle }
        }
        Some(exact(least))
    }
}
