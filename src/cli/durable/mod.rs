//! Files that are replaced whole, and survive: the one way in which commands write files, and the lock on a state file.
//!
//! **Replacing.** The new content is written under a name of its own in the same directory, given the access of the old
//! file, and synced; then it is renamed over the old file, and the directory is synced. Whoever looks sees the old file
//! or the new one. After a crash it is one of the two, and the new one from the moment at which the call returns.
//! This asks of a file system no more than POSIX does: what is synced stays, a rename is one step, and all else may be
//! lost or come to the disk in any order. `simulated` is a disk that does all of that.
//!
//! **Holding a state.** A run that changes a state locks `FILE.lock` beside the file that the path leads to, and then the
//! file itself: links to one file lead to one lock, and a lock file that somebody removes lets no second run in. What
//! was read is compared with what is there just before the rename. Between that comparison and the rename is an
//! instant in which a program that takes no lock may write; what it writes then is lost. Nothing in POSIX closes it.
//!
//! **Left-overs.** The file with a name of its own is locked from its birth. A run that was killed has no locks, so what is
//! unlocked under such a name is a left-over, and the next run that writes in the directory removes it.

mod lock;
mod replace;
mod state_file;
mod system;
#[cfg(test)]
mod tests;
pub mod told;

#[cfg(any(not(unix), test))]
mod portable;
#[cfg(unix)]
mod unix;

use std::io;

pub use lock::Patience;
pub use replace::{DurableFiles, WriteError};
pub use state_file::{HoldError, StateFile};
pub use system::FileSystem;

/// The file system of the process. To be made while the process has one thread.
pub fn native() -> Box<dyn FileSystem> {
    #[cfg(unix)]
    return Box::new(unix::UnixFileSystem::new());
    #[cfg(not(unix))]
    return Box::new(portable::PortableFileSystem::new());
}

/// Characters of the command line that others are told.
const COMMAND_CHARACTERS: usize = 200;

/// This process, in words for others who wait for it.
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
