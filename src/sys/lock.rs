//! Open file description locks: fcntl(2).
//!
//! Such a lock belongs to the open file description, not to the process or thread: the kernel drops it when the last
//! descriptor of the description is closed, whatever the way, and thus when a process that alone had it dies. Three things
//! follow:
//! - A description never excludes itself, nor its duplicates. Who is to be excluded needs one of its own: [`reopen`].
//! - Duplicates, also those that a forked child inherits, keep a lock alive.
//! - To unlock through one duplicate unlocks for all. To close one releases nothing.
//!
//! [`reopen`]: super::reopen::reopen

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::retry;

/// Who may hold a lock beside this one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Others that are shared. The file must be open for reading.
    Shared,
    /// Nobody. The file must be open for writing.
    Exclusive,
}

/// `F_OFD_SETLK`: locks one byte, which need not exist. Whether it is locked now: not, if another description holds a lock
/// that conflicts. A lock of the same description changes its kind.
pub(crate) fn try_lock(file: BorrowedFd<'_>, byte: u64, kind: Kind) -> io::Result<bool> {
    let lock = match kind {
        Kind::Shared => libc::F_RDLCK,
        Kind::Exclusive => libc::F_WRLCK,
    };
    match set(file, byte, lock) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// `F_OFD_SETLK`: the description holds no lock of that byte any more, if it did.
pub(crate) fn unlock(file: BorrowedFd<'_>, byte: u64) -> io::Result<()> {
    set(file, byte, libc::F_UNLCK)
}

/// `F_OFD_GETLK`: whether another description than `file` holds a lock of that byte, of any kind.
///
/// It may be gone, or another come, when this returns. To know that nobody has one, take it.
pub(crate) fn is_locked(file: BorrowedFd<'_>, byte: u64) -> io::Result<bool> {
    let mut lock = one_byte(byte, libc::F_WRLCK)?;
    // SAFETY: `lock` is valid for reads and writes.
    retry(|| unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) })?;
    Ok(libc::c_int::from(lock.l_type) != libc::F_UNLCK)
}

fn set(file: BorrowedFd<'_>, byte: u64, kind: libc::c_int) -> io::Result<()> {
    let lock = one_byte(byte, kind)?;
    // SAFETY: `lock` is valid for reads.
    retry(|| unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) }).map(drop)
}

fn one_byte(byte: u64, kind: libc::c_int) -> io::Result<libc::flock> {
    let start = libc::off_t::try_from(byte).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok(libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: start,
        l_len: 1,
        // Has to be zero for this kind of lock.
        l_pid: 0,
    })
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;
    use crate::sys::child::Child;
    use crate::sys::memfd;
    use crate::sys::reopen::{Access, reopen};

    #[test]
    fn an_exclusive_lock_excludes_other_descriptions_and_no_other_byte() -> io::Result<()> {
        let one = memfd(c"lock")?;
        let other = reopen(one.as_fd(), Access::ReadWrite)?;
        assert!(try_lock(one.as_fd(), 7, Kind::Exclusive)?);
        for kind in [Kind::Shared, Kind::Exclusive] {
            assert!(!try_lock(other.as_fd(), 7, kind)?);
            for byte in [6, 8] {
                assert!(try_lock(other.as_fd(), byte, kind)?);
            }
        }
        unlock(one.as_fd(), 7)?;
        assert!(try_lock(other.as_fd(), 7, Kind::Exclusive)?);
        assert!(!try_lock(one.as_fd(), 7, Kind::Shared)?);
        Ok(())
    }

    #[test]
    fn a_description_does_not_exclude_itself() -> io::Result<()> {
        let one = memfd(c"lock")?;
        let same = one.try_clone()?;
        let other = reopen(one.as_fd(), Access::ReadWrite)?;
        assert!(try_lock(one.as_fd(), 0, Kind::Exclusive)?);
        assert!(try_lock(same.as_fd(), 0, Kind::Exclusive)?);
        assert!(!is_locked(same.as_fd(), 0)?);
        drop(one);
        assert!(is_locked(other.as_fd(), 0)?, "a duplicate keeps it");
        unlock(same.as_fd(), 0)?;
        assert!(!is_locked(other.as_fd(), 0)?);
        Ok(())
    }

    #[test]
    fn shared_locks_go_together_and_exclude_exclusive_ones() -> io::Result<()> {
        let one = memfd(c"lock")?;
        let other = reopen(one.as_fd(), Access::ReadOnly)?;
        assert!(try_lock(one.as_fd(), 1, Kind::Shared)?);
        assert!(try_lock(other.as_fd(), 1, Kind::Shared)?);
        assert!(!try_lock(one.as_fd(), 1, Kind::Exclusive)?);
        unlock(other.as_fd(), 1)?;
        assert!(try_lock(one.as_fd(), 1, Kind::Exclusive)?);
        Ok(())
    }

    #[test]
    fn a_lock_of_either_kind_is_seen_by_other_descriptions_alone() -> io::Result<()> {
        let one = memfd(c"lock")?;
        let others = [reopen(one.as_fd(), Access::ReadWrite)?, reopen(one.as_fd(), Access::ReadOnly)?];
        for kind in [Kind::Shared, Kind::Exclusive] {
            assert!(try_lock(one.as_fd(), 3, kind)?);
            assert!(!is_locked(one.as_fd(), 3)?);
            for other in &others {
                assert!(is_locked(other.as_fd(), 3)?);
                assert!(!is_locked(other.as_fd(), 4)?);
            }
        }
        unlock(one.as_fd(), 3)?;
        assert!(!is_locked(others[0].as_fd(), 3)?);
        Ok(())
    }

    #[test]
    fn what_cannot_be_locked_is_an_error() -> io::Result<()> {
        let file = memfd(c"lock")?;
        let read_only = reopen(file.as_fd(), Access::ReadOnly)?;
        let refused = try_lock(read_only.as_fd(), 0, Kind::Exclusive).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EBADF));
        let last = i64::MAX as u64;
        assert!(try_lock(file.as_fd(), last, Kind::Exclusive)?);
        let beyond = try_lock(file.as_fd(), last + 1, Kind::Exclusive).unwrap_err();
        assert_eq!(beyond.kind(), io::ErrorKind::InvalidInput);
        Ok(())
    }

    #[test]
    fn a_lock_goes_with_the_process_that_held_it() -> io::Result<()> {
        let file = memfd(c"lock")?;
        let mut holder = Child::fork(|parent| {
            let Ok(own) = reopen(file.as_fd(), Access::ReadWrite) else { return false };
            let locked = try_lock(own.as_fd(), 5, Kind::Exclusive).unwrap_or(false);
            locked && parent.say(b'l') && parent.hear().is_some()
        })?;
        assert_eq!(holder.hear(), Some(b'l'));
        assert!(is_locked(file.as_fd(), 5)?);
        assert!(!try_lock(file.as_fd(), 5, Kind::Shared)?);
        holder.kill()?;
        assert!(!is_locked(file.as_fd(), 5)?);
        assert!(try_lock(file.as_fd(), 5, Kind::Exclusive)?);
        Ok(())
    }
}
