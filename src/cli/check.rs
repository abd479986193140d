//! `bourse check`: reports every problem of a policy set, of its tests, and of inventories that do not fit
//! it.

use super::{CommandFailure, Exit, files::Console, plugins::PluginArgs, set::SetArgs, table::count};
use crate::{
    Fleet,
    analyse::analyse,
    check::Strictness,
    cycle,
    diagnostic::{Render, Report, Severity},
    pipeline::Parsed,
    testing,
};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    set: SetArgs,
    /// A plugin whose classes the needs ask for; may be repeated
    #[arg(long, value_name = "[PROVIDER=]FILE")]
    plugin: Vec<String>,
    /// Keys that a schema of their side does not declare are errors
    #[arg(long)]
    strict: bool,
    /// End with exit code 1 where there is a warning
    #[arg(long)]
    deny_warnings: bool,
    /// Also tell what rules speak of, and what a decision about each need costs at the most
    #[arg(long)]
    cost: bool,
    /// How the problems are written
    #[arg(long, value_enum, default_value_t = CheckFormat::Text, value_name = "FORMAT")]
    format: CheckFormat,
}

/// The form of the problems of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum CheckFormat {
    /// On standard error, as `--error-format` says, with a summary on standard output
    Text,
    /// On standard output, as a SARIF 2.1.0 log, for code scanning
    Sarif,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    console.report_notes = true;
    let checked = check(args, console);
    if args.format == CheckFormat::Sarif {
        let mut report = console.problems.clone();
        if let Err(CommandFailure(failed)) = &checked {
            report.absorb((**failed).clone());
        }
        console.print(&(report.render(Render::Sarif) + "\n"))?;
        // The log has every problem, so none is told again on standard error.
        console.has_reported = true;
    }
    checked
}

fn check(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    let strictness = Strictness { undeclared_keys: args.strict, lookalikes: args.strict };
    let plugins = PluginArgs::default().install_more(&args.plugin, &[], console)?;
    let parsed = args.set.parse(console)?;
    let inventories = args.set.inventories(console)?;
    let extra = plugins.extra(&inventories);
    let checked = parsed.check(&extra, strictness);
    // Every test of a set with errors would report those errors again.
    let tests = Report {
        sources: checked.report.sources.clone(),
        diagnostics: match checked.report.has_errors() {
            true => Vec::new(),
            false => testing::check(&parsed, &checked, (&inventories, plugins.beside()), strictness),
        },
    };
    let broken_tests = tests.has_errors();
    console.problems.absorb(tests);
    let fleet = Fleet::new(checked.load(&extra).map_err(CommandFailure)?);
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
    if args.format == CheckFormat::Text {
        let line = summary(args, &parsed, &fleet, warnings, notes);
        console.print(&line)?;
        if args.cost {
            console.print(&super::cost::show(&fleet))?;
        }
    }
    Ok(if args.deny_warnings && warnings > 0 { Exit::No } else { Exit::Yes })
}

/// Writes a line that counts what was checked, and the problems.
fn summary(args: &Args, parsed: &Parsed, fleet: &Fleet, warnings: usize, notes: usize) -> String {
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
    line.push('\n');
    line
}
