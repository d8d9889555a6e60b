//! Doing without.

#![expect(unsafe_code, reason = "changes the identity of threads")]

use std::io;
use std::os::fd::BorrowedFd;
use std::thread;

/// A descriptor that is not open.
pub(crate) fn closed_fd() -> BorrowedFd<'static> {
    // SAFETY: not open, and above what limits allow: no call can do harm through it.
    unsafe { BorrowedFd::borrow_raw(i32::MAX) }
}

/// Calls `f` on a thread that has no privilege: identities belong to threads.
pub(crate) fn as_nobody<R: Send>(f: impl FnOnce() -> R + Send) -> io::Result<R> {
    on_a_thread_that(become_nobody, f)
}

/// Takes all privilege away from the calling thread, for good.
pub(crate) fn become_nobody() -> io::Result<()> {
    const NOBODY: libc::uid_t = 65534;
    // SAFETY: no preconditions. Not libc's function of the same name, which changes every thread.
    check(unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) })
}

/// Calls `f` on a thread for which bpf(2) fails with `EPERM`, as it does in containers.
pub(crate) fn without_bpf<R: Send>(f: impl FnOnce() -> R + Send) -> io::Result<R> {
    without(libc::SYS_bpf, f)
}

/// Calls `f` on a thread for which the system call with that number fails with `EPERM`, as in a sandbox.
pub(crate) fn without<R: Send>(call: libc::c_long, f: impl FnOnce() -> R + Send) -> io::Result<R> {
    on_a_thread_that(|| forbid(call), f)
}

fn on_a_thread_that<R: Send>(
    change: impl FnOnce() -> io::Result<()> + Send,
    f: impl FnOnce() -> R + Send,
) -> io::Result<R> {
    thread::scope(|scope| {
        let thread = scope.spawn(|| change().map(|()| f()));
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn forbid(call: libc::c_long) -> io::Result<()> {
    const LOAD_NUMBER: u16 = 0x20;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    let statement = |code, jf, k| libc::sock_filter { code, jt: 0, jf, k };
    let mut filter = [
        statement(LOAD_NUMBER, 0, 0),
        statement(JUMP_IF_EQUAL, 1, call as u32),
        statement(RETURN, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
        statement(RETURN, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: 4, filter: filter.as_mut_ptr() };
    // SAFETY: no preconditions.
    check(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }.into())?;
    // SAFETY: the filter is valid for as many instructions as it says. It is for the calling thread.
    check(unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) }.into())
}

fn check(result: libc::c_long) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
