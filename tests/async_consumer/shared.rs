//! Rings that processes share, whose producers die.

#![expect(unsafe_code, reason = "trusts the processes that it starts")]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::task::{Context, Waker};

use dynring::{AsyncConsumer, Ring, SharedRing, TrustedRing};
use tokio::runtime::Builder;

use crate::support::victim::{Victim, mark};
use crate::{SHORT, TestResult, next, runtimes, soon, times};

fn trusted(ring: &SharedRing) -> TrustedRing {
    // SAFETY: all processes that have the ring are of this test, and follow the protocol.
    unsafe { ring.trusted() }
}

fn ring() -> Result<(SharedRing, AsyncConsumer), Box<dyn std::error::Error + Send + Sync>> {
    let ring = Ring::builder(4096).build_shared()?;
    let consumer = trusted(&ring).consumer()?.into_async()?;
    Ok((ring, consumer))
}

/// A process that has attached to the ring as a producer, does `act`, and stands still.
fn producer(ring: &SharedRing, act: impl FnOnce(&dynring::Producer)) -> std::io::Result<Victim> {
    let fd = ring.as_fd().as_raw_fd();
    let child = Victim::fork(|| {
        // SAFETY: the child has inherited it, and never closes it.
        let ring = SharedRing::from_fd(unsafe { BorrowedFd::borrow_raw(fd) }).unwrap();
        let producer = trusted(&ring).producer().unwrap();
        act(&producer);
        mark();
    })?;
    child.until_stopped()?;
    Ok(child)
}

#[test]
fn a_record_behind_one_whose_producer_dies_comes_to_a_task_that_waits() -> TestResult {
    for runtime in runtimes() {
        runtime.block_on(async {
            let (ring, mut consumer) = ring()?;
            let live = ring.producer()?;
            for nth in 0..times(10) {
                let victim = producer(&ring, |producer| std::mem::forget(producer.reserve(8).unwrap()))?;
                live.output(&nth.to_ne_bytes())?;
                {
                    let mut waits = pin!(next(&mut consumer));
                    assert!(tokio::time::timeout(SHORT, &mut waits).await.is_err(), "the process lives");
                    victim.kill()?;
                    assert_eq!(waits.await?, Some(nth));
                }
                assert_eq!(consumer.get_ref().abandoned(), nth + 1);
            }
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        })?;
    }
    Ok(())
}

#[test]
fn a_task_learns_that_the_last_producer_has_died() -> TestResult {
    for runtime in runtimes() {
        runtime.block_on(async {
            let (ring, mut consumer) = ring()?;
            let victim = producer(&ring, |producer| producer.output(&7_u64.to_ne_bytes()).unwrap())?;
            assert_eq!(next(&mut consumer).await?, Some(7));
            let mut waits = pin!(consumer.next());
            assert!(tokio::time::timeout(SHORT, &mut waits).await.is_err(), "the process lives");
            victim.kill()?;
            assert!(soon(waits).await?.is_none());
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        })?;
    }
    Ok(())
}

#[test]
fn dropped_waits_keep_no_task_from_passing_what_the_dead_have_left() -> TestResult {
    for runtime in runtimes() {
        runtime.block_on(async {
            let (ring, mut consumer) = ring()?;
            let live = ring.producer()?;
            let victim = producer(&ring, |producer| std::mem::forget(producer.reserve(8).unwrap()))?;
            live.output(&1_u64.to_ne_bytes())?;
            victim.kill()?;
            for _ in 0..100 {
                let waits = tokio::time::timeout(std::time::Duration::from_micros(100), consumer.next());
                if waits.await.is_ok() {
                    return Ok(());
                }
            }
            assert_eq!(next(&mut consumer).await?, Some(1));
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        })?;
    }
    Ok(())
}

#[test]
fn producers_of_other_processes_wake_a_task_that_they_can_ring() -> TestResult {
    for runtime in runtimes() {
        runtime.block_on(async {
            let (ring, mut consumer) = ring()?;
            let (near, far) = UnixStream::pair()?;
            ring.share_with(&near, consumer.get_ref())?;
            let other = SharedRing::receive(&far)?;
            let (unfinished, rings) = (trusted(&other).producer()?, trusted(&other).producer()?);
            for nth in 0..times(1000) {
                let mut record = unfinished.reserve_owned(8)?;
                record.copy_from_slice(&nth.to_ne_bytes());
                assert!(consumer.poll_readable(&mut Context::from_waker(Waker::noop())).is_pending());
                // The bell is full.
                for _ in 0..50 {
                    rings.reserve(0)?.discard_with(dynring::Wakeup::Force);
                }
                let mut waits = pin!(next(&mut consumer));
                assert!(tokio::time::timeout(std::time::Duration::ZERO, &mut waits).await.is_err());
                record.commit();
                assert_eq!(waits.await?, Some(nth));
            }
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        })?;
    }
    Ok(())
}

#[test]
fn a_runtime_without_a_clock_will_do() -> TestResult {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let (ring, mut consumer) = ring()?;
        let victim = producer(&ring, |producer| std::mem::forget(producer.reserve(8).unwrap()))?;
        victim.kill()?;
        // It passes the record, and then nobody is left.
        assert!(consumer.next().await?.is_none());
        assert_eq!(consumer.get_ref().abandoned(), 1);
        Ok(())
    })
}
