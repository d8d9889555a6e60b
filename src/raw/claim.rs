//! Reserving: announce, swap, write the header, leave.

use core::cell::Cell;
use core::ops::RangeInclusive;

use super::finish::wake_any;
use super::memory::LINE;
use super::registry::Registration;
use super::{Memory, alone, publish, released, watched};
use crate::sync::{Edge, Ordering, acquire, back_off, release};
use crate::wire::{Corrupt, HEADER_BYTES, Header, Position, SlotWord, Tag, stride};

/// One producer: a slot, and what it remembers of the consumer.
///
/// # Invariants
/// 1. The slot is registered to this value alone, from its creation to [`unregister`](super::unregister).
/// 2. `consumer_pos` is `UNKNOWN`, or was loaded with acquire and is no further than a ring's size behind head.
/// 3. `alone` is where `head` and the slot's word, whichever is further, were when the slot was registered, or the end of what has been
///    reserved since.
/// 4. Not `Sync`, and no method calls back into itself: one reservation is entering at a time.
#[derive(Debug)]
pub struct Producer<M> {
    memory: M,
    slot: Registration,
    /// Where the next reservation begins, while no slot but the first was ever used, which is this one.
    alone: Cell<Option<Position>>,
    consumer_pos: Cell<Position>,
    corrupt: Cell<Option<Corrupt>>,
    /// The slot's bit among those that were called with.
    called: Cell<u64>,
}

/// No `consumer_pos`: off the grid of 8 bytes, so that there is never room by it, and whoever reserves looks for himself.
const UNKNOWN: Position = Position::new(1);

/// Of what lengths records are that have the lines ahead of them [fetched](Producer::fetch_ahead), and how many bytes ahead.
const FETCHED: RangeInclusive<u64> = 128..=2048;
const AHEAD: u64 = 512;

/// How often to try to reserve. Each try that fails has seen somebody move head or `consumer_pos`; who moves both in step could
/// otherwise keep a producer for ever. At the pace of producers that do reserve, nobody loses so many in a row.
pub(super) const TRIES: u32 = 1 << 20;

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
    /// Head was somewhere else at each of as many tries as no contention takes.
    Contended,
    /// Head or `consumer_pos` is what no correct peer can have written; sticky.
    Corrupt(Corrupt),
}

/// Space is there or it is not.
enum Room {
    Enough,
    Refused(Refusal),
    /// The consumer has passed the start, so somebody else has reserved there.
    Overtaken,
}

/// Somebody else has reserved at a start that was announced.
struct Taken;

impl<M: Memory> Producer<M> {
    /// The producer that `slot` was registered for.
    pub fn new(memory: M, slot: Registration) -> Self {
        let head = alone::reserved(&memory);
        let alone = slot.is_first() && !alone::has_ended(&memory);
        let released = slot.released();
        let known = if head.since(released) <= memory.size().bytes() { released } else { UNKNOWN };
        let alone = Cell::new(alone.then_some(head));
        let called = Cell::new(watched::called(&memory, slot));
        Self { memory, slot, alone, consumer_pos: Cell::new(known), corrupt: Cell::new(None), called }
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

    /// Reserves one record with a payload of `len` bytes, at most [`max_len`](crate::wire::Capacity::max_len), and returns where its header is.
    #[inline(always)]
    pub fn reserve(&self, len: u32) -> Result<Position, Refusal> {
        self.claim(stride(len), |start| self.write_header(start, Header::busy(len)))
    }

    /// Reserves records of `lens` bytes each, one behind the other, with one swap.
    ///
    /// In sum, their strides are at most [`max_span`](crate::wire::Capacity::max_span).
    pub fn reserve_batch<I>(&self, lens: I) -> Result<Position, Refusal>
    where
        I: DoubleEndedIterator<Item = u32> + Clone,
    {
        let span = lens.clone().map(stride).sum();
        self.claim(span, |start| {
            let mut at = start.advance(span);
            for len in lens.clone().rev() {
                at = at.retreat(stride(len));
                self.write_header(at, Header::busy(len));
            }
        })
    }

    /// Claims `span` bytes, a multiple of 8, and has `write_headers` cover them with headers.
    ///
    /// Always inlined as far as the first try, for a reservation that goes through memory costs as much as all the rest.
    #[inline(always)]
    fn claim(&self, span: u64, write_headers: impl Fn(Position)) -> Result<Position, Refusal> {
        if let Some(start) = self.alone.get() {
            return self.claim_alone(start, span, write_headers);
        }
        let start = Position::new(self.memory.head().load(acquire(Edge::HeadLoad)));
        let end = start.advance(self.padding(start, span) + span);
        if self.is_closed() || !self.has_room(end) {
            return self.claim_slowly(span, write_headers);
        }
        match self.attempt(start, end, span, &write_headers) {
            Ok(at) => {
                self.left(at != start);
                Ok(at)
            }
            Err(Taken) => {
                self.make_way(start, 0);
                self.claim_slowly(span, write_headers)
            }
        }
    }

    /// The same while no other slot was ever used: nobody moves head, so this does not have to either.
    #[inline(always)]
    fn claim_alone(&self, start: Position, span: u64, write_headers: impl Fn(Position)) -> Result<Position, Refusal> {
        let end = start.advance(self.padding(start, span) + span);
        if self.is_closed() || !self.has_room(end) {
            return self.claim_alone_slowly(start, end, span, write_headers);
        }
        self.attempt_alone(start, end, span, write_headers)
    }

    #[inline(always)]
    fn attempt_alone(
        &self,
        start: Position,
        end: Position,
        span: u64,
        write_headers: impl Fn(Position),
    ) -> Result<Position, Refusal> {
        let slot = self.slot.of(&self.memory);
        slot.span.store(end.since(start), release(Edge::Span));
        slot.word.store(SlotWord::entering(start).word(), release(Edge::Announce));
        self.memory.store_load().light(Edge::AloneFence);
        if !alone::is_alone(&self.memory) {
            return self.claim_in_company(start, end, span, write_headers);
        }
        self.alone.set(Some(end));
        self.fetch_ahead(start, end);
        let at = self.write_headers(start, end, span, write_headers);
        if self.memory.plain_readers() {
            // Nobody else raises it past a start that is announced.
            self.memory.producer().producer_pos.store(end.get(), release(Edge::Publish));
        }
        slot.word.store(SlotWord::left(end).word(), release(Edge::Leave));
        self.left_alone(at != start);
        Ok(at)
    }

    /// Has the lines fetched that the next records will lie in, if they are free: the consumer has them, and whoever waits for each when
    /// it is written to waits longer. Short records do without, and long ones have it done by the processor.
    #[inline(always)]
    fn fetch_ahead(&self, start: Position, end: Position) {
        if FETCHED.contains(&end.since(start)) && self.has_room(end.advance(AHEAD)) {
            let (mut line, last) = (start.advance(AHEAD), end.advance(AHEAD));
            while last.is_after(line) {
                self.memory.about_to_write(line);
                line = line.advance(LINE);
            }
        }
    }

    #[cold]
    fn claim_alone_slowly(
        &self,
        start: Position,
        end: Position,
        span: u64,
        write_headers: impl Fn(Position),
    ) -> Result<Position, Refusal> {
        match self.find_room(start, end) {
            Room::Enough => self.attempt_alone(start, end, span, write_headers),
            Room::Refused(refusal) => {
                self.count(refusal);
                Err(refusal)
            }
            // Somebody else has reserved there, so it is alone no more.
            Room::Overtaken => {
                self.alone.set(None);
                alone::end(&self.memory);
                self.claim_slowly(span, write_headers)
            }
        }
    }

    /// Goes on after `start` has been announced, and somebody has come.
    #[cold]
    fn claim_in_company(
        &self,
        start: Position,
        end: Position,
        span: u64,
        write_headers: impl Fn(Position),
    ) -> Result<Position, Refusal> {
        self.alone.set(None);
        if alone::end(&self.memory) != end {
            self.give_up(start);
            return self.claim_slowly(span, write_headers);
        }
        let at = self.write_headers(start, end, span, write_headers);
        self.slot.of(&self.memory).word.store(SlotWord::left(end).word(), release(Edge::Leave));
        self.left(at != start);
        Ok(at)
    }

    #[cold]
    fn claim_slowly(&self, span: u64, write_headers: impl Fn(Position)) -> Result<Position, Refusal> {
        for nth in 1..=TRIES {
            let start = Position::new(self.memory.head().load(acquire(Edge::HeadLoad)));
            let end = start.advance(self.padding(start, span) + span);
            match self.find_room(start, end) {
                Room::Enough => {}
                Room::Overtaken => continue,
                Room::Refused(refusal) => {
                    self.count(refusal);
                    return Err(refusal);
                }
            }
            match self.attempt(start, end, span, &write_headers) {
                Ok(at) => {
                    self.left(at != start);
                    return Ok(at);
                }
                Err(Taken) => self.make_way(start, nth),
            }
        }
        Err(Refusal::Contended)
    }

    /// Announces `start`, swaps head to `end` if it is still `start`, and has the headers written.
    #[inline(always)]
    fn attempt(
        &self,
        start: Position,
        end: Position,
        span: u64,
        write_headers: &impl Fn(Position),
    ) -> Result<Position, Taken> {
        let slot = self.slot.of(&self.memory);
        slot.span.store(end.since(start), Ordering::Relaxed);
        slot.word.store(SlotWord::entering(start).word(), release(Edge::Announce));
        self.be_watched();
        // Success needs no acquire: head has each value once, so `start` was loaded, with acquire, from the same store.
        let swapped =
            self.memory.head().compare_exchange(start.get(), end.get(), release(Edge::SwapRelease), Ordering::Relaxed);
        swapped.map_err(|_| Taken)?;
        let at = self.write_headers(start, end, span, write_headers);
        slot.word.store(SlotWord::left(end).word(), release(Edge::Leave));
        Ok(at)
    }

    /// Calls the consumer if it has let the slot go. An announcement has been made, and nothing swapped since.
    #[inline(always)]
    fn be_watched(&self) {
        if let Some(let_go) = watched::let_go_word(&self.memory, self.slot) {
            self.memory.store_load().light(Edge::CallFence);
            if let_go.load(Ordering::Relaxed) & watched::bit(self.slot) != self.called.get() {
                self.called.set(self.called.get() ^ watched::bit(self.slot));
                watched::call(&self.memory, self.slot);
            }
        }
    }

    /// Has `write_headers` cover the last `span` bytes of what was reserved with headers, and discards what is before them. Returns
    /// where they begin.
    #[inline(always)]
    fn write_headers(&self, start: Position, end: Position, span: u64, write_headers: impl Fn(Position)) -> Position {
        let at = end.retreat(span);
        if !M::MIRRORED && at != start {
            let pad = at.since(start) - HEADER_BYTES;
            self.write_header(start, Header::discarded(pad as u32));
        }
        write_headers(at);
        at
    }

    #[inline(always)]
    fn is_closed(&self) -> bool {
        self.memory.consumer().state.closed.load(Ordering::Relaxed) != 0
    }

    /// Bytes to skip so that `span` bytes from there on are contiguous.
    #[inline(always)]
    fn padding(&self, start: Position, span: u64) -> u64 {
        let size = self.memory.size();
        let offset = start.offset(size) as u64;
        if M::MIRRORED || offset + span <= size.bytes() { 0 } else { size.bytes() - offset }
    }

    /// Whether reserved and not yet released is no more than is allowed. By what is known of the consumer.
    ///
    /// Never if either is off the grid of 8 bytes: nothing is reserved at a head that no producer can have written, nor once
    /// the ring is known to be corrupt.
    #[inline(always)]
    fn has_room(&self, end: Position) -> bool {
        let consumer_pos = self.consumer_pos.get();
        consumer_pos.is_aligned() && end.is_aligned() && end.since(consumer_pos) <= self.memory.capacity().usable()
    }

    fn find_room(&self, start: Position, end: Position) -> Room {
        if self.is_closed() {
            return Room::Refused(Refusal::Closed);
        }
        if self.has_room(end) {
            return Room::Enough;
        }
        if let Some(corrupt) = self.corrupt.get() {
            return Room::Refused(Refusal::Corrupt(corrupt));
        }
        let size = self.memory.size();
        let consumer_pos = released(&self.memory);
        if !start.is_aligned() {
            return self.poison(Corrupt::ProducerPos { found: start, consumer: consumer_pos, size: size.bytes() });
        }
        if !consumer_pos.is_aligned() {
            return self.misplaced(consumer_pos, start);
        }
        if consumer_pos.is_after(start) {
            return self.overtaken(consumer_pos);
        }
        if start.since(consumer_pos) > size.bytes() {
            // Whoever made head `start` had seen a `consumer_pos` that allowed it, and none since can be further behind.
            return self.misplaced(consumer_pos, start);
        }
        self.consumer_pos.set(consumer_pos);
        if self.has_room(end) {
            Room::Enough
        } else {
            Room::Refused(Refusal::Full { wanted: end.retreat(self.memory.capacity().usable()) })
        }
    }

    /// A start that was loaded before `consumer_pos` lies behind it. The consumer only passes what has been reserved, so head is
    /// further by now, and maybe by laps: it must not be behind, and there is no saying how far ahead it may be.
    fn overtaken(&self, consumer_pos: Position) -> Room {
        let head = Position::new(self.memory.head().load(acquire(Edge::HeadLoad)));
        if consumer_pos.is_after(head) { self.misplaced(consumer_pos, head) } else { Room::Overtaken }
    }

    fn misplaced(&self, found: Position, producer: Position) -> Room {
        self.poison(Corrupt::ConsumerPos { found, producer, size: self.memory.size().bytes() })
    }

    #[cold]
    fn poison(&self, corrupt: Corrupt) -> Room {
        self.corrupt.set(Some(corrupt));
        self.consumer_pos.set(UNKNOWN);
        Room::Refused(Refusal::Corrupt(corrupt))
    }

    /// Leaves the entering state without a reservation.
    #[cold]
    fn give_up(&self, start: Position) {
        self.slot.of(&self.memory).word.store(SlotWord::left(start).word(), release(Edge::GiveUp));
        self.left(true);
    }

    /// Leaves it to somebody else, who was faster, to go on for a while, the longer the more often that was so: two who take turns
    /// spend most of their time on handing lines over.
    fn make_way(&self, start: Position, nth: u32) {
        self.give_up(start);
        back_off(nth);
    }

    fn count(&self, refusal: Refusal) {
        if let Refusal::Full { .. } = refusal {
            let refused = &self.slot.of(&self.memory).refused;
            refused.store(refused.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        }
    }

    /// Says that the producer waits until `consumer_pos` has reached `wanted`, and returns the futex value to wait on.
    ///
    /// What must follow, in this order: the heavy side of the ring's [`StoreLoad`](crate::sync::StoreLoad), one more try
    /// to reserve, the sleep if it is refused, [`waited`](Self::waited).
    pub fn about_to_wait(&self, wanted: Position) -> u32 {
        let seq = self.memory.consumer().state.space_seq.load(Ordering::Relaxed);
        // In this order: who dies in between has been counted if its slot says that it waits.
        self.memory.producer().registry.waiting.fetch_add(1, Ordering::Relaxed);
        self.slot.of(&self.memory).wanted.store(wanted.get() | 1, Ordering::Relaxed);
        self.memory.producer().registry.waits.fetch_add(1, release(Edge::WaitStore));
        seq
    }

    /// Takes back [`about_to_wait`](Self::about_to_wait).
    pub fn waited(&self) {
        self.slot.of(&self.memory).wanted.store(0, Ordering::Relaxed);
        self.memory.producer().registry.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// What remains to be done when the entering state has been left. Whether a sleeping consumer may have missed something: an
    /// announcement that was not followed by its swap may have hidden somebody's committed record, and padding in front of a
    /// record is one that the consumer waits for and nobody finishes.
    #[inline(always)]
    fn left(&self, missed: bool) {
        if self.memory.plain_readers() {
            publish::publish(&self.memory);
        } else if missed {
            wake_any(&self.memory, Edge::LeaveFence);
        }
    }

    /// The same for a lone producer, which has hidden nobody's records, but may not have been alone to the end.
    #[inline(always)]
    fn left_alone(&self, padded: bool) {
        if self.memory.plain_readers() {
            self.memory.store_load().light(Edge::AloneLeftFence);
            if !alone::is_alone(&self.memory) {
                publish::publish(&self.memory);
            }
        }
        if padded {
            wake_any(&self.memory, Edge::LeaveFence);
        }
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
