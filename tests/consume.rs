//! Consuming.

use std::mem;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use dynring::{Consumer, Limits, Producer, ReserveError, Ring};

fn ring_at(first: u64) -> (Ring, Producer, Consumer) {
    let ring = Ring::builder(4096).first_position(first).build().unwrap();
    let (producer, consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    (ring, producer, consumer)
}

fn ring() -> (Ring, Producer, Consumer) {
    ring_at(0)
}

/// Commits records with these payloads.
fn send<const N: usize>(producer: &Producer, payloads: [&str; N]) {
    for payload in payloads {
        producer.output(payload.as_bytes()).unwrap();
    }
}

fn goes_on(_: &[u8]) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn records_come_in_the_order_in_which_they_were_reserved() {
    let (_ring, producer, mut consumer) = ring();
    let [mut first, mut second, mut third] = [3, 4, 5].map(|len| producer.reserve(len).unwrap());
    third.copy_from_slice(b"third");
    third.commit();
    assert!(consumer.next().unwrap().is_none());
    first.copy_from_slice(b"one");
    first.commit();
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"one");
    assert!(consumer.next().unwrap().is_none());
    second.copy_from_slice(b"next");
    second.commit();
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"next");
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"third");
}

#[test]
fn a_record_knows_its_position() {
    for first in [0u64, (1 << 32) - 16, (1 << 63) - 32, 0u64.wrapping_sub(48)] {
        let (_ring, producer, mut consumer) = ring_at(first);
        send(&producer, ["a", "variable", "size", ""]);
        for expected in [0, 16, 32, 48] {
            let record = consumer.next().unwrap().unwrap();
            assert_eq!(record.position(), first.wrapping_add(expected));
            assert_eq!(record.as_ref(), &record[..]);
        }
    }
}

#[test]
fn space_is_given_back_when_the_record_is_let_go_of() {
    let (ring, producer, mut consumer) = ring();
    while producer.output(&[0; 24]).is_ok() {}
    let record = consumer.next().unwrap().unwrap();
    assert_eq!(ring.stats().consumer_pos, 0);
    assert_eq!(producer.output(&[0; 24]), Err(ReserveError::Full));
    drop(record);
    assert_eq!(ring.stats().consumer_pos, 32);
    assert_eq!(producer.output(&[0; 24]), Ok(()));
}

#[test]
fn discarded_records_are_given_back_without_a_record_behind_them() {
    let (ring, producer, mut consumer) = ring();
    for _ in 0..3 {
        producer.reserve(24).unwrap().discard();
    }
    assert_eq!(ring.stats().discarded, 0);
    assert!(consumer.next().unwrap().is_none());
    let stats = ring.stats();
    assert_eq!((stats.consumer_pos, stats.available, stats.discarded), (96, 0, 3));
    assert_eq!(consumer.discarded(), 3);
}

#[test]
fn a_record_that_is_forgotten_is_given_back_with_the_next_one() {
    let (ring, producer, mut consumer) = ring();
    send(&producer, ["one", "two", "three"]);
    mem::forget(consumer.next().unwrap().unwrap());
    assert_eq!(ring.stats().consumer_pos, 0);
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"two");
    assert_eq!(ring.stats().consumer_pos, 32);
}

#[test]
fn draining_reads_what_is_there() {
    let (ring, producer, mut consumer) = ring();
    send(&producer, ["one", "two", "three"]);
    producer.reserve(8).unwrap().discard();
    let mut seen = Vec::new();
    let records = consumer.drain(|record| {
        seen.push(record.to_vec());
        ControlFlow::Continue(())
    });
    assert_eq!(records, Ok(3), "discarded records do not count");
    assert_eq!(seen, [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]);
    assert_eq!(ring.stats().available, 0);
    assert_eq!(consumer.drain(goes_on), Ok(0));
}

#[test]
fn draining_ends_with_the_record_that_breaks() {
    let (ring, producer, mut consumer) = ring();
    send(&producer, ["one", "two", "three"]);
    let until_two = |record: &[u8]| if record == b"two" { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    assert_eq!(consumer.drain(until_two), Ok(2));
    assert_eq!(ring.stats().consumer_pos, 32, "the record that broke counts as consumed");
    send(&producer, ["two", "four"]);
    assert_eq!(consumer.drain_up_to(Limits::default(), until_two), Ok(2));
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"four");
}

#[test]
fn draining_goes_on_for_as_long_as_records_come() {
    let (_ring, producer, mut consumer) = ring();
    send(&producer, ["0"]);
    let mut sent = 0;
    let records = consumer.drain(|_| {
        if sent < 500 {
            sent += 1;
            send(&producer, ["more"]);
        }
        ControlFlow::Continue(())
    });
    assert_eq!(records, Ok(501));
}

#[test]
fn draining_is_limited_by_the_number_of_records() {
    let (_ring, producer, mut consumer) = ring();
    for _ in 0..32 {
        send(&producer, ["record"]);
    }
    let limits = |records| Limits { records: Some(records), ..Limits::default() };
    assert_eq!(consumer.drain_up_to(limits(0), |_| panic!("not even one")), Ok(0));
    for _ in 0..7 {
        assert_eq!(consumer.drain_up_to(limits(4), goes_on), Ok(4));
    }
    assert_eq!(consumer.drain_up_to(limits(u64::MAX), goes_on), Ok(4));
}

#[test]
fn draining_is_limited_by_the_number_of_bytes() {
    let (_ring, producer, mut consumer) = ring();
    let limits = |bytes| Limits { bytes: Some(bytes), ..Limits::default() };
    for (most, expected) in [(0, 0), (1, 1), (10, 1), (11, 2), (20, 2), (21, 3), (1000, 5)] {
        for _ in 0..5 {
            send(&producer, ["ten bytes."]);
        }
        assert_eq!(consumer.drain_up_to(limits(most), goes_on), Ok(expected), "{most}");
        assert_eq!(consumer.drain(goes_on), Ok(5 - expected));
    }
}

#[test]
fn draining_is_limited_by_a_deadline() {
    let (_ring, producer, mut consumer) = ring();
    send(&producer, ["one", "two", "three"]);
    let until = |deadline| Limits { deadline: Some(deadline), ..Limits::default() };
    assert_eq!(consumer.drain_up_to(until(Instant::now()), |_| panic!("the moment has come")), Ok(0));
    let soon = Instant::now() + Duration::from_millis(20);
    let outlast = |_: &[u8]| {
        while Instant::now() < soon {
            std::thread::yield_now();
        }
        ControlFlow::Continue(())
    };
    let during = consumer.drain_up_to(until(soon), outlast).unwrap();
    assert!(during <= 1, "the moment came during the first record, or before");
    let much_later = Instant::now() + Duration::from_secs(3600);
    assert_eq!(consumer.drain_up_to(until(much_later), goes_on), Ok(3 - during));
}

#[test]
fn the_first_limit_that_is_reached_ends_the_draining() {
    let (_ring, producer, mut consumer) = ring();
    let both = |records, bytes| Limits { records: Some(records), bytes: Some(bytes), deadline: None };
    for (limits, expected) in [(both(2, 1000), 2), (both(4, 15), 2), (both(0, 1000), 0), (both(4, 0), 0)] {
        send(&producer, ["ten bytes.", "ten bytes.", "ten bytes.", "ten bytes."]);
        assert_eq!(consumer.drain_up_to(limits, goes_on), Ok(expected), "{limits:?}");
        assert_eq!(consumer.drain(goes_on), Ok(4 - expected));
    }
}

#[test]
fn a_record_whose_closure_panics_counts_as_consumed() {
    let (ring, producer, mut consumer) = ring();
    send(&producer, ["one", "two", "three", "four"]);
    let boom = |record: &[u8]| if record == b"two" { panic!("boom") } else { ControlFlow::Continue(()) };
    panic::catch_unwind(AssertUnwindSafe(|| consumer.drain(boom))).unwrap_err();
    let stats = ring.stats();
    assert_eq!((stats.consumer_pos, stats.available), (32, 32));
    let boom = |_: &[u8]| panic!("boom");
    panic::catch_unwind(AssertUnwindSafe(|| consumer.drain_up_to(Limits::default(), boom))).unwrap_err();
    assert_eq!(ring.stats().consumer_pos, 48);
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"four");
    while producer.output(&[0; 24]).is_ok() {}
    assert_eq!(consumer.drain(goes_on), Ok(127), "the ring works on");
}

#[test]
fn a_producer_that_panics_discards_what_it_had_reserved() {
    let (_ring, producer, mut consumer) = ring();
    let writes = || {
        let _record = producer.reserve(8).unwrap();
        panic!("while writing");
    };
    panic::catch_unwind(AssertUnwindSafe(writes)).unwrap_err();
    send(&producer, ["behind"]);
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"behind");
    assert_eq!(consumer.discarded(), 1);
}

#[test]
fn the_records_of_a_batch_are_given_back_together() {
    let (ring, producer, mut consumer) = ring();
    let mut sent = 0u64;
    while producer.output(&sent.to_ne_bytes()).is_ok() {
        sent += 1;
    }
    let batch = consumer.batch();
    let held: Vec<&[u8]> = batch.iter().map(Result::unwrap).collect();
    assert_eq!(held.len() as u64, sent);
    assert!(batch.next().unwrap().is_none());
    assert_eq!(ring.stats().consumer_pos, 0);
    assert_eq!(producer.output(&[0; 8]), Err(ReserveError::Full), "no space before the batch is let go of");
    assert!(held.into_iter().eq((0..sent).map(u64::to_ne_bytes)));
    drop(batch);
    assert_eq!(ring.stats().available, 0);
    assert_eq!(producer.output(&[0; 8]), Ok(()));
}

#[test]
fn a_batch_goes_on_when_more_records_have_come() {
    let (_ring, producer, mut consumer) = ring();
    send(&producer, ["one", "two"]);
    let batch = consumer.batch();
    let first = batch.next().unwrap().unwrap();
    let second: Vec<_> = batch.iter().map(Result::unwrap).collect();
    send(&producer, ["three"]);
    producer.reserve(8).unwrap().discard();
    send(&producer, ["four"]);
    let rest: Vec<_> = batch.iter().map(Result::unwrap).collect();
    assert_eq!(first, b"one");
    assert_eq!(second, [b"two"]);
    assert_eq!(rest, [&b"three"[..], b"four"]);
}

#[test]
fn a_batch_that_took_nothing_gives_nothing_back() {
    let (ring, producer, mut consumer) = ring();
    send(&producer, ["one"]);
    drop(consumer.batch());
    assert_eq!(ring.stats().consumer_pos, 0);
    assert_eq!(consumer.batch().next().unwrap(), Some(&b"one"[..]));
    assert_eq!(ring.stats().consumer_pos, 16);
}

#[test]
fn a_batch_that_is_forgotten_is_given_back_with_the_next_record() {
    let (ring, producer, mut consumer) = ring();
    send(&producer, ["one", "two", "three"]);
    let batch = consumer.batch();
    assert_eq!(batch.iter().take(2).count(), 2);
    mem::forget(batch);
    assert_eq!(ring.stats().consumer_pos, 0);
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"three");
    assert_eq!(ring.stats().available, 0);
}

#[test]
fn figures_tell_what_was_reserved_refused_discarded_and_consumed() {
    let first = 0u64.wrapping_sub(2056);
    let (ring, producer, mut consumer) = ring_at(first);
    let other = ring.producer().unwrap();
    producer.output(&[0; 2024]).unwrap();
    other.reserve(16).unwrap().discard();
    let busy = producer.reserve(8).unwrap();
    let stats = ring.stats();
    assert_eq!((stats.capacity, stats.producers), (4096, 2));
    assert_eq!((stats.consumer_pos, stats.head, stats.available), (first, 16, 2072));
    assert_eq!((stats.refused, stats.discarded), (0, 0));
    let len = producer.max_len();
    for producer in [&producer, &other, &other] {
        assert_eq!(producer.reserve(len).unwrap_err(), ReserveError::Full);
    }
    assert_eq!(consumer.drain(goes_on), Ok(1));
    let stats = ring.stats();
    assert_eq!((stats.consumer_pos, stats.available), (0, 16));
    assert_eq!((stats.refused, stats.discarded), (3, 1));
    busy.commit();
    drop((producer, other));
    assert_eq!(ring.stats().producers, 0);
    assert_eq!(ring.stats().refused, 3, "figures of producers that have gone remain");
}
