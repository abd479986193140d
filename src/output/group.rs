//! Like reasons together: what excludes how many, and how near the nearest came.

use indexmap::IndexMap;

use crate::{
    Offers,
    cycle::NeedResult,
    matching::{Reason, ReasonKind},
    quantity::Quantity,
    symbol::Symbol,
    types::Side,
};

/// How many values of what there is are told of a group.
const NEAREST: usize = 3;

/// Reasons that differ only in whom they exclude and in what there is.
#[derive(Debug)]
pub struct Group<'a> {
    /// The volumes that supplies were tried for, in order.
    pub volumes: Vec<Symbol>,
    /// One of the reasons.
    pub first: &'a Reason,
    /// Distinct values of what there is, nearest to what is wanted first.
    pub have: Vec<&'a str>,
    /// Keys that are absent for some.
    pub absent: Vec<&'a str>,
    /// The agents it excludes, in order.
    pub agents: Vec<usize>,
    /// The supplies it excludes, in order.
    pub supplies: Vec<usize>,
}

type Likeness<'a> = (&'a str, ReasonKind, Side, Option<&'a str>, &'a str, bool);

/// The groups of a need's rejections: those that exclude most come first.
pub fn groups<'a>(offers: &'a Offers, need: &NeedResult) -> Vec<Group<'a>> {
    let (plan, world) = (offers.fleet().plan(), offers.fleet().world());
    let volumes = &plan.frameworks[need.id.framework].needs[need.id.need].volumes;
    let mut by_likeness: IndexMap<Likeness<'a>, usize> = IndexMap::new();
    // A reason stands in few groups, and in many rejections: look its group up by its number.
    // A reason stands in one group, and in many rejections: look its group up by its number.
    let mut by_number: IndexMap<usize, usize> = IndexMap::new();
    let mut groups: Vec<Group<'a>> = Vec::new();
    for rejection in &need.rejections.list {
        let volume = rejection.supply.and_then(|(at, _)| volumes.get(at)).map(|volume| volume.name);
        for number in rejection.reasons.iter() {
            let at = *by_number.entry(*number).or_insert_with(|| {
                let reason = offers.cycle().reason(*number);
                let at = *by_likeness.entry(likeness(reason)).or_insert_with(|| {
                    groups.push(Group::new(reason));
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
    groups.iter_mut().for_each(Group::finish);
    let share = |group: &Group<'_>| {
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

impl<'a> Group<'a> {
    fn new(first: &'a Reason) -> Self {
        Group {
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
            (distance.is_none(), distance, *have)
        });
        self.have.dedup();
        self.have.truncate(NEAREST);
    }
}

/// The first amount in a text such as `>= 2`, `3 free` or `4GiB (takes 8GiB)`.
fn amount_in(text: &str) -> Option<Quantity> {
    text.split([' ', ',']).find_map(|word| Quantity::parse(word).ok())
}
