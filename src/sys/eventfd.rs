//! eventfd(2).

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::check;

/// A counter that can be waited for: readable while it is not zero. Close-on-exec, and never blocks.
#[derive(Debug)]
pub(crate) struct EventFd {
    fd: OwnedFd,
    /// Whether another process has made it, and may have seen to it that it blocks.
    foreign: bool,
}

impl EventFd {
    /// eventfd(2): zero.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no preconditions.
        let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: the call has just opened it, and nobody else owns it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) }, foreign: false })
    }

    /// One that another process has made. fcntl(F_SETFL): it does not block, unless that process changes its mind.
    pub(crate) fn adopt(fd: OwnedFd) -> io::Result<Self> {
        // SAFETY: no preconditions.
        super::check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) })?;
        Ok(Self { fd, foreign: true })
    }

    /// write(2): adds one. Not where the counter is at its end, and thus not zero.
    pub(crate) fn add_one(&self) {
        if self.foreign && !self.has_room() {
            return;
        }
        let one = 1_u64;
        // SAFETY: valid for reads of its 8 bytes.
        let written = unsafe { libc::write(self.fd.as_raw_fd(), (&raw const one).cast(), size_of::<u64>()) };
        debug_assert!(written == 8 || self.foreign || io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock);
    }

    /// poll(2): whether one can be added. A description that is shared may block, whoever asks for what: it has one set of flags.
    fn has_room(&self) -> bool {
        let mut poll = libc::pollfd { fd: self.fd.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
        // SAFETY: one structure, valid for reads and writes.
        let ready = unsafe { libc::poll(&raw mut poll, 1, 0) };
        ready == 1 && poll.revents & libc::POLLOUT != 0
    }

    /// read(2): back to zero.
    pub(crate) fn reset(&self) {
        let mut count = 0_u64;
        // SAFETY: valid for writes of its 8 bytes. Fails only if it is zero already.
        unsafe { libc::read(self.fd.as_raw_fd(), (&raw mut count).cast(), size_of::<u64>()) };
    }
}

/// Whether `fd` is an eventfd, as procfs names it.
pub(crate) fn is_eventfd(fd: BorrowedFd<'_>) -> bool {
    let link = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()));
    link.is_ok_and(|link| link.as_os_str() == "anon_inode:[eventfd]")
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
