//! Slots: who may produce.

use super::finish::wake_any;
use super::{Memory, Slot, alone, released, watched};
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

/// Why a slot could not be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotRegistered {
    /// All slots are taken.
    NoFreeSlot,
    /// There is a producer that relies on a barrier which the system refuses to run.
    NoBarrier,
}

/// What shows others that the owner of a slot lives. It does for as long as it exists, however it comes to end.
pub trait Claim {
    /// Lays claim to a slot. Whether nobody else does.
    fn take(&self, slot: u32) -> bool;

    /// Takes it back.
    fn give_back(&self, slot: u32);
}

/// Where owners live as long as the memory does, there is nothing to be shown.
impl Claim for () {
    fn take(&self, _: u32) -> bool {
        true
    }

    fn give_back(&self, _: u32) {}
}

impl Registration {
    /// The slot.
    #[inline]
    pub fn of<M: Memory>(self, memory: &M) -> &Slot {
        &memory.slots()[self.index as usize]
    }

    /// Its number.
    #[inline(always)]
    pub(super) fn index(self) -> usize {
        self.index as usize
    }

    /// Whether it is the slot whose owner may produce alone.
    pub(super) fn is_first(self) -> bool {
        self.index == 0
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

/// Takes a free slot for a producer of `process`. Its word stays as the last owner left it: the records before it may not
/// have been read yet.
///
/// Claimed before it is taken, the slot never looks as if its owner was dead.
///
/// Whoever is not the first ends that one's being alone.
///
/// # Errors
/// No slot can be had.
pub fn register<M: Memory>(
    memory: &M,
    process: u32,
    claim: &(impl Claim + ?Sized),
) -> Result<Registration, NotRegistered> {
    // Before, so that its fence is no part of taking the slot.
    let released = released(memory);
    let registry = &memory.producer().registry;
    let owner = number(memory).ok_or(NotRegistered::NoFreeSlot)?;
    for (slot, index) in memory.slots().iter().zip(0..) {
        if slot.owner.load(Ordering::Relaxed) != 0 || !claim.take(index) {
            continue;
        }
        if slot.owner.compare_exchange(0, u32::from(owner), acquire(Edge::SlotTake), Ordering::Relaxed).is_ok() {
            slot.process.store(process, Ordering::Relaxed);
            registry.slots_used.fetch_max(index + 1, release(Edge::Registered));
            watched::count_call(memory);
            let registration = Registration { index, owner, released };
            return join(memory, registration).inspect_err(|_| {
                unregister(memory, registration);
                claim.give_back(index);
            });
        }
        claim.give_back(index);
    }
    Err(NotRegistered::NoFreeSlot)
}

/// Comes to an agreement with whoever produces alone, unless that is how the owner of this slot will.
fn join<M: Memory>(memory: &M, registration: Registration) -> Result<Registration, NotRegistered> {
    let first = registration.is_first();
    if first && alone::is_worth_it(memory) {
        return Ok(registration);
    }
    if !first && !alone::has_ended(memory) && !memory.barrier(Edge::CompanyFence) {
        return Err(NotRegistered::NoBarrier);
    }
    alone::end(memory);
    Ok(registration)
}

/// A number that no owner has. Records are known by it: were there two of one number, the death of one could be taken for the
/// other's.
///
/// Numbers are given out in turn, so that only who has kept one for 65,535 registrations is met again; of those there are fewer
/// than slots.
fn number<M: Memory>(memory: &M) -> Option<u16> {
    let registrations = &memory.producer().registry.registrations;
    let next = |_| (registrations.fetch_add(1, Ordering::Relaxed) % u32::from(u16::MAX)) as u16 + 1;
    let is_free = |number: &u16| {
        let has = |slot: &Slot| slot.owner.load(Ordering::Relaxed) == u32::from(*number);
        !memory.slots().iter().any(has)
    };
    (0..=memory.slots().len()).map(next).find(is_free)
}

/// Frees the slot. All its reservations must be finished, or leaked for good.
#[cold]
pub fn unregister<M: Memory>(memory: &M, registration: Registration) {
    registration.of(memory).owner.store(0, release(Edge::SlotFree));
    wake_any(memory, Edge::GoneFence);
}

/// One more handle that can register producers.
pub fn open<M: Memory>(memory: &M) {
    memory.producer().registry.openers.fetch_add(1, Ordering::Relaxed);
}

/// One handle less.
#[cold]
pub fn close<M: Memory>(memory: &M) {
    memory.producer().registry.openers.fetch_sub(1, release(Edge::OpenerGone));
    wake_any(memory, Edge::GoneFence);
}

/// Whether a consumer has closed the ring for good.
pub fn is_closed<M: Memory>(memory: &M) -> bool {
    memory.consumer().state.closed.load(Ordering::Relaxed) != 0
}

/// Claims the right to be the consumer, which is given only once.
pub fn claim_consumer<M: Memory>(memory: &M) -> bool {
    memory.consumer().state.taken.swap(1, Ordering::Relaxed) == 0
}

/// Slots that have an owner, also those whose owner died before it has counted them as used.
pub fn owned_slots<M: Memory>(memory: &M) -> impl Iterator<Item = u32> {
    let owned = |(slot, index): (&Slot, u32)| (slot.owner.load(Ordering::Relaxed) != 0).then_some(index);
    memory.slots().iter().zip(0..).filter_map(owned)
}

/// The process that the owner of a slot has said to be.
pub fn process_of<M: Memory>(memory: &M, slot: u32) -> u32 {
    memory.slots()[slot as usize].process.load(Ordering::Relaxed)
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
    /// Records that were skipped because nobody was left to finish them.
    pub abandoned: u64,
    /// The most bytes that the consumer has ever found not given back.
    pub high_water: u64,
}

/// Reads them.
pub fn figures<M: Memory>(memory: &M) -> Figures {
    let refused = |slot: &Slot| slot.refused.load(Ordering::Relaxed);
    let taken = |slot: &&Slot| slot.owner.load(Ordering::Relaxed) != 0;
    Figures {
        // In this order, so that the consumer is hardly ever seen ahead of head.
        consumer_pos: released(memory),
        head: alone::reserved(memory),
        producers: memory.used_slots().iter().filter(taken).count() as u32,
        refused: memory.used_slots().iter().map(refused).fold(0, u64::wrapping_add),
        discarded: memory.consumer().discarded.load(Ordering::Relaxed),
        abandoned: memory.consumer().abandoned.load(Ordering::Relaxed),
        high_water: memory.consumer().high_water.load(Ordering::Relaxed),
    }
}
