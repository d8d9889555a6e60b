//! Reading: the loop over records, for rings of this crate and of the kernel alike.

mod idle;
mod pace;
mod run;
mod sleep;
mod stuck;

use self::pace::Pace;
use self::sleep::Wanted;
use super::limit::{limit_of_one, rarely};
use super::memory::{AWAKE, LINE};
use super::tally::Tally;
use super::watched::Watched;
use super::{Memory, is_closed, reserved};
use crate::sync::{Edge, Ordering, fence_acquire, release};
use crate::wire::{Corrupt, HEADER_BYTES, Header, Position, stride};

/// The one consumer.
///
/// It trusts nothing that it reads: lengths and positions are checked before they are used.
///
/// # Invariants
/// 1. `published <= taken <= limit <= published + size`, by wrapped distance, all on the grid of 8 bytes.
/// 2. Below `limit`, every record has its header in memory.
/// 3. `consumer_pos` in memory is `published`, and nobody else writes it.
/// 4. If `corrupt` is set, `limit == taken`.
#[derive(Debug)]
pub struct Consumer<M> {
    memory: M,
    /// Everything below has been handed out or skipped.
    taken: Position,
    /// Everything below has been given back to producers.
    published: Position,
    limit: Position,
    /// The slots by which the limit is found.
    watched: Watched,
    pace: Pace,
    wanted: Wanted,
    tally: Tally,
    /// The most that was ever between `published` and `limit`.
    high_water: u64,
    corrupt: Option<Corrupt>,
    origin: Option<Origin>,
}

/// The process that a consumer was made in.
#[derive(Clone, Copy, Debug)]
struct Origin {
    generation: fn() -> u32,
    made: u32,
}

/// A record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    at: Position,
    len: u32,
}

impl Found {
    /// Where its header is.
    #[inline]
    pub fn at(self) -> Position {
        self.at
    }

    /// Payload length in bytes.
    #[inline]
    pub fn payload_len(self) -> u32 {
        self.len
    }
}

impl<M: Memory> Consumer<M> {
    /// The consumer of `memory`, which resumes at `consumer_pos`. There must be no other.
    pub fn new(memory: M) -> Self {
        let start = Position::new(memory.consumer().consumer_pos.load(Ordering::Relaxed));
        let (tally, high_water) = if memory.slots().is_empty() {
            (Tally::unknown(), 0)
        } else {
            let page = memory.consumer();
            // The last consumer may have died in its sleep.
            page.state.sleeping.store(AWAKE, Ordering::Relaxed);
            (Tally::resume(&memory, start), page.high_water.load(Ordering::Relaxed))
        };
        let (taken, published, limit) = (start, start, start);
        let (corrupt, origin) = (None, None);
        let watched = Watched::all(&memory, start);
        let (pace, wanted) = (Pace::new(), Wanted::unknown(start));
        let mut consumer =
            Self { memory, taken, published, limit, watched, pace, wanted, tally, high_water, corrupt, origin };
        consumer.wake_for_the_last();
        if !start.is_aligned() {
            let producer = consumer.producer_pos();
            let size = consumer.memory.size().bytes();
            consumer.corrupt = Some(Corrupt::ConsumerPos { found: start, producer, size });
        }
        consumer
    }

    /// Lets a copy of this in a forked child, in whose memory the ring is closed and empty, find nothing. It is told by the
    /// `generation`, of which each child has another.
    #[cfg_attr(any(miri, dynring_loom), allow(dead_code, reason = "nobody forks there"))]
    pub fn with_generation(mut self, generation: fn() -> u32) -> Self {
        self.origin = Some(Origin { generation, made: generation() });
        self
    }

    /// Whether this is such a copy.
    pub fn is_inherited(&self) -> bool {
        self.origin.is_some_and(|origin| (origin.generation)() != origin.made)
    }

    /// The ring's memory.
    #[inline]
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// Bytes that may be looked at, as far as is known without looking anew.
    #[inline]
    pub fn known(&self) -> u64 {
        self.limit.since(self.taken)
    }

    /// Everything below may be looked at, as far as is known without looking anew.
    #[inline]
    pub fn limit(&self) -> Position {
        self.limit
    }

    /// The next committed record, if there is one. Discarded ones before it are skipped.
    ///
    /// Looks at no more than two rings' worth of headers.
    ///
    /// # Errors
    /// The ring is corrupt; sticky.
    #[inline(always)]
    pub fn peek(&mut self) -> Result<Option<Found>, Corrupt> {
        if self.taken == self.limit {
            rarely();
            if !self.refresh() {
                return self.nothing();
            }
        }
        let at = self.taken;
        let header = self.header(at);
        let found = Found { at, len: header.len() };
        // An empty record is told from what a forked child finds, which is nothing, where it costs nobody else.
        if header.is_committed() && found.len != 0 && stride(found.len) <= self.limit.since(at) {
            Ok(Some(found))
        } else {
            self.peek_on()
        }
    }

    /// Goes on past what is no committed record.
    #[cold]
    fn peek_on(&mut self) -> Result<Option<Found>, Corrupt> {
        let mut refreshed = false;
        loop {
            if self.taken == self.limit {
                if refreshed || !self.refresh() {
                    return self.nothing();
                }
                refreshed = true;
            }
            let at = self.taken;
            let header = self.header(at);
            if header.is_busy() || header.is_empty() && self.is_inherited() {
                return self.nothing();
            }
            let (len, stride) = (header.len(), stride(header.len()));
            if stride > self.limit.since(at) {
                return Err(self.overlong(at, len));
            }
            if !header.is_discarded() {
                return Ok(Some(Found { at, len }));
            }
            self.skip(stride);
        }
    }

    /// Takes the ring for corrupt from now on, for a reason that lies outside what the consumer reads.
    pub fn give_up(&mut self, corrupt: Corrupt) {
        self.poison(corrupt);
    }

    /// Everything below has been given back to producers.
    #[inline]
    pub fn consumer_pos(&self) -> Position {
        self.published
    }

    /// Everything below has been reserved; if there are plain readers, may be looked at by them.
    #[inline]
    pub fn producer_pos(&self) -> Position {
        if self.memory.plain_readers() {
            Position::new(self.memory.producer().producer_pos.load(Ordering::Relaxed))
        } else {
            reserved(&self.memory)
        }
    }

    /// What the kernel says was finished when a program reserved last.
    #[inline]
    pub fn pending_pos(&self) -> Position {
        Position::new(self.memory.producer().pending_pos.load(Ordering::Relaxed))
    }

    /// What is in the header at `at`, below the limit.
    #[inline(always)]
    fn header(&self, at: Position) -> Header {
        let word = self.memory.header(at).word.load(Ordering::Relaxed);
        fence_acquire(Edge::HeaderLoad);
        Header::from_word(word)
    }

    #[inline(always)]
    fn nothing(&mut self) -> Result<Option<Found>, Corrupt> {
        if is_closed(&self.memory) {
            self.find_closed();
        }
        self.corrupt.map_or(Ok(None), Err)
    }

    /// The ring is closed, which is this consumer's to do: producers have been refused since, and it would look as if they had
    /// all gone.
    #[cold]
    #[inline(never)]
    fn find_closed(&mut self) {
        if self.corrupt.is_none() && self.is_ours() && !self.is_inherited() {
            self.poison(Corrupt::Closed { at: self.taken });
        }
    }

    #[inline]
    fn skip(&mut self, stride: u64) {
        self.taken = self.taken.advance(stride);
        self.tally.discarded = self.tally.discarded.wrapping_add(1);
        if self.is_ours() {
            self.tally.note(&self.memory, self.taken, self.published);
        }
    }

    /// Whether the ring is of this crate: the kernel's has no slots, and words of its own in both pages.
    #[inline]
    fn is_ours(&self) -> bool {
        !self.memory.slots().is_empty()
    }

    /// Like [`peek`](Self::peek), and counts the record as handed out.
    ///
    /// # Errors
    /// The ring is corrupt; sticky.
    #[inline]
    pub fn take(&mut self) -> Result<Option<Found>, Corrupt> {
        let found = self.peek()?;
        if let Some(found) = found {
            self.accept(found);
        }
        Ok(found)
    }

    /// Counts the record that [`peek`](Self::peek) has just found as handed out.
    ///
    /// # Panics
    /// It is another record.
    #[inline]
    pub fn accept(&mut self, found: Found) {
        assert!(found.at == self.taken, "a record is taken once");
        self.taken = found.at.advance(stride(found.len));
    }

    /// Gives everything that was handed out or skipped back to producers.
    #[inline(always)]
    pub fn publish(&mut self) {
        if self.published == self.taken {
            return;
        }
        if self.memory.consumer_writes_data() {
            self.own_lines();
        }
        let before = core::mem::replace(&mut self.published, self.taken);
        self.memory.consumer().consumer_pos.store(self.taken.get(), release(Edge::SpaceStore));
        if self.is_ours() {
            self.memory.store_load().light(Edge::SpaceFence);
            if self.memory.producer().registry.waiting.load(Ordering::Relaxed) != 0 {
                self.wake_waiting(before);
            }
        }
    }

    /// Writes to every cache line that has been read to its end, and so takes it away from the producer.
    ///
    /// A line that both sides merely share is dear for the producer to take back; one that the consumer owns is handed
    /// over in one step. What is written is what is there, a tag as it may be: until the space is given back, whoever repairs
    /// the ring may read in it who has reserved.
    #[inline(always)]
    fn own_lines(&self) {
        let mut end = Position::new(self.published.get() | (LINE - 1)).advance(1);
        while !end.is_after(self.taken) {
            let tag = &self.memory.header(end.retreat(HEADER_BYTES)).tag;
            tag.store(tag.load(Ordering::Relaxed), Ordering::Relaxed);
            end = end.advance(LINE);
        }
    }

    /// Like [`refresh`](Self::refresh), and says what is wrong if the ring is corrupt.
    ///
    /// # Errors
    /// The ring is corrupt; sticky.
    pub fn look(&mut self) -> Result<(), Corrupt> {
        self.refresh();
        self.corrupt.map_or(Ok(()), Err)
    }

    /// Looks anew how far the ring may be looked at. Whether that is further than before; never so once the ring is corrupt.
    pub fn refresh(&mut self) -> bool {
        if self.pace.rests() && !self.memory.plain_readers() {
            let found = self.limit_of_slots();
            return self.advance_limit(found);
        }
        self.refresh_in_pace()
    }

    /// The same where records may be left to gather, and if the ring is the kernel's.
    #[inline(never)]
    fn refresh_in_pace(&mut self) -> bool {
        let found = if self.memory.plain_readers() {
            let producer_pos = self.memory.producer().producer_pos.load(Ordering::Relaxed);
            fence_acquire(Edge::PublishedLoad);
            Position::new(producer_pos)
        } else {
            self.pace.pause();
            let found = self.limit_of_slots();
            self.pace.found(found.since(self.limit));
            found
        };
        self.advance_limit(found)
    }

    #[inline]
    fn limit_of_slots(&mut self) -> Position {
        limit_of_one(&self.memory, self.limit).unwrap_or_else(|| self.limit_of_several())
    }

    #[inline(never)]
    fn limit_of_several(&mut self) -> Position {
        if self.watched.is_due() {
            self.let_go_of_the_idle();
        }
        self.watched.limit(&self.memory, self.limit)
    }

    #[inline]
    fn advance_limit(&mut self, found: Position) -> bool {
        if found == self.limit || self.corrupt.is_some() {
            return false;
        }
        let size = self.memory.size().bytes();
        let ahead = found.since(self.published);
        if !found.is_aligned() || ahead > size || ahead < self.limit.since(self.published) {
            self.misled(found);
            return false;
        }
        self.limit = found;
        if ahead > self.high_water {
            self.set_high_water(ahead);
        }
        true
    }

    /// Producers say that they are where they cannot be.
    #[cold]
    #[inline(never)]
    fn misled(&mut self, found: Position) {
        // A forked child finds nothing rather than a position of zero, wherever the ring was.
        if !self.is_inherited() {
            let size = self.memory.size().bytes();
            self.poison(Corrupt::ProducerPos { found, consumer: self.published, size });
        }
    }

    /// The most bytes that were ever found not given back, at a look further than before.
    #[inline]
    pub fn high_water(&self) -> u64 {
        self.high_water
    }

    /// Begins anew with what is known of now.
    pub fn reset_high_water(&mut self) {
        self.set_high_water(self.limit.since(self.published));
    }

    fn set_high_water(&mut self, bytes: u64) {
        self.high_water = bytes;
        if self.is_ours() {
            self.memory.consumer().high_water.store(bytes, Ordering::Relaxed);
        }
    }

    #[cold]
    fn overlong(&mut self, at: Position, found: u32) -> Corrupt {
        self.poison(Corrupt::Length { at, found, available: self.limit.since(at) })
    }

    fn poison(&mut self, corrupt: Corrupt) -> Corrupt {
        self.limit = self.taken;
        *self.corrupt.insert(corrupt)
    }

    /// Records skipped because nobody was left to finish them.
    #[inline]
    pub fn abandoned(&self) -> u64 {
        self.tally.abandoned
    }

    /// Records skipped because they were discarded.
    #[inline]
    pub fn discarded(&self) -> u64 {
        self.tally.discarded
    }
}
