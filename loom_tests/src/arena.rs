//! An arena in the model checker's memory.
//!
//! Each unit has a cell, which the checker lets nobody touch while somebody else does: so it sees when a block is had by two, or
//! when one who has it does not see what its last owner did.
#![allow(unsafe_code)]

use std::sync::Arc;

use loom::cell::UnsafeCell;

use crate::raw::arena::{Block, Entries, Hand, Heap, Hints, Memory, Spares, Table};
use crate::sync::{AtomicU32, AtomicU64, Ordering, Thread};
use crate::wire::arena::{Class, PageWord, Shape};

/// An arena, and a handle on it, which the checker does not follow.
#[derive(Clone)]
pub struct Arena(Arc<Shared>);

struct Shared {
    pages: Vec<AtomicU64>,
    units: Vec<AtomicU64>,
    roomy: Vec<AtomicU32>,
    processes: Vec<AtomicU64>,
    root: Vec<AtomicU64>,
    shape: Shape,
    cells: Vec<UnsafeCell<u64>>,
    spares: Spares,
}

// SAFETY: cells are touched only through the checker, which panics on a race.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

// SAFETY: one vector each; a page has two units.
unsafe impl Memory for Arena {
    const PAGE_UNITS: u32 = 2;
    const CLASSES: &'static [Class] = &[Class { units: 1, pages: 1 }, Class { units: 2, pages: 1 }];

    fn class_of(units: u64) -> Option<u8> {
        match units {
            0..=1 => Some(0),
            2 => Some(1),
            _ => None,
        }
    }

    fn pages(&self) -> &[AtomicU64] {
        &self.0.pages
    }

    fn units(&self) -> &[AtomicU64] {
        &self.0.units
    }

    fn roomy(&self) -> &[AtomicU32] {
        &self.0.roomy
    }

    fn processes(&self) -> &[AtomicU64] {
        &self.0.processes
    }

    fn root(&self) -> Table<'_> {
        Table::new(&self.0.root, self.0.shape).unwrap()
    }

    /// Blocks are no maps here.
    fn words(&self, _: u32, _: usize) -> Option<&[AtomicU64]> {
        None
    }
}

impl Arena {
    /// An arena of `pages` pages, with a map of `entries` entries.
    pub fn new(pages: usize, entries: u32) -> Self {
        let shape = Shape { entries, key_bytes: 8, fixed: false, processes: 3 };
        let units = 2 * pages;
        let arena = Self(Arc::new(Shared {
            pages: (0..pages).map(|_| AtomicU64::new(PageWord::Free.word())).collect(),
            units: (0..units).map(|_| AtomicU64::default()).collect(),
            roomy: (0..pages).map(|_| AtomicU32::default()).collect(),
            processes: (0..3).map(|_| AtomicU64::new(1)).collect(),
            root: (0..shape.words()).map(|_| AtomicU64::default()).collect(),
            shape,
            cells: (0..units).map(|_| UnsafeCell::new(0)).collect(),
            spares: Spares::new(64, 1, Some(|| true)),
        }));
        arena.root().clear();
        arena
    }

    /// What `owner` does.
    pub fn hand(&self, owner: u16) -> Hand<'_, Self> {
        Hand::new(self, owner)
    }

    /// The map, as `owner` uses it.
    pub fn map(&self, owner: u16) -> Entries<'_, Self> {
        Entries::new(self.hand(owner), self.root(), 1)
    }

    /// What `thread` does in process 1, which has spares.
    pub fn heap(&self, thread: u64) -> Heap<'_, Self> {
        Heap::new(self.hand(1), &Hints, Some(&self.0.spares), Thread(thread))
    }

    /// The spares of process 1.
    pub fn spares(&self) -> &Spares {
        &self.0.spares
    }

    /// Process 1 has a spare, and thread 1 has its spares. Where that block begins.
    pub fn set_one_apart(&self) -> u32 {
        self.spares().take_over(Thread(1));
        let block = self.heap(1).alloc(1).unwrap();
        assert!(self.heap(1).set_apart(block));
        block.unit
    }

    /// A block for `owner`, if there is one.
    pub fn alloc(&self, owner: u16, units: u64) -> Option<Block> {
        Heap::new(self.hand(owner), &Hints, None, Thread(0)).alloc(units)
    }

    /// Gives it back.
    pub fn free(&self, owner: u16, block: Block) {
        Heap::new(self.hand(owner), &Hints, None, Thread(0)).free(block);
    }

    /// Writes `value` to all units of a block, which the caller has.
    pub fn write(&self, block: Block, value: u64) {
        let units = self.hand(0).units_of(block) as usize;
        for cell in &self.0.cells[block.unit as usize..][..units] {
            // SAFETY: the checker panics unless the access is exclusive.
            cell.with_mut(|cell| unsafe { *cell = value });
        }
    }

    /// What was written to a unit, which nobody writes meanwhile.
    pub fn read(&self, unit: u32) -> u64 {
        // SAFETY: the checker panics unless nobody writes at the same time.
        self.0.cells[unit as usize].with(|cell| unsafe { *cell })
    }

    /// Takes a block, writes it, sees that nobody else does, and gives it back. Whether there was one.
    pub fn use_block(&self, owner: u16, units: u64) -> bool {
        let Some(block) = self.alloc(owner, units) else { return false };
        self.write(block, u64::from(owner) + 1);
        assert_eq!(self.read(block.unit), u64::from(owner) + 1);
        self.free(owner, block);
        true
    }

    /// How many units are in use.
    pub fn in_use(&self) -> u64 {
        crate::raw::arena::in_use(self)
    }

    /// Somebody who has died is in this place no more.
    pub fn is_left(&self, place: u16) -> bool {
        self.0.processes[usize::from(place)].load(Ordering::Relaxed) == 0
    }
}
