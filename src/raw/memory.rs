//! The words that the protocol moves, and what it asks of the memory that holds them.

use crate::sync::{AtomicU32, AtomicU64, CachePadded, Edge, Ordering, StoreLoad, fence_acquire};
use crate::wire::{Capacity, PRODUCER_LAYOUT, Position, RingSize, SlotWord};

/// The memory of one ring.
///
/// # Safety
/// - Every reference that is handed out refers to the ring's one instance of these words; two headers at positions
///   that are equal modulo the size are the same words.
/// - The words are valid for reads for as long as the memory lives, and valid for writes by the role that writes them.
pub unsafe trait Memory {
    /// Whether the data continues with itself behind its end, so that any record is contiguous. Else a record that would
    /// cross the end is preceded by a discarded one that fills the rest.
    const MIRRORED: bool;

    /// Size of the data.
    fn size(&self) -> RingSize;

    /// How much of it may be reserved.
    fn capacity(&self) -> Capacity;

    /// How the two sides of a sleep are ordered.
    fn store_load(&self) -> StoreLoad;

    /// Whether plain readers are served: then head is a word of its own, and producers maintain `producer_pos`.
    fn plain_readers(&self) -> bool;

    /// Words that the consumer writes.
    fn consumer(&self) -> &ConsumerPage;

    /// Words that producers write.
    fn producer(&self) -> &ProducerPage;

    /// All slots. A ring that the kernel fills has none.
    fn slots(&self) -> &[Slot];

    /// A bit for each slot, 64 in a word, which the slot's owner turns over when it has been [let go](Self::let_go) and goes on.
    /// None where nobody is let go.
    fn called(&self) -> &[AtomicU64];

    /// A bit for each slot, 64 in a word, which the consumer makes different from that of [`called`](Self::called) to let the slot go.
    /// As many words as there.
    fn let_go(&self) -> &[AtomicU64];

    /// Whether the consumer may write to the data that it has read.
    fn consumer_writes_data(&self) -> bool;

    /// The header at `at` modulo the size.
    fn header(&self, at: Position) -> &HeaderCell;

    /// The cache line at `at` modulo the size will be written to soon. A hint.
    #[inline(always)]
    fn about_to_write(&self, _at: Position) {}

    /// Has everybody who may produce run a full fence, and runs one itself. Whether that took place.
    fn barrier(&self, edge: Edge) -> bool;

    /// Wakes those who sleep or wait: increments their futex word, then wakes everyone who sleeps on it; or rings the bell.
    fn wake(&self, who: Sleeper);

    /// The reserve cursor.
    #[inline]
    fn head(&self) -> &AtomicU64 {
        if self.plain_readers() { &self.producer().head } else { &self.producer().producer_pos }
    }

    /// The slots that were ever used.
    #[inline]
    fn used_slots(&self) -> &[Slot] {
        let used = self.producer().registry.slots_used.load(Ordering::Relaxed) as usize;
        let slots = self.slots();
        &slots[..used.min(slots.len())]
    }
}

/// Bytes of a cache line.
pub(super) const LINE: u64 = 64;

/// Who sleeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sleeper {
    /// The consumer, on `wake_seq` in the producer page.
    Consumer,
    /// The consumer, in an event loop that hears the ring's bell.
    Listener,
    /// All producers that wait for space, on `space_seq` in the consumer page.
    Producers,
}

/// A record header in memory.
#[derive(Debug, Default)]
#[repr(C)]
pub struct HeaderCell {
    /// See [`Header`](crate::wire::Header).
    pub word: AtomicU32,
    /// See [`Tag`](crate::wire::Tag).
    pub tag: AtomicU32,
}

/// Words that the consumer writes.
#[derive(Debug, Default)]
#[repr(C)]
pub struct ConsumerPage {
    /// Everything below may be reused by producers. The kernel's word.
    pub consumer_pos: CachePadded<AtomicU64>,
    /// What producers look at on their fast path, and what hardly ever changes.
    pub state: CachePadded<ConsumerState>,
    /// Records that were skipped because they were discarded.
    pub discarded: AtomicU64,
    /// Records that were skipped because nobody was left to finish them.
    pub abandoned: AtomicU64,
    /// The most bytes that the consumer has ever found not given back.
    pub high_water: AtomicU64,
    /// How many were skipped up to where; for the next consumer, if this one dies.
    pub skipped: [Skipped; 2],
}

/// How many records were skipped in front of a position.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Skipped {
    /// The position, with bit 0 set; 0: none.
    pub before: AtomicU64,
    /// Those that were discarded.
    pub discarded: AtomicU64,
    /// Those that nobody was left to finish.
    pub abandoned: AtomicU64,
}

/// The consumer's state.
#[derive(Debug, Default)]
#[repr(C)]
pub struct ConsumerState {
    /// Whether the consumer sleeps or is about to, and how: [`AWAKE`], [`ASLEEP`] or [`LISTENING`].
    pub sleeping: AtomicU32,
    /// 1 once the consumer is gone for good.
    pub closed: AtomicU32,
    /// 1 once a consumer has been handed out.
    pub taken: AtomicU32,
    /// Futex of producers that wait for space: incremented before they are woken.
    pub space_seq: AtomicU32,
}

/// Where the word that says whether the consumer is gone for good is in the consumer page.
pub const CLOSED: usize = core::mem::offset_of!(ConsumerPage, state) + core::mem::offset_of!(ConsumerState, closed);

/// The consumer does not sleep: nobody has to wake it.
pub(super) const AWAKE: u32 = 0;
/// The consumer sleeps on `wake_seq`, or is about to.
pub(super) const ASLEEP: u32 = 1;
/// An event loop waits for the ring's bell on the consumer's behalf, or is about to.
pub(super) const LISTENING: u32 = 2;

/// Words that producers write.
#[derive(Debug, Default)]
#[repr(C)]
pub struct ProducerPage {
    /// The kernel's word. Rings for plain readers: everything below may be looked at. Native rings: the reserve cursor.
    pub producer_pos: AtomicU64,
    /// Newer kernels: everything below was committed or discarded when producers looked last. This crate leaves it alone.
    pub pending_pos: AtomicU64,
    /// Newer kernels, in rings whose producers overwrite: everything below may have been overwritten. This crate leaves it alone.
    pub overwrite_pos: AtomicU64,
    /// The reserve cursor of rings for plain readers.
    pub head: CachePadded<AtomicU64>,
    /// Who is there. Changes when handles come and go.
    pub registry: CachePadded<Registry>,
    /// Futex of a sleeping consumer: incremented before it is woken.
    pub wake_seq: CachePadded<AtomicU32>,
}

/// Who produces, and who waits.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Registry {
    /// Slots that were ever used: both passes look at those of them that are watched.
    pub slots_used: AtomicU32,
    /// Registrations so far, modulo 2³².
    pub registrations: AtomicU32,
    /// Handles that can register further producers.
    pub openers: AtomicU32,
    /// Producers that wait for space, or are about to.
    pub waiting: AtomicU32,
    /// [`PRODUCER_LAYOUT`]; 0 in a ring of the kernel that nobody has produced into.
    pub layout: AtomicU32,
    /// How often somebody has called or registered, modulo 2³².
    pub calls: AtomicU32,
    /// Until where the owner of the first slot has reserved alone, without moving head, with bit 0 set; 0 while that goes on.
    pub alone_until: AtomicU64,
    /// How often somebody has begun to wait for space, modulo 2³²: incremented after the slot says what for.
    pub waits: AtomicU32,
}

/// One producer's cache line. Nobody else writes to it while the producer is registered.
#[derive(Debug, Default)]
#[repr(C)]
pub struct SlotWords {
    /// See [`SlotWord`]. Never goes back, also when the slot changes hands.
    pub word: AtomicU64,
    /// While entering: how many bytes are being reserved.
    pub span: AtomicU64,
    /// While waiting for space: the `consumer_pos` that would do, with bit 0 set. Else 0.
    pub wanted: AtomicU64,
    /// Reservations that were refused for want of space.
    pub refused: AtomicU64,
    /// Registration number of the producer; 0: free.
    pub owner: AtomicU32,
    /// The producer's process, as it calls itself. Nothing is decided by it.
    pub process: AtomicU32,
}

/// A producer slot.
pub type Slot = CachePadded<SlotWords>;

/// `consumer_pos`: what lies below has been read, and may be overwritten.
#[inline]
pub(super) fn released<M: Memory>(memory: &M) -> Position {
    let consumer_pos = memory.consumer().consumer_pos.load(Ordering::Relaxed);
    fence_acquire(Edge::SpaceLoad);
    Position::new(consumer_pos)
}

/// Sets every position of a new, zeroed ring to `first`, a multiple of 8.
pub fn initialise<M: Memory>(memory: &M, first: Position) {
    debug_assert!(first.is_aligned());
    memory.consumer().consumer_pos.store(first.get(), Ordering::Relaxed);
    memory.producer().producer_pos.store(first.get(), Ordering::Relaxed);
    memory.producer().head.store(first.get(), Ordering::Relaxed);
    memory.producer().registry.layout.store(PRODUCER_LAYOUT, Ordering::Relaxed);
    for slot in memory.slots() {
        slot.word.store(SlotWord::left(first).word(), Ordering::Relaxed);
    }
}

#[cfg(not(dynring_loom))]
mod layout {
    use super::*;
    use crate::wire::{CALLED, HEADER_BYTES, LET_GO, SLOT_BYTES, kernel};
    use core::mem::offset_of;

    const _: () = assert!(offset_of!(ConsumerPage, consumer_pos) == kernel::CONSUMER_POS);
    const _: () = assert!(offset_of!(ProducerPage, producer_pos) == kernel::PRODUCER_POS);
    const _: () = assert!(offset_of!(ProducerPage, pending_pos) == kernel::PENDING_POS);
    const _: () = assert!(offset_of!(ProducerPage, overwrite_pos) == kernel::OVERWRITE_POS);

    // As documented in `docs::format`.
    const _: () = assert!(offset_of!(ConsumerPage, state) == 128);
    const _: () = assert!(offset_of!(ConsumerState, sleeping) == 0);
    const _: () = assert!(offset_of!(ConsumerState, closed) == 4);
    const _: () = assert!(offset_of!(ConsumerState, taken) == 8);
    const _: () = assert!(offset_of!(ConsumerState, space_seq) == 12);
    const _: () = assert!(offset_of!(ConsumerPage, discarded) == 256);
    const _: () = assert!(offset_of!(ConsumerPage, abandoned) == 264);
    const _: () = assert!(offset_of!(ConsumerPage, high_water) == 272);
    const _: () = assert!(offset_of!(ConsumerPage, skipped) == 280);
    const _: () = assert!(size_of::<Skipped>() == 24);
    const _: () = assert!(offset_of!(Skipped, before) == 0);
    const _: () = assert!(offset_of!(Skipped, discarded) == 8);
    const _: () = assert!(offset_of!(Skipped, abandoned) == 16);
    const _: () = assert!(offset_of!(ProducerPage, head) == 128);
    const _: () = assert!(offset_of!(ProducerPage, registry) == 256);
    const _: () = assert!(offset_of!(Registry, slots_used) == 0);
    const _: () = assert!(offset_of!(Registry, registrations) == 4);
    const _: () = assert!(offset_of!(Registry, openers) == 8);
    const _: () = assert!(offset_of!(Registry, waiting) == 12);
    const _: () = assert!(offset_of!(Registry, layout) == 16);
    const _: () = assert!(offset_of!(Registry, calls) == 20);
    const _: () = assert!(offset_of!(Registry, alone_until) == 24);
    const _: () = assert!(offset_of!(Registry, waits) == 32);
    const _: () = assert!(offset_of!(ProducerPage, wake_seq) == 384);
    const _: () = assert!(offset_of!(SlotWords, word) == 0);
    const _: () = assert!(offset_of!(SlotWords, span) == 8);
    const _: () = assert!(offset_of!(SlotWords, wanted) == 16);
    const _: () = assert!(offset_of!(SlotWords, refused) == 24);
    const _: () = assert!(offset_of!(SlotWords, owner) == 32);
    const _: () = assert!(offset_of!(SlotWords, process) == 36);

    const _: () = assert!(size_of::<ConsumerPage>() as u64 <= LET_GO);
    const _: () = assert!(size_of::<ProducerPage>() as u64 <= CALLED);
    // In user rings, slots follow.
    const _: () = assert!(size_of::<ProducerPage>() == 512);
    const _: () = assert!(size_of::<Slot>() == SLOT_BYTES as usize);
    const _: () = assert!(size_of::<HeaderCell>() == HEADER_BYTES as usize);
}
