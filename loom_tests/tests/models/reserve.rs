//! Reserve, fill, commit, consume: nothing lost, torn, doubled or out of order within a producer.

use dynring_loom::model::{Ring, check, receive, receive_all, send};
use loom::thread;

#[test]
fn one_producer_is_read_whole_and_in_order() {
    check(3, || {
        let ring = Ring::new(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || {
            send(&producer, 8, 1).unwrap();
            send(&producer, 0, 2).unwrap();
        });
        let mut got = Vec::new();
        got.extend(receive(&mut consumer));
        got.extend(receive(&mut consumer));
        sender.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_eq!(got, [1, 2]);
    });
}

#[test]
fn two_producers_interleave_in_any_order_and_lose_nothing() {
    check(3, || {
        let ring = Ring::new(64, 2, 0);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        let first = thread::spawn(move || {
            send(&a, 8, 1).unwrap();
        });
        let second = thread::spawn(move || {
            send(&b, 0, 2).unwrap();
        });
        let mut got = Vec::new();
        got.extend(receive(&mut consumer));
        first.join().unwrap();
        second.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert!(got == [1, 2] || got == [2, 1], "{got:?}");
    });
}
