//! The memory of a ring, mapped as the kernel maps its own.

use core::ptr::NonNull;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use memmap2::{MmapMut, MmapOptions};

use super::fork::{self, Registered};
use crate::raw::{CLOSED, Pages, Parts};
use crate::wire::{Layout, words};

/// A ring's file, mapped, the data twice in a row.
///
/// # Invariants
/// 1. `base` is the start of `layout.mapped_bytes()` bytes within `reservation`, aligned as the layout asks for.
/// 2. All that the layout names, and the data again, are shared mappings of one file of `layout.file_bytes()` bytes, whose
///    length is sealed, or left alone by those who can change it. (The hole before the window, if there is one, is private
///    and never touched.)
/// 3. The file was zero when it was made, but for the descriptor.
#[derive(Debug)]
pub(crate) struct RingPages {
    base: NonNull<u8>,
    layout: Layout,
    slots: usize,
    /// Takes it from forked children, until it is unmapped.
    _not_for_children: Registered,
    /// Unmaps everything when dropped.
    _reservation: MmapMut,
}

/// Open descriptions of a ring's file. What is mapped from the one for reading can never be made writable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Files<'f> {
    pub(crate) to_read: BorrowedFd<'f>,
    pub(crate) to_write: BorrowedFd<'f>,
}

/// What is mapped to be written. The rest is mapped to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Writable {
    /// The consumer page.
    pub(crate) consumer: bool,
    /// The producer page and the slots.
    pub(crate) producer: bool,
    /// The data.
    pub(crate) data: bool,
}

impl Writable {
    /// All but the descriptor.
    pub(crate) const ALL: Self = Self { consumer: true, producer: true, data: true };
}

// SAFETY: the pointer leads to memory that the value owns, and is shared through atomics only.
unsafe impl Send for RingPages {}
// SAFETY: as above.
unsafe impl Sync for RingPages {}

impl RingPages {
    /// Maps a file of `layout.file_bytes()` bytes; its data begins at an address that is a multiple of `align`, if it does in the
    /// file. With `prefault`, no first access faults later.
    pub(crate) fn new(
        files: Files<'_>,
        layout: Layout,
        slots: u32,
        align: u64,
        writable: Writable,
        prefault: bool,
    ) -> io::Result<Self> {
        let out_of_memory = |_| io::Error::from(io::ErrorKind::OutOfMemory);
        let bytes = usize::try_from(layout.mapped_bytes() + align).map_err(out_of_memory)?;
        // Reserves addresses; the memory behind them is never touched.
        let mut reservation = MmapOptions::new().len(bytes).no_reserve_swap().map_anon()?;
        let start = reservation.as_mut_ptr();
        let base = start.with_addr(start.addr().next_multiple_of(align as usize));
        let page = layout.page();
        let (data, size) = (layout.data(), layout.size().bytes());
        // Where in the mapping, how many bytes, where in the file.
        let parts = [
            (0, page, 0, false),
            (layout.slot_pages(), layout.slot_bytes(), layout.slot_pages(), writable.producer),
            (layout.consumer_page(), page, layout.consumer_page(), writable.consumer),
            (layout.producer_page(), page, layout.producer_page(), writable.producer),
            (data, size, data, writable.data),
            (data + size, size, data, writable.data),
        ];
        for (at, bytes, offset, write) in parts {
            let address = base.with_addr(base.addr() + at as usize);
            overlay(address, bytes as usize, files, offset, write, prefault)?;
        }
        let base = NonNull::new(base).ok_or(io::ErrorKind::OutOfMemory)?;
        let closed = layout.consumer_page() as usize + CLOSED;
        // SAFETY: whole pages of the reservation, which is unmapped last. All that refers to them are atomic words, and slices of
        // which a child that goes on with its parent's handles finds zeros.
        let registered = unsafe { fork::register_mapping(base, layout.mapped_bytes() as usize, closed) }?;
        Ok(Self { base, layout, slots: slots as usize, _not_for_children: registered, _reservation: reservation })
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

/// Maps `bytes` bytes of a file from `offset` over what is mapped at `address`.
fn overlay(
    address: *mut u8,
    bytes: usize,
    files: Files<'_>,
    offset: u64,
    write: bool,
    prefault: bool,
) -> io::Result<()> {
    let (file, protection) = match write {
        true => (files.to_write, libc::PROT_READ | libc::PROT_WRITE),
        false => (files.to_read, libc::PROT_READ),
    };
    let flags = libc::MAP_SHARED | libc::MAP_FIXED | if prefault { libc::MAP_POPULATE } else { 0 };
    let (fd, offset) = (file.as_raw_fd(), offset as libc::off_t);
    // SAFETY: the caller passes ranges within its own reservation, to which no reference exists.
    let mapped = unsafe { libc::mmap(address.cast(), bytes, protection, flags, fd, offset) };
    if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
}

// SAFETY: invariants 1 and 2 are those of `Parts`: everything is in one mapping, page-aligned, readable, and writable as the
// caller has asked for; any bytes are valid atomics. The mapping stays where it is when the value moves.
unsafe impl Pages for RingPages {
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
