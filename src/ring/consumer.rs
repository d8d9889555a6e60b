//! Consuming.

use core::ops::ControlFlow;
use core::time::Duration;
use std::time::Instant;

use super::{Batch, Record};
#[cfg(not(miri))]
use crate::notify::Scope;
use crate::notify::{self, Deadline, Readiness, Sight, Sleep, Stalled, WaitError};
use crate::raw::{self, Held, Mapped, Memory, Taken};
use crate::recovery::Watch;
use crate::wire::Corrupt;
#[cfg(not(miri))]
use crate::wire::Position;

/// The one consumer of a ring.
///
/// It sees the records of each producer in the order in which they were reserved, and those of all in one order. Records
/// are read in place, and their space is given back when they are let go of.
///
/// Dropping it closes the ring: producers are refused from then on. Not so in a ring that processes share: there, another
/// may go on where it has stopped.
#[derive(Debug)]
pub struct Consumer {
    pub(super) raw: raw::Consumer<Mapped>,
    pub(super) sleep: Sleep,
    pub(super) sight: Sight,
    pub(super) watch: Watch,
    /// How often nothing was found.
    turns: u32,
}

/// When to stop draining. The default is never.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// After that many records.
    pub records: Option<u64>,
    /// After the record with which that many bytes of payload are reached.
    pub bytes: Option<u64>,
    /// After the record during which this moment has come.
    pub deadline: Option<Instant>,
}

impl Consumer {
    pub(crate) fn new(raw: raw::Consumer<Mapped>, sleep: Sleep) -> Self {
        Self { raw, sleep, sight: Sight::default(), watch: Watch::Process, turns: 0 }
    }

    /// The consumer of a ring that processes share.
    #[cfg(not(miri))]
    pub(super) fn shared(raw: raw::Consumer<Mapped>, watch: Watch) -> Self {
        Self { raw, sleep: Sleep::Futex(Scope::Shared), sight: Sight::default(), watch, turns: 0 }
    }

    /// The next record, if one is there. Discarded ones before it are skipped.
    ///
    /// # Errors
    /// The ring is corrupt; sticky.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let ring = dynring::Ring::builder(4096).build()?;
    /// # let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
    /// producer.output(b"one")?;
    /// producer.output(b"two")?;
    /// while let Some(record) = consumer.next()? {
    ///     println!("{} bytes", record.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[expect(clippy::should_implement_trait, reason = "a record borrows the consumer, which no iterator's item can")]
    #[inline(always)]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, Corrupt> {
        let found = match self.raw.peek()? {
            Some(found) => found,
            None => match self.look_after()? {
                Some(found) => found,
                None => return Ok(None),
            },
        };
        Ok(Some(Record::new(Taken::new(&mut self.raw, found))))
    }

    /// Gives back what was skipped; and, now and then, looks after those who hold the consumer up.
    #[cold]
    pub(super) fn look_after(&mut self) -> Result<Option<raw::Found>, Corrupt> {
        self.raw.publish();
        self.turns = self.turns.wrapping_add(1);
        if self.turns % Watch::TURNS == 0 && self.watch.look_after(&mut self.raw)? { self.raw.peek() } else { Ok(None) }
    }

    /// Passes what nobody is left to finish, and puts right what producers that have died while they reserved have left behind.
    /// Whether there was any such thing.
    ///
    /// [`wait`](Self::wait) does it by itself when a record, or a producer that is about to reserve one, has held it up for
    /// 10 milliseconds, and every 100 milliseconds while there is nothing to read; [`next`](Self::next) does it now and then if it
    /// is called again and again. This is for those who wait in an event loop.
    ///
    /// Nothing is done on suspicion: a producer that is stopped, or slow, is not dead.
    ///
    /// # Errors
    /// The ring is corrupt; sticky.
    pub fn recover(&mut self) -> Result<bool, Corrupt> {
        let recovered = self.watch.recover(&mut self.raw)?;
        self.raw.publish();
        Ok(recovered)
    }

    /// Copies the next record.
    #[cfg(not(miri))]
    pub(super) fn copy_next(&mut self, record: &mut Vec<u8>) -> Result<bool, Corrupt> {
        let found = match self.raw.peek()? {
            Some(found) => Some(found),
            None => self.look_after()?,
        };
        let Some(found) = found else { return Ok(false) };
        record.clear();
        raw::copy(&mut self.raw, found, record);
        self.raw.publish();
        Ok(true)
    }

    /// Closes the ring for good: producers are refused from now on, and in a ring that processes share, nobody consumes after
    /// this.
    pub fn close(mut self) {
        self.raw.close();
    }

    /// Calls `each` with every record that is there, until it breaks or nothing is left. Returns how many it was.
    ///
    /// Goes on for as long as producers keep up; [`drain_up_to`](Self::drain_up_to) does not.
    ///
    /// If `each` panics, its record counts as consumed, and nothing else is affected.
    ///
    /// # Errors
    /// The ring is corrupt; sticky.
    ///
    /// Source: `ring_buffer__consume` in libbpf.
    #[doc(alias = "ring_buffer__consume")]
    #[inline]
    pub fn drain(&mut self, mut each: impl FnMut(&[u8]) -> ControlFlow<()>) -> Result<u64, Corrupt> {
        let mut records = 0;
        let mut each = |record: &[u8]| {
            records += 1;
            each(record)
        };
        while raw::run(&mut self.raw, &mut each).is_continue() {
            let Some(record) = self.next()? else { break };
            if each(&record).is_break() {
                break;
            }
        }
        Ok(records)
    }

    /// Like [`drain`](Self::drain), within limits.
    ///
    /// # Errors
    /// The ring is corrupt; sticky.
    ///
    /// Source: `ring_buffer__consume_n` in libbpf.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let ring = dynring::Ring::builder(4096).build()?;
    /// # let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
    /// use dynring::Limits;
    /// use std::ops::ControlFlow;
    ///
    /// for _ in 0..5 {
    ///     producer.output(b"record")?;
    /// }
    /// let two = Limits { records: Some(2), ..Limits::default() };
    /// assert_eq!(consumer.drain_up_to(two, |_| ControlFlow::Continue(()))?, 2);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "ring_buffer__consume_n")]
    #[inline]
    pub fn drain_up_to(
        &mut self,
        limits: Limits,
        mut each: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<u64, Corrupt> {
        let (mut records, mut bytes) = (0, 0);
        let within = |records: u64, bytes: u64| {
            limits.records.is_none_or(|most| records < most)
                && limits.bytes.is_none_or(|most| bytes < most)
                && limits.deadline.is_none_or(|deadline| Instant::now() < deadline)
        };
        while within(records, bytes) {
            let Some(record) = self.next()? else { break };
            records += 1;
            bytes += record.len() as u64;
            if each(&record).is_break() {
                break;
            }
        }
        Ok(records)
    }

    /// Begins a batch: records that are held together, and given back together when it is dropped.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let ring = dynring::Ring::builder(4096).build()?;
    /// # let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
    /// producer.output(b"one")?;
    /// producer.output(b"two")?;
    /// let batch = consumer.batch();
    /// let mut records = batch.iter().collect::<Result<Vec<&[u8]>, _>>()?;
    /// records.sort_by_key(|record| std::cmp::Reverse(*record));
    /// assert_eq!(records, [b"two", b"one"]);
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn batch(&mut self) -> Batch<'_> {
        Batch::new(Held::new(&mut self.raw))
    }

    /// Waits until a record is there: at most for `timeout`, or for as long as it takes. Looks for 10 microseconds before it
    /// sleeps. On a ring of the kernel, `timeout` is rounded up to milliseconds.
    ///
    /// # Errors
    /// The ring is corrupt; sticky. Or the system refuses to wait.
    ///
    /// Source: `ring_buffer__poll` in libbpf.
    #[doc(alias = "ring_buffer__poll")]
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<Readiness, WaitError> {
        let readiness =
            notify::wait(&mut self.raw, &self.sleep, &mut self.sight, &mut self.watch, Deadline::after(timeout));
        // Gives back what was skipped.
        self.raw.publish();
        readiness
    }

    /// Like [`wait`](Self::wait), and then lets more gather: until `bytes` bytes are there, headers and unfinished records
    /// included, or `at_most` has passed since the first record was seen, or a producer waits for space, or none is left.
    ///
    /// Reading on a producer's heels costs both sides dearly, since every cache line changes hands as soon as it is
    /// written. Letting an eighth of the ring gather for some microseconds makes throughput several times better. More than
    /// half of the ring is never waited for.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn wait_for(
        &mut self,
        bytes: usize,
        at_most: Duration,
        timeout: Option<Duration>,
    ) -> Result<Readiness, WaitError> {
        let readiness = self.wait(timeout)?;
        if readiness == Readiness::Ready {
            let half = self.raw.memory().size().bytes() / 2;
            notify::gather(&mut self.raw, half.min(bytes as u64), at_most)?;
        }
        Ok(readiness)
    }

    /// Whether no producer is left, nor anyone who could make one. What [`next`](Self::next) then finds is all there is.
    ///
    /// A ring that never had a producer counts as connected for as long as a [`Ring`](crate::Ring) handle could make one;
    /// once the last producer has gone, it is disconnected until a handle makes another.
    pub fn is_disconnected(&self) -> bool {
        self.raw.disconnected()
    }

    /// Bytes from [`consumer_pos`](Self::consumer_pos) to [`producer_pos`](Self::producer_pos): what is committed, discarded
    /// or unfinished and not yet consumed, headers included.
    ///
    /// A snapshot: producers go on while it is taken. At most the ring's size, unless the ring is corrupt.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let ring = dynring::Ring::builder(4096).build()?;
    /// # let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
    /// producer.output(b"one")?; // 8 bytes of header, 3 of payload, rounded up to 8
    /// producer.output(b"two")?;
    /// assert_eq!(consumer.available(), 32);
    /// drop(consumer.next()?);
    /// assert_eq!((consumer.available(), consumer.consumer_pos(), consumer.producer_pos()), (16, 16, 32));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Source: `ring__avail_data_size` in libbpf, `BPF_RB_AVAIL_DATA` in the kernel.
    #[doc(alias = "ring__avail_data_size")]
    #[doc(alias = "BPF_RB_AVAIL_DATA")]
    pub fn available(&self) -> u64 {
        self.raw.producer_pos().since(self.raw.consumer_pos())
    }

    /// Everything below has been given back to producers: bytes since the ring began, modulo 2⁶⁴.
    ///
    /// Source: `ring__consumer_pos` in libbpf.
    #[doc(alias = "ring__consumer_pos")]
    #[doc(alias = "BPF_RB_CONS_POS")]
    pub fn consumer_pos(&self) -> u64 {
        self.raw.consumer_pos().get()
    }

    /// Everything below has been reserved: bytes since the ring began, modulo 2⁶⁴. In rings built with
    /// [`kernel_protocol`](crate::Builder::kernel_protocol), everything below may be looked at, and more may be reserved.
    ///
    /// A snapshot: producers go on while it is taken. It never goes back.
    ///
    /// Source: `ring__producer_pos` in libbpf.
    #[doc(alias = "ring__producer_pos")]
    #[doc(alias = "BPF_RB_PROD_POS")]
    pub fn producer_pos(&self) -> u64 {
        self.raw.producer_pos().get()
    }

    /// Everything below was committed or discarded when a program reserved last, in rings of the kernel: bytes since the ring
    /// began, modulo 2⁶⁴. Between that and [`producer_pos`](Self::producer_pos), there may be unfinished records.
    ///
    /// 0 for ever in rings of this crate, and in kernels before 6.10, but for those that stable releases have brought it to: since
    /// `bpf: Fix overrunning reservations in ringbuf`.
    pub fn pending_pos(&self) -> u64 {
        self.raw.pending_pos().get()
    }

    /// The most bytes that this consumer has ever found unread, headers, discarded and unfinished records included: how much of
    /// the ring was needed, as far as it has seen.
    ///
    /// It sees that when it has read all that it knew of, and looks for more: so the mark costs nothing for each record, and
    /// what comes and goes between two looks is not in it. Records that are [held](Self::batch) count as unread.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let ring = dynring::Ring::builder(4096).build()?;
    /// # let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
    /// for _ in 0..10 {
    ///     producer.output(&[0; 24])?; // 32 bytes with the header
    /// }
    /// while consumer.next()?.is_some() {}
    /// assert_eq!(consumer.high_water_mark(), 320);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "peak")]
    pub fn high_water_mark(&self) -> u64 {
        self.raw.high_water()
    }

    /// Lets the [mark](Self::high_water_mark) begin anew, with what is known to be unread now.
    pub fn reset_high_water_mark(&mut self) {
        self.raw.reset_high_water();
    }

    /// The unfinished record that holds up all records behind it, if the consumer is at one.
    ///
    /// It is first noticed here or when the consumer is about to sleep in [`wait`](Self::wait): reading does not look at
    /// the clock. For as long as the same record holds it up, [`since`](Stalled::since) stays the same. Finished records
    /// that have not been read are no stall.
    ///
    /// A producer that is stopped *while* it reserves, between two instructions, holds up the ring as well. Then the length of its
    /// record is not known.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let ring = dynring::Ring::builder(4096).build()?;
    /// # let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
    /// let record = producer.reserve(100)?;
    /// producer.output(b"held up")?;
    /// assert!(consumer.next()?.is_none());
    ///
    /// let stalled = consumer.stalled().expect("the reservation");
    /// println!("{:?} bytes at {:#x}, for {:?}", stalled.len, stalled.position, stalled.since.elapsed());
    /// record.commit();
    /// assert!(consumer.stalled().is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn stalled(&mut self) -> Option<Stalled> {
        let stalled = self.sight.look(&mut self.raw);
        // Gives back what was skipped.
        self.raw.publish();
        stalled
    }

    /// Records skipped because nobody was left to finish them, since the ring began.
    pub fn abandoned(&self) -> u64 {
        self.raw.abandoned()
    }

    /// Records skipped because they were discarded, since the ring began; in rings of the kernel, by this consumer.
    pub fn discarded(&self) -> u64 {
        self.raw.discarded()
    }
}

/// What a set of rings asks of its members.
#[cfg(not(miri))]
impl Consumer {
    /// What to wait on, if the ring is one of the kernel.
    pub(super) fn bell(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        match &self.sleep {
            Sleep::Doorbell(doorbell) => Some(doorbell.map()),
            Sleep::Futex(_) => None,
        }
    }

    /// Whether there is nothing to read, and the bell, if there is one, rings once there is.
    pub(super) fn may_sleep(&mut self) -> Result<bool, Corrupt> {
        self.sight.look(&mut self.raw);
        match &self.sleep {
            Sleep::Doorbell(_) => notify::may_sleep(&mut self.raw),
            Sleep::Futex(_) => {
                // Gives back what was skipped.
                self.raw.publish();
                Ok(self.raw.peek()?.is_none())
            }
        }
    }

    /// Looks anew how far the ring goes.
    pub(super) fn look(&mut self) -> Result<(), Corrupt> {
        self.raw.look()
    }

    /// As far as the ring is known to go.
    pub(super) fn seen(&self) -> Position {
        self.raw.limit()
    }

    /// Calls `f` with the next record, if one is there, and leaves it there. Returns where it starts, too.
    pub(super) fn view_next<R>(&mut self, f: impl FnOnce(&[u8]) -> R) -> Result<Option<(Position, R)>, Corrupt> {
        Ok(raw::peek(&mut self.raw)?.map(|(at, bytes)| (at, f(bytes))))
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        if self.watch.has_successors() {
            self.raw.publish();
            self.raw.woken();
        } else {
            self.raw.close();
        }
    }
}
