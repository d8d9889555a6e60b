//! What a consumer says about its ring.

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use dynring::{Consumer, Producer, Readiness, Ring};

fn ring(kernel_protocol: bool, first: u64) -> (Ring, Producer, Consumer) {
    let ring = Ring::builder(4096).kernel_protocol(kernel_protocol).first_position(first).build().unwrap();
    let (producer, consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    (ring, producer, consumer)
}

#[test]
fn positions_and_what_is_available_go_with_records() {
    for kernel_protocol in [false, true] {
        for first in [0, 24, 0_u64.wrapping_sub(16)] {
            let (_ring, producer, mut consumer) = ring(kernel_protocol, first);
            assert_eq!((consumer.available(), consumer.consumer_pos(), consumer.producer_pos()), (0, first, first));
            producer.output(&[0; 5]).unwrap();
            let busy = producer.reserve(8).unwrap();
            producer.reserve(0).unwrap().discard();
            assert_eq!(consumer.available(), 16 + 16 + 8, "unfinished and discarded records count");
            assert_eq!(consumer.producer_pos(), first.wrapping_add(40));
            drop(consumer.next().unwrap());
            assert_eq!((consumer.available(), consumer.consumer_pos()), (24, first.wrapping_add(16)));
            busy.commit();
            assert_eq!(consumer.drain(|_| ControlFlow::Continue(())).unwrap(), 1);
            assert_eq!((consumer.available(), consumer.consumer_pos()), (0, consumer.producer_pos()));
        }
    }
}

#[test]
fn records_that_are_held_are_still_available() {
    let (ring, producer, mut consumer) = ring(false, 0);
    producer.output(&[0; 8]).unwrap();
    let record = consumer.next().unwrap().unwrap();
    assert_eq!(ring.stats().available, 16);
    drop(record);
    assert_eq!(consumer.available(), 0);
}

#[test]
fn the_high_water_mark_is_the_most_that_was_unread_at_a_look() {
    for kernel_protocol in [false, true] {
        for first in [0, 0_u64.wrapping_sub(160)] {
            let (ring, producer, mut consumer) = ring(kernel_protocol, first);
            let mark = |consumer: &Consumer| {
                assert_eq!(ring.stats().high_water_mark, consumer.high_water_mark());
                consumer.high_water_mark()
            };
            let send = |records| (0..records).for_each(|_| producer.output(&[0; 8]).unwrap());
            assert!(consumer.next().unwrap().is_none());
            assert_eq!(mark(&consumer), 0);
            send(10);
            assert_eq!(mark(&consumer), 0, "not looked yet");
            drop(consumer.next().unwrap());
            assert_eq!(mark(&consumer), 160);
            send(5);
            assert_eq!(consumer.drain(|_| ControlFlow::Continue(())).unwrap(), 14);
            assert_eq!(mark(&consumer), 160, "5 were unread when it looked again");
            let busy = producer.reserve(300).unwrap();
            producer.reserve(0).unwrap().discard();
            assert!(consumer.next().unwrap().is_none());
            assert_eq!(mark(&consumer), 312 + 8, "unfinished and discarded records count");
            busy.commit();
            assert_eq!(consumer.drain(|_| ControlFlow::Continue(())).unwrap(), 1);
            consumer.reset_high_water_mark();
            assert_eq!(mark(&consumer), 0);
            send(3);
            drop(consumer.next().unwrap());
            consumer.reset_high_water_mark();
            assert_eq!(mark(&consumer), 32, "what is left of those it knows of");
        }
    }
}

#[test]
fn records_that_are_held_count_for_the_high_water_mark() {
    let (_ring, producer, mut consumer) = ring(false, 0);
    let batch = consumer.batch();
    for _ in 0..20 {
        producer.output(&[0; 8]).unwrap();
        assert!(batch.next().unwrap().is_some());
    }
    drop(batch);
    assert_eq!((consumer.high_water_mark(), consumer.available()), (320, 0));
}

#[test]
fn pending_pos_is_a_word_of_the_kernel() {
    let (_ring, producer, mut consumer) = ring(true, 64);
    producer.output(b"one").unwrap();
    assert!(consumer.next().unwrap().is_some());
    assert_eq!(consumer.pending_pos(), 0);
}

#[test]
fn a_ring_that_is_empty_or_has_finished_records_is_not_stalled() {
    let (_ring, producer, mut consumer) = ring(false, 0);
    assert_eq!(consumer.stalled(), None);
    producer.output(b"there").unwrap();
    let _busy = producer.reserve(8).unwrap();
    assert_eq!(consumer.stalled(), None);
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"there", "looking does not consume");
}

#[test]
fn a_stall_names_the_record_and_when_it_was_noticed() {
    for kernel_protocol in [false, true] {
        let (ring, producer, mut consumer) = ring(kernel_protocol, 0);
        producer.reserve(8).unwrap().discard();
        let before = Instant::now();
        let busy = producer.reserve(100).unwrap();
        producer.output(b"behind").unwrap();
        let stalled = consumer.stalled().unwrap();
        assert_eq!((stalled.position, stalled.len), (16, Some(100)));
        assert!(before <= stalled.since && stalled.since <= Instant::now());
        assert_eq!(ring.stats().consumer_pos, 16, "what was skipped is given back");
        thread::sleep(Duration::from_millis(2));
        assert!(consumer.next().unwrap().is_none());
        assert_eq!(consumer.stalled(), Some(stalled), "the same stall");
        busy.commit();
        assert_eq!(consumer.stalled(), None);
        assert_eq!(consumer.drain(|_| ControlFlow::Continue(())).unwrap(), 2);
        let again = producer.reserve(8).unwrap();
        let next = consumer.stalled().unwrap();
        assert!(next.position > stalled.position && next.since >= stalled.since + Duration::from_millis(2));
        drop(again);
        assert_eq!(consumer.stalled(), None);
    }
}

#[test]
fn the_rest_of_a_lease_is_what_stalls() {
    let (_ring, producer, mut consumer) = ring(false, 0);
    let mut lease = producer.lease(1000).unwrap();
    lease.output(b"one").unwrap();
    assert_eq!(consumer.drain(|_| ControlFlow::Continue(())).unwrap(), 1);
    let stalled = consumer.stalled().unwrap();
    assert_eq!(stalled.position, consumer.consumer_pos());
    assert_eq!(stalled.len.map(|len| len as u64 + 8), Some(consumer.available()));
    drop(lease);
    assert_eq!(consumer.stalled(), None);
}

#[test]
fn a_consumer_that_sleeps_has_noticed_the_stall() {
    let (_ring, producer, mut consumer) = ring(false, 0);
    let _busy = producer.reserve(8).unwrap();
    let timeout = Duration::from_millis(100);
    let begun = Instant::now();
    assert_eq!(consumer.wait(Some(timeout)).unwrap(), Readiness::TimedOut);
    let stalled = consumer.stalled().unwrap();
    assert!(stalled.since < begun + timeout, "noticed before it slept");
}
