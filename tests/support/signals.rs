//! Signals that interrupt, and do nothing else.

#![expect(unsafe_code, reason = "handlers, and signals for one thread")]

use std::io;

extern "C" fn nothing(_: libc::c_int) {}

/// The calling thread, to be interrupted by others for as long as it runs.
pub(crate) struct Interrupted(libc::pid_t);

impl Interrupted {
    /// From now on, `SIGUSR2` does nothing but interrupt.
    pub(crate) fn current() -> Self {
        // SAFETY: zeros are an empty mask, no flags (no `SA_RESTART`) and the default action.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = nothing as extern "C" fn(libc::c_int) as libc::sighandler_t;
        // SAFETY: the handler does nothing.
        let result = unsafe { libc::sigaction(libc::SIGUSR2, &raw const action, std::ptr::null_mut()) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
        // SAFETY: no preconditions.
        Self(unsafe { libc::gettid() })
    }

    /// Interrupts the thread.
    pub(crate) fn interrupt(&self) -> io::Result<()> {
        // SAFETY: no preconditions.
        let process = unsafe { libc::getpid() };
        // SAFETY: the signal has a handler that does nothing.
        let result = unsafe { libc::syscall(libc::SYS_tgkill, process, self.0, libc::SIGUSR2) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}
