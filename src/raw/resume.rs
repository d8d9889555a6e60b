//! Producing into a ring that somebody else has made.

use super::alone::raise_head;
use super::claim::TRIES;
use super::{Memory, released};
use crate::sync::Ordering;
use crate::wire::{Corrupt, PRODUCER_LAYOUT, Position};

/// Why nobody can produce into a ring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unusable {
    /// The words beside `producer_pos` are laid out in another way.
    Layout {
        /// What the producer page says.
        found: u32,
    },
    /// No correct peer leaves the ring like this.
    Corrupt(Corrupt),
}

/// Makes a ring for plain readers ready for producers, wherever its positions are: new and zeroed, used before by a
/// producer that knows no head, or in use by producers of this crate.
///
/// Head is behind `producer_pos` only as long as nobody of this crate has produced since somebody else has, or while one produces
/// alone: whatever others publish, they have moved head past it before. Slots are left alone: words that are behind
/// `producer_pos` say nothing to whoever takes that as the floor.
///
/// To be called before the first [`register`](super::register) of each mapping. Any number of callers may do it at the
/// same time, beside producers that have done it, and may stop half-way: nobody waits for them.
///
/// # Errors
/// The ring can not be produced into; nothing has changed.
pub fn resume<M: Memory>(memory: &M) -> Result<(), Unusable> {
    debug_assert!(memory.plain_readers());
    let published = published(memory).map_err(Unusable::Corrupt)?;
    claim_layout(memory)?;
    let head = Position::new(memory.head().load(Ordering::Relaxed));
    if !head.is_aligned() {
        return Err(Unusable::Corrupt(misplaced(head, memory)));
    }
    raise_head(memory, published).map_err(|head| Unusable::Corrupt(misplaced(head, memory)))
}

/// `producer_pos`, if it can be one.
fn published<M: Memory>(memory: &M) -> Result<Position, Corrupt> {
    let size = memory.size().bytes();
    let (mut consumer, mut tries) = (released(memory), TRIES);
    loop {
        let found = Position::new(memory.producer().producer_pos.load(Ordering::Relaxed));
        if found.is_aligned() && consumer.is_aligned() && found.since(consumer) <= size {
            return Ok(found);
        }
        // A consumer that went on meanwhile has made space for producers that went on further.
        let now = released(memory);
        tries -= 1;
        if now == consumer || tries == 0 {
            return Err(Corrupt::ProducerPos { found, consumer, size });
        }
        consumer = now;
    }
}

fn claim_layout<M: Memory>(memory: &M) -> Result<(), Unusable> {
    let layout = &memory.producer().registry.layout;
    match layout.compare_exchange(0, PRODUCER_LAYOUT, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) | Err(PRODUCER_LAYOUT) => Ok(()),
        Err(found) => Err(Unusable::Layout { found }),
    }
}

fn misplaced<M: Memory>(head: Position, memory: &M) -> Corrupt {
    Corrupt::ProducerPos { found: head, consumer: released(memory), size: memory.size().bytes() }
}
