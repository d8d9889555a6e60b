//! What the operating system does for us: one thin function per system call, and the maps.
//!
//! Nothing in here knows the protocol.

#[cfg(not(miri))]
mod arena;
#[cfg(not(miri))]
pub(crate) mod bpf;
#[cfg(all(test, not(miri)))]
mod child;
#[cfg(not(miri))]
pub(crate) mod datagram;
pub(crate) mod epoll;
#[cfg(not(miri))]
pub(crate) mod eventfd;
#[cfg(not(miri))]
pub(crate) mod fork;
pub(crate) mod futex;
#[cfg(miri)]
mod heap;
#[cfg(not(miri))]
mod kernel_map;
#[cfg(not(miri))]
pub(crate) mod limits;
#[cfg(not(miri))]
pub(crate) mod lock;
#[cfg(not(miri))]
mod map;
pub(crate) mod membarrier;
#[cfg(not(miri))]
mod memfd;
#[cfg(not(miri))]
pub(crate) mod meminfo;
#[cfg(not(miri))]
pub(crate) mod named;
#[cfg(not(miri))]
mod observed;
#[cfg(not(miri))]
mod overwritten;
#[cfg(not(miri))]
pub(crate) mod reopen;
#[cfg(not(miri))]
pub(crate) mod socket;
#[cfg(not(miri))]
pub(crate) mod stat;
#[cfg(not(miri))]
mod statfs;
#[cfg(all(feature = "tokio", not(miri)))]
pub(crate) mod timerfd;

#[cfg(not(miri))]
pub(crate) use arena::ArenaPages;
#[cfg(miri)]
pub(crate) use heap::{ArenaPages, HeapPages};
#[cfg(not(miri))]
pub(crate) use kernel_map::KernelPages;
#[cfg(not(miri))]
pub(crate) use map::{Files, RingPages, Writable};
#[cfg(not(miri))]
pub(crate) use memfd::{Seals, seals};
#[cfg(not(miri))]
pub(crate) use memfd::{allocate, memfd, seal_contents, seal_length, seal_seals};
#[cfg(not(miri))]
pub(crate) use observed::ObservedPages;
#[cfg(not(miri))]
pub(crate) use overwritten::OverwrittenPages;
#[cfg(not(miri))]
pub(crate) use statfs::{BPFFS, TMPFS, file_system_type, file_system_type_of};

pub(crate) use libc::{E2BIG, EACCES, EINVAL, ERANGE};
#[cfg(not(miri))]
pub(crate) use libc::{EBADF, ENODEV, ENOENT, ENOTDIR, EPERM, O_NONBLOCK};

use core::ptr::NonNull;
use std::io;

use crate::raw;
use crate::wire::arena::{ArenaLayout, PAGE_UNITS, Shape};

/// Bytes of a page.
pub(crate) fn page_size() -> u64 {
    // SAFETY: no preconditions.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    // sysconf(3) cannot fail for this name on Linux; 4 KiB is what every 64-bit port has had from the start.
    u64::try_from(bytes).unwrap_or(4096)
}

/// Where the parts of an arena are, given where each offset is.
fn arena_parts(layout: &ArenaLayout, at: impl Fn(u64) -> NonNull<u8>) -> raw::arena::Parts {
    let words = |offset: u64, count: u64| NonNull::slice_from_raw_parts(at(offset).cast(), count as usize);
    let pages = u64::from(layout.pages());
    raw::arena::Parts {
        header: words(layout.header(), 2),
        processes: words(layout.process_words(), u64::from(layout.processes())),
        root: words(layout.root(), Shape::root(layout.processes()).words() as u64),
        pages: words(layout.page_words(), pages),
        units: words(layout.unit_words(), pages * u64::from(PAGE_UNITS)),
        roomy: NonNull::slice_from_raw_parts(at(layout.roomy()).cast(), pages as usize),
        data: at(layout.data()),
    }
}

/// The result of a system call that returns −1 for an error.
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The result of a system call that returns −1 for an error, called again while a signal interrupts it.
#[cfg(not(miri))]
fn retry(mut call: impl FnMut() -> libc::c_int) -> io::Result<libc::c_int> {
    loop {
        match check(call()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
