//! How large a ring may be.

/// Size of a ring's data in bytes: a power of two.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RingSize {
    mask: u64,
    /// Kept, as not every processor that this is compiled for counts the bits of a mask in one instruction.
    shift: u32,
}

/// A number of bytes that no ring can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SizeError {
    /// The size asked for, in bytes.
    pub found: u64,
    /// The smallest size allowed, in bytes.
    pub min: u64,
    /// The largest size allowed, in bytes.
    pub max: u64,
}

impl core::fmt::Display for SizeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { found, min, max } = self;
        write!(f, "a ring of {found} bytes was asked for; a power of two from {min} to {max} is allowed")
    }
}

impl std::error::Error for SizeError {}

impl RingSize {
    /// The smallest size, in bytes. A ring with mapped memory has at least one page.
    pub const MIN: u64 = 32;
    /// The largest size, in bytes: 1 TiB.
    pub const MAX: u64 = 1 << 40;

    /// A ring of exactly `bytes` bytes.
    ///
    /// # Errors
    /// `bytes` is not a power of two from [`RingSize::MIN`] to [`RingSize::MAX`].
    pub const fn new(bytes: u64) -> Result<Self, SizeError> {
        if bytes.is_power_of_two() && bytes >= Self::MIN && bytes <= Self::MAX {
            Ok(Self { mask: bytes - 1, shift: bytes.trailing_zeros() })
        } else {
            Err(SizeError { found: bytes, min: Self::MIN, max: Self::MAX })
        }
    }

    /// The smallest legal size that holds `bytes` bytes in whole pages of `page` bytes.
    ///
    /// # Errors
    /// It would exceed [`RingSize::MAX`].
    pub const fn at_least(bytes: u64, page: u64) -> Result<Self, SizeError> {
        let least = if bytes < page { page } else { bytes };
        match least.checked_next_power_of_two() {
            Some(size) if size <= Self::MAX => Self::new(size),
            _ => Err(SizeError { found: bytes, min: page, max: Self::MAX }),
        }
    }

    /// The size in bytes.
    #[inline]
    pub const fn bytes(self) -> u64 {
        self.mask + 1
    }

    /// Size − 1.
    #[inline]
    pub const fn mask(self) -> u64 {
        self.mask
    }

    /// Binary logarithm of the size.
    #[inline]
    pub const fn shift(self) -> u32 {
        self.shift
    }

    /// How many bytes may be reserved and not yet released: size − 8, as in the kernel, so that a full ring and an empty one
    /// never look alike.
    #[inline]
    pub const fn usable(self) -> u64 {
        self.mask - 7
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_capacity_rounds_up_to_a_legal_one() {
        for page in [4096, 16384, 65536] {
            for (asked, got) in [(0, page), (1, page), (page, page), (page + 1, 2 * page)] {
                assert_eq!(RingSize::at_least(asked, page).unwrap().bytes(), got);
            }
        }
        assert_eq!(RingSize::at_least(RingSize::MAX, 4096).unwrap().bytes(), RingSize::MAX);
        for asked in [RingSize::MAX + 1, u64::MAX] {
            let error = RingSize::at_least(asked, 4096).unwrap_err();
            assert_eq!((error.found, error.max), (asked, RingSize::MAX));
        }
    }

    #[test]
    fn a_size_is_a_power_of_two() {
        for bytes in [0, 1, 16, 33, 65, 4095, 4097, RingSize::MAX * 2] {
            assert!(RingSize::new(bytes).is_err(), "{bytes}");
        }
        let size = RingSize::new(4096).unwrap();
        assert_eq!((size.bytes(), size.mask(), size.shift(), size.usable()), (4096, 4095, 12, 4088));
    }
}
