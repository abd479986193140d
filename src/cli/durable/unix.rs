//! The file system of a POSIX system. Names are relative to an open directory (`openat` and its kin).
//!
//! Locks are those of `flock`. They belong to the open file and end with it, so a killed run leaves none, and
//! closing another handle of the same file in this process does not release them, as it would with those of
//! `fcntl`.

use std::{
    ffi::{OsStr, OsString},
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    fs::{AtFlags, FileType, FlockOperation, Mode, OFlags},
    io::{Errno, retry_on_intr},
};

use super::system::{
    Access, Directory, FileId, FileKind, FileStat, FileSystem, HoldResult, OpenFile, OpenMode, Replace,
};

/// The bits of a mode that are permissions, without those of the kind of file.
const PERMISSIONS: u32 = 0o7777;

/// The file system of the process.
#[derive(Debug)]
pub struct UnixFileSystem {
    own: Access,
    #[allow(clippy::disallowed_types, reason = "bounds the wait for a lock; no offer depends on it")]
    began: std::time::Instant,
}

impl UnixFileSystem {
    /// Creates the file system. Call while the process has one thread: the mask of new files can only be read
    /// by setting it, and another thread could create a file meanwhile.
    pub fn new() -> UnixFileSystem {
        let mask = rustix::process::umask(Mode::from_raw_mode(0o077));
        rustix::process::umask(mask);
        let own = Access {
            #[allow(clippy::useless_conversion, reason = "a mode has 16 bits on some systems")]
            mode: 0o666 & !u32::from(mask.as_raw_mode()),
            user: rustix::process::geteuid().as_raw(),
            group: rustix::process::getegid().as_raw(),
        };
        #[allow(clippy::disallowed_types, reason = "bounds the wait for a lock; no offer depends on it")]
        let began = std::time::Instant::now();
        UnixFileSystem { own, began }
    }
}

impl FileSystem for UnixFileSystem {
    fn directory(&self, path: &Path) -> io::Result<Box<dyn Directory>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))?;
        Ok(Box::new(UnixDirectory(File::from(open))))
    }

    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        match retry_on_intr(|| rustix::fs::stat(path)) {
            Ok(stat) => Ok(Some(stat_of(&stat).kind)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn stream(&self, path: &Path) -> io::Result<Box<dyn Write>> {
        Ok(Box::new(OpenOptions::new().write(true).open(path)?))
    }

    fn own_access(&self) -> Access {
        self.own
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
        let host = rustix::system::uname();
        super::process_on(&host.nodename().to_string_lossy())
    }
}

#[derive(Debug)]
struct UnixDirectory(File);

impl Directory for UnixDirectory {
    fn id(&self) -> io::Result<Option<FileId>> {
        Ok(stat_of(&rustix::fs::fstat(&self.0)?).id)
    }

    fn look(&self, name: &OsStr) -> io::Result<Option<FileStat>> {
        match retry_on_intr(|| rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)) {
            Ok(stat) => Ok(Some(stat_of(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn read_link(&self, name: &OsStr) -> io::Result<PathBuf> {
        let path = retry_on_intr(|| rustix::fs::readlinkat(&self.0, name, Vec::new()))?;
        Ok(PathBuf::from(OsString::from_vec(path.into_bytes())))
    }

    fn open(&self, name: &OsStr, opening: OpenMode) -> io::Result<Box<dyn OpenFile>> {
        let (how, mode) = match opening {
            OpenMode::Read => (OFlags::RDONLY, 0),
            OpenMode::Write => (OFlags::RDWR, 0),
            OpenMode::NewPrivate => (OFlags::RDWR | OFlags::CREATE | OFlags::EXCL, 0o600),
            OpenMode::NewShared => (OFlags::RDWR | OFlags::CREATE | OFlags::EXCL, 0o666),
        };
        // Without NONBLOCK, opening a pipe would wait for its other end. The caller then sees that it is no
        // file.
        let flags = how | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let open = retry_on_intr(|| rustix::fs::openat(&self.0, name, flags, Mode::from_raw_mode(mode)))?;
        Ok(Box::new(UnixFile(File::from(open))))
    }

    fn rename(&self, from: &OsStr, to: &OsStr, over: Replace) -> io::Result<()> {
        if over == Replace::Any {
            return Ok(retry_on_intr(|| rustix::fs::renameat(&self.0, from, &self.0, to))?);
        }
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        {
            let flags = rustix::fs::RenameFlags::NOREPLACE;
            match retry_on_intr(|| rustix::fs::renameat_with(&self.0, from, &self.0, to, flags)) {
                // The kernel or the file system does not support the flag.
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
                result => return Ok(result?),
            }
        }
        // Without the flag it takes two steps. The lock file keeps other runs out between them.
        if self.look(to)?.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.rename(from, to, Replace::Any)
    }

    fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(retry_on_intr(|| rustix::fs::unlinkat(&self.0, name, AtFlags::empty()))?)
    }

    fn make_directory(&self, name: &OsStr) -> io::Result<()> {
        Ok(retry_on_intr(|| rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(0o777)))?)
    }

    fn names(&self, prefix: &str) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name.starts_with(prefix.as_bytes()) && name != b"." && name != b".." {
                names.push(OsStr::from_bytes(name).to_owned());
            }
        }
        Ok(names)
    }

    fn sync(&self) -> io::Result<()> {
        match self.0.sync_all() {
            // Some file systems refuse to sync a directory, as there is nothing to sync.
            Err(error) if is_of(&error, &[Errno::INVAL, Errno::BADF, Errno::NOTSUP]) => Ok(()),
            result => result,
        }
    }
}

#[derive(Debug)]
struct UnixFile(File);

impl Read for UnixFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl Write for UnixFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl OpenFile for UnixFile {
    fn stat(&self) -> io::Result<FileStat> {
        Ok(stat_of(&rustix::fs::fstat(&self.0)?))
    }

    fn try_lock(&self) -> io::Result<bool> {
        match retry_on_intr(|| rustix::fs::flock(&self.0, FlockOperation::NonBlockingLockExclusive)) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn try_hold(&self) -> io::Result<HoldResult> {
        match self.try_lock() {
            Ok(true) => Ok(HoldResult::Mine),
            Ok(false) => Ok(HoldResult::Others),
            // Over NFS `flock` becomes a lock of the server, which needs a file that is open for writing.
            Err(error) if is_of(&error, &[Errno::NOLCK, Errno::NOTSUP, Errno::NOSYS, Errno::BADF]) => {
                Ok(HoldResult::Unsupported)
            }
            Err(error) => Err(error),
        }
    }

    fn set_access(&self, access: Access) -> io::Result<()> {
        let own = self.stat()?.access;
        let given = |user: Option<u32>, group: Option<u32>| {
            let (user, group) = (user.map(rustix::fs::Uid::from_raw), group.map(rustix::fs::Gid::from_raw));
            retry_on_intr(|| rustix::fs::fchown(&self.0, user, group)).is_ok()
        };
        let mut mode = access.mode & PERMISSIONS;
        let has_user = own.user == access.user || given(Some(access.user), None);
        let has_group = own.group == access.group || given(None, Some(access.group));
        // If an owner could not be kept, the rights of the old one must not pass to the new one.
        if !has_user {
            mode &= !0o4000;
        }
        if !has_group {
            mode &= !0o2070;
        }
        #[allow(clippy::useless_conversion, reason = "the type is narrower on other systems")]
        let mode = Mode::from_raw_mode(mode.try_into().unwrap_or(0o600));
        Ok(retry_on_intr(|| rustix::fs::fchmod(&self.0, mode))?)
    }

    fn clear(&self) -> io::Result<()> {
        self.0.set_len(0)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }
}

fn is_of(error: &io::Error, known: &[Errno]) -> bool {
    Errno::from_io_error(error).is_some_and(|errno| known.contains(&errno))
}

#[allow(clippy::unnecessary_cast, reason = "the types of the fields differ from system to system")]
fn stat_of(stat: &rustix::fs::Stat) -> FileStat {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Link,
        _ => FileKind::Other,
    };
    FileStat {
        id: Some(FileId { device: stat.st_dev as u64, number: stat.st_ino as u64 }),
        kind,
        links: stat.st_nlink as u64,
        access: Access {
            mode: stat.st_mode as u32 & PERMISSIONS,
            user: stat.st_uid as u32,
            group: stat.st_gid as u32,
        },
    }
}
