//! eventfd(2).

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::check;

/// A counter that can be waited for: readable while it is not zero. Close-on-exec, and never blocks, as no other process has it.
#[derive(Debug)]
pub(crate) struct EventFd(OwnedFd);

impl EventFd {
    /// eventfd(2): zero.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no preconditions.
        let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: the call has just opened it, and nobody else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// write(2): adds one. Not where the counter is at its end, and thus not zero.
    pub(crate) fn add_one(&self) {
        let one = 1_u64;
        // SAFETY: valid for reads of its 8 bytes.
        let written = unsafe { libc::write(self.0.as_raw_fd(), (&raw const one).cast(), size_of::<u64>()) };
        debug_assert!(written == 8 || io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock);
    }

    /// read(2): back to zero.
    pub(crate) fn reset(&self) {
        let mut count = 0_u64;
        // SAFETY: valid for writes of its 8 bytes. Fails only if it is zero already.
        unsafe { libc::read(self.0.as_raw_fd(), (&raw mut count).cast(), size_of::<u64>()) };
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
