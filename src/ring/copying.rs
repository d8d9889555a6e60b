//! Producing and consuming among those who do not trust each other.

use core::time::Duration;

use super::{Consumer, Producer, ReserveError};
use crate::dynptr::DynPtrError;
use crate::notify::{Readiness, Stalled, WaitError};
use crate::raw::{self, Wakeup};
use crate::wire::Corrupt;

/// One of a ring's producers, which never refers to the ring's bytes. From [`SharedRing::producer`](crate::SharedRing::producer).
///
/// A consumer that moves its position over unfinished records makes reservations overlap, and no check of positions can see
/// it. So what is written here is copied, and may be overwritten by whoever shares the ring; nothing else can happen.
#[derive(Debug)]
pub struct CopyingProducer {
    producer: Producer,
}

impl CopyingProducer {
    pub(super) fn new(producer: Producer) -> Self {
        Self { producer }
    }

    /// The largest payload that a record can have, in bytes.
    pub fn max_len(&self) -> usize {
        self.producer.max_len()
    }

    /// Reserves a record with a payload of `len` bytes, to be [written](CopyingReservation::write) piece by piece.
    ///
    /// # Errors
    /// As [`Producer::reserve`].
    #[inline]
    pub fn reserve(&self, len: usize) -> Result<CopyingReservation<'_>, ReserveError> {
        self.producer.reserve_raw(len).map(|reservation| CopyingReservation { reservation })
    }

    /// Like [`reserve`](Self::reserve), and waits for space, at most for `timeout` or for as long as it takes.
    ///
    /// # Errors
    /// As [`Producer::reserve_blocking`].
    pub fn reserve_blocking(
        &self,
        len: usize,
        timeout: Option<Duration>,
    ) -> Result<CopyingReservation<'_>, ReserveError> {
        self.producer.reserve_raw_blocking(len, timeout).map(|reservation| CopyingReservation { reservation })
    }

    /// Copies `payload` into a record of its own, and commits it.
    ///
    /// # Errors
    /// As [`reserve`](Self::reserve).
    #[inline]
    pub fn output(&self, payload: &[u8]) -> Result<(), ReserveError> {
        let mut reservation = self.producer.reserve_raw(payload.len())?;
        reservation.store(0, payload);
        reservation.commit(Wakeup::Adaptive);
        Ok(())
    }
}

/// A reserved record that is written piece by piece.
///
/// **Dropping it discards it.**
#[derive(Debug)]
#[must_use = "a reservation that is dropped is discarded"]
pub struct CopyingReservation<'p> {
    reservation: raw::Reservation<'p>,
}

impl CopyingReservation<'_> {
    /// Bytes that were reserved.
    #[inline]
    pub fn len(&self) -> usize {
        self.reservation.len() as usize
    }

    /// Whether none were. Such records are legal.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies `bytes` to the record, from `offset` on. What is never written holds what the ring held there before.
    ///
    /// # Errors
    /// They reach past the end of the record; nothing is written.
    ///
    /// Source: `bpf_dynptr_write` in the kernel.
    #[doc(alias = "bpf_dynptr_write")]
    #[inline]
    pub fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<(), DynPtrError> {
        let size = self.len();
        if bytes.len() > size || offset > size - bytes.len() {
            return Err(DynPtrError::OutOfBounds { offset: offset as u64, len: bytes.len() as u64, size: size as u64 });
        }
        self.reservation.store(offset, bytes);
        Ok(())
    }

    /// Delivers the record.
    #[inline]
    pub fn commit(mut self) {
        self.reservation.commit(Wakeup::Adaptive);
    }

    /// Delivers the record, and wakes the consumer as `wakeup` says.
    pub fn commit_with(mut self, wakeup: Wakeup) {
        self.reservation.commit(wakeup);
    }

    /// Drops the record.
    pub fn discard(self) {}
}

impl Drop for CopyingReservation<'_> {
    #[inline]
    fn drop(&mut self) {
        self.reservation.discard(Wakeup::Adaptive);
    }
}

/// The consumer of a ring, which never refers to the ring's bytes. From [`SharedRing::consumer`](crate::SharedRing::consumer).
///
/// Each byte of a record is loaded once, from a length that was loaded once and checked: what the copy says stays what it is,
/// whatever producers do to the ring meanwhile.
#[derive(Debug)]
pub struct CopyingConsumer {
    consumer: Consumer,
}

impl CopyingConsumer {
    pub(super) fn new(consumer: Consumer) -> Self {
        Self { consumer }
    }

    /// Copies the next record to `record`, whose former contents go, and gives its space back. Whether there was one; if not,
    /// `record` is as before.
    ///
    /// Allocates if `record` has not enough room, no more than the ring's size.
    ///
    /// # Errors
    /// The ring is corrupt; sticky.
    pub fn next_into(&mut self, record: &mut Vec<u8>) -> Result<bool, Corrupt> {
        self.consumer.copy_next(record)
    }

    /// Waits until a record is there: as [`Consumer::wait`].
    ///
    /// # Errors
    /// As [`Consumer::wait`].
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<Readiness, WaitError> {
        self.consumer.wait(timeout)
    }

    /// What holds the consumer up: as [`Consumer::stalled`].
    pub fn stalled(&mut self) -> Option<Stalled> {
        self.consumer.stalled()
    }

    /// Passes what the dead have left behind: as [`Consumer::recover`].
    ///
    /// # Errors
    /// The ring is corrupt; sticky.
    pub fn recover(&mut self) -> Result<bool, Corrupt> {
        self.consumer.recover()
    }

    /// Bytes that are not consumed yet: as [`Consumer::available`].
    pub fn available(&self) -> u64 {
        self.consumer.available()
    }

    /// Records skipped because they were discarded, since the ring began, if nobody has written something else there.
    pub fn discarded(&self) -> u64 {
        self.consumer.discarded()
    }

    /// Records skipped because nobody was left to finish them, since the ring began, with the same reservation.
    pub fn abandoned(&self) -> u64 {
        self.consumer.abandoned()
    }

    /// Closes the ring for good: as [`Consumer::close`].
    pub fn close(self) {
        self.consumer.close();
    }
}
