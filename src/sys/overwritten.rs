//! The memory of a ring that the kernel made and whose producers overwrite.

use core::slice;
use std::io;
use std::os::fd::BorrowedFd;

use super::KernelPages;
use crate::raw::{ConsumerPage, Overwritten, Pages, Parts, ProducerPage};
use crate::sync::{AtomicU32, AtomicU64};
use crate::wire::RingSize;

/// The window of a `BPF_MAP_TYPE_RINGBUF` with `BPF_F_RB_OVERWRITE`, of which the consumer page can be written, and the rest is
/// only read.
///
/// # Invariants
/// 1. `parts` are those of `_pages`, and keep the promises on [`Parts`] for as long as that lives, wherever it is moved.
/// 2. Others write to the memory, at any time. They are in the kernel or in other processes, or do it by atomic accesses of
///    words of 4 bytes in the data and of 8 in the pages.
#[derive(Debug)]
pub(crate) struct OverwrittenPages {
    parts: Parts,
    _pages: KernelPages,
}

// SAFETY: the pointers lead to memory that `_pages`, which is Send and Sync, keeps mapped, and which is accessed through
// atomics only.
unsafe impl Send for OverwrittenPages {}
// SAFETY: as above.
unsafe impl Sync for OverwrittenPages {}

impl OverwrittenPages {
    /// Maps the ring of `size` data bytes that `map` is, in pages of `page` bytes.
    pub(crate) fn new(map: BorrowedFd<'_>, size: RingSize, page: u64) -> io::Result<Self> {
        let pages = KernelPages::to_consume(map, size, page)?;
        Ok(Self { parts: pages.parts(), _pages: pages })
    }

    /// Everything below was committed or discarded when the kernel looked last.
    pub(crate) fn pending_pos(&self) -> &AtomicU64 {
        &self.producer().pending_pos
    }

    fn consumer(&self) -> &ConsumerPage {
        // SAFETY: invariant 1 (`Parts`, 1).
        unsafe { self.parts.consumer.as_ref() }
    }

    fn producer(&self) -> &ProducerPage {
        // SAFETY: invariant 1 (`Parts`, 1).
        unsafe { self.parts.producer.as_ref() }
    }
}

impl Overwritten for OverwrittenPages {
    fn size(&self) -> RingSize {
        self.parts.size
    }

    fn consumer_pos(&self) -> &AtomicU64 {
        &self.consumer().consumer_pos
    }

    fn producer_pos(&self) -> &AtomicU64 {
        &self.producer().producer_pos
    }

    fn overwrite_pos(&self) -> &AtomicU64 {
        &self.producer().overwrite_pos
    }

    fn data(&self) -> &[AtomicU32] {
        let words = self.parts.size.bytes() as usize / size_of::<AtomicU32>();
        // SAFETY: aligned, initialised and valid for reads of `size` bytes (invariant 1; `Parts`, 2), and never written other
        // than by atomic accesses of such words, as far as this process goes (invariant 2).
        unsafe { slice::from_raw_parts(self.parts.data.as_ptr().cast(), words) }
    }
}
