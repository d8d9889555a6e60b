//! Producers that die in the middle of a reservation, and those who put right what they leave behind.
//!
//! A death is tried before each look at the ring that a reservation takes.

use dynring_loom::model::{
    Ring, bury, check, die_doing, leave, receive, receive_all, receive_all_past_the_dead, reserve_and_die,
    reserve_batch, send,
};
use dynring_loom::raw::{self, Memory, Producer, Registration, Repaired};
use dynring_loom::sync::Ordering;
use dynring_loom::wire::Position;
use loom::thread;

/// More looks than a reservation takes.
const LOOKS: u32 = 30;

fn slot(ring: &Ring) -> Registration {
    raw::register(ring, 0, ring).unwrap()
}

/// Repairs until nobody has to be waited for, which must be so once all who live have come to rest.
fn repair_all(ring: &Ring) {
    assert_eq!(raw::repair(ring, ring).unwrap().left, 0);
}

/// Everything up to head has been read.
fn assert_empty(ring: &Ring) {
    let figures = raw::figures(ring);
    assert_eq!(figures.consumer_pos, figures.head);
    assert_eq!(figures.producers, 0);
}

#[test]
fn a_reservation_takes_fewer_looks_than_are_tried() {
    check(1, || {
        let ring = Ring::new(64, 1, 0);
        let registration = slot(&ring);
        assert!(reserve_and_die(&ring, registration, 8, LOOKS));
    });
}

#[test]
fn who_dies_anywhere_in_a_reservation_holds_up_nobody() {
    for looks in 0..LOOKS {
        check(4, move || {
            let ring = Ring::new(64, 2, 0u64.wrapping_sub(16));
            let mut consumer = ring.consumer();
            let (registration, other) = (slot(&ring), ring.producer());
            let doomed = {
                let ring = ring.clone();
                thread::spawn(move || {
                    reserve_and_die(&ring, registration, 8, looks);
                })
            };
            send(&other, 0, 2).unwrap();
            doomed.join().unwrap();
            repair_all(&ring);
            assert_eq!(receive_all_past_the_dead(&mut consumer), [2]);
            leave(&other);
            assert_empty(&ring);
        });
    }
}

#[test]
fn who_lives_goes_on_during_a_repair() {
    for looks in 0..LOOKS {
        // Between the swap and the header, and between the header and its tag, it is most intricate.
        check(if (11..15).contains(&looks) { 2 } else { 1 }, move || {
            let ring = Ring::new(64, 2, 0);
            let mut consumer = ring.consumer();
            let (registration, other) = (slot(&ring), ring.producer());
            let doomed = {
                let ring = ring.clone();
                thread::spawn(move || {
                    reserve_and_die(&ring, registration, 8, looks);
                })
            };
            let sender = thread::spawn(move || {
                send(&other, 0, 2).unwrap();
                leave(&other);
            });
            raw::repair(&ring, &ring).unwrap();
            let mut got = receive_all_past_the_dead(&mut consumer);
            doomed.join().unwrap();
            sender.join().unwrap();
            repair_all(&ring);
            got.extend(receive_all_past_the_dead(&mut consumer));
            assert_eq!(got, [2]);
            assert_empty(&ring);
        });
    }
}

#[test]
fn a_start_that_the_ring_has_gone_past_is_lost() {
    /// Dies with its start announced, and head not swapped.
    const ANNOUNCED: u32 = 11;
    check(2, || {
        let ring = Ring::new(32, 2, 0);
        let mut consumer = ring.consumer();
        let (registration, other) = (slot(&ring), ring.producer());
        let doomed = {
            let ring = ring.clone();
            thread::spawn(move || {
                reserve_and_die(&ring, registration, 8, ANNOUNCED);
            })
        };
        let both = thread::spawn(move || {
            let mut got = Vec::new();
            for value in [1, 2] {
                if send(&other, 16, value).is_ok() {
                    got.extend(receive(&mut consumer));
                }
            }
            (consumer, other, got)
        });
        doomed.join().unwrap();
        raw::repair(&ring, &ring).unwrap();
        let (mut consumer, other, mut got) = both.join().unwrap();
        repair_all(&ring);
        got.extend(receive_all_past_the_dead(&mut consumer));
        assert!([1, 2].starts_with(&got), "{got:?}");
        leave(&other);
        assert_empty(&ring);
    });
}

/// The consumer takes lines of what it has read away from producers, before it gives back the space.
#[test]
fn what_a_consumer_that_dies_has_done_to_records_tells_repair_nothing_wrong() {
    /// Dies with its start announced, and head not swapped.
    const ANNOUNCED: u32 = 11;
    for looks in 0..LOOKS {
        check(2, move || {
            // The first record ends its line, and its header is what the consumer writes to.
            let ring = Ring::new(64, 2, 56);
            let (registration, other) = (slot(&ring), ring.producer());
            let doomed = {
                let ring = ring.clone();
                thread::spawn(move || {
                    reserve_and_die(&ring, registration, 8, ANNOUNCED);
                })
            };
            send(&other, 0, 2).unwrap();
            die_doing(&ring, looks, |mortal| {
                let mut consumer = raw::Consumer::new(mortal);
                consumer.take().unwrap();
                consumer.publish();
            });
            doomed.join().unwrap();
            repair_all(&ring);
            let mut successor = ring.consumer();
            let given_back = successor.consumer_pos() != Position::new(56);
            send(&other, 0, 3).unwrap();
            assert_eq!(receive_all_past_the_dead(&mut successor), if given_back { vec![3] } else { vec![2, 3] });
        });
    }
}

#[test]
fn of_two_who_die_at_one_place_the_right_one_has_reserved() {
    for first_looks in 5..17 {
        for second_looks in [5, 7, 8, 9, 10, LOOKS] {
            check(1, move || {
                let ring = Ring::new(128, 3, 0);
                let mut consumer = ring.consumer();
                let (first, second, other) = (slot(&ring), slot(&ring), ring.producer());
                let dying = [(first, 24, first_looks), (second, 8, second_looks)].map(|(registration, len, looks)| {
                    let ring = ring.clone();
                    thread::spawn(move || {
                        reserve_and_die(&ring, registration, len, looks);
                    })
                });
                send(&other, 16, 3).unwrap();
                for dying in dying {
                    dying.join().unwrap();
                }
                repair_all(&ring);
                assert_eq!(receive_all_past_the_dead(&mut consumer), [3]);
                leave(&other);
                assert_empty(&ring);
            });
        }
    }
}

#[test]
fn a_batch_of_which_some_headers_are_written_is_discarded_whole() {
    for looks in 0..LOOKS {
        check(2, move || {
            let ring = Ring::new(128, 2, 0);
            let mut consumer = ring.consumer();
            let (registration, other) = (slot(&ring), ring.producer());
            let doomed = {
                let ring = ring.clone();
                thread::spawn(move || {
                    die_doing(&ring, looks, |mortal| {
                        Producer::new(mortal, registration).reserve_batch([8, 0, 8].into_iter())
                    });
                    bury(&ring, registration);
                })
            };
            let at = reserve_batch(&other, &[0, 0]).unwrap();
            for at in [at, at.advance(8)] {
                ring.write(at, 0, 2);
                ring.commit(at, 0);
            }
            doomed.join().unwrap();
            repair_all(&ring);
            assert_eq!(receive_all_past_the_dead(&mut consumer), [2, 2]);
            leave(&other);
            assert_empty(&ring);
        });
    }
}

fn a_repair_dies(ring: fn() -> Ring, dies_after: impl Iterator<Item = u32> + Clone) {
    for looks in 0..3 * LOOKS {
        for dies_after in dies_after.clone() {
            check(1, move || {
                let ring = ring();
                let mut consumer = ring.consumer();
                let (registration, other) = (slot(&ring), ring.producer());
                let doomed = {
                    let ring = ring.clone();
                    thread::spawn(move || {
                        reserve_and_die(&ring, registration, 8, dies_after);
                    })
                };
                send(&other, 0, 2).unwrap();
                doomed.join().unwrap();
                die_doing(&ring, looks, |mortal| raw::repair(&mortal, &ring).unwrap());
                repair_all(&ring);
                assert_eq!(receive_all_past_the_dead(&mut consumer), [2]);
                leave(&other);
                assert_empty(&ring);
            });
        }
    }
}

#[test]
fn a_repair_that_dies_is_finished_by_the_next() {
    a_repair_dies(|| Ring::new(64, 2, 0), 7..=11);
}

#[test]
fn a_repair_that_dies_leaves_it_to_the_next_to_show_plain_readers_what_the_dead_have_hidden() {
    a_repair_dies(|| Ring::plain(64, 2, 0), 7..=11);
}

#[test]
fn a_record_that_is_finished_by_one_who_leaves_is_not_abandoned() {
    check(3, || {
        let ring = Ring::new(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || {
            send(&producer, 0, 1).unwrap();
            leave(&producer);
        });
        let mut got = receive_all_past_the_dead(&mut consumer);
        sender.join().unwrap();
        got.extend(receive_all_past_the_dead(&mut consumer));
        assert_eq!((got, consumer.abandoned()), (vec![1], 0));
    });
}

#[test]
fn a_record_that_was_leaked_is_passed_once_its_producer_has_left() {
    check(3, || {
        let ring = Ring::new(64, 2, 0);
        let mut consumer = ring.consumer();
        let (leaky, other) = (ring.producer(), ring.producer());
        leaky.reserve(8).unwrap();
        let leaver = thread::spawn(move || leave(&leaky));
        send(&other, 0, 1).unwrap();
        let mut got = receive_all_past_the_dead(&mut consumer);
        leaver.join().unwrap();
        got.extend(receive_all_past_the_dead(&mut consumer));
        assert_eq!((got, consumer.abandoned()), (vec![1], 1));
    });
}

#[test]
fn the_heir_of_a_dead_producers_slot_vouches_for_what_came_before() {
    for looks in 0..LOOKS {
        check(2, move || {
            let ring = Ring::new(64, 1, 0);
            let mut consumer = ring.consumer();
            let first = ring.producer();
            send(&first, 0, 1).unwrap();
            reserve_and_die(&ring, first.registration(), 8, looks);
            let heir = {
                let ring = ring.clone();
                thread::spawn(move || {
                    repair_all(&ring);
                    send(&ring.producer(), 0, 2).unwrap();
                })
            };
            let mut got = receive_all(&mut consumer);
            heir.join().unwrap();
            got.extend(receive_all_past_the_dead(&mut consumer));
            assert_eq!(got, [1, 2]);
        });
    }
}

#[test]
fn the_words_of_the_dead_never_go_back() {
    for looks in 0..LOOKS {
        check(2, move || {
            let ring = Ring::new(64, 2, 0);
            let (registration, other) = (slot(&ring), ring.producer());
            send(&other, 0, 1).unwrap();
            reserve_and_die(&ring, registration, 8, looks);
            let position = {
                let ring = ring.clone();
                move || Position::new(ring.slots()[0].word.load(Ordering::Relaxed) & !7)
            };
            let repairer = {
                let ring = ring.clone();
                thread::spawn(move || repair_all(&ring))
            };
            let (before, after) = (position(), position());
            assert!(!before.is_after(after), "{before} {after}");
            repairer.join().unwrap();
            assert_eq!(raw::repair(&ring, &ring), Ok(Repaired::default()));
        });
    }
}
