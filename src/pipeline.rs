//! The stages as types, each made from the one before: [`Sources`] → [`Parsed`] → [`Checked`] → [`Loaded`],
//! which holds the [`Plan`] and the fleet.
//!
//! Problems are collected beside the results, so that one run reports all of them. Only a set without errors
//! becomes [`Loaded`]. Everything that compiles a set goes through here.

use std::{borrow::Cow, collections::VecDeque};

use indexmap::{IndexMap, IndexSet};

use crate::{
    check::{self, Strictness, Types},
    diagnostic::{Code, Diagnostic, Report},
    inventory::{SourceRecords, bind, declare, records::Records, world::World},
    ir::{self, Plan},
    limits, lower,
    parse::{
        self,
        ast::{Ast, Statement, StatementKind, Use},
    },
    resolve::{
        self,
        hir::Hir,
        library,
        scope::{self, Scope},
    },
    source::Sources,
    types::PluginClass,
};

/// A policy set as read: trees, and the problems of reading them.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// Every source of the set and of the modules it uses.
    pub sources: Sources,
    /// One tree for each file of the set.
    pub files: Vec<Ast>,
    /// The standard modules used, directly or not.
    pub modules: IndexMap<&'static str, Ast>,
    /// The problems so far.
    pub problems: Vec<Diagnostic>,
}

impl Parsed {
    /// Reads the files of a set, given by names and bytes.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Parsed {
        Parsed::following(files, |_| None)
    }

    /// Reads the files of a set and the files that they use. `load` returns the bytes of a used file by its
    /// name, or `None` if there is no such file. It is called at most once for each name that is not in the
    /// set.
    pub fn following<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        mut load: impl FnMut(&str) -> Option<Vec<u8>>,
    ) -> Parsed {
        let mut parsed = Parsed::default();
        let files: Vec<(&str, &[u8])> = files.into_iter().collect();
        // Breadth first. A name is asked for once, so that files which use each other end the walk.
        let mut asked: IndexSet<String> = files.iter().map(|(name, _)| normal_path(name)).collect();
        let mut open: VecDeque<(String, Cow<'a, [u8]>)> =
            files.into_iter().map(|(name, bytes)| (name.to_owned(), Cow::Borrowed(bytes))).collect();
        while let Some((name, bytes)) = open.pop_front() {
            if parsed.files.len() >= limits::SOURCES {
                let message = format!("more than {} files in one set", limits::SOURCES);
                parsed.problems.push(Diagnostic::without_place(Code::B0106, message).help("split the set"));
                break;
            }
            let (source, problems) = parse::decode(&mut parsed.sources, &name, &bytes);
            if !problems.is_empty() {
                parsed.problems.extend(problems);
                continue;
            }
            let read = parse::parse(&parsed.sources, source);
            for other in used_names(&normal_path(&name), &read.ast.items) {
                if asked.insert(other.clone())
                    && let Some(bytes) = load(&other)
                {
                    open.push_back((other, Cow::Owned(bytes)));
                }
            }
            parsed.problems.extend(read.diagnostics);
            parsed.files.push(read.ast);
        }
        parsed.load_modules();
        parsed.used_files();
        parsed
    }

    /// Adds the standard modules that the set uses, directly or through other modules.
    fn load_modules(&mut self) {
        let mut open: Vec<&'static str> =
            self.files.iter().flat_map(|ast| used_modules(&ast.items)).collect();
        while let Some(name) = open.pop() {
            if self.modules.contains_key(name) {
                continue;
            }
            let Some(module) = library::find(name) else { continue };
            let source = self.sources.add(format!("std.{name}"), module.text);
            let read = parse::parse(&self.sources, source);
            open.extend(used_modules(&read.ast.items));
            self.problems.extend(read.diagnostics.into_iter().filter(|problem| problem.code != Code::B0116));
            self.modules.insert(name, read.ast);
        }
    }

    /// Checks `use "./other.policy"`: the file must be in the set, and files must not use each other in a
    /// cycle.
    fn used_files(&mut self) {
        let name_of = |ast: &Ast| normal_path(&self.sources.get(ast.source).name);
        let names: Vec<String> = self.files.iter().map(name_of).collect();
        let mut numbers: IndexMap<&str, usize> = IndexMap::new();
        for (at, name) in names.iter().enumerate() {
            numbers.entry(name).or_insert(at);
        }
        let mut edges: Vec<Vec<(usize, crate::source::Span)>> = vec![Vec::new(); names.len()];
        let mut problems = Vec::new();
        for (at, ast) in self.files.iter().enumerate() {
            for statement in &ast.items {
                let StatementKind::Use(Use::File(file)) = &statement.kind else { continue };
                let wanted = beside(&names[at], &file.text);
                match numbers.get(wanted.as_str()) {
                    Some(target) => edges[at].push((*target, file.span)),
                    None => {
                        let known = names.iter().map(String::as_str);
                        let near = crate::diagnostic::nearest_after(problems.len(), &wanted, known);
                        let help = match near {
                            Some(near) => format!("did you mean `{near}`?"),
                            None => "the path is relative to this file and ends in `.policy`".to_owned(),
                        };
                        let message = format!("no file `{}` is in the set", file.text);
                        problems.push(Diagnostic::error(Code::B0210, file.span, message).help(help));
                    }
                }
            }
        }
        problems.extend(file_circles(&names, &edges));
        self.problems.extend(problems);
    }

    /// Checks the set together with the additions of an inventory or a test.
    pub fn check(&self, extra: &Extra<'_>, strictness: Strictness) -> Checked {
        let mut sources = self.sources.clone();
        // The sources of the set keep their numbers. Those of inventories are appended, and the first number
        // of each is kept, so that the spans of its records can be moved by that number.
        let mut problems = self.problems.clone();
        let mut first_sources = Vec::new();
        for (records, own) in &extra.inventories {
            first_sources.push(sources.len() as u32);
            for (_, source) in own.iter() {
                sources.add(source.name.clone(), source.text.clone());
            }
            let _ = records;
        }
        let parts: Vec<SourceRecords<'_>> = extra
            .inventories
            .iter()
            .zip(&first_sources)
            .map(|((records, _), first_source)| SourceRecords { records, first_source: *first_source })
            .collect();
        let own: Vec<&Statement> = match &extra.statements {
            Some(statements) => statements.clone(),
            None => self.files.iter().flat_map(|ast| &ast.items).collect(),
        };
        let (declared, declare_problems) = declare::statements(&parts, &own);
        problems.extend(declare_problems);
        let is_replaced = |statement: &Statement| {
            declare::framework_name(statement).is_some_and(|name| declared.replaced.contains(name))
        };
        let mut statements: Vec<&Statement> =
            own.into_iter().filter(|statement| !is_replaced(statement)).collect();
        statements.extend(&declared.statements);
        // Blocks in which something is broken already are not reported as empty or incomplete as well.
        let broken = problems.iter().filter_map(|problem| problem.labels.first()).map(|label| label.span);
        let input = resolve::Input {
            statements,
            modules: &self.modules,
            broken: broken.collect(),
            levels: declare::levels(&parts),
            plugin_classes: &extra.plugin_classes,
        };
        let (mut hir, scope, resolve_problems) = resolve::resolve(&input);
        problems.extend(resolve_problems);
        problems.extend(declare::level_conflicts(&parts, &scope.levels, scope.levels_span));
        problems.extend(resolve::record_rules(&mut hir, &scope, &parts));
        let (types, check_problems) = check::check(&hir, strictness);
        problems.extend(check_problems);
        problems.extend(check::lookalikes(&hir, &parts, strictness));
        let mut report = Report { sources, diagnostics: problems };
        report.sort();
        report.limit(limits::PROBLEMS_KEPT);
        Checked { hir, scope, types, first_sources, report }
    }
}

impl Parsed {
    /// Checks the statements that a test adds to a checked set: a fleet and needs. Returns the problems of
    /// the addition alone, and its declarations.
    pub fn check_more(
        &self,
        base: &Checked,
        statements: &[&Statement],
        strictness: Strictness,
    ) -> (Vec<Diagnostic>, Hir) {
        let replaced: Vec<(scope::NameKind, &str)> =
            statements.iter().filter_map(|one| scope::declaration(one)).collect();
        let addition = resolve::Addition { statements, modules: &self.modules, replaced: &replaced };
        let (hir, mut problems) = resolve::extend(&base.hir, &base.scope, &addition);
        problems.extend(check::check_more(&hir, &base.types, strictness).1);
        (problems, hir)
    }
}

/// The additions to a set's own statements.
#[derive(Clone, Debug, Default)]
pub struct Extra<'a> {
    /// Inventories, each with its own sources.
    pub inventories: Vec<(&'a Records, &'a Sources)>,
    /// The statements to use in place of the set's own.
    pub statements: Option<Vec<&'a Statement>>,
    /// The classes of plugins beside the set. Needs may ask for them.
    pub plugin_classes: Vec<PluginClass>,
}

/// A set with its types and all of its problems.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The set with names bound.
    pub hir: Hir,
    /// The declarations.
    pub scope: Scope,
    /// Types of keys.
    pub types: Types,
    /// The number of the first source of each inventory among all sources.
    first_sources: Vec<u32>,
    /// The problems so far, with all sources.
    pub report: Report,
}

/// A plan and the fleet it runs over. Only a set without errors gives one.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The policy.
    pub plan: Plan,
    /// The fleet.
    pub world: World,
    /// The set with names bound, for tests and documentation.
    pub hir: Hir,
    /// Warnings and notes, with all sources.
    pub report: Report,
}

impl Checked {
    /// Compiles the set and binds its fleet. `extra` must be that of the check.
    ///
    /// # Errors
    /// Every problem, if any of them is an error.
    pub fn load(self, extra: &Extra<'_>) -> Result<Loaded, Box<Report>> {
        self.load_with(extra, |_| {})
    }

    /// Like [`Checked::load`], with columns added to the plan: those that plugins read, so that the fleet is
    /// bound with them.
    ///
    /// # Errors
    /// Every problem, if any of them is an error.
    pub fn load_with(
        mut self,
        extra: &Extra<'_>,
        add_columns: impl FnOnce(&mut Plan),
    ) -> Result<Loaded, Box<Report>> {
        if self.report.has_errors() {
            return Err(Box::new(self.report));
        }
        self.report.diagnostics.extend(too_many_instances(&self.hir));
        let mut plan = lower::lower(&self.hir, &self.types, &self.report.sources);
        add_columns(&mut plan);
        let own = SourceRecords { records: &self.hir.records, first_source: 0 };
        let given = extra.inventories.iter().zip(&self.first_sources);
        let given =
            given.map(|((records, _), first_source)| SourceRecords { records, first_source: *first_source });
        let parts: Vec<SourceRecords<'_>> = std::iter::once(own).chain(given).collect();
        let (world, problems) = bind(&mut plan, &parts);
        self.report.diagnostics.extend(problems);
        if let Err(broken) = ir::verify(&plan) {
            let message = format!("the compiled plan is broken: {broken}");
            let problem = Diagnostic::without_place(Code::B0906, message);
            self.report.diagnostics.push(problem.help("this is a defect of bourse; please report it"));
        }
        self.report.sort();
        self.report.limit(limits::PROBLEMS_KEPT);
        if self.report.has_errors() {
            return Err(Box::new(self.report));
        }
        Ok(Loaded { plan, world, hir: self.hir, report: self.report })
    }
}

/// Reports the need at which the instances wanted exceed what one cycle serves.
fn too_many_instances(hir: &Hir) -> Option<Diagnostic> {
    let mut wanted = 0_u64;
    let needs = hir.frameworks.iter().flat_map(|framework| &framework.needs);
    for need in needs {
        wanted = wanted.saturating_add(need.count);
        if wanted > limits::INSTANCES {
            let most = limits::INSTANCES;
            let message =
                format!("the needs up to this one ask for {wanted} instances; a cycle serves {most}");
            let help = "lower their `count`, or give the needs in several runs";
            return Some(Diagnostic::error(Code::B0905, need.name.span, message).help(help));
        }
    }
    None
}

fn used_modules(items: &[Statement]) -> Vec<&'static str> {
    let module = |statement: &Statement| match &statement.kind {
        StatementKind::Use(Use::Module { path, .. }) => match path.segments.as_slice() {
            [std, name] if std.text == "std" => library::find(&name.text).map(|module| module.name),
            _ => None,
        },
        _ => None,
    };
    items.iter().filter_map(module).collect()
}

/// Returns the names of the files that a file uses.
fn used_names(name: &str, items: &[Statement]) -> Vec<String> {
    let used = |statement: &Statement| match &statement.kind {
        StatementKind::Use(Use::File(file)) => Some(beside(name, &file.text)),
        _ => None,
    };
    items.iter().filter_map(used).collect()
}

/// Returns a path without `.` and `..` parts. A `..` that nothing precedes stays.
pub fn normal_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !last.is_empty() && *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Returns the path of a file that is named relative to another.
pub fn beside(file: &str, other: &str) -> String {
    match file.rsplit_once('/') {
        Some((folder, _)) if !other.starts_with('/') => normal_path(&format!("{folder}/{other}")),
        _ => normal_path(other),
    }
}

/// Reports the cycles among files that use each other.
///
/// A depth-first search with an explicit stack: `path` holds the files on the current path, each with the
/// number of its next edge. An edge to a file on the path closes a cycle. A finished file is never entered
/// again, so the search follows each edge at most once.
fn file_circles(names: &[String], edges: &[Vec<(usize, crate::source::Span)>]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut done = vec![false; names.len()];
    for start in 0..names.len() {
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some(&mut (at, ref mut next)) = path.last_mut() {
            if done[at] {
                path.pop();
                continue;
            }
            let Some(&(target, span)) = edges[at].get(*next) else {
                done[at] = true;
                path.pop();
                continue;
            };
            *next += 1;
            if let Some(first) = path.iter().position(|(on, _)| *on == target) {
                let circle: Vec<&str> = path[first..].iter().map(|(on, _)| names[*on].as_str()).collect();
                let message = format!("files use each other: {} → {}", circle.join(" → "), names[target]);
                let help = "all files given together are one set: `use` of a file is not needed between them";
                problems.push(Diagnostic::error(Code::B0206, span, message).help(help));
            } else if !done[target] {
                path.push((target, 0));
            }
        }
    }
    problems
}
