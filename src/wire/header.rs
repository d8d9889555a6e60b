//! The eight bytes in front of every payload.
//!
//! ```text
//!   0                   1                   2                   3
//!   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//!  +-----------------------------------------------------------+-+-+
//!  |                  payload length, unrounded                |D|B|   +0   u32, native endian
//!  +-----------------------------------------------------------+-+-+
//!  |              lap              |             owner             |   +4   u32, native endian
//!  +-------------------------------+-------------------------------+
//!  |                            payload                           ...  +8
//!
//!  B  bit 31, BUSY     reserved, neither committed nor discarded yet
//!  D  bit 30, DISCARD  to be skipped
//! ```
//!
//! The first word is the kernel's (`struct bpf_ringbuf_hdr::len`). The second is `pg_off` in kernel rings, where only the
//! kernel reads it; in rings of this crate it is a [`Tag`]. Readers that know only the kernel's rules ignore it.

use super::{Position, RingSize};

/// The largest payload length that a header can express, in bytes: 2³⁰ − 1.
pub const MAX_LEN: u32 = (1 << 30) - 1;

const BUSY: u32 = 1 << 31;
const DISCARD: u32 = 1 << 30;

/// The first word of a record header: payload length, BUSY and DISCARD (the kernel's `BPF_RINGBUF_BUSY_BIT` and
/// `BPF_RINGBUF_DISCARD_BIT`).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header(u32);

impl Header {
    /// A record that is reserved and not finished. `len` is in bytes, at most [`MAX_LEN`].
    #[inline]
    pub const fn busy(len: u32) -> Self {
        debug_assert!(len <= MAX_LEN);
        Self(len | BUSY)
    }

    /// A record to be delivered. `len` is in bytes, at most [`MAX_LEN`].
    #[inline]
    pub const fn committed(len: u32) -> Self {
        debug_assert!(len <= MAX_LEN);
        Self(len)
    }

    /// A record to be skipped. `len` is in bytes, at most [`MAX_LEN`].
    #[inline]
    pub const fn discarded(len: u32) -> Self {
        debug_assert!(len <= MAX_LEN);
        Self(len | DISCARD)
    }

    /// The header that a word from memory stands for. Every word is some header.
    #[inline]
    pub const fn from_word(word: u32) -> Self {
        Self(word)
    }

    /// The word to store.
    #[inline]
    pub const fn word(self) -> u32 {
        self.0
    }

    /// Payload length in bytes, without the flags.
    #[inline]
    pub const fn len(self) -> u32 {
        self.0 & MAX_LEN
    }

    /// Whether the payload is empty. Such records are legal.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Reserved, and neither committed nor discarded yet.
    #[inline]
    pub const fn is_busy(self) -> bool {
        self.0 & BUSY != 0
    }

    /// To be delivered.
    #[inline]
    pub const fn is_committed(self) -> bool {
        self.0 & (BUSY | DISCARD) == 0
    }

    /// To be skipped.
    #[inline]
    pub const fn is_discarded(self) -> bool {
        self.0 & DISCARD != 0
    }
}

impl core::fmt::Debug for Header {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let state = match (self.is_busy(), self.is_discarded()) {
            (true, _) => "busy",
            (false, true) => "discarded",
            (false, false) => "committed",
        };
        write!(f, "Header({state}, {} bytes)", self.len())
    }
}

/// The second word of a record header in rings of this crate: who wrote it, and on which lap of the ring.
///
/// A lap is `position / size` modulo 2¹⁶, so a header that is exactly 65,536 laps old looks current. Owners are
/// registration numbers from 1 to 65,535, given out in turn.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Tag(u32);

impl Tag {
    /// The tag of a record that `owner` reserves at `at`.
    #[inline]
    pub const fn new(owner: u16, at: Position, size: RingSize) -> Self {
        let lap = (at.get() >> size.shift()) as u16;
        Self((owner as u32) << 16 | lap as u32)
    }

    /// The tag that a word from memory stands for.
    #[inline]
    pub const fn from_word(word: u32) -> Self {
        Self(word)
    }

    /// The word to store.
    #[inline]
    pub const fn word(self) -> u32 {
        self.0
    }

    /// Registration number of the producer.
    #[inline]
    pub const fn owner(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// `position / size` modulo 2¹⁶.
    #[inline]
    pub const fn lap(self) -> u16 {
        self.0 as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_length_do_not_touch() {
        for len in [0, 1, 7, 8, 4096, MAX_LEN] {
            for (header, busy, discarded) in [
                (Header::busy(len), true, false),
                (Header::committed(len), false, false),
                (Header::discarded(len), false, true),
            ] {
                assert_eq!(header.len(), len);
                assert_eq!(header.is_empty(), len == 0);
                assert_eq!(header.is_busy(), busy);
                assert_eq!(header.is_discarded(), discarded);
                assert_eq!(header.is_committed(), !busy && !discarded);
                assert_eq!(Header::from_word(header.word()), header);
            }
        }
    }

    #[test]
    fn the_words_are_the_kernels() {
        assert_eq!(Header::busy(5).word(), 0x8000_0005);
        assert_eq!(Header::discarded(5).word(), 0x4000_0005);
        assert_eq!(Header::committed(5).word(), 5);
    }

    #[test]
    fn a_tag_names_owner_and_lap() {
        let size = RingSize::new(4096).unwrap();
        let tag = Tag::new(7, Position::new(4096 * 3 + 16), size);
        assert_eq!((tag.owner(), tag.lap()), (7, 3));
        let far = Tag::new(u16::MAX, Position::new(!7u64), size);
        assert_eq!((far.owner(), far.lap()), (u16::MAX, u16::MAX));
        assert_eq!(Tag::from_word(far.word()), far);
    }
}
