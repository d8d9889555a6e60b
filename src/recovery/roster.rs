//! The producers of a ring that processes share.

use std::sync::Arc;

use super::Locks;
use crate::mapping::RingFile;
use crate::raw::{self, Claims, LivingClaim, Mapped, Memory, NoSeat, Repaired, owned_slots};
use crate::wire::Corrupt;

/// Where its producers get their locks.
#[derive(Debug)]
pub(crate) struct Roster {
    file: Arc<RingFile>,
    memory: Mapped,
}

impl Roster {
    /// `memory` is mapped as producers map it.
    pub(crate) fn new(file: Arc<RingFile>, memory: Mapped) -> Self {
        Self { file, memory }
    }
}

impl Claims for Roster {
    fn open(&self) -> Result<Box<dyn LivingClaim>, NoSeat> {
        if self.file.is_inherited() {
            return Err(NoSeat::Inherited);
        }
        Ok(Box::new(self.file.locks().map_err(NoSeat::System)?))
    }

    fn free_dead(&self) -> bool {
        let Ok(locks) = self.file.locks() else { return false };
        match repair(&locks, &self.memory) {
            // A slot that is free and could not be had: a child that was just forked has its lock until it becomes something else.
            Ok(Some(Repaired { left, .. })) => {
                left > 0 || owned_slots(&self.memory).count() < self.memory.slots().len()
            }
            Ok(None) => true,
            Err(_) => false,
        }
    }
}

/// Repairs a ring. `memory` is mapped as producers map it; no slot has been claimed with `locks`. None if somebody else repairs.
pub(crate) fn repair(locks: &Locks, memory: &Mapped) -> Result<Option<Repaired>, Corrupt> {
    locks.repairing(|| raw::repair(memory, locks)).transpose()
}
