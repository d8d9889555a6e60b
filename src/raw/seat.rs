//! A slot that is given back when nobody needs it any more.

use super::{Mapped, NoFreeSlot, Registration, register, unregister};

/// A registered slot, freed when dropped. Kept by the producer and by reservations that may outlive it.
#[derive(Debug)]
pub struct Seat {
    memory: Mapped,
    registration: Registration,
}

impl Seat {
    /// Takes a free slot.
    ///
    /// # Errors
    /// All slots are taken.
    pub fn take(memory: &Mapped) -> Result<Self, NoFreeSlot> {
        let registration = register(memory)?;
        Ok(Self { memory: memory.clone(), registration })
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
