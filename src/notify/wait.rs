//! Waiting: look again for a moment, then sleep.

use core::time::Duration;
use std::thread;
use std::time::Instant;

use crossbeam_utils::Backoff;

use super::barrier::heavy;
use super::doorbell::Doorbell;
use super::{Deadline, Sight, WaitError};
use crate::raw::{Consumer, Mapped, Memory};
use crate::recovery::Watch;
use crate::sync::Edge;
use crate::sys::futex::{self, Scope};
use crate::wire::Corrupt;

/// How long to look again and again before the first sleep: about what it costs to sleep and be woken.
const LOOKING: Duration = Duration::from_micros(10);

/// The longest sleep from which nobody wakes: while records gather, and where what makes sleeping safe was refused, a barrier
/// or a descriptor.
pub(crate) const POLL: Duration = Duration::from_millis(1);

/// Why a consumer stopped waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "only `Ready` means that there is a record"]
pub enum Readiness {
    /// A record is there.
    Ready,
    /// The time is up.
    TimedOut,
    /// No producer is left, nor anyone who could make one, and all records have been consumed. In a ring that processes share,
    /// where anybody might make one some time: there was a producer, and none is left.
    Disconnected,
}

/// How a consumer sleeps.
#[derive(Debug)]
pub(crate) enum Sleep {
    /// On the futex of a ring of this crate.
    Futex(Scope),
    /// Until the kernel rings.
    #[cfg_attr(miri, expect(dead_code, reason = "there is no kernel under Miri"))]
    Doorbell(Doorbell),
}

/// Waits for a record.
pub(crate) fn wait(
    consumer: &mut Consumer<Mapped>,
    sleep: &Sleep,
    sight: &mut Sight,
    watch: &mut Watch,
    deadline: Deadline,
) -> Result<Readiness, WaitError> {
    let looked = looking(|| consumer.peek().map(|found| found.map(|_| Readiness::Ready)).transpose());
    if let Some(readiness) = looked {
        return Ok(readiness?);
    }
    loop {
        // Before the consumer gets ready to sleep: this may skip records, too.
        let held_up = sight.look(consumer).is_some();
        watch.look_after(consumer)?;
        let nap = deadline.or_after(watch.nap(held_up));
        let readiness = match sleep {
            Sleep::Futex(scope) => sleep_on_futex(consumer, *scope, nap)?,
            Sleep::Doorbell(doorbell) => sleep_until_rung(consumer, doorbell, nap)?,
        };
        if let Some(readiness) = readiness {
            return Ok(readiness);
        }
        if deadline.has_passed() {
            watch.look_after(consumer)?;
            let found = consumer.peek()?;
            return Ok(if found.is_some() { Readiness::Ready } else { Readiness::TimedOut });
        }
    }
}

/// Sleeps until a producer wakes, unless there is an answer already.
fn sleep_on_futex(
    consumer: &mut Consumer<Mapped>,
    scope: Scope,
    deadline: Deadline,
) -> Result<Option<Readiness>, Corrupt> {
    let seq = consumer.about_to_sleep();
    let safe = heavy(consumer.memory().store_load(), Edge::SleepFence);
    let readiness = last_look(consumer);
    if readiness == Ok(None) && !consumer.owes_space() && !deadline.has_passed() {
        futex::wait(&consumer.memory().producer().wake_seq, seq, at_most(deadline, safe), scope);
    }
    consumer.woken();
    readiness
}

/// Sleeps until the kernel rings, unless there is an answer already.
fn sleep_until_rung(
    consumer: &mut Consumer<Mapped>,
    doorbell: &Doorbell,
    deadline: Deadline,
) -> Result<Option<Readiness>, WaitError> {
    let readiness = settle(consumer)?;
    if readiness.is_none() && !consumer.owes_space() && !deadline.has_passed() {
        doorbell.wait(deadline.remaining()).map_err(WaitError::System)?;
    }
    Ok(readiness)
}

/// Whether there is nothing to read in a ring of the kernel, and the kernel rings once there is.
#[cfg(not(miri))]
pub(crate) fn may_sleep(consumer: &mut Consumer<Mapped>) -> Result<bool, Corrupt> {
    Ok(settle(consumer)?.is_none() && !consumer.owes_space())
}

/// Lets the kernel know where the consumer is, and then looks once more.
fn settle(consumer: &mut Consumer<Mapped>) -> Result<Option<Readiness>, Corrupt> {
    consumer.publish();
    heavy(consumer.memory().store_load(), Edge::SleepFence);
    last_look(consumer)
}

/// What is there now that producers know of the sleep.
fn last_look(consumer: &mut Consumer<Mapped>) -> Result<Option<Readiness>, Corrupt> {
    // In this order: what the last producer did before it left is there.
    let gone = consumer.disconnected();
    Ok(match consumer.peek()? {
        Some(_) => Some(Readiness::Ready),
        None if gone => Some(Readiness::Disconnected),
        None => None,
    })
}

/// Lets more gather once there is a record: until `bytes` are known of, or `at_most` has passed, or there is nothing to be
/// gained by it.
pub(crate) fn gather(consumer: &mut Consumer<Mapped>, bytes: u64, at_most: Duration) -> Result<(), Corrupt> {
    if consumer.known() >= bytes {
        return Ok(());
    }
    let (begun, backoff) = (Instant::now(), Backoff::new());
    loop {
        consumer.look()?;
        let passed = begun.elapsed();
        // Who waits for space waits for this consumer.
        let in_vain = consumer.is_waited_for() || consumer.disconnected();
        if consumer.known() >= bytes || passed >= at_most || in_vain {
            return Ok(());
        }
        if passed < LOOKING { backoff.spin() } else { thread::sleep(passed.min(at_most - passed).min(POLL)) }
    }
}

/// How long to sleep at most; where sleeping is not `safe`, a moment.
pub(super) fn at_most(deadline: Deadline, safe: bool) -> Option<Duration> {
    if safe { deadline.remaining() } else { Some(moment(deadline)) }
}

/// How long to sleep where nobody wakes.
pub(super) fn moment(deadline: Deadline) -> Duration {
    deadline.remaining().map_or(POLL, |left| left.min(POLL))
}

/// Looks for an answer at once, and then again and again for a moment, less and less often.
pub(crate) fn looking<R>(mut look: impl FnMut() -> Option<R>) -> Option<R> {
    if let Some(answer) = look() {
        return Some(answer);
    }
    let (begun, backoff) = (Instant::now(), Backoff::new());
    while begun.elapsed() < LOOKING {
        backoff.spin();
        if let Some(answer) = look() {
            return Some(answer);
        }
    }
    None
}
