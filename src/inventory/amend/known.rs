//! What is kept beside a world so that it can change: the records of what is bound together, and who takes from whom.

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
    source::{SourceId, Sources},
    symbol::{Symbol, Symbols},
};

/// A record, and what to add to the numbers of its sources.
#[derive(Clone, Debug)]
pub(super) struct From<T> {
    pub first_source: u32,
    pub record: T,
}

/// A rule as its record says it: label, weight and text. Equal ones are compiled once.
type RuleKey = (Option<String>, Option<i64>, String);

/// Which compiled rules are those of a row.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleBook {
    /// By what they say: the number of the first rules that say it.
    numbers: IndexMap<Vec<RuleKey>, usize>,
    /// Of each number: what its rules say, as a place in `numbers`.
    said: Vec<usize>,
}

impl RuleBook {
    /// The number of the rules that say this, if any were compiled: the row's own, where that says it.
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

    /// Lists that some rows have in the place of their own: each says what that of its own says, and more from elsewhere.
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

    /// No rules are always there: one more of them, where no row has none.
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
        (rule.label.as_ref().map(|label| label.text.clone()), rule.weight, text)
    };
    rules.iter().map(key).collect()
}

/// What is known of a fleet that can change, beside its world. Agents are bound each on its own, and no record of
/// theirs is kept; providers are bound whole, and allocations again where what they take from changes.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub(super) typing: TypeTable,
    pub(super) agent_rules: RuleBook,
    pub(super) tier_rules: RuleBook,
    /// In the order of their tiers.
    pub(super) providers: IndexMap<Symbol, From<TierRecord>>,
    pub(super) puts: IndexMap<Symbol, From<AttachedVolume>>,
    /// Agents of which something is reserved.
    pub(super) reserved_agents: IndexSet<Symbol>,
    /// By name.
    pub(super) reservations: Vec<From<ReservationRecord>>,
    pub(super) allocations: IndexMap<Symbol, From<AllocationRecord>>,
    /// Who takes from an agent.
    pub(super) on_agents: IndexMap<Symbol, Vec<Symbol>>,
    /// Who takes from a provider.
    pub(super) on_providers: IndexMap<Symbol, Vec<Symbol>>,
    /// Of each source that changes brought: how many rows still stand in it.
    pub(super) rows_of: IndexMap<SourceId, usize>,
    /// Those in which none does any longer.
    abandoned: Vec<SourceId>,
}

/// The provider that a path begins with.
pub(super) fn provider_of(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

impl Known {
    /// What is known of a fleet that was bound from these records.
    pub fn new(plan: &mut Plan, world: &mut World, parts: &[SourceRecords<'_>], sources: &Sources) -> Known {
        let typing = TypeTable::new(plan, world);
        let mut binder = Binder::new(plan, world, typing);
        binder.units(parts);
        let mut known = Known { typing: std::mem::take(&mut binder.typing), ..Known::default() };
        // What was bound measures what it does, whatever is said later.
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

    /// The numbers of compiled rules, in the order in which records are walked.
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

    /// Notes lists of rules that agents have, and tiers, in the place of their own, each with the number of their own.
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

    /// Notes from whom an allocation takes.
    pub(super) fn takes_from(&mut self, symbols: &mut Symbols, name: Symbol, uses: &[UseRecord]) {
        for taken in uses {
            let users = self.users_mut(symbols, taken).or_default();
            if !users.contains(&name) {
                users.push(name);
            }
        }
    }

    /// Forgets from whom an allocation takes.
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

    /// One more row stands in a source.
    pub(super) fn stands_in(&mut self, source: SourceId) {
        if let Some(rows) = self.rows_of.get_mut(&source) {
            *rows += 1;
        }
    }

    /// One fewer row stands in a source.
    pub(super) fn left(&mut self, source: SourceId) {
        if let Some(rows) = self.rows_of.get_mut(&source) {
            *rows = rows.saturating_sub(1);
            self.settle(source);
        }
    }

    /// A source is there from which rows are about to be put.
    pub fn brings(&mut self, source: SourceId) {
        self.rows_of.entry(source).or_insert(0);
    }

    /// No more rows are about to be put from a source.
    pub fn settle(&mut self, source: SourceId) {
        if self.rows_of.get(&source) == Some(&0) {
            self.rows_of.swap_remove(&source);
            self.abandoned.push(source);
        }
    }

    /// Sources of changes in which no row stands any longer; they are forgotten.
    pub fn abandoned(&mut self) -> Vec<SourceId> {
        std::mem::take(&mut self.abandoned)
    }
}

/// A tier and those below, each before its children, as binding walks them.
pub(super) fn walk<'a>(tier: &'a TierRecord, see: &mut impl FnMut(&'a TierRecord)) {
    let mut open = vec![tier];
    while let Some(tier) = open.pop() {
        see(tier);
        open.extend(tier.children.iter().rev());
    }
}

/// No records, for parts of which only the sources are asked.
pub(super) static NOTHING: std::sync::LazyLock<Records> = std::sync::LazyLock::new(Records::default);

impl<T> From<T> {
    /// To lift the spans of the record.
    pub fn part(&self) -> SourceRecords<'static> {
        SourceRecords { records: &NOTHING, first_source: self.first_source }
    }
}
