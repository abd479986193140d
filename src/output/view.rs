//! The view of a reader, and the permissions that come with it. This is the only place that decides what a
//! reader may see: outputs consult a [`VisibleCycle`] or [`Permissions`], and never the view itself.
//!
//! The rule for frameworks is invariant 12 of `ARCHITECTURE.md`; `docs/security.md` gives the reasons.

use indexmap::{IndexMap, IndexSet};

use super::wire::{Excluded, Group, LostTo, WireReason, WireWhy};
use crate::{
    Error, Fleet, Offers,
    cycle::{self, NeedResult, WhyKind},
    diagnostic::{Code, Diagnostic, Report},
    explain::{self, Barrier, Barriers, PlaceClass},
    ir::{Disclosed, Plan, Request},
    matching::NeedId,
    policy::FrameworkPart,
};

/// A reader of outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// The operator, who sees everything.
    #[default]
    Operator,
    /// A framework, by its number in the plan. It sees its own needs and offers, and nothing of others.
    Framework(usize),
}

impl View {
    /// Returns the view of the framework with a name.
    ///
    /// # Errors
    /// No framework has the name. The error does not name others.
    pub fn of(fleet: &Fleet, name: &str) -> Result<View, Error> {
        let plan = fleet.plan();
        let found = plan.frameworks.iter().position(|known| plan.symbols.text(known.name) == name);
        found.map(View::Framework).ok_or_else(|| {
            let message = format!("no framework is named `{name}`");
            let problem = Diagnostic::without_place(Code::B0903, message);
            let help = "write the framework's name as it is declared; a need at the top of a file is one of its own name";
            Error::new(Report { diagnostics: vec![problem.help(help)], ..Report::default() })
        })
    }

    /// Iterates over the views of all frameworks, in order of declaration.
    pub fn each(fleet: &Fleet) -> impl Iterator<Item = View> {
        (0..fleet.plan().frameworks.len()).map(View::Framework)
    }

    /// The word for the view in outputs.
    pub fn name(self) -> &'static str {
        match self {
            View::Operator => "operator",
            View::Framework(_) => "framework",
        }
    }

    /// The name of the framework.
    pub fn framework(self, plan: &Plan) -> Option<&str> {
        match self {
            View::Operator => None,
            View::Framework(at) => plan.frameworks.get(at).map(|known| plan.symbols.text(known.name)),
        }
    }

    /// Returns `true` if the reader may know of a need.
    pub fn sees(self, id: NeedId) -> bool {
        match self {
            View::Operator => true,
            View::Framework(at) => id.framework == at,
        }
    }

    /// Returns the permissions of the view.
    pub fn permissions(self, plan: &Plan) -> Permissions {
        let operator = self == View::Operator;
        let Disclosed { counts, scores } = plan.broker.disclosed;
        Permissions { everything: operator, counts: operator || counts, scores: operator || scores }
    }

    /// Returns the needs that a name denotes among those that the reader sees: `FRAMEWORK.NEED`, the name of
    /// a need, or the name of the framework.
    ///
    /// # Errors
    /// No need that the reader sees has the name. Needs of others are treated as absent.
    pub fn needs(self, fleet: &Fleet, name: &str) -> Result<Vec<NeedId>, Error> {
        fleet.needs_among(name, |id| self.sees(id))
    }
}

/// The permissions of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// True if the reader may see all values, names, numbers, remainders and owners.
    pub everything: bool,
    /// True if the reader may see the number of agents and pools that a reason excludes.
    pub counts: bool,
    /// True if the reader may see the scores of offers, rounded.
    pub scores: bool,
}

/// A cycle as a reader sees it. Make it once per output: for a framework, making it computes the obstacles of
/// every need that misses instances.
pub struct VisibleCycle<'a> {
    pub(super) offers: &'a Offers,
    pub(super) view: View,
    pub(super) permissions: Permissions,
    /// The needs that are asked for. `None` for all.
    only: Option<IndexSet<NeedId>>,
    /// The obstacles of the needs that miss instances, by the number of the need in the cycle. Empty for the
    /// operator.
    barriers: IndexMap<usize, Barriers>,
}

impl<'a> VisibleCycle<'a> {
    /// Makes the sight of a cycle.
    pub fn new(offers: &'a Offers, view: View) -> VisibleCycle<'a> {
        VisibleCycle::make(offers, view, None)
    }

    /// Makes the sight of a cycle, restricted to some of its needs.
    pub fn only(offers: &'a Offers, view: View, needs: &[NeedId]) -> VisibleCycle<'a> {
        VisibleCycle::make(offers, view, Some(needs.iter().copied().collect()))
    }

    fn make(offers: &'a Offers, view: View, only: Option<IndexSet<NeedId>>) -> VisibleCycle<'a> {
        let permissions = view.permissions(offers.fleet().plan());
        let mut visible = VisibleCycle { offers, view, permissions, only, barriers: IndexMap::new() };
        if !permissions.everything {
            let _run = offers.fleet().plugin_run();
            let told = visible.needs().filter(|(_, need)| need.missing() > 0);
            let barriers = told.map(|(at, need)| (at, explain::barriers_in_run(offers.fleet(), need.id)));
            visible.barriers = barriers.collect();
        }
        visible
    }

    fn is_asked_for(&self, id: NeedId) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&id))
    }

    /// Returns the positions that the view sees of `all` needs or grants: every one for the operator, those of
    /// its part for a framework, and none for a framework that there is not.
    fn seen(&self, all: usize, of: impl FnOnce(&FrameworkPart) -> &Vec<usize>) -> Vec<usize> {
        match self.view {
            View::Operator => (0..all).collect(),
            View::Framework(at) => self.offers.of_framework(at).map(of).cloned().unwrap_or_default(),
        }
    }

    /// Iterates over the visible needs, with their numbers in the cycle.
    pub fn needs(&self) -> impl Iterator<Item = (usize, &'a NeedResult)> {
        let needs = &self.offers.cycle().needs;
        let seen = self.seen(needs.len(), |part| &part.needs).into_iter().map(|at| (at, &needs[at]));
        seen.filter(|(_, need)| self.is_asked_for(need.id))
    }

    /// Returns the visible offers, by their numbers in the cycle. A framework gets its offers in the order of
    /// its needs, because the order of the cycle would tell when others were served.
    pub fn grants(&self) -> Vec<usize> {
        let grants = &self.offers.cycle().grants;
        let mut seen = self.seen(grants.len(), |part| &part.grants);
        seen.retain(|at| self.is_asked_for(grants[*at].id));
        if !self.permissions.everything {
            seen.sort_by_key(|at| (grants[*at].id, grants[*at].instance));
        }
        seen
    }

    /// Returns `true` if the reader may see the scores of offers.
    pub fn tells_scores(&self) -> bool {
        self.permissions.scores
    }

    /// Returns the cause for which a need got no more. A framework only learns if any place fits the need by
    /// itself. It does not learn if such a place was free and went to others.
    pub fn why(&self, at: usize) -> Option<WireWhy> {
        let need = &self.offers.cycle().needs[at];
        if let Some(barriers) = self.barriers.get(&at) {
            let kind = why_seen(barriers);
            return Some(WireWhy { kind, cut: None, lost_to_count: 0, lost_to: Vec::new() });
        }
        let cut = need.cut.map(cycle::Cut::words);
        let why = need.why.as_ref().filter(|_| self.permissions.everything);
        why.map(|why| WireWhy { cut, ..self.why_exact(why) })
    }

    fn why_exact(&self, why: &cycle::Why) -> WireWhy {
        let (fleet, cycle) = (self.offers.fleet(), self.offers.cycle());
        let plan = fleet.plan();
        let lost = |grant: &usize| {
            let agent = cycle.grants[*grant].candidate.agent;
            let agent = agent.map(|agent| plan.symbols.text(fleet.world().agents[agent].name).to_owned());
            let grant = &cycle.grants[*grant];
            LostTo { offer: grant.id.offer_id(plan, grant.instance), agent }
        };
        let (lost_to_count, lost_to) = match why {
            cycle::Why::Contended(winners) => (winners.count, winners.grants.iter().map(lost).collect()),
            _ => (0, Vec::new()),
        };
        WireWhy { kind: why.kind(), cut: None, lost_to_count, lost_to }
    }

    /// Returns the obstacles of a need, as its framework is told them.
    pub(super) fn groups(&self, at: usize) -> Vec<Group> {
        let id = self.offers.cycle().needs[at].id;
        self.barriers
            .get(&at)
            .map_or_else(Vec::new, |known| groups(self.offers.fleet(), self.permissions, id, known))
    }
}

/// Returns `proved` if no place fits the need, else `contended`.
pub(super) fn why_seen(barriers: &Barriers) -> WhyKind {
    if barriers.open { WhyKind::Contended } else { WhyKind::Proved }
}

/// Makes reasons of the obstacles of a need.
pub(super) fn groups(fleet: &Fleet, permissions: Permissions, id: NeedId, barriers: &Barriers) -> Vec<Group> {
    let plan = fleet.plan();
    let framework = &plan.frameworks[id.framework];
    let empty = || Group {
        framework: plan.symbols.text(framework.name).to_owned(),
        need: plan.symbols.text(framework.needs[id.need].name).to_owned(),
        places: None,
        volumes: Vec::new(),
        asked: Vec::new(),
        reason: WireReason { label: String::new(), kind: "", detail: None },
        agents: Excluded::default(),
        supplies: Excluded::default(),
    };
    let counted = |count: u64| Excluded {
        count: if permissions.counts { count as usize } else { 0 },
        names: Vec::new(),
    };
    let one = |barrier: &Barrier| {
        let (places, volume, agents, supplies) = match &barrier.places {
            PlaceClass::Agents => ("agents", None, barrier.count, 0),
            PlaceClass::Storage(volume) => ("storage", Some(volume.clone()), 0, barrier.count),
            PlaceClass::Both(volume) => ("both", Some(volume.clone()), 0, 0),
        };
        Group {
            places: Some(places),
            volumes: volume.into_iter().collect(),
            reason: WireReason { label: barrier.label.clone(), kind: barrier.kind, detail: None },
            agents: counted(agents),
            supplies: counted(supplies),
            ..empty()
        }
    };
    let mut groups: Vec<Group> = barriers.list.iter().map(one).collect();
    if barriers.open {
        groups.push(Group {
            places: Some("others"),
            asked: asked(plan, id),
            reason: WireReason { label: "others".to_owned(), kind: "others", detail: None },
            agents: counted(barriers.open_agents),
            ..empty()
        });
    }
    groups
}

/// Returns the names of the amounts that a need asks for, each once.
fn asked(plan: &Plan, id: NeedId) -> Vec<String> {
    let need = &plan.frameworks[id.framework].needs[id.need];
    let mut names: Vec<String> = Vec::new();
    let requests = need.agent.iter().chain(need.volumes.iter().map(|volume| &volume.request));
    for ask in requests.flat_map(|request: &Request| &request.amounts) {
        let name = plan.symbols.text(ask.resource);
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}
