//! The processes that are attached to an arena.

use std::io;
use std::sync::Arc;

use crate::mapping::ArenaFile;
use crate::raw::arena::{Mapped, Memory, is_attached, recover};
use crate::raw::{Claims, Liveness, LivingClaim, NoSeat};

/// Where they get their locks.
#[derive(Debug)]
pub(crate) struct ArenaRoster {
    file: Arc<ArenaFile>,
    memory: Mapped,
}

/// What a recovery has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Recovered {
    /// Processes that had died.
    pub(crate) processes: u32,
    /// Blocks that they had.
    pub(crate) blocks: usize,
}

impl ArenaRoster {
    pub(crate) fn new(file: Arc<ArenaFile>, memory: Mapped) -> Self {
        Self { file, memory }
    }

    fn places(&self) -> core::ops::Range<u16> {
        0..u16::try_from(self.memory.processes().len()).unwrap_or(u16::MAX)
    }

    /// Gives back all that the dead have. None if somebody else is at it.
    pub(crate) fn recover(&self) -> io::Result<Option<Recovered>> {
        let locks = self.file.locks()?;
        Ok(locks.repairing(|| {
            let mut recovered = Recovered::default();
            for place in self.places().filter(|&place| is_attached(&self.memory, place)) {
                let Some(_proof) = locks.prove_dead(place.into()) else { continue };
                // Anew: it may have left before it died.
                if is_attached(&self.memory, place) {
                    recovered.blocks += recover(&self.memory, place, self.memory.secret());
                    recovered.processes += 1;
                }
            }
            recovered
        }))
    }
}

impl Claims for ArenaRoster {
    fn open(&self) -> Result<Box<dyn LivingClaim>, NoSeat> {
        let locks = self.file.locks().map_err(NoSeat::System)?;
        // By itself: a forked child has its parent's file, but not what shows that somebody is attached.
        match locks.attach() {
            Ok(true) => Ok(Box::new(locks)),
            Ok(false) => Err(NoSeat::System(io::ErrorKind::ResourceBusy.into())),
            Err(error) => Err(NoSeat::System(error)),
        }
    }

    fn free_dead(&self) -> bool {
        matches!(self.recover(), Ok(None))
    }
}
