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
    /// wakes those who wait on it while it is. `number` is what [`wait`](Self::wait) calls it.
    pub(crate) fn add_edge_triggered(&self, fd: BorrowedFd<'_>, ready: Ready, number: u64) -> io::Result<()> {
        let event = match ready {
            Ready::ToRead => libc::EPOLLIN,
            Ready::ToWrite => libc::EPOLLOUT,
        };
        self.add(fd, event | libc::EPOLLET, number)
    }

    /// epoll_ctl(2): waits for `fd` to be readable too, for as long as it is. `number` is what [`wait`](Self::wait) calls it.
    #[cfg(not(miri))]
    pub(crate) fn add_level_triggered(&self, fd: BorrowedFd<'_>, number: u64) -> io::Result<()> {
        self.add(fd, libc::EPOLLIN, number)
    }

    fn add(&self, fd: BorrowedFd<'_>, events: libc::c_int, number: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: events as u32, u64: number };
        // SAFETY: `event` is valid for reads.
        let result = unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &mut event) };
        check(result).map(drop)
    }

    /// epoll_ctl(2): waits for `fd` no more.
    #[cfg(not(miri))]
    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        let event = core::ptr::null_mut();
        // SAFETY: this operation takes no event.
        let result = unsafe { libc::epoll_ctl(self.fd.as_raw_fd(), libc::EPOLL_CTL_DEL, fd.as_raw_fd(), event) };
        check(result).map(drop)
    }

    /// epoll_wait(2): sleeps until a descriptor is ready, at most for `timeout` in whole milliseconds, rounded up. Calls
    /// `ready` with the numbers of those that are, 32 at the most: others have their turn in the next call.
    ///
    /// May return early for no reason: a signal came, or the timeout is longer than 24 days.
    pub(crate) fn wait(&self, timeout: Option<Duration>, ready: impl FnMut(u64)) -> io::Result<()> {
        const ROOM: usize = 32;
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; ROOM];
        let (at, room) = (events.as_mut_ptr(), ROOM as libc::c_int);
        // SAFETY: `events` has room for as many events as are asked for.
        let found = unsafe { libc::epoll_wait(self.fd.as_raw_fd(), at, room, milliseconds(timeout)) };
        match check(found) {
            Ok(found) => events.iter().take(found as usize).map(|event| event.u64).for_each(ready),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

#[cfg(not(miri))]
impl std::os::fd::AsFd for Epoll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
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

    /// The numbers that `epoll` reports.
    fn heard(epoll: &Epoll, timeout: Option<Duration>) -> io::Result<Vec<u64>> {
        let mut heard = Vec::new();
        epoll.wait(timeout, |number| heard.push(number))?;
        Ok(heard)
    }

    #[test]
    fn an_edge_is_reported_once() -> io::Result<()> {
        use std::io::Write;
        use std::os::fd::AsFd;

        let (reader, writer) = std::os::unix::net::UnixStream::pair()?;
        // As a file, it is written with write(2), which Miri knows for sockets too.
        let mut writer = std::fs::File::from(OwnedFd::from(writer));
        let epoll = Epoll::new()?;
        epoll.add_edge_triggered(reader.as_fd(), Ready::ToRead, 7)?;
        assert_eq!(heard(&epoll, Some(Duration::ZERO))?, [0u64; 0]);
        writer.write_all(b"x")?;
        assert_eq!(heard(&epoll, None)?, [7]);
        assert_eq!(heard(&epoll, Some(Duration::from_millis(1)))?, [0u64; 0]);
        Ok(())
    }

    #[test]
    #[cfg(not(miri))]
    fn a_level_is_reported_until_it_falls() -> io::Result<()> {
        use crate::sys::eventfd::EventFd;
        use std::os::fd::AsFd;

        let (epoll, event) = (Epoll::new()?, EventFd::new()?);
        epoll.add_level_triggered(event.as_fd(), u64::MAX)?;
        assert_eq!(heard(&epoll, Some(Duration::ZERO))?, [0u64; 0]);
        event.add_one();
        event.add_one();
        for _ in 0..2 {
            assert_eq!(heard(&epoll, None)?, [u64::MAX]);
        }
        event.reset();
        assert_eq!(heard(&epoll, Some(Duration::from_millis(1)))?, [0u64; 0]);
        event.add_one();
        epoll.remove(event.as_fd())?;
        assert_eq!(heard(&epoll, Some(Duration::from_millis(1)))?, [0u64; 0]);
        Ok(())
    }

    #[test]
    #[cfg(not(miri))]
    fn more_are_ready_than_one_call_reports() -> io::Result<()> {
        use crate::sys::eventfd::EventFd;
        use std::os::fd::AsFd;

        let epoll = Epoll::new()?;
        let events = (0..100).map(|_| EventFd::new()).collect::<io::Result<Vec<_>>>()?;
        for (event, number) in events.iter().zip(0..) {
            epoll.add_edge_triggered(event.as_fd(), Ready::ToRead, number)?;
            event.add_one();
        }
        let mut all = Vec::new();
        while let [first, rest @ ..] = heard(&epoll, Some(Duration::ZERO))?.as_slice() {
            assert!(rest.len() < 32);
            all.push(*first);
            all.extend(rest);
        }
        all.sort_unstable();
        assert!(all.into_iter().eq(0..100));
        Ok(())
    }
}
