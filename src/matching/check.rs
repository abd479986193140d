//! The hard checks of an agent, and of a supply for a volume (section 7 of the language reference).
//!
//! One walk reports failures to a sink, which breaks at the first one or goes on to collect every one.

use std::{ops::ControlFlow, sync::Arc};

use indexmap::IndexMap;

use super::{
    Matcher,
    amounts::Draft,
    demand::required,
    failure::{Failure, Shortage},
};
use crate::{
    engine::{Gap, Scene},
    inventory::{
        availability::{Shortfall, scalar_of},
        world::{Existing, Holding, HoldingId, StockKind},
    },
    ir::{Amount, Charge, ChargePer, NodeId, OwnedRule, Request, Rule, RuleSubject, Volume},
    logic::Truth,
    quantity::Dimension,
    symbol::Symbol,
    types::Side,
    value::Value,
};

/// The number of wants up to which a linear scan is used; with more, a map is built.
const FEW_WANTS: usize = 16;

/// The part of the checks of a supply to make. The index splits them by whether they read the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All checks.
    All,
    /// The checks that do not depend on the agent.
    WithoutAgent,
    /// The rules that mention the agent, and the agent's own rules.
    AgentOnly,
}

impl Reach {
    fn sees(self, subject: RuleSubject) -> bool {
        match self {
            Reach::All => true,
            Reach::WithoutAgent => !subject.has_agent(),
            Reach::AgentOnly => subject.has_agent(),
        }
    }
}

type Flow = ControlFlow<()>;
type Sink<'s, 'a> = dyn FnMut(Failure<'a>) -> Flow + 's;

/// An amount asked of an agent, and the amount that charges add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Want {
    pub resource: Symbol,
    pub amount: Amount,
    pub charged: i64,
}

impl<'a> Matcher<'a> {
    /// Makes all checks of [`Matcher::agent_checks`], also those that are dropped.
    pub(super) fn every_agent_check(&self, agent: Option<usize>, sink: &mut Sink<'_, 'a>) -> Flow {
        let scene = self.scene(agent, None, None);
        self.principal_check(sink)?;
        if let Some(at) = agent {
            self.want_checks(at, sink)?;
        }
        for one in self.demand().of_agent(agent).filter(OwnedRule::is_required) {
            self.rule(&scene, one.rule, sink)?;
        }
        let Some(at) = agent else { return Flow::Continue(()) };
        let need = self.subject.need;
        if let Some(request) = &need.agent {
            self.request(&scene, Side::Agent, request, sink)?;
        }
        for place in required(&need.places) {
            let verdict = self.agent_place(place, at, &[]);
            if !verdict.holds() {
                sink(Failure::Place(place, Side::Agent, verdict))?;
            }
        }
        if need.volumes.is_empty()
            && let Some(failure) = self.takes_nothing(agent, &[])
        {
            sink(failure)?;
        }
        Flow::Continue(())
    }

    /// Returns the first amount that a need asks, if all of its amounts may be 0.
    pub(super) fn may_take_nothing(&self) -> Option<(Side, Symbol)> {
        let need = self.subject.need;
        let of_agent = need.agent.iter().flat_map(|request| &request.amounts).map(|ask| (Side::Agent, ask));
        let of_volumes = need.volumes.iter().flat_map(|volume| &volume.request.amounts);
        let mut asked = of_agent.chain(of_volumes.map(|ask| (Side::Pool, ask)));
        let (side, first) = asked.next()?;
        let nothing = first.amount.is_nothing() && asked.all(|(_, ask)| ask.amount.is_nothing());
        nothing.then_some((side, first.resource))
    }

    /// Returns a failure if an agent with these supplies, which hold, would give nothing at all.
    pub(super) fn takes_nothing(&self, agent: Option<usize>, supplies: &[usize]) -> Option<Failure<'a>> {
        let (side, resource) = self.may_take_nothing()?;
        let candidate = self.candidate_from(agent, supplies);
        let nothing = candidate.takes().all(|take| take.amount.count() == 0);
        nothing.then_some(Failure::Nothing(side, resource))
    }

    /// Checks the principal of the framework against those that its role serves.
    pub(super) fn principal_check(&self, sink: &mut Sink<'_, 'a>) -> Flow {
        let framework = self.subject.framework;
        match &framework.served {
            Some(want) if !framework.principal.is_some_and(|own| want.contains(&own)) => {
                sink(Failure::Principal { have: framework.principal, want: Arc::clone(want) })
            }
            _ => Flow::Continue(()),
        }
    }

    /// Checks the amounts asked of an agent, including charges.
    fn want_checks(&self, agent: usize, sink: &mut Sink<'_, 'a>) -> Flow {
        let wants = match self.agent_wants(Some(agent), &[]) {
            Ok(wants) => wants,
            Err((charge, gap)) => {
                // Explanations still want the shortages of what is asked itself.
                sink(Failure::Charge(charge, gap))?;
                self.asked_wants()
            }
        };
        for want in wants {
            if let Some(shortage) = self.agent_shortage(agent, &want) {
                sink(Failure::Amount(shortage))?;
            }
        }
        Flow::Continue(())
    }

    /// Makes all checks of [`Matcher::supply_checks`], also those that are dropped.
    pub(super) fn every_supply_check(
        &self,
        agent: Option<usize>,
        volume: &'a Volume,
        supply: usize,
        reach: Reach,
        sink: &mut Sink<'_, 'a>,
    ) -> Flow {
        let scene = self.scene(agent, Some(supply), Some(volume));
        if reach != Reach::AgentOnly {
            self.existing_checks(volume, supply, sink)?;
            self.amount_checks(volume, supply, sink)?;
            self.request(&scene, Side::Pool, &volume.request, sink)?;
        }
        for one in self.demand().of_supply(agent, supply).filter(OwnedRule::is_required) {
            if reach.sees(one.subject) {
                self.rule(&scene, one.rule, sink)?;
            }
        }
        for place in required(&volume.places) {
            if reach != Reach::AgentOnly {
                let verdict = self.supply_place(place, supply, &[], volume);
                if !verdict.holds() {
                    sink(Failure::Place(place, Side::Pool, verdict))?;
                }
            }
        }
        Flow::Continue(())
    }

    /// Checks the properties of an existing volume, and the pool of a snapshot.
    fn existing_checks(&self, volume: &'a Volume, supply: usize, sink: &mut Sink<'_, 'a>) -> Flow {
        let (world, ledger) = (self.moment.world, self.moment.ledger);
        if let Some(source) = volume.source {
            let there = self.source(source);
            let supply = &world.supplies[supply];
            if supply.existing.is_some() || there.is_none_or(|pool| pool != supply.path) {
                sink(Failure::Source { source, there: there.is_some() })?;
            }
        }
        let Some(existing) = &world.supplies[supply].existing else { return Flow::Continue(()) };
        if let Some(want) = volume.filesystem
            && existing.filesystem != Some(want)
        {
            sink(Failure::Filesystem { have: existing.filesystem, want })?;
        }
        if existing.read_only && !volume.read_only {
            sink(Failure::Access)?;
        }
        if let Some(role) = existing.reserved_for.filter(|_| !self.may_use(existing)) {
            sink(Failure::Reserved { role })?;
        }
        let one = i128::from(crate::quantity::MILLION);
        if self.availability(&Draft::default()).free(existing.users).is_some_and(|free| free < one) {
            sink(Failure::Users { users: ledger.used(existing.users) / one })?;
        }
        Flow::Continue(())
    }

    /// Returns `true` if an existing volume is unreserved, or reserved for the role or one above it.
    fn may_use(&self, existing: &Existing) -> bool {
        let line = self.moment.world.line(self.subject.framework.role);
        existing.reserved_for.is_none_or(|role| line.contains(&role))
    }

    /// Returns the pool of a snapshot's source, if the source exists and the role may use it.
    fn source(&self, path: Symbol) -> Option<Symbol> {
        let world = self.moment.world;
        let supply = &world.supplies[world.supply(path)?];
        let existing = supply.existing.as_ref()?;
        self.may_use(existing).then_some(supply.pool)
    }

    /// Checks each amount of a volume against a supply, one by one.
    fn amount_checks(&self, volume: &'a Volume, supply: usize, sink: &mut Sink<'_, 'a>) -> Flow {
        for ask in &volume.request.amounts {
            if let Some(shortage) = self.supply_shortage(&Draft::default(), supply, ask.resource, &ask.amount)
            {
                sink(Failure::Amount(shortage))?;
            }
        }
        // An existing volume is taken whole, so limits count amounts that were not asked too.
        let existing = self.moment.world.supplies[supply].existing.as_ref();
        for (resource, dimension, whole) in existing.iter().flat_map(|existing| &existing.whole) {
            if volume.request.amount(*resource).is_some() {
                continue;
            }
            let all = Amount::Scalar(*dimension, *whole, *whole);
            if let Some(shortage) = self.supply_shortage(&Draft::default(), supply, *resource, &all) {
                sink(Failure::Amount(shortage))?;
            }
        }
        Flow::Continue(())
    }

    /// Returns the shortage if an amount does not fit beside a draft. One that only a charge takes fits.
    pub(super) fn supply_shortage(
        &self,
        draft: &Draft,
        supply: usize,
        resource: Symbol,
        amount: &Amount,
    ) -> Option<Shortage> {
        let supply = &self.moment.world.supplies[supply];
        let own = supply.existing.as_ref().and_then(|known| known.whole.iter().find(|own| own.0 == resource));
        if let Some(&(_, dimension, whole)) = own {
            let fits =
                matches!(amount, Amount::Scalar(asked, low, _) if *asked == dimension && *low <= whole);
            let lack = || Shortage::never(Side::Pool, resource, dimension, Some(i128::from(whole)), amount);
            if !fits {
                return Some(lack());
            }
            let taken = self.availability(draft).limit_takes(Side::Pool, resource, i128::from(whole));
            return taken.err().map(|short| self.lack(draft, short, &[], lack()));
        }
        let Some(tiers) = supply.holdings(resource) else {
            if self.is_charged(resource) {
                return None;
            }
            return Some(Shortage::never(Side::Pool, resource, dimension_of(amount), None, amount));
        };
        let short = self.availability(draft).fits(tiers, amount, 0).err()?;
        let shortage = Shortage::never(Side::Pool, resource, dimension_of(amount), None, amount);
        Some(self.lack(draft, short, tiers, shortage))
    }

    /// Completes a shortage with the amounts that explain it.
    fn lack(&self, draft: &Draft, lack: Shortfall, tiers: &[HoldingId], shortage: Shortage) -> Shortage {
        let (world, available) = (self.moment.world, self.availability(draft));
        let (amount, charged) = (&shortage.want, shortage.charged);
        let lowest = tiers.first().map(|lowest| world.holding(*lowest));
        let takes = match lowest {
            Some(lowest) => scalar_of(world, lowest, amount, charged),
            None => shortage.have.and_then(|whole| i64::try_from(whole).ok()),
        };
        let known = Shortage {
            takes,
            above: lowest.and_then(|lowest| above(lowest, amount, charged)),
            permanent: match lowest {
                Some(_) => !available.could_fit(tiers, amount, charged),
                None => false,
            },
            ..shortage
        };
        match lack {
            Shortfall::Holding(short) => {
                let have = available.free_of(short);
                let all = world.holding(short).firm().filter_map(|part| available.free(part)).sum::<i128>();
                let kept = have.map_or(0, |have| (all - have).max(0));
                Shortage { dimension: world.holding(short).dimension, have, kept, ..known }
            }
            Shortfall::Limit(limit) => {
                let stock = world.stock(limit);
                let StockKind::Limit(role) = stock.kind else { return known };
                let permanent = crate::inventory::ledger::total(stock)
                    .is_some_and(|most| takes.is_some_and(|takes| i128::from(takes) > most));
                let (dimension, have) = (stock.dimension, available.free(limit));
                Shortage { dimension, have, limit: Some(role), permanent, ..known }
            }
        }
    }

    /// Returns `true` if a charge reads this amount of a volume. The agent then gives it, not the supply.
    pub(super) fn is_charged(&self, resource: Symbol) -> bool {
        let plan = self.moment.plan;
        let key = crate::ir::Key::Attribute(resource);
        let column = plan.find_column(crate::ir::Column { side: Side::Volume, key });
        column.is_some_and(|column| {
            plan.broker.charges.iter().any(|charge| plan.reads(charge.root).contains(&column))
        })
    }

    fn request(&self, scene: &Scene<'a>, side: Side, request: &'a Request, sink: &mut Sink<'_, 'a>) -> Flow {
        for ask in &request.classes {
            let root = self.moment.plan.definition(ask.class).root;
            if ask.negated {
                if scene.truth(root) != Truth::False {
                    sink(Failure::Class(*ask, side, root))?;
                }
            } else {
                self.failing(scene, root, &mut |conjunct| sink(Failure::Class(*ask, side, conjunct)))?;
            }
        }
        for rule in &request.conditions {
            self.failing(scene, rule.root, &mut |conjunct| sink(Failure::Condition(rule, side, conjunct)))?;
        }
        Flow::Continue(())
    }

    /// Returns the conditions of a request and of its classes, each with the outcome that it must have.
    pub(super) fn asked_conditions(&self, request: &Request) -> Vec<(NodeId, bool)> {
        let mut asked = Vec::new();
        for ask in &request.classes {
            let root = self.moment.plan.definition(ask.class).root;
            match ask.negated {
                true => asked.push((root, false)),
                false => asked.extend(self.terms(root).into_iter().map(|node| (node, true))),
            }
        }
        for rule in &request.conditions {
            asked.extend(self.terms(rule.root).into_iter().map(|node| (node, true)));
        }
        asked
    }

    fn rule(&self, scene: &Scene<'a>, rule: &'a Rule, sink: &mut Sink<'_, 'a>) -> Flow {
        self.failing(scene, rule.root, &mut |conjunct| sink(Failure::Rule(rule, conjunct)))
    }

    /// Reports every condition of a conjunction that is not true, including those of its classes.
    fn failing(&self, scene: &Scene<'a>, root: NodeId, sink: &mut dyn FnMut(NodeId) -> Flow) -> Flow {
        if scene.truth(root).holds() {
            return Flow::Continue(());
        }
        let mut told = false;
        for conjunct in self.conditions(root) {
            if !scene.truth(conjunct).holds() {
                told = true;
                sink(conjunct)?;
            }
        }
        // The conditions that a plugin reports need not add up to its rule. The rule decides.
        if told { Flow::Continue(()) } else { sink(root) }
    }

    /// Returns the conditions that a rule or class joins with `and`, with those of the classes it names.
    pub fn conditions(&self, root: NodeId) -> Vec<NodeId> {
        self.moment.plan.conditions(root)
    }

    /// Like [`Matcher::conditions`], but a plugin's rule stays whole, since its value decides.
    pub(super) fn terms(&self, root: NodeId) -> Vec<NodeId> {
        self.moment.plan.terms(root)
    }

    fn asked_wants(&self) -> Vec<Want> {
        let amounts = self.subject.need.agent.iter().flat_map(|request| &request.amounts);
        amounts.map(|ask| Want { resource: ask.resource, amount: ask.amount.clone(), charged: 0 }).collect()
    }

    /// Returns the amounts asked of an agent with charges, but for those that read a supply not yet known.
    pub(super) fn agent_wants(
        &self,
        agent: Option<usize>,
        supplies: &[usize],
    ) -> Result<Vec<Want>, (&'a Charge, Option<Gap>)> {
        let mut wants = self.asked_wants();
        // By resource, the position of its want. Built once there are too many to scan for each charge.
        let mut places: Option<IndexMap<Symbol, usize>> = None;
        for charge in self.charges() {
            let mut charged: i64 = 0;
            match charge.per {
                ChargePer::Need => charged = self.charge(charge, &self.scene(agent, None, None))?,
                ChargePer::Volume => {
                    let reads_pool = charge.sides.has(Side::Pool);
                    for (at, volume) in self.subject.need.volumes.iter().enumerate() {
                        let supply = supplies.get(at).copied();
                        if reads_pool && supply.is_none() {
                            continue;
                        }
                        let scene = self.scene(agent, supply, Some(volume));
                        charged = charged.checked_add(self.charge(charge, &scene)?).ok_or((charge, None))?;
                    }
                }
            }
            if charged == 0 {
                continue;
            }
            let known = match wants.len() {
                0..=FEW_WANTS => wants.iter().position(|want| want.resource == charge.resource),
                _ => {
                    let places = places.get_or_insert_default();
                    // Each want has its own resource, so the map has as many entries as it has seen wants.
                    let new = wants.iter().enumerate().skip(places.len());
                    places.extend(new.map(|(at, want)| (want.resource, at)));
                    places.get(&charge.resource).copied()
                }
            };
            match known.and_then(|at| wants.get_mut(at)) {
                Some(want) => want.charged = want.charged.checked_add(charged).ok_or((charge, None))?,
                None => {
                    let dimension = self.moment.plan.dimension(Side::Agent, charge.resource);
                    let amount = Amount::Scalar(dimension.unwrap_or(Dimension::Number), 0, 0);
                    wants.push(Want { resource: charge.resource, amount, charged });
                }
            }
        }
        Ok(wants)
    }

    /// Returns the amount of one charge: 0 if it reads an amount that the request does not name.
    fn charge(&self, charge: &'a Charge, scene: &Scene<'a>) -> Result<i64, (&'a Charge, Option<Gap>)> {
        match scene.value(charge.root) {
            Ok(Value::Quantity(_, amount)) if amount >= 0 => Ok(amount),
            Ok(_) => Err((charge, None)),
            Err(Gap::Absent(column)) if self.is_request_amount(column) => Ok(0),
            Err(gap) => Err((charge, Some(gap))),
        }
    }

    fn is_request_amount(&self, column: crate::ir::ColumnId) -> bool {
        let plan = self.moment.plan;
        let crate::ir::Column { side, key: crate::ir::Key::Attribute(key) } = plan.column(column) else {
            return false;
        };
        let asked = side == Side::Volume || side == Side::Need && plan.dimension(Side::Agent, key).is_some();
        asked && !crate::keys::is_word(side, plan.symbols.text(key))
    }

    /// Returns the shortage if a want does not fit an agent.
    pub(super) fn agent_shortage(&self, agent: usize, want: &Want) -> Option<Shortage> {
        let never = |dimension| Shortage {
            charged: want.charged,
            ..Shortage::never(Side::Agent, want.resource, dimension, None, &want.amount)
        };
        let Some(holding) = self.moment.world.agent_holding(agent, want.resource) else {
            let nothing = want.amount.is_nothing() && want.charged == 0;
            return (!nothing).then(|| never(dimension_of(&want.amount)));
        };
        let draft = Draft::default();
        let short = self.availability(&draft).fits(&[holding], &want.amount, want.charged).err()?;
        Some(self.lack(&draft, short, &[holding], never(dimension_of(&want.amount))))
    }

    /// Returns the amount of a resource that an existing volume gives as a whole.
    pub(super) fn whole_size(&self, supply: usize, resource: Symbol) -> Option<i64> {
        let existing = self.moment.world.supplies[supply].existing.as_ref()?;
        existing.whole.iter().find(|whole| whole.0 == resource).map(|whole| whole.2)
    }
}

/// Returns the most that one request may take of a holding, if this one asks for more.
fn above(holding: &Holding, amount: &Amount, charged: i64) -> Option<i64> {
    let Amount::Scalar(dimension, low, _) = amount else { return None };
    let taken = holding.rounded(low.checked_add(charged)?)?;
    holding.max.filter(|max| *dimension == holding.dimension && taken > *max)
}

fn dimension_of(amount: &Amount) -> Dimension {
    match amount {
        Amount::Scalar(dimension, ..) => *dimension,
        Amount::Ranges(_) | Amount::Items(_) => Dimension::Number,
    }
}
