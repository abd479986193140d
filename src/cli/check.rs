//! `bourse check`: every problem of a policy set, and of how inventories fit it.

use super::{Exit, Failure, files::Console, set::SetArgs, table::count};
use crate::{check::Strictness, cycle, diagnostic::Severity};

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
    let (fleet, parsed) = args.set.fleet(console, Strictness { undeclared_keys: args.strict })?;
    console.tell_notes = true;
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
