//! Bytes of an entry that somebody holds, or has alone.

use core::ptr::NonNull;
use std::sync::Arc;

use super::OpenMap;
use crate::wire::arena::{CellWord, UNIT_BYTES};

/// An entry's bytes, which stay what they are until it is dropped.
///
/// # Invariants
/// 1. The entry `index` of the map is held, and `bytes` lies in its block, in memory that the map keeps mapped.
#[derive(Debug)]
pub struct Held {
    map: Arc<OpenMap>,
    index: u32,
    torn: bool,
    bytes: NonNull<[u8]>,
}

/// An entry's bytes, which nobody else has until it is dropped.
///
/// # Invariants
/// 1. The entry `index` of the map is had alone, and `bytes` lies in its block, in memory that the map keeps mapped.
#[derive(Debug)]
pub struct Alone {
    map: Arc<OpenMap>,
    index: u32,
    exclusive: CellWord,
    bytes: NonNull<[u8]>,
}

// SAFETY: while it exists, nobody writes the bytes (invariant 1); letting go takes atomics only.
unsafe impl Send for Held {}
// SAFETY: as above.
unsafe impl Sync for Held {}
// SAFETY: while it exists, the bytes are this value's alone (invariant 1); letting go takes atomics only.
unsafe impl Send for Alone {}
// SAFETY: as above.
unsafe impl Sync for Alone {}

/// The bytes of the entry in a cell, if they can be.
fn bytes_of(map: &OpenMap, index: u32) -> Option<NonNull<[u8]>> {
    let value = map.entries()?.value(index)?;
    let units = map.by().hand().units_of_kept(value)?;
    (value.len <= units.saturating_mul(UNIT_BYTES)).then(|| map.by().memory().block(value.unit, units, value.len))?
}

impl Held {
    /// The entry, which has just been held as it was `found`. None if it cannot be: then it is let go of.
    pub(super) fn new(map: &Arc<OpenMap>, index: u32, found: CellWord) -> Option<Self> {
        match bytes_of(map, index) {
            Some(bytes) => Some(Self { map: Arc::clone(map), index, torn: found.is_torn(), bytes }),
            None => {
                map.entries()?.let_go(index);
                None
            }
        }
    }

    /// The bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: initialised, mapped, and nobody writes them (invariant 1).
        unsafe { self.bytes.as_ref() }
    }

    /// Whether somebody has died who had it alone.
    pub fn is_torn(&self) -> bool {
        self.torn
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        if let Some(entries) = self.map.entries() {
            entries.hold_again(self.index);
        }
        Self { map: Arc::clone(&self.map), ..*self }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(entries) = self.map.entries() {
            entries.let_go(self.index);
        }
    }
}

impl Alone {
    /// The entry, which has just been had alone. None if it cannot be: then it is shared again.
    pub(super) fn new(map: &Arc<OpenMap>, index: u32, exclusive: CellWord) -> Option<Self> {
        match bytes_of(map, index) {
            Some(bytes) => Some(Self { map: Arc::clone(map), index, exclusive, bytes }),
            None => {
                map.entries()?.share(index, exclusive);
                None
            }
        }
    }

    /// The bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: initialised, mapped, and nobody else's (invariant 1).
        unsafe { self.bytes.as_ref() }
    }

    /// The bytes, to be written.
    #[inline]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above.
        unsafe { self.bytes.as_mut() }
    }

    /// Whether somebody has died who had it alone.
    pub fn is_torn(&self) -> bool {
        self.exclusive.is_torn()
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if let Some(entries) = self.map.entries() {
            entries.share(self.index, self.exclusive);
        }
    }
}
