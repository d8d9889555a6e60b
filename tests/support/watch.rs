//! Whether the kernel wakes those who wait on a file.

#![expect(unsafe_code, reason = "calls epoll(7)")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// An edge-triggered epoll instance over one file.
#[derive(Debug)]
pub(crate) struct Watch {
    epoll: OwnedFd,
}

impl Watch {
    pub(crate) fn edges_of(fd: BorrowedFd<'_>) -> io::Result<Self> {
        // SAFETY: no preconditions.
        let epoll = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the call has just opened it, and nobody else owns it.
        let epoll = unsafe { OwnedFd::from_raw_fd(epoll) };
        let mut event = libc::epoll_event { events: (libc::EPOLLIN | libc::EPOLLET) as u32, u64: 0 };
        // SAFETY: `event` is valid for reads.
        check(unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &raw mut event) })?;
        Ok(Self { epoll })
    }

    /// Whether it does so `within` a time, or has since it was last asked.
    pub(crate) fn rings(&self, within: Duration) -> io::Result<bool> {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        let timeout = within.as_millis() as libc::c_int;
        // SAFETY: `event` has room for the one event that is asked for.
        let ready = check(unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), &raw mut event, 1, timeout) })?;
        Ok(ready > 0)
    }
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
