//! Rings whose producers overwrite, where the kernel knows them.

use std::error::Error;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{io, thread};

use dynring::kernel::{Observer, OpenError, OpenStep, OverwriteRingBuf, RingBuf, SnapshotEnd, SnapshotError};

use crate::bpf::{MapType, Outcome, Query, Records, Ring, create_map_with};
use crate::support::pages::page_size;
use crate::support::stall::Stall;
use crate::support::{privilege, require, require_kernel};

type TestResult = Result<(), Box<dyn Error>>;

const BPF_F_RB_OVERWRITE: u32 = 1 << 19;

/// What a call says when an unfinished record is in the way.
const FULL: i64 = -(libc::EAGAIN as i64);

fn page() -> u32 {
    page_size() as u32
}

/// A ring of `bytes` bytes whose producers overwrite, if the kernel knows such rings and allows to make one. That it does not
/// know them is no lack of privilege: no requirement makes it a failure.
fn require_overwriting(bytes: u32) -> Option<Ring> {
    require_kernel(page())?;
    match OverwriteRingBuf::probe() {
        Err(error @ OpenError::NoOverwriteMode) => require("overwrite-mode", Err(error)),
        Err(error) => require("kernel", Err(error)),
        Ok(()) => require("kernel", Ring::with_flags(bytes, BPF_F_RB_OVERWRITE)),
    }
}

/// The numbers over the first 8 bytes of the records of a snapshot, which is consumed.
fn numbers(ring: &mut OverwriteRingBuf) -> Result<(Vec<u64>, u64, SnapshotEnd), SnapshotError> {
    let snapshot = ring.snapshot()?;
    let number = |record: &[u8]| record.first_chunk().map_or(u64::MAX, |word| u64::from_ne_bytes(*word));
    let found = (snapshot.records().map(|record| number(&record)).collect(), snapshot.lost(), snapshot.ended());
    snapshot.consume();
    Ok(found)
}

#[test]
fn the_probe_says_what_the_kernel_says_and_leaves_nothing_behind() -> TestResult {
    if require_kernel(page()).is_none() {
        return Ok(());
    }
    let made = create_map_with(MapType::RingBuf, 0, 0, page(), BPF_F_RB_OVERWRITE);
    match OverwriteRingBuf::probe() {
        Ok(()) => drop(made?),
        Err(error) => {
            assert!(matches!(error, OpenError::NoOverwriteMode), "{error:?}");
            assert_eq!(made.map_err(|error| error.raw_os_error()).err(), Some(Some(libc::EINVAL)));
            assert!(error.to_string().contains("Linux 6.19"), "{error}");
            assert_eq!(io::Error::from(error).kind(), io::ErrorKind::Unsupported);
        }
    }
    Ok(())
}

#[test]
fn who_may_not_make_maps_cannot_probe() -> TestResult {
    if require_kernel(page()).is_none() {
        return Ok(());
    }
    for refused in [privilege::as_nobody(OverwriteRingBuf::probe)?, privilege::without_bpf(OverwriteRingBuf::probe)?] {
        let error = refused.expect_err("no privilege");
        assert!(matches!(error, OpenError::Permission { step: OpenStep::Create, .. }), "{error:?}");
        assert!(error.to_string().contains("CAP_BPF"), "{error}");
    }
    Ok(())
}

#[test]
fn a_ring_that_is_full_when_it_is_full_has_no_snapshots() -> TestResult {
    let Some(ring) = require_kernel(page()) else { return Ok(()) };
    let error = OverwriteRingBuf::from_fd(&ring).expect_err("no flag");
    assert!(matches!(error, OpenError::NotOverwriting), "{error:?}");
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::Unsupported);
    Ok(())
}

#[test]
fn a_ring_whose_producers_overwrite_is_not_consumed_in_place() -> TestResult {
    let Some(ring) = require_overwriting(page()) else { return Ok(()) };
    let error = RingBuf::from_fd(&ring).expect_err("overwriting");
    assert!(matches!(error, OpenError::Overwriting), "{error:?}");
    assert!(error.to_string().contains("kernel::OverwriteRingBuf"), "{error}");
    Ok(())
}

#[test]
fn the_oldest_records_make_room_for_the_newest_and_what_was_lost_is_counted() -> TestResult {
    let Some(ring) = require_overwriting(page()) else { return Ok(()) };
    let mut reader = OverwriteRingBuf::from_fd(&ring)?;
    let observer = Observer::from_fd(&ring)?;
    // Four fit, and 24 bytes are left of each 1024.
    let (payload, stride) = (vec![0; page_size() / 4 - 24], u64::from(page()) / 4 - 16);
    for number in 0..9 {
        assert_eq!(ring.output(&Records::one(number, &payload))?, Outcome { written: 1, result: 0 });
        let oldest = (number + 1).saturating_sub(4);
        assert_eq!((reader.overwrite_pos(), reader.producer_pos()), (oldest * stride, (number + 1) * stride));
        assert_eq!(observer.overwrite_pos(), ring.query(Query::OverwritePos)?);
        for available in [reader.available(), observer.available(), ring.query(Query::AvailData)?] {
            assert_eq!(available, (number + 1 - oldest) * stride);
        }
        let snapshot = reader.snapshot()?;
        assert_eq!((snapshot.start(), snapshot.end()), (oldest * stride, (number + 1) * stride));
    }
    assert_eq!(numbers(&mut reader)?, (vec![5, 6, 7, 8], 5 * stride, SnapshotEnd::CaughtUp));
    assert_eq!(
        (reader.lost(), ring.query(Query::ConsPos)?, ring.query(Query::AvailData)?),
        (5 * stride, 9 * stride, 0)
    );
    ring.output(&Records::one(9, &payload))?;
    assert_eq!(numbers(&mut reader)?, (vec![9], 0, SnapshotEnd::CaughtUp));
    Ok(())
}

#[test]
fn an_unfinished_record_is_never_overwritten() -> TestResult {
    let Some(ring) = require_overwriting(page()) else { return Ok(()) };
    let Some(stall) = require("userfaultfd", Stall::new()) else { return Ok(()) };
    let stalling = ring.stalling()?;
    let mut reader = OverwriteRingBuf::from_fd(&ring)?;
    thread::scope(|scope| -> TestResult {
        let program = scope.spawn(|| stalling.run(stall.address()));
        let stalled = stall.until_stalled()?;
        let fit = u64::from(page()) / 16 - 2;
        assert_eq!(ring.output(&Records::one(1, &[0; 8]).times(1000))?, Outcome { written: fit, result: FULL });
        assert_eq!(numbers(&mut reader)?, (vec![], 0, SnapshotEnd::Unfinished));
        stalled.release(0)?;
        program.join().expect("the program's thread")?;
        assert_eq!(numbers(&mut reader)?, ((0..=fit).collect(), 0, SnapshotEnd::CaughtUp));
        Ok(())
    })
}

#[test]
fn records_are_whole_however_fast_they_are_overwritten() -> TestResult {
    let Some(ring) = require_overwriting(4 * page()) else { return Ok(()) };
    let mut reader = OverwriteRingBuf::from_fd(&ring)?;
    let reserving = ring.reserving(64)?;
    let done = AtomicBool::new(false);
    thread::scope(|scope| -> TestResult {
        let producer = scope.spawn(|| -> io::Result<()> {
            let mut number = 1;
            while !done.load(Ordering::Relaxed) {
                number += reserving.run(&Records::one(number, &[]).times(64))?.written;
            }
            Ok(())
        });
        let read = (|| -> Result<u64, SnapshotError> {
            let (mut next, mut records) = (1, 0);
            while records < 200_000 {
                let snapshot = match reader.snapshot() {
                    Err(SnapshotError::Overtaken { .. }) => continue,
                    other => other?,
                };
                next += snapshot.lost() / 72;
                for record in &snapshot {
                    let words: Vec<_> = record.chunks_exact(8).collect();
                    assert!(words.iter().all(|word| **word == u64::to_ne_bytes(next)), "{next}: {words:?}");
                    (next, records) = (next + 1, records + 1);
                }
                snapshot.consume();
            }
            Ok(records)
        })();
        done.store(true, Ordering::Relaxed);
        producer.join().expect("the producer")?;
        assert!(read? >= 200_000);
        Ok(())
    })
}

#[test]
fn a_snapshot_of_a_ring_by_its_descriptor_needs_no_privilege() -> TestResult {
    let Some(ring) = require_overwriting(page()) else { return Ok(()) };
    ring.output(&Records::one(7, &[0; 8]))?;
    let taken =
        privilege::as_nobody(|| OverwriteRingBuf::from_fd(ring.as_fd()).map(|mut reader| numbers(&mut reader)))?;
    assert_eq!(taken??, (vec![7], 0, SnapshotEnd::CaughtUp));
    Ok(())
}
