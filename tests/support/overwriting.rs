//! What the kernel does to a ring that was created with `BPF_F_RB_OVERWRITE`, done by this process.
//!
//! Written after `kernel/bpf/ringbuf.c`; shares no code with the crate. What a record is like follows from where it starts: how
//! long it is, whether it is discarded, and each of its bytes.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

pub const BUSY: u32 = 1 << 31;
pub const DISCARD: u32 = 1 << 30;

/// The words of a ring.
#[derive(Clone, Copy, Debug)]
pub struct Words<'w> {
    pub consumer_pos: &'w AtomicU64,
    pub producer_pos: &'w AtomicU64,
    pub pending_pos: &'w AtomicU64,
    pub overwrite_pos: &'w AtomicU64,
    /// Once.
    pub data: &'w [AtomicU32],
}

impl<'w> Words<'w> {
    fn mask(&self) -> u64 {
        self.data.len() as u64 * 4 - 1
    }

    pub fn word(&self, at: u64) -> &'w AtomicU32 {
        &self.data[(at & self.mask()) as usize / 4]
    }

    /// Makes every position `first`.
    pub fn begin_at(&self, first: u64) {
        for word in [self.consumer_pos, self.producer_pos, self.pending_pos, self.overwrite_pos] {
            word.store(first, Ordering::Relaxed);
        }
    }
}

/// What a record is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    pub at: u64,
    pub len: u32,
    pub discarded: bool,
}

impl Record {
    /// The one that starts at `at`, of fewer than `limit` bytes.
    pub fn at(at: u64, limit: u32) -> Self {
        let hash = (at ^ at >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let most = if hash >> 62 == 0 { limit } else { limit.min(64) };
        Self { at, len: (hash >> 24) as u32 % most, discarded: hash >> 58 & 7 == 0 }
    }

    pub fn stride(self) -> u64 {
        (u64::from(self.len) + 8).next_multiple_of(8)
    }

    pub fn end(self) -> u64 {
        self.at.wrapping_add(self.stride())
    }

    fn word(self, nth: u32) -> u32 {
        let seed = (self.at >> 3) as u32;
        seed.wrapping_mul(0x85eb_ca6b).wrapping_add(nth.wrapping_mul(0xc2b2_ae35)) | 1 << (nth & 31)
    }

    /// The payload as it should be.
    pub fn payload(self) -> impl Iterator<Item = u8> {
        (0..self.len.div_ceil(4)).flat_map(move |nth| self.word(nth).to_ne_bytes()).take(self.len as usize)
    }
}

/// Whoever produces.
#[derive(Debug)]
pub struct Kernel<'w> {
    pub words: Words<'w>,
    /// Positions that change under the lock only.
    locked: Mutex<Positions>,
}

#[derive(Debug)]
struct Positions {
    pending: u64,
    overwrite: u64,
    end: u64,
}

impl<'w> Kernel<'w> {
    /// Begins where the ring is.
    pub fn new(words: Words<'w>) -> Self {
        let [pending, overwrite, end] =
            [words.pending_pos, words.overwrite_pos, words.producer_pos].map(|word| word.load(Ordering::Relaxed));
        Self { words, locked: Mutex::new(Positions { pending, overwrite, end }) }
    }

    /// Reserves the record that comes next, of fewer than `limit` bytes, unless an unfinished one is in the way.
    pub fn reserve(&self, limit: u32) -> Option<Record> {
        self.reserve_that(|at| Record::at(at, limit))
    }

    pub fn reserve_that(&self, record: impl FnOnce(u64) -> Record) -> Option<Record> {
        let (words, mask) = (&self.words, self.words.mask());
        let mut locked = self.locked.lock().unwrap();
        let record = record(locked.end);
        let stride_at =
            |at| (u64::from(words.word(at).load(Ordering::Relaxed) & !(BUSY | DISCARD)) + 8).next_multiple_of(8);
        while locked.pending != locked.end && words.word(locked.pending).load(Ordering::Acquire) & BUSY == 0 {
            locked.pending = locked.pending.wrapping_add(stride_at(locked.pending));
        }
        words.pending_pos.store(locked.pending, Ordering::Relaxed);
        if record.end().wrapping_sub(locked.pending) > mask {
            return None;
        }
        while record.end().wrapping_sub(locked.overwrite) > mask {
            locked.overwrite = locked.overwrite.wrapping_add(stride_at(locked.overwrite));
        }
        words.overwrite_pos.store(locked.overwrite, Ordering::Relaxed);
        words.word(record.at).store(record.len | BUSY, Ordering::Relaxed);
        words.word(record.at.wrapping_add(4)).store(3, Ordering::Relaxed);
        words.producer_pos.store(record.end(), Ordering::Release);
        // The kernel relies on processors that keep stores in order.
        fence(Ordering::Release);
        locked.end = record.end();
        Some(record)
    }

    /// Writes the payload.
    pub fn write(&self, record: Record) {
        for nth in 0..record.len.div_ceil(4) {
            let at = record.at.wrapping_add(8 + 4 * u64::from(nth));
            self.words.word(at).store(record.word(nth), Ordering::Relaxed);
        }
    }

    /// Commits or discards it.
    pub fn finish(&self, record: Record) {
        let header = record.len | if record.discarded { DISCARD } else { 0 };
        self.words.word(record.at).swap(header, Ordering::AcqRel);
    }

    /// Reserves, writes and finishes the record that comes next, unless an unfinished one is in the way.
    pub fn produce(&self, limit: u32) -> Option<Record> {
        let record = self.reserve(limit)?;
        self.write(record);
        self.finish(record);
        Some(record)
    }
}
