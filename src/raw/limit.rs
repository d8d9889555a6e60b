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
    let limit = first_pass(memory.used_slots().iter(), floor);
    fence_acquire(Edge::FirstPass);
    // Read anew: the furthest swap may be that of a slot which was not in use a moment ago.
    let slots = memory.used_slots();
    if slots.len() > 1 && limit != floor { second_pass(slots.iter(), floor, limit) } else { limit }
}

/// The same if only one slot was ever used, else none: the count is read after the pass here, too.
#[inline]
pub(super) fn limit_of_one<M: Memory>(memory: &M, floor: Position) -> Option<Position> {
    let limit = first_pass(memory.slots().get(..1)?.iter(), floor);
    fence_acquire(Edge::FirstPass);
    (memory.used_slots().len() == 1).then_some(limit)
}

#[inline]
pub(super) fn first_pass<'m>(slots: impl Iterator<Item = &'m Slot>, floor: Position) -> Position {
    let vouched_for = |slot: &Slot| SlotWord::from_word(slot.word.load(Ordering::Relaxed)).position();
    slots.fold(floor, |limit, slot| limit.latest(vouched_for(slot)))
}

pub(super) fn second_pass<'m>(slots: impl Iterator<Item = &'m Slot>, floor: Position, mut limit: Position) -> Position {
    for slot in slots {
        let word = SlotWord::from_word(slot.word.load(Ordering::Relaxed));
        let start = word.position();
        if word.is_entering() && limit.is_after(start) && !floor.is_after(start) {
            limit = start;
        }
    }
    fence_acquire(Edge::SecondPass);
    limit
}
