//! Producing for programs in the kernel.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use super::error::{OpenError, OpenStep};
use super::open::{Kind, RingMap};
use crate::notify::{self, Space};
use crate::raw::{self, Mapped, Memory, Rules, Unusable};
use crate::ring::{Producer, RegisterError, Stats};
use crate::sys::KernelPages;
use crate::wire::{Capacity, RingSize};

/// A ring that programs in the kernel drain: a BPF map of type `BPF_MAP_TYPE_USER_RINGBUF`, mapped into this process.
///
/// Any number of threads produce, in any number of processes, each with a [`Producer`] of its own, and none waits for
/// another. What a [`Producer`] does in other rings, it does here. A program consumes with `bpf_user_ringbuf_drain`.
///
/// Cursor and slots lie where every process that opens the map finds them: in the page that holds the kernel's `producer_pos`,
/// of which the kernel uses no more than that word. That page has room for [`max_producers`](Self::max_producers).
///
/// - Who produces trusts all others who can map the ring for writing: nothing keeps them from writing anything anywhere in
///   it. While it is open here, none may be a producer that knows only the kernel's protocol, as libbpf's; before and after,
///   they may.
/// - A process that dies keeps the slots that it had for as long as the map lives. If it dies while it holds a
///   reservation, or within the few instructions of making one, what is reserved behind that is never drained.
/// - The kernel wakes those who [wait for space](Producer::reserve_blocking) at the end of a drain that has consumed something, unless the
///   program forbids it with `BPF_RB_NO_WAKEUP`.
/// - Nobody in the kernel sleeps until there is a record: what [`Wakeup`](crate::Wakeup) asks for has no effect.
///
/// The descriptor is duplicated (close-on-exec); the one passed in may be closed. Clones are handles on the same mapping.
///
/// # Examples
/// ```
/// use dynring::kernel::UserRingBuf;
///
/// fn produce(map: std::os::fd::BorrowedFd<'_>) -> std::io::Result<()> {
///     let ring = UserRingBuf::from_fd(map)?;
///     let producer = ring.producer()?;
///     let mut sample = producer.reserve(5)?;
///     sample.copy_from_slice(b"bytes");
///     sample.commit();
///     Ok(())
/// }
/// ```
#[doc(alias = "user_ring_buffer__new")]
#[doc(alias = "BPF_MAP_TYPE_USER_RINGBUF")]
#[derive(Clone, Debug)]
pub struct UserRingBuf {
    map: Arc<OwnedFd>,
    memory: Mapped,
}

impl UserRingBuf {
    /// Opens the ring that `fd` is a descriptor of. Who has produced into it before does not matter: it goes on where
    /// `producer_pos` is.
    ///
    /// No privilege is needed from Linux 5.19 on, if the descriptor is open for reading and writing. Rings of this type are
    /// there from Linux 6.1 on.
    ///
    /// # Errors
    /// `fd` is not what is needed, the kernel refuses to map it, or its positions cannot be; [`OpenError`] says which.
    pub fn from_fd(fd: impl AsFd) -> Result<Self, OpenError> {
        let RingMap { fd, size, page, .. } = RingMap::open(fd, Kind::Drained)?;
        let pages = KernelPages::to_produce(fd.as_fd(), size, page);
        let pages = pages.map_err(|error| OpenError::from_os(OpenStep::Map, error))?;
        let memory = Mapped::new(Arc::new(pages), rules(size));
        raw::resume(&memory)?;
        Ok(Self { map: Arc::new(fd), memory })
    }

    /// Registers a producer.
    ///
    /// # Errors
    /// All slots are taken: [`max_producers`](Self::max_producers).
    pub fn producer(&self) -> Result<Producer, RegisterError> {
        Producer::register(&self.memory, None, Space::drained(Arc::clone(&self.map)))
    }

    /// Size of the ring's data in bytes: `max_entries` of the map. It may be exactly full.
    pub fn size(&self) -> RingSize {
        self.memory.size()
    }

    /// The largest payload that a sample can have, in bytes: size − 8, and less than 16 MiB.
    ///
    /// The kernel never gets past a longer one.
    pub fn max_len(&self) -> usize {
        self.memory.capacity().max_len() as usize
    }

    /// How many producers can be registered at the same time, in all processes together: 28 with pages of 4 KiB.
    pub fn max_producers(&self) -> usize {
        self.memory.slots().len()
    }

    /// How the ring is doing. What the kernel has discarded, it does not say.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.memory)
    }
}

/// The map's descriptor.
impl AsFd for UserRingBuf {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.map.as_fd()
    }
}

/// The same as a number.
impl std::os::fd::AsRawFd for UserRingBuf {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        std::os::fd::AsFd::as_fd(self).as_raw_fd()
    }
}

/// How the kernel reads it.
fn rules(size: RingSize) -> Rules {
    Rules {
        capacity: Capacity::of_user_ring(size),
        plain_readers: true,
        consumer_writes_data: false,
        // Nobody sleeps on words of this ring: drains wake through the map. It is producers that order what they do with others.
        store_load: notify::shared_store_load(),
        barrier: notify::heavy,
        wake: |_, _| {},
    }
}

impl From<Unusable> for OpenError {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Layout { found } => Self::Layout { found },
            Unusable::Corrupt(corrupt) => Self::Corrupt(corrupt),
        }
    }
}
