//! A ring that is flooded, and another task of the same thread.

use std::cell::Cell;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use dynring::{AsyncConsumer, Producer, Readiness, Ring, WaitError};
use tokio::task::{LocalSet, spawn_local};
use tokio_stream::StreamExt;

use crate::{TestResult, WORD, current_thread, soon};

const CAPACITY: usize = 4 << 20;

/// Turns that the other task is to have.
const TURNS: usize = 500;

/// Reads for ever, and counts.
type Reads = fn(AsyncConsumer, Rc<Cell<u64>>) -> Pin<Box<dyn Future<Output = Result<(), WaitError>>>>;

fn counted(count: &Cell<u64>) {
    count.set(count.get() + 1);
}

/// Has a task read a ring that is never empty, and returns how many records it read in each turn of the other task.
fn turns(reads: Reads) -> Result<Vec<u64>, WaitError> {
    let ring = Ring::builder(CAPACITY).build().expect("a ring");
    let (producer, consumer) = (ring.producer().expect("a producer"), ring.consumer().expect("the consumer"));
    while producer.output(&WORD).is_ok() {}
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let done = &done;
        scope.spawn(move || flood(&producer, done));
        let turns = current_thread().block_on(LocalSet::new().run_until(async {
            let count = Rc::new(Cell::new(0));
            let consumer = consumer.into_async().expect("descriptors");
            let reader = spawn_local(reads(consumer, Rc::clone(&count)));
            let mut turns = Vec::new();
            while turns.len() < TURNS && !reader.is_finished() {
                tokio::task::yield_now().await;
                turns.push(count.replace(0));
            }
            reader.abort();
            turns
        }));
        done.store(true, Ordering::Relaxed);
        Ok(turns)
    })
}

fn flood(producer: &Producer, done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        if producer.output(&WORD).is_err() {
            thread::yield_now();
        }
    }
}

/// The budget of a task is 128 steps.
fn assert_fair(reads: Reads) -> TestResult {
    let turns = turns(reads)?;
    assert_eq!(turns.len(), TURNS);
    assert!(turns.iter().all(|records| *records <= 128), "{turns:?}");
    let cut_off = turns.iter().filter(|records| **records == 128).count();
    assert!(cut_off >= TURNS / 2, "there was no flood: {turns:?}");
    Ok(())
}

#[test]
fn awaiting_records_one_by_one_lets_others_have_their_turn() -> TestResult {
    assert_fair(|mut consumer, count| {
        Box::pin(async move {
            while consumer.next().await?.is_some() {
                counted(&count);
            }
            Ok(())
        })
    })
}

#[test]
fn draining_lets_others_have_their_turn() -> TestResult {
    assert_fair(|mut consumer, count| {
        Box::pin(async move {
            let each = |_: &[u8]| {
                counted(&count);
                ControlFlow::Continue(())
            };
            while consumer.drain(each).await? > 0 {}
            Ok(())
        })
    })
}

#[test]
fn a_stream_lets_others_have_their_turn() -> TestResult {
    assert_fair(|consumer, count| {
        Box::pin(async move {
            let mut stream = consumer.into_stream();
            while stream.try_next().await?.is_some() {
                counted(&count);
            }
            Ok(())
        })
    })
}

#[test]
fn waiting_until_the_ring_is_readable_lets_others_have_their_turn() -> TestResult {
    assert_fair(|mut consumer, count| {
        Box::pin(async move {
            while consumer.readable().await? == Readiness::Ready {
                if consumer.try_next()?.is_some() {
                    counted(&count);
                }
            }
            Ok(())
        })
    })
}

#[test]
fn records_that_are_discarded_again_and_again_let_others_have_their_turn() -> TestResult {
    let ring = Ring::builder(4096).build()?;
    let (producer, consumer) = (ring.producer()?, ring.consumer()?);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let done = &done;
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                producer.reserve(8).map(|record| record.discard()).unwrap_or_default();
            }
        });
        let turns = current_thread().block_on(LocalSet::new().run_until(async {
            let mut consumer = consumer.into_async()?;
            let reader = spawn_local(async move { consumer.next().await.map(|record| record.is_some()) });
            let mut turns = 0;
            while turns < TURNS && !reader.is_finished() {
                soon(tokio::task::yield_now()).await;
                turns += 1;
            }
            Ok::<usize, Box<dyn std::error::Error + Send + Sync>>(turns)
        }));
        done.store(true, Ordering::Relaxed);
        assert_eq!(turns?, TURNS);
        Ok(())
    })
}
