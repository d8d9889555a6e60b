//! How much is in use, read off the words.

use super::{Hand, Memory};
use crate::sync::Ordering;
use crate::wire::arena::{BlockState, BlockWord, PageWord};

/// Units of all blocks that somebody has, that were sent, or that are in maps.
///
/// While others take blocks and give them back, each block is counted or not as it was when it was looked at.
pub fn in_use<M: Memory>(memory: &M) -> u64 {
    let hand = Hand::new(memory, 0);
    let count = memory.pages().len() as u32;
    let taken = |unit: u32| {
        let found = hand.unit(unit).map(|word| BlockWord::from_word(word.load(Ordering::Relaxed)).state());
        matches!(found, Some(BlockState::Owned | BlockState::Sent | BlockState::Kept))
    };
    let used = |page: u32| match hand.used_for(page) {
        PageWord::Slab { class } | PageWord::Fitting { class, .. } => {
            M::CLASSES.get(usize::from(class)).map_or(0, |&cut| {
                Hand::<M>::blocks(page, cut).filter(|&unit| taken(unit)).count() as u64 * u64::from(cut.units)
            })
        }
        // No more than there are: only what nobody has written says so.
        PageWord::Run { pages } => u64::from(pages.min(count - page)) * u64::from(M::PAGE_UNITS),
        _ => 0,
    };
    (0..count).map(used).sum()
}

/// Units of the largest block that can be had.
pub fn largest_free<M: Memory>(memory: &M) -> u64 {
    let hand = Hand::new(memory, 0);
    let (mut longest, mut run, mut small) = (0, 0, 0);
    let count = memory.pages().len() as u32;
    let mut page = 0;
    while page < count {
        let (free, pages) = match hand.used_for(page) {
            PageWord::Free => (true, 1),
            PageWord::Slab { class } => {
                small = small.max(free_in(hand, page, class));
                let pages = M::CLASSES.get(usize::from(class)).map_or(1, |class| class.pages);
                (hand.is_idle(page, class), pages)
            }
            _ => (false, 1),
        };
        run = if free { run + pages } else { 0 };
        longest = longest.max(run);
        page += pages;
    }
    small.max(u64::from(longest) * u64::from(M::PAGE_UNITS))
}

/// Units of a free block of the slab; 0 if there is none.
fn free_in<M: Memory>(hand: Hand<'_, M>, first: u32, class: u8) -> u64 {
    let Some(&cut) = M::CLASSES.get(usize::from(class)) else { return 0 };
    let free =
        |unit| hand.unit(unit).is_some_and(|word| BlockWord::from_word(word.load(Ordering::Relaxed)).is_free_of(class));
    if Hand::<M>::blocks(first, cut).any(free) { u64::from(cut.units) } else { 0 }
}

#[cfg(all(test, not(dynring_loom)))]
mod tests {
    use super::*;
    use crate::mapping::create_arena;
    use crate::wire::arena::{ArenaLayout, PAGE_BYTES, PAGE_UNITS};

    #[test]
    fn a_block_that_cannot_be_counts_for_no_more_than_there_is() {
        let memory = create_arena(ArenaLayout::new(1 << 16, 1, PAGE_BYTES).unwrap(), false).unwrap();
        memory.pages()[12].store(PageWord::Run { pages: u32::MAX }.word(), Ordering::Relaxed);
        assert_eq!(in_use(&memory), 4 * u64::from(PAGE_UNITS));
    }
}
