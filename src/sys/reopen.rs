//! Open file descriptions of files that are open already.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::retry;

/// What a new description is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    /// Reading, by mappings too.
    ReadOnly,
    /// Reading and writing, by mappings too.
    ReadWrite,
}

/// open(2) of `/proc/self/fd/N`: a new open file description, close-on-exec, of the file that `file` is of.
///
/// Unlike a duplicate, it has locks of its own (see [`lock`](super::lock)). And what it is opened for holds for ever: a
/// shared mapping of a read-only description can never be made writable, as mprotect(2) refuses it.
///
/// # Errors
/// As open(2): the file's mode decides who may open it. `NotFound`, with a text that says what was looked for, if procfs is
/// not mounted at `/proc`.
pub(crate) fn reopen(file: BorrowedFd<'_>, access: Access) -> io::Result<OwnedFd> {
    Reopening::of(file, access)?.open().map_err(|error| explain(error, file))
}

/// What is needed to [`reopen`] a file, so that doing it takes no memory.
#[derive(Debug)]
pub(super) struct Reopening {
    path: CString,
    flags: libc::c_int,
}

impl Reopening {
    /// Of what `file` is of, which stays open.
    pub(super) fn of(file: BorrowedFd<'_>, access: Access) -> io::Result<Self> {
        let flags = match access {
            Access::ReadOnly => libc::O_RDONLY,
            Access::ReadWrite => libc::O_RDWR,
        };
        Ok(Self { path: CString::new(path_of(file))?, flags: flags | libc::O_CLOEXEC })
    }

    /// open(2). Neither allocates nor frees memory.
    pub(super) fn open(&self) -> io::Result<OwnedFd> {
        // SAFETY: the path ends in a zero.
        let fd = retry(|| unsafe { libc::open(self.path.as_ptr(), self.flags) })?;
        // SAFETY: the call has just opened it, and nobody else owns it.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

/// Where procfs shows `file`.
pub(super) fn path_of(file: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// Says what an error means that came from [`path_of`] an open file.
pub(super) fn explain(error: io::Error, file: BorrowedFd<'_>) -> io::Error {
    if error.kind() != io::ErrorKind::NotFound {
        return error;
    }
    let path = path_of(file);
    io::Error::new(
        error.kind(),
        format!("{path} is not there, by which open files are found: procfs must be mounted at /proc"),
    )
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Seek, Write};
    use std::os::fd::AsFd;

    use memmap2::MmapOptions;

    use super::*;
    use crate::sys::memfd;

    #[test]
    fn a_description_of_its_own_has_a_position_of_its_own() -> io::Result<()> {
        let mut file = File::from(memfd(c"reopen")?);
        file.write_all(b"bytes")?;
        let mut other = File::from(reopen(file.as_fd(), Access::ReadWrite)?);
        assert_eq!(other.stream_position()?, 0);
        let mut read = String::new();
        other.read_to_string(&mut read)?;
        assert_eq!(read, "bytes");
        other.write_all(b"more")?;
        assert_eq!(file.metadata()?.len(), 9);
        Ok(())
    }

    #[test]
    fn a_description_is_close_on_exec() -> io::Result<()> {
        let file = reopen(memfd(c"reopen")?.as_fd(), Access::ReadOnly)?;
        // SAFETY: no preconditions.
        let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFD) };
        assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
        Ok(())
    }

    #[test]
    fn a_mapping_of_a_read_only_description_never_becomes_writable() -> io::Result<()> {
        let file = File::from(memfd(c"reopen")?);
        file.set_len(4096)?;
        for (access, refused) in [(Access::ReadOnly, Some(libc::EACCES)), (Access::ReadWrite, None)] {
            let own = reopen(file.as_fd(), access)?;
            let map = MmapOptions::new().len(4096).map_raw_read_only(own.as_raw_fd())?;
            // SAFETY: the mapping is of this test alone.
            let result = unsafe { libc::mprotect(map.as_mut_ptr().cast(), 4096, libc::PROT_READ | libc::PROT_WRITE) };
            let error = (result == -1).then(|| io::Error::last_os_error().raw_os_error()).flatten();
            assert_eq!(error, refused, "{access:?}");
        }
        Ok(())
    }

    #[test]
    fn a_missing_procfs_is_named() -> io::Result<()> {
        let file = memfd(c"reopen")?;
        let error = explain(io::Error::from_raw_os_error(libc::ENOENT), file.as_fd());
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains(&path_of(file.as_fd())), "{error}");
        let other = explain(io::Error::from_raw_os_error(libc::EACCES), file.as_fd());
        assert_eq!(other.raw_os_error(), Some(libc::EACCES));
        Ok(())
    }
}
