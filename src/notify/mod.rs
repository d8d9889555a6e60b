//! When to sleep and how to wake.

mod barrier;
mod deadline;
mod wait;

pub(crate) use barrier::store_load;
pub(crate) use deadline::Deadline;
pub use wait::Readiness;
pub(crate) use wait::{gather, reserve_waiting, wait};

use crate::raw::{Mapped, Memory, Wake};
use crate::sync::Ordering;
use crate::sys::futex;

/// Wakes whom a step of the protocol says is to be woken.
#[inline]
pub(crate) fn wake(memory: &Mapped, wake: Wake) {
    if wake != Wake::Nobody {
        wake_sleeper(memory, wake);
    }
}

#[cold]
fn wake_sleeper(memory: &Mapped, wake: Wake) {
    let word = match wake {
        Wake::Nobody => return,
        Wake::Consumer => &*memory.producer().wake_seq,
        Wake::Producers => &memory.consumer().state.space_seq,
    };
    // The kernel compares the word under the lock that the wake takes: whoever has not seen this does not fall asleep.
    word.fetch_add(1, Ordering::Relaxed);
    futex::wake_all(word);
}
