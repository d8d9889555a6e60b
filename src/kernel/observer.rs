//! Looking at a ring that somebody else consumes.

use std::os::fd::AsFd;
use std::path::Path;

use super::error::{OpenError, OpenStep};
use super::find;
use super::open::{Kind, RingMap};
use super::overwrite::unread;
use crate::sync::{Edge, Ordering, fence_acquire};
use crate::sys::ObservedPages;
use crate::wire::{Position, RingSize};

/// Shows how a ring of the kernel is doing, while another process consumes it, or this one.
///
/// Positions are mapped read-only, and records are not mapped at all: it takes nothing out, and cannot disturb. Any number of
/// observers may look.
///
/// # Examples
/// ```
/// use dynring::kernel::{Observer, OpenError};
///
/// fn show(pin: &str) -> Result<(), OpenError> {
///     let observer = Observer::from_path(pin)?;
///     let (available, size) = (observer.available(), observer.size().bytes());
///     println!("{available} of {size} bytes are waiting to be consumed");
///     Ok(())
/// }
/// ```
///
/// Source: `ring__avail_data_size` in libbpf.
#[derive(Debug)]
pub struct Observer {
    pages: ObservedPages,
    size: RingSize,
    overwritten: bool,
}

impl Observer {
    /// Observes the ring that `fd` is a descriptor of, which may be frozen.
    ///
    /// The descriptor must be open for reading and writing, although nothing is written: the kernel does not let others map
    /// a map at all.
    ///
    /// # Errors
    /// `fd` is not what is needed, or the kernel refuses to map it; [`OpenError`] says which.
    pub fn from_fd(fd: impl AsFd) -> Result<Self, OpenError> {
        Self::open(RingMap::open(fd, Kind::Filled)?)
    }

    /// Observes the ring that is pinned at `path`. Takes permission to read and write the file, as the kernel maps it for
    /// nobody else.
    ///
    /// # Errors
    /// As [`RingBuf::from_path`](super::RingBuf::from_path).
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open(RingMap::of(find::pinned(path.as_ref())?, Kind::Filled)?)
    }

    /// Observes the ring that has the id `id` in the kernel, as `bpftool map` shows it. Takes `CAP_SYS_ADMIN`.
    ///
    /// # Errors
    /// As [`RingBuf::from_id`](super::RingBuf::from_id).
    pub fn from_id(id: u32) -> Result<Self, OpenError> {
        Self::open(RingMap::of(find::by_id(id)?, Kind::Filled)?)
    }

    fn open(map: RingMap) -> Result<Self, OpenError> {
        let RingMap { fd, size, overwritten, page, .. } = map;
        let pages = ObservedPages::new(fd.as_fd(), page);
        // The mapping keeps the map alive: the descriptor has done its duty.
        Ok(Self { pages: pages.map_err(|error| OpenError::from_os(OpenStep::Map, error))?, size, overwritten })
    }

    /// Size of the ring's data in bytes.
    pub fn size(&self) -> RingSize {
        self.size
    }

    /// Everything below has been consumed: bytes since the ring began, modulo 2⁶⁴. It is the consumer who says so.
    pub fn consumer_pos(&self) -> u64 {
        self.pages.consumer_pos().load(Ordering::Relaxed)
    }

    /// Everything below has been reserved: bytes since the ring began, modulo 2⁶⁴.
    pub fn producer_pos(&self) -> u64 {
        self.pages.producer_pos().load(Ordering::Relaxed)
    }

    /// Everything below was committed or discarded when a program reserved last: bytes since the ring began, modulo 2⁶⁴. What
    /// lies between that and [`producer_pos`](Self::producer_pos) may be finished, too: nobody has looked since.
    ///
    /// 0 for ever in kernels before 6.10, but for those that stable releases have brought it to: since `bpf: Fix overrunning
    /// reservations in ringbuf`.
    pub fn pending_pos(&self) -> u64 {
        self.pages.pending_pos().load(Ordering::Relaxed)
    }

    /// Everything below may have been overwritten: bytes since the ring began, modulo 2⁶⁴. 0 for ever unless the map was created
    /// with `BPF_F_RB_OVERWRITE`.
    pub fn overwrite_pos(&self) -> u64 {
        self.pages.overwrite_pos().load(Ordering::Relaxed)
    }

    /// Bytes that are committed, discarded or unfinished and not yet consumed, nor overwritten, headers included.
    ///
    /// A snapshot: the consumer is asked first, then the producers, and both go on meanwhile. So it may be more than there
    /// was at any moment, and even more than [`size`](Self::size), but not less than there was at first. The same is true of
    /// what programs are told (`BPF_RB_AVAIL_DATA`).
    pub fn available(&self) -> u64 {
        let pages = &self.pages;
        if self.overwritten {
            return unread(pages.consumer_pos(), pages.producer_pos(), pages.overwrite_pos());
        }
        let consumer = Position::new(self.consumer_pos());
        // Pairs with the consumer's store (E9): it has seen producers at least as far, so they are not seen behind it.
        fence_acquire(Edge::SpaceLoad);
        Position::new(self.producer_pos()).since(consumer)
    }
}
