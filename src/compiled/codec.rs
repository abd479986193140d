//! The encoding of plans as bytes. Numbers are little-endian and of fixed width, lists are preceded by their
//! length, variants by their number.
//!
//! Writing is deterministic: equal plans give equal bytes, so that the hash of a file can be pinned. A reader
//! refuses lists that are longer than the file, repeated members of sets, and bytes after the end.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

/// A reader of bytes from first to last.
#[derive(Debug)]
pub struct ByteReader<'a> {
    rest: &'a [u8],
}

impl<'a> ByteReader<'a> {
    /// Makes a reader of bytes.
    pub fn new(bytes: &'a [u8]) -> ByteReader<'a> {
        ByteReader { rest: bytes }
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (first, rest) = self.rest.split_at_checked(count).ok_or("it ends too early")?;
        self.rest = rest;
        Ok(first)
    }

    /// Reads the length of a list. Every item takes at least a byte, so a length beyond the rest of the file
    /// is refused before anything is allocated for it.
    fn length(&mut self) -> Result<usize, String> {
        let length = u32::take(self)? as usize;
        if length > self.rest.len() { Err("a list is longer than the file".to_owned()) } else { Ok(length) }
    }

    /// Checks that no byte is left.
    pub fn end(&self) -> Result<(), String> {
        if self.rest.is_empty() { Ok(()) } else { Err("something follows its end".to_owned()) }
    }
}

/// A type with an encoding.
pub trait Form: Sized {
    /// Appends the encoding of the value.
    fn put(&self, out: &mut Vec<u8>);
    /// Reads a value.
    ///
    /// # Errors
    /// The defect, in a line.
    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String>;
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Form for $number {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend(self.to_le_bytes());
            }
            fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
                let bytes = reader.bytes(size_of::<$number>())?;
                bytes.try_into().map(<$number>::from_le_bytes).map_err(|_| "it ends too early".to_owned())
            }
        })*
    };
}

numbers!(u8, u32, u64, i64);

impl Form for usize {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u64).put(out);
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        usize::try_from(u64::take(reader)?).map_err(|_| "a number is too large".to_owned())
    }
}

impl Form for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        match u8::take(reader)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err("neither true nor false".to_owned()),
        }
    }
}

impl Form for String {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u32).put(out);
        out.extend(self.as_bytes());
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        let length = reader.length()?;
        String::from_utf8(reader.bytes(length)?.to_vec()).map_err(|_| "a text is not UTF-8".to_owned())
    }
}

impl<T: Form> Form for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u32).put(out);
        self.iter().for_each(|item| item.put(out));
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        let length = reader.length()?;
        (0..length).map(|_| T::take(reader)).collect()
    }
}

impl<T: Form + Clone> Form for Box<[T]> {
    fn put(&self, out: &mut Vec<u8>) {
        self.to_vec().put(out);
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        Ok(Vec::take(reader)?.into())
    }
}

impl<T: Form + Clone> Form for Arc<[T]> {
    fn put(&self, out: &mut Vec<u8>) {
        self.to_vec().put(out);
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        Ok(Vec::take(reader)?.into())
    }
}

impl<T: Form + Eq + std::hash::Hash> Form for IndexSet<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u32).put(out);
        self.iter().for_each(|item| item.put(out));
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        let items: Vec<T> = Vec::take(reader)?;
        let count = items.len();
        let set: IndexSet<T> = items.into_iter().collect();
        if set.len() == count { Ok(set) } else { Err("something stands twice".to_owned()) }
    }
}

impl<K: Form + Eq + std::hash::Hash, T: Form> Form for IndexMap<K, T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u32).put(out);
        for (key, item) in self {
            key.put(out);
            item.put(out);
        }
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        let items: Vec<(K, T)> = Vec::take(reader)?;
        let count = items.len();
        let map: IndexMap<K, T> = items.into_iter().collect();
        if map.len() == count { Ok(map) } else { Err("something stands twice".to_owned()) }
    }
}

impl<T: Form> Form for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        if bool::take(reader)? { T::take(reader).map(Some) } else { Ok(None) }
    }
}

impl<A: Form, B: Form> Form for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        Ok((A::take(reader)?, B::take(reader)?))
    }
}

impl<A: Form, B: Form, C: Form> Form for (A, B, C) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
    }

    fn take(reader: &mut ByteReader<'_>) -> Result<Self, String> {
        Ok((A::take(reader)?, B::take(reader)?, C::take(reader)?))
    }
}
