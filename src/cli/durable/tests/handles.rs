//! The open directories and files of a simulated disk.

use super::*;

#[derive(Debug)]
pub(super) struct SimulatedDirectory {
    pub disk: SimulatedDisk,
    pub number: usize,
}

impl SimulatedDirectory {
    fn lookup(&self, name: &OsStr) -> io::Result<usize> {
        let machine = self.disk.0.borrow();
        let found = machine.directory(self.number)?.seen.get(&*name.to_string_lossy()).copied();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Reports a failure of a step that has done its work, if one is planned.
    fn done(failed: bool) -> io::Result<()> {
        if failed { Err(io::Error::other("no answer from the server")) } else { Ok(()) }
    }
}

impl Directory for SimulatedDirectory {
    fn id(&self) -> io::Result<Option<FileId>> {
        Ok(Some(FileId { device: DEVICE, number: self.number as u64 }))
    }

    fn look(&self, name: &OsStr) -> io::Result<Option<FileStat>> {
        self.disk.step("look", false)?;
        Ok(self.lookup(name).ok().map(|number| self.disk.0.borrow().stat(number)))
    }

    fn read_link(&self, name: &OsStr) -> io::Result<PathBuf> {
        self.disk.step("read link", false)?;
        match &self.disk.0.borrow().nodes[self.lookup(name)?] {
            DiskNode::Link(to) => Ok(to.clone()),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    fn open(&self, name: &OsStr, opening: OpenMode) -> io::Result<Box<dyn OpenFile>> {
        let text = name.to_string_lossy().into_owned();
        let mode = match opening {
            OpenMode::Read | OpenMode::Write => None,
            OpenMode::NewPrivate => Some(0o600),
            OpenMode::NewShared => Some(0o644),
        };
        self.disk.step(&format!("open {text}"), mode.is_some())?;
        let number = match (self.lookup(name), mode) {
            (Ok(number), None) => number,
            (Ok(_), Some(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Err(error), None) => return Err(error),
            (Err(_), Some(mode)) => {
                let mut machine = self.disk.0.borrow_mut();
                machine.nodes.push(DiskNode::File(FileNode {
                    seen_mode: mode,
                    kept_mode: mode,
                    ..FileNode::default()
                }));
                let number = machine.nodes.len() - 1;
                machine.directory_mut(self.number).change(DirectoryChange::Set(text, number));
                number
            }
        };
        let mut machine = self.disk.0.borrow_mut();
        if matches!(machine.nodes[number], DiskNode::Link(_)) {
            return Err(io::Error::other("a link"));
        }
        machine.handles += 1;
        Ok(Box::new(SimulatedFile { disk: self.disk.clone(), number, handle: machine.handles, at: 0 }))
    }

    fn rename(&self, from: &OsStr, to: &OsStr, over: Replace) -> io::Result<()> {
        let failed = self.disk.step("rename", true)?;
        let number = self.lookup(from)?;
        if over == Replace::None && self.lookup(to).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let text = |name: &OsStr| name.to_string_lossy().into_owned();
        let change = DirectoryChange::Move(text(from), text(to), number);
        self.disk.0.borrow_mut().directory_mut(self.number).change(change);
        SimulatedDirectory::done(failed)
    }

    fn remove(&self, name: &OsStr) -> io::Result<()> {
        let failed = self.disk.step("remove", true)?;
        self.lookup(name)?;
        let change = DirectoryChange::Unset(name.to_string_lossy().into_owned());
        self.disk.0.borrow_mut().directory_mut(self.number).change(change);
        SimulatedDirectory::done(failed)
    }

    fn make_directory(&self, name: &OsStr) -> io::Result<()> {
        let failed = self.disk.step("make directory", true)?;
        if self.lookup(name).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut machine = self.disk.0.borrow_mut();
        machine.nodes.push(DiskNode::Directory(DirectoryNode::default()));
        let number = machine.nodes.len() - 1;
        let change = DirectoryChange::Set(name.to_string_lossy().into_owned(), number);
        machine.directory_mut(self.number).change(change);
        SimulatedDirectory::done(failed)
    }

    fn names(&self, prefix: &str) -> io::Result<Vec<OsString>> {
        self.disk.step("list", false)?;
        let machine = self.disk.0.borrow();
        let names = machine.directory(self.number)?.seen.keys().filter(|name| name.starts_with(prefix));
        Ok(names.map(OsString::from).collect())
    }

    fn sync(&self) -> io::Result<()> {
        let failed = self.disk.step("sync directory", true)?;
        let mut machine = self.disk.0.borrow_mut();
        if !machine.forgets.directory_syncs {
            let folder = machine.directory_mut(self.number);
            folder.kept = folder.seen.clone();
            folder.changes.clear();
        }
        SimulatedDirectory::done(failed)
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    number: usize,
    handle: u64,
    at: usize,
}

impl Drop for SimulatedFile {
    fn drop(&mut self) {
        let mut machine = self.disk.0.borrow_mut();
        if machine.locks.get(&self.number) == Some(&self.handle) {
            machine.locks.remove(&self.number);
        }
    }
}

impl Read for SimulatedFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.disk.step("read", false)?;
        let mut machine = self.disk.0.borrow_mut();
        let rest = machine.file(self.number).seen.get(self.at..).unwrap_or_default();
        let count = rest.len().min(bytes.len());
        bytes[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

impl Write for SimulatedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.step("write", true)?;
        let bytes = if self.disk.is_short() { &bytes[..1] } else { bytes };
        let mut machine = self.disk.0.borrow_mut();
        let file = machine.file(self.number);
        file.seen.truncate(self.at);
        file.seen.extend_from_slice(bytes);
        file.cuts.push(file.seen.len());
        self.at += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl OpenFile for SimulatedFile {
    fn stat(&self) -> io::Result<FileStat> {
        self.disk.step("stat", false)?;
        Ok(self.disk.0.borrow().stat(self.number))
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.disk.step("lock", false)?;
        let mut machine = self.disk.0.borrow_mut();
        if machine.forgets.locks {
            return Ok(true);
        }
        let holder = *machine.locks.entry(self.number).or_insert(self.handle);
        Ok(holder == self.handle)
    }

    fn try_hold(&self) -> io::Result<HoldResult> {
        let forgets = self.disk.0.borrow().forgets;
        if forgets.locks || forgets.holds {
            return Ok(HoldResult::Unsupported);
        }
        Ok(if self.try_lock()? { HoldResult::Mine } else { HoldResult::Others })
    }

    fn set_access(&self, access: Access) -> io::Result<()> {
        self.disk.step("set access", true)?;
        self.disk.0.borrow_mut().file(self.number).seen_mode = access.mode;
        Ok(())
    }

    fn clear(&self) -> io::Result<()> {
        self.disk.step("clear", true)?;
        let mut machine = self.disk.0.borrow_mut();
        let file = machine.file(self.number);
        file.seen.clear();
        file.cuts.push(0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let result = self.disk.step("sync file", true);
        let mut machine = self.disk.0.borrow_mut();
        let is_stopped = machine.is_stopped;
        let forgets = machine.forgets.file_syncs;
        let file = machine.file(self.number);
        // Linux marks the pages of a failed sync as clean, so later syncs do not write them.
        file.is_lost |= result.is_err() && !is_stopped;
        if result.is_ok() && !file.is_lost && !forgets {
            file.kept = file.seen.clone();
            file.kept_mode = file.seen_mode;
            file.cuts.clear();
        }
        SimulatedDirectory::done(result?)
    }
}
