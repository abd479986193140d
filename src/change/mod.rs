//! The differences between the offers of two versions of a policy set: offers gained, lost, moved, ranked or
//! sized anew, each with its causes.
//!
//! `pairs` finds which offer of one version corresponds to which of the other. `replay` finds the causes of
//! offers that are gone or elsewhere, and `cause` those that the two offers themselves show. `text`,
//! `markdown` and `wire` print the result. `seen` is the comparison that a framework may see.

mod cause;
mod markdown;
mod pairs;
mod replay;
mod seen;
mod text;
mod wire;

pub use cause::{DifferenceCause, EarnedCredit, FilePosition, WhichVersion};
pub use markdown::markdown;
pub use text::text;
pub use wire::json;

use indexmap::IndexMap;

use crate::{
    Offers,
    cycle::NeedResult,
    matching::NeedId,
    output::{self, Detail, View, wire::Offer},
};
use pairs::OfferPair;
use replay::Replay;

/// The comparison of the offers of two versions of a set.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The needs with any difference, those of the old version first.
    pub needs: Vec<NeedChange>,
    /// The number of needs in either version.
    pub needs_in_all: usize,
    /// The number of offers that are equal in both versions.
    pub kept: usize,
}

/// Compares the offers of two versions of a set, as the framework with this name may see them: its own needs
/// and offers, without causes, which are the operator's. Scores are compared only if both versions expose
/// them. Otherwise an offer that differs in its score alone counts as kept.
pub fn compare_for(old: &Offers, new: &Offers, framework: &str) -> Change {
    seen::compare(old, new, framework)
}

/// The differences of a need.
#[derive(Clone, Debug)]
pub struct NeedChange {
    /// The framework.
    pub framework: String,
    /// The name.
    pub need: String,
    /// The label in texts.
    pub label: String,
    /// The result in the old version. `None` if the need is not there.
    pub old: Option<NeedOutcome>,
    /// The result in the new version. `None` if the need is not there.
    pub new: Option<NeedOutcome>,
    /// The offers that differ.
    pub offers: Vec<OfferChange>,
}

/// The result of a need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedOutcome {
    /// `met`, `partial` or `unmet`.
    pub outcome: &'static str,
    /// The cause for which it got no more: `proved`, `contended` or `bounded`.
    pub why: Option<&'static str>,
    /// The instances wanted.
    pub wanted: u64,
    /// The instances after the cycle, including those from before it.
    pub there: u64,
}

/// The kind of difference of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceKind {
    /// Only the new version makes the offer.
    Gained,
    /// Only the old version makes the offer.
    Lost,
    /// The instance is on another agent or supply.
    Moved,
    /// The offer is in the same position, with another score or in another order.
    Ranked,
    /// The offer is in the same position, with other amounts.
    Sized,
}

impl DifferenceKind {
    /// Every kind, in the order of outputs.
    pub const ALL: [DifferenceKind; 5] = [
        DifferenceKind::Lost,
        DifferenceKind::Gained,
        DifferenceKind::Moved,
        DifferenceKind::Ranked,
        DifferenceKind::Sized,
    ];

    /// The word for the kind.
    pub fn name(self) -> &'static str {
        match self {
            DifferenceKind::Gained => "gained",
            DifferenceKind::Lost => "lost",
            DifferenceKind::Moved => "moved",
            DifferenceKind::Ranked => "re-ranked",
            DifferenceKind::Sized => "resized",
        }
    }
}

/// An offer that differs, with the causes.
#[derive(Clone, Debug)]
pub struct OfferChange {
    /// The kind of difference.
    pub kind: DifferenceKind,
    /// The offer in the old version.
    pub old: Option<Position>,
    /// The offer in the new version.
    pub new: Option<Position>,
    /// The causes, those of conditions first.
    pub causes: Vec<DifferenceCause>,
}

/// The position of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The number of the instance of the need.
    pub instance: u64,
    /// The agent.
    pub agent: Option<String>,
    /// The volumes: name, number from 1, and supply.
    pub volumes: Vec<(String, u32, String)>,
    /// The score.
    pub score: String,
}

impl Position {
    fn of(offer: &Offer) -> Position {
        let volumes = offer.volumes.iter();
        Position {
            instance: offer.instance,
            agent: offer.agent.as_ref().map(|agent| agent.name.clone()),
            volumes: volumes
                .map(|volume| (volume.name.clone(), volume.number, volume.supply.clone()))
                .collect(),
            score: offer.score.value.clone().unwrap_or_default(),
        }
    }
}

impl Change {
    /// Returns `true` if the offers of both versions are equal.
    pub fn is_empty(&self) -> bool {
        self.needs.is_empty()
    }

    /// Counts the offers with a kind of difference.
    pub fn count(&self, kind: DifferenceKind) -> usize {
        self.offers().filter(|offer| offer.kind == kind).count()
    }

    fn offers(&self) -> impl Iterator<Item = &OfferChange> {
        self.needs.iter().flat_map(|need| &need.offers)
    }

    /// Counts the offers that each cause is responsible for, the most frequent cause first.
    pub fn responsible(&self) -> Vec<(String, usize)> {
        let mut counts: IndexMap<String, usize> = IndexMap::new();
        for offer in self.offers() {
            let mut names: Vec<String> = offer.causes.iter().map(DifferenceCause::group).collect();
            names.sort();
            names.dedup();
            names.into_iter().for_each(|name| *counts.entry(name).or_insert(0) += 1);
        }
        let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        counts
    }
}

/// A version, with its needs by name and its offers as the operator sees them.
struct VersionOffers<'a> {
    offers: &'a Offers,
    needs: IndexMap<(String, String), &'a NeedResult>,
    /// The offers, in the order of the grants.
    made: Vec<Offer>,
}

impl<'a> VersionOffers<'a> {
    fn new(offers: &'a Offers) -> VersionOffers<'a> {
        let document = output::document(offers, View::Operator, Detail::None);
        let names = document.needs.iter().map(|need| (need.framework.clone(), need.need.clone()));
        VersionOffers { offers, needs: names.zip(&offers.cycle().needs).collect(), made: document.offers }
    }

    fn label(&self, id: NeedId) -> String {
        id.label(self.offers.fleet().plan())
    }

    fn ended(&self, need: &NeedResult) -> NeedOutcome {
        NeedOutcome {
            outcome: need.outcome.name(),
            why: need.why.as_ref().map(|why| why.kind().name()),
            wanted: need.count,
            there: need.allocated + need.offered,
        }
    }
}

/// Compares the offers of two versions of a set, with the causes of each difference.
pub fn compare(old: &Offers, new: &Offers) -> Change {
    let (old, new) = (VersionOffers::new(old), VersionOffers::new(new));
    let mut names: Vec<&(String, String)> = old.needs.keys().collect();
    names.extend(new.needs.keys().filter(|name| !old.needs.contains_key(*name)));
    let mut change = Change { needs_in_all: names.len(), ..Change::default() };
    let mut open = replay::Questions::default();
    for name in names {
        let (before, after) = (old.needs.get(name).copied(), new.needs.get(name).copied());
        let (pairs, kept) = pairs::of(&old, &new, before, after);
        change.kept += kept;
        let ended = (before.map(|need| old.ended(need)), after.map(|need| new.ended(need)));
        if pairs.is_empty() && ended.0 == ended.1 {
            continue;
        }
        let at = change.needs.len();
        let side = if after.is_some() { &new } else { &old };
        let id = after.or(before).map(|need| need.id);
        change.needs.push(NeedChange {
            framework: name.0.clone(),
            need: name.1.clone(),
            label: id.map_or_else(String::new, |id| side.label(id)),
            old: ended.0,
            new: ended.1,
            offers: Vec::with_capacity(pairs.len()),
        });
        for pair in pairs {
            open.add(&old, &new, &pair, (at, change.needs[at].offers.len()), (before, after));
            change.needs[at].offers.push(told(&old, &new, &pair));
        }
    }
    for ((need, offer), causes) in Replay::all(&old, &new, open) {
        change.needs[need].offers[offer].causes.extend(causes);
    }
    change
}

/// Describes a pair, with the causes that the two offers themselves show.
fn told(old: &VersionOffers<'_>, new: &VersionOffers<'_>, pair: &OfferPair) -> OfferChange {
    let before = pair.old.map(|at| &old.made[at]);
    let after = pair.new.map(|at| &new.made[at]);
    let causes = match (pair.kind, before, after) {
        (DifferenceKind::Ranked, Some(before), Some(after)) => cause::scores(old, new, before, after),
        (DifferenceKind::Sized, Some(before), Some(after)) => cause::amounts(old, new, before, after),
        _ => Vec::new(),
    };
    OfferChange { kind: pair.kind, old: before.map(Position::of), new: after.map(Position::of), causes }
}
