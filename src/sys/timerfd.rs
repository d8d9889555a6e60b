//! timerfd_create(2).

use core::ptr;
use core::time::Duration;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::check;

/// A timer that is not set: it becomes readable when its time has come. Close-on-exec, and never blocks.
pub(crate) fn timer() -> io::Result<OwnedFd> {
    // SAFETY: no preconditions.
    let fd = check(unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC | libc::TFD_NONBLOCK) })?;
    // SAFETY: the call has just opened it, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// timerfd_settime(2): the timer becomes readable, once, after `time`, which is not zero. Until then it is not, whatever it was
/// set to before.
pub(crate) fn set(timer: BorrowedFd<'_>, time: Duration) -> io::Result<()> {
    debug_assert!(!time.is_zero());
    let zero = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let mut once = libc::itimerspec { it_interval: zero, it_value: zero };
    once.it_value.tv_sec = libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX);
    once.it_value.tv_nsec = time.subsec_nanos().into();
    // SAFETY: valid for reads; what it was set to before is not asked for.
    check(unsafe { libc::timerfd_settime(timer.as_raw_fd(), 0, &raw const once, ptr::null_mut()) }).map(drop)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::time::Instant;

    use super::*;

    fn is_readable(timer: &OwnedFd, milliseconds: libc::c_int) -> bool {
        let mut poll = libc::pollfd { fd: timer.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one structure, valid for reads and writes.
        unsafe { libc::poll(&raw mut poll, 1, milliseconds) == 1 }
    }

    #[test]
    fn a_timer_is_readable_when_its_time_has_come_and_not_before() -> io::Result<()> {
        let timer = timer()?;
        assert!(!is_readable(&timer, 0));
        set(timer.as_fd(), Duration::from_secs(3600))?;
        assert!(!is_readable(&timer, 20));
        for _ in 0..2 {
            let begun = Instant::now();
            set(timer.as_fd(), Duration::from_millis(5))?;
            assert!(is_readable(&timer, 60_000));
            assert!(begun.elapsed() >= Duration::from_millis(5));
        }
        set(timer.as_fd(), Duration::from_secs(3600))?;
        assert!(!is_readable(&timer, 0), "it is set anew");
        Ok(())
    }
}
