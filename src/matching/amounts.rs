//! What a candidate is about to take.

use super::Matcher;
use crate::{
    inventory::{
        room::{Portion, Revocable, Room, Taker},
        world::{HoldingId, Take},
    },
    ir::Amount,
    symbol::Symbol,
};

/// What a candidate takes, on top of what the ledger has: nothing is counted until it is granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// In order of taking.
    pub takes: Vec<Take>,
}

/// What one amount of a need takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taking {
    /// The volume, by its number; `None` for the agent.
    pub volume: Option<usize>,
    /// The resource; `users` for the place of a user of an existing volume.
    pub resource: Symbol,
    /// From where.
    pub portion: Portion,
}

/// An amount that is taken, and of what: so that a range of amounts can be raised once all is known.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    pub tiers: Vec<HoldingId>,
    pub amount: &'a Amount,
    pub charged: i64,
}

impl<'a> Matcher<'a> {
    /// What the need has room for, beside a draft.
    pub fn room<'r>(&'r self, draft: &'r Draft) -> Room<'r> {
        let (world, ledger) = (self.moment.world, self.moment.ledger);
        let revocable = if self.subject.need.accept_revocable { Revocable::Too } else { Revocable::No };
        let line = world.line(self.subject.framework.role);
        let exempt = self.relaxed.map_or(&[][..], |relaxed| &relaxed.limits);
        let taker = Taker { framework: Some(self.id.framework), line, revocable, exempt };
        Room { world, ledger: Some(ledger), taker, pending: &draft.takes }
    }

    /// Whether an agent may give more than the least that is asked of it.
    pub fn raises(&self) -> bool {
        let amounts = self.subject.need.agent.iter().flat_map(|request| &request.amounts);
        amounts.into_iter().any(|ask| matches!(ask.amount, Amount::Scalar(_, low, high) if high > low))
    }

    /// Raises what was taken of each range of amounts to the most that fits, in order.
    pub(super) fn raise(&self, takings: &mut [Taking], requests: &[Option<Request<'_>>]) {
        for (at, request) in requests.iter().enumerate() {
            let Some(Request { tiers, amount, charged }) = request else { continue };
            if !matches!(amount, Amount::Scalar(_, low, high) if high > low) {
                continue;
            }
            let others = takings.iter().enumerate().filter(|(other, _)| *other != at);
            let takes = others.flat_map(|(_, taking)| taking.portion.takes().cloned()).collect();
            let most = self.room(&Draft { takes }).most(tiers, amount, *charged);
            if let Some(portion) = most {
                takings[at].portion = portion;
            }
        }
    }
}
