//! Warns of declarations that nothing uses (`B0610`).
//!
//! A name that a test uses counts as used. The standard library is never warned of. In a set without needs,
//! classes, roles and keys of needs are there for the needs of others, and are not warned of either.

use std::collections::BTreeSet;

use super::AnalysedSet;
use crate::{
    diagnostic::{Code, Diagnostic},
    inventory::records::{KeyRecord, PartRecord, ResourceRecord, TierKind, TierRecord},
    parse::ast::{Name, StatementKind, Use},
    resolve::{
        hir::{Definition, DefinitionKind, Expr, ExprKind, Hir, Key, SchemaField},
        walk,
    },
    source::{SourceId, Span},
    types::Side,
    value::show_name,
};

/// Checks every name that the set's own files declare.
pub(super) fn check(set: &AnalysedSet<'_>, problems: &mut Vec<Diagnostic>) {
    let used = UsedNames::of(set);
    let mut found = Vec::new();
    used.definitions(&mut found);
    used.roles(&mut found);
    used.frameworks(&mut found);
    used.schema(&mut found);
    used.providers(&mut found);
    used.imports(&mut found);
    let own: BTreeSet<SourceId> = set.files.iter().map(|file| file.source).collect();
    let of_set = |problem: &Diagnostic| problem.labels.iter().all(|label| own.contains(&label.span.source));
    // A class that never holds, or always does, has its warning already. That nothing uses it is no second
    // problem.
    let place = |problem: &Diagnostic| problem.labels.first().map(|label| label.span);
    let known: BTreeSet<Option<Span>> = problems.iter().map(place).collect();
    problems.extend(found.into_iter().filter(|one| of_set(one) && !known.contains(&place(one))));
}

/// The names that the set uses outside its tests.
struct UsedNames<'s, 'a> {
    set: &'s AnalysedSet<'a>,
    /// The classes and lets that are named, by number.
    definitions: BTreeSet<usize>,
    /// The keys that are read or stated.
    keys: BTreeSet<(Side, String)>,
    has_needs: bool,
}

impl<'s, 'a> UsedNames<'s, 'a> {
    fn of(set: &'s AnalysedSet<'a>) -> Self {
        let hir = set.hir;
        // `hir.frameworks` leaves out the needs of tests: these are samples of needs that are still to come.
        let has_needs = hir.frameworks.iter().any(|framework| !framework.needs.is_empty());
        let mut used = UsedNames { set, definitions: BTreeSet::new(), keys: BTreeSet::new(), has_needs };
        let own = hir.definitions.iter().filter(|definition| !definition.standard);
        own.flat_map(|definition| &definition.body).for_each(|expr| used.expr(expr));
        let recorded = hir.record_rules.agents.iter().chain(&hir.record_rules.tiers).flatten();
        hir.broker.rules.iter().chain(recorded).for_each(|rule| used.expr(&rule.expr));
        hir.broker.charges.iter().for_each(|charge| used.expr(&charge.amount));
        for (read, _) in &hir.broker.exposed {
            if let Key::Attribute(key) = &read.key {
                used.keys.insert((read.side, key.clone()));
            }
        }
        for need in hir.frameworks.iter().flat_map(|framework| &framework.needs) {
            let requests = need.agent.iter().chain(need.volumes.iter().map(|volume| &volume.request));
            for request in requests {
                used.definitions.extend(request.classes.iter().map(|ask| ask.class.0));
                request.conditions.iter().for_each(|rule| used.expr(&rule.expr));
            }
            used.stated(Side::Need, &need.keys);
        }
        used.records();
        used
    }

    fn records(&mut self) {
        let hir = self.set.hir;
        self.stated(Side::Broker, &hir.records.broker.keys);
        hir.records.agents.iter().for_each(|agent| self.stated(Side::Agent, &agent.keys));
        hir.frameworks.iter().for_each(|framework| self.stated(Side::Framework, &framework.keys));
        hir.roles.iter().for_each(|role| self.stated(Side::Role, &role.keys));
        let mut open: Vec<&TierRecord> = hir.records.providers.iter().collect();
        while let Some(tier) = open.pop() {
            self.stated(Side::Pool, &tier.keys);
            open.extend(&tier.children);
        }
    }

    fn stated(&mut self, side: Side, records: &[KeyRecord]) {
        self.keys.extend(records.iter().map(|record| (side, record.key.clone())));
    }

    fn expr(&mut self, expr: &Expr) {
        let (definitions, keys) = (&mut self.definitions, &mut self.keys);
        walk(expr, &mut |expr| match &expr.kind {
            ExprKind::Named(id) => {
                definitions.insert(id.0);
            }
            ExprKind::Read(read)
            | ExprKind::IsAbsent(read)
            | ExprKind::IsPresent(read)
            | ExprKind::Else(read, _) => {
                if let Key::Attribute(key) = &read.key {
                    keys.insert((read.side, key.clone()));
                }
            }
            _ => {}
        });
    }

    /// Returns `true` if something names a class or let. A test may name one of a module without the module's
    /// name, as `use` can import it so.
    fn is_used(&self, at: usize, definition: &Definition) -> bool {
        let bare = definition.name.split_once('.').map_or(definition.name.as_str(), |(_, bare)| bare);
        self.definitions.contains(&at)
            || self.set.test_names.names(&definition.name)
            || self.set.test_names.names(bare)
    }

    fn definitions(&self, found: &mut Vec<Diagnostic>) {
        let rules = self.has_needs || self.set.hir.broker.name.is_some();
        for (at, definition) in self.set.hir.definitions.iter().enumerate() {
            let (word, wanted) = match definition.kind {
                DefinitionKind::Class(_) => ("class", self.has_needs),
                DefinitionKind::Let => ("let", rules),
            };
            if !definition.standard && wanted && !self.is_used(at, definition) {
                let users = if word == "class" { "need, class or rule" } else { "rule, class or let" };
                let message = format!("no {users} uses the {word} `{}`", show_name(&definition.name));
                found.push(unused(definition.span, message, "use it, or remove it"));
            }
        }
    }

    fn roles(&self, found: &mut Vec<Diagnostic>) {
        let hir = self.set.hir;
        let allocated = hir.records.allocations.iter().filter_map(|taken| taken.role.as_ref());
        let mut taken: Vec<&str> = hir.frameworks.iter().map(|framework| framework.role.as_str()).collect();
        taken.extend(allocated.map(|role| role.text.as_str()));
        taken.extend(reserved_for(hir));
        for role in &hir.roles {
            let name = role.name.text.as_str();
            let below = |other: &&str| crate::value::is_within(other, name);
            if self.has_needs && !taken.iter().any(below) && !self.set.test_names.names(name) {
                let message = format!("no framework has the role `{}`", show_name(name));
                let help = "give it to a framework: `role = \"NAME\"`, or remove it";
                found.push(unused(role.name.span, message, help));
            }
        }
    }

    fn frameworks(&self, found: &mut Vec<Diagnostic>) {
        let allocations = &self.set.hir.records.allocations;
        for framework in &self.set.hir.frameworks {
            let name = framework.name.text.as_str();
            let allocated = allocations.iter().any(|taken| {
                taken.framework.as_ref().map_or(&taken.name.text, |framework| &framework.text) == name
            });
            if framework.needs.is_empty() && !allocated && !self.set.test_names.names(name) {
                let message = format!("the framework `{}` has no need", show_name(name));
                found.push(unused(framework.name.span, message, "add a `need`, or remove it"));
            }
        }
    }

    /// Warns of keys that the set's own schemas declare and nothing states or reads, if there is something
    /// that could state them.
    fn schema(&self, found: &mut Vec<Diagnostic>) {
        // A key that no schema declares is reported already, and may be a misspelling of one that would be
        // warned of.
        if self.set.has(Code::B0309) {
            return;
        }
        let (hir, world) = (self.set.hir, self.set.world);
        for field in hir.schema.iter().filter(|field| !field.standard) {
            let side = field.side;
            let peopled = match side {
                // A single agent or supply may well lack keys that others will state.
                Side::Agent => world.agents.len() > 1,
                Side::Pool => world.supplies.len() > 1,
                Side::Broker => hir.broker.name.is_some(),
                Side::Volume | Side::Need | Side::Framework | Side::Role => self.has_needs,
            };
            if peopled && !self.is_known(field) {
                let message =
                    format!("no {side} states the key `{}` of this schema, and nothing reads it", field.key);
                found.push(unused(field.span, message, "remove it, or correct its name"));
            }
        }
    }

    /// Returns `true` if something states or reads the key of a schema, or a test uses its name.
    fn is_known(&self, field: &SchemaField) -> bool {
        let last = field.key.rsplit('.').next().unwrap_or(&field.key);
        self.keys.contains(&(field.side, field.key.clone()))
            || self.set.test_names.names(&field.key)
            || self.set.test_names.names(last)
    }

    fn providers(&self, found: &mut Vec<Diagnostic>) {
        for provider in &self.set.hir.records.providers {
            let mut open = vec![provider];
            let mut offers = false;
            while let Some(tier) = open.pop() {
                offers |= matches!(tier.kind, TierKind::Pool | TierKind::Volume);
                open.extend(&tier.children);
            }
            let name = &provider.name;
            if !offers && !self.set.test_names.names(&name.text) {
                let message = format!("the provider `{}` has no pool", show_name(&name.text));
                found.push(unused(name.span, message, "add an `instance` with a `pool`, or remove it"));
            }
        }
    }

    fn imports(&self, found: &mut Vec<Diagnostic>) {
        for statement in self.set.files.iter().flat_map(|file| &file.items) {
            let StatementKind::Use(Use::Module { path, names }) = &statement.kind else { continue };
            let Some(module) = path.segments.last() else { continue };
            match names {
                None => found.extend(self.module(module, path.span)),
                Some(names) => {
                    for name in names.iter().filter(|name| !self.uses(&module.text, Some(name))) {
                        let message = format!("nothing uses `{}` of `std.{}`", name.text, module.text);
                        found.push(unused(name.span, message, "leave it out"));
                    }
                }
            }
        }
    }

    fn module(&self, module: &Name, span: Span) -> Option<Diagnostic> {
        if self.uses(&module.text, None) || self.types(&module.text) {
            return None;
        }
        let message = format!("nothing uses the module `std.{}`", module.text);
        let help =
            format!("write `{}.NAME` where you mean a class or let of it, or leave it out", module.text);
        Some(unused(span, message, &help))
    }

    /// Returns `true` if the class or let of this name in a module is used, or with `None` if any of the
    /// module is.
    fn uses(&self, module: &str, name: Option<&Name>) -> bool {
        let meant = |definition: &Definition| {
            let own = definition.name.split_once('.').filter(|(of, _)| *of == module);
            own.is_some_and(|(_, bare)| name.is_none_or(|name| name.text == bare))
        };
        let all = self.set.hir.definitions.iter().enumerate();
        all.filter(|(_, definition)| meant(definition)).any(|(at, definition)| self.is_used(at, definition))
    }

    /// Returns `true` if a module declares a key that the set states or reads: importing it types that key.
    fn types(&self, module: &str) -> bool {
        let source = self.set.modules.iter().find(|(name, _)| *name == module).map(|(_, ast)| ast.source);
        let fields = self.set.hir.schema.iter().filter(|field| Some(field.span.source) == source);
        fields.into_iter().any(|field| self.is_known(field))
    }
}

/// Returns the roles that a tier or a resource is reserved for.
fn reserved_for(hir: &Hir) -> Vec<&str> {
    let mut open: Vec<&TierRecord> = hir.records.providers.iter().collect();
    let mut resources: Vec<&ResourceRecord> =
        hir.records.agents.iter().flat_map(|agent| &agent.resources).collect();
    let mut roles = Vec::new();
    while let Some(tier) = open.pop() {
        resources.extend(&tier.resources);
        roles.extend(tier.reserved_for.as_ref().map(|role| role.text.as_str()));
        open.extend(&tier.children);
    }
    roles.extend(resources.into_iter().filter_map(|resource| match &resource.part {
        PartRecord::Reserved(role) => Some(role.as_str()),
        PartRecord::Unreserved | PartRecord::Revocable => None,
    }));
    roles
}

fn unused(span: Span, message: String, help: &str) -> Diagnostic {
    Diagnostic::warning(Code::B0610, span, message).label("unused").help(help)
}
