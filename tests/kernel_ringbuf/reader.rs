//! A consumer that copies.

#![expect(unsafe_code, reason = "reads records")]

use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

use dynring::kernel::{Doorbell, RingBuf};
use dynring::raw::{self, Mapped, Memory};
use dynring::wire::Corrupt;

#[derive(Debug)]
pub(crate) struct Reader {
    consumer: raw::Consumer<Mapped>,
    pub(crate) doorbell: Doorbell,
}

impl Reader {
    pub(crate) fn open(map: impl AsFd) -> io::Result<Self> {
        let (consumer, doorbell) = RingBuf::from_fd(map)?.into_raw()?;
        Ok(Self { consumer, doorbell })
    }

    /// The next record, not yet given back.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, Corrupt> {
        let found = self.consumer.take()?;
        Ok(found.map(|found| {
            let payload = self.consumer.memory().payload(found.at);
            // SAFETY: the record was just taken, and is not yet given back.
            unsafe { std::slice::from_raw_parts(payload.as_ptr(), found.len as usize) }.to_vec()
        }))
    }

    /// Everything there is, given back.
    pub(crate) fn drain(&mut self) -> Result<Vec<Vec<u8>>, Corrupt> {
        let records = std::iter::from_fn(|| self.next().transpose()).collect();
        self.release();
        records
    }

    /// The numbers over the first 8 bytes of everything there is, given back.
    pub(crate) fn numbers(&mut self) -> Result<Vec<u64>, Corrupt> {
        let number = |record: Vec<u8>| record.first_chunk().map_or(u64::MAX, |word| u64::from_ne_bytes(*word));
        Ok(self.drain()?.into_iter().map(number).collect())
    }

    /// Gives what was read back to the kernel.
    pub(crate) fn release(&mut self) {
        let _ = self.consumer.publish();
    }

    /// Records that were skipped because they were discarded.
    pub(crate) fn discarded(&self) -> u64 {
        self.consumer.discarded()
    }

    /// What the pages say: `consumer_pos` and `producer_pos`.
    pub(crate) fn positions(&self) -> (u64, u64) {
        let memory = self.consumer.memory();
        let consumer_pos = memory.consumer().consumer_pos.load(Ordering::Relaxed);
        (consumer_pos, memory.producer().producer_pos.load(Ordering::Relaxed))
    }

    /// Waits for a record. Whether there is one.
    pub(crate) fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        let deadline = Instant::now() + timeout;
        loop {
            self.release();
            fence(Ordering::SeqCst);
            let left = deadline.saturating_duration_since(Instant::now());
            if self.consumer.peek()?.is_some() || left.is_zero() {
                return Ok(self.consumer.peek()?.is_some());
            }
            self.doorbell.wait(Some(left))?;
        }
    }
}
