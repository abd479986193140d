//! Asks a need with some of its constraints dropped, which is how explanations find out what stands in the way.
//!
//! A [`Relaxed`] need filters the failures of the normal checks. So there is one set of checks, and a need
//! without dropped conditions pays for one test of an option.

use std::ops::ControlFlow;

use indexmap::IndexSet;

use super::{
    ConstraintScope, Matcher, SupplyScope,
    amounts::Draft,
    check::Reach,
    failure::{Constraint, Failure},
};
use crate::{
    inventory::{
        ledger,
        world::{HoldingId, StockId, StockKind},
    },
    ir::{Amount, Charge, Framework, NodeId, Volume},
    quantity::MILLION,
    symbol::Symbol,
    types::Side,
};

/// A framework whose need asks for less, with the operator's conditions to ignore for it.
#[derive(Clone, Debug)]
pub struct Relaxed {
    /// The framework, with its need changed.
    pub framework: Framework,
    /// The conditions to ignore: rules, conditions, classes, users and reservations of volumes.
    pub conditions: IndexSet<Constraint>,
    /// The limits to ignore.
    pub limits: Vec<StockId>,
    /// The charges to ignore, by their roots.
    pub charges: Vec<NodeId>,
}

impl Relaxed {
    fn drops(&self, failure: &Failure<'_>, volume: Option<&Volume>) -> bool {
        self.conditions.contains(&failure.constraint(volume))
    }
}

impl<'a> Matcher<'a> {
    /// Returns a matcher for the same need with conditions dropped.
    #[must_use]
    pub fn relaxed(self, relaxed: &'a Relaxed) -> Matcher<'a> {
        let framework = &relaxed.framework;
        let subject = crate::engine::Subject { framework, need: &framework.needs[self.id.need] };
        Matcher { subject, constraints: ConstraintScope::Relaxed(relaxed), ..self }
    }

    /// Returns what is dropped of the need, if it is relaxed.
    pub(super) fn relaxation(&self) -> Option<&'a Relaxed> {
        match self.constraints {
            ConstraintScope::Whole => None,
            ConstraintScope::Relaxed(relaxed) => Some(relaxed),
        }
    }

    /// Returns a matcher for the same need that tries only these supplies. They must be in order of path.
    #[must_use]
    pub fn among(self, supplies: &'a [usize]) -> Matcher<'a> {
        Matcher { scope: SupplyScope::Among(supplies), ..self }
    }

    /// Returns the supplies to try, in order of path.
    pub(super) fn supplies(&self) -> impl Iterator<Item = usize> + use<'a> {
        let (few, all): (&[usize], usize) = match self.scope {
            SupplyScope::Among(few) => (few, 0),
            SupplyScope::All | SupplyScope::Indexed(_) => (&[], self.moment.world.supplies.len()),
        };
        few.iter().copied().chain(0..all)
    }

    /// Checks everything that must hold for an agent alone; for a need without an agent, everything that must
    /// hold whatever serves it.
    pub(super) fn agent_checks(
        &self,
        agent: Option<usize>,
        sink: &mut dyn FnMut(Failure<'a>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let ConstraintScope::Relaxed(relaxed) = self.constraints else {
            return self.every_agent_check(agent, sink);
        };
        self.every_agent_check(agent, &mut |failure| {
            if relaxed.drops(&failure, None) { ControlFlow::Continue(()) } else { sink(failure) }
        })
    }

    /// Checks everything that must hold for a supply as a volume, alone.
    pub(super) fn supply_checks(
        &self,
        agent: Option<usize>,
        volume: &'a Volume,
        supply: usize,
        reach: Reach,
        sink: &mut dyn FnMut(Failure<'a>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let ConstraintScope::Relaxed(relaxed) = self.constraints else {
            return self.every_supply_check(agent, volume, supply, reach, sink);
        };
        self.every_supply_check(agent, volume, supply, reach, &mut |failure| {
            if relaxed.drops(&failure, Some(volume)) { ControlFlow::Continue(()) } else { sink(failure) }
        })
    }

    /// Returns the charges that apply.
    pub(super) fn charges(&self) -> impl Iterator<Item = &'a Charge> + use<'a> {
        let dropped = self.relaxation().map_or(&[][..], |relaxed| &relaxed.charges);
        self.moment.plan.broker.charges.iter().filter(|charge| !dropped.contains(&charge.root))
    }

    /// Returns `true` unless the limit on the users of an existing volume is dropped.
    pub(super) fn counts_users(&self, volume: &Volume) -> bool {
        self.relaxation()
            .is_none_or(|relaxed| !relaxed.conditions.contains(&Constraint::Users(Some(volume.name))))
    }

    /// Returns the limits of a role on a resource, as stocks.
    pub fn limits_of(&self, role: Symbol, resource: Symbol) -> Vec<StockId> {
        let world = self.moment.world;
        let of_role = |id: &StockId| world.stock(*id).kind == StockKind::Limit(role);
        let limits = world.limits.values().copied().filter(of_role);
        limits.filter(|id| world.stock(*id).resource == resource).collect()
    }

    /// Returns the largest amount that the need could ask of an agent's resource instead of the present one,
    /// with the same charges. `None` if no amount fits.
    pub fn agent_fits(&self, agent: usize, resource: Symbol) -> Option<Amount> {
        let wants = self.agent_wants(Some(agent), &[]).ok()?;
        let want = wants.into_iter().find(|want| want.resource == resource)?;
        let tiers = [self.moment.world.agent_holding(agent, resource)?];
        self.most_below(&tiers, &want.amount, want.charged)
    }

    /// Returns the amount of an agent's resource that charges take, whatever the supplies are. `None` if they
    /// take nothing.
    pub fn charged(&self, agent: usize, resource: Symbol) -> Option<String> {
        let wants = self.agent_wants(Some(agent), &[]).ok()?;
        let want = wants.into_iter().find(|want| want.resource == resource && want.charged != 0)?;
        let holding = self.moment.world.agent_holding(agent, resource);
        let dimension = holding.map(|holding| self.moment.world.holding(holding).dimension);
        let dimension = dimension.or_else(|| self.moment.plan.dimension(Side::Agent, resource));
        let dimension = dimension.unwrap_or(crate::quantity::Dimension::Number);
        Some(crate::quantity::render(dimension, i128::from(want.charged)))
    }

    /// Returns the largest amount that the need could ask of a supply's resource instead of the present one.
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
        // Members of a set are whole, and count as a million base units each.
        let is_set = |tier: &HoldingId| {
            world.holding(*tier).parts.iter().any(|part| ledger::is_set(world.stock(part.1)))
        };
        let unit = if tiers.iter().any(is_set) { MILLION } else { 1 };
        let draft = Draft::default();
        let availability = self.availability(&draft);
        let exact = |steps: i64| Amount::Scalar(*dimension, steps * unit, steps * unit);
        let fits = |steps: i64| availability.fits(tiers, &exact(steps), charged).is_ok();
        if !fits(0) {
            return None;
        }
        // A binary search: if an amount fits, every smaller one does too.
        let (mut least, mut above) = (0, low / unit + 1);
        while above - least > 1 {
            let middle = least + (above - least) / 2;
            if fits(middle) { least = middle } else { above = middle }
        }
        Some(exact(least))
    }
}
