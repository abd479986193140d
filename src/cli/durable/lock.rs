//! A lock file, which lets one run in at a time. The file describes the run that has the lock, for those who
//! wait.
//!
//! Waiting is polling: the system calls for a lock with a time limit need signals or threads. The pause
//! between two tries doubles from 1 ms up to [`PAUSE`].

use std::{
    ffi::OsStr,
    io::{self, Read, Write},
    time::Duration,
};

use super::{
    replace::has_name,
    state_file::HoldError,
    system::{Directory, FileKind, FileSystem, OpenFile, OpenMode},
};
use crate::output::printable_name;

/// The number of times that a file may be replaced or removed while a run looks at it, before the run gives
/// up.
pub(super) const MAX_RACES: usize = 100;
/// The longest wait that is not reported.
const QUIET: Duration = Duration::from_secs(1);
/// The longest pause between two tries.
const PAUSE: Duration = Duration::from_millis(32);
/// The most bytes that are read of a lock file.
const HOLDER_BYTES: u64 = 1 << 10;

/// The bound on a run's wait for others, and the report that it waits.
pub struct WaitPolicy<'a> {
    /// The longest wait. `None` waits without end.
    bound: Option<Duration>,
    tell: &'a mut dyn FnMut(Option<String>),
    /// The time of the first wait. All waits of a run count against one bound.
    began: Option<Duration>,
    is_told: bool,
    pause: Duration,
}

impl<'a> WaitPolicy<'a> {
    /// Creates the bound. If the wait is longer than a second, `tell` is called once, with the description
    /// that the holder gives of itself.
    pub fn new(bound: Option<Duration>, tell: &'a mut dyn FnMut(Option<String>)) -> WaitPolicy<'a> {
        WaitPolicy { bound, tell, began: None, is_told: false, pause: Duration::from_millis(1) }
    }

    /// Pauses before the next try. Returns [`HoldError::Busy`] once the bound is reached.
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

/// A lock that this run has until it is dropped. The file then stays, and is empty: to remove it would race
/// with runs that have opened it.
pub(super) struct LockFile(Box<dyn OpenFile>);

impl LockFile {
    /// Waits for the lock.
    ///
    /// A lock is on a file, not on its name. If somebody removes the file while a run waits for it, that run
    /// gets the lock of a file that no newcomer finds. So the run then checks that the name still leads to
    /// its file, and begins again if it does not.
    pub fn take(
        system: &dyn FileSystem,
        directory: &dyn Directory,
        name: &OsStr,
        wait_policy: &mut WaitPolicy<'_>,
    ) -> Result<LockFile, HoldError> {
        let failed = |error| HoldError::Lock { file: name.to_owned(), error };
        let mut races = 0;
        while races < MAX_RACES {
            let Some(mut file) = open(directory, name).map_err(failed)? else {
                races += 1;
                continue;
            };
            if !file.try_lock().map_err(failed)? {
                drop(file);
                wait_policy.wait(system, &|| holder(directory, name))?;
                continue;
            }
            if has_name(directory, name, &*file).map_err(failed)? {
                // Removes the description of a run that was killed.
                file.clear().map_err(failed)?;
                // The description only helps those who wait, so a full disk does not stop the run here.
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

/// Opens a lock file, or creates it. Returns `None` if it appeared or vanished between two calls.
///
/// The file is written to, so it must be a regular file with one name. A link, or a second name, could make a
/// run overwrite somebody's data.
fn open(directory: &dyn Directory, name: &OsStr) -> io::Result<Option<Box<dyn OpenFile>>> {
    let Some(found) = directory.look(name)? else {
        return gone(directory.open(name, OpenMode::NewShared), io::ErrorKind::AlreadyExists);
    };
    let refused = |why: &str| Err(io::Error::other(why));
    match found.kind {
        FileKind::File => {}
        FileKind::Directory => return Err(io::ErrorKind::IsADirectory.into()),
        FileKind::Link => return refused("it is a link"),
        FileKind::Other => return refused("it is not a file"),
    }
    let Some(file) = gone(directory.open(name, OpenMode::Write), io::ErrorKind::NotFound)? else {
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

/// Reads the description of the run that has the lock.
fn holder(directory: &dyn Directory, name: &OsStr) -> Option<String> {
    let mut bytes = Vec::new();
    directory.open(name, OpenMode::Read).ok()?.take(HOLDER_BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() { None } else { Some(printable_name(line)) }
}
