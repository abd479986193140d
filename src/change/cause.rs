//! What is responsible for a difference.

use indexmap::IndexMap;

use super::{
    Told,
    pairs::{self, Taken},
};
use crate::{
    ir::{Plan, Rule},
    matching::Reason,
    output::{
        text::reason_line,
        wire::{Item, Offer},
    },
    quantity::{MILLION, decimal},
    source::{Sources, Span},
};

/// Which of the two versions something stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// The old one.
    Old,
    /// The new one.
    New,
}

impl Version {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Version::Old => "old",
            Version::New => "new",
        }
    }
}

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// 1-based.
    pub column: u32,
}

impl Place {
    /// The place of a span.
    pub(super) fn of(sources: &Sources, span: Span) -> Place {
        let at = sources.line_column(span);
        Place { file: sources.get(span.source).name.to_string(), line: at.line, column: at.column }
    }

    /// `file:line:column`
    pub fn show(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }
}

/// What a preference earned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earned {
    /// Its weight.
    pub weight: String,
    /// What it earned of it; `None` where it is unknown.
    pub value: Option<String>,
}

impl Earned {
    fn of(item: &Item) -> Earned {
        Earned { weight: item.weight.clone(), value: item.value.clone() }
    }

    /// `0.5 × 10`
    pub fn show(&self) -> String {
        format!("{} × {}", self.value.as_deref().unwrap_or("unknown"), self.weight)
    }
}

/// What is responsible for a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A condition of this version rules the candidate out.
    Reason {
        /// Whose condition.
        version: Version,
        /// Everything about it.
        reason: Box<Reason>,
        /// The volume it is about.
        volume: Option<String>,
        /// Where it stands.
        place: Option<Place>,
    },
    /// Other offers of this version took what it needs.
    Contended {
        /// Whose offers.
        version: Version,
        /// The first of them.
        offers: Vec<String>,
        /// How many there are.
        count: usize,
    },
    /// A preference earned something else: of one candidate in the two versions, or, where it moved, of the candidate
    /// that was passed over and the one that was taken, in this version.
    Score {
        /// In which version the two stand; `None`: one in each.
        version: Option<Version>,
        /// Its label, or its place.
        label: String,
        /// The volume it was asked for.
        volume: Option<String>,
        /// Before, or of the one passed over; `None` where there is no such preference.
        old: Option<Earned>,
        /// After, or of the one taken.
        new: Option<Earned>,
        /// What its weight was, where the other version has another one.
        was: Option<String>,
        /// Where it stands.
        place: Option<Place>,
    },
    /// An amount is another one.
    Amount {
        /// The resource.
        resource: String,
        /// Of which volume; `None`: of the agent.
        volume: Option<String>,
        /// What was taken.
        old: Option<String>,
        /// What is taken.
        new: Option<String>,
        /// Where a charge on it stands.
        place: Option<Place>,
    },
    /// The need asks for another number of instances.
    Count {
        /// In the old version.
        old: u64,
        /// In the new one.
        new: u64,
    },
    /// Something is not there in this version.
    Missing {
        /// In which.
        version: Version,
        /// `need`, `agent`, `supply` or `volume`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The need is granted whole or not at all, and not all of it fits in this version.
    Whole {
        /// In which.
        version: Version,
        /// How many instances would fit.
        fitted: u64,
        /// How many it wants.
        wanted: u64,
    },
    /// Both score the same, and go by name.
    Tie {
        /// In which version.
        version: Version,
    },
    /// A bound ended the search.
    Bounded {
        /// In which version.
        version: Version,
    },
    /// Nothing rules it out and nothing scores less: the order in which grants were made.
    Order,
}

impl Cause {
    /// What is responsible, in few words, without what it found.
    pub fn name(&self) -> String {
        let at = |place: &Option<Place>, label: &str| match place {
            Some(place) if place.show() == label => String::new(),
            Some(place) => format!(" ({})", place.show()),
            None => String::new(),
        };
        match self {
            Cause::Reason { version, reason, place, .. } => {
                let side = if place.is_none() { format!(" ({})", version.name()) } else { String::new() };
                format!("{} {}{side}{}", reason.kind.name(), reason.label, at(place, &reason.label))
            }
            Cause::Contended { .. } => "other offers".to_owned(),
            Cause::Score { label, place, .. } => format!("prefer {label}{}", at(place, label)),
            Cause::Amount { resource, place, .. } => format!("amount {resource}{}", at(place, "")),
            Cause::Count { .. } => "the number of instances".to_owned(),
            Cause::Missing { what: "volume", .. } => "the volumes asked for".to_owned(),
            Cause::Missing { version, what, .. } => {
                format!("no such {what} in the {} version", version.name())
            }
            Cause::Whole { version, .. } => format!("all or nothing ({})", version.name()),
            Cause::Tie { .. } => "a tie, which goes by name".to_owned(),
            Cause::Bounded { version } => format!("a bound ended the search ({})", version.name()),
            Cause::Order => "the order of grants".to_owned(),
        }
    }

    /// What is responsible, where many needs are summed up: what each of them asks for itself goes by its name alone.
    pub fn group(&self) -> String {
        use crate::matching::ReasonKind;
        match self {
            Cause::Reason { version, reason, .. }
                if !matches!(reason.kind, ReasonKind::Rule | ReasonKind::Class | ReasonKind::Charge) =>
            {
                format!("{} {} ({})", reason.kind.name(), reason.label, version.name())
            }
            Cause::Amount { resource, place: None, .. } => format!("amount {resource}"),
            other => other.name(),
        }
    }

    /// What it found, in a line.
    pub fn detail(&self) -> String {
        let of =
            |volume: &Option<String>| volume.as_ref().map_or(String::new(), |volume| format!("{volume}: "));
        let none = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
        match self {
            Cause::Reason { version, reason, volume, .. } => {
                let line = reason_line(reason);
                let words = line.strip_prefix(&format!("{}: ", reason.label)).unwrap_or(&line);
                let then = if *version == Version::Old { "in the old version " } else { "" };
                format!("{then}{}{words}", of(volume))
            }
            Cause::Contended { version, offers, count } => {
                let more = count.saturating_sub(offers.len());
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let version = version.name();
                format!("in the {version} version it went to {}{more}", offers.join(", "))
            }
            Cause::Score { version, volume, old, new, was, .. } => {
                let (old, new) = (none(old.as_ref().map(Earned::show)), none(new.as_ref().map(Earned::show)));
                let was = was.as_ref().map_or(String::new(), |was| format!(" (the weight was {was})"));
                let (was_there, is_here, tense) = match version {
                    None => return format!("{}{old} → {new}", of(volume)),
                    Some(Version::New) => (old, new, "earns"),
                    Some(Version::Old) => (new, old, "earned"),
                };
                let volume = of(volume);
                format!("{volume}{tense} {is_here} where it is now, {was_there} where it was{was}")
            }
            Cause::Amount { volume, old, new, .. } => {
                format!("{}{} → {}", of(volume), none(old.clone()), none(new.clone()))
            }
            Cause::Count { old, new } => format!("{old} → {new}"),
            Cause::Missing { name, .. } => format!("`{name}`"),
            Cause::Whole { fitted, wanted, .. } => format!("{fitted} of {wanted} would fit"),
            Cause::Tie { .. } | Cause::Bounded { .. } | Cause::Order => String::new(),
        }
    }
}

/// Items of a score by label, volume, and which of those that are alike.
fn by_label(items: &[Item]) -> IndexMap<(&str, Option<&str>, usize), &Item> {
    let mut found: IndexMap<(&str, Option<&str>, usize), &Item> = IndexMap::new();
    let mut known: IndexMap<(&str, Option<&str>), usize> = IndexMap::new();
    for item in items {
        let key = (item.label.as_str(), item.volume.as_deref());
        let number = known.entry(key).and_modify(|number| *number += 1).or_insert(0);
        found.insert((key.0, key.1, *number), item);
    }
    found
}

/// The preferences by which two scores differ. `version` says whose they both are, if they are of one.
pub(super) fn items(version: Option<Version>, old: &[Item], new: &[Item]) -> Vec<Cause> {
    let (before, after) = (by_label(old), by_label(new));
    let mut keys: Vec<_> = after.keys().copied().collect();
    keys.extend(before.keys().copied().filter(|key| !after.contains_key(key)));
    let mut causes = Vec::new();
    for key in keys {
        let (one, other) =
            (before.get(&key).map(|item| Earned::of(item)), after.get(&key).map(|item| Earned::of(item)));
        if one != other {
            causes.push(Cause::Score {
                version,
                label: key.0.to_owned(),
                volume: key.1.map(str::to_owned),
                old: one,
                new: other,
                was: None,
                place: None,
            });
        }
    }
    causes
}

/// What is responsible for a move, out of what keeps the instance from where it was in the new version, and what kept
/// it from where it is in the old one. What rules something out says more than scores; of scores, those say something
/// that the two versions have not in common.
pub(super) fn merged(after: Vec<Cause>, before: Vec<Cause>) -> Vec<Cause> {
    let is_weak = |cause: &Cause| matches!(cause, Cause::Score { .. } | Cause::Tie { .. } | Cause::Order);
    if after.is_empty() || !after.iter().all(is_weak) {
        return if after.is_empty() { before } else { after };
    }
    if !before.iter().all(is_weak) {
        return before;
    }
    let is_same = |one: &Cause, other: &Cause| match (one, other) {
        (
            Cause::Score { label, volume, old, new, was: None, .. },
            Cause::Score { label: other, volume: of, old: taken, new: passed, .. },
        ) => (label, volume, old, new) == (other, of, passed, taken),
        _ => false,
    };
    let has_label = |list: &[Cause], wanted: &Cause| {
        let Cause::Score { label: wanted, .. } = wanted else { return true };
        list.iter().any(|cause| matches!(cause, Cause::Score { label, .. } if label == wanted))
    };
    let own = after.iter().filter(|cause| matches!(cause, Cause::Score { .. }));
    let own = own.filter(|one| !before.iter().any(|other| is_same(one, other)));
    let gone = before.iter().filter(|one| !has_label(&after, one));
    let telling: Vec<Cause> = own.chain(gone).cloned().collect();
    if telling.is_empty() { after } else { telling }
}

/// Every preference of a plan.
fn preferences(plan: &Plan) -> impl Iterator<Item = &Rule> {
    let own = plan.agent_rules.iter().chain(&plan.tier_rules).flatten();
    plan.broker.prefers.iter().chain(own).filter(|rule| rule.weight.is_some())
}

/// Says where preferences stand, and what their weights were.
pub(super) fn placed(causes: &mut [Cause], own: &Told<'_>, other: &Told<'_>) {
    let find = |told: &Told<'_>, wanted: &str| {
        let fleet = told.offers.fleet();
        let rule = preferences(fleet.plan()).find(|rule| rule.label == wanted)?;
        let weight = decimal(i128::from(rule.weight.unwrap_or(0)), i128::from(MILLION));
        Some((weight, Place::of(&fleet.warnings().sources, rule.span)))
    };
    for cause in causes {
        let Cause::Score { version, label, was, place, .. } = cause else { continue };
        let (here, there) = (find(own, label), find(other, label));
        if version.is_some()
            && let (Some(here), Some(there)) = (&here, &there)
        {
            *was = Some(there.0.clone()).filter(|weight| *weight != here.0);
        }
        *place = here.or(there).map(|found| found.1);
    }
}

fn offer_items(offer: &Offer) -> &[Item] {
    offer.score.items.as_deref().unwrap_or_default()
}

/// The preferences by which the scores of one candidate differ in the two versions.
pub(super) fn scores(old: &Told<'_>, new: &Told<'_>, before: &Offer, after: &Offer) -> Vec<Cause> {
    let (before, after) = (offer_items(before), offer_items(after));
    let mut causes = items(None, before, after);
    placed(&mut causes, new, old);
    if causes.is_empty() { vec![Cause::Order] } else { causes }
}

/// The amounts by which two offers differ.
pub(super) fn amounts(old: &Told<'_>, new: &Told<'_>, before: &Offer, after: &Offer) -> Vec<Cause> {
    let (one, other) = (pairs::taken(before), pairs::taken(after));
    let mut keys: Vec<_> = one.iter().chain(&other).map(|taken| (taken.volume, taken.resource)).collect();
    keys.sort_unstable();
    keys.dedup();
    let find = |list: &[Taken<'_>], key| {
        list.iter().find(|one| (one.volume, one.resource) == key).map(|one| one.amount.clone())
    };
    let mut causes = Vec::new();
    for key in keys {
        let (before, after) = (find(&one, key), find(&other, key));
        if before != after {
            let place = charge(new, key.1).or_else(|| charge(old, key.1)).filter(|_| key.0.is_none());
            causes.push(Cause::Amount {
                resource: key.1.to_owned(),
                volume: key.0.map(|(name, _)| name.to_owned()),
                old: before,
                new: after,
                place,
            });
        }
    }
    causes
}

/// Where a charge on a resource stands.
fn charge(told: &Told<'_>, resource: &str) -> Option<Place> {
    let fleet = told.offers.fleet();
    let plan = fleet.plan();
    let charge = plan.broker.charges.iter().find(|charge| plan.symbols.text(charge.resource) == resource)?;
    Some(Place::of(&fleet.warnings().sources, charge.span))
}
