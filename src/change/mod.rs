//! What a change of a policy set changes of its offers: offers gained, lost, moved, ranked or sized anew, each with what
//! is responsible.

mod against;
mod cause;
mod markdown;
mod pairs;
mod seen;
mod text;
mod wire;

pub use cause::{Cause, Earned, Place, Version};
pub use markdown::markdown;
pub use text::text;
pub use wire::json;

use indexmap::IndexMap;

use crate::{
    Offers,
    cycle::{self, NeedResult},
    matching::NeedId,
    output::{self, Detail, View, wire::Offer},
};
use against::Against;
use pairs::Pair;

/// The offers of two versions of a set, compared.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The needs of which anything is different, those of the old version first.
    pub needs: Vec<NeedChange>,
    /// How many needs there are in either version.
    pub needs_in_all: usize,
    /// How many offers are the same in both.
    pub kept: usize,
}

/// Compares the offers of two versions of a set, as the framework with this name is told of them: its own needs and offers, without
/// what is responsible, which is the operator's. Of scores nothing is told, unless both versions expose them; without, an
/// offer that only scores otherwise is one that is kept.
pub fn compare_for(old: &Offers, new: &Offers, framework: &str) -> Change {
    seen::compare(old, new, framework)
}

/// What is different of one need.
#[derive(Clone, Debug)]
pub struct NeedChange {
    /// Whose it is.
    pub framework: String,
    /// Its name.
    pub need: String,
    /// How it is called in texts.
    pub label: String,
    /// What became of it in the old version; `None` where it is not there.
    pub old: Option<Ended>,
    /// What becomes of it in the new one.
    pub new: Option<Ended>,
    /// Its offers that are different.
    pub offers: Vec<OfferChange>,
}

/// How a need ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// `met`, `partial` or `unmet`.
    pub outcome: &'static str,
    /// `proved`, `contended` or `bounded`, where it got no more.
    pub why: Option<&'static str>,
    /// Instances wanted.
    pub wanted: u64,
    /// Instances there, those before the cycle included.
    pub there: u64,
}

/// How an offer is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Only the new version makes it.
    Gained,
    /// Only the old version made it.
    Lost,
    /// The instance is somewhere else.
    Moved,
    /// It is where it was, with another score or in another order.
    Ranked,
    /// It is where it was, and takes something else.
    Sized,
}

impl Kind {
    /// Every kind, in the order in which they are told.
    pub const ALL: [Kind; 5] = [Kind::Lost, Kind::Gained, Kind::Moved, Kind::Ranked, Kind::Sized];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Gained => "gained",
            Kind::Lost => "lost",
            Kind::Moved => "moved",
            Kind::Ranked => "re-ranked",
            Kind::Sized => "resized",
        }
    }
}

/// An offer that is different, and why.
#[derive(Clone, Debug)]
pub struct OfferChange {
    /// How.
    pub kind: Kind,
    /// Where it was.
    pub old: Option<Made>,
    /// Where it is.
    pub new: Option<Made>,
    /// What is responsible, the first things first.
    pub causes: Vec<Cause>,
}

/// Where an offer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Which instance of the need.
    pub instance: u64,
    /// Its agent.
    pub agent: Option<String>,
    /// Its volumes: name, number from 1, and supply.
    pub volumes: Vec<(String, u32, String)>,
    /// Its score.
    pub score: String,
}

impl Made {
    fn of(offer: &Offer) -> Made {
        let volumes = offer.volumes.iter();
        Made {
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
    /// Whether the offers are the same.
    pub fn is_empty(&self) -> bool {
        self.needs.is_empty()
    }

    /// How many offers are different in this way.
    pub fn count(&self, kind: Kind) -> usize {
        self.offers().filter(|offer| offer.kind == kind).count()
    }

    fn offers(&self) -> impl Iterator<Item = &OfferChange> {
        self.needs.iter().flat_map(|need| &need.offers)
    }

    /// How many offers each thing is responsible for, those of most first.
    pub fn responsible(&self) -> Vec<(String, usize)> {
        let mut counts: IndexMap<String, usize> = IndexMap::new();
        for offer in self.offers() {
            let mut names: Vec<String> = offer.causes.iter().map(Cause::group).collect();
            names.sort();
            names.dedup();
            names.into_iter().for_each(|name| *counts.entry(name).or_insert(0) += 1);
        }
        let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        counts
    }
}

/// One version, with its needs by name and its offers as they are told.
struct Told<'a> {
    offers: &'a Offers,
    needs: IndexMap<(String, String), &'a NeedResult>,
    /// In the order of the grants.
    made: Vec<Offer>,
}

impl<'a> Told<'a> {
    fn new(offers: &'a Offers) -> Told<'a> {
        let document = output::document(offers, View::Operator, Detail::None);
        let names = document.needs.iter().map(|need| (need.framework.clone(), need.need.clone()));
        Told { offers, needs: names.zip(&offers.cycle().needs).collect(), made: document.offers }
    }

    fn label(&self, id: NeedId) -> String {
        output::need_label(self.offers.fleet().plan(), id)
    }

    fn ended(&self, need: &NeedResult) -> Ended {
        Ended {
            outcome: need.outcome.name(),
            why: need.why.as_ref().map(cycle::Why::name),
            wanted: need.count,
            there: need.allocated + need.offered,
        }
    }
}

/// Compares the offers of two versions of a set. What is responsible is found by holding each candidate of the one
/// against the rules of the other, at the moment when the other decided.
pub fn compare(old: &Offers, new: &Offers) -> Change {
    let (old, new) = (Told::new(old), Told::new(new));
    let mut names: Vec<&(String, String)> = old.needs.keys().collect();
    names.extend(new.needs.keys().filter(|name| !old.needs.contains_key(*name)));
    let mut change = Change { needs_in_all: names.len(), ..Change::default() };
    let mut open = against::Open::default();
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
    for ((need, offer), causes) in Against::all(&old, &new, open) {
        change.needs[need].offers[offer].causes.extend(causes);
    }
    change
}

/// A pair as it is told, with the causes that are plain from the two offers.
fn told(old: &Told<'_>, new: &Told<'_>, pair: &Pair) -> OfferChange {
    let before = pair.old.map(|at| &old.made[at]);
    let after = pair.new.map(|at| &new.made[at]);
    let causes = match (pair.kind, before, after) {
        (Kind::Ranked, Some(before), Some(after)) => cause::scores(old, new, before, after),
        (Kind::Sized, Some(before), Some(after)) => cause::amounts(old, new, before, after),
        _ => Vec::new(),
    };
    OfferChange { kind: pair.kind, old: before.map(Made::of), new: after.map(Made::of), causes }
}
