//! Static analysis: conditions that never or always hold, classes that contain each other, needs that nothing
//! can serve, and declarations that nothing uses.
//!
//! The analysis has no semantics of its own. The engine has evaluated every candidate that it shows. It says
//! *never* only after it has tried representatives that stand for every possible candidate; where there are
//! none, it says nothing, or that it does not know.

mod candidate;
mod compare;
mod conditions;
mod fleet;
mod group;
mod needs;
mod prefer;
mod sample;
mod solve;
mod test_names;
mod unused;
mod values;
mod witness;

use std::fmt;

pub use compare::{Comparison, Region, Relation, compare};

use crate::{
    diagnostic::{Code, Diagnostic, Report},
    inventory::world::World,
    ir::Plan,
    parse::ast::Ast,
    pipeline::{Loaded, Parsed},
    resolve::hir::Hir,
    source::Sources,
};
use solve::Solver;

/// The reason that a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doubt {
    /// It depends on arithmetic.
    Arithmetic,
    /// It depends on several amounts of one resource.
    Amounts,
    /// It depends on what texts match patterns.
    Patterns,
    /// It depends on large sets, or on ranges.
    Sets,
    /// It depends on many places.
    Places,
    /// It depends on pre-releases.
    Versions,
    /// It takes more steps than are taken.
    Steps,
}

impl Doubt {
    /// Describes the doubt in a few words.
    pub fn words(self) -> &'static str {
        match self {
            Doubt::Arithmetic => "it depends on arithmetic",
            Doubt::Amounts => "it depends on several amounts of one resource",
            Doubt::Patterns => "it depends on which texts match a pattern",
            Doubt::Sets => "it depends on ranges, or on sets of many members",
            Doubt::Places => "it depends on many places",
            Doubt::Versions => "it depends on versions that are pre-releases",
            Doubt::Steps => "it would take more steps than one question may",
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// The inputs of an analysis.
struct AnalysedSet<'a> {
    plan: &'a Plan,
    world: &'a World,
    hir: &'a Hir,
    sources: &'a Sources,
    files: &'a [Ast],
    modules: Vec<(&'static str, &'a Ast)>,
    test_names: test_names::TestNames,
    report: &'a Report,
}

/// Returns all findings about a set that compiles and the fleet that it is bound to.
pub fn analyse(parsed: &Parsed, loaded: &Loaded) -> Vec<Diagnostic> {
    let set = AnalysedSet {
        plan: &loaded.plan,
        world: &loaded.world,
        hir: &loaded.hir,
        sources: &loaded.report.sources,
        files: &parsed.files,
        modules: parsed.modules.iter().map(|(name, ast)| (*name, ast)).collect(),
        test_names: test_names::TestNames::of(&loaded.hir),
        report: &loaded.report,
    };
    let mut problems = Vec::new();
    // A plugin cannot be asked about a hypothetical candidate, so that only unused declarations are looked
    // for.
    if !set.plan.asked.is_empty() {
        unused::check(&set, &mut problems);
        return problems;
    }
    let mut solver = Solver::new(set.plan, &set.world.broker);
    let never = conditions::classes(&set, &mut solver, &mut problems);
    let rules = conditions::rules(&set, &mut solver, &mut problems);
    let impossible = needs::check(&set, &mut solver, &never, &rules, &mut problems);
    let served = fleet::check(&set, &impossible, &mut problems);
    let preferred = prefer::check(&set, &mut solver, &mut problems);
    unused::check(&set, &mut problems);
    problems.extend(stopped(&set, &solver, served && preferred));
    problems
}

/// Returns a note for each part of the analysis that a limit has cut short.
fn stopped(set: &AnalysedSet<'_>, solver: &Solver<'_>, whole_fleet: bool) -> Vec<Diagnostic> {
    let mut notes = Vec::new();
    let given_up = &solver.given_up;
    let help = "nothing is wrong with that; what the analysis did not reach is not warned of";
    if let Some(first) = given_up.first() {
        let message = match given_up.len() {
            1 => "whether this can hold is not known: it would take too many steps".to_owned(),
            many => format!(
                "whether this and {} others can hold is not known: it would take too many steps",
                many - 1
            ),
        };
        notes.push(Diagnostic::note(Code::B0611, set.plan.spans[first.0 as usize], message).help(help));
    }
    if let Some(class) = solver.uncompared {
        let message =
            "whether classes add nothing beside others is not known from here on: there are too many pairs";
        notes.push(Diagnostic::note(Code::B0611, class, message).help(help));
    }
    let need = set.plan.frameworks.iter().flat_map(|framework| &framework.needs).next();
    if let Some(need) = need.filter(|_| !whole_fleet) {
        let message = "the fleet is too large to hold every need and preference against it";
        let note = Diagnostic::note(Code::B0611, need.span, message).label("the first need");
        notes.push(note.help(help));
    }
    notes
}

impl AnalysedSet<'_> {
    /// Returns `true` if the check of the set has reported this code.
    fn has(&self, code: Code) -> bool {
        self.report.diagnostics.iter().any(|problem| problem.code == code)
    }
}
