//! Producers that the consumer lets go while they do nothing, and watches again when they go on.
//!
//! Allowed: what is sent is read, in the order of each producer, whoever is let go meanwhile; nothing is read before it is there.

use dynring_loom::model::{
    Ring, bury, check, die_doing, leave, receive, receive_all, receive_all_past_the_dead, reserve_and_die, send, wait,
};
use dynring_loom::raw::{self, Consumer, Memory, Producer};
use dynring_loom::sync::Ordering;
use loom::thread;

const BEFORE_WRAP: u64 = 0u64.wrapping_sub(16);

/// More looks than a reservation or letting go takes.
const LOOKS: u32 = 32;

/// Whether nobody but those who call is watched.
fn are_let_go(ring: &Ring, slots: u32) -> bool {
    let bits = ring.let_go()[0].load(Ordering::Relaxed) ^ ring.called()[0].load(Ordering::Relaxed);
    bits.count_ones() == slots
}

#[test]
fn who_is_let_go_while_it_sends_is_read() {
    check(3, || {
        let ring = Ring::that_lets_go(64, 2, BEFORE_WRAP);
        let mut consumer = ring.consumer();
        let (a, _b) = (ring.producer(), ring.producer());
        let sender = thread::spawn(move || send(&a, 0, 1).unwrap());
        consumer.let_go_of_the_idle();
        sender.join().unwrap();
        assert_eq!(receive_all(&mut consumer), [1]);
    });
}

#[test]
fn who_is_let_go_again_and_again_is_read_whole_and_in_order() {
    check(2, || {
        let ring = Ring::that_lets_go(64, 2, 0);
        let mut consumer = ring.consumer();
        let (_a, b) = (ring.producer(), ring.producer());
        consumer.let_go_of_the_idle();
        assert!(are_let_go(&ring, 2));
        let sender = thread::spawn(move || {
            for value in [1, 2] {
                send(&b, 0, value).unwrap();
            }
        });
        let mut got = Vec::new();
        for _ in 0..2 {
            got.extend(receive(&mut consumer));
            consumer.let_go_of_the_idle();
        }
        sender.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_eq!(got, [1, 2]);
    });
}

#[test]
fn those_who_call_hide_what_is_behind_them() {
    check(2, || {
        let ring = Ring::that_lets_go(64, 2, 0);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        consumer.let_go_of_the_idle();
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
fn who_is_let_go_while_it_enters_hides_what_is_behind_it() {
    check(2, || {
        let ring = Ring::that_lets_go(64, 2, 0);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        let first = thread::spawn(move || a.reserve(0).unwrap());
        let second = thread::spawn(move || b.reserve(0).unwrap());
        consumer.let_go_of_the_idle();
        assert_eq!(receive_all(&mut consumer), []);
        first.join().unwrap();
        second.join().unwrap();
        assert_eq!(receive_all(&mut consumer), []);
        consumer.refresh();
        assert_eq!(consumer.known(), 16);
    });
}

#[test]
fn a_sleeping_consumer_is_woken_by_who_was_let_go() {
    check(2, || {
        let ring = Ring::that_lets_go(64, 2, 0);
        let mut consumer = ring.consumer();
        let (_a, b) = (ring.producer(), ring.producer());
        consumer.let_go_of_the_idle();
        let sender = thread::spawn(move || send(&b, 0, 1).unwrap());
        assert_eq!(wait(&mut consumer), Ok(true));
        assert_eq!(receive_all(&mut consumer), [1]);
        sender.join().unwrap();
    });
}

#[test]
fn who_was_alone_is_let_go_no_sooner_than_it_calls() {
    check(2, || {
        let ring = Ring::that_lets_go(64, 2, 0).let_be_alone();
        let mut consumer = ring.consumer();
        let lone = ring.producer();
        let sender = thread::spawn(move || lone.reserve(0).unwrap());
        let newcomer = {
            let ring = ring.clone();
            thread::spawn(move || ring.producer().reserve(0).unwrap())
        };
        consumer.let_go_of_the_idle();
        assert_eq!(receive_all(&mut consumer), []);
        sender.join().unwrap();
        newcomer.join().unwrap();
        assert_eq!(receive_all(&mut consumer), []);
        consumer.refresh();
        assert_eq!(consumer.known(), 16);
    });
}

#[test]
fn who_dies_while_it_lets_producers_go_leaves_nothing_unread() {
    for looks in 0..LOOKS {
        check(2, move || {
            let ring = Ring::that_lets_go(64, 2, 0);
            let (a, _b) = (ring.producer(), ring.producer());
            let sender = thread::spawn(move || {
                send(&a, 0, 1).unwrap();
                send(&a, 0, 2).unwrap();
            });
            die_doing(&ring, looks, |mortal| Consumer::new(mortal).let_go_of_the_idle());
            let mut consumer = ring.consumer();
            consumer.let_go_of_the_idle();
            let mut got = Vec::from_iter(receive(&mut consumer));
            sender.join().unwrap();
            got.extend(receive_all(&mut consumer));
            assert_eq!(got, [1, 2]);
        });
    }
}

#[test]
fn who_dies_while_it_calls_leaves_a_slot_whose_next_owner_is_read() {
    for looks in 0..LOOKS {
        check(2, move || {
            let ring = Ring::that_lets_go(64, 2, 0);
            let mut consumer = ring.consumer();
            let (first, second) = (raw::register(&ring, 0, &ring).unwrap(), ring.producer());
            consumer.let_go_of_the_idle();
            let others = {
                let ring = ring.clone();
                thread::spawn(move || {
                    reserve_and_die(&ring, first, 0, looks);
                    raw::repair(&ring, &ring).unwrap();
                    let heir = ring.producer();
                    assert!(core::ptr::eq(heir.registration().of(&ring), first.of(&ring)), "another slot");
                    send(&heir, 0, 1).unwrap();
                    leave(&heir);
                })
            };
            let mut got = receive_all(&mut consumer);
            consumer.let_go_of_the_idle();
            others.join().unwrap();
            leave(&second);
            got.extend(receive_all_past_the_dead(&mut consumer));
            assert_eq!(got, [1]);
        });
    }
}

#[test]
fn who_dies_before_its_call_is_counted_is_watched_with_the_next_owner() {
    check(2, || {
        let ring = Ring::that_lets_go(64, 2, 0);
        let mut consumer = ring.consumer();
        let (first, _second) = (raw::register(&ring, 0, &ring).unwrap(), ring.producer());
        consumer.let_go_of_the_idle();
        ring.called()[0].fetch_xor(1, Ordering::Relaxed);
        bury(&ring, first);
        raw::repair(&ring, &ring).unwrap();
        let heir = ring.producer();
        let sender = thread::spawn(move || send(&heir, 0, 1).unwrap());
        let mut got = receive_all(&mut consumer);
        sender.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_eq!(got, [1]);
    });
}

#[test]
fn a_slot_that_was_let_go_is_watched_once_its_next_owner_sends() {
    check(2, || {
        let ring = Ring::that_lets_go(64, 2, 0);
        let mut consumer = ring.consumer();
        let (first, _second) = (ring.producer(), ring.producer());
        send(&first, 0, 1).unwrap();
        let others = {
            let ring = ring.clone();
            thread::spawn(move || {
                leave(&first);
                let heir = Producer::new(ring.clone(), raw::register(&ring, 0, &()).unwrap());
                send(&heir, 0, 2).unwrap();
            })
        };
        let mut got = receive_all(&mut consumer);
        consumer.let_go_of_the_idle();
        consumer.let_go_of_the_idle();
        others.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_eq!(got, [1, 2]);
    });
}
