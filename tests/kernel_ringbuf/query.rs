//! What a consumer says about a ring of the kernel is what the kernel says.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use dynring::Consumer;
use dynring::kernel::Observer;

use crate::bpf::{Query, Records, Ring};
use crate::reader::Reader;
use crate::support::pages::page_size;
use crate::support::stall::Stall;
use crate::support::{require, require_kernel};

type TestResult = Result<(), Box<dyn Error>>;

fn page() -> u32 {
    page_size() as u32
}

fn agree(ring: &Ring, consumer: &Consumer) -> TestResult {
    assert_eq!(consumer.available(), ring.query(Query::AvailData)?);
    assert_eq!(consumer.consumer_pos(), ring.query(Query::ConsPos)?);
    assert_eq!(consumer.producer_pos(), ring.query(Query::ProdPos)?);
    Ok(())
}

#[test]
fn consumer_and_kernel_agree_on_positions_over_many_laps() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let reserving = ring.reserving(24)?;
    let mut reader = Reader::open(&ring)?;
    for nth in 0..100 {
        agree(&ring, &reader.consumer)?;
        ring.output(&Records::one(0, &[0; 100]).times(nth % 30))?;
        reserving.run(&Records::one(0, &[]).times(3).discarded())?;
        agree(&ring, &reader.consumer)?;
        assert!(nth % 30 == 0 || reader.next()?.is_some());
        agree(&ring, &reader.consumer)?;
        reader.drain()?;
        agree(&ring, &reader.consumer)?;
        assert_eq!(reader.consumer.available(), 0);
    }
    Ok(())
}

#[test]
fn the_high_water_mark_of_a_ring_is_what_was_unread_at_a_look() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let mut reader = Reader::open(&ring)?;
    for (records, most) in [(10, 160), (3, 160), (11, 176), (1, 176)] {
        ring.output(&Records::one(0, &[0; 8]).times(records))?;
        assert_eq!(reader.drain()?.len() as u64, records);
        assert_eq!(reader.consumer.high_water_mark(), most);
    }
    let all = u64::from(page()) / 16 - 1;
    ring.output(&Records::one(0, &[0; 8]).times(all + 1))?;
    reader.drain()?;
    assert_eq!(reader.consumer.high_water_mark(), all * 16);
    reader.consumer.reset_high_water_mark();
    assert_eq!(reader.consumer.high_water_mark(), 0);
    Ok(())
}

#[test]
fn the_kernel_says_which_records_were_finished_when_it_reserved_last() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let (reader, observer) = (Reader::open(&ring)?, Observer::from_fd(&ring)?);
    ring.output(&Records::one(0, &[0; 8]).times(2))?;
    let kept = reader.consumer.pending_pos();
    let keeps = if kept == 0 { Err("the kernel does not keep pending_pos") } else { Ok(()) };
    let Some(()) = require("pending-pos", keeps) else { return Ok(()) };
    assert_eq!(kept, 16, "it was the second reservation that looked");
    let Some(stall) = require("userfaultfd", Stall::new()) else { return Ok(()) };
    let stalling = ring.stalling()?;
    thread::scope(|scope| -> TestResult {
        let program = scope.spawn(|| stalling.run(stall.address()));
        let stalled = stall.until_stalled()?;
        ring.output(&Records::one(0, &[0; 8]).times(5))?;
        assert_eq!((reader.consumer.pending_pos(), reader.consumer.producer_pos()), (32, 48 + 80));
        assert_eq!(observer.pending_pos(), 32, "where the unfinished record is");
        stalled.release(0)?;
        program.join().expect("the program's thread")?;
        ring.output(&Records::one(0, &[0; 8]))?;
        assert_eq!([reader.consumer.pending_pos(), observer.pending_pos()], [48 + 80; 2]);
        assert_eq!(observer.overwrite_pos(), 0);
        Ok(())
    })
}

#[test]
fn a_program_that_is_stopped_in_the_middle_of_a_record_is_noticed() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let Some(stall) = require("userfaultfd", Stall::new()) else { return Ok(()) };
    let stalling = ring.stalling()?;
    let mut reader = Reader::open(&ring)?;
    ring.output(&Records::one(0, &[0; 8]))?;
    reader.drain()?;
    thread::scope(|scope| -> TestResult {
        let program = scope.spawn(|| stalling.run(stall.address()));
        let stalled = stall.until_stalled()?;
        ring.output(&Records::one(2, &[0; 40]))?;
        assert!(!reader.wait(Duration::from_millis(20))?);
        let noticed = Instant::now();
        let report = reader.consumer.stalled().expect("a stall");
        assert_eq!((report.position, report.len, report.process), (16, Some(8), None));
        assert!(report.since <= noticed, "before it slept");
        agree(&ring, &reader.consumer)?;
        stalled.release(1)?;
        program.join().expect("the program's thread")?;
        assert_eq!(reader.consumer.stalled(), None);
        assert_eq!(reader.numbers()?, [1, 2]);
        Ok(())
    })
}
