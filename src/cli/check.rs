//! `bourse check`: every problem of a policy set, and of how inventories fit it.

use super::{Exit, Failure, files::Console, set::SetArgs, table::count};
use crate::{
    Fleet, Inventory,
    analyse::analyse,
    check::Strictness,
    cycle,
    diagnostic::{Report, Severity},
    testing,
};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    set: SetArgs,
    /// Keys that a schema of their side does not declare are errors
    #[arg(long)]
    strict: bool,
    /// End with exit code 1 where there is a warning
    #[arg(long)]
    deny_warnings: bool,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    console.tell_notes = true;
    let strictness = Strictness { undeclared_keys: args.strict };
    let parsed = args.set.parse(console)?;
    let inventories = args.set.inventories(console)?;
    let extra = Inventory::extra(&inventories);
    let checked = parsed.check(&extra, strictness);
    // A set with errors would show them again in every test.
    let tests = Report {
        sources: checked.report.sources.clone(),
        diagnostics: match checked.report.has_errors() {
            true => Vec::new(),
            false => testing::check(&parsed, &checked, &inventories, strictness),
        },
    };
    let broken_tests = tests.has_errors();
    console.problems.absorb(tests);
    let fleet = Fleet::new(checked.load(&extra).map_err(Failure)?);
    let mut report = fleet.warnings().clone();
    report.diagnostics.extend(analyse(&parsed, fleet.loaded()));
    report.sort();
    console.problems.absorb(report);
    if broken_tests {
        return Ok(Exit::Invalid);
    }
    let problems =
        |severity| console.problems.diagnostics.iter().filter(|problem| problem.severity == severity).count();
    let (warnings, notes) = (problems(Severity::Warning), problems(Severity::Note));
    let (plan, world) = (fleet.plan(), fleet.world());
    let classes = plan.definitions.iter().filter(|known| known.class_of.is_some() && !known.standard);
    let mut found = vec![
        (classes.count(), "class", "classes"),
        (cycle::every_need(plan).count(), "need", "needs"),
        (world.agents.len(), "agent", "agents"),
        (world.supplies.iter().filter(|supply| supply.existing.is_none()).count(), "pool", "pools"),
    ];
    found.retain(|(number, ..)| *number > 0);
    let found: Vec<String> = found.into_iter().map(|(number, one, many)| count(number, one, many)).collect();
    let mut line = format!("checked {}", count(parsed.files.len(), "file", "files"));
    if !args.set.inventory.is_empty() {
        let inventories = count(args.set.inventory.len(), "inventory", "inventories");
        line.push_str(&format!(" and {inventories}"));
    }
    line.push_str(": ");
    for part in found {
        line.push_str(&part);
        line.push_str(", ");
    }
    line.push_str(&match (warnings, notes) {
        (0, 0) => "no problems".to_owned(),
        (0, notes) => format!("no problems, {}", count(notes, "note", "notes")),
        (warnings, _) => count(warnings, "warning", "warnings"),
    });
    console.print(&format!("{line}\n"))?;
    Ok(if args.deny_warnings && warnings > 0 { Exit::No } else { Exit::Yes })
}
