//! The positions of a ring that the kernel made, for those who only look.

use core::ptr::NonNull;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use memmap2::{MmapOptions, MmapRaw};

use crate::sync::AtomicU64;
use crate::wire::kernel;

/// The consumer page and the producer page of a `BPF_MAP_TYPE_RINGBUF`, mapped read-only.
///
/// # Invariants
/// 1. `pages` is two pages of `page` bytes, readable. Other processes and the kernel write there, all by atomic accesses of
///    aligned words.
#[derive(Debug)]
pub(crate) struct ObservedPages {
    pages: MmapRaw,
    page: usize,
}

impl ObservedPages {
    /// Maps them from `map`, in pages of `page` bytes.
    pub(crate) fn new(map: BorrowedFd<'_>, page: u64) -> io::Result<Self> {
        let page = usize::try_from(page).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let pages = MmapOptions::new().len(2 * page).map_raw_read_only(map.as_raw_fd())?;
        Ok(Self { pages, page })
    }

    /// The first word of the consumer page. Only for relaxed loads: the memory is read-only.
    pub(crate) fn consumer_pos(&self) -> &AtomicU64 {
        self.word(0)
    }

    /// The first word of the producer page. Only for relaxed loads: the memory is read-only.
    pub(crate) fn producer_pos(&self) -> &AtomicU64 {
        self.word(self.page)
    }

    /// The second word of the producer page. Only for relaxed loads: the memory is read-only.
    pub(crate) fn pending_pos(&self) -> &AtomicU64 {
        self.word(self.page + kernel::PENDING_POS)
    }

    /// The third word of the producer page. Only for relaxed loads: the memory is read-only.
    pub(crate) fn overwrite_pos(&self) -> &AtomicU64 {
        self.word(self.page + kernel::OVERWRITE_POS)
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        assert!(at % 8 == 0 && at < 2 * self.page);
        // SAFETY: within the two pages (invariant 1).
        let word = unsafe { self.pages.as_mut_ptr().add(at) };
        // SAFETY: mmap(2) never returns null of its own choice.
        let word = unsafe { NonNull::new_unchecked(word) }.cast::<AtomicU64>();
        // SAFETY: aligned to 8, readable for as long as `self` lives, and written atomically (invariant 1).
        unsafe { word.as_ref() }
    }
}
