//! Classes of agents and supplies that a need cannot tell apart: their conditions, scores and amounts read
//! equal values. One member stands for all.
//!
//! Each row is encoded as a list of numbers, and equal lists form a class. The cost is one pass over the
//! rows. The encoding must contain everything that the checks of this folder read of a row. If something were
//! left out, rows that differ would share an explanation.

use indexmap::{IndexMap, IndexSet};

use crate::{
    engine::{Gap, Scene},
    inventory::{
        availability::Availability,
        world::{HoldingId, PartKind, StockId, Total},
    },
    ir::{
        Column, ColumnId, CountRule, NodeId, Place, PlaceKey, PlaceRelation, PlaceTest, Plan, Request, Rule,
        RuleOwner, RuleSubject,
    },
    limits,
    matching::{Draft, Matcher, PlaceValue, PlaceVerdict},
    ranges::Ranges,
    symbol::Symbol,
    types::Side,
    value::Value,
};

/// A partition of rows into classes.
#[derive(Clone, Debug)]
pub(super) struct RowClasses {
    /// The rows of each class, ascending.
    pub members: Vec<Vec<usize>>,
    /// The number of the class of each row; `usize::MAX` for rows that are left out.
    pub of: Vec<usize>,
}

impl RowClasses {
    fn of_keys(keys: impl Iterator<Item = Vec<i64>>) -> RowClasses {
        let mut numbers: IndexMap<Box<[i64]>, usize> = IndexMap::new();
        let mut classes = RowClasses { members: Vec::new(), of: Vec::new() };
        for (row, key) in keys.enumerate() {
            let next = numbers.len();
            let class = *numbers.entry(key.into_boxed_slice()).or_insert(next);
            if class == classes.members.len() {
                classes.members.push(Vec::new());
            }
            classes.members[class].push(row);
            classes.of.push(class);
        }
        classes
    }

    /// Leaves out rows that fail, once those before take all the looks of an explanation: to tell why takes
    /// every condition, and that one fails takes the first. Returns `true` if there are any.
    pub fn bound(&mut self, look: usize, holds: impl Fn(usize) -> bool) -> bool {
        let (most, count) = (limits::EXPLAIN_STEPS as usize / look, self.members.len());
        if count <= most.max(1) {
            return false;
        }
        for (at, members) in std::mem::take(&mut self.members).into_iter().enumerate() {
            let keep = at < most || holds(members[0]);
            let number = if keep { self.members.len() } else { usize::MAX };
            members.iter().for_each(|row| self.of[*row] = number);
            self.members.extend(Some(members).filter(|_| keep));
        }
        self.members.len() < count
    }
}

/// The columns and charges that the conditions of a need read.
pub(super) struct NeedReads {
    agent: Vec<ColumnId>,
    pool: Vec<ColumnId>,
    charged: Vec<Symbol>,
}

impl NeedReads {
    pub fn new(matcher: &Matcher<'_>) -> NeedReads {
        let plan = matcher.moment.plan;
        let mut all: IndexSet<ColumnId> = IndexSet::new();
        // The rules of an agent's own are in the key of that agent.
        for one in plan.rules().filter(|one| !matches!(one.owner, RuleOwner::Agent(_))) {
            all.extend(plan.reads(one.rule.root));
        }
        let charges = &plan.broker.charges;
        charges.iter().for_each(|charge| all.extend(plan.reads(charge.root)));
        for (_, request) in matcher.demand().requests() {
            roots(plan, request).for_each(|root| all.extend(plan.reads(root)));
        }
        let of_side = |columns: &IndexSet<ColumnId>, side| {
            columns.iter().copied().filter(|column| plan.column(*column).side == side).collect::<Vec<_>>()
        };
        NeedReads {
            agent: of_side(&all, Side::Agent),
            pool: of_side(&all, Side::Pool),
            charged: charges.iter().map(|charge| charge.resource).collect(),
        }
    }
}

fn roots<'r>(plan: &'r Plan, request: &'r Request) -> impl Iterator<Item = NodeId> + use<'r> {
    let classes = request.classes.iter().map(|ask| plan.definition(ask.class).root);
    classes.chain(request.conditions.iter().map(|rule| rule.root))
}

/// Partitions all agents.
pub(super) fn agents(matcher: &Matcher<'_>, reads: &NeedReads) -> RowClasses {
    let (world, need) = (matcher.moment.world, matcher.subject.need);
    let asked = need.agent.iter().flat_map(|request| &request.amounts).map(|ask| ask.resource);
    let resources: IndexSet<Symbol> = asked.chain(reads.charged.iter().copied()).collect();
    let draft = Draft::default();
    let availability = matcher.availability(&draft);
    // A volume's place may compare with the domain of its agent.
    let of_volumes = need.volumes.iter().flat_map(|volume| &volume.places);
    let reads_domain = |place: &Place| match place.kind.test() {
        PlaceTest::Compared { relation: PlaceRelation::Near, .. } => true,
        PlaceTest::Compared { relation: PlaceRelation::Apart, .. } => false,
        // The verdict of a subtree is in the key.
        PlaceTest::Subtree { .. } | PlaceTest::Counted { .. } => false,
    };
    let domains = need.places.iter().chain(of_volumes).any(reads_domain);
    RowClasses::of_keys(world.agents.iter().enumerate().map(|(at, agent)| {
        let mut key = Encoder::default();
        let scene = matcher.scene(Some(at), None, None);
        let rules: &[Rule] = &matcher.moment.plan.agent_rules[agent.rules];
        key.number(if rules.is_empty() { -1 } else { agent.rules as i64 });
        if !rules.is_empty() {
            let own: IndexSet<ColumnId> =
                rules.iter().flat_map(|rule| matcher.moment.plan.reads(rule.root)).collect();
            key.reads(&scene, own);
        }
        key.reads(&scene, reads.agent.iter().copied());
        for resource in &resources {
            key.holding(&availability, world.agent_holding(at, *resource));
        }
        if domains {
            key.symbol(agent.placement.domain);
        }
        for place in &need.places {
            // The verdict holds now. The compared value decides how grants elsewhere change it.
            key.verdict(&matcher.agent_place(place, at, &[]));
            if let Some(by) = compared(place, PlaceKey::Agent) {
                key.place_value(matcher.agent_value(at, by));
            }
        }
        key.0
    }))
}

/// Partitions all agents by the values of some columns.
pub(super) fn agents_by(matcher: &Matcher<'_>, columns: &[ColumnId]) -> RowClasses {
    RowClasses::of_keys((0..matcher.moment.world.agents.len()).map(|at| {
        let mut key = Encoder::default();
        let scene = matcher.scene(Some(at), None, None);
        key.reads(&scene, columns.iter().copied());
        key.0
    }))
}

/// Partitions some supplies by the values of some columns.
pub(super) fn supplies_by(matcher: &Matcher<'_>, columns: &[ColumnId], supplies: &[usize]) -> RowClasses {
    RowClasses::of_keys(supplies.iter().map(|at| {
        let mut key = Encoder::default();
        let scene = matcher.scene(None, Some(*at), None);
        key.reads(&scene, columns.iter().copied());
        // The rules of a tier apply only to the supplies below it.
        let tiers = matcher.moment.world.supplies[*at].chain.iter();
        let ruled = tiers.map(|tier| matcher.moment.world.tiers[*tier].rules);
        let ruled = ruled.filter(|rules| !matcher.moment.plan.tier_rules[*rules].is_empty());
        ruled.for_each(|rules| key.number(rules as i64));
        key.0
    }))
}

/// Partitions all agents by the classes that they are in, and by rules of their own that read supplies.
pub(super) fn agents_as<'c>(
    matcher: &Matcher<'_>,
    others: impl Iterator<Item = &'c RowClasses> + Clone,
) -> RowClasses {
    let (plan, world) = (matcher.moment.plan, matcher.moment.world);
    RowClasses::of_keys(world.agents.iter().enumerate().map(|(at, agent)| {
        let mut key = Encoder::default();
        let own = plan.rules_of(RuleOwner::Agent(agent.rules));
        let of_volumes = own.clone().any(|one| one.subject == RuleSubject::Pair);
        // Such rules differ from agent to agent, so each has a class of its own.
        key.number(if of_volumes { at as i64 } else { -1 });
        others.clone().for_each(|classes| key.number(classes.of[at] as i64));
        key.0
    }))
}

/// Partitions all supplies.
pub(super) fn supplies(matcher: &Matcher<'_>, reads: &NeedReads) -> RowClasses {
    let (plan, world, need) = (matcher.moment.plan, matcher.moment.world, matcher.subject.need);
    let asked = need.volumes.iter().flat_map(|volume| &volume.request.amounts).map(|ask| ask.resource);
    let resources: IndexSet<Symbol> = asked.collect();
    let by_source = need.volumes.iter().any(|volume| volume.source.is_some());
    let draft = Draft::default();
    let availability = matcher.availability(&draft);
    RowClasses::of_keys(world.supplies.iter().enumerate().map(|(at, supply)| {
        let mut key = Encoder::default();
        let scene = matcher.scene(None, Some(at), None);
        key.reads(&scene, reads.pool.iter().copied());
        let ruled = supply.chain.iter().map(|tier| world.tiers[*tier].rules);
        ruled.filter(|rules| !plan.tier_rules[*rules].is_empty()).for_each(|rules| key.number(rules as i64));
        key.number(-1);
        for resource in &resources {
            let tiers = supply.holdings(*resource).unwrap_or_default();
            key.holding(&availability, tiers.first().copied());
            // Shared holdings are encoded by their identity: what one supply takes of them, the others lack.
            tiers.iter().skip(1).for_each(|tier| key.number(i64::from(tier.0)));
            key.number(-1);
        }
        if by_source {
            key.symbol(Some(supply.pool));
        }
        key.number(i64::from(supply.existing.is_some()));
        if let Some(existing) = &supply.existing {
            key.symbol(existing.filesystem);
            key.number(i64::from(existing.read_only));
            key.symbol(existing.reserved_for);
            key.free(&availability, existing.users);
            for (resource, dimension, whole) in &existing.whole {
                key.symbol(Some(*resource));
                key.number(*dimension as i64);
                key.number(*whole);
            }
        }
        let mut places = 0;
        for volume in &need.volumes {
            for place in &volume.places {
                places += 1;
                key.verdict(&matcher.supply_place(place, at, &[], volume));
                if let Some(by) = compared(place, PlaceKey::Pool) {
                    key.place_value(matcher.supply_value(at, by));
                }
            }
        }
        // Places of the agent may compare with its volumes.
        for place in need.places.iter().filter(|place| place.kind.is_tie()) {
            places += 1;
            key.place_value(place.kind.key().and_then(|by| matcher.supply_value(at, by)));
        }
        if places > 0 {
            key.symbol(supply.placement.domain);
        }
        key.0
    }))
}

/// Returns the key that a place compares or counts by. For a place that counts per row (`at most … per
/// agent`) the verdict is enough as long as nothing is granted on the row.
fn compared(place: &Place, itself: PlaceKey) -> Option<PlaceKey> {
    let by = place.kind.key()?;
    let counts = match place.kind.counts() {
        Some(CountRule::AtMost { .. }) => true,
        Some(CountRule::Spread { .. } | CountRule::Together) | None => false,
    };
    (!counts || by != itself).then_some(by)
}

/// An encoder of rows. Values begin with a tag or a length, and lists of unknown length end with a negative
/// marker, to keep the lists of different rows different.
#[derive(Default)]
struct Encoder(Vec<i64>);

impl Encoder {
    fn number(&mut self, number: i64) {
        self.0.push(number);
    }

    fn wide(&mut self, number: i128) {
        self.0.extend([(number >> 64) as i64, number as i64]);
    }

    fn symbol(&mut self, symbol: Option<Symbol>) {
        self.number(symbol.map_or(-1, |symbol| symbol.index() as i64));
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as i64);
        self.0.extend(text.bytes().map(i64::from));
    }

    fn ranges(&mut self, ranges: &Ranges) {
        self.number(ranges.parts().len() as i64);
        self.0.extend(ranges.parts().iter().flat_map(|(low, high)| [*low, *high]));
    }

    /// Encodes the columns that are there, each after its number: with many keys, most are absent.
    fn reads(&mut self, scene: &Scene<'_>, columns: impl IntoIterator<Item = ColumnId>) {
        for column in columns {
            match scene.read(column) {
                Ok(value) => {
                    self.number(i64::from(column.0));
                    self.value(&value);
                }
                Err(Gap::Absent(_)) => {}
                // A key without a usable value. Tags of values are not negative.
                Err(_) => self.0.extend([i64::from(column.0), -2]),
            }
        }
        self.number(-1);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Bool(value) => self.0.extend([0, i64::from(*value)]),
            Value::Quantity(dimension, amount) => self.0.extend([1, *dimension as i64, *amount]),
            Value::Text(text) => self.0.extend([2, text.index() as i64]),
            Value::Place(place) => self.0.extend([3, place.index() as i64]),
            Value::Version(version) => {
                self.number(4);
                self.text(&version.to_string());
            }
            Value::Texts(members) => {
                self.0.extend([5, members.len() as i64]);
                self.0.extend(members.iter().map(|member| member.index() as i64));
            }
            Value::Numbers(members) => {
                self.0.extend([6, members.len() as i64]);
                self.0.extend(members.iter());
            }
            Value::Ranges(ranges) => {
                self.number(7);
                self.ranges(ranges);
            }
        }
    }

    /// Encodes the options of a holding, and the usable and free amounts of its parts.
    fn holding(&mut self, availability: &Availability<'_>, holding: Option<HoldingId>) {
        let Some(id) = holding else { return self.number(-1) };
        let holding = availability.world.holding(id);
        let options = [holding.dimension as i64, holding.step, holding.min, holding.max.unwrap_or(-1)];
        self.0.extend(options);
        for (kind, stock) in &holding.parts {
            match kind {
                PartKind::Unreserved => self.number(0),
                PartKind::Revocable => self.number(1),
                PartKind::Reserved(role) => self.0.extend([2, role.index() as i64]),
            }
            match &availability.world.stock(*stock).usable {
                Total::Unlimited => self.number(0),
                Total::Scalar(amount) => self.0.extend([1, *amount]),
                Total::Ranges(ranges) => self.ranges(ranges),
                Total::Items(items) => {
                    self.number(items.len() as i64);
                    self.0.extend(items.iter().map(|item| item.index() as i64));
                }
            }
            self.free(availability, *stock);
        }
        self.number(-3);
    }

    fn free(&mut self, availability: &Availability<'_>, stock: StockId) {
        match availability.free_set(stock) {
            Some(set) => {
                self.number(2);
                self.ranges(&set);
            }
            None => match availability.free(stock) {
                Some(free) => {
                    self.number(1);
                    self.wide(free);
                }
                None => self.number(-1),
            },
        }
    }

    fn verdict(&mut self, verdict: &PlaceVerdict) {
        self.number(match verdict {
            PlaceVerdict::Holds => 0,
            PlaceVerdict::Absent => 1,
            PlaceVerdict::Never(_) => 2,
            PlaceVerdict::Now(..) => 3,
        });
    }

    fn place_value(&mut self, place_value: Option<PlaceValue>) {
        match place_value {
            None => self.number(-1),
            Some(PlaceValue::Domain(symbol)) => self.0.extend([0, symbol.index() as i64]),
            Some(PlaceValue::Text(symbol)) => self.0.extend([1, symbol.index() as i64]),
            Some(PlaceValue::Other(text)) => {
                self.number(2);
                self.text(&text);
            }
        }
    }
}

/// Returns `true` if a charge reads a supply.
pub(super) fn charges_read_supplies(plan: &Plan) -> bool {
    let of_pool = |column: &ColumnId| matches!(plan.column(*column), Column { side: Side::Pool, .. });
    plan.broker.charges.iter().any(|charge| plan.reads(charge.root).iter().any(of_pool))
}
