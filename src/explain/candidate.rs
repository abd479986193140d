//! The explanation of a candidate: every condition that applies to it, as a tree with the values seen.

use std::cell::Cell;

use super::{cause, words};
use crate::{
    Fleet, Offers,
    engine::{Gap, Scene},
    ir::{ColumnId, ExternalQuestion, Node, NodeId, Rule, Show, Volume},
    limits,
    logic::Truth,
    matching::{Constraint, Failure, Matcher, NeedId, Reach, Reason, ReasonKind, Search},
    quantity::{MILLION, decimal},
};

use super::state::MomentState;

/// A node of an expression, with its value.
#[derive(Clone, Debug)]
pub struct Step {
    /// The node, as the language writes it.
    pub text: String,
    /// The value. `None` if it is unknown.
    pub value: Option<String>,
    /// The cause of an unknown value: an absent key, a value of another type, a fault.
    pub gap: Option<String>,
    /// The operands.
    pub parts: Vec<Step>,
}

/// A condition, charge or preference, with its outcome.
#[derive(Clone, Debug)]
pub struct Check {
    /// The label.
    pub label: String,
    /// The kind: `rule`, `class`, `amount`, `place`, `prefer` and so on.
    pub kind: &'static str,
    /// The volume that it applies to. `None` for the agent.
    pub volume: Option<String>,
    /// The outcome.
    pub truth: Truth,
    /// The demand, in words.
    pub want: String,
    /// The value found, in words.
    pub have: Option<String>,
    /// True if it fails permanently. `None` if it passes, or if that was not determined.
    pub permanent: Option<bool>,
    /// For a preference, its weight and its credit.
    pub earned: Option<(String, Option<String>)>,
    /// The expression, node by node.
    pub step: Option<Step>,
    /// The position in the source.
    pub place: Option<String>,
    /// The `///` lines.
    pub docs: Vec<String>,
}

/// The explanation of a candidate.
#[derive(Clone, Debug)]
pub struct CandidateExplanation {
    /// The need.
    pub label: String,
    /// The agent.
    pub agent: Option<String>,
    /// The pool or existing volume.
    pub supply: Option<String>,
    /// True if every condition passes.
    pub holds: bool,
    /// True if the agent can take an instance; with the given supply, if the need has a single volume. `None`
    /// if the need wants an agent and none was given.
    pub feasible: Option<bool>,
    /// The volumes, each with the supply that would serve it.
    pub served_by: Vec<(String, String)>,
    /// The score of the candidate, if there is one.
    pub score: Option<String>,
    /// The conditions.
    pub checks: Vec<Check>,
    /// Further obstacles of an agent: volumes without supplies, and parts that fail in combination.
    pub notes: Vec<String>,
    /// The preferences.
    pub preferences: Vec<Check>,
}

/// Explains an agent, a supply, or both together, at the moment when the need closed, or without offers
/// before any offer.
pub fn candidate(
    fleet: &Fleet,
    offers: Option<&Offers>,
    id: NeedId,
    agent: Option<usize>,
    supply: Option<usize>,
) -> CandidateExplanation {
    let _run = fleet.plugin_run();
    let state = match offers {
        Some(offers) => MomentState::closed(offers, id),
        None => MomentState::start(fleet, id),
    };
    let matcher = Matcher::new(state.moment(fleet), id);
    let writer = CheckWriter { fleet, matcher, keys: Cell::new(0) };
    let text = |symbol| fleet.plan().symbols.text(symbol).to_owned();
    let need = matcher.subject.need;
    let mut checks = Vec::new();
    let mut preferences = Vec::new();
    if agent.is_some() || need.agent.is_none() {
        writer.of_agent(agent, &mut checks, &mut preferences);
    }
    if let Some(supply) = supply {
        for volume in need.volumes.iter().filter(|volume| volume.ordinal.0 == 0) {
            writer.of_supply(agent, volume, supply, &mut checks, &mut preferences);
        }
    }
    let whole = agent.is_some() || need.agent.is_none();
    let one = supply.map(|supply| [supply]);
    let asked = match &one {
        Some(one) if need.volumes.len() == 1 => matcher.among(one),
        _ => matcher,
    };
    let found = whole.then(|| asked.candidate(agent, &mut Search::default()));
    let found_none = found.as_ref().is_some_and(Option::is_none);
    let served = found.iter().flatten().flat_map(|candidate| need.volumes.iter().zip(&candidate.volumes));
    CandidateExplanation {
        label: id.label(fleet.plan()),
        agent: agent.map(|agent| text(fleet.world().agents[agent].name)),
        supply: supply.map(|supply| text(fleet.world().supplies[supply].path)),
        holds: checks.iter().all(|check| check.truth.holds()),
        feasible: found.as_ref().map(Option::is_some),
        served_by: served
            .map(|(volume, grant)| (text(volume.name), text(fleet.world().supplies[grant.supply].path)))
            .collect(),
        score: found.flatten().map(|candidate| candidate.score.show()),
        notes: match (&found_none, supply) {
            (true, None) => writer.notes(agent),
            _ => Vec::new(),
        },
        checks,
        preferences,
    }
}

struct CheckWriter<'a> {
    fleet: &'a Fleet,
    /// Of how many absent keys a nearest one was looked for.
    keys: Cell<usize>,
    matcher: Matcher<'a>,
}

impl<'a> CheckWriter<'a> {
    fn of_agent(&self, agent: Option<usize>, checks: &mut Vec<Check>, preferences: &mut Vec<Check>) {
        let matcher = self.matcher;
        let plan = matcher.moment.plan;
        let need = matcher.subject.need;
        let failures = matcher.agent_failures(agent);
        let scene = matcher.scene(agent, None, None);
        let about = CheckSubject { agent, supply: None, volume: None, scene };
        let failed =
            |condition: Constraint| failures.iter().find(|failure| failure.constraint(None) == condition);
        if matcher.subject.framework.served.is_some() {
            checks.push(self.plain(&about, Constraint::Principal, failed(Constraint::Principal)));
        }
        let asked = need.agent.iter().flat_map(|request| &request.amounts).map(|ask| ask.resource);
        let charged = plan.broker.charges.iter().map(|charge| charge.resource);
        let resources: indexmap::IndexSet<_> = asked.chain(charged.filter(|_| agent.is_some())).collect();
        for resource in resources {
            let condition = Constraint::Amount(None, resource);
            let asked = need.agent.as_ref().and_then(|request| request.amount(resource));
            let charged = agent.and_then(|agent| matcher.charged(agent, resource));
            if asked.is_none() && charged.is_none() {
                continue;
            }
            let short =
                |failure: &&Failure<'_>| failure.shortage().is_some_and(|short| short.resource == resource);
            let limited = failures.iter().find(short);
            let check = self.plain(&about, condition, limited);
            match (charged, asked.is_none() && check.truth.holds()) {
                (Some(charged), true) => checks.push(Check { want: format!("{charged} charged"), ..check }),
                _ => checks.push(check),
            }
        }
        for failure in failures.iter().filter(|failure| matches!(failure, Failure::Charge(..))) {
            checks.push(self.plain(&about, failure.constraint(None), Some(failure)));
        }
        for one in matcher.demand().of_agent(agent) {
            self.external(&about, one.rule, checks, preferences);
        }
        if let Some(request) = need.agent.as_ref().filter(|_| agent.is_some()) {
            self.request(&about, request, checks);
        }
        for place in need.places.iter().filter(|place| place.strength.is_required()) {
            let condition = Constraint::Place(place.number);
            checks.push(self.plain(&about, condition, failed(condition)));
        }
    }

    fn of_supply(
        &self,
        agent: Option<usize>,
        volume: &'a Volume,
        supply: usize,
        checks: &mut Vec<Check>,
        preferences: &mut Vec<Check>,
    ) {
        let matcher = self.matcher;
        let failures = matcher.supply_failures(agent, volume, supply, Reach::All);
        let scene = matcher.scene(agent, Some(supply), Some(volume));
        let about = CheckSubject { agent, supply: Some(supply), volume: Some(volume), scene };
        let mut told: Vec<Constraint> = Vec::new();
        for ask in &volume.request.amounts {
            let condition = Constraint::Amount(Some(volume.name), ask.resource);
            let of_resource = |failure: &&Failure<'_>| {
                failure.shortage().is_some_and(|short| short.resource == ask.resource)
            };
            let short = failures.iter().find(of_resource);
            checks.push(self.plain(&about, condition, short));
        }
        self.request(&about, &volume.request, checks);
        for one in matcher.demand().of_supply(agent, supply) {
            self.external(&about, one.rule, checks, preferences);
        }
        for place in volume.places.iter().filter(|place| place.strength.is_required()) {
            let condition = Constraint::Place(place.number);
            let failure = failures.iter().find(|failure| failure.constraint(None) == condition);
            checks.push(self.plain(&about, condition, failure));
        }
        // The remaining conditions: file system, access, users, reservation, source.
        for failure in &failures {
            let condition = failure.constraint(Some(volume));
            let plain = match condition.kind() {
                ReasonKind::Rule
                | ReasonKind::Class
                | ReasonKind::Condition
                | ReasonKind::Amount
                | ReasonKind::Limit
                | ReasonKind::Place => false,
                ReasonKind::Charge
                | ReasonKind::Filesystem
                | ReasonKind::Access
                | ReasonKind::Users
                | ReasonKind::Reserved
                | ReasonKind::Source
                | ReasonKind::Principal => true,
            };
            if plain && !told.contains(&condition) {
                told.push(condition);
                checks.push(self.plain(&about, condition, Some(failure)));
            }
        }
    }

    /// Counts the supplies of each volume for an agent, and describes the conditions that fail in
    /// combination.
    fn notes(&self, agent: Option<usize>) -> Vec<String> {
        let matcher = self.matcher;
        let (need, world) = (matcher.subject.need, matcher.moment.world);
        let text = |symbol| matcher.moment.plan.symbols.text(symbol);
        let mut notes = Vec::new();
        for volume in need.volumes.iter().filter(|volume| volume.ordinal.0 == 0) {
            let holds =
                |supply: &usize| matcher.supply_failures(agent, volume, *supply, Reach::All).is_empty();
            let count = (0..world.supplies.len()).filter(holds).count();
            let (all, name) = (world.supplies.len(), text(volume.name));
            notes.push(format!("{count} of {all} supplies hold on their own for volume {name}"));
        }
        let mut search = Search::explaining();
        matcher.candidate(agent, &mut search);
        for supplies in search.refused.iter().flatten().take(limits::RELAXATION_SIZE) {
            let paths = supplies.iter().map(|supply| text(world.supplies[*supply].path));
            let paths = paths.collect::<Vec<_>>().join(" and ");
            for failure in matcher.joint_failures(agent, supplies) {
                let reason = matcher.reason(&failure, agent, supplies.last().copied(), need.volumes.first());
                let have = reason.have.map_or(String::new(), |have| format!(", has {have}"));
                notes.push(format!("with {paths}: {} wants {}{have}", reason.label, reason.want));
            }
        }
        if let Some((_, supply, shortage)) = &search.ran_out {
            let reason = matcher.ran_out(*supply, shortage);
            let have = reason.have.map_or(String::new(), |have| format!(", has {have}"));
            notes.push(format!("{} wants {}{have}", reason.label, reason.want));
        }
        notes
    }

    /// Checks the classes and conditions that a need asks for.
    fn request(&self, about: &CheckSubject<'a>, request: &'a crate::ir::Request, checks: &mut Vec<Check>) {
        let plan = self.matcher.moment.plan;
        for ask in &request.classes {
            let definition = plan.definition(ask.class);
            let truth = about.scene.truth(definition.root);
            let not = if ask.negated { "not " } else { "" };
            checks.push(Check {
                label: definition.name.clone(),
                kind: "class",
                volume: self.volume(about),
                truth: if ask.negated { truth.negate() } else { truth },
                want: format!("{not}is {}", definition.name),
                have: None,
                permanent: None,
                earned: None,
                step: Some(self.step(&about.scene, definition.root)),
                place: Some(words::line(self.fleet, definition.span)),
                docs: definition.docs.clone(),
            });
        }
        for rule in &request.conditions {
            checks.push(Check { kind: "condition", ..self.rule(about, rule) });
        }
    }

    fn volume(&self, about: &CheckSubject<'_>) -> Option<String> {
        about.volume.map(|volume| self.matcher.moment.plan.symbols.text(volume.name).to_owned())
    }

    /// Checks a condition that is not an expression, by the matcher's failure.
    fn plain(&self, about: &CheckSubject<'a>, condition: Constraint, failure: Option<&Failure<'a>>) -> Check {
        let (label, kind, want) = words::named(self.fleet, self.matcher.id, &condition);
        let reason: Option<Reason> =
            failure.map(|failure| self.matcher.reason(failure, about.agent, about.supply, about.volume));
        let span = words::span_of(self.fleet, self.matcher.id, &condition);
        let check = Check {
            label,
            kind,
            volume: self.volume(about),
            truth: Truth::True,
            want,
            have: self.free(about, &condition),
            permanent: None,
            earned: None,
            step: None,
            place: span.map(|span| words::line(self.fleet, span)),
            docs: Vec::new(),
        };
        match reason {
            None => check,
            Some(reason) => {
                let is_amount = matches!(condition, Constraint::Amount(..));
                let unknown = !is_amount && reason.have.is_none() && !reason.absent.is_empty();
                let absent = reason.absent.iter().map(|key| format!("{key} is absent"));
                Check {
                    truth: if unknown { Truth::Unknown } else { Truth::False },
                    kind: reason.kind.name(),
                    have: reason.have.or_else(|| Some(absent.collect::<Vec<_>>().join(", "))),
                    want: reason.want,
                    permanent: Some(reason.permanent),
                    ..check
                }
            }
        }
    }

    /// Returns the free amount of a resource.
    fn free(&self, about: &CheckSubject<'_>, condition: &Constraint) -> Option<String> {
        let world = self.matcher.moment.world;
        let Constraint::Amount(_, resource) = condition else { return None };
        let holding = match about.supply {
            Some(supply) => world.supplies[supply].holdings(*resource)?.first().copied()?,
            None => world.agent_holding(about.agent?, *resource)?,
        };
        let draft = crate::matching::Draft::default();
        let free = self.matcher.availability(&draft).free_of(holding);
        let dimension = world.holding(holding).dimension;
        Some(free.map_or("unlimited".to_owned(), |free| {
            format!("{} free", crate::quantity::render(dimension, free))
        }))
    }

    /// Checks a rule. The rule that a plugin is sound is left out as long as it holds, because nobody wrote
    /// it.
    fn external(
        &self,
        about: &CheckSubject<'a>,
        rule: &'a Rule,
        checks: &mut Vec<Check>,
        preferences: &mut Vec<Check>,
    ) {
        let plan = self.matcher.moment.plan;
        let sound = match plan.node(rule.root) {
            Node::External(asked) => plan.asked(*asked).question == ExternalQuestion::Healthy,
            _ => false,
        };
        let list = if rule.strength.is_preferred() { preferences } else { checks };
        if !sound || !about.scene.truth(rule.root).holds() {
            list.push(self.rule(about, rule));
        }
    }

    fn rule(&self, about: &CheckSubject<'a>, rule: &'a Rule) -> Check {
        let truth = about.scene.truth(rule.root);
        let one = i128::from(MILLION);
        let earned = rule.strength.weight().map(|weight| {
            let value = about.scene.value(rule.root).ok();
            let value = value.and_then(|value| crate::ir::op::earned(&value).ok());
            let shown = value.map(|value| decimal(i128::from(value), one));
            (decimal(i128::from(weight), one), shown)
        });
        Check {
            label: rule.label.clone(),
            kind: if rule.strength.is_preferred() { "prefer" } else { "rule" },
            volume: self.volume(about).filter(|_| rule.sides.of_volume() || about.supply.is_some()),
            truth,
            want: Show::new(self.matcher.moment.plan).node(rule.root),
            have: None,
            permanent: None,
            earned,
            step: Some(self.step(&about.scene, rule.root)),
            place: Some(words::line(self.fleet, rule.span)),
            docs: rule.docs.clone(),
        }
    }

    fn step(&self, scene: &Scene<'a>, id: NodeId) -> Step {
        let plan = scene.plan;
        let show = Show::new(plan);
        let value = scene.value(id);
        let parts: Vec<NodeId> = match plan.node(id) {
            Node::Constant(_) | Node::Read(_) | Node::IsAbsent(_) | Node::IsPresent(_) => Vec::new(),
            Node::External(asked) => several(&plan.asked(*asked).conditions).to_vec(),
            Node::Named(definition) => vec![plan.definition(*definition).root],
            Node::Not(inner) | Node::Negate(inner) | Node::Matches(inner, _) => vec![*inner],
            Node::And(parts) | Node::Or(parts) | Node::Call(_, parts) => parts.to_vec(),
            Node::Test(_, left, right) | Node::Arithmetic(_, left, right) => vec![*left, *right],
            Node::Else(_, other) => vec![*other],
        };
        let read = match plan.node(id) {
            Node::IsAbsent(column) | Node::IsPresent(column) | Node::Else(column, _) => Some(*column),
            _ => None,
        };
        // A constant operand stands in the text of its parent already.
        let worth = |part: &&NodeId| !matches!(plan.node(**part), Node::Constant(_));
        let asked = match plan.node(id) {
            Node::External(asked) if parts.is_empty() => plan.asked(*asked).reads.as_slice(),
            _ => &[],
        };
        let own = read.iter().chain(asked).map(|column| self.column(scene, *column));
        Step {
            text: show.node(id),
            gap: value.as_ref().err().map(|gap| self.gap(scene, *gap)),
            value: value.ok().map(|value| value.show(&plan.symbols)),
            parts: own.chain(parts.iter().filter(worth).map(|part| self.step(scene, *part))).collect(),
        }
    }

    fn column(&self, scene: &Scene<'a>, column: ColumnId) -> Step {
        let value = scene.read(column);
        Step {
            text: Show::new(scene.plan).column(column),
            gap: value.as_ref().err().map(|gap| self.gap(scene, *gap)),
            value: value.ok().map(|value| value.show(&scene.plan.symbols)),
            parts: Vec::new(),
        }
    }

    fn gap(&self, scene: &Scene<'a>, gap: Gap) -> String {
        let show = Show::new(scene.plan);
        match gap {
            Gap::Absent(column) => {
                let key = show.column(column);
                let told = self.keys.replace(self.keys.get() + 1);
                match cause::meant(self.fleet, column, told) {
                    Some(meant) => format!("{key} is absent; did you mean `{meant}`?"),
                    None => format!("{key} is absent"),
                }
            }
            Gap::Mismatch(column) => format!("{} is of another type", show.column(column)),
            Gap::Unanswered => "its filter has no answer".to_owned(),
            Gap::Fault(node, fault) => format!("{} in `{}`", fault.words(), show.node(node)),
        }
    }
}

/// Returns parts only if there are several: a single one repeats the whole.
fn several(parts: &[NodeId]) -> &[NodeId] {
    if parts.len() > 1 { parts } else { &[] }
}

/// The subject of a check.
struct CheckSubject<'a> {
    agent: Option<usize>,
    supply: Option<usize>,
    volume: Option<&'a Volume>,
    scene: Scene<'a>,
}
