//! Consumers in an event loop: when their descriptor becomes readable.
#![cfg(not(miri))] // The memory there has no descriptor.

mod support;

use std::error::Error;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use dynring::kernel::RingBuf;
use dynring::{Consumer, Corrupt, Producer, Readiness, Ring, WaitError, Wakeup};
use support::bpf::{FORCE_WAKEUP, NO_WAKEUP, Records};
use support::pages::{Pages, WRITE, page_size};
use support::privilege::without;
use support::stall::Stall;
use support::{Watch, is_readable, require, require_kernel};

type TestResult = Result<(), Box<dyn Error>>;

/// Longer than anything takes that does happen.
const LONG: Duration = Duration::from_secs(20);
/// For what does not happen, in milliseconds.
const SHORT: libc::c_int = 50;

const WORD: [u8; 8] = [0; 8];

fn ring() -> (Ring, Producer, Consumer) {
    let ring = Ring::builder(4096).build().unwrap();
    let (producer, consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    (ring, producer, consumer)
}

fn rings(consumer: &Consumer) -> io::Result<bool> {
    is_readable(consumer.poll_fd()?, LONG.as_millis() as libc::c_int)
}

fn is_silent(consumer: &Consumer) -> io::Result<bool> {
    Ok(!is_readable(consumer.poll_fd()?, SHORT)?)
}

fn number(record: &[u8]) -> u64 {
    record.first_chunk().map_or(u64::MAX, |word| u64::from_ne_bytes(*word))
}

fn numbers(consumer: &mut Consumer) -> Result<Vec<u64>, Corrupt> {
    std::iter::from_fn(|| consumer.next().map(|found| found.map(|record| number(&record))).transpose()).collect()
}

#[test]
fn a_record_rings_if_the_consumer_is_armed() -> TestResult {
    let (_ring, producer, mut consumer) = ring();
    assert_eq!(consumer.arm()?, None);
    assert!(is_silent(&consumer)?);
    producer.output(b"first")?;
    assert!(rings(&consumer)?);
    assert!(rings(&consumer)?, "until it is armed again");
    assert_eq!(consumer.arm()?, Some(Readiness::Ready));
    assert_eq!(&*consumer.next()?.expect("a record"), b"first");
    assert_eq!(consumer.arm()?, None);
    assert!(is_silent(&consumer)?, "what was rung before is forgotten");
    consumer.disarm();
    producer.output(b"second")?;
    assert!(is_silent(&consumer)?, "producers need not wake who is awake");
    assert_eq!(&*consumer.next()?.expect("a record"), b"second");
    Ok(())
}

#[test]
fn producers_from_before_the_descriptor_was_asked_for_ring_too() -> TestResult {
    let (ring, producer, mut consumer) = ring();
    let (clone, lease) = (producer.clone(), ring.producer()?);
    let lease = lease.lease(100)?;
    let owned = producer.reserve_owned(8)?;
    let fd = consumer.poll_fd()?.as_raw_fd();
    let finish: [Box<dyn FnOnce()>; 4] = [
        Box::new(|| drop(lease)),
        Box::new(|| owned.commit()),
        Box::new(|| clone.output(b"clone").unwrap()),
        Box::new(|| ring.producer().unwrap().reserve(8).unwrap().discard()),
    ];
    for finish in finish {
        assert_eq!(consumer.arm()?, None);
        assert!(is_silent(&consumer)?);
        finish();
        assert!(rings(&consumer)?);
        drop(consumer.next()?);
    }
    assert_eq!(consumer.poll_fd()?.as_raw_fd(), fd, "the same all the time");
    Ok(())
}

#[test]
fn the_flags_of_a_commit_say_whether_it_rings() -> TestResult {
    let (_ring, producer, mut consumer) = ring();
    assert_eq!(consumer.arm()?, None);
    producer.output_with(&WORD, Wakeup::None)?;
    producer.output(&WORD)?;
    assert!(is_silent(&consumer)?, "not the record that the consumer waits for");
    producer.output_with(&WORD, Wakeup::Force)?;
    assert!(rings(&consumer)?);
    assert_eq!(numbers(&mut consumer)?.len(), 3);
    Ok(())
}

#[test]
fn an_unfinished_record_is_silent_until_it_is_finished() -> TestResult {
    let (_ring, producer, mut consumer) = ring();
    let unfinished = producer.reserve(8)?;
    assert_eq!(consumer.arm()?, None);
    producer.output(&WORD)?;
    assert!(is_silent(&consumer)?);
    producer.output_with(&WORD, Wakeup::Force)?;
    assert!(rings(&consumer)?);
    assert_eq!(consumer.arm()?, None, "for no reason");
    assert!(is_silent(&consumer)?);
    assert!(consumer.stalled().is_some());
    unfinished.commit();
    assert!(rings(&consumer)?);
    assert_eq!(numbers(&mut consumer)?.len(), 3);
    Ok(())
}

#[test]
fn arming_gives_back_what_it_skips() -> TestResult {
    let (ring, producer, mut consumer) = ring();
    producer.reserve(8)?.discard();
    assert_eq!(consumer.arm()?, None);
    assert_eq!(ring.stats().available, 0);
    producer.output(&WORD)?;
    assert!(rings(&consumer)?);
    Ok(())
}

#[test]
fn the_last_producer_that_goes_rings() -> TestResult {
    let (ring, producer, mut consumer) = ring();
    drop(ring);
    let clone = producer.clone();
    assert_eq!(consumer.arm()?, None);
    drop(producer);
    // For no reason, perhaps.
    assert_eq!(consumer.arm()?, None);
    clone.output(b"last")?;
    drop(clone);
    assert!(rings(&consumer)?);
    assert_eq!(consumer.arm()?, Some(Readiness::Ready));
    assert_eq!(&*consumer.next()?.expect("a record"), b"last");
    assert_eq!(consumer.arm()?, Some(Readiness::Disconnected));
    Ok(())
}

#[test]
fn an_armed_consumer_can_sleep_in_other_ways() -> TestResult {
    let (ring, producer, mut consumer) = ring();
    assert_eq!(consumer.arm()?, None);
    thread::scope(|scope| -> TestResult {
        let sender = scope.spawn(|| {
            thread::sleep(Duration::from_millis(50));
            ring.producer().map(|producer| producer.output(b"one"))
        });
        assert_eq!(consumer.wait(Some(LONG))?, Readiness::Ready);
        sender.join().expect("the sender")??;
        Ok(())
    })?;
    assert_eq!(&*consumer.next()?.expect("a record"), b"one");
    assert_eq!(consumer.arm()?, None);
    assert_eq!(consumer.wait(Some(Duration::ZERO))?, Readiness::TimedOut);
    producer.output(b"two")?;
    assert_eq!(consumer.wait(None)?, Readiness::Ready);
    Ok(())
}

#[test]
fn a_dropped_consumer_leaves_producers_alone() -> TestResult {
    let (_ring, producer, mut consumer) = ring();
    let record = producer.reserve(8)?;
    assert_eq!(consumer.arm()?, None);
    drop(consumer);
    record.commit();
    assert!(producer.reserve(8).is_err());
    Ok(())
}

#[test]
fn a_corrupt_ring_cannot_be_armed() -> TestResult {
    let ring = Ring::builder(4096).kernel_protocol(true).build()?;
    let (producer, mut consumer) = (ring.producer()?, ring.consumer()?);
    producer.output(&WORD)?;
    let window = ring.window_offset() as usize;
    let pages = Pages::map(ring.as_fd(), WRITE, window, 3 * page_size())?;
    pages.word(2 * page_size()).store(1000, Ordering::Relaxed);
    for _ in 0..3 {
        let error = consumer.arm().expect_err("corrupt");
        assert!(matches!(error, WaitError::Corrupt(Corrupt::Length { found: 1000, .. })), "{error}");
        assert!(is_silent(&consumer)?);
    }
    Ok(())
}

#[test]
fn without_the_barrier_arming_fails_and_waiting_does_not() -> TestResult {
    let (ring, producer, mut consumer) = ring();
    let refused = without(libc::SYS_membarrier, || (consumer.arm(), consumer.wait(Some(Duration::ZERO))))?;
    let (Err(refused), waited) = refused else {
        require("kernel", Err::<(), _>("it has no membarrier(2)"));
        return Ok(());
    };
    assert_eq!(io::Error::from(refused).kind(), io::ErrorKind::PermissionDenied);
    assert_eq!(waited?, Readiness::TimedOut);
    producer.output(&WORD)?;
    assert!(is_silent(&consumer)?);
    assert_eq!(consumer.arm()?, Some(Readiness::Ready));
    drop(ring);
    Ok(())
}

#[test]
fn a_ring_of_the_kernel_rings_by_the_same_rules() -> TestResult {
    let Some(map) = require_kernel(page_size() as u32) else { return Ok(()) };
    let mut consumer = RingBuf::from_fd(&map)?.into_consumer()?;
    assert_eq!(consumer.arm()?, None);
    assert!(is_silent(&consumer)?);
    map.output(&Records::one(0, &WORD))?;
    assert!(rings(&consumer)?);
    assert_eq!(consumer.arm()?, Some(Readiness::Ready));
    assert_eq!(numbers(&mut consumer)?, [0]);
    assert_eq!(consumer.arm()?, None);
    assert!(is_silent(&consumer)?);
    map.output(&Records::one(1, &WORD).flags(NO_WAKEUP))?;
    assert!(is_silent(&consumer)?);
    map.output(&Records::one(2, &WORD).flags(FORCE_WAKEUP))?;
    assert!(rings(&consumer)?);
    assert_eq!(numbers(&mut consumer)?, [1, 2]);
    Ok(())
}

#[test]
fn an_unfinished_record_of_the_kernel_is_silent_until_it_is_finished() -> TestResult {
    let Some(map) = require_kernel(page_size() as u32) else { return Ok(()) };
    let Some(stall) = require("userfaultfd", Stall::new()) else { return Ok(()) };
    let stalling = map.stalling()?;
    let mut consumer = RingBuf::from_fd(&map)?.into_consumer()?;
    thread::scope(|scope| -> TestResult {
        let program = scope.spawn(|| stalling.run(stall.address()));
        let stalled = stall.until_stalled()?;
        assert!(is_readable(&map, 0)?, "the map itself is readable");
        for _ in 0..2 {
            assert_eq!(consumer.arm()?, None);
            assert!(is_silent(&consumer)?);
        }
        map.output(&Records::one(2, &WORD))?;
        assert!(is_silent(&consumer)?);
        stalled.release(1)?;
        assert!(rings(&consumer)?);
        program.join().expect("the program's thread")?;
        assert_eq!(numbers(&mut consumer)?, [1, 2]);
        Ok(())
    })
}

/// One that consumes, in an event loop of either kind.
struct Loop {
    consumer: Consumer,
    edges: Option<Watch>,
}

impl Loop {
    fn new(consumer: Consumer, edge_triggered: bool) -> io::Result<Self> {
        let edges = edge_triggered.then(|| Watch::edges_of(consumer.poll_fd()?)).transpose()?;
        Ok(Self { consumer, edges })
    }

    /// Waits for a record, which is to be the only one.
    fn next(&mut self) -> Result<u64, Box<dyn Error + Send + Sync>> {
        loop {
            if let Some(record) = self.consumer.next()? {
                return Ok(number(&record));
            }
            if self.consumer.arm()?.is_none() {
                let rung = match &self.edges {
                    Some(edges) => edges.rings(LONG)?,
                    None => rings(&self.consumer)?,
                };
                assert!(rung, "a wake was lost");
                self.consumer.disarm();
            }
        }
    }
}

/// How often threads hand a record over. `DYNRING_STRESS` multiplies it.
fn times(usual: u64) -> u64 {
    usual * std::env::var("DYNRING_STRESS").map_or(1, |times| times.parse::<u64>().expect("a number"))
}

#[test]
fn no_wake_is_lost_when_both_sides_wait_in_event_loops() -> Result<(), Box<dyn Error + Send + Sync>> {
    for (kernel_protocol, edge_triggered) in [(false, false), (false, true), (true, false), (true, true)] {
        let ring = || Ring::builder(4096).kernel_protocol(kernel_protocol).build();
        let (there, back) = (ring()?, ring()?);
        let (ping, pong) = (there.producer()?, back.producer()?);
        let mut pinged = Loop::new(there.consumer()?, edge_triggered)?;
        let mut ponged = Loop::new(back.consumer()?, edge_triggered)?;
        let times = times(10_000);
        thread::scope(|scope| -> Result<(), Box<dyn Error + Send + Sync>> {
            let other = scope.spawn(move || -> Result<(), Box<dyn Error + Send + Sync>> {
                for nth in 0..times {
                    assert_eq!(pinged.next()?, nth);
                    pong.output(&nth.to_ne_bytes())?;
                }
                Ok(())
            });
            for nth in 0..times {
                ping.output(&nth.to_ne_bytes())?;
                assert_eq!(ponged.next()?, nth);
            }
            other.join().expect("the other side")
        })?;
    }
    Ok(())
}

#[test]
fn no_wake_of_the_kernel_is_lost_in_an_event_loop() -> Result<(), Box<dyn Error + Send + Sync>> {
    for edge_triggered in [false, true] {
        let Some(map) = require_kernel(page_size() as u32) else { return Ok(()) };
        let mut waiting = Loop::new(RingBuf::from_fd(&map)?.into_consumer()?, edge_triggered)?;
        let (received, turn) = std::sync::mpsc::sync_channel(0);
        let times = times(10_000);
        thread::scope(|scope| -> Result<(), Box<dyn Error + Send + Sync>> {
            let writer = scope.spawn(move || -> io::Result<()> {
                for nth in 0..times {
                    map.output(&Records::one(nth, &WORD))?;
                    let _ = turn.recv();
                }
                Ok(())
            });
            for nth in 0..times {
                assert_eq!(waiting.next()?, nth);
                received.send(())?;
            }
            writer.join().expect("the writer")?;
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn a_record_that_was_leaked_is_passed_once_its_producer_has_gone() -> TestResult {
    let ring = Ring::builder(4096).build()?;
    let (leaky, producer, mut consumer) = (ring.producer()?, ring.producer()?, ring.consumer()?);
    std::mem::forget(leaky.reserve(8)?);
    producer.output(b"behind")?;
    assert_eq!(consumer.arm()?, None);
    drop(leaky);
    assert_eq!(consumer.arm()?, Some(Readiness::Ready));
    assert_eq!(&*consumer.next()?.expect("a record"), b"behind");
    Ok(())
}
