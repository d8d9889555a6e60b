//! Many rings of the kernel, in the order of the kernel's clock.

use std::error::Error;
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dynring::kernel::RingBuf;
use dynring::{MergedRecord, PollEnd, PollError, RingMerge, RingToken};

use crate::bpf::{NO_WAKEUP, Records, Ring};
use crate::positions::forge;
use crate::support::pages::page_size;
use crate::support::stall::Stall;
use crate::support::{is_readable, require, require_kernel};

type TestResult = Result<(), Box<dyn Error>>;

/// Longer than anything takes that does happen.
const LONG: Duration = Duration::from_secs(20);
const WINDOW: Duration = Duration::from_millis(40);
const NOW: Option<Duration> = Some(Duration::ZERO);

fn page() -> u32 {
    page_size() as u32
}

fn word(record: &[u8], nth: usize) -> u64 {
    record.chunks_exact(8).nth(nth).and_then(<[u8]>::first_chunk).map_or(u64::MAX, |word| u64::from_ne_bytes(*word))
}

fn first_word(record: &[u8]) -> u64 {
    word(record, 0)
}

type Merge = RingMerge<u64, fn(&[u8]) -> u64>;

/// As many rings of `bytes` bytes, merged by their first words within `window`, if the kernel allows.
fn merge_of(rings: usize, bytes: u32, window: Duration) -> io::Result<Option<(Merge, Vec<Ring>)>> {
    let maps: Option<Vec<_>> = (0..rings).map(|_| require_kernel(bytes)).collect();
    let Some(maps) = maps else { return Ok(None) };
    let mut merge: Merge = RingMerge::new(window, first_word as fn(&[u8]) -> u64)?;
    for map in &maps {
        merge.add(RingBuf::from_fd(map)?.into_consumer()?)?;
    }
    Ok(Some((merge, maps)))
}

fn note(log: &mut Vec<(u64, bool)>) -> impl FnMut(MergedRecord<'_, u64>) -> ControlFlow<()> {
    |record| {
        log.push((*record.key, record.late));
        ControlFlow::Continue(())
    }
}

#[test]
fn records_of_programs_on_several_threads_come_in_the_order_of_time() -> TestResult {
    const EACH: u64 = 20_000;

    // Each has room for all: one that has ended is idle, and then others wait.
    let Some((mut merge, maps)) = merge_of(3, 1 << 20, LONG)? else { return Ok(()) };
    let tokens: Vec<RingToken> = merge.rings().collect();
    let (mut last, mut next) = (0, [0; 3]);
    let mut each = |record: MergedRecord<'_, u64>| {
        let ring = tokens.iter().position(|token| *token == record.ring).expect("a ring of the merge");
        assert!(*record.key >= last && !record.late, "{} after {last}", record.key);
        assert_eq!((word(&record, 0), word(&record, 1)), (*record.key, next[ring]));
        (last, next[ring]) = (*record.key, next[ring] + 1);
        ControlFlow::Continue(())
    };
    let (waker, running) = (merge.waker(), AtomicUsize::new(maps.len()));
    let write = |map: &Ring| -> io::Result<u64> {
        let written = map.timing().and_then(|timing| timing.run(&Records::one(0, &[]).times(EACH)));
        running.fetch_sub(1, Ordering::Release);
        waker.wake();
        Ok(written?.written)
    };
    thread::scope(|scope| -> TestResult {
        let writers: Vec<_> = maps.iter().map(|map| scope.spawn(|| write(map))).collect();
        while running.load(Ordering::Acquire) > 0 {
            assert_ne!(merge.poll(Some(LONG), &mut each)?.end, PollEnd::TimedOut);
        }
        for writer in writers {
            assert_eq!(writer.join().expect("a writer")?, EACH);
        }
        merge.flush(&mut each)?;
        Ok(())
    })?;
    assert_eq!((next, merge.late()), ([EACH; 3], 0));
    Ok(())
}

#[test]
fn an_idle_ring_does_not_hold_others_up_past_the_window() -> TestResult {
    let Some((mut merge, maps)) = merge_of(2, page(), WINDOW)? else { return Ok(()) };
    maps[0].output(&Records::one(100, &[0; 8]).times(50))?;
    let (begun, mut log) = (Instant::now(), Vec::new());
    assert_eq!(merge.consume(note(&mut log))?, 0);
    let polled = merge.poll(Some(LONG), note(&mut log))?;
    assert_eq!((polled.records, polled.end), (50, PollEnd::Records));
    assert!(begun.elapsed() >= WINDOW);
    assert!(log.into_iter().eq((100..150).map(|key| (key, false))));
    Ok(())
}

#[test]
fn a_ring_that_was_idle_wakes_who_waits_for_it_at_once() -> TestResult {
    let Some((mut merge, maps)) = merge_of(2, page(), LONG)? else { return Ok(()) };
    maps[0].output(&Records::one(20, &[0; 8]))?;
    let (begun, mut log) = (Instant::now(), Vec::new());
    thread::scope(|scope| -> TestResult {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(50));
            maps[1].output(&Records::one(10, &[0; 8]).times(20))
        });
        let polled = merge.poll(None, note(&mut log))?;
        assert_eq!(polled.end, PollEnd::Records);
        Ok(())
    })?;
    assert!(begun.elapsed() < LONG, "the window has passed");
    merge.flush(note(&mut log))?;
    let expected = (10..20).chain([20, 20]).chain(21..30);
    assert!(log.into_iter().eq(expected.map(|key| (key, false))));
    Ok(())
}

#[test]
fn a_record_that_is_still_being_written_holds_nobody_up_past_the_window_and_is_late() -> TestResult {
    let Some((mut merge, maps)) = merge_of(2, page(), WINDOW)? else { return Ok(()) };
    let Some(stall) = require("userfaultfd", Stall::new()) else { return Ok(()) };
    let stalling = maps[0].stalling()?;
    let mut log = Vec::new();
    thread::scope(|scope| -> TestResult {
        let program = scope.spawn(|| stalling.run(stall.address()));
        let stalled = stall.until_stalled()?;
        maps[0].output(&Records::one(12, &[0; 8]))?;
        maps[1].output(&Records::one(20, &[0; 8]))?;
        let begun = Instant::now();
        assert_eq!(merge.consume(note(&mut log))?, 0);
        assert_eq!(merge.poll(Some(LONG), note(&mut log))?.records, 1);
        assert!(begun.elapsed() >= WINDOW);
        assert_eq!(merge.stalled().map(|(ring, _)| ring).collect::<Vec<_>>(), [merge.rings().next().expect("a ring")]);
        stalled.release(10)?;
        program.join().expect("the program's thread")?;
        while merge.records() < 3 {
            assert_eq!(merge.poll(Some(LONG), note(&mut log))?.end, PollEnd::Records);
        }
        assert_eq!(log, [(20, false), (10, true), (12, true)]);
        assert_eq!(merge.late(), 2);
        Ok(())
    })
}

#[test]
fn no_wake_up_is_lost_while_records_wait_for_each_other() -> TestResult {
    const ROUNDS: u64 = 5_000;

    let Some((mut merge, maps)) = merge_of(2, page(), LONG)? else { return Ok(()) };
    let delivered = AtomicUsize::new(0);
    thread::scope(|scope| -> TestResult {
        let sender = scope.spawn(|| -> io::Result<()> {
            for round in 0..ROUNDS {
                // The first waits for the second, which comes while whoever polls falls asleep; or nobody waits.
                let [first, second] = if round % 2 == 0 { [0, 1] } else { [1, 0] };
                maps[first].output(&Records::one(2 * round + 1, &[0; 8]))?;
                for _ in 0..round % 64 * 16 {
                    std::hint::spin_loop();
                }
                maps[second].output(&Records::one(2 * round, &[0; 8]))?;
                while delivered.load(Ordering::Relaxed) < round as usize * 2 + 1 {
                    thread::yield_now();
                }
            }
            Ok(())
        });
        let mut last = None;
        while last != Some(2 * ROUNDS - 2) {
            let polled = merge.poll(Some(LONG), |record| {
                assert!(!record.late);
                last = Some(*record.key);
                delivered.fetch_add(1, Ordering::Relaxed);
                ControlFlow::Continue(())
            })?;
            assert_eq!(polled.end, PollEnd::Records, "asleep although there was a record, after {last:?}");
        }
        sender.join().expect("the sender")?;
        Ok(())
    })
}

#[test]
fn a_merge_can_be_part_of_another_event_loop() -> TestResult {
    let Some((mut merge, maps)) = merge_of(2, page(), LONG)? else { return Ok(()) };
    let mut log = Vec::new();
    for round in 0..50 {
        while merge.poll(NOW, note(&mut log))?.end != PollEnd::TimedOut {}
        assert!(!is_readable(&merge, 0)?);
        assert_eq!(log.len() as u64, 2 * round);
        maps[0].output(&Records::one(2 * round, &[0; 8]))?;
        assert!(is_readable(&merge, 10_000)?, "in round {round}");
        while merge.poll(NOW, note(&mut log))?.end != PollEnd::TimedOut {}
        assert!(merge.due_in().is_some_and(|due| due > Duration::ZERO), "{:?}", merge.due_in());
        maps[1].output(&Records::one(2 * round, &[0; 8]))?;
        assert!(is_readable(&merge, 10_000)?, "in round {round}");
        merge.flush(note(&mut log))?;
    }
    merge.waker().wake();
    assert!(is_readable(&merge, 10_000)?);
    Ok(())
}

#[test]
fn a_corrupt_ring_is_named_once_and_the_others_go_on() -> TestResult {
    let Some((mut merge, maps)) = merge_of(3, page(), LONG)? else { return Ok(()) };
    forge(&maps[1], 4096)?;
    let corrupt = merge.rings().nth(1).expect("a ring");
    drop(merge.remove(corrupt));
    let corrupt = merge.add(RingBuf::from_fd(&maps[1])?.into_consumer()?)?;
    let mut log = Vec::new();
    for map in [&maps[0], &maps[2]] {
        map.output(&Records::one(1, &[0; 8]).times(2).flags(NO_WAKEUP))?;
    }
    let error = merge.poll(Some(LONG), note(&mut log)).expect_err("a corrupt ring");
    assert!(matches!(error, PollError::Corrupt { ring, .. } if ring == corrupt), "{error}");
    assert_eq!(merge.poll(Some(LONG), note(&mut log))?.end, PollEnd::Records);
    merge.flush(note(&mut log))?;
    assert_eq!(log.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), [1, 1, 2, 2]);
    Ok(())
}
