//! Checks what needs combine: classes, conditions and operator's rules that exclude each other, and classes
//! that add nothing beside others. Classes that a class includes are compared in the same way.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::{
    AnalysedSet,
    conditions::RuleVerdict,
    solve::{Goal, Solution, Solver, WantedTruth},
    witness,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    engine::{Scene, Subject},
    inventory::ledger::Ledger,
    ir::{ClassAsk, DefinitionId, Node, NodeId, Request, Volume},
    limits,
    matching::NeedId,
    source::Span,
    types::Side,
    value::show_name,
};

/// The sides of the requester. Their values are known of a given need.
const ASKING: [Side; 4] = [Side::Need, Side::Framework, Side::Role, Side::Volume];

/// The relations of two classes that were examined, by first class, second class and wanted truth: with
/// `NotTrue`, every candidate of the first is in the second; with `NotFalse`, none of them is. `None` if that
/// is not so, or not known.
type Relations = IndexMap<(NodeId, NodeId, WantedTruth), Option<Reverse>>;

/// The converse of a relation that holds.
#[derive(Clone, Debug)]
enum Reverse {
    /// This candidate shows that it does not hold.
    Candidate(String),
    /// It holds as well.
    Same,
    /// It is not known.
    NotKnown,
}

/// Checks every need, and the classes that classes combine. Returns the needs that nothing can ever serve.
pub(super) fn check(
    set: &AnalysedSet<'_>,
    solver: &mut Solver<'_>,
    never: &[bool],
    rules: &[RuleVerdict],
    problems: &mut Vec<Diagnostic>,
) -> BTreeSet<NeedId> {
    let ledger = Ledger::empty(set.world);
    let mut relations = Relations::new();
    let mut impossible = BTreeSet::new();
    for (framework, of) in set.plan.frameworks.iter().enumerate() {
        for (at, need) in of.needs.iter().enumerate() {
            let id = NeedId { framework, need: at };
            let subject = Subject { framework: of, need };
            let scene = |volume| Scene {
                plan: set.plan,
                world: set.world,
                ledger: &ledger,
                subject,
                agent: None,
                supply: None,
                volume,
                filters: None,
                recorder: None,
            };
            let name = show_name(set.plan.symbols.text(need.name));
            let known = set
                .test_names
                .expects_unmet(set.plan.symbols.text(of.name), set.plan.symbols.text(need.name));
            let volumes = need.volumes.iter().filter(|volume| volume.ordinal.0 == 0).map(Some);
            let parts = need.agent.iter().map(|_| None).chain(volumes);
            for part in parts {
                solver.hypothetical.fix_sides(&ASKING, |column| scene(part).read(column));
                let Some(request) = part.map(|volume| &volume.request).or(need.agent.as_ref()) else {
                    continue;
                };
                let asked =
                    NeedRequest { set, request, volume: part, span: need.span, name: &name, never, rules };
                let excluded = asked.excludes(solver, known, problems);
                solver.hypothetical.free(&ASKING);
                if excluded {
                    impossible.insert(id);
                } else {
                    let side = if part.is_some() { Side::Pool } else { Side::Agent };
                    redundant(set, solver, side, &request.classes, &mut relations, problems);
                }
            }
        }
    }
    in_classes(set, solver, never, &mut relations, problems);
    impossible
}

/// The request of a need for its agent, or for the supply of a volume.
struct NeedRequest<'s, 'a> {
    set: &'s AnalysedSet<'a>,
    request: &'s Request,
    volume: Option<&'s Volume>,
    span: Span,
    name: &'s str,
    never: &'s [bool],
    rules: &'s [RuleVerdict],
}

impl NeedRequest<'_, '_> {
    /// Returns `true` if the request, together with the operator's rules, excludes itself. Reports it unless
    /// `known`: a test expects the need to be unmet.
    fn excludes(&self, solver: &mut Solver<'_>, known: bool, problems: &mut Vec<Diagnostic>) -> bool {
        let plan = self.set.plan;
        let blamed = |ask: &ClassAsk| !ask.negated && self.never[ask.class.0 as usize];
        if self.request.classes.iter().any(blamed) {
            // This was reported for the class.
            return true;
        }
        let mut goals: Vec<(NodeId, WantedTruth)> = Vec::new();
        // The place of each goal, and the words for its origin.
        let mut asked: Vec<(Span, String)> = Vec::new();
        for ask in &self.request.classes {
            goals.push((
                plan.definition(ask.class).root,
                if ask.negated { WantedTruth::False } else { WantedTruth::True },
            ));
            asked.push((ask.span, format!(" of class `{}`", self.set.class(ask.class))));
        }
        for rule in &self.request.conditions {
            goals.push((rule.root, WantedTruth::True));
            asked.push((plan.spans[rule.root.0 as usize], String::new()));
        }
        let rules = plan.broker.requires.iter().zip(self.rules);
        for (rule, _) in rules.filter(|(_, known)| **known == RuleVerdict::Open) {
            // A rule that reads both sides can be met by the other one.
            let (own, other) = match self.volume {
                Some(_) => (rule.sides.of_volume(), rule.sides.has(Side::Agent)),
                None => (true, rule.sides.of_volume()),
            };
            if own && !other {
                goals.push((rule.root, WantedTruth::True));
                asked.push((plan.spans[rule.root.0 as usize], String::new()));
            }
        }
        let Solution::Never(conflict) = solver.solve(&goals) else { return false };
        if !known {
            problems.push(self.problem(solver, &conflict, &asked));
        }
        true
    }

    fn problem(&self, solver: &Solver<'_>, conflict: &[Goal], asked: &[(Span, String)]) -> Diagnostic {
        let message = match self.volume {
            Some(volume) => {
                let volume = show_name(self.set.plan.symbols.text(volume.name));
                format!(
                    "no pool can ever serve volume `{volume}` of `{}`: what is asked excludes itself",
                    self.name
                )
            }
            None => format!("no agent can ever serve `{}`: what is asked excludes itself", self.name),
        };
        let mut problem = Diagnostic::warning(Code::B0605, self.span, message).label("this need");
        for (at, goal) in conflict.iter().enumerate() {
            let span = asked[goal.origin].0;
            if problem.labels.iter().all(|label| label.span != span) {
                problem = problem.also(span, if at == 0 { "this" } else { "and this" });
            }
        }
        problem.help(self.set.conflict(solver, conflict, |goal| asked[goal.origin].1.clone()))
    }
}

/// Reports the classes of a request that add nothing, as another class of the request implies them.
fn redundant(
    set: &AnalysedSet<'_>,
    solver: &mut Solver<'_>,
    side: Side,
    classes: &[ClassAsk],
    relations: &mut Relations,
    problems: &mut Vec<Diagnostic>,
) {
    let mut dropped = vec![false; classes.len()];
    for (at, ask) in classes.iter().enumerate() {
        for (beside, other) in classes.iter().enumerate() {
            // Of two equal classes the later one adds nothing.
            if at == beside || other.negated || dropped[beside] || dropped[at] {
                continue;
            }
            let want = if ask.negated { WantedTruth::NotFalse } else { WantedTruth::NotTrue };
            let roots = (other.class, ask.class);
            if relations.len() >= limits::CLASS_PAIRS {
                solver.uncompared.get_or_insert(ask.span);
                return;
            }
            if let Some(reverse) = relation(set, solver, side, roots, want, relations) {
                dropped[at] = true;
                let names = (set.class(roots.0), set.class(roots.1));
                problems.push(adds_nothing(ask.span, other.span, side, names, ask.negated, &reverse));
            }
        }
    }
}

/// Returns the converse if every candidate of the first class is in the second, or with `NotFalse` if none
/// is; `None` if that is not so, or not known.
fn relation(
    set: &AnalysedSet<'_>,
    solver: &mut Solver<'_>,
    side: Side,
    (first, second): (DefinitionId, DefinitionId),
    want: WantedTruth,
    relations: &mut Relations,
) -> Option<Reverse> {
    let (first, second) = (set.plan.definition(first).root, set.plan.definition(second).root);
    if let Some(known) = relations.get(&(first, second, want)) {
        return known.clone();
    }
    let found = solver.solve(&[(first, WantedTruth::True), (second, want)]).is_never().then(|| {
        // The converse fails if a candidate meets the second alone.
        let reverse = if want == WantedTruth::NotTrue { WantedTruth::True } else { WantedTruth::False };
        match solver.solve(&[(second, reverse), (first, WantedTruth::NotTrue)]) {
            Solution::Found(found) => Reverse::Candidate(witness::candidate(solver, side, &found)),
            Solution::Never(_) => Reverse::Same,
            Solution::NotKnown(_) => Reverse::NotKnown,
        }
    });
    relations.insert((first, second, want), found.clone());
    found
}

fn adds_nothing(
    span: Span,
    beside: Span,
    side: Side,
    (first, second): (&str, &str),
    negated: bool,
    reverse: &Reverse,
) -> Diagnostic {
    let message = if negated {
        format!("`not is {second}` adds nothing: no {side} of class `{first}` is in `{second}`")
    } else {
        format!("`is {second}` adds nothing: every {side} of class `{first}` is in `{second}`")
    };
    let help = match reverse {
        Reverse::Candidate(witness) if negated => {
            format!("leave it out; `is {first}` says more: {witness} is in neither")
        }
        Reverse::Candidate(witness) => {
            format!("leave it out; `is {first}` says more: {witness} is in `{second}` and not in `{first}`")
        }
        Reverse::Same if negated => format!("leave it out; it says the same as `is {first}`"),
        Reverse::Same => "the two classes say the same: keep one of them".to_owned(),
        Reverse::NotKnown => "leave it out".to_owned(),
    };
    Diagnostic::warning(Code::B0606, span, message)
        .label("it adds nothing")
        .also(beside, "beside this")
        .help(help)
}

/// Reports the classes that a class includes, and that add nothing there.
fn in_classes(
    set: &AnalysedSet<'_>,
    solver: &mut Solver<'_>,
    never: &[bool],
    relations: &mut Relations,
    problems: &mut Vec<Diagnostic>,
) {
    for (at, definition) in set.plan.definitions.iter().enumerate() {
        let Some(side) = definition.class_of.filter(|_| !definition.standard && !never[at]) else { continue };
        let parts = match set.plan.node(definition.root) {
            Node::And(parts) => parts.to_vec(),
            _ => continue,
        };
        let asks: Vec<ClassAsk> = parts.iter().filter_map(|part| included(set, *part)).collect();
        redundant(set, solver, side, &asks, relations, problems);
    }
}

/// Returns the class that a condition includes or rules out.
fn included(set: &AnalysedSet<'_>, node: NodeId) -> Option<ClassAsk> {
    let (inner, negated) = match set.plan.node(node) {
        Node::Not(inner) => (*inner, true),
        _ => (node, false),
    };
    let Node::Named(class) = set.plan.node(inner) else { return None };
    set.plan.definition(*class).class_of?;
    Some(ClassAsk { class: *class, negated, span: set.plan.spans[node.0 as usize] })
}

impl AnalysedSet<'_> {
    fn class(&self, id: DefinitionId) -> &str {
        &self.plan.definition(id).name
    }
}
