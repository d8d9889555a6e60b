//! Bytes that are written in place, or back.

use core::fmt;
use core::ops::{Deref, DerefMut};

use super::ViewMut;

/// Bytes to be written: those of the memory themselves, or a copy. From [`ViewMut::slice_mut`].
///
/// **Dropping it writes a copy back.**
pub struct SliceMut<'s> {
    bytes: &'s mut [u8],
    /// Where to write a copy back to.
    target: Option<(ViewMut<'s>, u64)>,
}

impl<'s> SliceMut<'s> {
    #[inline]
    pub(super) fn borrowed(bytes: &'s mut [u8]) -> Self {
        Self { bytes, target: None }
    }

    /// `bytes` must be as long as what is at the offset and to be written back.
    #[inline]
    pub(super) fn copied(bytes: &'s mut [u8], view: ViewMut<'s>, offset: u64) -> Self {
        Self { bytes, target: Some((view, offset)) }
    }

    /// Whether the bytes are a copy, as those of the memory do not lie in one piece.
    #[inline]
    pub fn is_copy(&self) -> bool {
        self.target.is_some()
    }
}

impl Drop for SliceMut<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some((view, offset)) = &mut self.target {
            // The range has been read, so it can be written.
            let _ = view.write(*offset, self.bytes);
        }
    }
}

impl Deref for SliceMut<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

impl DerefMut for SliceMut<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        self.bytes
    }
}

impl fmt::Debug for SliceMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SliceMut").field("len", &self.bytes.len()).field("is_copy", &self.is_copy()).finish()
    }
}
