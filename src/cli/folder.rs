//! Finds the policies below a folder.
//!
//! Fails closed: a rule that is not read is a rule that nobody obeys. So everything that looks like a policy,
//! or could be a folder of policies, is read or is an error. The exceptions are two kinds of links that are
//! known to be copies or locks (see [`is_mounted_copy`] and [`is_editor_lock`]).

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use walkdir::{DirEntry, IntoIter, WalkDir};

use super::{durable::problems::words, set::shown};
use crate::{
    diagnostic::{Code, Diagnostic},
    limits,
};

/// The ending of the name of a policy file.
const ENDING: &str = ".policy";

/// The link that a mounted `ConfigMap` or `Secret` of Kubernetes has beside its files. It leads to the
/// current version.
pub const MOUNTED: &str = "..data";

/// The policies below a folder, by path, and the problems of entries that may be one and cannot be read.
#[derive(Debug, Default)]
pub struct FoundPolicies {
    pub policies: Vec<PathBuf>,
    pub problems: Vec<Diagnostic>,
}

/// Returns `true` if a path has the name of a policy.
pub fn is_policy(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(ENDING))
}

/// Returns `true` if people would take a path for a policy: the ending in other letters, or with blanks
/// behind it.
fn looks_like_policy(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.trim_end().to_ascii_lowercase().ends_with(ENDING)
}

/// Finds every policy below a folder, and follows links.
///
/// A folder that several links lead to is entered once. So the walk ends, and takes no longer than there are
/// folders.
pub fn below(folder: &Path) -> FoundPolicies {
    let mut found = FoundPolicies::default();
    let mut entered = BTreeSet::new();
    let mut walk = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
    let mut seen = 0;
    while let Some(entry) = walk.next() {
        seen += 1;
        if seen > limits::FOLDER_ENTRIES {
            let message = format!("more than {} files are in `{}`", limits::FOLDER_ENTRIES, shown(folder));
            found.problem(Code::B0106, message, "name the folder of the policies alone");
            break;
        }
        match entry {
            Ok(entry) => found.entry(&entry, &mut walk, &mut entered),
            // A link leads back to a folder that is being walked.
            Err(error) if error.loop_ancestor().is_some() => {}
            Err(error) => found.unread(error.path().unwrap_or(folder), error.io_error()),
        }
    }
    found.policies.sort();
    found
}

impl FoundPolicies {
    fn entry(&mut self, entry: &DirEntry, walk: &mut IntoIter, entered: &mut BTreeSet<PathBuf>) {
        let path = entry.path();
        let is_root = entry.depth() == 0;
        if entry.file_type().is_dir() {
            if !is_root && looks_like_policy(path) {
                self.refuse(
                    path,
                    "it is a directory",
                    "rename it: a directory of policies is named otherwise",
                );
                walk.skip_current_dir();
            } else if !is_root && is_mounted_copy(path) {
                walk.skip_current_dir();
            } else {
                match fs::canonicalize(path).map(|real| entered.insert(real)) {
                    Ok(true) => {}
                    Ok(false) => walk.skip_current_dir(),
                    Err(error) => self.unread(path, Some(&error)),
                }
            }
        } else if looks_like_policy(path) && !is_mounted_copy(path) {
            self.file(entry);
        }
    }

    fn file(&mut self, entry: &DirEntry) {
        let path = entry.path();
        if !entry.file_type().is_file() {
            self.refuse(path, "it is no regular file", "remove it, or give it by its own name");
        } else if path.to_str().is_none() {
            self.refuse(path, "its name is not UTF-8", "rename it");
        } else if is_policy(path) {
            self.policies.push(path.to_owned());
        } else {
            let help = "rename it, so that it ends in `.policy`";
            self.refuse(path, "its name ends almost as that of a policy", help);
        }
    }

    /// Reports an entry that cannot be examined: it may be a policy, or a folder of them.
    fn unread(&mut self, path: &Path, error: Option<&std::io::Error>) {
        let link = fs::read_link(path).ok();
        let missing = error.is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound);
        match link {
            Some(target) if missing && !is_mounted_copy(path) && !is_editor_lock(path) => {
                let why = format!("it is a link to `{}`, which is not there", shown(&target));
                self.refuse(path, &why, "put back what it leads to, or remove the link");
            }
            Some(_) if missing => {}
            _ => {
                let why = error.map_or("it cannot be opened".to_owned(), words);
                self.refuse(path, &why, "check that it is what you may read, or remove it");
            }
        }
    }

    fn refuse(&mut self, path: &Path, why: &str, help: &str) {
        self.problem(Code::B0901, format!("cannot read `{}`: {why}", shown(path)), help);
    }

    fn problem(&mut self, code: Code, message: String, help: &str) {
        self.problems.push(Diagnostic::without_place(code, message).help(help));
    }
}

/// Returns `true` if a path is where a mounted volume of Kubernetes keeps its versions.
///
/// The files of a version are in a folder such as `..2024_…`. The link `..data` leads to the current one, and
/// for each file a visible link leads through `..data`. Only the visible links count: while a new version
/// arrives there are two folders for a moment. The keys of a volume cannot begin with `..`, so no file of a
/// user is left out.
fn is_mounted_copy(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".."));
    hidden && path.parent().is_some_and(|folder| folder.join(MOUNTED).is_symlink())
}

/// Returns `true` if a dangling link is a lock of Emacs: while `x.policy` has unsaved changes, a link
/// `.#x.policy` beside it leads to the name of the user who edits it.
fn is_editor_lock(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".#"))
}
