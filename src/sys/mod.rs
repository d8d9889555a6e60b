//! What the operating system does for us: one thin function per system call, and the maps.
//!
//! Nothing in here knows the protocol.

#[cfg(not(miri))]
pub(crate) mod bpf;
pub(crate) mod epoll;
#[cfg(not(miri))]
pub(crate) mod eventfd;
pub(crate) mod futex;
#[cfg(miri)]
mod heap;
#[cfg(not(miri))]
mod kernel_map;
#[cfg(not(miri))]
mod map;
pub(crate) mod membarrier;
#[cfg(not(miri))]
mod memfd;
#[cfg(not(miri))]
pub(crate) mod meminfo;
#[cfg(not(miri))]
mod observed;
#[cfg(not(miri))]
mod statfs;

#[cfg(miri)]
pub(crate) use heap::HeapPages;
#[cfg(not(miri))]
pub(crate) use kernel_map::KernelPages;
#[cfg(not(miri))]
pub(crate) use map::RingPages;
#[cfg(not(miri))]
pub(crate) use memfd::{allocate, memfd, seal_contents, seal_length, seal_seals};
#[cfg(not(miri))]
pub(crate) use observed::ObservedPages;
#[cfg(not(miri))]
pub(crate) use statfs::{BPFFS, file_system_type};

pub(crate) use libc::{E2BIG, EACCES, EINVAL, ERANGE};
#[cfg(not(miri))]
pub(crate) use libc::{EBADF, ENODEV, ENOENT, ENOTDIR, EPERM};

use std::io;

/// Bytes of a page.
pub(crate) fn page_size() -> u64 {
    // SAFETY: no preconditions.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    // sysconf(3) cannot fail for this name on Linux; 4 KiB is what every 64-bit port has had from the start.
    u64::try_from(bytes).unwrap_or(4096)
}

/// The result of a system call that returns −1 for an error.
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
