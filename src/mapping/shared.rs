//! Files of rings that processes share.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::create::{Place, create_file};
use super::{AttachError, Request};
use crate::notify;
use crate::raw::{self, Mapped, Memory, Rules};
use crate::recovery::Locks;
use crate::sys::fork::Generation;
use crate::sys::reopen::{Access, reopen};
use crate::sys::{self, Files, RingPages, named, stat};
use crate::wire::{Capacity, DESCRIPTOR_BYTES, Descriptor, Features, Layout, Position};

pub(crate) use crate::sys::Writable;

/// A ring's file, which has been checked.
#[derive(Debug)]
pub(crate) struct RingFile {
    to_read: OwnedFd,
    to_write: OwnedFd,
    descriptor: Descriptor,
    /// Shows that somebody is attached.
    _attached: Locks,
    made: Generation,
    /// As those who only look map it.
    observed: OnceLock<Mapped>,
}

/// Whether the file's length must be sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Seals {
    Required,
    /// Who has found the file by its name trusts those who may write it.
    Waived,
}

impl RingFile {
    /// A new ring without a name, which begins at `first`.
    pub(crate) fn create(request: &Request, first: Position) -> io::Result<Self> {
        let (file, descriptor) = create_file(request, Place::Anonymous)?;
        Self::begin(file, descriptor, first)
    }

    /// A new ring that has the name `path` once it is complete.
    pub(crate) fn create_at(request: &Request, first: Position, path: &Path) -> io::Result<Self> {
        let (file, descriptor) = create_file(request, Place::In(directory_of(path)))?;
        let ring = Self::begin(file, descriptor, first)?;
        named::link(ring.to_write.as_fd(), path)?;
        Ok(ring)
    }

    fn begin(file: OwnedFd, descriptor: Descriptor, first: Position) -> io::Result<Self> {
        let ring = Self::checked(file.as_fd(), descriptor)?;
        let memory = ring.map(Writable::ALL)?;
        raw::initialise(&memory, first);
        // Whoever has the file can make producers, as long as it is there.
        raw::open(&memory);
        if !ring._attached.attach()? {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        Ok(ring)
    }

    /// The ring that `file` is a descriptor of.
    pub(crate) fn from_fd(file: BorrowedFd<'_>) -> Result<Self, AttachError> {
        Self::attach(file, Seals::Required)
    }

    /// The ring at `path`.
    pub(crate) fn open(path: &Path) -> Result<Self, AttachError> {
        let ring = Self::attach(found_at(path)?.as_fd(), Seals::Waived)?;
        // It may have been removed before it was attached to.
        still_at(path, ring.to_read.as_fd())?;
        Ok(ring)
    }

    fn attach(file: BorrowedFd<'_>, seals: Seals) -> Result<Self, AttachError> {
        let descriptor = check(file, seals)?;
        let (found, expected) = (stat::status(file)?.held, committed_bytes(&descriptor.layout));
        if found < expected {
            return Err(AttachError::Sparse { found, expected });
        }
        let ring = Self::checked(file, descriptor)?;
        if ring._attached.attach()? { Ok(ring) } else { Err(AttachError::Removed) }
    }

    fn checked(file: BorrowedFd<'_>, descriptor: Descriptor) -> io::Result<Self> {
        let (to_read, to_write) = (reopen(file, Access::ReadOnly)?, reopen(file, Access::ReadWrite)?);
        let attached = Locks::open(file)?;
        let made = Generation::current();
        Ok(Self { to_read, to_write, descriptor, _attached: attached, made, observed: OnceLock::new() })
    }

    /// Removes the ring at `path`, if nobody is attached to it. Whether nobody was.
    pub(crate) fn remove_stale(path: &Path) -> Result<bool, AttachError> {
        let file = found_at(path)?;
        check(file.as_fd(), Seals::Waived)?;
        remove_if_stale(path, file.as_fd())
    }

    /// Maps the ring, parts of it for writing.
    pub(crate) fn map(&self, writable: Writable) -> io::Result<Mapped> {
        let Descriptor { layout, slots, features } = self.descriptor;
        let files = Files { to_read: self.to_read.as_fd(), to_write: self.to_write.as_fd() };
        let align = layout.data() & layout.data().wrapping_neg();
        let pages = RingPages::new(files, layout, slots, align.min(super::create::HUGE_PAGE), writable, false)?;
        let rules = Rules {
            capacity: Capacity::of_ring(layout.size(), Mapped::MIRRORED),
            plain_readers: features.has(Features::PLAIN_READERS),
            consumer_writes_data: writable.consumer && writable.data,
            store_load: notify::shared_store_load(),
            barrier: notify::heavy,
            wake: notify::wake_shared,
        };
        Ok(Mapped::new(Arc::new(pages), rules))
    }

    /// The ring, mapped to be looked at.
    pub(crate) fn observed(&self) -> io::Result<&Mapped> {
        if let Some(memory) = self.observed.get() {
            return Ok(memory);
        }
        let memory = self.map(Writable { consumer: false, producer: false, data: false })?;
        Ok(self.observed.get_or_init(|| memory))
    }

    /// Whether it was inherited through fork(2): whoever is attached is the parent, and nobody knows of this process.
    pub(crate) fn is_inherited(&self) -> bool {
        self.made.has_passed()
    }

    /// A description for locks of one's own.
    pub(crate) fn locks(&self) -> io::Result<Locks> {
        Locks::open(self.to_write.as_fd())
    }

    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
}

impl AsFd for RingFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.to_write.as_fd()
    }
}

/// For how many bytes memory was committed when the ring was made: all but for what is left out for the data to be aligned.
fn committed_bytes(layout: &Layout) -> u64 {
    layout.slot_pages() + layout.slot_bytes() + layout.file_bytes() - layout.consumer_page()
}

/// The directory that `path` is in.
pub(super) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// What is at `path`, be it something on which opening would wait.
pub(super) fn found_at(path: &Path) -> io::Result<OwnedFd> {
    OpenOptions::new().read(true).custom_flags(sys::O_NONBLOCK).open(path).map(OwnedFd::from)
}

/// That what was found at `path` is there no more is an error.
pub(super) fn still_at(path: &Path, found: BorrowedFd<'_>) -> Result<(), AttachError> {
    let (named, found) = (fs::metadata(path)?, stat::status(found)?);
    let same = (named.dev(), named.ino()) == (found.device, found.inode);
    if same { Ok(()) } else { Err(AttachError::Removed) }
}

/// Removes the file at `path`, which was found there and checked, if nobody is attached to it. Whether nobody was.
pub(super) fn remove_if_stale(path: &Path, file: BorrowedFd<'_>) -> Result<bool, AttachError> {
    let locks = Locks::open(file)?;
    if !locks.take_all()? {
        return Ok(false);
    }
    still_at(path, file)?;
    fs::remove_file(path)?;
    Ok(true)
}

/// Checks everything that is known of a ring's file before it is mapped.
fn check(file: BorrowedFd<'_>, seals: Seals) -> Result<Descriptor, AttachError> {
    let (length, bytes) = check_file(file, seals)?;
    let descriptor = Descriptor::from_bytes(&bytes, sys::page_size())?;
    if !descriptor.features.has(Features::SHARED) {
        return Err(AttachError::NotShared);
    }
    let expected = descriptor.layout.file_bytes();
    if length == expected { Ok(descriptor) } else { Err(AttachError::Length { found: length, expected }) }
}

/// Checks that it is a file that can be mapped without danger. Returns its length, and what it begins with.
pub(super) fn check_file(file: BorrowedFd<'_>, seals: Seals) -> Result<(u64, [u8; DESCRIPTOR_BYTES]), AttachError> {
    let found = stat::status(file)?;
    if !found.regular {
        return Err(AttachError::NotAFile);
    }
    if seals == Seals::Required && !sys::seals(file)?.is_some_and(sys::Seals::fix_length) {
        return Err(AttachError::NotSealed);
    }
    match sys::file_system_type_of(file)? {
        sys::TMPFS => {}
        found => return Err(AttachError::NotInMemory { found }),
    }
    let mut bytes = [0; DESCRIPTOR_BYTES];
    if found.length < bytes.len() as u64 {
        return Err(AttachError::Length { found: found.length, expected: bytes.len() as u64 });
    }
    File::from(reopen(file, Access::ReadOnly)?).read_exact_at(&mut bytes, 0)?;
    Ok((found.length, bytes))
}
