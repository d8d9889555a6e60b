//! One swap for several records: leases, batches, and commits that shrink.

use dynring_loom::model::{Ring, check, receive_all, reserve_batch, send};
use dynring_loom::raw::{self, Memory, Producer};
use dynring_loom::sync::Ordering;
use dynring_loom::wire::Header;
use loom::thread;

/// Reserves `span` bytes, carves out one record of 8 bytes for each of `values`, and discards the rest.
fn lease(producer: &Producer<Ring>, span: u64, values: &[u64]) {
    let (ring, owner) = (producer.memory(), producer.registration().owner());
    let (mut at, mut left) = (producer.reserve((span - 8) as u32).unwrap(), span);
    for &value in values {
        let (rest, behind) = raw::carve(ring, at, left, 8, owner);
        ring.write(at, 8, value);
        ring.commit(at, 8);
        (at, left) = (rest, behind);
    }
    if left > 0 {
        ring.discard(at, (left - 8) as u32);
    }
}

#[test]
fn each_record_of_a_lease_is_seen_as_soon_as_it_is_committed() {
    check(3, || {
        let ring = Ring::new(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || lease(&producer, 40, &[1, 2]));
        let mut got = receive_all(&mut consumer);
        assert!(matches!(got[..], [] | [1] | [1, 2]), "{got:?}");
        sender.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_eq!(got, [1, 2]);
        let consumer_pos = Memory::consumer(consumer.memory()).consumer_pos.load(Ordering::Relaxed);
        assert_eq!(consumer_pos, 40, "the rest of the lease is skipped too");
    });
}

#[test]
fn the_lease_of_one_producer_and_the_records_of_another_do_not_mix() {
    check(2, || {
        let ring = Ring::new(64, 2, 0u64.wrapping_sub(16));
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        let leaser = thread::spawn(move || lease(&a, 32, &[1, 2]));
        let sender = thread::spawn(move || send(&b, 0, 3).unwrap());
        let mut got = receive_all(&mut consumer);
        leaser.join().unwrap();
        sender.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert!(matches!(got[..], [1, 2, 3] | [3, 1, 2]), "{got:?}");
    });
}

#[test]
fn what_a_commit_leaves_over_is_skipped() {
    check(3, || {
        let ring = Ring::new(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || {
            let ring = producer.memory();
            let at = producer.reserve(24).unwrap();
            ring.write(at, 24, 1);
            ring.shrink(at, 24, 8, producer.registration().owner());
            send(&producer, 0, 2).unwrap();
        });
        let mut got = receive_all(&mut consumer);
        assert!(matches!(got[..], [] | [1] | [1, 2]), "{got:?}");
        sender.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_eq!((got, consumer.discarded()), (vec![1, 2], 1));
    });
}

#[test]
fn the_records_of_a_batch_are_finished_in_any_order_and_seen_in_theirs() {
    check(3, || {
        let ring = Ring::new(64, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || {
            let ring = producer.memory();
            let first = reserve_batch(&producer, &[8, 0, 0]).unwrap();
            let (second, third) = (first.advance(16), first.advance(24));
            for (at, len, value) in [(second, 0, 2), (first, 8, 1), (third, 0, 3)] {
                ring.write(at, len, value);
                ring.commit(at, len);
            }
        });
        let mut got = receive_all(&mut consumer);
        assert!(matches!(got[..], [] | [1, 2] | [1, 2, 3]), "{got:?}");
        sender.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_eq!(got, [1, 2, 3]);
    });
}

#[test]
fn a_batch_beside_another_producer_stays_together() {
    check(2, || {
        let ring = Ring::new(64, 2, 0);
        let mut consumer = ring.consumer();
        let (a, b) = (ring.producer(), ring.producer());
        let batch = thread::spawn(move || reserve_batch(&a, &[8, 0]).unwrap());
        let single = thread::spawn(move || b.reserve(0).unwrap());
        assert_eq!(receive_all(&mut consumer), []);
        let (batch, single) = (batch.join().unwrap(), single.join().unwrap());
        let second = batch.advance(16);
        for (at, len, value) in [(batch, 8, 1), (second, 0, 2), (single, 0, 3)] {
            ring.write(at, len, value);
            ring.commit(at, len);
        }
        let got = receive_all(&mut consumer);
        assert!(matches!(got[..], [1, 2, 3] | [3, 1, 2]), "{got:?}");
    });
}

#[test]
fn a_discarded_record_is_skipped_and_its_space_given_back() {
    check(3, || {
        let ring = Ring::new(32, 1, 0);
        let mut consumer = ring.consumer();
        let producer = ring.producer();
        let sender = thread::spawn(move || {
            let at = producer.reserve(8).unwrap();
            producer.memory().finish(at, Header::discarded(8), raw::Wakeup::Adaptive);
            send(&producer, 0, 1).unwrap();
            send(&producer, 8, 2).is_ok()
        });
        let mut got = receive_all(&mut consumer);
        let found_space = sender.join().unwrap();
        got.extend(receive_all(&mut consumer));
        assert_eq!(got, if found_space { vec![1, 2] } else { vec![1] });
        assert_eq!(consumer.discarded(), 1);
    });
}
