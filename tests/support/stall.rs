//! A word that whoever reads it first has to wait for.

#![expect(unsafe_code, reason = "calls userfaultfd(2)")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

// linux/userfaultfd.h
const UFFD_API: u64 = 0xaa;
const UFFDIO_API: libc::Ioctl = 0xc018_aa3f_u32 as libc::Ioctl;
const UFFDIO_REGISTER: libc::Ioctl = 0xc020_aa00_u32 as libc::Ioctl;
const UFFDIO_COPY: libc::Ioctl = 0xc028_aa03_u32 as libc::Ioctl;
const UFFDIO_REGISTER_MODE_MISSING: u64 = 1;
const UFFD_EVENT_PAGEFAULT: u8 = 0x12;

#[derive(Default)]
#[repr(C)]
struct Api {
    api: u64,
    features: u64,
    ioctls: u64,
}

#[derive(Default)]
#[repr(C)]
struct Register {
    start: u64,
    len: u64,
    mode: u64,
    ioctls: u64,
}

#[derive(Default)]
#[repr(C)]
struct Copy {
    dst: u64,
    src: u64,
    len: u64,
    mode: u64,
    copied: i64,
}

/// A page that is not there yet.
#[derive(Debug)]
pub(crate) struct Stall {
    userfaultfd: OwnedFd,
    page: memmap2::MmapRaw,
}

impl Stall {
    /// Where the word is.
    pub(crate) fn address(&self) -> u64 {
        self.page.as_ptr().expose_provenance() as u64
    }

    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no preconditions.
        let fd = unsafe { libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC | libc::O_NONBLOCK) };
        let fd = libc::c_int::try_from(fd).ok().filter(|&fd| fd >= 0).ok_or_else(io::Error::last_os_error)?;
        // SAFETY: the call has just opened it, and nobody else owns it.
        let userfaultfd = unsafe { OwnedFd::from_raw_fd(fd) };
        let page = memmap2::MmapOptions::new().len(super::pages::page_size()).map_anon()?.into();
        let stall = Self { userfaultfd, page };
        stall.ioctl(UFFDIO_API, &mut Api { api: UFFD_API, ..Api::default() })?;
        let (start, len) = (stall.address(), stall.page.len() as u64);
        let mode = UFFDIO_REGISTER_MODE_MISSING;
        stall.ioctl(UFFDIO_REGISTER, &mut Register { start, len, mode, ioctls: 0 })?;
        Ok(stall)
    }

    /// Waits until somebody waits for the word.
    pub(crate) fn until_stalled(&self) -> io::Result<Stalled<'_>> {
        let stalled = Stalled(self);
        if !is_readable(&self.userfaultfd, 10_000)? {
            return Err(io::Error::other("nobody has read the word for 10 s"));
        }
        let mut message = [0_u8; 32];
        // SAFETY: the buffer is valid for writes of its length.
        let read = unsafe { libc::read(self.userfaultfd.as_raw_fd(), message.as_mut_ptr().cast(), message.len()) };
        match read {
            32 if message[0] == UFFD_EVENT_PAGEFAULT => Ok(stalled),
            -1 => Err(io::Error::last_os_error()),
            other => Err(io::Error::other(format!("{other} bytes from userfaultfd: {message:?}"))),
        }
    }

    fn fill(&self, word: u64) -> io::Result<()> {
        let mut page = vec![0_u8; self.page.len()];
        page[..8].copy_from_slice(&word.to_ne_bytes());
        let (dst, src) = (self.address(), page.as_ptr().expose_provenance() as u64);
        self.ioctl(UFFDIO_COPY, &mut Copy { dst, src, len: page.len() as u64, ..Copy::default() })
    }

    fn ioctl<A>(&self, request: libc::Ioctl, argument: &mut A) -> io::Result<()> {
        // SAFETY: `argument` is what this request takes, and what it points to is valid.
        let result = unsafe { libc::ioctl(self.userfaultfd.as_raw_fd(), request, ptr::from_mut(argument)) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

/// Somebody waits for the word. Dropping this lets them have 0.
#[derive(Debug)]
pub(crate) struct Stalled<'s>(&'s Stall);

impl Stalled<'_> {
    /// Makes the word `word`, and lets whoever waits for it go on.
    pub(crate) fn release(self, word: u64) -> io::Result<()> {
        self.0.fill(word)
    }
}

impl Drop for Stalled<'_> {
    fn drop(&mut self) {
        // Fails if the word is there already.
        let _ = self.0.fill(0);
    }
}

/// Whether poll(2) says that `fd` can be read within as many milliseconds.
pub(crate) fn is_readable(fd: impl AsFd, milliseconds: libc::c_int) -> io::Result<bool> {
    let mut poll = libc::pollfd { fd: fd.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one structure, valid for reads and writes.
    let ready = unsafe { libc::poll(&raw mut poll, 1, milliseconds) };
    if ready >= 0 { Ok(ready == 1) } else { Err(io::Error::last_os_error()) }
}
