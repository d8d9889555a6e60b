//! A map's memory: cells, and counts of who holds what.

use crate::sync::{AtomicU64, Ordering};
use crate::wire::arena::{CELL_WORDS, CellWord, MAP_HEADER_WORDS, MAP_MAGIC, Shape};

/// The memory of a map. Nothing but words, which every process reads and writes by atomic accesses.
///
/// # Invariants
/// 1. There are at least as many words as the shape takes.
#[derive(Clone, Copy, Debug)]
pub struct Table<'m> {
    words: &'m [AtomicU64],
    shape: Shape,
}

/// Which block an entry has, and how much of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Value {
    /// First unit of the block.
    pub unit: u32,
    /// Generation of the block.
    pub generation: u64,
    /// Bytes of what is in it.
    pub len: u64,
}

/// A key and its hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'k> {
    pub(super) bytes: &'k [u8],
    pub(super) hash: u64,
}

/// One cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'m>(&'m [AtomicU64]);

impl<'m> Table<'m> {
    /// A map of `shape` in `words`, if it fits.
    pub fn new(words: &'m [AtomicU64], shape: Shape) -> Option<Self> {
        (shape.is_possible() && words.len() >= shape.words()).then_some(Self { words, shape })
    }

    /// The shape of the map in `words`, if one is there that `processes` may share.
    pub fn shape_of(words: &[AtomicU64], processes: u32) -> Option<Shape> {
        let word = |nth: usize| words.get(nth).map(|word| word.load(Ordering::Relaxed));
        let number = |nth| word(nth).and_then(|word| u32::try_from(word).ok());
        let shape = Shape { entries: number(1)?, key_bytes: number(2)?, fixed: number(3)? == 1, processes };
        (word(0)? == MAP_MAGIC && Table::new(words, shape).is_some()).then_some(shape)
    }

    /// Makes it an empty map. Nobody else knows of it yet.
    pub fn clear(self) {
        let Shape { entries, key_bytes, fixed, .. } = self.shape;
        let header = [MAP_MAGIC, u64::from(entries), u64::from(key_bytes), u64::from(fixed)];
        for (word, value) in self.words.iter().zip(header.into_iter().chain(core::iter::repeat(0))) {
            word.store(value, Ordering::Relaxed);
        }
    }

    /// How large it is.
    pub fn shape(self) -> Shape {
        self.shape
    }

    pub(super) fn indices(self) -> core::ops::Range<u32> {
        0..self.shape.entries
    }

    pub(super) fn cell(self, index: u32) -> Option<Cell<'m>> {
        let at = (index < self.shape.entries).then(|| self.shape.cell(index))?;
        self.words.get(at..at + self.shape.cell_words()).map(Cell)
    }

    /// How often each process holds the entry in a cell.
    pub(super) fn holds(self, index: u32) -> &'m [AtomicU64] {
        let at = self.shape.hold(index, 0);
        self.words.get(at..at + self.shape.processes as usize).unwrap_or_default()
    }

    /// How often a process holds the entry in a cell.
    pub(super) fn hold(self, index: u32, process: u16) -> Option<&'m AtomicU64> {
        self.holds(index).get(usize::from(process))
    }

    /// How far from its home an entry has ever been.
    pub(super) fn reach(self) -> &'m AtomicU64 {
        &self.words[4]
    }

    /// Proposals so far.
    pub(super) fn turns(self) -> &'m AtomicU64 {
        &self.words[5]
    }

    /// All cells, beginning with the home of what has this hash.
    pub(super) fn cells_for(self, hash: u64) -> impl Iterator<Item = u32> {
        let (entries, home) = (self.shape.entries, (hash % u64::from(self.shape.entries)) as u32);
        (home..entries).chain(0..home)
    }

    /// The cells in which what has this hash may be.
    pub(super) fn near(self, hash: u64) -> impl Iterator<Item = u32> {
        let reach = self.reach().load(Ordering::Relaxed);
        self.cells_for(hash).take(usize::try_from(reach).map_or(usize::MAX, |reach| reach.saturating_add(1)))
    }
}

const _: () = assert!(MAP_HEADER_WORDS > 5);

/// A generation that no block is of.
const NO_GENERATION: u64 = u64::MAX;

/// The `nth` word of a key, filled up with zeros.
fn key_word(key: &[u8], nth: usize) -> u64 {
    let rest = key.get(8 * nth..).unwrap_or_default();
    u64::from_ne_bytes(core::array::from_fn(|byte| rest.get(byte).copied().unwrap_or(0)))
}

impl Cell<'_> {
    pub(super) fn state(&self) -> &AtomicU64 {
        &self.0[0]
    }

    pub(super) fn load(&self, order: Ordering) -> CellWord {
        CellWord::from_word(self.state().load(order))
    }

    /// Writes an entry. Whoever reads any of it knows that the cell was taken before.
    pub(super) fn write(&self, key: Key<'_>, value: Value) {
        let len = (key.bytes.len() as u64) << 32;
        let words = [key.hash, u64::from(value.unit) | len, value.generation, value.len];
        let words = words.into_iter().chain((0..).map(|nth| key_word(key.bytes, nth)));
        for (to, word) in self.0[1..].iter().zip(words) {
            to.store(word, Ordering::Release);
        }
    }

    /// What it names is no block any more.
    pub(super) fn forget(&self) {
        self.0[3].store(NO_GENERATION, Ordering::Release);
    }

    pub(super) fn value(&self) -> Value {
        let word = |nth: usize| self.0[nth].load(Ordering::Acquire);
        Value { unit: word(2) as u32, generation: word(3), len: word(4) }
    }

    /// Whether it has this key. What the cell holds has to be looked at again afterwards.
    pub(super) fn has_key(&self, key: Key<'_>) -> bool {
        let word = |nth: usize| self.0[nth].load(Ordering::Acquire);
        let words = key.bytes.len().div_ceil(8);
        word(1) == key.hash
            && word(2) >> 32 == key.bytes.len() as u64
            && words <= self.0.len() - CELL_WORDS
            && (0..words).all(|nth| word(CELL_WORDS + nth) == key_word(key.bytes, nth))
    }

    /// The key.
    pub(super) fn key(&self) -> Vec<u8> {
        let len = (self.0[2].load(Ordering::Acquire) >> 32) as usize;
        let mut key: Vec<u8> =
            self.0[CELL_WORDS..].iter().flat_map(|word| word.load(Ordering::Acquire).to_ne_bytes()).collect();
        key.truncate(len);
        key
    }
}
