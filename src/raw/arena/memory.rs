//! What the arena asks of the memory that it hands out.

use super::Table;
use crate::sync::{AtomicU32, AtomicU64};
use crate::wire::arena::{BlockWord, Class};

/// The memory of one arena.
///
/// # Safety
/// - Every reference that is handed out refers to the arena's one instance of these words.
/// - The words are valid for reads and writes for as long as the memory lives.
/// - There are [`PAGE_UNITS`](Self::PAGE_UNITS) words of units for each page, and as many notes on room as there are pages.
pub unsafe trait Memory {
    /// Units of a page.
    const PAGE_UNITS: u32;

    /// The sizes of small blocks.
    const CLASSES: &'static [Class];

    /// The smallest class whose blocks have `units` units; none if that takes pages of its own.
    fn class_of(units: u64) -> Option<u8>;

    /// A word for each page: [`PageWord`](crate::wire::arena::PageWord).
    fn pages(&self) -> &[AtomicU64];

    /// A word for each unit: [`BlockWord`].
    fn units(&self) -> &[AtomicU64];

    /// For each page: 1 + class of the slab that begins there, if it may have a free block. Notes, on which nothing rests.
    fn roomy(&self) -> &[AtomicU32];

    /// A word for each process that may be attached: 0 for none.
    fn processes(&self) -> &[AtomicU64];

    /// The map of maps.
    fn root(&self) -> Table<'_>;

    /// The words that lie in `words` words of memory from `unit` on, where a map is. None if they reach outside the memory.
    fn words(&self, unit: u32, words: usize) -> Option<&[AtomicU64]>;
}

/// A block that somebody owns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// Its first unit.
    pub unit: u32,
    /// The word there, as its owner has written it.
    pub word: BlockWord,
}
