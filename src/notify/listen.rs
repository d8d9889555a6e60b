//! Waiting in an event loop that is not ours.

use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use super::barrier::heavy;
use super::bell::bell;
use super::{Sleep, WaitError};
use crate::raw::{Consumer, Found, Mapped, Memory};
use crate::sync::Edge;

/// What a consumer finds before an event loop waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LastLook {
    /// A record.
    Record(Found),
    /// No record, and nobody who could produce one.
    Disconnected,
    /// Records that were discarded. It has to look again: a producer might not know that it is waited for.
    Skipped,
    /// Nothing: the event loop is told once there is something.
    Nothing,
}

/// What a level-triggered event loop waits on: readable from when it was rung, until it is silenced.
pub(crate) fn level<'c>(memory: &'c Mapped, sleep: &'c Sleep) -> io::Result<BorrowedFd<'c>> {
    match sleep {
        Sleep::Futex(scope) => Ok(bell(memory, *scope)?.as_fd()),
        Sleep::Doorbell(doorbell) => Ok(doorbell.as_fd()),
    }
}

/// What an edge-triggered event loop waits on: an event each time that it is rung.
#[cfg(feature = "tokio")]
pub(crate) fn edge<'c>(memory: &'c Mapped, sleep: &'c Sleep) -> io::Result<BorrowedFd<'c>> {
    match sleep {
        Sleep::Futex(scope) => Ok(bell(memory, *scope)?.as_fd()),
        Sleep::Doorbell(doorbell) => Ok(doorbell.map()),
    }
}

/// What another process rings to wake the consumer; `None` where others do not produce.
pub(crate) fn for_others<'c>(memory: &'c Mapped, sleep: &'c Sleep) -> io::Result<Option<BorrowedFd<'c>>> {
    match sleep {
        Sleep::Futex(scope) => Ok(bell(memory, *scope)?.for_others()),
        Sleep::Doorbell(_) => Ok(None),
    }
}

/// To be done by an edge-triggered event loop that has just forgotten what it has heard: makes sure that it hears the next ring.
#[cfg(feature = "tokio")]
pub(crate) fn forget(memory: &Mapped) {
    memory.bell().into_iter().filter(|bell| !bell.rings_while_heard()).for_each(|bell| bell.silence());
}

/// Forgets what was rung before.
pub(crate) fn silence(memory: &Mapped, sleep: &Sleep) -> io::Result<()> {
    match sleep {
        Sleep::Futex(scope) => bell(memory, *scope)?.silence(),
        Sleep::Doorbell(doorbell) => doorbell.wait(Some(Duration::ZERO))?,
    }
    Ok(())
}

/// Says that an event loop is about to wait, which forgets what was rung before, or has done so; and then looks once more. If
/// that finds nothing, the wait is safe, until [`quit`]. Gives back what it has skipped.
pub(crate) fn listen(consumer: &mut Consumer<Mapped>, sleep: &Sleep) -> Result<LastLook, WaitError> {
    match sleep {
        Sleep::Futex(_) => consumer.about_to_listen(),
        Sleep::Doorbell(_) => consumer.publish(),
    }
    let safe = heavy(consumer.memory().store_load(), Edge::SleepFence);
    let look = if safe { last_look(consumer) } else { Err(refused()) };
    if !matches!(look, Ok(LastLook::Nothing)) {
        quit(consumer, sleep);
        consumer.publish();
    }
    look
}

/// The event loop need not be told any more.
pub(crate) fn quit(consumer: &Consumer<Mapped>, sleep: &Sleep) {
    match sleep {
        Sleep::Futex(_) => consumer.woken(),
        Sleep::Doorbell(_) => {}
    }
}

fn last_look(consumer: &mut Consumer<Mapped>) -> Result<LastLook, WaitError> {
    // In this order: what the last producer did before it left is there.
    let gone = consumer.disconnected();
    Ok(match consumer.peek()? {
        Some(found) => LastLook::Record(found),
        None if gone => LastLook::Disconnected,
        None if consumer.owes_space() => LastLook::Skipped,
        None => LastLook::Nothing,
    })
}

/// A barrier that was allowed when the ring was made: a sandbox has closed since.
#[cold]
fn refused() -> WaitError {
    let message = "membarrier(2) is not allowed any more, without which producers do not know who waits";
    WaitError::System(io::Error::new(io::ErrorKind::PermissionDenied, message))
}
