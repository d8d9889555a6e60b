//! When a consumer looks after those who hold it up.

use core::time::Duration;
#[cfg(not(miri))]
use std::sync::Arc;
#[cfg(not(miri))]
use std::time::Instant;

#[cfg(not(miri))]
use super::{Locks, repair};
#[cfg(not(miri))]
use crate::mapping::{RingFile, Writable};
#[cfg(not(miri))]
use crate::raw::{self, Memory, Repaired};
use crate::raw::{Consumer, Liveness, Mapped};
use crate::wire::Corrupt;
#[cfg(not(miri))]
use crate::wire::HEADER_BYTES;

/// How often it looks while something holds it up.
#[cfg(not(miri))]
const HELD_UP: Duration = Duration::from_millis(10);

/// How often it looks while there is nothing to read.
#[cfg(not(miri))]
const IDLE: Duration = Duration::from_millis(100);

/// What a consumer does about those who hold it up.
#[derive(Debug)]
pub(crate) enum Watch {
    /// All producers live in this process: only records that were leaked are never finished.
    Process,
    /// Producers are processes, which die.
    #[cfg(not(miri))]
    Processes(Box<Guard>),
}

/// The one who consumes a ring that processes share.
#[cfg(not(miri))]
#[derive(Debug)]
pub(crate) struct Guard {
    file: Arc<RingFile>,
    locks: Locks,
    looked: Instant,
}

/// Nobody dies.
struct Immortal;

impl Liveness for Immortal {
    type Proof<'l> = core::convert::Infallible;

    fn prove_dead(&self, _: u32) -> Option<Self::Proof<'_>> {
        None
    }
}

impl Watch {
    /// How often nothing is to be found before it is worth a look.
    pub(crate) const TURNS: u32 = 64;

    /// That of a ring that processes share. `locks` has the consumer's.
    #[cfg(not(miri))]
    pub(crate) fn processes(file: Arc<RingFile>, locks: Locks) -> Self {
        Self::Processes(Box::new(Guard { file, locks, looked: Instant::now() }))
    }

    /// Whether it keeps the ring open for another consumer.
    pub(crate) fn has_successors(&self) -> bool {
        !matches!(self, Self::Process)
    }

    /// Looks if it is time to. Whether something was found that held the consumer up and does no more.
    ///
    /// # Errors
    /// The ring is corrupt; sticky.
    pub(crate) fn look_after(&mut self, consumer: &mut Consumer<Mapped>) -> Result<bool, Corrupt> {
        match self {
            Self::Process => consumer.skip_abandoned(&Immortal),
            #[cfg(not(miri))]
            Self::Processes(guard) => guard.look_after(consumer),
        }
    }

    /// Looks at once.
    ///
    /// # Errors
    /// The ring is corrupt; sticky.
    pub(crate) fn recover(&mut self, consumer: &mut Consumer<Mapped>) -> Result<bool, Corrupt> {
        match self {
            Self::Process => consumer.skip_abandoned(&Immortal),
            #[cfg(not(miri))]
            Self::Processes(guard) => guard.recover(consumer),
        }
    }

    /// How long to sleep at most before the next look; `None` if whoever changes something wakes.
    #[cfg_attr(miri, expect(unused_variables, reason = "nobody dies under Miri"))]
    pub(crate) fn nap(&self, held_up: bool) -> Option<Duration> {
        match self {
            Self::Process => None,
            #[cfg(not(miri))]
            Self::Processes(_) => Some(if held_up { HELD_UP } else { IDLE }),
        }
    }
}

#[cfg(not(miri))]
impl Guard {
    fn look_after(&mut self, consumer: &mut Consumer<Mapped>) -> Result<bool, Corrupt> {
        let waited = self.looked.elapsed();
        if waited >= IDLE || waited >= HELD_UP && consumer.held_up().is_some() {
            self.recover(consumer)
        } else {
            Ok(false)
        }
    }

    fn recover(&mut self, consumer: &mut Consumer<Mapped>) -> Result<bool, Corrupt> {
        self.looked = Instant::now();
        let mut went_on = false;
        // No ring holds more records; who finishes the same one again and again does not keep the consumer here.
        for _ in 0..consumer.memory().size().bytes() / HEADER_BYTES {
            if !consumer.skip_abandoned(&self.locks)? {
                break;
            }
            went_on = true;
        }
        match self.repair(consumer.memory()) {
            Ok(freed) => Ok(went_on || freed),
            Err(corrupt) => {
                consumer.give_up(corrupt);
                Err(corrupt)
            }
        }
    }

    /// Repairs, if somebody has died, through a mapping of its own: the consumer's cannot be written.
    fn repair(&self, memory: &Mapped) -> Result<bool, Corrupt> {
        if !raw::owned_slots(memory).any(|slot| self.locks.looks_dead(slot)) {
            return Ok(false);
        }
        let Ok(memory) = self.file.map(Writable { consumer: false, producer: true, data: true }) else {
            // Without memory, or permission: somebody else may have it.
            return Ok(false);
        };
        Ok(matches!(repair(&self.locks, &memory)?, Some(Repaired { freed: 1.., .. })))
    }
}
