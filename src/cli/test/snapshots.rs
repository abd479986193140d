//! Snapshot files: what is read before tests run, and what becomes of them after.

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
        Failure, disk,
        durable::DurableFiles,
        files::{Console, STDIN},
        table::{Paint, paint},
    },
    diagnostic::{Code, Diagnostic},
    output::printable_name,
    pipeline::Checked,
    testing::{self, Snapshot, State, Taken, TestReport},
};

/// The text of a snapshot's file; nothing where there is none.
pub fn read(files: &DurableFiles, path: &str) -> Result<Option<String>, Box<Diagnostic>> {
    if path.contains(STDIN) {
        let message = "a policy on standard input has no place for its snapshots";
        let help = "write it to a file: snapshots stand beside it";
        return Err(Box::new(Diagnostic::without_place(Code::B0901, message).help(help)));
    }
    disk::text(files, Path::new(path)).map_err(Box::new)
}

/// Accepts, asks, or leaves what is new beside the old; and tells what no test expects.
pub fn settle(
    args: &Args,
    checked: &Checked,
    report: &mut TestReport,
    console: &mut Console,
) -> Result<(), Failure> {
    let keeps = !disk::is_ci();
    for result in &mut report.results {
        let Some(snapshot) = &result.snapshot else { continue };
        if args.accept && is_pending(snapshot) {
            accept(snapshot, console)?;
            result.accept();
        } else if snapshot.state == State::Same {
            disk::remove(&console.files, &pending(&snapshot.path))?;
        } else if keeps && !matches!(snapshot.state, State::Damaged(_)) {
            let text = snapshot.taken.to_string();
            if let Err(problem) = console.put_file(&pending(&snapshot.path), &text) {
                // The test has failed already: that its text cannot be kept is no worse.
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

/// Writes a snapshot, tells it, and removes what waited for it.
fn accept(snapshot: &Snapshot, console: &mut Console) -> Result<(), Failure> {
    console.put_file(Path::new(&snapshot.path), &snapshot.taken.to_string())?;
    console.remark(&format!("accepted {}", printable_name(&snapshot.path)));
    disk::remove(&console.files, &pending(&snapshot.path))
}

/// What the reader says of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Accept,
    Reject,
    Skip,
    Quit,
}

impl Answer {
    /// Reads an answer by its first letter.
    fn read(line: &str) -> Option<Answer> {
        match line.trim().chars().next()?.to_ascii_lowercase() {
            'a' | 'y' => Some(Answer::Accept),
            'r' | 'n' => Some(Answer::Reject),
            's' => Some(Answer::Skip),
            'q' => Some(Answer::Quit),
            _ => None,
        }
    }
}

/// Shows each snapshot that waits, and does as the reader says.
fn review(report: &mut TestReport, console: &mut Console) -> Result<(), Failure> {
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
            Answer::Accept => {
                accept(snapshot, console)?;
                result.accept();
            }
            Answer::Reject => disk::remove(&console.files, &pending(&snapshot.path))?,
            Answer::Skip => {}
            Answer::Quit => return Ok(()),
        }
    }
    Ok(())
}

fn ask(console: &mut Console) -> Result<Answer, Failure> {
    loop {
        let Some(line) = console.ask("accept (a), reject (r), skip (s) or quit (q)? ")? else {
            return Ok(Answer::Quit);
        };
        if let Some(answer) = Answer::read(&line) {
            return Ok(answer);
        }
    }
}

/// Snapshots of policies of the set that no test expects: told, and removed where snapshots are accepted.
fn orphans(args: &Args, checked: &Checked, console: &mut Console) -> Result<(), Failure> {
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
            // A file that does not say that it is of this policy is not ours to judge.
            let taken =
                disk::text(&console.files, Path::new(&path))?.and_then(|text| Taken::read(&text).ok());
            if taken.is_none_or(|taken| taken.source != file) {
                continue;
            }
            if args.accept {
                disk::remove(&console.files, Path::new(&path))?;
                console.remark(&format!("removed {}: no test expects it", printable_name(&path)));
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
    use super::Answer;

    #[test]
    fn answers_go_by_their_first_letter() {
        let cases =
            [("a\n", Some(Answer::Accept)), (" Reject", Some(Answer::Reject)), ("s", Some(Answer::Skip))];
        for (line, answer) in cases {
            assert_eq!(Answer::read(line), answer, "{line}");
        }
        assert_eq!(
            (Answer::read("q"), Answer::read("\n"), Answer::read("x")),
            (Some(Answer::Quit), None, None)
        );
    }
}
