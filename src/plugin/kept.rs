//! Compiled plugins that are kept: installing one again takes microseconds. What is kept is only believed under a seal.

use std::{fmt, sync::Arc};

use bourse_sealed::{Key, Name};
use sha2::{Digest, Sha256};

use super::{
    Grants, Shelf,
    fault::Fault,
    host::{Host, Plugin},
    scan,
};

/// Compiled code of plugins, kept for another run. Cheap to clone.
#[derive(Clone)]
pub struct Kept {
    key: Key,
    shelf: Arc<dyn Shelf>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

impl Kept {
    /// Keeps what is compiled on a shelf, under seals of a key: 32 random bytes that only this user can read. Whoever has
    /// the key and the shelf can have any code run.
    pub fn new(key: [u8; 32], shelf: Arc<dyn Shelf>) -> Kept {
        Kept { key: Key::new(key), shelf }
    }
}

impl Host {
    /// As [`Host::install`], but code that was compiled before is not compiled again. Everything else is done each time.
    ///
    /// # Errors
    /// The first rule that the plugin breaks. What is wrong with the shelf is no fault: then it is compiled.
    pub fn install_kept(
        &self,
        name: &str,
        bytes: &[u8],
        grants: &Grants,
        kept: &Kept,
    ) -> Result<Plugin, Fault> {
        scan::size(name, bytes, self.limits())?;
        let hash = Sha256::digest(bytes).into();
        let of = Name::new(self.engine(), &hash, env!("CARGO_PKG_VERSION"));
        let found = kept.shelf.get(&of.text());
        let known = found.and_then(|sealed| bourse_sealed::open(&kept.key, &of, self.engine(), &sealed));
        if let Some(component) = known {
            return self.admit(name, hash, component, grants);
        }
        scan::scan(name, bytes, self.limits())?;
        let component = self.compile(name, bytes)?;
        if let Some(sealed) = bourse_sealed::seal(&kept.key, &of, &component) {
            kept.shelf.put(&of.text(), &sealed);
        }
        self.admit(name, hash, component, grants)
    }
}
