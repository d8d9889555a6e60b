//! What a merge delivers.

use core::ops::Deref;

use crate::ring::{Record, RingToken};

/// A record of one of several rings, readable in place. From [`RingMerge`](crate::RingMerge).
///
/// Its space is given back to the producers once the closure that was called with it returns.
#[derive(Debug)]
#[non_exhaustive]
pub struct MergedRecord<'m, K> {
    /// The ring that it is from.
    pub ring: RingToken,
    /// Its key.
    pub key: &'m K,
    /// Whether one with a later key was delivered before.
    pub late: bool,
    record: &'m Record<'m>,
}

impl<'m, K> MergedRecord<'m, K> {
    pub(super) fn new(ring: RingToken, key: &'m K, late: bool, record: &'m Record<'m>) -> Self {
        Self { ring, key, late, record }
    }

    /// Where the record starts in its ring, in bytes since that began, modulo 2⁶⁴.
    pub fn position(&self) -> u64 {
        self.record.position()
    }
}

impl<K> Deref for MergedRecord<'_, K> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.record
    }
}

impl<K> AsRef<[u8]> for MergedRecord<'_, K> {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self
    }
}
