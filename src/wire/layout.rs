//! Where each word lies.
//!
//! ```text
//!                +------------+------------+----------+----------+----------------------+
//!  file          | descriptor | slot pages | consumer | producer |         data         |
//!                +------------+------------+----------+----------+----------------------+----------------------+
//!  mapping       | descriptor | slot pages | consumer | producer |         data         |      data again      |
//!                +------------+------------+----------+----------+----------------------+----------------------+
//!                                          |<- the kernel window: what mmap of a BPF_MAP_TYPE_RINGBUF shows  ->|
//! ```
//!
//! With huge pages, a hole lies between the slot pages and the window, so that the data begins at a huge page.
//!
//! Words that the consumer writes and words that producers write never share a page, so that a mapping can take write
//! permission away from either. Words that are written at different rates never share a cache line.

/// Bytes in front of each payload, and the grid on which records start.
pub const HEADER_BYTES: u64 = 8;

/// Bytes of one producer slot: two cache lines of 64, since processors prefetch them in pairs.
pub const SLOT_BYTES: u64 = 128;

/// Where the bits that producers call with are in the producer page, in rings that the kernel has no part in: behind all other words.
pub const CALLED: u64 = 512;

/// Where the bits with which the consumer lets producers go are in the consumer page: behind all other words.
pub const LET_GO: u64 = 384;

/// How many words of 64 bits have a bit for each of `slots` slots.
pub const fn words(slots: usize) -> usize {
    slots.div_ceil(u64::BITS as usize)
}

/// The version of what the producer page says beside the kernel's words, and of the slots.
pub const PRODUCER_LAYOUT: u32 = 1;

/// Offsets of the words that the kernel defines.
pub mod kernel {
    /// `consumer_pos`, in the consumer page.
    pub const CONSUMER_POS: usize = 0;
    /// `producer_pos`, in the producer page.
    pub const PRODUCER_POS: usize = 0;
    /// `pending_pos`, in the producer page. Kept by newer kernels; this crate leaves it alone.
    pub const PENDING_POS: usize = 8;
    /// `overwrite_pos`, in the producer page. Kept by newer kernels; this crate leaves it alone.
    pub const OVERWRITE_POS: usize = 16;
}

/// Sizes and offsets of one ring's memory, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    page: u64,
    data: u64,
    slots: u64,
    size: super::RingSize,
}

impl Layout {
    /// The layout of a ring of `size` data bytes with room for `slots` producers, in pages of `page` bytes, whose data
    /// begins at a multiple of `align`: the page size, or that of huge pages.
    pub const fn new(size: super::RingSize, slots: u32, page: u64, align: u64) -> Self {
        let slots = (slots as u64 * SLOT_BYTES).next_multiple_of(page);
        Self { page, data: (page + slots + 2 * page).next_multiple_of(align), slots, size }
    }

    /// The same with the kernel window, and what comes after, at `window`: whole pages, not before the end of the slots.
    #[must_use]
    pub const fn with_window(self, window: u64) -> Self {
        debug_assert!(window % self.page == 0 && window >= self.slot_pages() + self.slots);
        Self { data: window + 2 * self.page, ..self }
    }

    /// Bytes of a page, and of the descriptor, which begins at offset 0.
    pub const fn page(self) -> u64 {
        self.page
    }

    /// Offset of the slot pages.
    pub const fn slot_pages(self) -> u64 {
        self.page
    }

    /// Bytes of the slot pages.
    pub const fn slot_bytes(self) -> u64 {
        self.slots
    }

    /// Size of the data.
    pub const fn size(self) -> super::RingSize {
        self.size
    }

    /// Offset of the consumer page, where the kernel window begins.
    pub const fn consumer_page(self) -> u64 {
        self.data - 2 * self.page
    }

    /// Offset of the producer page.
    pub const fn producer_page(self) -> u64 {
        self.consumer_page() + self.page
    }

    /// Offset of the bits that producers call with.
    pub const fn called(self) -> u64 {
        self.producer_page() + CALLED
    }

    /// Offset of the bits with which the consumer lets producers go.
    pub const fn let_go(self) -> u64 {
        self.consumer_page() + LET_GO
    }

    /// Offset of the data.
    pub const fn data(self) -> u64 {
        self.data
    }

    /// Length of the file: everything, the data once.
    pub const fn file_bytes(self) -> u64 {
        self.data() + self.size.bytes()
    }

    /// Length of the mapping: everything, the data twice.
    pub const fn mapped_bytes(self) -> u64 {
        self.file_bytes() + self.size.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::RingSize;
    use super::*;

    #[test]
    fn everything_is_whole_pages() {
        let pages = [4096u64, 16384, 65536];
        for (page, huge) in pages.into_iter().flat_map(|page| [(page, page), (page, 2 << 20)]) {
            for slots in [1, 31, 32, 33, 1024] {
                let layout = Layout::new(RingSize::at_least(1, page).unwrap(), slots, page, huge);
                assert!(layout.slot_bytes() >= u64::from(slots) * SLOT_BYTES);
                assert!(layout.consumer_page() >= layout.slot_pages() + layout.slot_bytes());
                assert_eq!(layout.data() % huge, 0);
                for offset in [
                    layout.slot_pages(),
                    layout.consumer_page(),
                    layout.producer_page(),
                    layout.data(),
                    layout.file_bytes(),
                ] {
                    assert_eq!(offset % page, 0);
                }
                assert_eq!(layout.data() - layout.consumer_page(), 2 * page);
                assert_eq!(layout.mapped_bytes() - layout.data(), 2 * layout.size().bytes());
            }
        }
    }
}
