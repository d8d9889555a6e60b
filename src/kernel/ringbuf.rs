//! Opening a ring of the kernel.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use super::error::{OpenError, OpenStep, RINGBUF};
use super::find;
use super::map::OpenMap;
use crate::notify::{Doorbell, Sleep};
use crate::raw::{self, Mapped};
use crate::ring::Consumer;
use crate::sync::StoreLoad;
use crate::sys::bpf::{MapInfo, map_info, names_a_map};
use crate::sys::{KernelPages, page_size};
use crate::wire::{RingSize, SizeError};

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
        let map = fd.as_fd().try_clone_to_owned();
        Self::open(map.map_err(|error| OpenError::from_os(OpenStep::Describe, error))?)
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
        Self::open(find::pinned(path.as_ref())?)
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
        Self::open(find::by_id(id)?)
    }

    fn open(map: OwnedFd) -> Result<Self, OpenError> {
        let (id, size, page) = ring_behind(map.as_fd())?;
        let map = OpenMap::new(map, id)?;
        let pages = KernelPages::new(map.as_fd(), size, page);
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
        let doorbell = Doorbell::new(self.map)?;
        // Commits in the kernel run a full barrier of their own: the consumer needs one of the same kind.
        let memory = Mapped::new(Arc::new(self.pages), true, StoreLoad::Fence, |_, _| {});
        Ok(Consumer::new(raw::Consumer::new(memory), Sleep::Doorbell(doorbell)))
    }
}

/// The map's descriptor.
impl AsFd for RingBuf {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.map.as_fd()
    }
}

/// The id of the ring that `map` is, its size, and the size of a page.
pub(super) fn ring_behind(map: BorrowedFd<'_>) -> Result<(u32, RingSize, u64), OpenError> {
    let (info, page) = (describe(map)?, page_size());
    Ok((info.id, check(&info, page)?, page))
}

/// What the kernel says about the map.
fn describe(map: BorrowedFd<'_>) -> Result<MapInfo, OpenError> {
    let info = map_info(map).map_err(|error| OpenError::from_os(OpenStep::Describe, error))?;
    // Programs and links answer as well, and some of their numbers are 27.
    if names_a_map(map) == Some(false) { Err(OpenError::NotAMap) } else { Ok(info) }
}

/// Whether such a map can be consumed, in pages of `page` bytes.
fn check(info: &MapInfo, page: u64) -> Result<RingSize, OpenError> {
    /// Producers overwrite what has not been read. From Linux 6.19 on.
    const BPF_F_RB_OVERWRITE: u32 = 1 << 19;

    if info.map_type != RINGBUF {
        return Err(OpenError::WrongMapType { found: info.map_type });
    }
    if info.map_flags & BPF_F_RB_OVERWRITE != 0 {
        return Err(OpenError::Overwriting);
    }
    let found = u64::from(info.max_entries);
    match RingSize::new(found) {
        Ok(size) if found >= page => Ok(size),
        _ => Err(OpenError::Size(SizeError { found, min: page, max: 1 << 31 })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RING: MapInfo =
        MapInfo { map_type: RINGBUF, id: 1, key_size: 0, value_size: 0, max_entries: 4096, map_flags: 0 };

    #[test]
    fn a_ring_of_whole_pages_is_accepted() {
        assert_eq!(check(&RING, 4096).unwrap().bytes(), 4096);
        let largest = MapInfo { max_entries: 1 << 31, ..RING };
        assert_eq!(check(&largest, 65536).unwrap().bytes(), 1 << 31);
    }

    #[test]
    fn a_size_that_no_ring_has_is_refused() {
        for max_entries in [0, 1, 4095, 4097, 2048, u32::MAX] {
            let error = check(&MapInfo { max_entries, ..RING }, 4096).unwrap_err();
            let OpenError::Size(SizeError { found, min, .. }) = error else { panic!("{error:?}") };
            assert_eq!((found, min), (max_entries.into(), 4096));
        }
    }

    #[test]
    fn a_ring_whose_producers_overwrite_is_refused() {
        let overwriting = MapInfo { map_flags: 1 << 19, ..RING };
        assert!(matches!(check(&overwriting, 4096), Err(OpenError::Overwriting)));
    }

    #[test]
    fn another_map_is_refused() {
        let user = MapInfo { map_type: 31, ..RING };
        assert!(matches!(check(&user, 4096), Err(OpenError::WrongMapType { found: 31 })));
    }
}
