//! Scores of candidates, item by item, as exact fractions.
//!
//! An item earns its weight (millionths) times its value (millionths), so it is counted in 10⁻¹². The
//! items of volumes are averaged over the volumes of the need. To keep that exact, all items are brought
//! to the denominator 10¹² × volumes instead of being divided, and scores of one need compare by their
//! numerators.

use super::{Matcher, demand::preferred};
use crate::{
    engine::Scene,
    ir::{OwnedRule, Place, Rule, Volume},
    quantity::{MILLION, decimal, divide_half_even},
};

/// The score of a candidate: a fraction with the same denominator for all candidates of a need. The
/// derived order relies on that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score {
    /// The numerator, in units of 1 / (10¹² × `volumes`).
    pub numerator: i128,
    /// The number of volumes, at least 1.
    pub volumes: u32,
}

impl Score {
    /// Formats the score as a decimal, rounded half to even to six digits.
    pub fn show(self) -> String {
        let one = i128::from(MILLION);
        let rounded = divide_half_even(self.numerator, one * i128::from(self.volumes.max(1)));
        decimal(rounded.unwrap_or(0), one)
    }
}

/// One preference or soft place, and the value it earned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreItem {
    /// The label, or the position in the source.
    pub label: String,
    /// The number of the volume that the item is about. `None`: the agent.
    pub volume: Option<usize>,
    /// The weight, in millionths.
    pub weight: i64,
    /// The value earned, in millionths of the weight: 0 to 1,000,000. `None`: unknown, which earns
    /// nothing.
    pub value: Option<i64>,
}

impl ScoreItem {
    /// Returns the contribution of the item, in 10⁻¹², before it is averaged over the volumes.
    pub fn numerator(&self) -> i128 {
        i128::from(self.weight) * i128::from(self.value.unwrap_or(0))
    }
}

/// Returns the sum of the contributions of preferences, in 10⁻¹². Requirements add nothing.
pub(super) fn added<'r>(scene: &Scene<'_>, rules: impl Iterator<Item = OwnedRule<'r>>) -> i128 {
    let adds = |one: OwnedRule<'_>| {
        Some(i128::from(one.rule.strength.weight()?) * i128::from(scene.earned(one.rule.root)?))
    };
    rules.filter_map(adds).sum()
}

impl<'a> Matcher<'a> {
    fn item(&self, scene: &Scene<'a>, rule: &Rule, volume: Option<usize>) -> ScoreItem {
        let value = scene.earned(rule.root);
        ScoreItem { label: rule.label.clone(), volume, weight: rule.strength.weight().unwrap_or(0), value }
    }

    fn place_item(&self, place: &Place, holds: bool, volume: Option<usize>) -> ScoreItem {
        let value = Some(if holds { MILLION } else { 0 });
        ScoreItem {
            label: place.kind.label().to_owned(),
            volume,
            weight: place.strength.weight().unwrap_or(0),
            value,
        }
    }

    /// Returns the items of an agent: the preferences that read no volume, and the soft places of the
    /// need. Places that refer to volumes of the need see those of `supplies` only.
    pub fn agent_items(&self, agent: Option<usize>, supplies: &[usize]) -> Vec<ScoreItem> {
        let scene = self.scene(agent, None, None);
        let apply = self.demand().of_agent(agent).filter(OwnedRule::is_preferred);
        let mut items: Vec<ScoreItem> = apply.map(|one| self.item(&scene, one.rule, None)).collect();
        if let Some(agent) = agent {
            let soft = preferred(&self.subject.need.places);
            items.extend(
                soft.map(|place| {
                    self.place_item(place, self.agent_place(place, agent, supplies).holds(), None)
                }),
            );
        }
        items
    }

    /// Returns the items of a supply for a volume: the preferences that read a volume or supply, those of
    /// the supply's tiers, and the soft places of the volume. `supplies` are those of the volumes before
    /// it.
    pub(super) fn supply_items(
        &self,
        agent: Option<usize>,
        at: usize,
        volume: &'a Volume,
        supply: usize,
        supplies: &[usize],
    ) -> Vec<ScoreItem> {
        let scene = self.scene(agent, Some(supply), Some(volume));
        let apply = self.demand().of_supply(agent, supply).filter(OwnedRule::is_preferred);
        let mut items: Vec<ScoreItem> = apply.map(|one| self.item(&scene, one.rule, Some(at))).collect();
        let soft = preferred(&volume.places);
        items.extend(soft.map(|place| {
            self.place_item(place, self.supply_place(place, supply, supplies, volume).holds(), Some(at))
        }));
        items
    }

    /// Returns the items of the supplies of all volumes.
    pub(super) fn volume_items(&self, agent: Option<usize>, supplies: &[usize]) -> Vec<ScoreItem> {
        let volumes = self.subject.need.volumes.iter().zip(supplies).enumerate();
        let each = volumes
            .map(|(at, (volume, supply))| self.supply_items(agent, at, volume, *supply, &supplies[..at]));
        each.flatten().collect()
    }

    /// Returns the score of all items. Items of volumes are averaged over the volumes of the need.
    pub(super) fn total(&self, items: &[ScoreItem]) -> Score {
        let volumes = self.subject.need.volumes.len().max(1);
        let numerator = items.iter().map(|item| {
            // Over the common denominator, an item of the agent counts once for each volume.
            let share = if item.volume.is_some() { 1 } else { volumes as i128 };
            item.numerator() * share
        });
        Score { numerator: numerator.sum(), volumes: volumes as u32 }
    }
}
