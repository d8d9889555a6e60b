//! Rings that processes share.

mod error;

pub use error::{ConsumerError, RepairError};

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::error::INHERITED;
use super::{Consumer, CopyingConsumer, CopyingProducer, Producer, RegisterError, Stats};
use crate::mapping::{AttachError, RingFile, Writable};
use crate::notify::{self, Scope, Space};
use crate::raw::{self, Mapped};
use crate::recovery::{self, Locks, Roster, Watch};
use crate::sys::{fork, socket};

/// A ring that processes share: in a memfd that is passed from one to another, or in a file with a name.
///
/// Each process attaches by itself, whenever it likes, as producer, consumer or observer, and maps only what it writes for
/// writing:
///
/// | role | consumer page | producer page, slots | data |
/// |---|---|---|---|
/// | consumer | written | read | read |
/// | producer | read | written | written |
/// | observer | read | read | read |
///
/// Whoever dies, in whatever way and wherever, takes nobody along: committed records are delivered, unfinished ones passed
/// over once the death is proved by the system, and another consumer goes on where the last has stopped.
///
/// # Trust
/// What this handle makes **trusts nobody** who has the file: [`CopyingProducer`] and [`CopyingConsumer`] never refer to bytes that
/// somebody else may write, copy each of them once, and check every word. [`trusted`](Self::trusted) is for rings whose every
/// process is known to follow the protocol: there, records and reservations are slices of the ring itself. Producers of one ring
/// are in one domain of trust in any case, as they share the memory that they write.
///
/// What no process can be kept from that may write the file is to take memory back that was committed when the ring was made:
/// see [the limits](crate::docs::limits).
///
/// # Examples
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use dynring::{Ring, SharedRing};
/// use std::os::unix::net::UnixStream;
///
/// let (here, there) = UnixStream::pair()?;
/// let ring = Ring::builder(64 * 1024).build_shared()?;
/// ring.share(&here)?;
/// let mut consumer = ring.consumer()?;
///
/// // In another process:
/// let ring = SharedRing::receive(&there)?;
/// ring.producer()?.output(b"from another process")?;
///
/// let mut record = Vec::new();
/// assert!(consumer.next_into(&mut record)?);
/// assert_eq!(record, b"from another process");
/// # Ok(())
/// # }
/// ```
///
/// Two programs that know nothing of each other but a path. One makes the ring, and consumes:
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use dynring::{BuildError, Readiness, Ring, SharedRing};
///
/// let path = "/dev/shm/measurements";
/// # let path = format!("{path}-{}", std::process::id());
/// # let path = &path;
/// let builder = Ring::builder(64 * 1024);
/// let ring = match builder.build_at(path) {
///     // It was there when this program was killed, and the other still writes to it.
///     Err(BuildError::Exists { .. }) => SharedRing::open(path)?,
///     built => built?,
/// };
/// # the_other_program(path)?;
/// let (mut consumer, mut record) = (ring.consumer()?, Vec::new());
/// # let mut records = 0;
/// while consumer.wait(None)? == Readiness::Ready {
///     while consumer.next_into(&mut record)? {
///         println!("{}", String::from_utf8_lossy(&record));
/// #       records += 1;
///     }
/// } // until the last producer has gone
/// std::fs::remove_file(path)?;
/// # assert_eq!(records, 3);
/// # Ok(())
/// # }
/// #
/// # fn the_other_program(path: &str) -> Result<(), Box<dyn std::error::Error>> {
/// #     let producer = dynring::SharedRing::open(path)?.producer()?;
/// #     (0..3).try_for_each(|degrees| producer.output(format!("{degrees} degrees").as_bytes()))?;
/// #     Ok(())
/// # }
/// ```
///
/// The other one writes to it:
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = format!("/dev/shm/measurements-writer-{}", std::process::id());
/// # let path = &path;
/// # let consumer = dynring::Ring::builder(64 * 1024).build_at(path)?.consumer()?;
/// use dynring::SharedRing;
///
/// let producer = SharedRing::open(path)?.producer()?;
/// producer.output(b"21.5 degrees")?;
///
/// let mut record = producer.reserve_blocking(12, None)?; // waits while the ring is full
/// record.write(0, b"21.7")?;
/// record.write(4, b" degrees")?;
/// record.commit();
/// # assert_eq!(consumer.available(), 2 * 24);
/// # std::fs::remove_file(path)?;
/// # Ok(())
/// # }
/// ```
///
/// [`examples/ipc`](https://docs.rs/crate/dynring/latest/source/examples/ipc) passes a ring to processes that it starts, and kills
/// some of them.
#[derive(Clone, Debug)]
pub struct SharedRing {
    file: Arc<RingFile>,
    /// As its producers in this process map it.
    producing: Arc<OnceLock<Mapped>>,
    /// What producers ring when the consumer waits in an event loop.
    bell: Option<Arc<OwnedFd>>,
}

/// What [`SharedRing::receive`] has to say beside the ring.
const MESSAGE: [u8; 8] = *b"dynring1";

impl SharedRing {
    pub(super) fn new(file: RingFile) -> Self {
        Self { file: Arc::new(file), producing: Arc::default(), bell: None }
    }

    /// Attaches to the ring at `path`, which [`Builder::build_at`](crate::Builder::build_at) has made.
    ///
    /// The length of such a file cannot be sealed: whoever may write it can cut it short, and thereby kill (`SIGBUS`) everyone
    /// who has mapped it. Only its owner may, unless its mode is changed. Rings that are passed round have no such weakness.
    ///
    /// # Errors
    /// There is no such file, or not of a ring that can be used here; [`AttachError`] says which.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, AttachError> {
        RingFile::open(path.as_ref()).map(Self::new)
    }

    /// Attaches to the ring that `fd` is a descriptor of, a memfd whose length is sealed.
    ///
    /// # Errors
    /// It is not of a ring that can be used here; [`AttachError`] says which.
    pub fn from_fd(fd: impl AsFd) -> Result<Self, AttachError> {
        RingFile::from_fd(fd.as_fd()).map(Self::new)
    }

    /// Passes the ring to the process at the other end of `stream`, which [receives](Self::receive) it.
    ///
    /// # Errors
    /// The system refuses, or the other end is closed.
    pub fn share(&self, stream: &UnixStream) -> io::Result<()> {
        socket::send(stream, &MESSAGE, &[self.file.as_fd()])
    }

    /// Passes the ring and what wakes the event loop that its `consumer` waits in, so that producers of the other process can:
    /// [`Consumer::poll_fd`]. Producers that were not given it do not wake an event loop.
    ///
    /// Waking never blocks a producer, whoever has it too.
    ///
    /// # Errors
    /// As [`share`](Self::share); or file descriptors are short. `InvalidInput` if the consumer is not of a ring that processes
    /// share.
    pub fn share_with(&self, stream: &UnixStream, consumer: &Consumer) -> io::Result<()> {
        let Some(bell) = consumer.bell_for_others()? else { return Err(io::ErrorKind::InvalidInput.into()) };
        socket::send(stream, &MESSAGE, &[self.file.as_fd(), bell])
    }

    /// Attaches to the ring that the process at the other end of `stream` [shares](Self::share). Waits for it.
    ///
    /// # Errors
    /// What comes is not a ring that can be used here, or the other end is closed; [`AttachError`] says which.
    pub fn receive(stream: &UnixStream) -> Result<Self, AttachError> {
        let mut message = [0; MESSAGE.len()];
        let (bytes, mut fds) = socket::receive(stream, &mut message)?;
        if bytes != MESSAGE.len() || message != MESSAGE || !(1..=2).contains(&fds.len()) {
            return Err(AttachError::Message { descriptors: fds.len() });
        }
        let bell = if fds.len() == 2 { fds.pop() } else { None };
        if bell.as_ref().is_some_and(|bell| !notify::is_bell(bell.as_fd())) {
            return Err(AttachError::Bell);
        }
        Ok(Self { bell: bell.map(Arc::new), ..Self::from_fd(&fds[0])? })
    }

    /// Removes the ring at `path` if nobody is attached to it: all who were have gone, or died. Whether nobody was.
    ///
    /// # Errors
    /// There is no such file, or it holds something else than a ring; [`AttachError`] says which.
    pub fn remove_stale(path: impl AsRef<Path>) -> Result<bool, AttachError> {
        RingFile::remove_stale(path.as_ref())
    }

    /// Registers a producer, which copies.
    ///
    /// # Errors
    /// All slots are taken, and none by somebody who is dead. Or the handle was inherited through fork(2), or the system refuses.
    pub fn producer(&self) -> Result<CopyingProducer, RegisterError> {
        self.register().map(CopyingProducer::new)
    }

    /// The consumer, which copies. There is one at a time among all processes.
    ///
    /// # Errors
    /// There is one, or the last one has closed the ring. Or the handle was inherited through fork(2), or the system refuses.
    pub fn consumer(&self) -> Result<CopyingConsumer, ConsumerError> {
        self.consume(Writable { consumer: true, producer: false, data: false }).map(CopyingConsumer::new)
    }

    /// The same ring, taken on trust.
    ///
    /// # Safety
    /// For as long as anything that the result makes exists, every process that can write to the file follows the protocol,
    /// and none changes its length: it uses this crate, or does the same.
    #[expect(unsafe_code, reason = "what other processes do is the caller's to know")]
    pub unsafe fn trusted(&self) -> TrustedRing {
        TrustedRing { ring: self.clone() }
    }

    /// Frees the slots of producers that have died, and finds out what became of the reservations that they were making. Whoever
    /// consumes does it by [itself](Consumer::recover), and so does whoever registers a producer and finds no free slot.
    ///
    /// # Errors
    /// What they have left behind cannot be; or the handle was inherited; or the system refuses.
    pub fn repair(&self) -> Result<Repair, RepairError> {
        if self.file.is_inherited() {
            return Err(RepairError::Inherited);
        }
        let memory = self.producing().map_err(RepairError::System)?;
        let locks = self.file.locks().map_err(RepairError::System)?;
        match recovery::repair(&locks, &memory) {
            Ok(Some(raw::Repaired { freed, left })) => Ok(Repair { freed, left, busy: false }),
            Ok(None) => Ok(Repair { freed: 0, left: 0, busy: true }),
            Err(corrupt) => Err(RepairError::Corrupt(corrupt)),
        }
    }

    /// How the ring is doing, read as an observer.
    ///
    /// # Errors
    /// The system refuses to map it, or the handle was inherited through fork(2).
    pub fn stats(&self) -> io::Result<Stats> {
        self.refuse_inherited()?;
        self.file.observed().map(Stats::of)
    }

    /// Whether somebody consumes at the moment, in whatever process.
    ///
    /// # Errors
    /// The system refuses to say, or the handle was inherited through fork(2).
    pub fn has_consumer(&self) -> io::Result<bool> {
        self.refuse_inherited()?;
        self.file.locks()?.has_consumer()
    }

    /// Size of the data in bytes.
    pub fn capacity(&self) -> usize {
        self.file.descriptor().layout.size().bytes() as usize
    }

    /// How many producers can be registered at the same time, in all processes together.
    pub fn max_producers(&self) -> usize {
        self.file.descriptor().slots as usize
    }

    /// Where the kernel window begins in the file, in bytes, as [`Ring::window_offset`](crate::Ring::window_offset) says.
    pub fn window_offset(&self) -> u64 {
        self.file.descriptor().layout.consumer_page()
    }

    fn refuse_inherited(&self) -> io::Result<()> {
        if self.file.is_inherited() { Err(io::Error::new(io::ErrorKind::Unsupported, INHERITED)) } else { Ok(()) }
    }

    fn producing(&self) -> io::Result<Mapped> {
        if let Some(memory) = self.producing.get() {
            return Ok(memory.clone());
        }
        let memory = self.file.map(Writable { consumer: false, producer: true, data: true })?;
        if let Some(bell) = &self.bell {
            notify::hang(&memory, bell.try_clone()?);
        }
        Ok(self.producing.get_or_init(|| memory).clone())
    }

    fn register(&self) -> Result<Producer, RegisterError> {
        if self.file.is_inherited() {
            return Err(RegisterError::Inherited);
        }
        let memory = self.producing().map_err(RegisterError::System)?;
        let roster = Roster::new(Arc::clone(&self.file), memory.clone());
        Producer::register(&memory, Some(Arc::new(roster)), Space::Futex(Scope::Shared))
    }

    fn consume(&self, writable: Writable) -> Result<Consumer, ConsumerError> {
        if self.file.is_inherited() {
            return Err(ConsumerError::Inherited);
        }
        let locks = self.file.locks().map_err(ConsumerError::System)?;
        if !locks.take_consumer().map_err(ConsumerError::System)? {
            return Err(ConsumerError::Taken);
        }
        self.consume_with(locks, writable)
    }

    fn consume_with(&self, locks: Locks, writable: Writable) -> Result<Consumer, ConsumerError> {
        let memory = self.file.map(writable).map_err(ConsumerError::System)?;
        if raw::is_closed(&memory) {
            return Err(ConsumerError::Closed);
        }
        let raw = raw::Consumer::new(memory).with_generation(fork::generation);
        Ok(Consumer::shared(raw, Watch::processes(Arc::clone(&self.file), locks)))
    }
}

/// The ring's file, open for reading and writing.
impl AsFd for SharedRing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// The same as a number.
impl std::os::fd::AsRawFd for SharedRing {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        std::os::fd::AsFd::as_fd(self).as_raw_fd()
    }
}

/// A [`SharedRing`] whose processes trust each other. From [`SharedRing::trusted`].
#[derive(Clone, Debug)]
pub struct TrustedRing {
    ring: SharedRing,
}

impl TrustedRing {
    /// Registers a producer.
    ///
    /// # Errors
    /// As [`SharedRing::producer`].
    pub fn producer(&self) -> Result<Producer, RegisterError> {
        self.ring.register()
    }

    /// The consumer. As in rings of one process, it writes to one word of each cache line that it has read, what is there already:
    /// that takes the line away from the producer, and makes it cheaper to hand over the next time.
    ///
    /// # Errors
    /// As [`SharedRing::consumer`].
    pub fn consumer(&self) -> Result<Consumer, ConsumerError> {
        self.ring.consume(Writable { consumer: true, producer: false, data: true })
    }

    /// The consumer, to which the data is mapped read-only. Records are slower to hand over to it, on some processors several
    /// times; whatever goes wrong in its process, the records stay what producers have written.
    ///
    /// # Errors
    /// As [`SharedRing::consumer`].
    pub fn reading_consumer(&self) -> Result<Consumer, ConsumerError> {
        self.ring.consume(Writable { consumer: true, producer: false, data: false })
    }

    /// The ring, without the trust.
    pub fn ring(&self) -> &SharedRing {
        &self.ring
    }
}

/// What a [repair](SharedRing::repair) has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Repair {
    /// Slots of dead producers that were freed.
    pub freed: u32,
    /// Slots of dead producers that were not: somebody who lives is about to reserve at the same place, and it is too early to
    /// tell who has.
    pub left: u32,
    /// Nothing was done, as somebody else is at it.
    pub busy: bool,
}
