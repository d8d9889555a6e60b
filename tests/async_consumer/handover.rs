//! A record that is handed back and forth, each side asleep until it comes.

use std::thread;

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

impl Side<Consumer> {
    fn into_async(self) -> Side<AsyncConsumer> {
        Side { to: self.to, from: self.from.into_async().unwrap() }
    }

    /// Answers each number with the same.
    fn answer(mut self, times: u64) {
        for nth in 0..times {
            assert_eq!(self.from.wait(Some(LONG)).unwrap(), Readiness::Ready, "a wake was lost");
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
            assert_eq!(answers.wait(Some(LONG))?, Readiness::Ready, "a wake was lost");
            assert_eq!(*answers.next()?.expect("an answer"), nth.to_ne_bytes());
        }
        Ok(())
    });
    let ours = Side { to: producer, from: consumer };
    current_thread().block_on(async { ours.into_async().answer(times).await })?;
    writer.join().expect("no panic")?;
    Ok(())
}
