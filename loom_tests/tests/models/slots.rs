//! Slots that change hands.

use dynring_loom::model::{Ring, bury, check, leave, receive_all, send};
use dynring_loom::raw::{self, Memory, Producer};
use dynring_loom::sync::Ordering;
use dynring_loom::wire::Position;
use loom::thread;

#[test]
fn a_freed_slot_keeps_its_word_for_the_next_owner() {
    check(2, || {
        let ring = Ring::new(64, 1, 8);
        let mut consumer = ring.consumer();
        let first = ring.producer();
        send(&first, 8, 1).unwrap();
        leave(&first);
        let second = ring.producer();
        assert_ne!(first.registration().owner(), second.registration().owner());
        let word = second.registration().of(&ring).word.load(Ordering::Relaxed);
        assert_eq!(word, Position::new(24).get());
        assert_eq!(receive_all(&mut consumer), [1]);
    });
}

#[test]
fn the_next_owner_vouches_for_the_last_ones_headers() {
    check(3, || {
        let ring = Ring::new(64, 1, 0);
        let mut consumer = ring.consumer();
        let first = ring.producer();
        let leaver = thread::spawn(move || {
            send(&first, 0, 1).unwrap();
            leave(&first);
        });
        let heir = {
            let ring = ring.clone();
            thread::spawn(move || {
                let registration = raw::register(&ring, 0, &()).ok()?;
                let second = Producer::new(ring, registration);
                Some(send(&second, 0, 2).unwrap())
            })
        };
        let mut got = receive_all(&mut consumer);
        leaver.join().unwrap();
        let second = heir.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_eq!(got, if second.is_some() { vec![1, 2] } else { vec![1] });
    });
}

#[test]
fn a_slots_word_never_goes_back() {
    check(2, || {
        let ring = Ring::new(64, 2, 0);
        let (a, b) = (ring.producer(), ring.producer());
        let first = thread::spawn(move || {
            a.reserve(0).unwrap();
            leave(&a);
        });
        let second = thread::spawn(move || {
            b.reserve(0).unwrap();
        });
        let position = |index: usize| Position::new(ring.slots()[index].word.load(Ordering::Relaxed) & !7);
        for index in [0, 1] {
            let (before, after) = (position(index), position(index));
            assert!(!before.is_after(after), "{before} {after}");
        }
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn no_two_owners_have_one_number() {
    check(1, || {
        let ring = Ring::new(64, 3, 0);
        let first = ring.producer();
        // As if 65,535 had come and gone since.
        Memory::producer(&ring).registry.registrations.store(65_535, Ordering::Relaxed);
        let (second, third) = (ring.producer(), ring.producer());
        let mut numbers = [&first, &second, &third].map(|producer| producer.registration().owner());
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3]);
    });
}

#[test]
fn a_registrant_that_died_before_its_slot_was_counted_is_freed() {
    check(1, || {
        let ring = Ring::new(64, 1, 0);
        let registration = raw::register(&ring, 0, &ring).unwrap();
        Memory::producer(&ring).registry.slots_used.store(0, Ordering::Relaxed);
        bury(&ring, registration);
        assert_eq!(raw::repair(&ring, &ring).unwrap().freed, 1);
        assert!(raw::register(&ring, 0, &ring).is_ok());
    });
}
