//! The consumer of a task.

use core::future::poll_fn;
use core::ops::ControlFlow;
use core::task::{Context, Poll, ready};
use std::os::fd::OwnedFd;

use tokio::io::unix::AsyncFd;
use tokio::task::coop;

use super::alarm::Alarm;
use super::{IntoAsyncError, RecordStream, watched};
use crate::notify::{LastLook, Readiness, Stalled, WaitError};
use crate::raw::Found;
use crate::ring::{Batch, Consumer, Record};
use crate::wire::Corrupt;

/// The one consumer of a ring, for a task that waits for records without keeping a thread. From [`Consumer::into_async`].
///
/// | to | see | a record is |
/// |---|---|---|
/// | wait for the next record | [`next`](Self::next) | read in place |
/// | wait, and read many | [`drain`](Self::drain) | read in place |
/// | wait, and read as a consumer does | [`readable`](Self::readable), then [`try_next`](Self::try_next), [`batch`](Self::batch) | read in place |
/// | have a `Stream` | [`into_stream`](Self::into_stream) | copied |
///
/// **Nothing is lost when a future is dropped**, as by `select!` or a time-out: it holds no record and no state of the ring. The
/// next one begins where this one would have gone on.
///
/// **A busy ring does not starve other tasks.** Each record that a future hands out counts as one step of the task's budget, as
/// [`tokio::task::coop`] describes it, which makes the task yield now and then. What is read without waiting, by
/// [`try_next`](Self::try_next) or [`batch`](Self::batch), does not count.
///
/// A wait takes no thread and does not spin. Producers of rings of this crate write to a descriptor to wake it, if it waits; those in the
/// kernel wake it as they wake any consumer. A wake costs some microseconds; where that is too long, a thread of its own that
/// calls [`Consumer::wait`] reacts faster. What is committed without a wake ([`Wakeup::None`](crate::Wakeup::None),
/// `BPF_RB_NO_WAKEUP`) is seen at the next look, as everywhere.
///
/// It may move to other threads and tasks. What wakes it is the runtime that it was made in, which has to be running.
/// Dropping it closes the ring.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ring = dynring::Ring::builder(64 * 1024).build()?;
/// let (producer, mut consumer) = (ring.producer()?, ring.consumer()?.into_async()?);
/// drop(ring);
///
/// let sender = std::thread::spawn(move || -> Result<(), dynring::ReserveError> {
///     producer.output(b"from")?;
///     producer.output(b"a thread")
/// });
///
/// let mut bytes = 0;
/// while let Some(record) = consumer.next().await? {
///     bytes += record.len();
/// } // until the last producer has gone
/// assert_eq!(bytes, 12);
/// # sender.join().unwrap()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AsyncConsumer {
    // Invariants:
    // 1. `edges` is a descriptor of its own of what rings for `consumer`.
    // 2. If the consumer is armed, then `armed` is set.
    consumer: Consumer,
    edges: AsyncFd<OwnedFd>,
    /// Where producers are processes, which may die, and wake nobody then.
    alarm: Option<Alarm>,
    armed: bool,
}

#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
impl Consumer {
    /// Makes this the consumer of a task. Works for rings of this crate and of the kernel. Takes a descriptor, a timer in rings
    /// that processes share, and what [`poll_fd`](Self::poll_fd) takes if that was never asked for.
    ///
    /// # Errors
    /// File descriptors or epoll watches are short. The error hands the consumer back.
    ///
    /// # Panics
    /// There is no tokio runtime in which this is called, or its I/O is not enabled.
    ///
    /// # Examples
    /// ```
    /// use dynring::{AsyncConsumer, kernel::RingBuf};
    ///
    /// /// To be called in a runtime.
    /// fn consume(map: std::os::fd::BorrowedFd<'_>) -> std::io::Result<AsyncConsumer> {
    ///     Ok(RingBuf::from_fd(map)?.into_consumer()?.into_async()?)
    /// }
    /// ```
    pub fn into_async(mut self) -> Result<AsyncConsumer, IntoAsyncError> {
        let edges = self.edges().and_then(watched);
        let alarm = self.nap().map(|_| Alarm::new()).transpose();
        match edges.and_then(|edges| Ok((edges, alarm?))) {
            Ok((edges, alarm)) => {
                self.disarm();
                Ok(AsyncConsumer { consumer: self, edges, alarm, armed: false })
            }
            Err(error) => Err(IntoAsyncError::new(self, error)),
        }
    }
}

impl AsyncConsumer {
    /// How many records one [`drain`](Self::drain) handles at most.
    pub const TURN: u64 = 128;

    /// Waits for the next record. `None`: nobody is left who could produce one, as
    /// [`is_disconnected`](Consumer::is_disconnected) says.
    ///
    /// The record is read in place, and its space given back when it is dropped; it may be held while something else is awaited.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// The ring is corrupt; sticky. Or the system refuses to wait: the runtime has shut down, or membarrier(2) was allowed when
    /// the ring was made and is not any more.
    pub async fn next(&mut self) -> Result<Option<Record<'_>>, WaitError> {
        let found = Waiting(self).found().await?;
        Ok(found.map(|found| self.consumer.take(found)))
    }

    /// Waits for records, and calls `each` with those that are there: until it breaks, nothing is left, [`TURN`](Self::TURN)
    /// records are handled or the task has to yield. Returns how many it was. 0: nobody is left who could produce one.
    ///
    /// If `each` panics, its record counts as consumed, and nothing else is affected.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: it does not wait once `each` has been called.
    ///
    /// # Errors
    /// As [`next`](Self::next). An error behind records that were handled is left for the next call.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::ops::ControlFlow;
    ///
    /// # let ring = dynring::Ring::builder(64 * 1024).build()?;
    /// # let (producer, mut consumer) = (ring.producer()?, ring.consumer()?.into_async()?);
    /// # drop(ring);
    /// # let sender = std::thread::spawn(move || (0..500).try_for_each(|_| producer.output(b"record")));
    /// let mut bytes = 0;
    /// while consumer.drain(|record| {
    ///     bytes += record.len();
    ///     ControlFlow::Continue(())
    /// }).await? > 0 {}
    /// # sender.join().unwrap()?;
    /// # assert_eq!(bytes, 3000);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn drain(&mut self, mut each: impl FnMut(&[u8]) -> ControlFlow<()>) -> Result<u64, WaitError> {
        let Some(found) = Waiting(self).found().await? else { return Ok(0) };
        let mut records = 1;
        if each(&self.consumer.take(found)).is_continue() {
            // Never pending, and so nothing is lost if the future is dropped.
            records += poll_fn(|cx| Poll::Ready(self.turn(cx, &mut each))).await;
        }
        Ok(records)
    }

    /// Waits until a record is there, or nobody is left who could produce one: `Ready` or `Disconnected`; the time is never up.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dynring::Readiness;
    ///
    /// # let ring = dynring::Ring::builder(64 * 1024).build()?;
    /// # let (producer, mut consumer) = (ring.producer()?, ring.consumer()?.into_async()?);
    /// # drop(ring);
    /// # let sender = std::thread::spawn(move || (0..500).try_for_each(|_| producer.output(b"record")));
    /// # let mut all = 0;
    /// while consumer.readable().await? == Readiness::Ready {
    ///     let batch = consumer.batch();
    ///     let records = batch.iter().take(1000).collect::<Result<Vec<&[u8]>, _>>()?;
    ///     println!("{} records at once, none of them copied", records.len());
    /// #   all += records.len();
    /// }
    /// # sender.join().unwrap()?;
    /// # assert_eq!(all, 500);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn readable(&mut self) -> Result<Readiness, WaitError> {
        Ok(readiness(Waiting(self).found().await?))
    }

    /// [`readable`](Self::readable), for futures and streams that are written by hand. What is armed when this is pending stays
    /// so until this is polled again, or something else is called.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<Result<Readiness, WaitError>> {
        self.poll_found(cx).map_ok(readiness)
    }

    /// The next record, if one is there: [`Consumer::next`].
    ///
    /// # Errors
    /// The ring is corrupt; sticky.
    #[inline]
    pub fn try_next(&mut self) -> Result<Option<Record<'_>>, Corrupt> {
        self.disarm();
        self.consumer.next()
    }

    /// Begins a batch: [`Consumer::batch`].
    #[inline]
    pub fn batch(&mut self) -> Batch<'_> {
        self.disarm();
        self.consumer.batch()
    }

    /// The unfinished record that holds up all records behind it: [`Consumer::stalled`].
    pub fn stalled(&mut self) -> Option<Stalled> {
        self.disarm();
        self.consumer.stalled()
    }

    /// Passes what nobody is left to finish: [`Consumer::recover`]. Whatever waits does it by itself, as often as
    /// [`Consumer::wait`].
    ///
    /// # Errors
    /// The ring is corrupt; sticky.
    pub fn recover(&mut self) -> Result<bool, Corrupt> {
        self.disarm();
        self.consumer.recover()
    }

    /// The records as a `Stream`, which copies them.
    pub fn into_stream(self) -> RecordStream {
        RecordStream::new(self)
    }

    /// The consumer, to ask it how far it is.
    pub fn get_ref(&self) -> &Consumer {
        &self.consumer
    }

    /// The consumer, for a thread that waits. Needs no runtime.
    pub fn into_inner(mut self) -> Consumer {
        self.disarm();
        self.consumer
    }

    /// Waits for the next record, and copies what is needed of it.
    pub(super) fn poll_next_with<R>(
        &mut self,
        cx: &mut Context<'_>,
        copy: impl FnOnce(&[u8]) -> R,
    ) -> Poll<Result<Option<R>, WaitError>> {
        let found = ready!(self.poll_found(cx))?;
        Poll::Ready(Ok(found.map(|found| copy(&self.consumer.take(found)))))
    }

    /// Waits for a record, one step of the task's budget. `None`: nobody is left.
    fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Found>, WaitError>> {
        let step = ready!(coop::poll_proceed(cx));
        let found = ready!(self.poll_look(cx));
        step.made_progress();
        self.disarm();
        Poll::Ready(found)
    }

    fn poll_look(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Found>, WaitError>> {
        if let Some(found) = self.consumer.peek()? {
            return Poll::Ready(Ok(Some(found)));
        }
        // The task is told of whatever is rung from here on: before the last look, so that nothing falls between.
        while let Poll::Ready(heard) = self.edges.poll_read_ready(cx) {
            heard.map_err(WaitError::System)?.clear_ready();
        }
        // In this order: whoever fills the bell from here on is heard.
        self.consumer.forget_edges();
        self.armed = true;
        match self.consumer.listen()? {
            LastLook::Record(found) => Poll::Ready(Ok(Some(found))),
            LastLook::Disconnected => Poll::Ready(Ok(None)),
            LastLook::Nothing => {
                if let (Some(alarm), Some(nap)) = (&self.alarm, self.consumer.nap()) {
                    alarm.set(cx, nap).map_err(WaitError::System)?;
                }
                Poll::Pending
            }
            LastLook::Skipped => {
                // There is more to look at, but not before others have had their turn.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    /// Handles what is there for as long as the task may go on. Returns how many records it was.
    fn turn(&mut self, cx: &mut Context<'_>, mut each: impl FnMut(&[u8]) -> ControlFlow<()>) -> u64 {
        let mut records = 0;
        while records + 1 < Self::TURN && coop::has_budget_remaining() {
            let Poll::Ready(step) = coop::poll_proceed(cx) else { break };
            let Ok(Some(record)) = self.consumer.next() else { break };
            step.made_progress();
            records += 1;
            if each(&record).is_break() {
                break;
            }
        }
        records
    }

    fn disarm(&mut self) {
        if self.armed {
            self.consumer.disarm();
            self.armed = false;
        }
    }
}

/// Somebody waits. When they do no longer, producers need not wake any more.
struct Waiting<'c>(&'c mut AsyncConsumer);

impl Waiting<'_> {
    async fn found(&mut self) -> Result<Option<Found>, WaitError> {
        poll_fn(|cx| self.0.poll_found(cx)).await
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.disarm();
    }
}

fn readiness(found: Option<Found>) -> Readiness {
    if found.is_some() { Readiness::Ready } else { Readiness::Disconnected }
}
