//! The correspondence between the offers of two versions. The instances of a need are interchangeable, so
//! offers are matched by their positions and not by their numbers.
//!
//! Offers in equal positions are one instance. Of the rest, a lost and a gained offer on the same agent are a
//! moved instance, then any lost and any gained one. Only the surplus of one list is lost or gained.

use std::collections::{BTreeMap, VecDeque};

use super::{DifferenceKind, VersionOffers};
use crate::{
    cycle::NeedResult,
    output::wire::{Offer, WrittenAmount},
};

/// A pair of offers that are one instance, or a single offer without a counterpart, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OfferPair {
    pub kind: DifferenceKind,
    pub old: Option<usize>,
    pub new: Option<usize>,
}

/// The position of an offer: its agent, and the supplies of its volumes by name.
type OfferPosition<'a> = (Option<&'a str>, Vec<(&'a str, &'a str)>);

fn spot(offer: &Offer) -> OfferPosition<'_> {
    let volumes = offer.volumes.iter();
    let mut supplies: Vec<_> = volumes.map(|volume| (volume.name.as_str(), volume.supply.as_str())).collect();
    supplies.sort_unstable();
    (agent(offer), supplies)
}

fn agent(offer: &Offer) -> Option<&str> {
    offer.agent.as_ref().map(|agent| agent.name.as_str())
}

/// Returns the pairs of a need that differ, and the number of offers that do not.
pub(super) fn of(
    old: &VersionOffers<'_>,
    new: &VersionOffers<'_>,
    before: Option<&NeedResult>,
    after: Option<&NeedResult>,
) -> (Vec<OfferPair>, usize) {
    let mut lost: VecDeque<usize> = VecDeque::new();
    let mut there: BTreeMap<OfferPosition<'_>, VecDeque<usize>> = BTreeMap::new();
    for at in after.iter().flat_map(|need| &need.grants) {
        there.entry(spot(&new.made[*at])).or_default().push_back(*at);
    }
    let mut same: Vec<(usize, usize)> = Vec::new();
    for at in before.iter().flat_map(|need| &need.grants) {
        match there.get_mut(&spot(&old.made[*at])).and_then(VecDeque::pop_front) {
            Some(other) => same.push((*at, other)),
            None => lost.push_back(*at),
        }
    }
    let mut gained: Vec<usize> = there.into_values().flatten().collect();
    gained.sort_unstable();
    let mut pairs = moved(old, new, &mut lost, &mut gained);
    let (others, kept) = in_place(old, new, &same);
    pairs.extend(others);
    let alone = |kind, old, new| OfferPair { kind, old, new };
    pairs.extend(lost.into_iter().map(|at| alone(DifferenceKind::Lost, Some(at), None)));
    pairs.extend(gained.into_iter().map(|at| alone(DifferenceKind::Gained, None, Some(at))));
    pairs.sort_by_key(|pair| {
        let kind = DifferenceKind::ALL.iter().position(|kind| *kind == pair.kind);
        (kind, pair.old.is_none(), pair.old, pair.new)
    });
    (pairs, kept)
}

/// Pairs lost offers with gained ones, those on the same agent first, and removes them from both lists.
fn moved(
    old: &VersionOffers<'_>,
    new: &VersionOffers<'_>,
    lost: &mut VecDeque<usize>,
    gained: &mut Vec<usize>,
) -> Vec<OfferPair> {
    let mut pairs = Vec::new();
    let mut by_agent: BTreeMap<Option<&str>, VecDeque<usize>> = BTreeMap::new();
    for at in gained.iter() {
        by_agent.entry(agent(&new.made[*at])).or_default().push_back(*at);
    }
    let mut pair = |old: usize, new: usize| {
        pairs.push(OfferPair { kind: DifferenceKind::Moved, old: Some(old), new: Some(new) });
    };
    lost.retain(|at| match by_agent.get_mut(&agent(&old.made[*at])).and_then(VecDeque::pop_front) {
        Some(other) => {
            pair(*at, other);
            false
        }
        None => true,
    });
    let mut rest: Vec<usize> = by_agent.into_values().flatten().collect();
    rest.sort_unstable();
    let both = rest.len().min(lost.len());
    for (old, new) in lost.drain(..both).zip(rest.drain(..both)) {
        pair(old, new);
    }
    *gained = rest;
    pairs
}

/// Compares the offers that stay in their positions. Returns those that are ranked or sized otherwise, and
/// the number of those kept.
fn in_place(
    old: &VersionOffers<'_>,
    new: &VersionOffers<'_>,
    same: &[(usize, usize)],
) -> (Vec<OfferPair>, usize) {
    let mut order: Vec<usize> = same.iter().map(|(_, new)| *new).collect();
    order.sort_unstable();
    let mut pairs = Vec::new();
    let mut kept = 0;
    for (rank, (before, after)) in same.iter().enumerate() {
        // The offers that stay, in the order of the new version: an offer is in another order if another
        // number is at its rank.
        let (one, other) = (&old.made[*before], &new.made[*after]);
        let is_ranked = order[rank] != *after || exact(one) != exact(other);
        let is_sized = taken(one) != taken(other);
        for (is_so, kind) in [(is_ranked, DifferenceKind::Ranked), (is_sized, DifferenceKind::Sized)] {
            if is_so {
                pairs.push(OfferPair { kind, old: Some(*before), new: Some(*after) });
            }
        }
        kept += usize::from(!is_ranked && !is_sized);
    }
    (pairs, kept)
}

fn exact(offer: &Offer) -> (&Option<String>, &Option<String>) {
    (&offer.score.numerator, &offer.score.denominator)
}

/// An amount that an offer takes.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OfferAmount<'a> {
    /// The name and number of the volume that takes it. `None` for the agent.
    pub volume: Option<(&'a str, u32)>,
    pub resource: &'a str,
    pub amount: String,
}

/// Returns the amounts that an offer takes, sorted.
pub(super) fn taken(offer: &Offer) -> Vec<OfferAmount<'_>> {
    let one = |volume, resource, amount: &WrittenAmount| OfferAmount {
        volume,
        resource,
        amount: amount.to_string(),
    };
    let of_agent = offer.taken.0.iter().map(|(name, amount)| one(None, name.as_str(), amount));
    let of_volumes = offer.volumes.iter().flat_map(|volume| {
        let whose = Some((volume.name.as_str(), volume.number));
        volume.taken.0.iter().map(move |(name, amount)| one(whose, name.as_str(), amount))
    });
    let mut all: Vec<_> = of_agent.chain(of_volumes).collect();
    all.sort();
    all
}
