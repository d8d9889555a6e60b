//! Which sizes small blocks have.

/// A size of small blocks, and how many pages are cut into such blocks at a time: a slab.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Class {
    /// Units of a block.
    pub units: u32,
    /// Pages of a slab.
    pub pages: u32,
}

const fn class(units: u32, pages: u32) -> Class {
    Class { units, pages }
}

/// All classes, in ascending order: to 512 bytes in steps of 64, then four to each power of two, to 8 KiB.
///
/// So at most 63 bytes of a block remain unused that were not asked for, or a fifth of it, whichever is more. A slab has at
/// least 4 blocks, and what is left behind the last is at most an eighth of it.
pub const CLASSES: &[Class] = &[
    class(1, 1),
    class(2, 1),
    class(3, 1),
    class(4, 1),
    class(5, 1),
    class(6, 1),
    class(7, 1),
    class(8, 1),
    class(10, 4),
    class(12, 4),
    class(14, 4),
    class(16, 4),
    class(20, 4),
    class(24, 4),
    class(28, 4),
    class(32, 4),
    class(40, 8),
    class(48, 8),
    class(56, 8),
    class(64, 8),
    class(80, 8),
    class(96, 8),
    class(112, 8),
    class(128, 8),
];

/// Units of the largest small block.
const MOST: usize = 128;

/// The class by the number of units.
static BY_UNITS: [u8; MOST + 1] = {
    let mut table = [0; MOST + 1];
    let (mut units, mut class) = (0, 0);
    while units <= MOST {
        if units > CLASSES[class].units as usize {
            class += 1;
        }
        table[units] = class as u8;
        units += 1;
    }
    table
};

/// The smallest class whose blocks have `units` units; none if that takes pages of its own.
#[inline]
pub fn class_of(units: u64) -> Option<u8> {
    BY_UNITS.get(usize::try_from(units).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::super::{LARGE, PAGE_UNITS};
    use super::*;

    #[test]
    fn a_block_is_large_enough_and_not_much_larger() {
        for units in 0..=MOST as u64 {
            let block = u64::from(CLASSES[usize::from(class_of(units).unwrap())].units);
            assert!(block >= units.max(1));
            assert!(block - units <= (block / 5).max(1), "{units} in {block}");
        }
        assert_eq!(class_of(MOST as u64 + 1), None);
        assert_eq!(class_of(u64::MAX), None);
    }

    #[test]
    fn a_slab_is_cut_without_much_left_over() {
        assert!(CLASSES.len() < usize::from(LARGE));
        for class in CLASSES {
            let units = class.pages * PAGE_UNITS;
            assert!(units / class.units >= 4, "{class:?}");
            assert!(units % class.units <= units / 8, "{class:?}");
        }
    }
}
