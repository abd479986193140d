//! A state file that one run holds while it reads it, decides, and writes it.
//!
//! See the parent module for the two locks. Each takes care of a case that the other leaves open: the lock
//! file works before the first state exists, and the lock on the state file works if somebody removes the
//! lock file.

use std::{
    ffi::{OsStr, OsString},
    io,
    path::Path,
};

use super::{
    lock::{LockFile, MAX_RACES, WaitPolicy},
    replace::{DurableFiles, WriteError, has_name, read},
    system::{FileKind, FileStat, HoldResult, Location, OpenFile, OpenMode, Replace, locate},
};

/// A state file, held until it is dropped.
pub struct StateFile {
    at: Location,
    found: Option<FoundState>,
    _lock: LockFile,
}

/// A state file that exists, with its content.
struct FoundState {
    file: Box<dyn OpenFile>,
    stat: FileStat,
    bytes: Vec<u8>,
}

/// The reason why a state file could not be held.
#[derive(Debug)]
pub enum HoldError {
    /// There is no such file.
    Missing,
    /// Another run holds it for longer than this one waits. The text is the other's description of itself.
    Busy(Option<String>),
    /// The path leads to something other than a file.
    NoFile,
    /// The file has hard links. A rename would replace one of its names, and leave the old content under the
    /// others.
    Shared,
    /// The file has more bytes than allowed.
    TooLarge,
    /// The lock file cannot be used.
    Lock { file: OsString, error: io::Error },
    /// The state file cannot be used.
    File(io::Error),
}

impl StateFile {
    /// Returns the content of the file, or `None` if there was no file.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.found.as_ref().map(|found| found.bytes.as_slice())
    }

    /// Returns `true` if the file is still the one that was read, with the same content.
    fn is_unchanged(&self) -> io::Result<bool> {
        let Location { directory, name } = &self.at;
        let Some(found) = &self.found else { return Ok(directory.look(name)?.is_none()) };
        let now = match directory.open(name, OpenMode::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            now => read(&mut *now?, found.bytes.len())?,
        };
        // The name is checked last, so that a replacement during the read is noticed as well.
        Ok(now == found.bytes && has_name(&**directory, name, &*found.file)?)
    }
}

impl DurableFiles {
    /// Waits until no other run holds a state file, and reads it. With `begin`, the file may be missing.
    pub fn hold(
        &mut self,
        path: &Path,
        begin: bool,
        most: usize,
        wait_policy: &mut WaitPolicy<'_>,
    ) -> Result<StateFile, HoldError> {
        match self.system.kind(path).map_err(HoldError::File)? {
            // Checked first, so that no lock file is made beside something that cannot be a state.
            Some(FileKind::Other) => return Err(HoldError::NoFile),
            Some(FileKind::Directory) => return Err(HoldError::File(io::ErrorKind::IsADirectory.into())),
            None if !begin => return Err(HoldError::Missing),
            _ => {}
        }
        let mut races = 0;
        while races < MAX_RACES {
            let at = locate(&*self.system, path).map_err(HoldError::File)?;
            let lock = LockFile::take(&*self.system, &*at.directory, &lock_name(&at.name), wait_policy)?;
            let found = match find(&at, most)? {
                Lookup::Moved => {
                    races += 1;
                    continue;
                }
                Lookup::Held => {
                    // Another run holds the file without the lock file: somebody removed that.
                    wait_policy.wait(&*self.system, &|| None)?;
                    continue;
                }
                Lookup::Found(found) => Some(found),
                Lookup::Nothing if begin => None,
                Lookup::Nothing => return Err(HoldError::Missing),
            };
            // The new state will build on this one, so this one must be durable first: a run that was killed
            // may have renamed it and not synced the directory.
            at.directory.sync().map_err(HoldError::File)?;
            self.remove_left_overs(&*at.directory);
            return Ok(StateFile { at, found, _lock: lock });
        }
        Err(HoldError::File(io::Error::other("it is replaced again and again")))
    }

    /// Replaces the content of a state file that is held. A first state must not replace a file that appeared
    /// meanwhile.
    pub fn store(&self, state: &StateFile, bytes: &[u8]) -> Result<(), WriteError> {
        let access = state.found.as_ref().map(|found| found.stat.access);
        let over = if access.is_some() { Replace::Any } else { Replace::None };
        self.install(&state.at, access, bytes, over, &|| state.is_unchanged())
    }
}

/// The finding under the name of a state file.
enum Lookup {
    Nothing,
    Found(FoundState),
    /// A file that another run holds.
    Held,
    /// The file was replaced or became a link meanwhile. The search must begin again.
    Moved,
}

/// Reads a state file, and takes the lock on the file itself. Call with the lock file held.
fn find(Location { directory, name }: &Location, most: usize) -> Result<Lookup, HoldError> {
    match directory.look(name).map_err(HoldError::File)?.map(|stat| stat.kind) {
        None => return Ok(Lookup::Nothing),
        Some(FileKind::File) => {}
        Some(FileKind::Link) => return Ok(Lookup::Moved),
        Some(FileKind::Directory) => return Err(HoldError::File(io::ErrorKind::IsADirectory.into())),
        Some(FileKind::Other) => return Err(HoldError::NoFile),
    }
    let mut file = match directory.open(name, OpenMode::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Lookup::Moved),
        file => file.map_err(HoldError::File)?,
    };
    if file.try_hold().map_err(HoldError::File)? == HoldResult::Others {
        return Ok(Lookup::Held);
    }
    if !has_name(&**directory, name, &*file).map_err(HoldError::File)? {
        return Ok(Lookup::Moved);
    }
    let stat = file.stat().map_err(HoldError::File)?;
    if stat.links > 1 {
        return Err(HoldError::Shared);
    }
    file.sync().map_err(HoldError::File)?;
    let bytes = read(&mut *file, most).map_err(HoldError::File)?;
    if bytes.len() > most {
        Err(HoldError::TooLarge)
    } else {
        Ok(Lookup::Found(FoundState { file, stat, bytes }))
    }
}

fn lock_name(name: &OsStr) -> OsString {
    let mut lock_name = name.to_owned();
    lock_name.push(".lock");
    lock_name
}
