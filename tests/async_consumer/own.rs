//! Rings of this crate.

use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use dynring::{AsyncConsumer, Corrupt, IntoAsyncError, Readiness, RecordStream, ReserveError, Ring, WaitError, Wakeup};

use crate::support::is_readable;
use crate::support::pages::{Pages, WRITE, page_size};
use crate::support::privilege::without;
use crate::{
    LONG, Polls, SHORT, TestResult, WORD, assert_few, current_thread, multi_thread, next, ring, runtimes, send, soon,
};

#[test]
fn records_come_in_order_until_nobody_is_left() -> TestResult {
    for runtime in runtimes() {
        runtime.block_on(async {
            let (ring, producer, mut consumer) = ring();
            for nth in 0..10_u64 {
                producer.output(&nth.to_ne_bytes())?;
                producer.reserve(8)?.discard();
            }
            drop((ring, producer));
            for nth in 0..10 {
                assert_eq!(next(&mut consumer).await?, Some(nth));
            }
            for _ in 0..3 {
                assert_eq!(next(&mut consumer).await?, None);
                assert_eq!(soon(consumer.readable()).await?, Readiness::Disconnected);
                assert_eq!(soon(consumer.drain(|_| ControlFlow::Continue(()))).await?, 0);
            }
            assert_eq!(consumer.get_ref().available(), 0, "what was skipped is given back");
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        })?;
    }
    Ok(())
}

#[test]
fn a_task_that_waits_is_woken_by_producers_from_before_it_was_one() -> TestResult {
    for runtime in runtimes() {
        let (there, back) = (Ring::builder(4096).build()?, Ring::builder(4096).build()?);
        let (consumer, clone) = (there.consumer()?, there.producer()?);
        let mut waiting = back.consumer()?;
        let pong = back.producer()?;
        let producer = clone.clone();
        let task = runtime.spawn(async move {
            let mut consumer = consumer.into_async()?;
            let mut got = Vec::new();
            pong.output(b"waits")?;
            while let Some(record) = soon(consumer.next()).await? {
                got.push(record.to_vec());
                // Refused once the other side has sent its last.
                let _ = pong.output(b"waits");
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(got)
        });
        thread::spawn(move || {
            for (nth, producer) in [clone.clone(), producer, clone].into_iter().enumerate() {
                assert_eq!(waiting.wait(Some(LONG)).unwrap(), Readiness::Ready);
                drop(waiting.next());
                thread::sleep(SHORT);
                producer.output(&[nth as u8; 3]).unwrap();
            }
        });
        drop(there);
        assert_eq!(runtime.block_on(task)??, [[0; 3], [1; 3], [2; 3]]);
    }
    Ok(())
}

#[test]
fn what_only_forces_or_finishes_the_awaited_record_wakes() -> TestResult {
    current_thread().block_on(async {
        let (_ring, producer, mut consumer) = ring();
        let unfinished = producer.reserve(8)?;
        let mut polls = 0;
        {
            let mut waits = Polls::of(consumer.next(), &mut polls);
            producer.output(&WORD)?;
            assert!(tokio::time::timeout(SHORT, &mut waits).await.is_err(), "it is behind an unfinished one");
            producer.output_with(&WORD, Wakeup::Force)?;
            assert!(tokio::time::timeout(SHORT, &mut waits).await.is_err(), "so is this");
            unfinished.commit();
            assert!(soon(waits).await?.is_some());
        }
        assert_few(polls);
        assert_eq!(soon(consumer.drain(|_| ControlFlow::Continue(()))).await?, 2);
        producer.output_with(&WORD, Wakeup::None)?;
        assert!(soon(consumer.next()).await?.is_some(), "seen at the first look");
        Ok(())
    })
}

#[test]
fn a_task_learns_that_the_last_producer_has_gone() -> TestResult {
    for runtime in runtimes() {
        let (ring, producer, mut consumer) = {
            let _runtime = runtime.enter();
            ring()
        };
        drop(ring);
        let gone = thread::spawn(move || {
            thread::sleep(SHORT);
            drop(producer);
        });
        assert_eq!(runtime.block_on(next(&mut consumer))?, None);
        gone.join().expect("no panic");
    }
    Ok(())
}

#[test]
fn draining_handles_a_turn_and_stops_when_it_is_told() -> TestResult {
    current_thread().block_on(async {
        let (_ring, producer, mut consumer) = ring();
        let mut left = (0..).take_while(|_| producer.output(&WORD).is_ok()).count() as u64;
        assert_eq!(soon(consumer.drain(|_| ControlFlow::Break(()))).await?, 1);
        left -= 1;
        let mut seen = 0;
        let mut nth = 0;
        let five = |_: &[u8]| {
            nth += 1;
            if nth == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        assert_eq!(soon(consumer.drain(five)).await?, 5);
        left -= 5;
        while left > 0 {
            let records = soon(consumer.drain(|_| {
                seen += 1;
                ControlFlow::Continue(())
            }))
            .await?;
            assert!((1..=AsyncConsumer::TURN).contains(&records), "{records}");
            left -= records;
        }
        assert_eq!(seen, 255 - 6);
        let unconstrained = tokio::task::unconstrained(async {
            while producer.output(&WORD).is_ok() {}
            soon(consumer.drain(|_| ControlFlow::Continue(()))).await
        });
        assert_eq!(unconstrained.await?, AsyncConsumer::TURN, "not more, even where there is no budget");
        Ok(())
    })
}

#[test]
fn a_panic_while_draining_loses_one_record() -> TestResult {
    let runtime = current_thread();
    let _runtime = runtime.enter();
    let (_ring, producer, mut consumer) = ring();
    for byte in 0..3 {
        producer.output(&[byte; 8])?;
    }
    for _ in 0..2 {
        let panics = || runtime.block_on(consumer.drain(|_| panic!("as planned")));
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    }
    assert_eq!(runtime.block_on(next(&mut consumer))?, Some(0x0202_0202_0202_0202));
    Ok(())
}

#[test]
fn records_may_be_held_while_something_else_is_awaited() -> TestResult {
    multi_thread().block_on(async {
        let (ring, producer, mut consumer) = ring();
        producer.output(b"held")?;
        let task = tokio::spawn(async move {
            let record = consumer.next().await?.expect("a record");
            tokio::time::sleep(SHORT).await;
            assert_eq!((&*record, ring.stats().available), (&b"held"[..], 16));
            drop(record);
            assert_eq!(ring.stats().available, 0);
            Ok::<(), WaitError>(())
        });
        Ok(task.await??)
    })
}

#[test]
fn a_consumer_becomes_one_of_a_thread_again_and_goes_on() -> TestResult {
    let runtime = current_thread();
    let _runtime = runtime.enter();
    let (ring, producer, mut consumer) = ring();
    producer.output(b"0")?;
    producer.output(b"1")?;
    assert_eq!(&**runtime.block_on(consumer.next())?.as_ref().expect("a record"), b"0");
    let mut consumer = consumer.into_inner();
    assert_eq!(&*consumer.next()?.expect("a record"), b"1");
    drop(ring);
    let sender = thread::spawn(move || {
        thread::sleep(SHORT);
        producer.output(b"2")
    });
    assert_eq!(consumer.wait(Some(LONG))?, Readiness::Ready);
    sender.join().expect("no panic")?;
    let mut consumer = consumer.into_async()?;
    assert_eq!(&**runtime.block_on(consumer.next())?.as_ref().expect("a record"), b"2");
    assert!(runtime.block_on(consumer.next())?.is_none());
    Ok(())
}

#[test]
fn a_consumer_moves_from_task_to_task() -> TestResult {
    multi_thread().block_on(async {
        let (ring, producer, mut consumer) = ring();
        drop(ring);
        let sender = thread::spawn(move || {
            for nth in 0..200_u64 {
                producer.reserve_blocking(8, Some(LONG)).unwrap().discard();
                send(&producer, nth);
                thread::yield_now();
            }
        });
        for nth in 0..200 {
            let task = tokio::spawn(async move { (next(&mut consumer).await, consumer) });
            let (got, moved) = task.await?;
            assert_eq!(got?, Some(nth));
            consumer = moved;
        }
        assert_eq!(next(&mut consumer).await?, None);
        sender.join().expect("no panic");
        Ok(())
    })
}

/// Wakes a thread that parks.
struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[test]
fn whoever_polls_it_outside_of_a_runtime_is_woken_by_its_own() -> TestResult {
    let runtime = multi_thread();
    let (_ring, producer, mut consumer) = {
        let _runtime = runtime.enter();
        ring()
    };
    let sender = thread::spawn(move || {
        thread::sleep(SHORT);
        producer.output(b"there")
    });
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut waits = pin!(consumer.readable());
    let readiness = loop {
        match waits.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(readiness) => break readiness?,
            Poll::Pending => thread::park(),
        }
    };
    assert_eq!(readiness, Readiness::Ready);
    sender.join().expect("no panic")?;
    Ok(())
}

#[test]
fn a_corrupt_ring_stays_so() -> TestResult {
    current_thread().block_on(async {
        let ring = Ring::builder(4096).kernel_protocol(true).build()?;
        let (producer, mut consumer) = (ring.producer()?, ring.consumer()?.into_async()?);
        for _ in 0..2 {
            producer.output(&WORD)?;
        }
        let pages = Pages::map(ring.as_fd(), WRITE, ring.window_offset() as usize, 3 * page_size())?;
        pages.word(2 * page_size() + 16).store(1000, Ordering::Relaxed);
        let is_expected = |error| matches!(error, WaitError::Corrupt(Corrupt::Length { found: 1000, .. }));
        assert_eq!(soon(consumer.drain(|_| ControlFlow::Continue(()))).await?, 1, "the error is for the next call");
        for _ in 0..300 {
            assert!(is_expected(soon(consumer.next()).await.expect_err("corrupt")));
            assert!(is_expected(soon(consumer.readable()).await.expect_err("corrupt")));
            assert!(is_expected(soon(consumer.drain(|_| ControlFlow::Continue(()))).await.expect_err("corrupt")));
            assert!(consumer.try_next().is_err());
        }
        assert!(consumer.into_inner().next().is_err());
        Ok(())
    })
}

#[test]
fn without_its_runtime_a_consumer_cannot_wait_and_loses_nothing() -> TestResult {
    let (other, runtime) = (current_thread(), current_thread());
    let (_ring, producer, mut consumer) = {
        let _runtime = runtime.enter();
        ring()
    };
    drop(runtime);
    for _ in 0..2 {
        let error = other.block_on(next(&mut consumer)).expect_err("nobody would wake it");
        assert!(matches!(error, WaitError::System(_)), "{error}");
    }
    producer.output(b"there")?;
    assert!(!is_readable(consumer.get_ref().poll_fd()?, 0)?, "nobody waits");
    assert_eq!(&*consumer.into_inner().next()?.expect("a record"), b"there");
    Ok(())
}

#[test]
fn a_consumer_that_cannot_be_watched_is_handed_back() -> TestResult {
    let runtime = current_thread();
    let (_ring, producer, consumer) = {
        let _runtime = runtime.enter();
        ring()
    };
    let consumer = consumer.into_inner();
    let refused = without(libc::SYS_epoll_ctl, || {
        let _runtime = runtime.enter();
        consumer.into_async()
    })?;
    let refused: IntoAsyncError = refused.expect_err("a call that is not allowed");
    assert!(refused.to_string().contains("refused to watch"), "{refused}");
    producer.output(b"there")?;
    assert_eq!(&*refused.into_consumer().next()?.expect("a record"), b"there");
    Ok(())
}

#[test]
fn dropping_it_closes_the_ring() -> TestResult {
    let runtime = current_thread();
    let (_ring, producer, consumer) = {
        let _runtime = runtime.enter();
        ring()
    };
    let record = producer.reserve(8)?;
    drop(consumer);
    record.commit();
    assert_eq!(producer.output(b"").expect_err("closed"), ReserveError::Closed);
    Ok(())
}

#[test]
fn consumer_and_runtime_go_in_any_order() -> TestResult {
    for order in 0..3 {
        let runtime = current_thread();
        let (ring, producer, mut consumer) = {
            let _runtime = runtime.enter();
            ring()
        };
        let waits = async { tokio::time::timeout(SHORT, consumer.next()).await.is_err() };
        assert!(runtime.block_on(waits));
        match order {
            0 => drop((runtime, consumer, ring, producer)),
            1 => drop((ring, consumer, producer, runtime)),
            _ => drop((producer, ring, runtime, consumer)),
        }
    }
    Ok(())
}

#[test]
fn many_consumers_share_a_runtime() -> TestResult {
    const RINGS: u64 = 20;
    const RECORDS: u64 = 500;

    for runtime in runtimes() {
        let mut tasks = tokio::task::JoinSet::new();
        let mut senders = Vec::new();
        for _ in 0..RINGS {
            let _runtime = runtime.enter();
            let (_ring, producer, mut consumer) = ring();
            senders.push(producer);
            let count = async move {
                let mut expected = 0;
                while let Some(number) = next(&mut consumer).await.expect("an intact ring") {
                    assert_eq!(number, expected);
                    expected += 1;
                }
                expected
            };
            tasks.spawn_on(count, runtime.handle());
        }
        let sender = thread::spawn(move || {
            for nth in 0..RECORDS {
                for producer in &senders {
                    send(producer, nth);
                }
            }
        });
        assert_eq!(runtime.block_on(tasks.join_all()), [RECORDS; RINGS as usize]);
        sender.join().expect("no panic");
    }
    Ok(())
}

#[test]
#[should_panic(expected = "runtime")]
fn there_has_to_be_a_runtime() {
    let _ = Ring::builder(4096).build().unwrap().consumer().unwrap().into_async();
}

#[test]
fn consumers_streams_and_their_futures_may_go_to_other_threads() {
    fn is_send<T: Send>(_: &T) {}
    fn is_shared<T: Send + Sync + Unpin + 'static>() {}
    fn futures(consumer: &mut AsyncConsumer) {
        is_send(&consumer.next());
        is_send(&consumer.readable());
        is_send(&consumer.drain(|_| ControlFlow::Continue(())));
    }
    is_shared::<AsyncConsumer>();
    is_shared::<RecordStream>();
    is_shared::<IntoAsyncError>();
    let _ = (futures, Pin::<&mut AsyncConsumer>::new);
}
