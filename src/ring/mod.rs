//! What users hold: the ring, its producers, its consumer.

mod batch;
mod builder;
mod consumer;
#[cfg(not(miri))]
mod copying;
mod error;
#[cfg(all(test, not(miri)))]
mod idle;
mod lease;
#[cfg(not(miri))]
mod listen;
mod producer;
mod record;
#[cfg(not(miri))]
mod set;
#[cfg(not(miri))]
mod shared;
mod stats;

pub use batch::ReservedBatch;
pub use builder::Builder;
pub use consumer::{Consumer, Limits};
#[cfg(not(miri))]
pub use copying::{CopyingConsumer, CopyingProducer, CopyingReservation};
pub use error::{BuildError, ConsumerTaken, RegisterError, ReserveError};
pub use lease::Lease;
pub use producer::Producer;
pub use record::{Batch, Record};
#[cfg(not(miri))]
pub use set::{AddError, MergedRecord, PollEnd, PollError, Polled, RingMerge, RingSet, RingToken};
#[cfg(not(miri))]
pub use shared::{ConsumerError, Repair, RepairError, SharedRing, TrustedRing};
pub use stats::Stats;

use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::notify::{Scope, Sleep, Space};
use crate::raw::{self, Mapped, Memory};

/// A lock-free ring of variable-size records: any number of producers, one consumer.
///
/// This is the handle from which [producers](Self::producer) and [the consumer](Self::consumer) come; they do not need it
/// afterwards. Clones are handles on the same ring, whose memory goes when the last handle, producer and consumer have
/// gone.
///
/// # Examples
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use dynring::{Readiness, Ring};
///
/// let ring = Ring::builder(64 * 1024).build()?;
/// let producer = ring.producer()?;
/// let mut consumer = ring.consumer()?;
///
/// let sender = std::thread::spawn(move || -> Result<(), dynring::ReserveError> {
///     for text in ["variable", "size", "records"] {
///         let mut record = producer.reserve(text.len())?;
///         record.copy_from_slice(text.as_bytes());
///         record.commit();
///     }
///     Ok(())
/// });
///
/// let mut got = Vec::new();
/// while consumer.wait(None)? == Readiness::Ready {
///     consumer.drain(|record| {
///         got.push(String::from_utf8_lossy(record).into_owned());
///         std::ops::ControlFlow::Continue(())
///     })?;
/// }
/// assert_eq!(got, ["variable", "size", "records"]);
/// # sender.join().unwrap()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Ring {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    memory: Mapped,
    /// None under Miri.
    #[cfg_attr(miri, expect(dead_code, reason = "there is no file under Miri"))]
    file: Option<OwnedFd>,
    window: u64,
    huge_pages: bool,
}

impl Ring {
    /// Starts building a ring of at least `capacity` bytes of records, headers of 8 bytes each included.
    pub fn builder(capacity: usize) -> Builder {
        Builder::new(capacity)
    }

    /// Registers a producer.
    ///
    /// # Errors
    /// As many producers as the ring was built for are registered already.
    pub fn producer(&self) -> Result<Producer, RegisterError> {
        Producer::register(&self.shared.memory, None, Space::Futex(Scope::Process))
    }

    /// The consumer. There is one, handed out once.
    ///
    /// # Errors
    /// It has been handed out before.
    pub fn consumer(&self) -> Result<Consumer, ConsumerTaken> {
        if raw::claim_consumer(&self.shared.memory) {
            let raw = raw::Consumer::new(self.shared.memory.clone());
            #[cfg(not(miri))]
            let raw = raw.with_generation(crate::sys::fork::generation);
            Ok(Consumer::new(raw, Sleep::Futex(Scope::Process)))
        } else {
            Err(ConsumerTaken)
        }
    }

    /// Size of the data in bytes: the capacity that was asked for, rounded up to a power of two of whole pages.
    pub fn capacity(&self) -> usize {
        self.shared.memory.size().bytes() as usize
    }

    /// The largest payload that a record can have, in bytes: capacity − 16, and at most 1 GiB − 8.
    pub fn max_len(&self) -> usize {
        self.shared.memory.capacity().max_len() as usize
    }

    /// Whether the data lies in huge pages.
    pub fn huge_pages(&self) -> bool {
        self.shared.huge_pages
    }

    /// How the ring is doing. Costs producers and consumer nothing but the look at their words.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.shared.memory)
    }

    /// Where the kernel window begins in the ring's [file](std::os::fd::AsFd), in bytes: the consumer page, the producer page
    /// and the data, as `mmap` of a `BPF_MAP_TYPE_RINGBUF` shows them.
    ///
    /// Readers that know only the kernel's protocol may map and read it in rings built with
    /// [`kernel_protocol`](Builder::kernel_protocol); in others, the producer position means something else.
    pub fn window_offset(&self) -> u64 {
        self.shared.window
    }
}

/// The file that holds the ring's memory: a memfd whose length is sealed.
///
/// It can be read and mapped for reading. Writing to it is refused, but in rings built with
/// [`kernel_protocol`](Builder::kernel_protocol), which says what to beware of.
#[cfg(not(miri))]
impl std::os::fd::AsFd for Ring {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        match &self.shared.file {
            Some(file) => file.as_fd(),
            None => unreachable!("rings are made with a file"),
        }
    }
}

/// The same as a number.
#[cfg(not(miri))]
impl std::os::fd::AsRawFd for Ring {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        std::os::fd::AsFd::as_fd(self).as_raw_fd()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        raw::close(&self.memory);
    }
}
