//! A file system by paths, with the standard library alone, for systems that are not POSIX.
//!
//! Its promises are weaker than those of `unix`: a directory is a path, the file itself is not held,
//! directories are not synced, and left-overs of killed runs stay. It is tested on POSIX systems only.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use super::system::{
    Access, Directory, FileId, FileKind, FileStat, FileSystem, HoldResult, OpenFile, OpenMode, Replace,
};

/// The mode reported for a file that can be written.
const WRITABLE: u32 = 0o644;
/// The mode reported for a file that is read-only.
const READ_ONLY: u32 = 0o444;

/// The file system of the process.
#[derive(Debug)]
pub struct PortableFileSystem {
    #[allow(clippy::disallowed_types, reason = "bounds the wait for a lock; no offer depends on it")]
    began: std::time::Instant,
}

impl PortableFileSystem {
    pub fn new() -> PortableFileSystem {
        #[allow(clippy::disallowed_types, reason = "bounds the wait for a lock; no offer depends on it")]
        let began = std::time::Instant::now();
        PortableFileSystem { began }
    }
}

impl FileSystem for PortableFileSystem {
    fn directory(&self, path: &Path) -> io::Result<Box<dyn Directory>> {
        let path = fs::canonicalize(path)?;
        if !path.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Box::new(PortableDirectory(path)))
    }

    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        found(fs::metadata(path)).map(|found| found.map(|found| stat_of(&found).kind))
    }

    fn stream(&self, path: &Path) -> io::Result<Box<dyn Write>> {
        Ok(Box::new(OpenOptions::new().write(true).open(path)?))
    }

    fn own_access(&self) -> Access {
        Access { mode: WRITABLE, user: 0, group: 0 }
    }

    fn random(&self) -> io::Result<u128> {
        super::random()
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }

    fn process(&self) -> String {
        super::process_on("this machine")
    }
}

#[derive(Debug)]
struct PortableDirectory(PathBuf);

impl Directory for PortableDirectory {
    fn id(&self) -> io::Result<Option<FileId>> {
        Ok(None)
    }

    fn look(&self, name: &OsStr) -> io::Result<Option<FileStat>> {
        Ok(found(fs::symlink_metadata(self.0.join(name)))?.map(|found| stat_of(&found)))
    }

    fn read_link(&self, name: &OsStr) -> io::Result<PathBuf> {
        fs::read_link(self.0.join(name))
    }

    fn open(&self, name: &OsStr, opening: OpenMode) -> io::Result<Box<dyn OpenFile>> {
        let mut options = OpenOptions::new();
        options.read(true);
        match opening {
            OpenMode::Read => {}
            OpenMode::Write => drop(options.write(true)),
            OpenMode::NewPrivate | OpenMode::NewShared => drop(options.write(true).create_new(true)),
        }
        Ok(Box::new(PortableFile(options.open(self.0.join(name))?)))
    }

    fn rename(&self, from: &OsStr, to: &OsStr, over: Replace) -> io::Result<()> {
        if over == Replace::None && self.look(to)?.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(self.0.join(from), self.0.join(to))
    }

    fn remove(&self, name: &OsStr) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }

    fn make_directory(&self, name: &OsStr) -> io::Result<()> {
        fs::create_dir(self.0.join(name))
    }

    fn names(&self, prefix: &str) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let name = entry?.file_name();
            if name.to_string_lossy().starts_with(prefix) {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct PortableFile(File);

impl Read for PortableFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl Write for PortableFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl OpenFile for PortableFile {
    fn stat(&self) -> io::Result<FileStat> {
        Ok(stat_of(&self.0.metadata()?))
    }

    fn try_lock(&self) -> io::Result<bool> {
        match self.0.try_lock() {
            Ok(()) => Ok(true),
            Err(fs::TryLockError::WouldBlock) => Ok(false),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn try_hold(&self) -> io::Result<HoldResult> {
        Ok(HoldResult::Unsupported)
    }

    fn set_access(&self, access: Access) -> io::Result<()> {
        let mut permissions = self.0.metadata()?.permissions();
        permissions.set_readonly(access.mode & 0o222 == 0);
        self.0.set_permissions(permissions)
    }

    fn clear(&self) -> io::Result<()> {
        self.0.set_len(0)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }
}

fn found(looked: io::Result<fs::Metadata>) -> io::Result<Option<fs::Metadata>> {
    match looked {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn stat_of(found: &fs::Metadata) -> FileStat {
    let kind = match found.file_type() {
        kind if kind.is_file() => FileKind::File,
        kind if kind.is_dir() => FileKind::Directory,
        kind if kind.is_symlink() => FileKind::Link,
        _ => FileKind::Other,
    };
    let mode = if found.permissions().readonly() { READ_ONLY } else { WRITABLE };
    FileStat { id: None, kind, links: 1, access: Access { mode, user: 0, group: 0 } }
}
