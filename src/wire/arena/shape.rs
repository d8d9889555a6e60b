//! Where the words of a map lie in its memory.

/// How large a map is. Its memory is words of 8 bytes, and nothing else ever lies there while it is a map's:
///
/// ```text
///  +0   magic "dynrmap\0"                 +4  reach: how far from its home an entry has ever been
///  +1   entries                           +5  proposals so far
///  +2   bytes of the longest key          +6  0
///  +3   1 if all keys have that length    +7  0
///  +8   cells: entries × (5 + words of a key)
///         +0  see CellWord     +2  the block: unit | key length << 32    +4  bytes of the value
///         +1  hash_of_key      +3  its generation                        +5  the key
///  ...  holds: entries × processes, a count each
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// How many cells there are.
    pub entries: u32,
    /// Bytes of the longest key.
    pub key_bytes: u32,
    /// Whether all keys have that length.
    pub fixed: bool,
    /// How many processes can be attached.
    pub processes: u32,
}

/// The first word of a map's memory.
pub const MAP_MAGIC: u64 = u64::from_ne_bytes(*b"dynrmap\0");

/// Words before the cells.
pub const MAP_HEADER_WORDS: usize = 8;

/// Words of a cell before its key.
pub const CELL_WORDS: usize = 5;

/// The most entries of a map.
pub const MAX_ENTRIES: u32 = 1 << 24;

/// The longest key of a map, in bytes.
pub const MAX_KEY_BYTES: u32 = 4096;

/// The map of an arena's maps, by their names.
pub const ROOT_ENTRIES: u32 = 64;

/// The longest name of a map, in bytes.
pub const NAME_BYTES: u32 = 32;

impl Shape {
    /// That of the map of an arena's maps.
    pub const fn root(processes: u32) -> Self {
        Self { entries: ROOT_ENTRIES, key_bytes: NAME_BYTES, fixed: false, processes }
    }

    /// Words of a key.
    #[inline]
    pub const fn key_words(&self) -> usize {
        self.key_bytes.div_ceil(8) as usize
    }

    /// Words of a cell.
    #[inline]
    pub const fn cell_words(&self) -> usize {
        CELL_WORDS + self.key_words()
    }

    /// The first word of a cell.
    #[inline]
    pub const fn cell(&self, index: u32) -> usize {
        MAP_HEADER_WORDS + index as usize * self.cell_words()
    }

    /// The count of what a process holds of a cell.
    #[inline]
    pub const fn hold(&self, index: u32, process: u32) -> usize {
        self.cell(self.entries) + index as usize * self.processes as usize + process as usize
    }

    /// Words of the whole.
    #[inline]
    pub const fn words(&self) -> usize {
        self.hold(self.entries, 0)
    }

    /// Whether there can be such a map.
    pub const fn is_possible(&self) -> bool {
        self.entries >= 1 && self.entries <= MAX_ENTRIES && self.key_bytes <= MAX_KEY_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_words_are_in_one_place() {
        let shape = Shape { entries: 3, key_bytes: 9, fixed: true, processes: 2 };
        let mut taken: Vec<usize> = (0..MAP_HEADER_WORDS).collect();
        for index in 0..3 {
            taken.extend(shape.cell(index)..shape.cell(index) + 7);
            taken.extend((0..2).map(|process| shape.hold(index, process)));
        }
        taken.sort_unstable();
        assert_eq!(taken, (0..shape.words()).collect::<Vec<_>>());
    }
}
