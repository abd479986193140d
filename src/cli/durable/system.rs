//! The operations of a file system that replacing files durably is made of: a trait for each kind of handle, so that the
//! same code runs over the system's files and over a disk that is simulated.
//!
//! Names are looked up in a directory that is held open, and links are followed only by [`locate`]: what is locked,
//! checked and renamed is in one directory, whatever becomes of the path that led to it.

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
    /// The kind of what is at a path, following links; `None` where there is nothing.
    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>>;
    /// Opens what is no file (a device, a pipe) for writing.
    fn stream(&self, path: &Path) -> io::Result<Box<dyn Write>>;
    /// The access that a new file of this process has where nobody says otherwise.
    fn own_access(&self) -> Access;
    /// Randomness for a name that nobody guesses.
    fn random(&self) -> io::Result<u128>;
    /// Time on a clock that only goes forward.
    fn elapsed(&self) -> Duration;
    /// Sleeps.
    fn pause(&self, time: Duration);
    /// The process, in words for others who wait for it.
    fn process(&self) -> String;
}

/// A directory that is open. It stays the same one when its path comes to lead elsewhere. No call follows a link.
pub trait Directory: fmt::Debug {
    /// The identity of the directory, where the system tells one.
    fn id(&self) -> io::Result<Option<FileId>>;
    /// What is under a name; `None` where there is nothing.
    fn look(&self, name: &OsStr) -> io::Result<Option<FileStat>>;
    /// The path in a link.
    fn read_link(&self, name: &OsStr) -> io::Result<PathBuf>;
    /// Opens a file, without waiting for the other end of a pipe.
    fn open(&self, name: &OsStr, opening: Opening) -> io::Result<Box<dyn OpenFile>>;
    /// Gives a file another name, in one step.
    fn rename(&self, from: &OsStr, to: &OsStr, over: Over) -> io::Result<()>;
    /// Removes a name of a file.
    fn remove(&self, name: &OsStr) -> io::Result<()>;
    /// Makes a directory.
    fn make_directory(&self, name: &OsStr) -> io::Result<()>;
    /// The names that begin with a text, in no order.
    fn names(&self, prefix: &str) -> io::Result<Vec<OsString>>;
    /// Makes names durable: those that are there, and the absence of those that were removed.
    fn sync(&self) -> io::Result<()>;
}

/// A file that is open. Only `read` and `write` may do a part of what is asked, or end with
/// [`Interrupted`](io::ErrorKind::Interrupted).
pub trait OpenFile: Read + Write {
    /// What it is now.
    fn stat(&self) -> io::Result<FileStat>;
    /// Locks a file that is there to be locked, until the handle is dropped; `false` where others have it.
    fn try_lock(&self) -> io::Result<bool>;
    /// Locks a file that others read meanwhile, where the system can do that.
    fn try_hold(&self) -> io::Result<Hold>;
    /// Gives it permissions, and as much of the ownership as this process may give.
    fn set_access(&self, access: Access) -> io::Result<()>;
    /// Removes everything that is in it.
    fn clear(&self) -> io::Result<()>;
    /// Makes content and permissions durable.
    fn sync(&self) -> io::Result<()>;
}

/// A file under all of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId {
    /// The file system it is in.
    pub device: u64,
    /// Its number there.
    pub number: u64,
}

/// What is known of a file without reading it.
#[derive(Clone, Copy, Debug)]
pub struct FileStat {
    /// Nothing where the system tells no identity: then no file can be told from another.
    pub id: Option<FileId>,
    pub kind: FileKind,
    /// Its names: 0 once it is removed, more than 1 where it has hard links.
    pub links: u64,
    pub access: Access,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    File,
    Directory,
    Link,
    /// A pipe, a socket, a device.
    Other,
}

/// Permissions and owners, as POSIX has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    pub mode: u32,
    pub user: u32,
    pub group: u32,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// To read one that is there.
    Read,
    /// To read and write one that is there.
    Write,
    /// To make one where there is none, that nobody else may open (mode 0600).
    NewPrivate,
    /// To make one where there is none, with the access that new files have.
    NewShared,
}

/// What a rename may replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Whatever has the name.
    Anything,
    /// Nothing: where something has the name, the rename fails with [`AlreadyExists`](io::ErrorKind::AlreadyExists).
    Nothing,
}

/// The outcome of [`OpenFile::try_hold`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    Mine,
    Others,
    /// The system has no such lock: it would keep readers out, or there is none.
    Unsupported,
}

/// Where a path leads once every link is followed: a directory, and a name in it, of a file or of nothing.
#[derive(Debug)]
pub struct Location {
    pub directory: Box<dyn Directory>,
    pub name: OsString,
}

/// Links followed before they are taken for a circle, as in Linux.
const LINKS: usize = 40;

/// Follows the links of a path, also one whose end is missing.
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

/// The directory of a path, and the name in it.
pub fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    let Some(name) = path.file_name() else { return Err(io::ErrorKind::IsADirectory.into()) };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok((parent.unwrap_or(Path::new(".")), name))
}
