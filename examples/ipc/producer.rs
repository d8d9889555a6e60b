//! Producers: two that work as they should, and two that are killed.

use std::error::Error;
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::thread;

use dynring::{DynPtr, Producer, ReserveError, TrustedRing};
use zerocopy::IntoBytes;

use crate::child::{heed, receive, send};
use crate::messages::{Begin, Head, Ready, Written, len_of, span_of};

/// How often a steady producer changes its mind: each so many records.
const DISCARDS: u64 = 16;

/// Writes until it is told to finish, discards some reservations in between, and says what it has done.
pub fn steady(ring: &TrustedRing, number: usize, parent: &UnixStream) -> Result<(), Box<dyn Error>> {
    let (producer, _) = begin(ring, parent)?;
    let finish = heed(parent)?;
    let mut written = Written::default();
    for nth in 0.. {
        if finish.load(Ordering::Relaxed) {
            break;
        }
        if nth % DISCARDS == 0 {
            drop(producer.reserve_blocking(len_of(nth), None)?);
            written.discarded += span_of(nth);
        }
        write(&producer, number, nth)?.commit();
        written.records += 1;
    }
    Ok(send(parent, &written)?)
}

/// Writes a few records, reserves one more, says so, and never finishes it.
pub fn holder(ring: &TrustedRing, number: usize, parent: &UnixStream) -> Result<(), Box<dyn Error>> {
    let (producer, records) = begin(ring, parent)?;
    heed(parent)?;
    for nth in 0..records {
        write(&producer, number, nth)?.commit();
    }
    let _held = write(&producer, number, records)?;
    send(parent, &Written { records, discarded: 0 })?;
    loop {
        thread::park();
    }
}

/// Writes as fast as it can.
pub fn flooder(ring: &TrustedRing, number: usize, parent: &UnixStream) -> Result<(), Box<dyn Error>> {
    let (producer, _) = begin(ring, parent)?;
    heed(parent)?;
    for nth in 0.. {
        write(&producer, number, nth)?.commit();
    }
    Ok(())
}

/// Registers, says so, and waits until it is told to begin. Returns how many records the holder is to write.
fn begin(ring: &TrustedRing, parent: &UnixStream) -> Result<(Producer, u64), Box<dyn Error>> {
    let producer = ring.producer()?;
    send(parent, &Ready { process: std::process::id().into() })?;
    let Begin { records } = receive(parent)?;
    Ok((producer, records))
}

/// Writes a record in place. It is not committed yet.
fn write(producer: &Producer, number: usize, nth: u64) -> Result<DynPtr<'_>, ReserveError> {
    let mut record = producer.reserve_blocking(len_of(nth), None)?;
    let (head, rest) = record.split_at_mut(size_of::<Head>());
    head.copy_from_slice(Head { producer: number as u64, number: nth }.as_bytes());
    rest.fill(nth as u8);
    Ok(record)
}
