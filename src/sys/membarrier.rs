//! membarrier(2).

use std::io;

// linux/membarrier.h
const GLOBAL_EXPEDITED: libc::c_int = 1 << 1;
const REGISTER_GLOBAL_EXPEDITED: libc::c_int = 1 << 2;
const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;

fn membarrier(command: libc::c_int) -> io::Result<()> {
    // SAFETY: no preconditions.
    let result = unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Allows this process to call [`private`]. Kernels can be built without it, and sandboxes refuse it.
pub(crate) fn register_private() -> io::Result<()> {
    membarrier(REGISTER_PRIVATE_EXPEDITED)
}

/// Makes every running thread of the process execute a full memory barrier before it returns.
pub(crate) fn private() -> io::Result<()> {
    membarrier(PRIVATE_EXPEDITED)
}

/// Has the threads of this process answer the [`global`] barriers of all processes, until it calls execve(2). Kernels can be
/// built without it, and sandboxes refuse it.
pub(crate) fn register_global() -> io::Result<()> {
    membarrier(REGISTER_GLOBAL_EXPEDITED)
}

/// Makes every running thread of every process that [has registered](register_global) execute a full memory barrier before it
/// returns, and the caller's thread, which need not have registered.
///
/// It says nothing about processes that have not: whether all who matter have must be known some other way.
pub(crate) fn global() -> io::Result<()> {
    membarrier(GLOBAL_EXPEDITED)
}

#[cfg(all(test, not(miri)))]
mod tests {
    use super::*;

    /// The commands that the kernel says it has: `MEMBARRIER_CMD_QUERY`.
    fn commands() -> libc::c_int {
        // SAFETY: no preconditions.
        let commands = unsafe { libc::syscall(libc::SYS_membarrier, 0, 0, 0) };
        libc::c_int::try_from(commands.max(0)).expect("bits of an int")
    }

    #[test]
    fn barriers_work_where_the_kernel_has_them() {
        let has = |command| commands() & command != 0;
        assert_eq!(register_private().is_ok(), has(REGISTER_PRIVATE_EXPEDITED));
        assert_eq!(private().is_ok(), has(PRIVATE_EXPEDITED));
        assert_eq!(register_global().is_ok(), has(REGISTER_GLOBAL_EXPEDITED));
        assert_eq!(global().is_ok(), has(GLOBAL_EXPEDITED));
    }
}
