//! What an arena is to be like.

use std::hash::{BuildHasher, Hasher};
use std::io;

use super::{Arena, ArenaBuildError};
use crate::mapping;
use crate::notify::barrier;
use crate::raw::arena::{Attached, NoPlace};
use crate::sys;
use crate::wire::arena::{ArenaLayout, MAX_PROCESSES};

/// Makes arenas. From [`Arena::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it builds"]
pub struct ArenaBuilder {
    bytes: usize,
    processes: u32,
    prefault: bool,
}

impl ArenaBuilder {
    /// The most processes that can be attached to one arena at a time.
    pub const MAX_PROCESSES: u32 = MAX_PROCESSES;

    pub(super) fn new(bytes: usize) -> Self {
        Self { bytes, processes: 16, prefault: true }
    }

    /// How many processes can be attached to the arena at the same time, 1 to [`MAX_PROCESSES`](Self::MAX_PROCESSES); 16 unless
    /// said otherwise. Each costs 8 bytes in the arena, and 8 for each entry of each map.
    ///
    /// What counts are handles, one for each [`SharedArena::trusted`](super::SharedArena::trusted).
    pub fn max_processes(mut self, processes: u32) -> Self {
        self.processes = processes;
        self
    }

    /// Whether to map every page at once, so that no first access faults later. On unless said otherwise. The memory is
    /// committed in either case.
    pub fn prefault(mut self, on: bool) -> Self {
        self.prefault = on;
        self
    }

    fn layout(&self) -> Result<ArenaLayout, ArenaBuildError> {
        if !(1..=MAX_PROCESSES).contains(&self.processes) {
            return Err(ArenaBuildError::Processes { found: self.processes, max: MAX_PROCESSES });
        }
        let layout = ArenaLayout::new(self.bytes as u64, self.processes, sys::page_size());
        layout.ok_or(ArenaBuildError::Size { found: self.bytes as u64 })
    }

    /// Makes an arena of this process alone, and commits its memory: if there is too little, this is when it is noticed, and
    /// nothing fails later.
    ///
    /// # Errors
    /// The size or the number of processes is out of range, memory or file descriptors are short, or the system refuses something
    /// else.
    pub fn build(&self) -> Result<Arena, ArenaBuildError> {
        let layout = Self { processes: 1, ..self.clone() }.layout()?;
        let failed = |error: io::Error| ArenaBuildError::System { bytes: layout.file_bytes(), error };
        let memory = mapping::create_arena(layout, self.prefault).map_err(failed)?;
        memory.initialise(secret());
        let attached = Attached::join(memory, None, barrier()).map_err(|error| match error {
            NoPlace::System(error) => failed(error),
            NoPlace::Taken => failed(io::ErrorKind::ResourceBusy.into()),
        })?;
        Ok(Arena::new(attached))
    }

    /// Makes an arena that processes share, in a memfd that has no name: it is [passed](super::SharedArena::share) from one to
    /// another, or inherited. Its length is sealed, and its memory committed. It is there for as long as somebody is attached to
    /// it.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    #[cfg(not(miri))]
    pub fn build_shared(&self) -> Result<super::SharedArena, ArenaBuildError> {
        let layout = self.layout()?;
        let failed = |error: io::Error| ArenaBuildError::System { bytes: layout.file_bytes(), error };
        mapping::ArenaFile::create(layout, secret())
            .map(|file| super::SharedArena::new(file, self.prefault))
            .map_err(failed)
    }

    /// Makes an arena that processes share, in a file called `path`, on a tmpfs such as `/dev/shm`: others
    /// [open](super::SharedArena::open) it. It appears complete or not at all, and is there until it is removed. Only its owner may
    /// open it.
    ///
    /// # Errors
    /// As [`build`](Self::build); or there is something at `path` already:
    /// [`SharedArena::remove_stale`](super::SharedArena::remove_stale) removes an arena to which nobody is attached any more.
    #[cfg(not(miri))]
    pub fn build_at(&self, path: impl AsRef<std::path::Path>) -> Result<super::SharedArena, ArenaBuildError> {
        let (layout, path) = (self.layout()?, path.as_ref());
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => ArenaBuildError::Exists { path: path.into() },
            _ => ArenaBuildError::System { bytes: layout.file_bytes(), error },
        };
        let file = mapping::ArenaFile::create_at(layout, secret(), path).map_err(failed)?;
        Ok(super::SharedArena::new(file, self.prefault))
    }
}

/// A number that no other arena is likely to have.
fn secret() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}
