//! Bytes of a block that somebody owns.

use core::ops::Deref;
use core::ptr::NonNull;
use std::sync::Arc;

use super::{Attached, Block};

/// By whom something is lent.
#[derive(Clone, Debug)]
pub enum By<'a> {
    /// One who is there for longer.
    Borrowed(&'a Attached),
    /// One who is kept there.
    Kept(Arc<Attached>),
}

impl Deref for By<'_> {
    type Target = Attached;

    #[inline]
    fn deref(&self) -> &Attached {
        match self {
            Self::Borrowed(attached) => attached,
            Self::Kept(attached) => attached,
        }
    }
}

/// Bytes of a block. Given back when dropped.
///
/// # Invariants
/// 1. `block` is owned by `by`, and there is no other `Lent` of it.
/// 2. `bytes` lies in it, in memory that `by` keeps mapped.
#[derive(Debug)]
pub struct Lent<'a> {
    by: By<'a>,
    block: Block,
    bytes: NonNull<[u8]>,
}

// SAFETY: the bytes are this value's alone (invariant 1), as if it were a `Box<[u8]>`; giving them back takes atomics only.
unsafe impl Send for Lent<'_> {}
// SAFETY: as above.
unsafe impl Sync for Lent<'_> {}

impl<'a> Lent<'a> {
    /// The first `len` bytes of `block`, which `by` has just been given. None if it is not that long: then it is given back.
    #[inline(always)]
    pub(super) fn new(by: By<'a>, block: Block, len: u64) -> Option<Self> {
        match by.memory().block(block.unit, len.div_ceil(crate::wire::arena::UNIT_BYTES), len) {
            Some(bytes) => Some(Self { by, block, bytes }),
            None => {
                by.free_other(block);
                None
            }
        }
    }

    /// Whose it is.
    #[inline]
    pub fn by(&self) -> &By<'a> {
        &self.by
    }

    /// The block and how many bytes of it count, for somebody who is to have it from now on.
    pub(super) fn into_parts(self) -> (Block, u64) {
        let this = core::mem::ManuallyDrop::new(self);
        // SAFETY: it is valid, and not dropped afterwards, nor used.
        drop(unsafe { core::ptr::read(&raw const this.by) });
        (this.block, this.bytes.len() as u64)
    }

    /// The same, which can be taken back.
    pub(super) fn parts(&self) -> (Block, u64) {
        (self.block, self.bytes.len() as u64)
    }

    /// The bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: initialised, mapped, and nobody else's (invariants 1 and 2).
        unsafe { self.bytes.as_ref() }
    }

    /// The bytes, to be written.
    #[inline]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above.
        unsafe { self.bytes.as_mut() }
    }

    /// Where they are, in bytes from the start of the arena's data.
    pub fn offset(&self) -> u64 {
        u64::from(self.block.unit) * crate::wire::arena::UNIT_BYTES
    }
}

impl Drop for Lent<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.by.free(self.block);
    }
}
