//! A change as a framework may see it.

use indexmap::IndexMap;

use super::{Change, Ended, Kind, Made, NeedChange, OfferChange, Told, pairs};
use crate::{
    Offers,
    matching::NeedId,
    output::{Sight, View},
};

/// A version, as a framework may see it.
struct Version<'a> {
    told: Told<'a>,
    sight: Sight<'a>,
    /// The numbers of its needs in the cycle.
    numbers: IndexMap<NeedId, usize>,
}

impl<'a> Version<'a> {
    fn new(offers: &'a Offers, framework: &str) -> Version<'a> {
        let (told, fleet) = (Told::new(offers), offers.fleet());
        // In a version without the framework, this view sees nothing.
        let view = View::of(fleet, framework).unwrap_or(View::Framework(usize::MAX));
        let sight = Sight::new(offers, view);
        let numbers = sight.needs().map(|(at, need)| (need.id, at)).collect();
        Version { told, sight, numbers }
    }

    fn ended(&self, id: NeedId) -> Option<Ended> {
        let at = *self.numbers.get(&id)?;
        let why = self.sight.why(at).map(|why| why.kind);
        Some(Ended { why, ..self.told.ended(&self.told.offers.cycle().needs[at]) })
    }
}

/// Implements [`super::compare_for`].
pub(super) fn compare(old: &Offers, new: &Offers, framework: &str) -> Change {
    let (old, new) = (Version::new(old, framework), Version::new(new, framework));
    let scores = [&old, &new].iter().all(|version| version.sight.tells_scores());
    let is_own = |name: &&(String, String)| name.0 == framework;
    let mut names: Vec<&(String, String)> = old.told.needs.keys().filter(is_own).collect();
    let fresh = |name: &&(String, String)| !old.told.needs.contains_key(*name);
    names.extend(new.told.needs.keys().filter(is_own).filter(fresh));
    let mut change = Change { needs_in_all: names.len(), ..Change::default() };
    for name in names {
        let of = |version: &Version<'_>| version.told.needs.get(name).map(|need| need.id);
        let (before, after) = (old.told.needs.get(name).copied(), new.told.needs.get(name).copied());
        let (pairs, kept) = pairs::of(&old.told, &new.told, before, after);
        change.kept += kept;
        let made = |version: &Version<'_>, at: usize| {
            let made = Made::of(&version.told.made[at]);
            if scores { made } else { Made { score: String::new(), ..made } }
        };
        let mut offers: Vec<OfferChange> = Vec::new();
        let sized: Vec<_> =
            pairs.iter().filter(|pair| pair.kind == Kind::Sized).map(|pair| pair.old).collect();
        for pair in pairs {
            let (one, other) = (pair.old.map(|at| made(&old, at)), pair.new.map(|at| made(&new, at)));
            if pair.kind == Kind::Ranked && one == other {
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
        let label = of(version).map(|id| version.told.label(id));
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
