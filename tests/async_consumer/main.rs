//! Consumers of tasks, on both kinds of runtimes, for both kinds of rings.

#![cfg(not(miri))] // The memory there has no descriptor.

mod cancelled;
mod fair;
mod handover;
mod kernel;
mod own;
mod shared;
mod stream;
#[path = "../support/mod.rs"]
mod support;

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use dynring::{AsyncConsumer, Producer, Ring, WaitError};
use support::bpf;
use tokio::runtime::{Builder, Runtime};

type TestResult = Result<(), Box<dyn Error + Send + Sync>>;

/// Longer than anything takes that does happen.
const LONG: Duration = Duration::from_secs(60);
/// For what does not happen.
const SHORT: Duration = Duration::from_millis(50);

const WORD: [u8; 8] = [0; 8];

fn page() -> u32 {
    support::pages::page_size() as u32
}

/// One whose tasks have one thread, the one that waits for them.
fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// One whose tasks have two threads.
fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// One of each.
fn runtimes() -> [Runtime; 2] {
    [current_thread(), multi_thread()]
}

/// A ring, to be made in a runtime.
fn ring() -> (Ring, Producer, AsyncConsumer) {
    let ring = Ring::builder(4096).build().unwrap();
    let (producer, consumer) = (ring.producer().unwrap(), ring.consumer().unwrap());
    (ring, producer, consumer.into_async().unwrap())
}

/// What `future` yields, which it does.
async fn soon<F: Future>(future: F) -> F::Output {
    // Not `timeout`, which would look at the future once more before it gave up: whoever looks needs no wake.
    tokio::select! {
        biased;
        () = tokio::time::sleep(LONG) => panic!("a wake was lost"),
        output = future => output,
    }
}

/// The number over the first 8 bytes.
fn number(record: &[u8]) -> u64 {
    record.first_chunk().map_or(u64::MAX, |word| u64::from_ne_bytes(*word))
}

/// Sends a record with the number `nth`, once there is space.
fn send(producer: &Producer, nth: u64) {
    let begun = Instant::now();
    let mut record = producer.reserve_blocking(8, Some(LONG)).expect("space");
    // When its time is up, it looks once more, and needs no wake for that.
    assert!(begun.elapsed() < LONG, "a wake was lost");
    record.copy_from_slice(&nth.to_ne_bytes());
    record.commit();
}

/// The number of the next record, which comes.
async fn next(consumer: &mut AsyncConsumer) -> Result<Option<u64>, WaitError> {
    Ok(soon(consumer.next()).await?.map(|record| number(&record)))
}

/// How often a test does what it does often. `DYNRING_STRESS` multiplies it.
fn times(usual: u64) -> u64 {
    usual * std::env::var("DYNRING_STRESS").map_or(1, |times| times.parse::<u64>().expect("a number"))
}

/// A future, and how often it was polled.
struct Polls<'p, F> {
    future: Pin<Box<F>>,
    polls: &'p mut u32,
}

impl<'p, F: Future> Polls<'p, F> {
    fn of(future: F, polls: &'p mut u32) -> Self {
        Self { future: Box::pin(future), polls }
    }
}

impl<F: Future> Future for Polls<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        *self.polls += 1;
        self.future.as_mut().poll(cx)
    }
}

/// A few polls may be for no reason; one that spins takes thousands.
#[track_caller]
fn assert_few(polls: u32) {
    assert!(polls <= 10, "polled {polls} times");
}
