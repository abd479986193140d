//! The face of the library for a program that embeds it: compile a policy once, bind fleets to it, ask for
//! offers as often as needed.
//!
//! [`Policy`] → [`Fleet`] → [`Offers`], with [`Inventory`] for fleets as data. The types share their parts
//! through `Arc`, so that clones are cheap. The work is done by `pipeline`, `matching` and `cycle`.

use std::sync::{Arc, OnceLock};

use crate::{
    check::Strictness,
    cycle::{self, Cycle},
    diagnostic::{Code, Diagnostic, Report, nearest},
    engine::Filters,
    error::Error,
    inventory::{amend::FleetChanges, ledger::Ledger, records::Records, wire, world::World},
    ir::{Plan, Rule},
    matching::{Candidate, Matcher, Moment, NeedId, Placed, Search},
    pipeline::{Checked, Extra, Loaded, Parsed},
    plugin::{Beside, Composed, Fault, Plugin, PluginRun},
    source::Sources,
};

/// A compiled policy set. Cheap to clone; `Send` and `Sync`.
///
/// ```
/// let policy = bourse::Policy::compile([(
///     "demo.policy",
///     r#"
///     agent a1 { resources { cpus = 16, mem = 64GiB } }
///     need web { count = 2, agent { cpus = 4, mem = 8GiB } }
///     "#,
/// )])?;
/// let offers = policy.fleet(&[])?.offers();
/// assert_eq!(offers.cycle().grants.len(), 2);
/// # Ok::<(), bourse::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Policy {
    parsed: Arc<Parsed>,
    pub(crate) strictness: Strictness,
    report: Arc<Report>,
}

impl Policy {
    /// Compiles a set from the names and texts of its files. All files are one scope.
    ///
    /// # Errors
    /// Every problem of the set.
    pub fn compile<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Policy, Error> {
        Policy::compile_with(files, &[])
    }

    /// Like [`Policy::compile`], for a set that asks for classes of plugins (`is vendor/fast`). `plugins` are
    /// those that the fleet will be bound with.
    ///
    /// # Errors
    /// Every problem of the set.
    pub fn compile_with<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
        plugins: &[Plugin],
    ) -> Result<Policy, Error> {
        let files = files.into_iter().map(|(name, text)| (name, text.as_bytes()));
        // The classes of the plugins are names of the set, and must be known before names are bound.
        let beside = Beside { plugins, ..Beside::default() };
        let extra = Extra { plugin_classes: beside.classes(), ..Extra::default() };
        Policy::checked(Parsed::new(files), &extra, Strictness::default())
    }

    /// Compiles a set that has been read.
    ///
    /// # Errors
    /// Every problem of the set.
    pub fn from_parsed(parsed: Parsed, strictness: Strictness) -> Result<Policy, Error> {
        Policy::checked(parsed, &Extra::default(), strictness)
    }

    fn checked(parsed: Parsed, extra: &Extra<'_>, strictness: Strictness) -> Result<Policy, Error> {
        let checked = parsed.check(extra, strictness);
        if checked.report.has_errors() {
            return Err(Error::new(checked.report));
        }
        Ok(Policy { parsed: Arc::new(parsed), strictness, report: Arc::new(checked.report) })
    }

    /// Warnings and notes, with the sources they point into.
    pub fn warnings(&self) -> &Report {
        &self.report
    }

    /// The set as it was read. Operations on a state are checked against it.
    pub fn parsed(&self) -> &Parsed {
        &self.parsed
    }

    /// Binds the fleet that the set declares, and the fleets of inventories, to the policy.
    ///
    /// # Errors
    /// Every problem of the inventories, and every way in which they do not fit the policy.
    pub fn fleet(&self, inventories: &[&Inventory]) -> Result<Fleet, Error> {
        self.fleet_with(inventories, &[])
    }

    /// Like [`Policy::fleet`], with plugins beside the policy. Their requirements must hold too, and their
    /// preferences add to the score.
    ///
    /// # Errors
    /// The errors of [`Policy::fleet`]. A plugin that breaks its contract is no error: see [`Fleet::faults`].
    pub fn fleet_with(&self, inventories: &[&Inventory], plugins: &[Plugin]) -> Result<Fleet, Error> {
        let inventories =
            inventories.iter().map(|inventory| (&inventory.records, &inventory.sources)).collect();
        let beside = Beside { plugins, ..Beside::default() };
        let extra = Extra { inventories, plugin_classes: beside.classes(), ..Extra::default() };
        Fleet::bind(self.parsed.check(&extra, self.strictness), &extra, beside)
    }
}

/// A fleet as data: agents, storage, what is taken, and needs. Read from JSON or NDJSON; see `docs/inventory.md`.
///
/// ```
/// let text = r#"{"format": "bourse.inventory", "version": 1,
///                "agents": [{"name": "a1", "resources": {"cpus": 8}}]}"#;
/// let inventory = bourse::Inventory::from_json("fleet.json", text)?;
/// let policy = bourse::Policy::compile([("demo.policy", "need web { agent { cpus = 4 } }")])?;
/// assert_eq!(bourse::offers(&policy, &[&inventory])?.cycle().grants.len(), 1);
/// # Ok::<(), bourse::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Inventory {
    records: Records,
    sources: Sources,
    report: Report,
}

impl Inventory {
    /// Reads a JSON document. Messages show `name`.
    ///
    /// # Errors
    /// Every problem of the document, each with its place.
    pub fn from_json(name: &str, text: &str) -> Result<Inventory, Error> {
        let mut sources = Sources::default();
        let (records, problems) = wire::read_json(&mut sources, name, text);
        Inventory::checked(records, sources, problems)
    }

    /// Reads NDJSON: a header line, then one record a line.
    ///
    /// # Errors
    /// Every problem of the lines, each with its place.
    pub fn from_ndjson(name: &str, text: &str) -> Result<Inventory, Error> {
        let mut sources = Sources::default();
        let (records, problems) = wire::read_ndjson(&mut sources, name, text);
        Inventory::checked(records, sources, problems)
    }

    /// Reads bytes: NDJSON if the name ends in `.ndjson` or `.jsonl`, else JSON.
    ///
    /// # Errors
    /// Every problem of the bytes, each with its place.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Inventory, Error> {
        let mut sources = Sources::default();
        let (records, problems) = wire::read(&mut sources, name, bytes);
        Inventory::checked(records, sources, problems)
    }

    fn checked(records: Records, sources: Sources, diagnostics: Vec<Diagnostic>) -> Result<Inventory, Error> {
        let mut report = Report { sources: sources.clone(), diagnostics };
        report.sort();
        if report.has_errors() {
            return Err(Error::new(report));
        }
        Ok(Inventory { records, sources, report })
    }

    /// The addition that inventories are to a set.
    pub fn extra(inventories: &[Inventory]) -> Extra<'_> {
        Extra { inventories: inventories.iter().map(Inventory::parts).collect(), ..Extra::default() }
    }

    /// The records, and the sources that their spans point into.
    pub(crate) fn parts(&self) -> (&Records, &Sources) {
        (&self.records, &self.sources)
    }

    /// Warnings and notes: values that were rounded, for example.
    pub fn warnings(&self) -> &Report {
        &self.report
    }
}

/// A fleet bound to a policy: ready to be asked. Cheap to clone; `Send` and `Sync`.
#[derive(Clone, Debug)]
pub struct Fleet {
    loaded: Arc<Loaded>,
    ledger: Arc<Ledger>,
    /// The instances before any offer, computed on first use.
    placed: Arc<OnceLock<Placed>>,
    composed: Option<Arc<Composed>>,
}

impl Fleet {
    /// Makes a fleet of a loaded set.
    pub(crate) fn new(loaded: Loaded) -> Fleet {
        let ledger = Arc::new(Ledger::new(&loaded.world));
        Fleet { loaded: Arc::new(loaded), ledger, placed: Arc::default(), composed: None }
    }

    /// Returns the parts for a change in place. They are copied first if another fleet shares them. `moves`
    /// discards the positions of instances, which are computed again on the next use.
    pub(crate) fn parts_mut(&mut self, moves: bool) -> (&mut Loaded, &mut Ledger) {
        if moves {
            self.placed = Arc::default();
        }
        (Arc::make_mut(&mut self.loaded), Arc::make_mut(&mut self.ledger))
    }

    /// Reports a change to the plugins. `rebound` says that rows were bound again and may have lost their
    /// rules of plugins.
    /// Returns the numbers of the rule lists of agents and of tiers that include rules of plugins, each with
    /// the number of the list that it stands for; `None` if there are no plugins, or `rebound` is not set.
    pub(crate) fn follow(
        &mut self,
        changed: &FleetChanges,
        rebound: bool,
    ) -> Option<[Vec<(usize, usize)>; 2]> {
        let composed = self.composed.as_mut()?;
        let Loaded { plan, world, .. } = Arc::make_mut(&mut self.loaded);
        Composed::follow(composed, (plan, world), &self.ledger, (changed, rebound));
        rebound.then(|| composed.lists())
    }

    /// The rules of all plugins, including rules about agents that the fleet does not have.
    pub(crate) fn rules_of_plugins(&self) -> &[Rule] {
        self.composed.as_deref().map_or(&[], Composed::rules)
    }

    /// Compiles a set together with inventories that complete it. Levels, roles and frameworks of the
    /// inventories count, while [`Policy::compile`] requires a set to be complete by itself.
    ///
    /// # Errors
    /// Every problem of the set and the inventories.
    pub fn load(parsed: &Parsed, strictness: Strictness, inventories: &[Inventory]) -> Result<Fleet, Error> {
        Fleet::load_with(parsed, strictness, inventories, &[])
    }

    /// Like [`Fleet::load`], with plugins beside the policy. Their requirements must hold too, and their
    /// preferences add to the score.
    ///
    /// # Errors
    /// Every problem of the set and the inventories. A plugin that breaks its contract is no error: see
    /// [`Fleet::faults`].
    pub fn load_with(
        parsed: &Parsed,
        strictness: Strictness,
        inventories: &[Inventory],
        plugins: &[Plugin],
    ) -> Result<Fleet, Error> {
        let beside = Beside { plugins, ..Beside::default() };
        let extra = Extra { plugin_classes: beside.classes(), ..Inventory::extra(inventories) };
        Fleet::bind(parsed.check(&extra, strictness), &extra, beside)
    }

    /// Binds a checked set, with plugins beside it. `extra` must be that of the check.
    pub(crate) fn bind(checked: Checked, extra: &Extra<'_>, beside: Beside<'_>) -> Result<Fleet, Error> {
        let loaded = checked.load_with(extra, |plan| beside.prepare(plan));
        Ok(Fleet::with_plugins(loaded.map_err(|report| Error::new(*report))?, beside.plugins))
    }

    /// Makes a fleet of a loaded set, with plugins beside the policy. The set must have been bound with the
    /// columns of each plugin ([`Beside::prepare`]). A plugin whose columns are missing is at fault.
    pub fn with_plugins(mut loaded: Loaded, plugins: &[Plugin]) -> Fleet {
        let Loaded { plan, world, report, .. } = &mut loaded;
        let composed =
            (!plugins.is_empty()).then(|| Composed::new(plan, world, &mut report.sources, plugins));
        Fleet { composed: composed.map(Arc::new), ..Fleet::new(loaded) }
    }

    /// The compiled policy, including the needs of the inventories.
    pub fn plan(&self) -> &Plan {
        &self.loaded.plan
    }

    /// The fleet as data: agents, storage and allocations.
    pub fn world(&self) -> &World {
        &self.loaded.world
    }

    /// The amounts that are used before any offer, by allocations and existing volumes.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The instances before any offer.
    pub fn placed(&self) -> &Placed {
        self.placed.get_or_init(|| cycle::start(&self.loaded.plan, &self.loaded.world).1)
    }

    /// The plan and the fleet, with names and warnings.
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// The warnings and notes of policy and inventories.
    pub fn warnings(&self) -> &Report {
        &self.loaded.report
    }

    /// Runs one offer cycle over every need.
    pub fn offers(&self) -> Offers {
        self.cycle(cycle::CycleRequest::default())
    }

    /// Runs one offer cycle, as requested.
    pub fn cycle(&self, request: cycle::CycleRequest<'_>) -> Offers {
        let cycle::CycleRequest { needs, reasons, engine, recorder, mut progress, .. } = request;
        // A plugin may fail in the middle of a cycle, after offers relied on its answers. Such a cycle is
        // discarded and run again. A faulty plugin is not asked again, so the loop ends.
        loop {
            let broken = self.faults().len();
            let _run = self.plugin_run();
            let mut step = |done, total| {
                if let Some(progress) = &mut progress {
                    progress(done, total);
                }
            };
            let request = cycle::CycleRequest {
                needs: needs.clone(),
                reasons,
                engine,
                filters: self.filters(),
                recorder,
                progress: Some(&mut step),
            };
            let cycle = cycle::run(&self.loaded.plan, &self.loaded.world, request);
            if self.faults().len() == broken {
                return Offers { fleet: self.clone(), cycle, by_framework: OnceLock::new() };
            }
        }
    }

    /// The policy and the fleet before any offer: the state that a [`Matcher`] is made with.
    pub fn moment(&self) -> Moment<'_> {
        self.moment_with(self.ledger(), self.placed())
    }

    /// The policy and the fleet in another state: with the amounts that `ledger` has used, and the instances
    /// of `placed`.
    pub fn moment_with<'a>(&'a self, ledger: &'a Ledger, placed: &'a Placed) -> Moment<'a> {
        let Loaded { plan, world, .. } = &*self.loaded;
        Moment { plan, world, ledger, placed, filters: self.filters(), recorder: None }
    }

    /// The plugins' filters, which answer for their rules. `None` if the fleet was bound without plugins.
    pub fn filters(&self) -> Option<&dyn Filters> {
        self.composed.as_deref().map(|composed| composed as &dyn Filters)
    }

    /// Begins a run of questions, such as a cycle or an explanation. A budget bounds the work of plugins from
    /// here until the run is dropped. Outside a run each question has a bound of its own. `None` if the fleet
    /// was bound without plugins.
    pub fn plugin_run(&self) -> Option<PluginRun> {
        self.composed.clone().map(Composed::run)
    }

    /// The faults of plugins so far, in the order in which the plugins were given. Nothing that a faulty
    /// plugin has a say in is offered.
    pub fn faults(&self) -> Vec<Fault> {
        self.composed.iter().flat_map(|composed| composed.faults()).collect()
    }

    /// Returns every feasible candidate of a need, best first, with nothing counted between needs. `Search`
    /// tells if a bound was reached.
    pub fn matches(&self, need: NeedId) -> (Vec<Candidate>, Search) {
        let _run = self.plugin_run();
        let matcher = Matcher::new(self.moment(), need);
        let mut search = Search::default();
        let agents = matcher.agents();
        let mut found: Vec<Candidate> =
            agents.into_iter().filter_map(|agent| matcher.candidate(agent, &mut search)).collect();
        // Agents come by name, and the sort is stable: ties stay in order of name.
        found.sort_by_key(|candidate| std::cmp::Reverse(candidate.score));
        (found, search)
    }

    /// Returns the needs that a name denotes: `FRAMEWORK.NEED`, the name of a need, or the name of a
    /// framework for all of its needs.
    ///
    /// # Errors
    /// No need has the name; the error suggests the nearest one.
    pub fn needs(&self, name: &str) -> Result<Vec<NeedId>, Error> {
        self.needs_among(name, |_| true)
    }

    /// Like [`Fleet::needs`], restricted to the needs that `is_known` accepts.
    pub(crate) fn needs_among(
        &self,
        name: &str,
        is_known: impl Fn(NeedId) -> bool,
    ) -> Result<Vec<NeedId>, Error> {
        let plan = &self.loaded.plan;
        let all: Vec<(NeedId, String, String)> = cycle::every_need(plan)
            .filter(|id| is_known(*id))
            .map(|id| {
                let framework = plan.symbols.text(plan.frameworks[id.framework].name).to_owned();
                let need = plan.symbols.text(plan.frameworks[id.framework].needs[id.need].name).to_owned();
                (id, framework, need)
            })
            .collect();
        let found: Vec<NeedId> = all
            .iter()
            .filter(|(_, framework, need)| {
                format!("{framework}.{need}") == name || need == name || framework == name
            })
            .map(|(id, ..)| *id)
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let message = format!("no need or framework is named `{name}`");
        let names = all.iter().flat_map(|(_, framework, need)| [framework.as_str(), need.as_str()]);
        let help = match nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None if all.is_empty() => "the set and its inventories declare no need".to_owned(),
            None => "write NEED, FRAMEWORK.NEED or FRAMEWORK".to_owned(),
        };
        let problem = Diagnostic::without_place(Code::B0903, message).help(help);
        Err(Error::new(Report { sources: Sources::default(), diagnostics: vec![problem] }))
    }
}

/// The offers of one cycle, with the fleet they were made from.
#[derive(Clone, Debug)]
pub struct Offers {
    fleet: Fleet,
    cycle: Cycle,
    /// Sorted out at the first view of a framework: each view then costs what its framework has.
    by_framework: OnceLock<Vec<FrameworkPart>>,
}

/// The part of a cycle that is one framework's, as positions in [`Cycle::needs`] and [`Cycle::grants`], in the
/// order of the cycle.
#[derive(Clone, Debug, Default)]
pub(crate) struct FrameworkPart {
    pub needs: Vec<usize>,
    pub grants: Vec<usize>,
}

impl Offers {
    /// The cycle: needs, grants and reasons.
    pub fn cycle(&self) -> &Cycle {
        &self.cycle
    }

    /// The fleet that the offers were made from.
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Returns the part of the cycle that is one framework's; `None` for a number that no framework has.
    pub(crate) fn of_framework(&self, framework: usize) -> Option<&FrameworkPart> {
        let parts = self.by_framework.get_or_init(|| {
            let mut parts = vec![FrameworkPart::default(); self.fleet.plan().frameworks.len()];
            for (at, need) in self.cycle.needs.iter().enumerate() {
                parts[need.id.framework].needs.push(at);
            }
            for (at, grant) in self.cycle.grants.iter().enumerate() {
                parts[grant.id.framework].grants.push(at);
            }
            parts
        });
        parts.get(framework)
    }
}

/// Makes offers of a policy over its own fleet and those of inventories: [`Policy::fleet`] and
/// [`Fleet::offers`] in one step. A broker that asks often binds the fleet once instead.
///
/// ```
/// let policy = bourse::Policy::compile([(
///     "demo.policy",
///     "agent a { resources { cpus = 1 } } \n need n { agent { cpus = 2 } }",
/// )])?;
/// let offers = bourse::offers(&policy, &[])?;
/// assert_eq!(offers.cycle().needs[0].outcome, bourse::cycle::Outcome::Unmet);
/// # Ok::<(), bourse::Error>(())
/// ```
///
/// # Errors
/// The errors of [`Policy::fleet`].
pub fn offers(policy: &Policy, inventories: &[&Inventory]) -> Result<Offers, Error> {
    Ok(policy.fleet(inventories)?.offers())
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Policy>();
    shared::<Inventory>();
    shared::<Fleet>();
    shared::<Offers>();
    shared::<Error>();
};
