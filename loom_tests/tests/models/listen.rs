//! Waking an event loop that waits for the consumer: it may hear the bell once too often, and never once too little.

use dynring_loom::model::{Ring, check, leave, listen, receive, receive_all, send, wait};
use dynring_loom::raw::Consumer;
use dynring_loom::wire::Corrupt;
use loom::thread;

/// Receives until `count` records have come, and sleeps in turn in each of the ways there are.
fn receive_sleeping(consumer: &mut Consumer<Ring>, count: usize) -> Result<Vec<u64>, Corrupt> {
    let mut got = Vec::new();
    for turn in 0.. {
        if got.len() == count {
            break;
        }
        assert!(if turn % 2 == 0 { listen(consumer)? } else { wait(consumer)? });
        got.extend(receive_all(consumer));
    }
    Ok(got)
}

#[test]
fn a_commit_is_heard() {
    check(3, || {
        let ring = Ring::with_sleepers(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || send(&producer, 0, 1).unwrap());
        assert_eq!(listen(&mut consumer), Ok(true));
        assert_eq!(receive(&mut consumer), Some(1));
        sender.join().unwrap();
    });
}

#[test]
fn a_consumer_that_sleeps_now_in_one_way_and_now_in_the_other_is_woken_in_either() {
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
fn commits_of_two_producers_are_heard() {
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
fn an_event_loop_learns_that_the_last_producer_has_left() {
    check(3, || {
        let ring = Ring::with_sleepers(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let leaver = thread::spawn(move || leave(&producer));
        assert_eq!(listen(&mut consumer), Ok(false));
        leaver.join().unwrap();
    });
}
