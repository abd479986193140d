//! Detects needs that ask for the same, so that what the index prepares for one serves the others.

use crate::{
    engine::Gap,
    inventory::world::{PartKind, StockKind, World},
    ir::{Amount, ColumnId, DefinitionId, NodeId, PlaceTest, Plan, Request},
    matching::Matcher,
    symbol::Symbol,
    types::Side,
    value::Value,
};

/// The roles that make a difference to candidates: something is reserved for them, or they have a limit.
/// Frameworks in all other roles see the same fleet.
#[derive(Clone, Debug, Default)]
pub(super) struct Roles {
    /// The roles, sorted.
    telling: Vec<Symbol>,
    /// The keys of the requester that the plan reads.
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
    /// Returns the keys of the requester that the plan reads.
    pub fn columns(&self) -> &[ColumnId] {
        &self.columns
    }
}

/// The request to one side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SideShape {
    amounts: Vec<(Symbol, Amount)>,
    classes: Vec<(DefinitionId, bool)>,
    conditions: Vec<NodeId>,
}

impl SideShape {
    fn new(request: &Request, canonical: &[NodeId]) -> SideShape {
        SideShape {
            amounts: request.amounts.iter().map(|ask| (ask.resource, ask.amount.clone())).collect(),
            classes: request.classes.iter().map(|ask| (ask.class, ask.negated)).collect(),
            conditions: request.conditions.iter().map(|rule| canonical[rule.root.0 as usize]).collect(),
        }
    }
}

/// A requested volume: file system, read-only, source, and the rest.
type OfVolume = (Option<Symbol>, bool, Option<Symbol>, SideShape);

/// Everything that the candidates of a need depend on, apart from the state of the fleet and the places that
/// depend on it. What is prepared for a need holds for all needs with an equal key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ShapeKey {
    agent: Option<SideShape>,
    volumes: Vec<OfVolume>,
    accept_revocable: bool,
    /// True if its role serves its principal.
    served: bool,
    /// Its role and those above it, as far as they make a difference.
    roles: Vec<Symbol>,
    /// The values of the requester's keys that the plan reads.
    known: Vec<Result<Value, Gap>>,
    /// The subtrees that its agents must be in (`true`) or must not be in. Other places depend on where
    /// instances are, and are checked for each decision.
    subtrees: Vec<(bool, Vec<Symbol>)>,
    /// The framework, if promises are kept apart.
    framework: Option<usize>,
}

impl ShapeKey {
    pub fn new(matcher: &Matcher<'_>, roles: &Roles, canonical: &[NodeId]) -> ShapeKey {
        let (need, framework) = (matcher.subject.need, matcher.subject.framework);
        let volumes = need.volumes.iter().map(|volume| {
            (volume.filesystem, volume.read_only, volume.source, SideShape::new(&volume.request, canonical))
        });
        let mut known = Vec::new();
        for volume in need.volumes.iter().map(Some).chain([None]) {
            let scene = matcher.scene(None, None, volume);
            known.extend(roles.columns.iter().map(|column| scene.read(*column)));
        }
        let hard = need.places.iter().filter(|place| place.strength.is_required());
        let subtrees = hard.filter_map(|place| match place.kind.test() {
            PlaceTest::Subtree { inside, paths } => Some((inside, paths.to_vec())),
            PlaceTest::Compared { .. } | PlaceTest::Counted { .. } => None,
        });
        let line = matcher.moment.world.line(framework.role).iter().copied();
        let serves =
            |want: &std::sync::Arc<[Symbol]>| framework.principal.is_some_and(|own| want.contains(&own));
        ShapeKey {
            agent: need.agent.as_ref().map(|request| SideShape::new(request, canonical)),
            volumes: volumes.collect(),
            accept_revocable: need.accept_revocable,
            served: framework.served.as_ref().is_none_or(serves),
            roles: line.filter(|role| roles.telling.binary_search(role).is_ok()).collect(),
            known,
            subtrees: subtrees.collect(),
            framework: matcher.moment.ledger.separates_promises().then_some(matcher.id.framework),
        }
    }
}
