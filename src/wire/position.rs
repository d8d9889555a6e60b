//! Places in a ring, counted in bytes since it began.

use super::{HEADER_BYTES, MAX_LEN, RingSize};

/// A monotonic byte count, never masked in storage: the offset in the ring is the position modulo the ring's size.
///
/// Positions wrap at 2⁶⁴ as an ordinary event, so they have no order; they are compared by distance, which is right as
/// long as two positions are less than 2⁶³ bytes apart. In a ring they are at most its size apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position(u64);

impl Position {
    /// The position that a word from memory stands for.
    #[inline]
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Bytes since the ring began, modulo 2⁶⁴.
    #[inline]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The position `bytes` further on.
    #[inline]
    #[must_use]
    pub const fn advance(self, bytes: u64) -> Self {
        Self(self.0.wrapping_add(bytes))
    }

    /// The position `bytes` before.
    #[inline]
    #[must_use]
    pub const fn retreat(self, bytes: u64) -> Self {
        Self(self.0.wrapping_sub(bytes))
    }

    /// Bytes from `earlier` to here, modulo 2⁶⁴: huge if `earlier` is in fact later.
    #[inline]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.wrapping_sub(earlier.0)
    }

    /// Whether this position is further on than `other`.
    #[inline]
    pub const fn is_after(self, other: Self) -> bool {
        (self.since(other) as i64) > 0
    }

    /// The one of the two that is further on.
    #[inline]
    #[must_use]
    pub const fn latest(self, other: Self) -> Self {
        if other.is_after(self) { other } else { self }
    }

    /// Offset in the data of a ring of `size` bytes.
    #[inline]
    pub const fn offset(self, size: RingSize) -> usize {
        (self.0 & size.mask()) as usize
    }

    /// Whether a record may start here: records start at multiples of 8.
    #[inline]
    pub const fn is_aligned(self) -> bool {
        self.0 % HEADER_BYTES == 0
    }
}

impl core::fmt::Debug for Position {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl core::fmt::Display for Position {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// Bytes that a record with a payload of `len` bytes takes in the ring: header and payload, rounded up to 8.
#[inline]
pub const fn stride(len: u32) -> u64 {
    (len as u64 + 2 * HEADER_BYTES - 1) & !(HEADER_BYTES - 1)
}

/// The largest payload, in bytes, of a record that takes no more than `bytes` bytes, at least 8: a multiple of 8, so that what
/// [`stride`] makes of it has a payload that a header can express too.
#[inline]
pub const fn largest_payload(bytes: u64) -> u32 {
    const MOST: u64 = (MAX_LEN as u64) & !(HEADER_BYTES - 1);
    let payload = (bytes - HEADER_BYTES) & !(HEADER_BYTES - 1);
    if payload < MOST { payload as u32 } else { MOST as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_payload_and_the_whole_record_without_its_header_can_be_expressed() {
        for bytes in [8, 15, 16, 4088, 1 << 30, (1 << 30) + 7, (1 << 30) + 8, (1 << 31) - 8, (1 << 40) - 8] {
            let len = largest_payload(bytes);
            assert!(stride(len) <= bytes);
            assert!(stride(len) - HEADER_BYTES <= u64::from(MAX_LEN), "{bytes}");
        }
        assert_eq!(largest_payload(4088), 4080);
        assert_eq!(largest_payload(1 << 31), (1 << 30) - 8);
    }

    #[test]
    fn order_is_by_distance_across_the_wrap() {
        for edge in [0u64, 1 << 31, 1 << 32, 1 << 63] {
            let before = Position::new(edge.wrapping_sub(8));
            let after = before.advance(16);
            assert!(after.is_after(before), "at {edge:#x}");
            assert!(!before.is_after(after), "at {edge:#x}");
            assert!(!before.is_after(before), "at {edge:#x}");
            assert_eq!(after.since(before), 16);
            assert_eq!(before.latest(after), after);
            assert_eq!(after.latest(before), after);
        }
    }

    #[test]
    fn a_stride_holds_header_and_payload_and_ends_on_the_grid() {
        for (len, bytes) in [(0, 8), (1, 16), (8, 16), (9, 24), (24, 32), (4096, 4104)] {
            assert_eq!(stride(len), bytes, "{len}");
        }
        assert_eq!(stride(super::super::MAX_LEN), (1 << 30) + 8);
    }
}
