//! A producer that reserves without a swap for as long as no other has come, and those who come.
//!
//! Allowed: what is being reserved when somebody comes has been reserved, or has not; all agree on which.

use dynring_loom::model::{
    Ring, check, die_doing, leave, receive, receive_all, receive_all_past_the_dead, reserve_and_die, reserve_batch,
    resume, send,
};
use dynring_loom::raw::{self, Memory, Producer};
use dynring_loom::sync::Ordering;
use dynring_loom::wire::Position;
use loom::thread;

const BEFORE_WRAP: u64 = 0u64.wrapping_sub(16);

/// More looks than a reservation or a registration takes.
const LOOKS: u32 = 32;

fn producer_pos(ring: &Ring) -> Position {
    Position::new(Memory::producer(ring).producer_pos.load(Ordering::Relaxed))
}

/// Each of `expected` is in `got` in its order, and nothing else is.
fn assert_merged<const N: usize>(got: &[u64], expected: [&[u64]; N]) {
    for sent in expected {
        assert!(got.iter().copied().filter(|value| sent.contains(value)).eq(sent.iter().copied()), "{got:?}");
    }
    assert_eq!(got.len(), expected.iter().map(|sent| sent.len()).sum::<usize>(), "{got:?}");
}

/// What starts where, and how long it is, leaves out nothing from `first` on.
fn assert_side_by_side(spans: &mut [(Position, u64)], first: Position) {
    spans.sort_by_key(|(start, _)| start.get());
    let mut end = first;
    for &(start, span) in &*spans {
        assert_eq!(start, end, "{spans:?}");
        end = start.advance(span);
    }
}

#[test]
fn a_lone_producer_is_read_whole_and_in_order() {
    check(3, || {
        let ring = Ring::of_one(64, 1, BEFORE_WRAP);
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
        assert_eq!(raw::figures(&ring).head, Position::new(BEFORE_WRAP).advance(24));
    });
}

#[test]
fn who_comes_takes_nothing_from_the_one_who_was_alone() {
    check(2, || {
        let ring = Ring::of_one(64, 2, BEFORE_WRAP);
        let lone = ring.producer();
        let sender = thread::spawn(move || {
            send(&lone, 8, 1).unwrap();
            send(&lone, 0, 2).unwrap();
        });
        send(&ring.producer(), 0, 3).unwrap();
        sender.join().unwrap();
        assert_merged(&receive_all(&mut ring.consumer()), [&[1, 2], &[3]]);
        assert_eq!(raw::figures(&ring).head, Position::new(BEFORE_WRAP).advance(32));
    });
}

#[test]
fn what_is_read_while_somebody_comes_is_whole() {
    check(2, || {
        let ring = Ring::of_one(64, 2, 0);
        let mut consumer = ring.consumer();
        let lone = ring.producer();
        let sender = thread::spawn(move || send(&lone, 0, 1).unwrap());
        let newcomer = {
            let ring = ring.clone();
            thread::spawn(move || send(&ring.producer(), 8, 2).unwrap())
        };
        let mut got = receive_all(&mut consumer);
        sender.join().unwrap();
        newcomer.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_merged(&got, [&[1], &[2]]);
    });
}

#[test]
fn two_who_come_agree_with_each_other_and_with_the_one_who_was_alone() {
    check(1, || {
        let ring = Ring::of_one(64, 3, 0);
        let lone = ring.producer();
        let sender = thread::spawn(move || lone.reserve(8).unwrap());
        let newcomer = {
            let ring = ring.clone();
            thread::spawn(move || ring.producer().reserve(16).unwrap())
        };
        let mut spans =
            [(ring.producer().reserve(0).unwrap(), 8), (sender.join().unwrap(), 16), (newcomer.join().unwrap(), 24)];
        assert_side_by_side(&mut spans, Position::new(0));
    });
}

#[test]
fn who_comes_takes_the_span_of_one_reservation_for_no_other() {
    check(3, || {
        let ring = Ring::of_one(64, 2, 0);
        let lone = ring.producer();
        lone.reserve(16).unwrap();
        let newcomer = {
            let ring = ring.clone();
            thread::spawn(move || (ring.producer().reserve(0).unwrap(), 8))
        };
        let mut spans = [(lone.reserve(0).unwrap(), 8), (lone.reserve(8).unwrap(), 16), newcomer.join().unwrap()];
        assert_side_by_side(&mut spans, Position::new(24));
    });
}

#[test]
fn who_learns_what_was_agreed_learns_why() {
    /// Dies with a start announced.
    const ANNOUNCED: u32 = 10;
    for looks in 0..LOOKS {
        check(0, move || {
            let ring = Ring::of_one(64, 3, 0);
            let lone = raw::register(&ring, 0, &ring).unwrap();
            let mut consumer = ring.consumer();
            let reserves = {
                let ring = ring.clone();
                thread::spawn(move || reserve_and_die(&ring, lone, 0, ANNOUNCED))
            };
            // Dies having agreed, and head not moved.
            let comes = {
                let ring = ring.clone();
                thread::spawn(move || die_doing(&ring, looks, |mortal| raw::register(&mortal, 0, &ring).is_ok()))
            };
            let learns = thread::spawn(move || ring.producer().reserve(0).unwrap());
            let reads = thread::spawn(move || assert_eq!(receive_all(&mut consumer), []));
            reserves.join().unwrap();
            comes.join().unwrap();
            learns.join().unwrap();
            reads.join().unwrap();
        });
    }
}

#[test]
fn who_was_alone_and_idle_meanwhile_goes_on_behind_what_was_read_since() {
    check(3, || {
        let ring = Ring::of_one(32, 2, 0);
        let mut consumer = ring.consumer();
        let lone = ring.producer();
        send(&lone, 8, 1).unwrap();
        let others = {
            let ring = ring.clone();
            thread::spawn(move || {
                let newcomer = ring.producer();
                let mut got = Vec::from_iter(receive(&mut consumer));
                let sent = send(&newcomer, 8, 2);
                got.extend(receive(&mut consumer));
                (consumer, got, sent)
            })
        };
        let sent = send(&lone, 8, 3);
        let (mut consumer, mut got, sent_beside) = others.join().unwrap();
        got.extend(receive_all(&mut consumer));
        let alone: &[u64] = if sent.is_ok() { &[1, 3] } else { &[1] };
        let beside: &[u64] = if sent_beside.is_ok() { &[2] } else { &[] };
        assert_merged(&got, [alone, beside]);
    });
}

#[test]
fn a_batch_is_reserved_whole_or_not_at_all_when_somebody_comes() {
    check(3, || {
        let ring = Ring::of_one(64, 2, 0);
        let lone = ring.producer();
        let sender = thread::spawn(move || reserve_batch(&lone, &[0, 8]).unwrap());
        let at = ring.producer().reserve(0).unwrap();
        let batch = sender.join().unwrap();
        let (first, second) = (Position::new(0), [Position::new(8), Position::new(24)]);
        assert!((at, batch) == (first, second[0]) || (batch, at) == (first, second[1]), "{at} {batch}");
    });
}

#[test]
fn the_heir_of_a_lone_producers_slot_is_alone_too() {
    check(3, || {
        let ring = Ring::of_one(64, 2, 0);
        let mut consumer = ring.consumer();
        let sender = {
            let ring = ring.clone();
            thread::spawn(move || {
                for value in [1, 2] {
                    let producer = ring.producer();
                    send(&producer, 0, value).unwrap();
                    leave(&producer);
                }
                assert_eq!(ring.head().load(Ordering::Relaxed), 0);
            })
        };
        let mut got = receive_all(&mut consumer);
        sender.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_eq!(got, [1, 2]);
    });
}

#[test]
fn plain_readers_are_shown_everything_when_somebody_comes() {
    check(2, || {
        let ring = Ring::plain_of_one(64, 2, BEFORE_WRAP);
        let lone = ring.producer();
        let sender = thread::spawn(move || lone.reserve(8).unwrap());
        ring.producer().reserve(0).unwrap();
        sender.join().unwrap();
        assert_eq!(producer_pos(&ring), Position::new(BEFORE_WRAP).advance(24));
    });
}

#[test]
fn what_plain_readers_are_shown_while_somebody_comes_is_whole() {
    check(2, || {
        let ring = Ring::plain_of_one(64, 2, 0);
        let mut consumer = ring.consumer();
        let lone = ring.producer();
        let sender = thread::spawn(move || send(&lone, 0, 1).unwrap());
        let newcomer = {
            let ring = ring.clone();
            thread::spawn(move || send(&ring.producer(), 0, 2).unwrap())
        };
        let mut got = receive_all(&mut consumer);
        sender.join().unwrap();
        newcomer.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_merged(&got, [&[1], &[2]]);
    });
}

#[test]
fn who_produces_alone_where_somebody_else_has_passes_on_what_was_there() {
    const BEGUN: u64 = 1 << 32 | 24;
    check(3, || {
        let ring = Ring::filled_for_the_kernel(64, 1, BEGUN).let_be_alone();
        let mut consumer = ring.consumer();
        let libbpf = {
            let ring = ring.clone();
            thread::spawn(move || ring.send_as_libbpf(8, 1))
        };
        let sender = {
            let ring = ring.clone();
            thread::spawn(move || {
                let there = producer_pos(&ring) != Position::new(BEGUN);
                there.then(|| resume(&ring).unwrap().reserve(0).unwrap())
            })
        };
        let mut got = receive_all(&mut consumer);
        libbpf.join().unwrap();
        sender.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_eq!(got, [1]);
    });
}

fn all_is_put_right(ring: &Ring, expected: &[u64]) {
    let mut consumer = ring.consumer();
    assert_eq!(raw::repair(ring, ring).unwrap().left, 0);
    assert_eq!(receive_all_past_the_dead(&mut consumer), expected);
    let figures = raw::figures(ring);
    assert_eq!((figures.consumer_pos, figures.producers), (figures.head, 0));
}

#[test]
fn a_lone_producer_that_dies_anywhere_holds_up_nobody_who_comes() {
    dies_anywhere(|| Ring::of_one(64, 2, BEFORE_WRAP));
}

#[test]
fn a_lone_producer_that_dies_anywhere_hides_nothing_from_plain_readers() {
    dies_anywhere(|| Ring::plain_of_one(64, 2, BEFORE_WRAP));
}

fn dies_anywhere(ring: fn() -> Ring) {
    for looks in 0..LOOKS {
        check(2, move || {
            let ring = ring();
            let lone = raw::register(&ring, 0, &ring).unwrap();
            let doomed = {
                let ring = ring.clone();
                thread::spawn(move || {
                    reserve_and_die(&ring, lone, 8, looks);
                })
            };
            let newcomer = ring.producer();
            send(&newcomer, 0, 2).unwrap();
            doomed.join().unwrap();
            leave(&newcomer);
            all_is_put_right(&ring, &[2]);
        });
    }
}

#[test]
fn a_lone_producer_that_dies_is_put_right_whoever_comes_meanwhile() {
    for looks in 0..LOOKS {
        check(2, move || {
            let ring = Ring::of_one(64, 2, 0);
            let lone = ring.producer();
            send(&lone, 0, 1).unwrap();
            reserve_and_die(&ring, lone.registration(), 8, looks);
            let newcomer = {
                let ring = ring.clone();
                thread::spawn(move || {
                    let newcomer = ring.producer();
                    send(&newcomer, 0, 2).unwrap();
                    leave(&newcomer);
                })
            };
            raw::repair(&ring, &ring).unwrap();
            newcomer.join().unwrap();
            all_is_put_right(&ring, &[1, 2]);
        });
    }
}

#[test]
fn who_dies_while_it_comes_holds_up_nobody() {
    for looks in 0..LOOKS {
        check(1, move || {
            let ring = Ring::of_one(64, 3, 0);
            let lone = ring.producer();
            let doomed = {
                let ring = ring.clone();
                thread::spawn(move || {
                    // The lock outlives the death, and is let go of for it.
                    die_doing(&ring, looks, |mortal| {
                        raw::register(&mortal, 0, &ring).map(|slot| Producer::new(mortal, slot))
                    });
                    bury_slot(&ring, 1);
                })
            };
            send(&lone, 0, 1).unwrap();
            send(&lone, 0, 2).unwrap();
            doomed.join().unwrap();
            leave(&lone);
            all_is_put_right(&ring, &[1, 2]);
        });
    }
}

/// Whoever has the lock of the slot is dead.
fn bury_slot(ring: &Ring, slot: u32) {
    raw::Claim::give_back(ring, slot);
}

#[test]
fn a_repair_of_a_lone_producer_that_dies_is_finished_by_the_next() {
    for dies_after in 3..12 {
        for looks in 0..3 * LOOKS {
            check(1, move || {
                let ring = Ring::of_one(64, 2, 0);
                let lone = raw::register(&ring, 0, &ring).unwrap();
                reserve_and_die(&ring, lone, 8, dies_after);
                let newcomer = {
                    let ring = ring.clone();
                    thread::spawn(move || {
                        let newcomer = ring.producer();
                        send(&newcomer, 0, 2).unwrap();
                        leave(&newcomer);
                    })
                };
                die_doing(&ring, looks, |mortal| raw::repair(&mortal, &ring).unwrap());
                newcomer.join().unwrap();
                all_is_put_right(&ring, &[2]);
            });
        }
    }
}
