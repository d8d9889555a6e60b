//! Reserving: announce, swap, write the header, leave.

use core::cell::Cell;

use super::finish::Wake;
use super::registry::Registration;
use super::{Memory, publish};
use crate::sync::{Edge, Ordering, acq_rel, acquire, release};
use crate::wire::{Corrupt, HEADER_BYTES, Header, Position, SlotWord, Tag, stride};

/// One producer: a slot, and what it remembers of the consumer.
///
/// # Invariants
/// 1. The slot is registered to this value alone, from its creation to [`unregister`](Registration::unregister).
/// 2. `consumer_pos` is a value that was loaded with acquire, and never goes back.
/// 3. Not `Sync`, and no method calls back into itself: one reservation is entering at a time.
#[derive(Debug)]
pub struct Producer<M> {
    memory: M,
    slot: Registration,
    consumer_pos: Cell<Position>,
}

/// Why a reservation was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Not enough space until the consumer has reached `wanted`.
    Full {
        /// The `consumer_pos` that would have done.
        wanted: Position,
    },
    /// The consumer is gone.
    Closed,
    /// `consumer_pos` is ahead of head.
    Corrupt(Corrupt),
}

/// Space is there or it is not.
enum Room {
    Enough,
    Refused(Refusal),
    /// The consumer has passed `start`, so somebody else has reserved there.
    Overtaken(Position),
}

impl<M: Memory> Producer<M> {
    /// The producer that `slot` was registered for.
    pub fn new(memory: M, slot: Registration) -> Self {
        let consumer_pos = Cell::new(Position::new(memory.consumer().consumer_pos.load(acquire(Edge::SpaceLoad))));
        Self { memory, slot, consumer_pos }
    }

    /// The ring's memory.
    #[inline]
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// The slot.
    #[inline]
    pub fn registration(&self) -> Registration {
        self.slot
    }

    /// Reserves one record with a payload of `len` bytes, at most [`Memory::max_len`], and returns where its header is.
    #[inline]
    pub fn reserve(&self, len: u32) -> (Result<Position, Refusal>, Wake) {
        self.claim(stride(len), |start| self.write_header(start, Header::busy(len)))
    }

    /// Reserves records of `lens` bytes each, one behind the other, with one swap.
    ///
    /// Their strides must not exceed the stride of [`Memory::max_len`] in sum.
    pub fn reserve_batch<I>(&self, lens: I) -> (Result<Position, Refusal>, Wake)
    where
        I: DoubleEndedIterator<Item = u32> + Clone,
    {
        let span = lens.clone().map(stride).sum();
        self.claim(span, |start| {
            let mut at = start.advance(span);
            for len in lens.rev() {
                at = at.retreat(stride(len));
                self.write_header(at, Header::busy(len));
            }
        })
    }

    /// Claims `span` bytes, a multiple of 8, and has `write_headers` cover them with headers.
    #[inline]
    fn claim(&self, span: u64, write_headers: impl FnOnce(Position)) -> (Result<Position, Refusal>, Wake) {
        if self.memory.consumer().state.closed.load(Ordering::Relaxed) != 0 {
            return (Err(Refusal::Closed), Wake::Nobody);
        }
        let head = self.memory.head();
        let slot = self.slot.of(&self.memory);
        let mut start = Position::new(head.load(acquire(Edge::HeadLoad)));
        let mut announced = None;
        loop {
            let pad = self.padding(start, span);
            match self.room(start, pad + span) {
                Room::Enough => {}
                Room::Overtaken(now) => {
                    start = now;
                    continue;
                }
                Room::Refused(refusal) => return (Err(refusal), self.give_up(announced)),
            }
            slot.span.store(pad + span, Ordering::Relaxed);
            slot.word.store(SlotWord::entering(start).word(), release(Edge::Announce));
            let end = start.advance(pad + span);
            match head.compare_exchange(
                start.get(),
                end.get(),
                acq_rel(Edge::SwapAcquire, Edge::SwapRelease),
                acquire(Edge::SwapFailed),
            ) {
                Ok(_) => {
                    if pad > 0 {
                        self.write_header(start, Header::discarded((pad - HEADER_BYTES) as u32));
                    }
                    write_headers(start.advance(pad));
                    slot.word.store(SlotWord::left(end).word(), release(Edge::Leave));
                    return (Ok(start.advance(pad)), self.left(announced.is_some()));
                }
                Err(now) => {
                    announced = Some(start);
                    start = Position::new(now);
                }
            }
        }
    }

    /// Bytes to skip so that `span` bytes from there on are contiguous.
    #[inline]
    fn padding(&self, start: Position, span: u64) -> u64 {
        let size = self.memory.size();
        let offset = start.offset(size) as u64;
        if M::MIRRORED || offset + span <= size.bytes() { 0 } else { size.bytes() - offset }
    }

    /// The kernel's rule: reserved and not yet released is at most size − 8.
    #[inline]
    fn room(&self, start: Position, span: u64) -> Room {
        let end = start.advance(span);
        if end.since(self.consumer_pos.get()) <= self.memory.size().usable() {
            Room::Enough
        } else {
            self.refresh_room(start, end)
        }
    }

    #[cold]
    fn refresh_room(&self, start: Position, end: Position) -> Room {
        let size = self.memory.size();
        let consumer_pos = Position::new(self.memory.consumer().consumer_pos.load(acquire(Edge::SpaceLoad)));
        let corrupt = |producer: Position| {
            let (found, size) = (consumer_pos, size.bytes());
            Room::Refused(Refusal::Corrupt(Corrupt::ConsumerPos { found, producer, size }))
        };
        if consumer_pos.is_after(start) {
            // `start` was loaded before `consumer_pos`. The consumer only passes what has been reserved, so head is further by
            // now, and maybe by laps: it must not be behind, and there is no saying how far ahead it may be.
            let head = Position::new(self.memory.head().load(acquire(Edge::HeadLoad)));
            return if consumer_pos.is_after(head) { corrupt(head) } else { Room::Overtaken(head) };
        }
        if start.since(consumer_pos) > size.bytes() {
            // Whoever made head `start` had seen a `consumer_pos` that allowed it, and so is what was loaded here.
            return corrupt(start);
        }
        self.consumer_pos.set(consumer_pos);
        if end.since(consumer_pos) <= size.usable() {
            Room::Enough
        } else {
            Room::Refused(Refusal::Full { wanted: end.retreat(size.usable()) })
        }
    }

    /// Leaves the entering state, if it was entered, without a reservation.
    #[cold]
    fn give_up(&self, announced: Option<Position>) -> Wake {
        let slot = self.slot.of(&self.memory);
        slot.refused.store(slot.refused.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        let Some(start) = announced else { return Wake::Nobody };
        slot.word.store(SlotWord::left(start).word(), release(Edge::GiveUp));
        self.left(true)
    }

    /// Says that the producer waits until `consumer_pos` has reached `wanted`, and returns the futex value to wait on.
    ///
    /// What must follow, in this order: the heavy side of the ring's [`StoreLoad`](crate::sync::StoreLoad), one more try
    /// to reserve, the sleep if it is refused, [`waited`](Self::waited).
    pub fn about_to_wait(&self, wanted: Position) -> u32 {
        let seq = self.memory.consumer().state.space_seq.load(Ordering::Relaxed);
        self.slot.of(&self.memory).wanted.store(wanted.get() | 1, Ordering::Relaxed);
        self.memory.producer().registry.waiting.fetch_add(1, Ordering::Relaxed);
        seq
    }

    /// Takes back [`about_to_wait`](Self::about_to_wait).
    pub fn waited(&self) {
        self.memory.producer().registry.waiting.fetch_sub(1, Ordering::Relaxed);
        self.slot.of(&self.memory).wanted.store(0, Ordering::Relaxed);
    }

    /// What remains to be done when the entering state has been left.
    #[inline]
    fn left(&self, contended: bool) -> Wake {
        if self.memory.plain_readers() {
            publish::publish(&self.memory)
        } else if contended {
            self.left_contended()
        } else {
            Wake::Nobody
        }
    }

    /// An announcement that was not followed by its swap may have hidden somebody's committed record from the consumer.
    #[cold]
    fn left_contended(&self) -> Wake {
        self.memory.store_load().light(Edge::LeaveFence);
        Wake::if_sleeping(&self.memory)
    }

    #[inline]
    fn write_header(&self, at: Position, header: Header) {
        write_header(&self.memory, at, header, self.slot.owner());
    }
}

/// Writes the header of a record that is not yet in anyone's sight.
#[inline]
pub(super) fn write_header<M: Memory>(memory: &M, at: Position, header: Header, owner: u16) {
    let cell = memory.header(at);
    cell.word.store(header.word(), Ordering::Relaxed);
    cell.tag.store(Tag::new(owner, at, memory.size()).word(), release(Edge::TagStore));
}
