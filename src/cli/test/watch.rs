//! `bourse test --watch`: runs the tests again whenever a file of the set changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use notify::{Event, EventKind, RecursiveMode, Watcher, event::ModifyKind};

use super::{Args, once};
use crate::{
    cli::{CommandFailure, Exit, files::Console, folder::MOUNTED, set::shown, table::count},
    diagnostic::{Code, Diagnostic},
};

/// The time without events after which a change counts as whole: editors write files in several steps.
const QUIET: Duration = Duration::from_millis(150);

/// Runs until the process is ended.
pub fn run(args: &Args, console: &mut Console) -> Result<Exit, CommandFailure> {
    let paths: Vec<&PathBuf> = args.set.paths.iter().chain(&args.set.inventory).collect();
    if paths.iter().any(|path| path.as_os_str() == "-") {
        let problem = Diagnostic::without_place(Code::B0901, "standard input cannot be watched");
        return Err(problem.help("write it to a file, or leave `--watch` out").into());
    }
    let (sender, changes) = channel();
    let mut watcher = notify::recommended_watcher(move |event| {
        // Sending fails only when the receiver is gone, at the end of the process.
        let _ = sender.send(event);
    })
    .map_err(|error| unwatched(&error))?;
    let mut watched = BTreeSet::new();
    loop {
        let ran = once(args, console);
        if let Err(failure) = ran.result {
            console.problems.absorb(*failure.0);
        }
        console.report_problems();
        console.finish()?;
        let mut files: BTreeSet<PathBuf> = ran.files.iter().map(PathBuf::from).collect();
        files.extend(paths.iter().map(|path| path.to_path_buf()));
        for (folder, mode) in folders(&files) {
            if folder.is_dir() && watched.insert(folder.clone()) {
                watcher.watch(&folder, mode).map_err(|error| unwatched(&error))?;
            }
        }
        let what = count(files.iter().filter(|file| file.is_file()).count(), "file", "files");
        console.note_line(&format!("watching {what}; end with Ctrl-C"));
        let changed = wait(&changes, &files)?;
        console.note_line(&format!(
            "\nchanged: {}",
            changed.iter().map(|path| shown(path)).collect::<Vec<_>>().join(", ")
        ));
        console.reset();
    }
}

/// Returns the folders to watch: those that were given, with everything below them, and the folder of every
/// file.
///
/// Files themselves are not watched, as an editor may replace a file, and the watch would stay with the old
/// one.
fn folders(files: &BTreeSet<PathBuf>) -> BTreeMap<PathBuf, RecursiveMode> {
    let folder = |file: &PathBuf| {
        if file.is_dir() {
            return (file.clone(), RecursiveMode::Recursive);
        }
        let parent = file.parent().unwrap_or(Path::new(""));
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        (parent.to_owned(), RecursiveMode::NonRecursive)
    };
    let mut found = BTreeMap::new();
    for (path, mode) in files.iter().map(folder) {
        let known = found.entry(path).or_insert(mode);
        if mode == RecursiveMode::Recursive {
            *known = mode;
        }
    }
    found
}

fn unwatched(error: &notify::Error) -> Diagnostic {
    let message = format!("cannot watch files: {}", crate::output::printable_name(&error.to_string()));
    Diagnostic::without_place(Code::B0901, message).help("leave `--watch` out")
}

/// Waits for a relevant change, and then until no event has come for [`QUIET`].
fn wait(
    changes: &Receiver<notify::Result<Event>>,
    files: &BTreeSet<PathBuf>,
) -> Result<BTreeSet<PathBuf>, CommandFailure> {
    let mut changed = BTreeSet::new();
    while changed.is_empty() {
        match changes.recv() {
            Ok(Ok(event)) => changed.extend(relevant(event, files)),
            Ok(Err(error)) => return Err(unwatched(&error).into()),
            Err(_) => return Err(unwatched(&notify::Error::generic("the watcher ended")).into()),
        }
    }
    while let Ok(event) = changes.recv_timeout(QUIET) {
        changed.extend(event.into_iter().flat_map(|event| relevant(event, files)));
    }
    Ok(changed)
}

/// Returns the relevant files of an event: policies, snapshots, and files that were given by name.
fn relevant(event: Event, files: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let is_change = match event.kind {
        EventKind::Create(_) | EventKind::Remove(_) => true,
        EventKind::Modify(kind) => !matches!(kind, ModifyKind::Metadata(_)),
        EventKind::Any | EventKind::Other | EventKind::Access(_) => false,
    };
    if !is_change {
        return Vec::new();
    }
    let matters = |path: &PathBuf| {
        let ending = path.extension().is_some_and(|ending| ending == "policy" || ending == "snap");
        // A mounted volume of Kubernetes changes all its files by replacing one link.
        let is_swapped = path.file_name().is_some_and(|name| name == MOUNTED);
        ending || is_swapped || files.iter().any(|file| file.file_name().is_some() && path.ends_with(file))
    };
    event.paths.into_iter().filter(matters).map(|path| near(&path)).collect()
}

/// Returns a path relative to the current folder, if it is below it.
fn near(path: &Path) -> PathBuf {
    let path: PathBuf = path.components().collect();
    let here = std::env::current_dir().unwrap_or_default();
    let below = path.strip_prefix(&here).or_else(|_| path.strip_prefix("."));
    below.map(Path::to_owned).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::PathBuf};

    use notify::{
        Event, EventKind, RecursiveMode,
        event::{AccessKind, CreateKind, DataChange, MetadataKind, ModifyKind, RemoveKind},
    };

    use super::{folders, relevant};

    #[test]
    fn only_changes_of_files_that_matter_count() {
        let files = BTreeSet::from([PathBuf::from("a/p.policy"), PathBuf::from("fleet.json")]);
        let data = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let cases = [
            (data, "a/p.policy", true),
            (data, "./fleet.json", true),
            (data, "/w/fleet.json", true),
            (data, "other.json", false),
            (EventKind::Create(CreateKind::Any), "a/..data", true),
            (data, "a/snapshots/p__t.snap", true),
            (data, "a/snapshots/p__t.snap.new", false),
            (EventKind::Create(CreateKind::File), "new.policy", true),
            (EventKind::Remove(RemoveKind::File), "a/p.policy", true),
            (EventKind::Access(AccessKind::Any), "a/p.policy", false),
            (EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)), "a/p.policy", false),
        ];
        for (kind, path, matters) in cases {
            let found = relevant(Event::new(kind).add_path(PathBuf::from(path)), &files);
            assert_eq!(!found.is_empty(), matters, "{kind:?} {path}");
        }
    }

    #[test]
    fn folders_of_files_are_watched() {
        let files = ["p.policy", "a/b/q.policy", "src", "src/none.policy"].map(PathBuf::from);
        let found = folders(&BTreeSet::from(files));
        let found: Vec<_> = found.iter().map(|(path, mode)| (path.to_str().expect("text"), *mode)).collect();
        let (alone, below) = (RecursiveMode::NonRecursive, RecursiveMode::Recursive);
        assert_eq!(found, [(".", alone), ("a/b", alone), ("src", below)]);
    }
}
