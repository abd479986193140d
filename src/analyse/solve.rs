//! Searches for a candidate for which some conditions hold and others do not.
//!
//! Goals are first flattened to conditions that must all be met, then split into parts that share no
//! variable, as each part can be solved alone. A part is searched depth first over representatives of the
//! values of its variables (`values`); the engine evaluates each goal as soon as all its variables are set.
//! Representatives are made from the constants in the conditions, so that if they stand for all values and
//! none is left, no candidate exists. In the worst case the search takes time exponential in the number of
//! variables of a part; its steps are counted, and limits end it with [`Doubt::Steps`].

use indexmap::{IndexMap, IndexSet};

use super::{
    Doubt,
    candidate::{HypotheticalCandidate, VariableId, VariableValue},
    group::Groups,
    values,
};
use crate::{
    engine::truth,
    inventory::world::BrokerFacts,
    ir::{Node, NodeId, Plan},
    limits,
    logic::Truth,
    source::Span,
};

/// The truth that is wanted of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WantedTruth {
    /// It is true.
    True,
    /// It is false.
    False,
    /// It is not true: false or unknown.
    NotTrue,
    /// It is not false: true or unknown.
    NotFalse,
}

impl WantedTruth {
    fn accepts(self, truth: Truth) -> bool {
        match self {
            WantedTruth::True => truth == Truth::True,
            WantedTruth::False => truth == Truth::False,
            WantedTruth::NotTrue => truth != Truth::True,
            WantedTruth::NotFalse => truth != Truth::False,
        }
    }

    /// Returns the truth that is wanted of a condition if this one is wanted of its `not`.
    fn negated(self) -> WantedTruth {
        match self {
            WantedTruth::True => WantedTruth::False,
            WantedTruth::False => WantedTruth::True,
            WantedTruth::NotTrue => WantedTruth::NotFalse,
            WantedTruth::NotFalse => WantedTruth::NotTrue,
        }
    }
}

/// A condition, and the truth that is wanted of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Goal {
    /// The condition.
    pub node: NodeId,
    /// The truth that is wanted.
    pub want: WantedTruth,
    /// The condition to show: as written, if `node` is only a part of it, such as the operand of a `not`.
    pub shown: NodeId,
    /// The index of the goal of the question that this one is a part of.
    pub origin: usize,
}

/// A candidate: the value of each variable that the goals read.
pub type Witness = Vec<(VariableId, VariableValue)>;

/// The answer to a question.
#[derive(Clone, Debug)]
pub enum Solution {
    /// This candidate meets the goals.
    Found(Witness),
    /// No candidate meets the goals: these of them exclude each other.
    Never(Vec<Goal>),
    /// It is not known if there is one.
    NotKnown(Doubt),
}

impl Solution {
    /// Returns `true` if it is certain that no candidate meets the goals.
    pub fn is_never(&self) -> bool {
        matches!(self, Solution::Never(_))
    }
}

/// Answers questions about the conditions of one plan.
#[derive(Debug)]
pub struct Solver<'a> {
    /// The plan.
    pub plan: &'a Plan,
    pub(super) hypothetical: HypotheticalCandidate<'a>,
    costs: Vec<u32>,
    /// The variables that each condition reads. Computed at first use.
    reads: IndexMap<NodeId, Box<[VariableId]>>,
    /// The steps that are left for all questions together.
    left: u64,
    /// The first condition of each question that a limit left without an answer.
    pub given_up: IndexSet<NodeId>,
    /// The first class that a limit left uncompared with those beside it.
    pub uncompared: Option<Span>,
}

/// The result of the search over one part.
enum PartResult {
    Found(Witness),
    None,
    NotKnown(Doubt),
}

impl<'a> Solver<'a> {
    /// Creates a solver for the conditions of a plan, with what is known of the broker.
    pub fn new(plan: &'a Plan, broker: &BrokerFacts) -> Self {
        let hypothetical = HypotheticalCandidate::new(plan, plan.symbols.clone(), broker);
        Solver {
            plan,
            hypothetical,
            costs: costs(plan),
            reads: IndexMap::new(),
            left: limits::ANALYSIS_STEPS,
            given_up: IndexSet::new(),
            uncompared: None,
        }
    }

    /// Searches for a candidate that meets all goals.
    pub fn solve(&mut self, goals: &[(NodeId, WantedTruth)]) -> Solution {
        let (mut flat, mut seen) = (Vec::new(), IndexSet::new());
        for (origin, (node, want)) in goals.iter().enumerate() {
            self.flatten(Goal { node: *node, want: *want, shown: *node, origin }, &mut seen, &mut flat);
        }
        let answer = self.solve_flat(&flat);
        match answer {
            Solution::Found(witness) if !self.confirms(&witness, goals) => Solution::NotKnown(Doubt::Steps),
            Solution::Never(part) => Solution::Never(self.least(part)),
            Solution::NotKnown(Doubt::Steps) => {
                self.given_up.extend(goals.first().map(|goal| goal.0));
                answer
            }
            answer => answer,
        }
    }

    /// Returns `true` if a candidate meets the goals as they were asked, by the word of the engine.
    fn confirms(&mut self, witness: &Witness, goals: &[(NodeId, WantedTruth)]) -> bool {
        for (variable, held) in witness {
            self.hypothetical.hold(*variable, held.clone());
        }
        goals.iter().all(|(node, want)| want.accepts(truth(&self.hypothetical, *node)))
    }

    /// Splits a goal into conditions that must all be met: `and` where it must hold, `or` where it must not.
    /// A goal that was split before is skipped.
    fn flatten(&self, goal: Goal, seen: &mut IndexSet<(NodeId, WantedTruth)>, out: &mut Vec<Goal>) {
        let Goal { node, want, .. } = goal;
        if !seen.insert((node, want)) {
            return;
        }
        match (self.plan.node(node), want) {
            (Node::And(parts), WantedTruth::True | WantedTruth::NotFalse)
            | (Node::Or(parts), WantedTruth::False | WantedTruth::NotTrue) => {
                for part in parts {
                    self.flatten(Goal { node: *part, shown: *part, ..goal }, seen, out);
                }
            }
            (Node::Named(definition), _) => {
                let root = self.plan.definition(*definition).root;
                let opens = matches!(
                    (self.plan.node(root), want),
                    (Node::And(_), WantedTruth::True | WantedTruth::NotFalse)
                        | (Node::Or(_), WantedTruth::False | WantedTruth::NotTrue)
                );
                // A definition that consists of a single condition is shown as that condition, if it must
                // hold.
                let shown = if opens || want == WantedTruth::True { root } else { goal.shown };
                self.flatten(Goal { node: root, shown, ..goal }, seen, out);
            }
            (Node::Not(inner), _) => {
                self.flatten(Goal { node: *inner, want: want.negated(), ..goal }, seen, out);
            }
            _ => out.push(goal),
        }
    }

    fn solve_flat(&mut self, goals: &[Goal]) -> Solution {
        if goals.len() > limits::ANALYSED_CONDITIONS {
            return Solution::NotKnown(Doubt::Steps);
        }
        let mut witness = Witness::new();
        let mut doubt = None;
        for part in self.parts(goals) {
            match self.search(&part) {
                PartResult::Found(found) => witness.extend(found),
                PartResult::None => return Solution::Never(part),
                PartResult::NotKnown(why) => doubt = Some(why),
            }
        }
        doubt.map_or(Solution::Found(witness), Solution::NotKnown)
    }

    /// Returns the variables that a condition reads, but for those that are fixed.
    fn variables(&mut self, node: NodeId) -> Vec<VariableId> {
        let (plan, hypothetical) = (self.plan, &self.hypothetical);
        let read = self.reads.entry(node).or_insert_with(|| {
            let reads: IndexSet<VariableId> =
                plan.reads(node).into_iter().map(|column| hypothetical.variable_of(column)).collect();
            reads.into_iter().collect()
        });
        read.iter().copied().filter(|variable| !hypothetical.is_fixed(*variable)).collect()
    }

    /// Splits goals into parts such that goals with a common variable are in the same part. A union-find in
    /// which the lower index becomes the root, so that parts and their goals stay in order.
    fn parts(&mut self, goals: &[Goal]) -> Vec<Vec<Goal>> {
        let mut above: Vec<usize> = (0..goals.len()).collect();
        let root = |above: &[usize], mut at: usize| {
            while above[at] != at {
                at = above[at];
            }
            at
        };
        let mut first: IndexMap<VariableId, usize> = IndexMap::new();
        for (at, goal) in goals.iter().enumerate() {
            for variable in self.variables(goal.node) {
                let (one, other) = (root(&above, *first.entry(variable).or_insert(at)), root(&above, at));
                above[one.max(other)] = one.min(other);
            }
        }
        let mut parts: IndexMap<usize, Vec<Goal>> = IndexMap::new();
        for (at, goal) in goals.iter().enumerate() {
            parts.entry(root(&above, at)).or_default().push(*goal);
        }
        parts.into_values().collect()
    }

    /// Reduces goals that exclude each other to a few that still do. Each goal is left out in turn, from the
    /// last to the first, and dropped for good if the others exclude each other without it.
    fn least(&mut self, mut goals: Vec<Goal>) -> Vec<Goal> {
        let mut at = goals.len();
        while at > 0 && goals.len() > 1 {
            at -= 1;
            let mut fewer = goals.clone();
            fewer.remove(at);
            if let Solution::Never(part) = self.solve_flat(&fewer) {
                goals = part;
                at = at.min(goals.len());
            }
        }
        goals
    }

    /// Searches for values of the variables of one part.
    fn search(&mut self, goals: &[Goal]) -> PartResult {
        if self.left == 0 {
            return PartResult::NotKnown(Doubt::Steps);
        }
        let mut groups = Groups::new(&self.hypothetical);
        for goal in goals {
            groups.add(goal.node);
        }
        let groups = groups.finish();
        let mut domains: IndexMap<VariableId, Vec<VariableValue>> = IndexMap::new();
        let mut opaque: Vec<(VariableId, Vec<VariableValue>)> = Vec::new();
        let mut doubt = None;
        for group in groups {
            let made = values::domains(&group, &mut self.hypothetical);
            domains.extend(made.values);
            opaque.extend(made.opaque);
            doubt = doubt.or(made.doubt);
        }
        // The recursion is as deep as there are variables.
        if domains.len() > limits::ANALYSED_CONDITIONS {
            return PartResult::NotKnown(Doubt::Steps);
        }
        let mut steps = limits::QUESTION_STEPS.min(self.left);
        let before = steps;
        let mut found = self.walk(goals, domains.clone(), &mut steps);
        // There may be texts that match a pattern and were not found. Values that stand for them are tried
        // last: only if these do not meet the goals either is it certain that nothing does.
        if matches!(found, PartResult::None) && !opaque.is_empty() {
            for (variable, values) in opaque {
                domains.entry(variable).or_default().extend(values);
            }
            if !matches!(self.walk(goals, domains, &mut steps), PartResult::None) {
                found = PartResult::NotKnown(Doubt::Patterns);
            }
        }
        self.left -= before - steps;
        match (found, doubt) {
            (PartResult::None, Some(doubt)) => PartResult::NotKnown(doubt),
            (found, _) => found,
        }
    }

    /// Searches depth first over the values of each variable. Goals of one variable filter its values
    /// beforehand; any other goal is evaluated when its last variable is set. Variables with few values come
    /// first, since a failure there cuts off more of the search.
    fn walk(
        &mut self,
        goals: &[Goal],
        domains: IndexMap<VariableId, Vec<VariableValue>>,
        steps: &mut u64,
    ) -> PartResult {
        let mut domains = domains;
        let reads: Vec<Vec<VariableId>> = goals.iter().map(|goal| self.variables(goal.node)).collect();
        for (goal, reads) in goals.iter().zip(&reads) {
            if let (Some(only), 1) = (reads.first(), reads.len())
                && let Some(values) = domains.get_mut(only)
            {
                values.retain(|held| {
                    self.hypothetical.hold(*only, held.clone());
                    self.ask(goal, steps)
                });
            }
        }
        if *steps == 0 {
            return PartResult::NotKnown(Doubt::Steps);
        }
        let mut order: Vec<(VariableId, Vec<VariableValue>)> = domains.into_iter().collect();
        order.sort_by_key(|(_, values)| values.len());
        let position = |variable: &VariableId| order.iter().position(|(known, _)| known == variable);
        let mut asked: Vec<Vec<Goal>> = vec![Vec::new(); order.len() + 1];
        for (goal, reads) in goals.iter().zip(&reads) {
            let last = reads.iter().filter_map(position).max().map_or(0, |at| at + 1);
            if reads.len() != 1 {
                asked[last].push(*goal);
            }
        }
        if !asked[0].iter().all(|goal| self.ask(goal, steps)) {
            return PartResult::None;
        }
        let met = self.descend(&order, &asked, 0, steps);
        match met {
            _ if *steps == 0 => PartResult::NotKnown(Doubt::Steps),
            true => PartResult::Found(
                order.iter().map(|(id, _)| (*id, self.hypothetical.held(*id).clone())).collect::<Witness>(),
            ),
            false => PartResult::None,
        }
    }

    fn descend(
        &mut self,
        order: &[(VariableId, Vec<VariableValue>)],
        asked: &[Vec<Goal>],
        at: usize,
        steps: &mut u64,
    ) -> bool {
        let Some((variable, values)) = order.get(at) else { return true };
        for held in values {
            self.hypothetical.hold(*variable, held.clone());
            let met = asked[at + 1].iter().all(|goal| self.ask(goal, steps));
            if met && self.descend(order, asked, at + 1, steps) {
                return true;
            }
            if *steps == 0 {
                return false;
            }
        }
        false
    }

    fn ask(&self, goal: &Goal, steps: &mut u64) -> bool {
        *steps = steps.saturating_sub(u64::from(self.costs[goal.node.0 as usize]));
        *steps > 0 && goal.want.accepts(truth(&self.hypothetical, goal.node))
    }
}

/// Computes how many nodes the evaluation of each node visits at most. Nodes are in post-order, so that the
/// costs of operands are known when they are needed.
fn costs(plan: &Plan) -> Vec<u32> {
    let mut costs: Vec<u32> = Vec::with_capacity(plan.nodes.len());
    for node in &plan.nodes {
        let of = |id: &NodeId| costs.get(id.0 as usize).copied().unwrap_or(1);
        let inner = match node {
            Node::Constant(_)
            | Node::Read(_)
            | Node::IsAbsent(_)
            | Node::IsPresent(_)
            | Node::External(_) => 0,
            Node::Named(definition) => of(&plan.definition(*definition).root),
            Node::Not(inner) | Node::Negate(inner) | Node::Matches(inner, _) | Node::Else(_, inner) => {
                of(inner)
            }
            Node::And(parts) | Node::Or(parts) | Node::Call(_, parts) => {
                parts.iter().fold(0_u32, |sum, part| sum.saturating_add(of(part)))
            }
            Node::Test(_, left, right) | Node::Arithmetic(_, left, right) => {
                of(left).saturating_add(of(right))
            }
        };
        costs.push(inner.saturating_add(1));
    }
    costs
}
