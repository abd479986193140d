//! The causes of differences between two versions, and their words.

use indexmap::IndexMap;

use super::{
    VersionOffers,
    pairs::{self, OfferAmount},
};
use crate::{
    ir::{OwnedRule, Plan, Rule},
    matching::Reason,
    output::{
        text::reason_line,
        wire::{Item, Offer},
    },
    quantity::{MILLION, decimal},
    source::{Sources, Span},
};

/// One of the two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WhichVersion {
    /// The old version.
    Old,
    /// The new version.
    New,
}

impl WhichVersion {
    /// The word for the version.
    pub fn name(self) -> &'static str {
        match self {
            WhichVersion::Old => "old",
            WhichVersion::New => "new",
        }
    }
}

/// A position in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePosition {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl FilePosition {
    /// Returns the position of a span.
    pub(super) fn of(sources: &Sources, span: Span) -> FilePosition {
        let at = sources.line_column(span);
        FilePosition { file: sources.get(span.source).name.to_string(), line: at.line, column: at.column }
    }

    /// `file:line:column`
    pub fn show(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The credit of a preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarnedCredit {
    /// The weight.
    pub weight: String,
    /// The part of the weight that was earned. `None` if it is unknown.
    pub value: Option<String>,
}

impl EarnedCredit {
    fn of(item: &Item) -> EarnedCredit {
        EarnedCredit { weight: item.weight.clone(), value: item.value.clone() }
    }

    /// `0.5 × 10`
    pub fn show(&self) -> String {
        format!("{} × {}", self.value.as_deref().unwrap_or("unknown"), self.weight)
    }
}

/// The cause of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DifferenceCause {
    /// A condition of this version rules the candidate out.
    Reason {
        /// The version that has the condition.
        version: WhichVersion,
        /// The reason, as `explain` would give it.
        reason: Box<Reason>,
        /// The volume it is about.
        volume: Option<String>,
        /// The position of the condition.
        place: Option<FilePosition>,
    },
    /// Other offers of a version took the amounts that the candidate lacks.
    Contended {
        /// The version that made the offers.
        version: WhichVersion,
        /// The first of the offers.
        offers: Vec<String>,
        /// The number of offers.
        count: usize,
    },
    /// A preference has another credit. Either the two credits are of one candidate in the two versions, or
    /// both are of one version: of the candidate that it passed over, and of the one that it took.
    Score {
        /// The version that both credits are of. `None` for one credit of each version.
        version: Option<WhichVersion>,
        /// The label of the preference, or its position.
        label: String,
        /// The volume that the preference is about.
        volume: Option<String>,
        /// The credit in the old version, or of the candidate passed over. `None` if there is no such
        /// preference.
        old: Option<EarnedCredit>,
        /// The credit in the new version, or of the candidate taken.
        new: Option<EarnedCredit>,
        /// The weight in the other version, if it differs.
        was: Option<String>,
        /// The position of the preference.
        place: Option<FilePosition>,
    },
    /// An amount differs.
    Amount {
        /// The resource.
        resource: String,
        /// The volume that takes the amount. `None` for the agent.
        volume: Option<String>,
        /// The amount in the old version.
        old: Option<String>,
        /// The amount in the new version.
        new: Option<String>,
        /// The position of a charge on the resource.
        place: Option<FilePosition>,
    },
    /// The need asks for another number of instances.
    Count {
        /// The number in the old version.
        old: u64,
        /// The number in the new version.
        new: u64,
    },
    /// A need, agent, supply or volume is missing in a version.
    Missing {
        /// The version that lacks it.
        version: WhichVersion,
        /// `need`, `agent`, `supply` or `volume`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The need is granted whole or not at all, and does not fit whole in a version.
    Whole {
        /// The version.
        version: WhichVersion,
        /// The number of instances that would fit.
        fitted: u64,
        /// The number of instances wanted.
        wanted: u64,
    },
    /// The scores are equal, and the name decides.
    Tie {
        /// The version.
        version: WhichVersion,
    },
    /// A bound ended the search.
    Bounded {
        /// The version.
        version: WhichVersion,
    },
    /// Neither a condition nor a score separates the candidates: the grants were made in another order.
    Order,
}

impl DifferenceCause {
    /// The name of the cause in a few words, without the values found.
    pub fn name(&self) -> String {
        let at = |place: &Option<FilePosition>, label: &str| match place {
            Some(place) if place.show() == label => String::new(),
            Some(place) => format!(" ({})", place.show()),
            None => String::new(),
        };
        match self {
            DifferenceCause::Reason { version, reason, place, .. } => {
                let side = if place.is_none() { format!(" ({})", version.name()) } else { String::new() };
                format!("{} {}{side}{}", reason.kind.name(), reason.label, at(place, &reason.label))
            }
            DifferenceCause::Contended { .. } => "other offers".to_owned(),
            DifferenceCause::Score { label, place, .. } => format!("prefer {label}{}", at(place, label)),
            DifferenceCause::Amount { resource, place, .. } => format!("amount {resource}{}", at(place, "")),
            DifferenceCause::Count { .. } => "the number of instances".to_owned(),
            DifferenceCause::Missing { what: "volume", .. } => "the volumes asked for".to_owned(),
            DifferenceCause::Missing { version, what, .. } => {
                format!("no such {what} in the {} version", version.name())
            }
            DifferenceCause::Whole { version, .. } => format!("all or nothing ({})", version.name()),
            DifferenceCause::Tie { .. } => "a tie, which goes by name".to_owned(),
            DifferenceCause::Bounded { version } => format!("a bound ended the search ({})", version.name()),
            DifferenceCause::Order => "the order of grants".to_owned(),
        }
    }

    /// The name of the cause in a summary over many needs. Conditions that each need states for itself are
    /// named without their positions, so that they count as one.
    pub fn group(&self) -> String {
        use crate::matching::ReasonKind;
        match self {
            DifferenceCause::Reason { version, reason, .. }
                if !matches!(reason.kind, ReasonKind::Rule | ReasonKind::Class | ReasonKind::Charge) =>
            {
                format!("{} {} ({})", reason.kind.name(), reason.label, version.name())
            }
            DifferenceCause::Amount { resource, place: None, .. } => format!("amount {resource}"),
            other => other.name(),
        }
    }

    /// The values found, in a line. Empty for causes that have none.
    pub fn detail(&self) -> String {
        let of =
            |volume: &Option<String>| volume.as_ref().map_or(String::new(), |volume| format!("{volume}: "));
        let none = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
        match self {
            DifferenceCause::Reason { version, reason, volume, .. } => {
                let line = reason_line(reason);
                let words = line.strip_prefix(&format!("{}: ", reason.label)).unwrap_or(&line);
                let then = if *version == WhichVersion::Old { "in the old version " } else { "" };
                format!("{then}{}{words}", of(volume))
            }
            DifferenceCause::Contended { version, offers, count } => {
                let more = count.saturating_sub(offers.len());
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let version = version.name();
                format!("in the {version} version it went to {}{more}", offers.join(", "))
            }
            DifferenceCause::Score { version, volume, old, new, was, .. } => {
                let (old, new) =
                    (none(old.as_ref().map(EarnedCredit::show)), none(new.as_ref().map(EarnedCredit::show)));
                let was = was.as_ref().map_or(String::new(), |was| format!(" (the weight was {was})"));
                let (was_there, is_here, tense) = match version {
                    None => return format!("{}{old} → {new}", of(volume)),
                    Some(WhichVersion::New) => (old, new, "earns"),
                    Some(WhichVersion::Old) => (new, old, "earned"),
                };
                let volume = of(volume);
                format!("{volume}{tense} {is_here} where it is now, {was_there} where it was{was}")
            }
            DifferenceCause::Amount { volume, old, new, .. } => {
                format!("{}{} → {}", of(volume), none(old.clone()), none(new.clone()))
            }
            DifferenceCause::Count { old, new } => format!("{old} → {new}"),
            DifferenceCause::Missing { name, .. } => format!("`{name}`"),
            DifferenceCause::Whole { fitted, wanted, .. } => format!("{fitted} of {wanted} would fit"),
            DifferenceCause::Tie { .. } | DifferenceCause::Bounded { .. } | DifferenceCause::Order => {
                String::new()
            }
        }
    }
}

/// Indexes the items of a score by label, volume, and number among those with the same label and volume.
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

/// Returns the preferences by which two scores differ. `version` is the version of both, or `None` for one of
/// each.
pub(super) fn items(version: Option<WhichVersion>, old: &[Item], new: &[Item]) -> Vec<DifferenceCause> {
    let (before, after) = (by_label(old), by_label(new));
    let mut keys: Vec<_> = after.keys().copied().collect();
    keys.extend(before.keys().copied().filter(|key| !after.contains_key(key)));
    let mut causes = Vec::new();
    for key in keys {
        let (one, other) = (
            before.get(&key).map(|item| EarnedCredit::of(item)),
            after.get(&key).map(|item| EarnedCredit::of(item)),
        );
        if one != other {
            causes.push(DifferenceCause::Score {
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

/// Chooses the causes of a move among `after`, the causes that keep the instance from its old position in the
/// new version, and `before`, those that kept it from its new position in the old one.
///
/// A condition that rules a position out is stronger than any score. If both lists hold nothing but scores,
/// the preferences that weigh the same in both versions explain nothing and are left out.
pub(super) fn merged(after: Vec<DifferenceCause>, before: Vec<DifferenceCause>) -> Vec<DifferenceCause> {
    let is_weak = |cause: &DifferenceCause| {
        matches!(cause, DifferenceCause::Score { .. } | DifferenceCause::Tie { .. } | DifferenceCause::Order)
    };
    if after.is_empty() || !after.iter().all(is_weak) {
        return if after.is_empty() { before } else { after };
    }
    if !before.iter().all(is_weak) {
        return before;
    }
    // The same preference with equal credits in both versions: the candidate that one version took is the one
    // that the other passed over, so old and new are swapped.
    let is_same = |one: &DifferenceCause, other: &DifferenceCause| match (one, other) {
        (
            DifferenceCause::Score { label, volume, old, new, was: None, .. },
            DifferenceCause::Score { label: other, volume: of, old: taken, new: passed, .. },
        ) => (label, volume, old, new) == (other, of, passed, taken),
        _ => false,
    };
    let has_label = |list: &[DifferenceCause], wanted: &DifferenceCause| {
        let DifferenceCause::Score { label: wanted, .. } = wanted else { return true };
        list.iter().any(|cause| matches!(cause, DifferenceCause::Score { label, .. } if label == wanted))
    };
    let own = after.iter().filter(|cause| matches!(cause, DifferenceCause::Score { .. }));
    let own = own.filter(|one| !before.iter().any(|other| is_same(one, other)));
    let gone = before.iter().filter(|one| !has_label(&after, one));
    let telling: Vec<DifferenceCause> = own.chain(gone).cloned().collect();
    if telling.is_empty() { after } else { telling }
}

/// Iterates over the preferences of a plan.
fn preferences(plan: &Plan) -> impl Iterator<Item = &Rule> {
    plan.rules().filter(OwnedRule::is_preferred).map(|one| one.rule)
}

/// Adds the positions of preferences, and their weights in the other version.
pub(super) fn placed(causes: &mut [DifferenceCause], own: &VersionOffers<'_>, other: &VersionOffers<'_>) {
    let find = |told: &VersionOffers<'_>, wanted: &str| {
        let fleet = told.offers.fleet();
        let rule = preferences(fleet.plan()).find(|rule| rule.label == wanted)?;
        let weight = decimal(i128::from(rule.strength.weight().unwrap_or(0)), i128::from(MILLION));
        Some((weight, FilePosition::of(&fleet.warnings().sources, rule.span)))
    };
    for cause in causes {
        let DifferenceCause::Score { version, label, was, place, .. } = cause else { continue };
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

/// Returns the preferences by which the scores of one candidate differ between the versions.
pub(super) fn scores(
    old: &VersionOffers<'_>,
    new: &VersionOffers<'_>,
    before: &Offer,
    after: &Offer,
) -> Vec<DifferenceCause> {
    let (before, after) = (offer_items(before), offer_items(after));
    let mut causes = items(None, before, after);
    placed(&mut causes, new, old);
    if causes.is_empty() { vec![DifferenceCause::Order] } else { causes }
}

/// Returns the amounts by which two offers differ.
pub(super) fn amounts(
    old: &VersionOffers<'_>,
    new: &VersionOffers<'_>,
    before: &Offer,
    after: &Offer,
) -> Vec<DifferenceCause> {
    let (one, other) = (pairs::taken(before), pairs::taken(after));
    let mut keys: Vec<_> = one.iter().chain(&other).map(|taken| (taken.volume, taken.resource)).collect();
    keys.sort_unstable();
    keys.dedup();
    let find = |list: &[OfferAmount<'_>], key| {
        list.iter().find(|one| (one.volume, one.resource) == key).map(|one| one.amount.clone())
    };
    let mut causes = Vec::new();
    for key in keys {
        let (before, after) = (find(&one, key), find(&other, key));
        if before != after {
            let place = charge(new, key.1).or_else(|| charge(old, key.1)).filter(|_| key.0.is_none());
            causes.push(DifferenceCause::Amount {
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

/// Returns the position of a charge on a resource.
fn charge(told: &VersionOffers<'_>, resource: &str) -> Option<FilePosition> {
    let fleet = told.offers.fleet();
    let plan = fleet.plan();
    let charge = plan.broker.charges.iter().find(|charge| plan.symbols.text(charge.resource) == resource)?;
    Some(FilePosition::of(&fleet.warnings().sources, charge.span))
}
