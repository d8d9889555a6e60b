//! What programs write is what is read.

use std::error::Error;
use std::os::fd::AsFd;

use crate::bpf::{Outcome, Query, Records, Ring};
use crate::reader::Reader;
use crate::support::child::in_a_child_that_is_killed;
use crate::support::pages::{Pages, READ, page_size};
use crate::support::stall::Stall;
use crate::support::{require, require_kernel};

type TestResult = Result<(), Box<dyn Error>>;

/// What a call says when the ring is full.
const FULL: i64 = -(libc::EAGAIN as i64);

fn page() -> u32 {
    page_size() as u32
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 + len) as u8).collect()
}

#[test]
fn the_bytes_are_those_of_the_wire_format() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let number = u64::from_ne_bytes(*b"DCBAA\0\0\0");
    ring.output(&Records::one(number, &[0; 5]))?;
    let data = Pages::map(ring.as_fd(), READ, 2 * page_size(), 2 * page_size())?;
    let length_5 = 5_u32.to_ne_bytes();
    for copy in [0, page_size()] {
        assert_eq!(data.copy(copy, 4), length_5);
        assert_eq!(data.copy(copy + 8, 8), *b"DCBAA\0\0\0");
    }
    let pages_before_data = u32::from_ne_bytes(data.copy(4, 4).try_into().expect("4 bytes"));
    assert!(pages_before_data >= 3, "the kernel's own pages and the two with positions: {pages_before_data}");
    let producer = Pages::map(ring.as_fd(), READ, page_size(), page_size())?;
    assert_eq!(producer.word(0).load(std::sync::atomic::Ordering::Relaxed), 16);
    Ok(())
}

#[test]
fn a_ring_is_never_quite_full() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let fit = u64::from(page()) / 16 - 1;
    let outcome = ring.output(&Records::one(0, &[0; 8]).times(fit + 1))?;
    assert_eq!(outcome, Outcome { written: fit, result: FULL });
    assert_eq!(ring.query(Query::ProdPos)?, u64::from(page()) - 16);
    let mut reader = Reader::open(&ring)?;
    assert_eq!(reader.numbers()?, (0..fit).collect::<Vec<_>>());
    assert_eq!(ring.output(&Records::one(0, &[0; 8]))?, Outcome { written: 1, result: 0 });
    Ok(())
}

#[test]
fn a_payload_of_any_length_is_read_whole_wherever_it_lies() -> TestResult {
    let Some(ring) = require_kernel(4096.max(page())) else { return Ok(()) };
    let mut reader = Reader::open(&ring)?;
    for len in 0..=4080 {
        read_back(&ring, &mut reader, len, Ring::output)?;
    }
    Ok(())
}

#[test]
fn a_record_whose_length_is_known_at_run_time_only_is_read_whole() -> TestResult {
    let Some(ring) = require_kernel(4096.max(page())) else { return Ok(()) };
    let mut reader = Reader::open(&ring)?;
    for len in (0..=4080).rev().step_by(3) {
        read_back(&ring, &mut reader, len, Ring::dynptr)?;
    }
    Ok(())
}

fn read_back(
    ring: &Ring,
    reader: &mut Reader,
    len: usize,
    write: fn(&Ring, &Records<'_>) -> std::io::Result<Outcome>,
) -> TestResult {
    let mut payload = pattern(len);
    let number = len as u64 | 0xdead_0000_0000_0000;
    assert_eq!(write(ring, &Records::one(number, &payload))?, Outcome { written: 1, result: 0 }, "{len}");
    let numbered = len.min(8);
    payload[..numbered].copy_from_slice(&number.to_ne_bytes()[..numbered]);
    assert_eq!(reader.drain()?, [payload], "{len}");
    let (consumer_pos, producer_pos) = reader.positions()?;
    assert_eq!(consumer_pos, producer_pos, "{len}");
    Ok(())
}

#[test]
fn the_largest_payload_is_16_bytes_less_than_the_ring() -> TestResult {
    let small = if page() == 4096 { Ok(()) } else { Err("pages are larger than programs are made to write") };
    let (Some(()), Some(ring)) = (require("small-pages", small), require_kernel(page())) else { return Ok(()) };
    assert_eq!(ring.output(&Records::one(0, &[0; 4081]))?.result, FULL);
    assert_eq!(ring.dynptr(&Records::one(0, &[0; 4081]))?.result, -i64::from(libc::EINVAL));
    assert_eq!(ring.output(&Records::one(0, &[0; 4080]))?.result, 0);
    Ok(())
}

#[test]
fn records_come_in_the_order_of_their_reservation_over_many_laps() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let reserving = ring.reserving(24)?;
    let mut reader = Reader::open(&ring)?;
    let (mut sent, mut received) = (0, Vec::new());
    while sent < 20_000 {
        sent += reserving.run(&Records::one(sent, &[]).times(50))?.written;
        sent += ring.output(&Records::one(sent, &pattern(77)).times(3))?.written;
        received.extend(reader.numbers()?);
    }
    assert_eq!(received, (0..sent).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn discarded_records_are_skipped_and_their_space_is_given_back() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let reserving = ring.reserving(8)?;
    let mut reader = Reader::open(&ring)?;
    let all = u64::from(page()) / 16 - 1;
    for _ in 0..3 {
        let outcome = reserving.run(&Records::one(0, &[]).times(all + 1).discarded())?;
        assert_eq!(outcome, Outcome { written: all, result: FULL });
        assert_eq!(reader.numbers()?, []);
    }
    assert_eq!(reader.consumer.discarded(), 3 * all);
    Ok(())
}

#[test]
fn a_discarded_record_between_two_others_is_skipped() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let reserving = ring.reserving(16)?;
    let mut reader = Reader::open(&ring)?;
    reserving.run(&Records::one(1, &[]))?;
    reserving.run(&Records::one(2, &[]).discarded())?;
    ring.dynptr(&Records::one(3, &pattern(100)).discarded())?;
    ring.dynptr(&Records::one(4, &pattern(100)))?;
    assert_eq!(ring.query(Query::AvailData)?, 24 + 24 + 112 + 112);
    assert_eq!(reader.numbers()?, [1, 4]);
    assert_eq!((reader.consumer.discarded(), ring.query(Query::AvailData)?), (2, 0));
    Ok(())
}

#[test]
fn the_pages_say_what_programs_are_told() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let mut reader = Reader::open(&ring)?;
    ring.output(&Records::one(0, &[0; 100]).times(5))?;
    for read in [0, 2, 3] {
        for _ in 0..read {
            assert!(reader.next()?.is_some());
        }
        let (consumer_pos, producer_pos) = reader.positions()?;
        assert_eq!(ring.query(Query::ConsPos)?, consumer_pos);
        assert_eq!(ring.query(Query::ProdPos)?, producer_pos);
        assert_eq!(ring.query(Query::AvailData)?, producer_pos - consumer_pos);
        assert_eq!(ring.query(Query::RingSize)?, u64::from(page()));
    }
    assert_eq!(reader.positions()?, (5 * 112, 5 * 112));
    Ok(())
}

#[test]
fn a_record_that_is_still_being_written_holds_back_those_behind_it() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let Some(stall) = require("userfaultfd", Stall::new()) else { return Ok(()) };
    let stalling = ring.stalling()?;
    let mut reader = Reader::open(&ring)?;
    std::thread::scope(|scope| -> TestResult {
        let program = scope.spawn(|| stalling.run(stall.address()));
        let stalled = stall.until_stalled()?;
        ring.output(&Records::one(2, &[0; 8]))?;
        assert_eq!(ring.query(Query::AvailData)?, 32);
        assert_eq!(reader.numbers()?, []);
        assert_eq!(reader.positions()?, (0, 32));
        stalled.release(1)?;
        let outcome = program.join().expect("the program's thread")?;
        assert_eq!(outcome, Outcome { written: 1, result: 0 });
        assert_eq!(reader.numbers()?, [1, 2]);
        Ok(())
    })
}

#[test]
fn a_new_consumer_resumes_where_the_last_one_stopped() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    ring.output(&Records::one(0, &[0; 24]).times(10))?;
    let mut first = Reader::open(&ring)?;
    for _ in 0..4 {
        assert!(first.next()?.is_some());
    }
    drop(first);
    ring.output(&Records::one(10, &[0; 24]).times(5))?;
    assert_eq!(Reader::open(&ring)?.numbers()?, (4..15).collect::<Vec<_>>());
    let mut third = Reader::open(&ring)?;
    assert_eq!(third.drain()?, [[0_u8; 0]; 0]);
    ring.output(&Records::one(15, &[0; 24]))?;
    assert_eq!(third.numbers()?, [15]);
    Ok(())
}

#[test]
fn records_that_were_not_given_back_are_read_again_by_a_new_consumer() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    ring.output(&Records::one(0, &[0; 24]).times(3))?;
    let mut first = Reader::open(&ring)?;
    let killed = in_a_child_that_is_killed(|| {
        let batch = first.consumer.batch();
        let held = batch.iter().count() == 3;
        std::mem::forget(batch);
        held
    })?;
    assert!(killed, "the child did not see three records");
    drop(first);
    assert_eq!(Reader::open(&ring)?.numbers()?, [0, 1, 2]);
    Ok(())
}

#[test]
fn a_ring_that_has_gone_round_is_resumed_without_ghosts() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let mut expected = 0;
    for lap in 0..100 {
        let sent = ring.output(&Records::one(expected, &pattern(lap % 60 + 8)).times(30))?.written;
        let records = Reader::open(&ring)?.drain()?;
        assert_eq!(records.len() as u64, sent, "{lap}");
        assert!(records.iter().all(|record| record.len() == lap % 60 + 8), "{lap}");
        expected += sent;
    }
    Ok(())
}
