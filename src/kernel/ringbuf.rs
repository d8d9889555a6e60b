//! Opening a ring of the kernel.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;

use super::error::{OpenError, OpenStep};
use super::find;
use super::map::OpenMap;
use super::open::{Kind, RingMap};
use crate::notify::{Doorbell, Sleep};
use crate::raw::{self, Mapped, Memory, Rules};
use crate::ring::Consumer;
use crate::sync::StoreLoad;
use crate::sys::KernelPages;
use crate::sys::epoll::Ready;
use crate::wire::{Capacity, RingSize};

/// A ring that the kernel made: a BPF map of type `BPF_MAP_TYPE_RINGBUF`, mapped into this process.
///
/// BPF programs produce. There must be one consumer: two would take records from under each other's hands. A process opens
/// a ring only once at a time; that no other process consumes it, or writes to its consumer page, is up to whoever passes
/// the descriptor round. Records that nobody has consumed are still there when the ring is opened again.
///
/// The descriptor is duplicated (close-on-exec); the one passed in may be closed.
///
/// # Examples
/// ```
/// use dynring::{Consumer, kernel::RingBuf};
///
/// fn consume(map: std::os::fd::BorrowedFd<'_>) -> std::io::Result<Consumer> {
///     let ring = RingBuf::from_fd(map)?;
///     println!("a ring of {} bytes", ring.size().bytes());
///     ring.into_consumer()
/// }
/// ```
#[doc(alias = "ring_buffer__new")]
#[doc(alias = "BPF_MAP_TYPE_RINGBUF")]
#[derive(Debug)]
pub struct RingBuf {
    map: OpenMap,
    pages: KernelPages,
    size: RingSize,
}

impl RingBuf {
    /// Opens the ring that `fd` is a descriptor of.
    ///
    /// No privilege is needed from Linux 5.19 on: whoever has a descriptor that is open for reading and writing may map
    /// the ring.
    ///
    /// # Errors
    /// `fd` is not what is needed, or the kernel refuses to map it; [`OpenError`] says which.
    pub fn from_fd(fd: impl AsFd) -> Result<Self, OpenError> {
        Self::open(RingMap::open(fd, Kind::Consumed)?)
    }

    /// Opens the ring that is pinned at `path`, which lies in a bpffs: most often below `/sys/fs/bpf`.
    ///
    /// No privilege is needed from Linux 5.19 on, but permission to read and write the file.
    ///
    /// # Errors
    /// No map of type ringbuf is pinned there, or the kernel refuses to open or map it; [`OpenError`] says which.
    ///
    /// # Examples
    /// ```
    /// use dynring::kernel::{OpenError, RingBuf};
    ///
    /// match RingBuf::from_path("/sys/fs/bpf/events") {
    ///     Ok(ring) => println!("a ring of {} bytes", ring.size().bytes()),
    ///     Err(OpenError::NoSuchPath { path }) => println!("not loaded yet: nothing is at {}", path.display()),
    ///     Err(error) => println!("{error}"),
    /// }
    /// ```
    ///
    /// Source: `bpf_obj_get` in libbpf, `bpf_obj_get_user` in the kernel's `kernel/bpf/inode.c`.
    #[doc(alias = "bpf_obj_get")]
    #[doc(alias = "BPF_OBJ_GET")]
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open(RingMap::of(find::pinned(path.as_ref())?, Kind::Consumed)?)
    }

    /// Opens the ring that has the id `id` in the kernel, as `bpftool map` shows it.
    ///
    /// Takes `CAP_SYS_ADMIN`. Ids are given out anew after 2³¹ maps.
    ///
    /// # Errors
    /// No map has that id, it is not of type ringbuf, or the kernel refuses to open or map it; [`OpenError`] says which.
    ///
    /// # Examples
    /// ```
    /// use dynring::kernel::RingBuf;
    ///
    /// if let Err(error) = RingBuf::from_id(u32::MAX) {
    ///     println!("{error}");
    /// }
    /// ```
    ///
    /// Source: `bpf_map_get_fd_by_id` in libbpf.
    #[doc(alias = "bpf_map_get_fd_by_id")]
    #[doc(alias = "BPF_MAP_GET_FD_BY_ID")]
    pub fn from_id(id: u32) -> Result<Self, OpenError> {
        Self::open(RingMap::of(find::by_id(id)?, Kind::Consumed)?)
    }

    fn open(map: RingMap) -> Result<Self, OpenError> {
        let RingMap { fd, id, size, page, .. } = map;
        let map = OpenMap::new(fd, id)?;
        let pages = KernelPages::to_consume(map.as_fd(), size, page);
        let pages = pages.map_err(|error| OpenError::from_os(OpenStep::Map, error))?;
        Ok(Self { map, pages, size })
    }

    /// Size of the ring's data in bytes: `max_entries` of the map.
    #[doc(alias = "ring__size")]
    pub fn size(&self) -> RingSize {
        self.size
    }

    /// The consumer, which resumes where the last one stopped, and sleeps until the kernel wakes it.
    ///
    /// # Errors
    /// The system's limits on descriptors or on epoll watches are reached.
    pub fn into_consumer(self) -> io::Result<Consumer> {
        let doorbell = Doorbell::new(self.map, Ready::ToRead)?;
        Ok(consume(self.pages, self.size, Sleep::Doorbell(doorbell)))
    }
}

/// The map's descriptor.
impl AsFd for RingBuf {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.map.as_fd()
    }
}

/// The same as a number.
impl std::os::fd::AsRawFd for RingBuf {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        std::os::fd::AsFd::as_fd(self).as_raw_fd()
    }
}

/// The consumer of a ring of `size` bytes in `pages`, which programs fill.
pub(super) fn consume(pages: KernelPages, size: RingSize, sleep: Sleep) -> Consumer {
    let rules = Rules {
        capacity: Capacity::of_ring(size, Mapped::MIRRORED),
        plain_readers: true,
        consumer_writes_data: false,
        // Commits in the kernel run a full barrier of their own: the consumer needs one of the same kind.
        store_load: StoreLoad::Fence,
        barrier: |_, _| true,
        wake: |_, _| {},
    };
    Consumer::new(raw::Consumer::new(Mapped::new(Arc::new(pages), rules)), sleep)
}
