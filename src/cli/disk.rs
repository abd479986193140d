//! Reads, lists and removes snapshot files.

use std::path::Path;

use super::{
    CommandFailure,
    durable::{DurableFiles, problems},
    set::shown,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    limits,
};

/// Reads a text file. Returns `None` if there is no file.
pub fn text(files: &DurableFiles, path: &Path) -> Result<Option<String>, Diagnostic> {
    let unread = |why: &str| {
        let message = format!("cannot read `{}`: {why}", shown(path));
        Diagnostic::without_place(Code::B0901, message).help("check that it is a file you may read")
    };
    let read = files.read(path, limits::SNAPSHOT_BYTES).map_err(|error| unread(&problems::words(&error)))?;
    let Some(bytes) = read else { return Ok(None) };
    if bytes.len() > limits::SNAPSHOT_BYTES {
        return Err(unread("it is too large"));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| unread("it is not UTF-8"))
}

/// Removes a file durably, if it is there.
pub fn remove(files: &DurableFiles, path: &Path) -> Result<(), CommandFailure> {
    Ok(files.remove(path).map_err(|error| problems::unremoved(path, &error))?)
}

/// Returns the paths of the files in a folder, in order. Returns none if there is no such folder, and leaves
/// out names that are not UTF-8.
pub fn files(files: &DurableFiles, folder: &Path) -> Result<Vec<String>, CommandFailure> {
    let names = files.names(folder).map_err(|error| {
        let message = format!("cannot read `{}`: {}", shown(folder), problems::words(&error));
        Diagnostic::without_place(Code::B0901, message).help("check its permissions")
    })?;
    let paths = names.iter().map(|name| folder.join(name));
    Ok(paths.filter_map(|path| path.to_str().map(|name| name.replace('\\', "/"))).collect())
}

/// Returns `true` in a run of continuous integration (the variable `CI` is set), which leaves no files
/// behind.
#[allow(clippy::disallowed_methods, reason = "the environment is the command line's to read")]
pub fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}
