//! Diagnostics for files that could not be read, written or held.

use std::{io, path::Path};

use super::{HoldError, WriteError};
use crate::{
    cli::set::shown,
    diagnostic::{Code, Diagnostic},
};

/// The help for a state that is missing.
pub const BEGIN: &str = "begin a state where there is none with `--init`";

/// Names the holder of a state by its own description.
pub fn holder(description: Option<&str>) -> String {
    description.map_or_else(|| "another program".to_owned(), |description| format!("`{description}`"))
}

/// The problem of a file that was not written, or that may be lost.
pub fn unwritten(path: &Path, error: &WriteError) -> Diagnostic {
    let name = format!("`{}`", shown(path));
    match error {
        WriteError::Unwritten(error) if error.kind() == io::ErrorKind::NotFound => {
            let message = format!("cannot write {name}: there is no such directory");
            Diagnostic::without_place(Code::B0901, message).help("check the path")
        }
        WriteError::Unwritten(error) => unwritten_to(&name, error),
        WriteError::Changed => changed(path),
        WriteError::Unsynced(error) => unsynced(&name, error).help("check the disk, and write it again"),
    }
}

/// The problem of an output that was not written.
pub fn unwritten_to(name: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::without_place(Code::B0901, format!("cannot write {name}: {}", words(error)))
        .help("check the path, its permissions, and the space that is left")
}

/// The problem of a state that was not written, or that may be lost. Says if the operations are to be applied
/// again.
pub fn unstored(path: &Path, error: &WriteError) -> Diagnostic {
    let problem = unwritten(path, error);
    match error {
        WriteError::Unwritten(_) => problem
            .help("the state is as it was: mend what is wrong with the disk, and apply the operations again"),
        WriteError::Changed => problem,
        WriteError::Unsynced(_) => problem.help(
            "check the disk; the operations are in the file, so look there before you apply them again",
        ),
    }
}

/// The problem of a file that was not removed, or that may come back.
pub fn unremoved(path: &Path, error: &WriteError) -> Diagnostic {
    let name = format!("`{}`", shown(path));
    let message = match error {
        WriteError::Unwritten(error) => format!("cannot remove {name}: {}", words(error)),
        WriteError::Changed => return changed(path),
        WriteError::Unsynced(error) => {
            format!("{name} is removed, and may be there again if the machine stops: {}", words(error))
        }
    };
    Diagnostic::without_place(Code::B0901, message).help("check its permissions, and the disk")
}

fn changed(path: &Path) -> Diagnostic {
    let message = format!("`{}` was changed by another program meanwhile", shown(path));
    Diagnostic::without_place(Code::B0526, message).help("nothing was written; ask for offers again")
}

fn unsynced(name: &str, error: &io::Error) -> Diagnostic {
    let message = format!("{name} is written, and may be lost if the machine stops: {}", words(error));
    Diagnostic::without_place(Code::B0901, message)
}

/// The problem of a state that could not be held.
pub fn unheld(path: &Path, error: &HoldError) -> Diagnostic {
    let name = format!("`{}`", shown(path));
    let unread = |why: &str| Diagnostic::without_place(Code::B0901, format!("cannot read {name}: {why}"));
    match error {
        HoldError::Missing => unread("there is no such file").help(BEGIN),
        HoldError::File(error) => unread(&words(error)).help("check that it is a file that you may read"),
        HoldError::NoFile => {
            unread("it is not a file").help("a state is kept in a file, or read only with `--dry-run`")
        }
        HoldError::Shared => unread("it has another name, a hard link, under which no change would be seen")
            .help("make it a file of its own: copy it, and rename the copy over it"),
        HoldError::TooLarge => {
            let message = format!("{name} is larger than {}", size(crate::limits::INVENTORY_BYTES));
            Diagnostic::without_place(Code::B0514, message).help("split it")
        }
        HoldError::Lock { file, error } => {
            let file = crate::output::printable_name(&file.to_string_lossy());
            let message = format!("cannot lock {name} with the file `{file}` beside it: {}", words(error));
            Diagnostic::without_place(Code::B0901, message).help(
                "`bourse apply` makes and locks this file; check permissions, and remove what is no file",
            )
        }
        HoldError::Busy(description) => {
            let message = format!("{name} is held by {}", holder(description.as_deref()));
            Diagnostic::without_place(Code::B0527, message)
                .help("nothing was done: try again, or wait longer with `--wait`")
        }
    }
}

/// Describes an error in lower case, without the system's number for it.
pub fn words(error: &io::Error) -> String {
    let known = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::IsADirectory => "it is a directory",
        io::ErrorKind::StorageFull => "there is no space left on the disk",
        io::ErrorKind::QuotaExceeded => "the quota is used up",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let text = error.to_string();
    let text = text.split(" (os error ").next().unwrap_or(&text);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Writes a number of bytes.
pub fn size(bytes: usize) -> String {
    crate::quantity::render(crate::quantity::Dimension::Size, bytes as i128)
}
