//! The offers of a cycle, as wire forms.
//!
//! [`document`] makes the whole document of a view. `WireWriter` turns candidates into offers, for cycles and
//! for `match` alike. The view decides what is written: see `VisibleCycle`.

use indexmap::IndexMap;

use super::{
    Detail, Permissions, View, VisibleCycle,
    amounts::{self, AmountWriter},
    rejections::RejectionList,
    wire::{
        Document, FORMAT, Item, Offer, OrderedFields, PartLeft, Remaining, VERSION, WireAgent, WireGrant,
        WireLimit, WireNeed, WireRole, WireScore, WireVolume, WrittenAmount,
    },
};
use crate::{
    Fleet, Offers,
    cycle::NeedResult,
    engine::{Scene, Subject},
    inventory::{
        ledger::{self, Ledger},
        world::{HoldingRef, StockId},
    },
    ir::{self, Show},
    matching::{Candidate, NeedId},
    quantity::{Dimension, MILLION, decimal, render},
    symbol::Symbol,
    types::Side,
};

/// Makes the wire form of a cycle's offers.
pub fn document(offers: &Offers, view: View, detail: Detail) -> Document<'_> {
    document_of(&VisibleCycle::new(offers, view), detail)
}

/// Makes the wire form of a cycle as a view sees it.
pub fn document_of<'a>(visible: &VisibleCycle<'a>, detail: Detail) -> Document<'a> {
    let (offers, view) = (visible.offers, visible.view);
    let cycle = offers.cycle();
    let everything = visible.permissions.everything;
    let writer =
        WireWriter { fleet: offers.fleet(), ledger: &cycle.ledger, permissions: visible.permissions };
    Document {
        format: FORMAT,
        version: VERSION,
        view: view.name(),
        framework: view.framework(offers.fleet().plan()).map(str::to_owned),
        needs: visible.needs().map(|(at, need)| writer.need(visible, need, at)).collect(),
        offers: offers_of(visible, &writer),
        rejections: RejectionList::new(visible, detail),
        grants: everything.then(|| grants(offers)),
        remaining: everything.then(|| writer.remaining()),
        roles: everything.then(|| roles(offers)),
    }
}

/// Makes the wire forms of the offers that a view sees.
pub(super) fn offers_of(visible: &VisibleCycle<'_>, writer: &WireWriter<'_>) -> Vec<Offer> {
    let mut places: IndexMap<NeedId, (usize, usize)> = IndexMap::new();
    visible.needs().for_each(|(at, need)| {
        places.entry(need.id).or_insert((at, 0));
    });
    let offer = |at: usize| {
        let grant = &visible.offers.cycle().grants[at];
        let (need_at, made) = places.entry(grant.id).or_default();
        *made += 1;
        writer.offer(grant.id, grant.instance, &grant.candidate, (*need_at, *made))
    };
    visible.grants().into_iter().map(offer).collect()
}

/// A writer of wire forms, for a fleet, the amounts used in it, and the permissions of a view.
pub(super) struct WireWriter<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) ledger: &'a Ledger,
    pub(super) permissions: Permissions,
}

impl WireWriter<'_> {
    fn shown(&self) -> AmountWriter<'_> {
        AmountWriter { plan: self.fleet.plan(), world: self.fleet.world(), ledger: self.ledger }
    }

    fn text(&self, symbol: Symbol) -> String {
        self.fleet.plan().symbols.text(symbol).to_owned()
    }

    /// Returns the names of a framework and its need.
    pub(super) fn names(&self, id: NeedId) -> (String, String) {
        let framework = &self.fleet.plan().frameworks[id.framework];
        (self.text(framework.name), self.text(framework.needs[id.need].name))
    }

    pub(super) fn need(&self, visible: &VisibleCycle<'_>, need: &NeedResult, at: usize) -> WireNeed {
        let (framework, name) = self.names(need.id);
        let everything = self.permissions.everything;
        WireNeed {
            framework,
            need: name,
            outcome: need.outcome.name(),
            why: visible.why(at),
            wanted: need.count,
            allocated: need.allocated,
            offered: need.offered,
            missing: need.missing(),
            fitted: need.fitted.filter(|_| everything),
            feasible_agents: everything.then_some(need.feasible_agents),
            rejections_dropped: if everything { need.rejections.dropped } else { 0 },
            label: need.id.label(self.fleet.plan()),
            at,
        }
    }

    /// Makes an offer of a candidate. `place` holds the need's number in the cycle, and the offer's number
    /// among those of the need, from 1.
    pub(super) fn offer(
        &self,
        id: NeedId,
        instance: u64,
        candidate: &Candidate,
        place: (usize, usize),
    ) -> Offer {
        let (plan, world) = (self.fleet.plan(), self.fleet.world());
        let owner = &plan.frameworks[id.framework];
        let asked = &owner.needs[id.need];
        let (framework, need) = self.names(id);
        let of_agent = || candidate.takings.iter().filter(|taking| taking.volume.is_none());
        let taken = of_agent()
            .map(|taking| (self.text(taking.resource), self.shown().together(&taking.portion.own)))
            .collect();
        let own = of_agent().map(|taking| (taking.resource, taking.portion.own.as_slice()));
        // The role that lends an amount is none of a framework's business.
        let tells_whose = self.permissions.everything;
        let line = world.line(owner.role);
        Offer {
            id: id.offer_id(plan, instance),
            framework,
            need,
            instance,
            role: self.text(owner.role),
            agent: candidate.agent.map(|agent| self.agent(id, agent)),
            amounts: self.shown().parts(own, line, tells_whose),
            taken,
            charges: self.charges(candidate),
            volumes: (0..candidate.volumes.len()).map(|at| self.volume(id, candidate, at)).collect(),
            score: self.score(asked, candidate, place.1),
            need_at: place.0,
        }
    }

    /// Returns the amounts that rules charge. Charges are the operator's business: a framework sees only the
    /// sum that is taken.
    fn charges(&self, candidate: &Candidate) -> OrderedFields<WrittenAmount> {
        let (plan, world) = (self.fleet.plan(), self.fleet.world());
        let Some(agent) = candidate.agent.filter(|_| self.permissions.everything) else {
            return OrderedFields::default();
        };
        let charged = candidate.asked.iter().filter(|(_, _, charged)| *charged != 0);
        let charged = charged.map(|(resource, _, charged)| {
            let holding = world.agent_holding(agent, *resource);
            let dimension = holding.map(|holding| world.holding(holding).dimension);
            let amount = render(dimension.unwrap_or(Dimension::Number), i128::from(*charged));
            (plan.symbols.text(*resource).to_owned(), WrittenAmount::Scalar(amount))
        });
        charged.collect()
    }

    fn agent(&self, id: NeedId, at: usize) -> WireAgent {
        let agent = &self.fleet.world().agents[at];
        let need = &self.fleet.plan().frameworks[id.framework].needs[id.need];
        WireAgent {
            name: self.text(agent.name),
            domain: agent.placement.domain.map(|domain| self.text(domain)),
            is: need.agent.as_ref().map(|request| self.classes(request)).unwrap_or_default(),
            keys: self.exposed(id, Side::Agent, Some(at), None),
        }
    }

    fn classes(&self, request: &ir::Request) -> Vec<String> {
        let asked = request.classes.iter().filter(|ask| !ask.negated);
        asked.map(|ask| self.fleet.plan().definition(ask.class).name.clone()).collect()
    }

    /// Returns the exposed keys of a side that have a value.
    fn exposed(
        &self,
        id: NeedId,
        side: Side,
        agent: Option<usize>,
        supply: Option<usize>,
    ) -> OrderedFields<String> {
        let (plan, world) = (self.fleet.plan(), self.fleet.world());
        let framework = &plan.frameworks[id.framework];
        let subject = Subject { framework, need: &framework.needs[id.need] };
        let scene = Scene {
            plan,
            world,
            ledger: self.ledger,
            subject,
            agent,
            supply,
            volume: None,
            filters: None,
            recorder: None,
        };
        let columns = plan.broker.exposed.iter().filter(|column| plan.column(**column).side == side);
        columns
            .filter_map(|column| {
                let value = scene.read(*column).ok()?;
                Some((Show::new(plan).key(*column), value.show(&plan.symbols)))
            })
            .collect()
    }

    fn volume(&self, id: NeedId, candidate: &Candidate, at: usize) -> WireVolume {
        let (plan, world) = (self.fleet.plan(), self.fleet.world());
        let owner = &plan.frameworks[id.framework];
        let (volume, grant) = (&owner.needs[id.need].volumes[at], &candidate.volumes[at]);
        let supply = &world.supplies[grant.supply];
        let existing = supply.existing.as_ref();
        let own = || {
            let of_volume = candidate.takings.iter().filter(move |taking| taking.volume == Some(at));
            // An amount that the supply does not have comes from a charge alone, and is taken from the agent.
            let counted =
                of_volume.filter(|taking| existing.is_some() || supply.holdings(taking.resource).is_some());
            // Amounts that an existing volume gives as a whole are listed below, and its count of users is no
            // amount of the offer.
            counted.filter(|taking| {
                existing.is_none_or(|known| {
                    known.whole.iter().all(|whole| whole.0 != taking.resource)
                        && world.stock(known.users).resource != taking.resource
                })
            })
        };
        let mut taken: OrderedFields<WrittenAmount> = own()
            .map(|taking| (self.text(taking.resource), self.shown().together(&taking.portion.own)))
            .collect();
        let whole = existing.iter().flat_map(|existing| &existing.whole);
        taken.0.extend(whole.map(|whole| (self.text(whole.0), amounts::whole(whole.1, whole.2))));
        let parts = own().map(|taking| (taking.resource, taking.portion.own.as_slice()));
        let tells_whose = self.permissions.everything;
        let mut parts = self.shown().parts(parts, world.line(owner.role), tells_whose);
        // A volume that belongs to a reservation is taken whole from the reserved part.
        if let Some(role) = existing.and_then(|existing| existing.reserved_for) {
            let whole = existing.iter().flat_map(|existing| &existing.whole);
            let whole = whole.map(|whole| (self.text(whole.0), amounts::whole(whole.1, whole.2)));
            parts.reserved.0.push((self.text(role), whole.collect()));
        }
        let asked = volume.request.amounts.iter();
        let filesystem = existing.map_or(volume.filesystem, |existing| existing.filesystem);
        WireVolume {
            name: self.text(volume.name),
            number: volume.ordinal.0 + 1,
            supply: self.text(supply.path),
            kind: if existing.is_some() { "existing" } else { "carved" },
            domain: supply.placement.domain.map(|domain| self.text(domain)),
            is: self.classes(&volume.request),
            keys: self.exposed(id, Side::Pool, candidate.agent, Some(grant.supply)),
            asked: asked.map(|ask| (self.text(ask.resource), amounts::asked(plan, &ask.amount))).collect(),
            taken,
            parts,
            source: volume.source.map(|source| self.text(source)),
            filesystem: filesystem.map(|name| self.text(name)),
            waste: render(Dimension::Size, i128::from(grant.waste)),
        }
    }

    fn score(&self, need: &ir::Need, candidate: &Candidate, rank: usize) -> WireScore {
        let value = self.permissions.scores.then(|| candidate.score.show());
        if !self.permissions.everything {
            return WireScore { rank: Some(rank), value, numerator: None, denominator: None, items: None };
        }
        let exact = (candidate.score.numerator, POINTS * i128::from(candidate.score.volumes.max(1)));
        let (numerator, denominator) = lowest_terms(exact);
        WireScore {
            rank: None,
            value,
            numerator: Some(numerator.to_string()),
            denominator: Some(denominator.to_string()),
            items: Some(items_of(self.fleet.plan(), need, candidate)),
        }
    }

    fn remaining(&self) -> Remaining {
        let world = self.fleet.world();
        let shown = self.shown();
        let free = |held: &HoldingRef| (self.text(held.resource), shown.free_of(held.holding));
        let tiers = world.tiers.iter().filter(|tier| !tier.resources.is_empty());
        let agents = world.agents.iter().map(|agent| (agent.name, agent.resources.list()));
        let tiers: Vec<_> = tiers.map(|tier| (tier.path, tier.resources.as_slice())).collect();
        let of = |held: &[HoldingRef]| held.iter().map(free).collect();
        let parts = agents.clone().chain(tiers.iter().copied()).flat_map(|(holder, held)| {
            held.iter().flat_map(move |held| {
                let parts = shown.totals(held.holding).parts.into_iter();
                parts.map(move |part| PartLeft {
                    holder: self.text(holder),
                    resource: self.text(held.resource),
                    part: part.part,
                    role: part.role,
                    free: part.free,
                })
            })
        });
        Remaining {
            parts: parts.collect(),
            agents: agents.map(|(name, held)| (self.text(name), of(held))).collect(),
            pools: tiers.iter().map(|(path, held)| (self.text(*path), of(held))).collect(),
            roles: self.limits_left(),
        }
    }

    /// Returns the remainder of each limit, by role.
    fn limits_left(&self) -> OrderedFields<OrderedFields<WrittenAmount>> {
        let world = self.fleet.world();
        let mut roles: OrderedFields<OrderedFields<WrittenAmount>> = OrderedFields::default();
        for ((role, side, resource), id) in &world.limits {
            let role = self.text(*role);
            let left = self.ledger.free(world, *id).unwrap_or(0);
            let left = WrittenAmount::Scalar(render(world.stock(*id).dimension, left));
            let field = (format!("{side}.{}", self.text(*resource)), left);
            match roles.0.iter_mut().find(|known| known.0 == role) {
                Some((_, limits)) => limits.0.push(field),
                None => roles.0.push((role, OrderedFields(vec![field]))),
            }
        }
        roles
    }
}

/// Returns the credit of each preference for a candidate of a need.
pub fn score_items(plan: &ir::Plan, id: NeedId, candidate: &Candidate) -> Vec<Item> {
    items_of(plan, &plan.frameworks[id.framework].needs[id.need], candidate)
}

fn items_of(plan: &ir::Plan, need: &ir::Need, candidate: &Candidate) -> Vec<Item> {
    let one = i128::from(MILLION);
    let volume =
        |at| need.volumes.get(at).map(|volume: &ir::Volume| plan.symbols.text(volume.name).to_owned());
    let items = candidate.items.iter().map(|item| Item {
        label: item.label.clone(),
        volume: item.volume.and_then(volume),
        weight: decimal(i128::from(item.weight), one),
        value: item.value.map(|value| decimal(i128::from(value), one)),
    });
    items.collect()
}

/// The unit of a score: numerators of scores are weights × values, each in millionths.
const POINTS: i128 = MILLION as i128 * MILLION as i128;

fn lowest_terms((numerator, denominator): (i128, i128)) -> (i128, i128) {
    // Euclid's algorithm.
    let (mut a, mut b) = (numerator.abs(), denominator);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    if a == 0 { (numerator, denominator) } else { (numerator / a, denominator / a) }
}

fn grants(offers: &Offers) -> Vec<WireGrant> {
    let plan = offers.fleet().plan();
    let grants = offers.cycle().grants.iter();
    grants
        .map(|grant| WireGrant {
            offer: grant.id.offer_id(plan, grant.instance),
            role: plan.symbols.text(plan.frameworks[grant.id.framework].role).to_owned(),
            share: grant.role_share.to_string(),
        })
        .collect()
}

/// Makes the wire forms of roles, with their shares and limits before and after the cycle.
pub(super) fn roles(offers: &Offers) -> Vec<WireRole> {
    let (fleet, cycle) = (offers.fleet(), offers.cycle());
    let (plan, world) = (fleet.plan(), fleet.world());
    let limit = |(_, side, resource): &(Symbol, Side, Symbol), id: &StockId| {
        let stock = world.stock(*id);
        let amount = |amount| WrittenAmount::Scalar(render(stock.dimension, amount));
        WireLimit {
            resource: format!("{side}.{}", plan.symbols.text(*resource)),
            limit: amount(ledger::total(stock).unwrap_or(0)),
            used_before: amount(fleet.ledger().used(*id)),
            used: amount(cycle.ledger.used(*id)),
        }
    };
    let mut limits: IndexMap<&str, Vec<WireLimit>> = IndexMap::new();
    for (key, id) in &world.limits {
        limits.entry(plan.symbols.text(key.0)).or_default().push(limit(key, id));
    }
    let dominant = |(side, resource)| format!("{side}.{}", plan.symbols.text(resource));
    let roles = cycle.roles.iter().map(|role| WireRole {
        role: role.path.clone(),
        weight: decimal(i128::from(role.weight), i128::from(MILLION)),
        share: role.dominant.share.to_string(),
        dominant: role.dominant.resource.map(dominant),
        share_before: role.before.share.to_string(),
        dominant_before: role.before.resource.map(dominant),
        limits: limits.swap_remove(role.path.as_str()).unwrap_or_default(),
    });
    roles.collect()
}
