//! When the kernel wakes the consumer.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use crate::bpf::{FORCE_WAKEUP, NO_WAKEUP, Records};
use crate::reader::Reader;
use crate::support::pages::page_size;
use crate::support::stall::Stall;
use crate::support::{is_readable, require, require_kernel};

type TestResult = Result<(), Box<dyn Error>>;

/// Longer than anything takes that does happen.
const LONG: Duration = Duration::from_secs(20);
/// For what does not happen.
const SHORT: Duration = Duration::from_millis(100);

const WORD: [u8; 8] = [0; 8];

fn page() -> u32 {
    page_size() as u32
}

#[test]
fn the_record_that_a_sleeping_consumer_waits_for_wakes_it() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let mut reader = Reader::open(&ring)?;
    thread::scope(|scope| -> TestResult {
        let sleeper = scope.spawn(move || reader.wait(LONG).map(|found| (found, reader)));
        thread::sleep(SHORT);
        assert!(!sleeper.is_finished());
        ring.output(&Records::one(3, &WORD))?;
        let (found, mut reader) = sleeper.join().expect("the sleeper")?;
        assert!(found);
        assert_eq!(reader.numbers()?, [3]);
        Ok(())
    })
}

#[test]
fn no_wakeup_does_not_wake_and_forcing_does() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let reader = Reader::open(&ring)?;
    ring.output(&Records::one(0, &WORD).flags(NO_WAKEUP))?;
    assert!(!reader.rings(SHORT)?);
    ring.output(&Records::one(1, &WORD).flags(FORCE_WAKEUP))?;
    assert!(reader.rings(LONG)?);
    assert!(!reader.rings(SHORT)?, "once");
    Ok(())
}

#[test]
fn a_consumer_that_is_behind_is_not_woken_unless_it_is_forced() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let mut reader = Reader::open(&ring)?;
    ring.output(&Records::one(0, &WORD).flags(NO_WAKEUP))?;
    ring.output(&Records::one(1, &WORD))?;
    assert!(!reader.rings(SHORT)?);
    assert_eq!(reader.numbers()?, [0, 1]);
    ring.output(&Records::one(2, &WORD))?;
    assert!(reader.rings(LONG)?, "now the consumer has caught up");
    ring.output(&Records::one(3, &WORD))?;
    assert!(!reader.rings(SHORT)?, "it has not read what it was woken for");
    ring.output(&Records::one(4, &WORD).flags(FORCE_WAKEUP))?;
    assert!(reader.rings(LONG)?);
    assert_eq!(reader.numbers()?, [2, 3, 4]);
    Ok(())
}

#[test]
fn a_discarded_record_wakes_by_the_same_rules() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let reserving = ring.reserving(8)?;
    let mut reader = Reader::open(&ring)?;
    reserving.run(&Records::one(0, &[]).discarded())?;
    assert!(reader.rings(LONG)?);
    assert_eq!(reader.numbers()?, []);
    reserving.run(&Records::one(0, &[]).discarded().flags(NO_WAKEUP))?;
    assert!(!reader.rings(SHORT)?);
    Ok(())
}

#[test]
fn a_dynptr_record_wakes_by_the_same_rules() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let reader = Reader::open(&ring)?;
    ring.dynptr(&Records::one(0, &WORD).flags(NO_WAKEUP))?;
    assert!(!reader.rings(SHORT)?);
    ring.dynptr(&Records::one(0, &WORD).flags(FORCE_WAKEUP))?;
    assert!(reader.rings(LONG)?);
    Ok(())
}

#[test]
fn records_from_before_the_ring_was_opened_are_heard() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    ring.output(&Records::one(0, &WORD).flags(NO_WAKEUP))?;
    assert!(Reader::open(&ring)?.rings(LONG)?);
    Ok(())
}

#[test]
fn a_record_that_is_still_being_written_does_not_keep_the_consumer_awake() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let Some(stall) = require("userfaultfd", Stall::new()) else { return Ok(()) };
    let stalling = ring.stalling()?;
    let mut reader = Reader::open(&ring)?;
    thread::scope(|scope| -> TestResult {
        let program = scope.spawn(|| stalling.run(stall.address()));
        let stalled = stall.until_stalled()?;
        assert!(is_readable(&ring, 0)?, "the kernel calls a ring readable whose only record is being written");
        assert!(!reader.rings(SHORT)?);
        ring.output(&Records::one(2, &WORD))?;
        assert!(!reader.rings(SHORT)?, "not the record that the consumer waits for");
        ring.output(&Records::one(3, &WORD).flags(FORCE_WAKEUP))?;
        assert!(reader.rings(LONG)?);
        assert!(!reader.rings(SHORT)?, "once, although the ring is still readable");
        stalled.release(1)?;
        assert!(reader.wait(LONG)?);
        program.join().expect("the program's thread")?;
        assert_eq!(reader.numbers()?, [1, 2, 3]);
        Ok(())
    })
}

#[test]
fn no_wake_up_is_lost() -> TestResult {
    const RECORDS: u64 = 30_000;

    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let mut reader = Reader::open(&ring)?;
    thread::scope(|scope| -> TestResult {
        let writer = scope.spawn(|| -> std::io::Result<()> {
            let (mut sent, begun) = (0, Instant::now());
            // Not for ever: the other side may have given up.
            while sent < RECORDS && begun.elapsed() < 4 * LONG {
                let outcome = ring.output(&Records::one(sent, &WORD).times((sent % 3 + 1).min(RECORDS - sent)))?;
                sent += outcome.written;
                if outcome.result != 0 {
                    thread::yield_now();
                }
            }
            Ok(())
        });
        let mut received = Vec::new();
        while received.len() < RECORDS as usize {
            assert!(reader.wait(LONG)?, "asleep after {}", received.len());
            received.extend(reader.numbers()?);
        }
        assert!(received.into_iter().eq(0..RECORDS));
        writer.join().expect("the writer")?;
        Ok(())
    })
}
