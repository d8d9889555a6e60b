//! Tests: producers that are let go while they do nothing, at any moment.

use core::hint::spin_loop;
use core::ops::ControlFlow;
use std::thread;

use super::{Consumer, Producer, Ring};
use crate::raw::Memory;
use crate::sync::{AtomicU32, Ordering, StoreLoad};

const PRODUCERS: usize = 6;

/// A ring, its consumer, and producers, who have sent a record each, which has been read.
fn crowd() -> (Ring, Consumer, Vec<Producer>) {
    let first = 0u64.wrapping_sub(20_000);
    let ring = Ring::builder(4096).max_producers(100).first_position(first).build().unwrap();
    let mut consumer = ring.consumer().unwrap();
    let producers: Vec<_> = (0..PRODUCERS).map(|_| ring.producer().unwrap()).collect();
    producers.iter().for_each(|producer| producer.output(&[]).unwrap());
    assert_eq!(consumer.drain(|_| ControlFlow::Continue(())), Ok(PRODUCERS as u64));
    (ring, consumer, producers)
}

/// Whether anybody can be let go here.
fn is_possible(ring: &Ring) -> bool {
    let possible = ring.shared.memory.store_load() == StoreLoad::Asymmetric;
    if !possible {
        eprintln!("skipped: without membarrier(2), nobody is let go");
    }
    possible
}

/// How many slots are let go.
fn let_go(ring: &Ring) -> usize {
    let [let_go, called] =
        [ring.shared.memory.let_go(), ring.shared.memory.called()].map(|words| words[0].load(Ordering::Relaxed));
    (let_go ^ called).count_ones() as usize
}

fn calls(ring: &Ring) -> usize {
    ring.shared.memory.producer().registry.calls.load(Ordering::Relaxed) as usize - PRODUCERS
}

#[test]
fn who_does_nothing_is_let_go_after_many_looks_and_watched_again_once_it_sends() {
    let (ring, mut consumer, producers) = crowd();
    if !is_possible(&ring) {
        return;
    }
    for round in 0..3 {
        while let_go(&ring) < PRODUCERS {
            assert!(consumer.next().unwrap().is_none());
        }
        for (id, producer) in (0..).zip(&producers) {
            producer.output(&[id]).unwrap();
            assert_eq!(&*consumer.next().unwrap().expect("what was sent"), [id]);
        }
        assert_eq!(calls(&ring), (round + 1) * PRODUCERS, "each has called");
    }
}

#[test]
fn nothing_is_lost_of_those_who_are_let_go_at_any_moment() {
    const ROUNDS: u32 = 2000;
    const NO_MORE: u32 = u32::MAX;
    let (ring, mut consumer, producers) = crowd();
    let mut lost_in = None;
    // Rounds that the producers may have begun, and records that they have sent.
    let (begun, sent) = (&AtomicU32::new(0), &AtomicU32::new(0));
    thread::scope(|scope| {
        for (id, producer) in (0u32..).zip(producers) {
            scope.spawn(move || {
                let mut random = id + 1;
                for round in 1..=ROUNDS {
                    while begun.load(Ordering::Acquire) < round {
                        thread::yield_now();
                    }
                    if begun.load(Ordering::Relaxed) == NO_MORE {
                        break;
                    }
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (0..random >> 24).for_each(|_| spin_loop());
                    producer.output(b"one").unwrap();
                    sent.fetch_add(1, Ordering::Release);
                }
            });
        }
        for round in 1..=ROUNDS {
            let mut read = 0;
            let mut drain = |consumer: &mut Consumer| {
                read += consumer.drain(|_| ControlFlow::Continue(())).unwrap();
            };
            begun.store(round, Ordering::Release);
            while sent.load(Ordering::Acquire) < round * PRODUCERS as u32 {
                consumer.raw.let_go_of_the_idle();
                drain(&mut consumer);
            }
            drain(&mut consumer);
            if read != PRODUCERS as u64 {
                lost_in = Some(round);
                break;
            }
        }
        begun.store(NO_MORE, Ordering::Release);
    });
    assert_eq!(lost_in, None, "in which round a record was lost");
    assert!(!is_possible(&ring) || calls(&ring) > 0, "somebody was let go");
}
