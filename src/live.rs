//! A fleet that stays bound while it changes. See `docs/live.md`.
//!
//! [`Live`] applies changes through `inventory::amend`, which binds only the rows of the change, and reports
//! them to plugins.

use crate::{
    check::Strictness,
    diagnostic::{Diagnostic, Report},
    error::Error,
    inventory::{
        SourceRecords,
        amend::{BoundParts, FleetChange, Known, Removed},
    },
    pipeline::{Extra, Parsed},
    plugin::{Beside, Plugin},
    policy::{Fleet, Inventory, Offers, Policy},
    quantity::Quantity,
    source::{SourceId, Sources},
};

pub use crate::inventory::amend::{FleetChanges, Holder, RowChanges};

/// A change of a fleet: rows to add or replace, in the form of inventories, and rows to remove. A row
/// replaces the one of its name as a whole, and a provider replaces all its instances and pools.
///
/// ```
/// let more = r#"{"format": "bourse.inventory", "version": 1,
///                "agents": [{"name": "a2", "resources": {"cpus": 4}}]}"#;
/// let more = bourse::Inventory::from_json("more.json", more)?;
/// let delta = bourse::Delta::default().put(&more).remove_agent("a1").end("web-1");
/// # Ok::<(), bourse::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Delta<'a> {
    inventories: Vec<&'a Inventory>,
    removed: Removed,
}

impl<'a> Delta<'a> {
    /// Adds or replaces the agents, providers, volumes and allocations of an inventory.
    #[must_use]
    pub fn put(mut self, inventory: &'a Inventory) -> Delta<'a> {
        self.inventories.push(inventory);
        self
    }

    /// Removes an agent. Allocations on it must end in the same change.
    #[must_use]
    pub fn remove_agent(mut self, name: impl Into<String>) -> Delta<'a> {
        self.removed.agents.push(name.into());
        self
    }

    /// Removes a provider, instance, pool or existing volume by its path, with everything below it.
    /// Allocations from it must end in the same change.
    #[must_use]
    pub fn remove_storage(mut self, path: impl Into<String>) -> Delta<'a> {
        self.removed.storage.push(path.into());
        self
    }

    /// Ends an allocation. The amounts that it takes become free.
    #[must_use]
    pub fn end(mut self, allocation: impl Into<String>) -> Delta<'a> {
        self.removed.allocations.push(allocation.into());
        self
    }
}

/// The result of a [`Delta`].
#[derive(Clone, Debug)]
pub struct Applied {
    /// The rows and stocks that changed.
    pub changed: FleetChanges,
    /// Warnings, for example about values of another type than their key. Has no sources if there are no
    /// warnings.
    pub warnings: Report,
}

/// A [`Fleet`] that changes in place. After any changes it gives the same offers as a fleet that is bound
/// anew from the same records.
///
/// ```
/// use bourse::{Delta, Inventory, Live, Policy};
///
/// let policy = Policy::compile([("demo.policy", "need web { count = 9, agent { cpus = 4 } }")])?;
/// let read = |name, text: &str| {
///     Inventory::from_json(name, &format!(r#"{{"format": "bourse.inventory", "version": 1, {text}}}"#))
/// };
/// let start = read("start.json", r#""agents": [{"name": "a1", "resources": {"cpus": 8}}]"#)?;
/// let mut live = Live::bind(&policy, &[&start])?;
/// assert_eq!(live.offers().cycle().grants.len(), 2);
///
/// let more = read("more.json", r#""agents": [{"name": "a2", "resources": {"cpus": 4}}]"#)?;
/// let applied = live.apply(&Delta::default().put(&more))?;
/// assert_eq!(applied.changed.agents.inserted, [1]);
/// assert_eq!(live.offers().cycle().grants.len(), 3);
/// # Ok::<(), bourse::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Live {
    fleet: Fleet,
    known: Known,
    /// The sources that no span points into any longer. Later changes use their numbers again.
    free: Vec<SourceId>,
}

impl Live {
    /// Binds the fleet that a policy declares and those of inventories, like [`Policy::fleet`].
    ///
    /// # Errors
    /// Every problem of the inventories, and every way in which they do not fit the policy.
    pub fn bind(policy: &Policy, inventories: &[&Inventory]) -> Result<Live, Error> {
        Live::bind_with(policy, inventories, &[])
    }

    /// Like [`Live::bind`], with plugins beside the policy as in [`Policy::fleet_with`]. Changes are reported
    /// to them.
    ///
    /// # Errors
    /// The errors of [`Live::bind`]. A plugin that breaks its contract is no error: see [`Fleet::faults`].
    pub fn bind_with(policy: &Policy, inventories: &[&Inventory], plugins: &[Plugin]) -> Result<Live, Error> {
        Live::load_with(policy.parsed(), policy.strictness, inventories, plugins)
    }

    /// Compiles a set together with inventories that complete it, like [`Fleet::load`].
    ///
    /// # Errors
    /// Every problem of the set and the inventories.
    pub fn load(parsed: &Parsed, strictness: Strictness, inventories: &[&Inventory]) -> Result<Live, Error> {
        Live::load_with(parsed, strictness, inventories, &[])
    }

    /// Like [`Live::load`], with plugins beside the policy.
    ///
    /// # Errors
    /// The errors of [`Live::load`]. A plugin that breaks its contract is no error: see [`Fleet::faults`].
    pub fn load_with(
        parsed: &Parsed,
        strictness: Strictness,
        inventories: &[&Inventory],
        plugins: &[Plugin],
    ) -> Result<Live, Error> {
        let given = inventories.iter().map(|inventory| inventory.parts()).collect();
        let beside = Beside { plugins, ..Beside::default() };
        let extra = Extra { inventories: given, plugin_classes: beside.classes(), ..Extra::default() };
        let loaded = parsed.check(&extra, strictness).load_with(&extra, |plan| beside.prepare(plan));
        let mut loaded = loaded.map_err(|report| Error::new(*report))?;
        let mut parts = vec![SourceRecords { records: &loaded.hir.records, first_source: 0 }];
        // Numbers of sources as `check` gave them: the set's own, then those of each inventory in turn.
        let mut first_source = parsed.sources.len() as u32;
        for (records, sources) in &extra.inventories {
            parts.push(SourceRecords { records, first_source });
            first_source += sources.len() as u32;
        }
        let known = Known::new(&mut loaded.plan, &mut loaded.world, &parts, &loaded.report.sources);
        let mut live = Live { fleet: Fleet::with_plugins(loaded, plugins), known, free: Vec::new() };
        live.follow(&FleetChanges::default(), true);
        Ok(live)
    }

    /// Reports a change to the plugins. `rebound` says that rows were bound again.
    fn follow(&mut self, changed: &FleetChanges, rebound: bool) {
        if let Some([agents, tiers]) = self.fleet.follow(changed, rebound) {
            self.known.rules_besides(&agents, &tiers);
        }
    }

    /// The current fleet. A clone of it, and offers made from it, stay as they are. As long as one is kept,
    /// the next change copies the fleet first.
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Runs one offer cycle over every need.
    pub fn offers(&self) -> Offers {
        self.fleet.offers()
    }

    /// Makes a change, completely or not at all.
    ///
    /// # Errors
    /// Every problem of the change. The fleet is then as before.
    pub fn apply(&mut self, delta: &Delta<'_>) -> Result<Applied, Error> {
        let (loaded, ledger) = self.fleet.parts_mut(true);
        let sources = &mut loaded.report.sources;
        let mut parts = Vec::with_capacity(delta.inventories.len());
        let mut brought = Vec::with_capacity(delta.inventories.len());
        for inventory in &delta.inventories {
            let (records, own) = inventory.parts();
            let first_source = append_sources(sources, own, &mut self.free, &mut brought);
            parts.push(SourceRecords { records, first_source });
        }
        // The sources of the change are held until the end of this function, so that none is given up while
        // its spans are still being written.
        brought.iter().for_each(|source| self.known.brings(*source));
        let change = FleetChange { parts: &parts, removed: &delta.removed };
        let bound = BoundParts { plan: &mut loaded.plan, world: &mut loaded.world, ledger };
        let made = self.known.apply(bound, &change, sources);
        let report = |mut diagnostics: Vec<Diagnostic>| {
            let sources = if diagnostics.is_empty() { Sources::default() } else { sources.clone() };
            diagnostics.dedup_by(|a, b| a.message == b.message && a.labels == b.labels);
            let mut report = Report { sources, diagnostics };
            report.sort();
            report
        };
        let made = match made {
            Ok((changed, warnings)) => Ok(Applied { changed, warnings: report(warnings) }),
            Err(problems) => Err(Error::new(report(problems))),
        };
        brought.into_iter().for_each(|source| self.known.settle(source));
        for source in self.known.abandoned() {
            sources.clear(source);
            self.free.push(source);
        }
        if let Ok(applied) = &made {
            self.follow(&applied.changed, true);
        }
        made
    }

    /// Sets the total of one resource of an agent, provider, instance or pool, as a heartbeat reports it. A
    /// resource with several parts, `reserved` or `overcommit` is replaced as a whole, with [`Live::apply`].
    ///
    /// ```
    /// # use bourse::{Live, Policy, live::Holder, quantity::Quantity};
    /// let policy = Policy::compile([("demo.policy", "agent a1 { resources { mem = 64GiB } }")])?;
    /// let mut live = Live::bind(&policy, &[])?;
    /// let changed = live.set_total(Holder::Agent("a1"), "mem", Quantity::parse("62GiB").unwrap())?;
    /// assert_eq!(changed.agents.changed, [0]);
    /// # Ok::<(), bourse::Error>(())
    /// ```
    ///
    /// # Errors
    /// No such name or resource, another dimension, or a total that is less than what is taken.
    pub fn set_total(
        &mut self,
        holder: Holder<'_>,
        resource: &str,
        total: Quantity,
    ) -> Result<FleetChanges, Error> {
        let (loaded, ledger) = self.fleet.parts_mut(false);
        let bound = BoundParts { plan: &mut loaded.plan, world: &mut loaded.world, ledger };
        let made = self.known.set_total(bound, holder, resource, total);
        let changed = made.map(Option::unwrap_or_default).map_err(|problem| {
            Error::new(Report { sources: Sources::default(), diagnostics: vec![problem] })
        })?;
        self.follow(&changed, false);
        Ok(changed)
    }
}

/// Adds the sources of a change and returns the number of the first. A single source takes the number of an
/// abandoned one, if there is any, so that many small changes do not make the list grow.
fn append_sources(
    sources: &mut Sources,
    own: &Sources,
    free: &mut Vec<SourceId>,
    all: &mut Vec<SourceId>,
) -> u32 {
    let free = if own.len() == 1 { free.pop() } else { None };
    if let (Some(id), Some((_, source))) = (free, own.iter().next()) {
        sources.replace(id, source.clone());
        all.push(id);
        return id.number();
    }
    let first = sources.append(own);
    all.extend((first..).take(own.len()).map(SourceId::of));
    first
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Live>();
};
