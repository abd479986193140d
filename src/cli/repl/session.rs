//! The session: the policy set, the current choices, and the compilation of expressions.

use crate::{
    Fleet, Inventory,
    check::{Strictness, Types},
    cli::CommandFailure,
    diagnostic::{Code, Diagnostic, Report, nearest},
    engine::Scene,
    ir::NodeId,
    matching::NeedId,
    output::printable_name,
    parse::{
        self,
        ast::{Ast, Name, Statement, StatementKind},
    },
    pipeline::Parsed,
    source::{SourceId, Span},
    types::{Side, Type},
    value::show_name,
};

/// The name of the definition that holds the expression. Nobody can type this name.
const NAME: &str = "<this expression>";
/// A need for sets that have none. Evaluation requires one as the requester. It is never shown.
const PLACEHOLDER_NEED: &str = "need \"<nobody>\" { agent {} }";

/// A set that compiles, and the current choices.
pub struct Session {
    parsed: Parsed,
    inventories: Vec<Inventory>,
    /// The fleet without an expression.
    base: Fleet,
    types: Types,
    /// The source that each line gets in turn: the one after those of the set.
    line: SourceId,
    pub agent: Option<String>,
    pub pool: Option<String>,
    pub need: Option<NeedId>,
    pub volume: Option<String>,
    /// `true` if the set has a need of its own.
    pub has_needs: bool,
}

/// An expression, compiled into its set.
pub struct CompiledExpr {
    pub fleet: Fleet,
    pub root: NodeId,
    /// The type of the expression, if anything decides it.
    pub kind: Option<Type>,
    /// The warnings of the expression, without those of the set.
    pub warnings: Report,
}

impl Session {
    pub fn new(mut parsed: Parsed, inventories: Vec<Inventory>) -> Result<Session, CommandFailure> {
        let compiled = Fleet::load(&parsed, Strictness::default(), &inventories)?;
        let has_needs = !compiled.plan().frameworks.is_empty();
        if !has_needs {
            let source = parsed.sources.add("<nobody>", PLACEHOLDER_NEED);
            let ast = parse::parse(&parsed.sources, source).ast;
            parsed.files.push(ast);
        }
        // The set is checked with an empty line, so that the sources of plan and problems have the number of
        // the line from the start.
        let line = SourceId(parsed.sources.len() as u32);
        let mut with_line = parsed.clone();
        with_line.sources.add("<stdin>", "");
        let extra = Inventory::extra(&inventories);
        let checked = with_line.check(&extra, Strictness::default());
        let types = checked.types.clone();
        let base = Fleet::new(checked.load(&extra).map_err(CommandFailure)?);
        let (world, plan) = (base.world(), base.plan());
        let text = |symbol| plan.symbols.text(symbol).to_owned();
        let need = has_needs.then_some(NeedId { framework: 0, need: 0 });
        let need = need.filter(|id| plan.frameworks[id.framework].needs.get(id.need).is_some());
        let mut session = Session {
            agent: world.agents.first().map(|agent| text(agent.name)),
            pool: world.supplies.first().map(|supply| text(supply.path)),
            need,
            volume: None,
            has_needs,
            types,
            base: base.clone(),
            line,
            parsed,
            inventories,
        };
        session.volume = session.volumes().first().cloned();
        Ok(session)
    }

    /// The fleet, without an expression.
    pub fn fleet(&self) -> &Fleet {
        &self.base
    }

    pub fn types(&self) -> &Types {
        &self.types
    }

    pub fn inventories(&self) -> &[Inventory] {
        &self.inventories
    }

    /// The warnings of the set.
    pub fn warnings(&self) -> Report {
        self.base.warnings().clone()
    }

    /// The names of the volumes of the chosen need.
    pub fn volumes(&self) -> Vec<String> {
        let Some(id) = self.need else { return Vec::new() };
        let plan = self.base.plan();
        let volumes = plan.frameworks[id.framework].needs[id.need].volumes.iter();
        let mut names: Vec<String> =
            volumes.map(|volume| plan.symbols.text(volume.name).to_owned()).collect();
        names.dedup();
        names
    }

    /// Adds a line to the sources of the set, so that problems can point into it. Returns the span of its
    /// bytes `start` to `end`.
    pub fn place(&self, number: usize, line: &str, start: usize, end: usize) -> (Parsed, Span) {
        let mut parsed = self.parsed.clone();
        // Empty lines above it give the line its number in messages.
        let above = "\n".repeat(number.saturating_sub(1));
        parsed.sources.add("<stdin>", format!("{above}{line}"));
        (parsed, Span::new(self.line, above.len() + start, above.len() + end))
    }

    /// Compiles the expression that begins at byte `start` of a line, as a `let` of the set.
    pub fn compile(&self, number: usize, line: &str, start: usize) -> Result<CompiledExpr, Box<Report>> {
        let (mut parsed, span) = self.place(number, line, start, line.len());
        // The parser gets blanks in place of the command before the expression, so spans stay those of the
        // line.
        let blank = " ".repeat(start);
        let (read, _) = self.place(number, &format!("{blank}{}", line.get(start..).unwrap_or("")), 0, 0);
        let expr = parse::lone(&read.sources, self.line)
            .map_err(|diagnostics| Box::new(Report { sources: parsed.sources.clone(), diagnostics }))?;
        let name = Name { text: NAME.to_owned(), span };
        let statement = Statement { docs: Vec::new(), span, kind: StatementKind::Let(name, expr) };
        parsed.files.push(Ast { source: self.line, items: vec![statement], comments: Vec::new() });
        let extra = Inventory::extra(&self.inventories);
        let checked = parsed.check(&extra, Strictness::default());
        let own = show_name(NAME);
        let at = checked.hir.definitions.iter().position(|definition| definition.name == own);
        let kind = at.and_then(|at| checked.types.definition(at));
        let loaded = checked.load(&extra).map_err(|mut report| {
            report.diagnostics.retain(|problem| !self.base.warnings().diagnostics.contains(problem));
            report
        })?;
        let mut warnings = loaded.report.clone();
        warnings.diagnostics.retain(|problem| !self.base.warnings().diagnostics.contains(problem));
        let root = loaded.plan.definitions.iter().find(|definition| definition.name == own);
        let Some(root) = root.map(|definition| definition.root) else {
            let problem = Diagnostic::error(Code::B0906, span, "the expression is not in the compiled plan");
            let problem = problem.help("this is a defect of bourse; please report it");
            return Err(Box::new(Report { sources: warnings.sources, diagnostics: vec![problem] }));
        };
        Ok(CompiledExpr { fleet: Fleet::new(loaded), root, kind, warnings })
    }

    /// Returns the scene in which an expression is evaluated: everything that is chosen.
    pub fn scene<'a>(&self, fleet: &'a Fleet) -> Option<Scene<'a>> {
        let (plan, world) = (fleet.plan(), fleet.world());
        let id = self.need.unwrap_or(NeedId { framework: 0, need: 0 });
        let framework = plan.frameworks.get(id.framework)?;
        let need = framework.needs.get(id.need)?;
        let find = |name: &Option<String>| name.as_deref().and_then(|name| plan.symbols.find(name));
        let volume = find(&self.volume);
        Some(Scene {
            plan,
            world,
            ledger: fleet.ledger(),
            subject: crate::engine::Subject { framework, need },
            agent: find(&self.agent).and_then(|name| world.agent(name)),
            supply: find(&self.pool).and_then(|path| world.supply(path)),
            volume: need
                .volumes
                .iter()
                .find(|known| Some(known.name) == volume)
                .filter(|_| self.need.is_some()),
            filters: fleet.filters(),
            recorder: None,
        })
    }

    /// Returns the reason why no key of a side can be read, if nothing of that side is chosen.
    pub fn missing_choice(&self, side: Side) -> Option<&'static str> {
        match side {
            Side::Agent if self.agent.is_none() => Some("no agent is chosen: `:agent NAME`"),
            Side::Pool if self.pool.is_none() => Some("no pool is chosen: `:pool PATH`"),
            Side::Need | Side::Framework | Side::Role if self.need.is_none() => Some("the set has no need"),
            Side::Volume if self.need.is_none() => Some("the set has no need"),
            Side::Volume if self.volume.is_none() => Some("no volume is chosen: `:volume NAME`"),
            _ => None,
        }
    }

    /// Returns the words that can be typed, in order, for completion.
    pub fn words(&self) -> Vec<String> {
        let (plan, world) = (self.base.plan(), self.base.world());
        let mut words: Vec<String> =
            super::command::COMMANDS.iter().map(|known| format!(":{}", known.0)).collect();
        words.extend(self.types.keys().map(|(side, key, _)| format!("{side}.{key}")));
        for (side, resource, _) in self.types.resources() {
            words.extend(["total", "free", "used"].map(|part| format!("{side}.{part}.{resource}")));
        }
        words.extend(plan.definitions.iter().map(|known| known.name.clone()));
        words.extend(world.agents.iter().map(|agent| plan.symbols.text(agent.name).to_owned()));
        words.extend(world.supplies.iter().map(|supply| plan.symbols.text(supply.path).to_owned()));
        // A name with control characters must not reach the terminal.
        words.retain(|word| word == &printable_name(word));
        words.sort();
        words.dedup();
        words
    }

    /// Returns help that names the nearest of some names.
    pub fn near<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str> + Clone, list: &str) -> String {
        match nearest(wrong, names) {
            Some(near) => format!("did you mean `{}`?", printable_name(near)),
            None => format!("`:{list}` lists what there is"),
        }
    }
}
