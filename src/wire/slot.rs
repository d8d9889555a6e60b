//! The word in which a producer says where it is.

use super::Position;

const ENTERING: u64 = 1;

/// The first word of a producer slot.
///
/// ```text
///  word             meaning
///  s | ENTERING     the producer tries to reserve at s, or has and its header is not in memory yet
///  e                the producer's last reservation ended at e, or it gave up at e
/// ```
///
/// Reservations start and end at multiples of 8, so the low bits are free.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SlotWord(u64);

impl SlotWord {
    /// The producer tries to reserve at `start`.
    #[inline]
    pub const fn entering(start: Position) -> Self {
        Self(start.get() | ENTERING)
    }

    /// Everything that the producer has reserved ends at or before `end`, and has its header.
    #[inline]
    pub const fn left(end: Position) -> Self {
        Self(end.get())
    }

    /// What a word from memory stands for. Every word is some slot word.
    #[inline]
    pub const fn from_word(word: u64) -> Self {
        Self(word)
    }

    /// The word to store.
    #[inline]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// The start or the end.
    #[inline]
    pub const fn position(self) -> Position {
        Position::new(self.0 & !7)
    }

    /// Whether a header may be missing at [`position`](Self::position).
    #[inline]
    pub const fn is_entering(self) -> bool {
        self.0 & ENTERING != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_and_flag_do_not_touch() {
        for at in [0, 8, 4096, !7u64].map(Position::new) {
            assert_eq!((SlotWord::entering(at).position(), SlotWord::entering(at).is_entering()), (at, true));
            assert_eq!((SlotWord::left(at).position(), SlotWord::left(at).is_entering()), (at, false));
        }
    }
}
