//! What is asked of a state, as read: operations on what is taken, kept and retained.

use super::{
    records::{AmountRecord, Located, RawAmount, ReservationRecord},
    wire::Json,
};
use crate::{quantity::Quantity, source::Span};

/// A list of operations, done all or not at all.
#[derive(Clone, Debug, Default)]
pub struct OperationsRecord {
    /// The serial of the state that they are for; `None`: any.
    pub serial: Option<(u64, Span)>,
    /// In the order in which they are done.
    pub operations: Vec<OperationRecord>,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct OperationRecord {
    /// What is done.
    pub kind: OperationKind,
    /// Where it stands.
    pub span: Span,
}

/// What is done.
#[derive(Clone, Debug)]
pub enum OperationKind {
    /// So much of what is unreserved is kept for a role.
    Reserve(ReservationRecord, ReserveEntry),
    /// The carved volumes of an offer are made, and kept for its role.
    Create {
        /// The offer.
        offer: OfferRecord,
        /// What the names of the volumes begin with.
        name: Located,
        /// Only these; `None`: every carved one.
        only: Option<Vec<Located>>,
    },
    /// What an offer takes is taken.
    Launch {
        /// The offer.
        offer: OfferRecord,
        /// The name of the allocation.
        name: Located,
        /// Volumes of the offer that exist by now: which, and where.
        made: Vec<(Located, Located)>,
    },
    /// An allocation ends.
    Release(Located),
    /// A reservation ends.
    Unreserve(Located),
    /// A volume is unmade.
    Destroy(Located),
}

/// A reservation as a state holds it.
#[derive(Clone, Debug)]
pub struct ReserveEntry(pub(crate) Json);

/// An offer, as far as it says what is taken.
#[derive(Clone, Debug)]
pub struct OfferRecord {
    /// `FRAMEWORK.NEED#INSTANCE`
    pub id: Located,
    /// Whose it is.
    pub framework: Located,
    /// The need it serves.
    pub need: Located,
    /// The framework's role.
    pub role: Located,
    /// Where it runs.
    pub agent: Option<Located>,
    /// What it takes of the agent for good.
    pub firm: Vec<Claim>,
    /// What it takes of the agent that may be taken back.
    pub revocable: Vec<Claim>,
    /// What serves its volumes.
    pub volumes: Vec<OfferVolume>,
}

/// A volume of an offer.
#[derive(Clone, Debug)]
pub struct OfferVolume {
    /// What it is called in operations: its name, with its number where several have it.
    pub name: String,
    /// The pool or the existing volume.
    pub supply: Located,
    /// Whether it is an existing one.
    pub exists: bool,
    /// What it takes for good.
    pub firm: Vec<Claim>,
    /// What it takes that may be taken back.
    pub revocable: Vec<Claim>,
    /// The file system that it has, or is to have.
    pub filesystem: Option<Located>,
}

/// An amount that is taken.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The resource, as data writes names.
    pub name: String,
    /// The resource as the language shows names, how much, and where it stands.
    pub record: AmountRecord,
}

/// Adds amounts to others. All are what one offer takes of one pool, and of one form.
pub fn add(into: &mut Vec<Claim>, more: &[Claim]) {
    for claim in more {
        match into.iter_mut().find(|known| known.name == claim.name) {
            Some(known) => {
                if let Some(both) = sum(&known.record.amount, &claim.record.amount) {
                    known.record.amount = both;
                }
            }
            None => into.push(claim.clone()),
        }
    }
}

/// Two amounts of one resource together; `None` where they are of different forms, or too large.
pub fn sum(one: &RawAmount, other: &RawAmount) -> Option<RawAmount> {
    Some(match (one, other) {
        (RawAmount::Integer(one), RawAmount::Integer(other)) => RawAmount::Integer(one.checked_add(*other)?),
        (RawAmount::Quantity(one), RawAmount::Quantity(other)) if one.dimension == other.dimension => {
            let amount = one.amount.checked_add(other.amount)?;
            RawAmount::Quantity(Quantity { amount, ..*one })
        }
        (RawAmount::Ranges(one), RawAmount::Ranges(other)) => RawAmount::Ranges(one.union(other)),
        (RawAmount::Items(one), RawAmount::Items(other)) => {
            let mut both: Vec<String> = one.iter().chain(other).cloned().collect();
            both.sort_unstable();
            both.dedup();
            RawAmount::Items(both)
        }
        _ => return None,
    })
}
