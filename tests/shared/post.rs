//! Messages with any descriptors, and files with any seals.

#![expect(unsafe_code, reason = "calls sendmsg(2), memfd_create(2)")]

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

pub(crate) const ALL_SEALS: libc::c_int = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;

/// Sends `bytes` and duplicates of `fds`.
pub(crate) fn send(stream: &UnixStream, bytes: &[u8], fds: &[RawFd]) -> io::Result<()> {
    let mut part = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let mut control = [0u64; 64];
    // SAFETY: zeros are a message of nothing.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    if !fds.is_empty() {
        let len = size_of_val(fds) as libc::c_uint;
        message.msg_control = control.as_mut_ptr().cast();
        // SAFETY: no preconditions.
        message.msg_controllen = unsafe { libc::CMSG_SPACE(len) } as _;
        assert!((message.msg_controllen as usize) <= size_of_val(&control));
        // SAFETY: there is control data.
        let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
        // SAFETY: within the control data, aligned, and zero so far.
        let header = unsafe { &mut *header };
        (header.cmsg_level, header.cmsg_type) = (libc::SOL_SOCKET, libc::SCM_RIGHTS);
        // SAFETY: no preconditions.
        header.cmsg_len = unsafe { libc::CMSG_LEN(len) } as _;
        // SAFETY: as above.
        let data = unsafe { libc::CMSG_DATA(header) };
        // SAFETY: there is room for them.
        unsafe { data.copy_from_nonoverlapping(fds.as_ptr().cast(), size_of_val(fds)) };
    }
    // SAFETY: the message is complete, and all that it leads to is valid for reads.
    let sent = unsafe { libc::sendmsg(stream.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) };
    if sent == bytes.len() as isize { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A memfd that holds `bytes`, `len` bytes long, with `seals`.
pub(crate) fn memfd(bytes: &[u8], len: u64, seals: libc::c_int) -> io::Result<File> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: the name is a C string.
    let fd = unsafe { libc::memfd_create(c"forged".as_ptr(), flags) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has just opened it.
    let mut file = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    file.write_all(bytes)?;
    file.set_len(len)?;
    // SAFETY: no preconditions.
    let sealed = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) };
    if sealed == 0 { Ok(file) } else { Err(io::Error::last_os_error()) }
}

/// fallocate(2): takes the memory of some of a file back.
pub(crate) fn punch_hole(file: impl AsFd, offset: usize, bytes: usize) -> io::Result<()> {
    let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    // SAFETY: no preconditions.
    check(unsafe { libc::fallocate(file.as_fd().as_raw_fd(), mode, offset as libc::off_t, bytes as libc::off_t) })
}

/// An eventfd that blocks, and has counted to `count`.
pub(crate) fn blocking_eventfd(count: u64) -> io::Result<File> {
    // SAFETY: no preconditions.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has just opened it.
    let mut file = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    file.write_all(&count.to_ne_bytes())?;
    Ok(file)
}

/// setrlimit(2), for this process, of both the limit and what it may be raised to.
pub(crate) fn limit(resource: libc::__rlimit_resource_t, most: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: valid for reads.
    let result = unsafe { libc::setrlimit(resource, &raw const limit) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// setrlimit(2), for this process, of the limit alone, which may be raised again.
pub(crate) fn soft_limit(resource: libc::__rlimit_resource_t, most: u64) -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: valid for writes.
    check(unsafe { libc::getrlimit(resource, &raw mut limit) })?;
    limit.rlim_cur = most.min(limit.rlim_max);
    // SAFETY: valid for reads.
    check(unsafe { libc::setrlimit(resource, &raw const limit) })
}

/// Mounts a tmpfs of `bytes` bytes at `path`, in sight of this thread alone.
pub(crate) fn mount_tmpfs(path: &str, bytes: usize) -> io::Result<()> {
    let path = std::ffi::CString::new(path)?;
    let size = std::ffi::CString::new(format!("size={bytes}"))?;
    let none = std::ptr::null();
    // SAFETY: no preconditions; it is for the calling thread.
    check(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
    let private = libc::MS_REC | libc::MS_PRIVATE;
    // SAFETY: the paths are C strings, and what is not used is null.
    check(unsafe { libc::mount(none, c"/".as_ptr(), none, private, none.cast()) })?;
    // SAFETY: as above.
    check(unsafe { libc::mount(c"none".as_ptr(), path.as_ptr(), c"tmpfs".as_ptr(), 0, size.as_ptr().cast()) })
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
