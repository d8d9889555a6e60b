//! Slots: who may produce.

use super::finish::wake_any;
use super::{Memory, Slot, released};
use crate::sync::{Edge, Ordering, acquire, release};
use crate::wire::Position;

/// Which slot is taken, and by whom. Given back by [`unregister`].
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    index: u32,
    owner: u16,
    /// Where the consumer was before the slot was taken.
    released: Position,
}

/// All slots are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoFreeSlot;

impl Registration {
    /// The slot.
    #[inline]
    pub fn of<M: Memory>(self, memory: &M) -> &Slot {
        &memory.slots()[self.index as usize]
    }

    /// Registration number, from 1.
    #[inline]
    pub fn owner(self) -> u16 {
        self.owner
    }

    /// Where the consumer was before the slot was taken.
    #[inline]
    pub(super) fn released(self) -> Position {
        self.released
    }
}

/// Takes a free slot. Its word stays as the last owner left it: the records before it may not have been read yet.
///
/// # Errors
/// All slots are taken.
pub fn register<M: Memory>(memory: &M) -> Result<Registration, NoFreeSlot> {
    // Before, so that its fence is no part of taking the slot.
    let released = released(memory);
    let registry = &memory.producer().registry;
    let count = registry.registrations.fetch_add(1, Ordering::Relaxed);
    let owner = (count % u32::from(u16::MAX)) as u16 + 1;
    for (slot, index) in memory.slots().iter().zip(0..) {
        if slot.owner.compare_exchange(0, u32::from(owner), acquire(Edge::SlotTake), Ordering::Relaxed).is_ok() {
            // Not before there is a slot: to be counted and then not to come would need a wake.
            registry.producers.fetch_add(1, Ordering::Relaxed);
            registry.slots_used.fetch_max(index + 1, release(Edge::Registered));
            return Ok(Registration { index, owner, released });
        }
    }
    Err(NoFreeSlot)
}

/// Frees the slot. All its reservations must be finished, or leaked for good.
#[cold]
pub fn unregister<M: Memory>(memory: &M, registration: Registration) {
    registration.of(memory).owner.store(0, release(Edge::SlotFree));
    memory.producer().registry.producers.fetch_sub(1, release(Edge::ProducerGone));
    wake_any(memory, Edge::GoneFence);
}

/// One more handle that can register producers.
pub fn open<M: Memory>(memory: &M) {
    memory.producer().registry.openers.fetch_add(1, Ordering::Relaxed);
}

/// One handle less.
#[cold]
pub fn close<M: Memory>(memory: &M) {
    memory.producer().registry.openers.fetch_sub(1, release(Edge::ProducerGone));
    wake_any(memory, Edge::GoneFence);
}

/// Claims the right to be the consumer, which is given only once.
pub fn claim_consumer<M: Memory>(memory: &M) -> bool {
    memory.consumer().state.taken.swap(1, Ordering::Relaxed) == 0
}

/// What can be read off a ring at any time. Each figure is right by itself; together they are no snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// The reserve cursor.
    pub head: Position,
    /// Everything below has been given back to producers.
    pub consumer_pos: Position,
    /// Registered producers.
    pub producers: u32,
    /// Reservations that were refused for want of space.
    pub refused: u64,
    /// Records that were skipped because they were discarded.
    pub discarded: u64,
    /// The most bytes that the consumer has ever found not given back.
    pub high_water: u64,
}

/// Reads them.
pub fn figures<M: Memory>(memory: &M) -> Figures {
    let refused = |slot: &Slot| slot.refused.load(Ordering::Relaxed);
    Figures {
        // In this order, so that the consumer is hardly ever seen ahead of head.
        consumer_pos: released(memory),
        head: Position::new(memory.head().load(Ordering::Relaxed)),
        producers: memory.producer().registry.producers.load(Ordering::Relaxed),
        refused: memory.used_slots().iter().map(refused).fold(0, u64::wrapping_add),
        discarded: memory.consumer().discarded.load(Ordering::Relaxed),
        high_water: memory.consumer().high_water.load(Ordering::Relaxed),
    }
}
