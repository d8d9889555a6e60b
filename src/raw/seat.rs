//! A slot that is given back when nobody needs it any more.

use std::io;
use std::sync::Arc;

use super::{Claim, Mapped, NoFreeSlot, Registration, register, unregister};

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

    /// Frees the slots of those who have died. Whether there were any.
    fn free_dead(&self) -> bool;
}

/// A claim that can be kept.
pub trait LivingClaim: Claim + Send + Sync + core::fmt::Debug {}

/// A producer that could not be seated.
#[derive(Debug)]
#[cfg_attr(miri, allow(dead_code, reason = "nobody forks under Miri"))]
pub enum NoSeat {
    /// All slots are taken.
    Taken(NoFreeSlot),
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
                let mut registration = register(memory, process, &*claim);
                if registration.is_err() && claims.free_dead() {
                    registration = register(memory, process, &*claim);
                }
                (registration, Some(claim))
            }
        };
        let registration = registration.map_err(NoSeat::Taken)?;
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

impl Drop for Seat {
    fn drop(&mut self) {
        unregister(&self.memory, self.registration);
    }
}
