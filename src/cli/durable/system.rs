//! The file operations that durable files are made of, as traits. The same code then runs over the system's
//! files and, in tests, over a simulated disk.
//!
//! Names are looked up in a directory that is held open, and only [`locate`] follows links. So locking,
//! checking and renaming happen in one directory, even if the path comes to lead elsewhere meanwhile.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// A file system.
pub trait FileSystem: fmt::Debug {
    /// Opens a directory, following links.
    fn directory(&self, path: &Path) -> io::Result<Box<dyn Directory>>;
    /// Returns the kind of the file at a path, following links, or `None` if there is none.
    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>>;
    /// Opens a device or a pipe for writing.
    fn stream(&self, path: &Path) -> io::Result<Box<dyn Write>>;
    /// The default access of a new file of this process.
    fn own_access(&self) -> Access;
    /// Returns random bits, for a name that nobody can guess.
    fn random(&self) -> io::Result<u128>;
    /// The time on a clock that only goes forward.
    fn elapsed(&self) -> Duration;
    /// Sleeps.
    fn pause(&self, time: Duration);
    /// Describes the process, for others who wait for it.
    fn process(&self) -> String;
}

/// A directory that is open. It stays the same one if its path comes to lead elsewhere. No method follows
/// links.
pub trait Directory: fmt::Debug {
    /// Returns the identity of the directory, if the system has one.
    fn id(&self) -> io::Result<Option<FileId>>;
    /// Describes the file under a name. Returns `None` if there is none.
    fn look(&self, name: &OsStr) -> io::Result<Option<FileStat>>;
    /// Returns the path in a link.
    fn read_link(&self, name: &OsStr) -> io::Result<PathBuf>;
    /// Opens a file, without waiting for the other end of a pipe.
    fn open(&self, name: &OsStr, opening: OpenMode) -> io::Result<Box<dyn OpenFile>>;
    /// Gives a file another name, in one step.
    fn rename(&self, from: &OsStr, to: &OsStr, over: Replace) -> io::Result<()>;
    /// Removes a name of a file.
    fn remove(&self, name: &OsStr) -> io::Result<()>;
    /// Makes a directory.
    fn make_directory(&self, name: &OsStr) -> io::Result<()>;
    /// Returns the names that begin with a prefix, in no particular order.
    fn names(&self, prefix: &str) -> io::Result<Vec<OsString>>;
    /// Makes the names durable: those added, and the absence of those removed.
    fn sync(&self) -> io::Result<()>;
}

/// A file that is open. Only `read` and `write` may do a part of their work, or fail with
/// [`Interrupted`](io::ErrorKind::Interrupted).
pub trait OpenFile: Read + Write {
    /// Describes the file as it is now.
    fn stat(&self) -> io::Result<FileStat>;
    /// Locks a lock file until the handle is dropped. Returns `false` if another handle has the lock.
    fn try_lock(&self) -> io::Result<bool>;
    /// Locks a file with content, if the system can do so without keeping readers out.
    fn try_hold(&self) -> io::Result<HoldResult>;
    /// Sets the permissions, and the owners as far as this process may.
    fn set_access(&self, access: Access) -> io::Result<()>;
    /// Removes the content.
    fn clear(&self) -> io::Result<()>;
    /// Makes content and permissions durable.
    fn sync(&self) -> io::Result<()>;
}

/// The identity of a file, which is the same under all of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId {
    /// The number of the file system.
    pub device: u64,
    /// The number of the file in it (its inode).
    pub number: u64,
}

/// The properties of a file.
#[derive(Clone, Copy, Debug)]
pub struct FileStat {
    /// `None` if the system has no identities. Then all files count as the same.
    pub id: Option<FileId>,
    pub kind: FileKind,
    /// The number of names: 0 once the file is removed, more than 1 if it has hard links.
    pub links: u64,
    pub access: Access,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    File,
    Directory,
    Link,
    /// A pipe, a socket or a device.
    Other,
}

/// Permissions and owners, as POSIX has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    pub mode: u32,
    pub user: u32,
    pub group: u32,
}

/// The mode in which a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// Opens an existing file for reading.
    Read,
    /// Opens an existing file for reading and writing.
    Write,
    /// Creates a file that nobody else may open (mode 0600). Fails if there is one.
    NewPrivate,
    /// Creates a file with the default access. Fails if there is one.
    NewShared,
}

/// The files that a rename may replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// Any file that has the name.
    Any,
    /// None. If a file has the name, the rename fails with [`AlreadyExists`](io::ErrorKind::AlreadyExists).
    None,
}

/// The outcome of [`OpenFile::try_hold`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldResult {
    Mine,
    Others,
    /// The system has no such lock, or only one that keeps readers out.
    Unsupported,
}

/// The place that a path leads to, with all links followed: a directory, and a name in it, which may be free.
#[derive(Debug)]
pub struct Location {
    pub directory: Box<dyn Directory>,
    pub name: OsString,
}

/// The most links that are followed before they count as a circle, as in Linux.
const LINKS: usize = 40;

/// Follows the links of a path. The file at the end may be missing.
pub fn locate(system: &dyn FileSystem, path: &Path) -> io::Result<Location> {
    let mut path = path.to_owned();
    for _ in 0..=LINKS {
        let (parent, name) = split(&path)?;
        let directory = system.directory(parent)?;
        match directory.look(name)? {
            Some(stat) if stat.kind == FileKind::Link => path = parent.join(directory.read_link(name)?),
            _ => return Ok(Location { name: name.to_owned(), directory }),
        }
    }
    Err(io::Error::other("its links lead round in a circle"))
}

/// Splits a path into its directory and the name in it.
pub fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    let Some(name) = path.file_name() else { return Err(io::ErrorKind::IsADirectory.into()) };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok((parent.unwrap_or(Path::new(".")), name))
}
