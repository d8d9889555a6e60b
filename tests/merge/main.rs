//! Many rings, one order: with rings of this crate, which need no kernel.
#![cfg(not(miri))]

mod model;
#[path = "../support/pages.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod pages;
mod threads;
mod window;

use std::ops::ControlFlow;
use std::time::Duration;

use dynring::{MergedRecord, Producer, Ring, RingMerge, RingToken};

/// Longer than anything takes that does happen.
const LONG: Duration = Duration::from_secs(20);
const NOW: Option<Duration> = Some(Duration::ZERO);

/// The word over the first 8 bytes.
fn key(record: &[u8]) -> u64 {
    record.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}

type Merge = RingMerge<u64, fn(&[u8]) -> u64>;

/// `rings` rings of a page, merged within `window`.
fn merge_of(rings: usize, window: Duration) -> (Merge, Vec<(RingToken, Producer)>) {
    let mut merge: Merge = RingMerge::new(window, key as fn(&[u8]) -> u64).unwrap();
    let add = |_| {
        let ring = Ring::builder(1).build().unwrap();
        (merge.add(ring.consumer().unwrap()).unwrap(), ring.producer().unwrap())
    };
    let producers = (0..rings).map(add).collect();
    (merge, producers)
}

fn send(producer: &Producer, key: u64) {
    producer.output(&key.to_ne_bytes()).unwrap();
}

/// Notes the key of a record, negative if it is late.
fn note(log: &mut Vec<i64>) -> impl FnMut(MergedRecord<'_, u64>) -> ControlFlow<()> {
    |record| {
        log.push(if record.late { -(*record.key as i64) } else { *record.key as i64 });
        ControlFlow::Continue(())
    }
}

/// What is due now.
fn consumed(merge: &mut Merge) -> Vec<i64> {
    let mut log = Vec::new();
    let records = merge.consume(note(&mut log)).unwrap();
    assert_eq!(records, log.len() as u64);
    log
}

/// All that is there now.
fn flushed(merge: &mut Merge) -> Vec<i64> {
    let mut log = Vec::new();
    let records = merge.flush(note(&mut log)).unwrap();
    assert_eq!(records, log.len() as u64);
    log
}
