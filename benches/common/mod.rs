//! What the benchmarks share: payloads that are fully written and fully read, and threads that stay where they are put.
#![allow(dead_code, reason = "each benchmark uses its part")]

use std::hint;
use std::sync::{Once, OnceLock};
use std::thread;

use core_affinity::CoreId;

/// Payload sizes in bytes; `Mixed` is 8 to 512, seeded.
#[derive(Clone, Copy, Debug)]
pub enum Sizes {
    Fixed(usize),
    Mixed,
}

pub const SIZES: [Sizes; 6] =
    [Sizes::Fixed(8), Sizes::Fixed(64), Sizes::Fixed(256), Sizes::Fixed(1024), Sizes::Fixed(4096), Sizes::Mixed];

impl Sizes {
    pub fn name(self) -> String {
        match self {
            Self::Fixed(len) => len.to_string(),
            Self::Mixed => "8-512".to_string(),
        }
    }

    /// The size of the `nth` record. A multiple of 8.
    pub fn len(self, nth: u64) -> usize {
        match self {
            Self::Fixed(len) => len,
            Self::Mixed => (8 + (nth.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) * 8) as usize,
        }
    }

    pub fn largest(self) -> usize {
        match self {
            Self::Fixed(len) => len,
            Self::Mixed => 512,
        }
    }
}

/// Writes every byte: the number of the record, over and over.
#[inline(always)]
pub fn fill(payload: &mut [u8], nth: u64) {
    for word in payload.chunks_exact_mut(8) {
        word.copy_from_slice(&nth.to_le_bytes());
    }
}

/// Reads every byte, and returns the number of the record. 0 if they are not all the same.
#[inline(always)]
pub fn fold(payload: &[u8]) -> u64 {
    let word = |word: &[u8]| u64::from_le_bytes(word.try_into().unwrap());
    let (all, any) = payload.chunks_exact(8).map(word).fold((u64::MAX, 0), |(all, any), word| (all & word, any | word));
    if all == any { all } else { 0 }
}

/// The cores that there are, asked for before anything is pinned: a pinned thread, and every thread that it starts, sees one.
fn core_ids() -> &'static [CoreId] {
    static CORES: OnceLock<Vec<CoreId>> = OnceLock::new();
    CORES.get_or_init(|| core_affinity::get_core_ids().unwrap_or_default())
}

/// How many there are.
pub fn cores() -> usize {
    core_ids().len().max(1)
}

/// Puts the calling thread on the `nth` core, counted round. Says so once if that is refused.
pub fn pin(nth: usize) {
    static REFUSED: Once = Once::new();
    let cores = core_ids();
    let pinned = !cores.is_empty() && core_affinity::set_for_current(cores[nth % cores.len()]);
    if !pinned {
        REFUSED.call_once(|| eprintln!("threads cannot be pinned here: expect noise"));
    }
}

/// The number by which the system knows the `nth` core, counted round, for another process to [be put on](pin_to): what is
/// started by a pinned thread sees no other cores.
pub fn core_number(nth: usize) -> Option<usize> {
    let cores = core_ids();
    cores.get(nth % cores.len().max(1)).map(|core| core.id)
}

/// Puts the calling thread on the core with that number.
pub fn pin_to(number: usize) {
    if !core_affinity::set_for_current(CoreId { id: number }) {
        eprintln!("processes cannot be pinned here: expect noise");
    }
}

/// Waits a moment for another thread: briefly on a core of its own, by giving up the core where they must share.
pub fn back_off(shared_core: bool) {
    if shared_core { thread::yield_now() } else { hint::spin_loop() }
}
