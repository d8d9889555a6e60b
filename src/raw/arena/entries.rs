//! Entries of a map: put in, found, and removed.

use super::edge::{Edge, acquire, both, release};
use super::table::{Cell, Key};
use super::{Block, Hand, Memory, NotExclusive, Table, Value};
use crate::sync::Ordering;
use crate::wire::arena::{CellState, CellWord, hash_of_key};

/// What is done with a map, in whose name.
#[derive(Debug)]
pub struct Entries<'m, M> {
    pub(super) hand: Hand<'m, M>,
    pub(super) table: Table<'m>,
    seed: u64,
    /// Whether the blocks in it are maps.
    pub(super) of_maps: bool,
}

impl<M> Clone for Entries<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Entries<'_, M> {}

/// An entry that was not put in. The block is the owner's as before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotInserted {
    /// There is one with this key.
    Exists,
    /// No cell is free.
    Full,
    /// The key has more bytes than the map has room for, or another number than all keys have.
    KeyLength,
    /// The block is not the owner's: it is of another arena, or this is a forked child.
    NotOwned,
}

impl<'m, M: Memory> Entries<'m, M> {
    /// `seed` is the same for all who use the map.
    pub fn new(hand: Hand<'m, M>, table: Table<'m>, seed: u64) -> Self {
        Self { hand, table, seed, of_maps: false }
    }

    /// The map of maps.
    pub fn root(hand: Hand<'m, M>, seed: u64) -> Self {
        Self { hand, table: hand.memory.root(), seed, of_maps: true }
    }

    pub(super) fn key<'k>(&self, bytes: &'k [u8]) -> Key<'k> {
        Key { bytes, hash: hash_of_key(bytes, self.seed) }
    }

    /// Puts the owner's block in, of which `len` bytes count.
    ///
    /// # Errors
    /// There is an entry with this key, or no room. The block stays the owner's.
    pub fn insert(&self, key: &[u8], block: Block, len: u64) -> Result<(), NotInserted> {
        let shape = self.table.shape();
        if key.len() > shape.key_bytes as usize || shape.fixed && key.len() != shape.key_bytes as usize {
            return Err(NotInserted::KeyLength);
        }
        let key = self.key(key);
        let value = Value { unit: block.unit, generation: block.word.generation(), len };
        loop {
            if self.find(key).is_some() {
                return Err(NotInserted::Exists);
            }
            let (index, cell, begun) = self.begin(key).ok_or(NotInserted::Full)?;
            cell.write(key, value);
            if !self.hand.keep(block) {
                cell.forget();
                cell.state().store(begun.to(CellState::Free, 0).word(), Ordering::Release);
                return Err(NotInserted::NotOwned);
            }
            let proposed = begun.to(CellState::Proposed, self.hand.owner);
            cell.state().store(proposed.word(), Ordering::Relaxed);
            // Of two who propose one key at once, one is later here, and sees the other's proposal.
            self.table.turns().fetch_add(1, both(Edge::Turn));
            let exists = !self.refuse_others(key, index);
            if !exists && self.confirm(cell, proposed) {
                return Ok(());
            }
            self.take_back(cell, begun);
            if exists {
                return Err(NotInserted::Exists);
            }
        }
    }

    /// Takes a free cell, the nearest to the key's home.
    fn begin(&self, key: Key<'_>) -> Option<(u32, Cell<'m>, CellWord)> {
        for (index, distance) in self.table.cells_for(key.hash).zip(0..) {
            let cell = self.table.cell(index)?;
            let found = cell.load(Ordering::Relaxed);
            let begun = found.begun_by(self.hand.owner);
            if found.state() != CellState::Free {
                continue;
            }
            // Acquire, with the Release of who has freed it: a load of its words before is not of what is written now.
            let taken = cell.state().compare_exchange(found.word(), begun.word(), Ordering::Acquire, Ordering::Relaxed);
            if taken.is_ok() {
                self.table.reach().fetch_max(distance, Ordering::Relaxed);
                return Some((index, cell, begun));
            }
        }
        None
    }

    /// Refuses all other proposals of the same key. False if there is an entry.
    fn refuse_others(&self, key: Key<'_>, own: u32) -> bool {
        let others = self.table.near(key.hash).filter(|index| *index != own);
        others.filter_map(|index| self.table.cell(index)).all(|cell| self.refuse(cell, key))
    }

    fn refuse(&self, cell: Cell<'_>, key: Key<'_>) -> bool {
        loop {
            let found = cell.load(acquire(Edge::CellLoad));
            match found.state() {
                CellState::Member | CellState::Exclusive => return !self.is_entry(cell, found, key),
                CellState::Proposed if cell.has_key(key) => {}
                _ => return true,
            }
            let refused = found.to(CellState::Refused, found.owner()).word();
            let order = Ordering::Relaxed;
            if cell.state().compare_exchange(found.word(), refused, order, order).is_ok() {
                return true;
            }
        }
    }

    /// Whether nobody has refused the proposal.
    fn confirm(&self, cell: Cell<'_>, proposed: CellWord) -> bool {
        let member = proposed.to(CellState::Member, 0).word();
        cell.state().compare_exchange(proposed.word(), member, release(Edge::Member), Ordering::Relaxed).is_ok()
    }

    /// Takes back a proposal, be it refused or not: the block is the owner's again, and the cell free.
    fn take_back(&self, cell: Cell<'_>, begun: CellWord) {
        // Nobody can do anything with it any more.
        cell.state().store(begun.word(), Ordering::Relaxed);
        let value = cell.value();
        let _ = self.hand.unkeep(value.unit, value.generation);
        // The block may be kept again in this generation, elsewhere. It is not for who dies here before writing anything.
        cell.forget();
        cell.state().store(begun.to(CellState::Free, 0).word(), Ordering::Release);
    }

    /// Where the entry with this key is.
    pub(super) fn find(&self, key: Key<'_>) -> Option<(u32, Cell<'m>, CellWord)> {
        self.table.near(key.hash).find_map(|index| {
            let cell = self.table.cell(index)?;
            let found = cell.load(acquire(Edge::CellLoad));
            let there = matches!(found.state(), CellState::Member | CellState::Exclusive);
            (there && self.is_entry(cell, found, key)).then_some((index, cell, found))
        })
    }

    /// Whether the entry that was found in a cell has this key, and is still there.
    fn is_entry(&self, cell: Cell<'_>, found: CellWord, key: Key<'_>) -> bool {
        cell.has_key(key) && {
            let now = cell.load(Ordering::Relaxed);
            now.generation() == found.generation() && matches!(now.state(), CellState::Member | CellState::Exclusive)
        }
    }

    /// Removes the entry with this key. Whether there was one. Its block is freed once nobody holds it.
    ///
    /// # Errors
    /// Somebody has it alone.
    pub fn remove(&self, key: &[u8]) -> Result<bool, NotExclusive> {
        let key = self.key(key);
        loop {
            let Some((index, cell, found)) = self.find(key) else { return Ok(false) };
            if found.state() == CellState::Exclusive {
                return Err(NotExclusive::Exclusive);
            }
            let removed = found.to(CellState::Removed, 0).word();
            if cell.state().compare_exchange(found.word(), removed, acquire(Edge::CellTurn), Ordering::Relaxed).is_ok()
            {
                self.settle(index);
                return Ok(true);
            }
        }
    }

    /// The entry in the first cell from `index` on that has one, held, with its key. Nothing is said of those that somebody has
    /// alone.
    pub fn next(&self, index: u32) -> Option<(u32, Vec<u8>, CellWord)> {
        (index..self.table.shape().entries).find_map(|index| {
            let cell = self.table.cell(index)?;
            let found = cell.load(acquire(Edge::CellLoad));
            let member = found.state() == CellState::Member;
            let held = member.then(|| self.hold_cell(index, cell, found))?.ok()?;
            Some((index, cell.key(), held))
        })
    }

    /// How many entries there are.
    pub fn count(&self) -> u32 {
        let there = |index: &u32| {
            let state = self.table.cell(*index).map(|cell| cell.load(Ordering::Relaxed).state());
            matches!(state, Some(CellState::Member | CellState::Exclusive))
        };
        self.table.indices().filter(there).count() as u32
    }
}

#[cfg(all(test, not(dynring_loom)))]
mod tests;
