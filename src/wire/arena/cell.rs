//! The word that says what a map's cell holds.

/// What a cell of a map holds.
///
/// ```text
///   63                               17  16    15          4 3    0
///  +-----------------------------------+------+-------------+------+
///  | generation                        | torn | owner       |state |
///  +-----------------------------------+------+-------------+------+
///
///  state       meaning                                    who changes it
///  FREE        nothing                                    anybody: to WRITING, with the next generation
///  WRITING     the owner writes an entry, or takes one    the owner: to PROPOSED, FREE
///              back
///  PROPOSED    written; whether its key is there already  the owner: to MEMBER, WRITING; anybody with the same key: to
///              is to be seen                              REFUSED
///  REFUSED     somebody else proposes the same key        the owner: to WRITING
///  MEMBER      an entry of the map                        anybody: to EXCLUSIVE, REMOVED
///  EXCLUSIVE   an entry that its owner alone has          the owner: to MEMBER
///  REMOVED     no entry any more, but somebody may hold   anybody who sees that nobody holds it: to REAPING
///              its memory
///  REAPING     its owner frees the memory                 the owner: to FREE
/// ```
///
/// *Torn* is an entry whose owner has died while it had it alone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CellWord(u64);

/// See [`CellWord`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CellState {
    /// Nothing.
    Free,
    /// The owner writes an entry, or takes one back.
    Writing,
    /// Written; whether its key is there already is to be seen.
    Proposed,
    /// Somebody else proposes the same key.
    Refused,
    /// An entry of the map.
    Member,
    /// An entry that its owner alone has.
    Exclusive,
    /// No entry any more.
    Removed,
    /// Its owner frees the memory.
    Reaping,
    /// What nobody writes.
    Unknown,
}

const STATES: [CellState; 8] = [
    CellState::Free,
    CellState::Writing,
    CellState::Proposed,
    CellState::Refused,
    CellState::Member,
    CellState::Exclusive,
    CellState::Removed,
    CellState::Reaping,
];

const OWNER_SHIFT: u32 = 4;
const TORN: u64 = 1 << 16;
const GENERATION_SHIFT: u32 = 17;

impl CellWord {
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
    pub fn state(self) -> CellState {
        STATES.get((self.0 & 15) as usize).copied().unwrap_or(CellState::Unknown)
    }

    /// Whose it is, where it is somebody's.
    #[inline]
    pub const fn owner(self) -> u16 {
        (self.0 >> OWNER_SHIFT & 0xfff) as u16
    }

    /// How often the cell has been used, modulo 2⁴⁷.
    #[inline]
    pub const fn generation(self) -> u64 {
        self.0 >> GENERATION_SHIFT
    }

    /// Whether the owner has died while it had the entry alone.
    #[inline]
    pub const fn is_torn(self) -> bool {
        self.0 & TORN != 0
    }

    /// The same entry in another state, `owner`'s.
    #[inline]
    pub const fn to(self, state: CellState, owner: u16) -> Self {
        let kept = self.0 & (TORN | !0 << GENERATION_SHIFT);
        Self(kept | (owner as u64) << OWNER_SHIFT | state as u64)
    }

    /// The same, whole or torn.
    #[inline]
    pub const fn torn(self, torn: bool) -> Self {
        Self(if torn { self.0 | TORN } else { self.0 & !TORN })
    }

    /// The next entry, which `owner` begins to write.
    #[inline]
    pub const fn begun_by(self, owner: u16) -> Self {
        Self(self.generation().wrapping_add(1) << GENERATION_SHIFT).to(CellState::Writing, owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_goes_through_its_states_and_keeps_its_generation() {
        let begun = CellWord::from_word(0).begun_by(4095);
        assert_eq!((begun.state(), begun.owner(), begun.generation()), (CellState::Writing, 4095, 1));
        for state in STATES {
            let torn = begun.to(state, 7).torn(true);
            assert_eq!((torn.state(), torn.owner(), torn.generation(), torn.is_torn()), (state, 7, 1, true));
            assert_eq!(torn.torn(false), begun.to(state, 7));
        }
        let again = begun.torn(true).to(CellState::Free, 0).begun_by(1);
        assert_eq!((again.generation(), again.is_torn()), (2, false));
        assert_eq!(CellWord::from_word(9).state(), CellState::Unknown);
    }
}
