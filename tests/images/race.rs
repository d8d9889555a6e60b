//! Snapshots of a ring that somebody overwrites meanwhile, as the kernel does.

use std::fs::File;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use dynring::kernel::{OverwriteRingBuf, Snapshot, SnapshotEnd, SnapshotError, image};

use crate::image::file;
use crate::overwriting::{DISCARD, Kernel, Record, Words};
use crate::pages::{Pages, WRITE, page_size};

/// A ring in a file, which this process maps as the kernel would.
struct Shared {
    file: File,
    pages: Pages,
    size: usize,
}

impl Shared {
    fn new(size: usize, first: u64) -> (Self, OverwriteRingBuf) {
        let file = file();
        let bytes = 2 * page_size() + 2 * size;
        file.set_len(bytes as u64).unwrap();
        let shared = Self { pages: Pages::map(file.as_fd(), WRITE, 0, bytes).unwrap(), file, size };
        shared.words().begin_at(first);
        let ring = shared.open();
        (shared, ring)
    }

    fn open(&self) -> OverwriteRingBuf {
        image::overwritten(&self.file, self.size as u64).unwrap()
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

/// xorshift64*
fn random(state: &mut u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_F491_4F6C_DD1D)
}

/// Writes what is likely to be taken for something, until it is `done`.
fn attack(words: Words<'_>, done: &AtomicBool) {
    let size = words.data.len() as u64 * 4;
    let mut state = 0x9E37_79B9_7F4A_7C15;
    while !done.load(Ordering::Relaxed) {
        let near = words.producer_pos.load(Ordering::Relaxed).wrapping_sub(random(&mut state) % (2 * size)) & !7;
        let header = match random(&mut state) % 8 {
            0 => random(&mut state) as u32,
            1 => u32::MAX >> (random(&mut state) % 4),
            kind => (random(&mut state) % 100) as u32 | if kind == 2 { DISCARD } else { 0 },
        };
        match random(&mut state) % 16 {
            0 => words.begin_at(random(&mut state) & !7),
            1 => words.producer_pos.store(near.wrapping_add(2 * size), Ordering::Relaxed),
            2 => words.overwrite_pos.store(near, Ordering::Relaxed),
            3 => words.consumer_pos.store(near, Ordering::Relaxed),
            4 => words.producer_pos.store(random(&mut state), Ordering::Relaxed),
            _ => words.word(near).store(header, Ordering::Relaxed),
        }
    }
}

#[test]
fn whatever_is_written_meanwhile_nothing_panics_or_goes_on_for_ever() {
    let (shared, _ring) = Shared::new(page_size(), 0);
    let (words, done) = (shared.words(), AtomicBool::new(false));
    let (mut snapshots, mut refused) = (0u32, 0u32);
    thread::scope(|scope| {
        scope.spawn(|| attack(words, &done));
        for _ in 0..1000 {
            let mut ring = shared.open();
            for _ in 0..20 {
                match ring.snapshot() {
                    Ok(snapshot) => {
                        let bytes: usize = snapshot.records().map(|record| record.len() + 8).sum();
                        assert!(bytes <= page_size(), "{bytes} bytes");
                        snapshots += 1;
                        if snapshots % 8 == 0 {
                            snapshot.consume();
                        }
                    }
                    Err(_) => refused += 1,
                }
                let _ = (ring.available(), ring.lost(), ring.pending_pos());
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(snapshots > 0 && refused > 0, "{snapshots} snapshots, {refused} refused");
}
