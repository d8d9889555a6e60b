//! Memory in real pages.

use core::ptr::NonNull;
use std::sync::Arc;

use super::{Memory, Table};
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use crate::wire::arena::{CLASSES, Class, PAGE_UNITS, PageWord, Shape, UNIT_BYTES, class_of};

/// Who owns the pages of an arena, and keeps them mapped.
///
/// # Safety
/// For as long as the value lives, wherever it is moved, [`parts`](Self::parts) returns the same parts, and they keep the
/// promises on [`Parts`].
pub unsafe trait Pages: Send + Sync + core::fmt::Debug {
    /// Where everything is.
    fn parts(&self) -> Parts;
}

/// Where the parts of an arena are.
///
/// # Invariants
/// 1. All are initialised, and valid for reads and writes. `data` is aligned to a unit, and has as many as there are words in
///    `units`, which are as many pages as there are words in `pages` and notes in `roomy`.
/// 2. Nothing in this process accesses these bytes in other ways than the arena's.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// The secret; and a word that is not 0 in a forked child.
    pub header: NonNull<[AtomicU64]>,
    /// A word for each process.
    pub processes: NonNull<[AtomicU64]>,
    /// The map of maps.
    pub root: NonNull<[AtomicU64]>,
    /// A word for each page.
    pub pages: NonNull<[AtomicU64]>,
    /// A word for each unit.
    pub units: NonNull<[AtomicU64]>,
    /// A note for each page.
    pub roomy: NonNull<[AtomicU32]>,
    /// What is handed out.
    pub data: NonNull<u8>,
}

/// An arena's memory, shared by everyone who holds a clone.
#[derive(Clone, Debug)]
pub struct Mapped {
    parts: Parts,
    /// Keeps the pages mapped.
    _owner: Arc<dyn Pages>,
}

// SAFETY: the pointers lead to memory that `_owner`, which is Send and Sync, keeps alive; what lies there is accessed
// through atomics, or by the one who has a block, as the arena guarantees.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

impl Mapped {
    /// The memory that `owner` keeps mapped.
    pub fn new(owner: Arc<dyn Pages>) -> Self {
        Self { parts: owner.parts(), _owner: owner }
    }

    /// Makes new, zeroed memory an arena: all pages are free, and there is no map.
    pub fn initialise(&self, secret: u64) {
        self.header(0).store(secret, Ordering::Relaxed);
        for page in self.pages() {
            page.store(PageWord::Free.word(), Ordering::Relaxed);
        }
        self.root().clear();
    }

    /// What tokens and hashes are made with.
    #[inline]
    pub fn secret(&self) -> u64 {
        self.header(0).load(Ordering::Relaxed)
    }

    /// Whether this is a forked child, where the arena is not.
    pub fn is_gone(&self) -> bool {
        self.header(1).load(Ordering::Relaxed) != 0
    }

    fn header(&self, nth: usize) -> &AtomicU64 {
        // SAFETY: `Parts`, 1.
        let header = unsafe { self.parts.header.as_ref() };
        &header[nth]
    }

    /// How many bytes there are to be handed out.
    pub fn bytes(&self) -> u64 {
        self.parts.units.len() as u64 * UNIT_BYTES
    }

    /// The bytes of a block of as many units, of which `len` count. None if they reach outside it or the memory.
    #[inline(always)]
    pub fn block(&self, unit: u32, units: u64, len: u64) -> Option<NonNull<[u8]>> {
        let all = self.parts.units.len() as u64;
        if len > units.saturating_mul(UNIT_BYTES) || units.saturating_add(unit.into()) > all {
            return None;
        }
        // SAFETY: within the data (`Parts`, 1).
        let start = unsafe { self.parts.data.add(unit as usize * UNIT_BYTES as usize) };
        Some(NonNull::slice_from_raw_parts(start, len as usize))
    }
}

// SAFETY: `Parts` vouches for the validity of all words for as long as `_owner` lives, and for their numbers.
unsafe impl Memory for Mapped {
    const PAGE_UNITS: u32 = PAGE_UNITS;
    const CLASSES: &'static [Class] = CLASSES;

    #[inline]
    fn class_of(units: u64) -> Option<u8> {
        class_of(units)
    }

    #[inline]
    fn pages(&self) -> &[AtomicU64] {
        // SAFETY: `Parts`, 1.
        unsafe { self.parts.pages.as_ref() }
    }

    #[inline]
    fn units(&self) -> &[AtomicU64] {
        // SAFETY: `Parts`, 1.
        unsafe { self.parts.units.as_ref() }
    }

    #[inline]
    fn roomy(&self) -> &[AtomicU32] {
        // SAFETY: `Parts`, 1.
        unsafe { self.parts.roomy.as_ref() }
    }

    fn processes(&self) -> &[AtomicU64] {
        // SAFETY: `Parts`, 1.
        unsafe { self.parts.processes.as_ref() }
    }

    fn root(&self) -> Table<'_> {
        // SAFETY: `Parts`, 1.
        let words = unsafe { self.parts.root.as_ref() };
        let shape = Shape::root(self.parts.processes.len() as u32);
        Table::new(words, shape).expect("the root has the words that its shape takes")
    }

    fn words(&self, unit: u32, words: usize) -> Option<&[AtomicU64]> {
        let bytes = u64::try_from(words).ok()?.checked_mul(8)?;
        let block = self.block(unit, bytes.div_ceil(UNIT_BYTES), bytes)?;
        // SAFETY: aligned to a unit, within the data, and a map's: all that is done there is done to atomic words.
        Some(unsafe { core::slice::from_raw_parts(block.cast::<AtomicU64>().as_ptr(), words) })
    }
}
