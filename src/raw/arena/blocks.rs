//! Blocks: taken, given back, sent and claimed.

use super::edge::{Edge, acquire, release};
use super::spares::Entered;
use super::{Block, Hand, Hints, Memory, Spares, Value};
use crate::sync::{Ordering, Thread};
use crate::wire::arena::{BlockState, BlockWord, LARGE, PageWord};

/// How many pages are asked for room before a new slab is opened.
const LOOK: usize = 1024;

/// What one process does with blocks.
#[derive(Debug)]
pub struct Heap<'m, M> {
    hand: Hand<'m, M>,
    hints: &'m Hints,
    spares: Option<&'m Spares>,
    thread: Thread,
}

impl<'m, M: Memory> Heap<'m, M> {
    /// `hints` and `spares` are of this process alone, and this is `thread`.
    #[inline(always)]
    pub fn new(hand: Hand<'m, M>, hints: &'m Hints, spares: Option<&'m Spares>, thread: Thread) -> Self {
        Self { hand, hints, spares, thread }
    }

    /// A block of at least `units` units, if there is one among the spares.
    #[inline(always)]
    pub fn spare(&self, units: u64) -> Option<Block> {
        let class = M::class_of(units)?;
        let spares = self.spares?.enter(self.thread)?;
        self.hand.take_spare(spares.pop(class)?, class)
    }

    /// A block of at least `units` units. None if there is none left, after all those that nobody has were looked at.
    pub fn alloc(&self, units: u64) -> Option<Block> {
        self.spare(units).or_else(|| self.alloc_other(units))
    }

    /// As [`alloc`](Self::alloc), if there is none among the spares.
    pub(super) fn alloc_other(&self, units: u64) -> Option<Block> {
        match M::class_of(units) {
            // Where there are pages left, but not enough for a slab, it has pages of its own.
            Some(class) => self.hinted(class).or_else(|| self.find(class)).or_else(|| self.run(units)),
            None => self.run(units),
        }
    }

    /// Makes a block that is this process's a spare. Whether it is.
    #[inline(always)]
    pub fn set_apart(&self, block: Block) -> bool {
        let class = block.word.class();
        let Some(spares) = self.spares.and_then(|spares| spares.enter(self.thread)) else { return false };
        let Some(word) = self.hand.unit(block.unit) else { return false };
        // Nobody else changes the word of an owned block, nor that of a spare. In a forked child it is none.
        if word.load(Ordering::Relaxed) != block.word.word() {
            return false;
        }
        if !spares.push(class, block.unit) && !self.push_further(&spares, block) {
            return false;
        }
        // What was done to its bytes is said by who leaves the spares.
        word.store(block.word.spare().word(), Ordering::Relaxed);
        true
    }

    /// Notes a spare for which there was no room.
    #[cold]
    #[inline(never)]
    fn push_further(&self, spares: &Entered<'_>, block: Block) -> bool {
        let class = block.word.class();
        let Some(cut) = M::CLASSES.get(usize::from(class)) else { return false };
        match spares.make_room(class, cut.pages) {
            Ok(()) => spares.push(class, block.unit),
            Err(it_is_time) => {
                if it_is_time {
                    spares.drain(|class, unit| _ = self.hand.give_spare(unit, class));
                }
                false
            }
        }
    }

    /// Gives a block back that is this process's.
    #[cfg(dynring_loom)]
    pub fn free(&self, block: Block) {
        if !self.set_apart(block) {
            self.free_other(block);
        }
    }

    /// Gives a block back that is this process's, and becomes no spare.
    pub(super) fn free_other(&self, block: Block) {
        if self.hand.give(block) {
            self.hints.push(block.word.class(), block.unit);
            if let Some(spares) = self.spares {
                spares.miss(self.thread);
            }
        }
    }

    /// Gives back all spares, unless another thread is at them. Whether there were any.
    #[cold]
    pub fn give_spares(&self) -> bool {
        let Some(spares) = self.spares.filter(|spares| spares.are_there()) else { return false };
        let mut given = false;
        let give = |class, unit| given |= self.hand.give_spare(unit, class);
        if let Some(spares) = spares.enter(self.thread) {
            spares.drain(give);
        } else if let Some(spares) = spares.revoke() {
            spares.drain(give);
        }
        given
    }

    #[inline(always)]
    fn hinted(&self, class: u8) -> Option<Block> {
        if let Some(unit) = self.hints.pop(class) {
            let taken = self.hand.take(unit, class);
            if taken.is_some() {
                return taken;
            }
        }
        let taken = self.hand.take(self.hints.next(class), class)?;
        self.note(class, taken);
        Some(taken)
    }

    #[inline(always)]
    fn note(&self, class: u8, taken: Block) {
        let units = M::CLASSES.get(usize::from(class)).map_or(0, |class| class.units);
        self.hints.set_next(class, taken.unit.saturating_add(units));
    }

    #[cold]
    fn find(&self, class: u8) -> Option<Block> {
        // The note may be of many blocks that somebody else has taken since.
        while let Some(unit) = self.hints.pop(class) {
            let taken = self.hand.take(unit, class);
            if taken.is_some() {
                return taken;
            }
        }
        let found = self.roomy(class).or_else(|| self.fresh(class)).or_else(|| self.thorough(class));
        let found = found.or_else(|| self.give_spares().then(|| self.thorough(class)).flatten());
        let found = found.or_else(|| self.hand.close_idle_slabs().then(|| self.fresh(class)).flatten());
        let larger = || (class + 1..M::CLASSES.len() as u8).find_map(|larger| self.thorough(larger));
        let found = found.or_else(larger)?;
        self.note(found.word.class(), found);
        Some(found)
    }

    /// A block of a slab that is noted to have room, if one is near.
    fn roomy(&self, class: u8) -> Option<Block> {
        let notes = self.hand.memory.roomy();
        let near = (self.hints.next(class) / M::PAGE_UNITS) as usize;
        let near = if near < notes.len() { near } else { 0 };
        let pages = (near..notes.len()).chain(0..near).take(LOOK);
        for page in pages {
            if notes[page].load(Ordering::Relaxed) != u32::from(class) + 1 {
                continue;
            }
            // First: whoever gives a block back from now on notes it again.
            notes[page].store(0, Ordering::Relaxed);
            let taken = self.hand.take_in(page as u32, class);
            if taken.is_some() {
                self.hand.has_room(page as u32, class);
                return taken;
            }
        }
        None
    }

    /// A block of a new slab.
    fn fresh(&self, class: u8) -> Option<Block> {
        let from = self.hints.free_page();
        let block = self.hand.open_slab(class, from).or_else(|| self.hand.open_slab(class, 0))?;
        self.hints.set_free_page(block.unit / M::PAGE_UNITS);
        Some(block)
    }

    /// A block of any slab, be it noted to have room or not.
    fn thorough(&self, class: u8) -> Option<Block> {
        (0..self.hand.memory.pages().len() as u32).find_map(|page| self.hand.take_in(page, class))
    }

    /// A block with pages of its own.
    #[cold]
    fn run(&self, units: u64) -> Option<Block> {
        let pages = u32::try_from(units.max(1).div_ceil(u64::from(M::PAGE_UNITS))).ok()?;
        let take = || self.hand.take_run(pages, 0);
        take().or_else(|| (self.give_spares() | self.hand.close_idle_slabs()).then(take).flatten())
    }
}

impl<'m, M: Memory> Hand<'m, M> {
    /// The block of `class` that begins at `unit`, if it is free.
    #[inline(always)]
    pub fn take(self, unit: u32, class: u8) -> Option<Block> {
        let word = self.unit(unit)?;
        let found = BlockWord::from_word(word.load(Ordering::Relaxed));
        if !found.is_free_of(class) || !self.fits(unit, class) {
            return None;
        }
        let taken = found.taken_by(self.owner, class);
        word.compare_exchange(found.word(), taken.word(), acquire(Edge::BlockTake), Ordering::Relaxed).ok()?;
        Some(Block { unit, word: taken })
    }

    /// The block of `class` that begins at `unit`, if it is a spare of the owner's. The caller has the spares.
    #[inline(always)]
    fn take_spare(self, unit: u32, class: u8) -> Option<Block> {
        let word = self.unit(unit)?;
        let found = BlockWord::from_word(word.load(Ordering::Relaxed));
        if !found.is_spare_of(self.owner, class) {
            return None;
        }
        // Nobody else changes it, as long as the owner lives.
        let taken = found.taken_back();
        word.store(taken.word(), Ordering::Relaxed);
        Some(Block { unit, word: taken })
    }

    /// Gives a spare of the owner's back to all. Whether it was one. The caller has the spares, or the owner's death is proved.
    pub(super) fn give_spare(self, unit: u32, class: u8) -> bool {
        let Some(word) = self.unit(unit) else { return false };
        let found = BlockWord::from_word(word.load(Ordering::Relaxed));
        let is_spare = found.is_spare_of(self.owner, class);
        if is_spare {
            word.store(found.free(class).word(), release(Edge::BlockGive));
            self.note_room(unit, class);
        }
        is_spare
    }

    fn note_room(self, unit: u32, class: u8) {
        if let Some(cut) = M::CLASSES.get(usize::from(class)) {
            self.has_room(self.slab_of(unit, cut.pages), class);
        }
    }

    /// Whether the block ends within the memory. Only what nobody has written does not.
    #[inline(always)]
    fn fits(self, unit: u32, class: u8) -> bool {
        let units = M::CLASSES.get(usize::from(class)).map_or(u32::MAX, |class| class.units);
        u64::from(unit) + u64::from(units) <= self.memory.units().len() as u64
    }

    /// A free block of the slab of `class` that begins at `page`, if that is one.
    fn take_in(self, page: u32, class: u8) -> Option<Block> {
        if self.used_for(page) != (PageWord::Slab { class }) {
            return None;
        }
        let cut = *M::CLASSES.get(usize::from(class))?;
        Self::blocks(page, cut).find_map(|unit| self.take(unit, class))
    }

    /// Gives back what is the owner's. Whether it is a small block, and was: in a forked child, nothing is.
    #[inline(always)]
    pub(super) fn give(self, block: Block) -> bool {
        let Some(word) = self.unit(block.unit) else { return false };
        // Nobody else changes the word of an owned block, so to look and to store is as good as to compare and swap.
        if word.load(Ordering::Relaxed) != block.word.word() {
            return false;
        }
        let class = block.word.class();
        if class == LARGE {
            self.give_run(block);
            return false;
        }
        word.store(block.word.free(class).word(), release(Edge::BlockGive));
        self.note_room(block.unit, class);
        true
    }

    /// The first page of the slab that a block lies in.
    #[inline]
    fn slab_of(self, unit: u32, pages: u32) -> u32 {
        let page = unit / M::PAGE_UNITS;
        if pages == 1 {
            return page;
        }
        match self.used_for(page) {
            PageWord::Body { first } => first,
            _ => page,
        }
    }

    /// How many units a block of the owner's has.
    pub fn units_of(self, block: Block) -> u64 {
        let class = block.word.class();
        if let Some(class) = M::CLASSES.get(usize::from(class)) {
            return u64::from(class.units);
        }
        let first = block.unit / M::PAGE_UNITS;
        match self.used_for(first) {
            PageWord::Run { pages } if u64::from(first) + u64::from(pages) <= self.memory.pages().len() as u64 => {
                u64::from(pages) * u64::from(M::PAGE_UNITS)
            }
            _ => 0,
        }
    }

    /// How many units the block of an entry has, if it is there.
    pub(super) fn units_of_kept(self, value: Value) -> Option<u64> {
        let word = BlockWord::from_word(self.unit(value.unit)?.load(Ordering::Relaxed));
        self.is_kept(value).then(|| self.units_of(Block { unit: value.unit, word }))
    }

    /// Sends a block of the owner's: whoever knows its unit and its generation may claim it. Whether it was the owner's.
    pub fn send(self, block: Block) -> bool {
        self.hand_on(block, block.word.sent(), release(Edge::BlockSend))
    }

    /// Puts a block of the owner's into a map. Whether it was the owner's.
    pub(super) fn keep(self, block: Block) -> bool {
        // That the bytes are written is said by the cell.
        self.hand_on(block, block.word.kept(), Ordering::Relaxed)
    }

    fn hand_on(self, block: Block, becomes: BlockWord, order: Ordering) -> bool {
        let Some(word) = self.unit(block.unit) else { return false };
        word.compare_exchange(block.word.word(), becomes.word(), order, Ordering::Relaxed).is_ok()
    }

    /// The block at `unit` that was sent in this generation, from now on the owner's. None if it is there no more.
    ///
    /// With the next generation: should it be sent again, that is another token.
    pub fn claim(self, unit: u32, generation: u64) -> Option<Block> {
        self.take_from(unit, generation, BlockState::Sent, |found| found.taken_by(self.owner, found.class()))
    }

    /// Whether the block of an entry is in a map: then it is in this one, as no two blocks of one unit have one generation.
    pub(super) fn is_kept(self, value: Value) -> bool {
        let word = self.unit(value.unit).map(|word| BlockWord::from_word(word.load(Ordering::Relaxed)));
        word.is_some_and(|word| word.state() == BlockState::Kept && word.generation() == value.generation)
    }

    /// The block at `unit` that was kept in this generation, from now on the owner's. None if it is there no more.
    pub(super) fn unkeep(self, unit: u32, generation: u64) -> Option<Block> {
        self.take_from(unit, generation, BlockState::Kept, |found| found.owned_by(self.owner))
    }

    fn take_from(
        self,
        unit: u32,
        generation: u64,
        state: BlockState,
        becomes: impl FnOnce(BlockWord) -> BlockWord,
    ) -> Option<Block> {
        let word = self.unit(unit)?;
        let found = BlockWord::from_word(word.load(Ordering::Relaxed));
        if found.state() != state || found.generation() != generation {
            return None;
        }
        let owned = becomes(found);
        let order = acquire(Edge::BlockClaim);
        word.compare_exchange(found.word(), owned.word(), order, Ordering::Relaxed).ok()?;
        Some(Block { unit, word: owned })
    }
}
