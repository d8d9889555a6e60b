//! Pages: put together, cut into slabs, and taken apart.

use super::edge::{Edge, acquire, release};
use super::{Block, Memory};
use crate::sync::{AtomicU64, Ordering};
use crate::wire::arena::{BlockState, BlockWord, Class, LARGE, PageWord};

/// In whose name things are done: one's own, or that of somebody whose death is proved.
#[derive(Debug)]
pub struct Hand<'m, M> {
    pub(super) memory: &'m M,
    pub(super) owner: u16,
}

impl<M> Clone for Hand<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Hand<'_, M> {}

impl<'m, M: Memory> Hand<'m, M> {
    /// That of who has the place `owner`.
    #[inline]
    pub fn new(memory: &'m M, owner: u16) -> Self {
        Self { memory, owner }
    }

    pub(super) fn page(self, page: u32) -> Option<&'m AtomicU64> {
        self.memory.pages().get(page as usize)
    }

    /// What a page is used for.
    pub(super) fn used_for(self, page: u32) -> PageWord {
        self.page(page).map_or(PageWord::Unknown, |word| PageWord::from_word(word.load(Ordering::Relaxed)))
    }

    /// The word of a unit.
    #[inline]
    pub(super) fn unit(self, unit: u32) -> Option<&'m AtomicU64> {
        self.memory.units().get(unit as usize)
    }

    /// Puts `pages` free pages together, the first such from page `from` on. They are in hand then, and no block begins in them.
    pub(super) fn take_pages(self, pages: u32, from: u32) -> Option<u32> {
        let count = self.memory.pages().len() as u32;
        let mut first = from;
        while first.checked_add(pages)? <= count {
            let used = (first..first + pages).rev().find(|&page| self.used_for(page) != PageWord::Free);
            match used.map_or_else(|| self.try_pages(first, pages), Err) {
                Ok(()) => return Some(first),
                Err(used) => first = used + 1,
            }
        }
        None
    }

    /// Takes free pages in hand. If one of them is not free any more, gives back what it has taken and says which.
    fn try_pages(self, first: u32, pages: u32) -> Result<(), u32> {
        let in_hand = PageWord::InHand { owner: self.owner, pages };
        self.take_page(first, in_hand)?;
        for page in first + 1..first + pages {
            if let Err(used) = self.take_page(page, PageWord::Body { first }) {
                self.give_pages(first, page - first);
                return Err(used);
            }
        }
        Ok(())
    }

    fn take_page(self, page: u32, becomes: PageWord) -> Result<(), u32> {
        let free = PageWord::Free.word();
        let word = self.page(page).ok_or(page)?;
        let taken = word.compare_exchange(free, becomes.word(), acquire(Edge::PageTake), Ordering::Relaxed);
        taken.map(drop).map_err(|_| page)
    }

    /// Gives back pages that are in hand: those behind the first that belong to it, then the first.
    pub(super) fn give_pages(self, first: u32, pages: u32) {
        let body = PageWord::Body { first }.word();
        let end = first.saturating_add(pages).min(self.memory.pages().len() as u32);
        for word in (first + 1..end).filter_map(|page| self.page(page)) {
            if word.load(Ordering::Relaxed) == body {
                word.store(PageWord::Free.word(), release(Edge::PageGive));
            }
        }
        if let Some(word) = self.page(first) {
            word.store(PageWord::Free.word(), release(Edge::PageGive));
        }
    }

    /// A block of `pages` pages, for itself.
    pub(super) fn take_run(self, pages: u32, from: u32) -> Option<Block> {
        let first = self.take_pages(pages, from)?;
        let unit = first * M::PAGE_UNITS;
        let word = self.unit(unit)?;
        let taken = BlockWord::from_word(word.load(Ordering::Relaxed)).taken_by(self.owner, LARGE);
        word.store(taken.word(), Ordering::Relaxed);
        // Whoever looks at this page without having been given the block decides nothing by it.
        self.page(first)?.store(PageWord::Run { pages }.word(), Ordering::Relaxed);
        Some(Block { unit, word: taken })
    }

    /// Gives back a block that has pages of its own, be it that this has been begun before.
    pub(super) fn give_run(self, block: Block) {
        let first = block.unit / M::PAGE_UNITS;
        let pages = match self.used_for(first) {
            PageWord::Run { pages } => pages,
            PageWord::InHand { owner, pages } if owner == self.owner => pages,
            _ => return,
        };
        if let (Some(page), Some(unit)) = (self.page(first), self.unit(block.unit)) {
            page.store(PageWord::InHand { owner: self.owner, pages }.word(), Ordering::Relaxed);
            unit.store(block.word.out().word(), Ordering::Relaxed);
            self.give_pages(first, pages);
        }
    }

    /// Where the blocks of a slab begin.
    pub(super) fn blocks(first: u32, class: Class) -> impl Iterator<Item = u32> {
        let begin = u64::from(first) * u64::from(M::PAGE_UNITS);
        let count = class.pages * M::PAGE_UNITS / class.units;
        (0..count).filter_map(move |nth| u32::try_from(begin + u64::from(nth * class.units)).ok())
    }

    /// Puts a new slab in service. Its first block is the owner's at once: so nobody closes the slab before the owner has one.
    pub(super) fn open_slab(self, class: u8, from: u32) -> Option<Block> {
        let cut = *M::CLASSES.get(usize::from(class))?;
        let first = self.take_pages(cut.pages, from)?;
        self.page(first)?.store(PageWord::Fitting { owner: self.owner, class }.word(), Ordering::Relaxed);
        let unit = first * M::PAGE_UNITS;
        let word = self.unit(unit)?;
        let taken = BlockWord::from_word(word.load(Ordering::Relaxed)).taken_by(self.owner, class);
        word.store(taken.word(), Ordering::Relaxed);
        self.fit(first, class);
        Some(Block { unit, word: taken })
    }

    /// Puts a slab in service that is being fitted, wherever that has got to.
    pub(super) fn fit(self, first: u32, class: u8) {
        let Some(&cut) = M::CLASSES.get(usize::from(class)) else { return };
        for word in Self::blocks(first, cut).filter_map(|unit| self.unit(unit)) {
            let found = BlockWord::from_word(word.load(Ordering::Relaxed));
            if found.state() == BlockState::Out {
                word.store(found.free(class).word(), release(Edge::BlockFit));
            }
        }
        if let Some(page) = self.page(first) {
            // Release, with the Acquire of who closes it: that one sees no block that is still out.
            page.store(PageWord::Slab { class }.word(), Ordering::Release);
            self.has_room(first, class);
        }
    }

    /// Takes a slab of which nobody has a block out of service, and gives its pages back. Whether it has.
    pub(super) fn close_slab(self, first: u32, class: u8) -> bool {
        let Some(&cut) = M::CLASSES.get(usize::from(class)) else { return false };
        let Some(page) = self.page(first) else { return false };
        let (slab, fitting) = (PageWord::Slab { class }, PageWord::Fitting { owner: self.owner, class });
        if page.compare_exchange(slab.word(), fitting.word(), Ordering::Acquire, Ordering::Relaxed).is_err() {
            return false;
        }
        if !Self::blocks(first, cut).all(|unit| self.take_out(unit, class)) {
            self.fit(first, class);
            return false;
        }
        page.store(PageWord::InHand { owner: self.owner, pages: cut.pages }.word(), Ordering::Relaxed);
        self.give_pages(first, cut.pages);
        true
    }

    /// Whether the block was free, and is out now.
    fn take_out(self, unit: u32, class: u8) -> bool {
        let Some(word) = self.unit(unit) else { return false };
        let found = BlockWord::from_word(word.load(Ordering::Relaxed));
        let out = found.out().word();
        found.is_free_of(class)
            && word.compare_exchange(found.word(), out, acquire(Edge::BlockOut), Ordering::Relaxed).is_ok()
    }

    /// Closes all slabs of which nobody has a block. Whether there were any.
    pub(super) fn close_idle_slabs(self) -> bool {
        let mut closed = false;
        for page in 0..self.memory.pages().len() as u32 {
            if let PageWord::Slab { class } = self.used_for(page) {
                closed |= self.is_idle(page, class) && self.close_slab(page, class);
            }
        }
        closed
    }

    /// Whether nobody seems to have a block of the slab.
    pub(super) fn is_idle(self, first: u32, class: u8) -> bool {
        let free = |unit| {
            let word = self.unit(unit).map(|word| BlockWord::from_word(word.load(Ordering::Relaxed)));
            word.is_some_and(|word| word.is_free_of(class))
        };
        M::CLASSES.get(usize::from(class)).is_some_and(|&cut| Self::blocks(first, cut).all(free))
    }

    /// Notes that the slab may have a free block.
    #[inline]
    pub(super) fn has_room(self, first: u32, class: u8) {
        if let Some(note) = self.memory.roomy().get(first as usize) {
            let class = u32::from(class) + 1;
            // Mostly it says so already, and then the line is left to those who read it.
            if note.load(Ordering::Relaxed) != class {
                note.store(class, Ordering::Relaxed);
            }
        }
    }
}
