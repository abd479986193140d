//! Operations on a state, as read: reserve, create, launch, release and destroy.

use super::{
    records::{AmountRecord, Located, RawAmount, ReservationRecord},
    wire::Json,
};
use crate::{quantity::Quantity, source::Span};

/// A list of operations. They are done all or not at all.
#[derive(Clone, Debug, Default)]
pub struct OperationsRecord {
    /// The serial of the state that they apply to; `None` for any.
    pub serial: Option<(u64, Span)>,
    /// The operations, in the order in which they are done.
    pub operations: Vec<OperationRecord>,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct OperationRecord {
    /// The kind.
    pub kind: OperationKind,
    /// The place of its `op` field.
    pub span: Span,
}

impl OperationRecord {
    /// Returns `true` if the operation makes a reservation or a volume, so that the fleet must be bound
    /// again.
    pub fn makes(&self) -> bool {
        matches!(self.kind, OperationKind::Reserve(..) | OperationKind::Create { .. })
    }
}

/// The kinds of operations, with their arguments.
#[derive(Clone, Debug)]
pub enum OperationKind {
    /// Reserves unreserved amounts for a role.
    Reserve(ReservationRecord, ReserveEntry),
    /// Creates the carved volumes of an offer, kept for the role of the offer.
    Create {
        /// The offer.
        offer: OfferRecord,
        /// The prefix of the names of the volumes.
        name: Located,
        /// The volumes to create; `None` for all carved ones.
        only: Option<Vec<Located>>,
    },
    /// Turns an offer into an allocation.
    Launch {
        /// The offer.
        offer: OfferRecord,
        /// The name of the allocation.
        name: Located,
        /// The volumes of the offer that exist by now: name in the offer, and path.
        made: Vec<(Located, Located)>,
    },
    /// Ends an allocation.
    Release(Located),
    /// Ends a reservation.
    Unreserve(Located),
    /// Removes a volume.
    Destroy(Located),
}

/// The JSON of a reservation, as a state stores it.
#[derive(Clone, Debug)]
pub struct ReserveEntry(pub(crate) Json);

/// An offer, reduced to what it takes and for whom.
#[derive(Clone, Debug)]
pub struct OfferRecord {
    /// The id of the offer: `FRAMEWORK.NEED#INSTANCE`.
    pub id: Located,
    /// The framework.
    pub framework: Located,
    /// The need.
    pub need: Located,
    /// The role of the framework.
    pub role: Located,
    /// The name of its agent; `None` for a need without agent.
    pub agent: Option<Located>,
    /// The firm amounts that it takes of the agent.
    pub firm: Vec<OfferedAmount>,
    /// The revocable amounts that it takes of the agent.
    pub revocable: Vec<OfferedAmount>,
    /// The volumes, in the order of the offer.
    pub volumes: Vec<OfferVolume>,
}

/// A volume of an offer.
#[derive(Clone, Debug)]
pub struct OfferVolume {
    /// The name in operations: that of the volume, with its number if several have the same.
    pub name: String,
    /// The path of the pool or existing volume.
    pub supply: Located,
    /// `true` for an existing volume.
    pub exists: bool,
    /// The firm amounts that it takes.
    pub firm: Vec<OfferedAmount>,
    /// The revocable amounts that it takes.
    pub revocable: Vec<OfferedAmount>,
    /// The file system that it has or is to get.
    pub filesystem: Option<Located>,
}

/// An amount that an offer takes.
#[derive(Clone, Debug)]
pub struct OfferedAmount {
    /// The resource, as data writes names.
    pub name: String,
    /// The amount and its place. Its name is in the form of the language.
    pub record: AmountRecord,
}

/// Adds claims to others, resource by resource. All claims are on one pool for one offer, so amounts of one
/// resource have one form.
pub fn add(into: &mut Vec<OfferedAmount>, more: &[OfferedAmount]) {
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

/// Returns the sum of two amounts of one resource, or `None` if their forms differ or the sum is too large.
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
