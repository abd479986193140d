//! Compiled plugins in a folder of the user's own: `$XDG_CACHE_HOME/bourse/plugins`, or `~/.cache/bourse/plugins`.
//!
//! Code that is read from it runs outside of the sandbox, so nothing is read where another user could have written: the folder and
//! the key must belong to the user who runs this and be closed to all others. Where that is not so, nothing is kept and plugins
//! are compiled each time.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::plugin::{Kept, Limits, Shelf};

/// The key's file.
const KEY: &str = "key";
/// How much larger machine code may be than the WebAssembly it is of.
const LARGER: u64 = 64;

/// The folder of this user; `None` where the environment names none.
#[allow(clippy::disallowed_methods, reason = "the environment is the command line's to read")]
pub fn folder() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?;
    Some(cache.join("bourse").join("plugins"))
}

/// Compiled plugins in a folder, which is made where it is not there.
///
/// # Errors
/// Why nothing can be kept there, in a line.
pub fn open(folder: &Path) -> Result<Kept, String> {
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
    Ok(Kept::new(key, Arc::new(Folder { path: folder.to_owned() })))
}

/// Who runs this: the owner of a file that is made now.
fn user(folder: &Path) -> io::Result<u32> {
    let (path, file) = new_file(folder)?;
    let user = file.metadata().map(|made| made.uid());
    fs::remove_file(path)?;
    user
}

/// Whether something belongs to a user, and nobody else may read or write it.
fn is_private(what: &Metadata, user: u32) -> bool {
    what.uid() == user && what.mode() & 0o077 == 0
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

/// A new file that nobody else reads, under a name that nobody guesses.
fn new_file(folder: &Path) -> io::Result<(PathBuf, File)> {
    let name: String = random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = folder.join(format!("new-{name}"));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    Ok((path, file))
}

/// Writes a file whole, or not at all.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let (path, mut file) = new_file(folder)?;
    let written = file.write_all(bytes).and_then(|()| fs::rename(&path, folder.join(name)));
    if written.is_err() {
        fs::remove_file(&path)?;
    }
    written
}

/// The key, made where there is none.
fn key(folder: &Path, user: u32) -> io::Result<[u8; 32]> {
    let path = folder.join(KEY);
    if !path.try_exists()? {
        // Of two that make one at once, the later one stands; what the other sealed is compiled again.
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
}

impl Shelf for Folder {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        let file = File::open(self.path.join(name)).ok()?;
        let most = Limits::with_interpreter().component_bytes as u64 * LARGER;
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn put(&self, name: &str, sealed: &[u8]) {
        // What cannot be written is compiled again.
        drop(write(&self.path, name, sealed));
    }
}
