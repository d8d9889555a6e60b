//! What the processes do.

use std::error::Error;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use dynring::{CopyingProducer, Readiness, SharedRing};

use crate::tally::{PRODUCERS, Report};
use crate::{BEFORE_THE_OPEN_ONE, RECORDS};

/// The ring, from whoever started this process.
fn receive() -> Result<SharedRing, Box<dyn Error>> {
    let stdin = io::stdin().as_fd().try_clone_to_owned()?;
    Ok(SharedRing::receive(&UnixStream::from(stdin))?)
}

/// Sends records until it is done, or killed.
pub(crate) fn produce(role: &str) -> Result<(), Box<dyn Error>> {
    let number = PRODUCERS.iter().position(|name| *name == role).ok_or_else(|| format!("{role} is no role"))?;
    let producer = receive()?.producer()?;
    let records = match role {
        "open" => BEFORE_THE_OPEN_ONE,
        "fast" => u64::MAX,
        _ => RECORDS,
    };
    for sequence in 0..records {
        send(&producer, Report { producer: number as u64, sequence })?;
    }
    if role == "open" {
        let mut record = producer.reserve_blocking(1000, None)?;
        record.write(0, b"never finished")?;
        io::stdout().write_all(b"!")?;
        io::stdout().flush()?;
        thread::sleep(Duration::from_secs(3600));
    }
    Ok(())
}

/// A record of some size, which says who has sent it.
fn send(producer: &CopyingProducer, report: Report) -> Result<(), Box<dyn Error>> {
    let len = Report::BYTES + (report.sequence * 37 % 500) as usize;
    let mut record = producer.reserve_blocking(len, None)?;
    record.write(0, &report.to_bytes())?;
    record.commit();
    Ok(())
}

/// Reports what it has read, a batch at a time, until no producer is left.
pub(crate) fn consume() -> Result<(), Box<dyn Error>> {
    let ring = receive()?;
    #[expect(unsafe_code, reason = "who shares the ring is known")]
    // SAFETY: all processes that have the ring are this program's, and use it as this one does.
    let ring = unsafe { ring.trusted() };
    let mut consumer = ring.consumer()?;
    while consumer.wait(None)? == Readiness::Ready {
        let batch = consumer.batch();
        let mut reports = Vec::new();
        for record in batch.iter().take(Report::BATCH) {
            reports.extend_from_slice(record?.get(..Report::BYTES).ok_or("a short record")?);
        }
        // In one write, of which all arrives or nothing. Only then are the records let go of.
        io::stdout().write_all(&reports)?;
        io::stdout().flush()?;
        drop(batch);
    }
    Ok(())
}

/// Looks at the ring now and then.
pub(crate) fn observe() -> Result<(), Box<dyn Error>> {
    let ring = receive()?;
    loop {
        let stats = ring.stats()?;
        println!(
            "observer: {} producers, {} bytes in the ring, {} so far",
            stats.producers, stats.available, stats.head
        );
        thread::sleep(Duration::from_millis(50));
    }
}
