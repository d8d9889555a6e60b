//! The consumer, and how its successor goes on without losing or repeating anything.

use std::error::Error;
use std::os::unix::net::UnixStream;

use dynring::{Readiness, TrustedRing};
use zerocopy::FromBytes;

use crate::child::{heed, receive, send};
use crate::messages::{Head, Progress, len_of, span_of};

/// Records that are given back together.
const BATCH: usize = 256;

/// Reads and checks records, from where the last consumer has got to, until there are no producers left.
///
/// It says how far it is **before** it gives the records back. So if it dies in between, the next one meets them again, and
/// knows them; if it were the other way round, the next one would never learn of them.
pub fn consume(ring: &TrustedRing, parent: &UnixStream) -> Result<(), Box<dyn Error>> {
    let mut progress: Progress = receive(parent)?;
    heed(parent)?;
    let before = progress;
    let mut consumer = ring.consumer()?;
    while consumer.wait(None)? == Readiness::Ready {
        let batch = consumer.batch();
        for record in batch.iter().take(BATCH) {
            progress.take_in(record?, &before)?;
        }
        send(parent, &progress)?;
        // Here, at the end of the batch, its space goes back to the producers.
    }
    Ok(())
}

impl Progress {
    /// Checks a record, and that it is the next one of its producer. Those that the consumer `before` was done with are known.
    fn take_in(&mut self, record: &[u8], before: &Self) -> Result<(), Box<dyn Error>> {
        let (head, rest) = Head::read_from_prefix(record).map_err(|_| "a record that is too short")?;
        let Head { producer, number } = head;
        let producer = producer as usize;
        let next = self.next.get_mut(producer).ok_or("a record of nobody")?;
        if record.len() != len_of(number) || rest.iter().any(|&byte| byte != number as u8) {
            return Err(format!("record {number} of producer {producer} is torn").into());
        }
        if number < before.next[producer] {
            self.again += 1;
        } else if number == *next {
            *next += 1;
            self.bytes += span_of(number);
        } else {
            return Err(format!("record {number} of producer {producer} comes where {next} should").into());
        }
        Ok(())
    }
}
