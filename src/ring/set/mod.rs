//! Many rings, one wait.

mod error;
mod member;
mod merge;
mod rings;

pub use error::{AddError, PollError};
pub use merge::{MergedRecord, RingMerge};

use core::fmt;
use core::num::NonZeroU64;
use core::ops::ControlFlow;
use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::Consumer;
use crate::notify::{self, Deadline, Stalled, Waker};
use member::{Handled, Handler, Member};
use rings::Rings;

/// Many rings of the kernel, each with a handler, in one wait.
///
/// Rings take turns: in a turn, each ring that has records has at most a [quantum](Self::set_quantum) of them handled, and
/// the next turn begins with another ring. So a ring that is flooded does not keep others waiting for long, and
/// [`poll`](Self::poll) returns after one turn however fast producers are. What is left is remembered.
///
/// A handler that returns [`ControlFlow::Break`] ends the turn after its record, which counts as consumed; nothing is
/// lost. If a handler panics, its record counts as consumed, and the set can be used as before.
///
/// # Examples
/// ```
/// use std::ops::ControlFlow;
/// use std::time::Duration;
/// use dynring::{PollEnd, RingSet, kernel::RingBuf};
///
/// /// Handles events of both rings until nothing has come for a second.
/// fn consume(files: RingBuf, processes: RingBuf) -> std::io::Result<u64> {
///     let mut set = RingSet::new()?;
///     set.add(files.into_consumer()?, |record| {
///         println!("a file event of {} bytes", record.len());
///         ControlFlow::Continue(())
///     })?;
///     set.add(processes.into_consumer()?, |record| {
///         println!("a process event of {} bytes", record.len());
///         ControlFlow::Continue(())
///     })?;
///     while set.poll(Some(Duration::from_secs(1)))?.end == PollEnd::Records {}
///     Ok(set.records())
/// }
/// ```
///
/// Source: `struct ring_buffer` in libbpf, the set of rings behind `ring_buffer__new` and `ring_buffer__add`.
#[doc(alias = "ring_buffer")]
#[doc(alias = "ring_buffer__new")]
#[derive(Debug)]
pub struct RingSet<'h> {
    rings: Rings<Handler<'h>>,
    /// The member with which the next turn begins; modulo their number.
    first: usize,
    quantum: u64,
}

/// Which ring of a [`RingSet`] or a [`RingMerge`]. It stays the same for as long as the ring is in the set, and no other ever has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RingToken(u64);

/// The number of the ring among all that were ever added to its set, from 0.
impl fmt::Display for RingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ring {} of the set", self.0)
    }
}

/// How a poll went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
#[must_use = "`end` tells whether the poll was interrupted"]
pub struct Polled {
    /// Records that were handled.
    pub records: u64,
    /// Why the poll has ended.
    pub end: PollEnd,
}

/// Why a poll has ended. If several reasons hold, the one further up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PollEnd {
    /// A handler has said to stop.
    Stopped,
    /// A [`Waker`] has interrupted it.
    Woken,
    /// Records were handled.
    Records,
    /// No producer is left in any ring, nor anyone who could make one. Only where all rings are of this crate.
    Disconnected,
    /// The time is up, and there were no records.
    TimedOut,
}

/// Which rings have a turn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    Ready,
}

impl<'h> RingSet<'h> {
    /// How many records of one ring are handled in a turn, unless [set](Self::set_quantum) otherwise.
    pub const QUANTUM: NonZeroU64 = NonZeroU64::new(256).unwrap();

    /// A set without rings.
    ///
    /// # Errors
    /// File descriptors or memory are short: it takes two descriptors.
    pub fn new() -> io::Result<Self> {
        Ok(Self { rings: Rings::new()?, first: 0, quantum: Self::QUANTUM.get() })
    }

    /// Adds a ring, whose records are passed to `handler`.
    ///
    /// # Errors
    /// The ring is not one of the kernel, or the system's limits are reached. The error hands the consumer back.
    ///
    /// Source: `ring_buffer__add` in libbpf.
    #[doc(alias = "ring_buffer__add")]
    pub fn add(
        &mut self,
        consumer: Consumer,
        handler: impl FnMut(&[u8]) -> ControlFlow<()> + Send + 'h,
    ) -> Result<RingToken, AddError> {
        self.rings.add(consumer, Box::new(handler))
    }

    /// Takes a ring out, with what is unread; `None` if it is out already.
    pub fn remove(&mut self, ring: RingToken) -> Option<Consumer> {
        self.rings.remove(ring)
    }

    /// How many records of one ring are handled in a turn before it is the next one's.
    pub fn set_quantum(&mut self, records: NonZeroU64) {
        self.quantum = records.get();
    }

    /// Waits until a ring has records, at most for `timeout` or for as long as it takes, and then handles one turn of them.
    ///
    /// Looks at all rings before it sleeps, so that it does not sleep on records that were committed without a wakeup
    /// (`BPF_RB_NO_WAKEUP`) before; on those that come while it sleeps it does, until another one wakes it or the time is
    /// up. A record that is still being written neither ends the wait nor keeps it awake.
    ///
    /// Looks for 10 microseconds before it sleeps. `timeout` is rounded up to milliseconds; signals do not lengthen it. One
    /// system call if there are records already.
    ///
    /// # Errors
    /// A ring is corrupt, which is said once; or the system refuses to wait. Either way, nothing is lost in other rings: what
    /// was not handled is handled by the next call, and a wake is still to be told of.
    ///
    /// Source: `ring_buffer__poll` in libbpf.
    #[doc(alias = "ring_buffer__poll")]
    pub fn poll(&mut self, timeout: Option<Duration>) -> Result<Polled, PollError> {
        let deadline = Deadline::after(timeout);
        loop {
            // Asked before the look, so that there is a look after the time was up.
            let last = deadline.has_passed();
            let ready = if last { self.look()? } else { self.look_for_a_moment()? };
            let timeout = if last || ready { Some(Duration::ZERO) } else { deadline.remaining() };
            let woken = self.rings.listen(timeout, Member::rung)?;
            let Handled { records, stopped } = self.turn(Which::Ready, u64::MAX)?;
            let end = match (stopped, woken, records) {
                (true, ..) => PollEnd::Stopped,
                (_, true, _) => PollEnd::Woken,
                (.., 1..) => PollEnd::Records,
                _ if last => PollEnd::TimedOut,
                _ => continue,
            };
            if end == PollEnd::Woken {
                self.rings.silence();
            }
            return Ok(Polled { records, end });
        }
    }

    /// Handles one turn of all rings without waiting, and without a system call. Returns how many records it was.
    ///
    /// # Errors
    /// A ring is corrupt, which is said once.
    ///
    /// Source: `ring_buffer__consume` in libbpf, which goes on for as long as producers do.
    #[doc(alias = "ring_buffer__consume")]
    pub fn consume(&mut self) -> Result<u64, PollError> {
        Ok(self.turn(Which::All, u64::MAX)?.records)
    }

    /// Handles `most` records without waiting, or all that are there if these are fewer: as many turns as it takes. Returns how
    /// many records it was.
    ///
    /// # Errors
    /// A ring is corrupt, which is said once.
    ///
    /// Source: `ring_buffer__consume_n` in libbpf.
    #[doc(alias = "ring_buffer__consume_n")]
    pub fn consume_n(&mut self, most: u64) -> Result<u64, PollError> {
        let mut all = 0;
        while all < most {
            let Handled { records, stopped } = self.turn(Which::All, most - all)?;
            all += records;
            if stopped || records == 0 {
                break;
            }
        }
        Ok(all)
    }

    /// Handles everything that is there now, ring by ring, without waiting: also what was committed without a wakeup, and what
    /// exceeds a quantum. Not what producers add meanwhile, and not what is behind an unfinished record. Returns how many
    /// records it was.
    ///
    /// # Errors
    /// A ring is corrupt, which is said once. The others are flushed by the next call.
    pub fn flush(&mut self) -> Result<u64, PollError> {
        let mut all = 0;
        for member in &mut self.rings.members {
            let Handled { records, stopped } = member.flush()?;
            all += records;
            if stopped {
                break;
            }
        }
        Ok(all)
    }

    /// A handle that interrupts [`poll`](Self::poll) from another thread.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dynring::{PollEnd, RingSet};
    ///
    /// let mut set = RingSet::new()?;
    /// let waker = set.waker();
    /// let other = std::thread::spawn(move || waker.wake());
    /// assert_eq!(set.poll(None)?.end, PollEnd::Woken);
    /// # other.join().unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn waker(&self) -> Waker {
        self.rings.waker()
    }

    /// How many rings are in the set.
    pub fn len(&self) -> usize {
        self.rings.members.len()
    }

    /// Whether no ring is in the set.
    pub fn is_empty(&self) -> bool {
        self.rings.members.is_empty()
    }

    /// The rings that are in the set, in the order in which they were added.
    pub fn rings(&self) -> impl Iterator<Item = RingToken> {
        self.rings.tokens()
    }

    /// The consumer of a ring, to ask for its [positions](Consumer::available); `None` if it is not in the set.
    ///
    /// Source: `ring_buffer__ring` in libbpf.
    #[doc(alias = "ring_buffer__ring")]
    pub fn get(&self, ring: RingToken) -> Option<&Consumer> {
        Some(&self.rings.get(ring)?.consumer)
    }

    /// Records of a ring that were handled; `None` if it is not in the set.
    pub fn records_of(&self, ring: RingToken) -> Option<u64> {
        Some(self.rings.get(ring)?.records)
    }

    /// Records that were handled, those of rings that were removed included.
    pub fn records(&self) -> u64 {
        self.rings.records()
    }

    /// The rings that are held up by an unfinished record, as [`Consumer::stalled`] tells.
    pub fn stalled(&mut self) -> impl Iterator<Item = (RingToken, Stalled)> {
        self.rings.stalled()
    }

    /// Looks at all rings. Whether one may have records; if not, it is safe to listen.
    fn look(&mut self) -> Result<bool, PollError> {
        self.rings.members.iter_mut().try_for_each(Member::look)?;
        Ok(self.rings.members.iter().any(Member::is_ready))
    }

    fn look_for_a_moment(&mut self) -> Result<bool, PollError> {
        let found = notify::looking(|| match self.look() {
            Ok(false) => None,
            result => Some(result),
        });
        found.unwrap_or(Ok(false))
    }

    /// A turn: each ring has at most a quantum of its records handled, and all together at most `most`.
    fn turn(&mut self, which: Which, most: u64) -> Result<Handled, PollError> {
        let count = self.rings.members.len();
        let mut turn = Handled::default();
        for index in (0..count).map(|nth| (self.first + nth) % count) {
            let member = &mut self.rings.members[index];
            if which == Which::Ready && !member.is_ready() {
                continue;
            }
            let Handled { records, stopped } = member.handle(self.quantum.min(most - turn.records))?;
            turn = Handled { records: turn.records + records, stopped };
            if stopped || turn.records == most {
                self.first = index + 1;
                return Ok(turn);
            }
        }
        self.first = (self.first + 1) % count.max(1);
        Ok(turn)
    }
}

/// What can be waited on in an event loop of one's own: readable once a ring rings or a [`Waker`] wakes.
///
/// The descriptor tells of rings that *begin* to have records. Wait on it only after a poll with a timeout of zero has ended
/// with [`TimedOut`](PollEnd::TimedOut); until then, there is more to handle.
///
/// Source: `ring_buffer__epoll_fd` in libbpf.
impl AsFd for RingSet<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.rings.as_fd()
    }
}

/// The same as a number.
impl std::os::fd::AsRawFd for RingSet<'_> {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        std::os::fd::AsFd::as_fd(self).as_raw_fd()
    }
}
