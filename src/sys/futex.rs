//! futex(2).

use core::ptr;
use core::time::Duration;
use std::io;

use crate::sync::AtomicU32;

/// FUTEX_WAIT: sleeps while `word` is `expected`, at most for `timeout`. May return early for no reason.
///
/// The futex is private to the process.
pub(crate) fn wait(word: &AtomicU32, expected: u32, timeout: Option<Duration>) {
    let timeout = timeout.map(|timeout| libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: `word` is valid, and `timeout` is null or a timespec. All failures mean: look again.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, expected, timeout) };
}

/// FUTEX_WAKE: wakes everyone who sleeps on `word`.
pub(crate) fn wake_all(word: &AtomicU32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: `word` is valid.
    let woken = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, i32::MAX) };
    debug_assert!(woken >= 0, "{}", io::Error::last_os_error());
}
