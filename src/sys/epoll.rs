//! epoll(7).

use core::time::Duration;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::check;

/// What a descriptor can be waited for to become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ready {
    /// There is something to read.
    ToRead,
    /// There is room to write.
    #[cfg_attr(miri, allow(dead_code, reason = "there is no kernel under Miri"))]
    ToWrite,
}

/// An epoll instance, close-on-exec.
#[derive(Debug)]
pub(crate) struct Epoll {
    fd: OwnedFd,
}

impl Epoll {
    /// epoll_create1(2).
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no preconditions.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the call has just opened it, and nobody else owns it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// epoll_ctl(2): waits for `fd` to become ready too, edge-triggered: once if it is, and then once for each time that somebody
    /// wakes those who wait on it while it is.
    pub(crate) fn add_edge_triggered(&self, fd: BorrowedFd<'_>, ready: Ready) -> io::Result<()> {
        let event = match ready {
            Ready::ToRead => libc::EPOLLIN,
            Ready::ToWrite => libc::EPOLLOUT,
        };
        let events = event | libc::EPOLLET;
        let mut event = libc::epoll_event { events: events as u32, u64: 0 };
        // SAFETY: `event` is valid for reads.
        let result = unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &mut event) };
        check(result).map(drop)
    }

    /// epoll_wait(2): sleeps until a descriptor is ready, at most for `timeout` in whole milliseconds, rounded up. Returns
    /// how many are ready: 0 or 1.
    ///
    /// May return early for no reason: a signal came, or the timeout is longer than 24 days.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<usize> {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: `event` has room for the one event that is asked for.
        let ready = unsafe { libc::epoll_wait(self.fd.as_raw_fd(), &mut event, 1, milliseconds(timeout)) };
        match check(ready) {
            Ok(ready) => Ok(usize::from(ready > 0)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// Whole milliseconds, rounded up so that a short timeout is not a busy loop; −1 for no timeout.
fn milliseconds(timeout: Option<Duration>) -> libc::c_int {
    timeout
        .map_or(-1, |timeout| libc::c_int::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(libc::c_int::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_rounds_up_and_never_to_a_poll() {
        let cases = [(0, 0), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2), (2_500_000_000, 2500)];
        for (nanos, expected) in cases {
            assert_eq!(milliseconds(Some(Duration::from_nanos(nanos))), expected, "{nanos} ns");
        }
        assert_eq!(milliseconds(None), -1);
        assert_eq!(milliseconds(Some(Duration::MAX)), libc::c_int::MAX);
    }

    #[test]
    fn an_edge_is_reported_once() -> io::Result<()> {
        use std::io::Write;
        use std::os::fd::AsFd;

        let (reader, writer) = std::os::unix::net::UnixStream::pair()?;
        // As a file, it is written with write(2), which Miri knows for sockets too.
        let mut writer = std::fs::File::from(OwnedFd::from(writer));
        let epoll = Epoll::new()?;
        epoll.add_edge_triggered(reader.as_fd(), Ready::ToRead)?;
        assert_eq!(epoll.wait(Some(Duration::ZERO))?, 0);
        writer.write_all(b"x")?;
        assert_eq!(epoll.wait(None)?, 1);
        assert_eq!(epoll.wait(Some(Duration::from_millis(1)))?, 0);
        Ok(())
    }
}
