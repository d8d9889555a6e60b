//! fstat(2).

use core::mem::MaybeUninit;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::check;

/// What a file is, as far as rings ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Status {
    /// Whether it is a regular file, which memfds are too.
    pub(crate) regular: bool,
    /// Bytes.
    pub(crate) length: u64,
    /// Bytes for which there is memory, in a file that lives there. Swapped out, they count as well.
    pub(crate) held: u64,
    /// With `inode`, the same for all descriptors of one file, and for no other file while it lives.
    pub(crate) device: u64,
    /// See `device`.
    pub(crate) inode: u64,
}

/// fstat(2).
pub(crate) fn status(file: BorrowedFd<'_>) -> io::Result<Status> {
    let mut found = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: `found` is valid for writes.
    check(unsafe { libc::fstat(file.as_raw_fd(), found.as_mut_ptr()) })?;
    // SAFETY: the call has written it, and zeros would do as well.
    let found = unsafe { found.assume_init() };
    Ok(Status {
        regular: found.st_mode & libc::S_IFMT == libc::S_IFREG,
        // No file is shorter than nothing.
        length: found.st_size as u64,
        held: found.st_blocks as u64 * 512,
        device: found.st_dev,
        inode: found.st_ino,
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::sys::memfd::{self, memfd};
    use crate::sys::reopen::{Access, reopen};

    #[test]
    fn descriptors_of_one_file_have_one_number() -> io::Result<()> {
        let [one, two] = [File::from(memfd(c"stat")?), File::from(memfd(c"stat")?)];
        one.set_len(12345)?;
        let again = reopen(one.as_fd(), Access::ReadOnly)?;
        let found = status(one.as_fd())?;
        assert_eq!((found.regular, found.length), (true, 12345));
        assert_eq!(found.held, 0, "it is all hole");
        assert_eq!(status(again.as_fd())?, found);
        memfd::allocate(one.as_fd(), 0, 12345)?;
        assert!(status(one.as_fd())?.held >= 12345);
        assert_ne!(status(two.as_fd())?.inode, found.inode);
        Ok(())
    }

    #[test]
    fn what_is_no_regular_file_is_told_apart() -> io::Result<()> {
        let (socket, _other) = UnixStream::pair()?;
        assert!(!status(socket.as_fd())?.regular);
        assert!(!status(File::open("/")?.as_fd())?.regular);
        Ok(())
    }
}
