//! Ways to send and to receive that are not what one does by default.

use std::ops::ControlFlow;

use anyhow::Result;
use dynring::{Consumer, Limits, Producer};

use crate::link::{Receiver, Sender};
use crate::ours::unless_full;

/// Records that are given back at once.
const BATCH: u64 = 64;

/// Bytes ahead of what is read.
const AHEAD: usize = 512;

/// Gives back what has been read when there is no more.
pub struct Draining(Consumer);

/// Gives back [`BATCH`] records at a time.
pub struct Batching(Consumer);

/// Asks for what will be read next.
pub struct Prefetching(Consumer);

/// Writes payloads to memory, not to the cache.
pub struct PastTheCache(Producer);

macro_rules! from {
    ($($way:ident: $end:ident),*) => {
        $(impl From<$end> for $way {
            fn from(end: $end) -> Self {
                Self(end)
            }
        })*
    };
}

from!(Draining: Consumer, Batching: Consumer, Prefetching: Consumer, PastTheCache: Producer);

impl Receiver for Draining {
    #[inline(always)]
    fn receive(&mut self, most: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        Ok(self.0.drain_up_to(Limits { records: Some(most), ..Limits::default() }, |record| {
            each(record);
            ControlFlow::Continue(())
        })?)
    }
}

impl Receiver for Batching {
    #[inline(always)]
    fn receive(&mut self, most: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        let batch = self.0.batch();
        let mut received = 0;
        while received < most.min(BATCH)
            && let Some(record) = batch.next()?
        {
            each(record);
            received += 1;
        }
        Ok(received)
    }
}

impl Receiver for Prefetching {
    #[inline(always)]
    fn receive(&mut self, most: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        let mut received = 0;
        while received < most
            && let Some(record) = self.0.next()?
        {
            prefetch(record.as_ptr().wrapping_add(record.len() + AHEAD));
            each(&record);
            received += 1;
        }
        Ok(received)
    }
}

impl Sender for PastTheCache {
    #[inline(always)]
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        unless_full(self.0.reserve(len).map(|mut record| {
            write_past_the_cache(&mut record, word);
            record.commit();
        }))
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "an instruction")]
#[inline(always)]
fn prefetch(at: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: it takes any address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
}

/// Fills the payload with the word.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "an instruction")]
#[inline(always)]
fn write_past_the_cache(payload: &mut [u8], word: u64) {
    use std::arch::x86_64::{_mm_sfence, _mm_stream_si64};
    for place in payload.chunks_exact_mut(8) {
        // SAFETY: 8 bytes that are this function's to write; payloads are aligned to as much.
        unsafe { _mm_stream_si64(place.as_mut_ptr().cast(), word as i64) }
    }
    // SAFETY: an instruction that all such processors have.
    unsafe { _mm_sfence() }
}

#[cfg(not(target_arch = "x86_64"))]
fn prefetch(_: *const u8) {
    unreachable!("nobody takes part here who does this");
}

#[cfg(not(target_arch = "x86_64"))]
fn write_past_the_cache(_: &mut [u8], _: u64) {
    unreachable!("nobody takes part here who does this");
}
