//! One way from senders to a receiver, whatever it is made of: between threads and between processes alike.
//!
//! Each payload consists of one word, over and over: who sends, and the number of the record. So every byte is written, every
//! byte is read, and whether a record is whole and in its place shows.

use std::ops::Range;
use std::thread;

use anyhow::{Result, ensure};
use crossbeam_utils::Backoff;

use crate::common::{Sizes, back_off, fold};

/// The most senders that a link has.
pub const SENDERS: usize = 64;

/// Bytes that what lies between may take, where that can be said.
pub const ROOM: usize = 1 << 20;

/// The end that records are put into.
pub trait Sender {
    /// Sends a record of `len` bytes that all are `word`, over and over. Whether there was room for it.
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool>;

    /// Sends the records with these numbers, and waits for room: longer and longer.
    fn send(&mut self, numbers: Range<u64>, by: By) -> Result<()> {
        for nth in numbers {
            let backoff = Backoff::new();
            while !self.try_send(by.word(nth), by.sizes.len(nth))? {
                if by.shared_core { thread::yield_now() } else { backoff.spin() }
            }
        }
        Ok(())
    }
}

/// The end that they come out of.
pub trait Receiver {
    /// Calls `each` with records that are there, `most` of them at the most; with none, if none are. Returns how many it was.
    ///
    /// Whoever has found that many does not look for more: looking in vain does not count.
    fn receive(&mut self, most: u64, each: impl FnMut(&[u8])) -> Result<u64>;
}

/// Who sends, and what.
#[derive(Clone, Copy, Debug)]
pub struct By {
    pub sender: usize,
    pub sizes: Sizes,
    /// Whether it has to give up its core for others to go on.
    pub shared_core: bool,
}

const NUMBER_BITS: u32 = 56;

impl By {
    #[inline(always)]
    pub fn word(self, nth: u64) -> u64 {
        (self.sender as u64 + 1) << NUMBER_BITS | nth
    }
}

/// What has to come next.
pub struct Expected {
    /// The number, of each sender.
    next: [u64; SENDERS],
    sizes: Sizes,
    /// The word and the length of the first record that was not what it should be; the word is 0 if it was torn.
    wrong: Option<(u64, usize)>,
}

impl Expected {
    /// From each sender the record with the number `first`.
    pub fn from(first: u64, sizes: Sizes) -> Self {
        Self { next: [first; SENDERS], sizes, wrong: None }
    }

    /// Reads a record, and checks it.
    #[inline(always)]
    pub fn take(&mut self, payload: &[u8]) {
        let word = fold(payload);
        let (sender, nth) = ((word >> NUMBER_BITS).wrapping_sub(1) as usize, word & ((1 << NUMBER_BITS) - 1));
        match self.next.get_mut(sender) {
            Some(next) if *next == nth && self.sizes.len(nth) == payload.len() => *next += 1,
            _ => self.note(word, payload.len()),
        }
    }

    #[cold]
    fn note(&mut self, word: u64, len: usize) {
        self.wrong.get_or_insert((word, len));
    }

    /// Whether everything was as it should be, and each of `senders` has come to `end`.
    pub fn check(&self, senders: usize, end: u64) -> Result<()> {
        ensure!(self.wrong.is_none(), "torn, or in the wrong place: {:x?}", self.wrong);
        ensure!(self.next[..senders].iter().all(|&next| next == end), "{:?}, not {end}", self.next);
        Ok(())
    }
}

/// Receives until `count` records have come. Looks again and again.
pub fn receive_all(receiver: &mut impl Receiver, count: u64, shared_core: bool, expected: &mut Expected) -> Result<()> {
    let mut left = count;
    while left > 0 {
        match receiver.receive(left, |payload| expected.take(payload))? {
            0 => back_off(shared_core),
            received => left = left.saturating_sub(received),
        }
    }
    Ok(())
}
