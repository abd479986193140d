//! The cache of compiled plugins: a folder of the user, `$XDG_CACHE_HOME/bourse/plugins` or
//! `~/.cache/bourse/plugins`.
//!
//! Machine code that is read from it runs outside of the sandbox. So nothing is read from a place where
//! another user could have written: the folder and the key must belong to the user of this process, and be
//! closed to all others. Else nothing is cached, and plugins are compiled each time. Entries are sealed with
//! the key by `plugin`, which checks the seal of whatever this module reads; see
//! `docs/decisions/0014-kept-code-is-sealed-in-a-crate-of-its-own.md`.
//!
//! The cache is bounded in bytes and in plugins, and evicts the least recently used plugin first. The time of
//! the last use is the modification time of the file, which each read updates.

#![allow(clippy::disallowed_types, reason = "when a file was used last decides what is kept, and no offer")]

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    limits,
    plugin::{CodeCache, Limits, SealedCache},
};

/// The name of the file with the key.
const KEY: &str = "key";
/// The prefix of files that are being written.
const NEW: &str = "new-";
/// The age from which such a file counts as a left-over of a run that was killed.
const LEFT_OVER: Duration = Duration::from_secs(3_600);

/// The bounds of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheBounds {
    /// The most bytes of all plugins together.
    pub bytes: u64,
    /// The most plugins.
    pub plugins: usize,
}

impl Default for CacheBounds {
    fn default() -> Self {
        CacheBounds { bytes: limits::KEPT_BYTES, plugins: limits::KEPT_PLUGINS }
    }
}

/// Returns the folder of this user, or `None` if the environment names none.
#[allow(clippy::disallowed_methods, reason = "the environment is the command line's to read")]
pub fn folder() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?;
    Some(cache.join("bourse").join("plugins"))
}

/// Opens the cache in a folder, which is made if it is missing.
///
/// # Errors
/// The reason, in a line, why nothing can be cached there.
pub fn open(folder: &Path) -> Result<SealedCache, String> {
    open_within(folder, CacheBounds::default())
}

/// Opens the cache as [`open`] does, with the given bounds.
///
/// # Errors
/// The same as of [`open`].
pub fn open_within(folder: &Path, bounds: CacheBounds) -> Result<SealedCache, String> {
    let said = |error: io::Error| format!("`{}`: {error}", folder.display());
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).map_err(said)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(said(error)),
        _ => {}
    }
    let user = user(folder).map_err(said)?;
    let own = fs::symlink_metadata(folder).map_err(said)?;
    if !own.is_dir() || !is_private(&own, user) {
        return Err(format!("`{}` is not a folder of yours alone; its mode must be 0700", folder.display()));
    }
    let key = key(folder, user).map_err(said)?;
    Ok(SealedCache::new(key, Arc::new(Folder { path: folder.to_owned(), bounds })))
}

/// Returns the user of this process: the owner of a file that it makes.
fn user(folder: &Path) -> io::Result<u32> {
    let (path, file) = new_file(folder)?;
    let user = file.metadata().map(|made| made.uid());
    fs::remove_file(path)?;
    user
}

/// Returns `true` if a file or folder belongs to a user, and nobody else may read or write it.
fn is_private(what: &Metadata, user: u32) -> bool {
    what.uid() == user && what.mode() & 0o077 == 0
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

/// Creates a file that nobody else can read, under a name that nobody can guess.
fn new_file(folder: &Path) -> io::Result<(PathBuf, File)> {
    let name: String = random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = folder.join(format!("{NEW}{name}"));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    Ok((path, file))
}

/// Writes a file in one step. It need not survive a crash: what is lost is compiled again.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let (path, mut file) = new_file(folder)?;
    let written = file.write_all(bytes).and_then(|()| fs::rename(&path, folder.join(name)));
    if written.is_err() {
        fs::remove_file(&path)?;
    }
    written
}

/// Reads the key. Makes one if there is none.
fn key(folder: &Path, user: u32) -> io::Result<[u8; 32]> {
    let path = folder.join(KEY);
    if !path.try_exists()? {
        // If two runs make one at once, the later one stays. Plugins under the other's seal are compiled
        // again.
        write(folder, KEY, &random::<32>()?)?;
    }
    let mut file = File::open(&path)?;
    let own = file.metadata()?;
    let mut bytes = [0; 32];
    if !own.is_file() || own.len() != 32 || !is_private(&own, user) {
        return Err(io::Error::other("the file `key` is not yours alone; remove the folder to begin anew"));
    }
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

struct Folder {
    path: PathBuf,
    bounds: CacheBounds,
}

/// A cached plugin. The order of fields makes the order: by last use, then by name.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CachedPlugin {
    used: SystemTime,
    name: String,
    bytes: u64,
}

impl Folder {
    /// Removes the least recently used plugins beyond the bounds, and left-overs of killed runs. A file that
    /// cannot be removed is tried again the next time.
    fn evict(&self) -> io::Result<()> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            // Another run may have removed the file meanwhile.
            let Ok(about) = entry.metadata() else { continue };
            let Ok(used) = about.modified() else { continue };
            if name.starts_with(NEW) {
                let age = SystemTime::now().duration_since(used).unwrap_or_default();
                if age > LEFT_OVER {
                    drop(fs::remove_file(entry.path()));
                }
            } else if is_name(&name) {
                kept.push(CachedPlugin { used, name, bytes: about.len() });
            }
        }
        kept.sort();
        let (mut bytes, mut count) = (kept.iter().map(|one| one.bytes).sum::<u64>(), kept.len());
        for oldest in kept {
            if bytes <= self.bounds.bytes && count <= self.bounds.plugins {
                break;
            }
            drop(fs::remove_file(self.path.join(&oldest.name)));
            bytes -= oldest.bytes;
            count -= 1;
        }
        Ok(())
    }
}

/// Returns `true` if a name is that of a cached plugin: 64 hexadecimal digits.
fn is_name(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl CodeCache for Folder {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        let file = File::open(self.path.join(name)).ok()?;
        // The time is only a hint. If it cannot be set, the plugin may be evicted sooner.
        drop(file.set_modified(SystemTime::now()));
        // A larger file cannot be a plugin that was cached. It is cut, and its seal then does not fit.
        let most = Limits::with_interpreter().component_bytes as u64 * limits::PLUGIN_CODE_TIMES;
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn put(&self, name: &str, sealed: &[u8]) {
        // A plugin that does not fit, or cannot be written, is compiled again the next time.
        if sealed.len() as u64 <= self.bounds.bytes && self.bounds.plugins > 0 {
            drop(write(&self.path, name, sealed).and_then(|()| self.evict()));
        }
    }
}
