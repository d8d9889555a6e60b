//! A record that is handed back and forth, each side asleep until it comes.

use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use dynring::kernel::RingBuf;
use dynring::{AsyncConsumer, Consumer, Producer, Readiness, Ring, WaitError};

use crate::bpf::Records;
use crate::support::require_kernel;
use crate::{LONG, TestResult, WORD, current_thread, multi_thread, next, page, times};

/// Hand-overs in one direction.
const TIMES: u64 = 100_000;

/// What one side has.
struct Side<C> {
    to: Producer,
    from: C,
}

/// Two sides, and what each hears of the other.
fn sides(kernel_protocol: bool) -> (Side<Consumer>, Side<Consumer>) {
    let ring = || Ring::builder(4096).kernel_protocol(kernel_protocol).build().unwrap();
    let (there, back) = (ring(), ring());
    let side = |to: &Ring, from: &Ring| Side { to: to.producer().unwrap(), from: from.consumer().unwrap() };
    (side(&there, &back), side(&back, &there))
}

/// Waits for a record, which comes. When its time is up, a wait looks once more, and needs no wake for that.
fn wait(consumer: &mut Consumer) {
    let begun = Instant::now();
    assert_eq!(consumer.wait(Some(LONG)).unwrap(), Readiness::Ready);
    assert!(begun.elapsed() < LONG, "a wake was lost");
}

impl Side<Consumer> {
    fn into_async(self) -> Side<AsyncConsumer> {
        Side { to: self.to, from: self.from.into_async().unwrap() }
    }

    /// Answers each number with the same.
    fn answer(mut self, times: u64) {
        for nth in 0..times {
            wait(&mut self.from);
            assert_eq!(*self.from.next().unwrap().unwrap(), nth.to_ne_bytes());
            self.to.output(&nth.to_ne_bytes()).unwrap();
        }
    }
}

impl Side<AsyncConsumer> {
    async fn ask(mut self, times: u64) -> Result<(), WaitError> {
        for nth in 0..times {
            self.to.output(&nth.to_ne_bytes()).unwrap();
            assert_eq!(next(&mut self.from).await?, Some(nth));
        }
        Ok(())
    }

    async fn answer(mut self, times: u64) -> Result<(), WaitError> {
        for nth in 0..times {
            assert_eq!(next(&mut self.from).await?, Some(nth));
            self.to.output(&nth.to_ne_bytes()).unwrap();
        }
        Ok(())
    }
}

#[test]
fn no_wake_is_lost_between_a_task_and_a_thread() -> TestResult {
    for kernel_protocol in [false, true] {
        let times = times(TIMES);
        let (ours, theirs) = sides(kernel_protocol);
        let other = thread::spawn(move || theirs.answer(times));
        current_thread().block_on(async { ours.into_async().ask(times).await })?;
        other.join().expect("no panic");
    }
    Ok(())
}

#[test]
fn no_wake_is_lost_between_tasks_of_one_thread() -> TestResult {
    let times = times(TIMES);
    let (ours, theirs) = sides(false);
    current_thread().block_on(async {
        let theirs = tokio::spawn(theirs.into_async().answer(times));
        ours.into_async().ask(times).await?;
        theirs.await??;
        Ok(())
    })
}

#[test]
fn no_wake_is_lost_between_tasks_of_several_threads() -> TestResult {
    let times = times(TIMES);
    let (ours, theirs) = sides(false);
    multi_thread().block_on(async {
        let theirs = tokio::spawn(theirs.into_async().answer(times));
        let ours = tokio::spawn(ours.into_async().ask(times));
        ours.await??;
        theirs.await??;
        Ok(())
    })
}

#[test]
fn no_wake_is_lost_between_tasks_of_two_runtimes() -> TestResult {
    let times = times(TIMES);
    let (ours, theirs) = sides(false);
    let other = thread::spawn(move || current_thread().block_on(async { theirs.into_async().answer(times).await }));
    current_thread().block_on(async { ours.into_async().ask(times).await })?;
    other.join().expect("no panic")?;
    Ok(())
}

/// A moment.
fn spin(turns: u64) {
    (0..turns * 8).for_each(|_| std::hint::spin_loop());
}

/// Whoever skips a record just before it sleeps is not where the producer of the next one thinks.
#[test]
fn no_wake_is_lost_behind_records_that_are_discarded() -> TestResult {
    let times = times(TIMES);
    let (ours, theirs) = sides(false);
    let other = thread::spawn(move || {
        let Side { to, mut from } = theirs;
        for nth in 0..times {
            let (dropped, mut record) = (to.reserve(8).unwrap(), to.reserve(8).unwrap());
            record.copy_from_slice(&nth.to_ne_bytes());
            spin(nth % 8);
            dropped.discard();
            spin(20);
            record.commit();
            // Awake, so as to be as fast as the task is.
            while from.next().unwrap().is_none() && !from.is_disconnected() {
                thread::yield_now();
            }
        }
    });
    current_thread().block_on(async {
        let mut from = ours.from.into_async()?;
        for nth in 0..times {
            assert_eq!(next(&mut from).await?, Some(nth));
            ours.to.output(b"")?;
        }
        Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    })?;
    other.join().expect("no panic");
    Ok(())
}

#[test]
fn what_a_producer_sends_just_before_it_goes_is_not_missed() -> TestResult {
    let ring = Ring::builder(4096).build()?;
    let consumer = ring.consumer()?;
    let times = times(TIMES / 4);
    let (hand, handed) = mpsc::channel::<Producer>();
    let sender = thread::spawn(move || {
        for (producer, nth) in handed.into_iter().zip(0_u64..) {
            spin(nth % 64);
            producer.output(&nth.to_ne_bytes()).unwrap();
        }
    });
    current_thread().block_on(async {
        let mut consumer = consumer.into_async()?;
        for nth in 0..times {
            hand.send(ring.producer()?).expect("the sender");
            assert_eq!(next(&mut consumer).await?, Some(nth));
            assert_eq!(next(&mut consumer).await?, None);
        }
        Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    })?;
    drop(hand);
    sender.join().expect("no panic");
    Ok(())
}

/// The kernel writes a record, which the task answers.
#[test]
fn no_wake_is_lost_between_the_kernel_and_a_task() -> TestResult {
    let Some(map) = require_kernel(page()) else { return Ok(()) };
    let back = Ring::builder(4096).build()?;
    let (mut answers, producer) = (back.consumer()?, back.producer()?);
    let consumer = RingBuf::from_fd(&map)?.into_consumer()?;
    let times = times(TIMES);
    let writer = thread::spawn(move || -> std::io::Result<()> {
        for nth in 0..times {
            map.output(&Records::one(nth, &WORD))?;
            wait(&mut answers);
            assert_eq!(*answers.next()?.expect("an answer"), nth.to_ne_bytes());
        }
        Ok(())
    });
    let ours = Side { to: producer, from: consumer };
    current_thread().block_on(async { ours.into_async().answer(times).await })?;
    writer.join().expect("no panic")?;
    Ok(())
}
