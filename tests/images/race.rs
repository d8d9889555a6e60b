//! Snapshots of a ring that somebody overwrites meanwhile, as the kernel does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use dynring::kernel::{OverwriteRingBuf, Snapshot, SnapshotEnd, SnapshotError, image};
use std::os::fd::AsFd;

use crate::image::file;
use crate::overwriting::{Kernel, Record, Words};
use crate::pages::{Pages, WRITE, page_size};

/// A ring in a file, which this process maps as the kernel would.
struct Shared {
    pages: Pages,
    size: usize,
}

impl Shared {
    fn new(size: usize, first: u64) -> (Self, OverwriteRingBuf) {
        let file = file();
        let bytes = 2 * page_size() + 2 * size;
        file.set_len(bytes as u64).unwrap();
        let shared = Self { pages: Pages::map(file.as_fd(), WRITE, 0, bytes).unwrap(), size };
        shared.words().begin_at(first);
        (shared, image::overwritten(&file, size as u64).unwrap())
    }

    fn words(&self) -> Words<'_> {
        let page = page_size();
        Words {
            consumer_pos: self.pages.word(0),
            producer_pos: self.pages.word(page),
            pending_pos: self.pages.word(page + 8),
            overwrite_pos: self.pages.word(page + 16),
            data: self.pages.words(2 * page, self.size),
        }
    }
}

/// The snapshot holds exactly the records that start between its ends, every byte.
fn assert_whole(snapshot: &Snapshot<'_>, limit: u32) {
    let (mut at, mut found) = (snapshot.start(), snapshot.records());
    while at != snapshot.end() {
        let record = Record::at(at, limit);
        if !record.discarded {
            let found = found.next().expect("a record");
            assert_eq!((found.position(), found.len()), (record.at, record.len as usize));
            assert!(found.iter().copied().eq(record.payload()), "{record:?} is torn: {found:?}");
        }
        at = record.end();
    }
    assert!(found.next().is_none());
}

/// Produces `count` records, of which some stay unfinished while others come and go.
fn produce(kernel: &Kernel<'_>, limit: u32, count: u32) {
    let mut open = Vec::new();
    for nth in 0..count {
        let Some(record) = kernel.reserve(limit) else {
            open.drain(..).for_each(|record| kernel.finish(record));
            thread::yield_now();
            continue;
        };
        kernel.write(record);
        open.push(record);
        // Now and then several at once, the last one first.
        if nth % 32 > 3 || nth + 4 > count {
            open.drain(..).rev().for_each(|record| kernel.finish(record));
        }
    }
    open.drain(..).for_each(|record| kernel.finish(record));
}

/// Takes snapshots until both producers are done, `pause` apart, and checks every byte.
fn race(size: usize, limit: u32, count: u32, pause: Duration) {
    let first = (1u64 << 32).wrapping_sub(20 * size as u64);
    let (shared, mut ring) = Shared::new(size, first);
    let (kernel, done) = (Kernel::new(shared.words()), AtomicBool::new(false));
    let (mut snapshots, mut taken) = (0u64, 0);
    thread::scope(|scope| {
        let producers = [(); 2].map(|()| scope.spawn(|| produce(&kernel, limit, count)));
        scope.spawn(|| {
            producers.into_iter().for_each(|producer| producer.join().unwrap());
            done.store(true, Ordering::Release);
        });
        loop {
            let last = done.load(Ordering::Acquire);
            let consumed = ring.consumer_pos();
            match ring.snapshot() {
                Ok(snapshot) => {
                    assert_whole(&snapshot, limit);
                    assert_eq!(snapshot.start().wrapping_sub(snapshot.lost()), consumed);
                    assert!(!last || snapshot.ended() == SnapshotEnd::CaughtUp, "{:?}", snapshot.ended());
                    taken += snapshot.end().wrapping_sub(snapshot.start());
                    snapshots += 1;
                    // Some are only looked at.
                    if last || snapshots % 4 != 0 {
                        snapshot.consume();
                    } else {
                        taken -= snapshot.end().wrapping_sub(snapshot.start());
                    }
                }
                Err(SnapshotError::Overtaken { .. }) => assert!(!last, "nobody overtakes any more"),
                Err(error) => panic!("{error}"),
            }
            if last {
                break;
            }
            thread::sleep(pause);
        }
    });
    assert_eq!(ring.consumer_pos(), ring.producer_pos());
    assert_eq!(taken + ring.lost(), ring.producer_pos().wrapping_sub(first), "after {snapshots} snapshots");
    assert!(ring.lost() > 0, "{taken} bytes and nothing overwritten");
}

#[test]
fn every_byte_of_every_record_is_right_and_what_is_missing_is_counted() {
    race(page_size(), 300, 50_000, Duration::ZERO);
    race(16 * page_size(), 3000, 50_000, Duration::ZERO);
    race(16 * page_size(), 100, 200_000, Duration::from_micros(100));
    race(256 * page_size(), 2000, 100_000, Duration::from_millis(1));
}

#[test]
fn a_record_that_stays_unfinished_ends_every_snapshot_and_stops_producers_after_a_lap() {
    let (shared, mut ring) = Shared::new(page_size(), 0);
    let kernel = Kernel::new(shared.words());
    let before = kernel.produce(100).unwrap();
    let unfinished = kernel.reserve(100).unwrap();
    while kernel.produce(100).is_some() {}
    let snapshot = ring.snapshot().unwrap();
    assert_eq!((snapshot.end(), snapshot.ended()), (before.end(), SnapshotEnd::Unfinished));
    assert_whole(&snapshot, 100);
    snapshot.consume();
    kernel.write(unfinished);
    kernel.finish(unfinished);
    assert!(kernel.produce(100).is_some(), "producers go on");
    let snapshot = ring.snapshot().unwrap();
    assert_eq!(snapshot.ended(), SnapshotEnd::CaughtUp);
    assert_whole(&snapshot, 100);
}
