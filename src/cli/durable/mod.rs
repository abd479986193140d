//! Durable files: replacing a file in one step that survives a crash, and the lock on a state file. Commands
//! write files in no other way, but for the cache of compiled plugins.
//!
//! **Replacing.** The new content is written to a temporary file in the same directory. The temporary file
//! gets the access of the old file, and is synced. Then it is renamed over the old file, and the directory is
//! synced. Readers see the old file or the new one. After a crash the file is one of the two, and it is the
//! new one if the call had returned success. This asks no more of a file system than POSIX does: synced data
//! stays, a rename is one step, and everything else may be lost or reach the disk in any order. In tests,
//! `tests::disk` simulates a disk that loses all it may. See
//! `docs/decisions/0020-one-way-to-replace-a-file.md`.
//!
//! **Holding a state.** A run that changes a state takes two locks: on `FILE.lock` beside the file that the
//! path leads to, and then on the file itself. Links to one file thus lead to one lock, and removing the lock
//! file lets no second run in. Just before the rename the file is compared with what was read. Between that
//! comparison and the rename a program that takes no lock may still write, and its change is lost. POSIX has
//! no means to close this gap.
//!
//! **Left-overs.** A temporary file is locked as soon as it is created. Locks of a killed run are gone, so a
//! temporary file without a lock is a left-over. The next run that writes in the directory removes it.

mod lock;
pub mod problems;
mod replace;
mod state_file;
mod system;
#[cfg(test)]
mod tests;

#[cfg(any(not(unix), test))]
mod portable;
#[cfg(unix)]
mod unix;

use std::io;

pub use lock::WaitPolicy;
pub use replace::{DurableFiles, WriteError};
pub use state_file::{HoldError, StateFile};
pub use system::FileSystem;

/// Returns the file system of the process. Call while the process has one thread: see
/// `unix::UnixFileSystem::new`.
pub fn native() -> Box<dyn FileSystem> {
    #[cfg(unix)]
    return Box::new(unix::UnixFileSystem::new());
    #[cfg(not(unix))]
    return Box::new(portable::PortableFileSystem::new());
}

/// The most characters of the command line that a lock file shows.
const COMMAND_CHARACTERS: usize = 200;

/// Describes this process, for others who wait for it: its number, its host and its command line.
fn process_on(host: &str) -> String {
    let mut arguments = std::env::args_os();
    let program = arguments.next().map(std::path::PathBuf::from).unwrap_or_default();
    let mut command = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for argument in arguments {
        command.push(' ');
        command.push_str(&argument.to_string_lossy());
    }
    let command: String = command.chars().take(COMMAND_CHARACTERS).collect();
    let text = format!("process {} on {host}: {command}", std::process::id());
    crate::output::printable_name(&text)
}

fn random() -> io::Result<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(u128::from_le_bytes(bytes))
}
