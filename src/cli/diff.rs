//! `bourse diff`: what a change of the policies changes of the offers.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{Exit, Failure, files::Console, set::SetArgs};
use crate::{
    Fleet, Offers, change,
    check::Strictness,
    cycle::{self, Reasons},
    diagnostic::Report,
    matching::NeedId,
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
    /// Only these needs take part: NEED, FRAMEWORK.NEED or FRAMEWORK; may be repeated
    #[arg(long, value_name = "NEED")]
    need: Vec<String>,
    /// How the change is written
    #[arg(long, value_enum, default_value_t = DiffFormat::Text, value_name = "FORMAT")]
    format: DiffFormat,
}

/// How a change is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DiffFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For a pull request
    Markdown,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, Failure> {
    let set = |path: &PathBuf, inventory: Vec<PathBuf>| SetArgs { paths: vec![path.clone()], inventory };
    let inventories = set(&args.old, args.inventory.clone()).inventories(console)?;
    let mut load = |path: &PathBuf| -> Result<Fleet, Failure> {
        let parsed = set(path, Vec::new()).parse(console)?;
        Ok(Fleet::load(&parsed, Strictness::default(), &inventories)?)
    };
    let (old, new) = match (load(&args.old), load(&args.new)) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => return Err(both(old.err(), new.err())),
    };
    console.problems.absorb(new.warnings().clone());
    let (of_old, of_new) = needs(&old, &new, &args.need)?;
    let old = offers(&old, of_old, "the old offers", console);
    let new = offers(&new, of_new, "the new offers", console);
    let change = change::compare(&old, &new);
    console.print(&match args.format {
        DiffFormat::Text => change::text(&change),
        DiffFormat::Json => change::json(&change),
        DiffFormat::Markdown => change::markdown(&change),
    })?;
    Ok(if change.is_empty() { Exit::Yes } else { Exit::No })
}

fn offers(fleet: &Fleet, needs: Option<Vec<NeedId>>, what: &'static str, console: &Console) -> Offers {
    let total = needs.as_ref().map_or_else(|| cycle::every_need(fleet.plan()).count(), Vec::len);
    let bar = console.progress(total, what);
    let mut step = |done: usize, _: usize| bar.set_position(done as u64);
    let request = cycle::Request {
        needs,
        reasons: Reasons::None,
        progress: Some(&mut step),
        ..cycle::Request::default()
    };
    let offers = fleet.cycle(request);
    bar.finish_and_clear();
    offers
}

/// The problems of both versions.
fn both(old: Option<Failure>, new: Option<Failure>) -> Failure {
    let mut report = Report::default();
    old.into_iter().chain(new).for_each(|failure| report.absorb(*failure.0));
    Failure(Box::new(report))
}

type Needs = Option<Vec<NeedId>>;

/// The needs that some names mean in each version. A name must mean something in one of them.
fn needs(old: &Fleet, new: &Fleet, names: &[String]) -> Result<(Needs, Needs), Failure> {
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
