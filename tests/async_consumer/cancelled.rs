//! Futures that are dropped while they wait.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use dynring::{AsyncConsumer, Producer, Readiness, WaitError};
use tokio_stream::StreamExt;

use crate::support::is_readable;
use crate::{TestResult, WORD, current_thread, next, number, ring, runtimes, send, soon, times};

/// Something that comes now sooner and now later than a record.
async fn something_else(nth: u64) {
    if nth % 64 == 0 {
        return tokio::time::sleep(Duration::from_micros(nth % 1000)).await;
    }
    for _ in 0..nth % 8 {
        tokio::task::yield_now().await;
    }
}

/// Waits in one of the ways there are. Whether anybody is left.
async fn wait(consumer: &mut AsyncConsumer, way: u64, got: &mut Vec<u64>) -> Result<bool, WaitError> {
    match way {
        0 => Ok(consumer.next().await?.map(|record| got.push(number(&record))).is_some()),
        1 => {
            let records = consumer.drain(|record| {
                got.push(number(record));
                ControlFlow::Continue(())
            });
            Ok(records.await? > 0)
        }
        2 => {
            let readiness = consumer.readable().await?;
            while let Some(record) = consumer.try_next()? {
                got.push(number(&record));
            }
            Ok(readiness == Readiness::Ready)
        }
        _ => {
            let readiness = consumer.readable().await?;
            got.extend(consumer.batch().iter().map(|record| record.map_or(u64::MAX, number)));
            Ok(readiness == Readiness::Ready)
        }
    }
}

/// How many waits are to be dropped.
const ENOUGH: u64 = 1000;

/// Sends the numbers from 0 on, some alone and some in a rush: `records` of them, and more until enough waits were `dropped`.
/// Returns how many it was.
fn send_all(producer: &Producer, records: u64, dropped: &AtomicU64) -> u64 {
    let mut sent = 0;
    while sent < records || dropped.load(Ordering::Relaxed) < ENOUGH {
        send(producer, sent);
        if sent % 50 < 10 {
            thread::yield_now();
        }
        sent += 1;
    }
    sent
}

#[test]
fn nothing_is_lost_or_doubled_however_often_a_wait_is_dropped() -> TestResult {
    let records = times(30_000);
    for runtime in runtimes() {
        runtime.block_on(async {
            let (ring, producer, mut consumer) = ring();
            drop(ring);
            let dropped = Arc::new(AtomicU64::new(0));
            let sender = thread::spawn({
                let dropped = Arc::clone(&dropped);
                move || send_all(&producer, records, &dropped)
            });
            let mut got = Vec::new();
            for nth in 0.. {
                tokio::select! {
                    biased;
                    () = something_else(nth) => drop(dropped.fetch_add(1, Ordering::Relaxed)),
                    left = soon(wait(&mut consumer, nth % 4, &mut got)) => if !left? { break },
                }
            }
            assert!(got.into_iter().eq(0..sender.join().expect("no panic")));
            Ok::<(), WaitError>(())
        })?;
    }
    Ok(())
}

#[test]
fn nothing_is_lost_or_doubled_when_waits_for_a_stream_are_dropped() -> TestResult {
    let records = times(30_000);
    for runtime in runtimes() {
        runtime.block_on(async {
            let (ring, producer, consumer) = ring();
            drop(ring);
            let dropped = Arc::new(AtomicU64::new(0));
            let sender = thread::spawn({
                let dropped = Arc::clone(&dropped);
                move || send_all(&producer, records, &dropped)
            });
            let mut stream = consumer.into_stream();
            let mut got = Vec::new();
            for nth in 0.. {
                tokio::select! {
                    biased;
                    () = something_else(nth) => drop(dropped.fetch_add(1, Ordering::Relaxed)),
                    record = soon(stream.next()) => match record.transpose()? {
                        Some(record) => got.push(number(&record)),
                        None => break,
                    },
                }
                if nth % 10 == 0 {
                    stream = stream.into_inner().into_stream();
                }
            }
            assert!(got.into_iter().eq(0..sender.join().expect("no panic")));
            Ok::<(), WaitError>(())
        })?;
    }
    Ok(())
}

/// Polls `future` once, which is not enough.
fn poll_once(future: impl Future) {
    let mut future = pin!(future);
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[test]
fn producers_do_not_wake_for_a_wait_that_was_dropped() -> TestResult {
    let runtime = current_thread();
    let _runtime = runtime.enter();
    let (_ring, producer, mut consumer) = ring();
    poll_once(consumer.next());
    poll_once(consumer.readable());
    poll_once(consumer.drain(|_| ControlFlow::Continue(())));
    producer.output(&WORD)?;
    assert!(!is_readable(consumer.get_ref().poll_fd()?, 0)?);
    assert_eq!(runtime.block_on(next(&mut consumer))?, Some(0));
    // Nobody was dropped: it is still to be woken.
    assert!(consumer.poll_readable(&mut Context::from_waker(Waker::noop())).is_pending());
    producer.output(&WORD)?;
    assert!(is_readable(consumer.get_ref().poll_fd()?, 0)?);
    Ok(())
}

#[test]
fn producers_do_not_wake_for_an_event_loop_that_a_task_has_replaced() -> TestResult {
    let runtime = current_thread();
    let _runtime = runtime.enter();
    let (_ring, producer, consumer) = ring();
    let mut consumer = consumer.into_inner();
    assert_eq!(consumer.arm()?, None);
    let consumer = consumer.into_async()?;
    producer.output(&WORD)?;
    assert!(!is_readable(consumer.get_ref().poll_fd()?, 0)?);
    Ok(())
}

#[test]
fn whoever_reads_without_waiting_is_not_waited_for_any_more() -> TestResult {
    type Read = fn(&mut AsyncConsumer);
    let reads: [Read; 4] = [
        |consumer| assert!(consumer.try_next().expect("an intact ring").is_none()),
        |consumer| assert_eq!(consumer.batch().iter().count(), 0),
        |consumer| assert!(consumer.stalled().is_none()),
        |consumer| poll_once(consumer.next()),
    ];
    for read in reads {
        let runtime = current_thread();
        let _runtime = runtime.enter();
        let (_ring, producer, mut consumer) = ring();
        assert!(consumer.poll_readable(&mut Context::from_waker(Waker::noop())).is_pending());
        read(&mut consumer);
        producer.output(&WORD)?;
        assert!(!is_readable(consumer.get_ref().poll_fd()?, 0)?);
    }
    Ok(())
}

#[test]
fn a_wake_that_came_before_the_wait_was_dropped_is_not_missed_by_the_next() -> TestResult {
    current_thread().block_on(async {
        let (_ring, producer, mut consumer) = ring();
        for nth in 0..times(1000) {
            {
                let mut waits = pin!(consumer.next());
                std::future::poll_fn(|cx| {
                    assert!(waits.as_mut().poll(cx).is_pending());
                    Poll::Ready(())
                })
                .await;
                producer.output(&nth.to_ne_bytes())?;
                if nth % 3 == 0 {
                    // The runtime has heard of it.
                    tokio::task::yield_now().await;
                }
            }
            assert_eq!(next(&mut consumer).await?, Some(nth));
        }
        Ok(())
    })
}
