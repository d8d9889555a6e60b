//! Producers that sleep until there is space: one that sleeps although there is sleeps for ever, which the checker reports.

use dynring_loom::model::{Ring, check, die_doing, receive, receive_all, reserve_waiting, send, wait};
use dynring_loom::raw::{Consumer, Refusal};
use loom::thread;

/// More looks than receiving a record takes.
const LOOKS: u32 = 28;

#[test]
fn a_producer_that_waits_for_space_gets_it() {
    check(3, || {
        let ring = Ring::with_sleepers(32, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        send(&producer, 16, 1).unwrap();
        let waiter = thread::spawn(move || reserve_waiting(&producer, 16).unwrap());
        assert_eq!(receive(&mut consumer), Some(1));
        waiter.join().unwrap();
    });
}

#[test]
fn two_producers_that_wait_for_space_get_it() {
    check(2, || {
        let ring = Ring::with_sleepers(32, 2, 0);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        send(&a, 8, 1).unwrap();
        send(&b, 0, 2).unwrap();
        let first = thread::spawn(move || reserve_waiting(&a, 0).unwrap());
        let second = thread::spawn(move || reserve_waiting(&b, 8).unwrap());
        assert_eq!(receive(&mut consumer), Some(1));
        assert_eq!(receive(&mut consumer), Some(2));
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn a_wait_that_is_counted_has_said_what_for() {
    check(3, || {
        let ring = Ring::with_sleepers(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        send(&producer, 16, 1).unwrap();
        send(&producer, 16, 2).unwrap();
        let waiter = thread::spawn(move || reserve_waiting(&producer, 32).unwrap());
        assert_eq!(receive(&mut consumer), Some(1));
        assert_eq!(receive(&mut consumer), Some(2));
        waiter.join().unwrap();
    });
}

#[test]
fn a_producer_whose_space_another_took_waits_for_more() {
    check(3, || {
        let ring = Ring::with_sleepers(32, 2, 0);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        send(&a, 16, 1).unwrap();
        let waiter = thread::spawn(move || reserve_waiting(&a, 16).unwrap());
        assert_eq!(receive(&mut consumer), Some(1));
        if send(&b, 16, 2).is_ok() {
            assert_eq!(wait(&mut consumer), Ok(true));
            assert_eq!(receive(&mut consumer), Some(2));
        }
        waiter.join().unwrap();
    });
}

#[test]
fn whoever_consumes_next_wakes_those_whom_one_who_died_has_not() {
    for looks in 0..LOOKS {
        check(3, move || {
            let ring = Ring::with_sleepers(32, 1, 0);
            let producer = ring.producer();
            send(&producer, 16, 1).unwrap();
            let waiter = thread::spawn(move || reserve_waiting(&producer, 16).unwrap());
            let received = die_doing(&ring, looks, |mortal| {
                let mut consumer = Consumer::new(mortal);
                consumer.take().unwrap().unwrap();
                consumer.publish();
            });
            assert!(looks + 1 < LOOKS || received.is_some());
            receive(&mut ring.consumer());
            waiter.join().unwrap();
        });
    }
}

#[test]
fn a_producer_and_a_consumer_that_wait_for_each_other_both_go_on() {
    check(2, || {
        let ring = Ring::with_sleepers(32, 1, 0u64.wrapping_sub(24));
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || {
            for value in [1, 2] {
                let at = reserve_waiting(&producer, 16).unwrap();
                producer.memory().write(at, 16, value);
                producer.memory().commit(at, 16);
            }
        });
        let mut got = Vec::new();
        while got.len() < 2 {
            assert_eq!(wait(&mut consumer), Ok(true));
            got.extend(receive(&mut consumer));
        }
        assert_eq!(got, [1, 2]);
        sender.join().unwrap();
    });
}

#[test]
fn space_of_a_discarded_record_is_given_back_before_the_consumer_sleeps() {
    check(3, || {
        let ring = Ring::with_sleepers(32, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let dropped = producer.reserve(16).unwrap();
        let sender = thread::spawn(move || {
            producer.memory().discard(dropped, 16);
            let at = reserve_waiting(&producer, 16).unwrap();
            producer.memory().write(at, 16, 1);
            producer.memory().commit(at, 16);
        });
        assert_eq!(wait(&mut consumer), Ok(true));
        assert_eq!(receive_all(&mut consumer), [1]);
        sender.join().unwrap();
    });
}

#[test]
fn a_producer_that_waits_for_space_learns_that_the_consumer_is_gone() {
    check(3, || {
        let ring = Ring::with_sleepers(32, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        producer.reserve(16).unwrap();
        let waiter = thread::spawn(move || reserve_waiting(&producer, 16));
        consumer.close();
        assert_eq!(waiter.join().unwrap(), Err(Refusal::Closed));
    });
}
