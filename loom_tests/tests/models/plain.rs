//! Plain readers, who know `producer_pos` and the headers, and nothing else.
//!
//! Allowed: `producer_pos` lags while a producer is entering. Once all have left, it has caught up with head.

use dynring_loom::model::{Ring, check, leave, receive_all, send, wait};
use dynring_loom::raw::Memory;
use dynring_loom::sync::Ordering;
use dynring_loom::wire::Position;
use loom::thread;

const BEFORE_WRAP: u64 = 0u64.wrapping_sub(16);

fn producer_pos(ring: &Ring) -> Position {
    Position::new(Memory::producer(ring).producer_pos.load(Ordering::Relaxed))
}

#[test]
fn one_producer_is_read_whole_and_in_order() {
    check(3, || {
        let ring = Ring::plain(64, 1, BEFORE_WRAP);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || {
            send(&producer, 8, 1).unwrap();
            send(&producer, 0, 2).unwrap();
        });
        let mut got = receive_all(&mut consumer);
        assert!(matches!(got[..], [] | [1] | [1, 2]), "{got:?}");
        sender.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_eq!(got, [1, 2]);
    });
}

#[test]
fn of_two_producers_that_enter_together_the_last_to_leave_publishes_for_both() {
    check(3, || {
        let ring = Ring::plain(64, 2, BEFORE_WRAP);
        let (a, b) = (ring.producer(), ring.producer());
        let first = thread::spawn(move || a.reserve(0).unwrap());
        let second = thread::spawn(move || b.reserve(8).unwrap());
        first.join().unwrap();
        second.join().unwrap();
        assert_eq!(producer_pos(&ring), Position::new(BEFORE_WRAP).advance(24));
    });
}

#[test]
fn who_gives_up_publishes_what_it_hid() {
    check(3, || {
        let ring = Ring::plain(32, 2, BEFORE_WRAP);
        let (a, b) = (ring.producer(), ring.producer());
        let first = thread::spawn(move || a.reserve(8).is_ok());
        let second = thread::spawn(move || b.reserve(8).is_ok());
        assert_ne!(first.join().unwrap(), second.join().unwrap());
        assert_eq!(producer_pos(&ring), Position::new(BEFORE_WRAP).advance(16));
    });
}

#[test]
fn what_is_published_has_its_header_whoever_publishes_it() {
    check(3, || {
        let ring = Ring::plain(64, 2, 0);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        let first = thread::spawn(move || a.reserve(0).unwrap());
        let second = thread::spawn(move || b.reserve(0).unwrap());
        assert_eq!(receive_all(&mut consumer), []);
        first.join().unwrap();
        second.join().unwrap();
        assert_eq!(receive_all(&mut consumer), []);
    });
}

#[test]
fn a_producer_that_comes_and_goes_leaves_nothing_behind() {
    check(2, || {
        let ring = Ring::plain(64, 2, 0);
        let known = ring.producer();
        let newcomer = {
            let ring = ring.clone();
            thread::spawn(move || {
                let producer = ring.producer();
                producer.reserve(0).unwrap();
                leave(&producer);
            })
        };
        let sender = thread::spawn(move || known.reserve(0).unwrap());
        newcomer.join().unwrap();
        sender.join().unwrap();
        assert_eq!(producer_pos(&ring), Position::new(16));
    });
}

#[test]
fn three_producers_that_enter_together_leave_nothing_behind() {
    check(1, || {
        let ring = Ring::plain(64, 3, 0);
        let [a, b, c] = [(); 3].map(|()| ring.producer());
        let threads = [a, b, c].map(|producer| thread::spawn(move || producer.reserve(0).unwrap()));
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(producer_pos(&ring), Position::new(24));
    });
}

#[test]
fn who_publishes_a_committed_record_wakes_the_consumer() {
    check(2, || {
        let ring = Ring::plain_with_sleepers(64, 2, 0);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        // Only one of them finds space: a second try would wake the consumer, too.
        let hider = thread::spawn(move || a.reserve(48).is_ok());
        let sender = thread::spawn(move || send(&b, 0, 1));
        if sender.join().unwrap() == Ok(Position::new(0)) {
            assert_eq!(wait(&mut consumer), Ok(true));
            assert_eq!(receive_all(&mut consumer), [1]);
        }
        hider.join().unwrap();
    });
}
