//! The protocol: reserve, finish, consume, sleep, on any [`Memory`].
//!
//! It works on positions; the memory hands out the words. Its every atomic access names its [`Edge`](crate::sync::Edge);
//! `docs::internal` has the proof.

mod alone;
#[cfg_attr(any(miri, dynring_loom), allow(dead_code, reason = "for arenas that processes share"))]
pub mod arena;
#[cfg_attr(any(miri, dynring_loom), allow(dead_code, reason = "for rings that processes share"))]
mod bytes;
mod claim;
mod consumer;
mod finish;
mod limit;
#[cfg(not(dynring_loom))]
mod mapped;
mod memory;
#[cfg(all(test, not(any(miri, dynring_loom))))]
mod outrun;
mod publish;
#[cfg(not(dynring_loom))]
mod record;
mod registry;
mod repair;
#[cfg(not(dynring_loom))]
mod reservation;
#[cfg_attr(miri, allow(dead_code, reason = "there is no kernel under Miri"))]
mod resume;
#[cfg(not(dynring_loom))]
mod seat;
#[cfg_attr(miri, allow(dead_code, reason = "there is no kernel under Miri"))]
mod snapshot;
mod tally;
mod watched;

pub use alone::reserved;
pub use bytes::{WORD_BYTES, load_bytes, store_bytes};
pub use claim::{Producer, Refusal};
pub use consumer::{Consumer, Found};
pub use finish::{Wakeup, carve, finish, shrink};
pub use limit::limit;
#[cfg(not(dynring_loom))]
pub use mapped::{Bell, Mapped, Pages, Parts, Rules};
#[cfg_attr(miri, allow(unused_imports, reason = "nobody forks under Miri"))]
pub use memory::CLOSED;
use memory::released;
pub use memory::{ConsumerPage, HeaderCell, Memory, ProducerPage, Sleeper, Slot, initialise};
#[cfg(not(dynring_loom))]
#[cfg_attr(miri, allow(unused_imports, reason = "there is no epoll under Miri"))]
pub use record::{Held, Taken, copy, peek, run};
pub use registry::{
    Claim, Figures, NotRegistered, Registration, claim_consumer, close, figures, is_closed, open, owned_slots,
    process_of, register, unregister,
};
pub use repair::{Liveness, Repaired, repair};
#[cfg(not(dynring_loom))]
pub use reservation::{Leased, Patience, Reservation, Reservations};
#[cfg_attr(miri, allow(unused_imports, reason = "there is no kernel under Miri"))]
pub use resume::{Unusable, resume};
#[cfg(not(dynring_loom))]
#[cfg_attr(miri, allow(unused_imports, reason = "nobody dies under Miri"))]
pub use seat::{Claims, LivingClaim, NoSeat, Seat};
#[cfg_attr(miri, allow(unused_imports, reason = "there is no kernel under Miri"))]
pub use snapshot::{Copied, Extent, Overwritten, SnapshotEnd, Snapshots, Unread};
