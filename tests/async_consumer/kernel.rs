//! Rings of the kernel.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use dynring::kernel::RingBuf;
use dynring::{AsyncConsumer, Corrupt, WaitError};
use tokio_stream::StreamExt;

use crate::bpf::{FORCE_WAKEUP, NO_WAKEUP, Records, Ring};
use crate::support::pages::{Pages, WRITE, page_size};
use crate::support::stall::Stall;
use crate::support::{is_readable, require, require_kernel};
use crate::{
    Polls, SHORT, TestResult, WORD, assert_few, current_thread, next, number, page, ring, runtimes, send, soon,
};

/// Whether a task was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The consumer of `map`, to be made in a runtime.
fn consumer(map: &Ring) -> io::Result<AsyncConsumer> {
    Ok(RingBuf::from_fd(map)?.into_consumer()?.into_async()?)
}

#[test]
fn records_of_the_kernel_wake_a_task() -> TestResult {
    for runtime in runtimes() {
        let Some(map) = require_kernel(page()) else { return Ok(()) };
        let task = runtime.spawn({
            let _runtime = runtime.enter();
            let mut consumer = consumer(&map)?;
            async move {
                let mut got = Vec::new();
                while got.len() < 3 {
                    got.extend(next(&mut consumer).await?);
                }
                Ok::<_, WaitError>(got)
            }
        });
        for nth in 0..3 {
            thread::sleep(SHORT);
            map.output(&Records::one(nth, &WORD))?;
        }
        assert_eq!(runtime.block_on(task)??, [0, 1, 2]);
    }
    Ok(())
}

#[test]
fn records_from_before_the_ring_was_opened_are_there_at_once() -> TestResult {
    let Some(map) = require_kernel(page()) else { return Ok(()) };
    map.output(&Records::one(0, &WORD).times(5).flags(NO_WAKEUP))?;
    current_thread().block_on(async {
        let mut consumer = consumer(&map)?;
        assert_eq!(soon(consumer.drain(|_| ControlFlow::Continue(()))).await?, 5);
        Ok(())
    })
}

#[test]
fn no_wakeup_does_not_wake_a_task_and_forcing_does() -> TestResult {
    let Some(map) = require_kernel(page()) else { return Ok(()) };
    current_thread().block_on(async {
        let mut consumer = consumer(&map)?;
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        assert!(consumer.poll_readable(&mut Context::from_waker(&waker)).is_pending());
        map.output(&Records::one(0, &WORD).flags(NO_WAKEUP))?;
        map.output(&Records::one(1, &WORD))?;
        tokio::time::sleep(SHORT).await;
        assert!(!woken.0.load(Ordering::Relaxed));
        map.output(&Records::one(2, &WORD).flags(FORCE_WAKEUP))?;
        soon(async {
            while !woken.0.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        for nth in 0..3 {
            assert_eq!(next(&mut consumer).await?, Some(nth));
        }
        Ok(())
    })
}

#[test]
fn a_record_that_is_still_being_written_neither_spins_nor_hangs() -> TestResult {
    for runtime in runtimes() {
        let Some(map) = require_kernel(page()) else { return Ok(()) };
        let Some(stall) = require("userfaultfd", Stall::new()) else { return Ok(()) };
        let stalling = map.stalling()?;
        let mut consumer = {
            let _runtime = runtime.enter();
            consumer(&map)?
        };
        let mut polls = 0;
        thread::scope(|scope| -> TestResult {
            let program = scope.spawn(|| stalling.run(stall.address()));
            let stalled = stall.until_stalled()?;
            assert!(is_readable(&map, 0)?, "the kernel calls a ring readable whose only record is being written");
            runtime.block_on(async {
                let mut waits = Polls::of(consumer.next(), &mut polls);
                assert!(tokio::time::timeout(SHORT, &mut waits).await.is_err());
                map.output(&Records::one(2, &WORD))?;
                assert!(tokio::time::timeout(SHORT, &mut waits).await.is_err(), "it is behind the unfinished one");
                map.output(&Records::one(3, &WORD).flags(FORCE_WAKEUP))?;
                assert!(tokio::time::timeout(SHORT, &mut waits).await.is_err(), "so is this");
                let release = scope.spawn(|| {
                    thread::sleep(SHORT);
                    stalled.release(1)
                });
                let first = soon(waits).await?.map(|record| number(&record));
                assert_eq!(first, Some(1));
                release.join().expect("no panic")?;
                Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
            })?;
            program.join().expect("the program's thread")?;
            Ok(())
        })?;
        assert_few(polls);
        for nth in [2, 3] {
            assert_eq!(runtime.block_on(next(&mut consumer))?, Some(nth));
        }
    }
    Ok(())
}

#[test]
fn what_holds_a_task_up_is_reported() -> TestResult {
    let Some(map) = require_kernel(page()) else { return Ok(()) };
    let Some(stall) = require("userfaultfd", Stall::new()) else { return Ok(()) };
    let stalling = map.stalling()?;
    thread::scope(|scope| -> TestResult {
        let program = scope.spawn(|| stalling.run(stall.address()));
        let stalled = stall.until_stalled()?;
        current_thread().block_on(async {
            let mut consumer = consumer(&map)?;
            let waiting = std::time::Instant::now();
            assert!(tokio::time::timeout(SHORT, consumer.next()).await.is_err());
            let waited = std::time::Instant::now();
            let found = consumer.stalled().expect("the record that is being written");
            assert_eq!((found.position, found.len), (0, Some(8)));
            assert!((waiting..waited).contains(&found.since), "noticed when the wait began");
            stalled.release(7)?;
            assert_eq!(next(&mut consumer).await?, Some(7));
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        })?;
        program.join().expect("the program's thread")?;
        Ok(())
    })
}

#[test]
fn a_discarded_record_wakes_nobody_for_long() -> TestResult {
    let Some(map) = require_kernel(page()) else { return Ok(()) };
    let reserving = map.reserving(8)?;
    current_thread().block_on(async {
        let mut consumer = consumer(&map)?;
        let mut polls = 0;
        {
            let mut waits = Polls::of(consumer.next(), &mut polls);
            for _ in 0..3 {
                assert!(tokio::time::timeout(SHORT, &mut waits).await.is_err());
                reserving.run(&Records::one(0, &[]).discarded())?;
            }
            assert!(tokio::time::timeout(SHORT, &mut waits).await.is_err());
            let writer = thread::spawn(move || {
                thread::sleep(SHORT);
                map.output(&Records::one(9, &WORD))
            });
            assert_eq!(soon(waits).await?.map(|record| number(&record)), Some(9));
            writer.join().expect("no panic")?;
        }
        assert!(polls <= 20, "polled {polls} times");
        assert_eq!(consumer.get_ref().discarded(), 3);
        Ok(())
    })
}

#[test]
fn a_ring_of_the_kernel_and_one_of_this_process_share_a_runtime() -> TestResult {
    const RECORDS: u64 = 1000;

    for runtime in runtimes() {
        let Some(map) = require_kernel(page()) else { return Ok(()) };
        let (mut kernels, (_ring, producer, mut own)) = {
            let _runtime = runtime.enter();
            (consumer(&map)?, ring())
        };
        let writer = thread::spawn(move || -> io::Result<()> {
            for nth in 0..RECORDS {
                while map.output(&Records::one(nth, &WORD))?.written == 0 {
                    thread::yield_now();
                }
            }
            Ok(())
        });
        let sender = thread::spawn(move || {
            (0..RECORDS).for_each(|nth| send(&producer, nth));
        });
        runtime.block_on(async {
            let mut got = [0, 0];
            while got != [RECORDS, RECORDS] {
                let (which, nth) = soon(async {
                    tokio::select! {
                        record = kernels.next() => Ok::<_, WaitError>((0, record?.map(|record| number(&record)))),
                        record = own.next(), if got[1] < RECORDS => Ok((1, record?.map(|record| number(&record)))),
                    }
                })
                .await?;
                assert_eq!(nth, Some(got[which]));
                got[which] += 1;
            }
            Ok::<(), WaitError>(())
        })?;
        writer.join().expect("no panic")?;
        sender.join().expect("no panic");
    }
    Ok(())
}

#[test]
fn a_stream_of_the_kernels_records() -> TestResult {
    let Some(map) = require_kernel(page()) else { return Ok(()) };
    current_thread().block_on(async {
        let stream = consumer(&map)?.into_stream();
        let writer = thread::spawn(move || map.output(&Records::one(0, &WORD).times(100)));
        let records = soon(stream.take(100).collect::<Result<Vec<_>, _>>()).await?;
        assert!(records.iter().map(|record| number(record)).eq(0..100));
        writer.join().expect("no panic")?;
        Ok(())
    })
}

#[test]
fn a_ring_of_the_kernel_that_is_corrupt_stays_so() -> TestResult {
    let Some(map) = require_kernel(page()) else { return Ok(()) };
    Pages::map(map.as_fd(), WRITE, 0, page_size())?.word(0).store(4, Ordering::Relaxed);
    current_thread().block_on(async {
        let mut consumer = consumer(&map)?;
        for _ in 0..3 {
            let error = soon(consumer.next()).await.expect_err("corrupt");
            assert!(matches!(error, WaitError::Corrupt(Corrupt::ConsumerPos { .. })), "{error}");
        }
        Ok(())
    })
}

#[test]
fn map_consumer_and_runtime_go_in_any_order() -> TestResult {
    for order in 0..3 {
        let Some(map) = require_kernel(page()) else { return Ok(()) };
        let runtime = current_thread();
        let mut consumer = {
            let _runtime = runtime.enter();
            consumer(&map)?
        };
        assert!(runtime.block_on(async { tokio::time::timeout(SHORT, consumer.next()).await.is_err() }));
        match order {
            0 => drop((map, consumer, runtime)),
            1 => {
                map.output(&Records::one(1, &WORD))?;
                drop(map);
                assert_eq!(runtime.block_on(next(&mut consumer))?, Some(1), "the consumer has its own descriptor");
                drop((runtime, consumer));
            }
            _ => {
                drop(consumer);
                let _runtime = runtime.enter();
                self::consumer(&map)?;
            }
        }
    }
    Ok(())
}
