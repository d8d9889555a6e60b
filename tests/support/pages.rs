//! Pages of a map, mapped as a test likes.

#![expect(unsafe_code, reason = "maps memory")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

pub(crate) const READ: libc::c_int = libc::PROT_READ;
pub(crate) const WRITE: libc::c_int = libc::PROT_READ | libc::PROT_WRITE;
pub(crate) const EXECUTE: libc::c_int = libc::PROT_READ | libc::PROT_EXEC;

/// Bytes of a page.
pub(crate) fn page_size() -> usize {
    // SAFETY: no preconditions.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).expect("a page size")
}

/// A shared mapping, unmapped when dropped.
#[derive(Debug)]
pub(crate) struct Pages {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: what is shared is words that are accessed through atomics only; what moves or unmaps them takes the value exclusively.
unsafe impl Sync for Pages {}

impl Pages {
    /// Maps `bytes` bytes of `fd` from `offset`.
    pub(crate) fn map(fd: BorrowedFd<'_>, protection: libc::c_int, offset: usize, bytes: usize) -> io::Result<Self> {
        let null = std::ptr::null_mut();
        // SAFETY: the kernel chooses the address.
        let base =
            unsafe { libc::mmap(null, bytes, protection, libc::MAP_SHARED, fd.as_raw_fd(), offset as libc::off_t) };
        Ok(Self { base: mapped(base)?, bytes })
    }

    /// mprotect(2).
    pub(crate) fn protect(&self, protection: libc::c_int) -> io::Result<()> {
        // SAFETY: of this mapping; what is read and written here goes through system calls that tests expect to succeed.
        let result = unsafe { libc::mprotect(self.base.as_ptr().cast(), self.bytes, protection) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// mremap(2) to `bytes` bytes, wherever there is room.
    pub(crate) fn resize(&mut self, bytes: usize) -> io::Result<()> {
        // SAFETY: of this mapping, to which no reference is left, as this one is exclusive.
        let base = unsafe { libc::mremap(self.base.as_ptr().cast(), self.bytes, bytes, libc::MREMAP_MAYMOVE) };
        (self.base, self.bytes) = (mapped(base)?, bytes);
        Ok(())
    }

    /// The word at `offset`.
    pub(crate) fn word(&self, offset: usize) -> &AtomicU64 {
        assert!(offset + 8 <= self.bytes && offset % 8 == 0);
        // SAFETY: within the mapping, as asserted.
        let word = unsafe { self.base.add(offset) }.cast();
        // SAFETY: aligned, within the mapping, and accessed through atomics only.
        unsafe { word.as_ref() }
    }

    /// The words of 4 bytes in `len` bytes from `offset`.
    pub(crate) fn words(&self, offset: usize, len: usize) -> &[AtomicU32] {
        assert!(offset % 4 == 0 && offset + len <= self.bytes);
        // SAFETY: within the mapping, as asserted.
        let words = unsafe { self.base.add(offset) }.cast();
        // SAFETY: aligned, within the mapping, and accessed through atomics only.
        unsafe { std::slice::from_raw_parts(words.as_ptr(), len / 4) }
    }

    /// A copy of `len` bytes from `offset`.
    pub(crate) fn copy(&self, offset: usize, len: usize) -> Vec<u8> {
        assert!(offset + len <= self.bytes);
        let byte = |at| {
            // SAFETY: within the mapping, as asserted.
            let byte = unsafe { self.base.add(at) }.cast::<AtomicU8>();
            // SAFETY: within the mapping, and accessed through atomics only.
            unsafe { byte.as_ref() }.load(Ordering::Relaxed)
        };
        (offset..offset + len).map(byte).collect()
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: of this mapping, to which no reference is left.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}

fn mapped(address: *mut libc::c_void) -> io::Result<NonNull<u8>> {
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(address.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))
}
