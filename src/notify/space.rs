//! Waiting for space.

#[cfg(not(miri))]
use core::cell::OnceCell;
use core::time::Duration;
#[cfg(not(miri))]
use std::os::fd::OwnedFd;
#[cfg(not(miri))]
use std::sync::Arc;
#[cfg(not(miri))]
use std::thread;

use super::Deadline;
use super::barrier::heavy;
#[cfg(not(miri))]
use super::doorbell::Doorbell;
#[cfg(not(miri))]
use super::wait::moment;
use super::wait::{at_most, looking};
use crate::raw::{Mapped, Memory, Patience, Producer, Refusal};
use crate::sync::{Edge, pause};
#[cfg(not(miri))]
use crate::sys::epoll::Ready;
use crate::sys::futex::{self, Scope};
use crate::wire::Position;

/// Spins between two looks for space: who looks more often takes the line from the consumer each time, and what is found is little.
const BETWEEN_LOOKS: u32 = 32;

/// How a producer waits for space.
#[derive(Debug)]
pub(crate) enum Space {
    /// On the futex of a ring of this crate.
    Futex(Scope),
    /// Until the kernel has drained samples.
    #[cfg(not(miri))]
    Drained(Drained),
}

/// A ring that the kernel drains.
#[cfg(not(miri))]
#[derive(Debug)]
pub(crate) struct Drained {
    map: Arc<OwnedFd>,
    /// Made when it is needed for the first time: most producers never wait.
    doorbell: OnceCell<Doorbell>,
}

impl Space {
    /// In the ring that `map` is.
    #[cfg(not(miri))]
    pub(crate) fn drained(map: Arc<OwnedFd>) -> Self {
        Self::Drained(Drained { map, doorbell: OnceCell::new() })
    }

    /// The same for another producer.
    pub(crate) fn another(&self) -> Self {
        match self {
            Self::Futex(scope) => Self::Futex(*scope),
            #[cfg(not(miri))]
            Self::Drained(Drained { map, .. }) => Self::drained(Arc::clone(map)),
        }
    }

    /// Waits at most for `timeout`, or for as long as it takes.
    pub(crate) fn patience(&self, timeout: Option<Duration>) -> impl Patience {
        Waiting { space: self, timeout }
    }
}

struct Waiting<'s> {
    space: &'s Space,
    timeout: Option<Duration>,
}

impl Patience for Waiting<'_> {
    #[cold]
    fn retry<R>(
        self,
        producer: &Producer<Mapped>,
        mut reserve: impl FnMut() -> Result<R, Refusal>,
    ) -> Result<R, Refusal> {
        let deadline = Deadline::after(self.timeout);
        let looked = looking(|| {
            pause(BETWEEN_LOOKS);
            unless_full(reserve())
        });
        if let Some(result) = looked {
            return result;
        }
        loop {
            let wanted = match reserve() {
                Err(Refusal::Full { wanted }) => wanted,
                result => return result,
            };
            if deadline.has_passed() {
                return Err(Refusal::Full { wanted });
            }
            let retried = match self.space {
                Space::Futex(scope) => sleep_on_futex(producer, *scope, wanted, deadline, &mut reserve),
                #[cfg(not(miri))]
                Space::Drained(drained) => drained.sleep(deadline, &mut reserve),
            };
            if let Some(result) = retried {
                return result;
            }
        }
    }
}

/// Sleeps until the consumer wakes, unless a last try is not refused for want of space, or of more than what was `wanted`.
fn sleep_on_futex<R>(
    producer: &Producer<Mapped>,
    scope: Scope,
    wanted: Position,
    deadline: Deadline,
    reserve: impl FnOnce() -> Result<R, Refusal>,
) -> Option<Result<R, Refusal>> {
    let memory = producer.memory();
    let seq = producer.about_to_wait(wanted);
    let safe = heavy(memory.store_load(), Edge::WaitFence);
    let retried = reserve();
    // If others have taken what there was, then nobody wakes for what was wanted: that has been given back already.
    if matches!(retried, Err(Refusal::Full { wanted: still }) if still == wanted) {
        futex::wait(&memory.consumer().state.space_seq, seq, at_most(deadline, safe), scope);
    }
    producer.waited();
    unless_full(retried)
}

#[cfg(not(miri))]
impl Drained {
    /// Sleeps until the kernel rings, unless a last try is not refused for want of space.
    fn sleep<R>(&self, deadline: Deadline, reserve: impl FnOnce() -> Result<R, Refusal>) -> Option<Result<R, Refusal>> {
        let doorbell = self.doorbell();
        let retried = unless_full(reserve());
        if retried.is_none() {
            let heard = doorbell.is_some_and(|doorbell| doorbell.wait(deadline.remaining()).is_ok());
            if !heard {
                // Descriptors or epoll watches are short: then it looks again and again.
                thread::sleep(moment(deadline));
            }
        }
        retried
    }

    fn doorbell(&self) -> Option<&Doorbell> {
        if self.doorbell.get().is_none() {
            let doorbell = Doorbell::new(Arc::clone(&self.map), Ready::ToWrite).ok()?;
            return Some(self.doorbell.get_or_init(|| doorbell));
        }
        self.doorbell.get()
    }
}

fn unless_full<R>(result: Result<R, Refusal>) -> Option<Result<R, Refusal>> {
    match result {
        Err(Refusal::Full { .. }) => None,
        result => Some(result),
    }
}
