//! Producers that are killed at random moments, and replaced.

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dynring::{Consumer, Producer, RegisterError, ReserveError, Ring, Stats, TrustedRing};

use crate::headers::{Headers, Skipped};
use crate::scene::{Inherited, Stop, TestResult, alone, content, report, stride, times, trusted};
use crate::support::victim::{Victim, until};

const PRODUCERS: u64 = 4;
pub(crate) const CAPACITY: usize = 256 << 10;
const SEED: u64 = 0x2545_f491_4f6c_dd1d;

pub(crate) fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state >> 11
}

/// Registers a producer in a slot that one who has died may still have.
fn register(ring: &TrustedRing) -> Producer {
    let begun = Instant::now();
    loop {
        match ring.producer() {
            Ok(producer) => return producer,
            Err(RegisterError::Full { .. }) if begun.elapsed() < Duration::from_secs(60) => thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

fn retried<R>(mut reserve: impl FnMut() -> Result<R, ReserveError>) -> R {
    loop {
        match reserve() {
            Ok(reserved) => return reserved,
            Err(ReserveError::Full) => thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Sends records 0, 1, 2, ... of `whose`, in each of the ways there are, until it is killed.
///
/// Leaves half of the ring empty, so that what the consumer has passed is still there when the test looks at it.
pub(crate) fn send_for_ever(ring: &TrustedRing, whose: u64) {
    let producer = register(ring);
    let mut state = SEED ^ whose;
    let mut number = 0;
    loop {
        while ring.ring().stats().unwrap().available > CAPACITY as u64 / 2 {
            thread::yield_now();
        }
        let len = 24 + (random(&mut state) % 200) as usize;
        match random(&mut state) % 8 {
            0 => {
                let mut lease = retried(|| producer.lease(1000));
                for _ in 0..random(&mut state) % 4 {
                    lease.output(&content(whose, number, len)).unwrap();
                    number += 1;
                }
            }
            1 => retried(|| producer.reserve(len)).discard(),
            2 => {
                let mut record = retried(|| producer.reserve(len + 100));
                record[..len].copy_from_slice(&content(whose, number, len));
                record.commit_len(len).unwrap();
                number += 1;
            }
            3 => {
                let lens = [len, 24, 77];
                for (mut record, len) in retried(|| producer.reserve_batch(&lens)).zip(lens) {
                    record.copy_from_slice(&content(whose, number, len));
                    record.commit();
                    number += 1;
                }
            }
            _ => {
                let mut record = producer.reserve_blocking(len, None).unwrap();
                record.copy_from_slice(&content(whose, number, len));
                record.commit();
                number += 1;
            }
        }
    }
}

/// What the consumer knows of the ring's history.
pub(crate) struct History {
    pub(crate) headers: Headers,
    /// Everything below is accounted for.
    pub(crate) end: u64,
    pub(crate) delivered: u64,
    pub(crate) skipped: Skipped,
    /// The number of the next record of each producer that ever was.
    pub(crate) next: HashMap<u64, u64>,
}

impl History {
    /// The record at `position` is what its producer has sent next, and what lies before it is no such thing.
    pub(crate) fn add(&mut self, position: u64, record: &[u8]) {
        self.headers.skipped(self.end, position, &mut self.skipped);
        let word = |at: usize| u64::from_ne_bytes(record[at..at + 8].try_into().unwrap());
        let (whose, number) = (word(0), word(8));
        assert_eq!(record, content(whose, number, record.len()), "record {number} of {whose} is torn");
        let next = self.next.entry(whose).or_default();
        assert_eq!(number, *next, "of {whose}: lost, doubled or out of order");
        *next += 1;
        self.delivered += 1;
        self.end = position.wrapping_add(stride(record.len()));
    }
}

/// Reads until `stop`, and then what is left.
fn receive(consumer: &mut Consumer, history: &mut History, stop: &AtomicBool) {
    loop {
        let last = stop.load(Ordering::SeqCst);
        let _ = consumer.wait(Some(Duration::from_millis(50))).unwrap();
        while let Some(record) = consumer.next().unwrap() {
            history.add(record.position(), &record);
        }
        if last && !consumer.recover().unwrap() && consumer.next().unwrap().is_none() {
            return;
        }
    }
}

/// Times from a kill to the moment when everything reserved before has been passed.
#[derive(Default)]
struct Times {
    all: Vec<Duration>,
    holes: Vec<Duration>,
}

fn percentiles(times: &mut [Duration]) -> String {
    times.sort();
    let Some(&most) = times.last() else { return "none".into() };
    let at = |percent: usize| times[times.len() * percent / 100];
    format!("{} kills, p50 {:?}, p99 {:?}, most {most:?}", times.len(), at(50), at(99))
}

/// Kills one, and waits until the consumer has passed what it has left.
fn kill_one(
    victim: Victim,
    stats: &impl Fn() -> Stats,
    lives: impl Fn() -> bool,
    times: &mut Times,
) -> std::io::Result<()> {
    let (begun, abandoned) = (Instant::now(), stats().abandoned);
    victim.kill()?;
    let head = stats().head;
    until("the consumer has passed what a dead producer has left", || {
        assert!(lives(), "the consumer has failed");
        thread::sleep(Duration::from_micros(50));
        // By wrapped distance.
        (stats().consumer_pos.wrapping_sub(head) as i64) >= 0
    });
    times.all.push(begun.elapsed());
    if stats().abandoned != abandoned {
        times.holes.push(begun.elapsed());
    }
    Ok(())
}

/// Resident pages and open descriptors of this process.
fn footprint() -> (u64, usize) {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let resident = statm.split(' ').nth(1).unwrap().parse().unwrap();
    (resident, fs::read_dir("/proc/self/fd").unwrap().count())
}

#[test]
fn after_any_number_of_random_deaths_every_byte_is_accounted_for() -> TestResult {
    let _alone = alone();
    kill_at_random(times(150, 10_000), false)?;
    kill_at_random(times(150, 10_000), true)
}

fn kill_at_random(kills: u64, kernel_protocol: bool) -> TestResult {
    let first = 0u64.wrapping_sub(10_000);
    let builder = Ring::builder(CAPACITY).max_producers(PRODUCERS as u32).first_position(first);
    let ring = trusted(&builder.kernel_protocol(kernel_protocol).build_shared()?);
    let (inherited, stats) = (Inherited::of(ring.ring()), || ring.ring().stats().unwrap());
    let headers = Headers::of(ring.ring())?;
    let next = HashMap::with_capacity(2 * kills as usize);
    let mut history = History { headers, end: first, delivered: 0, skipped: Skipped::default(), next };
    let (mut consumer, stop) = (ring.consumer()?, AtomicBool::new(false));
    let mut times = Times { all: Vec::with_capacity(kills as usize), holes: Vec::with_capacity(kills as usize) };
    let mut before = (0, 0);
    thread::scope(|scope| -> TestResult {
        let receiver = scope.spawn(|| receive(&mut consumer, &mut history, &stop));
        let stop = Stop(&stop);
        let mut whose = 0;
        let mut start = || {
            whose += 1;
            Victim::fork(|| send_for_ever(&inherited.attach(), whose))
        };
        let mut victims = (0..PRODUCERS).map(|_| start()).collect::<Result<Vec<_>, _>>()?;
        let mut state = SEED;
        for kill in 0..kills {
            thread::sleep(Duration::from_micros(random(&mut state) % 3000));
            let victim = victims.swap_remove((random(&mut state) % PRODUCERS) as usize);
            kill_one(victim, &stats, || !receiver.is_finished(), &mut times)?;
            victims.push(start()?);
            if kill == kills / 4 {
                before = footprint();
            }
        }
        let after = footprint();
        victims.into_iter().try_for_each(Victim::kill)?;
        drop(stop);
        receiver.join().unwrap();
        assert_eq!(after.1, before.1, "descriptors");
        assert!(after.0 < before.0 + 1024, "resident pages: {} and then {}", before.0, after.0);
        report(&format!("resident pages {} and then {}, descriptors {}", before.0, after.0, after.1));
        Ok(())
    })?;
    let stats = stats();
    history.headers.skipped(history.end, stats.head, &mut history.skipped);
    assert_eq!((stats.consumer_pos, stats.producers), (stats.head, 0));
    assert_eq!(history.skipped, Skipped { discarded: stats.discarded, abandoned: stats.abandoned });
    report(&format!(
        "{kills} random kills (kernel protocol: {kernel_protocol}), seed {SEED:#x}: {} records delivered, {} discarded, {} abandoned; {} bytes, each accounted for",
        history.delivered,
        stats.discarded,
        stats.abandoned,
        stats.head.wrapping_sub(first)
    ));
    report(&format!("to get past whatever the dead have left: {}", percentiles(&mut times.all)));
    report(&format!("of which with an unfinished record: {}", percentiles(&mut times.holes)));
    Ok(())
}
