//! The loop that people write by hand: the kernel's protocol on memory that was mapped, nothing checked, nothing around it.

#![expect(unsafe_code, reason = "reads memory that the kernel fills")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use memmap2::{MmapOptions, MmapRaw};

const BUSY: u32 = 1 << 31;
const DISCARD: u32 = 1 << 30;

/// A ring of the kernel, and its one consumer.
#[derive(Debug)]
pub struct Bare {
    consumer: MmapRaw,
    /// The producer page, the data, and the data again.
    producer: MmapRaw,
    page: usize,
    mask: u64,
}

impl Bare {
    /// Maps the ring of `size` bytes.
    pub fn open(map: BorrowedFd<'_>, page: usize, size: usize) -> io::Result<Self> {
        let consumer = MmapOptions::new().len(page).map_raw(map.as_raw_fd())?;
        let rest = MmapOptions::new().offset(page as u64).len(page + 2 * size).map_raw_read_only(map.as_raw_fd())?;
        Ok(Self { consumer, producer: rest, page, mask: size as u64 - 1 })
    }

    /// Calls `each` with what is there, up to the first record that is not finished. Returns how many it was.
    pub fn drain(&mut self, mut each: impl FnMut(&[u8])) -> u64 {
        // SAFETY: the page begins with the word, and is mapped writable for as long as `self` lives.
        let consumer_pos = unsafe { &*self.consumer.as_ptr().cast::<AtomicU64>() };
        // SAFETY: the page begins with the word, and is mapped for as long as `self` lives.
        let producer_pos = unsafe { &*self.producer.as_ptr().cast::<AtomicU64>() };
        let data = self.producer.as_ptr().wrapping_add(self.page);
        let (mut records, mut at) = (0, consumer_pos.load(Ordering::Relaxed));
        let end = producer_pos.load(Ordering::Acquire);
        while at != end {
            let header = data.wrapping_add((at & self.mask) as usize);
            // SAFETY: records begin at multiples of 8 within the data.
            let word = unsafe { &*header.cast::<AtomicU32>() }.load(Ordering::Acquire);
            if word & BUSY != 0 {
                break;
            }
            let len = (word & !DISCARD) as usize;
            if word & DISCARD == 0 {
                // SAFETY: a finished record, which nobody writes to before `consumer_pos` has passed; the data is there twice.
                each(unsafe { std::slice::from_raw_parts(header.wrapping_add(8), len) });
                records += 1;
            }
            at += (len as u64 + 8).next_multiple_of(8);
            consumer_pos.store(at, Ordering::Release);
        }
        records
    }
}

/// A ring that the kernel drains, and its one producer.
#[derive(Debug)]
pub struct BareProducer {
    consumer: MmapRaw,
    /// The producer page, the data, and the data again.
    producer: MmapRaw,
    page: usize,
    size: u64,
}

impl BareProducer {
    /// Maps the ring of `size` bytes.
    pub fn open(map: BorrowedFd<'_>, page: usize, size: usize) -> io::Result<Self> {
        let consumer = MmapOptions::new().len(page).map_raw_read_only(map.as_raw_fd())?;
        let rest = MmapOptions::new().offset(page as u64).len(page + 2 * size).map_raw(map.as_raw_fd())?;
        Ok(Self { consumer, producer: rest, page, size: size as u64 })
    }

    /// Sends a sample of `len` bytes, written by `write`, if there is room.
    #[inline]
    pub fn send(&mut self, len: usize, write: impl FnOnce(&mut [u8])) -> bool {
        // SAFETY: the page begins with the word, and is mapped for as long as `self` lives.
        let consumer_pos = unsafe { &*self.consumer.as_ptr().cast::<AtomicU64>() };
        // SAFETY: the page begins with the word, and is mapped writable for as long as `self` lives.
        let producer_pos = unsafe { &*self.producer.as_ptr().cast::<AtomicU64>() };
        let (at, stride) = (producer_pos.load(Ordering::Relaxed), (len as u64 + 8).next_multiple_of(8));
        if at + stride - consumer_pos.load(Ordering::Acquire) > self.size {
            return false;
        }
        let header = self.producer.as_mut_ptr().wrapping_add(self.page + (at & (self.size - 1)) as usize);
        // SAFETY: samples begin at multiples of 8 within the data.
        let word = unsafe { &*header.cast::<AtomicU32>() };
        word.store(len as u32 | BUSY, Ordering::Relaxed);
        producer_pos.store(at + stride, Ordering::Release);
        // SAFETY: reserved, so that nobody else looks at it, and there is room for it; the data is there twice.
        write(unsafe { std::slice::from_raw_parts_mut(header.wrapping_add(8), len) });
        word.store(len as u32, Ordering::Release);
        true
    }
}
