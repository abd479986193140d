//! A state file that one run holds while it reads, decides and writes.

use std::{
    ffi::{OsStr, OsString},
    io,
    path::Path,
};

use super::{
    lock::{LockFile, Patience, RACES},
    replace::{DurableFiles, WriteError, has_name, read},
    system::{FileKind, FileStat, Hold, Location, OpenFile, Opening, Over, locate},
};

/// A state file, held until it is dropped.
pub struct StateFile {
    at: Location,
    found: Option<Found>,
    _lock: LockFile,
}

/// A file that was there, with what was in it.
struct Found {
    file: Box<dyn OpenFile>,
    stat: FileStat,
    bytes: Vec<u8>,
}

/// Why a state file could not be held.
#[derive(Debug)]
pub enum HoldError {
    /// There is no such file.
    Missing,
    /// Another run holds it, longer than this one waits; with what it says of itself.
    Busy(Option<String>),
    /// It is no file.
    NoFile,
    /// It has hard links: a change under one of its names would not be seen under the others.
    Shared,
    /// It has more bytes than it may.
    TooLarge,
    /// The lock file cannot be used.
    Lock { file: OsString, error: io::Error },
    /// The state file cannot be used.
    File(io::Error),
}

impl StateFile {
    /// What was in the file; nothing where there was none.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.found.as_ref().map(|found| found.bytes.as_slice())
    }

    /// Whether the file is what it was when it was read.
    fn is_unchanged(&self) -> io::Result<bool> {
        let Location { directory, name } = &self.at;
        let Some(found) = &self.found else { return Ok(directory.look(name)?.is_none()) };
        let now = match directory.open(name, Opening::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            now => read(&mut *now?, found.bytes.len())?,
        };
        // The name last: whoever replaced the file while it was read is noticed too.
        Ok(now == found.bytes && has_name(&**directory, name, &*found.file)?)
    }
}

impl DurableFiles {
    /// Waits until no other run holds a state file, and reads it. `begin`: there may be none.
    pub fn hold(
        &mut self,
        path: &Path,
        begin: bool,
        most: usize,
        patience: &mut Patience<'_>,
    ) -> Result<StateFile, HoldError> {
        match self.system.kind(path).map_err(HoldError::File)? {
            // What can be no state gets no lock file.
            Some(FileKind::Other) => return Err(HoldError::NoFile),
            Some(FileKind::Directory) => return Err(HoldError::File(io::ErrorKind::IsADirectory.into())),
            None if !begin => return Err(HoldError::Missing),
            _ => {}
        }
        let mut races = 0;
        while races < RACES {
            let at = locate(&*self.system, path).map_err(HoldError::File)?;
            let lock = LockFile::take(&*self.system, &*at.directory, &lock_name(&at.name), patience)?;
            let found = match find(&at, most)? {
                Look::Moved => {
                    races += 1;
                    continue;
                }
                Look::Held => {
                    // Somebody removed the lock file of a run that goes on.
                    patience.wait(&*self.system, &|| None)?;
                    continue;
                }
                Look::Found(found) => Some(found),
                Look::Nothing if begin => None,
                Look::Nothing => return Err(HoldError::Missing),
            };
            // What is built on must stay: a run that was killed may have renamed it, and not synced.
            at.directory.sync().map_err(HoldError::File)?;
            self.tidy(&*at.directory);
            return Ok(StateFile { at, found, _lock: lock });
        }
        Err(HoldError::File(io::Error::other("it is replaced again and again")))
    }

    /// Replaces the content of a state file that is held.
    pub fn store(&self, state: &StateFile, bytes: &[u8]) -> Result<(), WriteError> {
        let access = state.found.as_ref().map(|found| found.stat.access);
        let over = if access.is_some() { Over::Anything } else { Over::Nothing };
        self.install(&state.at, access, bytes, over, &|| state.is_unchanged())
    }
}

/// What is under the name of a state file.
enum Look {
    Nothing,
    Found(Found),
    /// A file that another run holds.
    Held,
    /// Something else by now: it is to be looked for anew.
    Moved,
}

/// Looks at a state file under the lock, and holds the file itself.
fn find(Location { directory, name }: &Location, most: usize) -> Result<Look, HoldError> {
    match directory.look(name).map_err(HoldError::File)?.map(|stat| stat.kind) {
        None => return Ok(Look::Nothing),
        Some(FileKind::File) => {}
        Some(FileKind::Link) => return Ok(Look::Moved),
        Some(FileKind::Directory) => return Err(HoldError::File(io::ErrorKind::IsADirectory.into())),
        Some(FileKind::Other) => return Err(HoldError::NoFile),
    }
    let mut file = match directory.open(name, Opening::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Look::Moved),
        file => file.map_err(HoldError::File)?,
    };
    if file.try_hold().map_err(HoldError::File)? == Hold::Others {
        return Ok(Look::Held);
    }
    if !has_name(&**directory, name, &*file).map_err(HoldError::File)? {
        return Ok(Look::Moved);
    }
    let stat = file.stat().map_err(HoldError::File)?;
    if stat.links > 1 {
        return Err(HoldError::Shared);
    }
    file.sync().map_err(HoldError::File)?;
    let bytes = read(&mut *file, most).map_err(HoldError::File)?;
    if bytes.len() > most { Err(HoldError::TooLarge) } else { Ok(Look::Found(Found { file, stat, bytes })) }
}

fn lock_name(name: &OsStr) -> OsString {
    let mut lock_name = name.to_owned();
    lock_name.push(".lock");
    lock_name
}
