//! Puts the rules of plugins beside those of a policy, and answers for them.
//!
//! Each rule of a plugin becomes a rule of the plan, whose root is a question to the plugin
//! (`Node::External`). The engine evaluates it through [`Filters`], which [`Composed`] implements. So
//! requirements conjoin and preferences add up as those of the policy do, and reasons name the plugin.
//!
//! Answers are cached by the values of the keys that the question reads, not by row: a plugin sees nothing
//! else, so its answer depends on nothing else. The cache needs no invalidation when the fleet changes, and
//! alike rows share an entry.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;

use super::{
    About, Answer, CandidateQuestion, ConditionOutcome, Fault, Filter, FleetView, Plugin, Question,
    about::{AboutRule, Purpose},
    ask::{self, ComputationFailure, TriedRows},
    besides::Besides,
    binding::POOL_PROVIDER,
    counted::Counted,
    rules::{self, Listing},
};
use crate::{
    engine::{self, Filters, Gap, Possible, Scene},
    inventory::{
        amend::{FleetChanges, RowChanges},
        ledger::Ledger,
        world::World,
    },
    ir::{self, ExternalRule, Plan},
    limits,
    logic::Truth,
    quantity::Dimension,
    source::Sources,
    types::Side,
    value::Value,
};

/// The plugins that judge a fleet besides its own policy. A plugin that breaks a rule answers nothing from
/// then on. Its rules are unknown, so that nothing that they are about is offered.
#[derive(Debug)]
pub struct Composed {
    filters: Vec<PluginWithFleet>,
    besides: Besides,
    rules: Vec<ir::Rule>,
}

/// A run of questions to the plugins of a fleet. It ends when this is dropped.
#[derive(Debug)]
pub struct PluginRun {
    composed: Arc<Composed>,
}

impl Drop for PluginRun {
    fn drop(&mut self) {
        self.composed.filters.iter().for_each(|one| drop(one.state().filter.as_mut().map(Filter::end)));
    }
}

/// A plugin with a fleet.
#[derive(Debug)]
struct PluginWithFleet {
    plugin: Plugin,
    /// The columns that it reads but may not see, as it numbers them and as a policy writes them.
    withheld: Vec<(u32, String)>,
    state: Mutex<FilterState>,
}

/// The key of the cache: the question, with the values of the keys that it reads. The answer depends on
/// nothing else.
type QuestionKeys = (ir::ExternalQuestion, Vec<Result<Value, Gap>>);

#[derive(Debug)]
struct FilterState {
    /// The instance, or the fault that ended it.
    filter: Result<Filter, Fault>,
    counted: Counted,
    verdicts: IndexMap<QuestionKeys, RuleAnswer>,
    outcomes: IndexMap<QuestionKeys, Option<ConditionOutcome>>,
}

/// The answer of a rule.
#[derive(Clone, Copy, Debug)]
enum RuleAnswer {
    Truth(Truth),
    /// Earned, in millionths. `None` if unknown.
    Earned(Option<i64>),
}

impl RuleAnswer {
    fn of(answer: &Answer, rule: &AboutRule, (agent, pool): (usize, usize)) -> RuleAnswer {
        match rule.purpose {
            Purpose::Prefer(_) => RuleAnswer::Earned(answer.earned(0, agent, pool)),
            _ => RuleAnswer::Truth(answer.truth(0, agent, pool)),
        }
    }

    /// Returns the answer of a rule about one agent for every other agent: it excludes nothing, and earns
    /// nothing.
    fn of_another(rule: &AboutRule) -> RuleAnswer {
        match rule.purpose {
            Purpose::Prefer(_) => RuleAnswer::Earned(Some(0)),
            _ => RuleAnswer::Truth(Truth::True),
        }
    }

    fn value(self) -> Option<Value> {
        match self {
            RuleAnswer::Truth(Truth::Unknown) => None,
            RuleAnswer::Truth(truth) => Some(Value::Bool(truth.holds())),
            RuleAnswer::Earned(earned) => Some(Value::Quantity(Dimension::Number, earned?)),
        }
    }
}

impl Composed {
    /// Adds the rules of plugins to a plan, and loads the fleet into the plugins. The fleet must have been
    /// bound with [`add_columns`](super::add_columns) of each. The text of the rules becomes a source of its
    /// own, which gives them places for messages.
    pub fn new(plan: &mut Plan, world: &mut World, sources: &mut Sources, plugins: &[Plugin]) -> Composed {
        let (mut besides, mut rules) = (Besides::default(), Vec::new());
        let listings = listings(sources, plugins);
        for ((at, name), listing) in names(plugins).enumerate().zip(&listings) {
            rules.extend(rules::add(plan, &mut besides, &plugins[at], (at, name), listing));
        }
        besides.give(plan, world);
        let ledger = Ledger::new(world);
        let view = FleetView { plan, world, ledger: &ledger };
        let filters = plugins.iter().map(|plugin| PluginWithFleet::new(plugin.clone(), None, view)).collect();
        Composed { filters, besides, rules }
    }

    /// Returns the rules of all plugins, including those about agents or tiers that do not exist at present.
    pub fn rules(&self) -> &[ir::Rule] {
        &self.rules
    }

    /// Returns the lists that replace the rules of some agents, and of some tiers, each with the list of
    /// their own rules.
    pub fn lists(&self) -> [Vec<(usize, usize)>; 2] {
        [self.besides.agents.lists().collect(), self.besides.tiers.lists().collect()]
    }

    /// Tells the plugins about a change of the fleet.
    ///
    /// A plugin whose rows were added, removed or moved is loaded again. If another fleet shares the plugins,
    /// every one gets a new instance for this fleet. A plugin with a fault keeps it. Pass `rebound` if rows
    /// may have lost their rules of plugins; these are then given to them again.
    pub fn follow(
        composed: &mut Arc<Composed>,
        (plan, world): (&mut Plan, &mut World),
        ledger: &Ledger,
        (changed, rebound): (&FleetChanges, bool),
    ) {
        if let Some(own) = Arc::get_mut(composed) {
            if rebound {
                own.besides.give(plan, world);
            }
            let view = FleetView { plan, world, ledger };
            own.filters.iter_mut().for_each(|one| one.follow(view, changed));
            return;
        }
        let mut besides = composed.besides.clone();
        besides.give(plan, world);
        let view = FleetView { plan, world, ledger };
        let again = |one: &PluginWithFleet| {
            PluginWithFleet::new(one.plugin.clone(), one.state().filter.as_ref().err().cloned(), view)
        };
        let filters = composed.filters.iter().map(again).collect();
        *composed = Arc::new(Composed { filters, besides, rules: composed.rules.clone() });
    }

    /// Returns the faults so far, in the order of the plugins.
    pub fn faults(&self) -> Vec<Fault> {
        self.filters.iter().filter_map(|one| one.state().filter.as_ref().err().cloned()).collect()
    }

    /// Begins a run of questions, such as a cycle or an explanation. The limits give each plugin an allowance
    /// for the run, and a plugin that exceeds it has a fault.
    pub fn run(self: Arc<Self>) -> PluginRun {
        self.filters.iter().for_each(|one| drop(one.state().filter.as_mut().map(Filter::begin)));
        PluginRun { composed: self }
    }

    fn one(&self, asked: &ExternalRule) -> Option<&PluginWithFleet> {
        self.filters.get(asked.filter)
    }
}

impl PluginWithFleet {
    fn new(plugin: Plugin, broken: Option<Fault>, view: FleetView<'_>) -> PluginWithFleet {
        let about = plugin.about();
        let withheld = plugin.withheld().into_iter();
        let withheld = withheld.map(|at| (at as u32, about.columns[at].show())).collect();
        let filter = broken.map_or_else(|| plugin.load(view), Err);
        let counted = Counted::new(&plugin, view);
        let state = FilterState { filter, counted, verdicts: IndexMap::new(), outcomes: IndexMap::new() };
        PluginWithFleet { plugin, withheld, state: Mutex::new(state) }
    }

    fn follow(&mut self, view: FleetView<'_>, changed: &FleetChanges) {
        let About { columns, .. } = self.plugin.about();
        let reads = |side| columns.iter().any(|column| column.side == side);
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Ok(filter) = &mut state.filter else { return };
        if !(changed.agents.keeps_positions() && changed.supplies.keeps_positions()) {
            state.counted = Counted::new(&self.plugin, view);
            state.filter = self.plugin.load(view);
            return;
        }
        let rows = |rows: &RowChanges, side| if reads(side) { rows.changed.clone() } else { Vec::new() };
        let (agents, pools) = (rows(&changed.agents, Side::Agent), rows(&changed.supplies, Side::Pool));
        if agents.is_empty() && pools.is_empty() {
            return;
        }
        let told = ask::Changed { agents: &agents, pools: &pools, only_counted: false };
        match filter.update(view, told) {
            Ok(()) => state.counted.note_sent(view, &agents, &pools),
            Err(fault) => state.filter = Err(fault),
        }
    }

    fn about(&self) -> &About {
        self.plugin.about()
    }

    fn state(&self) -> MutexGuard<'_, FilterState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns `true` if a provider's plugin is asked for the class of another provider's supply. Such a
    /// supply is in none of its classes.
    fn is_not_its_own(&self, scene: &Scene<'_>, asked: &ExternalRule) -> bool {
        let Some((provider, supply)) = self.plugin.provider().zip(scene.supply) else { return false };
        let goes_by_it = scene.plan.find_column(POOL_PROVIDER).is_some_and(|id| asked.reads.contains(&id));
        goes_by_it && scene.plan.symbols.text(scene.world.supplies[supply].provider) != provider
    }

    fn rule(&self, asked: &ExternalRule) -> Option<&AboutRule> {
        match asked.question {
            ir::ExternalQuestion::Rule(rule) => self.about().rules.get(rule as usize),
            _ => None,
        }
    }

    fn verdict(&self, scene: &Scene<'_>, asked: &ExternalRule) -> Option<RuleAnswer> {
        if is_of_another(scene, asked) {
            return Some(self.rule(asked).map_or(RuleAnswer::Truth(Truth::True), RuleAnswer::of_another));
        }
        if self.is_not_its_own(scene, asked) {
            return Some(RuleAnswer::Truth(Truth::False));
        }
        let ir::ExternalQuestion::Rule(number) = asked.question else {
            let truth = self.explain_condition(scene, asked).map_or(Truth::Unknown, |outcome| outcome.truth);
            return Some(RuleAnswer::Truth(truth));
        };
        let rule = self.rule(asked)?;
        let mut state = self.state();
        let seen = seen(scene, asked);
        if let Some(known) = state.verdicts.get(&seen) {
            return Some(*known);
        }
        let agent = scene.agent.filter(|_| rule.reads(Side::Agent));
        let pool = scene.supply.filter(|_| rule.reads(Side::Pool));
        let answer = state.ask(scene, (agent.as_slice(), pool.as_slice()), |filter, view| {
            let pool = pool.filter(|pool| filter.sees_pool(*pool));
            filter
                .evaluate(view, &question(scene, &[number], these(agent.as_slice()), these(pool.as_slice())))
        })?;
        let verdict = RuleAnswer::of(&answer, rule, (0, 0));
        keep(&mut state.verdicts, seen, verdict, 0);
        Some(verdict)
    }

    /// Returns the result of a condition with its causes, or `None` if the plugin does not explain.
    fn explain_condition(&self, scene: &Scene<'_>, asked: &ExternalRule) -> Option<ConditionOutcome> {
        let condition = match asked.question {
            ir::ExternalQuestion::Condition(condition) => condition,
            _ => self.rule(asked)?.whole,
        };
        let mut state = self.state();
        let seen = (ir::ExternalQuestion::Condition(condition), seen(scene, asked).1);
        if let Some(known) = state.outcomes.get(&seen) {
            return known.clone();
        }
        let (agent, supply) = (scene.agent, scene.supply);
        let told = state.ask(scene, (agent.as_slice(), supply.as_slice()), |filter, view| {
            let pool = supply.filter(|supply| filter.sees_pool(*supply));
            let subject = Some(scene.subject);
            let conditions = &[condition];
            filter
                .explain(view, &CandidateQuestion { subject, volume: scene.volume, conditions, agent, pool })
        })?;
        let outcome = told.and_then(|outcomes| outcomes.into_iter().next());
        let told = outcome.as_ref().and_then(|outcome| outcome.operand.as_ref()).map_or(0, String::len);
        keep(&mut state.outcomes, seen, outcome.clone(), told);
        outcome
    }

    /// Returns the answer of a rule for every row of a side, with the rest of the scene fixed.
    fn of_rows(&self, scene: &Scene<'_>, side: Side, asked: &ExternalRule) -> Option<Vec<RuleAnswer>> {
        let rule = self.rule(asked)?;
        let ir::ExternalQuestion::Rule(number) = asked.question else { return None };
        let (agents, supplies) = (scene.world.agents.len(), scene.world.supplies.len());
        let of_another = RuleAnswer::of_another(rule);
        if side != Side::Agent && is_of_another(scene, asked) {
            return Some(vec![of_another; supplies]);
        }
        let mut state = self.state();
        let other = match side {
            Side::Agent => scene.supply.filter(|_| rule.reads(Side::Pool)),
            _ => scene.agent.filter(|_| rule.reads(Side::Agent)),
        };
        let every: Vec<usize> = (0..if side == Side::Agent { agents } else { supplies }).collect();
        let rows = (every.as_slice(), other.as_slice());
        let rows = if side == Side::Agent { rows } else { (rows.1, rows.0) };
        let answer = state.ask(scene, rows, |filter, view| {
            let seen = other.filter(|row| side != Side::Agent || filter.sees_pool(*row));
            let rows = (TriedRows::All, these(seen.as_slice()));
            let (agents, pools) = if side == Side::Agent { rows } else { (rows.1, rows.0) };
            let answer = filter.evaluate(view, &question(scene, &[number], agents, pools))?;
            Ok((answer, filter.pools().to_vec()))
        });
        let (answer, pools) = answer?;
        if side == Side::Agent {
            let verdict = |row| match is_of_another(&Scene { agent: Some(row), ..*scene }, asked) {
                true => of_another,
                false => RuleAnswer::of(&answer, rule, (row, 0)),
            };
            return Some((0..agents).map(verdict).collect());
        }
        // Supplies of other providers, which the plugin does not see, are in none of its classes.
        let not_its_own = match rule.purpose {
            Purpose::Class(_) => Truth::False,
            _ => Truth::Unknown,
        };
        let mut verdicts = vec![RuleAnswer::Truth(not_its_own); supplies];
        for (row, supply) in pools.into_iter().enumerate() {
            verdicts[supply] = RuleAnswer::of(&answer, rule, (0, row));
        }
        Some(verdicts)
    }

    /// Returns the reason why no candidate can get an answer, if there is one.
    fn obstacle(&self, asked: &ExternalRule) -> Option<String> {
        if let Err(fault) = &self.state().filter {
            return Some(format!("no answer: it broke the rule `{}`", fault.broken));
        }
        let condition = match asked.question {
            ir::ExternalQuestion::Condition(condition) => condition,
            _ => self.rule(asked)?.whole,
        };
        let reads = &self.about().conditions.get(condition as usize)?.reads;
        let withheld = self.withheld.iter().filter(|(column, _)| reads.contains(column));
        let names: Vec<String> = withheld.map(|(_, name)| format!("`{name}`")).collect();
        let verb = if names.len() == 1 { "is" } else { "are" };
        (!names.is_empty()).then(|| format!("nothing: {} {verb} not granted", names.join(", ")))
    }
}

impl FilterState {
    /// Asks the plugin, after sending it the amounts that these rows have free at present. Returns `None` if
    /// it has a fault.
    fn ask<R>(
        &mut self,
        scene: &Scene<'_>,
        (agents, supplies): (&[usize], &[usize]),
        ask: impl FnOnce(&mut Filter, FleetView<'_>) -> Result<R, Fault>,
    ) -> Option<R> {
        let filter = self.filter.as_mut().ok()?;
        let view = FleetView { plan: scene.plan, world: scene.world, ledger: scene.ledger };
        let answer =
            self.counted.tell(filter, (scene, view), agents, supplies).and_then(|()| ask(filter, view));
        match answer {
            Ok(answer) => Some(answer),
            Err(fault) => {
                self.verdicts.clear();
                self.outcomes.clear();
                self.filter = Err(fault);
                None
            }
        }
    }
}

impl Filters for Composed {
    fn value(&self, scene: &Scene<'_>, asked: &ExternalRule) -> Result<Value, Gap> {
        let one = self.one(asked).ok_or(Gap::Unanswered)?;
        if asked.question == ir::ExternalQuestion::Healthy {
            return Ok(Value::Bool(one.state().filter.is_ok()));
        }
        let known = one.verdict(scene, asked).and_then(RuleAnswer::value);
        known.ok_or_else(|| {
            let first = asked.reads.iter().find_map(|column| scene.read(*column).err());
            first.unwrap_or(Gap::Unanswered)
        })
    }

    fn outcome(&self, scene: &Scene<'_>, asked: &ExternalRule) -> Option<engine::FilterOutcome> {
        let one = self.one(asked)?;
        if is_of_another(scene, asked) {
            let possible = Some(Possible { may_hold: true, may_fail: false });
            return Some(engine::FilterOutcome { possible, ..engine::FilterOutcome::default() });
        }
        let of_another = || Some("a supply of another provider".to_owned());
        let obstacle = if one.is_not_its_own(scene, asked) { of_another() } else { one.obstacle(asked) };
        if let Some(obstacle) = obstacle {
            return Some(engine::FilterOutcome {
                obstacle: Some(obstacle),
                ..engine::FilterOutcome::default()
            });
        }
        let told = one.explain_condition(scene, asked)?;
        let cause = told.failure.map(|(failure, expression)| {
            let words = match failure {
                ComputationFailure::Overflow => ir::op::OpFault::Overflow.words(),
                ComputationFailure::DivisionByZero => ir::op::OpFault::DivisionByZero.words(),
            };
            let text = one.about().expressions.get(expression as usize).map_or("", String::as_str);
            format!("{words} in `{text}`")
        });
        let possible = Possible { may_hold: told.may_hold, may_fail: told.may_fail };
        Some(engine::FilterOutcome {
            possible: Some(possible),
            operand: told.operand,
            distance: told.distance,
            cause,
            obstacle: None,
        })
    }

    fn truths(&self, scene: &Scene<'_>, side: Side, asked: &ExternalRule) -> Option<Vec<Truth>> {
        let verdicts = self.one(asked)?.of_rows(scene, side, asked)?;
        let truth = |verdict| match verdict {
            RuleAnswer::Truth(truth) => truth,
            RuleAnswer::Earned(_) => Truth::Unknown,
        };
        Some(verdicts.into_iter().map(truth).collect())
    }

    fn earned(&self, scene: &Scene<'_>, side: Side, asked: &ExternalRule) -> Option<Vec<i64>> {
        let verdicts = self.one(asked)?.of_rows(scene, side, asked)?;
        let earned = |verdict| match verdict {
            RuleAnswer::Earned(earned) => earned.unwrap_or(0),
            RuleAnswer::Truth(_) => 0,
        };
        Some(verdicts.into_iter().map(earned).collect())
    }
}

/// Returns the names of plugins in reasons, in order. It is the plugin's own name, or the broker's name for
/// it if it has none or shares it.
pub(super) fn names(plugins: &[Plugin]) -> impl Iterator<Item = &str> {
    plugins.iter().map(|plugin| {
        let named_alike = plugins.iter().filter(|other| other.about().name == plugin.about().name);
        let own = plugin.about().name.as_str();
        if own.is_empty() || named_alike.count() > 1 { plugin.name() } else { own }
    })
}

/// Adds the text of the plugins' rules as sources.
fn listings(sources: &mut Sources, plugins: &[Plugin]) -> Vec<Listing> {
    names(plugins).zip(plugins).map(|(name, plugin)| Listing::new(sources, plugin, name)).collect()
}

/// Adds the sources that [`Composed::new`] adds, which hold the text of the plugins' rules.
pub fn add_sources(sources: &mut Sources, plugins: &[Plugin]) {
    listings(sources, plugins);
}

/// Returns `true` if a rule about one agent is asked about another.
fn is_of_another(scene: &Scene<'_>, asked: &ExternalRule) -> bool {
    let tried = || scene.agent.map(|agent| scene.world.agents[agent].name);
    asked.agent.is_some_and(|agent| tried() != Some(agent))
}

fn question<'q>(
    scene: &Scene<'q>,
    rules: &'q [u32],
    agents: TriedRows<'q>,
    pools: TriedRows<'q>,
) -> Question<'q> {
    Question { subject: Some(scene.subject), volume: scene.volume, rules, agents, pools }
}

/// Returns a question's rows: these, or none.
fn these(rows: &[usize]) -> TriedRows<'_> {
    if rows.is_empty() { TriedRows::None } else { TriedRows::These(rows) }
}

fn seen(scene: &Scene<'_>, asked: &ExternalRule) -> QuestionKeys {
    (asked.question, asked.reads.iter().map(|column| scene.read(*column)).collect())
}

/// Caches an answer whose text has `text` bytes. Clears the cache first if it is full: the bound is on an
/// estimate of the values that it holds.
fn keep<T>(answers: &mut IndexMap<QuestionKeys, T>, seen: QuestionKeys, answer: T, text: usize) {
    let values = answers.len().saturating_mul(seen.1.len() + 1 + text / size_of::<Value>());
    if values >= limits::FILTER_ANSWERS {
        answers.clear();
    }
    answers.insert(seen, answer);
}
