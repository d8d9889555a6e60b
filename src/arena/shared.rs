//! Arenas that processes share.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use super::{Arena, JoinError};
use crate::mapping::{ArenaFile, AttachError};
use crate::notify::barrier;
use crate::raw::arena::{Attached, Mapped, Memory, NoPlace, in_use, largest_free};
use crate::recovery::{ArenaRoster, Recovered};
use crate::sys::socket;
use crate::wire::arena::UNIT_BYTES;

/// An arena that processes share: in a memfd that is passed from one to another, or in a file with a name.
///
/// This is the file. [`trusted`](Self::trusted) attaches to what is in it, and gives the [`Arena`] of which memory is had.
///
/// # Trust
/// All processes that use an arena are **in one domain of trust**: they write the same memory, and each refers to what the others
/// have written. What the words in it say is checked all the same, so that accidents are errors and nothing is accessed outside
/// the arena.
///
/// # Death
/// Each process shows by a lock that it lives, which the system releases when it dies, however it does. Whoever runs out of memory
/// or of places, or calls [`recover`](Self::recover), then gives back what the dead have: memory, holds, tokens that nobody has
/// claimed. What they have put into maps stays there. Nothing is decided by time: what a process has that is stopped stays its own.
///
/// # Examples
/// ```
/// # fn main() -> std::io::Result<()> {
/// use dynring::{Arena, MapSize, SharedArena};
/// use std::os::unix::net::UnixStream;
///
/// let (here, there) = UnixStream::pair()?;
/// let shared = Arena::builder(1 << 20).build_shared()?;
/// shared.share(&here)?;
/// // SAFETY: all who have the arena use this crate.
/// let arena = unsafe { shared.trusted() }?;
/// let map = arena.create_map::<u64>("values", MapSize { entries: 100, key_bytes: 8 })?;
/// let mut value = arena.alloc(5)?;
/// value.copy_from_slice(b"bytes");
/// map.insert(&7, value)?;
///
/// // In another process:
/// let shared = SharedArena::receive(&there)?;
/// // SAFETY: as above.
/// let arena = unsafe { shared.trusted() }?;
/// let value = arena.open_map::<u64>("values")?.get(&7)?.expect("it is there");
/// assert_eq!(&*value, b"bytes");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SharedArena {
    file: Arc<ArenaFile>,
    prefault: bool,
}

/// What [`SharedArena::receive`] has to say beside the arena.
const MESSAGE: [u8; 8] = *b"dynarena";

/// What a [recovery](SharedArena::recover) has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct ArenaRecovery {
    /// Processes that had died.
    pub processes: u32,
    /// Blocks that they had, without those in maps.
    pub blocks: usize,
    /// Nothing was done, as somebody else is at it.
    pub busy: bool,
}

impl SharedArena {
    pub(super) fn new(file: ArenaFile, prefault: bool) -> Self {
        Self { file: Arc::new(file), prefault }
    }

    /// Attaches to the arena at `path`, which [`ArenaBuilder::build_at`](super::ArenaBuilder::build_at) has made.
    ///
    /// The length of such a file cannot be sealed: whoever may write it can cut it short, and thereby kill (`SIGBUS`) everyone
    /// who has mapped it. Only its owner may, unless its mode is changed. Arenas that are passed round have no such weakness.
    ///
    /// # Errors
    /// There is no such file, or not of an arena that can be used here; [`AttachError`] says which.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, AttachError> {
        ArenaFile::open(path.as_ref()).map(|file| Self::new(file, false))
    }

    /// Attaches to the arena that `fd` is a descriptor of, a memfd whose length is sealed.
    ///
    /// # Errors
    /// It is not of an arena that can be used here; [`AttachError`] says which.
    pub fn from_fd(fd: impl AsFd) -> Result<Self, AttachError> {
        ArenaFile::from_fd(fd.as_fd()).map(|file| Self::new(file, false))
    }

    /// Passes the arena to the process at the other end of `stream`, which [receives](Self::receive) it.
    ///
    /// # Errors
    /// The system refuses, or the other end is closed.
    pub fn share(&self, stream: &UnixStream) -> io::Result<()> {
        socket::send(stream, &MESSAGE, &[self.file.as_fd()])
    }

    /// Attaches to the arena that the process at the other end of `stream` [shares](Self::share). Waits for it.
    ///
    /// # Errors
    /// What comes is not an arena that can be used here, or the other end is closed; [`AttachError`] says which.
    pub fn receive(stream: &UnixStream) -> Result<Self, AttachError> {
        let mut message = [0; MESSAGE.len()];
        let (bytes, fds) = socket::receive(stream, &mut message)?;
        match fds.as_slice() {
            [fd] if bytes == MESSAGE.len() && message == MESSAGE => Self::from_fd(fd),
            fds => Err(AttachError::Message { descriptors: fds.len() }),
        }
    }

    /// Removes the arena at `path` if nobody is attached to it: all who were have gone, or died. Whether nobody was.
    ///
    /// # Errors
    /// There is no such file, or it holds something else than an arena; [`AttachError`] says which.
    pub fn remove_stale(path: impl AsRef<Path>) -> Result<bool, AttachError> {
        ArenaFile::remove_stale(path.as_ref())
    }

    /// Takes a place in the arena, to take memory and to look into maps. It is given back, with all that is had, when the last clone
    /// of the result, and all that was had from it, is dropped.
    ///
    /// # Errors
    /// All places are taken, and none by somebody who is dead. Or the system refuses.
    ///
    /// # Safety
    /// For as long as anything that the result makes exists, every process that can write to the file uses it as this crate does,
    /// and none changes its length.
    #[expect(unsafe_code, reason = "what other processes do is the caller's to know")]
    pub unsafe fn trusted(&self) -> Result<Arena, JoinError> {
        let memory = self.file.map(self.prefault).map_err(JoinError::System)?;
        let roster = self.roster(memory.clone());
        let attached = Attached::join(memory, Some(Arc::new(roster)), barrier()).map_err(|error| match error {
            NoPlace::Taken => JoinError::Full { max: self.file.layout().processes() },
            NoPlace::System(error) => JoinError::System(error),
        })?;
        Ok(Arena::new(attached))
    }

    fn roster(&self, memory: Mapped) -> ArenaRoster {
        ArenaRoster::new(Arc::clone(&self.file), memory)
    }

    /// Gives back what those have who have died. Whoever finds no memory or no place does it by itself.
    ///
    /// # Errors
    /// The system refuses.
    pub fn recover(&self) -> io::Result<ArenaRecovery> {
        let recovered = self.roster(self.file.map(false)?).recover()?;
        Ok(match recovered {
            Some(Recovered { processes, blocks }) => ArenaRecovery { processes, blocks, busy: false },
            None => ArenaRecovery { busy: true, ..ArenaRecovery::default() },
        })
    }

    /// How many have a place, those who have died and were not looked after included.
    ///
    /// # Errors
    /// The system refuses to map it.
    pub fn processes(&self) -> io::Result<usize> {
        let memory = self.file.map(false)?;
        let places = 0..memory.processes().len();
        Ok(places.filter(|&place| crate::raw::arena::is_attached(&memory, place as u16)).count())
    }

    /// Bytes in use, as [`Arena::in_use`] says.
    ///
    /// # Errors
    /// The system refuses to map it.
    pub fn in_use(&self) -> io::Result<u64> {
        Ok(in_use(&self.file.map(false)?) * UNIT_BYTES)
    }

    /// Bytes of the largest piece that could be had, without what handles have [set apart](Arena#blocks-that-are-set-apart).
    ///
    /// # Errors
    /// The system refuses to map it.
    pub fn largest_free(&self) -> io::Result<u64> {
        Ok(largest_free(&self.file.map(false)?) * UNIT_BYTES)
    }

    /// Bytes that can be handed out in all.
    pub fn capacity(&self) -> u64 {
        self.file.layout().data_bytes()
    }

    /// How many processes can be attached at the same time.
    pub fn max_processes(&self) -> usize {
        self.file.layout().processes() as usize
    }
}

/// The arena's file, open for reading and writing.
impl AsFd for SharedArena {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// The same as a number.
impl std::os::fd::AsRawFd for SharedArena {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.file.as_fd().as_raw_fd()
    }
}
