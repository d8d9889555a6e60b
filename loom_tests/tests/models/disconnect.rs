//! Producers that come and go, and a consumer that leaves: nobody waits for somebody who will not come.

use dynring_loom::model::{Ring, check, leave, receive_all, send, wait};
use dynring_loom::raw::{self, Memory};
use dynring_loom::sync::Ordering;
use loom::thread;

#[test]
fn once_the_last_producer_has_left_all_it_sent_is_there() {
    check(3, || {
        let ring = Ring::new(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || {
            send(&producer, 0, 1).unwrap();
            leave(&producer);
        });
        if consumer.disconnected() {
            assert_eq!(receive_all(&mut consumer), [1]);
        }
        sender.join().unwrap();
        assert!(consumer.disconnected());
    });
}

#[test]
fn once_the_last_opener_has_gone_all_that_its_producers_sent_is_there() {
    check(3, || {
        let ring = Ring::new(64, 1, 0);
        raw::open(&ring);
        let mut consumer = ring.consumer();
        let opener = {
            let ring = ring.clone();
            thread::spawn(move || {
                let producer = ring.producer();
                send(&producer, 0, 1).unwrap();
                leave(&producer);
                raw::close(&ring);
            })
        };
        if consumer.disconnected() {
            assert_eq!(receive_all(&mut consumer), [1]);
        }
        opener.join().unwrap();
        assert!(consumer.disconnected());
    });
}

#[test]
fn a_producer_that_registers_for_the_first_time_is_not_taken_for_the_last_that_left() {
    check(3, || {
        let ring = Ring::new(64, 2, 0);
        Memory::producer(&ring).registry.openers.store(1, Ordering::Relaxed);
        let consumer = ring.consumer();
        let opener = {
            let ring = ring.clone();
            thread::spawn(move || {
                let producer = ring.producer();
                Memory::producer(&ring).registry.openers.fetch_sub(1, Ordering::Release);
                producer
            })
        };
        assert!(!consumer.disconnected());
        let _producer = opener.join().unwrap();
        assert!(!consumer.disconnected());
    });
}

#[test]
fn a_sleeper_learns_that_the_last_producer_has_left() {
    check(3, || {
        let ring = Ring::with_sleepers(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || leave(&producer));
        assert_eq!(wait(&mut consumer), Ok(false));
        sender.join().unwrap();
    });
}

#[test]
fn a_sleeper_learns_that_the_last_producer_has_left_while_another_could_not_come() {
    check(2, || {
        let ring = Ring::with_sleepers(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let latecomer = {
            let ring = ring.clone();
            thread::spawn(move || {
                if let Ok(registration) = raw::register(&ring, 0, &ring) {
                    raw::unregister(&ring, registration);
                }
            })
        };
        let sender = thread::spawn(move || leave(&producer));
        assert_eq!(wait(&mut consumer), Ok(false));
        sender.join().unwrap();
        latecomer.join().unwrap();
    });
}
