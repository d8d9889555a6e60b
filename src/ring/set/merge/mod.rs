//! Many rings, one order.

mod record;
mod turn;
mod window;

pub use record::MergedRecord;

use core::fmt;
use core::num::NonZeroU64;
use core::ops::ControlFlow;
use core::time::Duration;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::member::{Handled, Member};
use super::rings::Rings;
use super::{AddError, PollEnd, PollError, Polled, RingToken};
use crate::notify::{Deadline, Stalled, Waker};
use crate::ring::Consumer;
use crate::wire::Position;
use turn::{Head, Next, Track, Which};
use window::{Marks, Window};

/// Many rings, whose records are delivered in the order of a key: that of time, if each begins with when it happened.
///
/// Each ring is in order by itself, or nearly; as many are merged as there are processors, say, each of which has a ring of
/// its own. The record that comes next is the one with the smallest key among the first ones of all rings. Nothing is copied:
/// a record waits in its ring until it is its turn, and is delivered there.
///
/// # The window
/// A ring that has no record, or whose first one is still being written, may yet come up with the smallest key. Others wait
/// for it, but only for a *window*: for that long, and up to an eighth longer, from when they were seen. So
///
/// - as long as every ring has records, nobody waits;
/// - a record that becomes readable within the window after one with a later key was seen, comes before that;
/// - one that is later than that is *late*: it is delivered as soon as it is seen, after others with later keys, and
///   [counted](Self::late). So is one whose ring is not in order by itself, as when programs are interrupted between reading
///   the clock and reserving.
///
/// A window as long as a program may take from reading the clock to committing will do, and a little for the scheduler: a
/// millisecond is a lot. What comes in a window has to fit into the rings.
///
/// # Which rings
/// Those of the kernel wake whoever waits in [`poll`](Self::poll). Those of this crate may be merged too; while one is there,
/// `poll` looks every millisecond. A ring of this crate that is [disconnected](Consumer::is_disconnected) is not waited for.
///
/// # Memory
/// A few hundred bytes for each ring, when it is added. Delivering allocates nothing.
///
/// # Examples
/// ```
/// use std::ops::ControlFlow;
/// use std::time::Duration;
/// use dynring::{PollEnd, RingMerge, kernel::RingBuf};
///
/// /// Prints the events of all processors, whose first 8 bytes are from `bpf_ktime_get_ns`, until nothing has come for a second.
/// fn print(rings: Vec<RingBuf>) -> std::io::Result<()> {
///     let time = |record: &[u8]| record.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes));
///     let mut merge = RingMerge::new(Duration::from_millis(5), time)?;
///     for ring in rings {
///         merge.add(ring.into_consumer()?)?;
///     }
///     let each = |record: dynring::MergedRecord<'_, u64>| {
///         println!("{} ns: {} bytes from {}", record.key, record.len(), record.ring);
///         ControlFlow::Continue(())
///     };
///     while merge.poll(Some(Duration::from_secs(1)), each)?.end == PollEnd::Records {}
///     println!("{} records came too late", merge.late());
///     Ok(())
/// }
/// ```
pub struct RingMerge<K, F> {
    // Invariants:
    // 1. `heads` has a head for each member that says so, and no other.
    // 2. A head is the first record of its ring, and not taken.
    // 3. After a look at all rings, the counts are right.
    rings: Rings<Track>,
    heads: BinaryHeap<Head<K>>,
    /// Rings that may yet come up with a record that is older than those of others.
    waited_for: usize,
    /// Heads that have waited long enough.
    ripe: usize,
    key: F,
    window: Window,
    quantum: u64,
    /// The latest key that was delivered.
    latest: Option<K>,
    late: u64,
}

impl<K: Ord, F: FnMut(&[u8]) -> K> RingMerge<K, F> {
    /// How many records are delivered in one go, unless [set](Self::set_quantum) otherwise.
    pub const QUANTUM: NonZeroU64 = NonZeroU64::new(1024).unwrap();

    /// Rings to be added, whose records are ordered by what `key` makes of their bytes, and wait for each other for `window`.
    ///
    /// `key` is called at least once for each record, when it is the first of its ring, and should always say the same. It
    /// may be any type that has an order; equal keys are delivered in the order in which their rings were added. With a
    /// window of zero, what is there is merged, and nothing waits.
    ///
    /// # Errors
    /// File descriptors or memory are short: it takes two descriptors.
    pub fn new(window: Duration, key: F) -> io::Result<Self> {
        Ok(Self {
            rings: Rings::new()?,
            heads: BinaryHeap::new(),
            waited_for: 0,
            ripe: 0,
            key,
            window: Window::new(window),
            quantum: Self::QUANTUM.get(),
            latest: None,
            late: 0,
        })
    }

    /// Adds a ring.
    ///
    /// # Errors
    /// The system's limits are reached. The error hands the consumer back.
    pub fn add(&mut self, consumer: Consumer) -> Result<RingToken, AddError> {
        let marks = Marks::new(Position::new(consumer.consumer_pos()));
        let token = self.rings.add_any(consumer, Track { has_head: false, disconnected: false, marks })?;
        self.heads.reserve(self.rings.members.len() - self.heads.len());
        Ok(token)
    }

    /// Takes a ring out, with what was not delivered; `None` if it is out already.
    pub fn remove(&mut self, ring: RingToken) -> Option<Consumer> {
        let removed = self.rings.index(ring)?;
        self.heads.retain(|head| head.index != removed);
        let mut heads = std::mem::take(&mut self.heads).into_vec();
        heads.iter_mut().filter(|head| head.index > removed).for_each(|head| head.index -= 1);
        self.heads = heads.into();
        self.rings.remove(ring)
    }

    /// How many records are delivered in one go before [`poll`](Self::poll) or [`consume`](Self::consume) return.
    pub fn set_quantum(&mut self, records: NonZeroU64) {
        self.quantum = records.get();
    }

    /// Waits until a record is due, at most for `timeout` or for as long as it takes, and then calls `each` with those that are,
    /// in order, at most a [quantum](Self::set_quantum).
    ///
    /// If `each` breaks, its record counts as consumed, and nothing is lost. If it panics, so it does, and the merge can be
    /// used as before.
    ///
    /// How it waits and how it is interrupted is described at [`RingSet::poll`](crate::RingSet::poll); it sleeps no longer
    /// than until the window of a record that waits has passed, rounded up to milliseconds.
    ///
    /// # Errors
    /// A ring is corrupt, which is said once, and then it is not waited for; or the system refuses to wait. Either way,
    /// nothing is lost in other rings.
    pub fn poll(
        &mut self,
        timeout: Option<Duration>,
        mut each: impl FnMut(MergedRecord<'_, K>) -> ControlFlow<()>,
    ) -> Result<Polled, PollError> {
        let deadline = Deadline::after(timeout);
        loop {
            // Asked before the look, so that there is a look after the time was up.
            let last = deadline.has_passed();
            let next = if last { self.look()? } else { self.look_for_a_moment()? };
            let sleep = !last && next == Next::Sleep && !self.is_disconnected();
            let timeout = if sleep { self.at_most(deadline) } else { Some(Duration::ZERO) };
            let woken = self.rings.listen(timeout, |_| {})?;
            let Handled { records, stopped } = self.deliver(Which::Due, self.quantum, &mut each)?;
            let end = match (stopped, woken, records) {
                (true, ..) => PollEnd::Stopped,
                (_, true, _) => PollEnd::Woken,
                (.., 1..) => PollEnd::Records,
                _ if self.is_disconnected() => PollEnd::Disconnected,
                _ if last => PollEnd::TimedOut,
                _ => continue,
            };
            if end == PollEnd::Woken {
                self.rings.silence();
            }
            return Ok(Polled { records, end });
        }
    }

    /// Calls `each` with the records that are due, in order, at most a [quantum](Self::set_quantum), without waiting and without
    /// a system call. Returns how many it was.
    ///
    /// # Errors
    /// A ring is corrupt, which is said once.
    pub fn consume(&mut self, mut each: impl FnMut(MergedRecord<'_, K>) -> ControlFlow<()>) -> Result<u64, PollError> {
        self.gather()?;
        Ok(self.deliver(Which::Due, self.quantum, &mut each)?.records)
    }

    /// Calls `each` with all records that are there now, in order, whether they are due or not: what comes afterwards may
    /// be late. Not with what producers add meanwhile, nor with what is behind an unfinished record. Returns how many it
    /// was.
    ///
    /// # Errors
    /// A ring is corrupt, which is said once. The others are flushed by the next call.
    pub fn flush(&mut self, mut each: impl FnMut(MergedRecord<'_, K>) -> ControlFlow<()>) -> Result<u64, PollError> {
        self.gather()?;
        Ok(self.deliver(Which::Seen, u64::MAX, &mut each)?.records)
    }

    /// How long it takes until a record that waits is due; `None` if none waits. As of the last look at the rings.
    pub fn due_in(&self) -> Option<Duration> {
        let due_in = |head: &Head<K>| {
            let marks = &self.rings.members[head.index].own.marks;
            // One that was not noted yet is noted by the next look.
            let seen = if marks.is_ripe(head.at) { None } else { marks.seen_at(head.at) };
            seen.map_or(Duration::ZERO, |seen| self.window.remaining(seen))
        };
        self.heads.iter().map(due_in).min()
    }

    /// A handle that interrupts [`poll`](Self::poll) from another thread.
    pub fn waker(&self) -> Waker {
        self.rings.waker()
    }

    /// Records that were late, all of which were delivered.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// How many rings are merged.
    pub fn len(&self) -> usize {
        self.rings.members.len()
    }

    /// Whether no ring is.
    pub fn is_empty(&self) -> bool {
        self.rings.members.is_empty()
    }

    /// The rings, in the order in which they were added.
    pub fn rings(&self) -> impl Iterator<Item = RingToken> {
        self.rings.tokens()
    }

    /// The consumer of a ring, to ask for its [positions](Consumer::available); `None` if it is not merged.
    pub fn get(&self, ring: RingToken) -> Option<&Consumer> {
        Some(&self.rings.get(ring)?.consumer)
    }

    /// Records of a ring that were delivered; `None` if it is not merged.
    pub fn records_of(&self, ring: RingToken) -> Option<u64> {
        Some(self.rings.get(ring)?.records)
    }

    /// Records that were delivered, those of rings that were removed included.
    pub fn records(&self) -> u64 {
        self.rings.records()
    }

    /// The rings that are held up by an unfinished record, as [`Consumer::stalled`] tells.
    pub fn stalled(&mut self) -> impl Iterator<Item = (RingToken, Stalled)> {
        self.rings.stalled()
    }

    /// Whether nobody is left who could produce into any ring, and everything was delivered.
    fn is_disconnected(&self) -> bool {
        let gone = |member: &Member<Track>| member.own.disconnected && !member.own.has_head;
        !self.is_empty() && self.rings.members.iter().all(gone)
    }

    /// The longest that it may sleep.
    fn at_most(&self, deadline: Deadline) -> Option<Duration> {
        match (deadline.remaining(), self.due_in()) {
            (Some(left), Some(due)) => Some(left.min(due)),
            (left, due) => left.or(due),
        }
    }
}

/// What can be waited on in an event loop of one's own: readable once a ring of the kernel rings or a [`Waker`] wakes.
///
/// The descriptor tells of rings that *begin* to have records. Wait on it only after a poll with a timeout of zero has ended
/// with [`TimedOut`](PollEnd::TimedOut), and no longer than [`due_in`](RingMerge::due_in) says.
impl<K, F> AsFd for RingMerge<K, F> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.rings.as_fd()
    }
}

/// The same as a number.
impl<K, F> std::os::fd::AsRawFd for RingMerge<K, F> {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        std::os::fd::AsFd::as_fd(self).as_raw_fd()
    }
}

impl<K: fmt::Debug, F> fmt::Debug for RingMerge<K, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rings, heads, waited_for, ripe, key: _, window, quantum, latest, late } = self;
        let mut debug = f.debug_struct("RingMerge");
        debug.field("rings", rings).field("heads", heads).field("waited_for", waited_for).field("ripe", ripe);
        debug.field("window", window).field("quantum", quantum);
        debug.field("latest", latest).field("late", late).finish_non_exhaustive()
    }
}
