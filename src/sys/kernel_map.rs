//! The memory of a ring that the kernel made.

use core::ptr::NonNull;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use memmap2::{MmapOptions, MmapRaw};

use crate::raw::{Pages, Parts, ProducerPage, Slot};
use crate::wire::RingSize;

/// The window of a ring that the kernel made, mapped as the kernel allows: one side can be written, the other only read.
///
/// ```text
///                  consumer                    window
///                +----------+  +----------+----------------------+----------------------+
///  mapping       |          |  | producer |         data         |      data again      |
///                +----------+  +----------+----------------------+----------------------+
///  RINGBUF         read and                              read only
///                   write
///  USER_RINGBUF   read only                           read and write
///
///  offset in fd  0             1 page     2 pages
/// ```
///
/// In a `BPF_MAP_TYPE_USER_RINGBUF`, the slots lie in the producer page too, behind the words that a [`ProducerPage`] has.
///
/// # Invariants
/// 1. `consumer` is one page, `window` is one page and twice `size` bytes; both can be read.
/// 2. If `slots` is 0, `consumer` can be written; else `window` can, and the producer page has room for as many.
#[derive(Debug)]
pub(crate) struct KernelPages {
    consumer: MmapRaw,
    window: MmapRaw,
    page: usize,
    size: RingSize,
    slots: usize,
}

impl KernelPages {
    /// Maps the `BPF_MAP_TYPE_RINGBUF` of `size` data bytes that `map` is, in pages of `page` bytes.
    pub(crate) fn to_consume(map: BorrowedFd<'_>, size: RingSize, page: u64) -> io::Result<Self> {
        let ranges = Ranges::new(size, page)?;
        // What is written comes first: the kernel says of that why it may not be mapped.
        let consumer = ranges.consumer().map_raw(map.as_raw_fd())?;
        let window = ranges.window().map_raw_read_only(map.as_raw_fd())?;
        Ok(Self { consumer, window, page: ranges.page, size, slots: 0 })
    }

    /// Maps the `BPF_MAP_TYPE_USER_RINGBUF` of `size` data bytes that `map` is, in pages of `page` bytes.
    pub(crate) fn to_produce(map: BorrowedFd<'_>, size: RingSize, page: u64) -> io::Result<Self> {
        let ranges = Ranges::new(size, page)?;
        let window = ranges.window().map_raw(map.as_raw_fd())?;
        let consumer = ranges.consumer().map_raw_read_only(map.as_raw_fd())?;
        let slots = (ranges.page - size_of::<ProducerPage>()) / size_of::<Slot>();
        Ok(Self { consumer, window, page: ranges.page, size, slots })
    }

    fn in_window(&self, offset: usize) -> NonNull<u8> {
        debug_assert!(offset < self.window.len());
        // SAFETY: the callers' offsets are within the window (invariant 1).
        unsafe { start(&self.window).add(offset) }
    }
}

// SAFETY: both mappings are page-aligned, and a page is at least 4096 bytes, which both sides' words fit into. The kernel zeroes
// the pages when it makes the map, and maps the data twice in a row itself (`ringbuf_map_mmap_kern`, `ringbuf_map_mmap_user`). Of
// the producer page, it uses the words that a `ProducerPage` leaves to it. A map's size never changes, its pages live as long
// as the map, and the mappings keep that alive; they stay where they are when the value moves. What can be written is what
// the one role that the map's type leaves to processes writes (invariant 2).
unsafe impl Pages for KernelPages {
    fn parts(&self) -> Parts {
        Parts {
            consumer: start(&self.consumer).cast(),
            producer: self.in_window(0).cast(),
            slots: NonNull::slice_from_raw_parts(self.in_window(size_of::<ProducerPage>()).cast(), self.slots),
            called: NonNull::slice_from_raw_parts(NonNull::dangling(), 0),
            let_go: NonNull::slice_from_raw_parts(NonNull::dangling(), 0),
            data: self.in_window(self.page),
            size: self.size,
        }
    }
}

/// What is mapped apart, since the kernel lets one side of a ring be written and not the other.
struct Ranges {
    page: usize,
    window: usize,
}

impl Ranges {
    fn new(size: RingSize, page: u64) -> io::Result<Self> {
        let bytes = |bytes| usize::try_from(bytes).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory));
        Ok(Self { page: bytes(page)?, window: bytes(page + 2 * size.bytes())? })
    }

    fn consumer(&self) -> MmapOptions {
        let mut options = MmapOptions::new();
        options.len(self.page);
        options
    }

    fn window(&self) -> MmapOptions {
        let mut options = MmapOptions::new();
        options.offset(self.page as u64).len(self.window);
        options
    }
}

fn start(map: &MmapRaw) -> NonNull<u8> {
    // SAFETY: `MmapRaw` promises a mapping, and mmap(2) never returns null of its own choice.
    unsafe { NonNull::new_unchecked(map.as_mut_ptr()) }
}
