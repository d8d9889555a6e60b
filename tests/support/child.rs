//! Processes that die.

#![expect(unsafe_code, reason = "calls fork(2)")]

use std::io;

/// Calls `f` in a child process, which is then killed. Whether `f` returned true there.
///
/// The child has one thread; `f` should do no more than it must.
pub(crate) fn in_a_child_that_is_killed(f: impl FnOnce() -> bool) -> io::Result<bool> {
    // SAFETY: the child calls `f`, which callers keep small, and nothing else that needs another thread.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let signal = if f() { libc::SIGKILL } else { libc::SIGTERM };
            // SAFETY: no preconditions.
            unsafe { libc::raise(signal) };
            // SAFETY: no preconditions; not reached.
            unsafe { libc::_exit(1) }
        }
        child => {
            let mut status = 0;
            // SAFETY: `status` is valid for writes.
            let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
            if waited == child { Ok(libc::WTERMSIG(status) == libc::SIGKILL) } else { Err(io::Error::last_os_error()) }
        }
    }
}
