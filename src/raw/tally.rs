//! How many records a consumer has skipped.

use super::Memory;
use super::memory::Skipped;
use crate::sync::{Edge, Ordering, release};
use crate::wire::Position;

/// Counts of records that were skipped, which are exact for the next consumer, wherever this one dies: that skips once more what
/// was skipped and not given back.
///
/// There are two notes in the consumer page. One says how many were skipped in front of a position that has been given back; the
/// other is further, or being written. Which is which, `consumer_pos` says, and changes both with one store.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) discarded: u64,
    pub(super) abandoned: u64,
    /// Which note was written last, and for what position.
    last: usize,
    noted: Position,
}

impl Tally {
    /// That of a ring in which there is no room for notes.
    pub(super) const fn unknown() -> Self {
        Self { discarded: 0, abandoned: 0, last: 0, noted: Position::new(0) }
    }

    /// That of the last consumer, who may have died.
    pub(super) fn resume<M: Memory>(memory: &M, consumer_pos: Position) -> Self {
        let notes = &memory.consumer().skipped;
        let behind = |note: &Skipped| {
            let before = note.before.load(Ordering::Relaxed);
            let distance = consumer_pos.since(Position::new(before & !1));
            (before & 1 == 1 && distance < 1 << 63).then_some(distance)
        };
        let last = match notes.each_ref().map(behind) {
            [Some(first), Some(second)] => usize::from(second < first),
            [None, Some(_)] => 1,
            [Some(_), None] => 0,
            [None, None] => {
                notes[0].before.store(0, Ordering::Relaxed);
                return Self { noted: consumer_pos, ..Self::unknown() }.begin(memory);
            }
        };
        let figure = |word: &crate::sync::AtomicU64| word.load(Ordering::Relaxed);
        let (discarded, abandoned) = (figure(&notes[last].discarded), figure(&notes[last].abandoned));
        Self { discarded, abandoned, last, noted: consumer_pos }.begin(memory)
    }

    /// What was noted and not given back is void.
    fn begin<M: Memory>(self, memory: &M) -> Self {
        let page = memory.consumer();
        page.skipped[1 - self.last].before.store(0, Ordering::Relaxed);
        page.discarded.store(self.discarded, Ordering::Relaxed);
        page.abandoned.store(self.abandoned, Ordering::Relaxed);
        self
    }

    /// Notes the counts, right up to `taken`. Everything before `published` has been given back.
    pub(super) fn note<M: Memory>(&mut self, memory: &M, taken: Position, published: Position) {
        let page = memory.consumer();
        page.discarded.store(self.discarded, Ordering::Relaxed);
        page.abandoned.store(self.abandoned, Ordering::Relaxed);
        if !self.noted.is_after(published) {
            // The last note has been given back, and is what counts until `taken` is.
            self.last ^= 1;
        }
        self.noted = taken;
        let note = &page.skipped[self.last & 1];
        note.discarded.store(self.discarded, Ordering::Relaxed);
        note.abandoned.store(self.abandoned, Ordering::Relaxed);
        // In this order, as is `consumer_pos` after it.
        note.before.store(taken.get() | 1, release(Edge::SpaceStore));
    }
}
