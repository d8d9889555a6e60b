//! Anonymous files.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::{check, retry};

/// memfd_create(2), close-on-exec, sealable.
pub(crate) fn memfd(name: &CStr) -> io::Result<OwnedFd> {
    // SAFETY: `name` is a C string.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    let fd = check(fd)?;
    // SAFETY: the call has just opened it, and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// fallocate(2): commits memory for `bytes` bytes from `offset`, and lengthens the file to hold them.
pub(crate) fn allocate(file: BorrowedFd<'_>, offset: u64, bytes: u64) -> io::Result<()> {
    let too_large = |_| io::Error::from(io::ErrorKind::FileTooLarge);
    let offset = libc::off_t::try_from(offset).map_err(too_large)?;
    let bytes = libc::off_t::try_from(bytes).map_err(too_large)?;
    // SAFETY: no preconditions.
    retry(|| unsafe { libc::fallocate(file.as_raw_fd(), 0, offset, bytes) }).map(drop)
}

/// fcntl(F_ADD_SEALS): the file's length can never change again.
pub(crate) fn seal_length(file: BorrowedFd<'_>) -> io::Result<()> {
    seal(file, libc::F_SEAL_SHRINK | libc::F_SEAL_GROW)
}

/// fcntl(F_ADD_SEALS): nobody writes to the file any more, but through the writable mappings that exist.
pub(crate) fn seal_contents(file: BorrowedFd<'_>) -> io::Result<()> {
    seal(file, libc::F_SEAL_FUTURE_WRITE)
}

/// fcntl(F_ADD_SEALS): no seal can be added any more.
pub(crate) fn seal_seals(file: BorrowedFd<'_>) -> io::Result<()> {
    seal(file, libc::F_SEAL_SEAL)
}

fn seal(file: BorrowedFd<'_>, seals: libc::c_int) -> io::Result<()> {
    // SAFETY: no preconditions.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) }).map(drop)
}
