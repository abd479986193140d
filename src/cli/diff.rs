//! `bourse diff`: compares the offers of two versions of a policy set, and shows what each difference is due
//! to.
//!
//! Both versions run one cycle over the same inventories. `change` compares the results.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{
    CommandFailure, Exit,
    files::Console,
    plugins::{self, Installed, PluginArgs},
    set::SetArgs,
    view::Audience,
};
use crate::{
    Fleet, Offers,
    change::{self, Change},
    check::Strictness,
    cycle::{self, Reasons},
    diagnostic::Report,
    matching::NeedId,
    output::{View, printable_name},
};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The old version: a policy file, or a directory with policies
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The new version
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// A fleet for both, as JSON or NDJSON; may be repeated
    #[arg(short, long, value_name = "FILE")]
    inventory: Vec<PathBuf>,
    #[command(flatten)]
    plugins: PluginArgs,
    /// A plugin beside the old version alone; may be repeated
    #[arg(long, value_name = "[PROVIDER=]FILE")]
    old_plugin: Vec<String>,
    /// A plugin beside the new version alone; may be repeated
    #[arg(long, value_name = "[PROVIDER=]FILE")]
    new_plugin: Vec<String>,
    /// Only these needs take part: NEED, FRAMEWORK.NEED or FRAMEWORK; may be repeated
    #[arg(long, value_name = "NEED")]
    need: Vec<String>,
    /// Who looks: `operator`; `framework=NAME` for what that one may know of its offers; `framework` for each one's view apart
    #[arg(long = "as", default_value = "operator", value_name = "WHO")]
    view: Audience,
    /// How the change is written
    #[arg(long, value_enum, default_value_t = DiffFormat::Text, value_name = "FORMAT")]
    format: DiffFormat,
}

/// The form of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DiffFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For a pull request
    Markdown,
}

/// A version of the set, with the plugins beside it.
type LoadedVersion = (Fleet, Installed);

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    args.view.restrict_problems(console);
    let set = |path: &PathBuf, inventory: Vec<PathBuf>| SetArgs { paths: vec![path.clone()], inventory };
    let inventories = set(&args.old, args.inventory.clone()).inventories(console)?;
    let mut load =
        |path: &PathBuf, more: &[String], elsewhere: &[String]| -> Result<LoadedVersion, CommandFailure> {
            let plugins = args.plugins.install_more(more, elsewhere, console)?;
            let parsed = set(path, Vec::new()).parse(console)?;
            Ok((plugins.fleet(&parsed, Strictness::default(), &inventories)?, plugins))
        };
    let old = load(&args.old, &args.old_plugin, &args.new_plugin);
    let new = load(&args.new, &args.new_plugin, &args.old_plugin);
    let ((old, of_old), (new, of_new)) = match (old, new) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => return Err(both(old.err(), new.err())),
    };
    console.problems.absorb(new.warnings().clone());
    if let Audience::Framework(name) = &args.view {
        return seen(args, (&old, &new), name, console);
    }
    if args.view.is_operator() {
        of_old.report_withheld(console);
        of_new.report_withheld(console);
    }
    let (of_old, of_new) = needs(&old, &new, &args.need)?;
    let old = offers(&old, of_old, "the old offers", console);
    let new = offers(&new, of_new, "the new offers", console);
    let fleets = [old.fleet(), new.fleet()];
    if args.view.is_operator() {
        let change = change::compare(&old, &new);
        write(args.format, &change, console)?;
        return Ok(answer(fleets, change.is_empty(), console));
    }
    let is_same = write_views(args.format, [&old, &new], console)?;
    Ok(answer(fleets, is_same, console))
}

/// Writes the change as each framework sees it. Returns `true` if none of them sees any.
fn write_views(
    format: DiffFormat,
    [old, new]: [&Offers; 2],
    console: &mut Console,
) -> Result<bool, CommandFailure> {
    let plans = [old, new].map(|offers| offers.fleet().plan());
    let names = plans.iter().flat_map(|plan| {
        plan.frameworks.iter().map(|framework| plan.symbols.text(framework.name).to_owned())
    });
    let names: indexmap::IndexSet<String> = names.collect();
    let views: Vec<(String, Change)> = names
        .into_iter()
        .map(|name| {
            let change = change::compare_for(old, new, &name);
            (name, change)
        })
        .collect();
    if format == DiffFormat::Json {
        let views: Vec<String> = views.iter().map(|(_, change)| change::json(change)).collect();
        let views = views.iter().map(|view| view.trim_end()).collect::<Vec<_>>().join(",\n");
        let form = format!("{{\"format\": \"bourse.views\", \"version\": 1, \"views\": [\n{views}\n]}}\n");
        console.print(&form)?;
    } else {
        for (at, (name, change)) in views.iter().enumerate() {
            let between = if at == 0 { "" } else { "\n" };
            console.print(&format!("{between}framework {}\n", printable_name(name)))?;
            write(format, change, console)?;
        }
    }
    Ok(views.iter().all(|(_, change)| change.is_empty()))
}

fn write(format: DiffFormat, change: &Change, console: &mut Console) -> Result<(), CommandFailure> {
    console.print(&match format {
        DiffFormat::Text => change::text(change),
        DiffFormat::Json => change::json(change),
        DiffFormat::Markdown => change::markdown(change),
    })?;
    Ok(())
}

/// Reports plugins that failed, and returns the outcome: undecided if one failed in either version.
fn answer(fleets: [&Fleet; 2], is_same: bool, console: &mut Console) -> Exit {
    let faults = fleets.map(|fleet| plugins::report_faults(fleet, console));
    match (faults.contains(&true), is_same) {
        (true, _) => Exit::Undecided,
        (false, true) => Exit::Yes,
        (false, false) => Exit::No,
    }
}

/// Writes the change as one framework sees it.
///
/// The cycles run with all needs, also if `--need` names some: offers depend on the needs of others, and a
/// framework must not learn of these by leaving them out. Names only choose what is shown.
fn seen(
    args: &Args,
    (old, new): (&Fleet, &Fleet),
    framework: &str,
    console: &mut Console,
) -> Result<Exit, CommandFailure> {
    // The framework may be in only one of the versions.
    let views = [old, new].map(|fleet| View::of(fleet, framework).map(|view| (fleet, view)));
    if let [Err(unknown), Err(_)] = &views {
        return Err(unknown.clone().into());
    }
    let mut asked: Vec<String> = Vec::new();
    for name in &args.need {
        let found = views.iter().flatten().map(|(fleet, view)| (fleet, view.needs(fleet, name)));
        let found: Vec<_> = found.collect();
        if let Some((_, Err(unknown))) = found.iter().rfind(|_| found.iter().all(|one| one.1.is_err())) {
            return Err(unknown.clone().into());
        }
        for (fleet, ids) in found {
            let plan = fleet.plan();
            let name = |id: NeedId| plan.symbols.text(plan.frameworks[id.framework].needs[id.need].name);
            asked.extend(ids.unwrap_or_default().into_iter().map(|id| name(id).to_owned()));
        }
    }
    let made = |fleet: &Fleet| {
        fleet.cycle(cycle::CycleRequest { reasons: Reasons::None, ..cycle::CycleRequest::default() })
    };
    let mut change = change::compare_for(&made(old), &made(new), framework);
    if !args.need.is_empty() {
        change.needs.retain(|need| asked.contains(&need.need));
    }
    write(args.format, &change, console)?;
    Ok(answer([old, new], change.is_empty(), console))
}

fn offers(fleet: &Fleet, needs: Option<Vec<NeedId>>, what: &'static str, console: &Console) -> Offers {
    let total = needs.as_ref().map_or_else(|| cycle::every_need(fleet.plan()).count(), Vec::len);
    let bar = console.progress(total, what);
    let mut step = |done: usize, _: usize| bar.set_position(done as u64);
    let request = cycle::CycleRequest {
        needs,
        reasons: Reasons::None,
        progress: Some(&mut step),
        ..cycle::CycleRequest::default()
    };
    let offers = fleet.cycle(request);
    bar.finish_and_clear();
    offers
}

/// Joins the problems of both versions.
fn both(old: Option<CommandFailure>, new: Option<CommandFailure>) -> CommandFailure {
    let mut report = Report::default();
    old.into_iter().chain(new).for_each(|failure| report.absorb(*failure.0));
    CommandFailure(Box::new(report))
}

type SelectedNeeds = Option<Vec<NeedId>>;

/// Returns the needs that some names mean in each version. A name must mean something in one of them.
fn needs(
    old: &Fleet,
    new: &Fleet,
    names: &[String],
) -> Result<(SelectedNeeds, SelectedNeeds), CommandFailure> {
    if names.is_empty() {
        return Ok((None, None));
    }
    let (mut of_old, mut of_new) = (Vec::new(), Vec::new());
    for name in names {
        match (old.needs(name), new.needs(name)) {
            (Err(_), Err(unknown)) => return Err(unknown.into()),
            (before, after) => {
                of_old.extend(before.unwrap_or_default());
                of_new.extend(after.unwrap_or_default());
            }
        }
    }
    for list in [&mut of_old, &mut of_new] {
        list.sort_unstable();
        list.dedup();
    }
    Ok((Some(of_old), Some(of_new)))
}
