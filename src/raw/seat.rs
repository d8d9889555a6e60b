//! A slot that is given back when nobody needs it any more.

use core::time::Duration;
use std::sync::Arc;
use std::{io, thread};

use super::{Claim, Mapped, NotRegistered, Registration, register, unregister};

/// A registered slot, freed when dropped. Kept by the producer and by reservations that may outlive it.
#[derive(Debug)]
pub struct Seat {
    memory: Mapped,
    registration: Registration,
    claims: Option<Arc<dyn Claims>>,
    /// Ends when the slot has been freed, or with the process.
    _claim: Option<Box<dyn LivingClaim>>,
}

/// Where claims to slots come from, in rings that producers may leave by dying.
pub trait Claims: Send + Sync + core::fmt::Debug {
    /// One that is laid to no slot yet.
    ///
    /// # Errors
    /// The system refuses, or this process is not the one that they are for.
    fn open(&self) -> Result<Box<dyn LivingClaim>, NoSeat>;

    /// Frees the slots of those who have died. Whether there may be free ones soon: somebody else is at it, or somebody who lives
    /// has to go on first.
    fn free_dead(&self) -> bool;
}

/// How often to look for a slot while others are about to free some, and how long to wait in between. To free them takes less,
/// but for somebody who is stopped while he does it, or does not mean to.
const LOOKS: u32 = 50;
const MOMENT: Duration = Duration::from_millis(1);

/// A claim that can be kept.
pub trait LivingClaim: Claim + Send + Sync + core::fmt::Debug {}

/// A producer that could not be seated.
#[derive(Debug)]
#[cfg_attr(miri, allow(dead_code, reason = "nobody forks under Miri"))]
pub enum NoSeat {
    /// All slots are taken.
    Taken,
    /// This process is a child of the one that may have one.
    Inherited,
    /// The system refuses to show others that the producer lives.
    System(io::Error),
}

impl Seat {
    /// Takes a free slot. Without `claims`, its owner lives as long as the memory.
    ///
    /// # Errors
    /// All slots are taken, or the system refuses.
    pub fn take(memory: &Mapped, claims: Option<Arc<dyn Claims>>) -> Result<Self, NoSeat> {
        let process = std::process::id();
        let (registration, claim) = match &claims {
            None => (register(memory, process, &()), None),
            Some(claims) => {
                let claim = claims.open()?;
                let take = || register(memory, process, &*claim);
                let taken = match take() {
                    Err(NotRegistered::NoFreeSlot) => take_freed(|| claims.free_dead(), take),
                    taken => taken,
                };
                (taken, Some(claim))
            }
        };
        let registration = registration.map_err(NoSeat::from)?;
        Ok(Self { memory: memory.clone(), registration, claims, _claim: claim })
    }

    /// Takes another slot of the same ring.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn another(&self) -> Result<Self, NoSeat> {
        Self::take(&self.memory, self.claims.clone())
    }

    /// The ring's memory.
    pub fn memory(&self) -> &Mapped {
        &self.memory
    }

    /// The slot.
    pub fn registration(&self) -> Registration {
        self.registration
    }
}

impl From<NotRegistered> for NoSeat {
    fn from(error: NotRegistered) -> Self {
        match error {
            NotRegistered::NoFreeSlot => Self::Taken,
            NotRegistered::NoBarrier => {
                let message =
                    "membarrier(2) is not allowed, without which a producer that is there does not learn of another";
                Self::System(io::Error::new(io::ErrorKind::PermissionDenied, message))
            }
        }
    }
}

/// Takes, with `take`, what the dead have left, as `free_dead` frees it, and says whether there may be more soon.
pub(super) fn take_freed<T, E>(
    mut free_dead: impl FnMut() -> bool,
    mut take: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    for _ in 1..LOOKS {
        let more = free_dead();
        // Whoever else has freed some may have done so since.
        let taken = take();
        if taken.is_ok() || !more {
            return taken;
        }
        thread::sleep(MOMENT);
    }
    take()
}

impl Drop for Seat {
    fn drop(&mut self) {
        unregister(&self.memory, self.registration);
    }
}
