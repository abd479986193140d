//! The moment that is explained, rebuilt from a cycle.

use std::sync::Arc;

use crate::{
    Fleet, Offers,
    inventory::ledger::Ledger,
    matching::{Instance, Matcher, Moment, NeedId, Placed, Search, has_unsettled, settle},
};

/// The amounts used and the instances placed at a moment.
#[derive(Clone, Debug)]
pub(super) struct MomentState {
    pub ledger: Ledger,
    pub placed: Placed,
}

impl MomentState {
    /// Returns the state before any offer.
    pub fn start(fleet: &Fleet, id: NeedId) -> MomentState {
        let mut state = MomentState { ledger: fleet.ledger().clone(), placed: fleet.placed().clone() };
        if has_unsettled(&fleet.plan().frameworks[id.framework].needs[id.need]) {
            let (settled, _) = settle(state.moment(fleet), fleet.ledger(), id, None);
            state.placed.settle(id, Arc::new(settled));
        }
        state
    }

    /// Returns the state after a number of grants of a cycle, with the values that the cycle settled for the
    /// need.
    pub fn after(offers: &Offers, id: NeedId, grants: usize) -> MomentState {
        let (fleet, cycle) = (offers.fleet(), offers.cycle());
        let (plan, world) = (fleet.plan(), fleet.world());
        let mut state = MomentState { ledger: fleet.ledger().clone(), placed: fleet.placed().clone() };
        for grant in cycle.grants.iter().take(grants) {
            grant.candidate.takes().for_each(|take| state.ledger.grant(world, grant.id.framework, take));
            let need = &plan.frameworks[grant.id.framework].needs[grant.id.need];
            state.placed.push(plan, world, grant.id, Instance::of(&grant.candidate, need));
        }
        if let Some(settled) = cycle.placed.settled(id) {
            state.placed.settle(id, Arc::clone(settled));
        }
        state
    }

    /// Returns the state at the moment when a need closed. For a need that is granted whole and was not, the
    /// instances that fitted are in place.
    pub fn closed(offers: &Offers, id: NeedId) -> MomentState {
        let need = offers.cycle().need(id);
        let mut state = MomentState::after(offers, id, need.map_or(usize::MAX, |need| need.closed_after));
        for _ in 0..need.and_then(|need| need.fitted).unwrap_or(0) {
            let matcher = Matcher::new(state.moment(offers.fleet()), id);
            let Some(candidate) = matcher.best(&mut Search::default()) else { break };
            let (plan, world) = (offers.fleet().plan(), offers.fleet().world());
            let instance = Instance::of(&candidate, matcher.subject.need);
            candidate.takes().for_each(|take| state.ledger.grant(world, id.framework, take));
            state.placed.push(plan, world, id, instance);
        }
        state
    }

    pub fn moment<'a>(&'a self, fleet: &'a Fleet) -> Moment<'a> {
        fleet.moment_with(&self.ledger, &self.placed)
    }
}
