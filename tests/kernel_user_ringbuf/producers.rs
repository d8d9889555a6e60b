//! Many producers.

use std::collections::BTreeMap;
use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use dynring::kernel::UserRingBuf;
use dynring::{Producer, RegisterError, ReserveError};

use crate::support::drain::UserRing;
use crate::support::pages::page_size;
use crate::support::require_user_ring;

type TestResult = Result<(), Box<dyn Error>>;

/// Longer than anything takes that does happen.
const LONG: Duration = Duration::from_secs(60);

fn page() -> u32 {
    page_size() as u32
}

/// Says who has sent it, and as which of its samples; as long as `len`, but for these words.
fn sample(producer: u32, nth: u32, len: usize) -> Vec<u8> {
    let mut sample = [producer.to_ne_bytes(), nth.to_ne_bytes()].concat();
    sample.resize(len.max(8), (producer + nth) as u8);
    sample
}

/// Keeps account of what each producer has sent.
#[derive(Default)]
pub(crate) struct Account(BTreeMap<u32, u32>);

impl Account {
    /// Takes a sample, which must be whole, and the next of its producer.
    pub(crate) fn take(&mut self, got: &[u8]) {
        let word = |at: usize| u32::from_ne_bytes(got[at..at + 4].try_into().expect("4 bytes"));
        let (producer, nth) = (word(0), word(4));
        assert_eq!(got, sample(producer, nth, got.len()), "torn");
        let expected = self.0.entry(producer).or_default();
        assert_eq!(nth, *expected, "the next sample of producer {producer}");
        *expected += 1;
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.values().map(|&samples| u64::from(samples)).sum()
    }

    /// Drains until there have been `total` samples.
    pub(crate) fn drain(&mut self, ring: &mut UserRing, total: u64) -> TestResult {
        let begun = Instant::now();
        while self.total() < total {
            assert!(begun.elapsed() < LONG, "{} of {total} samples", self.total());
            for sample in ring.drained()? {
                self.take(&sample);
            }
        }
        assert_eq!(self.total(), total);
        Ok(())
    }
}

/// Sends `samples` samples in every way there is, discarding some reservations in between.
pub(crate) fn send(producer: &Producer, who: u32, samples: u32) -> Result<(), ReserveError> {
    let mut nth = 0;
    while nth < samples {
        let len = (nth * 37 + who * 11) as usize % 200;
        let payload = sample(who, nth, len);
        match nth % 6 {
            0 => {
                let mut record = producer.reserve_blocking(payload.len() + 20, Some(LONG))?;
                record[..payload.len()].copy_from_slice(&payload);
                record.commit_len(payload.len()).expect("shorter");
                nth += 1;
            }
            1 => {
                let second = sample(who, nth + 1, len / 2);
                let lens = [payload.len(), 3, second.len()];
                let batch = again(|| producer.reserve_batch(&lens))?;
                for (mut record, sample) in batch.zip([&payload[..], b"", &second]) {
                    if sample.is_empty() {
                        record.discard();
                    } else {
                        record.copy_from_slice(sample);
                        record.commit();
                    }
                }
                nth += 2;
            }
            3 => {
                let mut lease = again(|| producer.lease(500))?;
                let mut left = Ok(());
                while left.is_ok() {
                    left = lease.output(&sample(who, nth, len));
                    nth += u32::from(left.is_ok());
                }
            }
            _ => {
                drop(again(|| producer.reserve(len))?);
                again(|| producer.output(&payload))?;
                nth += 1;
            }
        }
    }
    // Leases and batches may have sent more than was asked for: the last sample says how many.
    again(|| producer.output(&sample(who, nth, 8)))
}

/// Tries until there is space.
fn again<R>(mut reserve: impl FnMut() -> Result<R, ReserveError>) -> Result<R, ReserveError> {
    let begun = Instant::now();
    loop {
        match reserve() {
            Err(ReserveError::Full) if begun.elapsed() < LONG => thread::yield_now(),
            result => return result,
        }
    }
}

#[test]
fn of_eight_threads_every_sample_is_drained_once_and_in_order() -> TestResult {
    const THREADS: u32 = 8;
    const SAMPLES: u32 = 20_000;

    let Some(mut ring) = require_user_ring(16 * page()) else { return Ok(()) };
    let user = UserRingBuf::from_fd(&ring)?;
    let mut account = Account::default();
    thread::scope(|scope| -> TestResult {
        let threads = (0..THREADS).map(|who| {
            let user = user.clone();
            scope.spawn(move || send(&user.producer().expect("a slot"), who, SAMPLES))
        });
        let threads: Vec<_> = threads.collect();
        account.drain_while(&mut ring, || threads.iter().any(|thread| !thread.is_finished()))?;
        threads.into_iter().try_for_each(|thread| thread.join().expect("a producer"))?;
        Ok(())
    })?;
    assert_eq!(account.0.len(), THREADS as usize);
    assert!(account.0.values().all(|&samples| samples > SAMPLES), "{:?}", account.0);
    assert_eq!(user.stats().producers, 0);
    Ok(())
}

#[test]
fn a_page_that_eight_threads_fight_for_loses_nothing() -> TestResult {
    const THREADS: u32 = 8;
    const SAMPLES: u32 = 3000;

    let Some(mut ring) = require_user_ring(page()) else { return Ok(()) };
    let user = UserRingBuf::from_fd(&ring)?;
    let mut account = Account::default();
    thread::scope(|scope| -> TestResult {
        for who in 0..THREADS {
            let producer = user.producer()?;
            scope.spawn(move || -> Result<(), ReserveError> {
                for nth in 0..SAMPLES {
                    let mut record = producer.reserve_blocking(8 + (nth as usize % 1000), Some(LONG))?;
                    let payload = sample(who, nth, record.len());
                    record.copy_from_slice(&payload);
                    record.commit();
                }
                Ok(())
            });
        }
        account.drain(&mut ring, u64::from(THREADS * SAMPLES))
    })
}

#[test]
fn the_page_has_room_for_as_many_producers_as_it_says_however_often_it_is_opened() -> TestResult {
    let Some(ring) = require_user_ring(page()) else { return Ok(()) };
    let (user, again) = (UserRingBuf::from_fd(&ring)?, UserRingBuf::from_fd(&ring)?);
    let room = user.max_producers();
    assert_eq!(room, (page_size() - 512) / 128);
    let mut producers = Vec::new();
    for nth in 0..room {
        producers.push(if nth % 2 == 0 { user.producer()? } else { again.producer()? });
    }
    for full in [user.producer(), again.producer(), producers[0].try_clone()] {
        assert!(matches!(full, Err(RegisterError::Full { max_producers }) if max_producers == room), "{full:?}");
    }
    for producer in &producers {
        producer.output(b"8 bytes!")?;
    }
    assert_eq!(ring.count()?, room as i64);
    assert_eq!((user.stats().producers, again.stats().producers), (room as u32, room as u32));
    producers.pop();
    assert!(user.producer().is_ok(), "given back");
    Ok(())
}

impl Account {
    /// Drains while `going`, and then what is left.
    pub(crate) fn drain_while(&mut self, ring: &mut UserRing, mut going: impl FnMut() -> bool) -> TestResult {
        loop {
            let last = !going();
            for sample in ring.drained()? {
                self.take(&sample);
            }
            if last {
                return Ok(());
            }
        }
    }
}
