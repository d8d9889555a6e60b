//! Places of arenas, and who seems to live there.

#![expect(unsafe_code, reason = "calls fcntl(2)")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// Locks a place, as who is attached there does.
pub(crate) fn lock_place(file: &File, place: i64) -> io::Result<()> {
    let lock = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 4096 + place,
        l_len: 1,
        l_pid: 0,
    };
    // SAFETY: the structure is valid for reads.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
