//! futex(2).

use core::ptr;
use core::time::Duration;
use std::io;

use crate::sync::AtomicU32;

/// Who can wake whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    /// Threads of one process, by the address of the word.
    Process,
    /// Everyone who has mapped the word's file shared, wherever that is.
    Shared,
}

impl Scope {
    fn flag(self) -> libc::c_int {
        match self {
            Self::Process => libc::FUTEX_PRIVATE_FLAG,
            Self::Shared => 0,
        }
    }
}

/// FUTEX_WAIT: sleeps while `word` is `expected`, at most for `timeout`. May return early for no reason.
///
/// A word of a [`Shared`](Scope::Shared) mapping of a file need not be writable.
pub(crate) fn wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>, scope: Scope) {
    // All failures mean: look again.
    let _ = try_wait(word, expected, timeout, scope);
}

/// FUTEX_WAKE: wakes everyone who sleeps on `word` in the same scope.
pub(crate) fn wake_all(word: &AtomicU32, scope: Scope) {
    let woken = try_wake(word, scope);
    debug_assert!(woken.is_ok(), "{woken:?}");
}

fn try_wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>, scope: Scope) -> io::Result<()> {
    let timeout = timeout.map(|timeout| libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    let operation = libc::FUTEX_WAIT | scope.flag();
    // SAFETY: `word` is valid, and `timeout` is null or a timespec.
    let result = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, expected, timeout) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// How many were woken.
fn try_wake(word: &AtomicU32, scope: Scope) -> io::Result<usize> {
    let operation = libc::FUTEX_WAKE | scope.flag();
    // SAFETY: `word` is valid.
    let woken = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, i32::MAX) };
    usize::try_from(woken).map_err(|_| io::Error::last_os_error())
}

#[cfg(all(test, not(miri)))]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::thread;
    use std::time::Instant;

    use memmap2::{MmapOptions, MmapRaw};

    use super::*;
    use crate::sync::Ordering;
    use crate::sys::child::Child;
    use crate::sys::memfd;

    /// Longer than any test takes.
    const LONG: Duration = Duration::from_secs(60);

    /// One page of a file, mapped shared twice: for reading alone, and for writing.
    struct Page {
        read_only: MmapRaw,
        writable: MmapRaw,
    }

    impl Page {
        fn new() -> io::Result<Self> {
            let file = File::from(memfd(c"futex")?);
            file.set_len(4096)?;
            let read_only = MmapOptions::new().len(4096).map_raw_read_only(file.as_raw_fd())?;
            let writable = MmapOptions::new().len(4096).map_raw(file.as_raw_fd())?;
            Ok(Self { read_only, writable })
        }

        /// The first word: only for relaxed loads.
        fn read_only(&self) -> &AtomicU32 {
            // SAFETY: a page, aligned, readable for as long as `self` lives, whose words are only accessed atomically.
            unsafe { &*self.read_only.as_mut_ptr().cast() }
        }

        /// The first word.
        fn writable(&self) -> &AtomicU32 {
            // SAFETY: as above, and writable.
            unsafe { &*self.writable.as_mut_ptr().cast() }
        }
    }

    /// Wakes those who sleep on `word`, once there is one.
    fn wake_one(word: &AtomicU32) -> io::Result<()> {
        let begun = Instant::now();
        while try_wake(word, Scope::Shared)? == 0 {
            assert!(begun.elapsed() < LONG, "nobody sleeps");
            thread::yield_now();
        }
        Ok(())
    }

    #[test]
    fn a_read_only_word_is_waited_on_in_the_shared_scope() -> io::Result<()> {
        let page = Page::new()?;
        let timeout = Some(Duration::from_millis(1));
        let slept = try_wait(page.read_only(), 0, timeout, Scope::Shared).unwrap_err();
        assert_eq!(slept.kind(), io::ErrorKind::TimedOut);
        page.writable().store(1, Ordering::Relaxed);
        let changed = try_wait(page.read_only(), 0, Some(LONG), Scope::Shared).unwrap_err();
        assert_eq!(changed.kind(), io::ErrorKind::WouldBlock);
        Ok(())
    }

    #[test]
    fn who_waits_on_a_read_only_mapping_is_woken_through_another() -> io::Result<()> {
        let page = Page::new()?;
        thread::scope(|threads| {
            let waiter = threads.spawn(|| try_wait(page.read_only(), 0, Some(LONG), Scope::Shared));
            wake_one(page.writable())?;
            waiter.join().expect("no panic")
        })
    }

    #[test]
    fn who_waits_in_another_process_is_woken() -> io::Result<()> {
        let page = Page::new()?;
        let waiter = Child::fork(|_| try_wait(page.read_only(), 0, Some(LONG), Scope::Shared).is_ok())?;
        wake_one(page.writable())?;
        assert!(waiter.succeeds()?);
        Ok(())
    }
}
