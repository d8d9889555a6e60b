//! Producing alone: while no slot but the first was ever used, its owner reserves without a swap.
//!
//! Head stays where it is meanwhile. Whoever takes another slot ends that: it counts its slot as used, has everybody run a
//! barrier, and looks at what the one who was alone is doing. By then, that one has either seen the count, or has announced
//! what it reserves. Both agree on how far it has come, and head is moved there.

use super::claim::TRIES;
use super::{Memory, Slot};
use crate::sync::{Edge, Ordering, StoreLoad, acquire, fence_acquire, release};
use crate::wire::{Position, SlotWord};

/// What is added to an agreed position, to tell it from none.
const AGREED: u64 = 1;

/// How often a slot whose owner goes on at most twice has to be looked at until it has not.
const LOOKS: usize = 4;

/// Whether producing alone is worth it, and possible: the barrier of who produces has to be cheaper than a swap.
pub(super) fn is_worth_it<M: Memory>(memory: &M) -> bool {
    let cheap = matches!(memory.store_load(), StoreLoad::Asymmetric | StoreLoad::GlobalAsymmetric);
    cheap || cfg!(any(miri, dynring_loom))
}

/// Whether no slot but the first was ever used. To the owner of the first slot, after it has announced a start, and after a
/// light barrier: whether what it has announced is its own without a swap.
#[inline(always)]
pub(super) fn is_alone<M: Memory>(memory: &M) -> bool {
    memory.producer().registry.slots_used.load(Ordering::Relaxed) == 1
}

/// Whether it has been agreed how far the first slot's owner has come alone.
pub(super) fn has_ended<M: Memory>(memory: &M) -> bool {
    agreed(memory).is_some()
}

/// The same for the consumer, to whom the word may be mapped read-only.
pub(super) fn is_seen_to_have_ended<M: Memory>(memory: &M) -> bool {
    let until = memory.producer().registry.alone_until.load(Ordering::Relaxed);
    fence_acquire(Edge::AgreedLoad);
    until != 0
}

fn agreed<M: Memory>(memory: &M) -> Option<Position> {
    let until = memory.producer().registry.alone_until.load(acquire(Edge::AgreedLoad));
    (until != 0).then(|| Position::new(until & !7))
}

/// Agrees on how far the owner of the first slot has come alone, and moves head there. Returns that position: if it is the end of what
/// the owner of the first slot has announced, then it has reserved it.
///
/// To be called by that owner, or by whoever has counted another slot as used and had all others run a barrier since, or by
/// anyone if that owner is dead. Any number of them may call it, and any of them may die: nobody waits.
#[cold]
pub(super) fn end<M: Memory>(memory: &M) -> Position {
    let end = agreed(memory).unwrap_or_else(|| agree(memory));
    // If it cannot be, whoever is to reserve there will find it where it should not be.
    let _ = raise_head(memory, end);
    end
}

fn agree<M: Memory>(memory: &M) -> Position {
    let proposed = memory.slots().first().map_or(Position::new(0), reserved_alone);
    let until = &memory.producer().registry.alone_until;
    let swapped =
        until.compare_exchange(0, proposed.get() | AGREED, release(Edge::AgreedStore), acquire(Edge::AgreedLoad));
    swapped.map_or_else(|found| Position::new(found & !7), |_| proposed)
}

/// The end of what the owner of the first slot has reserved, or announced.
fn reserved_alone(slot: &Slot) -> Position {
    let mut word = slot.word.load(Ordering::Relaxed);
    let mut span = 0;
    for _ in 0..LOOKS {
        fence_acquire(Edge::CompanyLoad);
        span = slot.span.load(Ordering::Relaxed);
        fence_acquire(Edge::SpanLoad);
        // A span that belongs to a later word is not seen without one.
        let again = slot.word.load(Ordering::Relaxed);
        if again == word {
            break;
        }
        word = again;
    }
    let word = SlotWord::from_word(word);
    if word.is_entering() { word.position().advance(span) } else { word.position() }
}

/// Moves head to `to`, unless it is there or further.
///
/// Head has each value once, so a swap from a value that is behind finds it as it was or fails. The swap is a link in the chain of
/// swaps, hence release.
///
/// # Errors
/// Somebody moves it back, again and again.
pub(super) fn raise_head<M: Memory>(memory: &M, to: Position) -> Result<(), Position> {
    let head = memory.head();
    let mut now = Position::new(head.load(Ordering::Relaxed));
    for _ in 0..TRIES {
        if !to.is_after(now) {
            return Ok(());
        }
        match head.compare_exchange(now.get(), to.get(), release(Edge::SwapRelease), Ordering::Relaxed) {
            Ok(_) => return Ok(()),
            Err(found) => now = Position::new(found),
        }
    }
    // Whoever raises it leaves it at `to` or further.
    Err(now)
}

/// Where the next reservation begins, unless one is being made.
pub fn reserved<M: Memory>(memory: &M) -> Position {
    let head = Position::new(memory.head().load(Ordering::Relaxed));
    let first = memory.slots().first().map(|slot| SlotWord::from_word(slot.word.load(Ordering::Relaxed)).position());
    // Head may not have been moved yet where it should be.
    agreed(memory).or(first).map_or(head, |alone| head.latest(alone))
}
