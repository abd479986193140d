//! Constraints that do not hold: their identities, and the verdicts.
//!
//! A [`Failure`] is what a check reports. It holds references and is cheap to make, since a search discards most of
//! them. A [`Constraint`] is the identity of what failed, by which failures are counted, dropped and compared.

use std::sync::Arc;

use super::{explain::ReasonKind, place::PlaceVerdict};
use crate::{
    engine::{self, Gap, Scene},
    ir::{Amount, Charge, ClassAsk, DefinitionId, NodeId, Place, Rule, Volume},
    quantity::Dimension,
    symbol::Symbol,
    types::Side,
};

/// A constraint that does not hold, with its verdict.
///
/// A variant is a kind of constraint with just what its verdict can be, so that no other combination can be written.
/// [`Failure::constraint`] is the identity of the constraint. Whatever depends on the kind alone asks that, and all
/// matches over either are closed.
#[derive(Clone, Debug)]
pub enum Failure<'a> {
    /// A requirement of the operator, an agent or a provider, and its condition that fails.
    Rule(&'a Rule, NodeId),
    /// A class that is asked for, and its condition that fails.
    Class(ClassAsk, Side, NodeId),
    /// A condition of the need itself, and the part of it that fails.
    Condition(&'a Rule, Side, NodeId),
    /// Too little of a resource is free, or there is none.
    Amount(Shortage),
    /// Every amount may be 0, and nothing would be taken. Contains the first amount that is asked.
    Nothing(Side, Symbol),
    /// A charge without a value, and the gap. `None`: the value is negative or too large.
    Charge(&'a Charge, Option<Gap>),
    /// A place that fails, with its verdict.
    Place(&'a Place, Side, PlaceVerdict),
    /// A file system is asked of a volume that has another one, or none.
    Filesystem {
        /// The file system of the volume.
        have: Option<Symbol>,
        /// The file system that is asked.
        want: Symbol,
    },
    /// Write access is asked of a volume that is read-only.
    Access,
    /// An existing volume has as many users as it may have.
    Users {
        /// The number of users.
        users: i128,
    },
    /// An existing volume is reserved for another role.
    Reserved {
        /// The role that it is reserved for.
        role: Symbol,
    },
    /// A snapshot is asked of a supply that is not the pool of its source.
    Source {
        /// The path of the source.
        source: Symbol,
        /// `true` if the source exists and the role may use it.
        there: bool,
    },
    /// The role serves other principals only.
    Principal {
        /// The principal of the framework.
        have: Option<Symbol>,
        /// The principals that the role serves.
        want: Arc<[Symbol]>,
    },
}

/// A resource of which too little is free.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shortage {
    /// The side that the resource belongs to.
    pub side: Side,
    /// The resource.
    pub resource: Symbol,
    /// The dimension of the amounts.
    pub dimension: Dimension,
    /// The free amount, in base units. `None`: there is no such resource.
    pub have: Option<i128>,
    /// The amount that is asked.
    pub want: Amount,
    /// The amount that would be taken after rounding, if a scalar is asked and `max` allows it.
    pub takes: Option<i64>,
    /// The amount that charges add.
    pub charged: i64,
    /// The most that one request may take, if this one asks for more.
    pub above: Option<i64>,
    /// `true` if it would not fit with everything free either.
    pub permanent: bool,
    /// The role whose limit is exceeded. `None`: the resource itself is short.
    pub limit: Option<Symbol>,
    /// The amount that is free too, but kept for others.
    pub kept: i128,
}

/// The identity of a constraint: a condition that can exclude a candidate. One that a need asks of a volume
/// includes the volume's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Constraint {
    /// A condition of a rule: the root of the rule, and the condition.
    Rule(NodeId, NodeId),
    /// A condition of a class that is asked for, or the whole class if it is excluded.
    Class(Option<Symbol>, DefinitionId, NodeId),
    /// A condition of the need itself.
    Asked(Option<Symbol>, NodeId, NodeId),
    /// An amount, including charges.
    Amount(Option<Symbol>, Symbol),
    /// A limit of a role on a resource.
    Limit(Symbol, Symbol),
    /// A charge without a value.
    Charge(NodeId),
    /// A place, by its number in the need.
    Place(u32),
    /// The file system of a volume.
    Filesystem(Option<Symbol>),
    /// The access to a volume for writing.
    Access(Option<Symbol>),
    /// The users of an existing volume.
    Users(Option<Symbol>),
    /// The role that an existing volume is reserved for.
    Reserved(Option<Symbol>),
    /// The source that a volume is to be a snapshot of.
    Source(Option<Symbol>),
    /// The principals that the role serves.
    Principal,
}

impl Failure<'_> {
    /// The identity of the constraint that failed, asked of the agent or of a volume.
    pub fn constraint(&self, volume: Option<&Volume>) -> Constraint {
        let name = volume.map(|volume| volume.name);
        match self {
            Failure::Rule(rule, node) => Constraint::Rule(rule.root, *node),
            Failure::Class(ask, _, node) => Constraint::Class(name, ask.class, *node),
            Failure::Condition(rule, _, node) => Constraint::Asked(name, rule.root, *node),
            Failure::Amount(shortage) => match shortage.limit {
                Some(role) => Constraint::Limit(role, shortage.resource),
                None => Constraint::Amount(name, shortage.resource),
            },
            Failure::Nothing(_, resource) => Constraint::Amount(name, *resource),
            Failure::Charge(charge, _) => Constraint::Charge(charge.root),
            Failure::Place(place, ..) => Constraint::Place(place.number),
            Failure::Filesystem { .. } => Constraint::Filesystem(name),
            Failure::Access => Constraint::Access(name),
            Failure::Users { .. } => Constraint::Users(name),
            Failure::Reserved { .. } => Constraint::Reserved(name),
            Failure::Source { .. } => Constraint::Source(name),
            Failure::Principal { .. } => Constraint::Principal,
        }
    }

    /// The expression that is not true, if the constraint is one.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Failure::Rule(_, node) | Failure::Class(_, _, node) | Failure::Condition(_, _, node) => {
                Some(*node)
            }
            Failure::Amount(_)
            | Failure::Nothing(..)
            | Failure::Charge(..)
            | Failure::Place(..)
            | Failure::Filesystem { .. }
            | Failure::Access
            | Failure::Users { .. }
            | Failure::Reserved { .. }
            | Failure::Source { .. }
            | Failure::Principal { .. } => None,
        }
    }

    /// The resource that is short.
    pub fn shortage(&self) -> Option<&Shortage> {
        let Failure::Amount(shortage) = self else { return None };
        Some(shortage)
    }

    /// Returns `true` if a supply fails, by itself or in combination, and not the agent or the request.
    pub fn is_of_supply(&self) -> bool {
        match self {
            Failure::Rule(rule, _) => rule.sides.of_volume(),
            Failure::Class(_, side, _) | Failure::Condition(_, side, _) | Failure::Place(_, side, _) => {
                *side == Side::Pool
            }
            // The need takes nothing as a whole; the amount that is named may be that of any volume.
            Failure::Nothing(..) => false,
            Failure::Amount(shortage) => shortage.side == Side::Pool,
            Failure::Charge(..) | Failure::Principal { .. } => false,
            Failure::Filesystem { .. }
            | Failure::Access
            | Failure::Users { .. }
            | Failure::Reserved { .. }
            | Failure::Source { .. } => true,
        }
    }

    /// Returns `true` if no change of free amounts can cure the failure. Agrees with [`Reason::permanent`], and is
    /// cheaper.
    ///
    /// [`Reason::permanent`]: super::Reason::permanent
    pub fn is_permanent(&self, scene: &Scene<'_>) -> bool {
        match self {
            Failure::Class(ask, _, node) if ask.negated => !engine::possible(scene, *node).may_fail,
            Failure::Rule(_, node) | Failure::Class(_, _, node) | Failure::Condition(_, _, node) => {
                !engine::possible(scene, *node).may_hold
            }
            Failure::Amount(shortage) => shortage.permanent,
            Failure::Place(_, _, verdict) => verdict.is_permanent(),
            Failure::Users { .. } | Failure::Nothing(..) => false,
            Failure::Charge(..)
            | Failure::Filesystem { .. }
            | Failure::Access
            | Failure::Reserved { .. }
            | Failure::Source { .. }
            | Failure::Principal { .. } => true,
        }
    }
}

impl Constraint {
    /// The kind of its reasons.
    pub fn kind(&self) -> ReasonKind {
        match self {
            Constraint::Rule(..) => ReasonKind::Rule,
            Constraint::Class(..) => ReasonKind::Class,
            Constraint::Asked(..) => ReasonKind::Condition,
            Constraint::Amount(..) => ReasonKind::Amount,
            Constraint::Limit(..) => ReasonKind::Limit,
            Constraint::Charge(_) => ReasonKind::Charge,
            Constraint::Place(_) => ReasonKind::Place,
            Constraint::Filesystem(_) => ReasonKind::Filesystem,
            Constraint::Access(_) => ReasonKind::Access,
            Constraint::Users(_) => ReasonKind::Users,
            Constraint::Reserved(_) => ReasonKind::Reserved,
            Constraint::Source(_) => ReasonKind::Source,
            Constraint::Principal => ReasonKind::Principal,
        }
    }

    /// The expression of the constraint, if it is one.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Constraint::Rule(_, node) | Constraint::Class(_, _, node) | Constraint::Asked(_, _, node) => {
                Some(*node)
            }
            Constraint::Charge(node) => Some(*node),
            Constraint::Amount(..)
            | Constraint::Limit(..)
            | Constraint::Place(_)
            | Constraint::Filesystem(_)
            | Constraint::Access(_)
            | Constraint::Users(_)
            | Constraint::Reserved(_)
            | Constraint::Source(_)
            | Constraint::Principal => None,
        }
    }
}

impl Shortage {
    /// Returns a shortage that no free amount can cure. Other shortages start from it and override fields.
    pub(super) fn never(
        side: Side,
        resource: Symbol,
        dimension: Dimension,
        have: Option<i128>,
        want: &Amount,
    ) -> Shortage {
        Shortage {
            side,
            resource,
            dimension,
            have,
            want: want.clone(),
            takes: None,
            charged: 0,
            above: None,
            permanent: true,
            limit: None,
            kept: 0,
        }
    }
}
