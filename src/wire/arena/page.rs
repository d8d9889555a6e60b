//! The word that says what a page is used for.

/// What a page is used for.
///
/// ```text
///   63     47 46                 15 14        3 2  0
///  +---------+---------------------+-----------+----+
///  | 0       | argument            | owner     |kind|
///  +---------+---------------------+-----------+----+
///
///  kind      argument     meaning                                     who changes it
///  GONE                   not the arena any more: a forked child      nobody
///  FREE                                                               anybody: to IN HAND or BODY
///  IN HAND   pages        it and, perhaps, those behind it are being  the owner: to RUN, FITTING, FREE
///                         put together or taken apart by the owner
///  BODY      first page   belongs to the page that it names           who has that one in hand: to FREE
///  RUN       pages        one large block, of so many pages           the block's owner: to IN HAND
///  FITTING   class        a slab that its owner puts in or out of     the owner: to SLAB, IN HAND
///                         service
///  SLAB      class        blocks of that class                        anybody: to FITTING
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageWord {
    /// Not the arena any more.
    Gone,
    /// Nobody uses it.
    Free,
    /// See above.
    InHand {
        /// Who has it in hand.
        owner: u16,
        /// How many pages are to be put together, or are taken apart.
        pages: u32,
    },
    /// See above.
    Body {
        /// The first page of those that it belongs to.
        first: u32,
    },
    /// One large block.
    Run {
        /// Of so many pages.
        pages: u32,
    },
    /// See above.
    Fitting {
        /// Who puts it in or out of service.
        owner: u16,
        /// Of its blocks.
        class: u8,
    },
    /// Blocks of one class.
    Slab {
        /// The class.
        class: u8,
    },
    /// What nobody writes.
    Unknown,
}

const KIND_BITS: u32 = 3;
const OWNER_SHIFT: u32 = KIND_BITS;
const ARGUMENT_SHIFT: u32 = 15;

const FREE: u64 = 1;
const IN_HAND: u64 = 2;
const BODY: u64 = 3;
const RUN: u64 = 4;
const FITTING: u64 = 5;
const SLAB: u64 = 6;

impl PageWord {
    /// What a word from memory stands for.
    #[inline]
    pub const fn from_word(word: u64) -> Self {
        let owner = (word >> OWNER_SHIFT & 0xfff) as u16;
        let argument = (word >> ARGUMENT_SHIFT) as u32;
        let found = match word & ((1 << KIND_BITS) - 1) {
            0 => Self::Gone,
            FREE => Self::Free,
            IN_HAND => Self::InHand { owner, pages: argument },
            BODY => Self::Body { first: argument },
            RUN => Self::Run { pages: argument },
            FITTING => Self::Fitting { owner, class: argument as u8 },
            SLAB => Self::Slab { class: argument as u8 },
            _ => Self::Unknown,
        };
        // So that each word has one meaning, and each meaning one word.
        if found.word() == word { found } else { Self::Unknown }
    }

    /// The word to store.
    #[inline]
    pub const fn word(self) -> u64 {
        let (kind, owner, argument) = match self {
            Self::Gone => (0, 0, 0),
            Self::Free => (FREE, 0, 0),
            Self::InHand { owner, pages } => (IN_HAND, owner, pages),
            Self::Body { first } => (BODY, 0, first),
            Self::Run { pages } => (RUN, 0, pages),
            Self::Fitting { owner, class } => (FITTING, owner, class as u32),
            Self::Slab { class } => (SLAB, 0, class as u32),
            Self::Unknown => (7, 0, 0),
        };
        kind | (owner as u64) << OWNER_SHIFT | (argument as u64) << ARGUMENT_SHIFT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_was_written() {
        let words = [
            PageWord::Gone,
            PageWord::Free,
            PageWord::InHand { owner: 4095, pages: u32::MAX },
            PageWord::Body { first: u32::MAX },
            PageWord::Run { pages: 3 },
            PageWord::Fitting { owner: 1, class: 63 },
            PageWord::Slab { class: 0 },
        ];
        for word in words {
            assert_eq!(PageWord::from_word(word.word()), word);
        }
    }

    #[test]
    fn what_nobody_writes_is_nothing() {
        for word in [7, 1 << 63, PageWord::Free.word() | 1 << 15, PageWord::Slab { class: 1 }.word() | 1 << 30] {
            assert_eq!(PageWord::from_word(word), PageWord::Unknown, "{word:#x}");
        }
    }
}
