//! The bytes of a ring as they are, read beside its consumer.

use std::error::Error;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicU32, Ordering};

use dynring::SharedRing;
use memmap2::{MmapOptions, MmapRaw};

use crate::scene::stride;
use crate::support::pages::page_size;

const BUSY: u32 = 1 << 31;
const DISCARD: u32 = 1 << 30;

/// The data of a ring.
pub(crate) struct Headers {
    data: MmapRaw,
}

/// Records that the consumer has skipped.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Skipped {
    pub(crate) discarded: u64,
    pub(crate) abandoned: u64,
}

impl Headers {
    pub(crate) fn of(ring: &SharedRing) -> Result<Self, Box<dyn Error>> {
        let data = ring.window_offset() + 2 * page_size() as u64;
        let data = MmapOptions::new().offset(data).len(ring.capacity()).map_raw_read_only(ring.as_fd().as_raw_fd())?;
        Ok(Self { data })
    }

    #[expect(unsafe_code, reason = "looks at memory that others write")]
    fn word(&self, position: u64, nth: usize) -> u32 {
        let offset = position as usize % self.data.len() + nth * size_of::<u32>();
        // SAFETY: headers do not cross the end of the data, as they are on a grid of 8 bytes.
        let word = unsafe { self.data.as_ptr().add(offset) }.cast::<AtomicU32>();
        // SAFETY: mapped, aligned, and everybody's accesses are atomic.
        unsafe { &*word }.load(Ordering::Acquire)
    }

    /// Adds up the records from `from` to `to`, which are none that are delivered, and fill the space between exactly.
    pub(crate) fn skipped(&self, mut from: u64, to: u64, sum: &mut Skipped) {
        while from != to {
            let (word, tag) = (self.word(from, 0), self.word(from, 1));
            let lap = (from / self.data.len() as u64) as u16;
            assert_eq!(tag as u16, lap, "the header at {from:#x} is of another lap: {word:#x}, {tag:#x}");
            assert!(word & (BUSY | DISCARD) != 0, "the record at {from:#x} is committed, and was not delivered");
            let taken = stride((word & !(BUSY | DISCARD)) as usize);
            assert!(taken <= to.wrapping_sub(from), "the record at {from:#x} reaches past {to:#x}: {word:#x}");
            if word & BUSY != 0 {
                sum.abandoned += 1;
            } else {
                sum.discarded += 1;
            }
            from = from.wrapping_add(taken);
        }
    }
}
