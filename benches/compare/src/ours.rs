//! Ways to send and receive with dynring, between threads and between processes.

use std::ops::Range;
use std::time::Duration;

use anyhow::Result;
use dynring::{Consumer, CopyingConsumer, CopyingProducer, Producer, ReserveError};

use crate::common::fill;
use crate::link::{By, ROOM, Receiver, Sender};

/// Bytes of a lease.
const LEASE: usize = 16 << 10;

/// How much is left to gather, and for how long.
const GATHER: usize = ROOM / 8;
const GATHER_FOR: Duration = Duration::from_micros(20);

/// Reserves and writes one record after the other.
pub struct Plain(Producer);

/// Reserves for many records at once.
pub struct Leasing(Producer);

/// Copies what was written elsewhere, as is done among those who do not trust each other.
pub struct Copying {
    producer: CopyingProducer,
    record: Vec<u8>,
}

/// Reads what is there.
pub struct Reading(Consumer);

/// Lets some records gather first.
pub struct Gathering(Consumer);

/// Copies records out.
pub struct CopyingOut {
    consumer: CopyingConsumer,
    record: Vec<u8>,
}

impl From<Producer> for Plain {
    fn from(producer: Producer) -> Self {
        Self(producer)
    }
}

impl From<Producer> for Leasing {
    fn from(producer: Producer) -> Self {
        Self(producer)
    }
}

impl From<CopyingProducer> for Copying {
    fn from(producer: CopyingProducer) -> Self {
        Self { producer, record: Vec::new() }
    }
}

impl From<Consumer> for Reading {
    fn from(consumer: Consumer) -> Self {
        Self(consumer)
    }
}

impl From<Consumer> for Gathering {
    fn from(consumer: Consumer) -> Self {
        Self(consumer)
    }
}

impl From<CopyingConsumer> for CopyingOut {
    fn from(consumer: CopyingConsumer) -> Self {
        Self { consumer, record: Vec::new() }
    }
}

/// Whether there was room.
#[inline(always)]
pub fn unless_full(sent: Result<(), ReserveError>) -> Result<bool> {
    match sent {
        Ok(()) => Ok(true),
        Err(ReserveError::Full) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Sender for Plain {
    #[inline(always)]
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        unless_full(self.0.reserve(len).map(|mut record| {
            fill(&mut record, word);
            record.commit();
        }))
    }

    fn send(&mut self, numbers: Range<u64>, by: By) -> Result<()> {
        for nth in numbers {
            let mut record = self.0.reserve_blocking(by.sizes.len(nth), None)?;
            fill(&mut record, by.word(nth));
            record.commit();
        }
        Ok(())
    }
}

impl Sender for Leasing {
    /// One record needs no lease.
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        unless_full(self.0.reserve(len).map(|mut record| {
            fill(&mut record, word);
            record.commit();
        }))
    }

    fn send(&mut self, numbers: Range<u64>, by: By) -> Result<()> {
        let mut nth = numbers.start;
        while nth < numbers.end {
            let mut lease = self.0.lease_blocking(LEASE.max(2 * by.sizes.largest()), None)?;
            while nth < numbers.end {
                let Ok(mut record) = lease.reserve(by.sizes.len(nth)) else { break };
                fill(&mut record, by.word(nth));
                record.commit();
                nth += 1;
            }
        }
        Ok(())
    }
}

impl Sender for Copying {
    fn try_send(&mut self, word: u64, len: usize) -> Result<bool> {
        self.record.resize(len, 0);
        fill(&mut self.record, word);
        unless_full(self.producer.output(&self.record))
    }
}

impl Receiver for Reading {
    #[inline(always)]
    fn receive(&mut self, most: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        read(&mut self.0, most, &mut each)
    }
}

impl Receiver for Gathering {
    #[inline(always)]
    fn receive(&mut self, most: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        let _ = self.0.wait_for(GATHER, GATHER_FOR, None)?;
        read(&mut self.0, most, &mut each)
    }
}

impl Receiver for CopyingOut {
    #[inline(always)]
    fn receive(&mut self, most: u64, mut each: impl FnMut(&[u8])) -> Result<u64> {
        let mut received = 0;
        while received < most && self.consumer.next_into(&mut self.record)? {
            each(&self.record);
            received += 1;
        }
        Ok(received)
    }
}

#[inline(always)]
fn read(consumer: &mut Consumer, most: u64, each: &mut impl FnMut(&[u8])) -> Result<u64> {
    let mut received = 0;
    while received < most
        && let Some(record) = consumer.next()?
    {
        each(&record);
        received += 1;
    }
    Ok(received)
}
