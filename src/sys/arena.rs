//! The memory of an arena, mapped.

use core::ptr::NonNull;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use memmap2::{MmapOptions, MmapRaw};

use super::fork::{self, Registered};
use crate::raw::arena::{Pages, Parts};
use crate::wire::arena::ArenaLayout;

/// An arena's file, mapped to be read and written.
///
/// # Invariants
/// 1. `map` is a shared mapping of the whole of a file of `layout.file_bytes()` bytes, whose length is sealed, or left alone by
///    those who can change it.
/// 2. The file was zero when it was made, but for the descriptor.
#[derive(Debug)]
pub(crate) struct ArenaPages {
    layout: ArenaLayout,
    /// Takes it from forked children, until it is unmapped.
    _not_for_children: Registered,
    map: MmapRaw,
}

impl ArenaPages {
    /// Maps a file of `layout.file_bytes()` bytes. With `prefault`, no first access faults later.
    pub(crate) fn new(file: BorrowedFd<'_>, layout: ArenaLayout, prefault: bool) -> io::Result<Self> {
        let bytes = usize::try_from(layout.file_bytes()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut options = MmapOptions::new();
        if prefault {
            options.populate();
        }
        let map = options.len(bytes).map_raw(file.as_raw_fd())?;
        let base = NonNull::new(map.as_mut_ptr()).ok_or(io::ErrorKind::OutOfMemory)?;
        // The second word of the header.
        let gone = layout.header() as usize + 8;
        // SAFETY: the whole mapping, which is unmapped after this is dropped. All that refers to it are atomic words, and slices
        // of which a child that goes on with its parent's handles finds zeros.
        let registered = unsafe { fork::register_mapping(base, bytes, gone) }?;
        Ok(Self { layout, _not_for_children: registered, map })
    }
}

// SAFETY: invariant 1 is that of `Parts`: everything is in one mapping, page-aligned, readable and writable; any bytes are valid
// atomics. The mapping stays where it is when the value moves.
unsafe impl Pages for ArenaPages {
    fn parts(&self) -> Parts {
        super::arena_parts(&self.layout, |offset| {
            // SAFETY: the layout's offsets are within its length (invariant 1).
            let at = unsafe { self.map.as_mut_ptr().add(offset as usize) };
            // SAFETY: mmap(2) never returns null of its own choice.
            unsafe { NonNull::new_unchecked(at) }
        })
    }
}
