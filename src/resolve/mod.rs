//! Name resolution: syntax trees to a policy set with every name bound ([`hir`]). It reports problems and
//! omits what has one. The pipeline calls it after `parse`; types are not known yet.

mod broker;
mod circles;
mod expr;
mod fine;
pub mod hir;
mod holder;
pub mod library;
mod literal;
mod need;
mod once;
mod place;
pub mod scope;

use std::collections::BTreeSet;

use indexmap::IndexMap;

pub use expr::show_read;
pub use fine::walk;
use hir::{Definition, DefinitionId, DefinitionKind, Hir, Read, Rule, SchemaField, Test};
use once::HolderKeys;
use scope::{DefinitionInfo, NameKind, Scope};

use crate::{
    diagnostic::{Code, Diagnostic, nearest},
    inventory::{
        SourceRecords,
        records::{KeyRecord, RuleRecord, RuleText, TierRecord},
    },
    limits,
    parse::{
        self,
        ast::{self, Ast, Block, BlockKind, Statement, StatementKind},
    },
    source::Span,
    types::{PluginClass, Side, Type},
};
use expr::{ExprContext, show_path};

/// The levels of fault domains of a set that declares none.
pub const DEFAULT_LEVELS: [&str; 2] = ["region", "zone"];

/// The parts of a policy set.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The statements of the set itself.
    pub statements: Vec<&'a Statement>,
    /// The syntax trees of the standard modules that the set uses, directly or not.
    pub modules: &'a IndexMap<&'static str, Ast>,
    /// The spans of statements with a syntax error, which are not among the statements.
    pub broken: Vec<Span>,
    /// The levels that inventory data declares. They apply if the set declares none.
    pub levels: Option<Vec<String>>,
    /// The classes of the plugins given with the set.
    pub plugin_classes: &'a [PluginClass],
}

/// Binds every name of a set. Definitions come before their uses: levels, imports, classes and lets, exposed
/// keys, then all other items.
pub fn resolve(input: &Input<'_>) -> (Hir, Scope, Vec<Diagnostic>) {
    let mut resolver = Resolver::default();
    resolver.scope.suggests = true;
    resolver.broken = input.broken.clone();
    resolver.scope.levels =
        input.levels.clone().unwrap_or_else(|| DEFAULT_LEVELS.map(str::to_owned).to_vec());
    resolver.levels(&input.statements);
    let mut modules = Vec::new();
    for statement in &input.statements {
        resolver.use_statement(statement, None, input, &mut modules);
    }
    resolver.declare_definitions(&input.statements);
    input.plugin_classes.iter().for_each(|class| resolver.plugin_class(class));
    resolver.definition_bodies(&input.statements);
    resolver.exposures(&input.statements);
    for statement in &input.statements {
        resolver.item(statement);
    }
    resolver.circles();
    resolver.report_fine_reads();
    resolver.hir.levels = resolver.scope.levels.clone();
    resolver.hir.records.broker.keys = resolver.broker_keys.records;
    (resolver.hir, resolver.scope.closed(), resolver.problems)
}

/// The statements of a test, to be resolved on top of a resolved set.
#[derive(Clone, Debug)]
pub struct Addition<'a> {
    /// The statements of the test.
    pub statements: &'a [&'a Statement],
    /// The standard modules that the set uses.
    pub modules: &'a IndexMap<&'static str, Ast>,
    /// The names that the test declares anew. They replace those of the set.
    pub replaced: &'a [(NameKind, &'a str)],
}

/// Binds the statements of a test in the scope of its set. The result holds the classes, lets, schema,
/// exposed keys and levels of the set, followed by the test's own items.
pub fn extend(hir: &Hir, scope: &Scope, addition: &Addition<'_>) -> (Hir, Vec<Diagnostic>) {
    let mut resolver = Resolver { scope: scope.clone(), ..Resolver::default() };
    for (kind, name) in addition.replaced {
        resolver.scope.forget(*kind, name);
    }
    resolver.hir.definitions = hir.definitions.clone();
    resolver.hir.schema = hir.schema.clone();
    resolver.hir.broker.exposed = hir.broker.exposed.clone();
    resolver.hir.levels = hir.levels.clone();
    let statements = addition.statements;
    let input = Input {
        statements: Vec::new(),
        modules: addition.modules,
        levels: None,
        broken: Vec::new(),
        plugin_classes: &[],
    };
    let mut modules = Vec::new();
    for statement in statements {
        resolver.use_statement(statement, None, &input, &mut modules);
    }
    resolver.declare_definitions(statements);
    resolver.definition_bodies(statements);
    resolver.exposures(statements);
    for statement in statements {
        resolver.item(statement);
    }
    resolver.circles();
    resolver.report_fine_reads();
    (resolver.hir, resolver.problems)
}

/// Binds the rules of records that come as data. The order is that of `bind`: agents, then tiers depth first.
pub fn record_rules(hir: &mut Hir, scope: &Scope, parts: &[SourceRecords<'_>]) -> Vec<Diagnostic> {
    let mut resolver = Resolver { scope: scope.clone(), ..Resolver::default() };
    resolver.scope.suggests = true;
    for part in parts {
        resolver.data_keys(part, Side::Broker, &part.records.broker.keys);
        for agent in &part.records.agents {
            resolver.data_keys(part, Side::Agent, &agent.keys);
            let rules = resolver.data_rules(part, &agent.rules);
            hir.record_rules.agents.push(rules);
        }
        let mut open: Vec<&TierRecord> = part.records.providers.iter().rev().collect();
        while let Some(tier) = open.pop() {
            resolver.data_keys(part, Side::Pool, &tier.keys);
            let rules = resolver.data_rules(part, &tier.rules);
            hir.record_rules.tiers.push(rules);
            open.extend(tier.children.iter().rev());
        }
    }
    // Volumes that the data puts into pools follow all tiers, again as in `bind`.
    for part in parts {
        for volume in &part.records.volumes {
            resolver.data_keys(part, Side::Pool, &volume.tier.keys);
            let rules = resolver.data_rules(part, &volume.tier.rules);
            hir.record_rules.tiers.push(rules);
        }
    }
    resolver.problems
}

#[derive(Default)]
struct Resolver {
    scope: Scope,
    hir: Hir,
    problems: Vec<Diagnostic>,
    /// The standard module being resolved; `None` in the set itself.
    home: Option<String>,
    /// The spans of statements with a syntax error.
    broken: Vec<Span>,
    broker_keys: HolderKeys,
    /// The number of each class and let, by the span of its name.
    definition_at: IndexMap<Span, usize>,
    /// Classes with an invalid side. They are reported once, not at every use.
    broken_classes: BTreeSet<String>,
    /// Fine-grained keys that needs read: the key, its forms with and without the side, and the span.
    fine_reads: Vec<(Read, String, String, Span)>,
}

impl Resolver {
    fn problem(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
        // The search for similar names is slow. It stops once no further problem would be shown.
        self.scope.suggests = self.problems.len() < limits::PROBLEMS_SHOWN;
    }

    /// Returns `true` if a statement in the block has a syntax error. Nothing is reported as missing there.
    fn is_broken(&self, span: Span) -> bool {
        let inside = |at: &Span| at.source == span.source && span.start <= at.start && at.end <= span.end;
        self.broken.iter().any(inside)
    }

    /// Reports keys of data that are named like a built-in key, as for keys of a policy.
    fn data_keys(&mut self, part: &SourceRecords<'_>, side: Side, records: &[KeyRecord]) {
        for record in records {
            self.is_built_in(side, &record.key, part.to_run_span(record.span));
        }
    }

    fn data_rules(&mut self, part: &SourceRecords<'_>, records: &[RuleRecord]) -> Vec<Rule> {
        let mut rules = Vec::new();
        for record in records {
            let expr = match &record.text {
                RuleText::Tree(expr) => Some(expr.clone()),
                RuleText::Text(text) => match parse::expression(&text.text, part.to_run_span(text.span)) {
                    Ok(expr) => Some(expr),
                    Err(problems) => {
                        self.problems.extend(problems);
                        None
                    }
                },
            };
            let Some(expr) = expr.and_then(|expr| self.expr(ExprContext::Rules, &expr)) else { continue };
            let span = part.to_run_span(record.span);
            if record.strength.weight().is_some_and(|weight| !self.is_weight(weight, span)) {
                continue;
            }
            let label = record.label.as_ref().map(|label| label.text.clone());
            rules.push(Rule { label, strength: record.strength, expr, span, docs: record.docs.clone() });
        }
        rules
    }

    fn misplaced(&mut self, statement: &Statement, inside: &str, help: &str) {
        let at = if inside == TOP { "at" } else { "in" };
        let message = format!("{} does not belong {at} {inside}", describe(&statement.kind));
        let span = match &statement.kind {
            StatementKind::Block(block) => block.head,
            _ => statement.span,
        };
        self.problem(Diagnostic::error(Code::B0208, span, message).help(help));
    }

    /// Imports the names of a module into `home`.
    fn use_statement<'s>(
        &mut self,
        statement: &'s Statement,
        home: Option<&str>,
        input: &Input<'s>,
        loading: &mut Vec<&'static str>,
    ) {
        let StatementKind::Use(ast::Use::Module { path, names }) = &statement.kind else { return };
        let module = match path.segments.as_slice() {
            [std, module] if std.text == "std" => library::find(&module.text),
            _ => None,
        };
        let Some(module) = module else {
            let known = library::MODULES.map(|module| module.name);
            let last = path.segments.last().map_or("", |segment| segment.text.as_str());
            let near = nearest(last, known).map(|near| format!("did you mean `std.{near}`? "));
            let help = format!(
                "{}the standard modules are `std.{}`",
                near.unwrap_or_default(),
                known.join("`, `std.")
            );
            let message = format!("no module is named `{}`", show_path(path));
            self.problem(Diagnostic::error(Code::B0204, path.span, message).help(help));
            return;
        };
        if let Some(ast) = input.modules.get(module.name)
            && !self.scope.has_module(module.name)
            && !loading.contains(&module.name)
        {
            self.load_module(module.name, ast, input, loading);
        }
        let declared = self.scope.module_names(module.name);
        match names {
            None => {
                for (_, id) in declared {
                    let name = self.scope.definitions[id.0].name.clone();
                    self.scope.bring(home, &name, id);
                }
            }
            Some(names) => {
                for name in names {
                    self.bring_bare(name, module.name, &declared, home);
                }
            }
        }
    }

    fn bring_bare(
        &mut self,
        name: &ast::Name,
        module: &str,
        declared: &[(String, DefinitionId)],
        home: Option<&str>,
    ) {
        let found: Vec<_> = declared.iter().filter(|known| known.0 == name.text).collect();
        if found.is_empty() {
            let near = nearest(&name.text, declared.iter().map(|known| known.0.as_str()));
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("`bourse doc` and the reference list what `std.{module}` declares"),
            };
            let message = format!("`std.{module}` declares no `{}`", name.text);
            self.problem(Diagnostic::error(Code::B0205, name.span, message).help(help));
            return;
        }
        for (_, id) in found {
            let kind = match self.scope.definitions[id.0].kind {
                DefinitionKind::Class(_) => NameKind::Class,
                DefinitionKind::Let => NameKind::Let,
            };
            if home.is_none()
                && let Err(problem) = self.scope.declare(kind, &name.text, name.span)
            {
                self.problem(problem);
                continue;
            }
            self.scope.bring(home, &name.text, *id);
        }
    }

    fn load_module<'s>(
        &mut self,
        name: &'static str,
        ast: &'s Ast,
        input: &Input<'s>,
        loading: &mut Vec<&'static str>,
    ) {
        loading.push(name);
        let outer = self.home.replace(name.to_owned());
        self.scope.add_module(name);
        for item in &ast.items {
            self.use_statement(item, Some(name), input, loading);
        }
        let items: Vec<&Statement> = ast.items.iter().collect();
        self.declare_definitions(&items);
        self.definition_bodies(&items);
        self.home = outer;
        loading.pop();
    }

    /// Declares every class and let before any body is bound: they may refer to each other in any order.
    fn declare_definitions(&mut self, statements: &[&Statement]) {
        for statement in statements {
            let (kind, name) = match &statement.kind {
                StatementKind::Let(name, _) => (DefinitionKind::Let, name),
                StatementKind::Block(Block { kind: BlockKind::Class(side), name: Some(name), .. }) => {
                    match side {
                        Ok(side @ (Side::Agent | Side::Pool)) => (DefinitionKind::Class(*side), name),
                        _ => {
                            self.broken_classes.insert(name.text.clone());
                            continue;
                        }
                    }
                }
                _ => continue,
            };
            let module = self.home.clone();
            let shown = match &module {
                Some(module) => format!("{module}.{}", name.text),
                None => crate::value::show_name(&name.text),
            };
            let unique = if matches!(kind, DefinitionKind::Let) { NameKind::Let } else { NameKind::Class };
            let key = if module.is_some() { shown.as_str() } else { name.text.as_str() };
            if let Err(problem) = self.scope.declare(unique, key, name.span) {
                self.problem(problem);
                continue;
            }
            let id = DefinitionId(self.scope.definitions.len());
            self.scope.definitions.push(DefinitionInfo { name: shown.clone(), kind, span: Some(name.span) });
            self.definition_at.insert(name.span, self.hir.definitions.len());
            self.hir.definitions.push(Definition {
                name: shown,
                kind,
                body: Vec::new(),
                span: name.span,
                docs: statement.docs.clone(),
                standard: module.is_some(),
                asked: false,
            });
            self.scope.bring(module.as_deref(), &crate::value::show_name(&name.text), id);
        }
    }

    /// Declares a class of a plugin. Its name holds a slash, so it never collides with a class of the set.
    fn plugin_class(&mut self, class: &PluginClass) {
        let id = DefinitionId(self.scope.definitions.len());
        let (name, kind) = (class.name.clone(), DefinitionKind::Class(class.side));
        self.scope.definitions.push(DefinitionInfo { name: name.clone(), kind, span: None });
        self.hir.definitions.push(Definition {
            name,
            kind,
            body: Vec::new(),
            span: Span::default(),
            docs: Vec::new(),
            standard: true,
            asked: true,
        });
        self.scope.bring(None, &class.name, id);
    }

    fn definition_bodies(&mut self, statements: &[&Statement]) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Let(name, expr) => {
                    let Some(body) = self.expr(ExprContext::Rules, expr) else { continue };
                    if let Some(definition) = self.definition(name.span) {
                        definition.body = vec![body];
                    }
                }
                StatementKind::Block(block) => match &block.kind {
                    BlockKind::Class(side) => self.class(block, side),
                    BlockKind::Schema(side) => self.schema(block, side),
                    _ => {}
                },
                _ => {}
            }
        }
    }

    fn definition(&mut self, span: Span) -> Option<&mut Definition> {
        self.definition_at.get(&span).map(|at| &mut self.hir.definitions[*at])
    }

    fn class(&mut self, block: &Block, side: &Result<Side, ast::Name>) {
        let side = match side {
            Ok(side @ (Side::Agent | Side::Pool)) => *side,
            Ok(other) => {
                self.bad_side(other.name(), block.head);
                return;
            }
            Err(name) => {
                self.bad_side(&name.text, name.span);
                return;
            }
        };
        let Some(name) = self.required_name(block, "class") else { return };
        let mut body = Vec::new();
        for statement in &block.body.statements {
            match &statement.kind {
                StatementKind::Condition(expr) => body.extend(self.expr(ExprContext::Class(side), expr)),
                StatementKind::Assign(assign) => {
                    let message =
                        format!("a class tests keys, it does not set them: `{} = …`", show_path(&assign.key));
                    let help = format!("write `{} == …`", show_path(&assign.key));
                    self.problem(Diagnostic::error(Code::B0208, statement.span, message).help(help));
                }
                _ => self.misplaced(statement, "`class`", "it holds one condition a line; all must hold"),
            }
        }
        if body.is_empty() && block.body.statements.is_empty() && !self.is_broken(block.body.span) {
            let message = format!("class `{}` has no condition: everything would be in it", name.text);
            self.problem(
                Diagnostic::error(Code::B0219, name.span, message)
                    .help("give it one, such as `media == \"ssd\"`"),
            );
        }
        if let Some(definition) = self.definition(name.span) {
            definition.body = body;
        }
    }

    fn bad_side(&mut self, word: &str, span: Span) {
        let message = format!("a class is for agents or pools, not for `{word}`");
        let help = "write `class NAME for agent { … }` or `class NAME for pool { … }`";
        self.problem(Diagnostic::error(Code::B0215, span, message).help(help));
    }

    fn schema(&mut self, block: &Block, side: &Result<Side, ast::Name>) {
        let side = match side {
            Ok(side) => *side,
            Err(name) => {
                let known = Side::ALL.map(Side::name);
                let help = match nearest(&name.text, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the sides are `{}`", known.join("`, `")),
                };
                let message = format!("no side is named `{}`", name.text);
                self.problem(Diagnostic::error(Code::B0215, name.span, message).help(help));
                return;
            }
        };
        self.schema_fields(side, "", &block.body);
    }

    fn schema_fields(&mut self, side: Side, prefix: &str, body: &ast::Body) {
        for statement in &body.statements {
            match &statement.kind {
                StatementKind::Field(path, type_name) => {
                    let key = format!("{prefix}{}", show_path(path));
                    if self.is_built_in(side, &key, path.span) {
                        continue;
                    }
                    let Some(kind) = Type::from_name(&type_name.text) else {
                        let known = Type::ALL.map(Type::name);
                        let near =
                            nearest(&type_name.text, known).map(|near| format!("did you mean `{near}`? "));
                        let help =
                            format!("{}the types are `{}`", near.unwrap_or_default(), known.join("`, `"));
                        let message = format!("no type is named `{}`", type_name.text);
                        self.problem(Diagnostic::error(Code::B0216, type_name.span, message).help(help));
                        continue;
                    };
                    let standard = self.home.is_some();
                    self.hir.schema.push(SchemaField { side, key, kind, span: statement.span, standard });
                }
                StatementKind::Block(Block { kind: BlockKind::Keys(path), body, .. }) => {
                    self.schema_fields(side, &format!("{prefix}{}.", show_path(path)), body);
                }
                _ => self.misplaced(statement, "`schema`", "it holds `key: type`"),
            }
        }
    }

    fn item(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Use(_) | StatementKind::Let(..) => {}
            StatementKind::Block(block) => match &block.kind {
                BlockKind::Schema(_) | BlockKind::Class(_) => {}
                BlockKind::Role => self.role(block, &statement.docs),
                BlockKind::Broker => self.broker(block),
                BlockKind::Provider => self.provider(block),
                BlockKind::Agent => self.agent(block),
                BlockKind::Framework => self.framework(block, &statement.docs),
                BlockKind::Need => self.lone_need(block, &statement.docs),
                BlockKind::Allocation => self.allocation(block),
                BlockKind::Test => self.test(block, &statement.docs),
                _ => self.misplaced(statement, TOP, TOP_HELP),
            },
            _ => self.misplaced(statement, TOP, TOP_HELP),
        }
    }

    fn test(&mut self, block: &Block, docs: &[String]) {
        let Some(name) = self.required_name(block, "test") else { return };
        if self.declare(NameKind::Test, &name) {
            for statement in &block.body.statements {
                if let StatementKind::Block(Block { kind: BlockKind::Test, .. }) = &statement.kind {
                    self.misplaced(statement, "`test`", "tests stand side by side at the top of a file");
                }
            }
            let statements = block.body.statements.clone();
            self.hir.tests.push(Test { name, statements, docs: docs.to_vec() });
        }
    }
}

const TOP: &str = "the top of a file";
const TOP_HELP: &str = "a file holds `use`, `schema`, `class`, `let`, `role`, `broker`, `provider`, `agent`, `framework`, `need`, `allocation` and `test`";

fn describe(kind: &StatementKind) -> String {
    let word = match kind {
        StatementKind::Use(_) => "`use`",
        StatementKind::Let(..) => "`let`",
        StatementKind::Block(block) => return describe_block(&block.kind),
        StatementKind::Field(..) => "`key: type`",
        StatementKind::Assign(assign) => return format!("`{} = …`", show_path(&assign.key)),
        StatementKind::Condition(_) => "a condition",
        StatementKind::Require(_) => "`require`",
        StatementKind::Prefer(_) | StatementKind::PreferPlace { .. } => "`prefer`",
        StatementKind::Charge(_) => "`charge`",
        StatementKind::Expose(_) => "`expose`",
        StatementKind::Levels(_) => "`levels`",
        StatementKind::LendReserved => "`lend reserved`",
        StatementKind::ReservedFor(_) => "`reserved for`",
        StatementKind::Place(ast::Place::Within(_)) => "`within`",
        StatementKind::Place(ast::Place::Outside(_) | ast::Place::Apart { .. }) => "`avoid`",
        StatementKind::Place(ast::Place::Near { .. }) => "`near`",
        StatementKind::Place(ast::Place::AtMost { .. }) => "`at most`",
        StatementKind::Place(ast::Place::Spread { .. }) => "`spread over`",
        StatementKind::Place(ast::Place::Together { .. }) => "`together in`",
        StatementKind::AllOrNothing => "`all or nothing`",
        StatementKind::AcceptRevocable => "`accept revocable`",
        StatementKind::VolumeReference(_) => "`volume` without a block",
        StatementKind::WithInventory => "`with inventory`",
        StatementKind::Expect(_) => "`expect`",
    };
    word.to_owned()
}

fn describe_block(kind: &BlockKind) -> String {
    let word = match kind {
        BlockKind::Schema(_) => "schema",
        BlockKind::Class(_) => "class",
        BlockKind::Role => "role",
        BlockKind::Limit => "limit",
        BlockKind::Broker => "broker",
        BlockKind::Provider => "provider",
        BlockKind::Instance => "instance",
        BlockKind::Pool => "pool",
        BlockKind::Volume => "volume",
        BlockKind::Agent => "agent",
        BlockKind::Framework => "framework",
        BlockKind::Need => "need",
        BlockKind::Allocation => "allocation",
        BlockKind::Resources | BlockKind::ResourcesFor(_) | BlockKind::ResourcesRevocable => "resources",
        BlockKind::Revocable => "revocable",
        BlockKind::Test => "test",
        BlockKind::Keys(path) => return format!("`{} {{ … }}`", show_path(path)),
    };
    format!("`{word}`")
}
