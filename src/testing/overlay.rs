//! The overlay of a test: the set and its inventories, with the declarations of the test on top.
//!
//! A declaration of the test replaces one of the same kind and name. A test that declares agents, providers
//! or allocations sees no others, unless it says `with inventory`: its outcome does not depend on the fleet
//! at hand.

use std::collections::BTreeSet;

use crate::{
    cycle::every_need,
    diagnostic::{Code, Diagnostic},
    inventory::records::{Records, TierKind, TierRecord},
    matching::NeedId,
    parse::ast::{Block, BlockKind, Expect, Statement, StatementKind},
    pipeline::{Extra, Parsed},
    plugin::Beside,
    policy::{Fleet, Inventory},
    resolve::{
        hir,
        scope::{NameKind, declaration},
    },
    source::Sources,
    types::PluginClass,
};

/// The statements and inventories that one test sees.
pub(super) struct Overlay<'a> {
    /// The statements of the set that the test does not replace, then those of the test.
    statements: Vec<&'a Statement>,
    /// The statements of the test, without expectations.
    own: Vec<&'a Statement>,
    inventories: Vec<(Records, &'a Sources)>,
    plugin_classes: Vec<PluginClass>,
    /// Names of frameworks, and of needs at top level, that the test declares.
    declared: BTreeSet<&'a str>,
    /// The problems of the test's own statements.
    pub problems: Vec<Diagnostic>,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(
        parsed: &'a Parsed,
        inventories: &'a [Inventory],
        beside: Beside<'_>,
        test: &'a hir::Test,
    ) -> Overlay<'a> {
        let mut problems = Vec::new();
        let mut own: Vec<&Statement> = Vec::new();
        let (mut with_inventory, mut has_snapshot) = (false, false);
        for statement in &test.statements {
            match &statement.kind {
                StatementKind::Expect(Expect::Snapshot) if has_snapshot => {
                    let problem =
                        Diagnostic::error(Code::B0212, statement.span, "`expect snapshot` stands twice");
                    problems.push(problem.help("remove one: a test has one snapshot"));
                }
                StatementKind::Expect(expect) => has_snapshot |= matches!(expect, Expect::Snapshot),
                StatementKind::WithInventory => with_inventory = true,
                _ => own.push(statement),
            }
        }
        let declares_fleet = own.iter().any(|statement| is_fleet(statement));
        // The test's own fleet takes the place of all others, unless `with inventory` adds it to them.
        let keeps_fleet = with_inventory || !declares_fleet;
        let names: BTreeSet<(NameKind, &str)> =
            own.iter().filter_map(|statement| declaration(statement)).collect();
        let of_set = parsed.files.iter().flat_map(|ast| &ast.items).filter(|statement| {
            let replaced = declaration(statement).is_some_and(|name| names.contains(&name));
            !replaced && !is_test(statement) && (keeps_fleet || !is_fleet(statement))
        });
        let statements = of_set.chain(own.iter().copied()).collect();
        let inventories = inventories.iter().map(|inventory| {
            let (records, sources) = inventory.parts();
            (visible(records, keeps_fleet, &names), sources)
        });
        let frameworks = names.iter().filter(|(class, _)| *class == NameKind::Framework);
        Overlay {
            statements,
            own,
            inventories: inventories.collect(),
            plugin_classes: beside.classes(),
            declared: frameworks.map(|(_, name)| *name).collect(),
            problems,
        }
    }

    pub(super) fn extra(&self) -> Extra<'_> {
        let inventories = self.inventories.iter().map(|(records, sources)| (records, *sources));
        Extra {
            inventories: inventories.collect(),
            statements: Some(self.statements.clone()),
            plugin_classes: self.plugin_classes.clone(),
        }
    }

    /// Returns the statements of the test if they declare only agents, providers, allocations, frameworks and
    /// needs.
    ///
    /// Nothing else of the set can depend on those, so they can be checked without checking the set again.
    pub(super) fn only_additions(&self) -> Option<Vec<&'a Statement>> {
        let plain = |statement: &&Statement| match declaration(statement) {
            Some((kind, _)) => {
                matches!(
                    kind,
                    NameKind::Provider | NameKind::Agent | NameKind::Allocation | NameKind::Framework
                )
            }
            None => false,
        };
        self.own.iter().all(plain).then(|| self.own.clone())
    }

    /// Returns the agents, pools and existing volumes that the test sees.
    pub(super) fn fleet(&self) -> FleetNames {
        let mut names = FleetNames::default();
        for statement in &self.statements {
            match &statement.kind {
                StatementKind::Block(Block { kind: BlockKind::Agent, name: Some(name), .. }) => {
                    names.agents.insert(name.text.clone());
                }
                StatementKind::Block(block) if block.kind == BlockKind::Provider => names.declared(block, ""),
                _ => {}
            }
        }
        for (records, _) in &self.inventories {
            names.agents.extend(records.agents.iter().map(|agent| agent.name.text.clone()));
            records.providers.iter().for_each(|provider| names.recorded(provider, ""));
        }
        names
    }

    /// Returns `true` if the test declares a framework, or a need at top level, of this name.
    pub(super) fn declares(&self, framework: &str) -> bool {
        self.declared.contains(framework)
    }

    /// Returns the needs of the frameworks that the test declares.
    pub(super) fn frameworks(&self, fleet: &Fleet) -> Vec<NeedId> {
        let plan = fleet.plan();
        let declared =
            |id: &NeedId| self.declared.contains(plan.symbols.text(plan.frameworks[id.framework].name));
        every_need(plan).filter(declared).collect()
    }
}

/// The names that expectations can use of a fleet.
#[derive(Debug, Default)]
pub(super) struct FleetNames {
    pub agents: BTreeSet<String>,
    /// The paths of pools and existing volumes.
    pub supplies: BTreeSet<String>,
}

impl FleetNames {
    /// Adds what a provider declares in a policy. `above` is the path of the tier around `block`, with a `/`.
    fn declared(&mut self, block: &Block, above: &str) {
        let Some(name) = &block.name else { return };
        let path = format!("{above}{}", name.text);
        for statement in &block.body.statements {
            if let StatementKind::Block(inner) = &statement.kind {
                self.declared(inner, &format!("{path}/"));
            }
        }
        if matches!(block.kind, BlockKind::Pool | BlockKind::Volume) {
            self.supplies.insert(path);
        }
    }

    /// Adds what a provider declares in an inventory. `above` is the path of the tier around `tier`, with a
    /// `/`.
    fn recorded(&mut self, tier: &TierRecord, above: &str) {
        let path = format!("{above}{}", tier.name.text);
        tier.children.iter().for_each(|child| self.recorded(child, &format!("{path}/")));
        if matches!(tier.kind, TierKind::Pool | TierKind::Volume) {
            self.supplies.insert(path);
        }
    }
}

fn is_fleet(statement: &Statement) -> bool {
    matches!(declaration(statement), Some((NameKind::Provider | NameKind::Agent | NameKind::Allocation, _)))
}

fn is_test(statement: &Statement) -> bool {
    matches!(&statement.kind, StatementKind::Block(Block { kind: BlockKind::Test, .. }))
}

/// Returns the records of an inventory that a test sees: those that it does not replace.
fn visible(records: &Records, keeps_fleet: bool, replaced: &BTreeSet<(NameKind, &str)>) -> Records {
    let mut records = records.clone();
    if !keeps_fleet {
        records.agents.clear();
        records.providers.clear();
        records.allocations.clear();
    }
    let keeps = |class: NameKind, name: &str| !replaced.contains(&(class, name));
    records.agents.retain(|agent| keeps(NameKind::Agent, &agent.name.text));
    records.providers.retain(|provider| keeps(NameKind::Provider, &provider.name.text));
    records.allocations.retain(|allocation| keeps(NameKind::Allocation, &allocation.name.text));
    records.roles.retain(|role| keeps(NameKind::Role, &role.name.text));
    records.frameworks.retain(|framework| keeps(NameKind::Framework, &framework.declaration.name.text));
    records.needs.retain(|need| keeps(NameKind::Framework, &need.declaration.name.text));
    records
}
