//! What lies within what.

use core::ops::Range;

use super::DynPtrError;

/// A range of `bytes`, if it is within them. Two comparisons, and no way to panic.
#[inline(always)]
pub(super) fn within(bytes: &[u8], offset: u64, len: u64) -> Option<&[u8]> {
    bytes.get(offset as usize..)?.get(..len as usize)
}

/// A range of `bytes`, if it is within them.
#[inline(always)]
pub(super) fn within_mut(bytes: &mut [u8], offset: u64, len: u64) -> Option<&mut [u8]> {
    bytes.get_mut(offset as usize..)?.get_mut(..len as usize)
}

/// A range of `size` bytes, which must be within them.
pub(super) fn check(size: usize, offset: u64, len: u64) -> Result<Range<usize>, DynPtrError> {
    let size = size as u64;
    if len <= size && offset <= size - len {
        return Ok(offset as usize..(offset + len) as usize);
    }
    Err(DynPtrError::OutOfBounds { offset, len, size })
}

/// A window of `size` bytes, by where it starts and ends.
#[inline]
pub(super) fn window(start: u64, end: u64, size: usize) -> Result<Range<usize>, DynPtrError> {
    let size = size as u64;
    if start > end {
        return Err(DynPtrError::Backwards { start, end });
    }
    if end > size {
        return Err(DynPtrError::OutOfRange { start, end, size });
    }
    Ok(start as usize..end as usize)
}

/// The first `len` bytes of a buffer.
#[inline]
pub(super) fn first(scratch: &mut [u8], len: u64) -> Result<&mut [u8], DynPtrError> {
    let short = DynPtrError::ShortScratch { len, scratch: scratch.len() as u64 };
    scratch.get_mut(..len as usize).ok_or(short)
}
