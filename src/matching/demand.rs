//! The demand of a need: all that its candidates face.
//!
//! A candidate of a need is an agent and a supply for each volume. It faces rules of several owners, the request
//! to each part (amounts, classes and conditions), and places. [`Demand`] lists each of them once, by the part of
//! the candidate that it is checked with. Checks, scores, the index and explanations go through these lists, and
//! none of them selects rules itself. The lists are views of plan and fleet: making one costs nothing, and it
//! cannot be out of date.

use super::Matcher;
use crate::{
    inventory::world::World,
    ir::{Need, OwnedRule, Place, Plan, Request, RuleOwner, Volume},
};

/// A part of a need that something is asked of.
#[derive(Clone, Copy, Debug)]
pub enum DemandPart<'a> {
    /// Its agent.
    Agent,
    /// The supply of a volume.
    Volume(&'a Volume),
}

/// The demand of a need on candidates of a fleet.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    plan: &'a Plan,
    world: &'a World,
    need: &'a Need,
}

impl<'a> Demand<'a> {
    /// Rules checked with an agent alone, the operator's before its own. Without an agent, those about the
    /// request.
    pub fn of_agent(&self, agent: Option<usize>) -> impl Iterator<Item = OwnedRule<'a>> + use<'a> {
        let rules = self.plan.rules_of(RuleOwner::Operator).chain(self.own(agent));
        rules.filter(move |one| !one.subject.has_supply() && (agent.is_some() || !one.subject.has_agent()))
    }

    /// Rules checked with a supply, for each volume: the operator's, the agent's own, and those of the supply's
    /// tiers. Without an agent, those that do not depend on one.
    pub fn of_supply(
        &self,
        agent: Option<usize>,
        supply: usize,
    ) -> impl Iterator<Item = OwnedRule<'a>> + use<'a> {
        let rules = self.plan.rules_of(RuleOwner::Operator).chain(self.own(agent)).chain(self.tiers(supply));
        rules.filter(move |one| one.subject.has_supply() && (agent.is_some() || !one.subject.has_agent()))
    }

    /// Rules checked with a supply that some agent faces, but for those that agents have of their own.
    pub fn of_supply_with_any(&self, supply: usize) -> impl Iterator<Item = OwnedRule<'a>> + use<'a> {
        let rules = self.plan.rules_of(RuleOwner::Operator).chain(self.tiers(supply));
        rules.filter(|one| one.subject.has_supply())
    }

    /// Rules of an agent's own.
    pub fn own(&self, agent: Option<usize>) -> impl Iterator<Item = OwnedRule<'a>> + use<'a> {
        let Demand { plan, world, .. } = *self;
        let owner = agent.map(|agent| RuleOwner::Agent(world.agents[agent].rules));
        owner.into_iter().flat_map(|owner| plan.rules_of(owner))
    }

    /// Rules of the tiers of a supply, its own first.
    pub fn tiers(&self, supply: usize) -> impl Iterator<Item = OwnedRule<'a>> + use<'a> {
        let Demand { plan, world, .. } = *self;
        let owners =
            world.supplies[supply].chain.iter().map(|tier| RuleOwner::Tier(world.tiers[*tier].rules));
        owners.flat_map(|owner| plan.rules_of(owner))
    }

    /// The requests to the agent and to the supply of each volume, with what they are asked of.
    pub fn requests(&self) -> impl Iterator<Item = (DemandPart<'a>, &'a Request)> + use<'a> {
        let agent = self.need.agent.iter().map(|request| (DemandPart::Agent, request));
        let volumes = self.need.volumes.iter();
        agent.chain(volumes.map(|volume| (DemandPart::Volume(volume), &volume.request)))
    }

    /// The places of the need, and those of its volumes.
    pub fn places(&self) -> impl Iterator<Item = (DemandPart<'a>, &'a Place)> + use<'a> {
        let agent = self.need.places.iter().map(|place| (DemandPart::Agent, place));
        let volumes = self.need.volumes.iter();
        agent.chain(
            volumes.flat_map(|volume| {
                volume.places.iter().map(move |place| (DemandPart::Volume(volume), place))
            }),
        )
    }
}

impl<'a> Matcher<'a> {
    /// Returns the demand of the need.
    pub fn demand(&self) -> Demand<'a> {
        Demand { plan: self.moment.plan, world: self.moment.world, need: self.subject.need }
    }
}

/// Places that a candidate must satisfy.
pub(super) fn required(places: &[Place]) -> impl Iterator<Item = &Place> {
    places.iter().filter(|place| place.strength.is_required())
}

/// Places that a candidate earns their weight for.
pub(super) fn preferred(places: &[Place]) -> impl Iterator<Item = &Place> {
    places.iter().filter(|place| place.strength.is_preferred())
}
