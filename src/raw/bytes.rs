//! Bytes that others may write while they are read.

use crate::sync::{AtomicU32, Ordering};

/// Bytes of the words that are loaded: those of which headers are made, so that no byte of a ring is ever loaded by an
/// atomic access of one size and stored by one of another.
pub const WORD_BYTES: usize = 4;

/// Copies the first bytes of `words` to `into`, all of it.
///
/// Each byte is loaded once, in ascending order of words, by a relaxed atomic load of the word that it is in. So this is no
/// data race, whoever stores to the words meanwhile, as long as those of this process do it by atomic accesses of whole
/// words; and what has been copied stays what it is. It may be a mixture of old and new words: to order the copy before or
/// after anything else is up to the caller.
///
/// # Panics
/// There are fewer words than it takes.
pub fn load_bytes(words: &[AtomicU32], into: &mut [u8]) {
    const PAIR: usize = 2 * WORD_BYTES;
    let (pairs, rest) = words[..into.len().div_ceil(WORD_BYTES)].split_at(into.len() / PAIR * 2);
    let load = |word: &AtomicU32| word.load(Ordering::Relaxed).to_ne_bytes();
    // Two at a time, which makes it several times faster.
    let mut chunks = into.chunks_exact_mut(PAIR);
    for (chunk, pair) in chunks.by_ref().zip(pairs.chunks_exact(2)) {
        let (front, back) = chunk.split_at_mut(WORD_BYTES);
        front.copy_from_slice(&load(&pair[0]));
        back.copy_from_slice(&load(&pair[1]));
    }
    for (chunk, word) in chunks.into_remainder().chunks_mut(WORD_BYTES).zip(rest) {
        chunk.copy_from_slice(&load(word)[..chunk.len()]);
    }
}

#[cfg(all(test, not(dynring_loom)))]
mod tests {
    use super::*;
    use std::thread;

    fn words(bytes: &[u8]) -> Vec<AtomicU32> {
        let word = |chunk: &[u8]| {
            let mut word = [0xee; WORD_BYTES];
            word[..chunk.len()].copy_from_slice(chunk);
            AtomicU32::new(u32::from_ne_bytes(word))
        };
        bytes.chunks(WORD_BYTES).map(word).collect()
    }

    #[test]
    fn any_number_of_bytes_is_copied_and_no_more() {
        let bytes: Vec<u8> = (1..=100).collect();
        let words = words(&bytes);
        for len in 0..=bytes.len() {
            let mut copy = vec![0; bytes.len()];
            load_bytes(&words, &mut copy[..len]);
            assert_eq!(copy[..len], bytes[..len]);
            assert!(copy[len..].iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    #[should_panic(expected = "out of range")]
    fn words_that_are_not_there_are_not_read() {
        load_bytes(&words(&[0; 8]), &mut [0; 9]);
    }

    #[test]
    fn a_word_that_is_stored_meanwhile_is_copied_whole_and_once() {
        const LEN: usize = if cfg!(miri) { 16 } else { 1000 };
        let (words, rounds) = (words(&[0; 4 * LEN]), if cfg!(miri) { 4 } else { 1000 });
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 1..=rounds {
                    let same = u32::from_ne_bytes([round as u8; WORD_BYTES]);
                    words.iter().for_each(|word| word.store(same, Ordering::Relaxed));
                }
            });
            let mut copy = [0; 4 * LEN];
            for _ in 0..rounds {
                load_bytes(&words, &mut copy);
                for word in copy.chunks(WORD_BYTES) {
                    assert!(word.iter().all(|byte| *byte == word[0]), "a torn word: {word:?}");
                }
            }
        });
    }
}
