//! The amounts that a candidate would take.

use super::Matcher;
use crate::{
    inventory::{
        availability::{Availability, Portion, Requester, Revocable},
        world::{HoldingId, Take},
    },
    ir::Amount,
    symbol::Symbol,
};

/// The takes of a candidate that is being built, in addition to those in the ledger. Only a grant writes to
/// the ledger, so that a candidate can be dropped without undoing anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// The takes, in the order in which they were added.
    pub takes: Vec<Take>,
}

/// The takes of one amount of a need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taking {
    /// The index of the volume; `None` for the agent.
    pub volume: Option<usize>,
    /// The resource. `users` for the place of one user of an existing volume.
    pub resource: Symbol,
    /// The stocks that it is taken from.
    pub portion: Portion,
}

/// A requested amount with the holdings that it was taken from. It is remembered so that the amount can be
/// raised after everything else is known.
#[derive(Clone, Debug)]
pub(super) struct RaisableAmount<'a> {
    pub tiers: Vec<HoldingId>,
    pub amount: &'a Amount,
    pub charged: i64,
}

impl<'a> Matcher<'a> {
    /// Returns the amounts that are free to the need, beside a draft.
    pub fn availability<'r>(&'r self, draft: &'r Draft) -> Availability<'r> {
        let (world, ledger) = (self.moment.world, self.moment.ledger);
        let revocable =
            if self.subject.need.accept_revocable { Revocable::Include } else { Revocable::Exclude };
        let line = world.line(self.subject.framework.role);
        let exempt = self.relaxation().map_or(&[][..], |relaxed| &relaxed.limits);
        let requester = Requester { framework: Some(self.id.framework), line, revocable, exempt };
        Availability { world, ledger: Some(ledger), requester, pending: &draft.takes }
    }

    /// Returns `true` if the need asks an agent for a range of amounts, whose lower end may be exceeded.
    pub fn raises(&self) -> bool {
        let amounts = self.subject.need.agent.iter().flat_map(|request| &request.amounts);
        amounts.into_iter().any(|ask| matches!(ask.amount, Amount::Scalar(_, low, high) if high > low))
    }

    /// Raises each range of amounts to the most that fits, in order. Every lower end was taken first, so a
    /// range never takes away what a later request needs.
    pub(super) fn raise(&self, takings: &mut [Taking], requests: &[Option<RaisableAmount<'_>>]) {
        for (at, request) in requests.iter().enumerate() {
            let Some(RaisableAmount { tiers, amount, charged }) = request else { continue };
            if !matches!(amount, Amount::Scalar(_, low, high) if high > low) {
                continue;
            }
            let others = takings.iter().enumerate().filter(|(other, _)| *other != at);
            let takes = others.flat_map(|(_, taking)| taking.portion.takes().cloned()).collect();
            let most = self.availability(&Draft { takes }).take_most(tiers, amount, *charged);
            if let Some(portion) = most {
                takings[at].portion = portion;
            }
        }
    }
}
