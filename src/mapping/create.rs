//! Memory for new rings.

use core::ffi::CStr;
use core::ops::Range;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::{Mapping, Request};
use crate::sys::{self, Files, RingPages, Writable};
use crate::wire::{Descriptor, Features, Layout};

/// Of x86-64, and of aarch64 with pages of 4 KiB; others are multiples of it.
pub(super) const HUGE_PAGE: u64 = 2 << 20;

/// Where a ring's file is made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'p> {
    /// Nowhere: it is found through its descriptors only, and its length is sealed.
    Anonymous,
    /// In a directory, without a name so far.
    In(&'p Path),
}

/// Memory for a new ring of this process, committed.
pub(crate) fn create(request: Request) -> io::Result<Mapping> {
    let Request { size, slots, huge_pages, prefault, plain_readers } = request;
    let (file, layout) = committed(&request, Features::default(), Place::Anonymous)?;
    let huge = huge_pages && size.bytes() >= HUGE_PAGE;
    let files = Files { to_read: file.as_fd(), to_write: file.as_fd() };
    let pages = RingPages::new(files, layout, slots, request.align(), Writable::ALL, prefault)?;
    let huge_pages = huge && pages.use_huge_pages();
    if !plain_readers {
        sys::seal_contents(file.as_fd())?;
    }
    sys::seal_seals(file.as_fd())?;
    Ok(Mapping { pages: Arc::new(pages), file: Some(file.into()), layout, huge_pages })
}

/// The file of a new ring that processes share, committed. Nobody else knows of it yet.
pub(crate) fn create_file(request: &Request, place: Place<'_>) -> io::Result<(OwnedFd, Descriptor)> {
    let (file, layout) = committed(request, Features::SHARED, place)?;
    if let Place::Anonymous = place {
        sys::seal_seals(file.as_fd())?;
    }
    Ok((file.into(), Descriptor { layout, slots: request.slots, features: request.features(Features::SHARED) }))
}

/// A file that holds a descriptor and otherwise zeros; if it is anonymous, its length is sealed.
fn committed(request: &Request, features: Features, place: Place<'_>) -> io::Result<(File, Layout)> {
    let layout = Layout::new(request.size, request.slots, sys::page_size(), request.align());
    let descriptor = Descriptor { layout, slots: request.slots, features: request.features(features) };
    let (slots_end, window) = (layout.slot_pages() + layout.slot_bytes(), layout.consumer_page());
    let parts = [0..slots_end, window..layout.file_bytes()];
    Ok((committed_file(c"dynring", &descriptor.to_bytes(), &parts, place)?, layout))
}

/// A file that begins with `descriptor` and holds zeros otherwise, with memory for `parts` of it, the last of which ends it; if it
/// is anonymous, its length is sealed.
pub(super) fn committed_file(
    name: &CStr,
    descriptor: &[u8],
    parts: &[Range<u64>],
    place: Place<'_>,
) -> io::Result<File> {
    let bytes = parts.last().map_or(0, |last| last.end);
    // What is committed beyond that would not fail here: the kernel would kill some process for it.
    if sys::meminfo::available().is_some_and(|available| available < bytes) {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    fits_in_a_file(bytes)?;
    let file = File::from(match place {
        Place::Anonymous => sys::memfd(name)?,
        Place::In(directory) => in_memory(sys::named::unnamed_in(directory)?)?,
    });
    for part in parts {
        sys::allocate(file.as_fd(), part.start, part.end - part.start)?;
    }
    file.write_all_at(descriptor, 0)?;
    if let Place::Anonymous = place {
        sys::seal_length(file.as_fd())?;
    }
    Ok(file)
}

/// The file, if it is one that lives in memory: on a disk, every write would be written there some time.
fn in_memory(file: OwnedFd) -> io::Result<OwnedFd> {
    match sys::file_system_type_of(file.as_fd())? {
        sys::TMPFS => Ok(file),
        found => {
            let text = format!("it was to lie in a file system of type {found:#x}; a tmpfs is allowed, as at /dev/shm");
            Err(io::Error::new(io::ErrorKind::Unsupported, text))
        }
    }
}

impl Request {
    fn align(&self) -> u64 {
        if self.huge_pages && self.size.bytes() >= HUGE_PAGE { HUGE_PAGE } else { sys::page_size() }
    }

    fn features(&self, features: Features) -> Features {
        if self.plain_readers { features.and(Features::PLAIN_READERS) } else { features }
    }
}

/// Whether this process may make a file of `bytes` bytes: to try would kill it.
fn fits_in_a_file(bytes: u64) -> io::Result<()> {
    match sys::limits::file_size_limit() {
        Some(limit) if limit < bytes => {
            let text = format!("it needs a file of {bytes} bytes; the process's limit (RLIMIT_FSIZE) is {limit}");
            Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
        }
        _ => Ok(()),
    }
}
