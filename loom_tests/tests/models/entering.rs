//! Entering: between its swap and its header, a producer's record is nothing but stale bytes.
//!
//! Allowed: the consumer sees a prefix of what was reserved, and each record either as its producer wrote it or not yet.

use dynring_loom::model::{Ring, check, receive_all, send};
use loom::thread;

#[test]
fn a_record_that_is_swapped_in_and_has_no_header_yet_hides_what_is_behind_it() {
    check(2, || {
        let ring = Ring::new(64, 2, 0);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        let first = thread::spawn(move || a.reserve(0).unwrap());
        let second = thread::spawn(move || b.reserve(0).unwrap());
        assert_eq!(receive_all(&mut consumer), []);
        first.join().unwrap();
        second.join().unwrap();
        assert_eq!(receive_all(&mut consumer), []);
        consumer.refresh();
        assert_eq!(consumer.known(), 16);
    });
}

#[test]
fn a_second_announcement_vouches_for_the_header_of_the_first_record() {
    check(2, || {
        let ring = Ring::new(64, 2, 0);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        let first = thread::spawn(move || {
            send(&a, 0, 1).unwrap();
            a.reserve(0).unwrap()
        });
        let second = thread::spawn(move || b.reserve(0).unwrap());
        let got = receive_all(&mut consumer);
        assert!(matches!(got[..], [] | [1]), "{got:?}");
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn a_lone_producers_announcement_vouches_for_its_previous_header() {
    check(3, || {
        let ring = Ring::new(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || {
            send(&producer, 0, 1).unwrap();
            send(&producer, 8, 2).unwrap();
        });
        let got = receive_all(&mut consumer);
        assert!(matches!(got[..], [] | [1] | [1, 2]), "{got:?}");
        sender.join().unwrap();
    });
}

#[test]
fn a_producer_that_has_just_registered_is_not_overlooked() {
    check(2, || {
        let ring = Ring::new(64, 2, 0);
        let mut consumer = ring.consumer();
        let known = ring.producer();
        let newcomer = {
            let ring = ring.clone();
            thread::spawn(move || ring.producer().reserve(0).unwrap())
        };
        let sender = thread::spawn(move || known.reserve(0).unwrap());
        assert_eq!(receive_all(&mut consumer), []);
        newcomer.join().unwrap();
        sender.join().unwrap();
        assert_eq!(receive_all(&mut consumer), []);
    });
}
