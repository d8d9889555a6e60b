//! How much may be reserved.

use super::{MAX_LEN, RingSize, largest_payload};

/// How much of a ring may be reserved: by all producers together, and at once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Capacity {
    usable: u64,
    max_span: u64,
    max_len: u32,
}

impl Capacity {
    /// That of a ring which is read as the kernel's `BPF_MAP_TYPE_RINGBUF` is: 8 bytes always stay free. Unless it is
    /// `mirrored`, records do not reach over the end of the data, and take at most half of it.
    ///
    /// Source: `__bpf_ringbuf_reserve` in the kernel.
    pub const fn of_ring(size: RingSize, mirrored: bool) -> Self {
        let max_span = if mirrored { size.usable() } else { size.bytes() / 2 };
        Self::new(size.usable(), max_span, MAX_LEN)
    }

    /// That of a `BPF_MAP_TYPE_USER_RINGBUF`: it may be exactly full, and the kernel hands samples out as dynamic pointers, which
    /// end at 2²⁴ − 1 bytes. It never gets past a longer one.
    ///
    /// Source: `__bpf_user_ringbuf_peek` in the kernel, `user_ring_buffer__reserve` in libbpf.
    pub const fn of_user_ring(size: RingSize) -> Self {
        /// `DYNPTR_MAX_SIZE`.
        const DYNPTR_MAX_LEN: u32 = (1 << 24) - 1;
        Self::new(size.bytes(), size.bytes(), DYNPTR_MAX_LEN)
    }

    const fn new(usable: u64, max_span: u64, most: u32) -> Self {
        let len = largest_payload(max_span);
        Self { usable, max_span, max_len: if len < most { len } else { most } }
    }

    /// Bytes that may be reserved and not yet released, headers included.
    #[inline]
    pub const fn usable(self) -> u64 {
        self.usable
    }

    /// Bytes that may be reserved at once, headers included.
    #[inline]
    pub const fn max_span(self) -> u64 {
        self.max_span
    }

    /// The largest payload that a record can have, in bytes.
    #[inline]
    pub const fn max_len(self) -> u32 {
        self.max_len
    }
}

#[cfg(test)]
mod tests {
    use super::super::stride;
    use super::*;

    fn sizes() -> impl Iterator<Item = RingSize> {
        (5..=40).map(|shift| RingSize::new(1 << shift).unwrap())
    }

    #[test]
    fn the_largest_record_can_be_reserved() {
        for size in sizes() {
            for capacity in
                [Capacity::of_ring(size, true), Capacity::of_ring(size, false), Capacity::of_user_ring(size)]
            {
                assert!(stride(capacity.max_len()) <= capacity.max_span(), "{capacity:?}");
                assert!(capacity.max_span() <= capacity.usable(), "{capacity:?}");
                assert!(capacity.max_len() <= MAX_LEN, "{capacity:?}");
            }
        }
    }

    #[test]
    fn a_user_ring_can_be_full_and_its_samples_are_dynamic_pointers() {
        let of = |bytes| Capacity::of_user_ring(RingSize::new(bytes).unwrap());
        assert_eq!((of(4096).usable(), of(4096).max_len()), (4096, 4088));
        assert_eq!(of(1 << 24).max_len(), (1 << 24) - 8);
        assert_eq!((of(1 << 25).max_len(), of(1 << 25).max_span()), ((1 << 24) - 1, 1 << 25));
    }

    #[test]
    fn any_other_ring_keeps_8_bytes_free() {
        let of = |bytes, mirrored| Capacity::of_ring(RingSize::new(bytes).unwrap(), mirrored);
        assert_eq!((of(4096, true).usable(), of(4096, true).max_len()), (4088, 4080));
        assert_eq!((of(4096, false).usable(), of(4096, false).max_len()), (4088, 2040));
        assert_eq!(of(1 << 40, true).max_len(), (1 << 30) - 8);
    }
}
