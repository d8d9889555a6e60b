//! When to sleep and how to wake.

mod barrier;
#[cfg(not(miri))]
mod bell;
#[cfg(not(miri))]
mod bells;
mod deadline;
mod doorbell;
mod error;
#[cfg(not(miri))]
mod listen;
mod space;
mod stall;
mod wait;
#[cfg(not(miri))]
mod waker;

#[cfg(not(miri))]
pub(crate) use barrier::shared_store_load;
pub(crate) use barrier::{barrier, heavy, store_load};
#[cfg(not(miri))]
pub(crate) use bell::{hang, is_bell};
#[cfg(not(miri))]
pub(crate) use bells::Bells;
pub(crate) use deadline::Deadline;
#[cfg(not(miri))]
pub(crate) use doorbell::Doorbell;
pub use error::WaitError;
#[cfg(not(miri))]
pub(crate) use listen::{LastLook, for_others, level, listen, quit, silence};
#[cfg(all(feature = "tokio", not(miri)))]
pub(crate) use listen::{edge, forget};
pub(crate) use space::Space;
pub(crate) use stall::Sight;
pub use stall::Stalled;
pub use wait::Readiness;
#[cfg(not(miri))]
pub(crate) use wait::{POLL, looking, may_sleep};
pub(crate) use wait::{Sleep, gather, wait};
#[cfg(not(miri))]
pub use waker::Waker;

use crate::raw::{Bell, Mapped, Memory, Sleeper};
use crate::sync::Ordering;
use crate::sys::futex;
pub(crate) use crate::sys::futex::Scope;

/// Wakes those who sleep on a futex in a ring of this process, or rings its bell.
#[cold]
pub(crate) fn wake(memory: &Mapped, who: Sleeper) {
    wake_in(memory, who, Scope::Process);
}

/// The same in a ring that processes share.
#[cfg(not(miri))]
#[cold]
pub(crate) fn wake_shared(memory: &Mapped, who: Sleeper) {
    wake_in(memory, who, Scope::Shared);
}

fn wake_in(memory: &Mapped, who: Sleeper, scope: Scope) {
    let word = match who {
        Sleeper::Consumer => &*memory.producer().wake_seq,
        // Where the bell is not in sight yet, the last look before the wait sees what this wake is for.
        Sleeper::Listener => return memory.bell().into_iter().for_each(Bell::ring),
        Sleeper::Producers => &memory.consumer().state.space_seq,
    };
    // The kernel compares the word under the lock that the wake takes: whoever has not seen this does not fall asleep.
    word.fetch_add(1, Ordering::Relaxed);
    futex::wake_all(word, scope);
}
