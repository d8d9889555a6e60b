//! The memory of a ring, mapped as the kernel maps its own.

use core::ptr::NonNull;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use memmap2::{MmapMut, MmapOptions};

use crate::raw::{Pages, Parts};
use crate::wire::Layout;

/// A ring's file, mapped readable and writable, the data twice in a row.
///
/// # Invariants
/// 1. `base` is the start of `layout.mapped_bytes()` bytes within `reservation`, aligned as the layout asks for.
/// 2. The slots, the window and the data again are shared mappings of one file of `layout.file_bytes()` bytes, whose
///    length is sealed. (The hole before the window, if there is one, is private and never touched.)
/// 3. The file has been zero when it was mapped.
#[derive(Debug)]
pub(crate) struct RingPages {
    base: NonNull<u8>,
    layout: Layout,
    slots: usize,
    /// Unmaps everything when dropped.
    _reservation: MmapMut,
}

// SAFETY: the pointer leads to memory that the value owns, and is shared through atomics only.
unsafe impl Send for RingPages {}
// SAFETY: as above.
unsafe impl Sync for RingPages {}

impl RingPages {
    /// Maps a new, zeroed `file` of `layout.file_bytes()` bytes, a length that is sealed; its data begins at an address that
    /// is a multiple of `align`, as it does in the file. With `prefault`, no first access faults later.
    pub(crate) fn new(
        file: BorrowedFd<'_>,
        layout: Layout,
        slots: u32,
        align: u64,
        prefault: bool,
    ) -> io::Result<Self> {
        let out_of_memory = |_| io::Error::from(io::ErrorKind::OutOfMemory);
        let bytes = usize::try_from(layout.mapped_bytes() + align).map_err(out_of_memory)?;
        // Reserves addresses; the memory behind them is never touched.
        let mut reservation = MmapOptions::new().len(bytes).no_reserve_swap().map_anon()?;
        let start = reservation.as_mut_ptr();
        let base = start.with_addr(start.addr().next_multiple_of(align as usize));
        let overlay = |at: u64, bytes: u64, offset: u64| {
            let address = base.with_addr(base.addr() + at as usize);
            overlay(address, bytes as usize, file, offset, prefault)
        };
        let (window, end) = (layout.consumer_page(), layout.file_bytes());
        overlay(0, layout.slot_bytes(), 0)?;
        overlay(window, end - window, window)?;
        overlay(end, layout.size().bytes(), layout.data())?;
        let base = NonNull::new(base).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, layout, slots: slots as usize, _reservation: reservation })
    }

    /// Asks for huge pages under the data. Whether the system has given them.
    pub(crate) fn use_huge_pages(&self) -> bool {
        // Where huge pages for shared memory are off, the first says nothing and the second may still do it, from Linux 6.1 on.
        self.advise_data(libc::MADV_HUGEPAGE).is_ok() && self.advise_data(libc::MADV_COLLAPSE).is_ok()
    }

    /// madvise(2) on the data.
    fn advise_data(&self, advice: libc::c_int) -> io::Result<()> {
        let data = self.at(self.layout.data());
        let bytes = 2 * self.layout.size().bytes() as usize;
        // SAFETY: the range is mapped (invariant 1), and the callers' advices leave its contents alone.
        let result = unsafe { libc::madvise(data.as_ptr().cast(), bytes, advice) };
        super::check(result).map(drop)
    }

    fn at(&self, offset: u64) -> NonNull<u8> {
        debug_assert!(offset < self.layout.mapped_bytes());
        // SAFETY: within the mapping (invariant 1).
        unsafe { self.base.add(offset as usize) }
    }
}

/// Maps `bytes` bytes of `file` from `offset` over what is mapped at `address`.
fn overlay(address: *mut u8, bytes: usize, file: BorrowedFd<'_>, offset: u64, prefault: bool) -> io::Result<()> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | libc::MAP_FIXED | if prefault { libc::MAP_POPULATE } else { 0 };
    let (fd, offset) = (file.as_raw_fd(), offset as libc::off_t);
    // SAFETY: the caller passes ranges within its own reservation, to which no reference exists.
    let mapped = unsafe { libc::mmap(address.cast(), bytes, protection, flags, fd, offset) };
    if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
}

// SAFETY: invariants 1 and 2 are those of `Parts`: everything is in one mapping, page-aligned, readable and writable, and
// zero bytes are valid atomics. The mapping stays where it is when the value moves.
unsafe impl Pages for RingPages {
    fn parts(&self) -> Parts {
        Parts {
            consumer: self.at(self.layout.consumer_page()).cast(),
            producer: self.at(self.layout.producer_page()).cast(),
            slots: NonNull::slice_from_raw_parts(self.base.cast(), self.slots),
            data: self.at(self.layout.data()),
            size: self.layout.size(),
        }
    }
}
