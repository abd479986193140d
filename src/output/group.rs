//! Groups of like rejections: the number that each excludes, and the values that came nearest to what is
//! wanted.

use indexmap::IndexMap;

use crate::{
    Offers,
    cycle::NeedResult,
    matching::{Reason, ReasonKind},
    quantity::Quantity,
    symbol::Symbol,
    types::Side,
};

/// The number of nearest values that a group shows.
const NEAREST: usize = 3;

/// Reasons that differ only in the rows that they exclude and in the values found there.
#[derive(Debug)]
pub struct ReasonGroup<'a> {
    /// The volumes that supplies were tried for, in order.
    pub volumes: Vec<Symbol>,
    /// One of the reasons.
    pub first: &'a Reason,
    /// The distinct values found, nearest to what is wanted first.
    pub have: Vec<&'a str>,
    /// The keys that are absent from some rows.
    pub absent: Vec<&'a str>,
    /// The excluded agents, in order.
    pub agents: Vec<usize>,
    /// The excluded supplies, in order.
    pub supplies: Vec<usize>,
}

type Likeness<'a> = (&'a str, ReasonKind, Side, Option<&'a str>, &'a str, bool);

/// Returns the groups of a need's rejections. The group that excludes the largest share of agents or of
/// supplies comes first, ties by label and demand.
pub fn groups<'a>(offers: &'a Offers, need: &NeedResult) -> Vec<ReasonGroup<'a>> {
    let (plan, world) = (offers.fleet().plan(), offers.fleet().world());
    let volumes = &plan.frameworks[need.id.framework].needs[need.id.need].volumes;
    let mut by_likeness: IndexMap<Likeness<'a>, usize> = IndexMap::new();
    // A cycle stores each reason once, and many rejections refer to it by number. A group is looked up by
    // that number first, and only for a new reason by its texts.
    let mut by_number: IndexMap<usize, usize> = IndexMap::new();
    let mut groups: Vec<ReasonGroup<'a>> = Vec::new();
    for rejection in &need.rejections.list {
        let volume = rejection.supply.and_then(|(at, _)| volumes.get(at)).map(|volume| volume.name);
        for number in rejection.reasons.iter() {
            let at = *by_number.entry(*number).or_insert_with(|| {
                let reason = offers.cycle().reason(*number);
                let at = *by_likeness.entry(likeness(reason)).or_insert_with(|| {
                    groups.push(ReasonGroup::new(reason));
                    groups.len() - 1
                });
                groups[at].have.extend(reason.have.as_deref());
                groups[at].absent.extend(reason.absent.iter().map(String::as_str));
                at
            });
            let group = &mut groups[at];
            group.agents.extend(rejection.agent);
            group.supplies.extend(rejection.supply.map(|(_, supply)| supply));
            if let Some(volume) = volume
                && !group.volumes.contains(&volume)
            {
                group.volumes.push(volume);
            }
        }
    }
    groups.iter_mut().for_each(ReasonGroup::finish);
    // Shares in millionths, in integers: agents and supplies are compared by the part of all that is
    // excluded.
    let share = |group: &ReasonGroup<'_>| {
        let of = |part: usize, all: usize| part as u128 * 1_000_000 / all.max(1) as u128;
        of(group.agents.len(), world.agents.len()).max(of(group.supplies.len(), world.supplies.len()))
    };
    groups.sort_by(|a, b| {
        share(b)
            .cmp(&share(a))
            .then_with(|| a.first.label.cmp(&b.first.label))
            .then_with(|| a.first.want.cmp(&b.first.want))
    });
    groups
}

fn likeness(reason: &Reason) -> Likeness<'_> {
    let Reason { label, kind, side, key, want, permanent, .. } = reason;
    (label, *kind, *side, key.as_deref(), want, *permanent)
}

impl<'a> ReasonGroup<'a> {
    fn new(first: &'a Reason) -> Self {
        ReasonGroup {
            volumes: Vec::new(),
            first,
            have: Vec::new(),
            absent: Vec::new(),
            agents: Vec::new(),
            supplies: Vec::new(),
        }
    }

    fn finish(&mut self) {
        for list in [&mut self.agents, &mut self.supplies] {
            list.sort_unstable();
            list.dedup();
        }
        self.absent.sort_unstable();
        self.absent.dedup();
        let want = amount_in(&self.first.want);
        self.have.sort_by_cached_key(|have| {
            let distance = match (want, amount_in(have)) {
                (Some(want), Some(have)) if want.dimension == have.dimension => {
                    Some(i128::from(want.amount).abs_diff(i128::from(have.amount)))
                }
                _ => None,
            };
            // Values without a distance, such as texts, come last.
            (distance.is_none(), distance, *have)
        });
        self.have.dedup();
        self.have.truncate(NEAREST);
    }
}

/// Returns the first amount in a text such as `>= 2`, `3 free` or `4GiB (takes 8GiB)`.
fn amount_in(text: &str) -> Option<Quantity> {
    text.split([' ', ',']).find_map(|word| Quantity::parse(word).ok())
}
