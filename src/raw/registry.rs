//! Slots: who may produce.

use super::finish::Wake;
use super::{Memory, Slot};
use crate::sync::{Edge, Ordering, acquire, release};

/// A slot that is taken. Given back by [`unregister`].
#[derive(Debug)]
pub struct Registration {
    index: u32,
    owner: u16,
}

/// All slots are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoFreeSlot;

impl Registration {
    /// The slot.
    #[inline]
    pub fn of<'m, M: Memory>(&self, memory: &'m M) -> &'m Slot {
        &memory.slots()[self.index as usize]
    }

    /// Registration number, from 1.
    #[inline]
    pub fn owner(&self) -> u16 {
        self.owner
    }
}

/// Takes a free slot. Its word stays as the last owner left it: the records before it may not have been read yet.
///
/// # Errors
/// All slots are taken.
pub fn register<M: Memory>(memory: &M) -> Result<Registration, NoFreeSlot> {
    let registry = &memory.producer().registry;
    let count = registry.registrations.fetch_add(1, Ordering::Relaxed);
    let owner = (count % u32::from(u16::MAX)) as u16 + 1;
    for (slot, index) in memory.slots().iter().zip(0..) {
        if slot.owner.compare_exchange(0, u32::from(owner), acquire(Edge::SlotTake), Ordering::Relaxed).is_ok() {
            // Not before there is a slot: to be counted and then not to come would need a wake.
            registry.producers.fetch_add(1, Ordering::Relaxed);
            registry.slots_used.fetch_max(index + 1, release(Edge::Registered));
            return Ok(Registration { index, owner });
        }
    }
    Err(NoFreeSlot)
}

/// Frees the slot. All its reservations must be finished, or leaked for good.
#[cold]
pub fn unregister<M: Memory>(memory: &M, registration: &Registration) -> Wake {
    registration.of(memory).owner.store(0, release(Edge::SlotFree));
    memory.producer().registry.producers.fetch_sub(1, release(Edge::ProducerGone));
    memory.store_load().light(Edge::GoneFence);
    Wake::if_sleeping(memory)
}
