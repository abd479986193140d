//! A cache of compiled plugins, so that installing one again needs no compilation.
//!
//! The engine runs compiled code without checking it, so an entry is used only under a valid seal; see the
//! crate `bourse-sealed`. The storage itself is not trusted.

use std::{fmt, sync::Arc};

use bourse_sealed::{Key, Name};
use sha2::{Digest, Sha256};

use super::{
    CodeCache, Grants,
    fault::Fault,
    host::{Host, Plugin},
    scan,
};

/// A cache of compiled plugins. Cheap to clone.
#[derive(Clone)]
pub struct SealedCache {
    key: Key,
    cache: Arc<dyn CodeCache>,
}

impl fmt::Debug for SealedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

impl SealedCache {
    /// Creates a cache over a shelf, with a key for the seals: 32 random bytes that only this user can read.
    /// Anyone with the key and write access to the shelf can make this program run any code.
    pub fn new(key: [u8; 32], cache: Arc<dyn CodeCache>) -> SealedCache {
        SealedCache { key: Key::new(key), cache }
    }
}

impl Host {
    /// Installs a plugin like [`Host::install`], but takes the compiled code from the cache if it is there.
    /// The form of its bytes is then not scanned again, since the limits of form protect only the
    /// compilation. The trial and all checks of its description are done each time.
    ///
    /// # Errors
    /// The first rule that the plugin breaks. A bad entry in the cache is no fault; the plugin is compiled
    /// instead.
    pub fn install_kept(
        &self,
        name: &str,
        bytes: &[u8],
        grants: &Grants,
        kept: &SealedCache,
    ) -> Result<Plugin, Fault> {
        scan::size(name, bytes, self.limits())?;
        let hash = Sha256::digest(bytes).into();
        let of = Name::new(self.engine(), &hash, env!("CARGO_PKG_VERSION"));
        let found = kept.cache.get(&of.text());
        let known = found.and_then(|sealed| bourse_sealed::open(&kept.key, &of, self.engine(), &sealed));
        if let Some(component) = known {
            return self.admit(name, hash, component, grants);
        }
        scan::scan(name, bytes, self.limits())?;
        let component = self.compile(name, bytes)?;
        if let Some(sealed) = bourse_sealed::seal(&kept.key, &of, &component) {
            kept.cache.put(&of.text(), &sealed);
        }
        self.admit(name, hash, component, grants)
    }
}
