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

/// Producers overwrite what has not been read. From Linux 6.19 on.
pub(super) const BPF_F_RB_OVERWRITE: u32 = 1 << 19;

/// Which rings can be opened as something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Those that programs fill, and that are full when they are full.
    Consumed,
    /// Those that programs fill, overwriting what has not been read.
    Overwritten,
    /// Both.
    Filled,
    /// Those that programs drain.
    Drained,
}

impl Kind {
    fn map_type(self) -> u32 {
        match self {
            Self::Consumed | Self::Overwritten | Self::Filled => RINGBUF,
            Self::Drained => USER_RINGBUF,
        }
    }
}

/// A map that is a ring.
#[derive(Debug)]
pub(super) struct RingMap {
    /// A descriptor of our own.
    pub(super) fd: OwnedFd,
    /// See [`MapInfo::id`].
    pub(super) id: u32,
    pub(super) size: RingSize,
    /// Whether producers overwrite what has not been read.
    pub(super) overwritten: bool,
    /// Bytes of a page.
    pub(super) page: u64,
}

impl RingMap {
    /// The ring that `fd` is a descriptor of, if it is of that kind.
    pub(super) fn open(fd: impl AsFd, kind: Kind) -> Result<Self, OpenError> {
        let fd = fd.as_fd().try_clone_to_owned();
        Self::of(fd.map_err(|error| OpenError::from_os(OpenStep::Describe, error))?, kind)
    }

    /// The same with a descriptor of our own.
    pub(super) fn of(fd: OwnedFd, kind: Kind) -> Result<Self, OpenError> {
        let page = page_size();
        let info = describe(fd.as_fd())?;
        let size = check(&info, kind, page)?;
        Ok(Self { fd, id: info.id, size, overwritten: is_overwritten(&info), page })
    }
}

/// What the kernel says about the map.
fn describe(map: BorrowedFd<'_>) -> Result<MapInfo, OpenError> {
    let info = map_info(map).map_err(|error| OpenError::from_os(OpenStep::Describe, error))?;
    // Programs and links answer as well, and some of their numbers are those of rings.
    if names_a_map(map) == Some(false) { Err(OpenError::NotAMap) } else { Ok(info) }
}

/// Whether it is such a ring, in pages of `page` bytes.
fn check(info: &MapInfo, kind: Kind, page: u64) -> Result<RingSize, OpenError> {
    if info.map_type != kind.map_type() {
        return Err(OpenError::WrongMapType { found: info.map_type, expected: kind.map_type() });
    }
    match (kind, is_overwritten(info)) {
        (Kind::Consumed | Kind::Drained, true) => return Err(OpenError::Overwriting),
        (Kind::Overwritten, false) => return Err(OpenError::NotOverwriting),
        _ => {}
    }
    let found = u64::from(info.max_entries);
    match RingSize::new(found) {
        Ok(size) if found >= page => Ok(size),
        _ => Err(OpenError::Size(SizeError { found, min: page, max: 1 << 31 })),
    }
}

fn is_overwritten(info: &MapInfo) -> bool {
    info.map_flags & BPF_F_RB_OVERWRITE != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const RING: MapInfo =
        MapInfo { map_type: RINGBUF, id: 1, key_size: 0, value_size: 0, max_entries: 4096, map_flags: 0 };

    #[test]
    fn a_ring_of_whole_pages_is_accepted() {
        assert_eq!(check(&RING, Kind::Consumed, 4096).unwrap().bytes(), 4096);
        let largest = MapInfo { max_entries: 1 << 31, ..RING };
        assert_eq!(check(&largest, Kind::Consumed, 65536).unwrap().bytes(), 1 << 31);
        let user = MapInfo { map_type: USER_RINGBUF, ..RING };
        assert_eq!(check(&user, Kind::Drained, 4096).unwrap().bytes(), 4096);
    }

    #[test]
    fn a_size_that_no_ring_has_is_refused() {
        for max_entries in [0, 1, 4095, 4097, 2048, u32::MAX] {
            let error = check(&MapInfo { max_entries, ..RING }, Kind::Consumed, 4096).unwrap_err();
            let OpenError::Size(SizeError { found, min, .. }) = error else { panic!("{error:?}") };
            assert_eq!((found, min), (max_entries.into(), 4096));
        }
    }

    #[test]
    fn a_ring_whose_producers_overwrite_is_read_by_snapshots_alone_and_the_refusal_says_so() {
        let overwriting = MapInfo { map_flags: 1 << 19, ..RING };
        let refused = check(&overwriting, Kind::Consumed, 4096).unwrap_err();
        assert!(matches!(refused, OpenError::Overwriting), "{refused:?}");
        assert!(refused.to_string().contains("kernel::OverwriteRingBuf"), "{refused}");
        let refused = check(&RING, Kind::Overwritten, 4096).unwrap_err();
        assert!(matches!(refused, OpenError::NotOverwriting), "{refused:?}");
        assert!(refused.to_string().contains("kernel::RingBuf"), "{refused}");
        for (info, kind) in [(&overwriting, Kind::Overwritten), (&overwriting, Kind::Filled), (&RING, Kind::Filled)] {
            assert!(check(info, kind, 4096).is_ok(), "{info:?} {kind:?}");
        }
    }

    #[test]
    fn a_map_of_another_type_is_refused() {
        for (found, kind) in [
            (USER_RINGBUF, Kind::Consumed),
            (USER_RINGBUF, Kind::Overwritten),
            (USER_RINGBUF, Kind::Filled),
            (RINGBUF, Kind::Drained),
        ] {
            let error = check(&MapInfo { map_type: found, ..RING }, kind, 4096).unwrap_err();
            let OpenError::WrongMapType { found: said, expected } = error else { panic!("{error:?}") };
            assert_eq!((said, expected), (found, kind.map_type()));
        }
    }
}
