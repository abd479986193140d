//! Compiled components that are kept under a seal.
//!
//! An engine trusts machine code that it is handed: what was changed on the way runs all the same, outside of every
//! sandbox. So code that is kept is sealed with a key (HMAC-SHA256, RFC 2104) over the code, and over what it is of: the
//! hash of its WebAssembly, the version and the settings of the engine. What does not carry the seal of just that is never
//! handed to the engine, however it got there.
//!
//! This crate is apart because that step is the one in bourse that the compiler cannot check.

use std::hash::{Hash, Hasher};

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use wasmtime::{Engine, component::Component};

/// Bytes of a seal.
const SEAL: usize = 32;

/// What seals are made with. Whoever has it can make code that runs outside of the sandbox: it belongs to one user, and
/// leaves the machine never.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// A key of 32 bytes from the system's source of randomness.
    pub fn new(bytes: [u8; 32]) -> Key {
        Key(bytes)
    }

    fn seal(&self, name: &Name, code: &[u8]) -> Hmac<Sha256> {
        // A key of any length is taken; this one has 32 bytes.
        let mut seal = <Hmac<Sha256> as Mac>::new_from_slice(&self.0).unwrap_or_else(|_| unreachable!());
        seal.update(&name.0);
        seal.update(code);
        seal
    }
}

/// What compiled code is of: its WebAssembly, and the engine that compiled it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name([u8; 32]);

impl Name {
    /// Of a component with this SHA-256, compiled by this engine for this version of the host.
    pub fn new(engine: &Engine, wasm: &[u8; 32], version: &str) -> Name {
        let mut sum = Sum(Sha256::new());
        sum.write(wasm);
        engine.precompile_compatibility_hash().hash(&mut sum);
        sum.write(version.as_bytes());
        Name(sum.0.finalize().into())
    }

    /// As text: 64 hexadecimal digits, fit for the name of a file.
    pub fn text(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Takes everything that is hashed, whole.
struct Sum(Sha256);

impl Hasher for Sum {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

/// The code of a component under a seal; `None` where it cannot be written down.
pub fn seal(key: &Key, name: &Name, component: &Component) -> Option<Vec<u8>> {
    let code = component.serialize().ok()?;
    let seal = key.seal(name, &code).finalize().into_bytes();
    Some([&seal[..], &code].concat())
}

/// The component of sealed code; `None` where the seal is not that of this key, this name and these bytes.
pub fn open(key: &Key, name: &Name, engine: &Engine, sealed: &[u8]) -> Option<Component> {
    let (seal, code) = sealed.split_at_checked(SEAL)?;
    key.seal(name, code).verify_slice(seal).ok()?;
    // SAFETY: `deserialize` asks that the bytes are unchanged from `Component::serialize` of a compatible engine. The seal
    // shows it: only `seal` makes one, over just these bytes, under a key that only this user has; and the name that it
    // covers holds the engine's own hash of version and settings, so the engine that compiled them is as this one.
    unsafe { Component::deserialize(engine, code) }.ok()
}
