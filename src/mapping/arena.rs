//! Files of arenas.

use std::io;
use std::sync::Arc;

use crate::raw::arena::Mapped;
use crate::sys;
use crate::wire::arena::ArenaLayout;

#[cfg(not(miri))]
pub(crate) use shared::ArenaFile;

/// Memory for a new arena of this process, committed; zeroed.
#[cfg(not(miri))]
pub(crate) fn create_arena(layout: ArenaLayout, prefault: bool) -> io::Result<Mapped> {
    use std::os::fd::AsFd;

    let file = shared::new_file(layout, super::create::Place::Anonymous)?;
    let pages = sys::ArenaPages::new(file.as_fd(), layout, prefault)?;
    sys::seal_contents(file.as_fd())?;
    sys::seal_seals(file.as_fd())?;
    Ok(Mapped::new(Arc::new(pages)))
}

/// Memory for a new arena of this process, on the heap; zeroed.
#[cfg(miri)]
pub(crate) fn create_arena(layout: ArenaLayout, _: bool) -> io::Result<Mapped> {
    Ok(Mapped::new(Arc::new(sys::ArenaPages::new(layout)?)))
}

/// Files of arenas that processes share.
#[cfg(not(miri))]
mod shared {
    use std::fs::File;
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::path::Path;
    use std::sync::Arc;

    use crate::mapping::AttachError;
    use crate::mapping::create::{Place, committed_file};
    use crate::mapping::shared::{Seals, check_file, directory_of, found_at, remove_if_stale, still_at};
    use crate::raw::arena::Mapped;
    use crate::recovery::Locks;
    use crate::sys::reopen::{Access, reopen};
    use crate::sys::{self, named, stat};
    use crate::wire::arena::{ArenaDescriptor, ArenaLayout};

    /// A file that holds an arena's descriptor and otherwise zeros; if it is anonymous, its length is sealed.
    pub(super) fn new_file(layout: ArenaLayout, place: Place<'_>) -> io::Result<File> {
        let descriptor = ArenaDescriptor { layout }.to_bytes();
        committed_file(c"dynring-arena", &descriptor, std::slice::from_ref(&(0..layout.file_bytes())), place)
    }

    /// An arena's file, which has been checked.
    #[derive(Debug)]
    pub(crate) struct ArenaFile {
        file: OwnedFd,
        layout: ArenaLayout,
        /// Shows that somebody is attached.
        attached: Locks,
    }

    impl ArenaFile {
        /// A new arena without a name.
        pub(crate) fn create(layout: ArenaLayout, secret: u64) -> io::Result<Self> {
            let file = new_file(layout, Place::Anonymous)?;
            sys::seal_seals(file.as_fd())?;
            Self::begin(file.as_fd(), layout, secret)
        }

        /// A new arena that has the name `path` once it is complete.
        pub(crate) fn create_at(layout: ArenaLayout, secret: u64, path: &Path) -> io::Result<Self> {
            let file = new_file(layout, Place::In(directory_of(path)))?;
            let arena = Self::begin(file.as_fd(), layout, secret)?;
            named::link(arena.file.as_fd(), path)?;
            Ok(arena)
        }

        fn begin(file: BorrowedFd<'_>, layout: ArenaLayout, secret: u64) -> io::Result<Self> {
            let arena = Self::checked(file, layout)?;
            arena.map(false)?.initialise(secret);
            let alone = arena.attached.attach()?;
            if alone { Ok(arena) } else { Err(io::ErrorKind::ResourceBusy.into()) }
        }

        fn checked(file: BorrowedFd<'_>, layout: ArenaLayout) -> io::Result<Self> {
            Ok(Self { file: reopen(file, Access::ReadWrite)?, layout, attached: Locks::open(file)? })
        }

        /// The arena that `file` is a descriptor of.
        pub(crate) fn from_fd(file: BorrowedFd<'_>) -> Result<Self, AttachError> {
            Self::attach(file, Seals::Required)
        }

        /// The arena at `path`.
        pub(crate) fn open(path: &Path) -> Result<Self, AttachError> {
            let arena = Self::attach(found_at(path)?.as_fd(), Seals::Waived)?;
            // It may have been removed before it was attached to.
            still_at(path, arena.file.as_fd())?;
            Ok(arena)
        }

        fn attach(file: BorrowedFd<'_>, seals: Seals) -> Result<Self, AttachError> {
            let layout = check(file, seals)?;
            let arena = Self::checked(file, layout)?;
            if arena.attached.attach()? { Ok(arena) } else { Err(AttachError::Removed) }
        }

        /// Removes the arena at `path`, if nobody is attached to it. Whether nobody was.
        pub(crate) fn remove_stale(path: &Path) -> Result<bool, AttachError> {
            let file = found_at(path)?;
            check(file.as_fd(), Seals::Waived)?;
            remove_if_stale(path, file.as_fd())
        }

        /// Maps the arena.
        pub(crate) fn map(&self, prefault: bool) -> io::Result<Mapped> {
            Ok(Mapped::new(Arc::new(sys::ArenaPages::new(self.file.as_fd(), self.layout, prefault)?)))
        }

        /// A description for locks of one's own.
        pub(crate) fn locks(&self) -> io::Result<Locks> {
            Locks::open(self.file.as_fd())
        }

        pub(crate) fn layout(&self) -> &ArenaLayout {
            &self.layout
        }
    }

    impl AsFd for ArenaFile {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.file.as_fd()
        }
    }

    /// Checks everything that is known of an arena's file before it is mapped.
    fn check(file: BorrowedFd<'_>, seals: Seals) -> Result<ArenaLayout, AttachError> {
        let (found, bytes) = check_file(file, seals)?;
        let ArenaDescriptor { layout } = ArenaDescriptor::from_bytes(&bytes, sys::page_size())?;
        let expected = layout.file_bytes();
        if found != expected {
            return Err(AttachError::Length { found, expected });
        }
        let found = stat::status(file)?.held;
        if found < expected { Err(AttachError::Sparse { found, expected }) } else { Ok(layout) }
    }
}
