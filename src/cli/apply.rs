//! `bourse apply`: operations on a state that is kept in a file.

use std::{path::PathBuf, time::Duration};

use super::{
    CommandFailure, Exit, Format,
    files::Console,
    plugins::PluginArgs,
    set::{SetArgs, shown},
    table::{Paint, count, paint},
};
use crate::{
    Inventory,
    diagnostic::{Code, Diagnostic},
    output::{self, printable_name},
    quantity::{Dimension, Quantity},
    state::{self, Refusal, State},
};

#[derive(Debug, clap::Args)]
#[command(override_usage = "bourse apply [OPTIONS] --state <FILE> [PATH]... <OPERATIONS>")]
pub struct Args {
    /// Policy files or directories, then the operations: a JSON file, or `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A fleet as JSON or NDJSON; may be repeated
    #[arg(short, long, value_name = "FILE")]
    inventory: Vec<PathBuf>,
    /// A plugin whose classes the policies or the needs ask for; may be repeated
    #[arg(long, value_name = "FILE")]
    plugin: Vec<String>,
    /// The state: what is kept, retained and taken. It is replaced in one step, or not at all
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Begin with an empty state if the file is not there
    #[arg(long)]
    init: bool,
    /// Wait for other runs at most so long, such as `30s`; without it, as long as it takes
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    wait: Option<Duration>,
    /// Say what would be done, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    format: Format,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    let (operations, paths) = split(args)?;
    let plugins = PluginArgs::default().install_more(&args.plugin, &[], console)?;
    let set = SetArgs { paths, inventory: args.inventory.clone() };
    let parsed = set.parse(console)?;
    let inventories = set.inventories(console)?;
    let inventories: Vec<&Inventory> = inventories.iter().collect();
    // Operations are read before the state is locked: standard input may take its time.
    let operations = console.operations(operations)?;
    console.problems.absorb(operations.warnings().clone());
    let (found, held) = if args.dry_run {
        (console.state(&args.state, args.init)?, None)
    } else {
        let (found, held) = console.hold_state(&args.state, args.init, args.wait)?;
        (found, Some(held))
    };
    match state::apply_with(&parsed, &inventories, plugins.beside().plugins, &found, &operations) {
        Ok(left) => {
            // The lock is held until the result is reported.
            if let Some(held) = &held
                && (left != found || held.bytes().is_none())
                && let Err(failure) = console.store_state(&args.state, held, &left)
            {
                return changed_meanwhile(args, console, &found, failure);
            }
            tell(args, console, &found, &left)?;
            Ok(Exit::Yes)
        }
        Err(Refusal::Invalid(error)) => Err(error.into()),
        Err(Refusal::Conflicts(conflicts)) => {
            console.problems.absorb(conflicts.report().clone());
            match args.format {
                Format::Json => {
                    let form = output::applied(&found, None, false, &conflicts.list);
                    console.write(|out| output::write_json(&form, out))?;
                }
                Format::Table => {
                    let number = count(conflicts.list.len(), "conflict", "conflicts");
                    let line = format!("{number}; `{}` is as it was\n", shown(&args.state));
                    let line = paint(line.trim_end(), Paint::Red, console.colour) + "\n";
                    console.print(&line)?;
                }
            }
            Ok(Exit::No)
        }
    }
}

/// Parses a duration in the syntax of policies.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a duration is a number with a unit, such as `500ms`, `30s` or `5min`".to_owned();
    let read = Quantity::parse(text).map_err(|_| wrong())?;
    match u64::try_from(read.amount) {
        Ok(nanoseconds) if read.dimension == Dimension::Duration => Ok(Duration::from_nanos(nanoseconds)),
        _ => Err(wrong()),
    }
}

/// Splits the operations, the last path, from the paths of the policies.
fn split(args: &Args) -> Result<(&PathBuf, Vec<PathBuf>), CommandFailure> {
    let Some((operations, paths)) = args.paths.split_last() else { return Err(no_operations("").into()) };
    if operations.extension().is_some_and(|ending| ending == "policy") || operations.is_dir() {
        return Err(no_operations(&format!(", not `{}`", shown(operations))).into());
    }
    Ok((operations, paths.to_vec()))
}

fn no_operations(found: &str) -> Diagnostic {
    let message = format!("the last path is that of the operations{found}");
    Diagnostic::without_place(Code::B0901, message).help("name a JSON file of operations last, or `-`")
}

/// Reports a state that another program has replaced as a conflict. Any other failure to write is an error.
fn changed_meanwhile(
    args: &Args,
    console: &mut Console,
    found: &State,
    failure: CommandFailure,
) -> Result<Exit, CommandFailure> {
    let Some(problem) = failure.0.diagnostics.iter().find(|problem| problem.code == Code::B0526) else {
        return Err(failure);
    };
    if args.format == Format::Json {
        let help = problem.help.clone().unwrap_or_default();
        let conflict = state::Conflict::new(Code::B0526, problem.message.clone(), help);
        let form = output::applied(found, None, false, &[conflict]);
        console.write(|out| output::write_json(&form, out))?;
    }
    console.problems.absorb(*failure.0);
    Ok(Exit::No)
}

fn tell(args: &Args, console: &mut Console, found: &State, left: &State) -> Result<(), CommandFailure> {
    if args.format == Format::Json {
        let form = output::applied(found, Some(left), !args.dry_run, &[]);
        return console.write(|out| output::write_json(&form, out));
    }
    for change in left.changes_from(found) {
        let (mark, tone) = if change.added { ("+", Paint::Green) } else { ("-", Paint::Red) };
        let line = format!("{mark} {} {}", change.kind, printable_name(&change.name));
        console.print(&(paint(&line, tone, console.colour) + "\n"))?;
    }
    let name = shown(&args.state);
    console.print(&match args.dry_run {
        true => format!("nothing written: `{name}` would be at serial {}\n", left.serial()),
        false => format!("`{name}` is at serial {}\n", left.serial()),
    })
}
