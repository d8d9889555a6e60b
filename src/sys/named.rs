//! Files that get their name when they are complete.

use std::ffi::CString;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::check;
use super::reopen::{explain, path_of};

/// open(2) with `O_TMPFILE`: a new, empty file in the file system of `directory`, for reading and writing, close-on-exec. Only
/// its owner may open it. It has no name, and is gone with its last descriptor and mapping unless [`link`] gives it one.
///
/// # Errors
/// As open(2): `EOPNOTSUPP` from a file system that cannot do this, or `EISDIR` from one that does not know it.
pub(crate) fn unnamed_in(directory: &Path) -> io::Result<OwnedFd> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_TMPFILE).mode(0o600);
    options.open(directory).map(OwnedFd::from)
}

/// linkat(2) of `/proc/self/fd/N`: names a file that is open, so that it appears at `path` whole or not at all.
///
/// # Errors
/// As linkat(2): `AlreadyExists` if there is anything at `path`, be it a dangling symbolic link; `CrossesDevices` if that is in
/// another file system. `NotFound` may also mean that procfs is not mounted at `/proc`; then the text says so.
pub(crate) fn link(file: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let shown = path_of(file);
    let (from, to) = (CString::new(shown.as_str())?, CString::new(path.as_os_str().as_bytes())?);
    let (here, follow) = (libc::AT_FDCWD, libc::AT_SYMLINK_FOLLOW);
    // SAFETY: both paths end in a zero.
    let linked = check(unsafe { libc::linkat(here, from.as_ptr(), here, to.as_ptr(), follow) });
    linked.map(drop).map_err(|error| if Path::new(&shown).exists() { error } else { explain(error, file) })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::PathBuf;

    use super::*;

    /// A directory in a tmpfs, removed when this is dropped.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> io::Result<Self> {
            let path = PathBuf::from(format!("/dev/shm/dynring-named-{name}-{}", std::process::id()));
            fs::create_dir(&path).map(|()| Self(path))
        }

        fn names(&self) -> usize {
            fs::read_dir(&self.0).map_or(0, Iterator::count)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_appears_with_what_was_written_before() -> io::Result<()> {
        let directory = Directory::new("appears")?;
        let mut file = File::from(unnamed_in(&directory.0)?);
        file.write_all(b"complete")?;
        assert_eq!(directory.names(), 0);
        let path = directory.0.join("name");
        link(file.as_fd(), &path)?;
        let mut found = String::new();
        File::open(&path)?.read_to_string(&mut found)?;
        assert_eq!(found, "complete");
        let metadata = fs::metadata(&path)?;
        assert_eq!(metadata.ino(), file.metadata()?.ino());
        assert_eq!(metadata.permissions().mode() & 0o177, 0);
        Ok(())
    }

    #[test]
    fn a_file_without_a_name_leaves_nothing() -> io::Result<()> {
        let directory = Directory::new("nothing")?;
        drop(unnamed_in(&directory.0)?);
        assert_eq!(directory.names(), 0);
        Ok(())
    }

    #[test]
    fn a_name_that_is_taken_stays_with_its_owner() -> io::Result<()> {
        let directory = Directory::new("taken")?;
        let [first, second] = [unnamed_in(&directory.0)?, unnamed_in(&directory.0)?];
        let (path, dangling) = (directory.0.join("name"), directory.0.join("dangling"));
        link(first.as_fd(), &path)?;
        symlink(directory.0.join("nowhere"), &dangling)?;
        for taken in [&path, &dangling] {
            assert_eq!(link(second.as_fd(), taken).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        }
        assert_eq!(fs::metadata(&path)?.ino(), File::from(first).metadata()?.ino());
        link(second.as_fd(), &directory.0.join("other"))
    }

    #[test]
    fn a_name_for_which_there_is_no_place_is_an_error() -> io::Result<()> {
        let directory = Directory::new("place")?;
        let file = unnamed_in(&directory.0)?;
        let missing = link(file.as_fd(), &directory.0.join("missing/name")).unwrap_err();
        assert_eq!(missing.raw_os_error(), Some(libc::ENOENT));
        assert!(link(file.as_fd(), "/proc/name".as_ref()).is_err(), "another file system");
        assert!(unnamed_in("/proc".as_ref()).is_err());
        Ok(())
    }
}
