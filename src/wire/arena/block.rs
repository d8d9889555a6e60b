//! The word that says whose block begins at a unit.

/// The class of blocks that have pages of their own.
pub const LARGE: u8 = 63;

/// What is known of the block that begins at a unit.
///
/// ```text
///   63                                   21 20          9 8     3 2   0
///  +---------------------------------------+-------------+-------+-----+
///  | generation                            | owner       | class |state|
///  +---------------------------------------+-------------+-------+-----+
///
///  state   meaning                                         who changes it
///  OUT     no block begins here                            who has the page in hand: to FREE (a slab is put in service)
///                                                          or to OWNED (a large block)
///  SPARE   nobody's, but set apart for the owner             the owner: to OWNED, with the next generation, or to FREE
///  FREE    a block of its class that nobody has            anybody: to OWNED, with the next generation; who takes the slab
///                                                          out of service: to OUT
///  OWNED   the owner's                                     the owner: to FREE or OUT, SPARE, SENT, KEPT
///  SENT    the owner's, who has sent a token for it        anybody who has the token: to OWNED, by themselves, with the
///                                                          next generation
///  KEPT    in a map                                        who has the map's cell in hand: to OWNED, by themselves
/// ```
///
/// Whatever its owner may do, whoever has proved the owner's death may do in its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BlockWord(u64);

/// See [`BlockWord`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BlockState {
    /// No block begins here.
    Out,
    /// Nobody has it.
    Free,
    /// It is its owner's.
    Owned,
    /// It is its owner's, who has sent a token for it.
    Sent,
    /// It is in a map.
    Kept,
    /// Nobody has it, and none but its owner may take it.
    Spare,
    /// What nobody writes.
    Unknown,
}

const STATE_BITS: u32 = 3;
const CLASS_SHIFT: u32 = STATE_BITS;
const CLASS_BITS: u32 = 6;
const OWNER_SHIFT: u32 = CLASS_SHIFT + CLASS_BITS;
const OWNER_BITS: u32 = 12;
const GENERATION_SHIFT: u32 = OWNER_SHIFT + OWNER_BITS;

const OUT: u64 = 0;
const FREE: u64 = 1;
const OWNED: u64 = 2;
const SENT: u64 = 3;
const KEPT: u64 = 4;
const SPARE: u64 = 5;

/// What changes when a block that is owned becomes a spare.
const SPARED: u64 = SPARE - OWNED;

const fn field(word: u64, shift: u32, bits: u32) -> u64 {
    (word >> shift) & ((1 << bits) - 1)
}

impl BlockWord {
    const fn new(state: u64, class: u8, owner: u16, generation: u64) -> Self {
        debug_assert!((class as u32) < 1 << CLASS_BITS && (owner as u32) < 1 << OWNER_BITS);
        let (class, owner) = ((class as u64) << CLASS_SHIFT, (owner as u64) << OWNER_SHIFT);
        Self(state | class | owner | generation << GENERATION_SHIFT)
    }

    /// What a word from memory stands for.
    #[inline]
    pub const fn from_word(word: u64) -> Self {
        Self(word)
    }

    /// The word to store.
    #[inline]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// What it says.
    #[inline]
    pub const fn state(self) -> BlockState {
        match field(self.0, 0, STATE_BITS) {
            OUT => BlockState::Out,
            FREE => BlockState::Free,
            OWNED => BlockState::Owned,
            SENT => BlockState::Sent,
            KEPT => BlockState::Kept,
            SPARE => BlockState::Spare,
            _ => BlockState::Unknown,
        }
    }

    /// The class of the block's size, or [`LARGE`].
    #[inline]
    pub const fn class(self) -> u8 {
        field(self.0, CLASS_SHIFT, CLASS_BITS) as u8
    }

    /// Whose it is, where it is somebody's.
    #[inline]
    pub const fn owner(self) -> u16 {
        field(self.0, OWNER_SHIFT, OWNER_BITS) as u16
    }

    /// How often a block that begins here has been handed out, modulo 2⁴³.
    #[inline]
    pub const fn generation(self) -> u64 {
        self.0 >> GENERATION_SHIFT
    }

    /// Whether it is free, and of `class`.
    #[inline]
    pub const fn is_free_of(self, class: u8) -> bool {
        self.0 & ((1 << OWNER_SHIFT) - 1) == FREE | (class as u64) << CLASS_SHIFT
    }

    /// Whether it is a spare of `owner`'s, and of `class`.
    #[inline]
    pub const fn is_spare_of(self, owner: u16, class: u8) -> bool {
        self.0 & ((1 << GENERATION_SHIFT) - 1) == SPARE | (class as u64) << CLASS_SHIFT | (owner as u64) << OWNER_SHIFT
    }

    /// Whether it is in `state`, and `owner`'s.
    #[inline]
    pub fn is_of(self, state: BlockState, owner: u16) -> bool {
        self.state() == state && self.owner() == owner
    }

    /// No block begins here any more.
    #[inline]
    pub const fn out(self) -> Self {
        Self::new(OUT, 0, 0, self.generation())
    }

    /// Free, of `class`.
    #[inline]
    pub const fn free(self, class: u8) -> Self {
        Self::new(FREE, class, 0, self.generation())
    }

    /// Handed out anew: `owner`'s, of `class`.
    #[inline]
    pub const fn taken_by(self, owner: u16, class: u8) -> Self {
        Self::new(OWNED, class, owner, self.generation().wrapping_add(1))
    }

    /// The same block, `owner`'s from now on.
    #[inline]
    pub const fn owned_by(self, owner: u16) -> Self {
        Self::new(OWNED, self.class(), owner, self.generation())
    }

    /// The same block, which was its owner's, set apart for it.
    #[inline]
    pub const fn spare(self) -> Self {
        debug_assert!(matches!(self.state(), BlockState::Owned));
        Self(self.0 + SPARED)
    }

    /// Handed out anew, a spare: its owner's.
    #[inline]
    pub const fn taken_back(self) -> Self {
        debug_assert!(matches!(self.state(), BlockState::Spare));
        Self(self.0.wrapping_add((1 << GENERATION_SHIFT) - SPARED))
    }

    /// The same block, for which its owner has sent a token.
    #[inline]
    pub const fn sent(self) -> Self {
        Self::new(SENT, self.class(), self.owner(), self.generation())
    }

    /// The same block, in a map.
    #[inline]
    pub const fn kept(self) -> Self {
        Self::new(KEPT, self.class(), 0, self.generation())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_goes_through_its_states_and_keeps_the_rest() {
        let generation = (1 << 43) - 2;
        let out = BlockWord::from_word(generation << GENERATION_SHIFT);
        assert_eq!((out.state(), out.generation()), (BlockState::Out, generation));
        let free = out.free(17);
        assert!(free.is_free_of(17) && !free.is_free_of(16));
        let owned = free.taken_by(4095, 17);
        assert!(owned.is_of(BlockState::Owned, 4095) && !owned.is_of(BlockState::Owned, 4094));
        assert_eq!((owned.class(), owned.generation()), (17, generation + 1));
        assert!(owned.sent().is_of(BlockState::Sent, 4095));
        assert_eq!(owned.sent().owned_by(1).owned_by(4095), owned);
        assert_eq!((owned.kept().state(), owned.kept().class()), (BlockState::Kept, 17));
        assert_eq!(owned.kept().owned_by(4095), owned);
        let spare = owned.spare();
        assert!(spare.is_spare_of(4095, 17) && !spare.is_spare_of(4094, 17) && !spare.is_spare_of(4095, 16));
        assert!(!spare.is_free_of(17) && !owned.is_spare_of(4095, 17));
        assert_eq!((spare.state(), spare.generation()), (BlockState::Spare, generation + 1));
        assert_eq!(spare.free(17), owned.free(17));
        assert_eq!(spare.taken_back(), spare.taken_by(4095, 17));
        let again = owned.free(17).taken_by(1, 17);
        assert_eq!((again.generation(), again.class(), again.owner()), (0, 17, 1), "generations wrap");
        assert_eq!(owned.out().free(3).taken_by(0, 3).generation(), 0);
    }

    #[test]
    fn what_nobody_writes_is_nothing() {
        for state in 6..8 {
            assert_eq!(BlockWord::from_word(state).state(), BlockState::Unknown);
        }
    }
}
