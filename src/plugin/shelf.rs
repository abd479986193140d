//! Where compiled code is kept: the file system is not this module's.

/// Where sealed code lies. It is not trusted: what it gives is checked, what it loses is made again.
pub trait Shelf: Send + Sync {
    /// What was put under this name: 64 hexadecimal digits.
    fn get(&self, name: &str) -> Option<Vec<u8>>;

    /// Puts something under a name, if it can.
    fn put(&self, name: &str, sealed: &[u8]);
}
