//! The memory of a ring, or of an arena, where files cannot be mapped: under Miri.

use core::ptr::NonNull;
use std::alloc::{Layout as HeapLayout, alloc_zeroed, dealloc, handle_alloc_error};

use crate::raw::{Pages, Parts, arena};
use crate::wire::arena::{ArenaLayout, PAGE_BYTES};
use crate::wire::{Layout, words};

/// A ring's memory on the heap, the data once.
///
/// # Invariants
/// 1. `base` is the start of an allocation of `heap`, initialised with zeros.
#[derive(Debug)]
pub(crate) struct HeapPages {
    base: NonNull<u8>,
    heap: HeapLayout,
    layout: Layout,
    slots: usize,
}

// SAFETY: the pointer leads to memory that the value owns, and is shared through atomics only.
unsafe impl Send for HeapPages {}
// SAFETY: as above.
unsafe impl Sync for HeapPages {}

impl HeapPages {
    /// Zeroed memory for a ring of `layout`.
    pub(crate) fn new(layout: Layout, slots: u32, page: u64) -> std::io::Result<Self> {
        let heap = HeapLayout::from_size_align(layout.file_bytes() as usize, page as usize)
            .map_err(|_| std::io::ErrorKind::OutOfMemory)?;
        // SAFETY: a layout has at least three pages.
        let base = unsafe { alloc_zeroed(heap) };
        let base = NonNull::new(base).unwrap_or_else(|| handle_alloc_error(heap));
        Ok(Self { base, heap, layout, slots: slots as usize })
    }

    fn at(&self, offset: u64) -> NonNull<u8> {
        // SAFETY: the layout's offsets are within its length (invariant 1).
        unsafe { self.base.add(offset as usize) }
    }
}

impl Drop for HeapPages {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with the same layout (invariant 1).
        unsafe { dealloc(self.base.as_ptr(), self.heap) }
    }
}

// SAFETY: one allocation, aligned to a page, readable and writable, initialised; it stays where it is when the value moves.
unsafe impl Pages for HeapPages {
    fn parts(&self) -> Parts {
        Parts {
            consumer: self.at(self.layout.consumer_page()).cast(),
            producer: self.at(self.layout.producer_page()).cast(),
            slots: NonNull::slice_from_raw_parts(self.at(self.layout.slot_pages()).cast(), self.slots),
            called: NonNull::slice_from_raw_parts(self.at(self.layout.called()).cast(), words(self.slots)),
            let_go: NonNull::slice_from_raw_parts(self.at(self.layout.let_go()).cast(), words(self.slots)),
            data: self.at(self.layout.data()),
            size: self.layout.size(),
        }
    }
}

/// An arena's memory on the heap.
///
/// # Invariants
/// 1. `base` is the start of an allocation of `heap`, initialised with zeros.
#[derive(Debug)]
pub(crate) struct ArenaPages {
    base: NonNull<u8>,
    heap: HeapLayout,
    layout: ArenaLayout,
}

// SAFETY: the pointer leads to memory that the value owns, and is shared as the arena does it.
unsafe impl Send for ArenaPages {}
// SAFETY: as above.
unsafe impl Sync for ArenaPages {}

impl ArenaPages {
    /// Zeroed memory for an arena of `layout`.
    pub(crate) fn new(layout: ArenaLayout) -> std::io::Result<Self> {
        let heap = HeapLayout::from_size_align(layout.file_bytes() as usize, PAGE_BYTES as usize)
            .map_err(|_| std::io::ErrorKind::OutOfMemory)?;
        // SAFETY: a layout has several pages.
        let base = unsafe { alloc_zeroed(heap) };
        let base = NonNull::new(base).unwrap_or_else(|| handle_alloc_error(heap));
        Ok(Self { base, heap, layout })
    }
}

impl Drop for ArenaPages {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with the same layout (invariant 1).
        unsafe { dealloc(self.base.as_ptr(), self.heap) }
    }
}

// SAFETY: one allocation, aligned to a page of the arena, readable and writable, initialised; it stays where it is when the value
// moves.
unsafe impl arena::Pages for ArenaPages {
    fn parts(&self) -> arena::Parts {
        // SAFETY: the layout's offsets are within its length (invariant 1).
        super::arena_parts(&self.layout, |offset| unsafe { self.base.add(offset as usize) })
    }
}
