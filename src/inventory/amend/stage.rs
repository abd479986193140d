//! Stages a change: checks every row on its own, binds it to a draft, and reports every problem. Rows of the
//! world stay as they are; `apply` continues with the result.

use indexmap::{IndexMap, IndexSet};

use super::{
    FleetChange,
    known::{From, Known, provider_of},
};
use crate::{
    diagnostic::{Code, Diagnostic, declared_twice, nearest_after},
    inventory::{
        bind::{Binder, SourceRecords},
        built_in,
        holding::HoldingDraft,
        records::{
            AgentRecord, AllocationRecord, AttachedVolume, KeyRecord, Located, RuleRecord, TierRecord,
            UseKind,
        },
        world::Agent,
    },
    limits,
    source::{Sources, Span},
    symbol::Symbol,
    types::Side,
};

/// A change whose rows are bound as far as each can be alone.
#[derive(Debug, Default)]
pub(super) struct Staged {
    /// The agents to put, with drafts of their holdings.
    pub agents: IndexMap<Symbol, (Agent, Vec<HoldingDraft>)>,
    pub gone_agents: IndexSet<Symbol>,
    /// The providers to bind again; `None` for those to remove.
    pub providers: IndexMap<Symbol, Option<From<TierRecord>>>,
    /// The volumes to attach to pools.
    pub puts: IndexMap<Symbol, From<AttachedVolume>>,
    pub gone_puts: IndexSet<Symbol>,
    pub allocations: IndexMap<Symbol, From<AllocationRecord>>,
    pub gone_allocations: IndexSet<Symbol>,
    /// The numbers of the rules of each provider to bind again, in the order in which binding walks its
    /// tiers.
    pub tier_rules: IndexMap<Symbol, Vec<usize>>,
    /// The numbers of the rules of the volumes that are attached to these providers.
    pub put_rules: IndexMap<Symbol, usize>,
}

pub(super) struct Stage<'s, 'a, 'k> {
    pub known: &'k Known,
    pub binder: &'s mut Binder<'a>,
    pub sources: &'k Sources,
    pub staged: Staged,
    /// The numbers of the rules of tiers before the change, by path. Computed at first use.
    pub rules_now: Option<IndexMap<Symbol, usize>>,
}

impl Stage<'_, '_, '_> {
    /// Stages all parts of a change. Allocations come first: an agent or storage can be removed only if no
    /// allocation that stays takes from it.
    pub fn change(&mut self, change: &FleetChange<'_>) {
        for part in change.parts {
            self.of_policy(part);
        }
        self.binder.units(change.parts);
        self.allocations(change);
        self.agents(change);
        self.storage(change);
        for (name, next) in std::mem::take(&mut self.staged.providers) {
            if let Some(next) = &next {
                self.provider(name, next);
            }
            self.staged.providers.insert(name, next);
        }
        if self.staged.providers.is_empty() {
            return;
        }
        // Volumes that stay in a pool are bound again together with its provider.
        let known = self.known.puts.iter().filter(|(path, _)| !self.staged.gone_puts.contains(*path));
        let puts: Vec<(Symbol, &From<AttachedVolume>)> = known.map(|(path, put)| (*path, put)).collect();
        for (path, put) in puts {
            if !self.staged.puts.contains_key(&path) && self.is_touched(&put.record.path.text) {
                self.put_rules(path, put);
            }
        }
        for (path, put) in std::mem::take(&mut self.staged.puts) {
            self.put_rules(path, &put);
            self.staged.puts.insert(path, put);
        }
    }

    fn is_touched(&self, path: &str) -> bool {
        let provider = self.binder.plan.symbols.find(provider_of(path));
        provider.is_some_and(|provider| self.staged.providers.contains_key(&provider))
    }

    fn problem(&mut self, problem: Diagnostic) {
        self.binder.problems.push(problem);
    }

    fn intern(&mut self, text: &str) -> Symbol {
        self.binder.plan.symbols.intern(text)
    }

    /// Reports records that are part of the compiled policy, and cannot change without it.
    fn of_policy(&mut self, part: &SourceRecords<'_>) {
        let records = part.records;
        let broker = &records.broker;
        let stated = [
            ("the broker", broker.domain.as_ref().map(|domain| domain.span)),
            ("levels", broker.levels.as_ref().map(|levels| levels.1)),
            ("keys of the broker", broker.keys.first().map(|key| key.span)),
            ("reservations", records.reservations.first().map(|reservation| reservation.name.span)),
            ("roles", records.roles.first().map(|role| role.name.span)),
            ("frameworks", records.frameworks.first().map(|framework| framework.declaration.name.span)),
            ("needs", records.needs.first().map(|need| need.declaration.name.span)),
        ];
        for (what, span) in stated {
            let Some(span) = span else { continue };
            let message = format!("{what} cannot be changed while the fleet is bound");
            let help = "a change is of agents, storage and allocations; bind the fleet anew for the rest";
            self.problem(Diagnostic::error(Code::B0518, part.to_run_span(span), message).help(help));
        }
    }

    /// Reports a name that is both put and removed.
    fn twice_said(&mut self, word: &str, name: &str, span: Span) {
        let message = format!("{word} `{name}` is both given and removed in one change");
        let help = "what is given takes the place of what there is: leave the removal out";
        self.problem(Diagnostic::error(Code::B0506, span, message).help(help));
    }

    fn given_twice(&mut self, word: &str, name: &Located, part: &SourceRecords<'_>, first: Span) {
        let problem = declared_twice(word, &name.text, part.to_run_span(name.span), first);
        self.problem(Diagnostic { code: Code::B0506, ..problem });
    }

    fn not_there(&mut self, word: &str, name: &str, known: impl Fn(&Self) -> Vec<Symbol>) {
        let told = self.binder.problems.len();
        let known = if told < limits::PROBLEMS_SHOWN { known(self) } else { Vec::new() };
        let names = known.iter().map(|known| self.binder.plan.symbols.text(*known));
        let help = match nearest_after(told, name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "leave the removal out: it is gone already".to_owned(),
        };
        let message = format!("no {word} is named `{name}`: it cannot be removed");
        self.problem(Diagnostic::without_place(Code::B0523, message).help(help));
    }

    fn in_use(&mut self, word: &str, name: &str, user: Symbol) {
        let user = self.binder.plan.symbols.text(user);
        let message = format!("{word} `{name}` cannot be removed: allocation `{user}` takes from it");
        let help = "end the allocation in the same change, or before";
        self.problem(Diagnostic::without_place(Code::B0525, message).help(help));
    }

    fn allocations(&mut self, change: &FleetChange<'_>) {
        for name in &change.removed.allocations {
            let symbol = self.intern(name);
            if self.known.allocations.contains_key(&symbol) {
                self.staged.gone_allocations.insert(symbol);
            } else {
                self.not_there("allocation", name, |stage| stage.known.allocations.keys().copied().collect());
            }
        }
        for part in change.parts {
            for record in &part.records.allocations {
                let name = self.intern(&record.name.text);
                let span = part.to_run_span(record.name.span);
                if self.staged.gone_allocations.contains(&name) {
                    self.twice_said("allocation", &record.name.text, span);
                }
                if let Some(first) = self.staged.allocations.get(&name) {
                    let first = first.part().to_run_span(first.record.name.span);
                    self.given_twice("allocation", &record.name, part, first);
                    continue;
                }
                let record = record.clone();
                let first_source = part.first_source;
                self.staged.allocations.insert(name, From { first_source, record });
            }
        }
    }

    /// Returns `true` if the change neither replaces nor ends an allocation.
    fn stays(&self, name: Symbol) -> bool {
        !self.staged.gone_allocations.contains(&name) && !self.staged.allocations.contains_key(&name)
    }

    fn agents(&mut self, change: &FleetChange<'_>) {
        for name in &change.removed.agents {
            let symbol = self.intern(name);
            if self.binder.world.agent(symbol).is_none() {
                let known = |stage: &Self| stage.binder.world.agents.iter().map(|agent| agent.name).collect();
                self.not_there("agent", name, known);
                continue;
            }
            self.staged.gone_agents.insert(symbol);
            let users = self.known.on_agents.get(&symbol);
            if let Some(user) = users.and_then(|users| users.iter().find(|user| self.stays(**user))) {
                self.in_use("agent", name, *user);
            }
        }
        for part in change.parts {
            for record in &part.records.agents {
                self.agent(part, record);
            }
        }
    }

    fn agent(&mut self, part: &SourceRecords<'_>, record: &AgentRecord) {
        let name = self.intern(&record.name.text);
        let span = part.to_run_span(record.name.span);
        if self.staged.gone_agents.contains(&name) {
            self.twice_said("agent", &record.name.text, span);
        }
        if let Some((first, _)) = self.staged.agents.get(&name) {
            let first = first.span;
            self.given_twice("agent", &record.name, part, first);
            return;
        }
        self.keys(part, Side::Agent, &record.keys);
        let own = self.binder.world.agent(name).map(|at| self.binder.world.agents[at].rules);
        let rules = self.known.agent_rules.number(&record.rules, self.sources, part, own);
        if rules.is_none() {
            self.rules_unknown("agent", &record.name.text, part, &record.rules);
        }
        let row = self.binder.agent_row(part, record, rules.unwrap_or_default());
        for draft in &row.1 {
            let key = (Side::Agent, draft.holding.resource);
            self.settle_unit(key, draft);
        }
        self.staged.agents.insert(name, row);
    }

    /// Fixes the dimension of a resource that is new with this change and has no declared unit.
    fn settle_unit(&mut self, key: (Side, Symbol), draft: &HoldingDraft) {
        let typing = &mut self.binder.typing;
        if !typing.dimensions.contains_key(&key) {
            typing.units.entry(key).or_insert(draft.holding.dimension);
        }
    }

    fn keys(&mut self, part: &SourceRecords<'_>, side: Side, keys: &[KeyRecord]) {
        let plan = &self.binder.plan;
        let levels = || plan.levels.iter().map(|level| plan.symbols.text(*level));
        let problems =
            keys.iter().filter_map(|key| built_in(side, &key.key, levels(), part.to_run_span(key.span)));
        let problems: Vec<Diagnostic> = problems.collect();
        self.binder.problems.extend(problems);
    }

    /// Reports rules that were not compiled. Rules are compiled together with the policy: a row may have a
    /// list that some row had then, or none.
    fn rules_unknown(&mut self, word: &str, name: &str, part: &SourceRecords<'_>, rules: &[RuleRecord]) {
        let message = format!("the rules of {word} `{name}` were not compiled with the fleet");
        let help =
            "rules that no row had when the fleet was bound need it bound anew; leave them as they were";
        let span = rules.first().map_or_else(Span::default, |rule| part.to_run_span(rule.span));
        self.problem(Diagnostic::error(Code::B0518, span, message).help(help));
    }

    fn storage(&mut self, change: &FleetChange<'_>) {
        for part in change.parts {
            for record in &part.records.providers {
                let name = self.intern(&record.name.text);
                if let Some(Some(first)) = self.staged.providers.get(&name) {
                    let first = first.part().to_run_span(first.record.name.span);
                    self.given_twice("provider", &record.name, part, first);
                    continue;
                }
                let (first_source, record) = (part.first_source, record.clone());
                self.staged.providers.insert(name, Some(From { first_source, record }));
            }
        }
        let given: IndexSet<Symbol> = self.staged.providers.keys().copied().collect();
        for path in &change.removed.storage {
            self.remove_storage(path, &given);
        }
        for part in change.parts {
            for record in &part.records.volumes {
                self.put(part, record, &given);
            }
        }
    }

    /// Returns a provider as staged so far, at first a copy of its kept record. `None` if there is no such
    /// provider.
    fn next_provider(&mut self, name: Symbol) -> Option<&mut From<TierRecord>> {
        if !self.staged.providers.contains_key(&name) {
            let known = self.known.providers.get(&name)?;
            self.staged.providers.insert(name, Some(known.clone()));
        }
        self.staged.providers.get_mut(&name)?.as_mut()
    }

    fn remove_storage(&mut self, path: &str, given: &IndexSet<Symbol>) {
        let provider = self.intern(provider_of(path));
        if given.contains(&provider) {
            let span = self.staged.providers[&provider]
                .as_ref()
                .map_or_else(Span::default, |given| given.part().to_run_span(given.record.name.span));
            self.twice_said("storage", path, span);
            return;
        }
        let below = |known: &str| {
            known.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let text = |symbol: Symbol| self.binder.plan.symbols.text(symbol);
        let puts: Vec<Symbol> = self.known.puts.keys().copied().filter(|put| below(text(*put))).collect();
        let users = self.known.on_providers.get(&provider).into_iter().flatten().copied();
        let user = users.filter(|user| self.stays(*user)).find(|user| {
            let uses = self.known.allocations.get(user).map_or(&[][..], |known| &known.record.uses);
            uses.iter().any(|taken| taken.kind != UseKind::Agent && below(&taken.holder.text))
        });
        if let Some(user) = user {
            self.in_use("storage", path, user);
        }
        let names: Vec<&str> = path.split('/').skip(1).collect();
        let is_there = match (self.next_provider(provider), names.as_slice()) {
            (None, _) => false,
            (Some(_), []) => {
                self.staged.providers.insert(provider, None);
                true
            }
            (Some(next), names) => prune(&mut next.record, names),
        };
        if !is_there && puts.is_empty() {
            let known = |stage: &Self| stage.binder.world.tiers.iter().map(|tier| tier.path).collect();
            self.not_there("storage", path, known);
        }
        self.staged.gone_puts.extend(puts);
    }

    fn put(&mut self, part: &SourceRecords<'_>, record: &AttachedVolume, given: &IndexSet<Symbol>) {
        let path = self.intern(&record.path.text);
        if self.staged.gone_puts.contains(&path) {
            self.twice_said("volume", &record.path.text, part.to_run_span(record.path.span));
        }
        if let Some(first) = self.staged.puts.get(&path) {
            let first = first.part().to_run_span(first.record.path.span);
            self.given_twice("volume", &record.path, part, first);
            return;
        }
        let provider = self.intern(provider_of(&record.path.text));
        let names: Vec<&str> = record.path.text.split('/').skip(1).collect();
        match self.next_provider(provider) {
            // A volume that its provider declares is replaced. If the change gives the provider too, binding
            // reports that the volume is declared twice.
            Some(next) if !given.contains(&provider) => {
                prune(&mut next.record, &names);
            }
            Some(_) => {}
            None => {
                let known = self.known.providers.keys().map(|name| self.binder.plan.symbols.text(*name));
                let told = self.binder.problems.len();
                let help = match nearest_after(told, provider_of(&record.path.text), known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "declare the pool, or remove the volume".to_owned(),
                };
                let message = format!("no pool is named `{}`", record.pool());
                let span = part.to_run_span(record.path.span);
                self.problem(Diagnostic::error(Code::B0509, span, message).help(help));
                return;
            }
        }
        self.staged.puts.insert(path, From { first_source: part.first_source, record: record.clone() });
    }

    fn provider(&mut self, name: Symbol, next: &From<TierRecord>) {
        let part = next.part();
        let is_old = self.known.providers.get(&name).is_some_and(|old| old.first_source == next.first_source);
        let mut numbers = Vec::new();
        // Tiers of a provider may have the same name at different depths; their paths differ.
        let mut open: Vec<(String, &TierRecord)> = vec![(next.record.name.text.clone(), &next.record)];
        while let Some((path, tier)) = open.pop() {
            let below = tier.children.iter().rev();
            open.extend(below.map(|child| (format!("{path}/{}", child.name.text), child)));
            let own = self.rules_of_path(&path);
            let number = self.known.tier_rules.number(&tier.rules, self.sources, &part, own);
            if number.is_none() {
                self.rules_unknown(tier.kind.name(), &tier.name.text, &part, &tier.rules);
            }
            if !is_old {
                self.keys(&part, Side::Pool, &tier.keys);
            }
            numbers.push(number.unwrap_or_default());
        }
        self.staged.tier_rules.insert(name, numbers);
    }

    /// Returns the number of the rules that the tier at a path has now.
    fn rules_of_path(&mut self, path: &str) -> Option<usize> {
        let world = &*self.binder.world;
        let now = || world.tiers.iter().map(|tier| (tier.path, tier.rules)).collect();
        let rules: &IndexMap<Symbol, usize> = self.rules_now.get_or_insert_with(now);
        rules.get(&self.binder.plan.symbols.find(path)?).copied()
    }

    fn put_rules(&mut self, path: Symbol, put: &From<AttachedVolume>) {
        let (part, tier) = (put.part(), &put.record.tier);
        let own = self.rules_of_path(&put.record.path.text);
        let number = self.known.tier_rules.number(&tier.rules, self.sources, &part, own);
        if number.is_none() {
            self.rules_unknown("volume", &put.record.path.text, &part, &tier.rules);
        }
        if self.known.puts.get(&path).is_none_or(|old| old.first_source != put.first_source) {
            self.keys(&part, Side::Pool, &tier.keys);
        }
        self.staged.put_rules.insert(path, number.unwrap_or_default());
    }
}

/// Removes a tier from a provider, by the names that lead to it. Returns `true` if it was there.
fn prune(tier: &mut TierRecord, names: &[&str]) -> bool {
    let (first, rest) = match names {
        [] => return false,
        [first, rest @ ..] => (*first, rest),
    };
    let Some(at) = tier.children.iter().position(|child| child.name.text == first) else { return false };
    if rest.is_empty() {
        tier.children.remove(at);
        return true;
    }
    prune(&mut tier.children[at], rest)
}
