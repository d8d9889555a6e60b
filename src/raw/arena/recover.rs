//! Giving back what somebody has left behind who is dead, or is about to leave.
//!
//! Everything is done in the name of who has left it. So whoever dies here leaves what the next one finds in the same way.

use super::{Block, Entries, Hand, Memory};
use crate::sync::Ordering;
use crate::wire::arena::{BlockState, BlockWord, CellState, CellWord, LARGE, PageWord};

/// Gives back all that the one in `place` has: holds, blocks and tokens, and what it was about to do; then the place. Returns how
/// many blocks that were.
///
/// It is dead, with everything that it did in sight, or it is the caller, who does nothing else. At most one caller at a time gives
/// back what somebody else has, and begins with those who [have a map in hand](has_map_in_hand).
pub fn recover<M: Memory>(memory: &M, place: u16, seed: u64) -> usize {
    let hand = Hand::new(memory, place);
    let root = Entries::root(hand, seed);
    for index in root.table.indices() {
        if root.is_held_by_owner(index) {
            root.leave_map(index, seed);
        }
        root.leave_cell(index);
    }
    hand.finish_slabs();
    let blocks = hand.give_blocks();
    hand.give_pages_in_hand();
    if let Some(word) = memory.processes().get(usize::from(place)) {
        // Release, with the Acquire of who takes it next: nothing of this is done to what is that one's.
        word.store(0, Ordering::Release);
    }
    blocks
}

/// Whether the one in `place` was about to free a map, or keeps others from it while what it holds there is let go of.
pub fn has_map_in_hand<M: Memory>(memory: &M, place: u16) -> bool {
    let root = memory.root();
    root.indices().filter_map(|index| root.cell(index)).any(|cell| {
        let found = cell.load(Ordering::Relaxed);
        found.state() == CellState::Reaping && found.owner() == place
    })
}

impl<M: Memory> Entries<'_, M> {
    fn is_held_by_owner(&self, index: u32) -> bool {
        self.table.hold(index, self.hand.owner).is_some_and(|hold| hold.load(Ordering::Relaxed) != 0)
    }

    fn is_held_by_others(&self, index: u32) -> bool {
        let holds = self.table.holds(index).iter().zip(0..);
        holds.into_iter().any(|(hold, process)| process != self.hand.owner && hold.load(Ordering::Acquire) != 0)
    }

    /// Leaves all cells of a map that the owner had open, or was about to open.
    fn leave_map(&self, index: u32, seed: u64) {
        let Some(cell) = self.table.cell(index) else { return };
        loop {
            // Whoever removes it from now on sees that it is held.
            let found = CellWord::from_word(cell.state().fetch_add(0, Ordering::AcqRel));
            let reaping = found.to(CellState::Reaping, self.hand.owner);
            match found.state() {
                CellState::Member => {}
                // Somebody who did not see the hold in time may be about to free it. Nobody is, once this says so.
                CellState::Removed => {
                    let (order, failed) = (Ordering::AcqRel, Ordering::Relaxed);
                    if cell.state().compare_exchange(found.word(), reaping.word(), order, failed).is_err() {
                        continue;
                    }
                }
                CellState::Reaping if found.owner() == self.hand.owner => {}
                // It was about to be opened, and was gone. Nobody else who is dead has it in hand.
                _ => return,
            }
            return self.leave_cells(cell.value(), seed);
        }
    }

    fn leave_cells(&self, map: super::Value, seed: u64) {
        let Some(table) = self.map(map) else { return };
        let inner = Entries::new(self.hand, table, seed);
        for index in inner.table.indices() {
            inner.leave_cell(index);
        }
    }

    /// Lets go of what the owner holds of a cell, and finishes or takes back what it was doing there.
    fn leave_cell(&self, index: u32) {
        let (Some(cell), Some(hold)) = (self.table.cell(index), self.table.hold(index, self.hand.owner)) else {
            return;
        };
        hold.store(0, Ordering::Release);
        loop {
            // As in `settle`: either this sees that the entry was removed, or who removes it sees that it is not held.
            let found = CellWord::from_word(cell.state().fetch_add(0, Ordering::AcqRel));
            if found.state() == CellState::Removed {
                return self.settle(index);
            }
            if found.owner() != self.hand.owner {
                return;
            }
            let owner = self.hand.owner;
            let becomes = match found.state() {
                CellState::Exclusive => found.to(CellState::Member, 0).torn(true),
                CellState::Writing | CellState::Proposed | CellState::Refused => found.to(CellState::Reaping, owner),
                // Somebody holds what this was not to free: see `leave_map`.
                CellState::Reaping if self.is_held_by_others(index) => found.to(CellState::Removed, 0),
                CellState::Reaping => return self.reap(cell, found),
                _ => return,
            };
            let (order, failed) = (Ordering::AcqRel, Ordering::Relaxed);
            let _ = cell.state().compare_exchange(found.word(), becomes.word(), order, failed);
            if becomes.state() == CellState::Member {
                return;
            }
        }
    }
}

impl<M: Memory> Hand<'_, M> {
    fn all_pages(self) -> impl Iterator<Item = (u32, PageWord)> {
        (0..self.memory.pages().len() as u32).map(move |page| (page, self.used_for(page)))
    }

    /// Puts slabs in service that the owner was fitting.
    fn finish_slabs(self) {
        for (page, used_for) in self.all_pages() {
            match used_for {
                PageWord::Fitting { owner, class } if owner == self.owner => self.fit(page, class),
                _ => {}
            }
        }
    }

    /// Gives back all blocks that the owner has or has sent, and its spares. Returns how many, without those.
    fn give_blocks(self) -> usize {
        let mut count = 0;
        for (page, used_for) in self.all_pages() {
            match used_for {
                PageWord::Slab { class } | PageWord::Fitting { class, .. } => {
                    let Some(&cut) = M::CLASSES.get(usize::from(class)) else { continue };
                    let given = |&unit: &u32| !self.give_spare(unit, class) && self.give_any(unit);
                    count += Self::blocks(page, cut).filter(given).count();
                }
                PageWord::Run { .. } => count += usize::from(self.give_any(page * M::PAGE_UNITS)),
                _ => {}
            }
        }
        count
    }

    /// Gives the block back that begins at a unit, if the owner has it or has sent it. Whether it did.
    fn give_any(self, unit: u32) -> bool {
        let Some(word) = self.unit(unit) else { return false };
        let found = BlockWord::from_word(word.load(Ordering::Relaxed));
        let block = if found.is_of(BlockState::Sent, self.owner) {
            // Somebody may claim it at the same moment.
            self.claim(unit, found.generation())
        } else {
            found.is_of(BlockState::Owned, self.owner).then_some(Block { unit, word: found })
        };
        let Some(block) = block else { return false };
        self.give(block);
        true
    }

    /// Gives back pages that the owner has in hand.
    fn give_pages_in_hand(self) {
        for (page, used_for) in self.all_pages() {
            let PageWord::InHand { owner, pages } = used_for else { continue };
            if owner != self.owner {
                continue;
            }
            let Some(word) = self.unit(page * M::PAGE_UNITS) else { continue };
            let found = BlockWord::from_word(word.load(Ordering::Relaxed));
            if found.is_of(BlockState::Owned, self.owner) && found.class() == LARGE {
                word.store(found.out().word(), Ordering::Relaxed);
            }
            self.give_pages(page, pages);
        }
    }
}
