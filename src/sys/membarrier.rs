//! membarrier(2).

use std::io;

// linux/membarrier.h
const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;
const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;

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
