//! Making a ring.

use std::io;
use std::sync::Arc;

#[cfg(not(miri))]
use super::SharedRing;
use super::{BuildError, Ring, Shared};
#[cfg(not(miri))]
use crate::mapping::RingFile;
use crate::mapping::{self, Mapping, Request};
use crate::notify;
use crate::raw::{self, Mapped, Memory, Rules};
use crate::sys;
use crate::wire::{Capacity, MAX_SLOTS, Position, RingSize};

/// What a ring is to be like. From [`Ring::builder`].
///
/// # Examples
/// ```
/// # fn main() -> Result<(), dynring::BuildError> {
/// let builder = dynring::Ring::builder(100_000).max_producers(4);
/// assert_eq!(builder.capacity()?, 131_072);
/// let ring = builder.build()?;
/// assert_eq!(ring.capacity(), 131_072);
/// assert_eq!(ring.max_len(), 131_072 - 16);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    capacity: usize,
    max_producers: u32,
    kernel_protocol: bool,
    huge_pages: bool,
    prefault: bool,
    first: Position,
}

impl Builder {
    /// The most producers that a ring can be built for.
    pub const MAX_PRODUCERS: u32 = MAX_SLOTS;

    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            max_producers: 32,
            kernel_protocol: false,
            huge_pages: false,
            prefault: true,
            first: Position::new(0),
        }
    }

    /// How many producers can be registered at the same time, from 1 to [`MAX_PRODUCERS`](Self::MAX_PRODUCERS); 32 unless
    /// said otherwise. Each takes 128 bytes, in whole pages.
    pub fn max_producers(mut self, producers: u32) -> Self {
        self.max_producers = producers;
        self
    }

    /// Whether readers that know only the kernel's protocol may read the ring: then `producer_pos` says how far they may look.
    /// Costs producers a fence and a look at all other producers for each reservation. Off unless said otherwise.
    ///
    /// Such a reader moves the consumer position, and so the ring's [file](std::os::fd::AsFd) can be written to by whoever
    /// has a descriptor of it. **Give it only to those whom you would let write to this process's memory**: records and
    /// reservations are references into the file, and nothing may change what they refer to.
    pub fn kernel_protocol(mut self, on: bool) -> Self {
        self.kernel_protocol = on;
        self
    }

    /// Whether to ask for huge pages under the data of rings from 2 MiB on. Off unless said otherwise. Where the system
    /// has none to give, the ring works without: see [`Ring::huge_pages`].
    pub fn huge_pages(mut self, on: bool) -> Self {
        self.huge_pages = on;
        self
    }

    /// Whether to map every page at once, so that the first lap meets no page faults. On unless said otherwise. The memory
    /// is committed in either case.
    pub fn prefault(mut self, on: bool) -> Self {
        self.prefault = on;
        self
    }

    /// The position at which the ring begins, rounded down to a multiple of 8. For tests of what happens when positions wrap.
    #[doc(hidden)]
    pub fn first_position(mut self, first: u64) -> Self {
        self.first = Position::new(first & !7);
        self
    }

    /// The capacity that the ring will have, in bytes: what was asked for, rounded up to a power of two of whole pages.
    ///
    /// # Errors
    /// It would exceed [`RingSize::MAX`].
    pub fn capacity(&self) -> Result<usize, BuildError> {
        Ok(self.size()?.bytes() as usize)
    }

    fn size(&self) -> Result<RingSize, BuildError> {
        RingSize::at_least(self.capacity as u64, sys::page_size()).map_err(BuildError::Capacity)
    }

    /// Makes the ring, and commits its memory: if there is too little, this is when it is noticed, and nothing fails later.
    ///
    /// Linux refuses what exceeds the limits of the process. Where memory itself runs out, that of the machine or of a control
    /// group, as of a container, it kills a process instead, most likely this one.
    ///
    /// # Errors
    /// The capacity or the number of producers is out of range, memory or file descriptors are short, or the system
    /// refuses something else.
    pub fn build(&self) -> Result<Ring, BuildError> {
        let request = self.request()?;
        let size = request.size;
        let failed = |error: io::Error| BuildError::System { bytes: size.bytes(), error };
        let Mapping { pages, file, layout, huge_pages } = mapping::create(request).map_err(failed)?;
        let rules = Rules {
            capacity: Capacity::of_ring(size, Mapped::MIRRORED),
            plain_readers: self.kernel_protocol,
            consumer_writes_data: true,
            store_load: notify::store_load(),
            barrier: notify::heavy,
            wake: notify::wake,
        };
        let memory = Mapped::new(pages, rules);
        raw::initialise(&memory, self.first);
        raw::open(&memory);
        Ok(Ring { shared: Arc::new(Shared { memory, file, window: layout.consumer_page(), huge_pages }) })
    }

    /// Makes a ring that processes share, in a memfd that has no name: it is [passed](SharedRing::share) from one to another, or
    /// inherited. Its length is sealed, and its memory committed. It is there for as long as somebody is attached to it.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    #[cfg(not(miri))]
    pub fn build_shared(&self) -> Result<SharedRing, BuildError> {
        let request = self.request()?;
        let failed = |error: io::Error| BuildError::System { bytes: request.size.bytes(), error };
        RingFile::create(&request, self.first).map(SharedRing::new).map_err(failed)
    }

    /// Makes a ring that processes share, in a file called `path`, on a tmpfs such as `/dev/shm`: others [open](SharedRing::open)
    /// it. It appears complete or not at all, and is there until it is removed. Only its owner may open it.
    ///
    /// # Errors
    /// As [`build`](Self::build); or there is something at `path` already: [`SharedRing::remove_stale`] removes a ring to which
    /// nobody is attached any more.
    #[cfg(not(miri))]
    pub fn build_at(&self, path: impl AsRef<std::path::Path>) -> Result<SharedRing, BuildError> {
        let (request, path) = (self.request()?, path.as_ref());
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => BuildError::Exists { path: path.into() },
            _ => BuildError::System { bytes: request.size.bytes(), error },
        };
        RingFile::create_at(&request, self.first, path).map(SharedRing::new).map_err(failed)
    }

    fn request(&self) -> Result<Request, BuildError> {
        let slots = self.max_producers;
        if !(1..=Self::MAX_PRODUCERS).contains(&slots) {
            return Err(BuildError::Producers { found: slots, max: Self::MAX_PRODUCERS });
        }
        Ok(Request {
            size: self.size()?,
            slots,
            huge_pages: self.huge_pages,
            prefault: self.prefault,
            plain_readers: self.kernel_protocol,
        })
    }
}
