//! Scores, item by item, as exact fractions.

use super::Matcher;
use crate::{
    engine::Scene,
    ir::{Place, Rule, Volume},
    quantity::{MILLION, decimal, divide_half_even},
    types::Side,
};

/// A score of one need's candidates: a fraction whose denominator is the same for all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score {
    /// In 1 / (10¹² × volumes).
    pub numerator: i128,
    /// The number of volumes, at least 1.
    pub volumes: u32,
}

impl Score {
    /// As a decimal, rounded half to even to six digits.
    pub fn show(self) -> String {
        let one = i128::from(MILLION);
        let rounded = divide_half_even(self.numerator, one * i128::from(self.volumes.max(1)));
        decimal(rounded.unwrap_or(0), one)
    }
}

/// One preference and what it earned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreItem {
    /// Its label, or its place in the source.
    pub label: String,
    /// The volume it was asked for, by its number; `None` for the agent.
    pub volume: Option<usize>,
    /// Its weight, in millionths.
    pub weight: i64,
    /// What it earned, in millionths of the weight: 0 to a million. `None`: unknown, which earns nothing.
    pub value: Option<i64>,
}

impl ScoreItem {
    /// What it adds, in 10⁻¹².
    pub fn numerator(&self) -> i128 {
        i128::from(self.weight) * i128::from(self.value.unwrap_or(0))
    }
}

/// What some preferences add together, in 10⁻¹².
pub(super) fn added<'r>(scene: &Scene<'_>, rules: impl Iterator<Item = &'r Rule>) -> i128 {
    let adds = |rule: &Rule| Some(i128::from(rule.weight?) * i128::from(scene.earned(rule.root)?));
    rules.filter_map(adds).sum()
}

impl<'a> Matcher<'a> {
    fn item(&self, scene: &Scene<'a>, rule: &Rule, volume: Option<usize>) -> ScoreItem {
        let value = scene.earned(rule.root);
        ScoreItem { label: rule.label.clone(), volume, weight: rule.weight.unwrap_or(0), value }
    }

    fn place_item(&self, place: &Place, holds: bool, volume: Option<usize>) -> ScoreItem {
        let value = Some(if holds { MILLION } else { 0 });
        ScoreItem { label: place.kind.label().to_owned(), volume, weight: place.weight.unwrap_or(0), value }
    }

    /// What an agent earns: the preferences that speak of no volume, and the soft places of the need. Places
    /// that speak of this need's volumes count once these are assigned.
    pub fn agent_items(&self, agent: Option<usize>, supplies: &[usize]) -> Vec<ScoreItem> {
        let plan = self.moment.plan;
        let scene = self.scene(agent, None, None);
        let rules = plan.broker.prefers.iter().chain(self.moment.world.rules_of_agent(plan, agent));
        let of_agent = rules.filter(|rule| rule.weight.is_some() && !rule.sides.of_volume());
        // Rules about the agent wait until there is one.
        let apply = of_agent.filter(|rule| agent.is_some() || !rule.sides.has(Side::Agent));
        let mut items: Vec<ScoreItem> = apply.map(|rule| self.item(&scene, rule, None)).collect();
        if let Some(agent) = agent {
            let soft = self.subject.need.places.iter().filter(|place| place.weight.is_some());
            items.extend(
                soft.map(|place| {
                    self.place_item(place, self.agent_place(place, agent, supplies).holds(), None)
                }),
            );
        }
        items
    }

    /// What a supply earns for a volume: the preferences that speak of one, its tiers' own, and its soft places.
    pub(super) fn supply_items(
        &self,
        agent: Option<usize>,
        at: usize,
        volume: &'a Volume,
        supply: usize,
        supplies: &[usize],
    ) -> Vec<ScoreItem> {
        let (plan, world) = (self.moment.plan, self.moment.world);
        let scene = self.scene(agent, Some(supply), Some(volume));
        let own = world.rules_of_agent(plan, agent);
        let shared = plan.broker.prefers.iter().chain(own).filter(|rule| rule.sides.of_volume());
        let rules = shared.chain(world.rules_of_supply(plan, supply)).filter(|rule| rule.weight.is_some());
        let apply = rules.filter(|rule| agent.is_some() || !rule.sides.has(Side::Agent));
        let mut items: Vec<ScoreItem> = apply.map(|rule| self.item(&scene, rule, Some(at))).collect();
        let soft = volume.places.iter().filter(|place| place.weight.is_some());
        items.extend(soft.map(|place| {
            self.place_item(place, self.supply_place(place, supply, supplies, volume).holds(), Some(at))
        }));
        items
    }

    /// What the supplies of all volumes earn.
    pub(super) fn volume_items(&self, agent: Option<usize>, supplies: &[usize]) -> Vec<ScoreItem> {
        let volumes = self.subject.need.volumes.iter().zip(supplies).enumerate();
        let each = volumes
            .map(|(at, (volume, supply))| self.supply_items(agent, at, volume, *supply, &supplies[..at]));
        each.flatten().collect()
    }

    /// The score of all items together: those of volumes are averaged over the need's volumes.
    pub(super) fn total(&self, items: &[ScoreItem]) -> Score {
        let volumes = self.subject.need.volumes.len().max(1);
        let numerator = items.iter().map(|item| {
            let share = if item.volume.is_some() { 1 } else { volumes as i128 };
            item.numerator() * share
        });
        Score { numerator: numerator.sum(), volumes: volumes as u32 }
    }
}
