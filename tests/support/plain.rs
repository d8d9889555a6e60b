//! A reader that knows nothing but the kernel's rules.
//!
//! It is written after `kernel/bpf/ringbuf.c` and libbpf's `src/ringbuf.c`, and shares no code with the crate: whatever it
//! can read, those can.
//!
//! ```text
//!   +---------------+---------------+----------------------+----------------------+
//!   | consumer page | producer page |         data         |      data again      |
//!   +---------------+---------------+----------------------+----------------------+
//!   consumer_pos +0  producer_pos +0  u32 len | BUSY | DISCARD, u32 pg_off, payload, padding to 8
//!   read and write   <-------------------------- read only -------------------------->
//! ```

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

pub const BUSY: u32 = 1 << 31;
pub const DISCARD: u32 = 1 << 30;

/// What the reader comes across.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen<'r> {
    Record(&'r [u8]),
    Discarded(u32),
}

pub struct PlainReader {
    consumer: *mut u8,
    producer: *mut u8,
    page: usize,
    size: usize,
}

// SAFETY: the pointers lead to shared mappings that the value owns; they are accessed through atomics, but for payloads,
// which nobody writes while they are read.
unsafe impl Send for PlainReader {}

impl PlainReader {
    /// Maps a ring of `size` bytes whose consumer page is at `window` in the file.
    pub fn map(file: BorrowedFd<'_>, window: u64, size: usize) -> io::Result<Self> {
        // SAFETY: no preconditions.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let window = window as usize;
        let rest = page + size;
        let read_write = libc::PROT_READ | libc::PROT_WRITE;
        let consumer = map(ptr::null_mut(), page, read_write, libc::MAP_SHARED, file.as_raw_fd(), window)?;
        // Addresses for the producer page and the data twice in a row, and then the file over them.
        let anonymous = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let producer = map(ptr::null_mut(), rest + size, libc::PROT_NONE, anonymous, -1, 0)?;
        let fixed = libc::MAP_SHARED | libc::MAP_FIXED;
        map(producer, rest, libc::PROT_READ, fixed, file.as_raw_fd(), window + page)?;
        map(producer.wrapping_add(rest), size, libc::PROT_READ, fixed, file.as_raw_fd(), window + 2 * page)?;
        Ok(Self { consumer, producer, page, size })
    }

    pub fn consumer_pos(&self) -> u64 {
        // SAFETY: the page begins with the word.
        unsafe { &*self.consumer.cast::<AtomicU64>() }.load(Ordering::Acquire)
    }

    pub fn set_consumer_pos(&mut self, position: u64) {
        // SAFETY: the page begins with the word, and is mapped writable.
        unsafe { &*self.consumer.cast::<AtomicU64>() }.store(position, Ordering::Release);
    }

    pub fn producer_pos(&self) -> u64 {
        // SAFETY: the page begins with the word.
        let word = unsafe { &*self.producer.cast::<AtomicU64>() };
        acquired(word.load(Ordering::Relaxed))
    }

    /// The word at `offset` of the producer page.
    pub fn producer_word(&self, offset: usize) -> u64 {
        assert!(offset % 8 == 0 && offset < self.page);
        // SAFETY: in the page, and aligned.
        let word = unsafe { &*self.producer.wrapping_add(offset).cast::<AtomicU64>() };
        word.load(Ordering::Relaxed)
    }

    /// The two words of the header at `position`.
    pub fn header(&self, position: u64) -> (u32, u32) {
        let at = self.at(position);
        // SAFETY: records start at multiples of 8 below the size, where the data is.
        let len = unsafe { &*at.cast::<AtomicU32>() };
        let len = acquired(len.load(Ordering::Relaxed));
        // SAFETY: as above, and headers are 8 bytes long.
        let tag = unsafe { &*at.wrapping_add(4).cast::<AtomicU32>() };
        (len, tag.load(Ordering::Relaxed))
    }

    fn at(&self, position: u64) -> *const u8 {
        assert_eq!(position % 8, 0, "a record starts at a multiple of 8");
        let offset = (position as usize) & (self.size - 1);
        self.producer.wrapping_add(self.page + offset)
    }

    /// The data and the data again. Nobody may be writing.
    pub fn halves(&self) -> (&[u8], &[u8]) {
        let data = self.producer.wrapping_add(self.page);
        // SAFETY: mapped readable for that many bytes behind the producer page; nobody writes, says the caller.
        let both = unsafe { std::slice::from_raw_parts(data, 2 * self.size) };
        both.split_at(self.size)
    }

    /// Reads what is there, up to the first busy record, as `ringbuf_process_ring` does. Returns how many records it was.
    pub fn consume(&mut self, mut each: impl FnMut(Seen<'_>)) -> u64 {
        let mut records = 0;
        let mut consumer = self.consumer_pos();
        loop {
            let mut found = false;
            let producer = self.producer_pos();
            assert!(producer.wrapping_sub(consumer) <= self.size as u64, "{consumer:#x} to {producer:#x}");
            while consumer != producer {
                let (word, _) = self.header(consumer);
                if word & BUSY != 0 {
                    return records;
                }
                found = true;
                let len = word & !DISCARD;
                let stride = (u64::from(len) + 8).next_multiple_of(8);
                assert!(stride <= producer.wrapping_sub(consumer), "{len} bytes at {consumer:#x} of {producer:#x}");
                if word & DISCARD != 0 {
                    each(Seen::Discarded(len));
                } else {
                    let start = self.at(consumer).wrapping_add(8);
                    // SAFETY: the payload of a committed record, which ends within what has been produced; its bytes
                    // are mapped in a row, and nobody writes them until `consumer_pos` has passed.
                    each(Seen::Record(unsafe { std::slice::from_raw_parts(start, len as usize) }));
                    records += 1;
                }
                consumer = consumer.wrapping_add(stride);
                self.set_consumer_pos(consumer);
            }
            if !found {
                return records;
            }
        }
    }
}

impl Drop for PlainReader {
    fn drop(&mut self) {
        for (address, bytes) in [(self.consumer, self.page), (self.producer, self.page + 2 * self.size)] {
            // SAFETY: mapped by `map`, and no reference into it is left.
            let result = unsafe { libc::munmap(address.cast(), bytes) };
            assert_eq!(result, 0);
        }
    }
}

fn map(address: *mut u8, bytes: usize, protection: i32, flags: i32, fd: i32, offset: usize) -> io::Result<*mut u8> {
    // SAFETY: without MAP_FIXED, a new mapping; with it, over addresses that `PlainReader::map` has just reserved.
    let mapped = unsafe { libc::mmap(address.cast(), bytes, protection, flags, fd, offset as libc::off_t) };
    if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(mapped.cast()) }
}

/// Makes the load before it an acquire load, which read-only memory does not allow otherwise.
fn acquired<T>(loaded: T) -> T {
    fence(Ordering::Acquire);
    loaded
}
