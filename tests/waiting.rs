//! Waiting for records, and for space.

#[cfg(not(miri))]
#[path = "support/asleep.rs"]
mod asleep;

use std::ops::ControlFlow;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use dynring::{Consumer, Producer, Readiness, ReserveError, Ring, WaitError};

const LONG: Option<Duration> = Some(Duration::from_secs(3600));
const SHORT: [Option<Duration>; 3] =
    [Some(Duration::ZERO), Some(Duration::from_nanos(1)), Some(Duration::from_millis(5))];

fn ring() -> (Ring, Producer, Consumer) {
    let ring = Ring::builder(4096).build().unwrap();
    let (producer, consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    (ring, producer, consumer)
}

fn fill(producer: &Producer) -> usize {
    (0..).take_while(|_| producer.output(&[0; 8]).is_ok()).count()
}

#[test]
fn a_record_that_is_there_is_ready() {
    let (_ring, producer, mut consumer) = ring();
    producer.output(b"there").unwrap();
    for timeout in [None, LONG, Some(Duration::ZERO), Some(Duration::MAX)] {
        assert_eq!(consumer.wait(timeout).unwrap(), Readiness::Ready);
        assert_eq!(consumer.wait_for(0, Duration::ZERO, timeout).unwrap(), Readiness::Ready);
    }
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"there");
}

#[test]
fn waiting_for_a_record_ends_when_the_time_is_up() {
    let (_ring, producer, mut consumer) = ring();
    let _busy = producer.reserve(8).unwrap();
    producer.output(b"behind").unwrap();
    for timeout in SHORT {
        assert_eq!(consumer.wait(timeout).unwrap(), Readiness::TimedOut);
        assert_eq!(consumer.wait_for(4096, Duration::MAX, timeout).unwrap(), Readiness::TimedOut);
    }
}

#[test]
fn what_is_left_is_ready_before_the_ring_is_disconnected() {
    let (ring, producer, mut consumer) = ring();
    producer.output(b"last").unwrap();
    producer.reserve(8).unwrap().discard();
    drop((ring, producer));
    assert!(consumer.is_disconnected());
    assert_eq!(consumer.wait(None).unwrap(), Readiness::Ready);
    assert_eq!(&*consumer.next().unwrap().unwrap(), b"last");
    for timeout in [None, LONG, Some(Duration::ZERO)] {
        assert_eq!(consumer.wait(timeout).unwrap(), Readiness::Disconnected);
        assert_eq!(consumer.wait_for(1, Duration::MAX, timeout).unwrap(), Readiness::Disconnected);
    }
}

#[test]
fn waiting_gives_back_what_was_skipped() {
    let (ring, producer, mut consumer) = ring();
    producer.reserve(8).unwrap().discard();
    assert_eq!(consumer.wait(Some(Duration::ZERO)).unwrap(), Readiness::TimedOut);
    assert_eq!(ring.stats().available, 0);
    producer.reserve(8).unwrap().discard();
    producer.output(b"there").unwrap();
    assert_eq!(consumer.wait(None).unwrap(), Readiness::Ready);
    assert_eq!(ring.stats().available, 16);
}

#[test]
fn what_has_gathered_is_not_waited_for() {
    let (_ring, producer, mut consumer) = ring();
    producer.output(&[0; 1016]).unwrap();
    assert_eq!(consumer.wait_for(1024, Duration::MAX, None).unwrap(), Readiness::Ready);
    let _busy = producer.reserve(1016).unwrap();
    assert_eq!(
        consumer.wait_for(2048, Duration::MAX, None).unwrap(),
        Readiness::Ready,
        "unfinished records are counted"
    );
    assert_eq!(
        consumer.wait_for(usize::MAX, Duration::MAX, None).unwrap(),
        Readiness::Ready,
        "half of the ring is enough"
    );
}

#[test]
fn gathering_ends_when_the_time_is_up_or_nobody_is_left() {
    let (ring, producer, mut consumer) = ring();
    producer.output(b"one").unwrap();
    for at_most in [Duration::ZERO, Duration::from_millis(5)] {
        assert_eq!(consumer.wait_for(1024, at_most, None).unwrap(), Readiness::Ready);
    }
    drop((ring, producer));
    assert_eq!(consumer.wait_for(1024, Duration::MAX, None).unwrap(), Readiness::Ready);
}

#[test]
fn gathering_ends_when_a_producer_waits_for_space() {
    let (ring, producer, mut consumer) = ring();
    producer.output(b"small").unwrap();
    thread::scope(|scope| {
        scope.spawn(move || producer.reserve_blocking(producer.max_len(), LONG).unwrap().commit());
        assert_eq!(consumer.wait_for(usize::MAX, Duration::MAX, None).unwrap(), Readiness::Ready);
        assert_eq!(&*consumer.next().unwrap().unwrap(), b"small");
    });
    assert_eq!(consumer.next().unwrap().unwrap().len(), ring.max_len());
}

#[test]
#[cfg_attr(miri, ignore = "half a second of looking is much there")]
fn what_has_gathered_after_a_long_time_is_noticed_soon() {
    thread::scope(|scope| {
        // Within a factor of two, so that sleeps which double with the time that has passed miss one of them by far.
        for millis in [400, 476, 566, 673] {
            scope.spawn(move || {
                let (_ring, producer, mut consumer) = ring();
                producer.output(&[0; 8]).unwrap();
                let sender = thread::spawn(move || {
                    thread::sleep(Duration::from_millis(millis));
                    producer.output(&[0; 1000]).unwrap();
                    (producer, Instant::now())
                });
                assert_eq!(consumer.wait_for(1024, Duration::MAX, None).unwrap(), Readiness::Ready);
                let (_producer, sent) = sender.join().unwrap();
                let late = sent.elapsed();
                assert!(late < Duration::from_millis(200), "noticed {late:?} late");
            });
        }
    });
}

#[test]
fn records_gather_while_they_are_waited_for() {
    let (ring, producer, mut consumer) = ring();
    thread::scope(|scope| {
        scope.spawn(move || {
            for _ in 0..100 {
                producer.output(&[0; 8]).unwrap();
                thread::yield_now();
            }
        });
        assert_eq!(consumer.wait_for(1600, Duration::MAX, None).unwrap(), Readiness::Ready);
        assert!(ring.stats().available >= 1600);
    });
}

#[test]
fn waiting_for_space_ends_when_the_time_is_up() {
    let (_ring, producer, _consumer) = ring();
    fill(&producer);
    for timeout in SHORT {
        assert_eq!(producer.reserve_blocking(8, timeout).unwrap_err(), ReserveError::Full);
        assert_eq!(producer.lease_blocking(16, timeout).unwrap_err(), ReserveError::Full);
    }
}

#[test]
fn whoever_finds_space_does_not_wait() {
    let (_ring, producer, mut consumer) = ring();
    for timeout in [None, Some(Duration::ZERO), Some(Duration::MAX)] {
        let mut record = producer.reserve_blocking(4, timeout).unwrap();
        record.copy_from_slice(b"here");
        record.commit();
        assert_eq!(&*consumer.next().unwrap().unwrap(), b"here");
    }
}

#[test]
fn waiting_for_space_ends_when_there_is_enough() {
    let (ring, producer, mut consumer) = ring();
    let records = fill(&producer);
    let (done, finished) = mpsc::channel();
    thread::scope(|scope| {
        for len in [8, 1000] {
            let (producer, done) = (ring.producer().unwrap(), done.clone());
            scope.spawn(move || {
                producer.reserve_blocking(len, None).unwrap().commit();
                done.send(len).unwrap();
            });
        }
        let (producer, done) = (ring.producer().unwrap(), done.clone());
        scope.spawn(move || {
            let mut lease = producer.lease_blocking(48, None).unwrap();
            lease.reserve(16).unwrap().commit();
            lease.reserve(16).unwrap().commit();
            done.send(32).unwrap();
        });
        let mut read = 0;
        while read < records + 4 {
            read += consumer.drain(|_| ControlFlow::Continue(())).unwrap() as usize;
            thread::yield_now();
        }
        assert_eq!(finished.iter().take(3).sum::<usize>(), 1040);
    });
}

/// Under Miri, the record is preceded by one that fills the rest.
#[test]
fn a_record_that_does_not_fit_before_the_end_of_the_ring_wakes() {
    let (_ring, producer, mut consumer) = ring();
    for len in [2000, 1000] {
        producer.output(&vec![0; len]).unwrap();
        drop(consumer.next().unwrap().unwrap());
    }
    thread::scope(|scope| {
        let sleeper = scope.spawn(|| consumer.wait(None).unwrap());
        thread::sleep(Duration::from_millis(50));
        producer.output(&[0; 2000]).unwrap();
        assert_eq!(sleeper.join().unwrap(), Readiness::Ready);
    });
}

/// What only the system can tell: who sleeps, and who does not wake.
#[cfg(not(miri))]
mod sleeping {
    use super::asleep::{Watched, moment};
    use super::*;

    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread::{Scope, ScopedJoinHandle};

    use dynring::Wakeup;

    /// A thread that runs `wait`, asleep by now.
    struct Sleeper<'scope, R> {
        thread: ScopedJoinHandle<'scope, R>,
        watched: Watched,
        woken: &'scope AtomicBool,
    }

    impl<'scope, R: Send + 'scope> Sleeper<'scope, R> {
        fn spawn<'env>(
            scope: &'scope Scope<'scope, 'env>,
            woken: &'scope AtomicBool,
            wait: impl FnOnce() -> R + Send + 'scope,
        ) -> Self {
            let (tell, told) = mpsc::channel();
            let thread = scope.spawn(move || {
                tell.send(Watched::current()).unwrap();
                let result = wait();
                woken.store(true, Ordering::Relaxed);
                result
            });
            let watched: Watched = told.recv().unwrap();
            watched.until_asleep();
            assert!(!woken.load(Ordering::Relaxed));
            Self { thread, watched, woken }
        }

        fn assert_sleeps_on(&self) {
            moment();
            self.watched.until_asleep();
            assert!(!self.woken.load(Ordering::Relaxed));
        }

        fn result(self) -> R {
            self.thread.join().unwrap()
        }
    }

    /// Runs `wake` while the consumer sleeps in [`Consumer::wait`]; returns how many records it then reads.
    fn while_consumer_sleeps(
        kernel_protocol: bool,
        wake: impl FnOnce(&Producer, &Sleeper<'_, Result<Readiness, WaitError>>),
    ) -> u64 {
        let ring = Ring::builder(4096).kernel_protocol(kernel_protocol).build().unwrap();
        let (producer, mut consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
        let woken = AtomicBool::new(false);
        thread::scope(|scope| {
            let sleeper = Sleeper::spawn(scope, &woken, || consumer.wait(None));
            wake(&producer, &sleeper);
            assert_eq!(sleeper.result().unwrap(), Readiness::Ready);
        });
        consumer.drain(|_| ControlFlow::Continue(())).unwrap()
    }

    #[test]
    fn the_record_that_is_waited_for_wakes() {
        for kernel_protocol in [false, true] {
            let read = while_consumer_sleeps(kernel_protocol, |producer, _| producer.output(b"").unwrap());
            assert_eq!(read, 1);
            let read = while_consumer_sleeps(kernel_protocol, |producer, sleeper| {
                let record = producer.reserve(8).unwrap();
                sleeper.assert_sleeps_on();
                record.commit_len(4).unwrap();
            });
            assert_eq!(read, 1);
        }
    }

    #[test]
    fn a_record_that_is_not_waited_for_does_not_wake() {
        let read = while_consumer_sleeps(false, |producer, sleeper| {
            let first = producer.reserve(8).unwrap();
            producer.output(b"second").unwrap();
            sleeper.assert_sleeps_on();
            first.commit();
        });
        assert_eq!(read, 2);
    }

    #[test]
    fn a_discarded_record_wakes_for_those_behind_it() {
        let read = while_consumer_sleeps(false, |producer, sleeper| {
            let (first, second) = (producer.reserve(8).unwrap(), producer.reserve(8).unwrap());
            producer.output(b"third").unwrap();
            sleeper.assert_sleeps_on();
            first.discard();
            drop(second);
        });
        assert_eq!(read, 1);
    }

    #[test]
    fn what_is_left_of_a_lease_wakes_for_those_behind_it() {
        let read = while_consumer_sleeps(false, |producer, sleeper| {
            let lease = producer.lease(100).unwrap();
            producer.output(b"behind").unwrap();
            sleeper.assert_sleeps_on();
            drop(lease);
        });
        assert_eq!(read, 1);
    }

    #[test]
    fn no_wakeup_means_none_and_the_next_adaptive_one_is_not_waited_for() {
        let read = while_consumer_sleeps(false, |producer, sleeper| {
            producer.output_with(b"first", Wakeup::None).unwrap();
            sleeper.assert_sleeps_on();
            producer.output(b"second").unwrap();
            sleeper.assert_sleeps_on();
            producer.output_with(b"third", Wakeup::Force).unwrap();
        });
        assert_eq!(read, 3);
    }

    #[test]
    fn a_forced_wakeup_wakes_whichever_record_is_waited_for() {
        let read = while_consumer_sleeps(false, |producer, sleeper| {
            producer.reserve(8).unwrap().discard_with(Wakeup::None);
            producer.reserve_as::<u64>().unwrap().commit_with(Wakeup::None);
            sleeper.assert_sleeps_on();
            producer.reserve(8).unwrap().discard_with(Wakeup::Force);
        });
        assert_eq!(read, 1);
    }

    #[test]
    fn a_forced_wakeup_without_a_record_to_read_lets_the_consumer_sleep_again() {
        let read = while_consumer_sleeps(false, |producer, sleeper| {
            let first = producer.reserve(8).unwrap();
            producer.output_with(b"second", Wakeup::Force).unwrap();
            sleeper.assert_sleeps_on();
            first.commit();
        });
        assert_eq!(read, 2);
    }

    #[test]
    fn a_sleeping_consumer_wakes_when_the_last_producer_goes() {
        for owned in [false, true] {
            let (ring, producer, mut consumer) = ring();
            let record = owned.then(|| producer.reserve_owned(8).unwrap());
            let clone = producer.clone();
            drop(ring);
            let woken = AtomicBool::new(false);
            thread::scope(|scope| {
                let sleeper = Sleeper::spawn(scope, &woken, || consumer.wait(None));
                drop(producer);
                sleeper.assert_sleeps_on();
                drop(clone);
                if let Some(record) = record {
                    sleeper.assert_sleeps_on();
                    drop(record);
                }
                assert_eq!(sleeper.result().unwrap(), Readiness::Disconnected);
            });
        }
    }

    #[test]
    fn a_sleeping_consumer_wakes_when_the_last_handle_goes_and_there_was_no_producer() {
        let ring = Ring::builder(4096).build().unwrap();
        let mut consumer = ring.consumer().unwrap();
        let woken = AtomicBool::new(false);
        thread::scope(|scope| {
            let sleeper = Sleeper::spawn(scope, &woken, || consumer.wait(None));
            drop(ring.clone());
            sleeper.assert_sleeps_on();
            drop(ring);
            assert_eq!(sleeper.result().unwrap(), Readiness::Disconnected);
        });
    }

    #[test]
    fn a_producer_sleeps_until_there_is_enough_space() {
        let (_ring, producer, mut consumer) = ring();
        fill(&producer);
        let woken = AtomicBool::new(false);
        thread::scope(|scope| {
            let sleeper = Sleeper::spawn(scope, &woken, move || producer.reserve_blocking(40, None).map(drop));
            for _ in 0..2 {
                drop(consumer.next().unwrap().unwrap());
                sleeper.assert_sleeps_on();
            }
            drop(consumer.next().unwrap().unwrap());
            assert_eq!(sleeper.result(), Ok(()));
        });
    }

    #[test]
    fn a_sleeping_producer_wakes_when_the_consumer_goes() {
        let (_ring, producer, consumer) = ring();
        fill(&producer);
        let woken = AtomicBool::new(false);
        thread::scope(|scope| {
            let sleeper = Sleeper::spawn(scope, &woken, move || producer.reserve_blocking(8, None).map(drop));
            drop(consumer);
            assert_eq!(sleeper.result(), Err(ReserveError::Closed));
        });
    }

    #[test]
    fn a_sleeping_producer_wakes_when_a_batch_is_let_go_of() {
        let (_ring, producer, mut consumer) = ring();
        fill(&producer);
        let woken = AtomicBool::new(false);
        thread::scope(|scope| {
            let sleeper = Sleeper::spawn(scope, &woken, move || producer.reserve_blocking(8, LONG).map(drop));
            let batch = consumer.batch();
            assert_eq!(batch.iter().count(), 255);
            sleeper.assert_sleeps_on();
            drop(batch);
            assert_eq!(sleeper.result(), Ok(()));
        });
    }
}
