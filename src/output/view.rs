//! Who looks, and what may be said to them. It is decided here and nowhere else: every output asks a [`Sight`] or a
//! [`May`], and none asks who looks.

use indexmap::{IndexMap, IndexSet};

use super::wire::{Excluded, Group, LostTo, Reason, Why};
use crate::{
    Error, Fleet, Offers,
    cycle::{self, NeedResult},
    diagnostic::{Code, Diagnostic, Report},
    explain::{self, Barrier, Barriers, PlaceClass},
    ir::{Disclosed, Plan, Request},
    matching::NeedId,
};

/// Who looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// The operator: everything.
    #[default]
    Operator,
    /// A framework, by its number in the plan: its own needs and offers, and nothing of others. See `docs/security.md`.
    Framework(usize),
}

impl View {
    /// The view of the framework with this name.
    ///
    /// # Errors
    /// That there is none. Others are not named.
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

    /// The view of each framework, in order of declaration.
    pub fn each(fleet: &Fleet) -> impl Iterator<Item = View> {
        (0..fleet.plan().frameworks.len()).map(View::Framework)
    }

    /// Its word in outputs.
    pub fn name(self) -> &'static str {
        match self {
            View::Operator => "operator",
            View::Framework(_) => "framework",
        }
    }

    /// The framework's name.
    pub fn framework(self, plan: &Plan) -> Option<&str> {
        match self {
            View::Operator => None,
            View::Framework(at) => plan.frameworks.get(at).map(|known| plan.symbols.text(known.name)),
        }
    }

    /// Whether a need is this one's to know of.
    pub fn sees(self, id: NeedId) -> bool {
        match self {
            View::Operator => true,
            View::Framework(at) => id.framework == at,
        }
    }

    /// What may be said.
    pub fn may(self, plan: &Plan) -> May {
        let operator = self == View::Operator;
        let Disclosed { counts, scores } = plan.broker.disclosed;
        May { everything: operator, counts: operator || counts, scores: operator || scores }
    }

    /// The needs that a name means, of those that are seen: `FRAMEWORK.NEED`, a need's name, or the framework's.
    ///
    /// # Errors
    /// That there is none; needs that are not seen are as if they were not there.
    pub fn needs(self, fleet: &Fleet, name: &str) -> Result<Vec<NeedId>, Error> {
        fleet.needs_among(name, |id| self.sees(id))
    }
}

/// What may be said to one who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct May {
    /// All of it: values, names, numbers, what is left, whose it is.
    pub everything: bool,
    /// How many agents and pools a reason shuts out.
    pub counts: bool,
    /// The scores of offers, rounded.
    pub scores: bool,
}

/// A cycle as one who looks sees it. It is made once.
pub struct Sight<'a> {
    pub(super) offers: &'a Offers,
    pub(super) view: View,
    pub(super) may: May,
    /// The needs that are asked about; `None`: all.
    only: Option<IndexSet<NeedId>>,
    /// Of the needs that got no more, by their numbers in the cycle: what a framework is told of it.
    barriers: IndexMap<usize, Barriers>,
}

impl<'a> Sight<'a> {
    /// A cycle, to this one.
    pub fn new(offers: &'a Offers, view: View) -> Sight<'a> {
        Sight::make(offers, view, None)
    }

    /// The same cycle, of which only these needs are asked about.
    pub fn only(offers: &'a Offers, view: View, needs: &[NeedId]) -> Sight<'a> {
        Sight::make(offers, view, Some(needs.iter().copied().collect()))
    }

    fn make(offers: &'a Offers, view: View, only: Option<IndexSet<NeedId>>) -> Sight<'a> {
        let may = view.may(offers.fleet().plan());
        let mut sight = Sight { offers, view, may, only, barriers: IndexMap::new() };
        if !may.everything {
            let told = sight.needs().filter(|(_, need)| need.missing() > 0);
            let barriers = told.map(|(at, need)| (at, explain::barriers(offers.fleet(), need.id)));
            sight.barriers = barriers.collect();
        }
        sight
    }

    fn sees(&self, id: NeedId) -> bool {
        self.view.sees(id) && self.only.as_ref().is_none_or(|only| only.contains(&id))
    }

    /// The needs that are seen, with their numbers in the cycle.
    pub fn needs(&self) -> impl Iterator<Item = (usize, &'a NeedResult)> {
        self.offers.cycle().needs.iter().enumerate().filter(|(_, need)| self.sees(need.id))
    }

    /// The offers that are seen, by their numbers in the cycle. The order of the cycle tells when others were served: a
    /// framework sees its own in the order of its needs.
    pub fn grants(&self) -> Vec<usize> {
        let grants = &self.offers.cycle().grants;
        let mut seen: Vec<usize> = (0..grants.len()).filter(|at| self.sees(grants[*at].id)).collect();
        if !self.may.everything {
            seen.sort_by_key(|at| (grants[*at].id, grants[*at].instance));
        }
        seen
    }

    /// Whether the scores of offers are told.
    pub fn tells_scores(&self) -> bool {
        self.may.scores
    }

    /// Why a need got no more. Whether what it lacks was there and went to others is others' business: a framework is
    /// told whether any place is what it asks for, and no more.
    pub fn why(&self, at: usize) -> Option<Why> {
        let need = &self.offers.cycle().needs[at];
        if let Some(barriers) = self.barriers.get(&at) {
            let kind = why_seen(barriers);
            return Some(Why { kind, cut: None, lost_to_count: 0, lost_to: Vec::new() });
        }
        let cut = need.cut.map(cycle::Cut::words);
        let why = need.why.as_ref().filter(|_| self.may.everything);
        why.map(|why| Why { cut, ..self.why_exact(why) })
    }

    fn why_exact(&self, why: &cycle::Why) -> Why {
        let (fleet, cycle) = (self.offers.fleet(), self.offers.cycle());
        let plan = fleet.plan();
        let lost = |grant: &usize| {
            let agent = cycle.grants[*grant].candidate.agent;
            let agent = agent.map(|agent| plan.symbols.text(fleet.world().agents[agent].name).to_owned());
            LostTo { offer: super::offer_id(self.offers, *grant), agent }
        };
        let (lost_to_count, lost_to) = match why {
            cycle::Why::Contended(winners) => (winners.count, winners.grants.iter().map(lost).collect()),
            _ => (0, Vec::new()),
        };
        Why { kind: why.name(), cut: None, lost_to_count, lost_to }
    }

    /// The reasons against a need, as a framework is told them.
    pub(super) fn groups(&self, at: usize) -> Vec<Group> {
        let id = self.offers.cycle().needs[at].id;
        self.barriers.get(&at).map_or_else(Vec::new, |known| groups(self.offers.fleet(), self.may, id, known))
    }
}

/// `proved` where no place is what a need asks for; else others leave too little.
pub(super) fn why_seen(barriers: &Barriers) -> &'static str {
    if barriers.open { "contended" } else { "proved" }
}

/// What shuts a need out, as reasons.
pub(super) fn groups(fleet: &Fleet, may: May, id: NeedId, barriers: &Barriers) -> Vec<Group> {
    let plan = fleet.plan();
    let framework = &plan.frameworks[id.framework];
    let empty = || Group {
        framework: plan.symbols.text(framework.name).to_owned(),
        need: plan.symbols.text(framework.needs[id.need].name).to_owned(),
        places: None,
        volumes: Vec::new(),
        asked: Vec::new(),
        reason: Reason { label: String::new(), kind: "", detail: None },
        agents: Excluded::default(),
        supplies: Excluded::default(),
    };
    let counted =
        |count: u64| Excluded { count: if may.counts { count as usize } else { 0 }, names: Vec::new() };
    let one = |barrier: &Barrier| {
        let (places, volume, agents, supplies) = match &barrier.places {
            PlaceClass::Agents => ("agents", None, barrier.count, 0),
            PlaceClass::Storage(volume) => ("storage", Some(volume.clone()), 0, barrier.count),
            PlaceClass::Both(volume) => ("both", Some(volume.clone()), 0, 0),
        };
        Group {
            places: Some(places),
            volumes: volume.into_iter().collect(),
            reason: Reason { label: barrier.label.clone(), kind: barrier.kind, detail: None },
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
            reason: Reason { label: "others".to_owned(), kind: "others", detail: None },
            agents: counted(barriers.open_agents),
            ..empty()
        });
    }
    groups
}

/// The amounts that a need asks for, each once.
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
