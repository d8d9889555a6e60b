//! Sleeping and waking: a consumer that sleeps while there is a record sleeps for ever, which the checker reports.

use dynring_loom::model::{Ring, check, receive, receive_all, send, take, wait};
use dynring_loom::raw::{self, Consumer, Memory, Wakeup};
use dynring_loom::sync::Ordering;
use dynring_loom::wire::{Corrupt, Header};
use loom::thread;

/// Receives until `count` records have come.
fn receive_sleeping(consumer: &mut Consumer<Ring>, count: usize) -> Result<Vec<u64>, Corrupt> {
    let mut got = Vec::new();
    while got.len() < count {
        assert!(wait(consumer)?);
        got.extend(receive_all(consumer));
    }
    Ok(got)
}

#[test]
fn a_commit_wakes_the_consumer() {
    check(3, || {
        let ring = Ring::with_sleepers(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || {
            send(&producer, 0, 1).unwrap();
            send(&producer, 0, 2).unwrap();
        });
        assert_eq!(receive_sleeping(&mut consumer, 2), Ok(vec![1, 2]));
        sender.join().unwrap();
    });
}

#[test]
fn commits_of_two_producers_wake_the_consumer() {
    check(2, || {
        let ring = Ring::with_sleepers(64, 2, 0);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        let first = thread::spawn(move || send(&a, 0, 1).unwrap());
        let second = thread::spawn(move || send(&b, 0, 2).unwrap());
        let got = receive_sleeping(&mut consumer, 2).unwrap();
        assert!(matches!(got[..], [1, 2] | [2, 1]), "{got:?}");
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn who_hid_a_committed_record_wakes_the_consumer() {
    check(3, || {
        let ring = Ring::with_sleepers(64, 2, 0);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        let hider = thread::spawn(move || a.reserve(0).unwrap());
        let sender = thread::spawn(move || send(&b, 0, 1).unwrap());
        let sent = sender.join().unwrap();
        if sent == dynring_loom::wire::Position::new(0) {
            assert_eq!(wait(&mut consumer), Ok(true));
            assert_eq!(receive(&mut consumer), Some(1));
        }
        hider.join().unwrap();
    });
}

#[test]
fn who_hid_a_committed_record_and_gave_up_wakes_the_consumer() {
    check(3, || {
        let ring = Ring::with_sleepers(32, 2, 0);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        let hider = thread::spawn(move || a.reserve(8).is_ok());
        let sender = thread::spawn(move || send(&b, 8, 1).is_ok());
        if sender.join().unwrap() {
            assert_eq!(wait(&mut consumer), Ok(true));
            assert_eq!(take(&mut consumer), Some(1));
        }
        hider.join().unwrap();
    });
}

#[test]
fn a_discarded_record_before_the_awaited_one_hides_no_wake() {
    check(3, || {
        let ring = Ring::with_sleepers(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || {
            let dropped = producer.reserve(0).unwrap();
            let kept = producer.reserve(8).unwrap();
            let ring = producer.memory();
            ring.write(kept, 8, 1);
            ring.discard(dropped, 0);
            ring.commit(kept, 8);
        });
        assert_eq!(wait(&mut consumer), Ok(true));
        assert_eq!(receive_all(&mut consumer), [1]);
        sender.join().unwrap();
    });
}

#[test]
fn records_finished_out_of_order_wake_the_consumer_once_the_first_is() {
    check(3, || {
        let ring = Ring::with_sleepers(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let first = producer.reserve(0).unwrap();
        let second = producer.reserve(0).unwrap();
        let committer = |at, value| {
            let ring = ring.clone();
            thread::spawn(move || {
                ring.write(at, 0, value);
                ring.commit(at, 0);
            })
        };
        let (first, second) = (committer(first, 1), committer(second, 2));
        assert_eq!(receive_sleeping(&mut consumer, 2), Ok(vec![1, 2]));
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn a_forced_commit_wakes_a_consumer_that_was_not_told_of_the_record_before() {
    check(3, || {
        let ring = Ring::with_sleepers(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || {
            let (silent, loud) = (producer.reserve(0).unwrap(), producer.reserve(0).unwrap());
            let ring = producer.memory();
            for (at, value, wakeup) in [(silent, 1, Wakeup::None), (loud, 2, Wakeup::Force)] {
                ring.write(at, 0, value);
                ring.finish(at, Header::committed(0), wakeup);
            }
        });
        assert_eq!(receive_sleeping(&mut consumer, 2), Ok(vec![1, 2]));
        sender.join().unwrap();
    });
}

#[test]
fn only_whom_the_flags_say_is_woken() {
    check(1, || {
        let ring = Ring::with_sleepers(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let mut finish = |wakeup, ahead: bool| {
            let awaited = producer.reserve(0).unwrap();
            let next = producer.reserve(0).unwrap();
            let at = if ahead { next } else { awaited };
            let seq = consumer.about_to_sleep();
            raw::finish(&ring, at, Header::committed(0), wakeup);
            let wakes = Memory::producer(&ring).wake_seq.load(Ordering::Relaxed) != seq;
            consumer.woken();
            let unfinished = if ahead { awaited } else { next };
            ring.commit(unfinished, 0);
            assert_eq!(receive_all(&mut consumer).len(), 2);
            wakes
        };
        for (wakeup, awaited, ahead) in
            [(Wakeup::None, false, false), (Wakeup::Adaptive, true, false), (Wakeup::Force, true, true)]
        {
            assert_eq!((finish(wakeup, false), finish(wakeup, true)), (awaited, ahead), "{wakeup:?}");
        }
        assert_eq!(Memory::consumer(&ring).state.sleeping.load(Ordering::Relaxed), 0);
    });
}
