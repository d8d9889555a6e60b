//! statfs(2).

use core::ffi::CStr;
use core::mem::MaybeUninit;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::check;

/// `BPF_FS_MAGIC` of linux/magic.h: the type of a bpffs.
pub(crate) const BPFFS: u64 = 0xcafe_4a11;

/// `TMPFS_MAGIC` of linux/magic.h: the type of a tmpfs, and of what memfds lie in.
pub(crate) const TMPFS: u64 = 0x0102_1994;

/// The type of the file system that `path` lies in: a number of linux/magic.h.
pub(crate) fn file_system_type(path: &CStr) -> io::Result<u64> {
    // SAFETY: `path` ends in a zero, and the pointer is valid for writes.
    type_by(|found| unsafe { libc::statfs(path.as_ptr(), found) })
}

/// fstatfs(2): the type of the file system that `file` lies in.
pub(crate) fn file_system_type_of(file: BorrowedFd<'_>) -> io::Result<u64> {
    // SAFETY: the pointer is valid for writes.
    type_by(|found| unsafe { libc::fstatfs(file.as_raw_fd(), found) })
}

/// The type that `call` writes.
fn type_by(call: impl FnOnce(*mut libc::statfs) -> libc::c_int) -> io::Result<u64> {
    let mut found = MaybeUninit::<libc::statfs>::zeroed();
    check(call(found.as_mut_ptr()))?;
    // SAFETY: the call has written it, and zeros would do as well.
    let found = unsafe { found.assume_init() };
    // Magic numbers have 32 bits; some C libraries sign-extend them.
    Ok(u64::from(found.f_type as u32))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_memfd_lies_in_a_tmpfs_and_procfs_is_none() -> io::Result<()> {
        assert_eq!(file_system_type_of(crate::sys::memfd(c"statfs")?.as_fd())?, TMPFS);
        assert_eq!(file_system_type(c"/dev/shm")?, TMPFS);
        assert_ne!(file_system_type(c"/proc")?, TMPFS);
        Ok(())
    }
}
