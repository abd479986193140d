//! The records that are kept beside a bound world, so that it can change without binding everything anew:
//! providers, attached volumes, reservations and allocations, the numbers of compiled rules, and an index
//! from holders to the allocations that take from them. `stage` reads them; `apply` replaces them once a
//! change is complete.

use indexmap::{IndexMap, IndexSet};

use super::super::{
    bind::{Binder, SourceRecords, TypeTable},
    records::{
        AllocationRecord, AttachedVolume, Records, ReservationRecord, RuleRecord, RuleText, TierRecord,
        UseKind, UseRecord,
    },
    world::World,
};
use crate::{
    ir::{Plan, Rule},
    operator::Strength,
    source::{SourceId, Sources},
    symbol::{Symbol, Symbols},
};

/// A record, and the offset of its sources. Spans of a record count the sources of its own document from 0;
/// the offset maps them to the sources of the run.
#[derive(Clone, Debug)]
pub(super) struct From<T> {
    pub first_source: u32,
    pub record: T,
}

/// The key of a rule: its label, strength and text as the record has them.
type RuleKey = (Option<String>, Strength, String);

/// Finds the compiled rules of a row by their text.
///
/// Rules are compiled together with the policy, a list of them for each row. A row that comes or changes
/// later can only have a list that some row had then. Several lists may have the same keys; a row that keeps
/// its rules also keeps its number, so that it does not count as changed.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleBook {
    /// The number of the first list with these keys.
    numbers: IndexMap<Vec<RuleKey>, usize>,
    /// The keys of each list, as an index into `numbers`.
    said: Vec<usize>,
}

impl RuleBook {
    /// Returns the number of a compiled list with these rules: `own` if it has the same keys, else the first
    /// such list.
    pub fn number(
        &self,
        rules: &[RuleRecord],
        sources: &Sources,
        part: &SourceRecords<'_>,
        own: Option<usize>,
    ) -> Option<usize> {
        let (said, _, first) = self.numbers.get_full(keys(rules, sources, part).as_slice())?;
        Some(own.filter(|own| self.said.get(*own) == Some(&said)).unwrap_or(*first))
    }

    fn add(&mut self, rules: &[RuleRecord], sources: &Sources, part: &SourceRecords<'_>) {
        let entry = self.numbers.entry(keys(rules, sources, part));
        let said = entry.index();
        entry.or_insert(self.said.len());
        self.said.push(said);
    }

    /// Adds lists that some rows have in place of their own. Each has the keys of the row's own list, since
    /// the rules that it has besides come from elsewhere and not from the record.
    fn besides(&mut self, lists: &[(usize, usize)]) {
        for (list, own) in lists {
            let said = self.said.get(*own).copied();
            // The list of no rules may have been added beside those of the records.
            let said = said.or_else(|| self.numbers.get_index_of(&[][..])).unwrap_or(usize::MAX);
            if self.said.len() <= *list {
                self.said.resize(list + 1, usize::MAX);
            }
            self.said[*list] = said;
        }
    }

    /// Adds the empty list if no row has it, so that a row without rules can always be put.
    fn add_none(&mut self, rules: &mut Vec<Vec<Rule>>) {
        if !self.numbers.contains_key(&[][..]) {
            self.numbers.insert(Vec::new(), rules.len());
            rules.push(Vec::new());
        }
    }
}

fn keys(rules: &[RuleRecord], sources: &Sources, part: &SourceRecords<'_>) -> Vec<RuleKey> {
    let key = |rule: &RuleRecord| {
        let text = match &rule.text {
            RuleText::Tree(tree) => sources.text(part.to_run_span(tree.span)).to_owned(),
            RuleText::Text(text) => text.text.clone(),
        };
        (rule.label.as_ref().map(|label| label.text.clone()), rule.strength, text)
    };
    rules.iter().map(key).collect()
}

/// The data beside a world that later changes need.
///
/// Agents are bound one by one, so that none of their records is kept. A provider is bound as a whole, and an
/// allocation again whenever one of its holders changes, so that their records are.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub(super) typing: TypeTable,
    pub(super) agent_rules: RuleBook,
    pub(super) tier_rules: RuleBook,
    /// In the order of their tiers.
    pub(super) providers: IndexMap<Symbol, From<TierRecord>>,
    pub(super) puts: IndexMap<Symbol, From<AttachedVolume>>,
    /// Agents with a reservation.
    pub(super) reserved_agents: IndexSet<Symbol>,
    /// Sorted by name.
    pub(super) reservations: Vec<From<ReservationRecord>>,
    pub(super) allocations: IndexMap<Symbol, From<AllocationRecord>>,
    /// The allocations that take from each agent.
    pub(super) on_agents: IndexMap<Symbol, Vec<Symbol>>,
    /// The allocations that take from each provider, or from any tier or volume below it.
    pub(super) on_providers: IndexMap<Symbol, Vec<Symbol>>,
    /// The number of rows with a span in each source that a change brought.
    pub(super) rows_of: IndexMap<SourceId, usize>,
    /// The sources that lost their last row, until `Known::abandoned` returns them.
    abandoned: Vec<SourceId>,
}

/// Returns the name of the provider of a path, its first segment.
pub(super) fn provider_of(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

impl Known {
    /// Collects the records of a fleet that was bound from `parts`.
    pub fn new(plan: &mut Plan, world: &mut World, parts: &[SourceRecords<'_>], sources: &Sources) -> Known {
        let typing = TypeTable::new(plan, world);
        let mut binder = Binder::new(plan, world, typing);
        binder.units(parts);
        let mut known = Known { typing: std::mem::take(&mut binder.typing), ..Known::default() };
        // A bound resource keeps its dimension, even if a later document gives another unit.
        for holding in world.holdings.iter() {
            let key = (holding.side, holding.resource);
            if !known.typing.dimensions.contains_key(&key) {
                known.typing.units.entry(key).or_insert(holding.dimension);
            }
        }
        known.rules(plan, parts, sources);
        for part in parts {
            known.records(plan, part);
        }
        known.reservations.sort_by(|a, b| a.record.name.text.cmp(&b.record.name.text));
        known
    }

    /// Numbers the compiled rules. The walk must be that of binding: agents and tiers part by part, then
    /// attached volumes.
    fn rules(&mut self, plan: &mut Plan, parts: &[SourceRecords<'_>], sources: &Sources) {
        for part in parts {
            part.records.agents.iter().for_each(|agent| self.agent_rules.add(&agent.rules, sources, part));
            for provider in &part.records.providers {
                walk(provider, &mut |tier| self.tier_rules.add(&tier.rules, sources, part));
            }
        }
        for part in parts {
            let volumes = part.records.volumes.iter();
            volumes.for_each(|volume| self.tier_rules.add(&volume.tier.rules, sources, part));
        }
        self.agent_rules.add_none(&mut plan.agent_rules);
        self.tier_rules.add_none(&mut plan.tier_rules);
    }

    /// Registers the lists that agents and tiers have in place of their own, as pairs of the new number and
    /// the number of the own list.
    pub fn rules_besides(&mut self, agents: &[(usize, usize)], tiers: &[(usize, usize)]) {
        self.agent_rules.besides(agents);
        self.tier_rules.besides(tiers);
    }

    fn records(&mut self, plan: &mut Plan, part: &SourceRecords<'_>) {
        let SourceRecords { records, first_source } = *part;
        let symbols = &mut plan.symbols;
        for provider in &records.providers {
            let name = symbols.intern(&provider.name.text);
            self.providers.insert(name, From { first_source, record: provider.clone() });
        }
        for volume in &records.volumes {
            let path = symbols.intern(&volume.path.text);
            self.puts.insert(path, From { first_source, record: volume.clone() });
        }
        let on_agents = records.reservations.iter().filter(|record| record.of.kind == UseKind::Agent);
        self.reserved_agents.extend(on_agents.map(|record| symbols.intern(&record.of.holder.text)));
        let reservations = records.reservations.iter().cloned();
        self.reservations.extend(reservations.map(|record| From { first_source, record }));
        for allocation in &records.allocations {
            let name = symbols.intern(&allocation.name.text);
            self.takes_from(symbols, name, &allocation.uses);
            self.allocations.insert(name, From { first_source, record: allocation.clone() });
        }
    }

    /// Adds an allocation to the index of its holders.
    pub(super) fn takes_from(&mut self, symbols: &mut Symbols, name: Symbol, uses: &[UseRecord]) {
        for taken in uses {
            let users = self.users_mut(symbols, taken).or_default();
            if !users.contains(&name) {
                users.push(name);
            }
        }
    }

    /// Removes an allocation from the index of its holders.
    pub(super) fn takes_no_more(&mut self, symbols: &mut Symbols, name: Symbol, uses: &[UseRecord]) {
        for taken in uses {
            if let indexmap::map::Entry::Occupied(mut users) = self.users_mut(symbols, taken) {
                users.get_mut().retain(|user| *user != name);
                if users.get().is_empty() {
                    users.swap_remove();
                }
            }
        }
    }

    fn users_mut(
        &mut self,
        symbols: &mut Symbols,
        taken: &UseRecord,
    ) -> indexmap::map::Entry<'_, Symbol, Vec<Symbol>> {
        match taken.kind {
            UseKind::Agent => self.on_agents.entry(symbols.intern(&taken.holder.text)),
            _ => self.on_providers.entry(symbols.intern(provider_of(&taken.holder.text))),
        }
    }

    /// Counts one more row in a source, if a change brought that source.
    pub(super) fn stands_in(&mut self, source: SourceId) {
        if let Some(rows) = self.rows_of.get_mut(&source) {
            *rows += 1;
        }
    }

    /// Counts one row fewer in a source.
    pub(super) fn left(&mut self, source: SourceId) {
        if let Some(rows) = self.rows_of.get_mut(&source) {
            *rows = rows.saturating_sub(1);
            self.settle(source);
        }
    }

    /// Registers a source whose rows are about to be put.
    pub fn brings(&mut self, source: SourceId) {
        self.rows_of.entry(source).or_insert(0);
    }

    /// Marks a source as abandoned if no row is in it. To be called once all its rows are put.
    pub fn settle(&mut self, source: SourceId) {
        if self.rows_of.get(&source) == Some(&0) {
            self.rows_of.swap_remove(&source);
            self.abandoned.push(source);
        }
    }

    /// Returns the sources of changes that no row is in any longer, and clears the list.
    pub fn abandoned(&mut self) -> Vec<SourceId> {
        std::mem::take(&mut self.abandoned)
    }
}

/// Visits a tier and all tiers below it, each before its children, as binding does.
pub(super) fn walk<'a>(tier: &'a TierRecord, see: &mut impl FnMut(&'a TierRecord)) {
    let mut open = vec![tier];
    while let Some(tier) = open.pop() {
        see(tier);
        open.extend(tier.children.iter().rev());
    }
}

/// Empty records, for a [`SourceRecords`] of which only the sources are used.
pub(super) static NOTHING: std::sync::LazyLock<Records> = std::sync::LazyLock::new(Records::default);

impl<T> From<T> {
    /// Returns a part without records, which maps the spans of this record to the sources of the run.
    pub fn part(&self) -> SourceRecords<'static> {
        SourceRecords { records: &NOTHING, first_source: self.first_source }
    }
}
