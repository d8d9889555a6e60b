//! How far the ring may be looked at.

use super::{Memory, Slot};
use crate::sync::{Edge, Ordering, fence_acquire};
use crate::wire::{Position, SlotWord};

/// The position below which every record has its header in memory, at least `floor`, which a caller knows to be such a
/// position already.
///
/// The first pass over the slots finds the furthest position that any producer vouches for; what was announced below it
/// came before. The second pass, which therefore sees those announcements or what replaced them, stops at the first
/// producer that is still entering. An announcement below `floor` is a stale one, and ignored.
pub fn limit<M: Memory>(memory: &M, floor: Position) -> Position {
    let limit = first_pass(memory.used_slots(), floor);
    fence_acquire(Edge::FirstPass);
    // Read anew: the furthest swap may be that of a slot which was not in use a moment ago.
    let slots = memory.used_slots();
    if slots.len() == 1 || limit == floor {
        return limit;
    }
    let limit = second_pass(slots, floor, limit);
    fence_acquire(Edge::SecondPass);
    limit
}

/// The same if only one slot was ever used, else none: the count is read after the pass here, too.
#[inline]
pub(super) fn limit_of_one<M: Memory>(memory: &M, floor: Position) -> Option<Position> {
    let limit = floor.latest(vouched_for(memory.slots().first()?));
    fence_acquire(Edge::FirstPass);
    (memory.used_slots().len() == 1).then_some(limit)
}

#[inline(always)]
fn vouched_for(slot: &Slot) -> Position {
    SlotWord::from_word(slot.word.load(Ordering::Relaxed)).position()
}

/// A branch for each slot, which is foreseen, and no chain of moves, each of which waits for the one before.
#[inline]
pub(super) fn first_pass(slots: &[Slot], mut limit: Position) -> Position {
    for slot in slots {
        let position = vouched_for(slot);
        if position.is_after(limit) {
            rarely();
            limit = position;
        }
    }
    limit
}

/// A fence has to follow: [`Edge::SecondPass`].
#[inline]
pub(super) fn second_pass(slots: &[Slot], floor: Position, mut limit: Position) -> Position {
    for slot in slots {
        let word = SlotWord::from_word(slot.word.load(Ordering::Relaxed));
        let start = word.position();
        if word.is_entering() && limit.is_after(start) && !floor.is_after(start) {
            rarely();
            limit = start;
        }
    }
    limit
}

/// Says that the block in which it is called is not the usual way.
#[cold]
#[inline(always)]
pub(super) fn rarely() {}
