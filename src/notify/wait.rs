//! Waiting: look again for a moment, then sleep.

use core::hint;
use core::time::Duration;
use std::io;
use std::thread;
use std::time::Instant;

use super::Deadline;
use super::barrier::heavy;
use super::doorbell::Doorbell;
use crate::raw::{Consumer, Mapped, Memory, Producer, Refusal};
use crate::sync::Edge;
use crate::sys::futex;
use crate::wire::Corrupt;

/// Looks before the first sleep; the pause between them doubles up to 64 spins: some microseconds in all.
const LOOKS: u32 = 40;

/// The longest sleep where the barrier that makes sleeping safe was refused.
const POLL: Duration = Duration::from_millis(1);

/// Why a consumer stopped waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "only `Ready` means that there is a record"]
pub enum Readiness {
    /// A record is there.
    Ready,
    /// The time is up.
    TimedOut,
    /// No producer is left, nor anyone who could make one, and all records have been consumed.
    Disconnected,
}

/// How a consumer sleeps.
#[derive(Debug)]
pub(crate) enum Sleep {
    /// On the futex of a ring of this crate.
    Futex,
    /// Until the kernel rings.
    #[cfg_attr(miri, expect(dead_code, reason = "there is no kernel under Miri"))]
    Doorbell(Doorbell),
}

/// Waiting that went wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum WaitError {
    /// The ring holds what no correct peer can have written; sticky.
    Corrupt(Corrupt),
    /// The system refused to wait.
    System(io::Error),
}

impl core::fmt::Display for WaitError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Corrupt(corrupt) => corrupt.fmt(f),
            Self::System(error) => write!(f, "the system refused to wait for a record: {error}"),
        }
    }
}

impl std::error::Error for WaitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Corrupt(corrupt) => Some(corrupt),
            Self::System(error) => Some(error),
        }
    }
}

impl From<Corrupt> for WaitError {
    fn from(corrupt: Corrupt) -> Self {
        Self::Corrupt(corrupt)
    }
}

impl From<WaitError> for io::Error {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Corrupt(corrupt) => corrupt.into(),
            WaitError::System(error) => error,
        }
    }
}

/// Waits for a record.
pub(crate) fn wait(consumer: &mut Consumer<Mapped>, sleep: &Sleep, deadline: Deadline) -> Result<Readiness, WaitError> {
    for look in 0..LOOKS {
        if consumer.peek()?.is_some() {
            return Ok(Readiness::Ready);
        }
        pause(look);
    }
    loop {
        let readiness = match sleep {
            Sleep::Futex => sleep_on_futex(consumer, deadline)?,
            Sleep::Doorbell(doorbell) => sleep_until_rung(consumer, doorbell, deadline)?,
        };
        if let Some(readiness) = readiness {
            return Ok(readiness);
        }
        if deadline.has_passed() {
            let found = consumer.peek()?;
            return Ok(if found.is_some() { Readiness::Ready } else { Readiness::TimedOut });
        }
    }
}

/// Sleeps until a producer wakes, unless there is an answer already.
fn sleep_on_futex(consumer: &mut Consumer<Mapped>, deadline: Deadline) -> Result<Option<Readiness>, Corrupt> {
    let seq = consumer.about_to_sleep();
    let safe = heavy(consumer.memory().store_load(), Edge::SleepFence);
    let readiness = last_look(consumer);
    if readiness == Ok(None) && !consumer.owes_space() && !deadline.has_passed() {
        futex::wait(&consumer.memory().producer().wake_seq, seq, at_most(deadline, safe));
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
    consumer.publish();
    heavy(consumer.memory().store_load(), Edge::SleepFence);
    let readiness = last_look(consumer)?;
    if readiness.is_none() && !consumer.owes_space() && !deadline.has_passed() {
        doorbell.wait(deadline.remaining()).map_err(WaitError::System)?;
    }
    Ok(readiness)
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

/// Lets more gather once there is a record: until `bytes` are known of, or `at_most` has passed.
pub(crate) fn gather(consumer: &mut Consumer<Mapped>, bytes: u64, at_most: Duration) -> Result<(), Corrupt> {
    if consumer.known() >= bytes {
        return Ok(());
    }
    let begun = Instant::now();
    for look in 0.. {
        consumer.refresh();
        let left = at_most.saturating_sub(begun.elapsed());
        if consumer.known() >= bytes || left.is_zero() || consumer.disconnected() {
            break;
        }
        if look < LOOKS { pause(look) } else { thread::sleep(left.min(begun.elapsed())) }
    }
    Ok(())
}

/// Tries `reserve` until it succeeds, is refused for good, or the deadline has passed.
pub(crate) fn reserve_waiting<R>(
    producer: &Producer<Mapped>,
    deadline: Deadline,
    mut reserve: impl FnMut() -> Result<R, Refusal>,
) -> Result<R, Refusal> {
    for look in 0..LOOKS {
        match reserve() {
            Err(Refusal::Full { .. }) => pause(look),
            done => return done,
        }
    }
    loop {
        let wanted = match reserve() {
            Err(Refusal::Full { wanted }) => wanted,
            done => return done,
        };
        if deadline.has_passed() {
            return Err(Refusal::Full { wanted });
        }
        let memory = producer.memory();
        let seq = producer.about_to_wait(wanted);
        let safe = heavy(memory.store_load(), Edge::WaitFence);
        let retried = reserve();
        if matches!(retried, Err(Refusal::Full { .. })) {
            futex::wait(&memory.consumer().state.space_seq, seq, at_most(deadline, safe));
        }
        producer.waited();
        if !matches!(retried, Err(Refusal::Full { .. })) {
            return retried;
        }
    }
}

fn at_most(deadline: Deadline, safe: bool) -> Option<Duration> {
    let left = deadline.remaining();
    if safe { left } else { Some(left.map_or(POLL, |left| left.min(POLL))) }
}

fn pause(look: u32) {
    for _ in 0..1 << look.min(6) {
        hint::spin_loop();
    }
}
