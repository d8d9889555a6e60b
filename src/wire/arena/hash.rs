//! Where in a map a key belongs.

/// Hash of a key, by which all who use a map find its home. `secret` is the arena's.
///
/// The words of the key, 8 bytes each in the machine's byte order, the last one filled up with zeros, are mixed in one after
/// the other; the length comes first. It spreads keys evenly; whoever can write to the arena could choose keys that collide.
pub fn hash_of_key(key: &[u8], secret: u64) -> u64 {
    let begin = mix(secret ^ key.len() as u64);
    let hash = key.chunks(8).fold(begin, |hash, chunk| {
        let word = core::array::from_fn(|byte| chunk.get(byte).copied().unwrap_or(0));
        mix(hash ^ u64::from_ne_bytes(word)).wrapping_add(hash.rotate_left(31))
    });
    mix(hash)
}

fn mix(word: u64) -> u64 {
    let word = (word ^ word >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    word ^ word >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_differ_in_anything_have_other_hashes() {
        let keys: [&[u8]; 6] = [b"", b"\0", b"\0\0", b"key", b"key\0", b"a key of more than a word"];
        let hashes: Vec<u64> = [0x9e37_79b9_7f4a_7c15, 0x2545_f491_4f6c_dd1d]
            .iter()
            .flat_map(|&secret| keys.map(|key| hash_of_key(key, secret)))
            .collect();
        for (nth, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..nth].contains(hash), "{nth}: {hashes:x?}");
        }
    }

    /// Programs of different versions may use the same map. The figures are those of a program in another language.
    #[test]
    #[cfg(target_endian = "little")]
    fn the_hash_stays_what_it_is() {
        let keys: [&[u8]; 3] = [b"", b"key", b"a key of more than a word"];
        assert_eq!(
            keys.map(|key| hash_of_key(key, 7)),
            [0xa358_5b18_a8f5_6bc7, 0xf886_7694_fce2_caf2, 0x580c_cca8_840f_d5a9]
        );
    }
}
