//! What entries of a map are known by.

use zerocopy::{Immutable, IntoBytes};

/// What entries of a [`Map`](super::Map) are known by: bytes.
///
/// Values of a fixed size without padding are keys as they lie in memory ([`IntoBytes`]): integers, arrays, structures that derive
/// it. `[u8]` and `str` are keys of any length up to what the [map](super::MapSize::key_bytes) has room for.
pub trait Key {
    /// Bytes of each key, if all have the same number.
    const BYTES: Option<usize>;

    /// The bytes.
    fn as_key(&self) -> &[u8];
}

impl<T: IntoBytes + Immutable> Key for T {
    const BYTES: Option<usize> = Some(size_of::<T>());

    fn as_key(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Key for [u8] {
    const BYTES: Option<usize> = None;

    fn as_key(&self) -> &[u8] {
        self
    }
}

impl Key for str {
    const BYTES: Option<usize> = None;

    fn as_key(&self) -> &[u8] {
        self.as_bytes()
    }
}
