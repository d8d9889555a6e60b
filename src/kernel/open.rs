//! Which maps can be opened.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::error::{OpenError, OpenStep};
use crate::sys::bpf::{MapInfo, map_info, names_a_map};
use crate::sys::page_size;
use crate::wire::{RingSize, SizeError};

/// `BPF_MAP_TYPE_RINGBUF`.
pub(super) const RINGBUF: u32 = 27;

/// `BPF_MAP_TYPE_USER_RINGBUF`.
pub(super) const USER_RINGBUF: u32 = 31;

/// A map that is a ring.
#[derive(Debug)]
pub(super) struct RingMap {
    /// A descriptor of our own.
    pub(super) fd: OwnedFd,
    /// See [`MapInfo::id`].
    pub(super) id: u32,
    pub(super) size: RingSize,
    /// Bytes of a page.
    pub(super) page: u64,
}

impl RingMap {
    /// The ring that `fd` is a descriptor of, if its map is of type `map_type`.
    pub(super) fn open(fd: impl AsFd, map_type: u32) -> Result<Self, OpenError> {
        let fd = fd.as_fd().try_clone_to_owned();
        Self::of(fd.map_err(|error| OpenError::from_os(OpenStep::Describe, error))?, map_type)
    }

    /// The same with a descriptor of our own.
    pub(super) fn of(fd: OwnedFd, map_type: u32) -> Result<Self, OpenError> {
        let page = page_size();
        let info = describe(fd.as_fd())?;
        let size = check(&info, map_type, page)?;
        Ok(Self { fd, id: info.id, size, page })
    }
}

/// What the kernel says about the map.
fn describe(map: BorrowedFd<'_>) -> Result<MapInfo, OpenError> {
    let info = map_info(map).map_err(|error| OpenError::from_os(OpenStep::Describe, error))?;
    // Programs and links answer as well, and some of their numbers are those of rings.
    if names_a_map(map) == Some(false) { Err(OpenError::NotAMap) } else { Ok(info) }
}

/// Whether it is such a ring, in pages of `page` bytes.
fn check(info: &MapInfo, map_type: u32, page: u64) -> Result<RingSize, OpenError> {
    /// Producers overwrite what has not been read. From Linux 6.19 on.
    const BPF_F_RB_OVERWRITE: u32 = 1 << 19;

    if info.map_type != map_type {
        return Err(OpenError::WrongMapType { found: info.map_type, expected: map_type });
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
        assert_eq!(check(&RING, RINGBUF, 4096).unwrap().bytes(), 4096);
        let largest = MapInfo { max_entries: 1 << 31, ..RING };
        assert_eq!(check(&largest, RINGBUF, 65536).unwrap().bytes(), 1 << 31);
        let user = MapInfo { map_type: USER_RINGBUF, ..RING };
        assert_eq!(check(&user, USER_RINGBUF, 4096).unwrap().bytes(), 4096);
    }

    #[test]
    fn a_size_that_no_ring_has_is_refused() {
        for max_entries in [0, 1, 4095, 4097, 2048, u32::MAX] {
            let error = check(&MapInfo { max_entries, ..RING }, RINGBUF, 4096).unwrap_err();
            let OpenError::Size(SizeError { found, min, .. }) = error else { panic!("{error:?}") };
            assert_eq!((found, min), (max_entries.into(), 4096));
        }
    }

    #[test]
    fn a_ring_whose_producers_overwrite_is_refused() {
        let overwriting = MapInfo { map_flags: 1 << 19, ..RING };
        assert!(matches!(check(&overwriting, RINGBUF, 4096), Err(OpenError::Overwriting)));
    }

    #[test]
    fn a_map_of_another_type_is_refused() {
        for (found, expected) in [(USER_RINGBUF, RINGBUF), (RINGBUF, USER_RINGBUF)] {
            let error = check(&MapInfo { map_type: found, ..RING }, expected, 4096).unwrap_err();
            let OpenError::WrongMapType { found: said, expected: allowed } = error else { panic!("{error:?}") };
            assert_eq!((said, allowed), (found, expected));
        }
    }
}
