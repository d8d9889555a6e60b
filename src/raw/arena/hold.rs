//! Entries that somebody holds, or has alone; and what becomes of them when nobody does.

use super::edge::{Edge, acquire, both, release};
use super::table::Cell;
use super::{Entries, Memory, Table, Value};
use crate::sync::Ordering;
use crate::wire::arena::{CellState, CellWord};

/// An entry that was not to be held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotHeld {
    /// There is none with this key.
    Absent,
    /// Somebody has it alone.
    Exclusive,
}

/// An entry that was not to be had alone, or removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotExclusive {
    /// There is none with this key.
    Absent,
    /// Somebody has it alone.
    Exclusive,
    /// Somebody holds it.
    Held,
}

impl<'m, M: Memory> Entries<'m, M> {
    /// Holds the entry with this key: its block stays as it is until it is [let go of](Self::let_go).
    ///
    /// # Errors
    /// There is none, or somebody has it alone.
    pub fn hold(&self, key: &[u8]) -> Result<(u32, CellWord), NotHeld> {
        let key = self.key(key);
        loop {
            let (index, cell, found) = self.find(key).ok_or(NotHeld::Absent)?;
            if found.state() == CellState::Exclusive {
                return Err(NotHeld::Exclusive);
            }
            match self.hold_cell(index, cell, found) {
                Ok(now) => return Ok((index, now)),
                Err(now) if now.generation() == found.generation() && now.state() == CellState::Exclusive => {
                    return Err(NotHeld::Exclusive);
                }
                Err(_) => {}
            }
        }
    }

    /// Holds the entry that was found in a cell, and says as what: it may have been torn since. Or says what is there by now.
    pub(super) fn hold_cell(&self, index: u32, cell: Cell<'_>, found: CellWord) -> Result<CellWord, CellWord> {
        let hold = self.table.hold(index, self.hand.owner).ok_or(found)?;
        hold.fetch_add(1, Ordering::Relaxed);
        // The accesses that change this word form one chain: either this one sees that the entry is gone, or whoever makes it go
        // sees the hold.
        let now = CellWord::from_word(cell.state().fetch_add(0, both(Edge::HoldCheck)));
        if now.generation() == found.generation() && now.state() == CellState::Member {
            return Ok(now);
        }
        self.let_go(index);
        Err(now)
    }

    /// Holds once more what is held.
    pub fn hold_again(&self, index: u32) {
        if let Some(hold) = self.table.hold(index, self.hand.owner) {
            hold.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lets go of what is held.
    pub fn let_go(&self, index: u32) {
        if let Some(hold) = self.table.hold(index, self.hand.owner) {
            hold.fetch_sub(1, release(Edge::HoldGive));
            self.settle(index);
        }
    }

    /// What a held entry has.
    pub fn value(&self, index: u32) -> Option<Value> {
        self.table.cell(index).map(|cell| cell.value())
    }

    /// Takes the entry with this key for the owner alone, until it is [shared](Self::share) again.
    ///
    /// # Errors
    /// There is none, or somebody else holds it or has it alone.
    pub fn exclusive(&self, key: &[u8]) -> Result<(u32, CellWord), NotExclusive> {
        let key = self.key(key);
        loop {
            let (index, cell, found) = self.find(key).ok_or(NotExclusive::Absent)?;
            if found.state() == CellState::Exclusive {
                return Err(NotExclusive::Exclusive);
            }
            // Before, too, so that those who hold it do not notice.
            if self.is_held(index) {
                return Err(NotExclusive::Held);
            }
            let exclusive = found.to(CellState::Exclusive, self.hand.owner);
            let order = acquire(Edge::CellTurn);
            if cell.state().compare_exchange(found.word(), exclusive.word(), order, Ordering::Relaxed).is_err() {
                continue;
            }
            if self.is_held(index) {
                self.end_exclusive(cell, exclusive, found);
                return Err(NotExclusive::Held);
            }
            return Ok((index, exclusive));
        }
    }

    /// Lets others have what the owner had alone.
    pub fn share(&self, index: u32, exclusive: CellWord) {
        if let Some(cell) = self.table.cell(index) {
            self.end_exclusive(cell, exclusive, exclusive.to(CellState::Member, 0).torn(false));
        }
    }

    fn end_exclusive(&self, cell: Cell<'_>, exclusive: CellWord, member: CellWord) {
        // It fails in a forked child only, where the word is nobody's.
        let _ = cell.state().compare_exchange(exclusive.word(), member.word(), release(Edge::Share), Ordering::Relaxed);
    }

    fn is_held(&self, index: u32) -> bool {
        self.table.holds(index).iter().any(|hold| hold.load(acquire(Edge::HoldLoad)) != 0)
    }

    /// Frees the block of an entry that was removed, if nobody holds it.
    pub(super) fn settle(&self, index: u32) {
        let Some(cell) = self.table.cell(index) else { return };
        // As in `hold_cell`: of all who let go, and who removes it, the last one here sees that nobody holds it.
        let found = CellWord::from_word(cell.state().fetch_add(0, both(Edge::HoldCheck)));
        if found.state() != CellState::Removed || self.is_held(index) {
            return;
        }
        let reaping = found.to(CellState::Reaping, self.hand.owner);
        let order = Ordering::Relaxed;
        if cell.state().compare_exchange(found.word(), reaping.word(), order, order).is_ok() {
            self.reap(cell, reaping);
        }
    }

    /// Frees the block of an entry that is the owner's to free, be it that this has been begun before.
    pub(super) fn reap(&self, cell: Cell<'_>, reaping: CellWord) {
        let value = cell.value();
        if self.of_maps {
            self.empty(value);
        }
        if let Some(block) = self.hand.unkeep(value.unit, value.generation) {
            self.hand.give(block);
        }
        cell.state().store(reaping.to(CellState::Free, 0).torn(false).word(), Ordering::Release);
    }

    /// Frees the blocks of all entries of a map that nobody uses any more.
    fn empty(&self, map: Value) {
        let Some(table) = self.map(map) else { return };
        for cell in table.indices().filter_map(|index| table.cell(index)) {
            let value = cell.value();
            if cell.load(Ordering::Relaxed).state() != CellState::Free {
                if let Some(block) = self.hand.unkeep(value.unit, value.generation) {
                    self.hand.give(block);
                }
            }
        }
    }

    /// The map in a block of the map of maps, if the block is still there.
    pub(super) fn map(&self, value: Value) -> Option<Table<'m>> {
        if !self.hand.is_kept(value) {
            return None;
        }
        let words = self.hand.memory.words(value.unit, usize::try_from(value.len / 8).ok()?)?;
        let processes = u32::try_from(self.hand.memory.processes().len()).ok()?;
        Table::new(words, Table::shape_of(words, processes)?)
    }
}
