//! Needs that ask alike: what is worked out for one serves the others.

use crate::{
    engine::Gap,
    inventory::world::{PartKind, StockKind, World},
    ir::{Amount, ColumnId, DefinitionId, NodeId, PlaceKind, Plan, Request},
    matching::Matcher,
    symbol::Symbol,
    types::Side,
    value::Value,
};

/// Roles that make a difference: anything is reserved for them, or they have a limit.
#[derive(Clone, Debug, Default)]
pub(super) struct Roles {
    telling: Vec<Symbol>,
    /// Keys of the one who asks that the plan reads.
    columns: Vec<ColumnId>,
}

impl Roles {
    pub fn new(plan: &Plan, world: &World) -> Roles {
        let reserved =
            world.holdings.iter().flat_map(|holding| &holding.parts).filter_map(|part| match part.0 {
                PartKind::Reserved(role) => Some(role),
                PartKind::Unreserved | PartKind::Revocable => None,
            });
        let limits = world.stocks.iter().filter_map(|stock| match stock.kind {
            StockKind::Limit(role) => Some(role),
            _ => None,
        });
        let kept = world.supplies.iter().filter_map(|supply| supply.existing.as_ref()?.reserved_for);
        let mut telling: Vec<Symbol> = reserved.chain(limits).chain(kept).collect();
        telling.sort_unstable();
        telling.dedup();
        let asker = |side| matches!(side, Side::Volume | Side::Need | Side::Framework | Side::Role);
        let columns = (0..plan.columns.len()).map(|at| ColumnId(at as u32));
        Roles { telling, columns: columns.filter(|id| asker(plan.column(*id).side)).collect() }
    }
}

impl Roles {
    /// Keys of the one who asks that the plan reads.
    pub fn columns(&self) -> &[ColumnId] {
        &self.columns
    }
}

/// What is asked of one side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct AskedOfSide {
    amounts: Vec<(Symbol, Amount)>,
    classes: Vec<(DefinitionId, bool)>,
    conditions: Vec<NodeId>,
}

impl AskedOfSide {
    fn new(request: &Request, alike: &[NodeId]) -> AskedOfSide {
        AskedOfSide {
            amounts: request.amounts.iter().map(|ask| (ask.resource, ask.amount.clone())).collect(),
            classes: request.classes.iter().map(|ask| (ask.class, ask.negated)).collect(),
            conditions: request.conditions.iter().map(|rule| alike[rule.root.0 as usize]).collect(),
        }
    }
}

/// A volume asked for: file system, access, source, and the rest.
type OfVolume = (Option<Symbol>, bool, Option<Symbol>, AskedOfSide);

/// Everything that a need's answer goes by: needs of one key have the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    agent: Option<AskedOfSide>,
    volumes: Vec<OfVolume>,
    accept_revocable: bool,
    /// Whether its role serves it.
    served: bool,
    roles: Vec<Symbol>,
    /// Keys of its own, as far as the plan reads them.
    known: Vec<Result<Value, Gap>>,
    /// Subtrees that its agents must be in, or must not. Other places go by where instances are, and are looked at
    /// each time.
    subtrees: Vec<(bool, Vec<Symbol>)>,
    /// Where promises are told apart.
    framework: Option<usize>,
}

impl Key {
    pub fn new(matcher: &Matcher<'_>, roles: &Roles, alike: &[NodeId]) -> Key {
        let (need, framework) = (matcher.subject.need, matcher.subject.framework);
        let volumes = need.volumes.iter().map(|volume| {
            (volume.filesystem, volume.read_only, volume.source, AskedOfSide::new(&volume.request, alike))
        });
        let mut known = Vec::new();
        for volume in need.volumes.iter().map(Some).chain([None]) {
            let scene = matcher.scene(None, None, volume);
            known.extend(roles.columns.iter().map(|column| scene.read(*column)));
        }
        let hard = need.places.iter().filter(|place| place.weight.is_none());
        let subtrees = hard.filter_map(|place| match &place.kind {
            PlaceKind::Within(paths) => Some((true, paths.clone())),
            PlaceKind::Outside(paths) => Some((false, paths.clone())),
            _ => None,
        });
        let line = matcher.moment.world.line(framework.role).iter().copied();
        let serves =
            |want: &std::sync::Arc<[Symbol]>| framework.principal.is_some_and(|own| want.contains(&own));
        Key {
            agent: need.agent.as_ref().map(|request| AskedOfSide::new(request, alike)),
            volumes: volumes.collect(),
            accept_revocable: need.accept_revocable,
            served: framework.served.as_ref().is_none_or(serves),
            roles: line.filter(|role| roles.telling.binary_search(role).is_ok()).collect(),
            known,
            subtrees: subtrees.collect(),
            framework: matcher.moment.ledger.tells_promises().then_some(matcher.id.framework),
        }
    }
}
