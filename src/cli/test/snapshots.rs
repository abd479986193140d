//! Reads snapshot files before tests run, and accepts, reviews or keeps new ones after.
//!
//! A snapshot that differs from its file is kept in `FILE.new` beside it, so that other tools can review it,
//! until it is accepted, rejected, or the same again.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{
    Args,
    pretty::{difference, is_pending},
};
use crate::{
    cli::{
        CommandFailure, disk,
        durable::DurableFiles,
        files::{Console, STDIN},
        table::{Paint, paint},
    },
    diagnostic::{Code, Diagnostic},
    output::printable_name,
    pipeline::Checked,
    testing::{self, Snapshot, SnapshotFile, SnapshotResult, TestReport},
};

/// Reads the text of a snapshot file. Returns `None` if there is no file.
pub fn read(files: &DurableFiles, path: &str) -> Result<Option<String>, Box<Diagnostic>> {
    if path.contains(STDIN) {
        let message = "a policy on standard input has no place for its snapshots";
        let help = "write it to a file: snapshots stand beside it";
        return Err(Box::new(Diagnostic::without_place(Code::B0901, message).help(help)));
    }
    disk::text(files, Path::new(path)).map_err(Box::new)
}

/// Settles the snapshots of a run: accepts them, asks the user, or keeps new texts beside the files. Then
/// reports files that no test expects.
pub fn settle(
    args: &Args,
    checked: &Checked,
    report: &mut TestReport,
    console: &mut Console,
) -> Result<(), CommandFailure> {
    let keeps = !disk::is_ci();
    for result in &mut report.results {
        let Some(snapshot) = &result.snapshot else { continue };
        if args.accept && is_pending(snapshot) {
            accept(snapshot, console)?;
            result.accept();
        } else if snapshot.state == SnapshotResult::Same {
            disk::remove(&console.files, &pending(&snapshot.path))?;
        } else if keeps && !matches!(snapshot.state, SnapshotResult::Damaged(_)) {
            let text = snapshot.taken.to_string();
            if let Err(problem) = console.put_file(&pending(&snapshot.path), &text) {
                // The test has failed already, so this is no more than a warning.
                console.warn(problem);
            }
        }
    }
    if args.review {
        review(report, console)?;
    }
    orphans(args, checked, console)
}

fn pending(path: &str) -> PathBuf {
    PathBuf::from(format!("{path}.new"))
}

/// Writes a snapshot, says so, and removes the text that was kept beside it.
fn accept(snapshot: &Snapshot, console: &mut Console) -> Result<(), CommandFailure> {
    console.put_file(Path::new(&snapshot.path), &snapshot.taken.to_string())?;
    console.note_line(&format!("accepted {}", printable_name(&snapshot.path)));
    disk::remove(&console.files, &pending(&snapshot.path))
}

/// The user's decision about a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Accept,
    Reject,
    Skip,
    Quit,
}

impl Decision {
    /// Reads an answer by its first letter.
    fn read(line: &str) -> Option<Decision> {
        match line.trim().chars().next()?.to_ascii_lowercase() {
            'a' | 'y' => Some(Decision::Accept),
            'r' | 'n' => Some(Decision::Reject),
            's' => Some(Decision::Skip),
            'q' => Some(Decision::Quit),
            _ => None,
        }
    }
}

/// Shows each pending snapshot, and does as the user decides.
fn review(report: &mut TestReport, console: &mut Console) -> Result<(), CommandFailure> {
    let waiting =
        report.results.iter().filter(|result| result.snapshot.as_ref().is_some_and(is_pending)).count();
    let mut at = 0;
    for result in &mut report.results {
        let Some(snapshot) = result.snapshot.as_ref().filter(|snapshot| is_pending(snapshot)) else {
            continue;
        };
        at += 1;
        let colour = console.colour;
        let head = format!("{at} of {waiting}: {}", printable_name(&result.name));
        let mut text =
            format!("{}\n  {}\n", paint(&head, Paint::Bold, colour), printable_name(&snapshot.path));
        if let Some(note) = &snapshot.note {
            text.push_str(&format!("  {}\n", printable_name(note)));
        }
        text.push_str(&difference(snapshot, None, colour));
        console.print(&text)?;
        match ask(console)? {
            Decision::Accept => {
                accept(snapshot, console)?;
                result.accept();
            }
            Decision::Reject => disk::remove(&console.files, &pending(&snapshot.path))?,
            Decision::Skip => {}
            Decision::Quit => return Ok(()),
        }
    }
    Ok(())
}

fn ask(console: &mut Console) -> Result<Decision, CommandFailure> {
    loop {
        let Some(line) = console.ask("accept (a), reject (r), skip (s) or quit (q)? ")? else {
            return Ok(Decision::Quit);
        };
        if let Some(answer) = Decision::read(&line) {
            return Ok(answer);
        }
    }
}

/// Finds snapshot files of the set's policies that no test expects. Removes them with `--accept`, else warns
/// of them.
fn orphans(args: &Args, checked: &Checked, console: &mut Console) -> Result<(), CommandFailure> {
    let expected: BTreeSet<String> = testing::snapshots(checked).into_keys().collect();
    let sources = &checked.report.sources;
    let policies = sources.iter().filter(|(_, source)| source.name.ends_with(".policy"));
    let policies: BTreeSet<String> = policies.map(|(_, source)| source.name.to_string()).collect();
    for policy in &policies {
        let (folder, file) = policy.rsplit_once('/').unwrap_or(("", policy));
        let prefix = testing::snapshot_path(policy, "");
        let prefix = &prefix[..prefix.rfind("__").map_or(0, |at| at + 2)];
        for path in disk::files(&console.files, &Path::new(folder).join("snapshots"))? {
            let whole = path.strip_suffix(".new").unwrap_or(&path);
            if !path.starts_with(prefix) || !whole.ends_with(".snap") || expected.contains(whole) {
                continue;
            }
            // The file may belong to another tool, or to a policy with a similar name. Only its header tells.
            let taken =
                disk::text(&console.files, Path::new(&path))?.and_then(|text| SnapshotFile::read(&text).ok());
            if taken.is_none_or(|taken| taken.source != file) {
                continue;
            }
            if args.accept {
                disk::remove(&console.files, Path::new(&path))?;
                console.note_line(&format!("removed {}: no test expects it", printable_name(&path)));
            } else if path == whole {
                let message = format!("no test expects the snapshot `{}`", printable_name(&path));
                let help = "remove it, or run `bourse test --accept`, which does";
                console.warn(Diagnostic::without_place(Code::B0705, message).help(help));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Decision;

    #[test]
    fn answers_go_by_their_first_letter() {
        let cases = [
            ("a\n", Some(Decision::Accept)),
            (" Reject", Some(Decision::Reject)),
            ("s", Some(Decision::Skip)),
        ];
        for (line, answer) in cases {
            assert_eq!(Decision::read(line), answer, "{line}");
        }
        assert_eq!(
            (Decision::read("q"), Decision::read("\n"), Decision::read("x")),
            (Some(Decision::Quit), None, None)
        );
    }
}
