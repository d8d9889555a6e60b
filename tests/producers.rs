//! Who may produce, who may consume, and in which threads.

use std::panic::{self, AssertUnwindSafe};
use std::thread;

use dynring::{Batch, Consumer, ConsumerTaken, DynPtr, Lease, Producer, Record, RegisterError, Ring, Wakeup};

const fn assert_send<T: Send>() {}
const fn assert_sync<T: Sync>() {}

const _: () = {
    assert_send::<Ring>();
    assert_sync::<Ring>();
    assert_send::<Producer>();
    assert_send::<Consumer>();
    assert_send::<DynPtr<'static>>();
    assert_send::<DynPtr<'_>>();
    assert_send::<Lease<'_>>();
    assert_send::<Record<'_>>();
    assert_send::<Batch<'_>>();
};

/// Names a type for which two implementations apply, and is ambiguous then, if it is `Sync`.
trait NotSync<Ambiguous> {
    const HOLDS: () = ();
}
impl<T: ?Sized> NotSync<()> for T {}
impl<T: ?Sized + Sync> NotSync<u8> for T {}
const _: () = <Producer as NotSync<_>>::HOLDS;
const _: () = <Batch<'_> as NotSync<_>>::HOLDS;

fn ring(producers: u32) -> Ring {
    Ring::builder(4096).max_producers(producers).build().unwrap()
}

#[test]
fn a_producer_too_many_is_refused_with_the_number_that_is_allowed() {
    let ring = ring(2);
    let producers = [ring.producer().unwrap(), ring.producer().unwrap()];
    for error in [ring.producer().unwrap_err(), producers[1].try_clone().unwrap_err()] {
        assert!(matches!(error, RegisterError::Full { max_producers: 2 }), "{error}");
        assert_eq!(error.to_string(), "all 2 producers that the ring has room for are registered already");
        assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::QuotaExceeded);
    }
    assert_eq!(ring.stats().producers, 2, "the refused ones do not count");
}

#[test]
fn a_clone_too_many_panics_with_the_number_that_is_allowed() {
    let ring = ring(2);
    let producer = ring.producer().unwrap();
    let clone = producer.clone();
    let panic = panic::catch_unwind(AssertUnwindSafe(|| producer.clone())).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert_eq!(text, "all 2 producers that the ring has room for are registered already");
    clone.output(b"the others work on").unwrap();
}

#[test]
fn a_slot_is_free_again_once_its_producer_has_gone() {
    let ring = ring(1);
    let mut consumer = ring.consumer().unwrap();
    for number in 1..=99u64 {
        let producer = ring.producer().unwrap();
        assert!(ring.producer().is_err());
        producer.output(&number.to_ne_bytes()).unwrap();
        drop(producer);
        assert_eq!(ring.stats().producers, 0);
        if number % 3 == 0 {
            for number in number - 2..=number {
                assert_eq!(*consumer.next().unwrap().unwrap(), number.to_ne_bytes());
            }
        }
    }
    assert!(consumer.next().unwrap().is_none());
}

#[test]
fn records_of_a_producer_that_has_gone_are_delivered_in_their_place() {
    let ring = ring(2);
    let mut consumer = ring.consumer().unwrap();
    let (first, second) = (ring.producer().unwrap(), ring.producer().unwrap());
    first.output(b"one").unwrap();
    second.output(b"two").unwrap();
    drop(first);
    let third = ring.producer().unwrap();
    third.output(b"three").unwrap();
    drop((second, third));
    for expected in ["one", "two", "three"] {
        assert_eq!(&*consumer.next().unwrap().unwrap(), expected.as_bytes());
    }
}

#[test]
fn an_owned_reservation_keeps_its_producers_slot_and_the_ring() {
    let ring = ring(1);
    let mut consumer = ring.consumer().unwrap();
    let producer = ring.producer().unwrap();
    let mut record = producer.reserve_owned(5).unwrap();
    drop(producer);
    assert!(ring.producer().is_err());
    assert_eq!(ring.stats().producers, 1);
    drop(ring);
    assert!(!consumer.is_disconnected());
    record.copy_from_slice(b"owned");
    record.commit();
    assert!(consumer.is_disconnected());
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"owned");
}

#[test]
fn an_owned_reservation_is_committed_by_a_thread_that_outlives_its_producer() {
    let ring = ring(1);
    let mut consumer = ring.consumer().unwrap();
    let producer = ring.producer().unwrap();
    let mut records: Vec<_> = (0..3).map(|_| producer.reserve_owned(8).unwrap()).collect();
    let last = records.pop().unwrap();
    drop((producer, ring));
    let committer = thread::spawn(move || {
        for (mut record, number) in records.into_iter().zip(1u64..) {
            record.copy_from_slice(&number.to_ne_bytes());
            record.commit();
        }
    });
    committer.join().unwrap();
    thread::spawn(move || drop(last)).join().unwrap();
    for number in [1u64, 2] {
        assert_eq!(*consumer.next().unwrap().unwrap(), number.to_ne_bytes());
    }
    assert!(consumer.next().unwrap().is_none());
    assert_eq!(consumer.discarded(), 1);
}

#[test]
fn a_reservation_is_committed_by_another_thread() {
    let ring = ring(1);
    let (producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    let (mut first, second) = (producer.reserve(5).unwrap(), producer.reserve(5).unwrap());
    thread::scope(|scope| {
        scope.spawn(move || {
            first.copy_from_slice(b"there");
            first.commit_with(Wakeup::Adaptive);
        });
        scope.spawn(move || second.discard());
    });
    producer.output(b"here").unwrap();
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"there");
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"here");
}

#[test]
fn a_producer_moves_between_threads() {
    let ring = ring(1);
    let mut consumer = ring.consumer().unwrap();
    let mut producer = ring.producer().unwrap();
    for number in 0..10u64 {
        let sender = thread::spawn(move || {
            producer.output(&number.to_ne_bytes()).unwrap();
            producer
        });
        producer = sender.join().unwrap();
    }
    for number in 0..10u64 {
        assert_eq!(*consumer.next().unwrap().unwrap(), number.to_ne_bytes());
    }
}

#[test]
fn the_consumer_is_handed_out_once() {
    let ring = ring(1);
    let consumer = ring.consumer().unwrap();
    let error: ConsumerTaken = ring.consumer().unwrap_err();
    drop(consumer);
    assert_eq!(ring.clone().consumer().unwrap_err(), error, "not even after it has gone");
    assert_eq!(error.to_string(), "the ring's consumer has been handed out before; there is only one");
    assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::ResourceBusy);
}

#[test]
fn a_ring_is_disconnected_once_nobody_is_left_who_could_produce() {
    let ring = ring(2);
    let consumer = ring.consumer().unwrap();
    assert!(!consumer.is_disconnected(), "the ring could make a producer");
    let producer = ring.producer().unwrap();
    let clone = producer.clone();
    drop(producer);
    assert!(!consumer.is_disconnected());
    drop(clone);
    assert!(consumer.is_disconnected(), "all that came have gone");
    let producer = ring.producer().unwrap();
    assert!(!consumer.is_disconnected());
    drop(ring);
    assert!(!consumer.is_disconnected());
    drop(producer);
    assert!(consumer.is_disconnected());
}

#[test]
fn a_ring_without_handles_that_never_had_a_producer_is_disconnected() {
    let ring = ring(2);
    let consumer = ring.consumer().unwrap();
    let clone = ring.clone();
    drop(ring);
    assert!(!consumer.is_disconnected());
    drop(clone);
    assert!(consumer.is_disconnected());
}

/// Numbers are 16 bits: after so many others, one would come to a newcomer that somebody still has.
#[test]
#[cfg(not(miri))]
fn no_newcomer_is_taken_for_somebody_who_has_been_there_for_long() {
    let ring = ring(2);
    let mut consumer = ring.consumer().unwrap();
    let kept = ring.producer().unwrap();
    for _ in 0..=u16::MAX {
        let newcomer = ring.producer().unwrap();
        std::mem::forget(newcomer.reserve(8).unwrap());
        drop(newcomer);
        assert!(consumer.recover().unwrap(), "nobody is left to finish the record");
    }
    kept.output(b"goes on").unwrap();
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"goes on");
}
