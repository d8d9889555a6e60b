//! What is sent in the place of a block.

/// Bytes of a token.
pub const TOKEN_BYTES: usize = 32;

/// What a token says.
///
/// ```text
///  +0   u64   generation of the block
///  +8   u64   its first unit
///  +16  u64   bytes of what is in it
///  +24  u64   checksum of the above and the arena's secret
/// ```
///
/// All in the machine's byte order. The checksum keeps bytes that are no token of this arena from being taken for one by
/// accident; it is no protection against those who can read the arena.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TokenFields {
    /// Generation of the block.
    pub generation: u64,
    /// Its first unit.
    pub unit: u64,
    /// Bytes of what is in it.
    pub len: u64,
}

impl TokenFields {
    /// The bytes to send.
    pub fn to_bytes(self, secret: u64) -> [u8; TOKEN_BYTES] {
        let mut bytes = [0; TOKEN_BYTES];
        let words = [self.generation, self.unit, self.len, self.check(secret)];
        for (to, word) in bytes.chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    /// What `bytes` say, if they are a token of the arena with that secret.
    pub fn from_bytes(bytes: &[u8; TOKEN_BYTES], secret: u64) -> Option<Self> {
        let word = |nth: usize| u64::from_ne_bytes(core::array::from_fn(|byte| bytes[8 * nth + byte]));
        let fields = Self { generation: word(0), unit: word(1), len: word(2) };
        (word(3) == fields.check(secret)).then_some(fields)
    }

    fn check(self, secret: u64) -> u64 {
        [self.generation, self.unit, self.len].iter().fold(secret, |hash, word| mix(hash ^ word))
    }
}

/// A permutation of all words in which each bit depends on every other.
pub(super) const fn mix(word: u64) -> u64 {
    let word = (word ^ word >> 32).wrapping_mul(0xe9846af9b1a615d_u64 | 1 << 63);
    let word = (word ^ word >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    word ^ word >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_and_every_other_secret_is_noticed() {
        let fields = TokenFields { generation: 7, unit: 1 << 20, len: 12345 };
        let bytes = fields.to_bytes(99);
        assert_eq!(TokenFields::from_bytes(&bytes, 99), Some(fields));
        assert_eq!(TokenFields::from_bytes(&bytes, 98), None);
        for bit in 0..8 * TOKEN_BYTES {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(TokenFields::from_bytes(&flipped, 99), None, "bit {bit}");
        }
    }
}
