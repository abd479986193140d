//! Warns of preferences that give every candidate the same score, and so choose nothing (`B0609`).
//!
//! A preference is judged twice. [`never`] asks the solver and holds for every fleet. [`over_fleet`]
//! evaluates the preference with every candidate of the fleet at hand, within a bound on steps.

use super::{
    AnalysedSet,
    conditions::is_condition,
    solve::{Solution, Solver, WantedTruth},
    witness,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    engine::{Scene, Subject},
    inventory::ledger::Ledger,
    ir::{Framework, Key, Need, OwnedRule, Place, Rule, RuleOwner, Volume},
    limits,
    operator::Strength,
    quantity::{MILLION, decimal},
    types::Side,
};

/// Checks every preference, and the soft places of needs. Returns `false` if the bound on steps ended the
/// check early.
///
/// A preference of the operator applies to every candidate, so one that is always earned changes no choice.
/// One of an agent or a provider applies to its own candidates only: always earned, it still sets these apart
/// from others.
pub(super) fn check(set: &AnalysedSet<'_>, solver: &mut Solver<'_>, problems: &mut Vec<Diagnostic>) -> bool {
    let plan = set.plan;
    let ledger = Ledger::empty(set.world);
    let mut steps = limits::PREFERRING_STEPS;
    for OwnedRule { rule, owner, .. } in plan.rules().filter(OwnedRule::is_preferred) {
        let why = never(set, solver, rule, owner)
            .or_else(|| over_fleet(&PreferenceFleet { set, ledger: &ledger, rule, owner }, &mut steps));
        if let Some(why) = why {
            let name = if rule.labelled { format!("`{}`", rule.label) } else { "this preference".to_owned() };
            let message = format!("{name} never tells two candidates apart");
            let span = plan.spans[rule.root.0 as usize];
            problems
                .push(Diagnostic::warning(Code::B0609, span, message).label("it changes no score").help(why));
        }
    }
    for need in plan.frameworks.iter().flat_map(|framework| &framework.needs) {
        let distinct = need.volumes.iter().filter(|volume| volume.ordinal.0 == 0);
        need.places.iter().chain(distinct.flat_map(|volume| &volume.places)).for_each(|place| {
            problems.extend(weightless(place));
        });
    }
    steps > 0
}

fn weightless(place: &Place) -> Option<Diagnostic> {
    (place.strength == Strength::Prefer(0)).then(|| {
        let message = "this place never tells two candidates apart";
        let problem = Diagnostic::warning(Code::B0609, place.span, message).label("it changes no score");
        problem.help("its weight is 0")
    })
}

/// Returns the reason why a preference never tells two candidates apart, in any fleet.
fn never(set: &AnalysedSet<'_>, solver: &mut Solver<'_>, rule: &Rule, owner: RuleOwner) -> Option<String> {
    if rule.strength == Strength::Prefer(0) {
        return Some("its weight is 0".to_owned());
    }
    let text = || witness::condition(set.plan, set.sources, rule.root);
    if !is_condition(set.plan, rule.root) {
        let constant = set.plan.reads(rule.root).is_empty();
        return (constant && owner == RuleOwner::Operator)
            .then(|| format!("`{}` is the same for every candidate", text()));
    }
    match solver.solve(&[(rule.root, WantedTruth::True)]) {
        Solution::Never(goals) => {
            Some(format!("it earns nothing: {}", set.conflict(solver, &goals, |_| String::new())))
        }
        _ if owner != RuleOwner::Operator => None,
        _ => {
            let always = solver.solve(&[(rule.root, WantedTruth::NotTrue)]).is_never();
            always.then(|| format!("`{}` holds for every candidate", text()))
        }
    }
}

/// A preference, and the fleet that it is asked of.
struct PreferenceFleet<'s, 'a> {
    set: &'s AnalysedSet<'a>,
    ledger: &'s Ledger,
    rule: &'s Rule,
    owner: RuleOwner,
}

/// Returns the reason why a preference tells no two candidates of the declared fleet apart.
///
/// For each need and volume, every candidate must earn the same; different needs may earn different values.
/// Preferences on free or used amounts are left out, as these change during a cycle. So is a fleet with fewer
/// than two candidates, which has no choice to make.
fn over_fleet(fleet: &PreferenceFleet<'_, '_>, steps: &mut u64) -> Option<String> {
    let PreferenceFleet { set, rule, .. } = fleet;
    let varies = |key: Key| matches!(key, Key::Free(_) | Key::Used(_));
    if set.plan.reads(rule.root).iter().any(|column| varies(set.plan.column(*column).key)) {
        return None;
    }
    let agents = fleet.agents();
    let supplies = if rule.sides.of_volume() { fleet.supplies() } else { vec![None] };
    // The preference may be there for candidates that are still to come.
    if [&agents, &supplies].into_iter().any(|side| side.len() < 2 && side != &[None]) {
        return None;
    }
    let mut asked = 0;
    let mut values: Vec<i64> = Vec::new();
    for framework in &set.plan.frameworks {
        for need in framework.needs.iter().filter(|need| need.agent.is_some() || !rule.sides.has(Side::Agent))
        {
            for volume in fleet.volumes(need) {
                let value = fleet.common_value(framework, need, volume, &agents, &supplies, steps)?;
                asked += 1;
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
    }
    let own = fleet.owner != RuleOwner::Operator;
    if asked == 0 || own && values != [0] {
        return None;
    }
    let earned = match values.as_slice() {
        [only] => format!("earns {}", decimal(i128::from(*only), i128::from(MILLION))),
        _ => "earns the same".to_owned(),
    };
    let candidates = match (agents.first(), supplies.first()) {
        (Some(Some(_)), Some(Some(_))) => format!("{} agents and {} supplies", agents.len(), supplies.len()),
        (_, Some(Some(_))) => format!("{} supplies", supplies.len()),
        _ => format!("{} agents", agents.len()),
    };
    let absent = fleet.absent(&agents, &supplies);
    let absent = if absent.is_empty() { String::new() } else { format!(": none of them has {absent}") };
    Some(format!("it {earned} with each of the {candidates} that it is asked of{absent}"))
}

impl<'s> PreferenceFleet<'s, '_> {
    /// Returns the agents that the preference applies to, or `[None]` if it is not about agents.
    fn agents(&self) -> Vec<Option<usize>> {
        if !self.rule.sides.has(Side::Agent) {
            return vec![None];
        }
        let all = self.set.world.agents.iter().enumerate();
        match self.owner {
            RuleOwner::Agent(rules) => {
                all.filter(|(_, one)| one.rules == rules).map(|(at, _)| Some(at)).collect()
            }
            _ => all.map(|(at, _)| Some(at)).collect(),
        }
    }

    /// Returns the supplies that the preference applies to.
    fn supplies(&self) -> Vec<Option<usize>> {
        let world = self.set.world;
        let below = |supply: &crate::inventory::world::Supply| match self.owner {
            RuleOwner::Tier(rules) => supply.chain.iter().any(|tier| world.tiers[*tier].rules == rules),
            _ => true,
        };
        let all = world.supplies.iter().enumerate();
        all.filter(|(_, supply)| below(supply)).map(|(at, _)| Some(at)).collect()
    }

    fn volumes(&self, need: &'s Need) -> Vec<Option<&'s Volume>> {
        if !self.rule.sides.of_volume() {
            return vec![None];
        }
        need.volumes.iter().filter(|volume| volume.ordinal.0 == 0).map(Some).collect()
    }

    fn scene(
        &self,
        framework: &'s Framework,
        need: &'s Need,
        volume: Option<&'s Volume>,
        agent: Option<usize>,
        supply: Option<usize>,
    ) -> Scene<'s> {
        let AnalysedSet { plan, world, .. } = *self.set;
        let subject = Subject { framework, need };
        Scene {
            plan,
            world,
            ledger: self.ledger,
            subject,
            agent,
            supply,
            volume,
            filters: None,
            recorder: None,
        }
    }

    /// Returns the value that every candidate earns, if they all earn the same and the steps suffice.
    fn common_value(
        &self,
        framework: &'s Framework,
        need: &'s Need,
        volume: Option<&'s Volume>,
        agents: &[Option<usize>],
        supplies: &[Option<usize>],
        steps: &mut u64,
    ) -> Option<i64> {
        let mut only = None;
        for agent in agents {
            for supply in supplies {
                *steps = steps.saturating_sub(1);
                if *steps == 0 {
                    return None;
                }
                let scene = self.scene(framework, need, volume, *agent, *supply);
                let value = scene.earned(self.rule.root).unwrap_or(0);
                if *only.get_or_insert(value) != value {
                    return None;
                }
            }
        }
        only
    }

    /// Lists the keys that the preference reads and none of the candidates has.
    fn absent(&self, agents: &[Option<usize>], supplies: &[Option<usize>]) -> String {
        let plan = self.set.plan;
        let Some((framework, need)) = plan
            .frameworks
            .iter()
            .find_map(|framework| framework.needs.first().map(|need| (framework, need)))
        else {
            return String::new();
        };
        let show = crate::ir::Show::new(plan);
        let reads = plan.reads(self.rule.root);
        let lacking = reads.into_iter().filter(|column| match plan.column(*column).side {
            Side::Agent => agents
                .iter()
                .all(|agent| self.scene(framework, need, None, *agent, None).read(*column).is_err()),
            Side::Pool => supplies
                .iter()
                .all(|supply| self.scene(framework, need, None, None, *supply).read(*column).is_err()),
            _ => false,
        });
        lacking.map(|column| format!("`{}`", show.column(column))).collect::<Vec<_>>().join(" or ")
    }
}
