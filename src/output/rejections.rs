//! Rejections as wire forms. A cycle may have millions, so each is made at the moment it is written.

use indexmap::IndexMap;
use serde::{Serialize, Serializer};

use super::{
    Detail, VisibleCycle,
    group::{self, ReasonGroup},
    wire::{self, Excluded, ReasonDetail, WireReason},
};
use crate::{
    Offers,
    cycle::{NeedResult, Rejection},
    ir::{Plan, Volume},
    matching,
};

/// The number of excluded rows that a group names.
const NAMES: usize = 10;

/// The rejections of a cycle.
#[derive(Debug)]
pub struct RejectionList<'a> {
    every: Every<'a>,
    detail: Detail,
    /// The obstacles of each need as a framework is told them. `None` if the view sees everything.
    seen: Option<IndexMap<usize, Vec<wire::Group>>>,
}

impl Serialize for RejectionList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let needs = &self.every.offers.cycle().needs;
        match (self.detail, &self.seen) {
            (Detail::None, _) => serializer.collect_seq(std::iter::empty::<()>()),
            (_, Some(seen)) => serializer.collect_seq(seen.values().flatten()),
            (Detail::Grouped, None) => {
                serializer.collect_seq(needs.iter().flat_map(|need| self.every.groups(need)))
            }
            (Detail::All, None) => {
                serializer.collect_seq(needs.iter().flat_map(|need| self.every.each(need)))
            }
        }
    }
}

impl<'a> RejectionList<'a> {
    pub(super) fn new(visible: &VisibleCycle<'a>, detail: Detail) -> RejectionList<'a> {
        // A framework's groups are few and made at once. The operator's are made one by one on writing.
        let seen = || visible.needs().map(|(at, _)| (at, visible.groups(at))).collect();
        RejectionList {
            every: Every { offers: visible.offers },
            detail,
            seen: (!visible.permissions.everything).then(seen),
        }
    }

    /// The level of detail.
    pub fn detail(&self) -> Detail {
        self.detail
    }

    /// Returns `true` if the view may see each rejection, with the names of agents and supplies.
    pub fn tells_each(&self) -> bool {
        self.seen.is_none()
    }

    /// Returns the rejections of a need, given by its number, one by one. Empty if the view may not see them.
    pub fn all_of(&self, need: usize) -> impl Iterator<Item = wire::WireRejection> + use<'a> {
        let need = self.tells_each().then(|| &self.every.offers.cycle().needs[need]);
        let every = self.every;
        need.into_iter().flat_map(move |need| every.each(need))
    }

    /// Returns the rejections of a need, given by its number, in groups.
    pub fn groups_of(&self, need: usize) -> Vec<wire::Group> {
        match &self.seen {
            None => self.every.groups(&self.every.offers.cycle().needs[need]),
            Some(seen) => seen.get(&need).cloned().unwrap_or_default(),
        }
    }
}

/// The rejections as the operator sees them.
#[derive(Clone, Copy, Debug)]
struct Every<'a> {
    offers: &'a Offers,
}

impl<'a> Every<'a> {
    fn plan(&self) -> &'a Plan {
        self.offers.fleet().plan()
    }

    fn names(&self, need: &NeedResult) -> (String, String) {
        let framework = &self.plan().frameworks[need.id.framework];
        let text = |symbol| self.plan().symbols.text(symbol).to_owned();
        (text(framework.name), text(framework.needs[need.id.need].name))
    }

    fn each(&self, need: &'a NeedResult) -> impl Iterator<Item = wire::WireRejection> + use<'a> {
        let list = *self;
        let (framework, name) = self.names(need);
        let volumes = &self.plan().frameworks[need.id.framework].needs[need.id.need].volumes;
        need.rejections.list.iter().map(move |rejection| {
            let names = (framework.clone(), name.clone());
            list.one(rejection, volumes, names)
        })
    }

    fn one(&self, rejection: &Rejection, volumes: &[Volume], names: (String, String)) -> wire::WireRejection {
        let (symbols, world) = (&self.plan().symbols, self.offers.fleet().world());
        let text = |symbol| symbols.text(symbol).to_owned();
        let reasons = rejection.reasons.iter().map(|number| {
            let reason = self.offers.cycle().reason(*number);
            wire_reason(reason, reason.have.iter().cloned().collect(), reason.absent.clone())
        });
        wire::WireRejection {
            framework: names.0,
            need: names.1,
            agent: rejection.agent.map(|agent| text(world.agents[agent].name)),
            volume: rejection.supply.and_then(|(at, _)| volumes.get(at)).map(|volume| text(volume.name)),
            supply: rejection.supply.map(|(_, supply)| text(world.supplies[supply].path)),
            reasons: reasons.collect(),
        }
    }

    fn groups(&self, need: &NeedResult) -> Vec<wire::Group> {
        let (framework, name) = self.names(need);
        let wire = |group: &ReasonGroup<'_>| self.group(group, framework.clone(), name.clone());
        group::groups(self.offers, need).iter().map(wire).collect()
    }

    fn group(&self, group: &ReasonGroup<'_>, framework: String, need: String) -> wire::Group {
        let (symbols, world) = (&self.plan().symbols, self.offers.fleet().world());
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let agents = group.agents.iter().map(|agent| symbols.text(world.agents[*agent].name));
        let supplies = group.supplies.iter().map(|supply| symbols.text(world.supplies[*supply].path));
        wire::Group {
            framework,
            need,
            places: None,
            asked: Vec::new(),
            volumes: group.volumes.iter().map(|volume| symbols.text(*volume).to_owned()).collect(),
            reason: wire_reason(group.first, owned(&group.have), owned(&group.absent)),
            agents: excluded(agents),
            supplies: excluded(supplies),
        }
    }
}

/// Makes the wire form of a reason, as the operator sees it.
pub(super) fn wire_reason(reason: &matching::Reason, have: Vec<String>, absent: Vec<String>) -> WireReason {
    let detail = ReasonDetail {
        side: reason.side.name(),
        key: reason.key.clone(),
        have,
        want: reason.want.clone(),
        absent,
        permanent: reason.permanent,
    };
    WireReason { label: reason.label.clone(), kind: reason.kind.name(), detail: Some(detail) }
}

fn excluded<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Excluded {
    Excluded { count: names.len(), names: names.take(NAMES).map(str::to_owned).collect() }
}
