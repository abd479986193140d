//! A lock file: one run at a time, with its name in the file for those who wait.

use std::{
    ffi::OsStr,
    io::{self, Read, Write},
    time::Duration,
};

use super::{
    replace::has_name,
    state_file::HoldError,
    system::{Directory, FileKind, FileSystem, OpenFile, Opening},
};
use crate::output::printable_name;

/// Times that a file may be taken away from under a run before it gives up.
pub(super) const RACES: usize = 100;
/// A wait that is longer is told.
const QUIET: Duration = Duration::from_secs(1);
/// The longest pause between two tries.
const PAUSE: Duration = Duration::from_millis(32);
/// Bytes read of what a lock file says.
const HOLDER_BYTES: u64 = 1 << 10;

/// How long a run waits for others, and how it tells that it does.
pub struct Patience<'a> {
    /// `None`: for as long as it takes.
    bound: Option<Duration>,
    tell: &'a mut dyn FnMut(Option<String>),
    began: Option<Duration>,
    is_told: bool,
    pause: Duration,
}

impl<'a> Patience<'a> {
    /// `tell` is called once if the wait is longer than a second, with what the holder says of itself.
    pub fn new(bound: Option<Duration>, tell: &'a mut dyn FnMut(Option<String>)) -> Patience<'a> {
        Patience { bound, tell, began: None, is_told: false, pause: Duration::from_millis(1) }
    }

    /// Pauses before the next try, or gives up.
    pub(super) fn wait(
        &mut self,
        system: &dyn FileSystem,
        holder: &dyn Fn() -> Option<String>,
    ) -> Result<(), HoldError> {
        let now = system.elapsed();
        let waited = now.saturating_sub(*self.began.get_or_insert(now));
        let mut pause = self.pause;
        if let Some(bound) = self.bound {
            if waited >= bound {
                return Err(HoldError::Busy(holder()));
            }
            pause = pause.min(bound - waited);
        }
        if waited < QUIET {
            pause = pause.min(QUIET - waited);
        } else if !self.is_told {
            self.is_told = true;
            (self.tell)(holder());
        }
        system.pause(pause);
        self.pause = PAUSE.min(self.pause * 2);
        Ok(())
    }
}

/// A lock that this run has, until it is dropped. The file stays, empty.
pub(super) struct LockFile(Box<dyn OpenFile>);

impl LockFile {
    /// Waits for the lock.
    ///
    /// A lock is on a file, not on its name: if somebody removed the file while others waited for it, they would lock what
    /// no newcomer finds. So who has the lock looks whether the name still leads to it, and else begins again.
    pub fn take(
        system: &dyn FileSystem,
        directory: &dyn Directory,
        name: &OsStr,
        patience: &mut Patience<'_>,
    ) -> Result<LockFile, HoldError> {
        let failed = |error| HoldError::Lock { file: name.to_owned(), error };
        let mut races = 0;
        while races < RACES {
            let Some(mut file) = open(directory, name).map_err(failed)? else {
                races += 1;
                continue;
            };
            if !file.try_lock().map_err(failed)? {
                drop(file);
                patience.wait(system, &|| holder(directory, name))?;
                continue;
            }
            if has_name(directory, name, &*file).map_err(failed)? {
                // What a run that was killed says must not be told of this one.
                file.clear().map_err(failed)?;
                // For those who wait; that there is no room for it is no reason to stop.
                let _ = file.write_all(format!("{}\n", system.process()).as_bytes());
                return Ok(LockFile(file));
            }
            races += 1;
        }
        Err(failed(io::Error::other("it is taken away again and again")))
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        let _ = self.0.clear();
    }
}

/// Opens a lock file, or makes it. Nothing, if it came or went between two looks.
///
/// It is written to, so it must be a file under one name: never what a link leads to, or what is also somebody's file.
fn open(directory: &dyn Directory, name: &OsStr) -> io::Result<Option<Box<dyn OpenFile>>> {
    let Some(found) = directory.look(name)? else {
        return gone(directory.open(name, Opening::NewShared), io::ErrorKind::AlreadyExists);
    };
    let refused = |why: &str| Err(io::Error::other(why));
    match found.kind {
        FileKind::File => {}
        FileKind::Directory => return Err(io::ErrorKind::IsADirectory.into()),
        FileKind::Link => return refused("it is a link"),
        FileKind::Other => return refused("it is not a file"),
    }
    let Some(file) = gone(directory.open(name, Opening::Write), io::ErrorKind::NotFound)? else {
        return Ok(None);
    };
    let stat = file.stat()?;
    if stat.kind != FileKind::File {
        return refused("it is not a file");
    }
    if stat.links > 1 {
        return refused("it has another name, a hard link");
    }
    Ok(Some(file))
}

fn gone(opened: io::Result<Box<dyn OpenFile>>, kind: io::ErrorKind) -> io::Result<Option<Box<dyn OpenFile>>> {
    match opened {
        Err(error) if error.kind() == kind => Ok(None),
        opened => opened.map(Some),
    }
}

/// What a lock file says of the run that has it.
fn holder(directory: &dyn Directory, name: &OsStr) -> Option<String> {
    let mut bytes = Vec::new();
    directory.open(name, Opening::Read).ok()?.take(HOLDER_BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() { None } else { Some(printable_name(line)) }
}
