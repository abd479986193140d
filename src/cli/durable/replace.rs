//! Files replaced, made and removed, so that what was done stays done.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use super::system::{
    Access, Directory, FileId, FileKind, FileSystem, Hold, Location, OpenFile, Opening, Over, locate, split,
};

/// Names of files that are being written: the two parts, and 32 hexadecimal digits between them.
const PREFIX: &str = ".bourse-";
const ENDING: &str = ".new";

/// Names tried for a new file, where others take each of them away.
const NAMES_TRIED: usize = 16;

/// Reads, replaces and removes files of one file system.
#[derive(Debug)]
pub struct DurableFiles {
    pub(super) system: Box<dyn FileSystem>,
    /// Directories that were searched for left-overs.
    tidied: BTreeSet<FileId>,
    /// Directories whose own name is durable.
    named: BTreeSet<PathBuf>,
}

/// Why a file could not be written.
#[derive(Debug)]
pub enum WriteError {
    /// The old file is there.
    Unwritten(io::Error),
    /// The old file is not what it was taken for, and it is there.
    Changed,
    /// The new file is there, and may be lost if the machine stops.
    Unsynced(io::Error),
}

impl DurableFiles {
    pub fn new(system: Box<dyn FileSystem>) -> DurableFiles {
        DurableFiles { system, tidied: BTreeSet::new(), named: BTreeSet::new() }
    }

    /// Replaces the file that a path leads to, or makes it. A device or a pipe is written to.
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
        self.tidy(&*at.directory);
        let old = at.directory.look(&at.name).map_err(unwritten)?;
        self.install(&at, old.map(|old| old.access), bytes, Over::Anything, &|| Ok(true))
    }

    /// Replaces a file, and makes the directory that it is in.
    pub fn put(&mut self, path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
        let (parent, _) = split(path).map_err(WriteError::Unwritten)?;
        if !self.named.contains(parent) {
            self.make_directory(parent).map_err(WriteError::Unwritten)?;
            self.named.insert(parent.to_owned());
        }
        self.replace(path, bytes)
    }

    /// Makes a directory with a durable name. One that is there may be the work of a run that was killed before its
    /// name was durable.
    fn make_directory(&self, path: &Path) -> io::Result<()> {
        let Some(name) = path.file_name() else { return Ok(()) };
        let above = self.system.directory(split(path)?.0)?;
        match above.make_directory(name) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => above.sync(),
        }
    }

    /// Removes a file for good, if it is there. A link is removed, not what it leads to.
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
        // An error of a server does not say that nothing was done.
        if let Err(error) = directory.remove(name)
            && directory.look(name).map_or(true, |left| left.is_some())
        {
            return Err(unwritten(error));
        }
        directory.sync().map_err(WriteError::Unsynced)
    }

    /// The content of a file, cut off after one byte more than `most`; nothing where there is no file.
    pub fn read(&self, path: &Path, most: usize) -> io::Result<Option<Vec<u8>>> {
        let at = match locate(&*self.system, path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            at => at?,
        };
        match at.directory.look(&at.name)?.map(|stat| stat.kind) {
            None => Ok(None),
            Some(FileKind::File) => read(&mut *at.directory.open(&at.name, Opening::Read)?, most).map(Some),
            Some(_) => Err(io::Error::other("it is not a file")),
        }
    }

    /// The files of a directory, links to files among them, by name and in order; none where there is no such directory.
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

    /// Writes a file whole and renames it to where it belongs, if `is_expected` says just before that what is there is
    /// what it was taken for.
    pub(super) fn install(
        &self,
        at: &Location,
        access: Option<Access>,
        bytes: &[u8],
        over: Over,
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
            // Where even this fails it is a left-over, which the next run removes.
            let _ = directory.remove(&temporary);
        }
        moved?;
        directory.sync().map_err(WriteError::Unsynced)
    }

    /// A new file under a name of its own, held so that nobody takes it for a left-over.
    fn new_file(&self, directory: &dyn Directory) -> io::Result<(OsString, Box<dyn OpenFile>)> {
        for _ in 0..NAMES_TRIED {
            let name = OsString::from(format!("{PREFIX}{:032x}{ENDING}", self.system.random()?));
            let file = match directory.open(&name, Opening::NewPrivate) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                file => file?,
            };
            // Between its birth and the lock, another run may have taken it for a left-over.
            if file.try_hold()? != Hold::Others && has_name(directory, &name, &*file)? {
                return Ok((name, file));
            }
        }
        Err(io::Error::other("each new file is taken away"))
    }

    /// Writes content and access, and makes both durable.
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

    /// Removes what killed runs left in a directory, once. That it cannot be removed is no problem of this run.
    pub(super) fn tidy(&mut self, directory: &dyn Directory) {
        let Ok(Some(id)) = directory.id() else { return };
        if self.tidied.insert(id) {
            for name in directory.names(PREFIX).unwrap_or_default().iter().filter(|name| is_temporary(name)) {
                let _ = self.remove_left_over(directory, name);
            }
        }
    }

    /// Removes a file of this user that has the name of one that is being written, and that nobody writes.
    fn remove_left_over(&self, directory: &dyn Directory, name: &OsStr) -> io::Result<()> {
        let Some(stat) = directory.look(name)? else { return Ok(()) };
        if stat.kind != FileKind::File || stat.links != 1 || stat.access.user != self.system.own_access().user
        {
            return Ok(());
        }
        let file = directory.open(name, Opening::Read)?;
        if file.try_hold()? == Hold::Mine && has_name(directory, name, &*file)? {
            directory.remove(name)?;
        }
        Ok(())
    }
}

/// Renames a file that is open. An error of a server does not say that nothing was done, so it is looked.
fn rename(
    directory: &dyn Directory,
    from: &OsStr,
    to: &OsStr,
    over: Over,
    file: &dyn OpenFile,
) -> Result<(), WriteError> {
    let Err(error) = directory.rename(from, to, over) else { return Ok(()) };
    let is_there = file.stat().is_ok_and(|own| {
        own.id.is_some()
            && directory.look(to).is_ok_and(|found| found.is_some_and(|found| found.id == own.id))
    });
    match error.kind() {
        _ if is_there => Ok(()),
        io::ErrorKind::AlreadyExists if over == Over::Nothing => Err(WriteError::Changed),
        _ => Err(WriteError::Unwritten(error)),
    }
}

fn is_temporary(name: &OsStr) -> bool {
    let middle = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(ENDING));
    let is_digit = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
    middle.is_some_and(|digits| digits.len() == 32 && digits.bytes().all(is_digit))
}

/// Whether a file that is open still has a name.
pub(super) fn has_name(directory: &dyn Directory, name: &OsStr, file: &dyn OpenFile) -> io::Result<bool> {
    let own = file.stat()?;
    Ok(directory.look(name)?.is_some_and(|found| found.id == own.id))
}

/// The content of a file, cut off after one byte more than `most`.
pub(super) fn read(file: &mut dyn OpenFile, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
