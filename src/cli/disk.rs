//! Small files that are read, listed and removed by their path: snapshots.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use super::{Failure, set::shown};
use crate::{
    diagnostic::{Code, Diagnostic},
    limits,
};

/// The text of a file; nothing where there is none.
pub fn text(path: &Path) -> Result<Option<String>, Diagnostic> {
    let unread = |why: &str| {
        let message = format!("cannot read `{}`: {why}", shown(path));
        Diagnostic::without_place(Code::B0901, message).help("check that it is a file you may read")
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unread(&error.to_string())),
    };
    let mut bytes = Vec::new();
    let read = file.take(limits::SNAPSHOT_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| unread(&error.to_string()))?;
    if bytes.len() > limits::SNAPSHOT_BYTES {
        return Err(unread("it is too large"));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| unread("it is not UTF-8"))
}

/// Removes a file, if it is there.
pub fn remove(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            let message = format!("cannot remove `{}`: {error}", shown(path));
            Err(Diagnostic::without_place(Code::B0901, message).help("check its permissions").into())
        }
        _ => Ok(()),
    }
}

/// The files of a folder, by path and in order; none where there is no such folder. Names that are no text are left
/// out.
pub fn files(folder: &Path) -> Result<Vec<String>, Failure> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => {
            let message = format!("cannot read `{}`: {error}", shown(folder));
            return Err(Diagnostic::without_place(Code::B0901, message).help("check its permissions").into());
        }
    };
    let paths = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
    let mut names: Vec<String> =
        paths.filter_map(|path| path.to_str().map(|name| name.replace('\\', "/"))).collect();
    names.sort();
    Ok(names)
}

/// Whether this is a run of continuous integration, where nothing is left behind: the variable `CI` is set.
#[allow(clippy::disallowed_methods, reason = "the environment is the command line's to read")]
pub fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}
