//! Replaces, creates and removes files durably: a change that was reported as done survives a crash.
//!
//! [`DurableFiles`] holds the order of operations, and goes through [`FileSystem`] for each of them, so that
//! tests can stop or fail it at any step.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use super::system::{
    Access, Directory, FileId, FileKind, FileSystem, HoldResult, Location, OpenFile, OpenMode, Replace,
    locate, split,
};

/// The two parts of the names of temporary files, with 32 hexadecimal digits between them.
const PREFIX: &str = ".bourse-";
const ENDING: &str = ".new";

/// The number of names tried for a temporary file, if other runs remove each of them.
const NAMES_TRIED: usize = 16;

/// Reads, replaces and removes files of one file system.
#[derive(Debug)]
pub struct DurableFiles {
    pub(super) system: Box<dyn FileSystem>,
    /// The directories that were searched for left-overs.
    tidied: BTreeSet<FileId>,
    /// The directories whose own name is known to be durable.
    named: BTreeSet<PathBuf>,
}

/// The reason why a file could not be written, with what is on the disk now.
#[derive(Debug)]
pub enum WriteError {
    /// The old file is there, unchanged.
    Unwritten(io::Error),
    /// Another program changed the old file meanwhile. Its change is there.
    Changed,
    /// The new file is there, and may be lost in a crash.
    Unsynced(io::Error),
}

impl DurableFiles {
    pub fn new(system: Box<dyn FileSystem>) -> DurableFiles {
        DurableFiles { system, tidied: BTreeSet::new(), named: BTreeSet::new() }
    }

    /// Replaces the file that a path leads to, or creates it. Writes into a device or a pipe.
    pub fn replace(&mut self, path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
        let unwritten = WriteError::Unwritten;
        match self.system.kind(path).map_err(unwritten)? {
            Some(FileKind::Other) => {
                let mut stream = self.system.stream(path).map_err(unwritten)?;
                return stream.write_all(bytes).and_then(|()| stream.flush()).map_err(unwritten);
            }
            Some(FileKind::Directory) => return Err(unwritten(io::ErrorKind::IsADirectory.into())),
            _ => {}
        }
        let at = locate(&*self.system, path).map_err(unwritten)?;
        self.remove_left_overs(&*at.directory);
        let old = at.directory.look(&at.name).map_err(unwritten)?;
        self.install(&at, old.map(|old| old.access), bytes, Replace::Any, &|| Ok(true))
    }

    /// Replaces a file, and creates its directory if there is none.
    pub fn put(&mut self, path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
        let (parent, _) = split(path).map_err(WriteError::Unwritten)?;
        if !self.named.contains(parent) {
            self.make_directory(parent).map_err(WriteError::Unwritten)?;
            self.named.insert(parent.to_owned());
        }
        self.replace(path, bytes)
    }

    /// Creates a directory with a durable name.
    ///
    /// Syncs also if the directory is there: a run that was killed may have created it and not synced its
    /// name.
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        let Some(name) = path.file_name() else { return Ok(()) };
        let above = self.system.directory(split(path)?.0)?;
        match above.make_directory(name) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => above.sync(),
        }
    }

    /// Removes a file durably, if it is there. Removes a link rather than the file that it leads to.
    pub fn remove(&self, path: &Path) -> Result<(), WriteError> {
        let unwritten = WriteError::Unwritten;
        let (parent, name) = split(path).map_err(unwritten)?;
        let directory = match self.system.directory(parent) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            directory => directory.map_err(unwritten)?,
        };
        if directory.look(name).map_err(unwritten)?.is_none() {
            return Ok(());
        }
        // A network file system may report an error for an operation that it has done. So the result is
        // checked.
        if let Err(error) = directory.remove(name)
            && directory.look(name).map_or(true, |left| left.is_some())
        {
            return Err(unwritten(error));
        }
        directory.sync().map_err(WriteError::Unsynced)
    }

    /// Reads a file. Returns `None` if there is no file. Reads at most one byte more than `most`, which shows
    /// that the file is too large.
    pub fn read(&self, path: &Path, most: usize) -> io::Result<Option<Vec<u8>>> {
        let at = match locate(&*self.system, path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            at => at?,
        };
        match at.directory.look(&at.name)?.map(|stat| stat.kind) {
            None => Ok(None),
            Some(FileKind::File) => read(&mut *at.directory.open(&at.name, OpenMode::Read)?, most).map(Some),
            Some(_) => Err(io::Error::other("it is not a file")),
        }
    }

    /// Returns the names of the files in a directory, in order, with those of links to files. Returns none if
    /// there is no such directory.
    pub fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let directory = match self.system.directory(path) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            directory => directory?,
        };
        let mut names = directory.names("")?;
        names
            .retain(|name| self.system.kind(&path.join(name)).is_ok_and(|kind| kind == Some(FileKind::File)));
        names.sort();
        Ok(names)
    }

    /// Writes a temporary file, and renames it to its place.
    ///
    /// `is_expected` is called just before the rename. If it returns `false`, the file there has changed:
    /// nothing is renamed, and the result is [`WriteError::Changed`].
    ///
    /// The order matters. The content is synced before the rename, or a crash could leave the new name with
    /// an empty file. The directory is synced after it, or a crash could bring the old file back after
    /// success was reported.
    pub(super) fn install(
        &self,
        at: &Location,
        access: Option<Access>,
        bytes: &[u8],
        over: Replace,
        is_expected: &dyn Fn() -> io::Result<bool>,
    ) -> Result<(), WriteError> {
        let directory = &*at.directory;
        let (temporary, mut file) = self.new_file(directory).map_err(WriteError::Unwritten)?;
        let filled = self.fill(&mut *file, access, bytes).and_then(|()| is_expected());
        let moved = match filled {
            Ok(true) => rename(directory, &temporary, &at.name, over, &*file),
            Ok(false) => Err(WriteError::Changed),
            Err(error) => Err(WriteError::Unwritten(error)),
        };
        if moved.is_err() {
            // If this fails too, the file is a left-over, which the next run removes.
            let _ = directory.remove(&temporary);
        }
        moved?;
        directory.sync().map_err(WriteError::Unsynced)
    }

    /// Creates a temporary file, and holds it so that no other run takes it for a left-over.
    fn new_file(&self, directory: &dyn Directory) -> io::Result<(OsString, Box<dyn OpenFile>)> {
        for _ in 0..NAMES_TRIED {
            let name = OsString::from(format!("{PREFIX}{:032x}{ENDING}", self.system.random()?));
            let file = match directory.open(&name, OpenMode::NewPrivate) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                file => file?,
            };
            // Before the lock was taken, another run may have removed the file as a left-over.
            if file.try_hold()? != HoldResult::Others && has_name(directory, &name, &*file)? {
                return Ok((name, file));
            }
        }
        Err(io::Error::other("each new file is taken away"))
    }

    /// Writes content and access, and syncs both.
    fn fill(&self, file: &mut dyn OpenFile, access: Option<Access>, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)?;
        file.flush()?;
        let access = match access {
            Some(access) => access,
            None => Access { mode: self.system.own_access().mode, ..file.stat()?.access },
        };
        file.set_access(access)?;
        file.sync()
    }

    /// Removes left-overs of killed runs from a directory, once for each directory. Failures are ignored:
    /// this run does not depend on it.
    pub(super) fn remove_left_overs(&mut self, directory: &dyn Directory) {
        let Ok(Some(id)) = directory.id() else { return };
        if self.tidied.insert(id) {
            for name in directory.names(PREFIX).unwrap_or_default().iter().filter(|name| is_temporary(name)) {
                let _ = self.remove_left_over(directory, name);
            }
        }
    }

    /// Removes a temporary file of this user that no run is writing.
    fn remove_left_over(&self, directory: &dyn Directory, name: &OsStr) -> io::Result<()> {
        let Some(stat) = directory.look(name)? else { return Ok(()) };
        if stat.kind != FileKind::File || stat.links != 1 || stat.access.user != self.system.own_access().user
        {
            return Ok(());
        }
        let file = directory.open(name, OpenMode::Read)?;
        // The lock shows that nobody writes the file. The name is checked under the lock: another run may
        // have put a new file under it.
        if file.try_hold()? == HoldResult::Mine && has_name(directory, name, &*file)? {
            directory.remove(name)?;
        }
        Ok(())
    }
}

/// Renames a file that is open. A network file system may report an error for a rename that it has done, so
/// an error counts only if the new name does not lead to the file.
fn rename(
    directory: &dyn Directory,
    from: &OsStr,
    to: &OsStr,
    over: Replace,
    file: &dyn OpenFile,
) -> Result<(), WriteError> {
    let Err(error) = directory.rename(from, to, over) else { return Ok(()) };
    let is_there = file.stat().is_ok_and(|own| {
        own.id.is_some()
            && directory.look(to).is_ok_and(|found| found.is_some_and(|found| found.id == own.id))
    });
    match error.kind() {
        _ if is_there => Ok(()),
        io::ErrorKind::AlreadyExists if over == Replace::None => Err(WriteError::Changed),
        _ => Err(WriteError::Unwritten(error)),
    }
}

/// Returns `true` if a name has the form of a temporary file's.
fn is_temporary(name: &OsStr) -> bool {
    let middle = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(ENDING));
    let is_digit = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
    middle.is_some_and(|digits| digits.len() == 32 && digits.bytes().all(is_digit))
}

/// Returns `true` if a name leads to a file that is open.
pub(super) fn has_name(directory: &dyn Directory, name: &OsStr, file: &dyn OpenFile) -> io::Result<bool> {
    let own = file.stat()?;
    Ok(directory.look(name)?.is_some_and(|found| found.id == own.id))
}

/// Reads a file, and stops after one byte more than `most`.
pub(super) fn read(file: &mut dyn OpenFile, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
