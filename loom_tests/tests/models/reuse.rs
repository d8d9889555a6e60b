//! Bytes that are used again on the next lap, around the place where positions wrap.

use dynring_loom::model::{Ring, check, receive, receive_all, reserve_batch, send, take};
use dynring_loom::raw::{Memory, Refusal};
use dynring_loom::sync::Ordering;
use dynring_loom::wire::{Position, Tag};
use loom::thread;

/// Two records of 16 bytes before positions wrap at 2^64.
const BEFORE_WRAP: u64 = 0u64.wrapping_sub(16);

#[test]
fn a_record_is_not_overwritten_before_it_was_read() {
    check(3, || {
        let ring = Ring::new(32, 1, BEFORE_WRAP);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || {
            send(&producer, 16, 1).unwrap();
            (send(&producer, 16, 2).is_ok(), producer)
        });
        let mut got = Vec::new();
        got.extend(receive(&mut consumer));
        let (second, _producer) = sender.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_eq!(got, if second { vec![1, 2] } else { vec![1] });
    });
}

#[test]
fn two_producers_wrap_positions_and_data() {
    check(2, || {
        let ring = Ring::new(32, 2, BEFORE_WRAP);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        let first = thread::spawn(move || send(&a, 8, 1).is_ok());
        let second = thread::spawn(move || send(&b, 8, 2).is_ok());
        let mut got = receive_all(&mut consumer);
        let (first, second) = (first.join().unwrap(), second.join().unwrap());
        got.extend(receive_all(&mut consumer));
        match (first, second) {
            (true, true) => assert!(matches!(got[..], [1, 2] | [2, 1]), "{got:?}"),
            (true, false) => assert_eq!(got, [1]),
            (false, true) => assert_eq!(got, [2]),
            (false, false) => panic!("one of two must find space"),
        }
    });
}

#[test]
fn a_start_that_the_consumer_has_overtaken_is_loaded_anew() {
    check(2, || {
        let ring = Ring::new(32, 2, BEFORE_WRAP);
        let mut consumer = ring.consumer();
        let (slow, fast) = (ring.producer(), ring.producer());
        // The slow producer's cache says that the ring is full. It is empty, and has room for what both will send.
        send(&fast, 16, 1).unwrap();
        assert_eq!(receive(&mut consumer), Some(1));
        let slow = thread::spawn(move || send(&slow, 0, 3).unwrap());
        let fast = thread::spawn(move || send(&fast, 8, 2).unwrap());
        let mut got = receive_all(&mut consumer);
        slow.join().unwrap();
        fast.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert!(matches!(got[..], [2, 3] | [3, 2]), "{got:?}");
    });
}

#[test]
fn the_consumers_mark_on_a_line_that_it_has_read_is_never_left_on_a_new_record() {
    check(3, || {
        let ring = Ring::new(32, 1, 56);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let owner = producer.registration().owner();
        send(&producer, 0, 1).unwrap();
        send(&producer, 0, 2).unwrap();
        let sender = thread::spawn(move || reserve_batch(&producer, &[8, 0]).is_ok());
        assert_eq!((take(&mut consumer), take(&mut consumer)), (Some(1), Some(2)));
        // The first record was the last of a line of 64 bytes. One lap on, the second of the batch takes its place.
        consumer.publish();
        let at = Position::new(56 + 32);
        if sender.join().unwrap() {
            let tag = Tag::from_word(ring.header(at).tag.load(Ordering::Relaxed));
            assert_eq!(tag, Tag::new(owner, at, ring.size()));
        }
    });
}

#[test]
fn a_producer_that_is_overtaken_again_and_again_is_not_told_that_the_ring_is_corrupt() {
    check(2, || {
        let ring = Ring::new(32, 2, BEFORE_WRAP);
        let mut consumer = ring.consumer();
        let (slow, quick) = (ring.producer(), ring.producer());
        // The slow one knows of no space: it looks at head, and then at the consumer.
        send(&quick, 16, 0).unwrap();
        assert_eq!(receive(&mut consumer), Some(0));
        let slow = thread::spawn(move || {
            let refused = slow.reserve(0).err();
            assert!(matches!(refused, None | Some(Refusal::Full { .. })), "{refused:?}");
        });
        for value in 1..4 {
            // Once the slow one has reserved, the ring stands still.
            if send(&quick, 16, value).is_ok() {
                receive(&mut consumer);
            }
        }
        slow.join().unwrap();
    });
}
