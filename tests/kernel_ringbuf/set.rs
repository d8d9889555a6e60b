//! Many rings in one wait.

use std::error::Error;
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use dynring::kernel::RingBuf;
use dynring::{PollEnd, PollError, Polled, RingSet, RingToken, Waker};

use crate::bpf::{FORCE_WAKEUP, NO_WAKEUP, Records, Ring};
use crate::positions::forge;
use crate::support::clock::processor_time;
use crate::support::pages::page_size;
use crate::support::signals::Interrupted;
use crate::support::stall::Stall;
use crate::support::{is_readable, require, require_kernel};

type TestResult = Result<(), Box<dyn Error>>;

/// Longer than anything takes that does happen.
const LONG: Option<Duration> = Some(Duration::from_secs(20));
/// For what does not happen.
const SHORT: Option<Duration> = Some(Duration::from_millis(100));
const NOW: Option<Duration> = Some(Duration::ZERO);

const WORD: [u8; 8] = [0; 8];

fn page() -> u32 {
    page_size() as u32
}

/// Two rings of `bytes` bytes, if the kernel allows.
fn two_rings(bytes: u32) -> Option<[Ring; 2]> {
    Some([require_kernel(bytes)?, require_kernel(bytes)?])
}

fn number(record: &[u8]) -> u64 {
    record.first_chunk().map_or(u64::MAX, |word| u64::from_ne_bytes(*word))
}

/// What was handled: which ring's, and the number of the record.
#[derive(Default)]
struct Log(Mutex<Vec<(usize, u64)>>);

impl Log {
    fn push(&self, ring: usize, record: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((ring, number(record)));
    }

    fn take(&self) -> Vec<(usize, u64)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many of each of two rings.
    fn count(&self) -> [usize; 2] {
        let log = self.take();
        [0, 1].map(|ring| log.iter().filter(|entry| entry.0 == ring).count())
    }

    /// Adds `map` to `set` as the ring `nth`.
    fn add<'l>(&'l self, set: &mut RingSet<'l>, map: &Ring, nth: usize) -> io::Result<RingToken> {
        let handler = move |record: &[u8]| {
            self.push(nth, record);
            ControlFlow::Continue(())
        };
        Ok(set.add(RingBuf::from_fd(map)?.into_consumer()?, handler)?)
    }
}

/// A set of `maps`, each as the ring that it is in order, with a quantum of `quantum` records.
fn set_of<'l>(log: &'l Log, maps: &[Ring], quantum: u64) -> io::Result<RingSet<'l>> {
    let mut set = RingSet::new()?;
    set.set_quantum(quantum.try_into().map_err(io::Error::other)?);
    for (nth, map) in maps.iter().enumerate() {
        log.add(&mut set, map, nth)?;
    }
    Ok(set)
}

#[track_caller]
fn assert_polled(polled: Result<Polled, PollError>, records: u64, end: PollEnd) {
    let polled = polled.expect("a poll without an error");
    assert_eq!((polled.records, polled.end), (records, end));
}

#[test]
fn ringbuf_multi() -> TestResult {
    let Some(maps) = two_rings(page()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, &maps, 256)?;
    assert_polled(set.poll(NOW), 0, PollEnd::TimedOut);
    maps[0].output(&Records::one(333, &WORD))?;
    maps[1].output(&Records::one(777, &WORD))?;
    assert_polled(set.poll(LONG), 2, PollEnd::Records);
    assert_polled(set.poll(NOW), 0, PollEnd::TimedOut);
    let mut got = log.take();
    got.sort_unstable();
    assert_eq!(got, [(0, 333), (1, 777)]);
    Ok(())
}

#[test]
fn ringbuf_n() -> TestResult {
    let Some(map) = require_kernel(page()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, std::slice::from_ref(&map), 256)?;
    assert_eq!(map.output(&Records::one(0, &WORD).times(32))?.written, 32);
    for _ in 0..8 {
        assert_eq!(set.consume_n(4)?, 4);
    }
    assert_eq!(set.consume_n(4)?, 0);
    assert!(log.take().into_iter().eq((0..32).map(|nth| (0, nth))));
    Ok(())
}

#[test]
fn consume_n_is_exact_across_rings_whatever_the_quantum() -> TestResult {
    for quantum in [1, 2, 3, 7, 1000] {
        let Some(maps) = two_rings(page()) else { return Ok(()) };
        let log = Log::default();
        let mut set = set_of(&log, &maps, quantum)?;
        maps[0].output(&Records::one(0, &WORD).times(20))?;
        maps[1].output(&Records::one(0, &WORD).times(5))?;
        assert_eq!(set.consume_n(0)?, 0);
        assert_eq!(log.take(), []);
        for n in [1, 10, 13] {
            assert_eq!(set.consume_n(n)?, n, "quantum {quantum}");
        }
        assert_eq!(set.consume_n(u64::MAX)?, 1, "all that is left");
        assert_eq!(log.count(), [20, 5]);
    }
    Ok(())
}

#[test]
fn consuming_one_by_one_takes_from_each_ring_in_turn() -> TestResult {
    let Some(maps) = two_rings(page()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, &maps, 256)?;
    for map in &maps {
        map.output(&Records::one(0, &WORD).times(10))?;
    }
    for _ in 0..10 {
        assert_eq!(set.consume_n(1)?, 1);
    }
    assert_eq!(log.count(), [5, 5]);
    Ok(())
}

#[test]
fn consuming_handles_a_turn_and_flushing_everything() -> TestResult {
    let Some(maps) = two_rings(page()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, &maps, 10)?;
    maps[0].output(&Records::one(0, &WORD).times(100).flags(NO_WAKEUP))?;
    maps[1].output(&Records::one(0, &WORD).times(3).flags(NO_WAKEUP))?;
    assert_eq!(set.consume()?, 13);
    assert_eq!(set.consume()?, 10);
    assert_eq!(set.flush()?, 80);
    assert_eq!((set.flush()?, set.consume()?), (0, 0));
    assert_eq!(log.count(), [100, 3]);
    Ok(())
}

#[test]
fn flushing_does_not_go_after_what_comes_meanwhile() -> TestResult {
    let Some(map) = require_kernel(page()) else { return Ok(()) };
    map.output(&Records::one(0, &WORD).times(5))?;
    let mut set = RingSet::new()?;
    let consumer = RingBuf::from_fd(&map)?.into_consumer()?;
    set.add(consumer, |_| {
        let written = map.output(&Records::one(0, &WORD)).expect("one more");
        assert_eq!(written.written, 1);
        ControlFlow::Continue(())
    })?;
    for _ in 0..100 {
        assert_eq!(set.flush()?, 5);
    }
    Ok(())
}

#[test]
fn what_exceeds_the_quantum_is_remembered() -> TestResult {
    let Some(maps) = two_rings(4 * page()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, &maps, 10)?;
    maps[0].output(&Records::one(0, &WORD).times(95))?;
    maps[1].output(&Records::one(0, &WORD).times(15))?;
    // The kernel rings no more; without a memory of its own, the set would sleep.
    for records in [20, 15, 10, 10, 10, 10, 10, 10, 10, 5] {
        assert_polled(set.poll(None), records, PollEnd::Records);
    }
    assert_polled(set.poll(SHORT), 0, PollEnd::TimedOut);
    assert_eq!(log.count(), [95, 15]);
    Ok(())
}

#[test]
fn turns_begin_with_each_ring_in_turn() -> TestResult {
    let Some(maps) = two_rings(4 * page()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, &maps, 1)?;
    for map in &maps {
        map.output(&Records::one(0, &WORD).times(4))?;
    }
    for _ in 0..4 {
        assert_polled(set.poll(LONG), 2, PollEnd::Records);
    }
    let order: Vec<usize> = log.take().into_iter().map(|entry| entry.0).collect();
    assert_eq!(order, [0, 1, 1, 0, 0, 1, 1, 0]);
    Ok(())
}

#[test]
fn a_flooded_ring_does_not_starve_another() -> TestResult {
    const ROUNDS: u64 = 300;
    const QUANTUM: u64 = 16;

    let Some(maps) = two_rings(16 * page()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, &maps, QUANTUM)?;
    let done = AtomicBool::new(false);
    thread::scope(|scope| -> TestResult {
        let flood = scope.spawn(|| -> io::Result<u64> {
            let mut written = 0;
            while !done.load(Ordering::Relaxed) {
                written += maps[0].output(&Records::one(written, &WORD).times(64))?.written;
            }
            Ok(written)
        });
        let flooded = || -> TestResult {
            let begun = Instant::now();
            while set.poll(LONG)?.records < QUANTUM {
                assert!(begun.elapsed() < LONG.unwrap_or_default(), "no flood");
            }
            for round in 0..ROUNDS {
                log.take();
                maps[1].output(&Records::one(round, &WORD))?;
                let polled = set.poll(LONG)?;
                assert!(polled.records <= 2 * QUANTUM, "{polled:?}");
                assert_eq!(log.count()[1], 1, "in round {round}");
            }
            Ok(())
        };
        let result = catch_unwind(AssertUnwindSafe(flooded));
        done.store(true, Ordering::Relaxed);
        let written = flood.join().expect("the flood")?;
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        set.flush()?;
        assert_eq!(set.records(), written + ROUNDS);
        Ok(())
    })
}

#[test]
fn a_waker_interrupts_a_poll_that_sleeps() -> TestResult {
    let Some(maps) = two_rings(page()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, &maps, 256)?;
    let waker: Waker = set.waker();
    thread::scope(|scope| -> TestResult {
        let sleeper = scope.spawn(|| set.poll(None));
        thread::sleep(Duration::from_millis(50));
        assert!(!sleeper.is_finished());
        waker.clone().wake();
        assert_polled(sleeper.join().expect("the sleeper"), 0, PollEnd::Woken);
        Ok(())
    })?;
    assert_polled(set.poll(NOW), 0, PollEnd::TimedOut);
    Ok(())
}

#[test]
fn wakes_before_a_poll_interrupt_it_once_and_hold_no_records_back() -> TestResult {
    let Some(maps) = two_rings(page()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, &maps, 256)?;
    let waker = set.waker();
    for _ in 0..3 {
        waker.wake();
    }
    maps[0].output(&Records::one(1, &WORD))?;
    assert_polled(set.poll(None), 1, PollEnd::Woken);
    assert_polled(set.poll(NOW), 0, PollEnd::TimedOut);
    drop(set);
    waker.wake();
    Ok(())
}

#[test]
fn a_waker_interrupts_a_set_without_rings() -> TestResult {
    let mut set = RingSet::new()?;
    assert!(set.is_empty());
    assert_polled(set.poll(SHORT), 0, PollEnd::TimedOut);
    assert_eq!((set.consume()?, set.consume_n(3)?, set.flush()?), (0, 0, 0));
    let waker = set.waker();
    thread::scope(|scope| {
        scope.spawn(|| waker.wake());
        assert_polled(set.poll(None), 0, PollEnd::Woken);
    });
    Ok(())
}

#[test]
fn an_unfinished_record_neither_keeps_a_poll_awake_nor_holds_other_rings_back() -> TestResult {
    let Some(maps) = two_rings(page()) else { return Ok(()) };
    let Some(stall) = require("userfaultfd", Stall::new()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, &maps, 256)?;
    let stalling = maps[0].stalling()?;
    thread::scope(|scope| -> TestResult {
        let program = scope.spawn(|| stalling.run(stall.address()));
        let stalled = stall.until_stalled()?;
        maps[0].output(&Records::one(2, &WORD))?;
        assert!(is_readable(&maps[0], 0)?, "the kernel calls it readable");

        // Woken for nothing, once.
        maps[0].output(&Records::one(3, &WORD).flags(FORCE_WAKEUP))?;
        let timeout = Duration::from_millis(300);
        let (begun, ran) = (Instant::now(), processor_time());
        assert_polled(set.poll(Some(timeout)), 0, PollEnd::TimedOut);
        let ran = processor_time() - ran;
        assert!(begun.elapsed() >= timeout);
        assert!(ran < timeout / 20, "awake for {ran:?}");

        maps[1].output(&Records::one(4, &WORD))?;
        assert_polled(set.poll(LONG), 1, PollEnd::Records);
        let found: Vec<_> = set.stalled().map(|(ring, stalled)| (ring, stalled.position, stalled.len)).collect();
        let first = set.rings().next().expect("a ring");
        assert_eq!(found, [(first, 0, Some(8))]);
        assert_eq!(set.flush()?, 0);

        scope.spawn(move || {
            thread::sleep(Duration::from_millis(50));
            stalled.release(1)
        });
        assert_polled(set.poll(LONG), 3, PollEnd::Records);
        program.join().expect("the program's thread")?;
        assert_eq!(log.take(), [(1, 4), (0, 1), (0, 2), (0, 3)]);
        assert_eq!(set.stalled().count(), 0);
        Ok(())
    })
}

#[test]
fn a_deadline_holds_while_wakes_for_nothing_rain() -> TestResult {
    let Some(maps) = two_rings(16 * page()) else { return Ok(()) };
    let Some(stall) = require("userfaultfd", Stall::new()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, &maps, 256)?;
    let stalling = maps[0].stalling()?;
    let done = AtomicBool::new(false);
    thread::scope(|scope| -> TestResult {
        let program = scope.spawn(|| stalling.run(stall.address()));
        let stalled = stall.until_stalled()?;
        let rain = scope.spawn(|| -> io::Result<()> {
            while !done.load(Ordering::Relaxed) {
                maps[0].output(&Records::one(0, &WORD).flags(FORCE_WAKEUP))?;
                thread::sleep(Duration::from_micros(100));
            }
            Ok(())
        });
        let timeout = Duration::from_millis(200);
        let begun = Instant::now();
        let polled = set.poll(Some(timeout));
        let took = begun.elapsed();
        done.store(true, Ordering::Relaxed);
        stalled.release(1)?;
        assert_polled(polled, 0, PollEnd::TimedOut);
        assert!(timeout <= took && took < Duration::from_secs(5), "{took:?}");
        rain.join().expect("the rain")?;
        program.join().expect("the program's thread")?;
        Ok(())
    })
}

#[test]
fn signals_do_not_end_a_poll() -> TestResult {
    let Some(maps) = two_rings(page()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, &maps, 256)?;
    let (interrupted, done) = (Interrupted::current(), AtomicBool::new(false));
    thread::scope(|scope| -> TestResult {
        let signals = scope.spawn(|| -> io::Result<u32> {
            let mut sent = 0;
            while !done.load(Ordering::Relaxed) {
                interrupted.interrupt()?;
                sent += 1;
                thread::sleep(Duration::from_millis(2));
            }
            Ok(sent)
        });
        let timeout = Duration::from_millis(200);
        let begun = Instant::now();
        let polled = set.poll(Some(timeout));
        let took = begun.elapsed();
        done.store(true, Ordering::Relaxed);
        assert_polled(polled, 0, PollEnd::TimedOut);
        assert!(timeout <= took && took < Duration::from_secs(5), "{took:?}");
        assert!(signals.join().expect("the signals")? > 2);
        Ok(())
    })
}

#[test]
fn records_without_a_wakeup_are_found_at_once_or_when_the_time_is_up() -> TestResult {
    let Some(maps) = two_rings(page()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, &maps, 256)?;
    assert_polled(set.poll(NOW), 0, PollEnd::TimedOut);
    maps[1].output(&Records::one(1, &WORD).flags(NO_WAKEUP))?;
    assert_polled(set.poll(None), 1, PollEnd::Records);
    let begun = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(20));
            maps[1].output(&Records::one(2, &WORD).flags(NO_WAKEUP))
        });
        assert_polled(set.poll(Some(Duration::from_millis(300))), 1, PollEnd::Records);
    });
    assert!(begun.elapsed() >= Duration::from_millis(300));
    Ok(())
}

#[test]
fn a_handler_that_stops_loses_nothing() -> TestResult {
    let Some(maps) = two_rings(page()) else { return Ok(()) };
    let handled = AtomicU64::new(0);
    let mut set = RingSet::new()?;
    for map in &maps {
        map.output(&Records::one(0, &WORD).times(3))?;
        let consumer = RingBuf::from_fd(map)?.into_consumer()?;
        set.add(consumer, |_| {
            handled.fetch_add(1, Ordering::Relaxed);
            ControlFlow::Break(())
        })?;
    }
    for _ in 0..3 {
        assert_polled(set.poll(LONG), 1, PollEnd::Stopped);
    }
    assert_eq!((set.consume()?, set.consume_n(10)?, set.flush()?), (1, 1, 1));
    assert_polled(set.poll(SHORT), 0, PollEnd::TimedOut);
    assert_eq!((set.records(), handled.load(Ordering::Relaxed)), (6, 6));
    Ok(())
}

#[test]
fn a_stop_does_not_hide_a_wake() -> TestResult {
    let Some(map) = require_kernel(page()) else { return Ok(()) };
    map.output(&Records::one(0, &WORD))?;
    let mut set = RingSet::new()?;
    set.add(RingBuf::from_fd(&map)?.into_consumer()?, |_| ControlFlow::Break(()))?;
    set.waker().wake();
    assert_polled(set.poll(None), 1, PollEnd::Stopped);
    assert_polled(set.poll(None), 0, PollEnd::Woken);
    Ok(())
}

#[test]
fn a_handler_that_panics_loses_its_record_alone() -> TestResult {
    let Some(maps) = two_rings(page()) else { return Ok(()) };
    let log = Log::default();
    let mut set = RingSet::new()?;
    for (nth, map) in maps.iter().enumerate() {
        map.output(&Records::one(0, &WORD).times(3))?;
        let log = &log;
        set.add(RingBuf::from_fd(map)?.into_consumer()?, move |record| {
            log.push(nth, record);
            assert!((nth, number(record)) != (0, 1), "on purpose");
            ControlFlow::Continue(())
        })?;
    }
    assert!(catch_unwind(AssertUnwindSafe(|| set.poll(LONG))).is_err());
    while set.poll(NOW)?.end == PollEnd::Records {}
    let mut all = log.take();
    all.sort_unstable();
    assert_eq!(all, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]);
    assert_eq!(set.records(), 6);
    Ok(())
}

#[test]
fn a_ring_that_is_taken_out_is_no_longer_handled_and_loses_nothing() -> TestResult {
    let Some(maps) = two_rings(page()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, &maps, 1)?;
    let tokens: Vec<RingToken> = set.rings().collect();
    for map in &maps {
        map.output(&Records::one(0, &WORD).times(3))?;
    }
    assert_eq!(set.consume()?, 2);
    let mut consumer = set.remove(tokens[0]).expect("in the set");
    assert!(set.remove(tokens[0]).is_none() && set.get(tokens[0]).is_none() && set.records_of(tokens[0]).is_none());
    assert_eq!((set.len(), set.flush()?, set.records()), (1, 2, 4));
    maps[0].output(&Records::one(3, &WORD))?;
    assert_polled(set.poll(SHORT), 0, PollEnd::TimedOut);
    assert_eq!(consumer.drain(|_| ControlFlow::Continue(()))?, 3);
    assert_eq!(log.count(), [1, 3]);

    // It is a consumer like any other, and may come back under another name.
    maps[0].output(&Records::one(4, &WORD))?;
    assert_eq!(consumer.wait(LONG)?, dynring::Readiness::Ready);
    drop(consumer);
    let again = log.add(&mut set, &maps[0], 0)?;
    assert!(!tokens.contains(&again));
    assert_polled(set.poll(LONG), 1, PollEnd::Records);
    assert_eq!(log.take(), [(0, 4)]);
    Ok(())
}

#[test]
fn counts_and_positions_are_those_of_each_ring() -> TestResult {
    let Some(maps) = two_rings(page()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, &maps, 3)?;
    let tokens: Vec<RingToken> = set.rings().collect();
    maps[0].output(&Records::one(0, &WORD).times(5))?;
    maps[1].output(&Records::one(0, &WORD))?;
    assert_eq!(set.consume()?, 4);
    let [first, second] = [tokens[0], tokens[1]];
    assert_eq!((set.records_of(first), set.records_of(second), set.records()), (Some(3), Some(1), 4));
    assert_eq!(set.get(first).map(|ring| (ring.available(), ring.consumer_pos())), Some((32, 48)));
    assert_eq!(set.get(second).map(|ring| (ring.available(), ring.producer_pos())), Some((0, 16)));
    Ok(())
}

#[test]
fn a_corrupt_ring_is_named_once_and_the_others_go_on() -> TestResult {
    let Some(maps) = two_rings(page()) else { return Ok(()) };
    for map in &maps {
        map.output(&Records::one(0, &WORD))?;
    }
    forge(&maps[0], 4096)?;
    let log = Log::default();
    let mut set = set_of(&log, &maps, 256)?;
    let corrupt = set.rings().next().expect("a ring");
    set.waker().wake();
    let error = set.poll(LONG).expect_err("a corrupt ring");
    assert!(matches!(error, PollError::Corrupt { ring, .. } if ring == corrupt), "{error:?}");
    assert!(error.to_string().starts_with("ring 0 of the set: corrupt ring: "), "{error}");
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::InvalidData);
    assert_polled(set.poll(LONG), 1, PollEnd::Woken);
    maps[0].output(&Records::one(1, &WORD).flags(FORCE_WAKEUP))?;
    assert_polled(set.poll(SHORT), 0, PollEnd::TimedOut);
    assert_eq!((set.consume()?, set.flush()?, set.stalled().count()), (0, 0, 0));
    maps[1].output(&Records::one(1, &WORD))?;
    assert_polled(set.poll(LONG), 1, PollEnd::Records);
    assert!(set.remove(corrupt).expect("in the set").next().is_err());
    assert_eq!(log.take(), [(1, 0), (1, 1)]);
    Ok(())
}

#[test]
fn a_ring_of_this_process_is_handed_back() -> TestResult {
    let ring = dynring::Ring::builder(4096).build()?;
    let mut set = RingSet::new()?;
    let error = set.add(ring.consumer()?, |_| ControlFlow::Continue(())).expect_err("not of the kernel");
    assert!(error.to_string().contains("of the kernel is allowed"), "{error}");
    let mut consumer = error.into_consumer();
    ring.producer()?.output(b"still here")?;
    assert_eq!(&*consumer.next()?.expect("a record"), b"still here");
    let error = set.add(consumer, |_| ControlFlow::Continue(())).expect_err("not of the kernel");
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::InvalidInput);
    Ok(())
}

#[test]
fn a_set_can_be_part_of_another_event_loop() -> TestResult {
    let Some(maps) = two_rings(page()) else { return Ok(()) };
    let log = Log::default();
    let mut set = set_of(&log, &maps, 10)?;
    for nth in 0..100 {
        while set.poll(NOW)?.end != PollEnd::TimedOut {}
        assert!(!is_readable(&set, 0)?);
        maps[nth % 2].output(&Records::one(0, &WORD).times(nth as u64 % 40 + 1))?;
        assert!(is_readable(&set, 10_000)?, "in round {nth}");
    }
    while set.poll(NOW)?.end != PollEnd::TimedOut {}
    set.waker().wake();
    assert!(is_readable(&set, 10_000)?);
    assert_polled(set.poll(NOW), 0, PollEnd::Woken);
    assert!(!is_readable(&set, 0)?);
    Ok(())
}

#[test]
fn a_set_may_go_to_another_thread() {
    fn is_send<T: Send>() {}
    fn is_shared<T: Send + Sync + Clone + 'static>() {}
    is_send::<RingSet<'static>>();
    is_shared::<Waker>();
}

#[test]
fn a_hundred_rings_are_heard() -> TestResult {
    let Some(map) = require_kernel(page()) else { return Ok(()) };
    let maps = (1..100).map(|_| Ring::new(page())).collect::<io::Result<Vec<_>>>()?;
    let log = Log::default();
    let mut set = set_of(&log, &maps, 256)?;
    log.add(&mut set, &map, 99)?;
    assert_polled(set.poll(NOW), 0, PollEnd::TimedOut);
    for (nth, map) in maps.iter().chain([&map]).enumerate() {
        map.output(&Records::one(nth as u64, &WORD))?;
    }
    assert_polled(set.poll(LONG), 100, PollEnd::Records);
    let mut all = log.take();
    all.sort_unstable();
    assert!(all.into_iter().eq((0..100).map(|nth| (nth as usize, nth))));
    Ok(())
}

#[test]
fn no_wake_up_is_lost_over_two_rings() -> TestResult {
    const EACH: u64 = 50_000;

    let Some(maps) = two_rings(page()) else { return Ok(()) };
    let handled = [AtomicU64::new(0), AtomicU64::new(0)];
    let done = AtomicBool::new(false);
    let mut set = RingSet::new()?;
    for (map, handled) in maps.iter().zip(&handled) {
        set.add(RingBuf::from_fd(map)?.into_consumer()?, |record| {
            assert_eq!(number(record), handled.fetch_add(1, Ordering::Relaxed));
            ControlFlow::Continue(())
        })?;
    }
    thread::scope(|scope| -> TestResult {
        for (map, handled) in maps.iter().zip(&handled) {
            scope.spawn(|| hand_over(map, handled, EACH, &done));
        }
        let received = (|| -> Result<u64, PollError> {
            let mut received = 0;
            while received < 2 * EACH {
                let polled = set.poll(LONG)?;
                if polled.end == PollEnd::TimedOut {
                    break;
                }
                received += polled.records;
            }
            Ok(received)
        })();
        done.store(true, Ordering::Relaxed);
        assert_eq!(received?, 2 * EACH, "the set slept although there was a record");
        Ok(())
    })
}

/// Writes one record, and the next one when that has been handled, after a moment that is now shorter and now longer.
fn hand_over(map: &Ring, handled: &AtomicU64, records: u64, done: &AtomicBool) -> io::Result<()> {
    for nth in 0..records {
        map.output(&Records::one(nth, &WORD))?;
        while handled.load(Ordering::Relaxed) <= nth {
            if done.load(Ordering::Relaxed) {
                return Ok(());
            }
            thread::yield_now();
        }
        for _ in 0..nth % 64 * 8 {
            std::hint::spin_loop();
        }
    }
    Ok(())
}
