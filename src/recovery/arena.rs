//! The processes that are attached to an arena.

use std::io;
use std::sync::Arc;

use crate::mapping::ArenaFile;
use crate::raw::arena::{Mapped, Memory, has_map_in_hand, is_attached, recover};
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
            // First those who have a map in hand, be it that a recovery took it in their name and died: who else of the dead has it
            // open may lay hands on it after that alone.
            let first = self.places().filter(|&place| has_map_in_hand(&self.memory, place));
            for place in first.chain(self.places()).filter(|&place| is_attached(&self.memory, place)) {
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

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileExt;

    use super::*;
    use crate::raw::arena::{Attached, By, OpenMap};
    use crate::sys;
    use crate::wire::arena::{ArenaLayout, CellState, CellWord, ROOT_ENTRIES, Shape};

    const SHAPE: Shape = Shape { entries: 4, key_bytes: 8, fixed: false, processes: 3 };

    /// A recovery of who has the place `place`, which has taken a map of that name in hand that was removed, has died.
    fn die_with_a_map_in_hand(file: &ArenaFile, place: u16) -> io::Result<()> {
        let shared = File::from(file.as_fd().try_clone_to_owned()?);
        for index in 0..ROOT_ENTRIES {
            let at = file.layout().root() + 8 * Shape::root(SHAPE.processes).cell(index) as u64;
            let mut word = [0; 8];
            shared.read_exact_at(&mut word, at)?;
            let found = CellWord::from_word(u64::from_ne_bytes(word));
            if found.state() == CellState::Removed {
                return shared.write_all_at(&found.to(CellState::Reaping, place).word().to_ne_bytes(), at);
            }
        }
        panic!("no map was removed");
    }

    #[test]
    fn what_the_dead_hold_is_let_go_of_though_a_recovery_died_in_their_map() -> io::Result<()> {
        let layout = ArenaLayout::new(1 << 16, SHAPE.processes, sys::page_size()).unwrap();
        let file = Arc::new(ArenaFile::create(layout, 7)?);
        let memory = file.map(false)?;
        let roster = Arc::new(ArenaRoster::new(Arc::clone(&file), memory.clone()));
        // Whoever has no lock is dead as soon as somebody looks.
        let dead = [0, 1].map(|_| Arc::new(Attached::join(memory.clone(), None, None).unwrap()));
        let living = Arc::new(Attached::join(memory.clone(), Some(roster.clone()), None).unwrap());
        OpenMap::create(&living, b"map", SHAPE).unwrap().unwrap();
        let maps = dead.map(|dead| Arc::new(OpenMap::open(dead, b"map").unwrap()));
        let map = Arc::new(OpenMap::open(Arc::clone(&living), b"map").unwrap());
        let value = Attached::lend(By::Borrowed(&living), 64).unwrap();
        map.insert(b"key", value).map_err(|(why, _)| why).unwrap();
        std::mem::forget(maps[0].hold(b"key").unwrap());
        std::mem::forget(maps);

        OpenMap::remove(&living, b"map");
        die_with_a_map_in_hand(&file, 1)?;
        assert_eq!(roster.recover()?, Some(Recovered { processes: 2, blocks: 0 }));
        drop(map.alone(b"key").expect("nobody holds it any more"));
        drop(map);
        assert_eq!(living.in_use(), 0);
        Ok(())
    }
}
