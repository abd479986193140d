//! A cycle → its wire form.

use super::{
    Detail, View, amounts,
    names::need_label,
    offer_id,
    rejections::RejectionList,
    wire::{
        Agent, Amount, Document, FORMAT, Fields, Grant, Item, LostTo, Need, Offer, Parts, Remaining, Role,
        Score, VERSION, Volume, Why,
    },
};
use crate::{
    Fleet, Offers,
    cycle::{self, NeedResult},
    engine::{Scene, Subject},
    inventory::{ledger::Ledger, world::Held},
    ir::{self, Show},
    matching::{Candidate, NeedId, VolumeGrant},
    quantity::{Dimension, MILLION, decimal, render},
    types::Side,
};

/// The wire form of a cycle's offers.
pub fn document(offers: &Offers, view: View, detail: Detail) -> Document<'_> {
    let cycle = offers.cycle();
    let writer = Writer { fleet: offers.fleet(), ledger: &cycle.ledger, view };
    let operator = view == View::Operator;
    let need_at = |id| cycle.needs.iter().position(|need| need.id == id).unwrap_or(0);
    let made: Vec<Offer> = cycle
        .grants
        .iter()
        .map(|grant| writer.offer(grant.id, grant.instance, &grant.candidate, need_at(grant.id)))
        .collect();
    Document {
        format: FORMAT,
        version: VERSION,
        view: if operator { "operator" } else { "framework" },
        needs: cycle.needs.iter().enumerate().map(|(at, need)| writer.need(offers, need, at)).collect(),
        offers: made,
        rejections: RejectionList { offers, view, detail },
        grants: operator.then(|| grants(offers)),
        remaining: operator.then(|| writer.remaining()),
        roles: operator.then(|| roles(offers)),
    }
}

/// What turns candidates into offers.
pub(super) struct Writer<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) ledger: &'a Ledger,
    pub(super) view: View,
}

impl Writer<'_> {
    fn text(&self, symbol: crate::symbol::Symbol) -> String {
        self.fleet.plan().symbols.text(symbol).to_owned()
    }

    /// The names of a framework and its need.
    pub(super) fn names(&self, id: NeedId) -> (String, String) {
        let framework = &self.fleet.plan().frameworks[id.framework];
        (self.text(framework.name), self.text(framework.needs[id.need].name))
    }

    fn need(&self, offers: &Offers, need: &NeedResult, at: usize) -> Need {
        let (framework, name) = self.names(need.id);
        Need {
            framework,
            need: name,
            outcome: need.outcome.name(),
            why: need.why.as_ref().map(|why| self.why(offers, why)),
            wanted: need.count,
            allocated: need.allocated,
            offered: need.offered,
            missing: need.missing(),
            feasible_agents: need.feasible_agents,
            rejections_dropped: need.rejections.dropped,
            label: need_label(self.fleet.plan(), need.id),
            at,
        }
    }

    /// Other frameworks' offers are shown to the operator only.
    fn why(&self, offers: &Offers, why: &cycle::Why) -> Why {
        let (lost_to_count, lost_to) = match why {
            cycle::Why::Contended(winners) if self.view == View::Operator => {
                let lost = |grant: &usize| {
                    let agent = offers.cycle().grants[*grant].candidate.agent;
                    let agent = agent.map(|agent| self.text(self.fleet.world().agents[agent].name));
                    LostTo { offer: offer_id(offers, *grant), agent }
                };
                (winners.count, winners.grants.iter().map(lost).collect())
            }
            _ => (0, Vec::new()),
        };
        Why { kind: why.name(), lost_to_count, lost_to }
    }

    /// A candidate as an offer.
    pub(super) fn offer(&self, id: NeedId, instance: u64, candidate: &Candidate, need_at: usize) -> Offer {
        let (plan, world) = (self.fleet.plan(), self.fleet.world());
        let owner = &plan.frameworks[id.framework];
        let asked = &owner.needs[id.need];
        let (framework, need) = self.names(id);
        let of_agent = candidate.takes.iter().filter(|take| world.stock(take.stock).side == Side::Agent);
        let unreserved = of_agent.map(|take| {
            let stock = world.stock(take.stock);
            (self.text(stock.resource), amounts::taken(plan, stock, &take.amount))
        });
        let volumes = asked.volumes.iter().zip(&candidate.volumes);
        Offer {
            id: format!("{}#{instance}", need_label(plan, id)),
            framework,
            need,
            instance,
            role: self.text(owner.role),
            agent: candidate.agent.map(|agent| self.agent(id, agent)),
            amounts: Parts { unreserved: unreserved.collect() },
            charges: self.charges(candidate),
            volumes: volumes.map(|(volume, grant)| self.volume(id, candidate.agent, volume, grant)).collect(),
            score: self.score(asked, candidate),
            need_at,
        }
    }

    /// What rules charge is the operator's business: a framework sees only what is taken.
    fn charges(&self, candidate: &Candidate) -> Fields<Amount> {
        let (plan, world) = (self.fleet.plan(), self.fleet.world());
        let Some(agent) = candidate.agent.filter(|_| self.view == View::Operator) else {
            return Fields::default();
        };
        let charged = candidate.asked.iter().filter(|(_, _, charged)| *charged != 0);
        let charged = charged.map(|(resource, _, charged)| {
            let dimension = world.agent_stock(agent, *resource).map(|stock| world.stock(stock).dimension);
            let amount = render(dimension.unwrap_or(Dimension::Number), i128::from(*charged));
            (plan.symbols.text(*resource).to_owned(), Amount::Scalar(amount))
        });
        charged.collect()
    }

    fn agent(&self, id: NeedId, at: usize) -> Agent {
        let agent = &self.fleet.world().agents[at];
        let need = &self.fleet.plan().frameworks[id.framework].needs[id.need];
        Agent {
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

    /// The exposed keys of a side that there are.
    fn exposed(&self, id: NeedId, side: Side, agent: Option<usize>, supply: Option<usize>) -> Fields<String> {
        let (plan, world) = (self.fleet.plan(), self.fleet.world());
        let framework = &plan.frameworks[id.framework];
        let subject = Subject { framework, need: &framework.needs[id.need] };
        let scene = Scene { plan, world, ledger: self.ledger, subject, agent, supply, volume: None };
        let columns = plan.broker.exposed.iter().filter(|column| plan.column(**column).side == side);
        columns
            .filter_map(|column| {
                let value = scene.read(*column).ok()?;
                Some((Show::new(plan).key(*column), value.show(&plan.symbols)))
            })
            .collect()
    }

    fn volume(&self, id: NeedId, agent: Option<usize>, volume: &ir::Volume, grant: &VolumeGrant) -> Volume {
        let (plan, world) = (self.fleet.plan(), self.fleet.world());
        let supply = &world.supplies[grant.supply];
        let whole = supply.existing.iter().flat_map(|existing| &existing.whole);
        let whole: Vec<_> = whole.collect();
        let taken = grant.takes.iter().map(|(resource, stock, taken)| {
            let amount = match stock {
                Some(stock) => amounts::taken(plan, world.stock(*stock), taken),
                None => {
                    let own = whole.iter().find(|own| own.0 == *resource);
                    own.map_or(Amount::Scalar(String::new()), |own| amounts::whole(own.1, own.2))
                }
            };
            (self.text(*resource), amount)
        });
        let asked = volume.request.amounts.iter();
        Volume {
            name: self.text(volume.name),
            number: volume.ordinal.0 + 1,
            supply: self.text(supply.path),
            kind: if supply.existing.is_some() { "existing" } else { "carved" },
            domain: supply.placement.domain.map(|domain| self.text(domain)),
            is: self.classes(&volume.request),
            keys: self.exposed(id, Side::Pool, agent, Some(grant.supply)),
            asked: asked.map(|ask| (self.text(ask.resource), amounts::asked(plan, &ask.amount))).collect(),
            taken: taken.collect(),
            waste: render(Dimension::Size, i128::from(grant.waste)),
        }
    }

    fn score(&self, need: &ir::Need, candidate: &Candidate) -> Score {
        let value = candidate.score.show();
        if self.view == View::Framework {
            return Score { value, numerator: None, denominator: None, items: None };
        }
        let exact = (candidate.score.numerator, POINTS * i128::from(candidate.score.volumes.max(1)));
        let (numerator, denominator) = lowest_terms(exact);
        let one = i128::from(MILLION);
        let items = candidate.items.iter().map(|item| Item {
            label: item.label.clone(),
            volume: item.volume.and_then(|at| need.volumes.get(at)).map(|volume| self.text(volume.name)),
            weight: decimal(i128::from(item.weight), one),
            value: item.value.map(|value| decimal(i128::from(value), one)),
        });
        Score {
            value,
            numerator: Some(numerator.to_string()),
            denominator: Some(denominator.to_string()),
            items: Some(items.collect()),
        }
    }

    fn remaining(&self) -> Remaining {
        let (plan, world) = (self.fleet.plan(), self.fleet.world());
        let free =
            |held: &Held| (self.text(held.resource), amounts::free(plan, world, self.ledger, held.stock));
        let agents = world.agents.iter();
        let tiers = world.tiers.iter().filter(|tier| !tier.resources.is_empty());
        Remaining {
            agents: agents
                .map(|agent| (self.text(agent.name), agent.resources.iter().map(free).collect()))
                .collect(),
            pools: tiers
                .map(|tier| (self.text(tier.path), tier.resources.iter().map(free).collect()))
                .collect(),
            roles: Fields::default(),
        }
    }
}

/// One point of a score, in its own unit.
const POINTS: i128 = MILLION as i128 * MILLION as i128;

fn lowest_terms((numerator, denominator): (i128, i128)) -> (i128, i128) {
    let (mut a, mut b) = (numerator.abs(), denominator);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    if a == 0 { (numerator, denominator) } else { (numerator / a, denominator / a) }
}

fn grants(offers: &Offers) -> Vec<Grant> {
    let plan = offers.fleet().plan();
    let grants = offers.cycle().grants.iter().enumerate();
    grants
        .map(|(at, grant)| Grant {
            offer: offer_id(offers, at),
            role: plan.symbols.text(plan.frameworks[grant.id.framework].role).to_owned(),
            share: grant.role_share.to_string(),
        })
        .collect()
}

fn roles(offers: &Offers) -> Vec<Role> {
    let plan = offers.fleet().plan();
    let roles = offers.cycle().roles.iter();
    roles
        .map(|role| Role {
            role: role.path.clone(),
            weight: decimal(i128::from(role.weight), i128::from(MILLION)),
            share: role.dominant.share.to_string(),
            dominant: role
                .dominant
                .resource
                .map(|(side, resource)| format!("{side}.{}", plan.symbols.text(resource))),
        })
        .collect()
}
