//! Preferences that tell no two candidates apart.

use super::{
    Set,
    conditions::is_condition,
    solve::{Answer, Solver, Want},
    witness,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    engine::{Scene, Subject},
    inventory::ledger::Ledger,
    ir::{Framework, Key, Need, Place, Rule, Volume},
    limits,
    quantity::{MILLION, decimal},
    types::Side,
};

/// Whose preference it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The operator's: asked of every candidate.
    Operator,
    /// Of the agents with these rules: what it always earns sets them apart from others.
    Agent(usize),
    /// Of the supplies below the tiers with these rules.
    Tier(usize),
}

/// Checks every preference, and the soft places of needs; and says whether a bound left all of them time.
pub(super) fn check(set: &Set<'_>, solver: &mut Solver<'_>, problems: &mut Vec<Diagnostic>) -> bool {
    let plan = set.plan;
    let operator = plan.broker.prefers.iter().map(|rule| (rule, Whose::Operator));
    let agents = plan.agent_rules.iter().enumerate();
    let agents = agents.flat_map(|(at, rules)| rules.iter().map(move |rule| (rule, Whose::Agent(at))));
    let tiers = plan.tier_rules.iter().enumerate();
    let tiers = tiers.flat_map(|(at, rules)| rules.iter().map(move |rule| (rule, Whose::Tier(at))));
    let ledger = Ledger::empty(set.world);
    let mut steps = limits::PREFERRING_STEPS;
    for (rule, whose) in operator.chain(agents).chain(tiers).filter(|(rule, _)| rule.weight.is_some()) {
        let why = never(set, solver, rule, whose)
            .or_else(|| over_fleet(&Fleet { set, ledger: &ledger, rule, whose }, &mut steps));
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
    (place.weight == Some(0)).then(|| {
        let message = "this place never tells two candidates apart";
        let problem = Diagnostic::warning(Code::B0609, place.span, message).label("it changes no score");
        problem.help("its weight is 0")
    })
}

/// Why a preference tells none apart, whatever the fleet.
fn never(set: &Set<'_>, solver: &mut Solver<'_>, rule: &Rule, whose: Whose) -> Option<String> {
    if rule.weight == Some(0) {
        return Some("its weight is 0".to_owned());
    }
    let text = || witness::condition(set.plan, set.sources, rule.root);
    if !is_condition(set.plan, rule.root) {
        let constant = set.plan.reads(rule.root).is_empty();
        return (constant && whose == Whose::Operator)
            .then(|| format!("`{}` is the same for every candidate", text()));
    }
    match solver.solve(&[(rule.root, Want::True)]) {
        Answer::Never(goals) => {
            Some(format!("it earns nothing: {}", set.conflict(solver, &goals, |_| String::new())))
        }
        _ if whose != Whose::Operator => None,
        _ => {
            let always = solver.solve(&[(rule.root, Want::NotTrue)]).is_never();
            always.then(|| format!("`{}` holds for every candidate", text()))
        }
    }
}

/// A preference, and the fleet that it is asked of.
struct Fleet<'s, 'a> {
    set: &'s Set<'a>,
    ledger: &'s Ledger,
    rule: &'s Rule,
    whose: Whose,
}

/// Why a preference tells none of the declared candidates apart. What is free changes in a cycle, and is not looked
/// at; neither is a fleet without a choice.
fn over_fleet(fleet: &Fleet<'_, '_>, steps: &mut u64) -> Option<String> {
    let Fleet { set, rule, .. } = fleet;
    let varies = |key: Key| matches!(key, Key::Free(_) | Key::Used(_));
    if set.plan.reads(rule.root).iter().any(|column| varies(set.plan.column(*column).key)) {
        return None;
    }
    let agents = fleet.agents();
    let supplies = if rule.sides.of_volume() { fleet.supplies() } else { vec![None] };
    // One of a kind is no choice: the preference may be there for those that come.
    if [&agents, &supplies].into_iter().any(|side| side.len() < 2 && side != &[None]) {
        return None;
    }
    let mut asked = 0;
    let mut values: Vec<i64> = Vec::new();
    for framework in &set.plan.frameworks {
        for need in framework.needs.iter().filter(|need| need.agent.is_some() || !rule.sides.has(Side::Agent))
        {
            for volume in fleet.volumes(need) {
                let value = fleet.only_value(framework, need, volume, &agents, &supplies, steps)?;
                asked += 1;
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
    }
    let own = fleet.whose != Whose::Operator;
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

impl<'s> Fleet<'s, '_> {
    fn agents(&self) -> Vec<Option<usize>> {
        if !self.rule.sides.has(Side::Agent) {
            return vec![None];
        }
        let all = self.set.world.agents.iter().enumerate();
        match self.whose {
            Whose::Agent(rules) => {
                all.filter(|(_, one)| one.rules == rules).map(|(at, _)| Some(at)).collect()
            }
            _ => all.map(|(at, _)| Some(at)).collect(),
        }
    }

    fn supplies(&self) -> Vec<Option<usize>> {
        let world = self.set.world;
        let below = |supply: &crate::inventory::world::Supply| match self.whose {
            Whose::Tier(rules) => supply.chain.iter().any(|tier| world.tiers[*tier].rules == rules),
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
        let Set { plan, world, .. } = *self.set;
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

    /// What every candidate earns, if they all earn the same.
    fn only_value(
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

    /// Keys that none of the candidates has.
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
