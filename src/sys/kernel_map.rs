//! The memory of a ring that the kernel made.

use core::ptr::NonNull;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use memmap2::{MmapOptions, MmapRaw};

use crate::raw::{Pages, Parts};
use crate::wire::RingSize;

/// The window of a `BPF_MAP_TYPE_RINGBUF`, mapped as the kernel allows.
///
/// ```text
///                  consumer                    window
///                +----------+  +----------+----------------------+----------------------+
///  mapping       | read and |  | producer |         data         |      data again      |
///                |   write  |  |                        read only                       |
///                +----------+  +----------+----------------------+----------------------+
///  offset in fd  0             1 page     2 pages
/// ```
///
/// # Invariants
/// 1. `consumer` is one page, readable and writable.
/// 2. `window` is one page and twice `size` bytes, readable.
#[derive(Debug)]
pub(crate) struct KernelPages {
    consumer: MmapRaw,
    window: MmapRaw,
    page: usize,
    size: RingSize,
}

impl KernelPages {
    /// Maps the ring of `size` data bytes that `map` is, in pages of `page` bytes.
    pub(crate) fn new(map: BorrowedFd<'_>, size: RingSize, page: u64) -> io::Result<Self> {
        let too_large = |_| io::Error::from(io::ErrorKind::OutOfMemory);
        let window = usize::try_from(page + 2 * size.bytes()).map_err(too_large)?;
        let bytes = usize::try_from(page).map_err(too_large)?;
        // The writable part is this page alone: the kernel refuses any more.
        let consumer = MmapOptions::new().len(bytes).map_raw(map.as_raw_fd())?;
        let window = MmapOptions::new().offset(page).len(window).map_raw_read_only(map.as_raw_fd())?;
        Ok(Self { consumer, window, page: bytes, size })
    }
}

// SAFETY: both mappings are page-aligned (invariants 1 and 2). The kernel zeroes the pages when it makes the map, and maps
// the data twice in a row itself (`ringbuf_map_mmap_kern`). A map's size never changes, its pages live as long as the map,
// and the mappings keep that alive; they stay where they are when the value moves.
unsafe impl Pages for KernelPages {
    fn parts(&self) -> Parts {
        // SAFETY: within the window (invariant 2).
        let data = unsafe { start(&self.window).add(self.page) };
        Parts {
            consumer: start(&self.consumer).cast(),
            producer: start(&self.window).cast(),
            slots: NonNull::slice_from_raw_parts(NonNull::dangling(), 0),
            data,
            size: self.size,
        }
    }
}

fn start(map: &MmapRaw) -> NonNull<u8> {
    // SAFETY: `MmapRaw` promises a mapping, and mmap(2) never returns null of its own choice.
    unsafe { NonNull::new_unchecked(map.as_mut_ptr()) }
}
