//! Snapshots of memory on the heap, which Miri can look at.

#[path = "../../../tests/support/overwriting.rs"]
mod overwriting;

use super::*;
use overwriting::{BUSY, DISCARD, Kernel, Record, Words};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[derive(Debug)]
struct Heap {
    size: RingSize,
    positions: [AtomicU64; 4],
    data: Vec<AtomicU32>,
}

impl Heap {
    fn new(size: u64, first: u64) -> Self {
        let positions = [first; 4].map(AtomicU64::new);
        // Looks like committed records of 8 bytes.
        let data = (0..size / 4).map(|_| AtomicU32::new(8)).collect();
        Self { size: RingSize::new(size).unwrap(), positions, data }
    }

    fn words(&self) -> Words<'_> {
        let [consumer_pos, producer_pos, pending_pos, overwrite_pos] = &self.positions;
        Words { consumer_pos, producer_pos, pending_pos, overwrite_pos, data: &self.data }
    }
}

impl Overwritten for &Heap {
    fn size(&self) -> RingSize {
        self.size
    }

    fn consumer_pos(&self) -> &AtomicU64 {
        &self.positions[0]
    }

    fn producer_pos(&self) -> &AtomicU64 {
        &self.positions[1]
    }

    fn overwrite_pos(&self) -> &AtomicU64 {
        &self.positions[3]
    }

    fn data(&self) -> &[AtomicU32] {
        &self.data
    }
}

/// Takes a snapshot: what was copied, and its extent.
fn take(snapshots: &mut Snapshots<&Heap>) -> Result<(Vec<u8>, Extent), Unread> {
    let mut copied = vec![0xee; snapshots.window().size().bytes() as usize];
    let extent = snapshots.copy(&mut copied)?;
    Ok((copied, extent))
}

/// The records that follow each other from `at` to `end`, but for discarded ones.
fn records(mut at: u64, end: u64, limit: u32) -> Vec<Record> {
    let mut records = Vec::new();
    while at != end {
        let record = Record::at(at, limit);
        records.extend(Some(record).filter(|record| !record.discarded));
        at = record.end();
    }
    records
}

/// The snapshot holds exactly the records that start between its ends, every byte.
#[track_caller]
fn assert_whole(copied: &[u8], extent: Extent, limit: u32) {
    let expected = records(extent.start.get(), extent.end.get(), limit);
    let found: Vec<_> = extent.records(copied).collect();
    assert_eq!(found.len(), expected.len(), "{extent:?}");
    for ((at, payload), record) in found.into_iter().zip(expected) {
        assert_eq!((at.get(), payload.len()), (record.at, record.len as usize));
        assert!(payload.iter().copied().eq(record.payload()), "{record:?} is torn: {payload:?}");
    }
}

#[test]
fn a_ring_that_has_gone_round_is_copied_from_its_oldest_record_to_its_newest() {
    for first in [0, 0u64.wrapping_sub(40), (1 << 32) - 104, (1 << 63) - 8] {
        let heap = Heap::new(512, first);
        let kernel = Kernel::new(heap.words());
        let mut snapshots = Snapshots::new(&heap);
        for _ in 0..if cfg!(miri) { 8 } else { 500 } {
            let record = kernel.produce(200).unwrap();
            let (copied, extent) = take(&mut snapshots).unwrap();
            assert_whole(&copied, extent, 200);
            assert_eq!((extent.end.get(), extent.ended), (record.end(), SnapshotEnd::CaughtUp));
            assert_eq!(extent.start.get(), kernel.words.overwrite_pos.load(Ordering::Relaxed));
            assert_eq!(extent.consumer.get(), first);
        }
    }
}

#[test]
fn what_was_consumed_is_not_in_the_next_one() {
    let heap = Heap::new(1024, 0);
    let kernel = Kernel::new(heap.words());
    let mut snapshots = Snapshots::new(&heap);
    let mut end = Position::new(0);
    for nth in 0..if cfg!(miri) { 10 } else { 1000 } {
        for _ in 0..nth % 5 {
            kernel.produce(100).unwrap();
        }
        let (copied, extent) = take(&mut snapshots).unwrap();
        assert_whole(&copied, extent, 100);
        assert_eq!((extent.consumer, extent.start), (end, end), "nothing lost");
        snapshots.consume(extent.end);
        end = extent.end;
    }
    assert_eq!(take(&mut snapshots).unwrap().1.start, end);
}

#[test]
fn an_unfinished_record_ends_it_and_is_never_overwritten() {
    let heap = Heap::new(256, 0);
    let kernel = Kernel::new(heap.words());
    let mut snapshots = Snapshots::new(&heap);
    let before = kernel.produce(20).unwrap();
    let busy = kernel.reserve(20).unwrap();
    while kernel.produce(20).is_some() {}
    let (copied, extent) = take(&mut snapshots).unwrap();
    assert_eq!((extent.end.get(), extent.ended), (before.end(), SnapshotEnd::Unfinished));
    assert_whole(&copied, extent, 20);
    kernel.write(busy);
    kernel.finish(busy);
    let (copied, extent) = take(&mut snapshots).unwrap();
    assert_eq!(extent.ended, SnapshotEnd::CaughtUp);
    assert_whole(&copied, extent, 20);
    assert!(extent.records(&copied).any(|(at, _)| at.get() == busy.at) || busy.discarded);
}

/// Takes snapshots while `threads` produce, `each` as many records, every 16th of which stays unfinished for a while.
fn race(size: u64, limit: u32, threads: usize, each: u32) {
    let first = 0u64.wrapping_sub(10 * size);
    let (heap, done) = (Heap::new(size, first), AtomicBool::new(false));
    let kernel = Kernel::new(heap.words());
    let mut snapshots = Snapshots::new(&heap);
    let (mut at, mut taken, mut lost) = (Position::new(first), 0, 0);
    thread::scope(|scope| {
        let produce = || {
            let mut later = None;
            for nth in 0..each {
                let Some(record) = kernel.reserve(limit) else {
                    later.take().into_iter().for_each(|record| kernel.finish(record));
                    thread::yield_now();
                    continue;
                };
                kernel.write(record);
                if nth % 16 == 0 && later.is_none() {
                    later = Some(record);
                } else {
                    kernel.finish(record);
                }
                if nth % 16 == 9 {
                    later.take().into_iter().for_each(|record| kernel.finish(record));
                }
            }
            later.into_iter().for_each(|record| kernel.finish(record));
        };
        let producers: Vec<_> = (0..threads).map(|_| scope.spawn(produce)).collect();
        scope.spawn(|| {
            producers.into_iter().for_each(|producer| producer.join().unwrap());
            done.store(true, Ordering::Release);
        });
        loop {
            let last = done.load(Ordering::Acquire);
            match take(&mut snapshots) {
                Ok((copied, extent)) => {
                    assert_whole(&copied, extent, limit);
                    assert_eq!(extent.consumer, at);
                    lost += extent.start.since(at);
                    taken += extent.end.since(extent.start);
                    at = extent.end;
                    snapshots.consume(at);
                }
                Err(unread) => assert!(matches!(unread, Unread::Overtaken { .. }) && !last, "{unread:?}"),
            }
            if last {
                break;
            }
            thread::yield_now();
        }
    });
    let produced = kernel.words.producer_pos.load(Ordering::Relaxed).wrapping_sub(first);
    assert_eq!((at.since(Position::new(first)), taken + lost), (produced, produced));
    assert!(taken > 0);
}

#[test]
fn whatever_producers_do_meanwhile_each_record_is_whole_and_what_is_missing_is_counted() {
    let many = if cfg!(miri) { 40 } else { 100_000 };
    race(256, 60, 1, many);
    race(1024, 100, 2, many);
    if !cfg!(miri) {
        race(4096, 1000, 1, many);
        race(1 << 16, 5000, 2, many);
        race(1 << 20, 300, 2, 3 * many);
    }
}

#[test]
fn a_snapshot_of_positions_that_cannot_be_is_refused_for_good() {
    let far = 1_u64 << 40;
    // Consumer, producer, overwrite.
    let cases = [
        [far, far + 4, far],
        [far, far + 16, far + 4],
        [far + 4, far + 16, far],
        [far + 24, far + 16, far],
        [far, far + 16, far + 24],
        [far, far + 256, far],
        [far, far + 264, far],
        [far, far, far.wrapping_sub(1 << 62)],
        [far, 0, far],
        [far, 8, 0],
        [u64::MAX, far, far],
        [far + (1 << 63), far, far],
        [far, u64::MAX, far],
        [far, far, u64::MAX],
    ];
    for [consumer, producer, overwrite] in cases {
        let heap = Heap::new(256, far);
        let words = heap.words();
        for (word, position) in
            [(words.consumer_pos, consumer), (words.producer_pos, producer), (words.overwrite_pos, overwrite)]
        {
            word.store(position, Ordering::Relaxed);
        }
        let mut snapshots = Snapshots::new(&heap);
        let refused = take(&mut snapshots).unwrap_err();
        let Unread::Corrupt(corrupt) = refused else { panic!("{refused:?}") };
        let found = match corrupt {
            Corrupt::ProducerPos { found, .. } => (found.get(), producer),
            Corrupt::OverwritePos { found, .. } => (found.get(), overwrite),
            Corrupt::ConsumerPos { found, .. } => (found.get(), consumer),
            other => panic!("{other}"),
        };
        assert_eq!(found.0, found.1, "{corrupt}");
        words.begin_at(far);
        assert_eq!(take(&mut snapshots).unwrap_err(), refused, "sticky");
    }
}

#[test]
fn a_length_that_cannot_be_ends_it_and_the_records_before_are_intact() {
    for forged in [9, 16, 17, 200, 1 << 29, (1 << 30) - 1, DISCARD | 9, DISCARD | ((1 << 30) - 1)] {
        let heap = Heap::new(256, 0);
        let kernel = Kernel::new(heap.words());
        let that = |len| move |at| Record { at, len, discarded: false };
        for record in [that(20), that(8)].map(|record| kernel.reserve_that(record).unwrap()) {
            kernel.write(record);
            kernel.finish(record);
        }
        heap.words().word(32).store(forged, Ordering::Relaxed);
        let mut snapshots = Snapshots::new(&heap);
        let (copied, extent) = take(&mut snapshots).unwrap();
        let intact: Vec<_> = extent.records(&copied).map(|(at, payload)| (at.get(), payload.len())).collect();
        assert_eq!(intact, [(0, 20)]);
        let SnapshotEnd::Corrupt(corrupt) = extent.ended else { panic!("{extent:?}") };
        assert!(
            matches!(corrupt, Corrupt::Length { available: 16, found, .. } if found == forged & !DISCARD),
            "{corrupt}"
        );
        assert_eq!(take(&mut snapshots).unwrap_err(), Unread::Corrupt(corrupt), "sticky");

        heap.words().consumer_pos.store(32, Ordering::Relaxed);
        assert_eq!(
            take(&mut Snapshots::new(&heap)).unwrap_err(),
            Unread::Corrupt(corrupt),
            "there is nothing before it"
        );
    }
}

#[test]
fn an_unfinished_record_is_looked_at_no_further_whatever_its_header_says() {
    for forged in [BUSY, BUSY | 5000, u32::MAX, BUSY | DISCARD] {
        let heap = Heap::new(256, 0);
        heap.words().producer_pos.store(16, Ordering::Relaxed);
        heap.words().word(0).store(forged, Ordering::Relaxed);
        let (_, extent) = take(&mut Snapshots::new(&heap)).unwrap();
        assert_eq!((extent.start, extent.end, extent.ended), (extent.end, Position::new(0), SnapshotEnd::Unfinished));
    }
}

#[test]
fn a_ring_whose_positions_run_away_is_given_up_after_a_while() {
    // Each look finds the overwrite position ahead of the producers, who go on.
    struct Running(Heap);
    impl Overwritten for &Running {
        fn size(&self) -> RingSize {
            self.0.size
        }
        fn consumer_pos(&self) -> &AtomicU64 {
            &self.0.positions[0]
        }
        fn producer_pos(&self) -> &AtomicU64 {
            self.0.positions[1].fetch_add(512, Ordering::Relaxed);
            self.0.positions[3].fetch_add(512, Ordering::Relaxed);
            &self.0.positions[1]
        }
        fn overwrite_pos(&self) -> &AtomicU64 {
            &self.0.positions[3]
        }
        fn data(&self) -> &[AtomicU32] {
            &self.0.data
        }
    }
    let running = Running(Heap::new(256, 0));
    running.0.positions[3].store(8, Ordering::Relaxed);
    let refused = Snapshots::new(&running).copy(&mut [0; 256]);
    assert!(matches!(refused, Err(Unread::Overtaken { tries }) if tries == TRIES), "{refused:?}");
}
