//! A change as a framework may see it.

use indexmap::IndexMap;

use super::{Change, DifferenceKind, NeedChange, NeedOutcome, OfferChange, Position, VersionOffers, pairs};
use crate::{
    Offers,
    matching::NeedId,
    output::{View, VisibleCycle},
};

/// A version, as a framework may see it.
struct VisibleVersion<'a> {
    version_offers: VersionOffers<'a>,
    visible: VisibleCycle<'a>,
    /// The numbers of its needs in the cycle.
    numbers: IndexMap<NeedId, usize>,
}

impl<'a> VisibleVersion<'a> {
    fn new(offers: &'a Offers, framework: &str) -> VisibleVersion<'a> {
        let (version_offers, fleet) = (VersionOffers::new(offers), offers.fleet());
        // In a version without the framework, this view sees nothing.
        let view = View::of(fleet, framework).unwrap_or(View::Framework(usize::MAX));
        let visible = VisibleCycle::new(offers, view);
        let numbers = visible.needs().map(|(at, need)| (need.id, at)).collect();
        VisibleVersion { version_offers, visible, numbers }
    }

    fn ended(&self, id: NeedId) -> Option<NeedOutcome> {
        let at = *self.numbers.get(&id)?;
        let why = self.visible.why(at).map(|why| why.kind.name());
        Some(NeedOutcome { why, ..self.version_offers.ended(&self.version_offers.offers.cycle().needs[at]) })
    }
}

/// Implements [`super::compare_for`].
pub(super) fn compare(old: &Offers, new: &Offers, framework: &str) -> Change {
    let (old, new) = (VisibleVersion::new(old, framework), VisibleVersion::new(new, framework));
    let scores = [&old, &new].iter().all(|version| version.visible.tells_scores());
    let is_own = |name: &&(String, String)| name.0 == framework;
    let mut names: Vec<&(String, String)> = old.version_offers.needs.keys().filter(is_own).collect();
    let fresh = |name: &&(String, String)| !old.version_offers.needs.contains_key(*name);
    names.extend(new.version_offers.needs.keys().filter(is_own).filter(fresh));
    let mut change = Change { needs_in_all: names.len(), ..Change::default() };
    for name in names {
        let of = |version: &VisibleVersion<'_>| version.version_offers.needs.get(name).map(|need| need.id);
        let (before, after) =
            (old.version_offers.needs.get(name).copied(), new.version_offers.needs.get(name).copied());
        let (pairs, kept) = pairs::of(&old.version_offers, &new.version_offers, before, after);
        change.kept += kept;
        let made = |version: &VisibleVersion<'_>, at: usize| {
            let made = Position::of(&version.version_offers.made[at]);
            if scores { made } else { Position { score: String::new(), ..made } }
        };
        let mut offers: Vec<OfferChange> = Vec::new();
        let sized: Vec<_> =
            pairs.iter().filter(|pair| pair.kind == DifferenceKind::Sized).map(|pair| pair.old).collect();
        for pair in pairs {
            let (one, other) = (pair.old.map(|at| made(&old, at)), pair.new.map(|at| made(&new, at)));
            if pair.kind == DifferenceKind::Ranked && one == other {
                // The framework may not see that the scores differ.
                change.kept += usize::from(!sized.contains(&pair.old));
                continue;
            }
            offers.push(OfferChange { kind: pair.kind, old: one, new: other, causes: Vec::new() });
        }
        let ended = (of(&old).and_then(|id| old.ended(id)), of(&new).and_then(|id| new.ended(id)));
        if offers.is_empty() && ended.0 == ended.1 {
            continue;
        }
        let version = if after.is_some() { &new } else { &old };
        let label = of(version).map(|id| version.version_offers.label(id));
        change.needs.push(NeedChange {
            framework: name.0.clone(),
            need: name.1.clone(),
            label: label.unwrap_or_default(),
            old: ended.0,
            new: ended.1,
            offers,
        });
    }
    change
}
