//! Somebody who has a ring's file, and keeps to no rule.
#![allow(dead_code, reason = "not every attack needs all of it")]
#![expect(unsafe_code, reason = "takes locks")]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use dynring::{Builder, Ring, SharedRing};

use crate::support::pages::{Pages, WRITE, page_size};

pub(crate) const SIZE: usize = 4096;
pub(crate) const SLOTS: usize = 4;

/// Where words are in the consumer page, the producer page and a slot, as `docs::format` says.
pub(crate) mod at {
    pub(crate) const CONSUMER_POS: usize = 0;
    pub(crate) const SLEEPING_AND_CLOSED: usize = 128;
    pub(crate) const SKIPPED: usize = 280;
    pub(crate) const LET_GO: usize = 384;

    pub(crate) const PRODUCER_POS: usize = 0;
    pub(crate) const HEAD: usize = 128;
    pub(crate) const SLOTS_USED_AND_REGISTRATIONS: usize = 256;
    pub(crate) const OPENERS_AND_WAITING: usize = 264;
    pub(crate) const CALLED: usize = 512;

    pub(crate) const WORD: usize = 0;
    pub(crate) const SPAN: usize = 8;
    pub(crate) const WANTED: usize = 16;
    pub(crate) const OWNER_AND_PROCESS: usize = 32;
}

/// Which bytes of the file are locked, as `recovery::locks` says.
pub(crate) mod lock {
    pub(crate) const CONSUMER: i64 = 0;
    pub(crate) const REPAIR: i64 = 1;
    pub(crate) const SLOTS: i64 = 4096;
}

pub(crate) const BUSY: u32 = 1 << 31;
pub(crate) const DISCARD: u32 = 1 << 30;
pub(crate) const ENTERING: u64 = 1;

/// A ring, and a mapping of its whole file that can be written.
#[derive(Debug)]
pub(crate) struct Attacked {
    pub(crate) ring: SharedRing,
    pub(crate) pages: Pages,
    window: usize,
}

impl Attacked {
    pub(crate) fn new() -> Self {
        Self::built(Ring::builder(SIZE).max_producers(SLOTS as u32))
    }

    /// One of each kind.
    pub(crate) fn both() -> [Self; 2] {
        [Self::new(), Self::built(Ring::builder(SIZE).max_producers(SLOTS as u32).kernel_protocol(true))]
    }

    pub(crate) fn built(builder: Builder) -> Self {
        let ring = builder.build_shared().unwrap();
        let window = ring.window_offset() as usize;
        let bytes = window + 2 * page_size() + ring.capacity();
        let pages = Pages::map(ring.as_fd(), WRITE, 0, bytes).unwrap();
        Self { ring, pages, window }
    }

    /// Bytes of the file.
    pub(crate) fn bytes(&self) -> usize {
        self.data_at(self.ring.capacity())
    }

    pub(crate) fn consumer_page_at(&self, offset: usize) -> usize {
        self.window + offset
    }

    pub(crate) fn producer_page_at(&self, offset: usize) -> usize {
        self.window + page_size() + offset
    }

    pub(crate) fn slot_at(&self, slot: usize, offset: usize) -> usize {
        page_size() + slot * 128 + offset
    }

    pub(crate) fn data_at(&self, offset: usize) -> usize {
        self.window + 2 * page_size() + offset
    }

    pub(crate) fn store(&self, at: usize, word: u64) {
        self.pages.word(at).store(word, Ordering::Relaxed);
    }

    pub(crate) fn load(&self, at: usize) -> u64 {
        self.pages.word(at).load(Ordering::Relaxed)
    }

    /// Stores the words of 32 bits that lie at `at`, a multiple of 8, and behind it.
    pub(crate) fn store_two(&self, at: usize, first: u32, second: u32) {
        self.store(at, two(first, second));
    }

    /// Stores a header in the place of that at `offset` in the data, and leaves the tag as it is.
    pub(crate) fn store_header(&self, offset: usize, header: u32) {
        let at = self.data_at(offset);
        let tag = self.load(at).to_ne_bytes()[4..].try_into().unwrap();
        self.store_two(at, header, u32::from_ne_bytes(tag));
    }

    /// An open file description of its own, for locks.
    pub(crate) fn reopened(&self) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(format!("/proc/self/fd/{}", self.ring.as_fd().as_raw_fd()))
    }
}

/// Two words of 32 bits as they lie in memory.
pub(crate) fn two(first: u32, second: u32) -> u64 {
    let ([a, b, c, d], [e, f, g, h]) = (first.to_ne_bytes(), second.to_ne_bytes());
    u64::from_ne_bytes([a, b, c, d, e, f, g, h])
}

/// Locks `len` bytes of `file` from `start` on for the open file description; they go when it is closed.
pub(crate) fn hold(file: &File, start: i64, len: i64) -> io::Result<()> {
    let lock = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: start,
        l_len: len,
        l_pid: 0,
    };
    // SAFETY: the structure is valid for reads.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// xorshift64*
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((self.word() >> 32) as usize) % end
    }

    /// A word that is likely to be taken for something.
    pub(crate) fn forged(&mut self) -> u64 {
        match self.below(8) {
            0 => self.word(),
            1 => self.below(2 * SIZE) as u64,
            2 => self.below(2 * SIZE) as u64 & !7,
            3 => (self.below(2 * SIZE) as u64 & !7) | ENTERING,
            4 => u64::MAX - self.below(32) as u64,
            5 => 1 << self.below(64),
            6 => two(self.below(SIZE) as u32 | (self.below(4) as u32) << 30, self.below(8) as u32),
            _ => 0,
        }
    }
}

/// Ends an attack when dropped, by a panic too.
#[derive(Debug)]
pub(crate) struct EndOf<'d>(pub(crate) &'d AtomicBool);

impl Drop for EndOf<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
