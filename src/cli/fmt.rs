//! `bourse fmt`: writes policies in their canonical form.

use std::path::{Path, PathBuf};

use similar::TextDiff;

use super::{CommandFailure, Exit, files::Console, set::shown};
use crate::{
    diagnostic::{Code, Report},
    format, parse,
    source::Sources,
};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Policy files, directories with policies, or `-` for standard input
    #[arg(default_value = ".", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write nothing: name the files that would change, and end with exit code 1 if there are any
    #[arg(long)]
    check: bool,
    /// Write nothing: show what would change, and end with exit code 1 if anything would
    #[arg(long)]
    diff: bool,
}

pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    let mut problems = Vec::new();
    let files = console.policies(&args.paths, &mut problems);
    super::set::some_policies(&args.paths, files.is_empty() && problems.is_empty())?;
    let mut report = Report { diagnostics: problems, ..Report::default() };
    let mut changed = false;
    for (name, bytes) in &files {
        match formatted(name, bytes) {
            Ok((before, after)) => {
                changed |= before != after;
                if let Err(failure) = tell(args, console, name, &before, &after) {
                    report.absorb(*failure.0);
                }
            }
            Err(problems) => report.absorb(*problems),
        }
    }
    if report.has_errors() {
        return Err(CommandFailure(Box::new(report)));
    }
    Ok(if changed && (args.check || args.diff) { Exit::No } else { Exit::Yes })
}

/// Returns the text of a policy and its canonical form, or the problems that keep it from having one.
fn formatted(name: &str, bytes: &[u8]) -> Result<(String, String), Box<Report>> {
    let mut sources = Sources::default();
    let (source, mut diagnostics) = parse::decode(&mut sources, name, bytes);
    if diagnostics.is_empty() {
        let text = sources.get(source).text;
        let read = parse::parse(&sources, source);
        diagnostics = read.diagnostics;
        // An empty policy is an error elsewhere. A file of comments alone has a canonical form, too.
        diagnostics.retain(|problem| problem.code != Code::B0116);
        if diagnostics.is_empty() {
            match format::format(&text, &read.ast) {
                Ok(after) => return Ok((text.to_string(), after)),
                Err(problem) => diagnostics.push(*problem),
            }
        }
    }
    Err(Box::new(Report { sources, diagnostics }))
}

/// Writes, compares or prints one file, as the arguments say.
fn tell(
    args: &Args,
    console: &mut Console,
    name: &str,
    before: &str,
    after: &str,
) -> Result<(), CommandFailure> {
    let path = Path::new(name);
    if args.diff {
        let diff = TextDiff::from_lines(before, after);
        return console.print(&diff.unified_diff().header(&shown(path), &shown(path)).to_string());
    }
    if name == super::files::STDIN && !args.check {
        return console.print(after);
    }
    if before == after {
        return Ok(());
    }
    if !args.check {
        console.replace_file(path, after.as_bytes())?;
    }
    console.print(&format!("{}\n", shown(path)))
}
