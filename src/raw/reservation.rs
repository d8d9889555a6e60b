//! Bytes that a producer has reserved, and nobody else may touch.

use core::{mem, slice};
use std::sync::Arc;

use super::{Mapped, Producer, Refusal, Seat, Wakeup, carve, finish, shrink, store_bytes};
use crate::wire::{HEADER_BYTES, Header, Position, stride};

/// One reserved record, until it is finished.
///
/// # Invariants
/// 1. While there is a keeper, the header at `at` is busy, it is this value's alone to finish, and the `len` bytes behind it
///    are this value's alone to access.
/// 2. Without a keeper, the record is finished, and `len` is 0.
#[derive(Debug)]
pub struct Reservation<'p> {
    keeper: Keeper<'p>,
    at: Position,
    len: u32,
    owner: u16,
}

/// Who keeps the memory of a reservation.
#[derive(Debug)]
enum Keeper<'p> {
    /// The producer that it is borrowed from.
    Borrowed(&'p Mapped),
    /// The producer's seat. No reference to its memory may lie beside it: a function that is passed both, and drops the
    /// seat, would be left with a reference that dangles.
    Seat(Arc<Seat>),
    /// Nobody needs to: the record is finished.
    Nobody,
}

impl Keeper<'_> {
    #[inline]
    fn memory(&self) -> Option<&Mapped> {
        match self {
            Self::Borrowed(memory) => Some(memory),
            Self::Seat(seat) => Some(seat.memory()),
            Self::Nobody => None,
        }
    }
}

impl<'p> Reservation<'p> {
    /// # Safety
    /// A busy header for `len` bytes is at `at`, within a reservation of `owner` that nobody else will finish.
    #[inline]
    unsafe fn new(memory: &'p Mapped, at: Position, len: u32, owner: u16) -> Self {
        Self { keeper: Keeper::Borrowed(memory), at, len, owner }
    }

    /// Where the record starts.
    #[inline]
    pub fn at(&self) -> Position {
        self.at
    }

    /// The payload; empty once the record is finished.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        let Some(memory) = self.keeper.memory() else { return &[] };
        let data = memory.payload(self.at);
        // SAFETY: `len` bytes of initialised memory that only this value accesses (invariant 1).
        unsafe { slice::from_raw_parts(data.as_ptr(), self.len as usize) }
    }

    /// The payload; empty once the record is finished.
    #[inline]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let Some(memory) = self.keeper.memory() else { return &mut [] };
        let data = memory.payload(self.at);
        // SAFETY: as above, and `self` is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(data.as_ptr(), self.len as usize) }
    }

    /// Bytes of the payload; 0 once the record is finished.
    #[inline]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Copies `bytes` to the payload from `offset` on, without a reference to it.
    ///
    /// # Panics
    /// They reach past its end.
    #[inline]
    pub fn store(&mut self, offset: usize, bytes: &[u8]) {
        assert!(offset <= self.len as usize && bytes.len() <= self.len as usize - offset, "past the end of a record");
        if let Some(memory) = self.keeper.memory() {
            store_bytes(memory.payload_words(self.at, self.len), offset, bytes);
        }
    }

    /// Delivers the record. Nothing happens if it is finished already.
    #[inline]
    pub fn commit(&mut self, wakeup: Wakeup) {
        self.finish(|memory, at, len, _| finish(memory, at, Header::committed(len), wakeup));
    }

    /// Delivers the first `short` bytes, at most all, and discards the rest. Nothing happens if it is finished already.
    #[inline]
    pub fn commit_len(&mut self, short: u32, wakeup: Wakeup) {
        self.finish(|memory, at, len, owner| shrink(memory, at, len, short.min(len), owner, wakeup));
    }

    /// Drops the record. Nothing happens if it is finished already.
    #[inline]
    pub fn discard(&mut self, wakeup: Wakeup) {
        self.finish(|memory, at, len, _| finish(memory, at, Header::discarded(len), wakeup));
    }

    /// Lets go of the record, so that there is nothing left to drop.
    #[inline(always)]
    fn finish(&mut self, finish: impl FnOnce(&Mapped, Position, u32, u16)) {
        let keeper = mem::replace(&mut self.keeper, Keeper::Nobody);
        let len = mem::take(&mut self.len);
        if let Some(memory) = keeper.memory() {
            finish(memory, self.at, len, self.owner);
        }
    }

    /// The same reservation, which keeps its producer's slot and the ring by itself. `seat` must be the producer's.
    pub fn detach(self, seat: Arc<Seat>) -> Reservation<'static> {
        let Self { at, len, owner, .. } = self;
        assert_eq!(seat.registration().owner(), owner, "the seat of another producer");
        Reservation { keeper: Keeper::Seat(seat), at, len, owner }
    }
}

/// Records that were reserved together, not yet handed out one by one.
///
/// # Invariants
/// 1. From `at` on, there is a busy header of `owner` for each of `lens`, which nobody else will finish.
#[derive(Debug)]
pub struct Reservations<'p, I> {
    memory: &'p Mapped,
    at: Position,
    lens: I,
    owner: u16,
}

impl<'p, I: Iterator<Item = u32>> Iterator for Reservations<'p, I> {
    type Item = Reservation<'p>;

    #[inline]
    fn next(&mut self) -> Option<Reservation<'p>> {
        let len = self.lens.next()?;
        let at = self.at;
        self.at = at.advance(stride(len));
        // SAFETY: invariant 1; it is no longer among what `at` and `lens` stand for.
        Some(unsafe { Reservation::new(self.memory, at, len, self.owner) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.lens.size_hint()
    }
}

/// A busy record out of which smaller ones are carved.
///
/// # Invariants
/// 1. If `left` is not 0, the header at `at` is busy, spans `left` bytes with itself, and is this value's alone to finish.
#[derive(Debug)]
pub struct Leased<'p> {
    memory: &'p Mapped,
    at: Position,
    left: u64,
    owner: u16,
}

impl<'p> Leased<'p> {
    /// Bytes left, headers included.
    #[inline]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Carves out a record with a payload of `len` bytes, if enough is left.
    #[inline]
    pub fn carve(&mut self, len: u32) -> Option<Reservation<'p>> {
        if stride(len) > self.left {
            return None;
        }
        let at = self.at;
        (self.at, self.left) = carve(self.memory, at, self.left, len, self.owner);
        // SAFETY: the header at `at` is busy (invariant 1) and no longer this value's; the payload ends where the rest
        // begins.
        Some(unsafe { Reservation::new(self.memory, at, len, self.owner) })
    }

    /// Discards what is left.
    pub fn discard(&mut self, wakeup: Wakeup) {
        if self.left == 0 {
            return;
        }
        let left = mem::take(&mut self.left);
        finish(self.memory, self.at, Header::discarded((left - HEADER_BYTES) as u32), wakeup);
    }
}

/// How to wait for space.
pub trait Patience {
    /// Does `reserve` again and again until it is done, or not to be done.
    fn retry<R>(self, producer: &Producer<Mapped>, reserve: impl FnMut() -> Result<R, Refusal>) -> Result<R, Refusal>;
}

impl Producer<Mapped> {
    /// Reserves a record with a payload of `len` bytes, at most [`max_len`](crate::wire::Capacity::max_len).
    #[inline(always)]
    pub fn reserve_bytes(&self, len: u32) -> Result<Reservation<'_>, Refusal> {
        let at = self.reserve(len)?;
        // SAFETY: it has just been reserved.
        Ok(unsafe { Reservation::new(self.memory(), at, len, self.registration().owner()) })
    }

    /// The same, where a reservation that finds no space is left to `patience`.
    #[inline(always)]
    pub fn reserve_bytes_with(&self, len: u32, patience: impl Patience) -> Result<Reservation<'_>, Refusal> {
        let at = self.reserve_with(len, patience)?;
        // SAFETY: it has just been reserved: `retry` can have it from nowhere else.
        Ok(unsafe { Reservation::new(self.memory(), at, len, self.registration().owner()) })
    }

    #[inline(always)]
    fn reserve_with(&self, len: u32, patience: impl Patience) -> Result<Position, Refusal> {
        match self.reserve(len) {
            Err(Refusal::Full { .. }) => patience.retry(self, || self.reserve(len)),
            result => result,
        }
    }

    /// Reserves a record for each of `lens`, whose strides are together at most [`max_span`](crate::wire::Capacity::max_span).
    pub fn reserve_all<I>(&self, lens: I) -> Result<Reservations<'_, I>, Refusal>
    where
        I: DoubleEndedIterator<Item = u32> + Clone,
    {
        let at = self.reserve_batch(lens.clone())?;
        Ok(Reservations { memory: self.memory(), at, lens, owner: self.registration().owner() })
    }

    /// Reserves a record with a payload of `len` bytes to carve records out of: a multiple of 8, at most
    /// [`max_len`](crate::wire::Capacity::max_len).
    pub fn lease_bytes(&self, len: u32) -> Result<Leased<'_>, Refusal> {
        self.reserve(len).map(|at| self.leased(at, len))
    }

    /// The same, where a reservation that finds no space is left to `patience`.
    pub fn lease_bytes_with(&self, len: u32, patience: impl Patience) -> Result<Leased<'_>, Refusal> {
        self.reserve_with(len, patience).map(|at| self.leased(at, len))
    }

    fn leased(&self, at: Position, len: u32) -> Leased<'_> {
        debug_assert!(u64::from(len) % HEADER_BYTES == 0);
        Leased { memory: self.memory(), at, left: stride(len), owner: self.registration().owner() }
    }
}
