//! The storage of compiled plugins, as a trait, so that this module does not use the file system.

/// A store of sealed code by name. It need not be reliable: whatever it returns is verified, and whatever it
/// loses is compiled again.
pub trait CodeCache: Send + Sync {
    /// Returns the bytes that were put under a name of 64 hexadecimal digits.
    fn get(&self, name: &str) -> Option<Vec<u8>>;

    /// Stores bytes under a name. Failing is allowed.
    fn put(&self, name: &str, sealed: &[u8]);
}
