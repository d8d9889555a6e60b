//! statfs(2).

use core::ffi::CStr;
use core::mem::MaybeUninit;
use std::io;

use super::check;

/// `BPF_FS_MAGIC` of linux/magic.h: the type of a bpffs.
pub(crate) const BPFFS: u64 = 0xcafe_4a11;

/// The type of the file system that `path` lies in: a number of linux/magic.h.
pub(crate) fn file_system_type(path: &CStr) -> io::Result<u64> {
    let mut found = MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: `path` ends in a zero, and `found` is valid for writes.
    check(unsafe { libc::statfs(path.as_ptr(), found.as_mut_ptr()) })?;
    // SAFETY: the call has written it, and zeros would do as well.
    let found = unsafe { found.assume_init() };
    // Magic numbers have 32 bits; some C libraries sign-extend them.
    Ok(u64::from(found.f_type as u32))
}
