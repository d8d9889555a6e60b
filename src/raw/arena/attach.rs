//! Who is attached.

use super::Memory;
use crate::raw::Claim;
use crate::sync::Ordering;

/// Takes a free place for `process`: from now on, things are done in its name. None if all are taken. Given back by
/// [`recover`](super::recover()).
///
/// Claimed before it is taken, the place never looks as if its owner was dead.
pub fn attach<M: Memory>(memory: &M, process: u32, claim: &(impl Claim + ?Sized)) -> Option<u16> {
    let taken = 1 << 32 | u64::from(process);
    for (place, index) in memory.processes().iter().zip(0..) {
        if place.load(Ordering::Relaxed) != 0 || !claim.take(index) {
            continue;
        }
        if place.compare_exchange(0, taken, Ordering::Acquire, Ordering::Relaxed).is_ok() {
            return u16::try_from(index).ok();
        }
        claim.give_back(index);
    }
    None
}

/// Whether somebody has the place, or has died there.
pub fn is_attached<M: Memory>(memory: &M, place: u16) -> bool {
    memory.processes().get(usize::from(place)).is_some_and(|word| word.load(Ordering::Relaxed) != 0)
}

/// Whether nobody has one of the places.
#[cfg(not(dynring_loom))]
pub(super) fn has_free_place<M: Memory>(memory: &M) -> bool {
    memory.processes().iter().any(|word| word.load(Ordering::Relaxed) == 0)
}
