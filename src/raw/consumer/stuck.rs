//! What holds the consumer up, and how it gets past what nobody will finish.

use super::{Consumer, Found};
use crate::raw::{Liveness, Memory, Slot, reserved};
use crate::sync::{Edge, Ordering, fence_acquire};
use crate::wire::{Corrupt, Position, SlotWord, Tag, stride};

/// What holds the consumer up, where there is more than it can see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeldUp {
    /// Where.
    pub at: Position,
    /// The payload length that was reserved; not known while the producer is still entering.
    pub len: Option<u32>,
    /// The slot of the producer that has not finished; none if it has freed its slot, or the ring has none.
    pub slot: Option<u32>,
}

impl<M: Memory> Consumer<M> {
    /// The record at which the consumer has to stop because it is reserved and not finished, with the length that was
    /// reserved. Discarded ones before it are skipped.
    #[cold]
    pub fn unfinished(&mut self) -> Option<Found> {
        if !matches!(self.peek(), Ok(None)) || self.taken == self.limit {
            return None;
        }
        let (at, header) = (self.taken, self.header(self.taken));
        header.is_busy().then_some(Found { at, len: header.len() })
    }

    /// What holds the consumer up, if anything does: an unfinished record, or a producer that is entering.
    #[cold]
    pub fn held_up(&mut self) -> Option<HeldUp> {
        if let Some(Found { at, len }) = self.unfinished() {
            let slot = if self.is_ours() { self.owner_of(at) } else { None };
            return Some(HeldUp { at, len: Some(len), slot });
        }
        let at = self.limit;
        if self.taken != at || !self.is_ours() || self.corrupt.is_some() {
            return None;
        }
        let announced = SlotWord::entering(at).word();
        let entering = |slot: &Slot| slot.word.load(Ordering::Relaxed) == announced;
        // Whoever has swapped has called before.
        let slot = self.watched.find(&self.memory, entering)?;
        let beyond = reserved(&self.memory) != at;
        beyond.then_some(HeldUp { at, len: None, slot: Some(slot) })
    }

    /// The slot whose owner has reserved the record at `at`, below the limit. None if it has freed its slot since: then it has
    /// finished the record by now, or never will.
    fn owner_of(&self, at: Position) -> Option<u32> {
        let tag = Tag::from_word(self.memory.header(at).tag.load(Ordering::Relaxed));
        let owns = |slot: &Slot| slot.owner.load(Ordering::Relaxed) == u32::from(tag.owner());
        let slot = self.memory.used_slots().iter().position(owns).filter(|_| tag.owner() != 0);
        fence_acquire(Edge::OwnerLoad);
        slot.map(|index| index as u32)
    }

    /// Skips the unfinished record that holds the consumer up, if nobody is left to finish it: its owner has freed its slot,
    /// or is dead. Whether it did.
    ///
    /// # Errors
    /// The ring is corrupt; sticky.
    #[cold]
    pub fn skip_abandoned<L: Liveness>(&mut self, liveness: &L) -> Result<bool, Corrupt> {
        let Some(Found { at, .. }) = self.unfinished().filter(|_| self.is_ours()) else { return Ok(false) };
        let _proof = match self.owner_of(at) {
            None => None,
            Some(slot) => match liveness.prove_dead(slot) {
                Some(proof) => Some(proof),
                None => return Ok(false),
            },
        };
        // Anew: it may have finished the record before it went.
        let header = self.header(at);
        if !header.is_busy() {
            return Ok(true);
        }
        let (len, stride) = (header.len(), stride(header.len()));
        if stride > self.limit.since(at) {
            return Err(self.overlong(at, len));
        }
        self.taken = at.advance(stride);
        self.tally.abandoned = self.tally.abandoned.wrapping_add(1);
        self.tally.note(&self.memory, self.taken, self.published);
        Ok(true)
    }
}
