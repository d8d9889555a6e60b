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

/// Seals of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seals(libc::c_int);

impl Seals {
    /// Whether the file's length can never change again, so that no access to a mapping of it raises SIGBUS. (With the seals
    /// open to additions, it still could not change; but somebody could forbid writing under those who do.)
    pub(crate) fn fix_length(self) -> bool {
        let all = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
        self.0 & all == all
    }
}

/// fcntl(F_GET_SEALS): which seals the file has; `None` if it is of a kind that has none.
///
/// Files of a tmpfs that are not memfds have `F_SEAL_SEAL` from the start, and can get no other.
pub(crate) fn seals(file: BorrowedFd<'_>) -> io::Result<Option<Seals>> {
    // SAFETY: no preconditions.
    match check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) }) {
        Ok(seals) => Ok(Some(Seals(seals))),
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_length_is_fixed_once_all_three_seals_are_there() -> io::Result<()> {
        let file = memfd(c"seals")?;
        let fixed = || seals(file.as_fd()).map(|seals| seals.map(Seals::fix_length));
        assert_eq!(fixed()?, Some(false));
        seal_length(file.as_fd())?;
        assert_eq!(fixed()?, Some(false));
        seal_seals(file.as_fd())?;
        assert_eq!(fixed()?, Some(true));
        assert!(File::from(file.try_clone()?).set_len(1).is_err());
        Ok(())
    }

    #[test]
    fn what_is_no_memfd_has_no_seals_that_fix_its_length() -> io::Result<()> {
        let (socket, _other) = UnixStream::pair()?;
        assert_eq!(seals(socket.as_fd())?, None);
        let named = crate::sys::named::unnamed_in("/dev/shm".as_ref())?;
        assert_eq!(seals(named.as_fd())?, Some(Seals(libc::F_SEAL_SEAL)));
        assert!(!Seals(libc::F_SEAL_SEAL).fix_length());
        Ok(())
    }
}
