//! Warns of needs that nothing in the declared fleet could serve even with everything free (`B0607`), or
//! could not serve in full (`B0608`).
//!
//! Unlike the checks of `conditions` and `needs`, this one looks at the fleet at hand. It runs the matcher
//! over an empty ledger, and keeps only failures that no release of anything could cure. A failure that may
//! go away, such as that of a condition on a free amount, excludes nobody here.

use std::{cell::RefCell, collections::BTreeSet};

use indexmap::{IndexMap, IndexSet, map::Entry};

use super::AnalysedSet;
use crate::{
    cycle::every_need,
    diagnostic::{Code, Diagnostic},
    inventory::ledger::Ledger,
    ir::{CountRule, Key, Need, NodeId, Place, PlaceKey, PlaceTest, Request, RuleSubject, Show, Volume},
    limits,
    matching::{Failure, Matcher, Moment, NeedId, Placed, Reach, Reason},
    source::Span,
    types::Side,
    value::show_name,
};

/// The most reasons that one message names.
const NAMED: usize = 4;

/// Checks every need that is not in `impossible`, or expected to be unmet by a test. Returns `false` if the
/// bound on steps ended the check early.
pub(super) fn check(
    set: &AnalysedSet<'_>,
    impossible: &BTreeSet<NeedId>,
    problems: &mut Vec<Diagnostic>,
) -> bool {
    let ledger = Ledger::empty(set.world);
    let placed = Placed::new(set.plan);
    let moment = Moment {
        plan: set.plan,
        world: set.world,
        ledger: &ledger,
        placed: &placed,
        filters: None,
        recorder: None,
    };
    let varying = RefCell::default();
    let mut steps = limits::SERVING_STEPS;
    for id in every_need(set.plan).filter(|id| !impossible.contains(id)) {
        let framework = &set.plan.frameworks[id.framework];
        let need = &framework.needs[id.need];
        let symbols = &set.plan.symbols;
        if set.test_names.expects_unmet(symbols.text(framework.name), symbols.text(need.name)) {
            continue;
        }
        let matcher = Matcher::new(moment, id);
        let step = matcher.looks().div_ceil(limits::CONDITIONS_PER_LOOK) as u64;
        let serving = NeedCheck { set, matcher, need, step, varying: &varying };
        problems.extend(serving.check(&mut steps));
        if steps == 0 {
            return false;
        }
    }
    true
}

/// The check of one need.
struct NeedCheck<'s, 'a> {
    set: &'s AnalysedSet<'a>,
    matcher: Matcher<'s>,
    need: &'s Need,
    /// The steps that one candidate takes: as many as its conditions fill.
    step: u64,
    /// A cache over all needs: `true` for conditions that read a free or used amount.
    varying: &'s RefCell<IndexMap<NodeId, bool>>,
}

/// The failures that exclude candidates, by the kind of candidate.
#[derive(Default)]
struct ExclusionTally {
    agents: CandidateTally,
    supplies: CandidateTally,
    pairs: CandidateTally,
}

/// The failures that exclude candidates of one kind, grouped by cause.
#[derive(Default)]
struct CandidateTally {
    /// The number of candidates looked at.
    of: usize,
    by: IndexMap<FailureKey, CauseTally>,
}

/// The failures of one cause.
struct CauseTally {
    /// The number of candidates that fail for it.
    count: usize,
    /// The reason of the first of them.
    reason: Reason,
    /// The values that some of them have instead.
    have: IndexSet<String>,
}

/// The key by which failures are grouped into one reason of a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum FailureKey {
    Node(NodeId),
    Resource(crate::symbol::Symbol),
    Place(Span),
    Word(&'static str),
}

impl FailureKey {
    fn of(failure: &Failure<'_>) -> FailureKey {
        match failure {
            Failure::Rule(_, node) | Failure::Class(_, _, node) | Failure::Condition(_, _, node) => {
                FailureKey::Node(*node)
            }
            Failure::Amount(shortage) => FailureKey::Resource(shortage.resource),
            Failure::Nothing(_, resource) => FailureKey::Resource(*resource),
            Failure::Charge(charge, _) => FailureKey::Resource(charge.resource),
            Failure::Place(place, ..) => FailureKey::Place(place.span),
            Failure::Filesystem { .. } => FailureKey::Word("filesystem"),
            Failure::Access => FailureKey::Word("access"),
            Failure::Users { .. } => FailureKey::Word("users"),
            Failure::Reserved { .. } => FailureKey::Word("reserved"),
            Failure::Source { .. } => FailureKey::Word("source"),
            Failure::Principal { .. } => FailureKey::Word("principal"),
        }
    }
}

impl<'s> NeedCheck<'s, '_> {
    fn name(&self) -> String {
        show_name(self.set.plan.symbols.text(self.need.name))
    }

    /// Returns the problem of the need, if it has one. Returns `None` also when `steps` are used up.
    fn check(&self, steps: &mut u64) -> Option<Diagnostic> {
        let world = self.set.world;
        let agents: Vec<Option<usize>> = match &self.need.agent {
            Some(_) if world.agents.is_empty() => return None,
            Some(_) => match self.agents(steps) {
                Ok(agents) => agents.into_iter().map(Some).collect(),
                Err(excluded) => return excluded.map(|excluded| self.none_serves("agent", None, &excluded)),
            },
            None => vec![None],
        };
        let mut supplies = Vec::new();
        let distinct = self.need.volumes.iter().filter(|volume| volume.ordinal.0 == 0);
        for volume in distinct.filter(|_| !world.supplies.is_empty()) {
            match self.supplies(volume, &agents, steps) {
                Ok(found) => supplies.push((volume, found)),
                Err(excluded) => {
                    return excluded.map(|excluded| self.none_serves("pool", Some(volume), &excluded));
                }
            }
        }
        self.too_few(&agents, &supplies)
    }

    /// Takes the steps of one candidate. Returns `false` if none is left.
    fn take(&self, steps: &mut u64) -> bool {
        *steps = steps.saturating_sub(self.step);
        *steps > 0
    }

    /// Returns the conditions that exclude every candidate of one side, if the request asks for a class that
    /// none of them is in.
    ///
    /// The message then names the conditions of that class alone, as they explain most: other failures of the
    /// same candidates would only distract.
    fn outside(&self, request: &'s Request, side: Side, steps: &mut u64) -> Option<Box<ExclusionTally>> {
        let world = self.set.world;
        let count = if side == Side::Agent { world.agents.len() } else { world.supplies.len() };
        let candidates: Vec<(Option<usize>, Option<usize>)> = match side {
            Side::Agent => (0..count).map(|at| (Some(at), None)).collect(),
            _ => (0..count).map(|at| (None, Some(at))).collect(),
        };
        for ask in request.classes.iter().filter(|ask| !ask.negated) {
            let root = self.set.plan.definition(ask.class).root;
            let mut holds = |(agent, supply): &(Option<usize>, Option<usize>)| {
                *steps = steps.saturating_sub(1);
                self.matcher.scene(*agent, *supply, None).truth(root).holds()
            };
            if self.varies(root) || candidates.iter().any(&mut holds) {
                continue;
            }
            let conditions = self.set.opened(root);
            let mut excluded = Box::<ExclusionTally>::default();
            for (agent, supply) in &candidates {
                let scene = self.matcher.scene(*agent, *supply, None);
                let failing = conditions.iter().filter(|node| !scene.truth(**node).holds());
                let failures: Vec<Failure<'_>> =
                    failing.map(|node| Failure::Class(*ask, side, *node)).collect();
                self.note(&mut excluded, &failures, *agent, *supply, None);
            }
            return Some(excluded);
        }
        None
    }

    /// Returns the agents that could serve. If there are none, returns the failures that exclude them, or
    /// `None` if the steps did not suffice.
    fn agents(&self, steps: &mut u64) -> Result<Vec<usize>, Option<Box<ExclusionTally>>> {
        if let Some(excluded) =
            self.need.agent.as_ref().and_then(|request| self.outside(request, Side::Agent, steps))
        {
            return Err(Some(excluded));
        }
        let mut found = Vec::new();
        let mut excluded = ExclusionTally::default();
        for agent in 0..self.set.world.agents.len() {
            if !self.take(steps) {
                return Err(None);
            }
            let failures = self.matcher.agent_failures(Some(agent));
            if !self.note(&mut excluded, &failures, Some(agent), None, None) {
                found.push(agent);
            }
        }
        if found.is_empty() { Err(Some(Box::new(excluded))) } else { Ok(found) }
    }

    /// Returns the supplies that could serve a volume together with one of the agents. Errors are as of
    /// [`NeedCheck::agents`].
    ///
    /// Supplies are first judged alone, which costs their number. Only those left are tried with agents, and
    /// only if some rule is about both, which costs the product in the worst case.
    fn supplies(
        &self,
        volume: &'s Volume,
        agents: &[Option<usize>],
        steps: &mut u64,
    ) -> Result<Vec<usize>, Option<Box<ExclusionTally>>> {
        if let Some(excluded) = self.outside(&volume.request, Side::Pool, steps) {
            return Err(Some(excluded));
        }
        let mut alone = Vec::new();
        let mut excluded = ExclusionTally::default();
        for supply in 0..self.set.world.supplies.len() {
            if !self.take(steps) {
                return Err(None);
            }
            let failures = self.matcher.supply_failures(None, volume, supply, Reach::WithoutAgent);
            if !self.note(&mut excluded, &failures, None, Some(supply), Some(volume)) {
                alone.push(supply);
            }
        }
        if alone.is_empty() {
            return Err(Some(Box::new(excluded)));
        }
        if !self.is_crossed() || agents == [None] {
            return Ok(alone);
        }
        let mut found = Vec::new();
        for supply in alone {
            for agent in agents {
                if !self.take(steps) {
                    return Err(None);
                }
                let failures = self.matcher.supply_failures(*agent, volume, supply, Reach::AgentOnly);
                if !self.note(&mut excluded, &failures, *agent, Some(supply), Some(volume)) {
                    // One agent that fits is enough.
                    found.push(supply);
                    break;
                }
            }
        }
        if found.is_empty() { Err(Some(Box::new(excluded))) } else { Ok(found) }
    }

    /// Returns `true` if some requirement is about a supply and an agent together.
    fn is_crossed(&self) -> bool {
        self.set.plan.rules().any(|one| one.is_required() && one.subject == RuleSubject::Pair)
    }

    /// Counts the failures that exclude a candidate for good. Returns `true` if there are any.
    fn note(
        &self,
        excluded: &mut ExclusionTally,
        failures: &[Failure<'s>],
        agent: Option<usize>,
        supply: Option<usize>,
        volume: Option<&'s Volume>,
    ) -> bool {
        let tally = match (agent, supply) {
            (Some(_), Some(_)) => &mut excluded.pairs,
            (_, Some(_)) => &mut excluded.supplies,
            _ => &mut excluded.agents,
        };
        tally.of += 1;
        let mut any = false;
        for failure in failures {
            if self.may_change(failure) && !failure.is_permanent(&self.matcher.scene(agent, supply, volume)) {
                continue;
            }
            any = true;
            // The message shows few values, and making a reason of every failure would take long.
            let cause_tally = match tally.by.entry(FailureKey::of(failure)) {
                Entry::Occupied(cause_tally) if cause_tally.get().count >= NAMED => {
                    cause_tally.into_mut().count += 1;
                    continue;
                }
                entry => {
                    let reason = self.matcher.reason(failure, agent, supply, volume);
                    let have = reason.have.clone();
                    let cause_tally =
                        entry.or_insert_with(|| CauseTally { count: 0, reason, have: IndexSet::new() });
                    cause_tally.have.extend(have);
                    cause_tally
                }
            };
            cause_tally.count += 1;
        }
        any
    }

    /// Returns `true` if a failure may go away as amounts are taken and released.
    ///
    /// A condition may if it reads a free or used amount. For failures of other kinds the matcher decides,
    /// which compares amounts with all there is.
    fn may_change(&self, failure: &Failure<'_>) -> bool {
        failure.node().is_none_or(|node| self.varies(node))
    }

    /// Returns `true` if a condition reads a free or used amount.
    fn varies(&self, node: NodeId) -> bool {
        let plan = self.set.plan;
        *self.varying.borrow_mut().entry(node).or_insert_with(|| {
            let varies = |key| matches!(key, Key::Free(_) | Key::Used(_));
            plan.reads(node).iter().any(|column| varies(plan.column(*column).key))
        })
    }

    /// The warning that no candidate can serve, with the most frequent reasons of each kind of candidate
    /// first.
    fn none_serves(&self, side: &str, volume: Option<&Volume>, excluded: &ExclusionTally) -> Diagnostic {
        let mut message = format!("none of the declared {side}s can ever serve `{}`", self.name());
        if let Some(volume) = volume {
            let volume = show_name(self.set.plan.symbols.text(volume.name));
            message =
                format!("none of the declared {side}s can ever serve volume `{volume}` of `{}`", self.name());
        }
        let tallies = [
            (&excluded.agents, "agent", "agents"),
            (&excluded.supplies, "supply", "supplies"),
            (&excluded.pairs, "pair of agent and supply", "pairs of agent and supply"),
        ];
        let mut causes: Vec<(&CauseTally, usize, &str, &str)> = Vec::new();
        for (tally, one, many) in tallies {
            let mut own: Vec<&CauseTally> = tally.by.values().collect();
            own.sort_by_key(|cause_tally| std::cmp::Reverse(cause_tally.count));
            causes.extend(own.into_iter().map(|cause_tally| (cause_tally, tally.of, one, many)));
        }
        let more = causes.len().saturating_sub(NAMED);
        let named =
            causes.iter().take(NAMED).map(|(cause_tally, of, one, many)| cause_tally.text(*of, one, many));
        let mut help = named.collect::<Vec<_>>().join("; ");
        if more > 0 {
            help.push_str(&format!("; and {more} more reasons"));
        }
        Diagnostic::warning(Code::B0607, self.need.span, message).label("nothing serves it").help(help)
    }

    /// The warning that `at most` places leave no room for all instances, if they do not.
    ///
    /// Only candidates that could serve count. If these have `v` values of the key of a place, and each takes
    /// at most `n`, then `n × v` instances fit.
    fn too_few(&self, agents: &[Option<usize>], supplies: &[(&Volume, Vec<usize>)]) -> Option<Diagnostic> {
        let hard = |places: &'s [Place]| places.iter().filter(|place| place.strength.is_required());
        for place in hard(&self.need.places) {
            let values = |key| {
                let values =
                    agents.iter().flatten().filter_map(|agent| self.matcher.agent_value(*agent, key));
                values.map(|value| value.show(&self.set.plan.symbols)).collect()
            };
            let problem = self.at_most(place, self.need.count, None, &values);
            if problem.is_some() {
                return problem;
            }
        }
        for (volume, found) in supplies {
            for place in hard(&self.volume(volume).places) {
                let wanted = self.need.count.saturating_mul(u64::from(volume.ordinal.1));
                let values = |key| {
                    let values = found.iter().filter_map(|supply| self.matcher.supply_value(*supply, key));
                    values.map(|value| value.show(&self.set.plan.symbols)).collect()
                };
                let problem = self.at_most(place, wanted, Some(volume), &values);
                if problem.is_some() {
                    return problem;
                }
            }
        }
        None
    }

    /// Returns the need's own reference to a volume. It outlives the one given, which reasons require.
    fn volume(&self, volume: &Volume) -> &'s Volume {
        let same = self.need.volumes.iter().find(|known| known.name == volume.name);
        same.unwrap_or(&self.need.volumes[0])
    }

    /// The warning that one `at most` place leaves no room for `wanted` instances, if it does not.
    fn at_most(
        &self,
        place: &Place,
        wanted: u64,
        volume: Option<&Volume>,
        values: &dyn Fn(PlaceKey) -> IndexSet<String>,
    ) -> Option<Diagnostic> {
        let PlaceTest::Counted { rule: CountRule::AtMost { count, .. }, key } = place.kind.test() else {
            return None;
        };
        // One value is enough. Values are costly to collect, so this comes first.
        if wanted <= count {
            return None;
        }
        let values = values(key);
        let most = count.saturating_mul(values.len() as u64);
        if most >= wanted {
            return None;
        }
        let name = self.name();
        let key = self.key(key);
        let what = match volume {
            Some(volume) => {
                let volume = show_name(self.set.plan.symbols.text(volume.name));
                format!("at most {most} of the {wanted} volumes `{volume}` of `{name}` can ever be served")
            }
            None => format!("at most {most} of the {wanted} instances of `{name}` can ever be served"),
        };
        let mut shown: Vec<String> = values.iter().take(NAMED).cloned().collect();
        if values.len() > NAMED {
            shown.push(format!("and {} more", values.len() - NAMED));
        }
        let help = match values.len() {
            0 => format!("nothing that could serve it has a value of `{key}`"),
            1 => format!("all that could serve it has one value of `{key}`: {}", shown.join(", ")),
            many => format!("what could serve it has {many} values of `{key}`: {}", shown.join(", ")),
        };
        let label = format!("no more than {count} for each of them");
        Some(
            Diagnostic::warning(Code::B0608, place.span, what)
                .label(label)
                .also(self.need.span, "this need")
                .help(help),
        )
    }

    fn key(&self, key: PlaceKey) -> String {
        Show::new(self.set.plan).place_key(key)
    }
}

impl CauseTally {
    /// `all 3 pools by fast: wants media in ["ssd"], has "hdd"`
    fn text(&self, of: usize, one: &str, many: &str) -> String {
        let candidates = match (self.count, of) {
            (1, 1) => format!("the {one}"),
            (count, of) if count == of => format!("all {of} {many}"),
            (count, of) => format!("{count} of {of} {many}"),
        };
        let Reason { label, key, want, absent, .. } = &self.reason;
        let mut have: Vec<&str> = self.have.iter().take(NAMED - 1).map(String::as_str).collect();
        if self.have.len() >= NAMED {
            have.push("…");
        }
        let have = match (have.is_empty(), absent.as_slice()) {
            (false, _) => format!(", has {}", have.join(" or ")),
            (true, []) => String::new(),
            (true, absent) => format!(", {} absent", absent.join(" and ")),
        };
        // An amount goes by its label; a comparison is told with its key.
        let key = key.as_ref().filter(|key| *key != label).map_or(String::new(), |key| format!("{key} "));
        format!("{candidates} by `{label}`: wants {key}{want}{have}")
    }
}
